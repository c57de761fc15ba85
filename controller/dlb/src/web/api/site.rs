//! The site as it is now, once or as a stream.

use crate::view::SiteView;
use crate::web::answer::{Answer, Refusal, with_type};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::stream;
use crate::web::wire::RefusalView;
use hyper::StatusCode;
use std::sync::Arc;

/// The site at this instant.
#[utoipa::path(get, path = "/api/v1/site", tag = "site", operation_id = "site",
    responses((status = 200, body = SiteView),
        (status = 503, description = "The site's loop has not started yet.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn site(desk: &Desk) -> Result<Answer, Refusal> {
    let picture = desk.doors.live.latest();
    let picture = picture.ok_or_else(|| Refusal::busy("The site's loop has not started yet."))?;
    Ok(with_type(StatusCode::OK, "application/json", picture.json()))
}

/// Server-sent events: `site` with a `SiteView` as soon as it changes. A slow reader gets the newest only.
#[utoipa::path(get, path = "/api/v1/live", tag = "site", operation_id = "live",
    responses((status = 200, description = "Events named `site`, data: SiteView.", body = SiteView, content_type = "text/event-stream"),
        (status = 503, description = "Too many streams.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn live(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    stream::open(desk, call)
}
