//! Sessions as a table (RFC 4180). Names come from chargers and cards: a spreadsheet must not take one
//! for a formula.

use crate::web::wire::SessionRecordView;
use jiff::Timestamp;
use std::fmt::Write;

pub(crate) fn sessions(list: &[SessionRecordView]) -> String {
    let mut table = String::from("charger,session,tag,started,ended,energy_kwh,why\r\n");
    for session in list {
        let energy = session.energy_wh.map(|wh| format!("{:.3}", wh as f64 / 1000.0));
        let _ = write!(
            table,
            "{},{},{},{},{},{},{}\r\n",
            field(&session.charger),
            session.session,
            field(&session.tag),
            time(session.started_ms),
            time(session.ended_ms),
            energy.unwrap_or_default(),
            field(session.why.as_deref().unwrap_or_default()),
        );
    }
    table
}

fn time(millis: Option<i64>) -> String {
    let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let quoted = text.contains([',', '"', '\r', '\n']);
    if quoted { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { format!("{guard}{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_cannot_smuggle_a_formula_into_the_spreadsheet() {
        let session = SessionRecordView {
            charger: "bay, left".into(),
            session: 7,
            tag: "=HYPERLINK(\"http://evil\")".into(),
            started_ms: Some(1_767_225_600_000),
            ended_ms: None,
            energy_wh: Some(12_345),
            why: None,
        };
        let expected = "charger,session,tag,started,ended,energy_kwh,why\r\n\
            \"bay, left\",7,\"'=HYPERLINK(\"\"http://evil\"\")\",2026-01-01T00:00:00Z,,12.345,\r\n";
        assert_eq!(sessions(&[session]), expected);
    }
}
