//! From codes and an interval to what the page draws: a wave that stands still, phasors against one
//! reference, a finding in a word.

use super::view::{ClampLineView, ClampWaveView, ClampsView};
use crate::sampling::{BoardFile, Latest, Probe, Scope};
use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, CHANNELS_MAX, Finding, Harmonics, Interval, Kind, LineValues, Phasor};
use dlb_engine::reading::{Doubt, Quality};
use std::sync::atomic::Ordering;
use std::time::Duration;

type Codes = [i32; CHANNELS_MAX];

/// Cycles shown; one more is looked at to find where to begin.
const CYCLES: f64 = 2.0;
const SLOWEST_HZ: f64 = 45.0;
/// Points of a wave at most.
const POINTS: usize = 160;
/// An interval that is older than this says nothing about now.
const STALE: Duration = Duration::from_secs(2);
/// A crossing counts once the wave was this far below zero, as a share of its peak: noise crosses too.
const ARMED_AT: f64 = 0.1;

pub(super) fn picture(probe: &Probe, file: &BoardFile, board: &Board) -> ClampsView {
    let (scope, tally) = (&probe.scope, &probe.tally);
    let latest = scope.latest(board);
    let fresh = latest.filter(|latest| latest.seen_at.elapsed() < STALE);
    let (quality, doubt) = fresh.map_or(("missing", None), |latest| words(latest.interval.quality));
    let hz = fresh.and_then(|latest| latest.interval.frequency_hz);
    let (step, channels) = match fresh {
        Some(_) => waves(scope, file, board, hz.unwrap_or(board.nominal_hz)),
        None => (1, Vec::new()),
    };
    ClampsView {
        quality,
        doubt,
        age_s: latest.map(|latest| rounded(latest.seen_at.elapsed().as_secs_f64(), 10.0)),
        frequency_hz: hz.map(|hz| rounded(hz, 1000.0)),
        lines: lines(fresh.as_ref(), board),
        frames: tally.frames.load(Ordering::Relaxed),
        lost: tally.lost.load(Ordering::Relaxed),
        real_time: tally.real_time.load(Ordering::Relaxed),
        step_us: step as f64 * 1e6 / board.sample_rate_hz,
        channels,
    }
}

fn words(quality: Quality) -> (&'static str, Option<&'static str>) {
    let word = |doubt| match doubt {
        Doubt::NoVoltage => "no-voltage",
        Doubt::Saturated => "saturated",
        Doubt::OpenClamp => "open-clamp",
        Doubt::Gaps => "gaps",
        Doubt::Implausible => "implausible",
        Doubt::Frozen => "frozen",
    };
    match quality {
        Quality::Good => ("good", None),
        Quality::Doubtful(doubt) => ("doubtful", Some(word(doubt))),
        Quality::Bad(doubt) => ("bad", Some(word(doubt))),
    }
}

fn lines(latest: Option<&Latest>, board: &Board) -> Vec<ClampLineView> {
    let of_line = |line: Line| {
        let values = latest.map(|latest| latest.interval.lines[line]).unwrap_or_default();
        let found = latest.map_or(Finding::NothingToTell, |latest| latest.findings[line]);
        view(line.name(), (Kind::Current, line), &values, finding_words(found), latest, board)
    };
    let neutral = board.channels.iter().any(|channel| channel.kind.is_neutral()).then(|| {
        let values = latest.map(|latest| latest.interval.neutral).unwrap_or_default();
        view("N", (Kind::NeutralCurrent, Line::L1), &values, ("neutral", None), latest, board)
    });
    Line::ALL.map(of_line).into_iter().chain(neutral).collect()
}

