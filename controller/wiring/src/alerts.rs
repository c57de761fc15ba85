//! Troubles that are not over. Each is raised once, kept while it lasts, and cleared by name.

use crate::event::{Alert, Severity};
use dlb_engine::time::Instant;
use std::collections::BTreeMap;

/// What a charger's wrong clock costs, and what to do: a time zone that was mistaken for UTC is off by whole
/// quarters of an hour, everything else needs a time server.
pub(crate) fn wrong_clock(charger: &str, behind_s: i64) -> (Severity, String) {
    const QUARTER_S: i64 = 15 * 60;
    let off = behind_s.abs();
    let by_zone = off <= 14 * 3600 && (off + 120) % QUARTER_S <= 240 && off > 120;
    let remedy = if by_zone { "set its time zone to UTC" } else { "set its time server" };
    let way = if behind_s < 0 { "ahead" } else { "behind" };
    let text = format!(
        "The clock of {charger} is {} {way}, so its own records carry wrong times: {remedy} on its own page or in its app.",
        span(off)
    );
    (Severity::Warning, text)
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_by_whole_hours_has_the_wrong_zone() {
        let text = |behind_s| wrong_clock("bay-1", behind_s).1;
        for zone in [3600, -7190, 19_810] {
            assert!(text(zone).contains("set its time zone to UTC"), "{}", text(zone));
        }
        for drift in [70, 400, 86_400 * 400, 5000] {
            assert!(text(drift).contains("set its time server"), "{}", text(drift));
        }
        assert!(text(-7190).contains("119 min ahead"), "{}", text(-7190));
        assert!(text(70).contains("70 s behind"));
    }
}
