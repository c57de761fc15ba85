//! Texas Instruments ADS131M04, M06, M08: simultaneous sampling, 24 bits.
//!
//! Data sheet SBAS950B (ADS131M08, February 2021): frames 8.5.1.7, conversion data 8.5.1.9, commands
//! table 8-11, registers table 8-12. The smaller ones differ in the number of channels only.
//!
//! A frame is, in 24-bit words, the response to the frame before, one word a channel and a CRC; words
//! hold registers and CRCs in their upper 16 bits. The response to NULL is the STATUS register, so that
//! every frame of data tells of resets, of the checksum of what was sent and of the register map's.
//! After it has been set up the interface is locked: a disturbed command can then change nothing.
//!
//! Where a board wires the SYNC/RESET pin (8.4.1.2, 8.4.3), every start ends with a short pulse: all converters on that
//! line convert at the same instants from then on. A long one resets a converter whose interface no longer
//! listens; commands come first, because they leave the others on the line alone.

use super::crc::{ANSI, CCITT, crc16};
use super::{CHANNELS_MAX, Codes, Converter, Fault, SyncPin};
use dlb_engine::time::Duration;
use embedded_hal::spi::{Operation, SpiDevice};

/// Register addresses.
mod register {
    pub(super) const ID: u8 = 0x00;
    pub(super) const MODE: u8 = 0x02;
    pub(super) const CLOCK: u8 = 0x03;
    pub(super) const GAIN1: u8 = 0x04;
    pub(super) const GAIN2: u8 = 0x05;
    pub(super) const CFG: u8 = 0x06;
    /// The first of the channels' five: configuration, offset and gain calibration of two words each.
    pub(super) const CHANNEL0: u8 = 0x09;
}

/// Command words.
mod command {
    pub(super) const NULL: u16 = 0x0000;
    pub(super) const RESET: u16 = 0x0011;
    pub(super) const LOCK: u16 = 0x0555;
    pub(super) const UNLOCK: u16 = 0x0655;

    pub(super) const fn read(address: u8) -> u16 {
        0xA000 | ((address as u16) << 7)
    }

    pub(super) const fn write(address: u8) -> u16 {
        0x6000 | ((address as u16) << 7)
    }
}

/// Answers.
mod answer {
    /// To RESET, with the number of channels added.
    pub(super) const RESET: u16 = 0xFF20;

    pub(super) const fn written(address: u8) -> u16 {
        0x4000 | ((address as u16) << 7)
    }
}

/// STATUS.
mod status {
    pub(super) const LOCKED: u16 = 1 << 15;
    pub(super) const RESYNCHRONISED: u16 = 1 << 14;
    pub(super) const REGISTERS_CHANGED: u16 = 1 << 13;
    pub(super) const COMMAND_CHECKSUM: u16 = 1 << 12;
    pub(super) const CHECKSUM_TYPE: u16 = 1 << 11;
    pub(super) const RESET: u16 = 1 << 10;
    pub(super) const WORD_LENGTH: u16 = 0b11 << 8;
    pub(super) const WORDS_OF_24: u16 = 0b01 << 8;
}

/// MODE: checksums of the register map and of commands, 24-bit words, a bus timeout; RESET cleared.
const MODE: u16 = 1 << 13 | 1 << 12 | 0b01 << 8 | 1 << 4;

/// The clock goes through two before it reaches the modulator.
const CLOCKS_PER_MODULATION: u32 = 2;
/// After a reset registers are there after 5 µs.
const RESET_TAKES_NS: u32 = 10_000;
/// The SYNC/RESET pin resets when it is low for so many clocks, and synchronises when it is shorter.
const RESET_CLOCKS: u64 = 2048;
const WORD: usize = 3;
const FRAME_MAX: usize = (CHANNELS_MAX + 2) * WORD;

/// The members of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    M04,
    M06,
    M08,
}

/// What differs between them.
const MODELS: [(Model, &str, usize); 3] =
    [(Model::M04, "ads131m04", 4), (Model::M06, "ads131m06", 6), (Model::M08, "ads131m08", 8)];

