//! The other rooms of the program as the web server sees them. The server asks; it decides nothing.
//!
//! Calls of these traits may block: the server makes them on the blocking pool, a few at a time, and
//! gives up waiting after a while. The site's thread is reached by [`Ordered`] alone, through a
//! bounded channel; the picture of the site comes from [`super::live::Live`], which asks nobody.

use super::live::Live;
use super::password::PasswordStore;
use super::wire::{
    BrokerView, CheckView, ConfigView, EventView, HistoryView, KeptVersionView, MapsView, SessionRecordView,
    SystemView,
};
use crate::clamps::ClampDesk;
use crate::config::Problem;
use crate::update::Updates;
use dlb_wiring::event::Order;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

/// Everything that the web server may use.
#[derive(Clone)]
pub struct Doors {
    pub live: Arc<Live>,
    /// A full channel makes the server answer 503.
    pub orders: async_channel::Sender<Ordered>,
    pub config: Arc<dyn ConfigDoor>,
    pub history: Arc<dyn HistoryDoor>,
    pub clamps: Arc<ClampDesk>,
    pub system: Arc<dyn SystemDoor>,
    pub updates: Arc<Updates>,
    pub broker: Arc<dyn BrokerDoor>,
    pub password: Arc<PasswordStore>,
    /// The data directory, for backups.
    pub data: Arc<Path>,
    /// Lets a collector read the metrics without a login; `None` switches that off.
    pub metrics_token: Option<Arc<str>>,
}

/// An order on its way to the site's thread. Whoever carries it out answers through `reply`, with
/// `try_send`: there is room for the one answer, and nobody may be listening any more.
#[derive(Debug)]
pub struct Ordered {
    pub order: Order,
    pub reply: async_channel::Sender<Result<(), Declined>>,
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Stable, for programs.
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
}

/// The site's configuration and its kept versions.
pub trait ConfigDoor: Send + Sync {
    /// # Errors
    /// The configuration cannot be read.
    fn get(&self) -> Result<ConfigView, DoorFault>;

    /// All mistakes at once.
    fn check(&self, config: &Value) -> CheckView;

    /// Writes a new configuration if `expected` is still the one in force, and has it applied.
    ///
    /// # Errors
    /// Somebody else was faster, the configuration has mistakes, or it cannot be written.
    fn put(&self, expected: u64, config: &Value) -> Result<u64, ConfigRefusal>;

    /// # Errors
    /// The versions cannot be listed.
    fn versions(&self) -> Result<Vec<KeptVersionView>, DoorFault>;

    /// `None`: there is no such version.
    ///
    /// # Errors
    /// The version cannot be read.
    fn version(&self, version: u64) -> Result<Option<ConfigView>, DoorFault>;

    /// Puts a kept version in force again, as a new version.
    ///
    /// # Errors
    /// As [`ConfigDoor::put`], or there is no such version.
    fn restore(&self, version: u64) -> Result<u64, ConfigRefusal>;

    /// False: what lies on the disk could not be used, and an earlier configuration or none is in force. Never waits.
    fn is_in_force(&self) -> bool;

    /// Names of the register maps that a configuration may use.
    fn maps(&self) -> MapsView;
}

/// Why a configuration was not taken.
#[derive(Debug, Error)]
pub enum ConfigRefusal {
    #[error("version {current} is in force by now")]
    Conflict { current: u64 },
    #[error("the configuration has mistakes")]
    Problems(Vec<Problem>),
    #[error("there is no such version")]
    NoSuchVersion,
    #[error(transparent)]
    Fault(#[from] DoorFault),
}

/// What was recorded.
pub trait HistoryDoor: Send + Sync {
    /// # Errors
    /// The record cannot be read.
    fn series(&self, span: Span, step_s: u32) -> Result<HistoryView, DoorFault>;

    /// Newest first; those that touch the span.
    ///
    /// # Errors
    /// The record cannot be read.
    fn sessions(&self, wanted: &Wanted) -> Result<Vec<SessionRecordView>, DoorFault>;

    /// Newest first; `about` is a charger, meter, circuit or `site`.
    ///
    /// # Errors
    /// The record cannot be read.
    fn events(&self, wanted: &Wanted) -> Result<Vec<EventView>, DoorFault>;
}

/// A stretch of time in milliseconds since 1970; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from_ms: i64,
    pub to_ms: i64,
}

/// Which records of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub span: Span,
    /// Only those about this charger (meter, circuit).
    pub about: Option<String>,
    /// At most this many.
    pub limit: usize,
}

/// The machine below.
pub trait SystemDoor: Send + Sync {
    fn view(&self) -> SystemView;

    /// Has everything forgotten; the program ends and starts anew.
    ///
    /// # Errors
    /// The order cannot be written.
    fn factory_reset(&self) -> Result<(), DoorFault>;
}

/// The way to the broker: its secrets go in and never come out.
pub trait BrokerDoor: Send + Sync {
    fn view(&self) -> BrokerView;

    /// `None` forgets it.
    ///
    /// # Errors
    /// No password at all, or it cannot be kept.
    fn set_password(&self, password: Option<&str>) -> Result<(), SecretRefusal>;

    /// Certificates as PEM by which the broker is known; `None` forgets them.
    ///
    /// # Errors
    /// No certificate, or it cannot be kept.
    fn set_authority(&self, pem: Option<&str>) -> Result<(), SecretRefusal>;
}

/// Why a secret was not taken. Its value is in none of these.
#[derive(Debug, Error)]
pub enum SecretRefusal {
    #[error("{why}")]
    Wrong { why: String, remedy: &'static str },
    #[error(transparent)]
    Fault(#[from] DoorFault),
}

/// A room could not answer.
#[derive(Debug, Error)]
#[error("{attempt}")]
pub struct DoorFault {
    /// What was tried, for example "reading sessions".
    pub attempt: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DoorFault {
    pub fn new(
        attempt: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { attempt: attempt.into(), source: Some(source.into()) }
    }
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}
