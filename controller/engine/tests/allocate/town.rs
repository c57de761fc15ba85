//! Words to build small sites with.

use dlb_engine::allocate::Allocator;
use dlb_engine::allocation::Allocation;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Charger, Circuit, CircuitIx, Site, Supply};
use dlb_engine::snapshot::{ChargerState, CircuitState, Demand, Snapshot, Strategy};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts};

pub(crate) const STAR: Supply = Supply::Star(Millivolts(230_000));
pub(crate) const THREE: Wiring = Wiring::Three(Line::L1, Line::L2, Line::L3);

pub(crate) fn amps(value: f64) -> Milliamps {
    Milliamps::from_amps_f64(value)
}

pub(crate) fn circuit(id: &str, parent: Option<usize>, limit: f64) -> Circuit {
    Circuit { parent: parent.map(CircuitIx), ..Circuit::new(id, PerLine::all(amps(limit)), STAR) }
}

pub(crate) fn charger(id: &str, circuit: usize, wiring: Wiring) -> Charger {
    Charger {
        id: id.into(),
        circuit: CircuitIx(circuit),
        wiring,
        min: amps(6.0),
        max: amps(32.0),
        step: amps(1.0),
        fallback: Milliamps::ZERO,
        priority: 0,
        weight: 1.0,
    }
}

/// So many three-phase chargers on one circuit.
pub(crate) fn row_of(count: usize, limit: f64) -> Site {
    let chargers = (0..count).map(|ix| charger(&format!("c{ix}"), 0, THREE)).collect();
    Site::new(vec![circuit("grid", None, limit)], chargers).expect("the site is sound")
}

pub(crate) fn wants(demand: Demand) -> ChargerState {
    ChargerState {
        demand,
        car_phases: None,
        least: Milliamps::ZERO,
        drawn: None,
        arrived: None,
        departs: None,
        energy_needed: None,
    }
}

/// Every charger wants 32 A and nothing else is on.
pub(crate) fn everybody_wants(site: &Site) -> Snapshot {
    let state = |circuit: &Circuit| CircuitState {
        limit: circuit.limit,
        limit_power: circuit.limit_power,
        other_load: PerLine::all(Milliamps::ZERO),
    };
    Snapshot {
        now: Instant::from_millis(1000),
        strategy: Strategy::Equal,
        circuits: site.circuits().iter().map(state).collect(),
        chargers: site.chargers().iter().map(|_| wants(Demand::Wants(amps(32.0)))).collect(),
    }
}

pub(crate) fn given(allocation: &Allocation) -> Vec<f64> {
    allocation.grants.iter().map(|grant| grant.limit.as_amps()).collect()
}

pub(crate) fn decide(site: &Site, snapshot: &Snapshot) -> Allocation {
    Allocator::new().allocate(site, snapshot)
}
