//! The full picture of a measuring interval, and the sums' translation into it.

use super::board::{Board, Channel};
use super::energy::Energy;
use super::harmonics::{Closed, Harmonics};
use super::sums::{Area, ChannelMeans, Layout, Pair};
use crate::lines::{Line, PerLine};
use crate::reading::{Quality, Reading};
use crate::time::Instant;
use crate::units::{Milliamps, Millivolts, Watts};
use core::f64::consts::TAU;

/// What was measured over 10 or 12 cycles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// End of the interval, in seconds of samples since the meter began.
    pub ended_s: f64,
    pub lasted_s: f64,
    /// `None` while there is nothing to measure it by.
    pub frequency_hz: Option<f64>,
    pub lines: PerLine<LineValues>,
    /// Of the neutral conductor: no powers, since none of its own are.
    pub neutral: LineValues,
    /// Samples that were lost and bridged.
    pub bridged: u32,
    pub quality: Quality,
}

/// One line's values; `None` where the board does not measure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineValues {
    /// Root mean square, without a sign.
    pub current_a: Option<f64>,
    pub voltage_v: Option<f64>,
    /// Active power of the whole waveform; positive is import.
    pub power_w: Option<f64>,
    /// Reactive power of the fundamental; positive is inductive.
    pub reactive_var: Option<f64>,
    /// Product of the two root mean squares.
    pub apparent_va: Option<f64>,
    /// Active over apparent power, with the sign of the active.
    pub power_factor: Option<f64>,
    /// Fundamentals, as phasors with one common (and arbitrary) zero angle.
    pub current_phasor: Option<Phasor>,
    pub voltage_phasor: Option<Phasor>,
    /// `None` also while there is no fundamental to count orders by.
    pub current_harmonics: Option<Harmonics>,
    pub voltage_harmonics: Option<Harmonics>,
}

/// A fundamental: root mean square and angle in radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phasor {
    pub rms: f64,
    pub angle: f64,
}

impl Phasor {
    fn from_parts(re: f64, im: f64) -> Self {
        Self { rms: re.hypot(im), angle: im.atan2(re) }
    }

    /// Active and reactive power of a voltage and a current.
    fn power(self, current: Self) -> (f64, f64) {
        let (sin, cos) = (self.angle - current.angle).sin_cos();
        (self.rms * current.rms * cos, self.rms * current.rms * sin)
    }

    fn turned(self, by: f64) -> Self {
        Self { angle: self.angle + by, ..self }
    }
}

/// The lines, and the neutral conductor.
pub(super) type Conductors = (PerLine<LineValues>, LineValues);

/// Translates the sums of a window, with the mains' angle per sample as it was measured.
pub(super) fn conductors(board: &Board, layout: &Layout, area: &Area, omega: f64) -> Conductors {
    let (mut lines, mut neutral) = (PerLine::all(LineValues::default()), LineValues::default());
    for (at, channel) in board.channels.iter().enumerate() {
        let means = area.channel(layout, at);
        let rms = rms(&means, channel, layout.noise_gain);
        // What is sampled later, or comes early, has turned on: turn it back.
        let turned = channel.lead + omega * channel.delay_s * board.sample_rate_hz;
        let phasor = fundamental(&means, channel.scale).turned(-turned);
        let values = if channel.kind.is_neutral() { &mut neutral } else { &mut lines[channel.line] };
        if channel.kind.is_current() {
            (values.current_a, values.current_phasor) = (Some(rms), Some(phasor));
        } else {
            (values.voltage_v, values.voltage_phasor) = (Some(rms), Some(phasor));
        }
    }
    for (at, pair) in layout.pairs().iter().enumerate() {
        let power = active_power(board, layout, area, omega, (at, pair));
        fill_power(&mut lines[board.channels[pair.current].line], power);
    }
    (lines, neutral)
}

/// Adds the harmonics of a window that lasted whole cycles.
pub(super) fn add_harmonics(
    (lines, neutral): &mut Conductors,
    board: &Board,
    layout: &Layout,
    area: &Area,
    (spectrum, per_cycle): (&Closed, f64),
) {
    for (at, channel) in board.channels.iter().enumerate() {
        let mean = area.channel(layout, at).mean;
        let over = (area.length, per_cycle);
        let harmonics = Some(spectrum.of(at, mean, over, channel.scale, &layout.droop));
        let values = if channel.kind.is_neutral() { &mut *neutral } else { &mut lines[channel.line] };
        if channel.kind.is_current() {
            values.current_harmonics = harmonics;
        } else {
            values.voltage_harmonics = harmonics;
        }
    }
}

/// Without DC and without the converter's own noise.
pub(super) fn rms(means: &ChannelMeans, channel: &Channel, noise_gain: f64) -> f64 {
    let noise = channel.noise * noise_gain;
    (means.square - means.mean * means.mean - noise).max(0.0).sqrt() * channel.scale.abs()
}

