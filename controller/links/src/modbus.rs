//! Modbus clients as machines: typed requests out, typed answers in.
//!
//! One request is under way on a port at a time; the program carries it out (TCP or RS-485) and hands
//! back the answer or the fault. Retries, pacing and meaning are decided here.

/// A request of the function codes that dlb uses. Addresses are protocol addresses (counted from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub unit: u8,
    pub function: Function,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// FC 3
    ReadHolding { address: u16, count: u16 },
    /// FC 4
    ReadInput { address: u16, count: u16 },
    /// FC 6
    WriteSingle { address: u16, value: u16 },
    /// FC 16
    WriteMultiple { address: u16, values: Vec<u16> },
}

/// Why a request brought no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Timeout,
    Disconnected,
    /// Exception code of the answer.
    Exception(u8),
    Garbled,
}
