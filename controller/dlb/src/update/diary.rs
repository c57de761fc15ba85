//! What is remembered of updates over restarts: the update under way, and how earlier ones ended. Files of
//! their own in the data directory, which both systems see: so the one that comes up knows what the other began.

use super::bundle::Bundle;
use crate::clock;
use crate::config::atomic;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// Ended updates that are kept.
const KEPT: usize = 50;
const PENDING: &str = "pending.json";
const HISTORY: &str = "history.json";
const REPORT: &str = "report.json";

/// An update that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) bundle: Bundle,
    pub(super) action: Option<String>,
    pub(super) from_version: String,
    pub(super) from_slot: String,
    /// The start of the machine in which it was installed.
    pub(super) boot: String,
    /// It was written whole; before that the other system is half an old one.
    pub(super) written: bool,
    pub(super) wait_for_cars: bool,
    /// The machine was to be restarted.
    #[serde(default)]
    pub(super) asked: bool,
    /// How often the new system got as far as this program.
    #[serde(default)]
    pub(super) starts: u32,
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateRecord {
    /// Milliseconds since 1970; null if the clock was unknown.
    pub time_ms: Option<i64>,
    pub from_version: String,
    pub to_version: String,
    pub outcome: UpdateOutcome,
    /// Stable, for programs: `done`, `interrupted`, `not-up`, `not-proved`, or the code of the problem.
    #[serde(default)]
    #[schema(required)]
    pub code: String,
    /// What happened, for people.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateOutcome {
    /// The new system runs and proved itself.
    Done,
    /// The new system did not come up, or did not prove itself: the old one runs again.
    RolledBack,
    /// It was not written whole; nothing has changed.
    Failed,
}

/// How an action of an update server ended, until the server has been told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) action: String,
    pub(crate) success: bool,
    pub(crate) text: String,
}

/// What an update under way has come to, seen after a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Written; the machine has not been restarted since.
    AwaitsRestart,
    /// The new system runs and must prove itself.
    OnTrial,
    Ended(Ending),
}

/// An end, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) outcome: UpdateOutcome,
    pub(super) code: String,
    pub(super) text: String,
}

impl Ending {
    pub(super) fn new(outcome: UpdateOutcome, code: &str, text: impl Into<String>) -> Self {
        Self { outcome, code: code.to_owned(), text: text.into() }
    }
}

impl Pending {
    /// `booted`: the slot that runs. `boot`: this start of the machine.
    pub(super) fn found(&self, booted: &str, boot: &str) -> Found {
        let (from, to) = (&self.from_version, &self.bundle.version);
        if booted != self.from_slot {
            return Found::OnTrial;
        }
        if !self.written {
            let text = format!(
                "The update to {to} was interrupted while it was written. Nothing has changed, {from} runs. \
                 Install it again."
            );
            return Found::Ended(Ending::new(UpdateOutcome::Failed, "interrupted", text));
        }
        if boot == self.boot {
            return Found::AwaitsRestart;
        }
        let (code, why) = match self.starts {
            0 => ("not-up", "did not come up as far as its program".to_owned()),
            1 => ("not-proved", "came up once, but did not prove itself".to_owned()),
            times => ("not-proved", format!("came up {times} times, but did not prove itself")),
        };
        let text = format!("{to} {why}. The box went back to {from} by itself, which runs now.");
        Found::Ended(Ending::new(UpdateOutcome::RolledBack, code, text))
    }

    /// An update that went well.
    pub(super) fn done(&self) -> Ending {
        let text = format!("{} runs and has proved itself.", self.bundle.version);
        Ending::new(UpdateOutcome::Done, "done", text)
    }
}

/// The two files.
#[derive(Debug)]
pub(super) struct Diary {
    directory: PathBuf,
    pub(super) pending: Option<Pending>,
    pub(super) history: Vec<UpdateRecord>,
    pub(super) report: Option<Report>,
}

impl Diary {
    /// What cannot be read is as if it were not there: it must not keep a box from being updated.
    pub(super) fn open(directory: PathBuf) -> Self {
        let pending = read(&directory.join(PENDING));
        let history = read(&directory.join(HISTORY)).unwrap_or_default();
        let report = read(&directory.join(REPORT));
        Self { directory, pending, history, report }
    }

