//! From the site's currents and voltages to volts on a converter's pins: clamps with their ratio, lead
//! and burden, dividers, and what is not connected.

use crate::phasor::{Phasor, line_voltage};
use core::f64::consts::{SQRT_2, TAU};
use dlb_engine::lines::{Line, PerLine};

/// The electrical state of the connection at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Electrical {
    /// RMS, line to neutral.
    pub volts: PerLine<f64>,
    /// Fundamental RMS.
    pub currents: PerLine<Phasor>,
    pub hertz: f64,
    /// Third and fifth harmonic of the currents, as shares of the fundamental.
    pub harmonics: [f64; 2],
}

/// What hangs on one input of the converter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    Clamp {
        line: Line,
        /// Primary amperes per secondary ampere.
        ratio: f64,
        burden_ohm: f64,
        /// The transformer's lead.
        lead_deg: f64,
    },
    Tap {
        line: Line,
        /// Mains volts per volt at the converter.
        ratio: f64,
    },
    Open,
}

impl Electrical {
    /// A connection under voltage through which nothing flows.
    #[must_use]
    pub fn quiet() -> Self {
        Self { volts: PerLine::all(230.0), currents: PerLine::default(), hertz: 50.0, harmonics: [0.0, 0.0] }
    }

    /// True RMS of the lines, harmonics included.
    #[must_use]
    pub fn rms(&self) -> PerLine<f64> {
        let swell = self.swell();
        self.currents.map(|current| current.size() * swell)
    }

    /// What harmonics make of a fundamental's RMS value.
    #[must_use]
    pub fn swell(&self) -> f64 {
        let [third, fifth] = self.harmonics;
        (1.0 + third * third + fifth * fifth).sqrt()
    }

    /// Active power of the lines; negative is export.
    #[must_use]
    pub fn watts(&self) -> PerLine<f64> {
        let of = |line: Line| self.volts[line] * self.currents[line].active_against(line_voltage(line));
        PerLine(Line::ALL.map(of))
    }

    /// Instantaneous amperes of a line.
    #[must_use]
    pub fn current_at(&self, line: Line, seconds: f64) -> f64 {
        self.shifted_current_at(line, seconds, 0.0)
    }

    /// Instantaneous volts of a line.
    #[must_use]
    pub fn voltage_at(&self, line: Line, seconds: f64) -> f64 {
        let angle = self.angle(seconds) + line_voltage(line).angle();
        SQRT_2 * self.volts[line] * angle.sin()
    }

    fn shifted_current_at(&self, line: Line, seconds: f64, lead: f64) -> f64 {
        let current = self.currents[line];
        let angle = self.angle(seconds) + current.angle() + lead;
        let [third, fifth] = self.harmonics;
        let shape = angle.sin() + third * (3.0 * angle).sin() + fifth * (5.0 * angle).sin();
        SQRT_2 * current.size() * shape
    }

    fn angle(&self, seconds: f64) -> f64 {
        TAU * (self.hertz * seconds).fract()
    }
}

impl Input {
    /// Volts on the pins.
    #[must_use]
    pub fn volts(self, site: &Electrical, seconds: f64) -> f64 {
        match self {
            Self::Clamp { line, ratio, burden_ohm, lead_deg } => {
                site.shifted_current_at(line, seconds, lead_deg.to_radians()) / ratio * burden_ohm
            }
            Self::Tap { line, ratio } => site.voltage_at(line, seconds) / ratio,
            Self::Open => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phasor::to_neutral;

    fn site(harmonics: [f64; 2]) -> Electrical {
        let mut currents = to_neutral(Line::L1, 40.0, 0.9) + to_neutral(Line::L2, -12.0, 1.0);
        currents[Line::L3] = to_neutral(Line::L3, 5.0, 1.0)[Line::L3];
        Electrical { volts: PerLine([230.0, 232.0, 228.0]), currents, hertz: 49.98, harmonics }
    }

    /// Mean over whole cycles.
    fn mean(of: impl Fn(f64) -> f64) -> f64 {
        let count = 40_000;
        (0..count).map(|at| of(f64::from(at) / f64::from(count) * 10.0 / 49.98)).sum::<f64>()
            / f64::from(count)
    }

    #[test]
    fn the_wave_carries_the_rms_and_the_power_that_were_asked_for() {
        let site = site([0.05, 0.03]);
        for line in Line::ALL {
            let rms = mean(|at| site.current_at(line, at).powi(2)).sqrt();
            assert!((rms - site.rms()[line]).abs() < 1e-6);
            let watts = mean(|at| site.current_at(line, at) * site.voltage_at(line, at));
            assert!((watts - site.watts()[line]).abs() < 1e-6);
        }
        assert!((site.watts()[Line::L1] - 230.0 * 40.0 * 0.9).abs() < 1e-6);
        assert!((site.watts()[Line::L2] + 232.0 * 12.0).abs() < 1e-6, "export is negative");
    }

    #[test]
    fn a_clamp_gives_its_burdens_volts() {
        let site = site([0.0, 0.0]);
        let clamp = Input::Clamp { line: Line::L1, ratio: 2000.0, burden_ohm: 5.1, lead_deg: 0.9 };
        let rms = mean(|at| clamp.volts(&site, at).powi(2)).sqrt();
        assert!((rms - 40.0 / 2000.0 * 5.1).abs() < 1e-9);
        let tap = Input::Tap { line: Line::L2, ratio: 700.0 };
        let rms = mean(|at| tap.volts(&site, at).powi(2)).sqrt();
        assert!((rms - 232.0 / 700.0).abs() < 1e-9);
    }
}
