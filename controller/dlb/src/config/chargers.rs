//! Checks the chargers: how they are reached, on which lines they hang, what they can do.

use super::bus::{BusKeys, Buses, Maps};
use super::checked::Conversion;
use super::circuits::Tree;
use super::defaults::{
    DC_MIN_KW, DC_POWER, DC_STEP_A, EFFICIENCY, EFFICIENCY_RANGE, MAX_CURRENT, MIN_A, MIN_CURRENT, OUTLET,
    OUTLET_RANGE, PRIORITY, PRIORITY_RANGE, STEP, STEP_A, WEIGHT, WEIGHT_RANGE,
};
use super::file::{ChargerEntry, Fallback, KindWord, SiteFile};
use super::problem::Problems;
use super::rotation;
use super::section::short;
use super::words::{Names, check_id};
use dlb_engine::lines::Wiring;
use dlb_engine::site::{Charger, CircuitIx, Supply};
use dlb_engine::units::Milliamps;
use dlb_links::charger::Outlet;
use dlb_wiring::settings::LinkSetting;
use std::collections::BTreeMap;

/// A charger with all that belongs to it; its fallback is settled when all are known.
#[derive(Debug)]
pub(super) struct Outfit {
    pub(super) charger: Charger,
    pub(super) link: LinkSetting,
    pub(super) conversion: Conversion,
    /// `None`: as much as is safe.
    pub(super) wanted_fallback: Option<Milliamps>,
    /// Position in the file.
    pub(super) at: usize,
}

pub(super) fn chargers(
    file: &SiteFile,
    tree: &Tree,
    buses: &mut Buses<'_>,
    maps: &Maps,
    problems: &mut Problems,
) -> Vec<Outfit> {
    let mut names = Names::default();
    let mut outlets = BTreeMap::new();
    let mut outfits = Vec::new();
    for (at, entry) in file.charger.iter().enumerate() {
        let path = format!("charger[{at}]");
        check_id(&path, &entry.id, problems);
        names.add(&path, &entry.id, problems);
        let circuit = tree.look_up(&format!("{path}.circuit"), &entry.circuit, problems);
        let link = link(&path, entry, buses, maps, problems);
        if let LinkSetting::Ocpp { identity, outlet, .. } = &link
            && let Some(first) = outlets.insert((identity.clone(), *outlet), path.clone())
            && !identity.is_empty()
        {
            let what = format!("\"{}\" with outlet {} is {first} already", short(identity), outlet.0);
            problems.error(&format!("{path}.ocpp"), what, "a second outlet of a station has outlet = 2");
        }
        // A charger on a circuit that there is not is checked as if on the grid connection.
        if let Some(circuit) = circuit.or((!tree.circuits.is_empty()).then_some(CircuitIx(0))) {
            outfits.push(outfit(at, entry, (circuit, tree.circuits[circuit.0].supply), link, problems));
        }
    }
    outfits
}

fn outfit(
    at: usize,
    entry: &ChargerEntry,
    (circuit, supply): (CircuitIx, Supply),
    link: LinkSetting,
    problems: &mut Problems,
) -> Outfit {
    let path = format!("charger[{at}]");
    let dc = entry.kind == Some(KindWord::Dc);
    let wiring = if dc { rotation::of_dc(supply) } else { rotation::check(&path, entry, supply, problems) };
    let efficiency = efficiency(&path, entry, dc, problems);
    let volts = supply.volts_line_to_neutral().as_volts() * lines_loaded(wiring, supply);
    let conversion = Conversion { watts_per_ampere: volts * efficiency, dc };
    let (min, max) = if dc {
        dc_currents(&path, entry, conversion, problems)
    } else {
        ac_currents(&path, entry, problems)
    };
    let charger = Charger {
        id: entry.id.clone(),
        circuit,
        wiring,
        min,
        max,
        step: step(&path, entry, dc, problems),
        fallback: Milliamps::ZERO,
        priority: priority(&path, entry, problems),
        weight: weight(&path, entry, problems),
    };
    let wanted_fallback = wanted_fallback(&path, entry, &charger, problems);
    Outfit { charger, link, conversion, wanted_fallback, at }
}

