//! MCP3204, MCP3208, MCP3008 after data sheets DS21298 and DS21295: a conversion is made while it is
//! read, and channels read one after the other lie a fixed time apart.

use crate::rng::Rng;
use crate::waveform::Waveform;
use core::convert::Infallible;
use dlb_engine::time::{Duration, Instant};
use dlb_links::adc::mcp3xxx::Model;
use dlb_links::adc::{Edge, NotReady, ReadyLine};
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The chip, with the timer that stands for its ready line.
#[derive(Debug)]
pub struct Chip<W> {
    pub model: Model,
    pub wave: W,
    pub reference_v: f64,
    pub noise_codes: f64,
    pub sample_rate_hz: f64,
    pub channel_delay_s: f64,
    rng: Rng,
    ticks: u64,
    /// Conversions since the tick.
    read: u32,
    connected: bool,
}

#[derive(Debug)]
pub struct BusPins<W>(Arc<Mutex<Chip<W>>>);

/// The timer.
#[derive(Debug)]
pub struct Ticks<W>(Arc<Mutex<Chip<W>>>);

#[derive(Debug)]
pub struct Probe<W>(Arc<Mutex<Chip<W>>>);

fn lock<W>(chip: &Arc<Mutex<Chip<W>>>) -> MutexGuard<'_, Chip<W>> {
    chip.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Waveform> Chip<W> {
    /// A chip on 3.3 V with half a code of noise.
    #[must_use]
    pub fn new(model: Model, wave: W, sample_rate_hz: f64, channel_delay_s: f64, seed: u64) -> Self {
        Self {
            model,
            wave,
            reference_v: 3.3,
            noise_codes: 0.5,
            sample_rate_hz,
            channel_delay_s,
            rng: Rng::new(seed),
            ticks: 0,
            read: 0,
            connected: true,
        }
    }

    #[must_use]
    pub fn wired(self) -> (BusPins<W>, Ticks<W>, Probe<W>) {
        let chip = Arc::new(Mutex::new(self));
        (BusPins(Arc::clone(&chip)), Ticks(Arc::clone(&chip)), Probe(chip))
    }

    /// Three bytes: a start bit, single-ended, the channel; the answer ends with the third byte.
    fn conversion(&mut self, sent: [u8; 3]) -> [u8; 3] {
        if !self.connected {
            return [0xFF; 3];
        }
        let bits = u32::from_be_bytes([0, sent[0], sent[1], sent[2]]);
        let data_bits = self.model.bits();
        // Below the data lie nothing, above it: null bit, sampling, three channel bits, SGL, start.
        let channel_at = data_bits + 2;
        let Some(start) = bits.checked_ilog2() else { return [0; 3] };
        if start != channel_at + 4 || bits >> (channel_at + 3) & 1 == 0 {
            return [0; 3];
        }
        let channel = (bits >> channel_at & 0b111) as usize % self.model.channels();
        let code = self.code(channel);
        let [_, high, middle, low] = code.to_be_bytes();
        [high, middle, low]
    }

    fn code(&mut self, channel: usize) -> u32 {
        let at_s = self.ticks as f64 / self.sample_rate_hz + f64::from(self.read) * self.channel_delay_s;
        self.read += 1;
        let codes = f64::from(1_u32 << self.model.bits());
        let ideal = self.wave.sample(channel, at_s) / self.reference_v * codes;
        (ideal + self.noise_codes * self.rng.normal()).round().clamp(0.0, codes - 1.0) as u32
    }
}

impl<W> ErrorType for BusPins<W> {
    type Error = Infallible;
}

impl<W: Waveform> SpiDevice for BusPins<W> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let mut chip = lock(&self.0);
        for operation in operations {
            match operation {
                Operation::TransferInPlace(bytes) => {
                    let sent = core::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0));
                    bytes.iter_mut().zip(chip.conversion(sent)).for_each(|(byte, got)| *byte = got);
                }
                Operation::Transfer(received, bytes) => {
                    let sent = core::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0));
                    received.iter_mut().zip(chip.conversion(sent)).for_each(|(byte, got)| *byte = got);
                }
                Operation::Read(bytes) => bytes.fill(0),
                Operation::Write(_) | Operation::DelayNs(_) => {}
            }
        }
        Ok(())
    }
}

impl<W: Waveform> ReadyLine for Ticks<W> {
    fn wait(&mut self, _at_most: Duration) -> Result<Edge, NotReady> {
        let mut chip = lock(&self.0);
        chip.ticks += 1;
        chip.read = 0;
        let at_us = chip.ticks as f64 / chip.sample_rate_hz * 1e6;
        Ok(Edge { sequence: chip.ticks, at: Instant(at_us as u64) })
    }
}

impl<W> Probe<W> {
    /// Pulls the chip off the bus, or puts it back.
    pub fn connect(&self, connected: bool) {
        lock(&self.0).connected = connected;
    }

    /// The host sleeps through so many ticks.
    pub fn sleep(&self, ticks: u64) {
        lock(&self.0).ticks += ticks;
    }
}