impl Model {
    /// By its name in a board file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        MODELS.iter().find(|(_, known, _)| *known == name).map(|(model, ..)| *model)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        MODELS[self as usize].1
    }

    #[must_use]
    pub const fn channels(self) -> usize {
        MODELS[self as usize].2
    }
}

/// How it is to convert. Made by [`Settings::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub model: Model,
    clock_hz: u32,
    /// What lies in CLOCK, GAIN1 and GAIN2.
    clock: u16,
    gains: [u16; 2],
}

impl Settings {
    /// `clock_hz` at the pin, conversions per second, and the amplification of each channel.
    ///
    /// # Errors
    /// What the converter cannot do.
    pub fn new(model: Model, clock_hz: u32, rate_hz: u32, gains: [u8; CHANNELS_MAX]) -> Result<Self, Fault> {
        if !(300_000..=8_400_000).contains(&clock_hz) {
            return Err(Fault::Settings(format!("a clock of {clock_hz} Hz")));
        }
        let mut words = [0; 2];
        for (channel, gain) in gains.into_iter().enumerate() {
            if !gain.is_power_of_two() {
                return Err(Fault::Settings(format!("a gain of {gain}")));
            }
            words[channel / 4] |= (gain.trailing_zeros() as u16) << (4 * (channel % 4));
        }
        let enabled = ((1_u32 << model.channels()) - 1) << 8;
        let clock = enabled as u16 | oversampling(clock_hz, rate_hz)? << 2 | power(clock_hz);
        Ok(Self { model, clock_hz, clock, gains: words })
    }
}

/// The field of CLOCK for 128, 256 … 16384 modulations a conversion.
fn oversampling(clock_hz: u32, rate_hz: u32) -> Result<u16, Fault> {
    let conversion = |field: u16| CLOCKS_PER_MODULATION * (128 << field);
    (0..8).find(|&field| clock_hz == rate_hz.saturating_mul(conversion(field))).ok_or_else(|| {
        Fault::Settings(format!("{rate_hz} conversions a second with a clock of {clock_hz} Hz"))
    })
}

/// The field of CLOCK that gives the modulator as much power as the clock needs.
const fn power(clock_hz: u32) -> u16 {
    if clock_hz <= 2_100_000 {
        0b00
    } else if clock_hz <= 4_200_000 {
        0b01
    } else {
        0b10
    }
}

/// The driver.
pub struct Ads131m<S> {
    spi: S,
    settings: Settings,
    sync: Option<Box<dyn SyncPin + Send>>,
    received: [u8; FRAME_MAX],
    /// Commands that reached the converter disturbed; harmless while it is locked.
    pub commands_disturbed: u64,
}

impl<S: SpiDevice> Ads131m<S> {
    pub const fn new(spi: S, settings: Settings) -> Self {
        Self { spi, settings, sync: None, received: [0; FRAME_MAX], commands_disturbed: 0 }
    }

    /// With its SYNC/RESET pin.
    #[must_use]
    pub fn synchronised(mut self, pin: Box<dyn SyncPin + Send>) -> Self {
        self.sync = Some(pin);
        self
    }

    const fn frame_length(&self) -> usize {
        (self.settings.model.channels() + 2) * WORD
    }

    /// Sends a command with its words and their CRC; the frame that comes at the same time is kept.
    fn exchange(&mut self, words: &[u16], then_wait_ns: u32) -> Result<u16, Fault> {
        let mut sent = [0; FRAME_MAX];
        for (word, bytes) in words.iter().zip(sent.chunks_exact_mut(WORD)) {
            bytes[..2].copy_from_slice(&word.to_be_bytes());
        }
        let end = words.len() * WORD;
        let crc = crc16(&CCITT, &sent[..end]);
        sent[end..end + 2].copy_from_slice(&crc.to_be_bytes());
        let length = self.frame_length();
        let transfer = Operation::Transfer(&mut self.received[..length], &sent[..length]);
        let done = if then_wait_ns == 0 {
            self.spi.transaction(&mut [transfer])
        } else {
            self.spi.transaction(&mut [transfer, Operation::DelayNs(then_wait_ns)])
        };
        done.map_err(|error| Fault::Bus(format!("{error:?}")))?;
        Ok(u16::from_be_bytes([self.received[0], self.received[1]]))
    }

