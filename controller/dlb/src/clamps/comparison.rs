//! A channel held against a reference instrument on the same load, for two seconds.

use crate::sampling::Scope;
use dlb_engine::lines::Line;
use dlb_engine::measure::CalibrationError;
use dlb_engine::measure::{Board, Correction, Interval, Kind, LineValues, Phasor, Reference, correct};
use dlb_engine::reading::Quality;
use std::time::{Duration, Instant};

/// Measuring intervals whose mean is compared: two seconds.
const INTERVALS: usize = 10;
/// By how much the load may change meanwhile, of its mean.
const UNSTEADY: f64 = 0.02;
const PATIENCE: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) line: Line,
    /// What the reference instrument shows: amperes or volts.
    pub(super) actual: f64,
    /// The load is resistive, so that the current cannot lag.
    pub(super) resistive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Compared {
    pub(super) measured: f64,
    pub(super) gain: f64,
    /// In radians, to be added to the lead in use.
    pub(super) more_lead: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotCompared {
    /// No readings came.
    Silence,
    /// A reading was marked bad.
    Bad,
    /// The load changed meanwhile.
    Unsteady,
    Impossible(CalibrationError),
}

/// Waits for the next intervals and compares. Blocks for about two seconds.
pub(super) fn compare(scope: &Scope, board: &Board, wanted: &Wanted) -> Result<Compared, NotCompared> {
    judge(&collect(scope, board)?, wanted)
}

fn collect(scope: &Scope, board: &Board) -> Result<Vec<Interval>, NotCompared> {
    let deadline = Instant::now() + PATIENCE;
    let mut intervals = Vec::with_capacity(INTERVALS);
    // The one under way began before the question.
    let mut seen = scope.latest(board).map_or(0, |latest| latest.number + 1);
    while intervals.len() < INTERVALS {
        if Instant::now() > deadline {
            return Err(NotCompared::Silence);
        }
        std::thread::sleep(LOOK_EVERY);
        let Some(latest) = scope.latest(board).filter(|latest| latest.number > seen) else { continue };
        seen = latest.number;
        intervals.push(latest.interval);
    }
    Ok(intervals)
}

fn judge(intervals: &[Interval], wanted: &Wanted) -> Result<Compared, NotCompared> {
    if intervals.iter().any(|interval| matches!(interval.quality, Quality::Bad(_))) {
        return Err(NotCompared::Bad);
    }
    let nothing = NotCompared::Impossible(CalibrationError::NothingMeasured);
    let value = |interval: &Interval| {
        let values = if wanted.kind.is_neutral() { &interval.neutral } else { &interval.lines[wanted.line] };
        if wanted.kind.is_current() { values.current_a } else { values.voltage_v }
    };
    let values: Vec<f64> = intervals.iter().map(value).collect::<Option<_>>().ok_or(nothing)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
    if most - least > UNSTEADY * mean {
        return Err(NotCompared::Unsteady);
    }
    let current = wanted.kind.is_current();
    let reference = Reference {
        current_a: if current { wanted.actual } else { 0.0 },
        voltage_v: if current { 0.0 } else { wanted.actual },
        lag: (wanted.kind == Kind::Current && wanted.resistive).then_some(0.0),
    };
    let measured = LineValues {
        current_a: current.then_some(mean),
        voltage_v: (!current).then_some(mean),
        voltage_phasor: Some(Phasor { rms: 1.0, angle: 0.0 }),
        current_phasor: lag(intervals, wanted.line).map(|lag| Phasor { rms: 1.0, angle: -lag }),
        ..LineValues::default()
    };
    let Correction { current_gain, voltage_gain, more_lead } =
        correct(&measured, &reference).map_err(NotCompared::Impossible)?;
    let gain = current_gain.or(voltage_gain).ok_or(nothing)?;
    Ok(Compared { measured: mean, gain, more_lead })
}

/// By how much the current lags its voltage, as a mean of directions.
fn lag(intervals: &[Interval], line: Line) -> Option<f64> {
    let mut sum = (0.0, 0.0);
    for interval in intervals {
        let values = &interval.lines[line];
        let (sin, cos) = (values.voltage_phasor?.angle - values.current_phasor?.angle).sin_cos();
        sum = (sum.0 + cos, sum.1 + sin);
    }
    Some(sum.1.atan2(sum.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::lines::PerLine;
    use dlb_engine::reading::Doubt;

    fn interval(amps: f64, lag: f64, quality: Quality) -> Interval {
        let values = LineValues {
            current_a: Some(amps),
            voltage_v: Some(230.0),
            voltage_phasor: Some(Phasor { rms: 230.0, angle: 3.0 }),
            current_phasor: Some(Phasor { rms: amps, angle: 3.0 - lag }),
            ..LineValues::default()
        };
        Interval {
            ended_s: 1.0,
            lasted_s: 0.2,
            frequency_hz: Some(50.0),
            lines: PerLine::all(values),
            neutral: LineValues::default(),
            bridged: 0,
            quality,
        }
    }

    const HEATER: Wanted = Wanted { kind: Kind::Current, line: Line::L2, actual: 16.0, resistive: true };

    #[test]
    fn a_steady_heater_shows_gain_and_lead_of_its_clamp() {
        let seen: Vec<_> = (0..10).map(|_| interval(15.5, -0.02, Quality::Good)).collect();
        let compared = judge(&seen, &HEATER).unwrap();
        assert!((compared.gain - 16.0 / 15.5).abs() < 1e-12);
        assert!((compared.more_lead.unwrap() - 0.02).abs() < 1e-12);
        let any_load = judge(&seen, &Wanted { resistive: false, ..HEATER }).unwrap();
        assert_eq!(any_load.more_lead, None);
        let volts = Wanted { kind: Kind::Voltage, actual: 231.0, resistive: false, ..HEATER };
        assert!((judge(&seen, &volts).unwrap().gain - 231.0 / 230.0).abs() < 1e-12);
    }

    #[test]
    fn a_load_that_changes_or_a_reading_that_is_bad_calibrates_nothing() {
        let mut seen: Vec<_> = (0..10).map(|_| interval(15.5, 0.0, Quality::Good)).collect();
        seen[4] = interval(16.1, 0.0, Quality::Good);
        assert_eq!(judge(&seen, &HEATER), Err(NotCompared::Unsteady));
        seen[4] = interval(15.5, 0.0, Quality::Bad(Doubt::Saturated));
        assert_eq!(judge(&seen, &HEATER), Err(NotCompared::Bad));
        let far = |actual| judge(&[interval(15.5, 0.0, Quality::Good)], &Wanted { actual, ..HEATER });
        assert_eq!(far(40.0), Err(NotCompared::Impossible(CalibrationError::TooFarOff)));
        assert_eq!(far(0.0), Err(NotCompared::Impossible(CalibrationError::NothingMeasured)));
    }
}
