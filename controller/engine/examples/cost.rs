//! What the arithmetic costs: the program whose instructions `tests/bench/metering/run` counts.
//!
//! `cost write FILE SAMPLES` writes frames of eight channels (a current and a voltage of three lines and the neutral; 32-bit
//! codes, least significant byte first). `cost measure FILE CHANNELS` measures the first so many channels of each
//! frame: 2, 4, 6 or 8 of them, a current and a voltage at a time.

#![expect(clippy::disallowed_methods, reason = "an example is a program")]
#![expect(clippy::unwrap_used, reason = "a benchmark without its file must fail")]

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Filter, Kind, Meter};
use std::f64::consts::TAU;

const CHANNELS: usize = 8;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match arguments[..] {
        ["write", file, samples] => std::fs::write(file, frames(samples.parse().unwrap())).unwrap(),
        ["measure", file, channels] => measure(file, channels.parse().unwrap()),
        _ => eprintln!("cost write FILE SAMPLES | cost measure FILE CHANNELS"),
    }
}

/// Currents with harmonics on the even channels, voltages on the odd ones.
fn frames(samples: usize) -> Vec<u8> {
    let code = |n: usize, channel: usize| {
        let angle = TAU * 50.02 * n as f64 / 4000.0 - TAU / 3.0 * (channel / 2) as f64;
        let wave = match channel % 2 {
            0 => 0.2 * (angle - 0.4).sin() + 0.03 * (3.0 * angle).sin() + 0.01 * (7.0 * angle).sin(),
            _ => 0.6 * angle.sin(),
        };
        (wave * 8_388_607.0) as i32
    };
    (0..samples)
        .flat_map(|n| (0..CHANNELS).map(move |channel| code(n, channel)))
        .flat_map(i32::to_le_bytes)
        .collect()
}

fn board(channels: usize) -> Board {
    let channel = |at: usize| Channel {
        kind: match at {
            6 => Kind::NeutralCurrent,
            7 => Kind::NeutralVoltage,
            _ if at.is_multiple_of(2) => Kind::Current,
            _ => Kind::Voltage,
        },
        line: Line::ALL[at / 2 % 3],
        scale: 1e-4,
        lead: 0.01,
        delay_s: 0.0,
        noise: 1400.0,
    };
    Board {
        sample_rate_hz: 4000.0,
        code_min: -0x80_0000,
        code_max: 0x7F_FFFF,
        nominal_hz: 50.0,
        filter: Filter::Sinc3,
        channels: (0..channels).map(channel).collect(),
    }
}

fn measure(file: &str, channels: usize) {
    let bytes = std::fs::read(file).unwrap();
    let codes: Vec<i32> =
        bytes.chunks_exact(4).map(|code| i32::from_le_bytes(code.try_into().unwrap())).collect();
    let mut meter = Meter::new(board(channels)).unwrap();
    println!("{}", counted(&mut meter, &codes, channels));
}

/// What is counted: frames in, readings out. Answers with the watts of the last interval.
#[inline(never)]
fn counted(meter: &mut Meter, codes: &[i32], channels: usize) -> f64 {
    let mut watts = 0.0;
    for frame in codes.chunks_exact(CHANNELS) {
        if let Some(interval) = meter.push(&frame[..channels]).interval {
            watts = interval.power_w().unwrap_or(watts);
        }
    }
    watts
}
