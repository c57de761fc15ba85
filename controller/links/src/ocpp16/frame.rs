//! Envelopes of OCPP-J: `[2,id,action,payload]`, `[3,id,payload]`, `[4,id,code,text,details]`.

use serde_json::{Map, Value, json};

/// Longer frames are not looked at. Signed meter values of a long session stay far below.
pub const FRAME_MAX: usize = 256 * 1024;
const ID_MAX: usize = 128;

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The identifier is kept as it came (some chargers send numbers) because it must be echoed.
    Call {
        id: Value,
        action: String,
        payload: Map<String, Value>,
    },
    Answer {
        id: String,
        payload: Map<String, Value>,
    },
    Refusal {
        id: String,
        code: String,
        text: String,
    },
}

/// Why a frame could not be read. With an identifier, it can be answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}")]
pub struct FrameFault {
    pub id: Option<Value>,
    pub what: &'static str,
}

impl Frame {
    /// # Errors
    /// What is wrong, with the identifier of the call if there was one.
    pub fn read(text: &str) -> Result<Self, FrameFault> {
        let fault = |what| FrameFault { id: None, what };
        if text.len() > FRAME_MAX {
            return Err(fault("the frame is too long"));
        }
        let parts: Vec<Value> =
            serde_json::from_str(text).map_err(|_| fault("the frame is not a JSON array"))?;
        let mut parts = parts.into_iter();
        let kind = parts.next().as_ref().and_then(whole);
        let id = parts.next().filter(usable_id).ok_or(fault("the message identifier is missing"))?;
        match kind {
            Some(2) => read_call(id, parts),
            Some(3) => Ok(Self::Answer { id: plain(&id), payload: object(parts.next()).unwrap_or_default() }),
            Some(4) => Ok(read_refusal(&id, parts)),
            _ => Err(fault("the message type is neither 2, 3 nor 4")),
        }
    }
}

fn read_call(id: Value, mut parts: impl Iterator<Item = Value>) -> Result<Frame, FrameFault> {
    let Some(Value::String(action)) = parts.next() else {
        return Err(FrameFault { id: Some(id), what: "the action is missing" });
    };
    match object(parts.next()) {
        Some(payload) => Ok(Frame::Call { id, action, payload }),
        None => Err(FrameFault { id: Some(id), what: "the payload is not an object" }),
    }
}

fn read_refusal(id: &Value, mut parts: impl Iterator<Item = Value>) -> Frame {
    let mut text =
        || parts.next().as_ref().and_then(Value::as_str).unwrap_or_default().chars().take(200).collect();
    Frame::Refusal { id: plain(id), code: text(), text: text() }
}

/// A missing payload is taken as an empty one.
fn object(part: Option<Value>) -> Option<Map<String, Value>> {
    match part {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(fields)) => Some(fields),
        Some(_) => None,
    }
}

fn usable_id(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= ID_MAX,
        Value::Number(_) => true,
        _ => false,
    }
}

fn plain(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn whole(kind: &Value) -> Option<i64> {
    kind.as_i64().or_else(|| kind.as_str()?.trim().parse().ok())
}

#[must_use]
pub fn call(id: &str, action: &str, payload: &Value) -> String {
    json!([2, id, action, payload]).to_string()
}

#[must_use]
pub fn answer(id: &Value, payload: &Value) -> String {
    json!([3, id, payload]).to_string()
}

/// The codes of OCPP 1.6J, in its own spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    NotImplemented,
    FormationViolation,
    OccurenceConstraintViolation,
    TypeConstraintViolation,
    PropertyConstraintViolation,
}

#[must_use]
pub fn refusal(id: &Value, code: RefusalCode, text: &str) -> String {
    json!([4, id, format!("{code:?}"), text, {}]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_identifier_is_echoed_as_a_number() {
        let Ok(Frame::Call { id, payload, .. }) = Frame::read(r#"[2,17,"Heartbeat"]"#) else { panic!() };
        assert!(payload.is_empty());
        assert_eq!(answer(&id, &json!({})), "[3,17,{}]");
    }

    #[test]
    fn a_broken_call_can_be_answered_if_its_identifier_is_there() {
        let fault = Frame::read(r#"[2,"a","Heartbeat",[]]"#).unwrap_err();
        assert_eq!(fault.id, Some(json!("a")));
        assert_eq!(Frame::read("{}").unwrap_err().id, None);
        assert_eq!(Frame::read(&"[".repeat(FRAME_MAX)).unwrap_err().what, "the frame is not a JSON array");
    }
}
