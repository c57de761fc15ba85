//! From a line's words to the engine's: names become indexes, parents come before their children,
//! kilowatts become amperes. Everything is checked here; the first thing that is wrong ends the line.

use super::LineFault;
use super::file::{
    CircuitFile, GroupName, SnapshotFile, StrategyName, SupplyFile, SystemName, TransformerFile,
};
use super::outlet::Outlet;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{Balance, Circuit, CircuitIx, Site, Supply, Transformer, VectorGroup};
use dlb_engine::snapshot::{CircuitState, Snapshot, Strategy};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts, Watts};
use std::collections::BTreeMap;
use std::fmt::Arguments;

pub(super) type Checked<T> = Result<T, LineFault>;

/// More than any cable carries; sums of thousands of these still fit the engine's integers.
pub(super) const AMPS_MAX: f64 = 100_000.0;
pub(super) const KILOWATTS_MAX: f64 = 1_000_000.0;
/// The engine's clock is unsigned, a line's may stand before zero.
const CLOCK_ZERO_US: f64 = 2e15;
const SECONDS_MAX: f64 = 1e9;

/// A line, understood.
pub(super) struct Picture {
    pub(super) site: Site,
    pub(super) snapshot: Snapshot,
    /// The engine's index of each circuit of the line.
    pub(super) places: Vec<CircuitIx>,
    /// Kilowatts per ampere, for DC chargers.
    pub(super) kilowatts: Vec<Option<f64>>,
}

impl Picture {
    pub(super) fn new(file: &SnapshotFile) -> Checked<Self> {
        let places = places(&file.circuits)?;
        let supplies = supplies(&file.circuits, &places)?;
        let circuits = circuits(&file.circuits, &places, &supplies)?;
        let now = instant(format_args!("now_s"), file.now_s)?;
        let mut chargers = Vec::with_capacity(file.chargers.len());
        let mut states = Vec::with_capacity(file.chargers.len());
        let mut kilowatts = Vec::with_capacity(file.chargers.len());
        let names: BTreeMap<&str, usize> =
            file.circuits.iter().enumerate().map(|(ix, circuit)| (circuit.id.as_str(), ix)).collect();
        for (ix, entry) in file.chargers.iter().enumerate() {
            let key = format_args!("chargers[{ix}]");
            let Some(&circuit) = names.get(entry.circuit.as_str()) else {
                let what = format!("there is no circuit \"{}\"", entry.circuit);
                return Err(LineFault::new(format_args!("{key}.circuit"), what));
            };
            let outlet = Outlet::new(key, entry, supplies[circuit])?;
            states.push(outlet.state(key, entry)?);
            kilowatts.push(outlet.kilowatts);
            chargers.push(outlet.charger(key, entry, places[circuit])?);
        }
        let states_of_circuits = circuit_states(&file.circuits, &places, &circuits)?;
        unique("chargers", file.chargers.iter().map(|charger| charger.id.as_str()))?;
        let site = Site::new(circuits, chargers)
            .map_err(|faults| LineFault::new("snapshot", format!("makes no site: {:?}", faults[0])))?;
        let strategy = match file.strategy {
            StrategyName::Equal => Strategy::Equal,
            StrategyName::FirstCome => Strategy::FirstCome,
            StrategyName::Priority => Strategy::Priority,
            StrategyName::Departure => Strategy::Departure,
        };
        let snapshot = Snapshot { now, strategy, circuits: states_of_circuits, chargers: states };
        Ok(Self { site, snapshot, places, kilowatts })
    }
}

/// Where each circuit of the line stands once parents come before children.
fn places(circuits: &[CircuitFile]) -> Checked<Vec<CircuitIx>> {
    if circuits.is_empty() {
        return Err(LineFault::new("circuits", "is empty: a site has at least its grid connection"));
    }
    unique("circuits", circuits.iter().map(|circuit| circuit.id.as_str()))?;
    let names: BTreeMap<&str, usize> =
        circuits.iter().enumerate().map(|(ix, circuit)| (circuit.id.as_str(), ix)).collect();
    let mut children = vec![Vec::new(); circuits.len()];
    let mut order = Vec::with_capacity(circuits.len());
    for (ix, circuit) in circuits.iter().enumerate() {
        match circuit.parent.as_deref() {
            None => order.push(ix),
            Some(parent) => match names.get(parent) {
                Some(&parent) => children[parent].push(ix),
                None => {
                    let key = format_args!("circuits[{ix}].parent");
                    return Err(LineFault::new(key, format!("there is no circuit \"{parent}\"")));
                }
            },
        }
    }
    let mut next = 0;
    while let Some(&ix) = order.get(next) {
        order.append(&mut children[ix]);
        next += 1;
    }
    let mut places = vec![None; circuits.len()];
    for (place, &ix) in order.iter().enumerate() {
        places[ix] = Some(CircuitIx(place));
    }
    let placed = |(ix, place): (usize, Option<CircuitIx>)| {
        place.ok_or_else(|| {
            LineFault::new(
                format_args!("circuits[{ix}].parent"),
                "its parents form a ring, a tree has a root",
            )
        })
    };
    places.into_iter().enumerate().map(placed).collect()
}

