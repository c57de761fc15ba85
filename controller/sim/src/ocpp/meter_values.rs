//! What the outlet's meter shows, as sampled values of OCPP.

use crate::outlet::{Kind, Outlet};
use serde_json::{Value, json};

/// Measurands that can be asked for.
pub(super) const MEASURANDS: &[&str] = &[
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Power.Offered",
    "SoC",
    "Voltage",
];
const PHASES: [&str; 3] = ["L1", "L2", "L3"];

/// The list for a `meterValue`: `wanted` is the configuration key's comma-separated text.
pub(super) fn sampled(outlet: &Outlet, wanted: &str, context: &str) -> Vec<Value> {
    let measured = outlet.measured();
    let phases = usize::from(outlet.phases()).min(3);
    let one = |measurand: &str, unit: &str, value: String| json!({"context": context, "location": "Outlet", "measurand": measurand, "unit": unit, "value": value});
    let per_phase = |measurand: &str, unit: &str, values: [f64; 3]| {
        let mut list = Vec::new();
        for (phase, value) in PHASES.iter().zip(values).take(phases) {
            let mut sample = one(measurand, unit, format!("{value:.1}"));
            // Voltage is told against neutral, as the specification's phases allow.
            let phase = if measurand == "Voltage" { format!("{phase}-N") } else { (*phase).to_owned() };
            sample["phase"] = Value::from(phase);
            list.push(sample);
        }
        list
    };
    let dc = matches!(outlet.plate().kind, Kind::Dc { .. });
    let samples = |name: &str| match name {
        "Current.Import" => per_phase(name, "A", measured.amps),
        "Voltage" => per_phase(name, "V", measured.volts),
        "Power.Active.Import" => vec![one(name, "W", format!("{:.0}", measured.watts))],
        "Energy.Active.Import.Register" => vec![one(name, "Wh", format!("{:.0}", measured.register_wh))],
        "Current.Offered" if !dc => vec![one(name, "A", format!("{:.1}", outlet.offered()))],
        "Power.Offered" if dc => vec![one(name, "W", format!("{:.0}", outlet.offered()))],
        "SoC" if dc => outlet.car().map_or_else(Vec::new, |car| {
            let mut sample = one(name, "Percent", format!("{:.0}", car.soc() * 100.0));
            sample["location"] = Value::from("EV");
            vec![sample]
        }),
        _ => Vec::new(),
    };
    wanted.split(',').flat_map(samples).collect()
}
