//! What a set of currents, one for each charger, leaves free in the site's limits: the same rows and phasor
//! sums that the allocation works on, so that the ledger hands out what the allocation has found to fit.

use crate::allocate::network::Network;
use crate::lines::PerLine;
use crate::site::{ChargerIx, Site};
use crate::snapshot::{Demand, Snapshot};
use crate::units::Milliamps;

/// The site's limits with something counted for each charger.
pub(super) struct Room {
    network: Network,
    counted: Vec<i64>,
}

impl Room {
    /// What is left beside other loads, with nothing counted for anybody.
    pub(super) fn empty(site: &Site, snapshot: &Snapshot) -> Self {
        let network = Network::new(site, &snapshot.circuits, |ix| snapshot.chargers[ix].counted_phases());
        Self { network, counted: vec![0; site.chargers().len()] }
    }

    /// Counts what `current` says of each charger with a car, instead of what was counted before.
    pub(super) fn count(&mut self, snapshot: &Snapshot, current: impl Fn(ChargerIx) -> Milliamps) {
        for (ix, state) in snapshot.chargers.iter().enumerate() {
            let absent = matches!(state.demand, Demand::Absent);
            let current = if absent { 0 } else { i64::from(current(ChargerIx(ix)).0) };
            self.network.add(ix, current - self.counted[ix]);
            self.counted[ix] = current;
        }
    }

    /// How much more this charger could get; negative where a limit of its is passed already.
    pub(super) fn of(&self, charger: ChargerIx) -> Milliamps {
        let (room, _) = self.network.room(charger.0, |flow| flow.fixed);
        Milliamps(room.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    /// What flows in each circuit, other loads included.
    pub(super) fn used(&self, snapshot: &Snapshot) -> Vec<PerLine<Milliamps>> {
        self.network.used(&snapshot.circuits)
    }

    pub(super) fn take(&mut self, charger: ChargerIx, current: Milliamps) {
        self.network.add(charger.0, i64::from(current.0));
        self.counted[charger.0] += i64::from(current.0);
    }
}
