//! Reading fields leniently: numbers as text, text as numbers, names in another case, quotes and blanks
//! round values. What cannot be read that way is a fault that names the field.

use crate::ocpp16::calendar::read_time;
use crate::ocpp16::frame::RefusalCode;
use dlb_engine::time::WallTime;
use serde_json::{Map, Value};

/// Texts of chargers are cut to this; OCPP's own longest field in use here has 255.
const TEXT_MAX: usize = 255;

/// What is wrong with a message, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} has the wrong type")]
    Type(&'static str),
    #[error("{0} has a value that is not allowed")]
    Value(&'static str),
}

impl FieldFault {
    #[must_use]
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::Missing(_) => RefusalCode::OccurenceConstraintViolation,
            Self::Type(_) => RefusalCode::TypeConstraintViolation,
            Self::Value(_) => RefusalCode::PropertyConstraintViolation,
        }
    }
}

/// The fields of one object.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a Map<String, Value>);

type Read<T> = Result<Option<T>, FieldFault>;

impl<'a> Fields<'a> {
    /// Exactly as named, or else in another case. `null` is as good as missing.
    fn get(&self, name: &str) -> Option<&'a Value> {
        let exact = self.0.get(name);
        let found = exact.or_else(|| {
            let mut all = self.0.iter();
            all.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        });
        found.filter(|value| !value.is_null())
    }

    /// # Errors
    /// The field is an object or a list.
    pub fn text(&self, name: &'static str) -> Read<String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().chars().take(TEXT_MAX).collect())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(_) => Err(FieldFault::Type(name)),
        }
    }

    /// # Errors
    /// The field is no number, nor text that reads as one.
    pub fn number(&self, name: &'static str) -> Read<f64> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_f64().map(Some).ok_or(FieldFault::Type(name)),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => loose_number(text).map(Some).ok_or(FieldFault::Type(name)),
            Some(_) => Err(FieldFault::Type(name)),
        }
    }

    /// # Errors
    /// The field is no number, or none that fits 32 bits.
    pub fn integer(&self, name: &'static str) -> Read<i64> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        let whole = number.round();
        let fits = whole.abs() <= f64::from(i32::MAX);
        if fits { Ok(Some(whole as i64)) } else { Err(FieldFault::Value(name)) }
    }

    /// A time that cannot be read counts as missing: nothing is decided by it alone.
    #[must_use]
    pub fn time(&self, name: &'static str) -> Option<WallTime> {
        self.get(name)?.as_str().and_then(read_time)
    }

    /// The objects of a list; a single object is taken as a list of one.
    ///
    /// # Errors
    /// The field is neither.
    pub fn list(&self, name: &'static str) -> Read<Vec<Fields<'a>>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => {
                Ok(Some(items.iter().filter_map(Value::as_object).map(Fields).collect()))
            }
            Some(Value::Object(item)) => Ok(Some(vec![Fields(item)])),
            Some(_) => Err(FieldFault::Type(name)),
        }
    }
}

/// `" '16,3' "` is 16.3. Not-a-number and infinity are no numbers.
#[must_use]
pub fn loose_number(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    let number: f64 = text.parse().ok().or_else(|| text.replace(',', ".").parse().ok())?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sloppy_fields_are_read() {
        let value = json!({"connectorID": " 1 ", "meterStart": "12,0", "idTag": 42, "reason": null});
        let fields = Fields(value.as_object().unwrap());
        assert_eq!(fields.integer("connectorId"), Ok(Some(1)));
        assert_eq!(fields.number("meterStart"), Ok(Some(12.0)));
        assert_eq!(fields.text("idTag"), Ok(Some("42".to_owned())));
        assert_eq!(fields.text("reason"), Ok(None));
    }

    #[test]
    fn a_fault_names_the_field() {
        let value = json!({"connectorId": [], "transactionId": 1e300});
        let fields = Fields(value.as_object().unwrap());
        assert_eq!(fields.integer("connectorId").unwrap_err().to_string(), "connectorId has the wrong type");
        assert_eq!(fields.integer("transactionId"), Err(FieldFault::Value("transactionId")));
        assert_eq!(loose_number("NaN"), None);
    }
}
