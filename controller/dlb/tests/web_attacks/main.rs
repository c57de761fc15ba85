//! The web server under attack: lies about lengths, crawling and half-open clients, readers that do not
//! read, no file descriptors left. Whatever happens, an honest client is served.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../web/support/mod.rs"]
mod support;

mod crowds;
mod framing;
mod scarcity;
mod slowness;
