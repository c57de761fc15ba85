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
#[path = "../tests/metering/edgy.rs"]
mod edgy;
#[allow(dead_code, reason = "the tests use more of them")]
#[path = "../tests/metering/wave.rs"]
mod wave;

use cases::{CLAMPS, Worst, everyday, worst};
use dlb_engine::lines::Line;
use std::f64::consts::PI;
use wave::{ADS131M08, Converter, Filter, MCP3208, MCP3208_AT_8000, Rig, Wave, at_rate};

const SHARES: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 1.0, 1.2];
/// Aims of current and power: at 1 %, and from 5 % on.
const AIMS: [(Converter, f64, f64); 3] =
    [(ADS131M08, 0.002, 0.0005), (MCP3208, 0.01, 0.003), (MCP3208_AT_8000, 0.01, 0.003)];

fn main() {
    println!("Worst error of reading over 10 cycles, in percent; * misses its aim.\n");
    usual_loads();
    edgy_loads();
    compensation();
    println!(
        "Why some miss an aim:\n\
         - Below 1 % there is none. The last column is what noise and rounding alone allow (three standard deviations\n\
         \x20 of the current at a power factor of 1; power at 0.5 has twice that); an MCP3208 at 0.1 % sees one code.\n\
         - What a waveform has above half the sampling rate cannot be told from what lies below: the column of that name is\n\
         \x20 the part of the root mean square that hangs on it, from the closed form. An ADS131M's filter keeps most of it\n\
         \x20 out (power does not miss it: the voltage has none there); behind a resistor and a capacitor more of it folds\n\
         \x20 back onto what is sampled. Where that column is above an aim, only more samples a second help.\n\
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

/// Three standard deviations of a current's root mean square over 10 cycles at 50 Hz, `σ/√N`, by the noise that the
/// board has after its filter has been given back; from the floor that it states, `√(3·σ²·√(2/N))`.
fn noise_alone(converter: &Converter, share: f64) -> f64 {
    let (board, samples) = (Rig::new(*converter, 63.0).board(), 0.2 * converter.sample_rate_hz);
    let floor_a = board.noise_floor_a(Line::L1).unwrap();
    let variance = floor_a * floor_a / (3.0 * (2.0 / samples).sqrt());
    3.0 * (variance / samples).sqrt() / (63.0 * share)
}

/// A current of this root mean square at this frequency.
type Shape = fn(f64, f64) -> Wave;

/// Home dimmers: 30 to 50 µs with the usual 40 to 100 µH (T. Engdahl, Light dimmer circuits, 1997-2000). Stage
/// dimmers, which are what loads a clamp of 63 A: 300 µs at least are recommended (stage-lighting-site.com, Choke),
/// 350, 500 and 800 µs are built (controlbooth.com, Filter choke).
const HOME_S: f64 = 40e-6;
const STAGE_S: f64 = 300e-6;

const SHAPES: [(&str, Shape); 10] = [
    ("stage dimmer, 45°", |rms, hz| Wave::choked_dimmer(rms, PI / 4.0, STAGE_S, hz)),
    ("stage dimmer, 90°", |rms, hz| Wave::choked_dimmer(rms, PI / 2.0, STAGE_S, hz)),
    ("stage dimmer, 135°", |rms, hz| Wave::choked_dimmer(rms, 3.0 * PI / 4.0, STAGE_S, hz)),
    ("home dimmer, 45°", |rms, hz| Wave::choked_dimmer(rms, PI / 4.0, HOME_S, hz)),
    ("home dimmer, 90°", |rms, hz| Wave::choked_dimmer(rms, PI / 2.0, HOME_S, hz)),
    ("home dimmer, 135°", |rms, hz| Wave::choked_dimmer(rms, 3.0 * PI / 4.0, HOME_S, hz)),
    ("ideal edge, 45°", |rms, _| Wave::dimmer(rms, PI / 4.0)),
    ("ideal edge, 90°", |rms, _| Wave::dimmer(rms, PI / 2.0)),
    ("ideal edge, 135°", |rms, _| Wave::dimmer(rms, 3.0 * PI / 4.0)),
    ("crest factor 3", |rms, _| Wave::pulses(rms, 3.0)),
];

fn edgy_loads() {
    let rates = [ADS131M08, at_rate(8000.0, 52.8), at_rate(16_000.0, 74.7), at_rate(32_000.0, 149.0)];
    let rates = rates.map(|it| (it, AIMS[0]));
    let twelve_bits = [MCP3208, MCP3208_AT_8000].map(|it| (it, AIMS[1]));
    println!(
        "\nDimmers with their chokes (10 to 90 % in 300 µs: stage, 40 µs: home, 0: none has that) and a rectifier with a"
    );
    println!("crest factor of 3, at 49.97, 50 and 60 Hz, 63 A clamp; current / power:\n");
    println!("| converter | samples/s | waveform | above half of that | 1 % | 5 % | 40 % | 120 % |");
    println!("|---|---|---|---|---|---|---|---|");
    for (converter, (_, at_1, from_5)) in rates.into_iter().chain(twelve_bits) {
        for (name, shape) in SHAPES {
            let above = percent(beyond(shape, converter.sample_rate_hz / 2.0), None);
            print!("| {} | {} | {name} | {above} |", converter.name, converter.sample_rate_hz);
            for share in [0.01, 0.05, 0.4, 1.2] {
                let found = edges(converter, shape, 63.0 * share);
                let aim = aim(share, at_1, from_5);
                match found.bad {
                    0 => print!(" {} / {} |", percent(found.current, aim), percent(found.power, aim)),
                    _ => print!(" bad |"),
                }
            }
            println!();
        }
    }
}

/// By how much a root mean square is too small without what lies above a frequency: of the closed form, by Parseval.
fn beyond(shape: Shape, highest_hz: f64) -> f64 {
    let wave = shape(1.0, 50.0);
    let below = wave.0.iter().filter(|harmonic| harmonic.order * 50.0 < highest_hz);
    1.0 - below.map(|harmonic| harmonic.rms * harmonic.rms).sum::<f64>().sqrt() / wave.rms()
}

fn edges(converter: Converter, shape: Shape, rms: f64) -> Worst {
    let rig = Rig { lead: 0.0, ..Rig::new(converter, 63.0) };
    let u = Wave::sine(230.0, 0.0);
    let at = |hz: f64| {
        let i = shape(rms, hz);
        worst(&rig.run(hz, &u, &i, 1.1, 7), hz, &u, &i)
    };
    [49.97, 50.0, 60.0].into_iter().map(at).fold(Worst::default(), Worst::with)
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
