//! Modbus clients as machines: typed requests out, typed answers in.
//!
//! One request is under way on a port at a time; the program carries it out (TCP or RS-485) and hands
//! back the answer or the fault. Order, retries, pacing and meaning are decided here. What differs
//! from make to make is in `maps/`, as data.
//!
//! - [`Port`]: everything on one connection or line, and who goes first.
//! - [`MeterMap`], [`ChargerMap`]: what a device's registers mean; found by name with [`meter_map`] and
//!   [`charger_map`].

mod charger;
mod charger_file;
mod charger_map;
mod commission;
#[cfg(test)]
mod goldens;
mod keep_alive;
mod label;
mod library;
mod limit;
mod meter;
mod meter_map;
#[cfg(test)]
mod mutations;
mod poll;
mod port;
#[cfg(test)]
mod readings;
mod reads;
mod register;
mod register_file;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod stories_chargers;
#[cfg(test)]
mod story;
mod sunspec;
mod urgency;
mod wire;

pub use charger::ChargerSettings;
pub use charger_map::ChargerMap;
pub use library::{charger_map, charger_map_names, meter_map, meter_map_names};
pub use meter_map::MeterMap;
pub use port::{Port, PortNotice};
pub use register_file::MapError;
pub use wire::{Fault, Function, Request};
