//! What comes out, in SI units.

use super::How;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::measure::{
    Board, Channel, ClampWatch, Energy, Finding, Findings, Harmonics, Interval, LineValues, finding,
};
use dlb_engine::reading::{Doubt, Quality};
use serde::Serialize;
use std::collections::BTreeMap;

/// One measuring interval.
#[derive(Debug, Serialize)]
pub(super) struct IntervalView {
    t_s: f64,
    frequency_hz: Option<f64>,
    phases: BTreeMap<&'static str, MeasuredView>,
    quality: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'static str>,
}

/// A phase of one interval.
#[derive(Debug, Serialize)]
struct MeasuredView {
    #[serde(flatten)]
    values: PhaseView,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_harmonics_a: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voltage_harmonics_v: Option<Vec<f64>>,
}

impl MeasuredView {
    fn new(line: &LineValues, how: How) -> Self {
        let rms = |harmonics: Option<Harmonics>| {
            let harmonics = harmonics.filter(|_| how.harmonics)?;
            Some(harmonics.rms().iter().map(|rms| round(f64::from(*rms))).collect())
        };
        Self {
            values: PhaseView::new(line),
            current_harmonics_a: rms(line.current_harmonics),
            voltage_harmonics_v: rms(line.voltage_harmonics),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct PhaseView {
    current_a: Option<f64>,
    voltage_v: Option<f64>,
    power_w: Option<f64>,
    reactive_var: Option<f64>,
    apparent_va: Option<f64>,
    power_factor: Option<f64>,
}

/// The last line.
#[derive(Debug, Serialize)]
pub(super) struct SummaryLine {
    summary: SummaryView,
}

#[derive(Debug, Serialize)]
struct SummaryView {
    intervals: u64,
    good: u64,
    doubtful: u64,
    bad: u64,
    measured_s: f64,
    frequency_hz: Option<f64>,
    phases: BTreeMap<&'static str, PhaseView>,
    imported_wh: Option<f64>,
    exported_wh: Option<f64>,
    clamps: BTreeMap<&'static str, ClampView>,
}

/// What there is to say about a clamp.
#[derive(Debug, Serialize)]
struct ClampView {
    finding: &'static str,
    /// The other line that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'static str>,
    /// Below this a current cannot be told from noise.
    noise_floor_a: f64,
}

impl IntervalView {
    pub(super) fn new(board: &Board, interval: &Interval, how: How) -> Self {
        let (quality, doubt) = words(interval.quality);
        let phases = measured(board).map(|line| (line.name(), MeasuredView::new(&interval.lines[line], how)));
        let neutral = has_neutral(board).then(|| ("N", MeasuredView::new(&interval.neutral, how)));
        Self {
            t_s: round(interval.ended_s),
            frequency_hz: interval.frequency_hz.map(round),
            phases: phases.chain(neutral).collect(),
            quality,
            doubt,
        }
    }
}

/// The lines that the board has a channel for.
fn measured(board: &Board) -> impl Iterator<Item = Line> {
    let measures = |channel: &Channel, line| !channel.kind.is_neutral() && channel.line == line;
    Line::ALL.into_iter().filter(move |line| board.channels.iter().any(|channel| measures(channel, *line)))
}

fn has_neutral(board: &Board) -> bool {
    board.channels.iter().any(|channel| channel.kind.is_neutral())
}

/// Microamperes and microvolts are far below any converter's noise.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn words(quality: Quality) -> (&'static str, Option<&'static str>) {
    let doubt = |doubt| match doubt {
        Doubt::NoVoltage => "no-voltage",
        Doubt::Saturated => "saturated",
        Doubt::OpenClamp => "open-clamp",
        Doubt::Gaps => "gaps",
        Doubt::Implausible => "implausible",
        Doubt::Frozen => "frozen",
    };
    match quality {
        Quality::Good => ("good", None),
        Quality::Doubtful(why) => ("doubtful", Some(doubt(why))),
        Quality::Bad(why) => ("bad", Some(doubt(why))),
    }
}

fn clamp_words(finding: Finding) -> (&'static str, Option<Line>) {
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

impl PhaseView {
    fn new(line: &LineValues) -> Self {
        Self {
            current_a: line.current_a.map(round),
            voltage_v: line.voltage_v.map(round),
            power_w: line.power_w.map(round),
            reactive_var: line.reactive_var.map(round),
            apparent_va: line.apparent_va.map(round),
            power_factor: line.power_factor.map(round),
        }
    }
}

/// A mean of what was there.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// Means of one line; the power factor's is that of the mean powers.
#[derive(Clone, Copy, Debug, Default)]
struct LineMeans {
    current: Mean,
    voltage: Mean,
    power: Mean,
    reactive: Mean,
    apparent: Mean,
}

impl LineMeans {
    fn add(&mut self, line: &LineValues) {
        self.current.add(line.current_a);
        self.voltage.add(line.voltage_v);
        self.power.add(line.power_w);
        self.reactive.add(line.reactive_var);
        self.apparent.add(line.apparent_va);
    }

    fn values(&self) -> LineValues {
        let (power_w, apparent_va) = (self.power.value(), self.apparent.value());
        let factor = power_w.zip(apparent_va).filter(|(_, apparent)| *apparent > 0.0);
        LineValues {
            current_a: self.current.value(),
            voltage_v: self.voltage.value(),
            power_w,
            reactive_var: self.reactive.value(),
            apparent_va,
            power_factor: factor.map(|(power, apparent)| power / apparent),
            ..LineValues::default()
        }
    }
}

/// What the run comes to; intervals marked bad are counted and otherwise left out.
#[derive(Debug)]
pub(super) struct Summing {
    board: Board,
    good: u64,
    doubtful: u64,
    bad: u64,
    measured_s: f64,
    frequency: Mean,
    lines: PerLine<LineMeans>,
    neutral: LineMeans,
    energy: Energy,
    findings: Findings,
}

impl Summing {
    pub(super) fn new(board: &Board) -> Self {
        Self {
            board: board.clone(),
            good: 0,
            doubtful: 0,
            bad: 0,
            measured_s: 0.0,
            frequency: Mean::default(),
            lines: PerLine::all(LineMeans::default()),
            neutral: LineMeans::default(),
            energy: Energy::default(),
            findings: Findings::default(),
        }
    }

    pub(super) fn add(&mut self, interval: &Interval, clamps: &ClampWatch) {
        match interval.quality {
            Quality::Good => self.good += 1,
            Quality::Doubtful(_) => self.doubtful += 1,
            Quality::Bad(_) => {
                self.bad += 1;
                return;
            }
        }
        for line in measured(&self.board) {
            let found = finding(interval, &self.board, line, clamps.is_silent(line), false);
            self.findings.saw(line, found);
        }
        self.measured_s += interval.lasted_s;
        self.frequency.add(interval.frequency_hz);
        for line in Line::ALL {
            self.lines[line].add(&interval.lines[line]);
        }
        self.neutral.add(&interval.neutral);
        self.energy.count(interval.power_w().unwrap_or(0.0), interval.lasted_s);
    }

    pub(super) fn view(&self) -> SummaryLine {
        let (imported, exported) = self.energy.millijoules();
        let watt_hours =
            |millijoules: u64| self.board.has_voltage().then(|| round(millijoules as f64 / 3.6e6));
        let neutral = has_neutral(&self.board).then(|| ("N", PhaseView::new(&self.neutral.values())));
        let phases = measured(&self.board)
            .map(|line| (line.name(), PhaseView::new(&self.lines[line].values())))
            .chain(neutral)
            .collect();
        let clamps = Line::ALL.into_iter().filter_map(|line| Some((line.name(), self.clamp(line)?)));
        SummaryLine {
            summary: SummaryView {
                intervals: self.good + self.doubtful + self.bad,
                good: self.good,
                doubtful: self.doubtful,
                bad: self.bad,
                measured_s: round(self.measured_s),
                frequency_hz: self.frequency.value().map(round),
                phases,
                imported_wh: watt_hours(imported),
                exported_wh: watt_hours(exported),
                clamps: clamps.collect(),
            },
        }
    }

    fn clamp(&self, line: Line) -> Option<ClampView> {
        let noise_floor_a = round(self.board.noise_floor_a(line)?);
        let (finding, other) = clamp_words(self.findings.said(line));
        Some(ClampView { finding, line: other.map(Line::name), noise_floor_a })
    }
}
