//! A strict look at the fields of a payload: missing, mistyped and unknown ones are violations.

use super::frame::Violation;
use serde_json::{Map, Value};

pub(super) struct Fields<'a>(&'a Map<String, Value>);

type Checked<T> = Result<T, Violation>;

impl<'a> Fields<'a> {
    /// The fields of an object that has no others than the known ones.
    pub(super) fn of(value: &'a Value, known: &[&str]) -> Checked<Self> {
        let Value::Object(map) = value else {
            return Err(Violation::new("FormationViolation", "the payload is not an object"));
        };
        match map.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Violation::new("FormationViolation", format!("unknown field {name}"))),
            None => Ok(Self(map)),
        }
    }

    pub(super) fn maybe(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    pub(super) fn any(&self, name: &str) -> Checked<&'a Value> {
        let missing = || Violation::new("OccurenceConstraintViolation", format!("{name} is missing"));
        self.maybe(name).ok_or_else(missing)
    }

    pub(super) fn text(&self, name: &str) -> Checked<&'a str> {
        self.any(name)?.as_str().ok_or_else(|| mistyped(name, "a text"))
    }

    pub(super) fn whole(&self, name: &str) -> Checked<i64> {
        self.any(name)?.as_i64().ok_or_else(|| mistyped(name, "a whole number"))
    }

    pub(super) fn number(&self, name: &str) -> Checked<f64> {
        self.any(name)?.as_f64().ok_or_else(|| mistyped(name, "a number"))
    }

    pub(super) fn list(&self, name: &str) -> Checked<&'a [Value]> {
        self.any(name)?.as_array().map(Vec::as_slice).ok_or_else(|| mistyped(name, "a list"))
    }

    pub(super) fn maybe_text(&self, name: &str) -> Checked<Option<&'a str>> {
        self.maybe(name).map(|_| self.text(name)).transpose()
    }

    pub(super) fn maybe_whole(&self, name: &str) -> Checked<Option<i64>> {
        self.maybe(name).map(|_| self.whole(name)).transpose()
    }

    /// A time, as milliseconds since 1970.
    pub(super) fn maybe_time(&self, name: &str) -> Checked<Option<i64>> {
        let Some(text) = self.maybe_text(name)? else { return Ok(None) };
        super::calendar::from_text(text).map(Some).ok_or_else(|| mistyped(name, "a time"))
    }
}

fn mistyped(name: &str, wanted: &str) -> Violation {
    Violation::new("TypeConstraintViolation", format!("{name} is not {wanted}"))
}

/// A word out of a fixed list.
pub(super) fn one_of<T: Copy>(name: &str, word: &str, words: &[(&str, T)]) -> Checked<T> {
    let unknown = || Violation::new("PropertyConstraintViolation", format!("{name} cannot be {word}"));
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning).ok_or_else(unknown)
}
