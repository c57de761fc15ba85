//! Commissioning the box's own clamps: what they see, what there is to say about each, and the corrections
//! that people make, kept with date and name and reversible.
//!
//! What it refuses: to correct anything by itself. A line that exports looks like a clamp on backwards; the
//! page says what it found, a person decides.

mod comparison;
mod picture;
pub mod record;
pub mod view;

use crate::sampling::{BoardFile, Probe};
use comparison::{NotCompared, Wanted, compare};
use dlb_engine::measure::{Board, CalibrationError};
use record::{Act, Entry, Hand, NotUndone, Record, RecordFault};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use view::{
    CalibrateOrder, CalibratedView, ClampOrder, ClampsView, CorrectedChannelView, CorrectionView,
    CorrectionsView, SwapOrder,
};

/// The clamps of this box, for the page.
#[derive(Debug)]
pub struct ClampDesk {
    data: PathBuf,
    bench: Mutex<Bench>,
    /// Held by whoever changes something, also while the disk writes; readers wait for `bench` alone.
    changing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Bench {
    record: Record,
    /// `None` while nothing is sampled.
    measuring: Option<Arc<Measuring>>,
}

#[derive(Clone, Debug)]
struct Measuring {
    /// The board as its file says.
    file: BoardFile,
    corrected: BoardFile,
    board: Board,
    probe: Probe,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ClampRefusal {
    #[error("this box measures with no clamps of its own")]
    NoClamps,
    #[error("there is no channel \"{0}\"")]
    NoChannel(String),
    #[error("{0} is not a clamp")]
    NotAClamp(String),
    #[error("\"by\" must be a name of 1 to 60 characters")]
    By,
    #[error("\"actual\" must be above zero, and at most {most} {unit} on this channel")]
    Actual { most: f64, unit: &'static str },
    #[error("{channel}: {why}")]
    NotCompared { channel: String, why: &'static str, remedy: &'static str },
    #[error("{0} is as the board file says")]
    NothingToUndo(String),
    #[error("{0} was changed later")]
    UndoFirst(String),
    #[error(transparent)]
    Record(#[from] RecordFault),
    #[error("the board cannot be measured with: {0}")]
    Board(String),
}

impl ClampDesk {
    /// Opens what was corrected before. The second value is a trouble that people should see.
    #[must_use]
    pub fn open(data: &Path) -> (Self, Option<String>) {
        let (record, trouble) =
            Record::open(data).unwrap_or_else(|error| (Record::default(), Some(crate::run::chain(&error))));
        let bench = Mutex::new(Bench { record, measuring: None });
        (Self { data: data.to_owned(), bench, changing: Mutex::default() }, trouble)
    }

    /// The board file with what was corrected here, and a sentence for each correction that was left out.
    #[must_use]
    pub fn correct(&self, file: &BoardFile) -> (BoardFile, Vec<String>) {
        self.lock().record.correct(file)
    }

    /// Sampling has begun, with the board as [`Self::correct`] made it.
    ///
    /// # Errors
    /// A board that makes no sense, in words.
    pub fn attach(&self, file: &BoardFile, probe: Probe) -> Result<(), ClampRefusal> {
        let mut bench = self.lock();
        let (corrected, _) = bench.record.correct(file);
        let board = corrected.board().map_err(|error| ClampRefusal::Board(error.to_string()))?;
        bench.measuring = Some(Arc::new(Measuring { file: file.clone(), corrected, board, probe }));
        Ok(())
    }

    /// What the clamps see now. `None`: there are none. Quick; waits for other readers only.
    #[must_use]
    pub fn view(&self) -> Option<ClampsView> {
        let now = self.lock().measuring.clone()?;
        Some(picture::picture(&now.probe, &now.corrected, &now.board))
    }

    /// Each channel's correction, and how it came about.
    #[must_use]
    pub fn corrections(&self) -> Option<CorrectionsView> {
        let bench = self.lock();
        let measuring = bench.measuring.as_ref()?;
        let channels = measuring.corrected.channels.iter().zip(&measuring.board.channels);
        let view = channels.map(|(part, channel)| CorrectedChannelView {
            name: part.name.clone(),
            kind: if channel.kind.is_current() { "current" } else { "voltage" },
            line: channel.conductor(),
            gain_correction: part.gain_correction,
            phase_error_deg: part.phase_error_deg,
            reversed: part.reversed,
            history: bench.record.of(&part.name).map(CorrectionView::from).collect(),
        });
        Some(CorrectionsView { channels: view.collect() })
    }

    /// Compares a channel with what a reference instrument shows, for two seconds, and corrects it.
    ///
    /// # Errors
    /// What makes the comparison worthless, or why it could not be kept.
    pub fn calibrate(&self, order: &CalibrateOrder) -> Result<CalibratedView, ClampRefusal> {
        let hand = hand(&order.by)?;
        let measuring = self.lock().measuring.clone().ok_or(ClampRefusal::NoClamps)?;
        let at = measuring.position(&order.channel)?;
        let channel = measuring.board.channels[at];
        measuring.plausible(at, order.actual)?;
        let wanted = Wanted {
            kind: channel.kind,
            line: channel.line,
            actual: order.actual,
            resistive: order.resistive,
        };
        let compared = compare(&measuring.probe.scope, &measuring.board, &wanted)
            .map_err(|why| not_compared(&order.channel, why))?;
        let mut part = measuring.corrected.channels[at].clone();
        part.gain_correction *= compared.gain;
        part.phase_error_deg += compared.more_lead.unwrap_or(0.0).to_degrees();
        let view = CalibratedView {
            measured: compared.measured,
            gain_correction: part.gain_correction,
            phase_error_deg: part.phase_error_deg,
        };
        self.change(|record, now| {
            // Somebody else corrected it during the comparison: then it was made with other figures.
            if now.corrected.channels[at] != measuring.corrected.channels[at] {
                return Err(not_compared(&order.channel, NotCompared::Unsteady));
            }
            let step = record.add(&hand, [(Act::Calibrated, part.clone())]);
            record.compared(step, compared.measured, order.actual);
            Ok(())
        })?;
        Ok(view)
    }

    /// Turns a clamp round in software, or back.
    ///
    /// # Errors
    /// There is no such clamp, or the disk does not take it.
    pub fn turn(&self, order: &ClampOrder) -> Result<(), ClampRefusal> {
        let hand = hand(&order.by)?;
        self.change(|record, now| {
            let at = now.clamp(&order.channel)?;
            let mut part = now.corrected.channels[at].clone();
            part.reversed = !part.reversed;
            record.add(&hand, [(Act::Turned, part)]);
            Ok(())
        })
    }

    /// Exchanges two clamps in software.
    ///
    /// # Errors
    /// There are no such clamps, or the disk does not take it.
    pub fn swap(&self, order: &SwapOrder) -> Result<(), ClampRefusal> {
        let hand = hand(&order.by)?;
        self.change(|record, now| {
            let (one, other) = (now.clamp(&order.one)?, now.clamp(&order.other)?);
            let mut parts = [now.corrected.channels[one].clone(), now.corrected.channels[other].clone()];
            let phases = (parts[0].phase, parts[1].phase);
            (parts[1].phase, parts[0].phase) = phases;
            record.add(&hand, parts.map(|part| (Act::Swapped, part)));
            Ok(())
        })
    }

    /// Takes back a channel's newest correction.
    ///
    /// # Errors
    /// There is none, others stand on it, or the disk does not take it.
    pub fn undo(&self, order: &ClampOrder) -> Result<(), ClampRefusal> {
        let hand = hand(&order.by)?;
        self.change(|record, now| {
            now.position(&order.channel)?;
            record.undo(&order.channel, &hand).map_err(|why| match why {
                NotUndone::Nothing => ClampRefusal::NothingToUndo(order.channel.clone()),
                NotUndone::First(other) => ClampRefusal::UndoFirst(other),
            })
        })
    }

    /// What [`Self::restore`] takes on another box; `None`: nothing was ever corrected.
    #[must_use]
    pub fn backup(&self) -> Option<String> {
        let record = self.lock().record.clone();
        (record != Record::default()).then(|| record.text().ok()).flatten()
    }

    /// Puts the corrections of a backup in force. A box that measures nothing yet keeps them until it does.
    ///
    /// # Errors
    /// They cannot be read, or the disk does not take them.
    pub fn restore(&self, text: &str) -> Result<(), ClampRefusal> {
        let record = Record::read(text)?;
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let measuring = self.lock().measuring.clone();
        self.put_in_force(record, measuring.as_deref())
    }

    fn change(
        &self,
        act: impl FnOnce(&mut Record, &Measuring) -> Result<(), ClampRefusal>,
    ) -> Result<(), ClampRefusal> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Bench { mut record, measuring } = self.lock().clone();
        let measuring = measuring.ok_or(ClampRefusal::NoClamps)?;
        act(&mut record, &measuring)?;
        self.put_in_force(record, Some(&measuring))
    }

    /// First on the disk, then in force, then remembered: a cut in between leaves the old or the new.
    fn put_in_force(&self, record: Record, measuring: Option<&Measuring>) -> Result<(), ClampRefusal> {
        let Some(measuring) = measuring else {
            record.save(&self.data)?;
            self.lock().record = record;
            return Ok(());
        };
        let (corrected, _) = record.correct(&measuring.file);
        let board = corrected.board().map_err(|error| ClampRefusal::Board(error.to_string()))?;
        record.save(&self.data)?;
        measuring.probe.remeasure(board.clone()).map_err(|error| ClampRefusal::Board(error.to_string()))?;
        let measuring = Measuring { corrected, board, ..measuring.clone() };
        *self.lock() = Bench { record, measuring: Some(Arc::new(measuring)) };
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measuring {
    fn position(&self, name: &str) -> Result<usize, ClampRefusal> {
        let found = self.corrected.channels.iter().position(|part| part.name == name);
        found.ok_or_else(|| ClampRefusal::NoChannel(name.to_owned()))
    }

    fn clamp(&self, name: &str) -> Result<usize, ClampRefusal> {
        let at = self.position(name)?;
        let clamp = self.board.channels[at].kind.is_current();
        clamp.then_some(at).ok_or_else(|| ClampRefusal::NotAClamp(name.to_owned()))
    }

    /// A value that the channel could show at all.
    fn plausible(&self, at: usize, actual: f64) -> Result<(), ClampRefusal> {
        let channel = self.board.channels[at];
        let reach = (f64::from(self.board.code_max) - f64::from(self.board.code_min)) / 2.0;
        let most = (reach * channel.scale.abs() / std::f64::consts::SQRT_2).round();
        let unit = if channel.kind.is_current() { "A" } else { "V" };
        (actual > 0.0 && actual <= most).then_some(()).ok_or(ClampRefusal::Actual { most, unit })
    }
}

fn hand(by: &str) -> Result<Hand, ClampRefusal> {
    let by = by.trim();
    let fits = (1..=60).contains(&by.chars().count()) && !by.chars().any(char::is_control);
    let at_ms = crate::clock::wall().map(|wall| wall.0);
    fits.then(|| Hand { by: by.to_owned(), at_ms }).ok_or(ClampRefusal::By)
}

fn not_compared(channel: &str, why: NotCompared) -> ClampRefusal {
    let (why, remedy) = match why {
        NotCompared::Silence => {
            ("no readings came", "See on this page whether the converter answers, then try again.")
        }
        NotCompared::Bad => {
            ("a reading was bad", "Put right what the page says about the clamps, then try again.")
        }
        NotCompared::Unsteady => {
            ("the load changed meanwhile", "Pause the chargers, switch on one steady load, then try again.")
        }
        NotCompared::Impossible(CalibrationError::NothingMeasured) => {
            ("nothing was measured", "Close the clamp round the conductor of the load.")
        }
        NotCompared::Impossible(CalibrationError::TooFarOff) => (
            "that is too far off to be a tolerance",
            "Check ratio and burden in the board file, the direction and the line of the clamp, and the value.",
        ),
    };
    ClampRefusal::NotCompared { channel: channel.to_owned(), why, remedy }
}

impl ClampRefusal {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoClamps => "Name a board file under [clamps] in the configuration.".into(),
            Self::NoChannel(_) | Self::NotAClamp(_) => "See /api/v1/clamps/corrections for the names.".into(),
            Self::By => "Say who does it.".into(),
            Self::Actual { .. } => "Type what the reference instrument shows.".into(),
            Self::NotCompared { remedy, .. } => (*remedy).into(),
            Self::NothingToUndo(_) => "There is nothing to take back.".into(),
            Self::UndoFirst(other) => format!("Take back the correction of {other} first."),
            Self::Record(_) => "Check the box's storage.".into(),
            Self::Board(_) => "Check the board file.".into(),
        }
    }
}

impl From<&Entry> for CorrectionView {
    fn from(entry: &Entry) -> Self {
        Self {
            act: match entry.act {
                Act::Calibrated => "calibrated",
                Act::Turned => "turned",
                Act::Swapped => "swapped",
            },
            at_ms: entry.at_ms,
            by: entry.by.clone(),
            measured: entry.measured,
            actual: entry.actual,
            gain_correction: entry.gain_correction,
            phase_error_deg: entry.phase_error_deg,
            undone_by: entry.undone_by.clone(),
            undone_ms: entry.undone_ms,
        }
    }
}

#[cfg(test)]
mod tests;
