//! Corrections of the clamps, as they were made: what, on which channel, when, by whom, against which
//! value. Kept in `<data>/clamps.toml`, replaced in one step.
//!
//! An entry carries the whole correction of its channel, so that the newest one that was not taken back
//! is all that counts, and taking one back is no arithmetic. An entry is for the ratio and burden that the
//! board file named when it was made; where the board has changed since, it is left out and said so.

use crate::config::atomic;
use crate::sampling::BoardFile;
use crate::sampling::board::{ChannelPart, PhaseWord};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "clamps.toml";
/// Entries that are kept; the oldest that count no more go first.
const KEPT: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(default, rename = "entry")]
    entries: Vec<Entry>,
}

/// One correction of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Entries of the same step were made, and are taken back, together.
    pub step: u64,
    pub channel: String,
    pub act: Act,
    /// Milliseconds since 1970; absent while the clock was not set.
    pub at_ms: Option<i64>,
    pub by: String,
    /// What dlb showed, and what the reference instrument did: amperes or volts.
    pub measured: Option<f64>,
    pub actual: Option<f64>,
    pub ratio: f64,
    pub burden_ohm: Option<f64>,
    pub gain_correction: f64,
    pub phase_error_deg: f64,
    pub reversed: bool,
    pub phase: PhaseWord,
    /// Who took it back, and when.
    pub undone_by: Option<String>,
    pub undone_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Compared with a reference instrument.
    Calibrated,
    /// On backwards, turned round in software.
    Turned,
    /// Exchanged with another clamp in software.
    Swapped,
}

