//! What stands in the journal, and what is read back at the start.

use dlb_engine::time::WallTime;
use dlb_wiring::event::{Alert, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longer texts from chargers and cards are cut.
const MAX_TEXT: usize = 500;

/// A charging session; without an end it is still running, or its end was never heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRecord {
    pub charger: String,
    pub session: u64,
    pub tag: String,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// Register of the charger's meter at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register_wh: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<i64>,
    /// Why it ended; `None` while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// An alert as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EventRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_ms: Option<i64>,
    pub(super) severity: String,
    pub(super) about: String,
    pub(super) code: String,
    pub(super) text: String,
    pub(super) cleared: bool,
}

/// The highest mean of a quarter of an hour in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    pub watts: i64,
    /// When the quarter began, milliseconds since 1970.
    pub at_ms: i64,
}

/// What a start finds from before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// By charger identity, as the link wrote it.
    pub learnt: BTreeMap<String, String>,
    /// What guards of circuits had to keep, by circuit.
    pub guards: BTreeMap<String, String>,
    /// Sessions without an end, oldest first.
    pub running: Vec<SessionRecord>,
    /// Highest session number ever given; 0: none.
    pub last_session: u64,
    /// Energy registers by meter: millijoules imported and exported.
    pub registers: BTreeMap<String, (u64, u64)>,
    /// By year and month: 2026 × 12 + 10 is November 2026.
    pub peaks: BTreeMap<u32, Peak>,
}

impl Remembered {
    /// What is remembered of a charger.
    #[must_use]
    pub fn of(&self, identity: &str) -> Option<&str> {
        self.learnt.get(identity).map(String::as_str)
    }
}

impl EventRecord {
    pub(super) fn of(alert: &Alert, wall: Option<WallTime>) -> Self {
        let severity = match alert.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Alarm => "alarm",
        };
        Self {
            time_ms: wall.map(|wall| wall.0),
            severity: severity.to_owned(),
            about: cut(&alert.about),
            code: alert.code.to_owned(),
            text: cut(&alert.text),
            cleared: alert.cleared,
        }
    }
}

/// A stranger's text in a length that fits.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// Key of [`Remembered::peaks`].
#[must_use]
pub(super) fn month_of(time_ms: i64) -> Option<u32> {
    let date = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_millisecond(time_ms).ok()?);
    u32::try_from(i32::from(date.year()) * 12 + i32::from(date.month()) - 1).ok()
}
