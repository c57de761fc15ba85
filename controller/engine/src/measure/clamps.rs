//! Is each clamp where its name says, the right way round, and closed?
//!
//! A clamp on the wrong line or on backwards shows in the angle between its current and the voltages,
//! provided that the load is known to be nearly resistive (a charging car is): an answer for
//! commissioning, while such a load runs, and never a correction made behind somebody's back, since a line
//! that exports looks like a clamp on backwards.
//!
//! A clamp that is open or not plugged in shows nothing but noise. So does a line without load; hence the
//! long wait, and a doubt rather than a verdict.

use super::board::{Board, Kind};
use super::interval::{Interval, Phasor};
use crate::lines::{Line, PerLine};
use crate::reading::{Doubt, Quality};
use core::f64::consts::PI;

/// How a clamp fits to its line's voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    Right,
    Backwards,
    /// The current belongs to another line.
    OnLine {
        line: Line,
        backwards: bool,
    },
    /// The angle fits no line: the load is not resistive, or several are wrong at once.
    Unclear,
    /// Not enough current, or no voltage, to tell by.
    NothingToTell,
}

/// Currents below this tell nothing.
const TELLING_A: f64 = 1.0;
/// A nearly resistive load lies this close to its voltage; lines lie 60° apart when either way round.
const CLOSE: f64 = 25.0 * PI / 180.0;

/// Judges the clamp of `line`, while a nearly resistive load runs on it.
#[must_use]
pub fn fit(interval: &Interval, line: Line) -> Fit {
    let Some(current) = interval.lines[line].current_phasor.filter(|current| current.rms >= TELLING_A) else {
        return Fit::NothingToTell;
    };
    if interval.lines[line].voltage_phasor.is_none() {
        return Fit::NothingToTell;
    }
    let own_first = [line].into_iter().chain(Line::ALL.into_iter().filter(|other| *other != line));
    for candidate in own_first {
        let Some(voltage) = interval.lines[candidate].voltage_phasor else { continue };
        for backwards in [false, true] {
            if apart(voltage, current, backwards) < CLOSE {
                return match (candidate == line, backwards) {
                    (true, false) => Fit::Right,
                    (true, true) => Fit::Backwards,
                    _ => Fit::OnLine { line: candidate, backwards },
                };
            }
        }
    }
    Fit::Unclear
}

fn apart(voltage: Phasor, current: Phasor, backwards: bool) -> f64 {
    let turned = if backwards { PI } else { 0.0 };
    let angle = (voltage.angle - current.angle - turned).rem_euclid(2.0 * PI);
    angle.min(2.0 * PI - angle)
}

/// Watches for clamps that show nothing.
#[derive(Clone, Debug)]
pub struct ClampWatch {
    /// What noise alone makes of each line's current.
    floor_a: PerLine<Option<f64>>,
    silent: PerLine<u32>,
}

/// Intervals of silence after which a clamp is doubted: half a minute.
const SILENT_FOR: u32 = 150;
const NOISE_WIDTHS: f64 = 3.0;

impl ClampWatch {
    #[must_use]
    pub fn new(board: &Board) -> Self {
        let mut floor_a = PerLine::all(None);
        for channel in board.channels.iter().filter(|channel| channel.kind == Kind::Current) {
            floor_a[channel.line] = Some(NOISE_WIDTHS * channel.noise.sqrt() * channel.scale.abs());
        }
        Self { floor_a, silent: PerLine::all(0) }
    }

    /// Counts the interval, and doubts it if a clamp has been silent for long while others were not.
    pub fn judge(&mut self, interval: &mut Interval) {
        let busy = interval.highest_current_a() >= TELLING_A;
        let mut open = false;
        for line in Line::ALL {
            let (Some(floor), Some(amps)) = (self.floor_a[line], interval.lines[line].current_a) else {
                continue;
            };
            self.silent[line] = match amps > floor {
                true => 0,
                false if busy => self.silent[line].saturating_add(1),
                false => self.silent[line],
            };
            open |= self.silent[line] >= SILENT_FOR;
        }
        if open && interval.quality == Quality::Good {
            interval.quality = Quality::Doubtful(Doubt::OpenClamp);
        }
    }

    /// Has this line's clamp been silent for long?
    #[must_use]
    pub fn is_silent(&self, line: Line) -> bool {
        self.silent[line] >= SILENT_FOR
    }
}