/// Who does something, and when.
#[derive(Clone, Debug)]
pub struct Hand {
    pub by: String,
    pub at_ms: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordFault {
    #[error("reading {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("writing {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("writing the corrections as TOML")]
    Form(#[from] toml::ser::Error),
    #[error("reading corrections of clamps as TOML")]
    Damaged(#[from] toml::de::Error),
}

/// Why nothing can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotUndone {
    /// The channel is as the board file says.
    Nothing,
    /// The step also changed this channel, which has been changed again since.
    First(String),
}

impl Record {
    /// Opens what is kept. A damaged file is set aside, which the second value tells.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn open(data: &Path) -> Result<(Self, Option<String>), RecordFault> {
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Self::default(), None)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::from("not text"),
            other => other.map_err(|source| RecordFault::Read { path: path.clone(), source })?,
        };
        toml::from_str(&text).map(|record| (record, None)).or_else(|error| {
            let aside = path.with_extension("toml.damaged");
            let kept = std::fs::rename(&path, &aside).is_ok();
            let place = if kept { format!("; it is kept as {}", aside.display()) } else { String::new() };
            let what = error.message().replace('\n', ", ");
            let trouble = format!(
                "The corrections of the clamps in {} are damaged ({what}){place}. The box measures with the \
                 board file alone: calibrate again",
                path.display()
            );
            Ok((Self::default(), Some(trouble)))
        })
    }

    /// As [`Self::text`] wrote it.
    ///
    /// # Errors
    /// Something else.
    pub fn read(text: &str) -> Result<Self, RecordFault> {
        Ok(toml::from_str(text)?)
    }

    /// # Errors
    /// There is no such case; the writer wants to be asked.
    pub fn text(&self) -> Result<String, RecordFault> {
        Ok(toml::to_string(self)?)
    }

    /// # Errors
    /// The disk does not take it.
    pub fn save(&self, data: &Path) -> Result<(), RecordFault> {
        let path = data.join(FILE);
        let text = self.text()?;
        atomic::replace(&path, text.as_bytes()).map_err(|source| RecordFault::Write { path, source })
    }

    /// All of a channel, newest first.
    pub fn of(&self, channel: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev().filter(move |entry| entry.channel == channel)
    }

    fn in_force(&self, channel: &str) -> Option<&Entry> {
        self.of(channel).find(|entry| entry.undone_by.is_none())
    }

    /// Adds one step, and makes room for it.
    pub fn add(&mut self, hand: &Hand, parts: impl IntoIterator<Item = (Act, ChannelPart)>) -> u64 {
        let step = 1 + self.entries.iter().map(|entry| entry.step).max().unwrap_or(0);
        self.entries.extend(parts.into_iter().map(|(act, part)| Entry::new(step, act, hand, part)));
        while self.entries.len() > KEPT {
            let spent = |entry: &Entry| self.in_force(&entry.channel) != Some(entry);
            let Some(oldest) = self.entries.iter().position(spent) else { break };
            self.entries.remove(oldest);
        }
        step
    }

    /// Says what the newest step was compared with.
    pub fn compared(&mut self, step: u64, measured: f64, actual: f64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.step == step) {
            (entry.measured, entry.actual) = (Some(measured), Some(actual));
        }
    }

    /// Takes back the newest step of a channel; it stays on record.
    ///
    /// # Errors
    /// There is none, or others stand on it.
    pub fn undo(&mut self, channel: &str, hand: &Hand) -> Result<(), NotUndone> {
        let step = self.in_force(channel).ok_or(NotUndone::Nothing)?.step;
        let together = self.entries.iter().filter(|entry| entry.step == step);
        for other in together {
            if self.in_force(&other.channel).is_none_or(|newest| newest.step != step) {
                return Err(NotUndone::First(other.channel.clone()));
            }
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.step == step) {
            (entry.undone_by, entry.undone_ms) = (Some(hand.by.clone()), hand.at_ms);
        }
        Ok(())
    }

    /// The board file as corrected, and a sentence for each correction that does not fit it any more.
    #[must_use]
    pub fn correct(&self, file: &BoardFile) -> (BoardFile, Vec<String>) {
        let (mut corrected, mut left_out) = (file.clone(), Vec::new());
        for part in &mut corrected.channels {
            let Some(entry) = self.in_force(&part.name) else { continue };
            if entry.is_for(part) {
                entry.correct(part);
            } else {
                left_out.push(format!(
                    "The correction of {} was made with another ratio or burden than the board file names now, \
                     and is left out: calibrate it again",
                    part.name
                ));
            }
        }
        match corrected.board() {
            Ok(_) => (corrected, left_out),
            Err(error) => {
                let why =
                    format!("The corrections of the clamps do not fit the board file ({error}); it counts");
                (file.clone(), vec![why])
            }
        }
    }
}

impl Entry {
    fn new(step: u64, act: Act, hand: &Hand, part: ChannelPart) -> Self {
        Self {
            step,
            channel: part.name,
            act,
            at_ms: hand.at_ms,
            by: hand.by.clone(),
            measured: None,
            actual: None,
            ratio: part.ratio,
            burden_ohm: part.burden_ohm,
            gain_correction: part.gain_correction,
            phase_error_deg: part.phase_error_deg,
            reversed: part.reversed,
            phase: part.phase,
            undone_by: None,
            undone_ms: None,
        }
    }

    fn is_for(&self, part: &ChannelPart) -> bool {
        self.ratio == part.ratio && self.burden_ohm == part.burden_ohm
    }

