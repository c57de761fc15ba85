//! Strategies: in which order chargers are switched on, and in which order they are filled.
//!
//! Every strategy is a list of stages over batches of chargers. Inside a batch everybody is equal, by
//! weight; a batch is through before the next one gets anything.

use super::plan::Car;
use crate::site::{Charger, Site, Supply};
use crate::snapshot::{ChargerState, Demand, Snapshot, Strategy};
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

/// Slack before departure is counted in these where nobody plans, so that cars in about the same position share.
const LAXITY_UNIT: Duration = Duration::from_secs(5 * 60);
/// With less slack than this a car goes before others when places are short and nobody plans.
const URGENT: Duration = Duration::from_secs(60 * 60);
/// The urgency of everybody who is not urgent.
pub(super) const CALM: i64 = i64::MAX;

/// One step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Give these their minimum, as many as fit.
    Admit(Vec<usize>),
    /// Raise those of these that are on.
    Fill(Vec<usize>),
    /// Serve these, whose departure and need are known, as planned.
    Plan(Vec<usize>),
}

/// The stages of this snapshot. `wants`: the chargers whose cars want something.
pub(super) fn stages(site: &Site, snapshot: &Snapshot, laxity: &[i64], wants: &[usize]) -> Vec<Stage> {
    let by_class = batches(wants, |ix| site.chargers()[ix].priority);
    let arrival = |ix: usize| snapshot.chargers[ix].arrived.unwrap_or(Instant(u64::MAX));
    let together = |classes: Vec<Vec<usize>>| {
        let both = |class: Vec<usize>| [Stage::Admit(class.clone()), Stage::Fill(class)];
        classes.into_iter().flat_map(both).collect()
    };
    let minimum_first = |fills: Vec<Vec<usize>>| {
        by_class.iter().cloned().map(Stage::Admit).chain(fills.into_iter().map(Stage::Fill)).collect()
    };
    match snapshot.strategy {
        Strategy::Priority => together(by_class),
        Strategy::FirstCome => together(by_class.iter().flat_map(|class| batches(class, arrival)).collect()),
        Strategy::Equal => minimum_first(by_class.clone()),
        Strategy::Departure => by_class.into_iter().flat_map(|class| planned(class, laxity)).collect(),
    }
}

/// Nobody knows how long the cars of unknown departure can wait: they have their minimum first, by turns but after
/// those in a hurry, and the rest last.
fn planned(class: Vec<usize>, laxity: &[i64]) -> Vec<Stage> {
    let (known, unknown): (Vec<usize>, Vec<usize>) = class.into_iter().partition(|&ix| laxity[ix] != CALM);
    if unknown.is_empty() {
        return vec![Stage::Plan(known)];
    }
    let in_hurry = known.iter().copied().filter(|&ix| laxity[ix] < urgent());
    let first = unknown.iter().copied().chain(in_hurry).collect();
    let plan = if known.is_empty() { None } else { Some(Stage::Plan(known)) };
    core::iter::once(Stage::Admit(first)).chain(plan).chain([Stage::Fill(unknown)]).collect()
}

/// The stages of cars whose departures are known, where they are too many to plan.
pub(super) fn unplanned(batch: Vec<usize>, laxity: &[i64]) -> Vec<Stage> {
    let fills = batches(&batch, |ix| laxity[ix]).into_iter().map(Stage::Fill);
    core::iter::once(Stage::Admit(batch)).chain(fills).collect()
}

/// Splits a list by a key, smallest key first, keeping its order otherwise.
fn batches<K: Ord>(list: &[usize], key: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut batches = BTreeMap::new();
    for &ix in list {
        batches.entry(key(ix)).or_insert_with(Vec::new).push(ix);
    }
    batches.into_values().collect()
}

/// What the strategy departure must know of each car; `None` where its departure or need is not known or in the
/// past, and for all other strategies.
pub(super) fn cars(site: &Site, snapshot: &Snapshot) -> Vec<Option<Car>> {
    if snapshot.strategy != Strategy::Departure {
        return vec![None; snapshot.chargers.len()];
    }
    let states = site.chargers().iter().zip(&snapshot.chargers).enumerate();
    states.map(|(ix, (charger, state))| car(site, snapshot.now, ix, charger, state)).collect()
}

fn car(site: &Site, now: Instant, ix: usize, charger: &Charger, state: &ChargerState) -> Option<Car> {
    let Demand::Wants(wants) = state.demand else { return None };
    let (departs, energy) = state.departs.zip(state.energy_needed)?;
    let stays = departs.since(now);
    if stays == Duration::ZERO {
        return None;
    }
    let most = wants.min(charger.max).max(charger.min);
    let loaded = charger.wiring.loads(state.counted_phases()).0.into_iter().filter(|&loaded| loaded).count();
    let volts = volts(charger, site.circuit(charger.circuit).supply, loaded);
    let need = energy.0.max(0) as f64 * 3600.0 * 1000.0 / volts;
    Some(Car {
        charger: ix,
        need,
        stays_s: stays.as_secs_f64(),
        most: f64::from(most.0),
        floor: 0.0,
        fair: 0.0,
    })
}

/// Time to spare before departure if each car charged at its most from now on, in [`LAXITY_UNIT`]s;
/// [`CALM`] where departure or energy are not known.
pub(super) fn laxities(cars: &[Option<Car>]) -> Vec<i64> {
    let of = |car: &Option<Car>| {
        car.map_or(CALM, |car| {
            ((car.stays_s - car.need / car.most) / LAXITY_UNIT.as_secs_f64()).floor() as i64
        })
    };
    cars.iter().map(of).collect()
}

/// Volts that turn one ampere of limit into watts.
fn volts(charger: &crate::site::Charger, supply: Supply, loaded: usize) -> f64 {
    let line_to_neutral = supply.volts_line_to_neutral().as_volts();
    match (charger.wiring, supply) {
        (crate::lines::Wiring::Between(..), Supply::Split(_)) => 2.0 * line_to_neutral,
        (crate::lines::Wiring::Between(..), _) => 3f64.sqrt() * line_to_neutral,
        _ => loaded as f64 * line_to_neutral,
    }
}

/// Who goes first where places are short: the urgent by their slack, all others alike.
pub(super) fn urgency(laxity: &[i64]) -> Vec<i64> {
    laxity.iter().map(|&slack| if slack < urgent() { slack } else { CALM }).collect()
}

const fn urgent() -> i64 {
    (URGENT.as_secs() / LAXITY_UNIT.as_secs()) as i64
}
