//! Currents with their angles: what one ampere of a charger's limit drives through each line.
//!
//! Angles are the nominal ones of the supply system, at power factor 1. Every line is its own frame: what
//! counts is how the currents in one line stand to each other.

use crate::lines::{Line, Wiring};
use crate::site::{Supply, Transformer, VectorGroup};

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

/// What these currents on the secondary side are on the primary side.
///
/// In Dyn11 the winding of line `a` lies between the primary lines A and B, so that `I_A = (I_a − I_c) / k` with
/// `k` the turns ratio, √3 times the ratio of the voltages; and so on around.
pub(super) fn through(transformer: Transformer, [a, b, c]: [Phasor; 3]) -> [Phasor; 3] {
    match transformer.group {
        VectorGroup::Yyn => [a, b, c].map(|line| line.scaled(1.0 / transformer.ratio)),
        VectorGroup::Dyn => {
            let turns = transformer.ratio * 3f64.sqrt();
            [a.minus(c), b.minus(a), c.minus(b)].map(|line| line.scaled(1.0 / turns))
        }
    }
}

/// The sets of terms whose sum can be the largest, when each term may be there or not.
///
/// The largest sum points somewhere, and has in it exactly the terms within 90° of that direction. A set whose
/// terms do not weaken each other stands for all smaller ones.
pub(super) fn worst_sets(terms: &[Phasor]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for edge in terms {
        let across = Phasor { re: -edge.im, im: edge.re };
        for turned in [across, across.scaled(-1.0)] {
            // Just beside the edge of each half-plane that a term lies on, on its one side and on its other.
            for lean in [edge.scaled(1e-6), edge.scaled(-1e-6)] {
                let towards = Phasor { re: turned.re + lean.re, im: turned.im + lean.im };
                let set: Vec<usize> = (0..terms.len()).filter(|&ix| terms[ix].dot(towards) > 0.0).collect();
                if !sets.contains(&set) {
                    sets.push(set);
                }
            }
        }
    }
    let easy = |set: &[usize]| set.iter().all(|&a| set.iter().all(|&b| terms[a].dot(terms[b]) >= -1e-9));
    let within = |small: &[usize], large: &[usize]| small.iter().all(|ix| large.contains(ix));
    let stands_for =
        |large: &Vec<usize>, small: &Vec<usize>| large != small && easy(large) && within(small, large);
    let needed: Vec<bool> = sets.iter().map(|set| !sets.iter().any(|other| stands_for(other, set))).collect();
    let mut needed = needed.into_iter();
    sets.retain(|_| needed.next().unwrap_or(false));
    sets
}

/// The angles of the lines' voltages.
pub(super) const fn line_angles(supply: Supply) -> [Phasor; 3] {
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

    pub(super) fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    pub(super) fn dot(self, other: Self) -> f64 {
        self.re * other.re + self.im * other.im
    }

    pub(super) fn magnitude(self) -> f64 {
        if self.im == 0.0 { self.re.abs() } else { self.dot(self).sqrt() }
    }

    /// Its part in this direction, in radians.
    pub(super) fn towards(self, direction: f64) -> f64 {
        self.re * direction.cos() + self.im * direction.sin()
    }

    pub(super) fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// By how much it is ahead of another one, in radians.
    pub(super) fn angle_from(self, other: Self) -> f64 {
        (self.im * other.re - self.re * other.im).atan2(self.dot(other))
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
