//! Converters as drivers on `embedded_hal::spi::SpiDevice`, and the sampler that runs one of them by
//! its data-ready line.
//!
//! The same drivers run on the box (spidev and a GPIO line), in the demo and in tests (a simulated chip
//! below them). They know registers and frames; they know no amperes, no threads and no clock.
//!
//! - A *conversion* is what the converter does once in a sampling period.
//! - An *edge* is the data-ready line's word that one is done; edges are counted even while nobody waits.
//! - A *frame* is a conversion that has been read: one code for each channel.

pub mod ads131m;
mod crc;
pub mod mcp3xxx;
pub mod sampler;

pub use dlb_engine::measure::CHANNELS_MAX;
use dlb_engine::time::{Duration, Instant};

/// One code for each channel of the converter, in its order; the rest is zero.
pub type Codes = [i32; CHANNELS_MAX];

/// A converter that can be brought up and read.
pub trait Converter {
    /// Conversions that the converter itself keeps until they are read. Zero: it converts when it is read.
    const KEEPS: u32;

    /// Brings the converter from any state to converting, and checks that it is there.
    ///
    /// # Errors
    /// Why it does not convert.
    fn start(&mut self) -> Result<(), Fault>;

    /// Reads the oldest conversion.
    ///
    /// # Errors
    /// Why there is none that can be trusted.
    fn read(&mut self) -> Result<Codes, Fault>;
}

/// The data-ready line, or the timer that stands for it.
pub trait ReadyLine {
    /// Waits for the next edge that has not been waited for, and answers with the newest one.
    ///
    /// # Errors
    /// None came in time, or the line cannot be read.
    fn wait(&mut self, at_most: Duration) -> Result<Edge, NotReady>;
}

/// The pin that makes a converter begin its conversions anew, and resets it when it is held: SYNC/RESET, low when it
/// acts.
pub trait SyncPin {
    /// Holds the pin low for so long, at least; zero: as shortly as can be.
    ///
    /// # Errors
    /// The pin cannot be driven, in words.
    fn pull(&mut self, at_least: Duration) -> Result<(), String>;
}

/// A conversion was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Counts all edges, those that nobody waited for included.
    pub sequence: u64,
    /// When, on any clock that does not jump.
    pub at: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("no data-ready edge")]
    Timeout,
    #[error("reading the data-ready line: {0}")]
    Broken(String),
}

/// Why a converter gave no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("transfer on the SPI bus: {0}")]
    Bus(String),
    #[error("no {expected} on the bus: it answered {got:#06x}")]
    Absent { expected: &'static str, got: u16 },
    #[error("register {address:#04x} holds {got:#06x} after {wrote:#06x} was written")]
    Register { address: u8, wrote: u16, got: u16 },
    #[error("the converter cannot do {0}")]
    Settings(String),
    #[error("a frame's checksum is wrong")]
    Checksum,
    #[error("the converter repeated a frame")]
    Repeated,
    #[error("the converter's SYNC/RESET pin: {0}")]
    Pin(String),
    #[error("the converter has reset itself")]
    Reset,
    #[error("the converter has lost its settings (status {0:#06x})")]
    Unsettled(u16),
    #[error("the converter has started its conversions anew")]
    Resynchronised,
    #[error(transparent)]
    NotReady(#[from] NotReady),
}
