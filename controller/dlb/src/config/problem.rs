//! What is wrong with a configuration: all of it at once, each with its key, its line and a remedy.

use super::defaults::Range;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// Further mistakes are counted, not listed.
const MAX_LISTED: usize = 200;

/// One mistake, or one thing that is allowed and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Where: `charger[2].max_a`, counted from 0; empty for the file as a whole.
    pub key: String,
    /// The `id` of the entry that the key belongs to, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Line of the file, counted from 1; missing where the configuration came over the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, to be read after the key: "is 5 A, outside 6 to 80 A".
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// The collector that a whole check writes into.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    unlisted: usize,
    faulty: BTreeSet<String>,
    lines: BTreeMap<String, u32>,
    ids: BTreeMap<String, String>,
}

impl Problems {
    pub(super) fn note_line(&mut self, key: &str, line: Option<u32>) {
        if let Some(line) = line {
            self.lines.insert(key.to_owned(), line);
        }
    }

    pub(super) fn note_id(&mut self, entry: &str, id: &str) {
        self.ids.insert(entry.to_owned(), id.to_owned());
    }

    pub(super) fn error(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.faulty.insert(key.to_owned());
        if self.errors.len() >= MAX_LISTED {
            self.unlisted += 1;
            return;
        }
        let problem = self.problem(key, what.into(), remedy.into());
        self.errors.push(problem);
    }

    pub(super) fn warn(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        if self.warnings.len() < MAX_LISTED {
            let problem = self.problem(key, what.into(), remedy.into());
            self.warnings.push(problem);
        }
    }

    /// Was this very key refused already? Saves the reader the mistakes that follow from a mistake.
    pub(super) fn refused(&self, key: &str) -> bool {
        self.faulty.contains(key)
    }

    /// Reports a value outside its range; not-a-number is outside every range.
    pub(super) fn check_range(&mut self, key: &str, value: f64, range: &Range) -> bool {
        if range.allowed.contains(&value) {
            return true;
        }
        let (low, high, unit) = (range.allowed.start(), range.allowed.end(), spaced(range.unit));
        self.error(
            key,
            format!("is {value}{unit}, outside {low} to {high}{unit}"),
            format!("choose {low} to {high}{unit}: {}", range.why),
        );
        false
    }

    /// Both lists in the order of the file.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<Problem>) {
        self.errors.sort_by_key(|problem| problem.line);
        self.warnings.sort_by_key(|problem| problem.line);
        if self.unlisted > 0 {
            self.errors.push(Problem {
                key: String::new(),
                id: None,
                line: self.errors.last().and_then(|last| last.line),
                what: format!("has {} more mistakes", self.unlisted),
                remedy: "correct the ones above first".into(),
            });
        }
        (self.errors, self.warnings)
    }

    fn problem(&self, key: &str, what: String, remedy: String) -> Problem {
        let entry = key.split('.').next().unwrap_or_default();
        Problem {
            key: key.to_owned(),
            id: self.ids.get(entry).cloned(),
            line: self.nearest_line(key),
            what,
            remedy,
        }
    }

    /// The line of the key itself or, where it is missing, of the entry that should have it.
    fn nearest_line(&self, key: &str) -> Option<u32> {
        let mut key = key;
        loop {
            if let Some(line) = self.lines.get(key) {
                return Some(*line);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Of the known words the one that was probably meant.
pub(super) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let bound = word.chars().count().clamp(2, 9) / 2;
    let near = known.into_iter().map(|candidate| (distance(candidate), candidate));
    near.filter(|(far, _)| *far <= bound).min_by_key(|(far, _)| *far).map(|(_, candidate)| candidate)
}

/// "did you mean …", or the list of what there is.
pub(super) fn suggestion(word: &str, known: &[&str], nothing: &str) -> String {
    if let Some(meant) = closest(word, known.iter().copied()) {
        return format!("did you mean \"{meant}\"?");
    }
    match known {
        [] => nothing.to_owned(),
        _ if known.len() > 12 => format!("one of {}, …", known[..12].join(", ")),
        _ => format!("one of {}", known.join(", ")),
    }
}

/// As one line of a log: the key, what is wrong, what to do.
impl core::fmt::Display for Problem {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{} {}; {}", self.key, self.what, self.remedy)
    }
}
