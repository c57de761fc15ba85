//! A board with eight channels: the lines and the neutral conductor.

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Filter, Interval, Kind, Meter};
use dlb_engine::reading::Quality;
use std::f64::consts::{SQRT_2, TAU};

const RATE_HZ: f64 = 4000.0;
/// Amperes and volts to a code.
const SCALE: f64 = 1e-4;
const KINDS: [Kind; 8] = [
    Kind::Current,
    Kind::Current,
    Kind::Current,
    Kind::Voltage,
    Kind::Voltage,
    Kind::Voltage,
    Kind::NeutralCurrent,
    Kind::NeutralVoltage,
];

fn board() -> Board {
    let channel = |at: usize| Channel {
        kind: KINDS[at],
        line: Line::ALL[at % 3],
        scale: SCALE,
        lead: 0.0,
        delay_s: 0.0,
        noise: 1.0 / 12.0,
    };
    Board {
        sample_rate_hz: RATE_HZ,
        code_min: -0x80_0000,
        code_max: 0x7F_FFFF,
        nominal_hz: 50.0,
        filter: Filter::None,
        channels: (0..8).map(channel).collect(),
    }
}

/// Lamps on three lines: 10 A of fundamental and 3 A of third harmonic each. The fundamentals cancel in the neutral.
fn codes(n: usize) -> [i32; 8] {
    let turn = TAU * 50.03 * n as f64 / RATE_HZ;
    let line = |at: usize| turn - TAU / 3.0 * at as f64;
    let amps = |at: usize| SQRT_2 * (10.0 * line(at).sin() + 3.0 * (3.0 * line(at)).sin());
    let values = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| match at {
        0..3 => amps(at),
        3..6 => SQRT_2 * 230.0 * line(at - 3).sin(),
        6 => amps(0) + amps(1) + amps(2),
        _ => SQRT_2 * 1.5 * turn.sin(),
    });
    values.map(|value| (value / SCALE).round() as i32)
}

fn measured() -> Vec<Interval> {
    let mut meter = Meter::new(board()).unwrap();
    (0..6000).filter_map(|n| meter.push(&codes(n)).interval).collect()
}

#[test]
fn third_harmonics_of_three_lines_add_up_in_the_neutral() {
    let interval = measured()[2];
    assert_eq!(interval.quality, Quality::Good);
    assert!((interval.neutral.current_a.unwrap() - 9.0).abs() < 0.001, "{:?}", interval.neutral);
    assert!((interval.neutral.voltage_v.unwrap() - 1.5).abs() < 0.001);
    let harmonics = interval.neutral.current_harmonics.unwrap();
    assert!(harmonics.rms()[0] < 0.01 && (harmonics.rms()[2] - 9.0).abs() < 0.01, "{harmonics:?}");
    assert!(interval.neutral.power_w.is_none());
}

#[test]
fn a_neutral_changes_nothing_of_the_lines() {
    let with = measured();
    let mut without = board();
    without.channels.truncate(6);
    let mut meter = Meter::new(without).unwrap();
    let without: Vec<_> = (0..6000).filter_map(|n| meter.push(&codes(n)[..6]).interval).collect();
    assert!(with.len() > 5 && with.len() == without.len());
    assert!(with.iter().zip(&without).all(|(one, other)| one.lines == other.lines));
}

#[test]
fn a_neutral_that_is_measured_twice_is_refused() {
    let mut board = board();
    board.channels[5] = board.channels[6];
    assert_eq!(
        Meter::new(board).unwrap_err().to_string(),
        "channel 6 measures what another one measures already"
    );
}
