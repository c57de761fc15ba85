//! Microchip MCP3204, MCP3208 (12 bits) and MCP3008 (10 bits): one channel after the other.
//!
//! Data sheets DS21298 (MCP3204/3208) and DS21295 (MCP3004/3008), figures 6-1: three bytes make one
//! conversion. The converter answers a zero (the null bit) before its first data bit; a bus with nothing
//! on it does not. There is no checksum and no ready line: a timer says when, and each conversion happens
//! while it is read, so that channels lie a fixed time apart which the board file states.

use super::{Codes, Converter, Fault};
use embedded_hal::spi::SpiDevice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Mcp3204,
    Mcp3208,
    Mcp3008,
}

/// What differs between them: name, channels, bits.
const MODELS: [(Model, &str, usize, u32); 3] = [
    (Model::Mcp3204, "mcp3204", 4, 12),
    (Model::Mcp3208, "mcp3208", 8, 12),
    (Model::Mcp3008, "mcp3008", 8, 10),
];

impl Model {
    /// By its name in a board file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        MODELS.iter().find(|(_, known, ..)| *known == name).map(|(model, ..)| *model)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        MODELS[self as usize].1
    }

    #[must_use]
    pub const fn channels(self) -> usize {
        MODELS[self as usize].2
    }

    #[must_use]
    pub const fn bits(self) -> u32 {
        MODELS[self as usize].3
    }

    /// Start bit, single-ended, channel: placed so that the last data bit ends the third byte.
    const fn request(self, channel: u8) -> [u8; 3] {
        match self {
            Self::Mcp3008 => [0x01, 0x80 | channel << 4, 0],
            Self::Mcp3204 | Self::Mcp3208 => [0x06 | channel >> 2, channel << 6, 0],
        }
    }
}

/// The driver; reads the first `used` channels.
#[derive(Debug)]
pub struct Mcp3xxx<S> {
    spi: S,
    model: Model,
    used: u8,
}

impl<S: SpiDevice> Mcp3xxx<S> {
    /// # Panics
    /// If the model has fewer channels than are used.
    pub fn new(spi: S, model: Model, used: usize) -> Self {
        assert!(used <= model.channels(), "{} has {} channels", model.name(), model.channels());
        Self { spi, model, used: used as u8 }
    }

    fn convert(&mut self, channel: u8) -> Result<i32, Fault> {
        let mut bytes = self.model.request(channel);
        self.spi.transfer_in_place(&mut bytes).map_err(|error| Fault::Bus(format!("{error:?}")))?;
        let answer = u16::from_be_bytes([bytes[1], bytes[2]]);
        let null = 1 << self.model.bits();
        if answer & null != 0 {
            return Err(Fault::Absent { expected: self.model.name(), got: answer });
        }
        Ok(i32::from(answer & (null - 1)))
    }
}

impl<S: SpiDevice> Converter for Mcp3xxx<S> {
    const KEEPS: u32 = 0;

    fn start(&mut self) -> Result<(), Fault> {
        self.read().map(drop)
    }

    fn read(&mut self) -> Result<Codes, Fault> {
        let mut codes = Codes::default();
        for (code, channel) in codes.iter_mut().zip(0..self.used) {
            *code = self.convert(channel)?;
        }
        Ok(codes)
    }
}
