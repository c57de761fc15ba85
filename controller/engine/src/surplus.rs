//! Cars that follow the sun: what a site would feed into the grid goes into them instead.
//!
//! A mode is a ceiling. It never allows anybody anything, it takes away: the allocation has the last word inside it.
//! What is there is shared in two steps. Cars that are on keep their minimum, in the order of the site's chargers, then
//! those that wait get theirs; what is left is shared alike in watts among those that are on.
//!
//! Clouds pass quicker than contactors should switch. A car begins when its minimum has been there for
//! [`BEGIN_AFTER`] and ends when it has been missing for [`END_AFTER`]; in between it stays at its minimum, on the
//! grid's account.
//!
//! A car on three phases needs three times as much to begin as one on one. Where a charger can be told how many to
//! use, what is left for its car decides: one phase when three have not been affordable for [`END_AFTER`], three when
//! they have been, by [`SWITCH_MARGIN`] and more, for [`THREE_AFTER`]. That a charger is switched only while nothing
//! flows is its caller's to see to.

use crate::time::{Duration, Instant};
use crate::units::Milliamps;

/// How long the sun must have been enough before a car begins.
pub const BEGIN_AFTER: Duration = Duration::from_secs(60);
/// How long it must have been too little before a car ends.
pub const END_AFTER: Duration = Duration::from_secs(180);

/// How long the sun must have been enough for three phases before a car goes on from one.
pub const THREE_AFTER: Duration = Duration::from_secs(600);
/// What must be there beyond the minimum of three phases meanwhile, in watts.
pub const SWITCH_MARGIN: f64 = 200.0;

/// How a charger follows the sun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub mode: Mode,
    /// It charges on one phase or on all of its phases, as it is told.
    pub switches: bool,
}

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
    /// Watts that one ampere of its limit means, on all the phases that it has.
    pub volts: f64,
    /// The same on one phase, where its charger can be told to use no more.
    pub one_phase: Option<f64>,
}

/// What is remembered of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follows {
    on: bool,
    /// Since when the sun says otherwise.
    otherwise: Option<Instant>,
    one_phase: bool,
    /// Since when the sun asks for the other number of phases.
    switching: Option<Instant>,
}

/// The ceilings of these cars. `surplus`: watts that nobody else uses; negative while the site draws from the grid.
/// `memory` stands in the same order and is kept from decision to decision.
pub fn ceilings(now: Instant, surplus: f64, cars: &[Follower], memory: &mut [Follows]) -> Vec<Milliamps> {
    let mut left = surplus.max(0.0);
    let mut order: Vec<usize> = (0..cars.len()).filter(|&ix| cars[ix].wants).collect();
    order.sort_by_key(|&ix| !memory[ix].on);
    for &ix in &order {
        memory[ix].chooses_phases(now, left, &cars[ix]);
        let least = memory[ix].watts(&cars[ix], cars[ix].min);
        // A hair of a watt missing is rounding.
        let enough = left + 1.0 >= least || cars[ix].mode == Mode::Minimum;
        memory[ix].sees(now, enough, cars[ix].mode);
        if enough || memory[ix].on {
            left = (left - least).max(0.0);
        }
    }
    for (car, follows) in cars.iter().zip(memory.iter_mut()).filter(|(car, _)| !car.wants) {
        *follows = Follows { on: car.mode == Mode::Minimum, ..Follows::default() };
    }
    let on: Vec<usize> = order.into_iter().filter(|&ix| memory[ix].on).collect();
    shared(left, cars, memory, &on)
}

/// Everybody who is on has its minimum, and of what is left the same in watts, up to its maximum.
fn shared(mut left: f64, cars: &[Follower], memory: &[Follows], on: &[usize]) -> Vec<Milliamps> {
    let mut given = vec![Milliamps::ZERO; cars.len()];
    let room = |ix: usize| memory[ix].watts(&cars[ix], cars[ix].max.saturating_sub(cars[ix].min)).max(0.0);
    let mut open: Vec<usize> = on.to_vec();
    open.sort_by(|&one, &other| room(one).total_cmp(&room(other)));
    for (nth, &ix) in open.iter().enumerate() {
        let share = room(ix).min(left / (open.len() - nth) as f64);
        left -= share;
        let above = share * 1000.0 / memory[ix].volts(&cars[ix]);
        given[ix] = cars[ix].min.saturating_add(Milliamps(above.floor() as i32));
    }
    given
}

impl Follows {
    /// The sun is not enough for all of its phases.
    #[must_use]
    pub const fn on_one_phase(&self) -> bool {
        self.one_phase
    }

    fn volts(&self, car: &Follower) -> f64 {
        car.one_phase.filter(|_| self.one_phase).unwrap_or(car.volts)
    }

    fn watts(&self, car: &Follower, current: Milliamps) -> f64 {
        current.as_amps() * self.volts(car)
    }

    /// `left`: watts that are there for this car.
    fn chooses_phases(&mut self, now: Instant, left: f64, car: &Follower) {
        if car.one_phase.is_none() {
            (self.one_phase, self.switching) = (false, None);
            return;
        }
        let all = car.min.as_amps() * car.volts;
        let one = left + 1.0 < if self.one_phase { all + SWITCH_MARGIN } else { all };
        if one == self.one_phase {
            self.switching = None;
            return;
        }
        let since = *self.switching.get_or_insert(now);
        let patience = match (self.on, one) {
            (false, _) => Duration::ZERO,
            (true, true) => END_AFTER,
            (true, false) => THREE_AFTER,
        };
        if now.since(since) >= patience {
            (self.one_phase, self.switching) = (one, None);
        }
    }

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
            (self.on, self.otherwise) = (enough, None);
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
        one_phase: None,
    };

    /// Three phases, or one when it is told.
    const SWITCHES: Follower =
        Follower { volts: 690.0, max: Milliamps(16_000), one_phase: Some(230.0), ..CAR };

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

    /// Ceiling in amperes and phases of a charger that switches, in every second.
    fn phases(watts: impl Fn(u64) -> f64, seconds: u64) -> Vec<(f64, u8)> {
        let mut memory = [Follows::default()];
        let mut second = |second| {
            let given = ceilings(at(second), watts(second), &[SWITCHES], &mut memory)[0];
            (given.as_amps(), if memory[0].on_one_phase() { 1 } else { 3 })
        };
        (0..seconds).map(&mut second).collect()
    }

    #[test]
    fn a_morning_sun_charges_on_one_phase_and_a_noon_sun_on_three() {
        let given = phases(|second| if second < 1000 { 2_300.0 } else { 6_900.0 }, 1700);
        assert_eq!(given[60], (10.0, 1));
        assert_eq!(given[1599], (16.0, 1), "one phase as far as it goes");
        assert_eq!(given[1600], (10.0, 3));
    }

    #[test]
    fn a_sun_between_one_phase_and_three_switches_once_and_not_back() {
        let given =
            phases(|second| if second < 300 { 6_900.0 } else { 4_200.0 - f64::from(second as u8) }, 4000);
        let switches = given.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
        assert_eq!((given[299].1, switches, given[3999].1), (3, 1, 1));
        assert!(given[61..].iter().all(|&(amps, _)| amps >= 6.0), "it charges all the while");
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