    /// The same, for frames whose checksum must be right.
    fn exchange_checked(&mut self, words: &[u16]) -> Result<u16, Fault> {
        let response = self.exchange(words, 0)?;
        let length = self.frame_length();
        let (body, end) = self.received[..length].split_at(length - WORD);
        if crc16(&CCITT, body).to_be_bytes() != end[..2] {
            return Err(Fault::Checksum);
        }
        Ok(response)
    }

    /// The same, for frames that bring STATUS, in which no register may have changed by itself.
    fn exchange_settled(&mut self, words: &[u16]) -> Result<(), Fault> {
        let status = self.exchange_checked(words)?;
        if status & status::REGISTERS_CHANGED == 0 { Ok(()) } else { Err(Fault::Unsettled(status)) }
    }

    /// Sends a command and fetches its response with the next frame.
    fn ask(&mut self, words: &[u16]) -> Result<u16, Fault> {
        self.exchange_checked(words)?;
        self.exchange_checked(&[command::NULL])
    }

    /// From any state to the defaults of the registers.
    fn reset(&mut self) -> Result<(), Fault> {
        match self.reset_by_command() {
            Err(Fault::Absent { .. }) if self.sync.is_some() => {
                let clock_us = 1_000_000_u64.div_ceil(u64::from(self.settings.clock_hz));
                // A tenth more: clocks are not that exact.
                let held = RESET_CLOCKS * 1_100_000 / u64::from(self.settings.clock_hz) + clock_us;
                self.pull(Duration::from_micros(held))?;
                self.reset_by_command()
            }
            outcome => outcome,
        }
    }

    /// Nothing where the pin is not wired.
    fn pull(&mut self, at_least: Duration) -> Result<(), Fault> {
        self.sync.as_mut().map_or(Ok(()), |pin| pin.pull(at_least).map_err(Fault::Pin))
    }

    fn reset_by_command(&mut self) -> Result<(), Fault> {
        let channels = self.settings.model.channels() as u16;
        let mut got = 0;
        // Whatever it was in the middle of is over by the second time.
        for _ in 0..2 {
            self.unlock_and_reset()?;
            got = self.exchange(&[command::NULL], 0)?;
            if got == answer::RESET | channels {
                return self.identify();
            }
        }
        Err(Fault::Absent { expected: self.settings.model.name(), got })
    }

    /// In every language that it may have fallen into: word lengths, with either checksum. What is not its
    /// own has a wrong checksum and is ignored.
    fn unlock_and_reset(&mut self) -> Result<(), Fault> {
        for word in [2, 4, WORD] {
            for table in [&ANSI, &CCITT] {
                for command in [command::UNLOCK, command::RESET] {
                    let mut sent = [0; (CHANNELS_MAX + 2) * 4];
                    sent[..2].copy_from_slice(&command.to_be_bytes());
                    let crc = crc16(table, &sent[..word]);
                    sent[word..word + 2].copy_from_slice(&crc.to_be_bytes());
                    let frame = (self.settings.model.channels() + 2) * word;
                    let mut operations =
                        [Operation::Write(&sent[..frame]), Operation::DelayNs(RESET_TAKES_NS)];
                    self.spi
                        .transaction(&mut operations)
                        .map_err(|error| Fault::Bus(format!("{error:?}")))?;
                }
            }
        }
        Ok(())
    }

    fn identify(&mut self) -> Result<(), Fault> {
        let id = self.ask(&[command::read(register::ID)])?;
        if usize::from(id >> 8 & 0xF) != self.settings.model.channels() {
            return Err(Fault::Absent { expected: self.settings.model.name(), got: id });
        }
        Ok(())
    }

    fn write(&mut self, address: u8, value: u16) -> Result<(), Fault> {
        let written = self.ask(&[command::write(address), value])?;
        let got = self.ask(&[command::read(address)])?;
        if written != answer::written(address) || got != value {
            return Err(Fault::Register { address, wrote: value, got });
        }
        Ok(())
    }

