//! The running measurement: frames in, cycles and intervals out.

use super::board::{Board, BoardError, CHANNELS_MAX, Kind};
use super::conditioning::{Conditioner, Frame};
use super::crossing::Crossings;
use super::harmonics::Spectrum;
use super::interval::{self, Interval, LineValues};
use super::state::State;
use super::sums::{Area, Layout, Window};
use crate::lines::PerLine;
use crate::reading::{Doubt, Quality};

/// What one frame brought to an end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    pub cycle: Option<Cycle>,
    pub interval: Option<Interval>,
}

/// Root mean squares of the last whole mains cycle, renewed every half cycle: the fast path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    pub ended_s: f64,
    /// Negative where the line plainly exports, as in a reading.
    pub current_a: PerLine<Option<f64>>,
    /// The true current may have been higher.
    pub clipped: bool,
}

/// Samples in a row that are bridged by a straight line; more than these break the interval.
const BRIDGED_MAX: u32 = 3;
/// Slowest mains; a half cycle that lasts longer has no mains in it.
const SLOWEST_HZ: f64 = 40.0;
const FASTEST_HZ: f64 = 70.0;
/// The band-pass has settled after this.
const SETTLES_S: f64 = 0.085;
/// A voltage below this is not connected, or its fuse has blown.
const DEAD_VOLTS: f64 = 20.0;
/// A current is good for finding cycles when its peak is this many codes, and noise widths, high.
const CURRENT_REFERENCE_CODES: f64 = 8.0;
/// Half cycles after which an interval is given out even if the reference comes and goes.
const PATIENCE: u32 = 50;

/// One converter's measurement. Allocates nothing once it is made.
#[derive(Clone, Debug)]
pub struct Meter {
    board: Board,
    layout: Layout,
    watches: [Crossings; CHANNELS_MAX],
    /// The channel whose fundamental cuts the windows.
    reference: Option<usize>,
    locked: bool,
    hz: f64,
    /// Cosine and sine that the fundamental is measured against, and their turn per sample.
    phase: (f64, f64),
    turn: (f64, f64),
    conditioner: Conditioner,
    before: [f64; CHANNELS_MAX],
    window: Window,
    spectrum: Spectrum,
    half: Option<Area>,
    sum: Area,
    state: State,
    samples: u64,
    settle_left: u32,
    /// Samples until the band-passes have forgotten that their input was clipped.
    shaken: u32,
}

impl Meter {
    /// # Errors
    /// What makes the board unfit for measuring.
    pub fn new(board: Board) -> Result<Self, BoardError> {
        board.check()?;
        let mut meter = Self {
            layout: Layout::new(&board),
            watches: [Crossings::new(board.sample_rate_hz); CHANNELS_MAX],
            reference: None,
            locked: false,
            hz: board.nominal_hz,
            phase: (1.0, 0.0),
            turn: (1.0, 0.0),
            conditioner: Conditioner::new(&board),
            before: [0.0; CHANNELS_MAX],
            window: Window::new(),
            spectrum: Spectrum::new(board.channels.len()),
            half: None,
            sum: Area::EMPTY,
            state: State::new(),
            samples: 0,
            settle_left: 0,
            shaken: 0,
            board,
        };
        meter.restart();
        Ok(meter)
    }

    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Takes one frame: a code for each channel of the board. Missing codes count as zero.
    pub fn push(&mut self, codes: &[i32]) -> Step {
        let mut frame = Frame::EMPTY;
        for ((value, &code), channel) in frame.values.iter_mut().zip(codes).zip(&self.board.channels) {
            *value = f64::from(code);
            let clipped = code <= self.board.code_min || code >= self.board.code_max;
            frame.clipped |= clipped;
            frame.shaken |= clipped && channel.kind == self.reference_kind();
        }
        self.take(frame)
    }

    /// Takes a frame after `lost` frames that never arrived. A few are bridged by straight lines; more
    /// make the interval bad and start the next one.
    pub fn push_after_loss(&mut self, lost: u32, codes: &[i32]) -> Step {
        if lost > BRIDGED_MAX {
            let interval = Some(self.broken(lost));
            return Step { interval, ..self.push(codes) };
        }
        let (from, mut step) = (*self.conditioner.newest(), Step::default());
        for missing in 1..=lost {
            let share = f64::from(missing) / f64::from(lost + 1);
            let values = core::array::from_fn(|at| {
                let to = codes.get(at).copied().map_or(0.0, f64::from);
                from[at] + share * (to - from[at])
            });
            step = step.or(self.take(Frame { values, bridged: true, ..Frame::EMPTY }));
        }
        step.or(self.push(codes))
    }