    fn correct(&self, part: &mut ChannelPart) {
        part.gain_correction = self.gain_correction;
        part.phase_error_deg = self.phase_error_deg;
        part.reversed = self.reversed;
        part.phase = self.phase;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> BoardFile {
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        BoardFile::parse(text, Path::new("board.toml")).unwrap()
    }

    fn hand() -> Hand {
        Hand { by: "K. Meier".to_owned(), at_ms: Some(1_790_000_000_000) }
    }

    fn part(file: &BoardFile, at: usize, change: impl FnOnce(&mut ChannelPart)) -> ChannelPart {
        let mut part = file.channels[at].clone();
        change(&mut part);
        part
    }

    #[test]
    fn a_calibration_survives_a_restart_and_can_be_taken_back() {
        let (data, file) = (tempfile::tempdir().unwrap(), board());
        let mut record = Record::default();
        let first = part(&file, 0, |part| part.gain_correction = 1.02);
        let step = record.add(&hand(), [(Act::Calibrated, first)]);
        record.compared(step, 15.7, 16.0);
        record.add(&hand(), [(Act::Calibrated, part(&file, 0, |part| part.gain_correction = 1.03))]);
        record.save(data.path()).unwrap();

        let (mut again, trouble) = Record::open(data.path()).unwrap();
        assert_eq!((&again, trouble), (&record, None));
        let gain = |record: &Record| record.correct(&file).0.channels[0].gain_correction;
        assert_eq!(gain(&again), 1.03);
        again.undo("i1", &hand()).unwrap();
        assert_eq!(gain(&again), 1.02);
        again.undo("i1", &hand()).unwrap();
        assert_eq!(gain(&again), file.channels[0].gain_correction);
        assert_eq!(again.undo("i1", &hand()), Err(NotUndone::Nothing));
        assert_eq!(again.of("i1").count(), 2, "what was taken back stays on record");
    }

    #[test]
    fn two_swapped_clamps_go_back_together_and_not_under_a_later_calibration() {
        let file = board();
        let mut record = Record::default();
        let (one, two) = (file.channels[0].phase, file.channels[1].phase);
        let swapped = [part(&file, 0, |part| part.phase = two), part(&file, 1, |part| part.phase = one)];
        record.add(&hand(), swapped.map(|part| (Act::Swapped, part)));
        let (corrected, said) = record.correct(&file);
        assert_eq!((corrected.channels[0].phase, corrected.channels[1].phase), (two, one));
        assert!(said.is_empty());

        let calibrated = part(&corrected, 1, |part| part.gain_correction = 0.99);
        record.add(&hand(), [(Act::Calibrated, calibrated)]);
        assert_eq!(record.undo("i1", &hand()), Err(NotUndone::First("i2".to_owned())));
        record.undo("i2", &hand()).unwrap();
        record.undo("i1", &hand()).unwrap();
        assert_eq!(record.correct(&file).0.channels[1].phase, two);
    }

    #[test]
    fn a_correction_does_not_outlive_the_clamp_it_was_made_with() {
        let mut file = board();
        let mut record = Record::default();
        record.add(&hand(), [(Act::Calibrated, part(&file, 0, |part| part.gain_correction = 1.1))]);
        file.channels[0].ratio = 3000.0;
        let (corrected, said) = record.correct(&file);
        assert_eq!(corrected.channels[0].gain_correction, 1.0);
        assert!(said[0].contains("i1") && said[0].contains("calibrate it again"), "{said:?}");
    }

    #[test]
    fn a_damaged_record_is_set_aside_and_told() {
        let data = tempfile::tempdir().unwrap();
        for damaged in [&b"[[entry]]\nstep = \"one\"\n"[..], &[0xFF, 0xFE, 0x00]] {
            std::fs::write(data.path().join(FILE), damaged).unwrap();
            let (record, trouble) = Record::open(data.path()).unwrap();
            assert_eq!(record, Record::default());
            assert!(trouble.unwrap().contains("calibrate again"));
            assert!(data.path().join("clamps.toml.damaged").exists());
        }
    }

    #[test]
    fn years_of_calibrating_do_not_fill_the_disk() {
        let file = board();
        let mut record = Record::default();
        record.add(&hand(), [(Act::Turned, part(&file, 1, |part| part.reversed = true))]);
        for _ in 0..1000 {
            record.add(&hand(), [(Act::Calibrated, part(&file, 0, |part| part.gain_correction = 1.01))]);
        }
        assert_eq!(record.entries.len(), KEPT);
        assert!(record.correct(&file).0.channels[1].reversed, "what counts is kept");
    }
}
