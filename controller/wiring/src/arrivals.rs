//! What stays free for a car that comes while the box is dead.
//!
//! A limit outlives the box by up to its lifetime, and a charger without a car counts as nothing: when a car comes to
//! it meanwhile, it draws its fallback beside limits that were handed out to the last ampere. That must not trip
//! anything. So limits leave room for one such car, as far as the circuit's protective device does not carry the two
//! together for as long as limits last. Behind a fuse of 63 A that is nothing; it shows on circuits that hardly carry
//! two cars.

use crate::controller::Controller;
use dlb_engine::allocation::Reason;
use dlb_engine::guard::Setting;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::snapshot::Snapshot;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;

/// A car begins within this time, and a charger ends its limit as late.
const MARGIN: Duration = Duration::from_secs(10);

/// One circuit, were the box to die now.
#[derive(Clone, Copy, Debug, Default)]
struct Afterwards {
    /// The largest fallback of a charger without a car, on each line.
    arrives: PerLine<Milliamps>,
    /// How long limits in force may last.
    lasts: Duration,
}

impl Controller {
    pub(crate) fn leave_for_arrivals(&self, snapshot: &mut Snapshot) {
        for (ix, afterwards) in self.afterwards().into_iter().enumerate() {
            let own = self.settings.site.circuit(CircuitIx(ix)).limit;
            let guard = self.settings.guards.get(ix).copied().unwrap_or_default();
            let most =
                own.zip_with(afterwards.arrives, |own, arrives| room(guard, own, arrives, afterwards.lasts));
            let limit = &mut snapshot.circuits[ix].limit;
            *limit = limit.zip_with(most, Milliamps::min);
        }
    }

    fn afterwards(&self) -> Vec<Afterwards> {
        let site = &self.settings.site;
        let mut circuits = vec![Afterwards::default(); site.circuits().len()];
        for ix in site.charger_indexes() {
            let (mut arrives, lasts) = match self.outlets[ix.0].may_draw() {
                true => (PerLine::default(), self.lasts(ix)),
                false => (self.falls_back(ix), Duration::ZERO),
            };
            for at in site.path(ix) {
                let seen = &mut circuits[at.0];
                seen.arrives = seen.arrives.zip_with(arrives, Milliamps::max);
                seen.lasts = seen.lasts.max(lasts);
                arrives = site.circuit(at).transformer.map_or(arrives, |way| way.primary(arrives));
            }
        }
        circuits
    }

    fn lasts(&self, ix: ChargerIx) -> Duration {
        let known = self.ledger.fallback_of(ix).map_or(Duration::ZERO, |fallback| fallback.after);
        known.max(self.settings.policy.limit_lifetime) + MARGIN
    }

    fn falls_back(&self, ix: ChargerIx) -> PerLine<Milliamps> {
        let charger = self.settings.site.charger(ix);
        charger.wiring.loads(None).map(|loads| if loads { charger.fallback } else { Milliamps::ZERO })
    }
}

/// This reason where the line is full only because of that.
pub(crate) fn kept_for_arrival(reason: Reason, before: &Snapshot, after: &Snapshot) -> Option<Reason> {
    let (Reason::LineFull { circuit, line }
    | Reason::WaitsForTurn { circuit, line }
    | Reason::NothingLeft { circuit, line }) = reason
    else {
        return None;
    };
    let lowered = after.circuits[circuit.0].limit[line] < before.circuits[circuit.0].limit[line];
    lowered.then_some(Reason::KeptForArrival { circuit, line })
}

/// What limits may add up to beside one that arrives, on a line that may carry `own` for ever.
fn room(guard: Setting, own: Milliamps, arrives: Milliamps, lasts: Duration) -> Milliamps {
    if arrives <= Milliamps::ZERO {
        return own;
    }
    guard.protects(own).holds_for(lasts).saturating_sub(arrives).min(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::guard::{Device, Protection};
    use dlb_engine::lines::Line;
    use dlb_engine::snapshot::{CircuitState, Strategy};
    use dlb_engine::time::Instant;

    fn leaves(device: Option<Device>, own: i32, seconds: u64) -> f64 {
        let rated = Milliamps::from_amps(own);
        let guard =
            Setting { protection: device.map(|device| Protection { device, rated }), ..Setting::default() };
        room(guard, rated, Milliamps::from_amps(6), Duration::from_secs(seconds)).as_amps()
    }

    #[test]
    fn a_connection_behind_a_fuse_is_used_to_the_last_ampere() {
        assert_eq!(leaves(Some(Device::Gg), 63, 130), 63.0);
        assert_eq!(leaves(None, 63, 130), 63.0, "nobody has said what protects it");
        assert_eq!(leaves(Some(Device::McbB), 20, 130), 20.0);
    }

    #[test]
    fn a_circuit_that_hardly_carries_two_cars_leaves_room_for_the_second() {
        let (left, longer) = (leaves(Some(Device::McbC), 10, 130), leaves(Some(Device::McbC), 10, 250));
        assert!((7.0..8.5).contains(&left), "{left}");
        assert!(longer < left, "{longer}");
    }

    #[test]
    fn a_line_that_is_full_only_because_a_car_may_come_says_so() {
        let picture = |limit: i32| Snapshot {
            now: Instant::default(),
            strategy: Strategy::Equal,
            circuits: vec![CircuitState {
                limit: PerLine::all(Milliamps::from_amps(limit)),
                limit_power: None,
                other_load: PerLine::default(),
            }],
            chargers: Vec::new(),
        };
        let (circuit, line) = (CircuitIx(0), Line::L1);
        let full = Reason::LineFull { circuit, line };
        let kept = Some(Reason::KeptForArrival { circuit, line });
        assert_eq!(kept_for_arrival(full, &picture(10), &picture(8)), kept);
        assert_eq!(kept_for_arrival(full, &picture(10), &picture(10)), None);
        assert_eq!(kept_for_arrival(Reason::WantsNoMore, &picture(10), &picture(8)), None);
    }
}
