//! The configuration: read, checked, written against the version that was read, taken back.

use crate::config::SiteFile;
use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::ConfigRefusal;
use crate::web::wire::{CheckView, ConfigView, KeptVersionView, MapsView, RefusalView, VersionView};
use hyper::StatusCode;
use hyper::header::{ETAG, HeaderValue};
use serde_json::Value;
use std::sync::Arc;

/// The configuration in force, and its version.
#[utoipa::path(get, path = "/api/v1/config", tag = "configuration", operation_id = "config",
    responses((status = 200, body = ConfigView, headers(("ETag" = String, description = "The version, quoted."))),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn get(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let view = desk.ask(|doors| doors.config.get()).await??;
    Ok(with_etag(ok(&view), view.version))
}

/// Writes a configuration and puts it in force. All mistakes are reported at once.
#[utoipa::path(put, path = "/api/v1/config", tag = "configuration", operation_id = "writeConfig",
    params(("If-Match" = String, Header, description = "The version that was read.")),
    request_body(content = SiteFile, description = "The configuration, same keys as the file."),
    responses((status = 200, body = VersionView),
        (status = 409, description = "Somebody else wrote in the meantime.", body = RefusalView),
        (status = 422, description = "It has mistakes; see `problems`.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn put(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let expected = call.if_match()?;
    let config: Value = call.json(desk.settings.body_bytes).await?;
    let version = desk.ask(move |doors| doors.config.put(expected, &config)).await?.map_err(refused)?;
    Ok(with_etag(ok(&VersionView { version }), version))
}

/// What would be wrong with a configuration; nothing is written.
#[utoipa::path(post, path = "/api/v1/config/check", tag = "configuration", operation_id = "checkConfig",
    request_body(content = SiteFile, description = "The configuration, same keys as the file."),
    responses((status = 200, body = CheckView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn check(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let config: Value = call.json(desk.settings.body_bytes).await?;
    let verdict = desk.ask(move |doors| doors.config.check(&config)).await?;
    Ok(ok(&verdict))
}

/// The versions that are kept, newest first.
#[utoipa::path(get, path = "/api/v1/config/versions", tag = "configuration", operation_id = "configVersions",
    responses((status = 200, body = Vec<KeptVersionView>), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn versions(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let versions = desk.ask(|doors| doors.config.versions()).await??;
    Ok(ok(&versions))
}

/// One kept version.
#[utoipa::path(get, path = "/api/v1/config/versions/{version}", tag = "configuration", operation_id = "configVersion",
    params(("version" = u64, Path, description = "Its number.")),
    responses((status = 200, body = ConfigView), (status = 404, description = "No such version.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn version(desk: &Arc<Desk>, number: &str) -> Result<Answer, Refusal> {
    let number = parsed(number)?;
    let view = desk.ask(move |doors| doors.config.version(number)).await??;
    Ok(ok(&view.ok_or_else(no_such_version)?))
}

/// Puts a kept version in force again, as a new version.
#[utoipa::path(post, path = "/api/v1/config/versions/{version}/restore", tag = "configuration", operation_id = "restoreConfig",
    params(("version" = u64, Path, description = "Its number.")),
    responses((status = 200, body = VersionView), (status = 404, description = "No such version.", body = RefusalView),
        (status = 422, description = "It is not valid any more.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn restore(desk: &Arc<Desk>, number: &str) -> Result<Answer, Refusal> {
    let number = parsed(number)?;
    let version = desk.ask(move |doors| doors.config.restore(number)).await?.map_err(refused)?;
    Ok(with_etag(ok(&VersionView { version }), version))
}

/// The register maps that a configuration may name.
#[utoipa::path(get, path = "/api/v1/maps", tag = "configuration", operation_id = "maps",
    responses((status = 200, body = MapsView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn maps(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let maps = desk.ask(|doors| doors.config.maps()).await?;
    Ok(ok(&maps))
}

pub(crate) fn refused(refusal: ConfigRefusal) -> Refusal {
    match refusal {
        ConfigRefusal::Conflict { current } => Refusal::new(
            StatusCode::CONFLICT,
            "config-changed",
            "Somebody else changed the configuration in the meantime.",
            "Read it again, make the change again, and write it with the new version.",
        )
        .with_version(current),
        ConfigRefusal::Problems(problems) => Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "config-refused",
            "The configuration has mistakes; nothing was changed.",
            "Correct what `problems` names.",
        )
        .with_problems(problems),
        ConfigRefusal::NoSuchVersion => no_such_version(),
        ConfigRefusal::Fault(fault) => fault.into(),
    }
}

fn no_such_version() -> Refusal {
    let message = "There is no such version.";
    Refusal::new(StatusCode::NOT_FOUND, "no-such-version", message, "See /api/v1/config/versions.")
}

fn parsed(number: &str) -> Result<u64, Refusal> {
    number.parse().map_err(|_| no_such_version())
}

fn with_etag(mut answer: Answer, version: u64) -> Answer {
    let etag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes");
    answer.headers_mut().insert(ETAG, etag);
    answer
}
