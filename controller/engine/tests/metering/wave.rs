//! A line's waveforms with their closed-form values, and a converter's codes of them.
//!
//! Truth is what stands on paper: Parseval's sum for sums of harmonics, integrals for a dimmer's and a
//! rectifier's current. What is sampled is made from the same formulas, by a converter with its range, noise,
//! rounding, time between channels and, for the ADS131M, the attenuation of its sinc³ filter.

use crate::edgy::Edgy;
use dlb_engine::lines::Line;
use dlb_engine::measure::{self, Board, Channel, Interval, Kind, Meter};
use std::f64::consts::{PI, SQRT_2, TAU};

/// `rms·√2·sin(order·ωt + angle)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Harmonic {
    pub(crate) order: f64,
    pub(crate) rms: f64,
    pub(crate) angle: f64,
}

/// One quantity over time.
#[derive(Clone, Debug)]
pub(crate) struct Wave(pub(crate) Vec<Harmonic>, pub(crate) Option<Edgy>);

/// Harmonics that stand for an edgy current behind a filter, to 100 kHz at 50 Hz.
const EDGY_ORDERS: usize = 1999;

impl Wave {
    pub(crate) fn sine(rms: f64, angle: f64) -> Self {
        Self(vec![Harmonic { order: 1.0, rms, angle }], None)
    }

    pub(crate) fn with(mut self, order: f64, rms: f64, angle: f64) -> Self {
        self.0.push(Harmonic { order, rms, angle });
        self
    }

    /// A dimmer's current of this root mean square.
    pub(crate) fn dimmer(rms: f64, firing: f64) -> Self {
        Self::edgy(rms, Edgy::Dimmer { peak: 1.0, firing })
    }

    /// The same with an edge that takes so many seconds from 10 to 90 %.
    pub(crate) fn choked_dimmer(rms: f64, firing: f64, rise_s: f64, hz: f64) -> Self {
        Self::edgy(rms, Edgy::choked(firing, rise_s, hz))
    }

    /// Pulses of this root mean square and crest factor: mean square `peak²·width/2π`.
    pub(crate) fn pulses(rms: f64, crest: f64) -> Self {
        Self::edgy(rms, Edgy::Pulses { peak: 1.0, width: TAU / (crest * crest) })
    }

    /// `unit` with a peak of 1, brought to this root mean square.
    fn edgy(rms: f64, unit: Edgy) -> Self {
        let edgy = unit.scaled(rms / unit.mean_square().sqrt());
        let harmonics = (1..=EDGY_ORDERS).step_by(2).map(|order| {
            let (cos, sin) = edgy.coefficients(order as f64);
            Harmonic { order: order as f64, rms: cos.hypot(sin) / SQRT_2, angle: cos.atan2(sin) }
        });
        Self(harmonics.collect(), Some(edgy))
    }

    pub(crate) fn rms(&self) -> f64 {
        match self.1 {
            Some(edgy) => edgy.mean_square().sqrt(),
            // Parseval.
            None => self.0.iter().map(|h| h.rms * h.rms).sum::<f64>().sqrt(),
        }
    }

    /// Active power: only equal orders make power together. (So the first harmonic alone counts for an
    /// edgy current with a sine, and its closed form is that of the integral over the sine.)
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

/// What lies before the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Filter {
    None,
    /// The decimation filter of a converter of this rate; its delay is that of every channel.
    Sinc3(f64),
    /// A resistor and a capacitor with this corner, at every input.
    Rc(f64),
}

impl Filter {
    /// What a frequency keeps of its amplitude, and by what angle it is late.
    fn passes(self, hz: f64) -> (f64, f64) {
        match self {
            Self::None => (1.0, 0.0),
            Self::Sinc3(_) if hz == 0.0 => (1.0, 0.0),
            Self::Sinc3(rate) => {
                let x = PI * hz / rate;
                ((x.sin() / x).powi(3), 0.0)
            }
            Self::Rc(corner) => {
                let angle = (hz / corner).atan();
                (angle.cos(), angle)
            }
        }
    }
}

/// A wave behind a filter, at one frequency: a sum of cosines and sines of whole orders, or the wave itself.
pub(crate) struct Behind {
    hz: f64,
    /// By order, from 0.
    parts: Vec<(f64, f64)>,
    itself: Option<Edgy>,
}

impl Behind {
    /// `lead` turns every harmonic as a clamp does, whose error falls with frequency.
    pub(crate) fn new(wave: &Wave, hz: f64, lead: f64, filter: Filter) -> Self {
        let itself = wave.1.filter(|_| filter == Filter::None);
        let highest = wave.0.iter().map(|h| h.order as usize).max().unwrap_or_default();
        let mut parts = vec![(0.0, 0.0); highest + 1];
        for h in &wave.0 {
            let lead = if h.order == 0.0 { 0.0 } else { lead / h.order };
            let (passed, late) = filter.passes(h.order * hz);
            let (sin, cos) = (h.angle + lead - late).sin_cos();
            let part = &mut parts[h.order as usize];
            part.0 += passed * h.rms * SQRT_2 * sin;
            part.1 += passed * h.rms * SQRT_2 * cos;
        }
        Self { hz, parts, itself }
    }

    pub(crate) fn at(&self, t: f64) -> f64 {
        let angle = TAU * self.hz * t;
        if let Some(edgy) = self.itself {
            return edgy.at(angle);
        }
        let (turn_sin, turn_cos) = angle.sin_cos();
        let (mut cos, mut sin, mut sum) = (1.0, 0.0, 0.0);
        for (by_cos, by_sin) in &self.parts {
            sum += by_cos * cos + by_sin * sin;
            (cos, sin) = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
        }
        sum
    }
}

