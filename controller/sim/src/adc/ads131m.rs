//! ADS131M04, M06, M08: frames, commands, registers, checksums, the two-sample buffer and the
//! data-ready line, after data sheet SBAS950B.
//!
//! What comes out of a channel has gone through its sinc³ filter, unsettled for two conversions after a start.
//!
//! Left out: global chop, the current-detect mode, the DC test signals.

use super::Misbehaviour;
use super::checksum::crc16;
use super::registers::{Registers, event};
use super::sinc3::{LOOKS, Sinc3};
use super::wires::Wires;
use crate::rng::Rng;
use crate::waveform::Waveform;
use core::convert::Infallible;
use dlb_engine::time::{Duration, Instant};
use dlb_links::adc::ads131m::Model;
use dlb_links::adc::{Edge, NotReady, ReadyLine, SyncPin};
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const FULL_SCALE_V: f64 = 1.2;
/// SYNC/RESET low for so many clocks resets; shorter pulses synchronise.
const RESET_CLOCKS: f64 = 2048.0;
const CODE_MAX: i64 = 0x7F_FFFF;
const CODE_MIN: i64 = -0x80_0000;
/// Samples that wait to be read.
const KEPT: usize = 2;

/// What the chip answers to the frame before.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Status,
    Word(u16),
    /// First register and how many after it.
    Registers(u8, u8),
}

/// The chip.
#[derive(Debug)]
pub struct Chip<W> {
    registers: Registers,
    model: Model,
    clock_hz: f64,
    wave: W,
    noise_codes: f64,
    filters: [Sinc3; 8],
    /// Up to when they have looked.
    looked_s: f64,
    rng: Rng,
    /// Seconds since it was switched on.
    at_s: f64,
    conversions: u64,
    edges: u64,
    kept: VecDeque<[i64; 8]>,
    last: [i64; 8],
    answer: Answer,
    standby: bool,
    stopped: bool,
    plan: Vec<(u64, Misbehaviour)>,
    plan_by_frame: Vec<(u64, Misbehaviour)>,
    frames: u64,
    /// Conversions whose edges nobody will hear.
    silent: u32,
    /// The interface hears nothing until the pin resets it.
    deaf: bool,
    wires: Wires,
}

/// The end with the bus.
#[derive(Debug)]
pub struct BusPins<W>(Arc<Mutex<Chip<W>>>);

/// The end with the data-ready line.
#[derive(Debug)]
pub struct ReadyPin<W>(Arc<Mutex<Chip<W>>>);

/// The SYNC/RESET pins of chips on one line and one clock.
#[derive(Debug)]
pub struct SyncPins<W>(Vec<Arc<Mutex<Chip<W>>>>);

/// A hand on the chip, to disturb it while it runs.
#[derive(Debug)]
pub struct Probe<W>(Arc<Mutex<Chip<W>>>);

