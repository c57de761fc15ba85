//! What an installer gets told while a car charges.

use crate::wave::{ADS131M08, Noise, Rig, Wave};
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::measure::{
    CalibrationError, ClampWatch, Correction, Finding, Findings, Fit, Interval, LineValues, Phasor,
    Reference, correct, finding, fit,
};
use dlb_engine::reading::{Doubt, Quality};
use std::f64::consts::{PI, TAU};

/// Lines at 0°, −120°, −240°; each clamp sees 16 A of the line and in the direction given.
fn interval(clamps: [(Line, bool); 3], lag: f64) -> Interval {
    let angle = |line: Line| -TAU / 3.0 * line.index() as f64 + 0.7;
    let values = |own: Line, (on, backwards): (Line, bool)| LineValues {
        current_a: Some(16.0),
        voltage_phasor: Some(Phasor { rms: 230.0, angle: angle(own) }),
        current_phasor: Some(Phasor { rms: 16.0, angle: angle(on) - lag + if backwards { PI } else { 0.0 } }),
        ..LineValues::default()
    };
    Interval {
        ended_s: 1.0,
        lasted_s: 0.2,
        frequency_hz: Some(50.0),
        lines: PerLine(std::array::from_fn(|at| values(Line::ALL[at], clamps[at]))),
        neutral: LineValues::default(),
        bridged: 0,
        quality: Quality::Good,
    }
}

#[test]
fn a_car_that_charges_tells_which_clamps_are_wrong() {
    use Line::{L1, L2, L3};
    for lag in [-0.2, 0.0, 0.3] {
        let right = interval([(L1, false), (L2, false), (L3, false)], lag);
        assert!(Line::ALL.into_iter().all(|line| fit(&right, line) == Fit::Right));
        let wrong = interval([(L1, true), (L3, false), (L2, true)], lag);
        assert_eq!(fit(&wrong, L1), Fit::Backwards);
        assert_eq!(fit(&wrong, L2), Fit::OnLine { line: L3, backwards: false });
        assert_eq!(fit(&wrong, L3), Fit::OnLine { line: L2, backwards: true });
    }
}

#[test]
fn a_motor_or_an_idle_line_is_not_judged() {
    let lines = [(Line::L1, false), (Line::L2, false), (Line::L3, false)];
    assert_eq!(fit(&interval(lines, 0.52), Line::L1), Fit::Unclear);
    let mut idle = interval(lines, 0.0);
    idle.lines[Line::L2].current_phasor = Some(Phasor { rms: 0.3, angle: 0.0 });
    assert_eq!(fit(&idle, Line::L2), Fit::NothingToTell);
    idle.lines[Line::L3].voltage_phasor = None;
    assert_eq!(fit(&idle, Line::L3), Fit::NothingToTell);
}

#[test]
fn a_clamp_that_shows_nothing_for_half_a_minute_is_doubted_until_it_shows_something() {
    let mut board = Rig::new(ADS131M08, 63.0).board();
    let second = dlb_engine::measure::Channel { line: Line::L2, ..board.channels[0] };
    board.channels.push(second);
    let mut watch = ClampWatch::new(&board);
    let mut judged = |amps: f64| {
        let mut seen = interval([(Line::L1, false); 3], 0.0);
        seen.lines[Line::L2].current_a = Some(amps);
        watch.judge(&mut seen);
        seen.quality
    };
    for _ in 0..149 {
        assert_eq!(judged(0.000_5), Quality::Good);
    }
    assert_eq!(judged(0.0), Quality::Doubtful(Doubt::OpenClamp));
    assert_eq!(judged(0.1), Quality::Good);
}

