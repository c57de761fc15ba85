//! Protective devices as data: how soon could one trip?
//!
//! A standard gives a band: a current that must hold for the conventional time, and times that no conforming
//! device may undercut. The curve here runs along the **earliest** edge of the band, straight between its points
//! in a double logarithmic diagram, so that whatever holds here holds behind any conforming device. Where the
//! standard leaves a gap between two points, a point is added on the early side; those are marked.

use crate::time::Duration;
use crate::units::Milliamps;

/// What protects a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Fuse of class gG, IEC 60269-1.
    Gg,
    /// Circuit breakers of IEC 60898-1, by their instantaneous release.
    McbB,
    McbC,
    McbD,
    /// Circuit breaker of IEC 60947-2, its releases at their lowest usual setting.
    Mccb,
}

/// A device and its rated current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    pub device: Device,
    pub rated: Milliamps,
}

/// A multiple of the rated current, and the seconds that no conforming device undercuts.
type Point = (f64, f64);

/// Sooner than this nobody can act; what trips here trips.
const AT_ONCE_S: f64 = 0.01;

/// IEC 60269-1, table of gates for gG: rated current, largest current that does not melt within 10 s, the same
/// for 0.1 s, all in amperes.
const GG_GATES: [(f64, f64, f64); 17] = [
    (16.0, 33.0, 85.0),
    (20.0, 42.0, 110.0),
    (25.0, 52.0, 150.0),
    (32.0, 75.0, 200.0),
    (40.0, 95.0, 260.0),
    (50.0, 125.0, 350.0),
    (63.0, 160.0, 450.0),
    (80.0, 215.0, 610.0),
    (100.0, 290.0, 820.0),
    (125.0, 355.0, 1100.0),
    (160.0, 460.0, 1450.0),
    (200.0, 610.0, 1910.0),
    (250.0, 750.0, 2590.0),
    (315.0, 1050.0, 3420.0),
    (400.0, 1420.0, 4500.0),
    (500.0, 1780.0, 6000.0),
    (630.0, 2200.0, 8060.0),
];

impl Protection {
    /// The earliest trip at this current; `None`: it holds for ever.
    #[must_use]
    pub fn earliest_trip(self, current: Milliamps) -> Option<Duration> {
        if self.rated <= Milliamps::ZERO {
            return None;
        }
        let multiple = f64::from(current.0) / f64::from(self.rated.0);
        let points = self.points();
        if multiple <= points[0].0 {
            return None;
        }
        let pair = points.windows(2).find(|pair| multiple <= pair[1].0);
        let seconds = pair.map_or(AT_ONCE_S, |pair| between(pair[0], pair[1], multiple));
        Some(Duration::from_secs_f64(seconds))
    }

    /// The largest current that surely holds for so long: the inverse of [`Self::earliest_trip`].
    #[must_use]
    pub fn holds_for(self, span: Duration) -> Milliamps {
        let (points, seconds) = (self.points(), span.as_secs_f64());
        let pair = points.windows(2).find(|pair| seconds >= pair[1].1);
        let multiple = match pair {
            _ if seconds >= points[0].1 => points[0].0,
            Some(pair) => {
                let part = (seconds / pair[0].1).ln() / (pair[1].1 / pair[0].1).ln();
                pair[0].0 * (pair[1].0 / pair[0].0).powf(part)
            }
            None => points[points.len() - 1].0,
        };
        Milliamps((f64::from(self.rated.0.max(0)) * multiple) as i32)
    }

    fn points(self) -> [Point; 5] {
        let rated_a = self.rated.as_amps();
        let conventional = self.conventional_s();
        match self.device {
            Device::Gg => gg(rated_a, conventional),
            Device::McbB => mcb(conventional, 3.0),
            Device::McbC => mcb(conventional, 5.0),
            Device::McbD => mcb(conventional, 10.0),
            // The standard knows no point between 1.05 and the short-circuit release: all but the first are ours.
            Device::Mccb => [(1.05, conventional), (1.3, 60.0), (2.0, 8.0), (2.55, 1.0), (3.0, AT_ONCE_S)],
        }
    }

    /// The conventional time: for this long the first point holds.
    const fn conventional_s(self) -> f64 {
        let hours = match (self.device, self.rated.0) {
            (_, ..=63_000) => 1.0,
            (Device::Gg, ..=160_000) => 2.0,
            (Device::Gg, ..=400_000) => 3.0,
            (Device::Gg, _) => 4.0,
            _ => 2.0,
        };
        hours * 3600.0
    }
}