fn view(
    name: &'static str,
    (kind, line): (Kind, Line),
    values: &LineValues,
    (finding, other): (&'static str, Option<Line>),
    latest: Option<&Latest>,
    board: &Board,
) -> ClampLineView {
    let channel = board.channel(kind, line).map(|at| board.channels[at]);
    let full_scale_a = channel.map(|channel| {
        let reach = (f64::from(board.code_max) - f64::from(board.code_min)) / 2.0;
        rounded(reach * channel.scale.abs(), 1.0)
    });
    let zero = latest.and_then(|latest| reference(&latest.interval));
    let degrees = |phasor: Option<Phasor>| Some(against(phasor?, zero?));
    let to = |value: Option<f64>, per_unit| value.map(|value| rounded(value, per_unit));
    ClampLineView {
        line: name,
        current_a: to(values.current_a, 1000.0),
        voltage_v: to(values.voltage_v, 100.0),
        power_w: to(values.power_w, 10.0),
        reactive_var: to(values.reactive_var, 10.0),
        apparent_va: to(values.apparent_va, 10.0),
        power_factor: to(values.power_factor, 1000.0),
        current_deg: degrees(values.current_phasor),
        voltage_deg: degrees(values.voltage_phasor),
        current_harmonics_a: orders(values.current_harmonics, 1000.0),
        voltage_harmonics_v: orders(values.voltage_harmonics, 100.0),
        current_distortion: distortion(values.current_harmonics),
        voltage_distortion: distortion(values.voltage_harmonics),
        finding,
        other: other.map(Line::name),
        full_scale_a,
        noise_floor_a: to(channel.map(|channel| board.floor(&channel)), 10_000.0),
    }
}

fn orders(harmonics: Option<Harmonics>, per_unit: f64) -> Option<Vec<f64>> {
    harmonics.map(|harmonics| harmonics.rms().iter().map(|rms| rounded(f64::from(*rms), per_unit)).collect())
}

fn distortion(harmonics: Option<Harmonics>) -> Option<f64> {
    Some(rounded(f64::from(harmonics?.distortion()?), 1000.0))
}

/// The first voltage; without any, the strongest current.
fn reference(interval: &Interval) -> Option<Phasor> {
    let voltage = Line::ALL.into_iter().find_map(|line| interval.lines[line].voltage_phasor);
    let currents = Line::ALL.into_iter().filter_map(|line| interval.lines[line].current_phasor);
    voltage.or_else(|| currents.max_by(|one, other| one.rms.total_cmp(&other.rms)))
}

fn against(phasor: Phasor, zero: Phasor) -> f64 {
    let degrees = (phasor.angle - zero.angle).to_degrees();
    rounded((degrees + 180.0).rem_euclid(360.0) - 180.0, 10.0)
}

fn finding_words(finding: Finding) -> (&'static str, Option<Line>) {
    match finding {
        Finding::NotMeasured => ("not-measured", None),
        Finding::Missing => ("missing", None),
        Finding::Saturated => ("saturated", None),
        Finding::NoVoltage => ("no-voltage", None),
        Finding::NothingToTell => ("nothing-to-tell", None),
        Finding::Fits => ("fits", None),
        Finding::FitsTurned => ("fits-turned", None),
        Finding::Backwards => ("backwards", None),
        Finding::Swapped { with } => ("swapped", Some(with)),
        Finding::OnLine(line) => ("on-line", Some(line)),
        Finding::Unclear => ("unclear", None),
    }
}

/// Samples between two points, and the waves.
fn waves(scope: &Scope, file: &BoardFile, board: &Board, hz: f64) -> (usize, Vec<ClampWaveView>) {
    let cycle = board.sample_rate_hz / hz.max(SLOWEST_HZ);
    let shown = (CYCLES * cycle).round() as usize;
    let step = shown.div_ceil(POINTS).max(1);
    let Some(stretch) = scope.stretch(shown + cycle.ceil() as usize + 1) else { return (step, Vec::new()) };
    // Over whole cycles: a part of one would have a mean of its own.
    let middles = middles(&stretch[..shown], board);
    let start = trigger(&stretch, board, &middles).filter(|at| at + shown <= stretch.len()).unwrap_or(0);
    let visible: Vec<_> = stretch.iter().skip(start).take(shown + 1).step_by(step).collect();
    let views = file.channels.iter().zip(&board.channels).enumerate().map(|(at, (part, channel))| {
        let per_unit = if channel.kind.is_current() { 100.0 } else { 10.0 };
        let value = |code: i32| rounded((f64::from(code) - middles[at]) * channel.scale, per_unit);
        ClampWaveView {
            name: part.name.clone(),
            kind: if channel.kind.is_current() { "current" } else { "voltage" },
            line: channel.conductor(),
            wave: visible.iter().map(|frame| frame.map(|codes| value(codes[at]))).collect(),
        }
    });
    (step, views.collect())
}

/// The mean of each channel: converters for alternating signals have their zero in the middle of the range.
fn middles(stretch: &[Option<Codes>], board: &Board) -> Vec<f64> {
    let count = stretch.iter().flatten().count().max(1) as f64;
    let sum = |at: usize| stretch.iter().flatten().map(|codes| f64::from(codes[at])).sum::<f64>();
    (0..board.channels.len()).map(|at| sum(at) / count).collect()
}

/// Where the reference rises through zero.
fn trigger(stretch: &[Option<Codes>], board: &Board, middles: &[f64]) -> Option<usize> {
    let at = trigger_channel(stretch, board, middles)?;
    let value = |codes: &[i32]| (f64::from(codes[at]) - middles[at]) * board.channels[at].scale.signum();
    let peak = stretch.iter().flatten().map(|codes| value(codes).abs()).fold(0.0, f64::max);
    let mut armed = false;
    for (place, frame) in stretch.iter().enumerate() {
        let Some(codes) = frame else {
            armed = false;
            continue;
        };
        armed |= value(codes) < -ARMED_AT * peak;
        if armed && value(codes) >= 0.0 {
            return Some(place);
        }
    }
    None
}

fn trigger_channel(stretch: &[Option<Codes>], board: &Board, middles: &[f64]) -> Option<usize> {
    let voltages = Line::ALL.into_iter().find_map(|line| board.channel(Kind::Voltage, line));
    let swing = |at: &usize| {
        let off = |codes: &[i32]| (f64::from(codes[*at]) - middles[*at]).abs();
        stretch.iter().flatten().map(|codes| off(codes)).fold(0.0, f64::max)
    };
    voltages.or_else(|| (0..board.channels.len()).max_by(|a, b| swing(a).total_cmp(&swing(b))))
}

fn rounded(value: f64, per_unit: f64) -> f64 {
    // No minus before a zero.
    (value * per_unit).round() / per_unit + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 A on every line, 50 Hz at 4 kHz, from some instant on, off the middle of the range.
    fn scope(file: &BoardFile, board: &Board) -> Scope {
        let scope = Scope::default();
        for frame in 0..400_i32 {
            let angle = std::f64::consts::TAU * f64::from(frame - 60) / 80.0;
            let codes: Vec<i32> = board
                .channels
                .iter()
                .map(|channel| {
                    let angle = angle - std::f64::consts::TAU / 3.0 * channel.line.index() as f64;
                    let rms = if channel.kind == Kind::Current { 20.0 } else { 230.0 };
                    (std::f64::consts::SQRT_2 * rms * angle.sin() / channel.scale) as i32 + 5_000
                })
                .collect();
            scope.frame(0, &codes);
        }
        assert_eq!(file.channels.len(), board.channels.len());
        scope
    }

    #[test]
    fn the_wave_stands_still_at_the_first_voltages_rise_and_has_no_dc() {
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        let file = BoardFile::parse(text, std::path::Path::new("board.toml")).unwrap();
        let board = file.board().unwrap();
        let scope = scope(&file, &board);
        let (step, waves) = waves(&scope, &file, &board, 50.0);
        assert_eq!((step, waves.len(), waves[0].wave.len()), (1, 6, 161));
        let of =
            |name: &str, at: usize| waves.iter().find(|wave| wave.name == name).unwrap().wave[at].unwrap();
        assert!(of("u1", 0) >= 0.0 && of("u1", 0) < 30.0);
        assert!((of("u1", 20) - 325.3).abs() < 2.0 && (of("i1", 20) - 28.28).abs() < 0.2);
        assert!(of("u1", 79) < 1.0, "one cycle later it rises again");
    }

    #[test]
    fn without_an_interval_there_is_a_picture_that_says_so() {
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        let file = BoardFile::parse(text, std::path::Path::new("board.toml")).unwrap();
        let board = file.board().unwrap();
        let view = picture(&Probe::default(), &file, &board);
        assert_eq!(
            (view.quality, view.age_s, view.channels.len(), view.lines.len()),
            ("missing", None, 0, 3)
        );
        assert_eq!(view.lines[0].full_scale_a, Some(471.0));
    }
}
