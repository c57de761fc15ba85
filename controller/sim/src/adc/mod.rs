//! Simulated converters below the real drivers, exact to the register and the bit.
//!
//! A chip is one state machine ([`ads131m::Chip`]) with two ends: pins for the bus
//! (`embedded_hal::spi::SpiDevice`) and for the data-ready line (`dlb_links::adc::ReadyLine`). Time goes by
//! when somebody waits at the ready line: one wait, one conversion. Whoever wants real time paces the waits.
//!
//! What a chip is fed with is a [`crate::waveform::Waveform`]; what it does wrong is a [`Misbehaviour`],
//! planned for a conversion or done at once.

pub mod ads131m;
mod checksum;
pub mod mcp3xxx;
mod registers;
mod sinc3;
mod wires;

/// Something that a converter, its bus or its host does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// The supply dips: all registers fall back to their defaults.
    Reset,
    /// One bit of the next frame is wrong when the host reads it; counted from the frame's first bit.
    FlipOut(usize),
    /// One bit of the next frame is wrong when the chip reads it.
    FlipIn(usize),
    /// So many conversions do not happen: no edge, no data.
    Skip(u32),
    /// The host is late by so many conversions; their edges are counted all the same.
    Late(u32),
    /// No conversions and no edges any more, until the chip is reset.
    Stop,
    /// A register changes by itself: these bits of that address.
    Corrupt(u8, u16),
    /// An edge without a conversion, as from a spark nearby.
    Spark,
    /// A pulse on the SYNC pin: conversions begin anew, out of step with those before.
    Resynchronise,
    /// The interface answers nothing and obeys nothing until the SYNC/RESET pin resets the chip.
    Deaf,
    /// The host hears no edges of so many conversions: a broken data-ready line.
    Silent(u32),
    /// The data line is held at this level for so many frames: a broken wire, another chip on the bus.
    Held(bool, u32),
    /// Every bit of the next frame is anything when the host reads it.
    Scramble,
}
