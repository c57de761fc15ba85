//! Chargers that connected and are not in the configuration: taken in, or sent away.
//!
//! Adopting one is a change of the configuration like any other, written here as one more `charger`.

use super::config::refused;
use super::orders::carry_out;
use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::{ConfigRefusal, Doors};
use crate::web::wire::{AdoptOrder, DoneView, RefusalView, VersionView};
use dlb_wiring::event::Order;
use hyper::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;

const BODY_BYTES: usize = 8 * 1024;
/// Somebody else may be writing; that often in a row it is not chance any more.
const TRIES: usize = 3;

/// Makes a waiting charger part of the site.
#[utoipa::path(post, path = "/api/v1/waiting/{name}/adopt", tag = "chargers", operation_id = "adopt",
    params(("name" = String, Path, description = "The name under which it connects.")),
    request_body = AdoptOrder,
    responses((status = 200, body = VersionView), (status = 404, description = "It does not wait.", body = RefusalView),
        (status = 422, description = "The configuration would not be valid.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn adopt(desk: &Arc<Desk>, call: &mut Call, name: &str) -> Result<Answer, Refusal> {
    let order: AdoptOrder = call.json(BODY_BYTES).await?;
    must_wait(desk, name)?;
    let charger = charger(name, &order)?;
    let version = desk.ask(move |doors| add_charger(doors, &charger)).await?.map_err(refused)?;
    Ok(ok(&VersionView { version }))
}

/// Sends a waiting charger away.
#[utoipa::path(post, path = "/api/v1/waiting/{name}/dismiss", tag = "chargers", operation_id = "dismiss",
    params(("name" = String, Path, description = "The name under which it connects.")),
    responses((status = 200, body = DoneView), (status = 404, description = "It does not wait.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn dismiss(desk: &Arc<Desk>, name: &str) -> Result<Answer, Refusal> {
    must_wait(desk, name)?;
    carry_out(desk, Order::Dismiss { identity: name.to_owned() }).await
}

fn must_wait(desk: &Desk, name: &str) -> Result<(), Refusal> {
    let waits =
        |picture: &crate::web::live::Picture| picture.site.waiting.iter().any(|waiting| waiting.name == name);
    if desk.doors.live.latest().is_some_and(|picture| waits(&picture)) {
        return Ok(());
    }
    let message = format!("No charger {name:?} waits to be adopted.");
    Err(Refusal::new(StatusCode::NOT_FOUND, "not-waiting", message, "See `waiting` in /api/v1/site."))
}

/// What was not asked for is left out, so that the configuration's own defaults hold.
fn charger(name: &str, order: &AdoptOrder) -> Result<Value, Refusal> {
    let order = serde_json::to_value(order).map_err(|cause| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "bad-json",
            format!("{cause}."),
            "Send plain numbers and names.",
        )
    })?;
    let mut charger: Map<String, Value> = match order {
        Value::Object(keys) => keys.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    charger.insert("ocpp".into(), name.into());
    Ok(Value::Object(charger))
}

fn add_charger(doors: &Doors, charger: &Value) -> Result<u64, ConfigRefusal> {
    let mut outcome = try_to_add(doors, charger);
    for _ in 1..TRIES {
        if !matches!(outcome, Err(ConfigRefusal::Conflict { .. })) {
            break;
        }
        outcome = try_to_add(doors, charger);
    }
    outcome
}

fn try_to_add(doors: &Doors, charger: &Value) -> Result<u64, ConfigRefusal> {
    let mut view = doors.config.get()?;
    if let Value::Object(keys) = &mut view.config {
        let chargers = keys.entry("charger").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(chargers) = chargers {
            chargers.push(charger.clone());
        }
    }
    doors.config.put(view.version, &view.config)
}
