//! A charge point that speaks OCPP 1.6J: the other side of dlb's central system, written apart from it.
//!
//! A machine without a socket: text frames in ([`ChargePoint::receive`]) and out
//! ([`ChargePoint::next_frame`]), `now` with everything, a deadline. It is strict about what it
//! receives, so that a mistake of the central system shows as a `CALLERROR`, and it evaluates charging
//! profiles as the specification says: stack levels, purposes, durations, validity, relative starts.
//! How a make deviates is a value in [`Habits`].
//!
//! It does not: update firmware, keep local lists, reserve.

mod answers;
mod calendar;
mod connector;
mod fields;
mod frame;
mod habits;
mod keys;
mod meter_values;
mod outbox;
mod point;
mod profile;
mod replies;
mod shelf;
mod transactions;

pub use connector::Status;
pub use habits::{Habits, Nameplate, RelativeTo, Units};
pub use point::ChargePoint;
