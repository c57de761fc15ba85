//! A three-phase board on simulated chips.

use core::borrow::BorrowMut;
use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Filter, Interval, Kind, Meter};
use dlb_links::adc::ads131m::{Ads131m, Model, Settings};
use dlb_links::adc::mcp3xxx::{self, Mcp3xxx};
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Converter, ReadyLine};
use dlb_sim::adc::ads131m::{BusPins, Chip, Probe, ReadyPin};
use dlb_sim::adc::mcp3xxx as sim_mcp;
use dlb_sim::waveform::Waveform;
use std::f64::consts::{SQRT_2, TAU};

pub(crate) const CLOCK_HZ: u32 = 8_192_000;
const BURDEN_OHM: f64 = 5.1;
const RATIO: f64 = 2000.0;
const DIVIDER: f64 = 700.0;
/// Half of 3.3 V: where a converter without negative codes wants its zero.
const BIAS_V: f64 = 1.65;
/// Of the converter that has one channel after the other.
pub(crate) const MCP_RATE_HZ: f64 = 4000.0;
const MCP_DELAY_S: f64 = 20e-6;

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

/// The same on a bias, with burdens that make much of few codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Biased(pub(crate) Mains);

const GAIN: f64 = 4.0;

impl Waveform for Biased {
    fn sample(&self, channel: usize, t: f64) -> f64 {
        BIAS_V + self.0.sample(channel, t) * if channel < 3 { GAIN } else { 2.0 }
    }
}

fn board_of(
    scales: [f64; 2],
    noise: f64,
    delay_s: f64,
    codes: (i32, i32),
    (sample_rate_hz, filter): (f64, Filter),
) -> Board {
    let channel = |at: usize| Channel {
        kind: if at < 3 { Kind::Current } else { Kind::Voltage },
        line: Line::ALL[at % 3],
        scale: scales[at / 3],
        lead: 0.0,
        delay_s: delay_s * at as f64,
        noise,
    };
    Board {
        sample_rate_hz,
        code_min: codes.0,
        code_max: codes.1,
        nominal_hz: 50.0,
        filter,
        channels: (0..6).map(channel).collect(),
    }
}

pub(crate) fn board() -> Board {
    let lsb = 1.2 / 8_388_608.0;
    let scales = [lsb / BURDEN_OHM * RATIO, lsb * DIVIDER];
    board_of(scales, 1369.0, 0.0, (-0x80_0000, 0x7F_FFFF), (4000.0, Filter::Sinc3))
}

pub(crate) fn mcp_board() -> Board {
    let lsb = 3.3 / 4096.0;
    let scales = [lsb / (BURDEN_OHM * GAIN) * RATIO, lsb * DIVIDER / 2.0];
    board_of(scales, 0.25 + 1.0 / 12.0, MCP_DELAY_S, (0, 4095), (MCP_RATE_HZ, Filter::None))
}

/// A hand on either chip.
pub(crate) trait Bench {
    fn on_for_s(&self) -> f64;
    fn wait(&self, seconds: f64);
}

impl<W: Waveform> Bench for Probe<W> {
    fn on_for_s(&self) -> f64 {
        Self::on_for_s(self)
    }

    fn wait(&self, seconds: f64) {
        Self::wait(self, seconds);
    }
}

impl<B: Bench> Bench for &B {
    fn on_for_s(&self) -> f64 {
        (**self).on_for_s()
    }

    fn wait(&self, seconds: f64) {
        (**self).wait(seconds);
    }
}

impl<W> Bench for sim_mcp::Probe<W> {
    fn on_for_s(&self) -> f64 {
        Self::on_for_s(self)
    }

    fn wait(&self, seconds: f64) {
        self.sleep((seconds * MCP_RATE_HZ) as u64);
    }
}

pub(crate) type Rig<W> = (Sampler<Ads131m<BusPins<W>>, ReadyPin<W>>, Probe<W>);

pub(crate) fn wire<W: Waveform>(chip: Chip<W>, model: Model) -> Rig<W> {
    let (bus, ready, probe) = chip.wired();
    let settings = Settings::new(model, CLOCK_HZ, 4000, [1; 8]).unwrap();
    (Sampler::new(Ads131m::new(bus, settings), ready, 4000.0), probe)
}

pub(crate) type McpRig<W> = (Sampler<Mcp3xxx<sim_mcp::BusPins<W>>, sim_mcp::Ticks<W>>, sim_mcp::Probe<W>);

pub(crate) fn mcp_chip<W: Waveform>(wave: W, seed: u64) -> sim_mcp::Chip<W> {
    sim_mcp::Chip::new(mcp3xxx::Model::Mcp3208, wave, MCP_RATE_HZ, MCP_DELAY_S, seed)
}

pub(crate) fn wire_mcp<W: Waveform>(chip: sim_mcp::Chip<W>) -> McpRig<W> {
    let (bus, ticks, probe) = chip.wired();
    (Sampler::new(Mcp3xxx::new(bus, mcp3xxx::Model::Mcp3208, 6), ticks, MCP_RATE_HZ), probe)
}

/// Runs until the chip has been on for so long; intervals with the chip's time of their end.
pub(crate) fn run<W: Waveform>(rig: Rig<W>, seconds: f64) -> Vec<(f64, Interval)> {
    run_with(rig, board(), seconds)
}

pub(crate) fn run_with<C: Converter, R: ReadyLine, P: Bench>(
    (mut sampler, probe): (impl BorrowMut<Sampler<C, R>>, P),
    board: Board,
    seconds: f64,
) -> Vec<(f64, Interval)> {
    let (sampler, mut meter) = (sampler.borrow_mut(), Meter::new(board).unwrap());
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
