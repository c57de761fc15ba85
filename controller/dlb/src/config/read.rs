//! From a tree of values to the file's types: key names and value types, nothing else.

use super::defaults::{
    MAX_CHARGERS, MAX_CIRCUITS, MAX_INPUTS, MAX_METERS, MAX_PORTS, NAME, STAR_VOLTS, VERSION,
};
use super::file::*;
use super::gpio_file::*;
use super::node::{Table, Value};
use super::problem::{Problems, suggestion};
use super::section::{FromValue, Section, short};

const ID_REMEDY: &str = "add a short name of its own, like id = \"bay-1\"";
const CIRCUIT_REMEDY: &str = "name the circuit that it hangs on, like circuit = \"grid\"";

/// Reads what can be read; every mistake is in `problems`.
pub(super) fn site(table: &Table, problems: &mut Problems) -> SiteFile {
    let mut top = Section::new(String::new(), table, problems);
    let file = SiteFile {
        version: top.take("version").unwrap_or(VERSION),
        name: top.take("name").unwrap_or_else(|| NAME.to_owned()),
        server: top.inside("server", server).unwrap_or_default(),
        policy: top.inside("policy", policy).unwrap_or_default(),
        adoption: top.inside("adoption", adoption).unwrap_or_default(),
        mqtt: top.inside("mqtt", mqtt),
        hawkbit: top.inside("hawkbit", hawkbit),
        clamps: top.inside("clamps", clamps),
        circuit: top.each("circuit", MAX_CIRCUITS, circuit),
        port: top.each("port", MAX_PORTS, port),
        meter: top.each("meter", MAX_METERS, meter),
        charger: top.each("charger", MAX_CHARGERS, charger),
        input: top.each("input", MAX_INPUTS, input),
        output: top.each("output", MAX_INPUTS, output),
        button: top.inside("button", button),
    };
    top.finish();
    file
}

fn server(section: &mut Section<'_>) -> ServerPart {
    ServerPart { page: section.take("page"), ocpp: section.take("ocpp") }
}

fn policy(section: &mut Section<'_>) -> PolicyPart {
    PolicyPart {
        strategy: section.take("strategy"),
        raise_after_s: section.take("raise_after_s"),
        limit_lifetime_s: section.take("limit_lifetime_s"),
        meter_values_every_s: section.take("meter_values_every_s"),
        drawn_valid_for_s: section.take("drawn_valid_for_s"),
        dc_first: section.take("dc_first"),
    }
}

fn adoption(section: &mut Section<'_>) -> AdoptionPart {
    AdoptionPart { rule: section.take("rule"), circuit: section.take("circuit") }
}

fn hawkbit(section: &mut Section<'_>) -> HawkbitPart {
    HawkbitPart {
        server: section
            .require("server", "add the server's address, like server = \"https://updates.example.com\""),
        tenant: section.take("tenant"),
        name: section.take("name"),
        wait_for_cars: section.take("wait_for_cars"),
    }
}

fn mqtt(section: &mut Section<'_>) -> MqttPart {
    MqttPart {
        broker: section
            .require("broker", "add the broker's address, like broker = \"mqtt://192.168.1.5:1883\""),
        ca_file: section.take("ca_file"),
        username: section.take("username"),
        prefix: section.take("prefix"),
        discovery_prefix: section.take("discovery_prefix"),
        read_only: section.take("read_only"),
    }
}

fn clamps(section: &mut Section<'_>) -> ClampsPart {
    ClampsPart {
        board: section.require("board", "add the path of the board file, like board = \"board.toml\""),
    }
}

fn circuit(section: &mut Section<'_>) -> CircuitEntry {
    CircuitEntry {
        id: section.require("id", ID_REMEDY),
        parent: section.take("parent"),
        limit_a: section.take("limit_a"),
        limit_kw: section.take("limit_kw"),
        limit_kva: section.take("limit_kva"),
        limit_neutral_a: section.take("limit_neutral_a"),
        limit_unbalance_a: section.take("limit_unbalance_a"),
        supply: section.inside("supply", supply),
        transformer: section.inside("transformer", transformer),
        protection: section.inside("protection", protection),
        profile: section.take("profile"),
    }
}

fn protection(section: &mut Section<'_>) -> ProtectionPart {
    ProtectionPart {
        kind: section.require("kind", "add kind = \"gG\", \"mcb-b\", \"mcb-c\", \"mcb-d\" or \"mccb\""),
        rated_a: section
            .require("rated_a", "add the rating that is printed on the device, like rated_a = 63"),
    }
}

fn supply(section: &mut Section<'_>) -> SupplyPart {
    let system = section.require("system", "add system = \"star\", \"delta\", \"split\" or \"single\"");
    let volts = match system {
        SystemWord::Star | SystemWord::Single => section.take("volts").unwrap_or(STAR_VOLTS),
        SystemWord::Delta => section.require("volts", "add the voltage between two lines, like volts = 230"),
        SystemWord::Split => {
            section.require("volts", "add the voltage of a line to neutral, like volts = 120")
        }
    };
    SupplyPart { system, volts }
}

fn transformer(section: &mut Section<'_>) -> TransformerPart {
    TransformerPart {
        group: section.require("group", "add its vector group: group = \"Dyn\" or \"Yyn\""),
        ratio: section.require(
            "ratio",
            "add the primary over the secondary voltage, both line to line, like ratio = 2.309 for 480 V to 208 V",
        ),
    }
}

