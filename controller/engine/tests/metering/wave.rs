//! A line's waveforms as sums of harmonics, their closed-form values, and a converter's codes of them.

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Interval, Kind, Meter};
use std::f64::consts::{SQRT_2, TAU};

/// `rms·√2·sin(order·ωt + angle)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Harmonic {
    pub(crate) order: f64,
    pub(crate) rms: f64,
    pub(crate) angle: f64,
}

/// One quantity over time.
#[derive(Clone, Debug)]
pub(crate) struct Wave(pub(crate) Vec<Harmonic>);

impl Wave {
    pub(crate) fn sine(rms: f64, angle: f64) -> Self {
        Self(vec![Harmonic { order: 1.0, rms, angle }])
    }

    pub(crate) fn with(mut self, order: f64, rms: f64, angle: f64) -> Self {
        self.0.push(Harmonic { order, rms, angle });
        self
    }

    /// The value at `t`; `lead` turns every harmonic as a clamp does, whose error falls with frequency.
    pub(crate) fn at(&self, hz: f64, t: f64, lead: f64) -> f64 {
        let value = |h: &Harmonic| {
            let lead = if h.order == 0.0 { 0.0 } else { lead / h.order };
            h.rms * SQRT_2 * (TAU * hz * h.order * t + h.angle + lead).sin()
        };
        self.0.iter().map(value).sum()
    }

    /// Root of the sum of squares (Parseval).
    pub(crate) fn rms(&self) -> f64 {
        self.0.iter().map(|h| h.rms * h.rms).sum::<f64>().sqrt()
    }

    /// Only equal orders make power together.
    pub(crate) fn power_with(&self, current: &Self) -> f64 {
        let of = |u: &Harmonic, i: &Harmonic| u.rms * i.rms * (u.angle - i.angle).cos();
        let pairs = self.0.iter().flat_map(|u| current.0.iter().map(move |i| (u, i)));
        pairs.filter(|(u, i)| u.order == i.order).map(|(u, i)| of(u, i)).sum()
    }

    pub(crate) fn reactive_with(&self, current: &Self) -> f64 {
        let (u, i) = (self.0[0], current.0[0]);
        u.rms * i.rms * (u.angle - i.angle).sin()
    }
}

/// A converter's range, noise and timing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Converter {
    pub(crate) sample_rate_hz: f64,
    /// Codes from zero to the end of the range.
    pub(crate) half_codes: f64,
    /// Code at zero volts.
    pub(crate) middle: i32,
    pub(crate) noise_codes: f64,
    pub(crate) channel_delay_s: f64,
}

pub(crate) const ADS131M08: Converter = Converter {
    sample_rate_hz: 4000.0,
    half_codes: 8_388_608.0,
    middle: 0,
    noise_codes: 37.0,
    channel_delay_s: 0.0,
};

pub(crate) const MCP3208: Converter = Converter {
    sample_rate_hz: 4000.0,
    half_codes: 2048.0,
    middle: 2048,
    noise_codes: 0.4,
    channel_delay_s: 20e-6,
};

/// A small generator with a fixed sequence.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / f64::from(1_u32 << 31)
    }

    /// Sum of twelve uniforms: normal enough, variance 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A clamp with its burden chosen for a peak of three times the rating, and a divider for 420 V peak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rig {
    pub(crate) converter: Converter,
    pub(crate) rated_a: f64,
    pub(crate) lead: f64,
    /// Whether the board file knows of the clamp's phase error, and of the channels' delay.
    pub(crate) knows_lead: bool,
    pub(crate) knows_delay: bool,
}

impl Rig {
    pub(crate) fn new(converter: Converter, rated_a: f64) -> Self {
        Self { converter, rated_a, lead: 0.9_f64.to_radians(), knows_lead: true, knows_delay: true }
    }

    fn amps_per_code(&self) -> f64 {
        3.0 * self.rated_a / self.converter.half_codes
    }

    fn volts_per_code(&self) -> f64 {
        420.0 / self.converter.half_codes
    }

    /// Current on channel 0, voltage on channel 1.
    pub(crate) fn board(&self) -> Board {
        let c = self.converter;
        let noise = c.noise_codes * c.noise_codes + 1.0 / 12.0;
        let known = |known: bool, value: f64| if known { value } else { 0.0 };
        let channel =
            |kind, scale, lead, delay_s| Channel { kind, line: Line::L1, scale, lead, delay_s, noise };
        let lead = known(self.knows_lead, self.lead);
        let delay = known(self.knows_delay, c.channel_delay_s);
        Board {
            sample_rate_hz: c.sample_rate_hz,
            code_min: c.middle - c.half_codes as i32,
            code_max: c.middle + c.half_codes as i32 - 1,
            nominal_hz: 50.0,
            channels: vec![
                channel(Kind::Current, self.amps_per_code(), lead, 0.0),
                channel(Kind::Voltage, self.volts_per_code(), 0.0, delay),
            ],
        }
    }

    fn code(&self, codes: f64, noise: &mut Noise) -> i32 {
        let c = self.converter;
        let noisy = codes + c.noise_codes * noise.normal();
        (noisy.round() as i32 + c.middle)
            .clamp(c.middle - c.half_codes as i32, c.middle + c.half_codes as i32 - 1)
    }

    /// The codes of sample `n`.
    pub(crate) fn codes(&self, hz: f64, u: &Wave, i: &Wave, n: usize, noise: &mut Noise) -> [i32; 2] {
        let t = n as f64 / self.converter.sample_rate_hz;
        let amps = i.at(hz, t, self.lead) / self.amps_per_code();
        let volts = u.at(hz, t + self.converter.channel_delay_s, 0.0) / self.volts_per_code();
        [self.code(amps, noise), self.code(volts, noise)]
    }

    /// All intervals of a run.
    pub(crate) fn run(&self, hz: f64, u: &Wave, i: &Wave, seconds: f64, seed: u64) -> Vec<Interval> {
        let mut meter = Meter::new(self.board()).unwrap();
        let mut noise = Noise(seed);
        let samples = (seconds * self.converter.sample_rate_hz) as usize;
        let codes = (0..samples).map(|n| self.codes(hz, u, i, n, &mut noise)).collect::<Vec<_>>();
        codes.iter().filter_map(|codes| meter.push(codes).interval).collect()
    }
}
