//! Metering against analytic truth: what a waveform's sum of harmonics says on paper, not what another
//! piece of ours makes of the same samples.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing to measure must fail")]

mod accuracy;
mod cases;
mod commissioning;
mod edgy;
mod faults;
mod harmonics;
mod neutral;
mod wave;
