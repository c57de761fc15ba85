//! Strategies: in which order chargers are switched on, and in which order they are filled.
//!
//! Every strategy is a list of stages over batches of chargers. Inside a batch everybody is equal, by
//! weight; a batch is through before the next one gets anything.

use crate::site::{Site, Supply};
use crate::snapshot::{ChargerState, Demand, Snapshot, Strategy};
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

/// Slack before departure is counted in these, so that cars in about the same position share.
const LAXITY_UNIT: Duration = Duration::from_secs(5 * 60);
/// With less slack than this a car goes before others when places are short.
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
        Strategy::Departure => {
            minimum_first(by_class.iter().flat_map(|class| batches(class, |ix| laxity[ix])).collect())
        }
    }
}

/// Splits a list by a key, smallest key first, keeping its order otherwise.
fn batches<K: Ord>(list: &[usize], key: impl Fn(usize) -> K) -> Vec<Vec<usize>> {
    let mut batches = BTreeMap::new();
    for &ix in list {
        batches.entry(key(ix)).or_insert_with(Vec::new).push(ix);
    }
    batches.into_values().collect()
}

/// Time to spare before departure if each car charged at its most from now on, in [`LAXITY_UNIT`]s;
/// [`CALM`] where departure or energy are not known, and for all strategies but departure.
pub(super) fn laxities(site: &Site, snapshot: &Snapshot) -> Vec<i64> {
    let of = |(charger, state): (&crate::site::Charger, &ChargerState)| {
        let known = state.departs.zip(state.energy_needed);
        let (Strategy::Departure, Demand::Wants(wants), Some((departs, energy))) =
            (snapshot.strategy, state.demand, known)
        else {
            return CALM;
        };
        let most = wants.min(charger.max).max(charger.min);
        let loaded =
            charger.wiring.loads(state.counted_phases()).0.into_iter().filter(|&loaded| loaded).count();
        let volts = volts(charger, site.circuit(charger.circuit).supply, loaded);
        let needed_s = energy.0.max(0) as f64 * 3600.0 / (volts * most.as_amps());
        let left_s = departs.since(snapshot.now).as_secs_f64() - snapshot.now.since(departs).as_secs_f64();
        ((left_s - needed_s) / LAXITY_UNIT.as_secs_f64()).floor() as i64
    };
    site.chargers().iter().zip(&snapshot.chargers).map(of).collect()
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
    let urgent = (URGENT.as_secs() / LAXITY_UNIT.as_secs()) as i64;
    laxity.iter().map(|&slack| if slack < urgent { slack } else { CALM }).collect()
}