/// How many times the voltage to neutral one ampere of the limit counts.
fn lines_loaded(wiring: Wiring, supply: Supply) -> f64 {
    match (wiring, supply) {
        (Wiring::Between(..), Supply::Star(_) | Supply::Delta(_)) => 3f64.sqrt(),
        (Wiring::Unknown, _) => super::supply::lines_of(supply) as f64,
        (wiring, _) => wiring.lines().into_iter().flatten().count() as f64,
    }
}

fn link(
    path: &str,
    entry: &ChargerEntry,
    buses: &mut Buses<'_>,
    maps: &Maps,
    problems: &mut Problems,
) -> LinkSetting {
    let key = |name: &str| format!("{path}.{name}");
    let modbus = entry.port.is_some() || problems.refused(&key("port"));
    let ocpp = entry.ocpp.is_some() || problems.refused(&key("ocpp"));
    if ocpp && modbus {
        problems.error(&key("port"), "stands beside ocpp", "keep the one by which the charger is controlled");
    }
    if ocpp || !modbus {
        if !ocpp {
            let remedy = "add ocpp = \"the name it connects with\", or port, unit and map";
            problems.error(path, "has no link", remedy);
        }
        return LinkSetting::Ocpp {
            identity: identity(&key("ocpp"), entry, problems),
            outlet: outlet(&key("outlet"), entry, problems),
            efficiency: (entry.kind == Some(KindWord::Dc)).then(|| entry.efficiency.unwrap_or(EFFICIENCY)),
        };
    }
    let keys = BusKeys {
        port: entry.port.as_deref(),
        unit: entry.unit,
        map: entry.map.as_deref(),
        known_maps: &maps.chargers,
    };
    let link = buses.link(path, &keys, problems);
    LinkSetting::Modbus { port: link.port, unit: link.unit, map: link.map }
}

/// The last element of a URL: what may stand there, in a length that OCPP allows.
fn identity(key: &str, entry: &ChargerEntry, problems: &mut Problems) -> String {
    let identity = entry.ocpp.clone().unwrap_or_default();
    let bad_char = |char: char| char.is_control() || char.is_whitespace() || matches!(char, '/' | '?' | '#');
    let bad = identity.is_empty() || identity.chars().count() > 48 || identity.chars().any(bad_char);
    if bad && entry.ocpp.is_some() {
        let what = format!("\"{}\" cannot be the name of a charger", short(&identity));
        problems.error(
            key,
            what,
            "write the last part of the URL that is set in the charger, without the slash",
        );
    }
    identity
}

fn outlet(key: &str, entry: &ChargerEntry, problems: &mut Problems) -> Outlet {
    let outlet = entry.outlet.unwrap_or(u32::from(OUTLET));
    problems.check_range(key, f64::from(outlet), &OUTLET_RANGE);
    Outlet(u8::try_from(outlet).unwrap_or(OUTLET))
}

fn ac_currents(path: &str, entry: &ChargerEntry, problems: &mut Problems) -> (Milliamps, Milliamps) {
    let key = |name: &str| format!("{path}.{name}");
    for (name, set) in [
        ("min_kw", entry.min_kw.is_some()),
        ("max_kw", entry.max_kw.is_some()),
        ("efficiency", entry.efficiency.is_some()),
    ] {
        if set {
            problems.error(&key(name), "is for DC chargers only", "remove it, or add kind = \"dc\"");
        }
    }
    let min = entry.min_a.unwrap_or(MIN_A);
    let min_good = problems.check_range(&key("min_a"), min, &MIN_CURRENT);
    let Some(max) = entry.max_a else {
        if !problems.refused(&key("max_a")) {
            let remedy = "add the smallest of the ratings of charger, cable and breaker, like max_a = 16";
            problems.error(&key("max_a"), "is missing", remedy);
        }
        return (Milliamps::from_amps_f64(min), Milliamps::from_amps_f64(min));
    };
    let good = problems.check_range(&key("max_a"), max, &MAX_CURRENT) && min_good;
    if good && min > max {
        let what = format!("is {min} A, above max_a of {max} A");
        problems.error(&key("min_a"), what, "leave min_a out unless a car needs more than 6 A");
    }
    (Milliamps::from_amps_f64(min), Milliamps::from_amps_f64(max))
}

