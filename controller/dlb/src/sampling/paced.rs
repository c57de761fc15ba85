//! A simulated converter at the pace of the real world.

use super::Source;
use super::board::{Adc, BoardFault, BoardFile};
use dlb_engine::time::Instant;
use dlb_links::adc::ads131m::Ads131m;
use dlb_links::adc::mcp3xxx::Mcp3xxx;
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Edge, NotReady, ReadyLine};
use dlb_sim::adc::{ads131m, mcp3xxx};
use dlb_sim::waveform::Waveform;
use std::time::Duration;

/// Samples are taken in bursts, up to this long after their time: waking four thousand times a second would
/// cost more than all the arithmetic.
const BURST: Duration = Duration::from_millis(10);
/// A machine that is this far behind has slept; catching up would only tell of the past.
const HOPELESS: Duration = Duration::from_millis(500);
const ADS131M_NOISE_CODES: f64 = 37.0;

/// The board's converter, simulated below its real driver and fed with `wave`.
///
/// # Errors
/// A board that cannot be.
pub fn simulated<W>(file: &BoardFile, wave: W, seed: u64) -> Result<Box<dyn Source>, BoardFault>
where
    W: Waveform + Send + 'static,
{
    simulated_closely(file, wave, seed, BURST)
}

/// As [`simulated`], with samples no older than `burst` on a machine that keeps up.
///
/// # Errors
/// A board that cannot be.
pub fn simulated_closely<W>(
    file: &BoardFile,
    wave: W,
    seed: u64,
    burst: Duration,
) -> Result<Box<dyn Source>, BoardFault>
where
    W: Waveform + Send + 'static,
{
    let rate = file.sample_rate_hz;
    Ok(match file.adc()? {
        Adc::Ads131m(model) => {
            let chip = ads131m::Chip::new(model, file.clock_hz, wave, ADS131M_NOISE_CODES, seed);
            let (bus, ready, _) = chip.wired();
            let ready = Paced::new(ready, burst);
            Box::new(Sampler::new(Ads131m::new(bus, file.ads131m_settings(model)?), ready, rate))
        }
        Adc::Mcp3xxx(model) => {
            let mut chip = mcp3xxx::Chip::new(model, wave, rate, file.channel_delay_s, seed);
            chip.reference_v = file.full_scale_v;
            let (bus, ticks, _) = chip.wired();
            let ticks = Paced::new(ticks, burst);
            Box::new(Sampler::new(Mcp3xxx::new(bus, model, file.channels.len()), ticks, rate))
        }
    })
}

/// A ready line that never runs ahead of the clock on the wall.
#[derive(Debug)]
struct Paced<R> {
    inner: R,
    burst: Duration,
    since: Option<(std::time::Instant, Instant)>,
}

impl<R> Paced<R> {
    const fn new(inner: R, burst: Duration) -> Self {
        Self { inner, burst, since: None }
    }
}

impl<R: ReadyLine> ReadyLine for Paced<R> {
    fn wait(&mut self, at_most: Duration) -> Result<Edge, NotReady> {
        let edge = self.inner.wait(at_most)?;
        let (began, first) = *self.since.get_or_insert_with(|| (std::time::Instant::now(), edge.at));
        let (made, passed) = (edge.at.since(first), began.elapsed());
        if made > passed {
            std::thread::sleep(made.saturating_sub(passed) + self.burst);
        } else if passed > made + HOPELESS {
            self.since = None;
        }
        Ok(edge)
    }
}
