//! The slow and obvious judge: adds up everything again, one charger and one circuit at a time, from
//! first principles and without a word of the allocation's own arithmetic.

use dlb_engine::allocation::Allocation;
use dlb_engine::lines::{Line, Wiring};
use dlb_engine::site::{ChargerIx, CircuitIx, Site, Supply, VectorGroup};
use dlb_engine::snapshot::{Demand, Snapshot};

const LINES: [Line; 3] = Line::ALL;

/// Milliamperes in one line of one circuit for these limits: the largest phasor sum, by trigonometry, of any
/// choice among the chargers' currents, for each car may draw its limit or nothing.
pub(crate) fn current(site: &Site, snapshot: &Snapshot, limits: &[f64], circuit: usize, line: usize) -> f64 {
    let mut parts = Vec::new();
    for ix in site.charger_indexes() {
        let home = site.charger(ix).circuit;
        if site.path(ix).any(|at| at == CircuitIx(circuit)) && limits[ix.0] > 0.0 {
            for own in 0..3 {
                let (x, y) =
                    seen_from(site, home, CircuitIx(circuit), &drives(site, snapshot, ix, own))[line];
                parts.push((limits[ix.0] * x, limits[ix.0] * y));
            }
        }
    }
    // The largest sum points somewhere and consists of all that points that way. All angles are multiples
    // of 30°, so that no choice is missed.
    let towards = |degrees: f64| {
        let (x, y) = turn(degrees);
        let ahead = parts.iter().filter(|part| part.0 * x + part.1 * y > 0.0);
        let (re, im) = ahead.fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        f64::hypot(re, im)
    };
    (0..72).map(|step| towards(f64::from(step) * 5.0 + 2.5)).fold(0.0, f64::max)
}

/// Currents in L1, L2, L3, as phasors.
type Currents = [(f64, f64); 3];

fn turn(degrees: f64) -> (f64, f64) {
    (degrees.to_radians().cos(), degrees.to_radians().sin())
}

/// Currents of one circuit as they are in another one above it, from transformer to transformer.
fn seen_from(site: &Site, from: CircuitIx, above: CircuitIx, currents: &Currents) -> Currents {
    let (mut at, mut now) = (from, *currents);
    while at != above {
        let circuit = site.circuit(at);
        if let Some(transformer) = circuit.transformer {
            let by = |(x, y): (f64, f64), factor: f64| (x / factor, y / factor);
            let minus = |one: (f64, f64), other: (f64, f64)| (one.0 - other.0, one.1 - other.1);
            let [a, b, c] = now;
            now = match transformer.group {
                VectorGroup::Yyn => [a, b, c].map(|line| by(line, transformer.ratio)),
                VectorGroup::Dyn => [minus(a, c), minus(b, a), minus(c, b)]
                    .map(|line| by(line, transformer.ratio * 3f64.sqrt())),
            };
        }
        at = circuit.parent.expect("the other one is above");
    }
    now
}

/// What one ampere of a charger's limit drives in its own circuit, by its own phase L1, L2 or L3.
fn drives(site: &Site, snapshot: &Snapshot, ix: ChargerIx, own: usize) -> Currents {
    let charger = site.charger(ix);
    let supply = site.circuit(charger.circuit).supply;
    let angle = |line: usize| match supply {
        Supply::Split(_) => [0.0, 180.0, 0.0][line],
        _ => [0.0, -120.0, 120.0][line],
    };
    let mut currents = [(0.0, 0.0); 3];
    match charger.wiring {
        Wiring::Between(..) if own > 0 => {}
        Wiring::Between(from, to) => {
            let (a, b) = (turn(angle(from.index())), turn(angle(to.index())));
            let (x, y) = (a.0 - b.0, a.1 - b.1);
            let size = x.hypot(y);
            currents[from.index()] = (x / size, y / size);
            currents[to.index()] = (-x / size, -y / size);
        }
        wiring => {
            let phases = phases(snapshot, ix);
            if wiring.loads(phases)[LINES[own]] {
                currents[own] = turn(angle(own));
            }
        }
    }
    currents
}

