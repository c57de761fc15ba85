//! Harmonics of every channel, from the first to the 20th, or as far as the sampling rate allows.
//!
//! Every sample is multiplied by cosines and sines of the mains' angle and its multiples, and summed over
//! the very window that everything else is measured over; so a harmonic leaks into others only by what
//! straight lines miss at the two ends: less than 0.1 % of the fundamental. Sums are `f32`: seven digits
//! are two more than that, at half the cost of `f64`.

use super::board::CHANNELS_MAX;

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

fn angles((cos, sin): (f64, f64)) -> Angles {
    let (cos, sin) = (cos as f32, sin as f32);
    let mut angles = [0.0; 2 * ORDERS];
    let (cosines, sines) = angles.split_at_mut(ORDERS);
    (cosines[0], sines[0]) = (cos, sin);
    let (mut last_cos, mut last_sin) = (1.0, 0.0);
    for order in 1..ORDERS {
        cosines[order] = 2.0 * cos * cosines[order - 1] - last_cos;
        sines[order] = 2.0 * cos * sines[order - 1] - last_sin;
        (last_cos, last_sin) = (cosines[order - 1], sines[order - 1]);
    }
    angles
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
    last: Sample,
    next: Sample,
}

impl Spectrum {
    pub(super) const fn new(channels: usize) -> Self {
        let sample = Sample { values: [0.0; CHANNELS_MAX + 1], angles: [0.0; 2 * ORDERS] };
        Self { channels, sums: [[0.0; 2 * ORDERS]; CHANNELS_MAX + 1], last: sample, next: sample }
    }

    /// Looks at the next sample without counting it: a window may end before it.
    pub(super) fn look(&mut self, values: &[f64; CHANNELS_MAX], angle: (f64, f64)) {
        for (value, given) in self.next.values.iter_mut().zip(&values[..self.channels]) {
            *value = *given as f32;
        }
        self.next.values[self.channels] = 1.0;
        self.next.angles = angles(angle);
    }

    /// Counts the sample that was looked at.
    pub(super) fn count(&mut self) {
        add(&mut self.sums[..=self.channels], &self.next, 1.0);
        self.last = self.next;
    }

    /// Ends the window `share` of a sampling period after the last sample, with the ends of
    /// [`Window::cut`](super::sums::Window::cut), and begins the next one there.
    pub(super) fn cut(&mut self, share: f64) -> Closed {
        let share = share as f32;
        let half = share * share / 2.0;
        let mut closed = core::mem::replace(&mut self.sums, [[0.0; 2 * ORDERS]; CHANNELS_MAX + 1]);
        add(&mut closed[..=self.channels], &self.last, share - 0.5 - half);
        add(&mut closed[..=self.channels], &self.next, half);
        add(&mut self.sums[..=self.channels], &self.last, 0.5 - share + half);
        // The sample itself is still to be counted whole.
        add(&mut self.sums[..=self.channels], &self.next, -half);
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
    /// Of one channel whose mean is `mean`, over `length` samples of which `per_cycle` make a cycle.
    pub(super) fn of(&self, channel: usize, mean: f64, length: f64, per_cycle: f64, scale: f64) -> Harmonics {
        let (sums, angles) = (&self.sums[channel], &self.sums[self.channels]);
        let to_rms = core::f64::consts::SQRT_2 / length * scale.abs();
        let part = |at: usize| f64::from(sums[at]) - mean * f64::from(angles[at]);
        Harmonics {
            rms: core::array::from_fn(|at| (part(at).hypot(part(ORDERS + at)) * to_rms) as f32),
            orders: ((HIGHEST * per_cycle) as usize).min(ORDERS),
        }
    }
}
