//! The program and the machine below it.

use crate::web::answer::{Answer, Refusal, ok, with_type};
use crate::web::api::access;
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::openapi;
use crate::web::wire::{DoneView, HealthView, PasswordOrder, RefusalView, SystemView};
use hyper::StatusCode;
use std::sync::Arc;

const BODY_BYTES: usize = 8 * 1024;

/// Is the program well? For probes; needs no login.
#[utoipa::path(get, path = "/api/v1/health", tag = "system", operation_id = "health", security(()),
    responses((status = 200, body = HealthView)))]
pub(crate) fn health(desk: &Desk) -> Answer {
    ok(&HealthView {
        status: "ok".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        balancing: desk.doors.live.fresh(desk.settings.picture_fresh),
        config_in_force: desk.doors.config.is_in_force(),
    })
}

/// Version, uptime, and the two systems of an appliance.
#[utoipa::path(get, path = "/api/v1/system", tag = "system", operation_id = "system",
    responses((status = 200, body = SystemView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn system(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let view = desk.ask(|doors| doors.system.view()).await?;
    Ok(ok(&view))
}

/// Forgets everything: configuration, history, password, secrets. The password must come once more.
#[utoipa::path(post, path = "/api/v1/factory-reset", tag = "system", operation_id = "factoryReset",
    request_body = PasswordOrder,
    responses((status = 200, body = DoneView), (status = 401, description = "Wrong password.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn factory_reset(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: PasswordOrder = call.json(BODY_BYTES).await?;
    access::count_try(desk, call)?;
    if !desk.hash(move |store| store.verify(&order.password)).await? {
        return Err(access::wrong("password"));
    }
    desk.ask(|doors| doors.system.factory_reset()).await??;
    Ok(ok(&DoneView { done: true }))
}

/// This description. Not part of itself.
pub(crate) fn openapi() -> Answer {
    with_type(StatusCode::OK, "application/json", openapi::json())
}