/// DC power becomes amperes on the AC side: more is drawn than is given, so both ends round up.
fn dc_currents(
    path: &str,
    entry: &ChargerEntry,
    conversion: Conversion,
    problems: &mut Problems,
) -> (Milliamps, Milliamps) {
    let key = |name: &str| format!("{path}.{name}");
    for (name, set) in [("min_a", entry.min_a.is_some()), ("max_a", entry.max_a.is_some())] {
        if set {
            let remedy = "write min_kw and max_kw instead";
            problems.error(&key(name), "is for AC chargers only", remedy);
        }
    }
    let min = entry.min_kw.unwrap_or(DC_MIN_KW);
    let min_good = problems.check_range(&key("min_kw"), min, &DC_POWER);
    let max = entry.max_kw.unwrap_or_else(|| {
        if !problems.refused(&key("max_kw")) {
            problems.error(
                &key("max_kw"),
                "is missing",
                "add the charger's rated DC power, like max_kw = 30",
            );
        }
        min
    });
    let good = problems.check_range(&key("max_kw"), max, &DC_POWER) && min_good;
    if good && min > max {
        let what = format!("is {min} kW, above max_kw of {max} kW");
        problems.error(&key("min_kw"), what, "choose less; most DC chargers start at 5 kW or below");
    }
    (conversion.amperes_for(min * 1000.0), conversion.amperes_for(max * 1000.0))
}

fn efficiency(path: &str, entry: &ChargerEntry, dc: bool, problems: &mut Problems) -> f64 {
    if !dc {
        return 1.0;
    }
    let efficiency = entry.efficiency.unwrap_or(EFFICIENCY);
    let good = problems.check_range(&format!("{path}.efficiency"), efficiency, &EFFICIENCY_RANGE);
    if good { efficiency } else { EFFICIENCY }
}

fn step(path: &str, entry: &ChargerEntry, dc: bool, problems: &mut Problems) -> Milliamps {
    let step = entry.step_a.unwrap_or(if dc { DC_STEP_A } else { STEP_A });
    problems.check_range(&format!("{path}.step_a"), step, &STEP);
    Milliamps::from_amps_f64(step)
}

fn priority(path: &str, entry: &ChargerEntry, problems: &mut Problems) -> u8 {
    let priority = entry.priority.unwrap_or(u32::from(PRIORITY));
    problems.check_range(&format!("{path}.priority"), f64::from(priority), &PRIORITY_RANGE);
    u8::try_from(priority).unwrap_or(PRIORITY)
}

fn weight(path: &str, entry: &ChargerEntry, problems: &mut Problems) -> f64 {
    let weight = entry.weight.unwrap_or(WEIGHT);
    let good = problems.check_range(&format!("{path}.weight"), weight, &WEIGHT_RANGE);
    if good { weight } else { WEIGHT }
}

fn wanted_fallback(
    path: &str,
    entry: &ChargerEntry,
    charger: &Charger,
    problems: &mut Problems,
) -> Option<Milliamps> {
    let Some(Fallback::Amperes(amperes)) = entry.fallback_a else { return None };
    let fallback = Milliamps::from_amps_f64(amperes);
    if fallback != Milliamps::ZERO && !(charger.min..=charger.max).contains(&fallback) {
        let (min, max) = (charger.min.as_amps(), charger.max.as_amps());
        let what = format!("is {amperes} A, it must be 0 or {min:.1} to {max:.1} A");
        problems.error(&format!("{path}.fallback_a"), what, "write \"auto\" to get as much as is safe");
    }
    Some(fallback)
}

impl Conversion {
    /// The current on each line that this many watts need, rounded up.
    #[must_use]
    pub fn amperes_for(&self, watts: f64) -> Milliamps {
        Milliamps((watts / self.watts_per_ampere * 1000.0).ceil() as i32)
    }

    /// The watts that a limit in amperes stands for, rounded down.
    #[must_use]
    pub fn watts_for(&self, limit: Milliamps) -> f64 {
        (limit.as_amps() * self.watts_per_ampere).floor()
    }
}
