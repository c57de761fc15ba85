//! The decimation filter of a sigma-delta converter: three moving averages over one conversion each, one behind the
//! other.
//!
//! The chip forms them of its modulator's bits, thousands to a conversion. Here the waveform is looked at [`LOOKS`]
//! times in a conversion and weighted with the averages' own response, a quadratic B-spline three conversions long. That
//! is the same filter up to four times the sampling rate: its gain differs from `sinc³` by no more than `sinc³` itself
//! has left at `LOOKS` times the rate, 0.001 % at the 13th harmonic. After a start it has not settled for two
//! conversions, as in the chip.

/// Looks at the waveform in one conversion.
pub(super) const LOOKS: usize = 8;
const LENGTH: usize = 3 * LOOKS;

/// The newest looks of one channel, in a ring.
#[derive(Clone, Debug)]
pub(super) struct Sinc3 {
    looks: [f64; LENGTH],
    next: usize,
}

/// Of a look that came so many before the newest. Symmetric, and one in sum.
const fn weight(ago: usize) -> f64 {
    let x = (ago as f64 + 0.5) / LOOKS as f64;
    let spline = if x < 1.0 {
        x * x / 2.0
    } else if x < 2.0 {
        (-2.0 * x * x + 6.0 * x - 3.0) / 2.0
    } else {
        (3.0 - x) * (3.0 - x) / 2.0
    };
    spline / LOOKS as f64
}

const WEIGHTS: [f64; LENGTH] = {
    let mut weights = [0.0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        weights[at] = weight(at);
        at += 1;
    }
    weights
};

impl Sinc3 {
    pub(super) const EMPTY: Self = Self { looks: [0.0; LENGTH], next: 0 };

    pub(super) fn look(&mut self, volts: f64) {
        self.looks[self.next] = volts;
        self.next = (self.next + 1) % LENGTH;
    }

    pub(super) fn out(&self) -> f64 {
        let newest_first = self.looks[..self.next].iter().rev().chain(self.looks[self.next..].iter().rev());
        newest_first.zip(&WEIGHTS).map(|(look, weight)| look * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::{PI, TAU};

    /// What is left of an amplitude at a share of the sampling rate.
    fn gain(share: f64) -> f64 {
        let (mut filter, mut square) = (Sinc3::EMPTY, 0.0);
        for conversion in 0..4003 {
            for look in 0..LOOKS {
                let angle = TAU * share * (f64::from(conversion) + look as f64 / LOOKS as f64);
                filter.look(angle.cos());
            }
            square += if conversion < 3 { 0.0 } else { filter.out().powi(2) };
        }
        (square / 2000.0).sqrt()
    }

    #[test]
    fn it_is_a_sinc3_filter_to_well_beyond_half_the_sampling_rate() {
        for share in [0.0125, 0.0375, 0.1625, 0.25, 0.4375, 0.8125, 1.4375] {
            let ideal = ((PI * share).sin() / (PI * share)).powi(3).abs();
            assert!((gain(share) - ideal).abs() < 1e-4, "{share}: {} is not {ideal}", gain(share));
        }
        assert!((0.9992..0.9993).contains(&gain(1.0 / 80.0)), "50 Hz at 4000 a second");
    }

    #[test]
    fn a_steady_voltage_comes_out_after_three_conversions() {
        let mut filter = Sinc3::EMPTY;
        let outs = [(); 4].map(|()| {
            (0..LOOKS).for_each(|_| filter.look(1.0));
            filter.out()
        });
        assert!((outs[0] - 1.0 / 6.0).abs() < 2e-3 && (outs[1] - 5.0 / 6.0).abs() < 2e-3, "{outs:?}");
        assert!((outs[2] - 1.0).abs() < 1e-3 && (outs[3] - outs[2]).abs() < 1e-12, "{outs:?}");
    }
}
