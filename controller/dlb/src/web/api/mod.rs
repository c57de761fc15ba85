//! The API's rooms, and the way from a path to a handler.

use super::answer::{Answer, Refusal};
use super::call::{Call, segments};
use super::desk::Desk;
use super::guests::{Guest, Standing};
use super::{openapi, origin};
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Instant;

pub(crate) mod access;
pub(crate) mod broker;
pub(crate) mod clamps;
pub(crate) mod config;
mod csv;
pub(crate) mod history;
pub(crate) mod metrics;
pub(crate) mod orders;
pub(crate) mod site;
pub(crate) mod support;
pub(crate) mod system;
pub(crate) mod update;
pub(crate) mod waiting;

/// Answers a request below `/api/v1/`.
pub(crate) async fn answer(desk: &Arc<Desk>, call: &mut Call, guest: &Guest) -> Result<Answer, Refusal> {
    openapi::check_method(call.method.as_str(), &call.path)?;
    if call.is_unsafe() {
        origin::check(call)?;
    }
    let segments = segments(&call.path)?;
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = call.method.clone();
    let ["api", "v1", path @ ..] = path.as_slice() else {
        return Err(unknown(method.as_str(), &call.path));
    };
    match (method.as_str(), path) {
        ("GET" | "HEAD", ["health"]) => Ok(system::health(desk)),
        ("GET", ["openapi.json"]) => Ok(system::openapi()),
        ("GET", ["metrics"]) => metrics::metrics(desk, call),
        ("GET", ["setup"]) => Ok(access::setup(desk, call)),
        ("POST", ["setup"]) => access::choose_password(desk, call).await,
        ("POST", ["login"]) => access::login(desk, call).await,
        (method, path) => {
            require_login(desk, call)?;
            desk.login_used().await;
            let watches = matches!(path, ["live"] | ["clamps", "live"]);
            guest.stands(if watches { Standing::Watching } else { Standing::LoggedIn });
            logged_in(desk, call, method, path).await
        }
    }
}

async fn logged_in(
    desk: &Arc<Desk>,
    call: &mut Call,
    method: &str,
    path: &[&str],
) -> Result<Answer, Refusal> {
    match (method, path) {
        ("POST", ["logout"]) => Ok(access::logout(desk, call).await),
        ("POST", ["password"]) => access::change_password(desk, call).await,
        ("GET", ["site"]) => site::site(desk),
        ("GET", ["live"]) => site::live(desk, call),
        ("POST", ["order", "strategy"]) => orders::strategy(desk, call).await,
        ("POST", ["order", "site-limit"]) => orders::site_limit(desk, call).await,
        ("POST", ["order", "charger-limit"]) => orders::charger_limit(desk, call).await,
        ("POST", ["order", "departure"]) => orders::departure(desk, call).await,
        ("POST", ["order", "close-contactor"]) => orders::close_contactor(desk, call).await,
        ("POST", ["order", "service"]) => orders::service(desk, call).await,
        ("POST", ["waiting", name, "adopt"]) => waiting::adopt(desk, call, name).await,
        ("POST", ["waiting", name, "dismiss"]) => waiting::dismiss(desk, name).await,
        ("GET", ["config"]) => config::get(desk).await,
        ("PUT", ["config"]) => config::put(desk, call).await,
        ("POST", ["config", "check"]) => config::check(desk, call).await,
        ("GET", ["config", "versions"]) => config::versions(desk).await,
        ("GET", ["config", "versions", number]) => config::version(desk, number).await,
        ("POST", ["config", "versions", number, "restore"]) => config::restore(desk, number).await,
        ("GET", ["broker"]) => broker::broker(desk).await,
        ("PUT", ["broker", "password"]) => broker::set_password(desk, call).await,
        ("PUT", ["broker", "authority"]) => broker::set_authority(desk, call).await,
        ("GET", ["maps"]) => config::maps(desk).await,
        ("GET", ["clamps"]) => clamps::clamps(desk),
        ("GET", ["clamps", "live"]) => clamps::live(desk, call),
        ("GET", ["clamps", "corrections"]) => clamps::corrections(desk).await,
        ("POST", ["clamps", "calibrate"]) => clamps::calibrate(desk, call).await,
        ("POST", ["clamps", "turn"]) => clamps::turn(desk, call).await,
        ("POST", ["clamps", "swap"]) => clamps::swap(desk, call).await,
        ("POST", ["clamps", "undo"]) => clamps::undo(desk, call).await,
        ("GET", ["history"]) => history::history(desk, call).await,
        ("GET", ["sessions"]) => history::sessions(desk, call).await,
        ("GET", ["sessions.csv"]) => history::sessions_csv(desk, call).await,
        ("GET", ["events"]) => history::events(desk, call).await,
        ("POST", ["factory-reset"]) => system::factory_reset(desk, call).await,
        ("GET", ["system"]) => system::system(desk).await,
        ("POST", ["backup"]) => support::take(desk, call).await,
        ("POST", ["backup", "restore"]) => support::restore(desk, call).await,
        ("GET", ["diagnostics"]) => support::diagnostics(desk).await,
        ("GET", ["update"]) => update::view(desk).await,
        ("POST", ["update", "upload"]) => update::begin(desk, call).await,
        ("PUT", ["update", "upload"]) => update::piece(desk, call).await,
        ("POST", ["update", "fetch"]) => update::fetch(desk, call).await,
        ("POST", ["update", "install"]) => update::install(desk, call).await,
        ("POST", ["update", "restart"]) => update::restart(desk).await,
        ("POST", ["update", "server-token"]) => update::server_token(desk, call).await,
        ("POST", ["update", "discard"]) => update::discard(desk).await,
        ("GET", ["metrics-token"]) => metrics::token(desk),
        (method, _) => Err(unknown(method, &call.path)),
    }
}

fn require_login(desk: &Desk, call: &mut Call) -> Result<(), Refusal> {
    let token = call.cookie_token().filter(|token| desk.logins.admit(token, Instant::now()));
    call.login = token;
    if token.is_some() {
        return Ok(());
    }
    let remedy = if desk.doors.password.is_set() {
        "Log in with POST /api/v1/login."
    } else {
        "Choose a password first with POST /api/v1/setup."
    };
    Err(Refusal::new(StatusCode::UNAUTHORIZED, "login-needed", "This needs a login.", remedy))
}

fn unknown(method: &str, path: &str) -> Refusal {
    let message = format!("There is no {method} {path}.");
    Refusal::new(StatusCode::NOT_FOUND, "not-found", message, "See /api/v1/openapi.json for what there is.")
}
