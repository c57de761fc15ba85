//! What happens to a frame before it is measured: spikes are mended, a converter's droop is taken back.
//!
//! Both need a frame's neighbours, so that frames come out two sampling periods late.
//!
//! **Spikes.** A bit that flips on a bus without a checksum, or a request for the wrong channel, makes one
//! sample stand out of a smooth neighbourhood, which nothing behind an anti-alias filter does: a dimmer's
//! edge has one side only, a rectifier's pulse has slopes. A sample is a spike when it lies further from
//! the middle of its neighbours than the steps around it add up to. It is replaced by that middle, and
//! counts as lost. What is too small to stand out is too small to matter: less than 0.3 % of a root mean
//! square over ten cycles at 2000 samples a second.
//!
//! **Droop.** A sigma-delta converter's sinc³ filter has lost 0.08 % of the fundamental at 50 Hz and 4000
//! samples a second, 12 % of the 13th harmonic. With `D = 2 − 2·cos ω`, `sinc⁻³ = 1 + D/8 + 0.0193·D² + …`; a
//! little more of `D²` stands for the rest of the series. What is left is below 0.01 % to the 9th harmonic at
//! 50 Hz, 0.13 % at the 13th and 2.5 % at the 20th.

use super::board::{Board, CHANNELS_MAX};

type Values = [f64; CHANNELS_MAX];

/// A frame on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) values: Values,
    pub(super) clipped: bool,
    /// So was one of the channels that windows may be cut by.
    pub(super) shaken: bool,
    /// It, or a part of it, stands for something that was lost.
    pub(super) bridged: bool,
}

impl Frame {
    pub(super) const EMPTY: Self =
        Self { values: [0.0; CHANNELS_MAX], clipped: false, shaken: false, bridged: false };
}

/// The last four frames in a ring; the one before the last but one is the next to go out.
#[derive(Clone, Debug)]
pub(super) struct Conditioner {
    frames: [Frame; 4],
    oldest: usize,
    held: u64,
    /// Noise alone makes no spike of this height, in codes.
    floors: Values,
    droop: [f64; 2],
}

/// Frames that are held back.
const LATE: u64 = 2;
/// So many widths of the noise, and codes, make no spike.
const NOISE_WIDTHS: f64 = 8.0;
/// Coefficients of `D` and `D²` that take a sinc³ filter's droop back.
const SINC3: [f64; 2] = [0.125, 0.021_5];

const fn droop(sinc3: bool) -> [f64; 2] {
    if sinc3 { SINC3 } else { [0.0; 2] }
}

impl Conditioner {
    pub(super) fn new(board: &Board) -> Self {
        let mut floors = [f64::INFINITY; CHANNELS_MAX];
        for (floor, channel) in floors.iter_mut().zip(&board.channels) {
            *floor = NOISE_WIDTHS * channel.noise.sqrt().max(1.0);
        }
        Self { frames: [Frame::EMPTY; 4], oldest: 0, held: 0, floors, droop: droop(board.sinc3) }
    }

    /// By how much the droop's compensation raises the variance of white noise.
    pub(super) fn noise_gain(sinc3: bool) -> f64 {
        let [one, two] = droop(sinc3);
        let (middle, near, far) = (1.0 + 2.0 * one + 6.0 * two, one + 4.0 * two, two);
        middle * middle + 2.0 * (near * near + far * far)
    }

    fn frame(&self, after_oldest: usize) -> &Frame {
        &self.frames[(self.oldest + after_oldest) % 4]
    }

    /// The newest frame that came in.
    pub(super) fn newest(&self) -> &Values {
        &self.frame(3).values
    }

    /// Forgets what is held back; how many frames that were.
    pub(super) fn clear(&mut self) -> u64 {
        core::mem::take(&mut self.held).min(LATE)
    }

    /// Takes a frame and gives the one that came two before it.
    pub(super) fn pass(&mut self, newest: &Frame) -> Option<Frame> {
        if self.held == 0 {
            self.frames = [*newest; 4];
        }
        self.held += 1;
        let (mut values, highest) = self.weigh(&newest.values);
        if highest > 0.0 {
            self.mend(&newest.values);
            (values, _) = self.weigh(&newest.values);
        }
        let out = Frame { values, ..*self.frame(2) };
        self.frames[self.oldest] = *newest;
        self.oldest = (self.oldest + 1) % 4;
        (self.held > LATE).then_some(out)
    }

