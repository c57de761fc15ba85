//! Serves cars whose departure and need are known: who leaves soonest without time to spare goes first.
//!
//! In which order, smallest first:
//! 1. Who has not had [`FAIR_SHARE`] of what it asked for and could hardly get that any more: it presses. Others will
//!    press, too, so [`CROWD`] times as long as it takes alone is allowed for. Among these the next to leave is first.
//! 2. Time to spare before departure if it charged at its most from now on; nobody has less than none, and among
//!    those who have none the next to leave is first.
//!
//! Whoever is on counts as if it had an hour less, and up to a quarter more of one the more it has, so that neither
//! contactors nor limits follow every minute of difference. In this order, whoever was switched on a moment ago gets
//! its minimum, then who presses and who is on, inside what the plan leaves its place; every car gets what fits of
//! that; and what is left after that goes to those that are on, then to whoever can use much of it, then to anybody.
//! Only who has more than [`CAN_WAIT_S`] to spare is not kept on: a pause costs it a start and nothing else.

use super::network::Network;
use super::plan::{Car, Plan};
use super::shares::{Share, Stop};
use super::turns::{self, Turn};
use crate::time::Instant;

/// The part of its need that a car should have before others are made entirely happy.
const FAIR_SHARE: f64 = 0.75;
/// How many times longer than alone a car takes for its fair share where many are late.
const CROWD: f64 = 1.5;
/// With less to spare than this for its fair share a car presses.
const PRESSING_S: f64 = 15.0 * 60.0;
/// Whoever is on counts as if it had this much less.
const STAY_ON_S: f64 = 60.0 * 60.0;
/// Whoever has its most, in addition: two cars with the same time to spare would change over all the time.
const STAY_UP_S: f64 = 15.0 * 60.0;
/// With more than this to spare a car may be paused for others.
const CAN_WAIT_S: f64 = 6.0 * 3600.0;
/// Among equals, who leaves sooner.
const SOONER: f64 = 0.01;
/// A car is worth a start if it gets this many times its minimum, or all that it can use.
const WORTH_A_START: i64 = 2;

/// One car in the order of service.
struct Place {
    /// Position among the cars, and the charger.
    nth: usize,
    ix: usize,
    presses: bool,
    on: bool,
    /// It is on and cannot wait.
    stays: bool,
    /// It was switched on less than the minimum time ago.
    kept: bool,
    /// Smaller goes first among those who press, and among those who do not.
    key: f64,
}

/// What the plan leaves for each of its places.
struct Budget<'a> {
    plan: &'a Plan,
    left: Vec<f64>,
}

/// Serves the cars; some may have their minimum already.
pub(super) fn serve(
    now: Instant,
    (turns, rank): (&[Turn], &[usize]),
    network: &mut Network,
    shares: &mut [Share],
    cars: &[Car],
    plan: &Plan,
) {
    let mut order = Vec::with_capacity(cars.len());
    for (nth, car) in cars.iter().enumerate() {
        if turns[car.charger].rests(now) {
            shares[car.charger].stop = Stop::Rest;
        } else {
            order.push(place(nth, car, &turns[car.charger], &shares[car.charger], now));
        }
    }
    order.sort_unstable_by(|one, other| {
        (other.presses.cmp(&one.presses))
            .then_with(|| one.key.total_cmp(&other.key))
            .then_with(|| rank[one.ix].cmp(&rank[other.ix]))
    });
    let mut budget = Budget::new(plan, &order, shares);
    let of = |wanted: fn(&Place) -> bool| order.iter().filter(move |car| wanted(car));
    for car in of(|car| car.kept).chain(of(|car| car.presses)).chain(of(|car| car.stays)) {
        let share = &mut shares[car.ix];
        let most = share.low - share.given.min(share.low);
        let most = if car.kept { most } else { most.min(budget.of(car, share)) };
        budget.take(car, raise(network, share, car.ix, most, 1));
    }
    for car in &order {
        let most = budget.of(car, &shares[car.ix]);
        budget.take(car, raise(network, &mut shares[car.ix], car.ix, most, 1));
    }
    for worth in [WORTH_A_START, 1] {
        for car in &order {
            let worth = if car.on { 1 } else { worth };
            raise(network, &mut shares[car.ix], car.ix, i64::MAX, worth);
        }
    }
}

/// With what is remembered of its charger.
pub(super) fn with_past(car: Car, turn: &Turn, share: &Share) -> Car {
    let asked = turn.asked().max(car.need);
    let fair = (car.need - (1.0 - FAIR_SHARE) * asked).max(0.0);
    let floor = if stays_on(&car, turn) { share.low as f64 } else { 0.0 };
    Car { fair, floor, ..car }
}

/// Seconds before departure if it charged at its most from now on; none if it is late.
fn spare_s(car: &Car) -> f64 {
    (car.stays_s - car.need / car.most).max(0.0)
}

fn stays_on(car: &Car, turn: &Turn) -> bool {
    turn.on() && spare_s(car) < CAN_WAIT_S
}

fn place(nth: usize, car: &Car, turn: &Turn, share: &Share, now: Instant) -> Place {
    let fair_spare = car.stays_s - CROWD * car.fair / car.most;
    let presses = car.fair > 0.0 && fair_spare < PRESSING_S;
    let urgency = if presses { car.stays_s } else { spare_s(car) };
    let up = (turn.granted() as f64 / share.high as f64).min(1.0);
    let bonus = if turn.on() { STAY_ON_S + STAY_UP_S * up } else { 0.0 };
    let key = urgency + SOONER * car.stays_s - bonus;
    let kept = turn.place(now) == turns::Place::Kept;
    Place { nth, ix: car.charger, presses, on: turn.on(), stays: stays_on(car, turn), kept, key }
}

impl<'a> Budget<'a> {
    /// Targets of the plan, but enough for the minimums of those that stay on.
    fn new(plan: &'a Plan, order: &[Place], shares: &[Share]) -> Self {
        let mut floors = vec![0.0; plan.targets().len()];
        for car in order.iter().filter(|car| car.stays) {
            floors[plan.places()[car.nth]] += shares[car.ix].low as f64;
        }
        let left = plan.targets().iter().zip(floors).map(|(&target, floor)| target.max(floor)).collect();
        let mut budget = Self { plan, left };
        for car in order {
            budget.take(car, shares[car.ix].given);
        }
        budget
    }

    /// What this car may still have of its place's target; half a step more rather than half a step less.
    fn of(&self, car: &Place, share: &Share) -> i64 {
        (self.left[self.plan.places()[car.nth]] + share.step.max(1000) as f64 / 2.0) as i64
    }

    fn take(&mut self, car: &Place, amount: i64) {
        self.left[self.plan.places()[car.nth]] -= amount as f64;
    }
}

/// Raises a charger to what fits, at most by `most`; one that is off only if it gets `worth` times its minimum.
fn raise(network: &mut Network, share: &mut Share, ix: usize, most: i64, worth: i64) -> i64 {
    if share.given == share.high {
        return 0;
    }
    let (room, tightest) = network.room(ix, |flow| flow.fixed);
    let fits = share.given + room.clamp(0, most.max(0));
    let reach = fits.min(share.high) / share.step * share.step;
    let least = if share.given > 0 { share.given } else { (share.low * worth).min(share.high) };
    let more = if reach >= least { reach - share.given } else { 0 };
    share.given += more;
    network.add(ix, more);
    share.stop = match tightest {
        Some(row) if share.given < share.high => Stop::Row(row),
        _ => Stop::High,
    };
    more
}