    /// Remembers an update under way, for good when this returns.
    pub(super) fn begin(&mut self, pending: Pending) -> std::io::Result<()> {
        atomic::make_directory(&self.directory)?;
        write(&self.directory.join(PENDING), &pending)?;
        self.pending = Some(pending);
        Ok(())
    }

    /// Changes what is remembered of it.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Pending)) {
        let Some(pending) = self.pending.as_mut() else { return };
        change(pending);
        if let Err(error) = write(&self.directory.join(PENDING), pending) {
            tracing::warn!(%error, "remembering the update under way");
        }
    }

    /// Has a server told how its action ended; kept until that is done.
    pub(super) fn report(&mut self, action: String, success: bool, text: &str) {
        let report = Report { action, success, text: text.to_owned() };
        let written = atomic::make_directory(&self.directory)
            .and_then(|()| write(&self.directory.join(REPORT), &report));
        if let Err(error) = written {
            tracing::warn!(%error, "remembering what an update server is to be told");
        }
        self.report = Some(report);
    }

    /// The server has been told.
    pub(super) fn reported(&mut self) {
        self.report = None;
        let _ = std::fs::remove_file(self.directory.join(REPORT));
    }

    /// Writes down how the update under way ended. The history first: a power cut in between tells it twice.
    pub(super) fn end(&mut self, ending: Ending) -> Option<UpdateRecord> {
        let mut pending = self.pending.take()?;
        if let Some(action) = pending.action.take() {
            self.report(action, ending.outcome == UpdateOutcome::Done, &ending.text);
        }
        let record = UpdateRecord {
            time_ms: clock::wall().map(|wall| wall.0),
            from_version: pending.from_version,
            to_version: pending.bundle.version,
            outcome: ending.outcome,
            code: ending.code,
            text: ending.text,
        };
        self.history.insert(0, record.clone());
        self.history.truncate(KEPT);
        let written = write(&self.directory.join(HISTORY), &self.history)
            .and_then(|()| std::fs::remove_file(self.directory.join(PENDING)));
        if let Err(error) = written {
            tracing::warn!(%error, "writing down how an update ended");
        }
        Some(record)
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn write(path: &Path, value: &impl Serialize) -> std::io::Result<()> {
    let bytes = serde_json::to_vec_pretty(value).expect("plain data with string keys");
    atomic::replace(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(written: bool, starts: u32) -> Pending {
        Pending {
            bundle: Bundle { version: "2.0".into(), ..Default::default() },
            action: None,
            from_version: "1.0".into(),
            from_slot: "rootfs.0".into(),
            boot: "first".into(),
            written,
            wait_for_cars: true,
            asked: false,
            starts,
        }
    }

    #[test]
    fn a_start_tells_what_became_of_the_update() {
        assert_eq!(pending(true, 0).found("rootfs.0", "first"), Found::AwaitsRestart);
        assert_eq!(pending(true, 0).found("rootfs.1", "second"), Found::OnTrial);
        // The power went between the last block and the note that it was the last.
        assert_eq!(pending(false, 0).found("rootfs.1", "second"), Found::OnTrial);
        for (update, outcome, code, words) in [
            (pending(false, 0), UpdateOutcome::Failed, "interrupted", "Nothing has changed, 1.0 runs"),
            (pending(true, 0), UpdateOutcome::RolledBack, "not-up", "did not come up"),
            (pending(true, 1), UpdateOutcome::RolledBack, "not-proved", "came up once"),
            (pending(true, 3), UpdateOutcome::RolledBack, "not-proved", "came up 3 times"),
        ] {
            let Found::Ended(end) = update.found("rootfs.0", "second") else { panic!("{update:?}") };
            assert_eq!((end.outcome, end.code.as_str()), (outcome, code));
            assert!(end.text.contains(words), "{}", end.text);
        }
    }

    #[test]
    fn history_survives_a_restart_and_is_bounded() {
        let data = tempfile::tempdir().unwrap();
        let mut diary = Diary::open(data.path().join("update"));
        for at in 0..KEPT + 2 {
            diary.begin(pending(true, 0)).unwrap();
            assert!(Diary::open(data.path().join("update")).pending.is_some());
            diary.end(Ending::new(UpdateOutcome::Done, "done", at.to_string())).unwrap();
        }
        let again = Diary::open(data.path().join("update"));
        assert_eq!((again.pending, again.history.len()), (None, KEPT));
        assert_eq!(again.history[0].text, (KEPT + 1).to_string());
    }
}
