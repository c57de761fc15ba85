//! The web server over real sockets: first start, logins, orders, configuration, history, live stream, page.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod access;
mod clamps;
mod configuration;
mod description;
mod history;
mod live;
mod orders;
mod page;
mod support;
