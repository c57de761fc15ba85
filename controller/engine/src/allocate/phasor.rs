//! Currents with their angles: what one ampere of a charger's limit drives through each line.
//!
//! Angles are the nominal ones of the supply system, at power factor 1. Every line is its own frame: what
//! counts is how the currents in one line stand to each other.

use crate::lines::{Line, Wiring};
use crate::site::Supply;

/// A current with its angle, in multiples of the flow's current.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Phasor {
    pub(super) re: f64,
    pub(super) im: f64,
}

/// Half the square root of three.
const SIN_120: f64 = 0.866_025_403_784_438_6;

/// The currents that one ampere of a charger's limit drives: for each independent one, its part in
/// each line and the voltage that it comes with.
pub(super) fn currents(
    wiring: Wiring,
    car_phases: Option<u8>,
    supply: Supply,
) -> [Option<([Phasor; 3], f64)>; 3] {
    let volts = supply.volts_line_to_neutral().as_volts();
    let angles = line_angles(supply);
    if let Wiring::Between(from, to) = wiring {
        let across = angles[from.index()].minus(angles[to.index()]);
        let unit = across.scaled(1.0 / across.magnitude());
        let mut lines = [Phasor::default(); 3];
        lines[from.index()] = unit;
        lines[to.index()] = unit.scaled(-1.0);
        return [Some((lines, volts * across.magnitude())), None, None];
    }
    let loads = wiring.loads(car_phases);
    Line::ALL.map(|line| {
        let mut lines = [Phasor::default(); 3];
        lines[line.index()] = angles[line.index()];
        loads[line].then_some((lines, volts))
    })
}

/// The angles of the lines' voltages.
const fn line_angles(supply: Supply) -> [Phasor; 3] {
    let l1 = Phasor { re: 1.0, im: 0.0 };
    let l3 = Phasor { re: -0.5, im: SIN_120 };
    match supply {
        Supply::Split(_) => [l1, Phasor { re: -1.0, im: 0.0 }, l3],
        _ => [l1, Phasor { re: -0.5, im: -SIN_120 }, l3],
    }
}

impl Phasor {
    pub(super) const fn along(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    fn scaled(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    fn dot(self, other: Self) -> f64 {
        self.re * other.re + self.im * other.im
    }

    pub(super) fn magnitude(self) -> f64 {
        if self.im == 0.0 { self.re.abs() } else { self.dot(self).sqrt() }
    }

    pub(super) fn parallel(self, other: Self) -> bool {
        (self.re * other.im - self.im * other.re).abs() < 1e-12 && self.dot(other) > 0.0
    }

    /// How many times `step` can be added before the magnitude reaches `radius`.
    pub(super) fn distance_to_circle(self, step: Self, radius: f64) -> f64 {
        let beyond = radius - self.magnitude();
        if radius <= 0.0 || beyond <= 0.0 {
            return beyond.min(0.0);
        }
        let along = self.dot(step);
        let size = step.dot(step);
        (-along + (along * along + size * (radius * radius - self.dot(self))).sqrt()) / size
    }
}