    fn take(&mut self, newest: Frame) -> Step {
        let Some(frame) = self.conditioner.pass(&newest) else { return Step::default() };
        self.shaken = if frame.shaken { self.settling_time() } else { self.shaken.saturating_sub(1) };
        let clipped = frame.clipped || self.shaken > 0;
        self.state.bridged += u32::from(frame.bridged);
        self.state.clipped |= clipped;
        self.state.clipped_halves[1] |= clipped;
        self.frame(frame.values)
    }

    /// The converter has been away: everything begins anew. The answer is for the interval that is lost.
    pub fn broken(&mut self, lost: u32) -> Interval {
        self.samples += u64::from(lost) + self.conditioner.clear();
        let lasted_s = self.sum.length / self.board.sample_rate_hz;
        self.restart();
        Interval {
            ended_s: self.seconds(0.0),
            lasted_s,
            frequency_hz: None,
            lines: PerLine::all(LineValues::default()),
            neutral: LineValues::default(),
            bridged: lost,
            quality: Quality::Bad(Doubt::Gaps),
        }
    }

    fn restart(&mut self) {
        let rate = self.board.sample_rate_hz;
        self.watches = [Crossings::new(rate); CHANNELS_MAX];
        self.locked = false;
        self.window = Window::new();
        self.half = None;
        self.sum = Area::EMPTY;
        self.state = State::new();
        (self.settle_left, self.shaken) = (self.settling_time(), 0);
        self.tune();
    }

    fn seconds(&self, past_last: f64) -> f64 {
        (self.samples as f64 + past_last) / self.board.sample_rate_hz
    }

    fn frame(&mut self, now: [f64; CHANNELS_MAX]) -> Step {
        self.state.changed |= self.samples > 0 && now != self.before;
        let crossing = self.watch(&now);
        let ((cos, sin), (turn_cos, turn_sin)) = (self.phase, self.turn);
        self.phase = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
        let cut = crossing.map(|share| (share, true)).or_else(|| self.overdue().map(|share| (share, false)));
        let before = core::mem::replace(&mut self.before, now);
        self.spectrum.look(&now, self.phase);
        let step = if let Some((share, crossed)) = cut {
            let area = self.window.cut(&self.layout, &now, &before, self.phase, share);
            self.end_half(&area, crossed, share)
        } else {
            self.window.pass(&self.layout, &now, &before, self.phase);
            Step::default()
        };
        self.spectrum.count();
        self.samples += 1;
        step
    }

    /// Keeps every possible reference in step; where the one in use crossed zero.
    fn watch(&mut self, now: &[f64; CHANNELS_MAX]) -> Option<f64> {
        let candidates = self.reference_kind();
        let mut crossed = None;
        for (at, channel) in self.board.channels.iter().enumerate() {
            if channel.kind == candidates {
                let share = self.watches[at].pass(now[at]);
                if self.reference == Some(at) {
                    crossed = share;
                }
            }
        }
        if self.settle_left > 0 {
            self.settle_left -= 1;
            if self.settle_left == 0 {
                self.choose_reference();
            }
            return None;
        }
        crossed.filter(|_| self.reference.is_some_and(|at| self.is_alive(at)))
    }

    fn reference_kind(&self) -> Kind {
        if self.board.has_voltage() { Kind::Voltage } else { Kind::Current }
    }

    /// In samples.
    fn settling_time(&self) -> u32 {
        (SETTLES_S * self.board.sample_rate_hz) as u32
    }

    fn is_alive(&self, at: usize) -> bool {
        let channel = &self.board.channels[at];
        let least = match channel.kind.is_current() {
            false => DEAD_VOLTS * core::f64::consts::SQRT_2 / channel.scale.abs(),
            true => CURRENT_REFERENCE_CODES * channel.noise.sqrt().max(1.0),
        };
        self.watches[at].amplitude() > least
    }

    /// The first living voltage; on boards without voltages the strongest current, changed only for one
    /// that is four times as strong, since every change costs part of an interval.
    fn choose_reference(&mut self) {
        if self.reference.is_some_and(|at| self.board.has_voltage() && self.is_alive(at)) {
            return;
        }
        let strength = |at: usize| self.watches[at].amplitude() * self.board.channels[at].scale.abs();
        let living = (0..self.layout.channels).filter(|&at| self.is_alive(at));
        let best = if self.board.has_voltage() {
            living.into_iter().next()
        } else {
            living.max_by(|&one, &other| strength(one).total_cmp(&strength(other)))
        };
        let keep = match (self.reference, best) {
            (Some(old), Some(new)) => self.is_alive(old) && strength(new) < 4.0 * strength(old),
            (_, new) => new == self.reference,
        };
        if !keep {
            self.reference = best;
            self.locked = false;
        }
    }

    /// Where a window must end for want of a crossing.
    fn overdue(&self) -> Option<f64> {
        let hz = if self.locked { SLOWEST_HZ } else { self.hz };
        let share = self.board.sample_rate_hz / (2.0 * hz) - self.window.length();
        (share <= 1.0).then(|| share.max(0.0))
    }

