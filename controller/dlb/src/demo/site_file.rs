//! The demonstration's configuration and board file, as an installer would have written them.

use super::world::Prepared;
use crate::config::SiteFile;
use crate::config::file::{
    Amperes, ChargerEntry, CircuitEntry, ClampsPart, Fallback, KindWord, MeterEntry, PolicyPart, PortEntry,
    ServerPart, SourceWord,
};
use dlb_engine::lines::{Line, Wiring};
use dlb_sim::garage::{BayPlan, GARAGE_A, GRID_A, Reach};
use dlb_sim::outlet::Kind;
use dlb_sim::pickup::Input;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

const GRID: &str = "grid";
const GARAGE: &str = "garage";

/// What hangs on the converter of the demonstration's box: three clamps, three taps.
const RATIO: f64 = 2000.0;
const BURDEN_OHM: f64 = 5.1;
const LEAD_DEG: f64 = 0.6;
const TAP_RATIO: f64 = 700.0;
/// Whoever clipped this one on did not look for the arrow; the board file turns it round.
const BACKWARDS: Line = Line::L2;

/// The site's configuration.
#[must_use]
pub fn site(prepared: &Prepared, page: SocketAddr, board: &Path) -> SiteFile {
    let bays = prepared.bays();
    let ports = bays.iter().enumerate().filter_map(|(at, bay)| {
        let tcp = prepared.modbus(at)?.to_string();
        Some(PortEntry { id: port_of(bay), tcp: Some(tcp), ..PortEntry::default() })
    });
    SiteFile {
        version: 1,
        name: "Demonstration: office with garage".to_owned(),
        server: ServerPart { page: Some(page.to_string()), ocpp: Some("127.0.0.1:0".to_owned()) },
        policy: PolicyPart { meter_values_every_s: Some(5.0), ..PolicyPart::default() },
        clamps: Some(ClampsPart { board: board.display().to_string() }),
        circuit: circuits(),
        port: ports.collect(),
        meter: vec![MeterEntry {
            id: "main".to_owned(),
            circuit: GRID.to_owned(),
            source: Some(SourceWord::Clamps),
            lost_after_s: Some(10.0),
            assumed_load_a: Some(Amperes::All(40.0)),
            ..MeterEntry::default()
        }],
        charger: bays.iter().map(charger).collect(),
        ..SiteFile::default()
    }
}

fn circuits() -> Vec<CircuitEntry> {
    let circuit = |id: &str, parent: Option<&str>, amps| CircuitEntry {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        limit_a: Some(Amperes::All(amps)),
        ..CircuitEntry::default()
    };
    vec![circuit(GRID, None, GRID_A), circuit(GARAGE, Some(GRID), GARAGE_A)]
}

fn port_of(bay: &BayPlan) -> String {
    format!("{}-port", bay.id)
}

fn charger(bay: &BayPlan) -> ChargerEntry {
    let circuit = if bay.in_garage { GARAGE } else { GRID };
    let entry = ChargerEntry { id: bay.id.clone(), circuit: circuit.to_owned(), ..ChargerEntry::default() };
    rate(bay, reach(bay, entry))
}

fn reach(bay: &BayPlan, entry: ChargerEntry) -> ChargerEntry {
    let modbus = |unit, map: &str, entry| ChargerEntry {
        port: Some(port_of(bay)),
        unit: Some(unit),
        map: Some(map.to_owned()),
        ..entry
    };
    match &bay.reach {
        Reach::Ocpp { identity } => ChargerEntry { ocpp: Some(identity.clone()), ..entry },
        Reach::Keba => modbus(255, "keba-p30", entry),
        // Its safe current is set in its own software and cannot be changed from here.
        Reach::Alfen => {
            let entry = ChargerEntry { fallback_a: Some(Fallback::Amperes(6.0)), ..entry };
            modbus(1, "alfen-eve-ng9xx", entry)
        }
    }
}

fn rate(bay: &BayPlan, entry: ChargerEntry) -> ChargerEntry {
    let plate = &bay.plate;
    match plate.kind {
        Kind::Ac => ChargerEntry {
            rotation: rotation(plate.wiring),
            max_a: Some(plate.max),
            step_a: Some(plate.step),
            ..entry
        },
        Kind::Dc { efficiency } => ChargerEntry {
            kind: Some(KindWord::Dc),
            min_kw: Some(plate.min / 1000.0),
            max_kw: Some(plate.max / 1000.0),
            efficiency: Some(efficiency),
            ..entry
        },
    }
}

