//! A charger as data: where its limit is set, how it pauses, what it does when it hears nothing, and
//! what its registers say about the car.
//!
//! A map holds no policy. The file format is in `charger_file.rs`; what is here has been checked.

use super::charger_file;
use super::label::Label;
use super::reads::{Read, ReadRule};
use super::register::{Register, WriteTo};
use super::register_file::MapError;
use super::wire::Function;
use crate::charger::{Abilities, Confirmation, OutletState};
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use std::collections::BTreeMap;

/// A checked map.
#[derive(Clone, Debug, PartialEq)]
pub struct ChargerMap {
    pub make: String,
    pub model: String,
    /// The document or the program in the field that the registers were taken from.
    pub source: String,
    pub(super) rule: ReadRule,
    pub(super) limit: Limit,
    pub(super) failsafe: Failsafe,
    pub(super) keep_alive: KeepAlive,
    /// Written once before the first limit.
    pub(super) start: Vec<Function>,
    pub(super) state: Coded<OutletState>,
    /// Texts of this register that mean "a car is plugged in".
    pub(super) plug: Option<Coded<bool>>,
    pub(super) values: Values,
    pub(super) identity: Identity,
    /// Between two polls of its state.
    pub(super) poll_every: Duration,
    /// It starts from scratch on every new connection.
    pub(super) forgets: bool,
}

/// How the charging current is set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    pub write: WriteTo,
    /// Shows the limit that the charger has taken.
    pub readback: Option<Register>,
    pub step: Milliamps,
    /// The smallest current at which it charges.
    pub min: Milliamps,
    pub max: Milliamps,
    pub settle: Duration,
    pub pause: Pause,
}

/// How a charger is held at nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pause {
    /// By a limit of zero.
    Zero,
    /// By a register of its own, which must also be set for it to charge.
    Enable { on: Function, off: Function },
}

/// What it falls back to when it hears nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Failsafe {
    pub current: Option<WriteTo>,
    pub current_readback: Option<Register>,
    pub timeout: Option<WriteTo>,
    pub timeout_readback: Option<Register>,
    /// The timeouts that it takes.
    pub timeout_min: Duration,
    pub timeout_max: Duration,
    /// The timeout cannot be read; it is this long.
    pub timeout_fixed: Option<Duration>,
    /// Lets it keep the other two over a restart of its own, which wears its memory.
    pub persist: Option<Function>,
    /// It may fall back to nothing at all.
    pub zero: bool,
    /// Why this charger cannot be relied upon to fall back.
    pub none: Option<String>,
}

/// What keeps it from falling back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeepAlive {
    pub every: Option<Duration>,
    /// Of each, one write a time, in turn.
    pub writes: Vec<Vec<Function>>,
    pub rewrite_limit: bool,
    pub rewrite_timeout: bool,
}

/// A register whose content is one of a few.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coded<T> {
    pub label: Label,
    pub meaning: BTreeMap<String, T>,
}

/// Numbers that it shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values {
    pub current: [Option<Register>; 3],
    pub power: Option<Register>,
    pub energy: Option<Register>,
    /// The energy starts at nothing with every session.
    pub energy_of_session: bool,
    pub phases: Option<Coded<u8>>,
}

/// Texts that say who it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    pub serial: Option<Label>,
    pub model: Option<Label>,
    pub firmware: Option<Label>,
}

impl ChargerMap {
    /// Reads and checks a map file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its key.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        charger_file::parse(text)
    }

    #[must_use]
    pub fn abilities(&self) -> Abilities {
        let metered = self.values.current[0].is_some();
        Abilities {
            step: self.limit.step,
            settle: self.limit.settle,
            confirmation: if metered { Confirmation::Metered } else { Confirmation::Word },
            spread: 1,
            pauses: true,
        }
    }
}

impl Values {
    pub(super) fn reads(&self) -> impl Iterator<Item = Read> + '_ {
        let single = [&self.power, &self.energy];
        let registers = self.current.iter().chain(single).flatten().map(super::reads::read_of);
        registers.chain(self.phases.iter().map(|phases| phases.label.read()))
    }
}

impl Limit {
    /// What the charger is told for this limit: rounded down to its step, nothing below its minimum.
    #[must_use]
    pub(super) fn told(&self, limit: Milliamps, rating: Milliamps) -> Milliamps {
        let told = limit.min(self.max).min(rating).round_down_to(self.step);
        if told < self.min { Milliamps::ZERO } else { told }
    }
}
