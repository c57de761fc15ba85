//! The device that protects the grid connection: when would it trip?
//!
//! Harsh on purpose: curves run through the earliest points that the standards allow, so a site that
//! holds here holds behind any device of that rating. Damage adds up over overloads and fades slowly.

use dlb_engine::time::{Duration, Instant};

/// Time-current characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// gG fuse, IEC 60269: 1.25 In holds for the conventional time; gates of the 63 A size.
    Gg,
    /// Circuit breakers, IEC 60898-1: 1.13 In holds for the conventional time, 2.55 In for a second;
    /// magnetic release from 3, 5 and 10 In.
    McbB,
    McbC,
    McbD,
}

/// Multiples of the rated current, and the earliest trip in seconds; between them log-log.
const GG: &[(f64, f64)] = &[(1.25, 3600.0), (2.54, 10.0), (7.14, 0.1)];
const MCB_B: &[(f64, f64)] = &[(1.13, 3600.0), (2.55, 1.0), (3.0, 0.01)];
const MCB_C: &[(f64, f64)] = &[(1.13, 3600.0), (2.55, 1.0), (5.0, 0.01)];
const MCB_D: &[(f64, f64)] = &[(1.13, 3600.0), (2.55, 1.0), (10.0, 0.01)];

/// A device forgets an overload with this time constant.
const COOLS_S: f64 = 900.0;

/// One pole.
#[derive(Clone, Debug)]
pub struct Pole {
    curve: Curve,
    rated_a: f64,
    damage: f64,
    tripped: Option<Instant>,
}

impl Curve {
    /// The earliest trip at this multiple of the rated current; `None`: it holds.
    #[must_use]
    pub fn earliest_trip(self, multiple: f64) -> Option<Duration> {
        let points = match self {
            Self::Gg => GG,
            Self::McbB => MCB_B,
            Self::McbC => MCB_C,
            Self::McbD => MCB_D,
        };
        if multiple <= points[0].0 {
            return None;
        }
        let seconds = points
            .windows(2)
            .find(|pair| multiple <= pair[1].0)
            .map_or(points[points.len() - 1].1, |pair| log_log(pair[0], pair[1], multiple));
        Some(Duration::from_secs_f64(seconds))
    }
}

fn log_log(from: (f64, f64), to: (f64, f64), at: f64) -> f64 {
    let part = (at / from.0).ln() / (to.0 / from.0).ln();
    from.1 * (to.1 / from.1).powf(part)
}

impl Pole {
    #[must_use]
    pub const fn new(curve: Curve, rated_a: f64) -> Self {
        Self { curve, rated_a, damage: 0.0, tripped: None }
    }

    /// This RMS current for so long, up to `now`. True: it trips in this very step.
    pub fn carry(&mut self, now: Instant, amps: f64, seconds: f64) -> bool {
        match self.curve.earliest_trip(amps / self.rated_a) {
            Some(trip) => self.damage += seconds / trip.as_secs_f64(),
            None => self.damage *= (-seconds / COOLS_S).exp(),
        }
        let trips = self.damage >= 1.0 && self.tripped.is_none();
        if trips {
            self.tripped = Some(now);
        }
        trips
    }

    #[must_use]
    pub const fn tripped(&self) -> Option<Instant> {
        self.tripped
    }

    /// How far on the way to a trip, 0 to 1.
    #[must_use]
    pub const fn damage(&self) -> f64 {
        self.damage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips_after(curve: Curve, multiple: f64) -> Option<u64> {
        let mut pole = Pole::new(curve, 63.0);
        let tenths = (1..=72_000_u64).find(|_| pole.carry(Instant(0), 63.0 * multiple, 0.1));
        tenths.map(|tenths| tenths.div_ceil(10))
    }

    #[test]
    fn a_fuse_holds_a_quarter_more_for_hours_and_melts_at_twice_its_current_in_minutes() {
        assert_eq!(trips_after(Curve::Gg, 1.25), None);
        assert!(trips_after(Curve::Gg, 1.6).is_some_and(|seconds| seconds < 3600));
        assert!(trips_after(Curve::Gg, 2.0).is_some_and(|seconds| (20..120).contains(&seconds)));
        assert_eq!(trips_after(Curve::Gg, 2.55), Some(10));
    }

    #[test]
    fn a_breaker_holds_113_percent_and_trips_within_the_hour_at_145() {
        assert_eq!(trips_after(Curve::McbC, 1.13), None);
        assert!(trips_after(Curve::McbC, 1.45).is_some_and(|seconds| seconds < 3600));
        assert_eq!(trips_after(Curve::McbB, 3.5), Some(1), "magnetic release");
        assert!(Curve::McbC.earliest_trip(3.5) > Curve::McbB.earliest_trip(3.5));
    }

    #[test]
    fn overloads_add_up_and_fade() {
        let mut pole = Pole::new(Curve::Gg, 63.0);
        pole.carry(Instant(0), 126.0, 10.0);
        let after = pole.damage();
        assert!(after > 0.1);
        pole.carry(Instant(0), 40.0, 3600.0);
        assert!(pole.damage() < after / 10.0);
    }
}
