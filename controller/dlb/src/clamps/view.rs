//! What crosses the wire about the clamps. Units are in the names; null is unknown, never zero.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/clamps` and the events of `GET /api/v1/clamps/live`: what the box's own clamps see.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClampsView {
    /// Of the newest measuring interval: `good`, `doubtful`, `bad`, or `missing`.
    pub quality: &'static str,
    /// Why it is not good: `no-voltage`, `saturated`, `open-clamp`, `gaps`, `implausible`, `frozen`.
    pub doubt: Option<&'static str>,
    /// How long ago the interval was seen.
    pub age_s: Option<f64>,
    pub frequency_hz: Option<f64>,
    pub lines: Vec<ClampLineView>,
    /// Samples since the start: read, and lost because this machine or the converter was late.
    pub frames: u64,
    pub lost: u64,
    /// Does sampling go before everything else on this machine?
    pub real_time: bool,
    /// Time between two points of the waves.
    pub step_us: f64,
    /// Two cycles, from a rising zero crossing of the first voltage on; empty while there is nothing to show.
    pub channels: Vec<ClampWaveView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClampLineView {
    /// `L1`, `L2` or `L3`; `N` where the neutral conductor is measured.
    pub line: &'static str,
    pub current_a: Option<f64>,
    pub voltage_v: Option<f64>,
    pub power_w: Option<f64>,
    pub reactive_var: Option<f64>,
    pub apparent_va: Option<f64>,
    pub power_factor: Option<f64>,
    /// Fundamentals against the first voltage (the first current where there is none): positive leads.
    pub current_deg: Option<f64>,
    pub voltage_deg: Option<f64>,
    /// Root mean squares of the harmonics, from the fundamental up: to the 20th, or as far as the sampling rate allows.
    pub current_harmonics_a: Option<Vec<f64>>,
    pub voltage_harmonics_v: Option<Vec<f64>>,
    /// All harmonics above the first, as a share of the first (THD-F).
    pub current_distortion: Option<f64>,
    pub voltage_distortion: Option<f64>,
    /// What there is to say about the clamp: `fits`, `fits-turned`, `backwards`, `swapped`, `on-line`,
    /// `missing`, `saturated`, `no-voltage`, `nothing-to-tell`, `unclear`, `not-measured`, `neutral`.
    pub finding: &'static str,
    /// With `swapped` and `on-line`: the other line.
    pub other: Option<&'static str>,
    /// The largest peak that the channel can show.
    pub full_scale_a: Option<f64>,
    /// Currents below this cannot be told from noise.
    pub noise_floor_a: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClampWaveView {
    /// As the board file names it.
    pub name: String,
    /// `current` or `voltage`.
    pub kind: &'static str,
    pub line: &'static str,
    /// Amperes or volts; null where a sample was lost.
    pub wave: Vec<Option<f64>>,
}

/// `GET /api/v1/clamps/corrections`: each channel's correction, and how it came about.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrectionsView {
    pub channels: Vec<CorrectedChannelView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrectedChannelView {
    pub name: String,
    pub kind: &'static str,
    pub line: &'static str,
    pub gain_correction: f64,
    pub phase_error_deg: f64,
    /// Turned round in software.
    pub reversed: bool,
    /// Newest first; the first that was not taken back counts.
    pub history: Vec<CorrectionView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrectionView {
    /// `calibrated`, `turned` or `swapped`.
    pub act: &'static str,
    pub at_ms: Option<i64>,
    pub by: String,
    pub measured: Option<f64>,
    pub actual: Option<f64>,
    pub gain_correction: f64,
    pub phase_error_deg: f64,
    pub undone_by: Option<String>,
    pub undone_ms: Option<i64>,
}

/// `POST /api/v1/clamps/calibrate`: this channel sees a steady load that a reference instrument measures too.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrateOrder {
    pub channel: String,
    /// What the instrument shows: amperes RMS, or volts for a voltage.
    pub actual: f64,
    /// The load is purely resistive (a heater): the clamp's phase error is corrected too.
    #[serde(default)]
    pub resistive: bool,
    /// Who calibrates.
    pub by: String,
}

/// The answer: what was measured before, and by how much it was corrected.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CalibratedView {
    pub measured: f64,
    pub gain_correction: f64,
    pub phase_error_deg: f64,
}

/// `POST /api/v1/clamps/turn` and `undo`: one channel, and who asks for it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClampOrder {
    pub channel: String,
    pub by: String,
}

/// `POST /api/v1/clamps/swap`: the clamps of two lines are in each other's place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapOrder {
    pub one: String,
    pub other: String,
    pub by: String,
}