/// Lines whose active power plainly flows out. Quick and rough: phase errors of a few degrees do not matter here.
pub(super) fn exporting(board: &Board, layout: &Layout, area: &Area) -> impl Iterator<Item = Line> {
    let exports = |(at, pair): (usize, &Pair)| {
        let (current, voltage) = (board.channels[pair.current], board.channels[pair.voltage]);
        let (of_current, of_voltage) =
            (area.channel(layout, pair.current), area.channel(layout, pair.voltage));
        let direct = of_current.mean * of_voltage.mean;
        let watts = (area.pair(layout, at).0 - direct) * current.scale * voltage.scale;
        let gain = layout.noise_gain;
        let apparent = rms(&of_current, &current, gain) * rms(&of_voltage, &voltage, gain);
        (watts < EXPORTS_BELOW * apparent).then_some(current.line)
    };
    layout.pairs().iter().enumerate().filter_map(exports)
}

/// `x = √2·rms·cos(φ + angle)`, measured against cosine and sine of `φ`.
fn fundamental(means: &ChannelMeans, scale: f64) -> Phasor {
    let half = core::f64::consts::SQRT_2 * scale;
    Phasor::from_parts(half * means.cos, -half * means.sin)
}

/// Of the whole waveform: channels brought to the same instant, and the fundamental turned by the
/// difference of the transformers' phase errors.
fn active_power(board: &Board, layout: &Layout, area: &Area, omega: f64, (at, pair): (usize, &Pair)) -> f64 {
    let (current, voltage) = (board.channels[pair.current], board.channels[pair.voltage]);
    let scale = current.scale * voltage.scale;
    let (of_current, of_voltage) = (area.channel(layout, pair.current), area.channel(layout, pair.voltage));
    let (together, shifted) = area.pair(layout, at);
    let theta = omega * pair.later_s.abs() * board.sample_rate_hz;
    let late = theta.sin() / omega.sin();
    let straight = theta.cos() - late * omega.cos();
    let direct = of_current.mean * of_voltage.mean * (straight + late);
    let whole = (straight * together + late * shifted - direct) * scale;

    let turned_by_time = omega * pair.later_s * board.sample_rate_hz;
    let u = fundamental(&of_voltage, voltage.scale);
    let i = fundamental(&of_current, current.scale).turned(-turned_by_time);
    let lead = current.lead - voltage.lead;
    whole + u.power(i.turned(-lead)).0 - u.power(i).0
}

fn fill_power(line: &mut LineValues, active: f64) {
    let (Some(amps), Some(volts)) = (line.current_a, line.voltage_v) else { return };
    let (Some(i), Some(u)) = (line.current_phasor, line.voltage_phasor) else { return };
    let apparent = amps * volts;
    // A current that drowns in the noise carries no power that could be told from the noise either.
    let active = if amps == 0.0 { 0.0 } else { active.clamp(-apparent, apparent) };
    line.power_w = Some(active);
    line.apparent_va = Some(apparent);
    line.reactive_var = Some(if amps == 0.0 { 0.0 } else { u.power(i).1 });
    line.power_factor = (apparent > 0.0).then(|| active / apparent);
}

/// Below this power factor a line counts as exporting.
const EXPORTS_BELOW: f64 = -0.5;

impl LineValues {
    /// The current that decisions use: negative is export.
    ///
    /// A fuse feels the current, not the power. Counting a mostly reactive current as negative would hand
    /// out room that is not there, so only a line that plainly exports counts as such, and only with the part
    /// of its current that flows against the voltage.
    #[must_use]
    pub fn signed_current_a(&self) -> Option<f64> {
        match (self.current_a, self.power_factor) {
            (Some(amps), Some(factor)) if factor < EXPORTS_BELOW => Some(amps * factor),
            (amps, _) => amps,
        }
    }
}

impl Interval {
    /// Of the conductor that a channel measures.
    #[must_use]
    pub fn values(&self, channel: &Channel) -> &LineValues {
        if channel.kind.is_neutral() { &self.neutral } else { &self.lines[channel.line] }
    }

    /// Sum over the lines that measure power.
    #[must_use]
    pub fn power_w(&self) -> Option<f64> {
        let mut measured = self.lines.0.iter().filter_map(|line| line.power_w).peekable();
        measured.peek()?;
        Some(measured.sum())
    }

    /// As the rest of dlb takes it; `energy` where the board can measure it.
    #[must_use]
    pub fn reading(&self, at: Instant, energy: Option<&Energy>) -> Reading {
        let milli = |volts: f64| Millivolts::from_volts_f64(volts);
        let watts = |watts: f64| Watts(watts.round() as i64);
        Reading {
            at,
            current: self.lines.map(|line| line.signed_current_a().map(Milliamps::from_amps_f64)),
            voltage: self.lines.map(|line| line.voltage_v.map(milli)),
            power: self.lines.map(|line| line.power_w.map(watts)),
            power_total: self.power_w().map(watts),
            imported: energy.map(Energy::imported),
            exported: energy.map(Energy::exported),
            frequency_mhz: self.frequency_hz.map(|hz| (hz * 1000.0).round() as u32),
            quality: self.quality,
        }
    }

    /// Highest current of any line.
    #[must_use]
    pub fn highest_current_a(&self) -> f64 {
        Line::ALL.iter().filter_map(|&line| self.lines[line].current_a).fold(0.0, f64::max)
    }
}

/// Angle per sample of a frequency.
pub(super) fn omega(hz: f64, sample_rate_hz: f64) -> f64 {
    TAU * hz / sample_rate_hz
}
