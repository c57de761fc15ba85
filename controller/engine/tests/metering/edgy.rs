//! Currents with edges, their root mean squares and their Fourier coefficients as integrals in closed form.

use std::f64::consts::{PI, TAU};

/// Currents that no short sum of harmonics makes. All begin at the voltage's zero crossing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edgy {
    /// `peak·sin` from the firing angle to the end of each half wave: an edge that takes no time.
    Dimmer { peak: f64, firing: f64 },
    /// The same behind the choke that every dimmer has: a sine behind a resistance and an inductance, switched on at
    /// the firing angle, `peak·(sin(θ−φ) − sin(α−φ)·exp(−(θ−α)/tan φ))`, until it falls to zero at `end`.
    Choked { peak: f64, firing: f64, phi: f64, end: f64 },
    /// Half a cosine of this width around the top of each half wave: a rectifier with a capacitor.
    Pulses { peak: f64, width: f64 },
}

/// An exponential goes from 10 to 90 % in so many of its time constants.
const RISE: f64 = 2.197_224_577;

impl Edgy {
    /// A dimmer whose current takes so many seconds from 10 to 90 % of what it would be without its choke.
    pub(crate) fn choked(firing: f64, rise_s: f64, hz: f64) -> Self {
        let phi = (TAU * hz * rise_s / RISE).atan();
        let unended = Self::Choked { peak: 1.0, firing, phi, end: TAU };
        // It falls through zero once, at the end of the half wave or a little later.
        let (mut before, mut after) = (PI - 1e-9, PI + phi);
        for _ in 0..60 {
            let middle = f64::midpoint(before, after);
            (before, after) = if unended.unfolded(middle) > 0.0 { (middle, after) } else { (before, middle) };
        }
        Self::Choked { peak: 1.0, firing, phi, end: before }
    }

    pub(crate) fn scaled(self, by: f64) -> Self {
        match self {
            Self::Dimmer { peak, firing } => Self::Dimmer { peak: peak * by, firing },
            Self::Choked { peak, firing, phi, end } => Self::Choked { peak: peak * by, firing, phi, end },
            Self::Pulses { peak, width } => Self::Pulses { peak: peak * by, width },
        }
    }

    pub(crate) fn mean_square(self) -> f64 {
        match self {
            Self::Dimmer { peak, firing } => peak * peak * (PI - firing + (2.0 * firing).sin() / 2.0) / TAU,
            Self::Choked { peak, firing, phi, end } => {
                let (from, to, t) = (firing - phi, end - phi, phi.tan());
                let dies = (-(end - firing) / t).exp();
                let sines = (to - from) / 2.0 - ((2.0 * to).sin() - (2.0 * from).sin()) / 4.0;
                let mixed =
                    |angle: f64, left: f64| -left * (angle.sin() / t + angle.cos()) / (1.0 + 1.0 / (t * t));
                let mixed = mixed(to, dies) - mixed(from, 1.0);
                let alone = t / 2.0 * (1.0 - dies * dies);
                let s = from.sin();
                peak * peak * (sines - 2.0 * s * mixed + s * s * alone) / PI
            }
            Self::Pulses { peak, width } => peak * peak * width / TAU,
        }
    }

    /// The first half wave, which may last into the second.
    fn unfolded(self, angle: f64) -> f64 {
        match self {
            Self::Dimmer { peak, firing } if angle > firing && angle < PI => peak * angle.sin(),
            Self::Choked { peak, firing, phi, end } if angle > firing && angle < end => {
                peak * ((angle - phi).sin() - (firing - phi).sin() * (-(angle - firing) / phi.tan()).exp())
            }
            Self::Pulses { peak, width } if (angle - PI / 2.0).abs() < width / 2.0 => {
                peak * (PI * (angle - PI / 2.0) / width).cos()
            }
            _ => 0.0,
        }
    }

    pub(crate) fn at(self, angle: f64) -> f64 {
        let sign = if angle.rem_euclid(TAU) < PI { 1.0 } else { -1.0 };
        let within = angle.rem_euclid(PI);
        sign * (self.unfolded(within) - self.unfolded(within + PI))
    }

    /// Fourier coefficients of cosine and sine, for an odd order: the integrals over one half wave.
    pub(crate) fn coefficients(self, n: f64) -> (f64, f64) {
        match self {
            Self::Dimmer { peak, firing } if n == 1.0 => {
                (-peak / PI * firing.sin().powi(2), peak / PI * (PI - firing + (2.0 * firing).sin() / 2.0))
            }
            Self::Dimmer { peak, firing } => {
                let (over, under) = (n + 1.0, n - 1.0);
                let cos = ((over * firing).cos() - 1.0) / over - ((under * firing).cos() - 1.0) / under;
                let sin = (over * firing).sin() / over - (under * firing).sin() / under;
                (peak / PI * cos, peak / PI * sin)
            }
            Self::Choked { peak, firing, phi, end } => choked_coefficients(peak, (firing, end), phi, n),
            Self::Pulses { peak, width } => {
                // Around the top: 2/π·∫ peak·cos(ky)·cos(ny), k = π/width; then back to the zero crossing.
                let k = PI / width;
                let around = if (k - n).abs() < 1e-9 {
                    width / 2.0
                } else {
                    (n * width / 2.0).cos() * 2.0 * k / (k * k - n * n)
                };
                let amplitude = 2.0 / PI * peak * around;
                (amplitude * (n * PI / 2.0).cos(), amplitude * (n * PI / 2.0).sin())
            }
        }
    }
}

/// `2/π·∫ (sin(θ−φ) − sin(α−φ)·exp(−(θ−α)/t))·(cos nθ, sin nθ) dθ` from `α` to `end`, `t = tan φ`.
fn choked_coefficients(peak: f64, (from, to): (f64, f64), phi: f64, n: f64) -> (f64, f64) {
    // Products of sines as sums; an order of one leaves a term that does not turn.
    let over = |f: fn(f64) -> f64, m: f64| (f(m * to - phi) - f(m * from - phi)) / m;
    let (up, down) = (n + 1.0, n - 1.0);
    let turned = |f: fn(f64) -> f64| (f(down * to + phi) - f(down * from + phi)) / down;
    let (cos, sin) = if n == 1.0 {
        let span = to - from;
        ((-over(f64::cos, up) - span * phi.sin()) / 2.0, (span * phi.cos() - over(f64::sin, up)) / 2.0)
    } else {
        ((turned(f64::cos) - over(f64::cos, up)) / 2.0, (turned(f64::sin) - over(f64::sin, up)) / 2.0)
    };
    let rate = 1.0 / phi.tan();
    let dies = (-(to - from) * rate).exp();
    let below = rate * rate + n * n;
    let dying_cos = |angle: f64, left: f64| left * (n * (n * angle).sin() - rate * (n * angle).cos()) / below;
    let dying_sin =
        |angle: f64, left: f64| -left * (rate * (n * angle).sin() + n * (n * angle).cos()) / below;
    let s = (from - phi).sin();
    let cos = cos - s * (dying_cos(to, dies) - dying_cos(from, 1.0));
    let sin = sin - s * (dying_sin(to, dies) - dying_sin(from, 1.0));
    (2.0 / PI * peak * cos, 2.0 / PI * peak * sin)
}
