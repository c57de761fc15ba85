//! Updates: upload in pieces, by address, install, restart. The room behind decides; this only carries.

use crate::config::secrets::{HAWKBIT_TOKEN, Secrets};
use crate::update::{UpdateProblem, UpdateView, UploadView};
use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::DoorFault;
use crate::web::wire::{DoneView, FetchOrder, InstallOrder, RefusalView, ServerTokenOrder, UploadOrder};
use hyper::StatusCode;
use std::sync::Arc;

/// What is under way, and how earlier updates ended.
#[utoipa::path(get, path = "/api/v1/update", tag = "system", operation_id = "update",
    responses((status = 200, body = UpdateView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn view(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let view = desk.ask(|doors| doors.updates.view()).await?;
    Ok(ok(&view))
}

/// Begins an upload. The same name and size as one that broke off goes on where that was.
#[utoipa::path(post, path = "/api/v1/update/upload", tag = "system", operation_id = "beginUpload",
    request_body = UploadOrder,
    responses((status = 200, body = UploadView), (status = 409, description = "Not now, or it does not fit.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn begin(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: UploadOrder = call.json(desk.settings.body_bytes).await?;
    let begun = desk.ask(move |doors| doors.updates.begin_upload(&order.name, order.size)).await?;
    Ok(ok(&begun.map_err(refused)?))
}

/// The next piece, at most 1 MiB. After the last one the bundle is looked at; see `phase`.
#[utoipa::path(put, path = "/api/v1/update/upload", tag = "system", operation_id = "uploadPiece",
    params(("offset" = u64, Query, description = "Where it belongs: `received` of the answer before.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadView), (status = 409, description = "It does not belong there.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn piece(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let query = call.query(&["offset"])?;
    let offset = query.get("offset").and_then(|text| text.parse().ok()).ok_or_else(|| {
        Refusal::bad_field("offset", "The piece does not say where it belongs.", "Send ?offset=BYTES.")
    })?;
    let bytes = call.bytes(desk.settings.body_bytes).await?;
    let taken = desk.ask(move |doors| doors.updates.append(offset, &bytes)).await?;
    Ok(ok(&taken.map_err(refused)?))
}

/// Looks at a bundle on a server. Only the blocks that changed are fetched, while it is installed.
#[utoipa::path(post, path = "/api/v1/update/fetch", tag = "system", operation_id = "fetchUpdate",
    request_body = FetchOrder,
    responses((status = 200, body = DoneView), (status = 409, description = "Not now.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn fetch(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: FetchOrder = call.json(desk.settings.body_bytes).await?;
    let begun = desk.ask(move |doors| doors.updates.fetch(&order.url)).await?;
    done(begun)
}

/// Installs the bundle that is `ready`. Balancing goes on while it is written.
#[utoipa::path(post, path = "/api/v1/update/install", tag = "system", operation_id = "installUpdate",
    request_body = InstallOrder,
    responses((status = 200, body = DoneView), (status = 409, description = "Not now.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn install(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: InstallOrder = call.json(desk.settings.body_bytes).await?;
    let begun = desk.ask(move |doors| doors.updates.install(order.wait_for_cars)).await?;
    done(begun)
}

/// Restarts into what was installed, without waiting for cars.
#[utoipa::path(post, path = "/api/v1/update/restart", tag = "system", operation_id = "restartForUpdate",
    responses((status = 200, body = DoneView), (status = 409, description = "Not now.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn restart(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let begun = desk.ask(|doors| doors.updates.restart_now()).await?;
    done(begun)
}

/// Forgets a bundle that has not been installed, and frees its space.
#[utoipa::path(post, path = "/api/v1/update/discard", tag = "system", operation_id = "discardUpdate",
    responses((status = 200, body = DoneView), (status = 409, description = "Not now.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn discard(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let begun = desk.ask(|doors| doors.updates.discard()).await?;
    done(begun)
}

/// What this box shows to its update server. It cannot be read back.
#[utoipa::path(post, path = "/api/v1/update/server-token", tag = "system", operation_id = "updateServerToken",
    request_body = ServerTokenOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn server_token(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: ServerTokenOrder = call.json(desk.settings.body_bytes).await?;
    let token = order.token.filter(|token| !token.is_empty());
    let plain = |token: &String| token.len() <= 500 && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !token.as_ref().is_none_or(plain) {
        let message = "This is not a token: it has characters that cannot be in one.";
        return Err(Refusal::bad_field("token", message, "Copy it from the server once more."));
    }
    let kept = desk.ask(move |doors| Secrets::open(&doors.data).0.set(HAWKBIT_TOKEN, token.as_deref()));
    kept.await?.map_err(|error| DoorFault::new("keeping the token", error))?;
    Ok(ok(&DoneView { done: true }))
}

fn done(outcome: Result<(), UpdateProblem>) -> Result<Answer, Refusal> {
    outcome.map_err(refused)?;
    Ok(ok(&DoneView { done: true }))
}

/// The sentence says what to do, too.
fn refused(problem: UpdateProblem) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, &problem.code, problem.text, "")
}
