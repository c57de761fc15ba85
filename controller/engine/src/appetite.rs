//! What a car really takes, learnt from what it drew: so that an allowance which a slow or full car
//! leaves unused goes to the others, and comes back quickly when it is wanted again.

use crate::time::{Duration, Instant};
use crate::units::Milliamps;

/// The appetite of the car at one outlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appetite {
    /// Since when it has been drawing clearly less than it might, and the most that it drew since.
    slack: Option<(Instant, Milliamps)>,
    cap: Option<Milliamps>,
}

/// Less than this below the limit is not slack: meters and cars are not that exact.
const MARGIN: Milliamps = Milliamps(1_500);
/// How long it must stay below: longer than a car's ramp and its pauses between stages.
const PATIENCE: Duration = Duration::from_secs(45);
/// What a learnt cap leaves above the observed draw, so that a rising draw can be seen.
const HEADROOM: Milliamps = Milliamps(2_000);
/// A car this close to its cap wants more than the cap.
const HUNGRY: Milliamps = Milliamps(1_000);

impl Appetite {
    /// A measurement while `limit` was in force.
    pub fn saw(&mut self, now: Instant, limit: Milliamps, drawn: Milliamps) {
        if self.cap.is_some_and(|cap| drawn.saturating_add(HUNGRY) >= cap) {
            *self = Self::default();
            return;
        }
        if limit == Milliamps::ZERO || drawn.saturating_add(MARGIN) >= limit {
            self.slack = None;
            return;
        }
        let (since, most) = self.slack.unwrap_or((now, drawn));
        let most = most.max(drawn);
        self.slack = Some((since, most));
        if now.since(since) >= PATIENCE {
            self.cap = Some(most.saturating_add(HEADROOM));
        }
    }

    /// The most that the car could use of `offered`.
    #[must_use]
    pub fn wants(&self, offered: Milliamps, min: Milliamps) -> Milliamps {
        self.cap.map_or(offered, |cap| cap.max(min).min(offered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn a_slow_car_keeps_what_it_uses_and_a_little_more() {
        let mut appetite = Appetite::default();
        for second in (0..=60).step_by(10) {
            appetite.saw(at(second), Milliamps(32_000), Milliamps(10_000));
        }
        assert_eq!(appetite.wants(Milliamps(32_000), Milliamps(6_000)), Milliamps(12_000));
    }

    #[test]
    fn a_car_that_reaches_its_cap_gets_everything_back_at_once() {
        let mut appetite = Appetite::default();
        for second in (0..=60).step_by(10) {
            appetite.saw(at(second), Milliamps(32_000), Milliamps(10_000));
        }
        appetite.saw(at(70), Milliamps(12_000), Milliamps(11_500));
        assert_eq!(appetite.wants(Milliamps(32_000), Milliamps(6_000)), Milliamps(32_000));
    }

    #[test]
    fn a_full_car_keeps_its_minimum() {
        let mut appetite = Appetite::default();
        for second in (0..=60).step_by(10) {
            appetite.saw(at(second), Milliamps(16_000), Milliamps::ZERO);
        }
        assert_eq!(appetite.wants(Milliamps(16_000), Milliamps(6_000)), Milliamps(6_000));
    }
}
