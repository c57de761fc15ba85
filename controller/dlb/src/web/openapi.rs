//! The API's description, made from the handlers. A copy lies in `webui/openapi.json`, where the page's
//! types are made from it; a test compares the two.

use super::answer::Refusal;
use super::api::{
    access, broker, clamps, config, history, metrics, orders, site, support, system, update, waiting,
};
use std::sync::LazyLock;
use utoipa::openapi::PathItem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dlb",
        description = "Balances electric-car chargers on one grid connection. Units are in the names; null means unknown. \
            Requests that change something are JSON and come with the login's cookie."
    ),
    paths(
        system::health, access::setup, access::choose_password, access::login, access::logout,
        access::change_password, site::site, site::live, orders::strategy, orders::site_limit,
        orders::charger_limit, orders::departure, orders::close_contactor, orders::service, waiting::adopt, waiting::dismiss, config::get, config::put,
        config::check, config::versions, config::version, config::restore, config::maps, broker::broker,
        broker::set_password, broker::set_authority, history::history,
        history::sessions, history::sessions_csv, history::events, system::system, system::factory_reset, metrics::metrics,
        metrics::token, clamps::clamps, clamps::live, clamps::corrections, clamps::calibrate, clamps::turn,
        clamps::swap, clamps::undo,
        update::view, update::begin, update::piece, update::fetch, update::install,
        update::restart, update::discard, update::server_token, support::take, support::restore, support::diagnostics,
    ),
    modifiers(&Schemes),
    security(("cookie" = []))
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(super::logins::COOKIE)));
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("cookie", cookie);
        components.add_security_scheme("bearer", bearer);
    }
}

static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut text = Description::openapi().to_pretty_json().expect("the description has string keys only");
    text.push('\n');
    text
});

/// Each door that is described: its path, piece by piece, and the methods that open it.
static DOORS: LazyLock<Vec<(Vec<String>, Vec<&str>)>> = LazyLock::new(|| {
    let paths = Description::openapi().paths.paths;
    let methods = |item: &PathItem| {
        let known = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("DELETE", &item.delete)];
        known.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect()
    };
    let pieces = |path: &str| path.split('/').filter(|piece| !piece.is_empty()).map(String::from).collect();
    paths.iter().map(|(path, item)| (pieces(path), methods(item))).collect()
});

/// A door that is there, but not for this method, says which ones it takes.
pub(crate) fn check_method(method: &str, path: &str) -> Result<(), Refusal> {
    let asked: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let is_asked = |door: &&(Vec<String>, Vec<&str>)| {
        let fits = |(known, asked): (&String, &&str)| known == asked || known.starts_with('{');
        door.0.len() == asked.len() && door.0.iter().zip(&asked).all(fits)
    };
    let method = if method == "HEAD" { "GET" } else { method };
    let methods: Vec<&str> = DOORS.iter().filter(is_asked).flat_map(|door| door.1.iter().copied()).collect();
    if methods.is_empty() || methods.contains(&method) {
        return Ok(());
    }
    Err(Refusal::wrong_method(method, path, &methods.join(", ")))
}

/// The description as JSON, indented, with a line break at the end.
#[must_use]
pub fn json() -> &'static str {
    &JSON
}
