//! What was recorded: load curves, sessions, events. Every question is bounded before it is asked.

use super::csv;
use crate::web::answer::{Answer, Refusal, ok, with_type};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::{Span, Wanted};
use crate::web::wire::{EventsView, HistoryView, RefusalView, SessionsView};
use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

const MAX_POINTS: i64 = 2_500;
const DEFAULT_STEP_S: u32 = 300;
const MAX_STEP_S: u32 = 31 * 86_400;
const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 1_000;
const MAX_CSV_LIMIT: usize = 20_000;

/// Load curves of a stretch of time.
#[utoipa::path(get, path = "/api/v1/history", tag = "history", operation_id = "history",
    params(("from_ms" = i64, Query, description = "Milliseconds since 1970."), ("to_ms" = i64, Query),
        ("step_s" = Option<u32>, Query, description = "Seconds per value; 300 if omitted. At most 2500 values.")),
    responses((status = 200, body = HistoryView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn history(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let query = call.query(&["from_ms", "to_ms", "step_s"])?;
    let span = Span { from_ms: needed(&query, "from_ms")?, to_ms: needed(&query, "to_ms")? };
    let step_s = number(&query, "step_s")?.unwrap_or(DEFAULT_STEP_S);
    check_span(span)?;
    if !(1..=MAX_STEP_S).contains(&step_s) {
        return Err(Refusal::bad_field(
            "step_s",
            format!("step_s must be between 1 and {MAX_STEP_S}."),
            "Send seconds.",
        ));
    }
    if span.to_ms.saturating_sub(span.from_ms) / (i64::from(step_s) * 1000) > MAX_POINTS {
        let message = format!("That would be more than {MAX_POINTS} values.");
        return Err(Refusal::bad_field("step_s", message, "Ask for longer steps or a shorter time."));
    }
    let view = desk.ask(move |doors| doors.history.series(span, step_s)).await??;
    Ok(ok(&view))
}

/// Charging sessions, newest first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "history", operation_id = "sessions",
    params(("from_ms" = Option<i64>, Query, description = "Milliseconds since 1970."), ("to_ms" = Option<i64>, Query),
        ("charger" = Option<String>, Query), ("limit" = Option<usize>, Query, description = "200 if omitted, at most 1000.")),
    responses((status = 200, body = SessionsView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn sessions(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let wanted = wanted(call, "charger", DEFAULT_LIMIT, MAX_LIMIT)?;
    let sessions = desk.ask(move |doors| doors.history.sessions(&wanted)).await??;
    Ok(ok(&SessionsView { sessions }))
}

/// Charging sessions as a table for a spreadsheet.
#[utoipa::path(get, path = "/api/v1/sessions.csv", tag = "history", operation_id = "sessionsCsv",
    params(("from_ms" = Option<i64>, Query, description = "Milliseconds since 1970."), ("to_ms" = Option<i64>, Query),
        ("charger" = Option<String>, Query), ("limit" = Option<usize>, Query, description = "At most, and if omitted, 20000.")),
    responses((status = 200, description = "RFC 4180, with a header line.", body = String, content_type = "text/csv"),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn sessions_csv(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let wanted = wanted(call, "charger", MAX_CSV_LIMIT, MAX_CSV_LIMIT)?;
    let table =
        desk.ask(move |doors| doors.history.sessions(&wanted).map(|list| csv::sessions(&list))).await??;
    let mut answer = with_type(StatusCode::OK, "text/csv; charset=utf-8", table);
    let name = HeaderValue::from_static("attachment; filename=\"sessions.csv\"");
    answer.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(answer)
}

/// What happened, newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "history", operation_id = "events",
    params(("from_ms" = Option<i64>, Query, description = "Milliseconds since 1970."), ("to_ms" = Option<i64>, Query),
        ("about" = Option<String>, Query, description = "A charger, meter, circuit or `site`."),
        ("limit" = Option<usize>, Query, description = "200 if omitted, at most 1000.")),
    responses((status = 200, body = EventsView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn events(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let wanted = wanted(call, "about", DEFAULT_LIMIT, MAX_LIMIT)?;
    let events = desk.ask(move |doors| doors.history.events(&wanted)).await??;
    Ok(ok(&EventsView { events }))
}

fn wanted(call: &Call, about: &str, usual: usize, at_most: usize) -> Result<Wanted, Refusal> {
    let mut query = call.query(&["from_ms", "to_ms", about, "limit"])?;
    let span = Span {
        from_ms: number(&query, "from_ms")?.unwrap_or(0),
        to_ms: number(&query, "to_ms")?.unwrap_or(i64::MAX),
    };
    check_span(span)?;
    let limit = number(&query, "limit")?.unwrap_or(usual);
    if !(1..=at_most).contains(&limit) {
        let message = format!("limit must be between 1 and {at_most}.");
        return Err(Refusal::bad_field("limit", message, "Ask for fewer at once, by time."));
    }
    Ok(Wanted { span, about: query.remove(about), limit })
}

fn check_span(span: Span) -> Result<(), Refusal> {
    if span.from_ms < span.to_ms {
        return Ok(());
    }
    Err(Refusal::bad_field("to_ms", "to_ms must be later than from_ms.", "Swap them."))
}

fn needed(query: &BTreeMap<String, String>, name: &str) -> Result<i64, Refusal> {
    number(query, name)?.ok_or_else(|| {
        Refusal::bad_field(
            name,
            format!("The parameter {name:?} is missing."),
            "Send milliseconds since 1970.",
        )
    })
}

fn number<T: FromStr>(query: &BTreeMap<String, String>, name: &str) -> Result<Option<T>, Refusal> {
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            Refusal::bad_field(name, format!("{name} is not a number in range."), "Send a whole number.")
        })
    };
    query.get(name).map(parse).transpose()
}
