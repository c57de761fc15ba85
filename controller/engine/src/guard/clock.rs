//! The overload clock of one line: which share of a protective device's time is spent.
//!
//! `spent += dt / t(I)`, where `t(I)` is the device's earliest trip at that current. On a curve `I²t = const` this
//! is the I²t integral over its constant; elsewhere it is the same sum with the device's own law. At 1 the first
//! conforming device trips. Between rated current and holding current nothing moves; below the rated current the
//! device cools.

use super::device::Protection;
use crate::time::{Duration, Instant};
use crate::units::Milliamps;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    spent: f64,
    last: Option<(Instant, Milliamps)>,
}

/// A device forgets an overload with this time constant: bimetals and fuses cool in minutes.
const COOLS_S: f64 = 900.0;
/// Nobody knows what flowed in a longer gap between two readings: it does not cool.
const GAP_MAX: Duration = Duration::from_secs(15);

impl Clock {
    /// This current flows now. Between two readings the larger one counts.
    pub(super) fn saw(&mut self, now: Instant, current: Milliamps, protection: Protection) {
        if let Some((then, before)) = self.last {
            self.pass(now.since(then), before.max(current), protection);
        }
        self.last = Some((now, current));
    }

    fn pass(&mut self, span: Duration, current: Milliamps, protection: Protection) {
        let seconds = span.as_secs_f64();
        match protection.earliest_trip(current) {
            Some(trip) => self.spent += seconds / trip.as_secs_f64(),
            None if current <= protection.rated && span <= GAP_MAX => {
                self.spent *= (-seconds / COOLS_S).exp();
            }
            None => {}
        }
    }

    /// The share that is spent if the current has stayed as it was last seen.
    pub(super) fn spent(&self, now: Instant, protection: Protection) -> f64 {
        let mut later = *self;
        if let Some((then, current)) = self.last {
            later.pass(now.since(then), current, protection);
        }
        later.spent
    }

    /// When `share` will be spent if the current stays as it is; `None`: never.
    pub(super) fn spent_at(&self, share: f64, protection: Protection) -> Option<Instant> {
        let (then, current) = self.last?;
        let trip = protection.earliest_trip(current)?;
        Some(then + trip.mul_f64((share - self.spent).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::device::Device;

    const FUSE: Protection = Protection { device: Device::Gg, rated: Milliamps(63_000) };

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn ran(pieces: &[(u64, i32)]) -> Clock {
        let (mut clock, mut now) = (Clock::default(), 0);
        for &(seconds, amps) in pieces {
            for _ in 0..=seconds * 5 {
                clock.saw(at(now), Milliamps::from_amps(amps), FUSE);
                now += 200;
            }
        }
        clock
    }

    #[test]
    fn ten_seconds_at_the_ten_second_gate_are_all_that_a_fuse_has() {
        let clock = ran(&[(5, 160)]);
        assert!((clock.spent - 0.5).abs() < 1e-6, "{}", clock.spent);
        assert_eq!(clock.spent_at(1.0, FUSE), Some(at(10_000)));
        assert!((clock.spent(at(7_500), FUSE) - 0.75).abs() < 1e-6);
    }

    #[test]
    fn two_short_overloads_add_up_and_a_quarter_of_an_hour_forgets_most_of_them() {
        let twice = ran(&[(4, 160), (30, 50), (4, 160)]);
        assert!(twice.spent > 0.75, "{}", twice.spent);
        let later = ran(&[(4, 160), (900, 50), (0, 50)]);
        assert!(later.spent < 0.2, "{}", later.spent);
    }

    #[test]
    fn a_current_that_holds_for_ever_neither_heats_nor_cools() {
        let clock = ran(&[(4, 160), (600, 70)]);
        assert!((clock.spent - ran(&[(4, 160), (0, 70)]).spent).abs() < 0.05);
        assert_eq!(clock.spent_at(1.0, FUSE), None);
    }

    #[test]
    fn silence_does_not_cool() {
        let mut clock = ran(&[(4, 160), (0, 50)]);
        let before = clock.spent;
        clock.saw(at(900_000), Milliamps::from_amps(50), FUSE);
        assert!((clock.spent - before).abs() < 1e-9);
    }
}