fn lock<W>(chip: &Arc<Mutex<Chip<W>>>) -> MutexGuard<'_, Chip<W>> {
    chip.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Waveform> Chip<W> {
    /// A chip that has just been switched on, with noise of so many codes (RMS; the data sheet has 37 for
    /// 4000 conversions a second at a gain of 1).
    #[must_use]
    pub fn new(model: Model, clock_hz: u32, wave: W, noise_codes: f64, seed: u64) -> Self {
        Self {
            registers: Registers::new(model.channels()),
            model,
            clock_hz: f64::from(clock_hz),
            wave,
            noise_codes,
            filters: [Sinc3::EMPTY; 8],
            looked_s: 0.0,
            rng: Rng::new(seed),
            at_s: 0.0,
            conversions: 0,
            edges: 0,
            kept: VecDeque::with_capacity(KEPT + 1),
            last: [0; 8],
            answer: Answer::Status,
            standby: false,
            stopped: false,
            plan: Vec::new(),
            plan_by_frame: Vec::new(),
            frames: 0,
            silent: 0,
            deaf: false,
            wires: Wires::default(),
        }
    }

    /// Does this when so many conversions are over.
    #[must_use]
    pub fn planned(mut self, conversion: u64, misbehaviour: Misbehaviour) -> Self {
        self.plan.push((conversion, misbehaviour));
        self
    }

    /// Does this before that frame on the bus, those of setting up included.
    #[must_use]
    pub fn planned_at_frame(mut self, frame: u64, misbehaviour: Misbehaviour) -> Self {
        self.plan_by_frame.push((frame, misbehaviour));
        self
    }

    /// The chip's two ends, and a hand on it.
    #[must_use]
    pub fn wired(self) -> (BusPins<W>, ReadyPin<W>, Probe<W>) {
        let chip = Arc::new(Mutex::new(self));
        (BusPins(Arc::clone(&chip)), ReadyPin(Arc::clone(&chip)), Probe(chip))
    }

    fn period_s(&self) -> f64 {
        2.0 * f64::from(self.registers.oversampling()) / self.clock_hz
    }

    fn reset(&mut self) {
        self.registers = Registers::new(self.model.channels());
        self.kept.clear();
        self.restart_filters();
        self.answer = Answer::Status;
        self.standby = false;
        self.stopped = false;
    }

    fn restart_filters(&mut self) {
        self.filters = [Sinc3::EMPTY; 8];
        self.looked_s = self.at_s;
    }

    /// SYNC/RESET is low for so many clocks and goes high at this time.
    fn pulled(&mut self, clocks: f64, until_s: f64) {
        while !self.standby && !self.stopped && self.at_s + self.period_s() <= until_s {
            self.convert();
        }
        if clocks >= RESET_CLOCKS {
            self.at_s = self.at_s.max(until_s);
            self.deaf = false;
            self.reset();
            self.answer = Answer::Word(0xFF20 | self.model.channels() as u16);
        } else {
            self.synchronise(until_s);
        }
    }

    /// Conversions begin anew at this time, unless one begins then anyhow.
    fn synchronise(&mut self, at_s: f64) {
        let in_step = (at_s - self.at_s).abs() * self.clock_hz < 1.0;
        self.at_s = self.at_s.max(at_s);
        if !in_step {
            self.restart_filters();
            self.registers.raise(event::RESYNCHRONISED);
        }
    }

    fn misbehave(&mut self, what: Misbehaviour) {
        match what {
            Misbehaviour::Reset => self.reset(),
            Misbehaviour::Skip(count) => self.at_s += f64::from(count) * self.period_s(),
            Misbehaviour::Late(count) => (0..count).for_each(|_| self.convert()),
            Misbehaviour::Stop => self.stopped = true,
            Misbehaviour::Corrupt(address, bits) => {
                self.registers.corrupt(address, bits);
                self.registers.watch_map();
            }
            Misbehaviour::Spark => self.edges += 1,
            Misbehaviour::Resynchronise => self.synchronise(self.at_s + 0.4 * self.period_s()),
            Misbehaviour::Deaf => self.deaf = true,
            Misbehaviour::Silent(conversions) => self.silent = conversions,
            on_the_bus => self.wires.take(on_the_bus),
        }
    }

    /// One sampling period goes by.
    fn pass_time(&mut self) {
        let due = |at: u64| move |(when, _): &(u64, Misbehaviour)| *when == at;
        if let Some(at) = self.plan.iter().position(due(self.conversions)) {
            let (_, what) = self.plan.swap_remove(at);
            self.misbehave(what);
        }
        if self.standby || self.stopped {
            self.at_s += self.period_s();
        } else {
            self.convert();
        }
    }

    fn convert(&mut self) {
        self.at_s += self.period_s();
        self.conversions += 1;
        match self.silent.checked_sub(1) {
            Some(left) => self.silent = left,
            None => self.edges += 1,
        }
        self.look();
        let mut codes = [0; 8];
        for (channel, code) in codes.iter_mut().enumerate().take(self.model.channels()) {
            if self.registers.enabled() & 1 << channel != 0 {
                *code = self.code(channel);
            }
        }
        self.kept.push_back(codes);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// What has happened at the inputs since the filters last looked, as far back as they reach.
    fn look(&mut self) {
        let between = self.period_s() / LOOKS as f64;
        let looks = ((self.at_s - self.looked_s) / between - 1e-6).ceil().clamp(0.0, 3.0 * LOOKS as f64);
        let modulation_s = 2.0 / self.clock_hz;
        for ago in (0..looks as u32).rev() {
            let at_s = self.at_s - f64::from(ago) * between;
            for channel in 0..self.model.channels() {
                if self.registers.enabled() & 1 << channel == 0 {
                    continue;
                }
                let at_s = at_s + f64::from(self.registers.phase(channel)) * modulation_s;
                let shorted = self.registers.is_shorted(channel);
                let volts = if shorted { 0.0 } else { self.wave.sample(channel, at_s) };
                self.filters[channel].look(volts);
            }
        }
        self.looked_s = self.at_s;
    }

    fn code(&mut self, channel: usize) -> i64 {
        let volts = self.filters[channel].out();
        let ideal = volts * self.registers.gain(channel) / FULL_SCALE_V * 8_388_608.0;
        let noisy = if self.noise_codes > 0.0 { ideal + self.noise_codes * self.rng.normal() } else { ideal };
        let clipped = (noisy.round() as i64).clamp(CODE_MIN, CODE_MAX);
        self.registers.calibrated(channel, clipped).clamp(CODE_MIN, CODE_MAX)
    }

    /// One frame: chip select goes low, bytes both ways, chip select goes high.
    fn frame(&mut self, received: &mut [u8], sent: &[u8]) {
        let due = self.frames;
        if let Some(at) = self.plan_by_frame.iter().position(|(when, _)| *when == due) {
            let (_, what) = self.plan_by_frame.swap_remove(at);
            self.misbehave(what);
        }
        self.frames += 1;
        if self.deaf {
            return received.fill(0);
        }
        let out = self.output();
        for (at, byte) in received.iter_mut().enumerate() {
            *byte = out.get(at).copied().unwrap_or(0);
        }
        let mut sent = sent.to_vec();
        self.wires.received(received, &mut self.rng);
        self.wires.sent(&mut sent);
        let complete = received.len() >= (self.model.channels() + 2) * self.registers.word_length();
        self.input(&sent, complete);
        self.registers.watch_map();
    }

    /// What the chip shifts out, as long as it has something to say.
    fn output(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40);
        let ready = if self.kept.is_empty() { 0 } else { self.registers.enabled() };
        let answer = core::mem::replace(&mut self.answer, Answer::Status);
        match answer {
            Answer::Status => {
                let status = self.registers.status(ready);
                self.push_word(&mut bytes, status);
                self.registers.events_were_read();
            }
            Answer::Word(word) => self.push_word(&mut bytes, word),
            Answer::Registers(first, more) => {
                self.push_word(&mut bytes, 0xE000 | u16::from(first) << 7 | u16::from(more));
                for address in first..=first.saturating_add(more) {
                    let word = self.registers.word(address);
                    self.push_word(&mut bytes, word);
                }
            }
        }
        if !matches!(answer, Answer::Registers(..)) {
            self.last = self.kept.pop_front().unwrap_or(self.last);
            for code in &self.last[..self.model.channels()] {
                self.push_code(&mut bytes, *code);
            }
        }
        let crc = crc16(self.registers.polynomial(), bytes.iter().copied());
        self.push_word(&mut bytes, crc);
        bytes
    }

    fn push_word(&self, bytes: &mut Vec<u8>, word: u16) {
        bytes.extend(word.to_be_bytes());
        bytes.extend(core::iter::repeat_n(0, self.registers.word_length() - 2));
    }

    fn push_code(&self, bytes: &mut Vec<u8>, code: i64) {
        let code = code as i32;
        let padded = (code << 8).to_be_bytes();
        match self.registers.word_length() {
            4 if self.registers.extends_signs() => bytes.extend(code.to_be_bytes()),
            length => bytes.extend(&padded[..length]),
        }
    }

    fn input(&mut self, sent: &[u8], complete: bool) {
        let length = self.registers.word_length();
        let words: Vec<u16> =
            sent.chunks_exact(length).map(|word| u16::from_be_bytes([word[0], word[1]])).collect();
        let Some(&command) = words.first() else { return };
        let writes = if command & 0xE000 == 0x6000 { usize::from(command & 0x7F) + 1 } else { 0 };
        let body = (1 + writes) * length;
        let polynomial = self.registers.polynomial();
        let checked = self.registers.checks_commands();
        if writes > 0 && !self.registers.locked {
            // Registers are written while they are shifted in, before the checksum has been seen.
            self.answer = self.write_registers(command, &words[1..]);
        }
        let given = words.get(1 + writes).copied();
        if checked && given != Some(crc16(polynomial, sent.iter().copied().take(body))) {
            self.registers.raise(event::COMMAND_CHECKSUM);
            return;
        }
        if writes == 0 {
            self.obey(command, complete);
        }
    }

    fn write_registers(&mut self, command: u16, values: &[u16]) -> Answer {
        let first = (command >> 7 & 0x3F) as u8;
        let count = usize::from(command & 0x7F) + 1;
        for (address, &value) in (first..).zip(values.iter().take(count)) {
            self.registers.write(address, value);
        }
        Answer::Word(0x4000 | u16::from(first) << 7 | (values.len().min(count) as u16 - 1))
    }

    fn obey(&mut self, command: u16, complete: bool) {
        let locked = self.registers.locked;
        match command {
            0x0011 if !locked && complete => {
                self.reset();
                self.answer = Answer::Word(0xFF20 | self.model.channels() as u16);
            }
            0x0011 if !locked => self.answer = Answer::Word(command),
            0x0022 | 0x0033 if !locked => {
                self.standby = command == 0x0022;
                self.answer = Answer::Word(command);
            }
            0x0555 | 0x0655 => {
                self.registers.locked = command == 0x0555;
                self.answer = Answer::Word(command);
            }
            _ if command & 0xE000 == 0xA000 => {
                let (first, more) = ((command >> 7 & 0x3F) as u8, (command & 0x7F) as u8);
                self.answer = match more {
                    0 => Answer::Word(self.registers.word(first)),
                    _ => Answer::Registers(first, more),
                };
            }
            _ => self.answer = Answer::Status,
        }
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
                Operation::Transfer(received, sent) => chip.frame(received, sent),
                Operation::TransferInPlace(bytes) => {
                    let sent = bytes.to_vec();
                    chip.frame(bytes, &sent);
                }
                Operation::Read(received) => chip.frame(received, &[]),
                Operation::Write(sent) => {
                    let mut nobody = vec![0; sent.len()];
                    chip.frame(&mut nobody, sent);
                }
                Operation::DelayNs(_) => {}
            }
        }
        Ok(())
    }
}

