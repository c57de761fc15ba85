//! A configuration as a tree of values, before anybody knows what they mean. From TOML each value
//! knows its line; from the API's JSON it does not.

use super::problem::Problem;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) type Table = BTreeMap<String, Node>;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) line: Option<u32>,
}

#[derive(Debug)]
pub(super) enum Value {
    /// JSON's `null`: as if the key were not there.
    Nothing,
    Text(String),
    Number(f64),
    Flag(bool),
    Date,
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// For messages: "is a text".
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads TOML.
///
/// # Errors
/// What is not TOML, each with its line. Its meaning is not looked at then: after a broken line
/// the rest would be misread.
pub(super) fn from_toml(text: &str) -> Result<Table, Vec<Problem>> {
    let lines = LineIndex::new(text);
    let (table, faults) = DeTable::parse_recoverable(text);
    if faults.is_empty() {
        return Ok(toml_table(table.get_ref(), &lines));
    }
    let mut problems: Vec<Problem> =
        faults.iter().take(20).map(|fault| syntax_problem(fault, &lines)).collect();
    problems.dedup_by_key(|problem| problem.line);
    Err(problems)
}

/// Takes over JSON. Anything but an object is an empty configuration, which the check refuses.
pub(super) fn from_json(value: &serde_json::Value) -> Table {
    match json_value(value) {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}

fn syntax_problem(fault: &toml::de::Error, lines: &LineIndex) -> Problem {
    let line = fault.span().map_or(1, |span| lines.line(span.start));
    Problem {
        key: String::new(),
        id: None,
        line: Some(line),
        what: format!("is not TOML: {}", fault.message().lines().collect::<Vec<_>>().join(", ")),
        remedy: format!("correct line {line}; a setting looks like: key = \"text\" or key = 16"),
    }
}

fn toml_table(table: &DeTable<'_>, lines: &LineIndex) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key_line = lines.line(key.span().start);
        let node = Node { value: toml_value(value.get_ref(), lines), line: Some(key_line) };
        (AsRef::<str>::as_ref(key.get_ref()).to_owned(), node)
    };
    table.iter().map(entry).collect()
}

fn toml_value(value: &DeValue<'_>, lines: &LineIndex) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            let number = i128::from_str_radix(integer.as_str(), integer.radix());
            Value::Number(number.map_or(f64::NAN, |number| number as f64))
        }
        DeValue::Float(float) => Value::Number(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.iter().map(|item| toml_item(item, lines)).collect()),
        DeValue::Table(table) => Value::Table(toml_table(table, lines)),
    }
}

fn toml_item(item: &Spanned<DeValue<'_>>, lines: &LineIndex) -> Node {
    Node { value: toml_value(item.get_ref(), lines), line: Some(lines.line(item.span().start)) }
}

fn json_value(value: &serde_json::Value) -> Value {
    let node = |value| Node { value: json_value(value), line: None };
    match value {
        serde_json::Value::Null => Value::Nothing,
        serde_json::Value::Bool(flag) => Value::Flag(*flag),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(node).collect()),
        serde_json::Value::Object(object) => {
            Value::Table(object.iter().map(|(key, value)| (key.clone(), node(value))).collect())
        }
    }
}

/// From a byte's position to its line, counted from 1.
struct LineIndex(Vec<usize>);

impl LineIndex {
    fn new(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.0.partition_point(|newline| *newline < at) + 1).unwrap_or(u32::MAX)
    }
}