fn rotation(wiring: Wiring) -> Option<String> {
    let name = |lines: &[Line]| Some(lines.iter().map(|line| line.name()).collect::<String>());
    match wiring {
        Wiring::One(a) => name(&[a]),
        Wiring::Two(a, b) => name(&[a, b]),
        Wiring::Three(a, b, c) => name(&[a, b, c]),
        Wiring::Between(a, b) => Some(format!("{}-{}", a.name(), b.name())),
        Wiring::Unknown => None,
    }
}

/// The board file of the demonstration's box.
#[must_use]
pub fn board() -> String {
    let mut text = "adc = \"ads131m08\"\nsample_rate_hz = 4000\nfull_scale_v = 1.2\n".to_owned();
    for line in Line::ALL {
        let (name, number) = (line.name(), line.index() + 1);
        let _ = write!(
            text,
            "\n[[channel]]\nname = \"i{number}\"\nkind = \"current\"\nphase = \"{name}\"\nratio = {RATIO:.1}\n\
             burden_ohm = {BURDEN_OHM}\nphase_error_deg = {LEAD_DEG}\nreversed = {}\n",
            line == BACKWARDS
        );
    }
    for line in Line::ALL {
        let (name, number) = (line.name(), line.index() + 1);
        let _ = write!(
            text,
            "\n[[channel]]\nname = \"u{number}\"\nkind = \"voltage\"\nphase = \"{name}\"\nratio = {TAP_RATIO:.1}\n"
        );
    }
    text
}

/// The same channels, seen from the simulated site.
#[must_use]
pub fn inputs() -> Vec<Input> {
    let clamp = |line| Input::Clamp {
        line,
        ratio: RATIO,
        burden_ohm: if line == BACKWARDS { -BURDEN_OHM } else { BURDEN_OHM },
        lead_deg: LEAD_DEG,
    };
    let tap = |line| Input::Tap { line, ratio: TAP_RATIO };
    Line::ALL.map(clamp).into_iter().chain(Line::ALL.map(tap)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    #[test]
    fn the_demonstrations_configuration_passes_its_own_check() {
        for chargers in [0, 1, 12, 40] {
            let prepared = Prepared::new(chargers, 1, NonZeroU32::MIN).expect("loopback has ports");
            let file = site(&prepared, ([127, 0, 0, 1], 8080).into(), Path::new("/tmp/board.toml"));
            let text = toml::to_string_pretty(&file).expect("it can be written");
            let (checked, warnings) = crate::config::check(&text).expect("no mistakes");
            assert_eq!(checked.settings.site.chargers().len(), chargers);
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }

    #[test]
    fn the_controller_gets_what_the_simulator_expects() {
        let prepared = Prepared::new(12, 1, NonZeroU32::MIN).expect("loopback has ports");
        let file = site(&prepared, ([127, 0, 0, 1], 8080).into(), Path::new("/tmp/board.toml"));
        let text = toml::to_string_pretty(&file).expect("it can be written");
        let (checked, _) = crate::config::check(&text).expect("no mistakes");
        let expected = dlb_sim::closed_loop::settings(prepared.bays()).expect("sound");
        let lines = |settings: &dlb_wiring::settings::Settings| -> Vec<_> {
            let chargers = settings.site.chargers().iter();
            chargers.map(|charger| (charger.id.clone(), charger.circuit, charger.wiring)).collect()
        };
        assert_eq!(lines(&checked.settings), lines(&expected));
        assert_eq!(checked.settings.links, expected.links);
        let limits = |settings: &dlb_wiring::settings::Settings| -> Vec<_> {
            settings.site.circuits().iter().map(|circuit| circuit.limit).collect()
        };
        assert_eq!(limits(&checked.settings), limits(&expected));
    }

    #[test]
    fn the_board_has_a_channel_for_every_input() {
        assert_eq!(board().matches("[[channel]]").count(), inputs().len());
        board().parse::<toml::Table>().expect("it is TOML");
    }
}