fn unique<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Checked<()> {
    let mut seen = BTreeMap::new();
    for (ix, id) in ids.enumerate() {
        let key = || format!("{list}[{ix}].id");
        if id.is_empty() {
            return Err(LineFault::new(key(), "is empty"));
        }
        if let Some(first) = seen.insert(id, ix) {
            return Err(LineFault::new(key(), format!("\"{id}\" is taken by {list}[{first}]")));
        }
    }
    Ok(())
}

/// The circuits of the line from the root down, as positions on the line.
fn downwards(places: &[CircuitIx]) -> Vec<usize> {
    let mut order = vec![0; places.len()];
    for (ix, place) in places.iter().enumerate() {
        order[place.0] = ix;
    }
    order
}

/// Each circuit's own supply, or its parent's; in the order of the line.
fn supplies(circuits: &[CircuitFile], places: &[CircuitIx]) -> Checked<Vec<Supply>> {
    let names: BTreeMap<&str, usize> =
        circuits.iter().enumerate().map(|(ix, circuit)| (circuit.id.as_str(), ix)).collect();
    let mut supplies = vec![Supply::Star(Millivolts(230_000)); circuits.len()];
    for ix in downwards(places) {
        let parent = circuits[ix].parent.as_deref().and_then(|parent| names.get(parent));
        let transformer = transformer(format_args!("circuits[{ix}].transformer"), &circuits[ix])?;
        supplies[ix] = match (&circuits[ix].supply, parent) {
            (Some(own), _) => supply(format_args!("circuits[{ix}].supply.volts"), own)?,
            (None, Some(&parent)) => {
                transformer.map_or(supplies[parent], |transformer| transformer.secondary(supplies[parent]))
            }
            (None, None) => supplies[ix],
        };
        if transformer.is_some() && matches!(supplies[ix], Supply::Split(_) | Supply::Single(_)) {
            let what = "has two or one lines, a three-phase transformer feeds a star or a delta";
            return Err(LineFault::new(format_args!("circuits[{ix}].supply"), what));
        }
    }
    Ok(supplies)
}

fn transformer(key: Arguments<'_>, circuit: &CircuitFile) -> Checked<Option<Transformer>> {
    let Some(TransformerFile { group, ratio }) = circuit.transformer else { return Ok(None) };
    if circuit.parent.is_none() {
        let what = "stands at a root: it belongs to the circuit on its secondary side, under one on its primary side";
        return Err(LineFault::new(key, what));
    }
    let ratio = within(format_args!("{key}.ratio"), ratio, 0.001, 1000.0, "")?;
    let group = match group {
        GroupName::Dyn => VectorGroup::Dyn,
        GroupName::Yyn => VectorGroup::Yyn,
    };
    Ok(Some(Transformer { group, ratio }))
}

fn supply(key: Arguments<'_>, file: &SupplyFile) -> Checked<Supply> {
    let volts = Millivolts::from_volts_f64(within(key, file.volts, 1.0, 100_000.0, "V")?);
    Ok(match file.system {
        SystemName::Star => Supply::Star(volts),
        SystemName::Delta => Supply::Delta(volts),
        SystemName::Split => Supply::Split(volts),
        SystemName::Single => Supply::Single(volts),
    })
}

/// The engine's circuits, from the root down.
fn circuits(files: &[CircuitFile], places: &[CircuitIx], supplies: &[Supply]) -> Checked<Vec<Circuit>> {
    let names: BTreeMap<&str, CircuitIx> =
        files.iter().zip(places).map(|(file, &place)| (file.id.as_str(), place)).collect();
    let mut circuits = Vec::with_capacity(files.len());
    for ix in downwards(places) {
        let key = format_args!("circuits[{ix}]");
        let file = &files[ix];
        if file.limit_a.is_none() && file.limit_kw.is_none() && file.limit_kva.is_none() {
            let what = "is missing, and there is no limit_kw or limit_kva either";
            return Err(LineFault::new(format_args!("{key}.limit_a"), what));
        }
        let limit = file
            .limit_a
            .as_deref()
            .map(|limit| per_line(format_args!("{key}.limit_a"), limit, supplies[ix], (0.0, rounded_down)));
        circuits.push(Circuit {
            id: file.id.clone(),
            parent: file.parent.as_deref().and_then(|parent| names.get(parent)).copied(),
            limit: limit.transpose()?.unwrap_or(PerLine::all(Milliamps::MAX)),
            limit_power: limit_power(key, file)?,
            balance: balance(key, file, supplies[ix])?,
            supply: supplies[ix],
            transformer: transformer(format_args!("{key}.transformer"), file)?,
        });
    }
    Ok(circuits)
}

