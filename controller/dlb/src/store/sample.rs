//! What the load curves need of one picture of the site.

use dlb_engine::lines::PerLine;
use dlb_engine::time::{Instant, WallTime};
use dlb_engine::units::{Milliamps, Watts};
use dlb_wiring::status::{ChargerStatus, CircuitStatus, Status};

/// Currents are kept in hundredths of an ampere.
pub(super) const PER_AMPERE: f64 = 100.0;

/// What a curve belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Circuit,
    Charger,
}

/// Whose curves these are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) kind: Kind,
    pub(super) id: String,
}

/// The quantities of an owner: current and limit on L1, L2, L3, power. A charger's limit is one for all
/// lines and stands on L1.
pub(super) const QUANTITIES: usize = 7;
pub(super) const CURRENT: usize = 0;
pub(super) const LIMIT: usize = 3;
pub(super) const POWER: usize = 6;

/// One value of each quantity; `None`: not known.
pub(super) type Values = [Option<i64>; QUANTITIES];

#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) wall: Option<WallTime>,
    pub(super) values: Vec<(Owner, Values)>,
}

impl Sample {
    pub(super) fn of(status: &Status) -> Self {
        let circuits = status.circuits.iter().map(|circuit| of_circuit(circuit, status));
        let chargers = status.chargers.iter().map(of_charger);
        Self { at: status.at, wall: status.wall, values: circuits.chain(chargers).collect() }
    }
}

fn of_circuit(circuit: &CircuitStatus, status: &Status) -> (Owner, Values) {
    let mut values = [None; QUANTITIES];
    if let Some(measured) = circuit.measured {
        put(&mut values, CURRENT, measured);
    }
    put(&mut values, LIMIT, circuit.lowered.map_or(circuit.limit, |(lowered, _)| lowered));
    let meter = status.meters.iter().find(|meter| meter.circuit == circuit.id);
    let reading = meter.and_then(|meter| meter.reading.as_ref().ok()).filter(|reading| reading.usable());
    values[POWER] = reading.and_then(|reading| reading.power_total).map(|Watts(watts)| watts);
    (Owner { kind: Kind::Circuit, id: circuit.id.clone() }, values)
}

fn of_charger(charger: &ChargerStatus) -> (Owner, Values) {
    let mut values = [None; QUANTITIES];
    if let Some(drawn) = charger.drawn {
        put(&mut values, CURRENT, drawn);
    }
    values[LIMIT] = charger.limit.map(hundredths);
    values[POWER] = charger.power.map(|Watts(watts)| watts);
    (Owner { kind: Kind::Charger, id: charger.id.clone() }, values)
}

fn put(values: &mut Values, first: usize, currents: PerLine<Milliamps>) {
    for (line, current) in currents.iter() {
        values[first + line.index()] = Some(hundredths(current));
    }
}

fn hundredths(current: Milliamps) -> i64 {
    (i64::from(current.0) + 5).div_euclid(10)
}
