//! The three frames of OCPP-J: call, result, error.

use serde_json::{Value, json};

/// One frame as it arrived.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    Call { unique: String, action: String, payload: Value },
    Result { unique: String, payload: Value },
    Error { unique: String, code: String },
}

/// What is wrong with a call, in the protocol's own code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) code: &'static str,
    pub(super) text: String,
}

impl Violation {
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl Frame {
    /// `None`: not a frame of OCPP-J at all.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Value::Array(parts) = serde_json::from_str(text).ok()? else { return None };
        let word = |at: usize| parts.get(at).and_then(Value::as_str).map(str::to_owned);
        let unique = word(1)?;
        match (parts.first()?.as_u64()?, parts.len()) {
            (2, 4) => Some(Self::Call { unique, action: word(2)?, payload: parts[3].clone() }),
            (3, 3) => Some(Self::Result { unique, payload: parts[2].clone() }),
            (4, 4..=5) => Some(Self::Error { unique, code: word(2)? }),
            _ => None,
        }
    }
}

pub(super) fn call(unique: &str, action: &str, payload: &Value) -> String {
    json!([2, unique, action, payload]).to_string()
}

pub(super) fn result(unique: &str, payload: &Value) -> String {
    json!([3, unique, payload]).to_string()
}

pub(super) fn error(unique: &str, violation: &Violation) -> String {
    json!([4, unique, violation.code, violation.text, {}]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_and_noise_is_none() {
        let parsed = Frame::parse(r#"[2,"7","ClearCache",{}]"#);
        let expected = Frame::Call { unique: "7".into(), action: "ClearCache".into(), payload: json!({}) };
        assert_eq!(parsed, Some(expected));
        for noise in ["", "{}", "[2]", r#"[2,"7","ClearCache"]"#, r#"[5,"7",{}]"#, r#"[3,7,{}]"#] {
            assert_eq!(Frame::parse(noise), None, "{noise}");
        }
    }
}
