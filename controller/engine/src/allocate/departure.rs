//! Serves cars whose departure and need are known: who leaves soonest without time to spare goes first.
//!
//! In which order, smallest first:
//! 1. Who has not had [`FAIR_SHARE`] of what it asked for and could hardly get that any more: it presses.
//! 2. Time to spare before departure if it charged at its most from now on; nobody has less than none, and among
//!    those who have none the next to leave is first.
//!
//! Whoever is on counts as if it had an hour less to spare, so that contactors do not follow every minute of
//! difference. In this order, who was switched on a moment ago or presses gets its minimum; who is on and has little to spare keeps its
//! minimum, inside what the plan leaves its place; every car gets what fits of that; and what is left after that
//! goes to those that are on, then to whoever can use much of it, then to anybody.

use super::network::Network;
use super::plan::{Car, Plan};
use super::shares::{Share, Stop};
use super::turns::{self, Turn};
use crate::time::Instant;

/// The part of its need that a car should have before others are made entirely happy.
const FAIR_SHARE: f64 = 0.65;
/// With less to spare than this for its fair share a car presses; further behind it makes no difference.
const PRESSING_S: f64 = 30.0 * 60.0;
const BEHIND_MAX_S: f64 = 25.0 * 60.0;
/// Whoever is on counts as if it had this much less to spare.
const STAY_ON_S: f64 = 60.0 * 60.0;
/// Whoever is on and has less than this to spare stays on if it can.
const KEEP_ON_S: f64 = 3.0 * 60.0 * 60.0;
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
    /// It was switched on less than the minimum time ago.
    kept: bool,
    /// It stays on if it can.
    keeps: bool,
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
            order.push(place(nth, car, &turns[car.charger], now));
        }
    }
    order.sort_unstable_by(|one, other| {
        (other.presses.cmp(&one.presses))
            .then_with(|| one.key.total_cmp(&other.key))
            .then_with(|| rank[one.ix].cmp(&rank[other.ix]))
    });
    let mut budget = Budget::new(plan, &order, shares);
    let kept = order.iter().filter(|car| car.kept);
    for car in kept.chain(order.iter().filter(|car| car.presses)) {
        let share = &mut shares[car.ix];
        let most = share.low - share.given.min(share.low);
        budget.take(car, raise(network, share, car.ix, most, 1));
    }
    for car in order.iter().filter(|car| car.on && car.keeps) {
        let share = &mut shares[car.ix];
        let most = (share.low - share.given.min(share.low)).min(budget.of(car, share));
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

fn place(nth: usize, car: &Car, turn: &Turn, now: Instant) -> Place {
    let asked = turn.asked().max(car.need);
    let fair = (car.need - (1.0 - FAIR_SHARE) * asked).max(0.0);
    let fair_spare = car.stays_s - fair / car.most;
    let presses = fair > 0.0 && fair_spare < PRESSING_S;
    let spare = car.stays_s - car.need / car.most;
    let urgency = if presses { fair_spare.max(-BEHIND_MAX_S) } else { spare.max(0.0) };
    let bonus = if turn.on() { STAY_ON_S } else { 0.0 };
    let key = urgency + SOONER * car.stays_s - bonus;
    let kept = turn.place(now) == turns::Place::Kept;
    Place { nth, ix: car.charger, presses, on: turn.on(), kept, keeps: spare < KEEP_ON_S, key }
}

impl<'a> Budget<'a> {
    /// Targets of the plan, but enough for the minimums of those that are on.
    fn new(plan: &'a Plan, order: &[Place], shares: &[Share]) -> Self {
        let mut floors = vec![0.0; plan.targets().len()];
        for car in order.iter().filter(|car| car.on) {
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
