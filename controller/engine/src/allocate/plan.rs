//! Looks ahead over the cars that are here: how much each *place* should get now, so that as much as possible
//! of what all of them need is delivered before they leave.
//!
//! A place is a set of chargers that no limit tells apart: they load the same lines in and above the first
//! circuit that can be full. A small linear program over places and a few stretches of time, short ones first,
//! takes the limits of every stretch (circles as polygons in them, so that a plan can be kept) and what a place's
//! cars can take in any set of stretches. Who is on and cannot wait keeps its minimum in the first one. It gains
//! more from energy up to the fair share of those that leave by then, and a little more from early energy. Only
//! what it says of the first stretch counts; it is solved again when a car comes, goes or has enough, and every
//! [`PLAN_FOR`] in between.
//!
//! The sets make a place as good as its cars one by one: what a car can take in a set of stretches, the smaller of
//! its need and its most over them, is submodular in the set, and amounts that keep the sums over several such
//! functions can always be split into amounts that keep each of them (J. Edmonds, "Submodular functions, matroids,
//! and certain polyhedra", 1970).
//!
//! The plan is advice. It knows nothing of other minimums, of steps and turns, nor of cars that may still come, and
//! never allows anybody anything: who gets what is decided by [`super::departure`], inside the limits as they are now.

use super::network::{Angles, FlowIx, Network, Row, RowIx};
use super::simplex::Program;
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

/// How long a plan is good for.
pub const PLAN_FOR: Duration = Duration::from_secs(15 * 60);
/// Ends of the stretches of time, in minutes from now; the last one ends with the last departure.
const ENDS_MIN: [f64; 5] = [15.0, 45.0, 120.0, 240.0, 480.0];
/// A site with more places, or more cars at once, is served without looking ahead.
const PLACES_MAX: usize = 12;
const CARS_MAX: usize = 1000;
/// Energy now is worth this much more than energy at the end.
const EARLY: f64 = 0.1;
/// Energy up to a fair share is worth this much more in each stretch by whose end its car leaves.
const FAIR: f64 = 0.5;
/// Among plans that are as good, each place is worth this much less than the one before it: places stand in the
/// order of their cars' names, so that one plan is the best whatever the order of the lists.
const FIRST_NAME: f64 = 1e-6;
/// Of the sides of a polygon, how far the next is turned at most, in degrees. What is between it and its circle is
/// not planned, and given to whoever can use it.
const TURN_MAX: f64 = 15.0;
/// Far more steps than such a program needs.
const STEPS_MAX: usize = 2000;

/// What the plan must know of a car. Currents in milliamperes of limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Car {
    pub(super) charger: usize,
    /// Milliampere-seconds until it has what it needs, and the seconds that it stays.
    pub(super) need: f64,
    pub(super) stays_s: f64,
    pub(super) most: f64,
    /// It is on and cannot wait: it keeps this as long as it can.
    pub(super) floor: f64,
    /// Milliampere-seconds that it lacks of its fair share.
    pub(super) fair: f64,
}

/// How much each place should get now.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    made: Instant,
    /// The chargers whose cars it was made for.
    cars: Vec<usize>,
    /// Place of each of these, and milliamperes for each place.
    place_of: Vec<usize>,
    targets: Vec<f64>,
}

impl Plan {
    /// Is it still about these cars?
    pub(super) fn holds(&self, now: Instant, cars: &[Car]) -> bool {
        now.since(self.made) < PLAN_FOR && self.cars.iter().copied().eq(cars.iter().map(|car| car.charger))
    }

    /// Place of each car, in the order in which the plan was given them.
    pub(super) fn places(&self) -> &[usize] {
        &self.place_of
    }

    pub(super) fn targets(&self) -> &[f64] {
        &self.targets
    }

