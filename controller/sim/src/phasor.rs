//! Alternating currents as complex numbers, so that loads between lines, power factors and feed-in add
//! up as they do in copper. RMS amperes; the reference is the voltage of L1.

use core::f64::consts::TAU;
use core::ops::{Add, AddAssign, Mul, Neg, Sub};
use dlb_engine::lines::{Line, PerLine};

/// An RMS value with its angle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phasor {
    pub re: f64,
    pub im: f64,
}

impl Phasor {
    #[must_use]
    pub fn polar(size: f64, angle: f64) -> Self {
        Self { re: size * angle.cos(), im: size * angle.sin() }
    }

    #[must_use]
    pub fn size(self) -> f64 {
        self.re.hypot(self.im)
    }

    #[must_use]
    pub fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// How far the current leans on this voltage, in amperes: negative feeds in.
    #[must_use]
    pub fn active_against(self, unit_voltage: Self) -> f64 {
        self.re * unit_voltage.re + self.im * unit_voltage.im
    }
}

impl Add for Phasor {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl AddAssign for Phasor {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Phasor {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Phasor {
    type Output = Self;
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl Mul<f64> for Phasor {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }
}

/// Direction of a line's voltage against neutral: L1 at 0°, L2 at −120°, L3 at −240°.
#[must_use]
pub fn line_voltage(line: Line) -> Phasor {
    Phasor::polar(1.0, -TAU / 3.0 * line.index() as f64)
}

/// A current from a line to neutral. Negative amperes feed in.
#[must_use]
pub fn to_neutral(line: Line, amps: f64, power_factor: f64) -> PerLine<Phasor> {
    let mut currents = PerLine::default();
    currents[line] = lagging(line_voltage(line), amps, power_factor);
    currents
}

/// A current from one line to another, as on delta supplies.
#[must_use]
pub fn between(from: Line, to: Line, amps: f64, power_factor: f64) -> PerLine<Phasor> {
    let voltage = line_voltage(from) - line_voltage(to);
    let current = lagging(voltage * (1.0 / voltage.size()), amps, power_factor);
    let mut currents = PerLine::default();
    currents[from] = current;
    currents[to] = -current;
    currents
}

fn lagging(unit_voltage: Phasor, amps: f64, power_factor: f64) -> Phasor {
    let behind = power_factor.clamp(-1.0, 1.0).acos();
    Phasor::polar(amps, unit_voltage.angle() - behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sun_takes_active_current_away_and_leaves_the_reactive() {
        let load = to_neutral(Line::L2, 10.0, 0.8)[Line::L2];
        let sun = to_neutral(Line::L2, -8.0, 1.0)[Line::L2];
        assert!(((load + sun).size() - 6.0).abs() < 1e-9);
    }

    #[test]
    fn three_equal_loads_between_lines_draw_root_three_on_each_line() {
        let delta = between(Line::L1, Line::L2, 10.0, 1.0)
            + between(Line::L2, Line::L3, 10.0, 1.0)
            + between(Line::L3, Line::L1, 10.0, 1.0);
        for (_, current) in delta.iter() {
            assert!((current.size() - 10.0 * 3f64.sqrt()).abs() < 1e-9);
        }
    }
}