/// A clamp and a divider that are off: the comparison finds by how much.
#[test]
fn a_comparison_with_a_reference_finds_gain_and_lead() {
    let rig = Rig { lead: 0.02, knows_lead: false, ..Rig::new(ADS131M08, 63.0) };
    let (u, i) = (Wave::sine(231.0, 0.0), Wave::sine(20.0, -0.4));
    let mut board = rig.board();
    board.channels[0].scale *= 0.97;
    board.channels[1].scale *= 1.02;
    let mut meter = dlb_engine::measure::Meter::new(board).unwrap();
    let mut noise = Noise(4);
    let seen = (0..4000).filter_map(|n| meter.push(&rig.codes(50.0, &u, &i, n, &mut noise)).interval).last();
    let reference = Reference { current_a: 20.0, voltage_v: 231.0, lag: Some(0.4) };
    let Correction { current_gain, voltage_gain, more_lead } =
        correct(&seen.unwrap().lines[Line::L1], &reference).unwrap();
    assert!((current_gain.unwrap() * 0.97 - 1.0).abs() < 0.0003);
    assert!((voltage_gain.unwrap() * 1.02 - 1.0).abs() < 0.0003);
    assert!((more_lead.unwrap() - 0.02).abs() < 0.0003, "{more_lead:?}");
}

#[test]
fn a_comparison_that_cannot_be_of_the_same_load_is_refused() {
    let reference = Reference { current_a: 20.0, voltage_v: 230.0, lag: None };
    let half = LineValues { current_a: Some(10.0), ..LineValues::default() };
    assert_eq!(correct(&half, &reference), Err(CalibrationError::TooFarOff));
    assert_eq!(correct(&LineValues::default(), &reference), Err(CalibrationError::NothingMeasured));
}

/// Two lines swapped, one right but turned round in software.
fn commissioned() -> (dlb_engine::measure::Board, Interval) {
    use Line::{L1, L2, L3};
    let mut board = Rig::new(ADS131M08, 63.0).board();
    let current = board.channels[0];
    board.channels.push(dlb_engine::measure::Channel { line: L2, scale: -current.scale, ..current });
    board.channels.push(dlb_engine::measure::Channel { line: L3, ..current });
    board.channels[0].line = L1;
    (board, interval([(L3, false), (L2, false), (L1, true)], 0.0))
}

#[test]
fn two_swapped_clamps_are_named_together_and_a_turned_one_stays_known() {
    let (board, seen) = commissioned();
    let of = |line| finding(&seen, &board, line, false, false);
    assert_eq!(of(Line::L1), Finding::Swapped { with: Line::L3 });
    assert_eq!(of(Line::L2), Finding::FitsTurned);
    assert_eq!(of(Line::L3), Finding::Swapped { with: Line::L1 });
    assert_eq!(finding(&seen, &board, Line::L2, true, false), Finding::Missing);
    assert_eq!(finding(&seen, &board, Line::L2, true, true), Finding::Saturated);
}

#[test]
fn an_inductive_building_is_not_taken_for_clamps_on_other_lines() {
    use Line::{L1, L2, L3};
    let (board, _) = commissioned();
    let motors = interval([(L1, false), (L2, false), (L3, false)], 0.95);
    assert!(
        Line::ALL.into_iter().all(|line| finding(&motors, &board, line, false, false) == Finding::Unclear)
    );
    let rotated = interval([(L2, false), (L3, false), (L1, false)], 0.1);
    assert_eq!(finding(&rotated, &board, L1, false, false), Finding::OnLine(L2));
}

#[test]
fn one_odd_interval_does_not_change_what_is_said_of_a_clamp() {
    let mut findings = Findings::default();
    let mut see = |finding, times| {
        (0..times).for_each(|_| findings.saw(Line::L1, finding));
        findings.said(Line::L1)
    };
    assert_eq!(see(Finding::Fits, 7), Finding::NothingToTell, "not yet");
    assert_eq!(see(Finding::Fits, 1), Finding::Fits);
    assert_eq!(see(Finding::Backwards, 7), Finding::Fits);
    assert_eq!(see(Finding::Fits, 1), Finding::Fits);
    assert_eq!(see(Finding::NothingToTell, 100), Finding::Fits, "a line at rest proves nothing");
    assert_eq!(see(Finding::Saturated, 1), Finding::Saturated, "at once");
    assert_eq!(see(Finding::NothingToTell, 8), Finding::NothingToTell);
    assert_eq!(see(Finding::Backwards, 8), Finding::Backwards);
}