    fn end_half(&mut self, area: &Area, crossed: bool, share: f64) -> Step {
        let ended_s = self.seconds(share - 1.0);
        let regular = crossed == self.locked;
        let before = self.half.replace(*area);
        let cycle = before.and_then(|before| self.cycle(&before, area, ended_s));
        self.state.clipped_halves = [self.state.clipped_halves[1], false];
        self.state.waited += 1;
        if crossed && !self.locked && self.state.waited < PATIENCE {
            self.lock(share);
            return Step { cycle, interval: None };
        }
        self.locked = crossed;
        self.sum.add(area);
        self.state.halves += 1;
        self.state.locked &= crossed && regular;
        let target = if self.hz < 55.0 { 20 } else { 24 };
        let interval = (self.state.halves >= target).then(|| self.end_interval(ended_s, share));
        Step { cycle, interval }
    }

    /// The first crossing after a time without: a new interval begins here.
    fn lock(&mut self, share: f64) {
        self.locked = true;
        let _ = self.spectrum.cut(share);
        let hz = self.reference.and_then(|at| self.watches[at].frequency(self.board.sample_rate_hz));
        self.hz = hz.map_or(self.hz, |hz| hz.clamp(SLOWEST_HZ, FASTEST_HZ));
        let State { waited, clipped_halves, .. } = self.state;
        self.sum = Area::EMPTY;
        self.state = State { waited, clipped_halves, ..State::new() };
        self.tune();
    }

    /// Sets the reference for the fundamental to the mains as they are now. Its angle goes on, since the
    /// newest sample belongs to both windows.
    fn tune(&mut self) {
        let (sin, cos) = interval::omega(self.hz, self.board.sample_rate_hz).sin_cos();
        self.turn = (cos, sin);
        let length = self.phase.0.hypot(self.phase.1);
        self.phase = (self.phase.0 / length, self.phase.1 / length);
    }

    fn cycle(&self, first: &Area, second: &Area, ended_s: f64) -> Option<Cycle> {
        let mut whole = *first;
        whole.add(second);
        let rate = self.board.sample_rate_hz;
        if !(rate / FASTEST_HZ..=rate / SLOWEST_HZ).contains(&whole.length) {
            return None;
        }
        let mut current_a = PerLine::all(None);
        for (at, channel) in self.board.channels.iter().enumerate() {
            if channel.kind == Kind::Current {
                current_a[channel.line] =
                    Some(interval::rms(&whole.channel(&self.layout, at), channel, self.layout.noise_gain));
            }
        }
        for line in interval::exporting(&self.board, &self.layout, &whole) {
            current_a[line] = current_a[line].map(|amps: f64| -amps);
        }
        Some(Cycle { ended_s, current_a, clipped: self.state.clipped_halves.contains(&true) })
    }

    fn end_interval(&mut self, ended_s: f64, share: f64) -> Interval {
        let sum = core::mem::replace(&mut self.sum, Area::EMPTY);
        let fresh = State { clipped_halves: self.state.clipped_halves, ..State::new() };
        let state = core::mem::replace(&mut self.state, fresh);
        let rate = self.board.sample_rate_hz;
        let frequency_hz = state.locked.then(|| f64::from(state.halves) / 2.0 * rate / sum.length);
        self.hz = frequency_hz.unwrap_or(self.hz);
        let mut conductors =
            interval::conductors(&self.board, &self.layout, &sum, interval::omega(self.hz, rate));
        let spectrum = (&self.spectrum.cut(share), rate / self.hz);
        if frequency_hz.is_some() {
            interval::add_harmonics(&mut conductors, &self.board, &self.layout, &sum, spectrum);
        }
        let (mut lines, neutral) = conductors;
        let dead = self.drop_dead_voltages(&mut lines);
        self.choose_reference();
        self.tune();
        Interval {
            ended_s,
            lasted_s: sum.length / rate,
            frequency_hz,
            lines,
            neutral,
            bridged: state.bridged,
            quality: state.quality(dead || !self.board.has_voltage(), sum.length),
        }
    }

    /// Without its voltage a line has no power and no direction.
    fn drop_dead_voltages(&self, lines: &mut PerLine<LineValues>) -> bool {
        let mut any = false;
        for line in &mut lines.0 {
            if line.voltage_v.is_some_and(|volts| volts < DEAD_VOLTS) {
                any = true;
                *line = LineValues {
                    current_a: line.current_a,
                    voltage_v: line.voltage_v,
                    current_phasor: line.current_phasor,
                    current_harmonics: line.current_harmonics,
                    ..LineValues::default()
                };
            }
        }
        any
    }
}

impl Step {
    fn or(self, later: Self) -> Self {
        Self { cycle: later.cycle.or(self.cycle), interval: later.interval.or(self.interval) }
    }
}
