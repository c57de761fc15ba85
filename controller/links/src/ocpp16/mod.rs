//! OCPP 1.6J, the central system's side: one machine per charger, without a socket.
//!
//! [`Session`] answers what a charger sends, keeps its standing fallback installed and delivers limits.
//! It decides nothing about currents: what a limit is, and when it may rise, is the site's business.
//! What it looks after is that the newest limit is on the wire as soon as the charger can take it, that
//! every limit ends by itself, and that what one charger taught is not asked of it again.
//!
//! Lenient in what it reads (fields with the wrong type, vendor measurands, missing phases, late
//! answers), strict in what it sends: every message is in `tests/snapshots`.
//!
//! | room | job |
//! |---|---|
//! | [`settings`] | what the site wants of this charger |
//! | [`calendar`] | wall time, and how far the charger's clock is off |
//! | [`frame`], [`fields`] | envelopes, and reading fields leniently |
//! | [`request`], [`samples`] | what chargers send |
//! | [`call`], [`profile`] | what we send |
//! | [`recipe`] | which kind of charging profile this charger takes |
//! | [`quirks`], [`memory`] | known beforehand, and learnt |
//! | [`wire`], [`desk`] | one call under way; one outlet |
//! | [`session`] | the machine |
//!
//! Words: a *fallback* is the standing low profile that applies whenever no limit is in force; a *recipe*
//! is one way to write a limit down; a *desk* is all that is known about one outlet.

pub mod calendar;
pub mod call;
pub mod desk;
pub mod fields;
pub mod frame;
pub mod memory;
pub mod profile;
pub mod quirks;
pub mod recipe;
pub mod request;
pub mod samples;
pub mod session;
pub mod settings;
pub mod wire;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use session::{Outcome, Session};
pub use settings::SessionSettings;
