//! Engine and links as one machine: `handle(now, Event)` in, [`event::Effect`]s out, and a deadline.
//!
//! The program runs it against the world, the simulator against a made-up one. All that happens on a
//! site enters by the one door, as an [`event::Event`]; all that dlb does leaves as an effect.

mod alerts;
mod arrivals;
mod central;
mod configuring;
pub mod controller;
pub mod dc_first;
mod deciding;
mod departed;
mod energy_wish;
pub mod event;
mod following_sun;
mod guarding;
mod idling;
pub mod inputs;
mod liveliness;
mod metering;
mod models;
mod noticing;
mod orders;
mod outlet;
pub mod outputs;
mod picture;
mod ports;
mod proof;
mod resuming;
mod servicing;
pub mod settings;
pub mod status;
