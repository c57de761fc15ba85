//! A channel's corrections from a comparison with a reference instrument on the same load.
//!
//! Taken from the means of some intervals while the load is steady. What comes out replaces the board
//! file's `gain_correction` and `phase_error_deg`; who did it and when is kept beside them by the program.

use super::interval::LineValues;

/// What the reference instrument shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    pub current_a: f64,
    pub voltage_v: f64,
    /// By how much the current lags, in radians; `None` where the instrument does not tell.
    pub lag: Option<f64>,
}

/// What to multiply the corrections in use by, and to add to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    pub current_gain: Option<f64>,
    pub voltage_gain: Option<f64>,
    /// More lead of the clamp, in radians.
    pub more_lead: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalibrationError {
    /// Nothing measured to compare with.
    NothingMeasured,
    /// More than a third off: a wrong ratio or burden in the board file, not a tolerance.
    TooFarOff,
}

/// Larger gains than this, or smaller ones than its inverse, are mistakes of another kind.
const GAIN_MAX: f64 = 1.5;
const LEAD_MAX: f64 = 0.26;

/// # Errors
/// If what was measured cannot be the same load.
pub fn correct(measured: &LineValues, reference: &Reference) -> Result<Correction, CalibrationError> {
    let current_gain = gain(measured.current_a, reference.current_a)?;
    let voltage_gain = gain(measured.voltage_v, reference.voltage_v)?;
    if current_gain.is_none() && voltage_gain.is_none() {
        return Err(CalibrationError::NothingMeasured);
    }
    let more_lead = match (measured.voltage_phasor, measured.current_phasor, reference.lag) {
        (Some(voltage), Some(current), Some(lag)) => {
            let off = wrapped(lag - (voltage.angle - current.angle));
            (off.abs() <= LEAD_MAX).then_some(off).ok_or(CalibrationError::TooFarOff).map(Some)?
        }
        _ => None,
    };
    Ok(Correction { current_gain, voltage_gain, more_lead })
}

fn gain(measured: Option<f64>, reference: f64) -> Result<Option<f64>, CalibrationError> {
    let Some(measured) = measured.filter(|_| reference > 0.0) else { return Ok(None) };
    let gain = reference / measured;
    if (1.0 / GAIN_MAX..=GAIN_MAX).contains(&gain) {
        Ok(Some(gain))
    } else {
        Err(CalibrationError::TooFarOff)
    }
}

fn wrapped(angle: f64) -> f64 {
    use core::f64::consts::{PI, TAU};
    (angle + PI).rem_euclid(TAU) - PI
}
