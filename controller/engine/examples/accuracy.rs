//! The accuracy of metering as a table: `cargo run --release -p dlb-engine --example accuracy`.
//!
//! Truth is analytic (see `tests/metering/wave.rs`); noise, rounding, time between channels, the clamps'
//! phase error and the ADS131M's own filter are in what is measured. Figures are the worst of all intervals of
//! ten cycles, of reading. The aims are asserted in `tests/metering/accuracy.rs`.

#![expect(clippy::unwrap_used, reason = "a table that finds nothing to measure must fail")]

#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../tests/metering/cases.rs"]
mod cases;
#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../tests/metering/wave.rs"]
mod wave;

use cases::{CLAMPS, Worst, everyday, worst};
use std::f64::consts::PI;
use wave::{ADS131M08, Converter, Filter, MCP3208, Rig, Wave};

const SHARES: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 1.0, 1.2];
/// Aims of current and power: at 1 %, and from 5 % on.
const AIMS: [(Converter, f64, f64); 2] = [(ADS131M08, 0.002, 0.0005), (MCP3208, 0.01, 0.003)];

fn main() {
    println!("Worst error of reading over 10 cycles, in percent; * misses its aim.\n");
    usual_loads();
    edgy_loads();
    compensation();
    println!(
        "Why some miss an aim:\n\
         - Below 1 % there is none. The last column is what noise and rounding alone allow (three standard deviations\n\
         \x20 of the current at a power factor of 1; power at 0.5 has twice that); an MCP3208 at 0.1 % sees one code.\n\
         - A dimmer's edges have 0.2 to 2 % of the current's root mean square above 1.7 kHz. Behind the ADS131M's filter\n\
         \x20 that is gone (the power is not: the voltage has none there); behind the MCP3208's resistor and capacitor half\n\
         \x20 of it folds back onto what is sampled. More samples a second move the limit, nothing else does.\n\
         - \"bad\": the crests do not fit into the range of twelve bits. Marked bad, never read low."
    );
}

fn percent(error: f64, aim: Option<f64>) -> String {
    let miss = if aim.is_some_and(|aim| error > aim) { "*" } else { "" };
    format!("{:.4}{miss}", error * 100.0)
}

fn aim(share: f64, at_1: f64, from_5: f64) -> Option<f64> {
    (share >= 0.01).then_some(if share >= 0.05 { from_5 } else { at_1 })
}

/// Power factors 1, 0.5 lagging, 0.8 leading; 45 to 65 Hz; sines, and with 3rd, 5th, 7th, 13th harmonics.
fn usual_loads() {
    println!(
        "Power factors 1, 0.5 lagging, 0.8 leading at 45, 49.9, 50, 60, 65 Hz; sines, and with 20 % of 3rd, 15 % of"
    );
    println!("5th, 8 % of 7th, 3 % of 13th harmonic (voltage: 1 % and 3 % of 3rd and 5th):\n");
    println!(
        "| converter | clamp | share | current | power | voltage | Q1 of S | frequency | noise allows |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (converter, at_1, from_5) in AIMS {
        for rated in CLAMPS {
            for share in SHARES {
                let found = everyday(converter, rated, share, 2.1);
                let aim = aim(share, at_1, from_5);
                println!(
                    "| {} | {rated} A | {:.1} % | {} | {} | {} | {} | {:.2} mHz{} | {} |",
                    converter.name,
                    share * 100.0,
                    percent(found.current, aim),
                    percent(found.power, aim),
                    percent(found.voltage, None),
                    percent(found.reactive, None),
                    found.frequency_hz * 1000.0,
                    if found.frequency_hz > 0.005 { "*" } else { "" },
                    percent(noise_alone(&converter, share), None),
                );
            }
        }
    }
}

/// Three standard deviations of a current's root mean square over 10 cycles at 50 Hz: `σ/√N` codes.
fn noise_alone(converter: &Converter, share: f64) -> f64 {
    let gain = if matches!(converter.filter, Filter::Sinc3(_)) { 2.0 } else { 1.0 };
    let sigma = ((converter.noise_codes.powi(2) + 1.0 / 12.0) * gain).sqrt();
    let codes = share / converter.range * converter.half_codes;
    3.0 * sigma / (0.2 * converter.sample_rate_hz).sqrt() / codes
}

/// A current of this root mean square.
type Shape = fn(f64) -> Wave;

fn edgy_loads() {
    println!("\nA dimmer and a rectifier with a crest factor of 3, at 49.97, 50 and 60 Hz, 63 A clamp:\n");
    println!("| converter | waveform | share | current | power |");
    println!("|---|---|---|---|---|");
    let shapes: [(&str, Shape); 4] = [
        ("dimmer, 45°", |rms| Wave::dimmer(rms, PI / 4.0)),
        ("dimmer, 90°", |rms| Wave::dimmer(rms, PI / 2.0)),
        ("dimmer, 135°", |rms| Wave::dimmer(rms, 3.0 * PI / 4.0)),
        ("crest factor 3", |rms| Wave::pulses(rms, 3.0)),
    ];
    for (converter, at_1, from_5) in AIMS {
        for (name, shape) in shapes {
            for share in [0.01, 0.05, 0.4, 1.0, 1.2] {
                let found = edgy(converter, &shape(63.0 * share));
                let aim = aim(share, at_1, from_5);
                let figures = match found.bad {
                    0 => format!("{} | {}", percent(found.current, aim), percent(found.power, aim)),
                    _ => "bad | bad".into(),
                };
                println!("| {} | {name} | {:.0} % | {figures} |", converter.name, share * 100.0);
            }
        }
    }
}

fn edgy(converter: Converter, i: &Wave) -> Worst {
    let rig = Rig { lead: 0.0, ..Rig::new(converter, 63.0) };
    let u = Wave::sine(230.0, 0.0);
    [49.97, 50.0, 60.0]
        .into_iter()
        .map(|hz| worst(&rig.run(hz, &u, i, 1.5, 7), hz, &u, i))
        .fold(Worst::default(), Worst::with)
}

/// What each correction is worth: power at a power factor of 0.5, 63 A, 50 Hz.
fn compensation() {
    println!(
        "\nCorrections switched off, one at a time; power at 0.5 lagging, 20 % and 100 % of 63 A, 50 Hz:\n"
    );
    println!("| converter | without | error at 20 % | at 100 % | with it |");
    println!("|---|---|---|---|---|");
    for (converter, ..) in AIMS {
        let all = Rig { lead: 0.9_f64.to_radians(), ..Rig::new(converter, 63.0) };
        let mut off = vec![("the clamp's phase error, 0.9°", Rig { knows_lead: false, ..all })];
        if converter.channel_delay_s > 0.0 {
            off.push(("the delay between channels, 20 µs", Rig { knows_delay: false, ..all }));
        }
        if matches!(converter.filter, Filter::Sinc3(_)) {
            off.push(("the droop of the converter's filter", Rig { knows_filter: false, ..all }));
        }
        for (name, without) in off {
            println!(
                "| {} | {name} | {} | {} | {} |",
                converter.name,
                percent(half_power(&without, 0.2), None),
                percent(half_power(&without, 1.0), None),
                percent(half_power(&all, 1.0), None),
            );
        }
    }
    println!();
}

fn half_power(rig: &Rig, share: f64) -> f64 {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(63.0 * share, -PI / 3.0));
    worst(&rig.run(50.0, &u, &i, 1.1, 1), 50.0, &u, &i).power
}
