//! Where a mains cycle begins: zero crossings of the fundamental, between two samples.
//!
//! Two band-passes in a row keep the fundamental (45 to 65 Hz) and drop DC, harmonics and noise, so that
//! a dimmer's waveform or a noisy zero crosses once. What the filter adds in delay is the same in every
//! cycle and drops out of the windows' length.

use core::f64::consts::PI;

const CENTRE_HZ: f64 = 54.0;
const QUALITY: f64 = 1.0;
/// A crossing counts only after the signal has been this far on the other side, as a share of its peak.
const HYSTERESIS: f64 = 0.3;
/// Half cycles outside these are none of the mains.
const FASTEST_HZ: f64 = 75.0;

/// Second-order band-pass with 0 dB at its centre, in transposed direct form II.
#[derive(Clone, Copy, Debug, Default)]
struct BandPass {
    b0: f64,
    a1: f64,
    a2: f64,
    s1: f64,
    s2: f64,
}

impl BandPass {
    fn new(sample_rate_hz: f64) -> Self {
        let angle = 2.0 * PI * CENTRE_HZ / sample_rate_hz;
        let alpha = angle.sin() / (2.0 * QUALITY);
        let a0 = 1.0 + alpha;
        Self { b0: alpha / a0, a1: -2.0 * angle.cos() / a0, a2: (1.0 - alpha) / a0, s1: 0.0, s2: 0.0 }
    }

    fn pass(&mut self, input: f64) -> f64 {
        let output = self.b0 * input + self.s1;
        self.s1 = self.s2 - self.a1 * output;
        self.s2 = -self.b0 * input - self.a2 * output;
        output
    }
}

/// Watches one channel for zero crossings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossings {
    filters: [BandPass; 2],
    last: f64,
    /// Largest excursions since the last crossing of either direction, and before it.
    peak: f64,
    peak_before: f64,
    since: f64,
    /// Lengths of the last two half cycles; the first one that was found has none.
    halves: [f64; 2],
    started: bool,
    shortest: f64,
}

impl Crossings {
    pub(super) fn new(sample_rate_hz: f64) -> Self {
        Self {
            filters: [BandPass::new(sample_rate_hz); 2],
            last: 0.0,
            peak: 0.0,
            peak_before: 0.0,
            since: 0.0,
            halves: [0.0; 2],
            started: false,
            shortest: sample_rate_hz / (2.0 * FASTEST_HZ),
        }
    }

    /// Takes a sample. If the fundamental crossed zero since the last one: where, as a share of the
    /// sampling period after the last sample.
    pub(super) fn pass(&mut self, input: f64) -> Option<f64> {
        let filtered = self.filters.iter_mut().fold(input, |signal, filter| filter.pass(signal));
        let before = core::mem::replace(&mut self.last, filtered);
        self.since += 1.0;
        let crossed = (before < 0.0) != (filtered < 0.0)
            && self.since > self.shortest
            && self.peak >= HYSTERESIS * self.peak_before;
        if !crossed {
            self.peak = self.peak.max(filtered.abs());
            return None;
        }
        self.peak_before = core::mem::replace(&mut self.peak, filtered.abs());
        let share = before / (before - filtered);
        if core::mem::replace(&mut self.started, true) {
            self.halves = [self.halves[1], self.since - 1.0 + share];
        }
        self.since = 1.0 - share;
        Some(share)
    }

    /// Peak of the fundamental in the last half cycle, in the units of the input.
    pub(super) fn amplitude(&self) -> f64 {
        self.peak_before.max(self.peak)
    }

    /// From the last two half cycles.
    pub(super) fn frequency(&self, sample_rate_hz: f64) -> Option<f64> {
        let cycle = self.halves[0] + self.halves[1];
        (self.halves[0] > 0.0).then(|| sample_rate_hz / cycle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossings(hz: f64, cycles: f64, mut wave: impl FnMut(f64) -> f64) -> Vec<f64> {
        let rate = 4000.0;
        let mut watch = Crossings::new(rate);
        let samples = (cycles * rate / hz) as usize;
        let mut found = Vec::new();
        for n in 0..samples {
            if let Some(share) = watch.pass(wave(2.0 * PI * hz * n as f64 / rate)) {
                found.push(n as f64 - 1.0 + share);
            }
        }
        found
    }

    #[test]
    fn a_sine_crosses_zero_twice_a_cycle_at_even_distances() {
        for hz in [45.0, 50.0, 61.7, 65.0] {
            let found = crossings(hz, 40.0, f64::sin);
            let settled = &found[12..];
            let length = (settled[settled.len() - 1] - settled[0]) / (settled.len() - 1) as f64;
            assert!((length - 4000.0 / hz / 2.0).abs() < 1e-4, "{hz} Hz: {length}");
        }
    }

    #[test]
    fn a_dimmer_at_half_power_crosses_twice_a_cycle_in_spite_of_its_flat_parts() {
        let dimmed = |angle: f64| if angle.rem_euclid(PI) > PI / 2.0 { angle.sin() } else { 0.0 };
        let found = crossings(50.0, 40.0, dimmed);
        assert!((78..=81).contains(&found.len()), "{}", found.len());
    }

    #[test]
    fn noise_alone_never_crosses_faster_than_75_hz() {
        let mut seed = 7_u32;
        let found = crossings(50.0, 50.0, |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 8) / f64::from(1 << 24) - 0.5
        });
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] > 4000.0 / 150.0 - 1.0));
    }
}
