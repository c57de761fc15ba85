//! One table of the file while it is read key by key: what is asked for is taken out with its type
//! checked, what nobody asked for is reported at the end as unknown.

use super::node::{Node, Table, Value};
use super::problem::{Problems, closest};

pub(super) struct Section<'a> {
    /// `""` at the top, else `charger[2]`.
    path: String,
    table: &'a Table,
    asked: Vec<&'static str>,
    problems: &'a mut Problems,
}

/// A type that a value of the file can be.
pub(super) trait FromValue: Sized {
    /// For messages: "must be a number".
    const WANTED: &'static str;
    fn from_value(value: &Value) -> Option<Self>;

    /// What to write instead.
    fn remedy(_wrong: &Value) -> String {
        format!("write {}", Self::WANTED)
    }
}

impl<'a> Section<'a> {
    pub(super) fn new(path: String, table: &'a Table, problems: &'a mut Problems) -> Self {
        for (key, node) in table {
            problems.note_line(&join(&path, key), node.line);
        }
        if let Some(Node { value: Value::Text(id), .. }) = table.get("id") {
            problems.note_id(&path, id);
        }
        Self { path, table, asked: Vec::new(), problems }
    }

    /// The value, or `None` where it is missing or wrong; the latter is reported.
    pub(super) fn take<T: FromValue>(&mut self, key: &'static str) -> Option<T> {
        let value = self.value(key)?;
        let taken = T::from_value(value);
        if taken.is_none() {
            let what = match value {
                Value::Text(text) => format!("is \"{}\", it must be {}", short(text), T::WANTED),
                Value::Number(number) => format!("is {number}, it must be {}", T::WANTED),
                _ => format!("is {}, it must be {}", value.kind(), T::WANTED),
            };
            self.problems.error(&join(&self.path, key), what, T::remedy(value));
        }
        taken
    }

    /// A value that must be there; its default only stands in until the mistakes are reported.
    pub(super) fn require<T: FromValue + Default>(&mut self, key: &'static str, remedy: &str) -> T {
        let there = self.value(key).is_some();
        let taken = self.take(key);
        if !there {
            self.problems.error(&join(&self.path, key), "is missing", remedy);
        }
        taken.unwrap_or_default()
    }

    /// A table inside this one.
    pub(super) fn inside<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Option<T> {
        match self.value(key)? {
            Value::Table(table) => {
                let mut section = Section::new(join(&self.path, key), table, self.problems);
                let read = read(&mut section);
                section.finish();
                Some(read)
            }
            other => {
                let what = format!("is {}, it must be a table", other.kind());
                self.problems.error(
                    &join(&self.path, key),
                    what,
                    format!("write [{key}] on a line of its own"),
                );
                None
            }
        }
    }

    /// A list of tables: `[[charger]]`.
    pub(super) fn each<T>(
        &mut self,
        key: &'static str,
        most: usize,
        read: impl Fn(&mut Section<'_>) -> T,
    ) -> Vec<T> {
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(Value::List(list)) => list,
            Some(other) => {
                let what = format!("is {}, it must be a list of tables", other.kind());
                let remedy = format!("write [[{key}]] above each entry");
                self.problems.error(&join(&self.path, key), what, remedy);
                return Vec::new();
            }
        };
        if list.len() > most {
            let what = format!("has {} entries, the most is {most}", list.len());
            self.problems.error(&join(&self.path, key), what, "divide the site among several boxes");
        }
        list.iter().take(most).enumerate().filter_map(|(at, node)| self.entry(key, at, node, &read)).collect()
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys().filter(|key| !self.asked.contains(&key.as_str())) {
            let remedy = match closest(key, self.asked.iter().copied()) {
                _ if key == "password" => {
                    "keep it out of this file: set it on the page, it is stored apart".into()
                }
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("remove it; the keys here are {}", self.asked.join(", ")),
            };
            self.problems.error(&join(&self.path, &short(key)), "is not a key of this file", remedy);
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table.get(key).map(|node| &node.value).filter(|value| !matches!(value, Value::Nothing))
    }

    fn entry<T>(
        &mut self,
        key: &str,
        at: usize,
        node: &Node,
        read: impl Fn(&mut Section<'_>) -> T,
    ) -> Option<T> {
        let path = format!("{}[{at}]", join(&self.path, key));
        self.problems.note_line(&path, node.line);
        let Value::Table(table) = &node.value else {
            let what = format!("is {}, it must be a table", node.value.kind());
            self.problems.error(&path, what, format!("write [[{key}]] above each entry"));
            return None;
        };
        let mut section = Section::new(path, table, self.problems);
        let read = read(&mut section);
        section.finish();
        Some(read)
    }
}

impl FromValue for String {
    const WANTED: &'static str = "a text in quotes";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for f64 {
    const WANTED: &'static str = "a number";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) if number.is_finite() => Some(*number),
            _ => None,
        }
    }
    fn remedy(wrong: &Value) -> String {
        match wrong {
            Value::Text(text) if text.trim().parse::<f64>().is_ok() => "remove the quotes".into(),
            _ => "write a number without quotes and without its unit".into(),
        }
    }
}

impl FromValue for bool {
    const WANTED: &'static str = "true or false";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// Whole numbers; whether they are in range is for the check to say.
impl FromValue for u32 {
    const WANTED: &'static str = "a whole number";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number)
                if number.fract() == 0.0 && (0.0..=f64::from(Self::MAX)).contains(number) =>
            {
                Some(*number as Self)
            }
            _ => None,
        }
    }
}

impl FromValue for Vec<f64> {
    const WANTED: &'static str = "a list of numbers";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::List(list) => list.iter().map(|node| f64::from_value(&node.value)).collect(),
            _ => None,
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A stranger's text, fit for a message: one line of bounded length.
pub(super) fn short(text: &str) -> String {
    let mut short: String =
        text.chars().take(40).map(|char| if char.is_control() { '·' } else { char }).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
