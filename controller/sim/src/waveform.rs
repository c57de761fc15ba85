//! What lies on the pins of a converter: the border between a simulated site and the simulated devices
//! that measure it.
//!
//! A site answers with the voltage after clamps, burdens and dividers, so that ratios, burdens and phase
//! errors of the board file have their effect in the real arithmetic and nowhere else.

/// The analogue side of a converter.
pub trait Waveform {
    /// Volts at the input `channel` (counted from 0, as the converter counts) at `t_seconds` after the
    /// converter was switched on. Called with rising times, once for each channel that converts.
    fn sample(&self, channel: usize, t_seconds: f64) -> f64;
}

/// Any function of channel and time is a waveform.
impl<F: Fn(usize, f64) -> f64> Waveform for F {
    fn sample(&self, channel: usize, t_seconds: f64) -> f64 {
        self(channel, t_seconds)
    }
}
