//! What happens to a frame before it is measured: spikes are mended, a filter's droop is taken back.
//!
//! Both need a frame's neighbours, so that frames come out two sampling periods late, five where there is a droop:
//! only what has been looked at for spikes goes into the sum of another sample.
//!
//! **Spikes.** A bit that flips on a bus without a checksum, or a request for the wrong channel, makes one
//! sample stand out of a smooth neighbourhood, which nothing behind an anti-alias filter does: a dimmer's
//! edge has one side only, a rectifier's pulse has slopes. A sample is a spike when it lies further from
//! the middle of its neighbours than the steps around it add up to. It is replaced by that middle, and
//! counts as lost. What is too small to stand out is too small to matter: less than 0.3 % of a root mean
//! square over ten cycles at 2000 samples a second.
//!
//! **Droop.** See [`super::droop`].

use super::board::{Board, CHANNELS_MAX};
use super::droop::Droop;

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

/// The last frames in a ring: four that are looked at for spikes, and before them those that the droop still needs.
#[derive(Clone, Debug)]
pub(super) struct Conditioner {
    frames: [Frame; KEPT],
    /// Where the next one goes.
    next: usize,
    held: u64,
    /// Noise alone makes no spike of this height, in codes.
    floors: Values,
    droop: Droop,
    taps: [f64; 4],
}

/// A power of two, so that a place in the ring is a mask.
const KEPT: usize = 16;
/// How many frames ago the one came that is looked at for spikes.
const LOOKED_AT: usize = 2;
/// Frames that the droop's sum needs after the one that it is for.
const REACH: usize = 3;
/// So many widths of the noise, and codes, make no spike.
const NOISE_WIDTHS: f64 = 8.0;

impl Conditioner {
    pub(super) fn new(board: &Board) -> Self {
        let mut floors = [f64::INFINITY; CHANNELS_MAX];
        for (floor, channel) in floors.iter_mut().zip(&board.channels) {
            *floor = NOISE_WIDTHS * channel.noise.sqrt().max(1.0);
        }
        let droop = board.droop();
        Self { frames: [Frame::EMPTY; KEPT], next: 0, held: 0, floors, droop, taps: droop.taps() }
    }

    /// How many frames are held back.
    fn late(&self) -> u64 {
        (if self.droop.is_none() { LOOKED_AT } else { LOOKED_AT + REACH }) as u64
    }

    /// The frame that came so many before the newest.
    const fn ago(&self, frames: usize) -> usize {
        (self.next + 2 * KEPT - 1 - frames) % KEPT
    }

    /// The newest frame that came in.
    pub(super) fn newest(&self) -> &Values {
        &self.frames[self.ago(0)].values
    }

    /// Forgets what is held back; how many frames that were.
    pub(super) fn clear(&mut self) -> u64 {
        core::mem::take(&mut self.held).min(self.late())
    }

    /// Takes a frame and gives the one that is due.
    pub(super) fn pass(&mut self, newest: &Frame) -> Option<Frame> {
        if self.held == 0 {
            self.frames = [*newest; KEPT];
        }
        self.held += 1;
        self.frames[self.next] = *newest;
        self.next = (self.next + 1) % KEPT;
        if self.stands_out() {
            self.mend();
        }
        let out = if self.droop.is_none() { self.frames[self.ago(LOOKED_AT)] } else { self.mended() };
        (self.held > self.late()).then_some(out)
    }

    /// Those around the one that is looked at, oldest first.
    fn around(&self) -> [&Values; 5] {
        core::array::from_fn(|at| &self.frames[self.ago(4 - at)].values)
    }

    /// Does any sample stand out of its neighbours? No branches: eight channels go side by side.
    fn stands_out(&self) -> bool {
        let [first, before, this, after, last] = self.around();
        let mut highest = [0.0; CHANNELS_MAX];
        for (at, highest) in highest.iter_mut().enumerate() {
            let (a, b, x, c, d) = (first[at], before[at], this[at], after[at], last[at]);
            let steps = (b - a).abs() + (d - c).abs() + (c - b).abs();
            *highest = (2.0 * x - b - c).abs() - 2.0 * (steps + self.floors[at]);
        }
        highest.iter().fold(f64::NEG_INFINITY, |highest, &one| if one > highest { one } else { highest })
            > 0.0
    }

    fn mend(&mut self) {
        let [first, before, _, after, last] = self.around().map(|values| *values);
        let this = &mut self.frames[(self.next + KEPT - 1 - LOOKED_AT) % KEPT];
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

    /// The frame that is due, with what a filter has lost of it.
    fn mended(&self) -> Frame {
        let frame = |after: usize| &self.frames[self.ago(LOOKED_AT + 2 * REACH - after)];
        let [c0, b0, a0, this, a1, b1, c1] = core::array::from_fn(|at| &frame(at).values);
        let [middle, one, two, three] = self.taps;
        let mut out = *frame(REACH);
        for (at, value) in out.values.iter_mut().enumerate() {
            *value = middle * this[at]
                + one * (a0[at] + a1[at])
                + two * (b0[at] + b1[at])
                + three * (c0[at] + c1[at]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Line;
    use crate::measure::{Channel, Filter, Kind};

    fn conditioner(filter: Filter) -> Conditioner {
        let channel =
            Channel { kind: Kind::Current, line: Line::L1, scale: 1.0, lead: 0.0, delay_s: 0.0, noise: 0.25 };
        Conditioner::new(&Board {
            sample_rate_hz: 4000.0,
            code_min: 0,
            code_max: 4095,
            nominal_hz: 50.0,
            filter,
            channels: vec![channel],
        })
    }

    fn through(values: &[f64]) -> Vec<(f64, bool)> {
        let mut conditioner = conditioner(Filter::None);
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
    fn a_spike_does_not_spread_into_the_samples_around_it() {
        let mut conditioner = conditioner(Filter::Sinc3);
        for n in 0..40 {
            let mut frame = Frame::EMPTY;
            frame.values[0] = if n == 20 { 4000.0 } else { 10.0 * f64::from(n) };
            let Some(out) = conditioner.pass(&frame) else { continue };
            let due = 10.0 * f64::from(n - 5);
            assert!(n < 9 || (out.values[0] - due).abs() < 1e-9, "{n}: {} is not {due}", out.values[0]);
        }
    }

    #[test]
    fn the_droop_of_a_sinc3_filter_is_taken_back_to_the_13th_harmonic() {
        for (order, within) in [(1.0, 1e-5), (5.0, 1e-4), (13.0, 0.008)] {
            let omega = core::f64::consts::TAU * 50.0 * order / 4000.0;
            let droop = ((omega / 2.0).sin() / (omega / 2.0)).powi(3);
            let mut conditioner = conditioner(Filter::Sinc3);
            let mut square = 0.0;
            for n in 0..4005 {
                let mut frame = Frame::EMPTY;
                frame.values[0] = 1e6 * droop * (omega * f64::from(n)).cos();
                square += conditioner.pass(&frame).map_or(0.0, |frame| frame.values[0].powi(2));
            }
            let amplitude = (square / 4000.0 * 2.0).sqrt() / 1e6;
            assert!((amplitude - 1.0).abs() < within, "{order}: {amplitude}");
        }
    }
}