/// 1.25 In for the conventional time, and the gates of the next smaller rated current.
fn gg(rated_a: f64, conventional: f64) -> [Point; 5] {
    let (size, ten, tenth) = GG_GATES.into_iter().rev().find(|gate| gate.0 <= rated_a).unwrap_or(GG_GATES[0]);
    let (ten, tenth) = (ten / size, tenth / size);
    [(1.25, conventional), (ten, 10.0), (tenth, 0.1), (2.0 * tenth, AT_ONCE_S), (3.0 * tenth, AT_ONCE_S)]
}

/// 1.13 In for the conventional time, 2.55 In for a second, the instantaneous release from its lower edge. The
/// points at 1.45 and 2 In are ours: the standard only says that 1.45 In trips within the conventional time.
const fn mcb(conventional: f64, instantaneous: f64) -> [Point; 5] {
    [(1.13, conventional), (1.45, 60.0), (2.0, 10.0), (2.55, 1.0), (instantaneous, AT_ONCE_S)]
}

fn between(from: Point, to: Point, at: f64) -> f64 {
    let part = (at / from.0).ln() / (to.0 / from.0).ln();
    from.1 * (to.1 / from.1).powf(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(device: Device, rated: i32, amps: i32) -> Option<f64> {
        let protection = Protection { device, rated: Milliamps::from_amps(rated) };
        protection.earliest_trip(Milliamps::from_amps(amps)).map(|span| span.as_secs_f64())
    }

    fn near(one: Option<f64>, other: f64) {
        assert!(one.is_some_and(|one| (one / other - 1.0).abs() < 1e-6), "{one:?} is not {other}");
    }

    #[test]
    fn what_the_standards_let_hold_holds() {
        assert_eq!(trip(Device::Gg, 100, 125), None);
        for breaker in [Device::McbB, Device::McbC, Device::McbD] {
            assert_eq!(trip(breaker, 100, 113), None);
        }
        assert_eq!(trip(Device::Mccb, 100, 105), None);
    }

    #[test]
    fn the_gates_of_a_63_a_fuse_are_those_of_the_table() {
        near(trip(Device::Gg, 63, 160), 10.0);
        near(trip(Device::Gg, 63, 450), 0.1);
        near(trip(Device::Gg, 100, 290), 10.0);
    }

    #[test]
    fn a_rating_between_two_sizes_has_the_gates_of_the_smaller_one() {
        let ten = trip(Device::Gg, 70, 178);
        assert!(ten.is_some_and(|seconds| (9.8..10.0).contains(&seconds)), "{ten:?}");
    }

    #[test]
    fn breakers_differ_only_where_the_magnet_pulls() {
        near(trip(Device::McbB, 100, 255), 1.0);
        near(trip(Device::McbC, 100, 255), 1.0);
        near(trip(Device::McbB, 100, 400), 0.01);
        assert!(trip(Device::McbC, 100, 400).is_some_and(|seconds| seconds > 0.02));
    }

    #[test]
    fn what_holds_for_a_while_trips_no_sooner() {
        for device in [Device::Gg, Device::McbB, Device::McbC, Device::McbD, Device::Mccb] {
            for rated in [10, 16, 63, 250] {
                let protection = Protection { device, rated: Milliamps::from_amps(rated) };
                for seconds in [1, 20, 60, 120, 240, 1800, 20_000] {
                    let holds = protection.holds_for(Duration::from_secs(seconds));
                    let within = |current| {
                        protection.earliest_trip(current).map_or(f64::INFINITY, |span| span.as_secs_f64())
                    };
                    assert!(within(holds) >= seconds as f64 * 0.999, "{device:?} {rated} A, {seconds} s");
                    let more = Milliamps(holds.0 + holds.0 / 50);
                    assert!(
                        within(more) < (seconds as f64).min(14_400.0),
                        "{device:?} {rated} A, {seconds} s"
                    );
                }
            }
        }
    }

    #[test]
    fn more_current_never_trips_later() {
        for device in [Device::Gg, Device::McbB, Device::McbC, Device::McbD, Device::Mccb] {
            for rated in [10, 16, 32, 63, 100, 250, 630, 1600] {
                let times = (100..4000).map(|percent| {
                    let current = Milliamps(rated * 10 * percent);
                    let protection = Protection { device, rated: Milliamps::from_amps(rated) };
                    protection.earliest_trip(current).map_or(f64::INFINITY, |span| span.as_secs_f64())
                });
                let times: Vec<f64> = times.collect();
                assert!(times.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{device:?} {rated}");
            }
        }
    }
}
