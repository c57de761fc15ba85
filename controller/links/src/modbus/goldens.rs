//! What each map makes dlb ask and write, on record: `snapshots/`. A change of a map shows here.

use super::story::{Device, Line};
use super::wire::{Function, Request};
use super::{ChargerSettings, charger_map, charger_map_names, meter_map, meter_map_names};
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use std::fmt::Write as _;

fn shown(request: &Request) -> String {
    match &request.function {
        Function::ReadHolding { address, count } => format!("read holding {address} +{count}"),
        Function::ReadInput { address, count } => format!("read input   {address} +{count}"),
        Function::WriteSingle { address, value } => format!("write        {address} = {value}"),
        Function::WriteMultiple { address, values } => {
            let words: Vec<String> = values.iter().map(|word| format!("{word:#06x}")).collect();
            format!("write many   {address} = {}", words.join(" "))
        }
    }
}

fn record(line: &mut Line, span: Duration, out: &mut String) {
    line.asked.clear();
    line.run(span);
    for (_, request) in &line.asked {
        writeln!(out, "{}", shown(request)).unwrap();
    }
}

/// Shows what is written, wherever the map looks for it, and a SunSpec device with both models.
fn device() -> Device {
    let mut device = Device::default();
    device.set(40_000, &[0x5375, 0x6E53, 1, 2, 0, 0, 203, 105]);
    device.set(40_006 + 107, &[213, 124]);
    for (written, shown) in [(5016, 1600), (5018, 1602), (0x4101, 0x400E)] {
        device.shows.insert(written, shown);
    }
    device.set_f32(1212, 6.0);
    device
}

#[test]
fn every_meter_is_asked_as_on_record() {
    for name in meter_map_names() {
        let mut line = Line::new();
        line.devices.insert(1, device());
        line.port.add_meter(0, 1, meter_map(name).unwrap(), Duration::from_secs(60), line.now);
        let mut out = String::new();
        record(&mut line, Duration::from_secs(1), &mut out);
        insta::assert_snapshot!(format!("meter-{name}"), out);
    }
}

#[test]
fn every_charger_is_told_as_on_record() {
    for name in charger_map_names() {
        let mut line = Line::new();
        line.devices.insert(1, device());
        let settings =
            ChargerSettings { limit_lifetime: Duration::from_secs(60), ..ChargerSettings::default() };
        line.port.add_charger(0, 1, charger_map(name).unwrap(), settings, line.now);
        let mut out = String::from("# found, told its fallback of 6 A, asked how it is\n");
        record(&mut line, Duration::from_secs(1), &mut out);
        for (order, amps) in [("16 A", 16_000), ("0 A", 0), ("back to 10 A", 10_000)] {
            writeln!(out, "# {order}").unwrap();
            line.port.set_limit(line.now, 0, Milliamps(amps));
            record(&mut line, Duration::from_millis(70), &mut out);
            line.run(Duration::from_millis(1800));
        }
        insta::assert_snapshot!(format!("charger-{name}"), out);
    }
}
