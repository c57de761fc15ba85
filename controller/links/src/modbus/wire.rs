//! What goes over a Modbus line, without saying how: a request, its answer's size, a fault.

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

impl Function {
    /// How many registers a good answer brings; a write brings none.
    #[must_use]
    pub const fn answer_words(&self) -> usize {
        match self {
            Self::ReadHolding { count, .. } | Self::ReadInput { count, .. } => *count as usize,
            Self::WriteSingle { .. } | Self::WriteMultiple { .. } => 0,
        }
    }
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

impl Fault {
    /// Does this answer prove that the device itself is there? A gateway that cannot reach it (10, 11)
    /// does not.
    #[must_use]
    pub const fn heard_device(self) -> bool {
        matches!(self, Self::Exception(code) if code != 10 && code != 11)
    }

    /// The device will never answer this differently: function, address or value not supported.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Exception(1..=3))
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Timeout => out.write_str("no answer"),
            Self::Disconnected => out.write_str("no connection"),
            Self::Garbled => out.write_str("an answer that makes no sense"),
            Self::Exception(code) => write!(out, "exception {code} ({})", exception_name(*code)),
        }
    }
}

const fn exception_name(code: u8) -> &'static str {
    match code {
        1 => "function not supported",
        2 => "no such register",
        3 => "value not allowed",
        4 => "device failure",
        5 => "accepted, not done yet",
        6 => "device busy",
        10 => "gateway has no path",
        11 => "device behind the gateway does not answer",
        _ => "unknown",
    }
}
