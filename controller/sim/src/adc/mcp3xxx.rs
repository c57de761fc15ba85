//! MCP3204, MCP3208, MCP3008 after data sheets DS21298 and DS21295: a conversion is made while it is
//! read, and channels read one after the other lie a fixed time apart.
//!
//! Bit by bit: the first 1 that comes in is the start bit, then single-ended or differential and three
//! channel bits; a clock later comes the null bit, the result with its highest bit first, the same again with
//! the lowest first, and zeros. Before the null bit nobody drives the line, which rests high.

use super::Misbehaviour;
use super::wires::Wires;
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
    plan: Vec<(u64, Misbehaviour)>,
    wires: Wires,
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
            plan: Vec::new(),
            wires: Wires::default(),
        }
    }

    /// Does this at that tick. What only a converter with registers can do is ignored.
    #[must_use]
    pub fn planned(mut self, tick: u64, misbehaviour: Misbehaviour) -> Self {
        self.plan.push((tick, misbehaviour));
        self
    }

    #[must_use]
    pub fn wired(self) -> (BusPins<W>, Ticks<W>, Probe<W>) {
        let chip = Arc::new(Mutex::new(self));
        (BusPins(Arc::clone(&chip)), Ticks(Arc::clone(&chip)), Probe(chip))
    }

    /// It has no registers, no filter, no clock and no ready line of its own.
    fn misbehave(&mut self, what: Misbehaviour) {
        match what {
            Misbehaviour::Late(ticks) => self.ticks += u64::from(ticks),
            on_the_bus => self.wires.take(on_the_bus),
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
        self.read = 0;
        let now = self.ticks;
        if let Some(at) = self.plan.iter().position(|(when, _)| *when <= now) {
            let (_, what) = self.plan.swap_remove(at);
            self.misbehave(what);
        }
    }

    /// One stretch of low chip select.
    fn transfer(&mut self, received: &mut [u8], sent: &[u8]) {
        let mut sent = sent.to_vec();
        self.wires.sent(&mut sent);
        self.shift(received, &sent);
        self.wires.received(received, &mut self.rng);
    }

    fn shift(&mut self, received: &mut [u8], sent: &[u8]) {
        received.fill(0xFF);
        if !self.connected {
            return;
        }
        let bit = |at: usize| sent.get(at / 8).is_some_and(|byte| byte << (at % 8) & 0x80 != 0);
        let Some(start) = (0..8 * sent.len()).find(|&at| bit(at)) else { return };
        let channel = (2..5).fold(0, |channel, more| channel << 1 | usize::from(bit(start + more)));
        let code = self.code(channel, bit(start + 1));
        let bits = self.model.bits() as usize;
        // One clock to sample, then the null bit.
        let null = start + 6;
        for at in null..8 * received.len() {
            let high = match at - null {
                0 => false,
                n if n <= bits => code >> (bits - n) & 1 == 1,
                n if n < 2 * bits => code >> (n - bits) & 1 == 1,
                _ => false,
            };
            if !high {
                received[at / 8] &= !(0x80 >> (at % 8));
            }
        }
    }

    fn code(&mut self, channel: usize, single_ended: bool) -> u32 {
        let at_s = self.ticks as f64 / self.sample_rate_hz + f64::from(self.read) * self.channel_delay_s;
        self.read += 1;
        let channel = channel % self.model.channels();
        let volts = if single_ended {
            self.wave.sample(channel, at_s)
        } else {
            // Pairs: the odd channel bit turns them round.
            self.wave.sample(channel, at_s) - self.wave.sample(channel ^ 1, at_s)
        };
        let codes = f64::from(1_u32 << self.model.bits());
        let ideal = volts / self.reference_v * codes;
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
                    let sent = bytes.to_vec();
                    chip.transfer(bytes, &sent);
                }
                Operation::Transfer(received, sent) => chip.transfer(received, sent),
                Operation::Read(received) => chip.transfer(received, &[]),
                Operation::Write(sent) => {
                    let mut nobody = vec![0; sent.len()];
                    chip.transfer(&mut nobody, sent);
                }
                Operation::DelayNs(_) => {}
            }
        }
        Ok(())
    }
}

impl<W: Waveform> ReadyLine for Ticks<W> {
    fn wait(&mut self, _at_most: Duration) -> Result<Edge, NotReady> {
        let mut chip = lock(&self.0);
        chip.tick();
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

    /// Seconds that the timer has been running.
    #[must_use]
    pub fn on_for_s(&self) -> f64 {
        let chip = lock(&self.0);
        chip.ticks as f64 / chip.sample_rate_hz
    }
}
