//! Checks what meters and chargers have in common when they speak Modbus: port, unit, register map.

use super::checked::{Port, PortLine};
use super::defaults::{UNIT_RANGE, UNIT_TCP_RANGE};
use super::problem::{Problems, suggestion};
use super::section::short;
use super::words::Names;
use dlb_links::modbus as library;
use dlb_wiring::settings::PortIx;
use std::collections::BTreeMap;

/// The names of the register maps that there are.
#[derive(Clone, Debug)]
pub struct Maps {
    pub meters: Vec<String>,
    pub chargers: Vec<String>,
}

impl Default for Maps {
    /// Those that come with dlb.
    fn default() -> Self {
        let owned = |name: &str| name.to_owned();
        Self {
            meters: library::meter_map_names().map(owned).collect(),
            chargers: library::charger_map_names().map(owned).collect(),
        }
    }
}

/// The Modbus side of a site while it is checked.
pub(super) struct Buses<'a> {
    pub(super) ports: &'a [Port],
    pub(super) names: &'a Names,
    taken: BTreeMap<(usize, u8), String>,
}

/// The keys of an entry that make a Modbus link.
pub(super) struct BusKeys<'a> {
    pub(super) port: Option<&'a str>,
    pub(super) unit: Option<u32>,
    pub(super) map: Option<&'a str>,
    pub(super) known_maps: &'a [String],
}

/// A device on a Modbus port.
#[derive(Debug)]
pub(super) struct BusLink {
    pub(super) port: PortIx,
    pub(super) unit: u8,
    pub(super) map: String,
}

impl<'a> Buses<'a> {
    pub(super) fn new(ports: &'a [Port], names: &'a Names) -> Self {
        Self { ports, names, taken: BTreeMap::new() }
    }

    /// All three keys, or every reason why not.
    pub(super) fn link(&mut self, path: &str, keys: &BusKeys<'_>, problems: &mut Problems) -> BusLink {
        let port = self.port(path, keys.port, problems);
        let unit = self.unit(path, keys.unit, port, problems);
        let map = map(path, keys, problems);
        if let (Some(port), Some(unit)) = (port, unit)
            && let Some(first) = self.taken.insert((port.0, unit), path.to_owned())
        {
            let what = format!("{unit} is taken on this port by {first}");
            problems.error(&format!("{path}.unit"), what, "give each device on a port its own unit");
        }
        BusLink { port: port.unwrap_or(PortIx(0)), unit: unit.unwrap_or(1), map }
    }

    fn port(&self, path: &str, name: Option<&str>, problems: &mut Problems) -> Option<PortIx> {
        let key = format!("{path}.port");
        let Some(name) = name else {
            missing(&key, "name one of the [[port]] entries", problems);
            return None;
        };
        let found = self.ports.iter().position(|port| port.id == name).map(PortIx);
        if found.is_none() {
            let remedy = suggestion(name, &self.names.all(), "add a [[port]] first");
            problems.error(&key, format!("names the port \"{}\", which there is not", short(name)), remedy);
        }
        found
    }

    fn unit(
        &self,
        path: &str,
        unit: Option<u32>,
        port: Option<PortIx>,
        problems: &mut Problems,
    ) -> Option<u8> {
        let key = format!("{path}.unit");
        let Some(unit) = unit else {
            missing(&key, "add the device's Modbus address, mostly unit = 1", problems);
            return None;
        };
        let tcp = port.is_some_and(|port| matches!(self.ports[port.0].line, PortLine::Tcp { .. }));
        let range = if tcp { &UNIT_TCP_RANGE } else { &UNIT_RANGE };
        problems.check_range(&key, f64::from(unit), range).then(|| u8::try_from(unit).ok()).flatten()
    }
}

fn map(path: &str, keys: &BusKeys<'_>, problems: &mut Problems) -> String {
    let key = format!("{path}.map");
    let Some(map) = keys.map else {
        missing(&key, "name the register map of its make and model", problems);
        return String::new();
    };
    let known: Vec<&str> = keys.known_maps.iter().map(String::as_str).collect();
    if !known.contains(&map) {
        let remedy = suggestion(map, &known, "there are no maps");
        problems.error(&key, format!("names the map \"{}\", which there is not", short(map)), remedy);
    }
    map.to_owned()
}

fn missing(key: &str, remedy: &str, problems: &mut Problems) {
    if !problems.refused(key) {
        problems.error(key, "is missing", remedy);
    }
}