    /// What a register must hold once everything is written: what was not, its default.
    fn expected(&self, address: u8) -> u16 {
        match address {
            register::CLOCK => self.settings.clock,
            register::GAIN1 => self.settings.gains[0],
            register::GAIN2 if self.settings.model.channels() > 4 => self.settings.gains[1],
            register::CFG => 0x0600,
            // A gain of one, the upper of its two words.
            register::CHANNEL0.. if (address - register::CHANNEL0) % 5 == 3 => 0x8000,
            _ => 0,
        }
    }

    /// Reads the whole map. A bit that flipped before the map's checksum was switched on would never show.
    fn check_registers(&mut self) -> Result<(), Fault> {
        let end = register::CHANNEL0 + 5 * self.settings.model.channels() as u8;
        for address in register::CLOCK..end {
            self.exchange_settled(&[command::read(address)])?;
            let (got, wrote) = (self.exchange_checked(&[command::NULL])?, self.expected(address));
            if got != wrote {
                return Err(Fault::Register { address, wrote, got });
            }
        }
        Ok(())
    }

    fn check_status(&mut self, status: u16) -> Result<(), Fault> {
        const SETTLED: u16 = status::LOCKED
            | status::REGISTERS_CHANGED
            | status::CHECKSUM_TYPE
            | status::RESET
            | status::WORD_LENGTH;
        if status & status::RESET != 0 {
            return Err(Fault::Reset);
        }
        if status & SETTLED != status::LOCKED | status::WORDS_OF_24 {
            return Err(Fault::Unsettled(status));
        }
        if status & status::COMMAND_CHECKSUM != 0 {
            self.commands_disturbed += 1;
        }
        if status & status::RESYNCHRONISED != 0 {
            return Err(Fault::Resynchronised);
        }
        let ready = (1_u16 << self.settings.model.channels()) - 1;
        if status & ready == ready { Ok(()) } else { Err(Fault::Repeated) }
    }
}

impl<S: core::fmt::Debug> core::fmt::Debug for Ads131m<S> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Ads131m")
            .field("spi", &self.spi)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl<S: SpiDevice> Converter for Ads131m<S> {
    /// 8.5.1.9.1: a buffer of two samples a channel.
    const KEEPS: u32 = 2;

    fn start(&mut self) -> Result<(), Fault> {
        self.reset()?;
        self.write(register::CLOCK, self.settings.clock)?;
        self.write(register::GAIN1, self.settings.gains[0])?;
        if self.settings.model.channels() > 4 {
            self.write(register::GAIN2, self.settings.gains[1])?;
        }
        self.write(register::MODE, MODE)?;
        self.check_registers()?;
        self.exchange_settled(&[command::LOCK])?;
        let locked = self.exchange_checked(&[command::NULL])?;
        if locked != command::LOCK {
            return Err(Fault::Unsettled(locked));
        }
        self.pull(Duration::ZERO)?;
        // Empties the buffer and takes the flags that setting up has raised.
        for _ in 0..3 {
            self.exchange_settled(&[command::NULL])?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Codes, Fault> {
        let status = self.exchange_checked(&[command::NULL])?;
        self.check_status(status)?;
        let mut codes = Codes::default();
        let words = self.received[WORD..self.frame_length() - WORD].chunks_exact(WORD);
        for (code, word) in codes.iter_mut().zip(words) {
            // The sign comes with the shift back.
            *code = i32::from_be_bytes([word[0], word[1], word[2], 0]) >> 8;
        }
        Ok(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_megahertz_make_four_thousand_conversions_with_1024_fold_oversampling() {
        let settings = Settings::new(Model::M08, 8_192_000, 4000, [1, 1, 1, 2, 4, 8, 16, 128]).unwrap();
        assert_eq!(settings.clock, 0xFF0E);
        assert_eq!(settings.gains, [0x1000, 0x7432]);
        let small = Settings::new(Model::M04, 4_096_000, 4000, [1; 8]).unwrap();
        assert_eq!(small.clock, 0x0F00 | 2 << 2 | 1);
    }

    #[test]
    fn what_the_converter_cannot_do_is_refused() {
        for (clock, rate, gain) in [(8_192_000, 3000, 1), (20_000_000, 4000, 1), (8_192_000, 4000, 3)] {
            assert!(matches!(Settings::new(Model::M08, clock, rate, [gain; 8]), Err(Fault::Settings(_))));
        }
    }
}