fn phases(snapshot: &Snapshot, ix: ChargerIx) -> Option<u8> {
    match snapshot.chargers[ix.0].demand {
        Demand::Reserved(..) => None,
        _ => snapshot.chargers[ix.0].car_phases,
    }
}

/// Neutral current and unbalance: cars on three phases are even, of the others those of one line may be
/// the only ones that charge.
fn check_balance(site: &Site, snapshot: &Snapshot, limits: &[f64], reserved: &[f64], circuit: usize) {
    let at = &site.circuits()[circuit];
    let other = snapshot.circuits[circuit].other_load.0.map(|load| f64::from(load.0));
    let uneven = |limits: &[f64], line: usize, only_neutral: bool| {
        let mut sum = 0.0;
        for ix in site.charger_indexes().filter(|&ix| site.path(ix).any(|at| at == CircuitIx(circuit))) {
            let wiring = site.charger(ix).wiring;
            let three = matches!(
                (wiring, phases(snapshot, ix)),
                (Wiring::Three(..), None | Some(3)) | (Wiring::Unknown, Some(3))
            );
            for own in (0..3).filter(|_| !three) {
                let home = site.charger(ix).circuit;
                let here = seen_from(site, home, CircuitIx(circuit), &drives(site, snapshot, ix, own));
                let neutral = here.iter().fold((0.0, 0.0), |sum, line| (sum.0 + line.0, sum.1 + line.1));
                if !only_neutral || f64::hypot(neutral.0, neutral.1) > 1e-6 {
                    sum += limits[ix.0] * f64::hypot(here[line].0, here[line].1);
                }
            }
        }
        sum
    };
    for line in 0..3 {
        if let Some(most) = at.balance.unbalance {
            let above = other[line] - other.into_iter().fold(f64::MAX, f64::min);
            let allowed = f64::from(most.0).max(above + uneven(reserved, line, false));
            let used = above + uneven(limits, line, false);
            assert!(used <= allowed + 0.2, "{}: {used} of {allowed} above the others", at.id);
        }
        if let Some(most) = at.balance.neutral {
            let turned = |line: usize| {
                let angle = if matches!(at.supply, Supply::Split(_)) {
                    [0.0, 180.0, 120.0]
                } else {
                    [0.0, -120.0, 120.0]
                };
                (other[line] * turn(angle[line]).0, other[line] * turn(angle[line]).1)
            };
            let sum = (0..3).map(turned).fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            let before = f64::hypot(sum.0, sum.1);
            let allowed = f64::from(most.0).max(before + uneven(reserved, line, true));
            let used = before + uneven(limits, line, true);
            assert!(used <= allowed + 0.2, "{}: {used} of {allowed} in the neutral", at.id);
        }
    }
}

/// Watts behind one ampere of a charger's limit.
fn watts(site: &Site, snapshot: &Snapshot, ix: ChargerIx) -> f64 {
    let charger = site.charger(ix);
    let volts = site.circuit(charger.circuit).supply.volts_line_to_neutral().as_volts();
    match charger.wiring {
        Wiring::Between(..) if matches!(site.circuit(charger.circuit).supply, Supply::Split(_)) => {
            2.0 * volts
        }
        Wiring::Between(..) => 3f64.sqrt() * volts,
        wiring => {
            wiring.loads(phases(snapshot, ix)).0.into_iter().filter(|&loads| loads).count() as f64 * volts
        }
    }
}

