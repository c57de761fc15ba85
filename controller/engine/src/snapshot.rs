//! One frozen picture of the site: everything that a decision may depend on, and nothing else.

use crate::lines::PerLine;
use crate::site::Charger;
use crate::time::Instant;
use crate::units::{Milliamps, WattHours, Watts};

/// The picture. Circuits and chargers stand in the order of the [`Site`](crate::site::Site).
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub now: Instant,
    pub strategy: Strategy,
    pub circuits: Vec<CircuitState>,
    pub chargers: Vec<ChargerState>,
}

/// Who goes first among chargers of the same priority class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Everybody the same, by weight.
    #[default]
    Equal,
    /// In the order of arrival.
    FirstCome,
    /// Strictly by priority, equal inside a class.
    Priority,
    /// Least slack before departure first.
    Departure,
}

/// What a circuit may carry now, and what it carries for others than chargers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitState {
    /// The limit in force now: the circuit's own, or a lower one that somebody set for a while.
    pub limit: PerLine<Milliamps>,
    pub limit_power: Option<Watts>,
    /// Upper bound of all that flows here and is not one of our chargers, circuits below included.
    pub other_load: PerLine<Milliamps>,
}

/// What a charger could use now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargerState {
    pub demand: Demand,
    /// Phases that the car uses, once seen.
    pub car_phases: Option<u8>,
    /// The smallest limit that starts its car, where that is more than the charger's own minimum.
    pub least: Milliamps,
    /// What flows now on the site's lines, if it is known.
    pub drawn: Option<PerLine<Milliamps>>,
    pub arrived: Option<Instant>,
    pub departs: Option<Instant>,
    pub energy_needed: Option<WattHours>,
}

impl ChargerState {
    /// The smallest limit at which its car charges: the charger's own minimum, or more, and never more than the
    /// charger can have.
    #[must_use]
    pub fn least(&self, charger: &Charger) -> Milliamps {
        charger.min.max(self.least).min(charger.max)
    }

    /// The phases to count on: those that the car was seen to use, unless another car may have come
    /// or the charger goes its own way.
    #[must_use]
    pub const fn counted_phases(&self) -> Option<u8> {
        match self.demand {
            Demand::Reserved(..) => None,
            _ => self.car_phases,
        }
    }
}

/// What a charger asks of the allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// No car. The charger gets nothing, and nothing is held for it.
    Absent,
    /// A car is connected and wants nothing now; it may wake up within the limit that it has.
    Idle,
    /// A car that could use up to this much.
    Wants(Milliamps),
    /// Not ours to decide (out of reach, disobedient, switched off by hand): this much is set aside.
    Reserved(Milliamps, Reservation),
}

/// Why current is set aside rather than allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The charger is out of reach: what it may still draw by its last limit or its fallback.
    OutOfReach,
    /// The charger draws more than it was told.
    Disobeys,
    /// The charger cannot be limited at all: its rating.
    Uncontrollable,
}
