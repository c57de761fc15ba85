//! Does the car at an outlet want nothing, or has it only not begun yet?
//!
//! Between the offer of a current and the first ampere lie seconds in which a charger says that the car
//! is the one that waits. Taking that for "wants nothing" takes the offer back before the car could
//! begin; then it is offered again, and so on. So a car counts as idle only when it has left an offer
//! unused for a while, and remains idle, whatever the charger calls a pause that we made, until it
//! charges or leaves.

use dlb_engine::time::{Duration, Instant};
use dlb_links::charger::OutletState;

/// Longer than cars take to begin; the slowest known need half a minute.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Idling {
    /// Since when an offer is left unused.
    since: Option<Instant>,
    idle: bool,
}

impl Idling {
    /// What the outlet says now; `offered`: its limit lets a car charge.
    pub(crate) fn saw(&mut self, now: Instant, state: OutletState, offered: bool) {
        match state {
            OutletState::SuspendedEv if offered => {
                let since = *self.since.get_or_insert(now);
                self.idle |= now.since(since) >= PATIENCE;
            }
            OutletState::SuspendedEv | OutletState::SuspendedEvse | OutletState::Preparing => {
                self.since = None;
            }
            _ => *self = Self::default(),
        }
    }

    pub(crate) const fn idle(self) -> bool {
        self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(states: &[(u64, OutletState, bool)]) -> bool {
        let mut idling = Idling::default();
        for &(second, state, offered) in states {
            idling.saw(Instant::from_millis(second * 1000), state, offered);
        }
        idling.idle()
    }

    #[test]
    fn a_car_that_needs_a_moment_to_begin_is_not_idle() {
        use OutletState::{Charging, SuspendedEv, SuspendedEvse};
        assert!(!after(&[(0, SuspendedEvse, false), (5, SuspendedEv, true), (20, SuspendedEv, true)]));
        assert!(!after(&[(0, SuspendedEv, true), (30, Charging, true), (61, SuspendedEv, true)]));
    }

    #[test]
    fn an_offer_left_unused_for_a_minute_makes_it_idle_until_it_charges_or_leaves() {
        use OutletState::{Available, Charging, Preparing, SuspendedEv, SuspendedEvse};
        let unused = [(0, SuspendedEv, true), (60, SuspendedEv, true)];
        assert!(after(&unused));
        assert!(after(&[&unused[..], &[(70, SuspendedEvse, false), (80, Preparing, false)]].concat()));
        assert!(!after(&[&unused[..], &[(70, Charging, true)]].concat()));
        assert!(!after(&[&unused[..], &[(70, Available, false), (80, Preparing, false)]].concat()));
    }
}