    /// `None`: too many places or cars to look ahead.
    pub(super) fn new(network: &mut Network, now: Instant, cars: &[Car]) -> Option<Self> {
        if cars.len() > CARS_MAX {
            return None;
        }
        let tight = tight_circuits(network, cars);
        let mut known: BTreeMap<Vec<FlowIx>, usize> = BTreeMap::new();
        let mut place_of = Vec::with_capacity(cars.len());
        for car in cars {
            let next = known.len();
            place_of.push(*known.entry(network.feeds(car.charger, &tight)).or_insert(next));
        }
        if known.len() > PLACES_MAX {
            return None;
        }
        let places: Vec<Vec<FlowIx>> = {
            let mut places = vec![Vec::new(); known.len()];
            known.into_iter().for_each(|(flows, place)| places[place] = flows);
            places
        };
        let targets = solve(network, &tight, cars, &place_of, &places);
        let cars = cars.iter().map(|car| car.charger).collect();
        Some(Self { made: now, cars, place_of, targets })
    }
}

/// The circuits that could be full if every car took all that it can.
fn tight_circuits(network: &mut Network, cars: &[Car]) -> Vec<bool> {
    for car in cars {
        network.add(car.charger, car.most as i64);
    }
    let tight = |circuit: usize| network.rows_of(circuit).any(|row| network.slack(row, 0.0) < 0.0);
    let tight: Vec<bool> = (0..network.circuits()).map(tight).collect();
    for car in cars {
        network.add(car.charger, -(car.most as i64));
    }
    tight
}

fn solve(
    network: &Network,
    tight: &[bool],
    cars: &[Car],
    place_of: &[usize],
    places: &[Vec<FlowIx>],
) -> Vec<f64> {
    let ahead = Ahead::new(cars, place_of);
    let mut program = Program::default();
    let floors: Vec<f64> = (0..places.len()).map(|place| ahead.floor(place)).collect();
    let amounts: Vec<Vec<usize>> =
        (0..places.len()).map(|place| ahead.lay_place(&mut program, place, floors[place])).collect();
    for row in (0..network.rows.len()).filter(|&row| tight[network.rows[row].circuit.0]) {
        for (factors, room) in sides(network, row, places) {
            let kept: f64 = factors.iter().map(|&(place, factor)| factor * floors[place]).sum();
            for (stretch, end) in ahead.ends.iter().enumerate() {
                let parts = factors.iter().map(|&(place, factor)| (amounts[place][stretch], factor));
                let room = room * (end - ahead.begin(stretch));
                program.limit(parts.collect(), if stretch == 0 { room - kept } else { room });
            }
        }
    }
    let values = program.maximise(STEPS_MAX);
    // Whole milliamperes: the last digits depend on the order of the rows.
    let target =
        |(stretches, floor): (&Vec<usize>, &f64)| ((values[stretches[0]] + floor) / ahead.ends[0]).round();
    amounts.iter().zip(&floors).map(target).collect()
}

/// The cars of each place over the stretches of time.
struct Ahead<'a> {
    cars: &'a [Car],
    place_of: &'a [usize],
    /// Seconds from now.
    ends: Vec<f64>,
}

impl<'a> Ahead<'a> {
    fn new(cars: &'a [Car], place_of: &'a [usize]) -> Self {
        let last = cars.iter().map(|car| car.stays_s).fold(ENDS_MIN[0] * 60.0, f64::max);
        let inner = ENDS_MIN.iter().map(|minutes| minutes * 60.0).filter(|&end| end < last);
        Self { cars, place_of, ends: inner.chain([last]).collect() }
    }

    fn begin(&self, stretch: usize) -> f64 {
        if stretch == 0 { 0.0 } else { self.ends[stretch - 1] }
    }

    fn of_place(&self, place: usize) -> impl Iterator<Item = &Car> {
        self.cars.iter().zip(self.place_of).filter(move |(_, at)| **at == place).map(|(car, _)| car)
    }

    /// What a car keeps in the first stretch, in milliampere-seconds.
    fn keeps(&self, car: &Car) -> f64 {
        car.need.min(car.floor * car.stays_s.min(self.ends[0]))
    }

    fn floor(&self, place: usize) -> f64 {
        self.of_place(place).map(|car| self.keeps(car)).sum()
    }

