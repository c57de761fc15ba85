//! The tables that a scenario names, beside the scenario's own file.

use dlb_sim::scenario::{Day, Scenario, Tables, load_rows, session_rows};
use std::collections::BTreeMap;
use std::path::Path;

/// A table larger than this is no table of a site's.
const BYTES_MAX: u64 = 256 << 20;

pub(super) fn read(scenario: &Scenario, beside: &Path) -> Result<Tables, Vec<String>> {
    let day = Day::parse(&scenario.start).map_err(|what| vec![format!("start: {what}")])?;
    let mut wrong = Vec::new();
    let mut told = |name: &str, outcome: Result<(), String>| {
        if let Err(what) = outcome {
            wrong.push(format!("{name}: {what}"));
        }
    };
    let (mut sessions, mut loads) = (Vec::new(), BTreeMap::new());
    if let Some(name) = &scenario.sessions {
        let rows = text(beside, name).and_then(|text| session_rows(&text, day));
        told(name, rows.map(|rows| sessions = rows));
    }
    for circuit in &scenario.circuit {
        let Some(name) = &circuit.load else { continue };
        let rows = text(beside, name).and_then(|text| load_rows(&text, day));
        told(name, rows.map(|rows| drop(loads.insert(circuit.id.clone(), rows))));
    }
    if wrong.is_empty() { Ok((sessions, loads)) } else { Err(wrong) }
}

/// A relative path starts at the scenario's file.
fn text(beside: &Path, name: &str) -> Result<String, String> {
    let path = beside.parent().unwrap_or_else(|| Path::new("")).join(name);
    let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if size > BYTES_MAX {
        return Err(format!("is {size} bytes long; the most that is read is {BYTES_MAX}"));
    }
    std::fs::read_to_string(&path).map_err(|error| error.to_string())
}
