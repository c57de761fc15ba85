//! Integrals over windows that begin and end between samples.
//!
//! Every integrand is taken as a straight line between two samples. A sum keeps half of its newest
//! sample too much, so that one addition a sample is enough; both ends are put right when it is closed.

use super::board::{Board, CHANNELS_MAX, Kind};
use super::droop::Droop;

/// Four of each channel, two of each pair, and the reference's own two.
const MOST: usize = 4 * CHANNELS_MAX + 2 * CHANNELS_MAX + 2;

/// The integrands at one instant.
type Row = [f64; MOST];

/// A current channel with the voltage channel of its line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair {
    pub(super) current: usize,
    pub(super) voltage: usize,
    /// How much later than the voltage the current is sampled, in seconds; may be negative.
    pub(super) later_s: f64,
}

/// Which integrand lies where in a [`Row`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) channels: usize,
    pairs: [Pair; CHANNELS_MAX],
    pair_count: usize,
    /// What was done to the samples.
    pub(super) droop: Droop,
    pub(super) noise_gain: f64,
}

impl Layout {
    pub(super) fn new(board: &Board) -> Self {
        let droop = board.droop();
        let (channels, noise_gain) = (board.channels.len(), droop.noise_gain());
        let mut layout = Self { channels, pairs: Default::default(), pair_count: 0, droop, noise_gain };
        for (current, channel) in board.channels.iter().enumerate() {
            let voltage = board.channel(Kind::Voltage, channel.line);
            if let (Kind::Current, Some(voltage)) = (channel.kind, voltage) {
                let later_s = channel.delay_s - board.channels[voltage].delay_s;
                layout.pairs[layout.pair_count] = Pair { current, voltage, later_s };
                layout.pair_count += 1;
            }
        }
        layout
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs[..self.pair_count]
    }

    fn pair_at(&self, pair: usize) -> usize {
        4 * self.channels + 2 * pair
    }

    fn reference_at(&self) -> usize {
        4 * self.channels + 2 * self.pair_count
    }

    fn used(&self) -> usize {
        self.reference_at() + 2
    }

    /// The integrands of one sample into `row`: `now` and `before` are two consecutive frames, `(cos, sin)`
    /// the reference that the fundamental is measured against.
    fn fill(
        &self,
        row: &mut Row,
        now: &[f64; CHANNELS_MAX],
        before: &[f64; CHANNELS_MAX],
        (cos, sin): (f64, f64),
    ) {
        for (four, &value) in row.chunks_exact_mut(4).zip(&now[..self.channels]) {
            four[0] = value;
            four[1] = value * value;
            four[2] = value * cos;
            four[3] = value * sin;
        }
        for (at, pair) in self.pairs().iter().enumerate() {
            let at = self.pair_at(at);
            row[at] = now[pair.voltage] * now[pair.current];
            // The channel that is sampled first is the one to be shifted to the other's instant.
            row[at + 1] = if pair.later_s > 0.0 {
                now[pair.voltage] * before[pair.current]
            } else {
                before[pair.voltage] * now[pair.current]
            };
        }
        row[self.reference_at()] = cos;
        row[self.reference_at() + 1] = sin;
    }
}

/// What was integrated over one window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    values: Row,
    /// Length in sampling periods.
    pub(super) length: f64,
}

/// Means over the window of one channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelMeans {
    pub(super) mean: f64,
    pub(super) square: f64,
    /// Of the value times cosine and sine of the reference, DC removed.
    pub(super) cos: f64,
    pub(super) sin: f64,
}

impl Area {
    pub(super) const EMPTY: Self = Self { values: [0.0; MOST], length: 0.0 };

    pub(super) fn add(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(&other.values) {
            *sum += value;
        }
        self.length += other.length;
    }

    pub(super) fn channel(&self, layout: &Layout, channel: usize) -> ChannelMeans {
        let at = 4 * channel;
        let reference = layout.reference_at();
        let mean = self.values[at] / self.length;
        ChannelMeans {
            mean,
            square: self.values[at + 1] / self.length,
            cos: (self.values[at + 2] - mean * self.values[reference]) / self.length,
            sin: (self.values[at + 3] - mean * self.values[reference + 1]) / self.length,
        }
    }

    /// Mean products of a pair: as sampled, and with the earlier channel one sample late.
    pub(super) fn pair(&self, layout: &Layout, pair: usize) -> (f64, f64) {
        let at = layout.pair_at(pair);
        (self.values[at] / self.length, self.values[at + 1] / self.length)
    }
}

/// The window that is being integrated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    area: Row,
    newest: Row,
    length: f64,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { area: [0.0; MOST], newest: [0.0; MOST], length: 0.0 }
    }

    pub(super) fn length(&self) -> f64 {
        self.length
    }

    /// Takes the next sample.
    pub(super) fn pass(
        &mut self,
        layout: &Layout,
        now: &[f64; CHANNELS_MAX],
        before: &[f64; CHANNELS_MAX],
        reference: (f64, f64),
    ) {
        layout.fill(&mut self.newest, now, before, reference);
        for (sum, value) in self.area[..layout.used()].iter_mut().zip(&self.newest) {
            *sum += value;
        }
        self.length += 1.0;
    }

    /// Ends the window `share` of a sampling period after the last sample and begins the next one there,
    /// with the sample that came after it.
    pub(super) fn cut(
        &mut self,
        layout: &Layout,
        now: &[f64; CHANNELS_MAX],
        before: &[f64; CHANNELS_MAX],
        reference: (f64, f64),
        share: f64,
    ) -> Area {
        let mut row = [0.0; MOST];
        layout.fill(&mut row, now, before, reference);
        let mut closed = Area { values: self.area, length: self.length + share };
        let sums = closed.values.iter_mut().zip(&mut self.area);
        for ((closed, open), (last, next)) in sums.zip(self.newest.iter().zip(&row)).take(layout.used()) {
            let slope = next - last;
            *closed += (share - 0.5) * last + share * share / 2.0 * slope;
            *open = (1.0 - share) * last + (1.0 - share * share) / 2.0 * slope + 0.5 * next;
        }
        self.newest = row;
        self.length = 1.0 - share;
        closed
    }
}
