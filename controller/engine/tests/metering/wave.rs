//! A line's waveforms with their closed-form values, and a converter's codes of them.
//!
//! Truth is what stands on paper: Parseval's sum for sums of harmonics, integrals for a dimmer's and a
//! rectifier's current. What is sampled is made from the same formulas, by a converter with its range, noise,
//! rounding, time between channels and, for the ADS131M, the attenuation of its sinc³ filter.

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Interval, Kind, Meter};
use std::f64::consts::{PI, SQRT_2, TAU};

/// `rms·√2·sin(order·ωt + angle)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Harmonic {
    pub(crate) order: f64,
    pub(crate) rms: f64,
    pub(crate) angle: f64,
}

/// Currents that no short sum of harmonics makes. Both begin at the voltage's zero crossing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edgy {
    /// `peak·sin` from the firing angle to the end of each half wave.
    Dimmer { peak: f64, firing: f64 },
    /// Half a cosine of this width around the top of each half wave: a rectifier with a capacitor.
    Pulses { peak: f64, width: f64 },
}

/// One quantity over time.
#[derive(Clone, Debug)]
pub(crate) struct Wave(pub(crate) Vec<Harmonic>, pub(crate) Option<Edgy>);

/// Harmonics that stand for an edgy current behind a filter which passes none of the higher ones.
const EDGY_ORDERS: usize = 199;

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
        let unit = ((PI - firing + (2.0 * firing).sin() / 2.0) / TAU).sqrt();
        Self::edgy(Edgy::Dimmer { peak: rms / unit, firing })
    }

    /// Pulses of this root mean square and crest factor: mean square `peak²·width/2π`.
    pub(crate) fn pulses(rms: f64, crest: f64) -> Self {
        Self::edgy(Edgy::Pulses { peak: rms * crest, width: TAU / (crest * crest) })
    }

    fn edgy(edgy: Edgy) -> Self {
        let harmonics = (1..=EDGY_ORDERS).step_by(2).map(|order| {
            let (cos, sin) = edgy.coefficients(order as f64);
            Harmonic { order: order as f64, rms: cos.hypot(sin) / SQRT_2, angle: cos.atan2(sin) }
        });
        Self(harmonics.collect(), Some(edgy))
    }

    /// The value at `t` behind a filter; `lead` turns every harmonic as a clamp does, whose error falls with
    /// frequency.
    pub(crate) fn at(&self, hz: f64, t: f64, lead: f64, filter: Filter) -> f64 {
        if let (Some(edgy), Filter::None) = (self.1, filter) {
            return edgy.at(TAU * hz * t);
        }
        let value = |h: &Harmonic| {
            let lead = if h.order == 0.0 { 0.0 } else { lead / h.order };
            let (passed, late) = filter.passes(h.order * hz);
            passed * h.rms * SQRT_2 * (TAU * hz * h.order * t + h.angle + lead - late).sin()
        };
        self.0.iter().map(value).sum()
    }

    pub(crate) fn rms(&self) -> f64 {
        match self.1 {
            Some(Edgy::Dimmer { peak, firing }) => {
                peak * ((PI - firing + (2.0 * firing).sin() / 2.0) / TAU).sqrt()
            }
            Some(Edgy::Pulses { peak, width }) => peak * (width / TAU).sqrt(),
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

impl Edgy {
    fn at(self, angle: f64) -> f64 {
        let sign = if angle.rem_euclid(TAU) < PI { 1.0 } else { -1.0 };
        let within = angle.rem_euclid(PI);
        match self {
            Self::Dimmer { peak, firing } if within > firing => sign * peak * within.sin(),
            Self::Pulses { peak, width } if (within - PI / 2.0).abs() < width / 2.0 => {
                sign * peak * (PI * (within - PI / 2.0) / width).cos()
            }
            _ => 0.0,
        }
    }

    /// Fourier coefficients of cosine and sine, for an odd order: the integrals over one half wave.
    fn coefficients(self, n: f64) -> (f64, f64) {
        match self {
            Self::Dimmer { peak, firing } if n == 1.0 => {
                (-peak / PI * firing.sin().powi(2), peak / PI * (PI - firing + (2.0 * firing).sin() / 2.0))
            }
            Self::Dimmer { peak, firing } => {
                let (over, under) = (n + 1.0, n - 1.0);
                let cos = ((over * firing).cos() - 1.0) / over - ((under * firing).cos() - 1.0) / under;
                let sin = (over * firing).sin() / over - (under * firing).sin() / under;
                (peak / PI * cos, peak / PI * sin)
            }
            Self::Pulses { peak, width } => {
                // Around the top: 2/π·∫ peak·cos(ky)·cos(ny), k = π/width; then back to the zero crossing.
                let k = PI / width;
                let around = if (k - n).abs() < 1e-9 {
                    width / 2.0
                } else {
                    (n * width / 2.0).cos() * 2.0 * k / (k * k - n * n)
                };
                let amplitude = 2.0 / PI * peak * around;
                (amplitude * (n * PI / 2.0).cos(), amplitude * (n * PI / 2.0).sin())
            }
        }
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
            sinc3: matches!(c.filter, Filter::Sinc3(_)) && self.knows_filter,
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
        let c = self.converter;
        let t = n as f64 / c.sample_rate_hz;
        let amps = i.at(hz, t, self.lead, c.filter) / self.amps_per_code();
        let volts = u.at(hz, t + c.channel_delay_s, 0.0, c.filter) / self.volts_per_code();
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
