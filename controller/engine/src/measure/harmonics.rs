//! Harmonics of every channel, from the first to the 20th, or as far as the sampling rate allows.
//!
//! Every sample is multiplied by cosines and sines of the mains' angle and its multiples, and summed over
//! the very window that everything else is measured over; so a harmonic leaks into others only by what
//! straight lines miss at the two ends: less than 0.1 % of the fundamental. Sums are `f32`: seven digits
//! are two more than that, at half the cost of `f64`.

use super::board::CHANNELS_MAX;
use super::droop::Droop;

/// The highest order.
pub const ORDERS: usize = 20;
/// Orders above this share of the sampling rate are not told: close to half of it they fold back.
const HIGHEST: f64 = 0.46;

/// Root mean squares by order, in amperes or volts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Harmonics {
    rms: [f32; ORDERS],
    orders: usize,
}

impl Harmonics {
    /// From the fundamental up.
    #[must_use]
    pub fn rms(&self) -> &[f32] {
        &self.rms[..self.orders]
    }

    /// Total harmonic distortion: all orders above the first, as a share of the first (THD-F). `None`
    /// without a fundamental.
    #[must_use]
    pub fn distortion(&self) -> Option<f32> {
        let (first, others) = self.rms().split_first()?;
        let squares: f32 = others.iter().map(|rms| rms * rms).sum();
        (*first > 0.0).then(|| squares.sqrt() / first)
    }
}

/// Cosines of one angle's multiples, then its sines.
type Angles = [f32; 2 * ORDERS];

/// Orders that are made side by side.
const LANES: usize = 4;

fn fill((cos, sin): (f64, f64), angles: &mut Angles) {
    let turn = |a: (f32, f32), b: (f32, f32)| (a.0 * b.0 - a.1 * b.1, a.1 * b.0 + a.0 * b.1);
    let one = (cos as f32, sin as f32);
    let two = turn(one, one);
    let (three, four) = (turn(two, one), turn(two, two));
    let mut cosines = [one.0, two.0, three.0, four.0];
    let mut sines = [one.1, two.1, three.1, four.1];
    let (all_cosines, all_sines) = angles.split_at_mut(ORDERS);
    for (cos_out, sin_out) in all_cosines.chunks_exact_mut(LANES).zip(all_sines.chunks_exact_mut(LANES)) {
        cos_out.copy_from_slice(&cosines);
        sin_out.copy_from_slice(&sines);
        // The next four orders are these, turned by four.
        for (cos, sin) in cosines.iter_mut().zip(&mut sines) {
            (*cos, *sin) = turn((*cos, *sin), four);
        }
    }
}

/// A row for each channel, and one of the angles alone, which takes DC out again.
type Sums = [Angles; CHANNELS_MAX + 1];

#[derive(Clone, Copy, Debug)]
struct Sample {
    values: [f32; CHANNELS_MAX + 1],
    angles: Angles,
}

/// The running sums.
#[derive(Clone, Debug)]
pub(super) struct Spectrum {
    channels: usize,
    sums: Sums,
    /// The last one that was counted and the one that was looked at, turn about.
    samples: [Sample; 2],
    next: usize,
}

impl Spectrum {
    pub(super) const fn new(channels: usize) -> Self {
        let sample = Sample { values: [0.0; CHANNELS_MAX + 1], angles: [0.0; 2 * ORDERS] };
        Self { channels, sums: [[0.0; 2 * ORDERS]; CHANNELS_MAX + 1], samples: [sample; 2], next: 0 }
    }

    /// Looks at the next sample without counting it: a window may end before it.
    pub(super) fn look(&mut self, values: &[f64; CHANNELS_MAX], angle: (f64, f64)) {
        let next = &mut self.samples[self.next];
        for (value, given) in next.values.iter_mut().zip(&values[..self.channels]) {
            *value = *given as f32;
        }
        next.values[self.channels] = 1.0;
        fill(angle, &mut next.angles);
    }

    /// Counts the sample that was looked at.
    pub(super) fn count(&mut self) {
        add(&mut self.sums[..=self.channels], &self.samples[self.next], 1.0);
        self.next = 1 - self.next;
    }

    /// Ends the window `share` of a sampling period after the last sample, with the ends of
    /// [`Window::cut`](super::sums::Window::cut), and begins the next one there.
    pub(super) fn cut(&mut self, share: f64) -> Closed {
        let share = share as f32;
        let half = share * share / 2.0;
        let (last, next) = (&self.samples[1 - self.next], &self.samples[self.next]);
        let mut closed = core::mem::replace(&mut self.sums, [[0.0; 2 * ORDERS]; CHANNELS_MAX + 1]);
        add(&mut closed[..=self.channels], last, share - 0.5 - half);
        add(&mut closed[..=self.channels], next, half);
        add(&mut self.sums[..=self.channels], last, 0.5 - share + half);
        // The sample itself is still to be counted whole.
        add(&mut self.sums[..=self.channels], next, -half);
        Closed { sums: closed, channels: self.channels }
    }
}

fn add(sums: &mut [Angles], sample: &Sample, weight: f32) {
    for (sums, value) in sums.iter_mut().zip(sample.values) {
        let value = value * weight;
        for (sum, angle) in sums.iter_mut().zip(&sample.angles) {
            *sum += value * angle;
        }
    }
}

/// The sums of a window.
pub(super) struct Closed {
    sums: Sums,
    channels: usize,
}

impl Closed {
    /// Of one channel whose mean is `mean`, over `length` samples of which `per_cycle` make a cycle. Here every
    /// order's frequency is known, and what its filter has left of it.
    pub(super) fn of(
        &self,
        channel: usize,
        mean: f64,
        (length, per_cycle): (f64, f64),
        scale: f64,
        droop: &Droop,
    ) -> Harmonics {
        let (sums, angles) = (&self.sums[channel], &self.sums[self.channels]);
        let to_rms = core::f64::consts::SQRT_2 / length * scale.abs();
        let part = |at: usize| f64::from(sums[at]) - mean * f64::from(angles[at]);
        let orders = ((HIGHEST * per_cycle) as usize).min(ORDERS);
        let rms = |at: usize| {
            let left = if at < orders { droop.leaves((at + 1) as f64 / per_cycle) } else { 1.0 };
            (part(at).hypot(part(ORDERS + at)) * to_rms / left) as f32
        };
        Harmonics { rms: core::array::from_fn(rms), orders }
    }
}