impl<W: Waveform> ReadyLine for ReadyPin<W> {
    fn wait(&mut self, at_most: Duration) -> Result<Edge, NotReady> {
        let mut chip = lock(&self.0);
        let (edges, until) = (chip.edges, chip.at_s + at_most.as_secs_f64());
        while chip.edges == edges {
            chip.pass_time();
            if chip.at_s >= until {
                return Err(NotReady::Timeout);
            }
        }
        Ok(Edge { sequence: chip.edges, at: Instant((chip.at_s * 1e6) as u64) })
    }
}

impl<W: Waveform> SyncPin for SyncPins<W> {
    fn pull(&mut self, at_least: Duration) -> Result<(), String> {
        let now = self.0.iter().map(|chip| lock(chip).at_s).fold(0.0, f64::max);
        for chip in &self.0 {
            let mut chip = lock(chip);
            // What a host needs to let go of the pin again.
            let clocks = (at_least.as_secs_f64() * chip.clock_hz).max(8.0);
            let until_s = now + clocks / chip.clock_hz;
            chip.pulled(clocks, until_s);
        }
        Ok(())
    }
}

impl<W: Waveform> Probe<W> {
    /// The chip's SYNC/RESET pin, on one line with those of others.
    #[must_use]
    pub fn sync_with(&self, others: &[&Self]) -> SyncPins<W> {
        let all = core::iter::once(self).chain(others.iter().copied());
        SyncPins(all.map(|probe| Arc::clone(&probe.0)).collect())
    }

    pub fn misbehave(&self, what: Misbehaviour) {
        lock(&self.0).misbehave(what);
    }

    /// Lets time go by with nobody reading.
    pub fn wait(&self, seconds: f64) {
        let mut chip = lock(&self.0);
        let until = chip.at_s + seconds;
        while chip.at_s < until {
            chip.pass_time();
        }
    }

    /// Seconds that the chip has been on.
    #[must_use]
    pub fn on_for_s(&self) -> f64 {
        lock(&self.0).at_s
    }
}
