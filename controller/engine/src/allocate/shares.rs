//! What each charger may have in one decision: its range, its weight, what it has so far and what
//! stopped it. The working paper that admission, filling and rounding pass on to each other.

use super::network::RowIx;
use crate::site::{Charger, Site};
use crate::snapshot::{ChargerState, Demand, Snapshot};
use crate::units::Milliamps;

/// Weights are counted in these, so that sums of them are exact whatever their order.
const WEIGHT_UNIT: f64 = 1024.0;
const WEIGHT_MAX: f64 = (1 << 20) as f64;

/// What ended a charger's rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It has all that it can use.
    High,
    /// It must stay off for a while.
    Rest,
    /// This row has no more.
    Row(RowIx),
}

/// One charger's line on the paper. Milliamperes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Smallest limit at which it charges, on its step.
    pub(super) low: i64,
    /// Largest limit of use to it, on its step; at least `low`.
    pub(super) high: i64,
    pub(super) step: i64,
    pub(super) weight: i64,
    pub(super) given: i64,
    pub(super) stop: Stop,
}

impl Share {
    /// The range of a charger whose car could take `wants`.
    ///
    /// A car that wants less than the minimum needs the minimum to draw it. `None`: no multiple of the
    /// charger's step lies between its minimum and its maximum, so it cannot be told any limit. A car that needs
    /// more to start gets that, or all that the charger has.
    fn new(charger: &Charger, least: Milliamps, wants: Milliamps) -> Option<Self> {
        let step = i64::from(charger.step.0.max(1));
        let on_step = |current: Milliamps| (i64::from(current.0) + step - 1) / step * step;
        let top = i64::from(charger.max.0) / step * step;
        let low = on_step(charger.min).max(on_step(least).min(top));
        let high = (i64::from(wants.0.min(charger.max.0)) / step * step).max(low);
        let weight = (charger.weight * WEIGHT_UNIT).round().clamp(1.0, WEIGHT_MAX) as i64;
        (low <= top).then_some(Self { low, high, step, weight, given: 0, stop: Stop::High })
    }

    /// A charger that takes no part.
    const fn nothing() -> Self {
        Self { low: 0, high: 0, step: 1, weight: 1, given: 0, stop: Stop::High }
    }

    /// How well it is served, in milliamperes per unit of weight.
    pub(super) fn level(&self) -> f64 {
        self.given as f64 / self.weight as f64
    }
}

/// A number that sorts as this one does: [`f64::total_cmp`] as a key.
pub(super) const fn ascending(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// A line for every charger of the site.
pub(super) fn shares(site: &Site, snapshot: &Snapshot, demands: &[Demand]) -> Vec<Share> {
    let of = |((charger, demand), state): ((&Charger, &Demand), &ChargerState)| {
        let wants = match *demand {
            Demand::Wants(wants) if wants > Milliamps::ZERO => wants,
            Demand::Idle => Milliamps::ZERO,
            Demand::Wants(_) | Demand::Absent | Demand::Reserved(..) => return Share::nothing(),
        };
        Share::new(charger, state.least(charger), wants).unwrap_or(Share::nothing())
    };
    site.chargers().iter().zip(demands).zip(&snapshot.chargers).map(of).collect()
}
