//! A three-phase board on a simulated chip.

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Interval, Kind, Meter};
use dlb_links::adc::ads131m::{Ads131m, Model, Settings};
use dlb_links::adc::sampler::Sampler;
use dlb_sim::adc::ads131m::{BusPins, Chip, Probe, ReadyPin};
use dlb_sim::waveform::Waveform;
use std::f64::consts::{SQRT_2, TAU};

pub(crate) const CLOCK_HZ: u32 = 8_192_000;
const BURDEN_OHM: f64 = 5.1;
const RATIO: f64 = 2000.0;
const DIVIDER: f64 = 700.0;

/// Three currents on channels 0 to 2, three voltages on 3 to 5.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mains {
    pub(crate) amps: [f64; 3],
    /// By how much each current lags.
    pub(crate) lag: f64,
    pub(crate) hz: f64,
}

impl Waveform for Mains {
    fn sample(&self, channel: usize, t: f64) -> f64 {
        let line = channel % 3;
        let angle = TAU * self.hz * t - TAU / 3.0 * line as f64;
        match channel {
            0..3 => self.amps[line] * SQRT_2 * (angle - self.lag).sin() / RATIO * BURDEN_OHM,
            3..6 => 230.0 * SQRT_2 * angle.sin() / DIVIDER,
            _ => 0.0,
        }
    }
}

pub(crate) fn board() -> Board {
    let lsb = 1.2 / 8_388_608.0;
    let channel = |kind, line, scale| Channel { kind, line, scale, lead: 0.0, delay_s: 0.0, noise: 1369.0 };
    let currents = Line::ALL.map(|line| channel(Kind::Current, line, lsb / BURDEN_OHM * RATIO));
    let voltages = Line::ALL.map(|line| channel(Kind::Voltage, line, lsb * DIVIDER));
    Board {
        sample_rate_hz: 4000.0,
        code_min: -0x80_0000,
        code_max: 0x7F_FFFF,
        nominal_hz: 50.0,
        channels: currents.into_iter().chain(voltages).collect(),
    }
}

pub(crate) type Rig<W> = (Sampler<Ads131m<BusPins<W>>, ReadyPin<W>>, Probe<W>);

pub(crate) fn wire<W: Waveform>(chip: Chip<W>, model: Model) -> Rig<W> {
    let (bus, ready, probe) = chip.wired();
    let settings = Settings::new(model, CLOCK_HZ, 4000, [1; 8]).unwrap();
    (Sampler::new(Ads131m::new(bus, settings), ready, 4000.0), probe)
}

/// Runs until the chip has been on for so long; intervals with the chip's time of their end.
pub(crate) fn run<W: Waveform>((mut sampler, probe): Rig<W>, seconds: f64) -> Vec<(f64, Interval)> {
    let mut meter = Meter::new(board()).unwrap();
    let mut intervals = Vec::new();
    while probe.on_for_s() < seconds {
        let ended = match sampler.next_sample() {
            Ok(None) => None,
            Ok(Some(sample)) => meter.push_after_loss(sample.lost, &sample.codes).interval,
            Err(_) => {
                probe.wait(0.02);
                Some(meter.broken(0))
            }
        };
        intervals.extend(ended.map(|interval| (probe.on_for_s(), interval)));
    }
    intervals
}