    /// The frame that goes out, with what the converter's filter has lost of it, and by how much any of its
    /// samples stands out (twice, in codes). No branches: eight channels go side by side.
    fn weigh(&self, last: &Values) -> (Values, f64) {
        let [first, before, this, after] = core::array::from_fn(|at| &self.frame(at).values);
        let (mut out, mut highest) = ([0.0; CHANNELS_MAX], [0.0; CHANNELS_MAX]);
        for (at, (out, highest)) in out.iter_mut().zip(&mut highest).enumerate() {
            let (a, b, x, c, d) = (first[at], before[at], this[at], after[at], last[at]);
            let bend = 2.0 * x - b - c;
            let steps = (b - a).abs() + (d - c).abs() + (c - b).abs();
            *highest = bend.abs() - 2.0 * (steps + self.floors[at]);
            let bend_of_bends = a + d + 6.0 * x - 4.0 * (b + c);
            *out = x + self.droop[0] * bend + self.droop[1] * bend_of_bends;
        }
        (
            out,
            highest.iter().fold(f64::NEG_INFINITY, |highest, &one| if one > highest { one } else { highest }),
        )
    }

    fn mend(&mut self, last: &Values) {
        let (first, before, after) = (self.frame(0).values, self.frame(1).values, self.frame(3).values);
        let this = &mut self.frames[(self.oldest + 2) % 4];
        for (at, d) in last.iter().enumerate() {
            let (a, b, c) = (first[at], before[at], after[at]);
            let middle = f64::midpoint(b, c);
            let steps = (b - a).abs() + (d - c).abs() + (c - b).abs();
            if (this.values[at] - middle).abs() > steps + self.floors[at] {
                this.values[at] = middle;
                this.bridged = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Line;
    use crate::measure::{Channel, Kind};

    fn conditioner(sinc3: bool) -> Conditioner {
        let channel =
            Channel { kind: Kind::Current, line: Line::L1, scale: 1.0, lead: 0.0, delay_s: 0.0, noise: 0.25 };
        Conditioner::new(&Board {
            sample_rate_hz: 4000.0,
            code_min: 0,
            code_max: 4095,
            nominal_hz: 50.0,
            sinc3,
            channels: vec![channel],
        })
    }

    fn through(values: &[f64]) -> Vec<(f64, bool)> {
        let mut conditioner = conditioner(false);
        let frame = |&value: &f64| Frame {
            values: core::array::from_fn(|at| if at == 0 { value } else { 0.0 }),
            ..Frame::EMPTY
        };
        values.iter().filter_map(|v| conditioner.pass(&frame(v))).map(|f| (f.values[0], f.bridged)).collect()
    }

    #[test]
    fn one_sample_that_stands_out_becomes_the_middle_of_its_neighbours() {
        let out = through(&[0.0, 10.0, 20.0, 30.0, 1064.0, 50.0, 60.0, 70.0]);
        let expected: Vec<_> = (0..6).map(|n| (10.0 * f64::from(n), n == 4)).collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn a_dimmers_edge_and_a_rectifiers_pulse_are_no_spikes() {
        let edge = [0.0, 0.0, 0.0, 0.0, 900.0, 890.0, 870.0, 840.0, 800.0];
        let pulse = [0.0, 0.0, 0.0, 450.0, 900.0, 450.0, 0.0, 0.0, 0.0];
        for wave in [edge, pulse] {
            let out = through(&wave);
            assert!(out.iter().zip(&wave).all(|((value, bridged), truth)| value == truth && !bridged));
        }
    }

    #[test]
    fn the_droop_of_a_sinc3_filter_is_taken_back_to_the_13th_harmonic() {
        for (order, within) in [(1.0, 1e-5), (5.0, 1e-4), (13.0, 0.0015)] {
            let omega = core::f64::consts::TAU * 50.0 * order / 4000.0;
            let droop = ((omega / 2.0).sin() / (omega / 2.0)).powi(3);
            let mut conditioner = conditioner(true);
            let mut square = 0.0;
            for n in 0..4002 {
                let mut frame = Frame::EMPTY;
                frame.values[0] = 1e6 * droop * (omega * f64::from(n)).cos();
                square += conditioner.pass(&frame).map_or(0.0, |frame| frame.values[0].powi(2));
            }
            let amplitude = (square / 4000.0 * 2.0).sqrt() / 1e6;
            assert!((amplitude - 1.0).abs() < within, "{order}: {amplitude}");
        }
    }
}
