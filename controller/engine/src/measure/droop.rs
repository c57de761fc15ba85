//! What a filter before the samples takes of high frequencies, and how it is given back.
//!
//! A sigma-delta converter's sinc³ filter has lost 0.08 % of the fundamental at 50 Hz and 4000 samples a second, 12 %
//! of the 13th harmonic; a resistor and a capacitor of 3.4 kHz before a multiplexed converter have lost 0.01 % and
//! 1.8 %. Both delay every channel alike, so that only amplitudes are to be mended.
//!
//! With `D = 2 − 2·cos ω` the inverse of a filter is `1 + a·D + b·D² + c·D³`, seven taps: `a` and `b` are those of
//! the inverse's own series in `D`, which makes low harmonics exact; `c` is the one that fits best up to half the
//! sampling rate, weighted by `1/f²`, which is how much of an edge lies where. For sinc³ this is `1 + D/8 + 0.0193·D² +
//! 0.0129·D³`: within 0.01 % to the 6th harmonic at 50 Hz and 4000 samples a second, 0.7 % at the 13th. Up to half
//! the sampling rate it gives back a little too much, which is about what folds back onto it from above and was
//! weakened more. [`Droop::leaves`] says what is left, for whoever knows the frequency.

use core::f64::consts::{PI, TAU};

/// What lies before the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Filter {
    /// Codes are the waveform at one instant.
    #[default]
    None,
    /// The decimation filter of a sigma-delta converter.
    Sinc3,
    /// A resistor and a capacitor with this corner in hertz, the same at every input.
    Rc(f64),
}

impl Filter {
    /// What a frequency, as a share of the sampling rate, keeps of its amplitude.
    fn keeps(self, share: f64, rate_hz: f64) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Sinc3 if share == 0.0 => 1.0,
            Self::Sinc3 => ((PI * share).sin() / (PI * share)).powi(3),
            Self::Rc(corner) => 1.0 / (share * rate_hz / corner).hypot(1.0),
        }
    }

    /// The first two terms of its inverse's series in `D`, by `ω² = D + D²/12 + …`.
    fn series(self, rate_hz: f64) -> (f64, f64) {
        match self {
            Self::None => (0.0, 0.0),
            Self::Sinc3 => (1.0 / 8.0, 37.0 / 1920.0),
            Self::Rc(corner) => {
                let squared = (rate_hz / (TAU * corner)).powi(2);
                (squared / 2.0, squared / 24.0 - squared * squared / 8.0)
            }
        }
    }
}

/// The compensation of a filter at a sampling rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Droop {
    filter: Filter,
    rate_hz: f64,
    /// Of `D`, `D²` and `D³`.
    terms: [f64; 3],
}

/// Points at which a fit is made.
const POINTS: u32 = 256;

fn d_of(share: f64) -> f64 {
    2.0 - 2.0 * (TAU * share).cos()
}

impl Droop {
    pub(super) fn new(filter: Filter, rate_hz: f64) -> Self {
        let (a, b) = filter.series(rate_hz);
        Self { filter, rate_hz, terms: [a, b, Self::fit(filter, rate_hz, (a, b))] }
    }

    /// The third term, by weighted least squares.
    fn fit(filter: Filter, rate_hz: f64, (a, b): (f64, f64)) -> f64 {
        let (mut above, mut below) = (0.0, 0.0);
        for point in 0..POINTS {
            let share = 0.5 * (f64::from(point) + 0.5) / f64::from(POINTS);
            let (d, keeps) = (d_of(share), filter.keeps(share, rate_hz));
            let missing = 1.0 - keeps * (1.0 + a * d + b * d * d);
            let gives = keeps * d * d * d;
            above += missing * gives / (share * share);
            below += gives * gives / (share * share);
        }
        above / below
    }

    pub(super) const fn is_none(&self) -> bool {
        matches!(self.filter, Filter::None)
    }

    /// The middle tap, and those to either side of it.
    pub(super) const fn taps(&self) -> [f64; 4] {
        let [a, b, c] = self.terms;
        [1.0 + 2.0 * a + 6.0 * b + 20.0 * c, -(a + 4.0 * b + 15.0 * c), b + 6.0 * c, -c]
    }

    /// By how much it raises the variance of white noise.
    pub(super) fn noise_gain(&self) -> f64 {
        let [middle, sides @ ..] = self.taps();
        middle * middle + 2.0 * sides.iter().map(|tap| tap * tap).sum::<f64>()
    }

    /// What an amplitude of this frequency has become after filter and compensation; 1 where nothing is lost.
    pub(super) fn leaves(&self, share: f64) -> f64 {
        let (d, [a, b, c]) = (d_of(share), self.terms);
        self.filter.keeps(share, self.rate_hz) * (1.0 + d * (a + d * (b + d * c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_harmonics_of_mains_come_out_as_they_went_in() {
        for (filter, within) in [(Filter::Sinc3, 1e-4), (Filter::Rc(3390.0), 2e-5), (Filter::None, 0.0)] {
            let droop = Droop::new(filter, 4000.0);
            for order in 0..=6 {
                let leaves = droop.leaves(f64::from(order) * 50.0 / 4000.0);
                assert!((leaves - 1.0).abs() <= within, "{filter:?}, {order}: {leaves}");
            }
        }
    }

    #[test]
    fn the_taps_are_the_polynomial_that_they_stand_for() {
        for filter in [Filter::Sinc3, Filter::Rc(2000.0)] {
            let droop = Droop::new(filter, 8000.0);
            let [middle, one, two, three] = droop.taps();
            for share in [0.0, 0.01, 0.13, 0.31, 0.5] {
                let at = |turns: f64| (TAU * turns * share).cos();
                let by_taps = middle + 2.0 * (one * at(1.0) + two * at(2.0) + three * at(3.0));
                let known = droop.leaves(share) / filter.keeps(share, 8000.0);
                assert!((by_taps - known).abs() < 1e-12, "{filter:?} {share}");
            }
        }
    }

    #[test]
    fn a_sinc3_filters_third_term_is_the_one_of_the_documents() {
        let [a, b, c] = Droop::new(Filter::Sinc3, 4000.0).terms;
        assert!((a - 0.125).abs() < 1e-12 && (b - 0.01927).abs() < 1e-5 && (c - 0.0129).abs() < 1e-4, "{c}");
        assert!((Droop::new(Filter::Sinc3, 4000.0).noise_gain() - 2.97).abs() < 0.02);
    }
}