/// A converter's range, noise and timing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Converter {
    pub(crate) name: &'static str,
    pub(crate) sample_rate_hz: f64,
    /// Codes from zero to the end of the range.
    pub(crate) half_codes: f64,
    /// Code at zero volts.
    pub(crate) middle: i32,
    pub(crate) noise_codes: f64,
    pub(crate) channel_delay_s: f64,
    pub(crate) filter: Filter,
    /// Peak current at the end of the range, in rated (RMS) currents of the clamp.
    pub(crate) range: f64,
}

/// Noise: 5.35 µV at its input (data sheet SBAS950B, table 7-1). A range for a crest factor of 3 at 120 %.
pub(crate) const ADS131M08: Converter = Converter {
    name: "ADS131M08",
    sample_rate_hz: 4000.0,
    half_codes: 8_388_608.0,
    middle: 0,
    noise_codes: 37.4,
    channel_delay_s: 0.0,
    filter: Filter::Sinc3(4000.0),
    range: 4.0,
};

/// The same at another rate; noise in codes by the same table (52.8, 74.7, 149 for 8, 16, 32 thousand a second).
pub(crate) const fn at_rate(sample_rate_hz: f64, noise_codes: f64) -> Converter {
    Converter { sample_rate_hz, noise_codes, filter: Filter::Sinc3(sample_rate_hz), ..ADS131M08 }
}

/// The same with ideal sampling: codes as somebody makes them on paper.
pub(crate) const IDEAL: Converter = Converter { filter: Filter::None, ..ADS131M08 };

/// Noise: 72 dB of signal to noise and distortion (data sheet DS21298) are 0.36 codes, 0.29 of them by
/// rounding. A range for 120 % with harmonics: twelve bits have none to spare for higher crests. Before
/// every input lies what keeps some of the edges out of the samples: a resistor and a capacitor.
pub(crate) const MCP3208: Converter = Converter {
    name: "MCP3208",
    sample_rate_hz: 4000.0,
    half_codes: 2048.0,
    middle: 2048,
    noise_codes: 0.25,
    channel_delay_s: 20e-6,
    filter: Filter::Rc(3390.0),
    range: 2.5,
};

/// The same at 5 V, where it takes a clock of 2 MHz and converts 100,000 times a second (data sheet DS21298): twice the
/// samples, which average what a range for crests (a factor of 3 at 120 %) costs in codes.
pub(crate) const MCP3208_AT_8000: Converter = Converter {
    sample_rate_hz: 8000.0,
    channel_delay_s: 13e-6,
    range: 3.7,
    filter: Filter::Rc(3800.0),
    ..MCP3208
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

/// A clamp whose burden fits the converter's range, and a divider for 420 V peak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rig {
    pub(crate) converter: Converter,
    pub(crate) rated_a: f64,
    pub(crate) lead: f64,
    /// Whether the board file knows of the clamp's phase error, of the channels' delay, of the filter.
    pub(crate) knows_lead: bool,
    pub(crate) knows_delay: bool,
    pub(crate) knows_filter: bool,
}

impl Rig {
    /// Small clamps lead by more than large ones.
    pub(crate) fn new(converter: Converter, rated_a: f64) -> Self {
        let lead = (0.9 * (63.0 / rated_a).sqrt()).to_radians();
        Self { converter, rated_a, lead, knows_lead: true, knows_delay: true, knows_filter: true }
    }

    fn amps_per_code(&self) -> f64 {
        self.converter.range * self.rated_a / self.converter.half_codes
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
            filter: self.known_filter(),
            channels: vec![
                channel(Kind::Current, self.amps_per_code(), lead, 0.0),
                channel(Kind::Voltage, self.volts_per_code(), 0.0, delay),
            ],
        }
    }

    fn known_filter(&self) -> measure::Filter {
        match self.converter.filter {
            Filter::Sinc3(_) if self.knows_filter => measure::Filter::Sinc3,
            Filter::Rc(corner) if self.knows_filter => measure::Filter::Rc(corner),
            _ => measure::Filter::None,
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
        self.sampled(&self.behind(hz, u, i), n, noise)
    }

    /// What reaches the converter.
    fn behind(&self, hz: f64, u: &Wave, i: &Wave) -> [Behind; 2] {
        let filter = self.converter.filter;
        [Behind::new(i, hz, self.lead, filter), Behind::new(u, hz, 0.0, filter)]
    }

    fn sampled(&self, [amps, volts]: &[Behind; 2], n: usize, noise: &mut Noise) -> [i32; 2] {
        let t = n as f64 / self.converter.sample_rate_hz;
        let current = self.code(amps.at(t) / self.amps_per_code(), noise);
        let later = t + self.converter.channel_delay_s;
        [current, self.code(volts.at(later) / self.volts_per_code(), noise)]
    }

    /// All intervals of a run.
    pub(crate) fn run(&self, hz: f64, u: &Wave, i: &Wave, seconds: f64, seed: u64) -> Vec<Interval> {
        let mut meter = Meter::new(self.board()).unwrap();
        let samples = (seconds * self.converter.sample_rate_hz) as usize;
        let (behind, mut noise) = (self.behind(hz, u, i), Noise(seed));
        let codes = (0..samples).map(|n| self.sampled(&behind, n, &mut noise)).collect::<Vec<_>>();
        codes.iter().filter_map(|codes| meter.push(codes).interval).collect()
    }
}