fn port(section: &mut Section<'_>) -> PortEntry {
    PortEntry {
        id: section.require("id", ID_REMEDY),
        tcp: section.take("tcp"),
        serial: section.take("serial"),
        baud: section.take("baud"),
        parity: section.take("parity"),
        stop_bits: section.take("stop_bits"),
    }
}

fn meter(section: &mut Section<'_>) -> MeterEntry {
    MeterEntry {
        id: section.require("id", ID_REMEDY),
        circuit: section.require("circuit", "name the circuit that it measures, like circuit = \"grid\""),
        source: section.take("source"),
        port: section.take("port"),
        unit: section.take("unit"),
        map: section.take("map"),
        every_s: section.take("every_s"),
        lost_after_s: section.take("lost_after_s"),
        assumed_load_a: section.take("assumed_load_a"),
    }
}

fn charger(section: &mut Section<'_>) -> ChargerEntry {
    ChargerEntry {
        id: section.require("id", ID_REMEDY),
        circuit: section.require("circuit", CIRCUIT_REMEDY),
        kind: section.take("kind"),
        ocpp: section.take("ocpp"),
        outlet: section.take("outlet"),
        port: section.take("port"),
        unit: section.take("unit"),
        map: section.take("map"),
        rotation: section.take("rotation"),
        min_a: section.take("min_a"),
        max_a: section.take("max_a"),
        step_a: section.take("step_a"),
        min_kw: section.take("min_kw"),
        max_kw: section.take("max_kw"),
        efficiency: section.take("efficiency"),
        fallback_a: section.take("fallback_a"),
        sun: section.take("sun"),
        switches_phases: section.take("switches_phases"),
        priority: section.take("priority"),
        weight: section.take("weight"),
    }
}

fn output(section: &mut Section<'_>) -> OutputEntry {
    OutputEntry {
        id: section.require("id", "add a short name of its own, like id = \"boiler\""),
        chip: section.take("chip"),
        line: section.require("line", "add the number of the GPIO line, like line = 22"),
        active: section.take("active"),
        does: section.require("does", "add does = \"shed\", \"trip\" or \"lamp\""),
        circuit: section.take("circuit"),
        after_s: section.take("after_s"),
        margin_a: section.take("margin_a"),
        on_at_least_s: section.take("on_at_least_s"),
        off_at_least_s: section.take("off_at_least_s"),
    }
}

fn button(section: &mut Section<'_>) -> ButtonPart {
    ButtonPart {
        chip: section.take("chip"),
        line: section.require("line", "add the number of the GPIO line, like line = 4"),
        active: section.take("active"),
        bias: section.take("bias"),
        hold_s: section.take("hold_s"),
    }
}

fn input(section: &mut Section<'_>) -> InputEntry {
    InputEntry {
        id: section.require("id", "add a short name of its own, like id = \"ripple-30\""),
        chip: section.take("chip"),
        line: section.require("line", "add the number of the GPIO line, like line = 17"),
        active: section.take("active"),
        bias: section.take("bias"),
        debounce_ms: section.take("debounce_ms"),
        lost: section.take("lost"),
        circuit: section.require("circuit", CIRCUIT_REMEDY),
        limit_a: section.take("limit_a"),
        limit_kw: section.take("limit_kw"),
        charging_kw: section.take("charging_kw"),
        paragraph_14a: section.take("paragraph_14a"),
        simultaneity: section.take("simultaneity"),
        inhibit: section.take("inhibit"),
    }
}

impl FromValue for Amperes {
    const WANTED: &'static str = "amperes: one number, or a list with one for each line";
    fn from_value(value: &Value) -> Option<Self> {
        f64::from_value(value).map(Self::All).or_else(|| Vec::from_value(value).map(Self::Each))
    }
    fn remedy(_wrong: &Value) -> String {
        "write 63, or [63, 63, 50]".into()
    }
}

impl FromValue for Fallback {
    const WANTED: &'static str = "a number of amperes or \"auto\"";
    fn from_value(value: &Value) -> Option<Self> {
        f64::from_value(value).map(Self::Amperes).or_else(|| AutoWord::from_value(value).map(Self::Auto))
    }
}

macro_rules! choices {
    ($($name:ident: $wanted:literal),* $(,)?) => {$(
        impl FromValue for $name {
            const WANTED: &'static str = $wanted;
            fn from_value(value: &Value) -> Option<Self> {
                let Value::Text(text) = value else { return None };
                Self::WORDS.iter().find(|(word, _)| word == text).map(|(_, choice)| *choice)
            }
            fn remedy(wrong: &Value) -> String {
                let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
                match wrong {
                    Value::Text(text) => suggestion(&short(text), &words, ""),
                    _ => format!("write one of {}", words.join(", ")),
                }
            }
        }
    )*};
}

choices!(
    StrategyWord: "one of equal, first-come, priority, departure",
    AdoptionWord: "ask or automatic",
    SystemWord: "one of star, delta, split, single",
    GroupWord: "Dyn or Yyn",
    DeviceWord: "one of gG, mcb-b, mcb-c, mcb-d, mccb",
    ProfileWord: "plain or g100",
    ParityWord: "none, even or odd",
    SourceWord: "clamps or modbus",
    KindWord: "ac or dc",
    SunWord: "surplus or minimum",
    AutoWord: "auto",
    ActiveWord: "low or high",
    BiasWord: "none, pull-up or pull-down",
    LostWord: "active or inactive",
    OutputWord: "shed, trip or lamp",
);
