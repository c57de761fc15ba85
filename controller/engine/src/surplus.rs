//! Cars that follow the sun: what a site would feed into the grid goes into them instead.
//!
//! A mode is a ceiling. It never allows anybody anything, it takes away: the allocation has the last word inside it.
//! What is there is shared in two steps. Cars that are on keep their minimum, in the order of the site's chargers, then
//! those that wait get theirs; what is left is shared alike in watts among those that are on.
//!
//! Clouds pass quicker than contactors should switch. A car begins when its minimum has been there for
//! [`BEGIN_AFTER`] and ends when it has been missing for [`END_AFTER`]; in between it stays at its minimum, on the
//! grid's account.

use crate::time::{Duration, Instant};
use crate::units::Milliamps;

/// How long the sun must have been enough before a car begins.
pub const BEGIN_AFTER: Duration = Duration::from_secs(60);
/// How long it must have been too little before a car ends.
pub const END_AFTER: Duration = Duration::from_secs(180);

/// How a car follows the sun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On surplus alone.
    Surplus,
    /// At its minimum at least, and more when the sun gives more.
    Minimum,
}

/// A car that follows the sun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Follower {
    pub mode: Mode,
    /// It is there and wants to charge.
    pub wants: bool,
    pub min: Milliamps,
    pub max: Milliamps,
    /// Watts that one ampere of its limit means.
    pub volts: f64,
}

/// What is remembered of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follows {
    on: bool,
    /// Since when the sun says otherwise.
    otherwise: Option<Instant>,
}

/// The ceilings of these cars. `surplus`: watts that nobody else uses; negative while the site draws from the grid.
/// `memory` stands in the same order and is kept from decision to decision.
pub fn ceilings(now: Instant, surplus: f64, cars: &[Follower], memory: &mut [Follows]) -> Vec<Milliamps> {
    let mut left = surplus.max(0.0);
    let mut order: Vec<usize> = (0..cars.len()).filter(|&ix| cars[ix].wants).collect();
    order.sort_by_key(|&ix| !memory[ix].on);
    for &ix in &order {
        let least = cars[ix].watts(cars[ix].min);
        // A hair of a watt missing is rounding.
        let enough = left + 1.0 >= least || cars[ix].mode == Mode::Minimum;
        memory[ix].sees(now, enough, cars[ix].mode);
        if enough || memory[ix].on {
            left = (left - least).max(0.0);
        }
    }
    for (car, follows) in cars.iter().zip(memory.iter_mut()).filter(|(car, _)| !car.wants) {
        *follows = Follows { on: car.mode == Mode::Minimum, otherwise: None };
    }
    let on: Vec<usize> = order.into_iter().filter(|&ix| memory[ix].on).collect();
    shared(left, cars, &on)
}

/// Everybody who is on has its minimum, and of what is left the same in watts, up to its maximum.
fn shared(mut left: f64, cars: &[Follower], on: &[usize]) -> Vec<Milliamps> {
    let mut given = vec![Milliamps::ZERO; cars.len()];
    let room = |ix: usize| cars[ix].watts(cars[ix].max.saturating_sub(cars[ix].min)).max(0.0);
    let mut open: Vec<usize> = on.to_vec();
    open.sort_by(|&one, &other| room(one).total_cmp(&room(other)));
    for (nth, &ix) in open.iter().enumerate() {
        let share = room(ix).min(left / (open.len() - nth) as f64);
        left -= share;
        given[ix] = cars[ix].min.saturating_add(Milliamps((share * 1000.0 / cars[ix].volts).floor() as i32));
    }
    given
}

impl Follower {
    fn watts(&self, current: Milliamps) -> f64 {
        current.as_amps() * self.volts
    }
}

impl Follows {
    fn sees(&mut self, now: Instant, enough: bool, mode: Mode) {
        if enough == self.on {
            self.otherwise = None;
            return;
        }
        let since = *self.otherwise.get_or_insert(now);
        let patience = match (enough, mode) {
            (true, Mode::Minimum) => Duration::ZERO,
            (true, Mode::Surplus) => BEGIN_AFTER,
            (false, _) => END_AFTER,
        };
        if now.since(since) >= patience {
            *self = Self { on: enough, otherwise: None };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(1000 * seconds)
    }

    /// One phase of 230 V, 6 to 32 A.
    const CAR: Follower = Follower {
        mode: Mode::Surplus,
        wants: true,
        min: Milliamps(6_000),
        max: Milliamps(32_000),
        volts: 230.0,
    };

    /// Ceilings in amperes after every second of this weather.
    fn weather(cars: &[Follower], watts: impl Fn(u64) -> f64, seconds: u64) -> Vec<Vec<f64>> {
        let mut memory = vec![Follows::default(); cars.len()];
        let second = |second| ceilings(at(second), watts(second), cars, &mut memory);
        let decisions = (0..seconds).map(second);
        decisions.map(|given| given.into_iter().map(Milliamps::as_amps).collect()).collect()
    }

    #[test]
    fn a_car_begins_when_the_sun_has_been_enough_for_a_minute() {
        let given = weather(&[CAR], |_| 2_300.0, 62);
        assert_eq!((given[59][0], given[60][0]), (0.0, 10.0));
    }

    #[test]
    fn a_cloud_of_two_minutes_switches_nothing_and_one_of_four_does() {
        let cloud = |until| move |second| if (100..until).contains(&second) { 500.0 } else { 2_300.0 };
        let short = weather(&[CAR], cloud(220), 300);
        assert!(short[61..].iter().all(|given| given[0] >= 6.0));
        assert_eq!((short[150][0], short[299][0]), (6.0, 10.0), "at its minimum while it lasts");
        let long = weather(&[CAR], cloud(340), 345);
        assert_eq!((long[279][0], long[280][0]), (6.0, 0.0));
    }

    #[test]
    fn the_sun_is_shared_alike_and_whoever_is_on_goes_before_whoever_waits() {
        let given = weather(&[CAR, CAR], |second| if second < 100 { 1_500.0 } else { 4_600.0 }, 200);
        assert_eq!(given[90], [1_500.0 / 230.0, 0.0].map(|amps: f64| (amps * 1000.0).floor() / 1000.0));
        assert_eq!(given[120], [14.0, 0.0], "the second one's minimum is kept clear for it");
        assert_eq!(given[199], [10.0, 10.0]);
    }

    #[test]
    fn a_car_in_the_other_mode_has_its_minimum_at_night_and_more_by_day() {
        let car = Follower { mode: Mode::Minimum, ..CAR };
        assert_eq!(weather(&[car], |_| -3_000.0, 5)[4], [6.0]);
        assert_eq!(weather(&[car], |_| 2_300.0, 5)[4], [10.0]);
    }

    #[test]
    fn nobody_gets_more_than_the_sun_and_all_minimums() {
        for watts in (0..20_000).step_by(713) {
            let watts = f64::from(watts);
            let three = Follower { volts: 690.0, max: Milliamps(16_000), ..CAR };
            let given = weather(&[CAR, three, CAR], |_| watts, 100).pop().expect("decisions");
            let sum = 230.0 * (given[0] + given[2]) + 690.0 * given[1];
            assert!(sum <= watts + 1.0, "{sum} of {watts}");
        }
    }
}