/// Everything that must be true of any allocation whatever.
pub(crate) fn check(site: &Site, snapshot: &Snapshot, allocation: &Allocation) {
    let limits: Vec<f64> = allocation.grants.iter().map(|grant| f64::from(grant.limit.0)).collect();
    let reserved: Vec<f64> = snapshot
        .chargers
        .iter()
        .map(|state| match state.demand {
            Demand::Reserved(amount, _) => f64::from(amount.0),
            _ => 0.0,
        })
        .collect();
    check_circuits(site, snapshot, &limits, &reserved);
    for (ix, state) in snapshot.circuits.iter().enumerate() {
        for line in 0..3 {
            let used = f64::from(state.other_load.0[line].0) + current(site, snapshot, &limits, ix, line);
            let told = f64::from(allocation.used[ix].0[line].0);
            assert!(
                (told - used).abs() <= 1.0,
                "{} line {line}: said {told}, is {used}",
                site.circuits()[ix].id
            );
        }
    }
    for (ix, state) in snapshot.chargers.iter().enumerate() {
        let (charger, limit) = (&site.chargers()[ix], allocation.grants[ix].limit);
        match state.demand {
            Demand::Absent => assert_eq!(limit.0, 0, "{}", charger.id),
            Demand::Reserved(amount, _) => assert_eq!(limit, amount, "{}", charger.id),
            Demand::Idle | Demand::Wants(_) => {
                let fits = limit.0 == 0 || (charger.min..=charger.max).contains(&limit);
                assert!(fits && limit.0 % charger.step.0.max(1) == 0, "{} at {limit}", charger.id);
            }
        }
    }
}

/// No circuit carries more than it may with these limits, or more than with `unavoidable` where that is more.
pub(crate) fn check_circuits(site: &Site, snapshot: &Snapshot, limits: &[f64], unavoidable: &[f64]) {
    for (ix, state) in snapshot.circuits.iter().enumerate() {
        for (line, name) in LINES.iter().enumerate() {
            let other = f64::from(state.other_load.0[line].0);
            let limit = f64::from(state.limit.0[line].0);
            let used = other + current(site, snapshot, limits, ix, line);
            let unavoidable = other + current(site, snapshot, unavoidable, ix, line);
            let id = &site.circuits()[ix].id;
            assert!(used <= limit.max(unavoidable) + 0.2, "{id} {}: {used} of {limit}", name.name());
        }
        check_power(site, snapshot, limits, unavoidable, ix);
        check_balance(site, snapshot, limits, unavoidable, ix);
    }
}

fn check_power(site: &Site, snapshot: &Snapshot, limits: &[f64], reserved: &[f64], circuit: usize) {
    let Some(limit) = snapshot.circuits[circuit].limit_power else { return };
    let volts = site.circuits()[circuit].supply.volts_line_to_neutral().as_volts();
    let other: i32 = snapshot.circuits[circuit].other_load.0.iter().map(|load| load.0).sum();
    let power = |limits: &[f64]| {
        let below = site.charger_indexes().filter(|&ix| site.path(ix).any(|at| at == CircuitIx(circuit)));
        f64::from(other) / 1000.0 * volts
            + below.map(|ix| limits[ix.0] / 1000.0 * watts(site, snapshot, ix)).sum::<f64>()
    };
    let allowed = (limit.0 as f64).max(power(reserved));
    assert!(power(limits) <= allowed + 0.2, "{} W of {allowed} W", power(limits));
}

/// Could this charger have `more` on top, with everybody else as they are?
pub(crate) fn could_have(site: &Site, snapshot: &Snapshot, limits: &[f64], ix: usize, more: f64) -> bool {
    let mut raised = limits.to_vec();
    raised[ix] += more;
    site.path(ChargerIx(ix)).all(|at| {
        let state = &snapshot.circuits[at.0];
        let lines = (0..3).all(|line| {
            let mut only = vec![0.0; limits.len()];
            only[ix] = more;
            let touched = current(site, snapshot, &only, at.0, line) > 1e-9;
            let then = current(site, snapshot, &raised, at.0, line);
            let left = f64::from(state.limit.0[line].0 - state.other_load.0[line].0);
            !touched || then <= left
        });
        let volts = site.circuits()[at.0].supply.volts_line_to_neutral().as_volts();
        let other: i32 = state.other_load.0.iter().map(|load| load.0).sum();
        let below = site.charger_indexes().filter(|&ix| site.path(ix).any(|up| up == at));
        let power = f64::from(other) / 1000.0 * volts
            + below.map(|ix| raised[ix.0] / 1000.0 * watts(site, snapshot, ix)).sum::<f64>();
        lines && state.limit_power.is_none_or(|limit| power <= limit.0 as f64)
    })
}
