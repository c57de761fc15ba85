//! From raw converter codes to amperes, volts, watts: the first part of the road.
//!
//! A [`Meter`] takes one frame of codes per sampling instant and answers with a [`Cycle`] every half
//! mains cycle (the fast path, for an overload) and with an [`Interval`] every 10 cycles at 50 Hz or 12
//! at 60 Hz (the full picture). It allocates nothing after [`Meter::new`], takes no lock and reads no clock:
//! its time is the count of samples.
//!
//! What it refuses: to guess. Lost samples, clipped inputs, dead voltages are said with the interval.
//!
//! # How
//! - **Spikes and droop.** One sample that stands out alone is mended and counts as lost; what a filter before the
//!   samples takes from harmonics is given back where the board says that there is one.
//! - **Whole cycles.** A band-pass finds the fundamental of a reference channel; windows are cut at its
//!   interpolated zero crossings. Within a window the integrands are taken as straight between samples, so
//!   that a window may begin and end anywhere between two of them.
//! - **DC** of every channel is removed algebraically: `Σx²/N − (Σx/N)²`.
//! - **Noise** of converter and quantisation is subtracted from the mean square; it matters below 1 %.
//! - **Time between channels** (multiplexed converters) is removed for the whole waveform by shifting the
//!   earlier channel with `x·a[n] + y·a[n−1]`; the products with and without the shift are summed and
//!   weighted at the end, with the frequency that was then measured.
//! - **Phase error of a clamp** is removed at the fundamental, by turning its phasor. A clamp's error falls
//!   with frequency, so that turning harmonics by it (as a time shift would) makes them worse.
//!
//! # Why `f64`
//! A square of a 24-bit code has 48 bits, the sum of a thousand 58. `f32` (24 bits) loses what lies below
//! 1 % of full scale; `f64` (53 bits) rounds seven decimal digits below the converter's noise, at the same
//! speed as `f32` on the machines at hand. Integers would be exact too, but not at windows' ends.

mod board;
mod calibration;
mod clamps;
mod conditioning;
mod crossing;
mod droop;
mod energy;
mod finding;
mod harmonics;
mod interval;
mod meter;
mod state;
mod sums;

pub use board::{Board, BoardError, CHANNELS_MAX, Channel, Kind};
pub use calibration::{CalibrationError, Correction, Reference, correct};
pub use clamps::{ClampWatch, Fit, fit};
pub use droop::Filter;
pub use energy::Energy;
pub use finding::{Finding, Findings, finding};
pub use harmonics::{Harmonics, ORDERS};
pub use interval::{Interval, LineValues, Phasor};
pub use meter::{Cycle, Meter, Step};
