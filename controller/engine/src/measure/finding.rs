//! What there is to say about each clamp, steady enough to be read by a person.
//!
//! One interval's verdict ([`fit`]) flickers with the load; a [`Finding`] is said once it has been true for a
//! while, and stays until another one has been. A clamp that was turned round in software is said to be so:
//! whoever takes the box down later must know.

use super::board::{Board, Kind};
use super::clamps::{Fit, fit};
use super::interval::Interval;
use crate::lines::{Line, PerLine};

/// About the clamp of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The board has no channel for this line's current.
    NotMeasured,
    /// Nothing but noise while other lines carry current: not plugged in, open, or a line without load.
    Missing,
    /// Driven past the range of its channel.
    Saturated,
    /// There is no voltage to judge by, on the board or on this line.
    NoVoltage,
    /// Not enough current to tell.
    NothingToTell,
    Fits,
    /// On backwards, and turned round in software.
    FitsTurned,
    /// Current flows against its voltage: the line exports, or the clamp is on backwards.
    Backwards,
    /// This clamp and the other line's are in each other's place.
    Swapped {
        with: Line,
    },
    /// Shows the current of another line.
    OnLine(Line),
    /// The angle fits no line: the load is not resistive, or several things are wrong at once.
    Unclear,
}

/// Judges a clamp by one interval. `silent`: it has shown nothing for long; `clipped`: its channel was at
/// the end of its range.
#[must_use]
pub fn finding(interval: &Interval, board: &Board, line: Line, silent: bool, clipped: bool) -> Finding {
    let Some(channel) = board.channel(Kind::Current, line) else { return Finding::NotMeasured };
    if clipped {
        return Finding::Saturated;
    }
    if silent {
        return Finding::Missing;
    }
    if interval.lines[line].voltage_phasor.is_none() {
        return Finding::NoVoltage;
    }
    match fit(interval, line) {
        Fit::Right if board.channels[channel].scale < 0.0 => Finding::FitsTurned,
        Fit::Right => Finding::Fits,
        Fit::Backwards => Finding::Backwards,
        Fit::OnLine { line: other, backwards } => match fit(interval, other) {
            Fit::OnLine { line: back, .. } if back == line => Finding::Swapped { with: other },
            // Another line backwards is 60° away: an inductive load looks the same.
            _ if backwards => Finding::Unclear,
            _ => Finding::OnLine(other),
        },
        Fit::Unclear => Finding::Unclear,
        Fit::NothingToTell => Finding::NothingToTell,
    }
}

/// Findings of all lines, said when they have lasted.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    said: PerLine<Finding>,
    /// The newest one, and for how many intervals it has been the same.
    newest: PerLine<(Finding, u32)>,
}

/// Intervals that a finding must last before it is said: a second and a half.
const LASTS: u32 = 8;

impl Default for Findings {
    fn default() -> Self {
        let nothing = Finding::NothingToTell;
        Self { said: PerLine::all(nothing), newest: PerLine::all((nothing, LASTS)) }
    }
}

impl Findings {
    /// Takes the next interval's verdict on a line.
    pub fn saw(&mut self, line: Line, finding: Finding) {
        let (last, count) = self.newest[line];
        let count = if last == finding { count.saturating_add(1) } else { 1 };
        self.newest[line] = (finding, count);
        // A clipped input is over in an instant, and what it measured meanwhile is wrong: said at once.
        if count >= LASTS || finding == Finding::Saturated {
            // A line at rest says nothing against what it said when it last carried current.
            let at_rest = finding == Finding::NothingToTell && self.said[line] != Finding::Saturated;
            if !at_rest {
                self.said[line] = finding;
            }
        }
    }

    #[must_use]
    pub fn said(&self, line: Line) -> Finding {
        self.said[line]
    }
}
