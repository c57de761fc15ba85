//! Chargers that connected and are not in the configuration: taken in, or sent away.
//!
//! Adopting one is a change of the configuration like any other, written here as one more `charger`
//! for each of its outlets, with what [`crate::adoption`] assumes where the order leaves something open.

use super::config::refused;
use super::orders::carry_out;
use crate::adoption;
use crate::view::WaitingView;
use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::{ConfigRefusal, Doors};
use crate::web::wire::{AdoptOrder, DoneView, RefusalView, VersionView};
use dlb_wiring::event::Order;
use hyper::StatusCode;
use serde_json::Value;
use std::sync::Arc;

const BODY_BYTES: usize = 8 * 1024;
/// Somebody else may be writing; that often in a row it is not chance any more.
const TRIES: usize = 3;

/// Makes a waiting charger part of the site, as its `proposal` says where the order leaves something open.
#[utoipa::path(post, path = "/api/v1/waiting/{name}/adopt", tag = "chargers", operation_id = "adopt",
    params(("name" = String, Path, description = "The name under which it connects.")),
    request_body = AdoptOrder,
    responses((status = 200, body = VersionView), (status = 404, description = "It does not wait.", body = RefusalView),
        (status = 422, description = "The configuration would not be valid.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn adopt(desk: &Arc<Desk>, call: &mut Call, name: &str) -> Result<Answer, Refusal> {
    let order: AdoptOrder = call.json(BODY_BYTES).await?;
    let found = waiting(desk, name)?;
    let entries = adoption::entries(name, found.outlets, &found.proposal, &order);
    let version = desk.ask(move |doors| add_chargers(doors, &entries)).await?.map_err(refused)?;
    Ok(ok(&VersionView { version }))
}

/// Sends a waiting charger away.
#[utoipa::path(post, path = "/api/v1/waiting/{name}/dismiss", tag = "chargers", operation_id = "dismiss",
    params(("name" = String, Path, description = "The name under which it connects.")),
    responses((status = 200, body = DoneView), (status = 404, description = "It does not wait.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn dismiss(desk: &Arc<Desk>, name: &str) -> Result<Answer, Refusal> {
    waiting(desk, name)?;
    carry_out(desk, Order::Dismiss { identity: name.to_owned() }).await
}

fn waiting(desk: &Desk, name: &str) -> Result<WaitingView, Refusal> {
    let picture = desk.doors.live.latest();
    let mut waiting = picture.iter().flat_map(|picture| &picture.site.waiting);
    waiting.find(|waiting| waiting.name == name).cloned().ok_or_else(|| {
        let message = format!("No charger {name:?} waits to be adopted.");
        Refusal::new(StatusCode::NOT_FOUND, "not-waiting", message, "See `waiting` in /api/v1/site.")
    })
}

fn add_chargers(doors: &Doors, entries: &[Value]) -> Result<u64, ConfigRefusal> {
    let mut outcome = try_to_add(doors, entries);
    for _ in 1..TRIES {
        if !matches!(outcome, Err(ConfigRefusal::Conflict { .. })) {
            break;
        }
        outcome = try_to_add(doors, entries);
    }
    outcome
}

fn try_to_add(doors: &Doors, entries: &[Value]) -> Result<u64, ConfigRefusal> {
    let mut view = doors.config.get()?;
    adoption::append(&mut view.config, entries);
    doors.config.put(view.version, &view.config)
}