    /// What the cars of a place can take beyond what they keep, in milliampere-seconds, for each set of stretches:
    /// the bits of its position.
    fn can_take(&self, place: usize) -> Vec<f64> {
        let mut sums = vec![0.0; 1 << self.ends.len()];
        for car in self.of_place(place) {
            let kept = self.keeps(car);
            let mut most = vec![0.0];
            for (stretch, end) in self.ends.iter().enumerate() {
                let here = car.most * (car.stays_s.min(*end) - self.begin(stretch)).max(0.0);
                let here = if stretch == 0 { here - kept } else { here };
                most.extend_from_within(..);
                let with = most.len() / 2;
                most[with..].iter_mut().for_each(|most| *most += here);
            }
            sums.iter_mut().zip(most).for_each(|(sum, most)| *sum += most.min(car.need - kept));
        }
        sums
    }

    /// A variable for each stretch, and what the place's cars can take in each set of them. In the first stretch it
    /// is what they get beyond the floor.
    fn lay_place(&self, program: &mut Program, place: usize, floor: f64) -> Vec<usize> {
        let count = self.ends.len();
        let last = self.ends[count - 1];
        let worth = 1.0 - FIRST_NAME * place as f64;
        let gain = |stretch: usize| worth - EARLY * (self.begin(stretch) + self.ends[stretch]) / 2.0 / last;
        let amounts: Vec<usize> = (0..count).map(|stretch| program.variable(gain(stretch))).collect();
        self.lay_sets(program, place, &amounts);
        self.lay_fair(program, place, floor, &amounts);
        amounts
    }

    fn lay_sets(&self, program: &mut Program, place: usize, amounts: &[usize]) {
        let can = self.can_take(place);
        for (set, &most) in can.iter().enumerate().skip(1) {
            let within = (0..amounts.len()).filter(|stretch| set >> stretch & 1 == 1);
            // Many sets say no more than one of their stretches and the others do.
            let said = |stretch: usize| most + 1e-6 * most >= can[set ^ 1 << stretch] + can[1 << stretch];
            if set.is_power_of_two() || !within.clone().any(said) {
                program.limit(within.map(|stretch| (amounts[stretch], 1.0)).collect(), most);
            }
        }
    }

    /// Rewards what a place gets up to the fair shares of those that leave by the end of each stretch.
    fn lay_fair(&self, program: &mut Program, place: usize, floor: f64, amounts: &[usize]) {
        for stretch in 0..amounts.len() {
            let due = self.due(place, self.ends[stretch]);
            if due > 0.0 {
                let fair = program.variable(FAIR);
                program.limit(vec![(fair, 1.0)], due);
                let sum = amounts[..=stretch].iter().map(|&amount| (amount, -1.0));
                program.limit([(fair, 1.0)].into_iter().chain(sum).collect(), floor);
            }
        }
    }

    /// What those that leave by then lack of their fair share and can take.
    fn due(&self, place: usize, end: f64) -> f64 {
        let leaving = self.of_place(place).filter(|car| car.stays_s <= end);
        leaving.map(|car| car.fair.min(car.most * car.stays_s)).sum()
    }
}

/// The sides of a polygon in what the row allows: the factor of each place that is in it, and what is left.
fn sides(network: &Network, row: RowIx, places: &[Vec<FlowIx>]) -> Vec<(Vec<(usize, f64)>, f64)> {
    let at: &Row = &network.rows[row];
    let currents: Vec<_> = places.iter().map(|flows| network.current_in(row, flows)).collect();
    let fixed = network.carried(row);
    let (directions, inside) =
        if at.angles == Angles::Straight { (vec![0.0], 1.0) } else { directions(&currents) };
    let side = |&direction: &f64| {
        let factors = currents.iter().map(|current| current.towards(direction)).enumerate();
        let factors: Vec<(usize, f64)> = factors.filter(|(_, factor)| factor.abs() > 1e-9).collect();
        (factors, at.limit * inside - fixed.towards(direction))
    };
    directions
        .iter()
        .map(side)
        .filter(|(factors, _)| factors.iter().any(|(_, factor)| *factor > 0.0))
        .collect()
}

