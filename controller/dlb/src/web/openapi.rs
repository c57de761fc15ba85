//! The API's description, made from the handlers. A copy lies in `webui/openapi.json`, where the page's
//! types are made from it; a test compares the two.

use super::api::{
    access, broker, clamps, config, history, metrics, orders, site, support, system, update, waiting,
};
use std::sync::LazyLock;
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
        orders::charger_limit, orders::departure, orders::close_contactor, waiting::adopt, waiting::dismiss, config::get, config::put,
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

/// The description as JSON, indented, with a line break at the end.
#[must_use]
pub fn json() -> &'static str {
    &JSON
}
