//! What was decided: a limit for every charger, and why it is not more.

use crate::guard::Rule;
use crate::lines::{Line, PerLine};
use crate::site::CircuitIx;
use crate::snapshot::Reservation;
use crate::units::Milliamps;

/// One decision, in the order of the site's chargers and circuits.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    pub grants: Vec<Grant>,
    /// The worst case that this allocation permits in each circuit, other load included.
    pub used: Vec<PerLine<Milliamps>>,
}

/// A charger's limit and what held it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub limit: Milliamps,
    pub reason: Reason,
}

/// Position of a contact of the box in the site's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputIx(pub usize);

/// What stands in the way of more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No car is connected.
    NoCar,
    /// Nothing has been decided since the start: cars go on by the limits that they had.
    Undecided,
    /// The car has all that it wants.
    WantsNoMore,
    /// The car has left what it was offered unused; it is asked again from time to time.
    TakesNothing,
    /// The charger's own maximum.
    ChargerMaximum,
    /// This line of this circuit is full; it was shared fairly.
    LineFull { circuit: CircuitIx, line: Line },
    /// The power limit of this circuit is reached.
    PowerFull { circuit: CircuitIx },
    /// The neutral of this circuit may carry no more.
    NeutralFull { circuit: CircuitIx },
    /// This line of this circuit may not be loaded further beyond the others.
    Unbalanced { circuit: CircuitIx, line: Line },
    /// There is not enough for everybody's minimum; this car waits for its turn.
    WaitsForTurn { circuit: CircuitIx, line: Line },
    /// It was switched off a moment ago and stays off for a while, to spare contactor and car.
    Rests,
    /// The circuit is loaded by others so far that not even one minimum fits.
    NothingLeft { circuit: CircuitIx, line: Line },
    /// A contact of the box limits this circuit, or what its chargers may draw.
    LimitedByInput { circuit: CircuitIx, input: InputIx },
    /// This line of this circuit has carried more than it may; the guard gives back in steps.
    Guarded { circuit: CircuitIx, line: Line, rule: Rule },
    /// The rest of this line is kept for a car that may come while the box is dead.
    KeptForArrival { circuit: CircuitIx, line: Line },
    /// Somebody holds this charger at no more, by hand or through the broker.
    HeldByOrder,
    /// It follows the sun, which gives no more.
    FollowsSun,
    /// Set aside, not allocated.
    Reserved(Reservation),
}
