//! Checks how dlb is to behave, and what happens to chargers that nobody has configured.

use super::circuits::Tree;
use super::defaults::{DRAWN_VALID_FOR, LIMIT_LIFETIME, METER_VALUES_EVERY, RAISE_AFTER, Range};
use super::file::{AdoptionPart, AdoptionWord, ChargerEntry, PolicyPart, SiteFile, StrategyWord, SunWord};
use super::problem::Problems;
use super::section::short;
use dlb_engine::site::CircuitIx;
use dlb_engine::snapshot::Strategy;
use dlb_engine::surplus::{Mode, Setting};
use dlb_engine::time::Duration;
use dlb_wiring::dc_first::Hours;
use dlb_wiring::settings::{Adoption, MeterSetting, Policy};
use std::collections::BTreeMap;

pub(super) fn policy(part: &PolicyPart, problems: &mut Problems) -> Policy {
    let default = Policy::default();
    let mut span = |name: &str, value: Option<f64>, range: &Range, default: Duration| match value {
        Some(value) if problems.check_range(&format!("policy.{name}"), value, range) => {
            Duration::try_from_secs_f64(value).unwrap_or(default)
        }
        _ => default,
    };
    let policy = Policy {
        strategy: strategy(part.strategy.unwrap_or_default()),
        raise_after: span("raise_after_s", part.raise_after_s, &RAISE_AFTER, default.raise_after),
        limit_lifetime: span(
            "limit_lifetime_s",
            part.limit_lifetime_s,
            &LIMIT_LIFETIME,
            default.limit_lifetime,
        ),
        meter_values_every: span(
            "meter_values_every_s",
            part.meter_values_every_s,
            &METER_VALUES_EVERY,
            default.meter_values_every,
        ),
        drawn_valid_for: span(
            "drawn_valid_for_s",
            part.drawn_valid_for_s,
            &DRAWN_VALID_FOR,
            default.drawn_valid_for,
        ),
        dc_first: part
            .dc_first
            .as_deref()
            .filter(|text| !text.is_empty())
            .and_then(|text| hours(text, problems)),
        // Read when the meters are known.
        sun: BTreeMap::new(),
    };
    if policy.drawn_valid_for < policy.meter_values_every * 2 {
        let what = "is less than two measurements of meter_values_every_s";
        problems.error("policy.drawn_valid_for_s", what, "allow at least twice meter_values_every_s");
    }
    policy
}

pub(super) fn adoption(part: &AdoptionPart, tree: &Tree, problems: &mut Problems) -> Adoption {
    let circuit = part.circuit.as_deref().map(|id| tree.look_up("adoption.circuit", id, problems));
    match (part.rule.unwrap_or_default(), circuit) {
        (AdoptionWord::Ask, _) => Adoption::Ask,
        (AdoptionWord::Automatic, Some(circuit)) => {
            Adoption::Automatic { circuit: circuit.unwrap_or(CircuitIx(0)) }
        }
        (AdoptionWord::Automatic, None) => {
            if tree.circuits.len() > 1 && !problems.refused("adoption.circuit") {
                let remedy = "name the circuit that new chargers join";
                problems.error("adoption.circuit", "is missing: there are several circuits", remedy);
            }
            Adoption::Automatic { circuit: CircuitIx(0) }
        }
    }
}

/// Chargers that follow the sun. Only a meter at the grid connection can tell what is fed in there.
pub(super) fn sun(
    file: &SiteFile,
    tree: &Tree,
    meters: &[MeterSetting],
    problems: &mut Problems,
) -> BTreeMap<String, Setting> {
    let root = tree.circuits.iter().position(|circuit| circuit.parent.is_none());
    let measured = meters.iter().any(|meter| Some(meter.circuit.0) == root);
    let mut modes = BTreeMap::new();
    for (at, entry) in file.charger.iter().enumerate() {
        let switches = switches(&format!("charger[{at}].switches_phases"), entry, problems);
        let Some(word) = entry.sun else { continue };
        if !measured {
            let what = "follows the sun, and nothing measures what the site feeds in";
            problems.error(
                &format!("charger[{at}].sun"),
                what,
                "add a meter of the first circuit, or remove it",
            );
        }
        let mode = match word {
            SunWord::Surplus => Mode::Surplus,
            SunWord::Minimum => Mode::Minimum,
        };
        modes.insert(entry.id.clone(), Setting { mode, switches });
    }
    modes
}

fn switches(key: &str, entry: &ChargerEntry, problems: &mut Problems) -> bool {
    let wanted = entry.switches_phases == Some(true);
    if wanted && entry.sun.is_none() {
        problems.error(key, "is set, and this charger does not follow the sun", "set sun, or remove it");
    }
    if wanted && entry.ocpp.is_none() {
        problems.error(key, "is set, and only OCPP chargers can be told a number of phases", "remove it");
    }
    let phases =
        entry.rotation.as_deref().is_none_or(|rotation| rotation == "unknown" || rotation.len() == 6);
    if wanted && (!phases || entry.max_kw.is_some()) {
        problems.error(key, "is set, and this charger has no three phases on a neutral", "remove it");
    }
    wanted
}

/// `07:00-19:00`.
fn hours(text: &str, problems: &mut Problems) -> Option<Hours> {
    let time = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes) = (hours.parse::<u64>().ok()?, minutes.parse::<u64>().ok()?);
        (hours * 60 + minutes <= 24 * 60 && minutes < 60)
            .then(|| Duration::from_secs((hours * 60 + minutes) * 60))
    };
    let hours = text.split_once('-').and_then(|(from, to)| Some(Hours { from: time(from)?, to: time(to)? }));
    let sound = hours.filter(|hours| hours.from != hours.to);
    if sound.is_none() && !problems.refused("policy.dc_first") {
        let what = format!("is \"{}\", it must be two times of the day", short(text));
        problems.error("policy.dc_first", what, "write dc_first = \"07:00-19:00\", or remove it");
    }
    sound
}

const fn strategy(word: StrategyWord) -> Strategy {
    match word {
        StrategyWord::Equal => Strategy::Equal,
        StrategyWord::FirstCome => Strategy::FirstCome,
        StrategyWord::Priority => Strategy::Priority,
        StrategyWord::Departure => Strategy::Departure,
    }
}
