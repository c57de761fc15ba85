//! Commissioning the box's own clamps: what they see, once or as a stream while somebody looks, and the
//! corrections that people make.

use crate::clamps::ClampRefusal;
use crate::clamps::view::{
    CalibrateOrder, CalibratedView, ClampOrder, ClampsView, CorrectionsView, SwapOrder,
};
use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::stream;
use crate::web::wire::{DoneView, RefusalView};
use hyper::StatusCode;
use std::sync::Arc;

const BODY_BYTES: usize = 8 * 1024;

/// What the box's own clamps see at this instant: readings, waves, and a finding for each.
#[utoipa::path(get, path = "/api/v1/clamps", tag = "clamps", operation_id = "clamps",
    responses((status = 200, body = ClampsView), (status = 409, description = "There are no clamps.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn clamps(desk: &Desk) -> Result<Answer, Refusal> {
    Ok(ok(&desk.doors.clamps.view().ok_or(ClampRefusal::NoClamps)?))
}

/// Server-sent events: `clamps` with a `ClampsView`, four times a second.
#[utoipa::path(get, path = "/api/v1/clamps/live", tag = "clamps", operation_id = "clampsLive",
    responses((status = 200, description = "Events named `clamps`, data: ClampsView.", body = ClampsView, content_type = "text/event-stream"),
        (status = 409, description = "There are no clamps.", body = RefusalView),
        (status = 503, description = "Too many look at once.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn live(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    desk.doors.clamps.view().ok_or(ClampRefusal::NoClamps)?;
    stream::open_clamps(desk, call)
}

/// The correction of each channel, and how it came about.
#[utoipa::path(get, path = "/api/v1/clamps/corrections", tag = "clamps", operation_id = "clampCorrections",
    responses((status = 200, body = CorrectionsView), (status = 409, description = "There are no clamps.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn corrections(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let view = desk.ask(|doors| doors.clamps.corrections()).await?;
    Ok(ok(&view.ok_or(ClampRefusal::NoClamps)?))
}

/// Calibrates a channel against a reference instrument on the same, steady load. Takes about two seconds.
#[utoipa::path(post, path = "/api/v1/clamps/calibrate", tag = "clamps", operation_id = "calibrateClamp",
    request_body = CalibrateOrder,
    responses((status = 200, body = CalibratedView),
        (status = 409, description = "The comparison is worthless; nothing was changed.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn calibrate(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: CalibrateOrder = call.json(BODY_BYTES).await?;
    Ok(ok(&desk.ask(move |doors| doors.clamps.calibrate(&order)).await??))
}

/// Turns a clamp round in software, or back.
#[utoipa::path(post, path = "/api/v1/clamps/turn", tag = "clamps", operation_id = "turnClamp",
    request_body = ClampOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn turn(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: ClampOrder = call.json(BODY_BYTES).await?;
    desk.ask(move |doors| doors.clamps.turn(&order)).await??;
    Ok(ok(&DoneView { done: true }))
}

/// Exchanges two clamps in software.
#[utoipa::path(post, path = "/api/v1/clamps/swap", tag = "clamps", operation_id = "swapClamps",
    request_body = SwapOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn swap(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: SwapOrder = call.json(BODY_BYTES).await?;
    desk.ask(move |doors| doors.clamps.swap(&order)).await??;
    Ok(ok(&DoneView { done: true }))
}

/// Takes back the newest correction of a channel; it stays on record.
#[utoipa::path(post, path = "/api/v1/clamps/undo", tag = "clamps", operation_id = "undoClamp",
    request_body = ClampOrder,
    responses((status = 200, body = DoneView),
        (status = 409, description = "There is nothing to take back, or others stand on it.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn undo(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: ClampOrder = call.json(BODY_BYTES).await?;
    desk.ask(move |doors| doors.clamps.undo(&order)).await??;
    Ok(ok(&DoneView { done: true }))
}

impl From<ClampRefusal> for Refusal {
    fn from(refusal: ClampRefusal) -> Self {
        let (status, code, field) = match &refusal {
            ClampRefusal::NoClamps => (StatusCode::CONFLICT, "no-clamps", None),
            ClampRefusal::NoChannel(_) | ClampRefusal::NotAClamp(_) => {
                (StatusCode::NOT_FOUND, "no-such-channel", Some("channel"))
            }
            ClampRefusal::By => (StatusCode::BAD_REQUEST, "bad-field", Some("by")),
            ClampRefusal::Actual { .. } => (StatusCode::BAD_REQUEST, "bad-field", Some("actual")),
            ClampRefusal::NotCompared { .. } => (StatusCode::CONFLICT, "not-compared", None),
            ClampRefusal::NothingToUndo(_) => (StatusCode::CONFLICT, "nothing-to-undo", None),
            ClampRefusal::UndoFirst(_) => (StatusCode::CONFLICT, "undo-first", None),
            ClampRefusal::Record(_) | ClampRefusal::Board(_) => {
                tracing::error!(error = &refusal as &dyn std::error::Error, "a clamp could not be corrected");
                (StatusCode::INTERNAL_SERVER_ERROR, "fault", None)
            }
        };
        let told = Self::new(status, code, format!("{}.", crate::run::chain(&refusal)), &refusal.remedy());
        match field {
            Some(field) => told.about(field),
            None => told,
        }
    }
}