/// The smaller one of both: a car's power factor is taken as 1, and of other load only its amperes are known.
fn limit_power(key: Arguments<'_>, file: &CircuitFile) -> Checked<Option<Watts>> {
    let limits = [("limit_kw", file.limit_kw, "kW"), ("limit_kva", file.limit_kva, "kVA")];
    let mut least: Option<Watts> = None;
    for (name, limit, unit) in limits {
        if let Some(limit) = limit {
            let limit =
                Watts::from_kw_f64(within(format_args!("{key}.{name}"), limit, 0.0, KILOWATTS_MAX, unit)?);
            least = Some(least.map_or(limit, |other| other.min(limit)));
        }
    }
    Ok(least)
}

fn balance(key: Arguments<'_>, file: &CircuitFile, supply: Supply) -> Checked<Balance> {
    let amps = |name: &str, limit: Option<f64>| {
        let checked = limit.map(|limit| within(format_args!("{key}.{name}"), limit, 0.0, AMPS_MAX, "A"));
        checked.transpose().map(|limit| limit.map(rounded_down))
    };
    if file.limit_neutral_a.is_some() && matches!(supply, Supply::Delta(_)) {
        let what = "is set, and a delta supply has no neutral";
        return Err(LineFault::new(format_args!("{key}.limit_neutral_a"), what));
    }
    if file.limit_unbalance_a.is_some() && matches!(supply, Supply::Single(_)) {
        let what = "is set, and a single-phase supply has no second line";
        return Err(LineFault::new(format_args!("{key}.limit_unbalance_a"), what));
    }
    Ok(Balance {
        neutral: amps("limit_neutral_a", file.limit_neutral_a)?,
        unbalance: amps("limit_unbalance_a", file.limit_unbalance_a)?,
    })
}

fn circuit_states(
    files: &[CircuitFile],
    places: &[CircuitIx],
    circuits: &[Circuit],
) -> Checked<Vec<CircuitState>> {
    let mut below = vec![PerLine::all(Milliamps::ZERO); circuits.len()];
    let mut states = Vec::with_capacity(circuits.len());
    for ix in downwards(places).into_iter().rev() {
        let circuit = &circuits[places[ix].0];
        let key = format_args!("circuits[{ix}].other_load_a");
        let own = files[ix]
            .other_load_a
            .as_deref()
            .map(|load| per_line(key, load, circuit.supply, (-AMPS_MAX, rounded_up)));
        let other_load = own.transpose()?.unwrap_or(below[places[ix].0]);
        if let Some(parent) = circuit.parent {
            let above = circuit.transformer.map_or(other_load, |transformer| transformer.primary(other_load));
            below[parent.0] = below[parent.0].zip_with(above, Milliamps::saturating_add);
        }
        states.push(CircuitState { limit: circuit.limit, limit_power: circuit.limit_power, other_load });
    }
    states.reverse();
    Ok(states)
}

/// Amperes for each line that the supply has; all three where the system has three.
fn per_line(
    key: Arguments<'_>,
    values: &[f64],
    supply: Supply,
    (least, rounded): (f64, fn(f64) -> Milliamps),
) -> Checked<PerLine<Milliamps>> {
    let lines = match supply {
        Supply::Star(_) | Supply::Delta(_) => 3..=3,
        Supply::Split(_) => 2..=3,
        Supply::Single(_) => 1..=3,
    };
    if !lines.contains(&values.len()) {
        let what = format!("has {} values, one for each of {} lines is needed", values.len(), lines.start());
        return Err(LineFault::new(key, what));
    }
    let mut amps = PerLine::all(Milliamps::ZERO);
    for (ix, &value) in values.iter().enumerate() {
        let key = format_args!("{key}[{ix}]");
        amps.0[ix] = rounded(within(key, value, least, AMPS_MAX, "A")?);
    }
    Ok(amps)
}

/// A limit is never made higher by rounding, and a load never lower. What decimal fractions lose in binary is less
/// than a nanoampere.
pub(super) fn rounded_down(amps: f64) -> Milliamps {
    Milliamps::from_amps_f64((amps * 1000.0 + 1e-6).floor() / 1000.0)
}

fn rounded_up(amps: f64) -> Milliamps {
    Milliamps::from_amps_f64((amps * 1000.0 - 1e-6).ceil() / 1000.0)
}

pub(super) fn within(key: Arguments<'_>, value: f64, least: f64, most: f64, unit: &str) -> Checked<f64> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let what = format!("is {value:?} {unit}, outside {least} to {most} {unit}");
    Err(LineFault::new(key, what.replace(" ,", ",").trim_end()))
}

pub(super) fn instant(key: Arguments<'_>, seconds: f64) -> Checked<Instant> {
    let seconds = within(key, seconds, -SECONDS_MAX, SECONDS_MAX, "s")?;
    Ok(Instant((CLOCK_ZERO_US + seconds * 1e6).round() as u64))
}
