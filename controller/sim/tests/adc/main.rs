//! The real drivers on simulated converters, and the whole way from volts at a pin to a reading.

#![expect(clippy::unwrap_used, reason = "a test that finds no frame must fail")]

mod drivers;
mod misbehaviour;
mod rig;
mod synchronisation;
