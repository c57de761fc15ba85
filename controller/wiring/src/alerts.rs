//! Troubles that are not over. Each is raised once, kept while it lasts, and cleared by name.

use crate::event::{Alert, Severity};
use dlb_engine::time::Instant;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts {
    active: BTreeMap<(String, &'static str), Alert>,
    /// Raised or cleared since the last look.
    changes: Vec<Alert>,
}

/// More troubles than this at once are one trouble; the rest would only hide it.
const MOST: usize = 500;

impl Alerts {
    pub(crate) fn raise(
        &mut self,
        at: Instant,
        about: &str,
        code: &'static str,
        severity: Severity,
        text: impl Into<String>,
    ) {
        let key = (about.to_owned(), code);
        if self.active.contains_key(&key) || self.active.len() >= MOST {
            return;
        }
        let alert = Alert { at, severity, about: about.into(), code, text: text.into(), cleared: false };
        self.changes.push(alert.clone());
        self.active.insert(key, alert);
    }

    pub(crate) fn clear(&mut self, at: Instant, about: &str, code: &'static str) {
        if let Some(alert) = self.active.remove(&(about.to_owned(), code)) {
            self.changes.push(Alert { at, cleared: true, ..alert });
        }
    }

    /// Something that happened, and is over with that.
    pub(crate) fn note(&mut self, alert: Alert) {
        self.changes.push(alert);
    }

    /// Takes an alert that somebody else has made, or the end of one.
    pub(crate) fn told(&mut self, alert: Alert) {
        if alert.cleared {
            self.clear(alert.at, &alert.about, alert.code);
        } else {
            self.raise(alert.at, &alert.about, alert.code, alert.severity, alert.text);
        }
    }

    /// Raises or clears, by whether the trouble is there.
    pub(crate) fn set(
        &mut self,
        at: Instant,
        about: &str,
        code: &'static str,
        trouble: Option<(Severity, String)>,
    ) {
        match trouble {
            Some((severity, text)) => self.raise(at, about, code, severity, text),
            None => self.clear(at, about, code),
        }
    }

    /// A thing that is gone has no troubles.
    pub(crate) fn forget(&mut self, at: Instant, known: impl Fn(&str) -> bool) {
        let gone: Vec<_> = self.active.keys().filter(|(about, _)| !known(about)).cloned().collect();
        for (about, code) in gone {
            self.clear(at, &about, code);
        }
    }

    pub(crate) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.active.values()
    }

    pub(crate) fn take_changes(&mut self) -> Vec<Alert> {
        core::mem::take(&mut self.changes)
    }
}
