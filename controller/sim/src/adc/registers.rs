//! The register map of the ADS131M0x (data sheet SBAS950B, table 8-12).

use super::checksum::{ANSI, CCITT, crc16};

pub(super) const STATUS: u8 = 0x01;
pub(super) const MODE: u8 = 0x02;
pub(super) const CLOCK: u8 = 0x03;
pub(super) const GAIN1: u8 = 0x04;
pub(super) const CFG: u8 = 0x06;
const THRESHOLD_LOW: u8 = 0x08;
const CHANNEL0: u8 = 0x09;
const CHECKSUM: u8 = 0x3E;
const SIZE: usize = 0x40;

/// Bits of STATUS that are events: gone once they were read.
pub(super) mod event {
    pub(in super::super) const RESYNCHRONISED: u16 = 1 << 14;
    pub(in super::super) const REGISTERS_CHANGED: u16 = 1 << 13;
    pub(in super::super) const COMMAND_CHECKSUM: u16 = 1 << 12;
}

/// What the chip holds.
#[derive(Clone, Debug)]
pub(super) struct Registers {
    words: [u16; SIZE],
    channels: usize,
    pub(super) locked: bool,
    events: u16,
    /// The map's checksum when it was last calculated.
    known: u16,
}

impl Registers {
    /// After a reset.
    pub(super) fn new(channels: usize) -> Self {
        let mut words = [0; SIZE];
        words[0] = 0x2000 | (channels as u16) << 8;
        words[usize::from(MODE)] = 0x0510;
        words[usize::from(CLOCK)] = (((1_u32 << channels) - 1) << 8) as u16 | 0x0E;
        words[usize::from(CFG)] = 0x0600;
        for channel in 0..channels {
            words[usize::from(CHANNEL0) + 5 * channel + 3] = 0x8000;
        }
        let mut registers = Self { words, channels, locked: false, events: 0, known: 0 };
        registers.known = registers.map_checksum();
        registers
    }

    pub(super) fn word(&self, address: u8) -> u16 {
        match address {
            STATUS => self.status(0),
            CHECKSUM => self.map_checksum(),
            _ => self.words.get(usize::from(address)).copied().unwrap_or(0),
        }
    }

    fn last_channel_register(&self) -> u8 {
        CHANNEL0 + 5 * self.channels as u8 - 1
    }

    /// A write by the host; read-only registers and reserved bits stay as they are.
    pub(super) fn write(&mut self, address: u8, value: u16) -> bool {
        let writable = match address {
            MODE => 0x3F1F,
            CLOCK => {
                // The larger ones have a crystal's pins and one for a reference.
                let pins = if self.channels > 4 { 0xC0 } else { 0 };
                (((1_u32 << self.channels) - 1) << 8) as u16 | pins | 0x1F
            }
            GAIN1 => 0x7777,
            0x05 if self.channels > 4 => 0x7777,
            CFG => 0x1FFF,
            0x07 => 0xFFFF,
            THRESHOLD_LOW => 0xFF0F,
            _ if (CHANNEL0..=self.last_channel_register()).contains(&address) => {
                match (address - CHANNEL0) % 5 {
                    0 => 0xFFC7,
                    2 | 4 => 0xFF00,
                    _ => 0xFFFF,
                }
            }
            _ => return false,
        };
        let at = usize::from(address);
        let mut value = (self.words[at] & !writable) | (value & writable);
        if address == MODE {
            // RESET can be cleared, not set.
            value &= self.words[at] | !(1 << 10);
        }
        self.words[at] = value;
        true
    }

    /// A change that nobody asked for.
    pub(super) fn corrupt(&mut self, address: u8, bits: u16) {
        if let Some(word) = self.words.get_mut(usize::from(address)) {
            *word ^= bits;
        }
    }

    /// STATUS with the channels' data-ready bits.
    pub(super) fn status(&self, ready: u16) -> u16 {
        let mode = self.words[usize::from(MODE)] & 0x0F00;
        u16::from(self.locked) << 15 | self.events | mode | ready
    }

    pub(super) fn raise(&mut self, event: u16) {
        self.events |= event;
    }

    pub(super) fn events_were_read(&mut self) {
        self.events = 0;
    }

    /// Runs all the time in the chip; here whenever something may have changed.
    pub(super) fn watch_map(&mut self) {
        let now = self.map_checksum();
        if now != self.known && self.words[usize::from(MODE)] & 1 << 13 != 0 {
            self.raise(event::REGISTERS_CHANGED);
        }
        self.known = now;
    }

    fn map_checksum(&self) -> u16 {
        let words = &self.words[usize::from(MODE)..=usize::from(self.last_channel_register())];
        crc16(self.polynomial(), words.iter().flat_map(|word| word.to_be_bytes()))
    }

    pub(super) fn polynomial(&self) -> u16 {
        if self.words[usize::from(MODE)] & 1 << 11 == 0 { CCITT } else { ANSI }
    }

    pub(super) fn checks_commands(&self) -> bool {
        self.words[usize::from(MODE)] & 1 << 12 != 0
    }

    /// Bytes in a word.
    pub(super) fn word_length(&self) -> usize {
        match self.words[usize::from(MODE)] >> 8 & 0b11 {
            0b00 => 2,
            0b01 => 3,
            _ => 4,
        }
    }

    pub(super) fn extends_signs(&self) -> bool {
        self.words[usize::from(MODE)] >> 8 & 0b11 == 0b11
    }

    /// Modulations to a conversion.
    pub(super) fn oversampling(&self) -> u32 {
        128 << (self.words[usize::from(CLOCK)] >> 2 & 0b111)
    }

    pub(super) fn enabled(&self) -> u16 {
        self.words[usize::from(CLOCK)] >> 8
    }

    pub(super) fn gain(&self, channel: usize) -> f64 {
        let word = self.words[usize::from(GAIN1) + channel / 4];
        f64::from(1_u16 << (word >> (4 * (channel % 4)) & 0b111))
    }

    /// Is the input shorted by the multiplexer?
    pub(super) fn is_shorted(&self, channel: usize) -> bool {
        self.channel_word(channel, 0) & 0b11 == 0b01
    }

    /// Delay of the sampling instant, in modulations: ten bits, signed.
    pub(super) fn phase(&self, channel: usize) -> i32 {
        i32::from((self.channel_word(channel, 0) as i16) >> 6)
    }

    /// The chip's own calibration: offset first, then gain.
    pub(super) fn calibrated(&self, channel: usize, code: i64) -> i64 {
        let wide = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
        let offset = wide(self.channel_word(channel, 1), self.channel_word(channel, 2)) as i32 >> 8;
        let gain = wide(self.channel_word(channel, 3), self.channel_word(channel, 4)) >> 8;
        ((code - i64::from(offset)) * i64::from(gain)) >> 23
    }

    fn channel_word(&self, channel: usize, word: usize) -> u16 {
        self.words[usize::from(CHANNEL0) + 5 * channel + word]
    }
}
