//! The slow and obvious judge: adds up everything again, one charger and one circuit at a time, from
//! first principles and without a word of the allocation's own arithmetic.

use dlb_engine::allocation::Allocation;
use dlb_engine::lines::{Line, Wiring};
use dlb_engine::site::{ChargerIx, CircuitIx, Site, Supply};
use dlb_engine::snapshot::{Demand, Snapshot};

const LINES: [Line; 3] = Line::ALL;

/// Milliamperes in one line of one circuit for these limits: the phasor sum, by trigonometry.
pub(crate) fn current(site: &Site, snapshot: &Snapshot, limits: &[f64], circuit: usize, line: usize) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for ix in site.charger_indexes() {
        if !site.path(ix).any(|at| at == CircuitIx(circuit)) {
            continue;
        }
        let (x, y) = phasor(site, snapshot, ix, line);
        re += limits[ix.0] * x;
        im += limits[ix.0] * y;
    }
    re.hypot(im)
}

/// What one ampere of a charger's limit drives through a line, as a phasor.
fn phasor(site: &Site, snapshot: &Snapshot, ix: ChargerIx, line: usize) -> (f64, f64) {
    let charger = site.charger(ix);
    let supply = site.circuit(charger.circuit).supply;
    let turn = |degrees: f64| (degrees.to_radians().cos(), degrees.to_radians().sin());
    let angle = |line: usize| match supply {
        Supply::Split(_) => [0.0, 180.0, 0.0][line],
        _ => [0.0, -120.0, 120.0][line],
    };
    match charger.wiring {
        Wiring::Between(from, to) => {
            let (a, b) = (turn(angle(from.index())), turn(angle(to.index())));
            let (x, y) = (a.0 - b.0, a.1 - b.1);
            let size = x.hypot(y);
            let sign = if line == from.index() {
                1.0
            } else if line == to.index() {
                -1.0
            } else {
                0.0
            };
            (sign * x / size, sign * y / size)
        }
        wiring => {
            let phases = match snapshot.chargers[ix.0].demand {
                Demand::Reserved(..) => None,
                _ => snapshot.chargers[ix.0].car_phases,
            };
            if wiring.loads(phases)[LINES[line]] { turn(angle(line)) } else { (0.0, 0.0) }
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
        _ => (0..3).filter(|&line| phasor(site, snapshot, ix, line) != (0.0, 0.0)).count() as f64 * volts,
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
    for (ix, state) in snapshot.circuits.iter().enumerate() {
        for (line, name) in LINES.iter().enumerate() {
            let other = f64::from(state.other_load.0[line].0);
            let limit = f64::from(state.limit.0[line].0);
            let used = other + current(site, snapshot, &limits, ix, line);
            let unavoidable = other + current(site, snapshot, &reserved, ix, line);
            let id = &site.circuits()[ix].id;
            assert!(used <= limit.max(unavoidable) + 0.2, "{id} {}: {used} of {limit}", name.name());
            let told = f64::from(allocation.used[ix].0[line].0);
            assert!((told - used).abs() <= 1.0, "{id} {}: said {told}, is {used}", name.name());
        }
        check_power(site, snapshot, &limits, &reserved, ix);
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
            let now = current(site, snapshot, limits, at.0, line);
            let then = current(site, snapshot, &raised, at.0, line);
            let left = f64::from(state.limit.0[line].0 - state.other_load.0[line].0);
            then <= now + 1e-9 || then <= left
        });
        let volts = site.circuits()[at.0].supply.volts_line_to_neutral().as_volts();
        let other: i32 = state.other_load.0.iter().map(|load| load.0).sum();
        let below = site.charger_indexes().filter(|&ix| site.path(ix).any(|up| up == at));
        let power = f64::from(other) / 1000.0 * volts
            + below.map(|ix| raised[ix.0] / 1000.0 * watts(site, snapshot, ix)).sum::<f64>();
        lines && state.limit_power.is_none_or(|limit| power <= limit.0 as f64)
    })
}
