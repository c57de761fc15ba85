//! The web server: page, API and live stream, on a thread of its own.
//!
//! It reads what the site's loop publishes and hands orders to it through a bounded channel; it decides
//! nothing and holds nobody up. It trusts no client: connections, headers, bodies, times, logins and
//! tries are bounded (see [`Settings`]), and everything but [`health`](wire::HealthView), the first
//! password and the login itself needs a login.

mod answer;
mod api;
mod attempts;
mod call;
mod desk;
pub mod doors;
mod guests;
mod hashing;
pub mod live;
mod login_file;
mod logins;
mod openapi;
mod origin;
mod page;
pub mod password;
mod server;
mod stalling;
mod stream;
mod token;
pub mod wire;

pub use attempts::AttemptRule;
pub use desk::Settings;
pub use doors::Doors;
pub use guests::GuestRule;
pub use logins::LoginRule;
pub use openapi::json as openapi_json;
pub use server::{WebFault, WebServer, serve};
pub use token::{TokenFault, metrics_token};
