//! Chargers and meters that are a file of Modbus registers, and the answers to requests for them.
//!
//! No frame, no socket: [`answer`] takes the body of a request (function code and data) and gives the
//! body of the answer, whether it travels over TCP or RS-485. Devices refuse what the real ones refuse:
//! a wrong unit stays silent, a gap in the map is an exception.

mod alfen;
mod charger;
mod eastron;
mod keba;
mod pdu;
mod words;

pub use alfen::AlfenEve;
pub use charger::{Make, ModbusCharger};
pub use eastron::{EastronSdm630, Shown};
pub use keba::KebaP30;
pub use pdu::answer;

use dlb_engine::time::Instant;

/// Why a request is refused, in the protocol's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    IllegalFunction = 1,
    IllegalAddress = 2,
    IllegalValue = 3,
}

/// Which of the tables is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Function 3.
    Holding,
    /// Function 4.
    Input,
}

/// How registers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Function 6.
    Single,
    /// Function 16.
    Multiple,
}

/// A device on a Modbus line or behind a socket.
pub trait RegisterFile {
    /// Does it listen to this unit number?
    fn listens_to(&self, unit: u8) -> bool;

    /// # Errors
    /// What the real device refuses.
    fn read(&mut self, now: Instant, unit: u8, from: ReadRange) -> Result<Vec<u16>, Exception>;

    /// # Errors
    /// What the real device refuses.
    fn write(
        &mut self,
        now: Instant,
        unit: u8,
        way: Way,
        address: u16,
        values: &[u16],
    ) -> Result<(), Exception>;
}

/// What is asked for. Addresses are those on the wire, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRange {
    pub table: Table,
    pub address: u16,
    pub count: u16,
}
