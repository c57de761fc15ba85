//! One step of simulated time, with both of its speeds.

use dlb_engine::lines::PerLine;
use dlb_engine::time::Instant;

/// From the end of the last step to `now`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The end of the step.
    pub now: Instant,
    /// Its length for everything electrical or protocol.
    pub seconds: f64,
    /// Its length for everything in the scenario: batteries, sun, appliances, arrivals.
    pub scenario_seconds: f64,
    /// Line to neutral voltage on the site's lines.
    pub volts: PerLine<f64>,
}