/// Directions spread over those of the currents, in radians, and how near to its centre a circle of 1 has sides in
/// these directions that meet on it.
fn directions(currents: &[super::phasor::Phasor]) -> (Vec<f64>, f64) {
    let Some(lead) = currents.iter().find(|current| current.magnitude() > 1e-9) else {
        return (Vec::new(), 1.0);
    };
    let turned =
        currents.iter().filter(|current| current.magnitude() > 1e-9).map(|current| current.angle_from(*lead));
    let (least, most) =
        turned.fold((0.0, 0.0), |(least, most): (f64, f64), angle| (least.min(angle), most.max(angle)));
    let count = ((most - least).to_degrees() / TURN_MAX).ceil().max(1.0);
    let middle = |nth: usize| lead.angle() + least + (most - least) * (nth as f64 + 0.5) / count;
    let half = (most - least) / count / 2.0;
    ((0..count as usize).map(middle).collect(), half.cos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn car() -> impl Strategy<Value = Car> {
        (1.0..500_000.0, 100.0..40_000.0, 6_000.0..32_000.0, any::<bool>()).prop_map(
            |(need_as, stays_s, most, on)| {
                let floor = if on { 6_000.0 } else { 0.0 };
                Car { charger: 0, need: need_as * 1000.0, stays_s, most, floor, fair: 0.0 }
            },
        )
    }

    /// The most that cars are worth that share one current, each with its own amounts.
    fn one_by_one(ahead: &Ahead<'_>, gains: &[f64], share: f64) -> f64 {
        let mut program = Program::default();
        let mut all = vec![Vec::new(); ahead.ends.len()];
        for car in ahead.cars {
            let kept = ahead.keeps(car);
            let own: Vec<usize> = (0..all.len()).map(|stretch| program.variable(gains[stretch])).collect();
            for (stretch, &amount) in own.iter().enumerate() {
                let here = car.most * (car.stays_s.min(ahead.ends[stretch]) - ahead.begin(stretch)).max(0.0);
                program.limit(vec![(amount, 1.0)], if stretch == 0 { here - kept } else { here });
                all[stretch].push((amount, 1.0));
            }
            program.limit(own.iter().map(|&amount| (amount, 1.0)).collect(), car.need - kept);
        }
        limit_stretches(&mut program, ahead, all, share);
        worth(&program, |variable| gains[variable % gains.len()])
    }

    fn as_a_place(ahead: &Ahead<'_>, gains: &[f64], share: f64) -> f64 {
        let mut program = Program::default();
        let amounts: Vec<usize> = gains.iter().map(|&gain| program.variable(gain)).collect();
        ahead.lay_sets(&mut program, 0, &amounts);
        let all = amounts.iter().map(|&amount| vec![(amount, 1.0)]).collect();
        limit_stretches(&mut program, ahead, all, share);
        worth(&program, |variable| gains[variable])
    }

    fn limit_stretches(program: &mut Program, ahead: &Ahead<'_>, all: Vec<Vec<(usize, f64)>>, share: f64) {
        for (stretch, amounts) in all.into_iter().enumerate() {
            let most: f64 = ahead.cars.iter().map(|car| car.most).sum();
            program.limit(amounts, share * most * (ahead.ends[stretch] - ahead.begin(stretch)));
        }
    }

    fn worth(program: &Program, gain: impl Fn(usize) -> f64) -> f64 {
        program.maximise(20_000).iter().enumerate().map(|(variable, amount)| gain(variable) * amount).sum()
    }

    proptest! {
        #[test]
        fn a_place_is_worth_what_its_cars_are_worth_one_by_one(
            cars in prop::collection::vec(car(), 1..6),
            gains in prop::collection::vec(-1.0..1.0, 6),
            share in 0.05..1.0,
        ) {
            let place_of = vec![0; cars.len()];
            let ahead = Ahead::new(&cars, &place_of);
            let gains = &gains[..ahead.ends.len()];
            let (place, cars) = (as_a_place(&ahead, gains, share), one_by_one(&ahead, gains, share));
            prop_assert!((place - cars).abs() <= 1e-5 * cars.max(1.0), "{place} and {cars} mA·s");
        }
    }
}
