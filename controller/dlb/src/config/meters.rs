//! Checks the meters: where their readings come from, and what counts while one is lost.

use super::bus::{BusKeys, Buses, Maps};
use super::circuits::{Tree, per_line};
use super::defaults::{ASSUMED_LOAD_A, LOST_AFTER, LOST_AFTER_S, METER_EVERY, METER_EVERY_S};
use super::file::{MeterEntry, SiteFile, SourceWord};
use super::problem::Problems;
use super::words::{Names, check_id};
use dlb_engine::lines::PerLine;
use dlb_engine::site::CircuitIx;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use dlb_wiring::settings::{MeterSetting, MeterSource};
use std::collections::BTreeMap;

pub(super) fn meters(
    file: &SiteFile,
    tree: &Tree,
    buses: &mut Buses<'_>,
    maps: &Maps,
    problems: &mut Problems,
) -> Vec<MeterSetting> {
    let mut names = Names::default();
    let mut measured = BTreeMap::new();
    let mut meters = Vec::new();
    for (at, entry) in file.meter.iter().enumerate() {
        let path = format!("meter[{at}]");
        check_id(&path, &entry.id, problems);
        names.add(&path, &entry.id, problems);
        let circuit = tree.look_up(&format!("{path}.circuit"), &entry.circuit, problems);
        if let Some(first) = circuit.and_then(|ix| measured.insert(ix, path.clone())) {
            let what = format!("is measured by {first} already");
            problems.error(&format!("{path}.circuit"), what, "keep one meter for each circuit");
        }
        let source = source(&path, entry, file.clamps.is_some(), buses, maps, problems);
        meters.extend(circuit.map(|circuit| meter(&path, entry, circuit, source, tree, problems)));
    }
    if !measured.contains_key(&CircuitIx(0)) && !tree.circuits.is_empty() {
        warn_without_measurement(file, tree, problems);
    }
    meters
}

fn warn_without_measurement(file: &SiteFile, tree: &Tree, problems: &mut Problems) {
    let grid = &tree.circuits[0].id;
    let refused = (0..file.meter.len()).any(|at| problems.refused(&format!("meter[{at}].circuit")));
    if !refused {
        problems.warn(
            &format!("circuit[{}]", tree.entries[0]),
            "has no meter: nothing is known of the building's load, chargers share a fixed limit",
            format!(
                "add a [[meter]] with circuit = \"{grid}\", or let limit_a be what chargers may use together"
            ),
        );
    }
}

fn meter(
    path: &str,
    entry: &MeterEntry,
    circuit: CircuitIx,
    source: MeterSource,
    tree: &Tree,
    problems: &mut Problems,
) -> MeterSetting {
    let every = entry.every_s.unwrap_or(METER_EVERY_S);
    let lost_after = entry.lost_after_s.unwrap_or(LOST_AFTER_S);
    let in_range = problems.check_range(&format!("{path}.every_s"), every, &METER_EVERY)
        & problems.check_range(&format!("{path}.lost_after_s"), lost_after, &LOST_AFTER);
    if in_range && lost_after < 2.0 * every {
        let what = format!("is {lost_after} s, less than two readings of {every} s");
        problems.error(
            &format!("{path}.lost_after_s"),
            what,
            "one missed reading is no loss: allow two or more",
        );
    }
    MeterSetting {
        id: entry.id.clone(),
        circuit,
        source,
        lost_after: Duration::try_from_secs_f64(lost_after).unwrap_or_default(),
        assumed_load: assumed_load(path, entry, circuit, tree, problems),
    }
}

/// Left out, all of the circuit may be loaded by others, which leaves chargers nothing.
fn assumed_load(
    path: &str,
    entry: &MeterEntry,
    circuit: CircuitIx,
    tree: &Tree,
    problems: &mut Problems,
) -> PerLine<Milliamps> {
    let key = format!("{path}.assumed_load_a");
    let circuit = &tree.circuits[circuit.0];
    let Some(amperes) = &entry.assumed_load_a else {
        if !problems.refused(&key) {
            let what = "is missing: while this meter is lost, no charger gets anything";
            problems.warn(&key, what, "add the most that the other loads draw, like [30, 30, 30]");
        }
        return circuit.limit;
    };
    let load = per_line(&key, amperes, circuit.supply, &ASSUMED_LOAD_A, problems);
    if load.zip_with(circuit.limit, |load, limit| load > limit).0.contains(&true) {
        let what = format!("is above the limit of {}", circuit.id);
        problems.warn(&key, what, "while this meter is lost, no charger gets anything");
    }
    load
}

fn source(
    path: &str,
    entry: &MeterEntry,
    clamps: bool,
    buses: &mut Buses<'_>,
    maps: &Maps,
    problems: &mut Problems,
) -> MeterSource {
    let modbus = entry.port.is_some() || problems.refused(&format!("{path}.port"));
    match (entry.source, modbus) {
        (Some(SourceWord::Clamps), true) => {
            let what = "is \"clamps\" beside a port";
            problems.error(&format!("{path}.source"), what, "keep one of the two");
            MeterSource::Clamps
        }
        (Some(SourceWord::Clamps), false) => {
            if !clamps {
                let remedy = "add [clamps] with board = \"board.toml\"";
                problems.error(
                    &format!("{path}.source"),
                    "is \"clamps\", and there is no board file",
                    remedy,
                );
            }
            MeterSource::Clamps
        }
        (None, false) => {
            if !problems.refused(&format!("{path}.source")) {
                let remedy = "add port, unit and map, or source = \"clamps\"";
                problems.error(path, "has no source of readings", remedy);
            }
            MeterSource::Clamps
        }
        (Some(SourceWord::Modbus) | None, _) => {
            let keys = BusKeys {
                port: entry.port.as_deref(),
                unit: entry.unit,
                map: entry.map.as_deref(),
                known_maps: &maps.meters,
            };
            let link = buses.link(path, &keys, problems);
            let every =
                Duration::try_from_secs_f64(entry.every_s.unwrap_or(METER_EVERY_S)).unwrap_or_default();
            MeterSource::Modbus { port: link.port, unit: link.unit, map: link.map, every }
        }
    }
}
