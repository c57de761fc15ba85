//! What people are told of a store file: that it was broken, that the disk does not take it, that it
//! works again. A disk that is away is told once, not with every attempt.

use dlb_engine::time::Instant;
use dlb_wiring::event::{Alert, Severity};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Trouble {
    file: String,
    codes: Codes,
    away: bool,
    told: Vec<Alert>,
}

/// Each file has its own, so that the end of one trouble does not end the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    pub(super) corrupt: &'static str,
    pub(super) unavailable: &'static str,
}

pub(super) const JOURNAL: Codes = Codes { corrupt: "journal-corrupt", unavailable: "journal-unavailable" };
pub(super) const HISTORY: Codes = Codes { corrupt: "history-corrupt", unavailable: "history-unavailable" };

impl Trouble {
    pub(super) const fn new(file: String, codes: Codes) -> Self {
        Self { file, codes, away: false, told: Vec::new() }
    }

    pub(super) fn broken(&mut self, now: Instant, aside: Option<&Path>) {
        let aside = aside.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let kept = aside.map_or("It could not be kept".to_owned(), |name| format!("It is kept as {name}"));
        let text = format!(
            "{} was damaged and has been begun anew; what it held is missing from the page. {kept}. If this \
             happens again, the flash is failing: replace the box.",
            self.file
        );
        self.told.push(alert(now, self.codes.corrupt, text, false));
    }

    pub(super) fn away(&mut self, now: Instant, why: &str) {
        if self.away {
            return;
        }
        self.away = true;
        let text = format!(
            "{} cannot be written: {why}. Balancing goes on, records wait in memory. Make room in the data \
             directory, or see that it can be written.",
            self.file
        );
        self.told.push(alert(now, self.codes.unavailable, text, false));
    }

    /// It works. That something was lost before stays said.
    pub(super) fn over(&mut self, now: Instant) {
        if std::mem::take(&mut self.away) {
            let text = format!("{} is written again.", self.file);
            self.told.push(alert(now, self.codes.unavailable, text, true));
        }
    }

    /// What has not been told yet.
    pub(super) fn take(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.told)
    }
}

fn alert(at: Instant, code: &'static str, text: String, cleared: bool) -> Alert {
    Alert { at, severity: Severity::Warning, about: "site".into(), code, text, cleared }
}
