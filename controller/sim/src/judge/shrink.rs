//! Makes a failing scenario small: what can be left out without the failure going away is left out.

use super::breach::Broken;
use super::judge;
use crate::scenario::{Scenario, Tables};

/// Runs at most; a scenario that is not small by then is small enough.
const RUNS_MAX: usize = 400;

/// The smallest scenario found that still breaks this promise.
#[must_use]
pub fn shrink(scenario: &Scenario, broken: Broken) -> Scenario {
    let mut smallest = scenario.clone();
    let mut runs = 0;
    loop {
        let mut found = false;
        for candidate in smaller(&smallest) {
            runs += 1;
            if runs > RUNS_MAX {
                return smallest;
            }
            if still_breaks(&candidate, broken) {
                smallest = candidate;
                found = true;
                break;
            }
        }
        if !found {
            return smallest;
        }
    }
}

fn still_breaks(scenario: &Scenario, broken: Broken) -> bool {
    judge(scenario, &Tables::default(), None)
        .is_ok_and(|verdict| verdict.breaches.iter().any(|breach| breach.broken == broken))
}

/// Scenarios with something less, the greatest steps first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut candidates = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut candidate = scenario.clone();
        change(&mut candidate);
        candidates.push(candidate);
    };
    if !scenario.fault.is_empty() {
        with(&|scenario| scenario.fault.clear());
    }
    if scenario.hours > 0.2 {
        with(&|scenario| scenario.hours /= 2.0);
        with(&|scenario| scenario.hours *= 0.8);
    }
    for at in 0..scenario.charger.len() {
        with(&|scenario| without_charger(scenario, at));
    }
    for at in 0..scenario.fault.len() {
        with(&|scenario| drop(scenario.fault.remove(at)));
    }
    for at in (1..scenario.circuit.len()).rev() {
        if lonely(scenario, at) {
            with(&|scenario| without_circuit(scenario, at));
        }
    }
    for at in 0..scenario.circuit.len() {
        for appliance in 0..scenario.circuit[at].appliance.len() {
            with(&|scenario| drop(scenario.circuit[at].appliance.remove(appliance)));
        }
        if scenario.circuit[at].breathing_a.is_some() {
            with(&|scenario| scenario.circuit[at].breathing_a = None);
        }
    }
    candidates
}

fn without_charger(scenario: &mut Scenario, at: usize) {
    let gone = scenario.charger.remove(at).id;
    scenario.fault.retain(|fault| fault.on.as_deref() != Some(&gone));
    scenario.car.retain(|car| car.charger != gone);
}

/// Nothing hangs on this circuit.
fn lonely(scenario: &Scenario, at: usize) -> bool {
    let id = &scenario.circuit[at].id;
    let feeds = scenario.circuit.iter().any(|circuit| circuit.parent.as_ref() == Some(id));
    !feeds && !scenario.charger.iter().any(|charger| charger.circuit == *id)
}

fn without_circuit(scenario: &mut Scenario, at: usize) {
    let gone = scenario.circuit.remove(at).id;
    scenario.meter.retain(|meter| meter.circuit != gone);
    scenario.fault.retain(|fault| fault.on.as_deref() != Some(&gone));
}
