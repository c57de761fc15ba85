//! What a meter said. A meter that timed out and a meter that reads 0 A are different facts.

use crate::lines::PerLine;
use crate::time::Instant;
use crate::units::{Milliamps, Millivolts, WattHours, Watts};

/// One measurement of one point, complete with when and how well it was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When the measured interval ended.
    pub at: Instant,
    /// Per line, signed: negative is export. `None`: this meter does not measure that line.
    pub current: PerLine<Option<Milliamps>>,
    pub voltage: PerLine<Option<Millivolts>>,
    pub power: PerLine<Option<Watts>>,
    pub power_total: Option<Watts>,
    pub imported: Option<WattHours>,
    pub exported: Option<WattHours>,
    /// Thousandths of a hertz.
    pub frequency_mhz: Option<u32>,
    pub quality: Quality,
}

/// May this reading be used for a decision?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    Good,
    /// Usable, with a reservation that people should see.
    Doubtful(Doubt),
    /// Not to be used: the decision falls back as if there were no reading.
    Bad(Doubt),
}

/// What is wrong with a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Current without voltage taps: no direction, no power factor.
    NoVoltage,
    /// The input is driven past its range.
    Saturated,
    /// Nothing seems to be connected.
    OpenClamp,
    /// Samples were lost in the interval.
    Gaps,
    /// The value is outside what the circuit can carry.
    Implausible,
    /// The value has not changed for longer than any real load stays the same.
    Frozen,
}

/// Why there is no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoReading {
    /// Nothing heard since the start.
    NotYet,
    /// The meter did not answer in time.
    Timeout,
    /// The connection is down.
    Disconnected,
    /// The meter answered with something that makes no sense.
    Garbled,
    /// The meter answered with an error of its own.
    Refused,
}

impl Reading {
    /// A reading with nothing in it yet.
    #[must_use]
    pub const fn empty(at: Instant) -> Self {
        Self {
            at,
            current: PerLine([None; 3]),
            voltage: PerLine([None; 3]),
            power: PerLine([None; 3]),
            power_total: None,
            imported: None,
            exported: None,
            frequency_mhz: None,
            quality: Quality::Good,
        }
    }

    /// How many of its values differ from those of an earlier reading.
    #[must_use]
    pub fn news_since(&self, earlier: &Self) -> usize {
        let differ = |one: &PerLine<Option<i64>>, other: &PerLine<Option<i64>>| {
            one.0.iter().zip(&other.0).filter(|(one, other)| one != other).count()
        };
        let lines = |it: &Self| {
            [
                it.current.map(|value| value.map(|value| i64::from(value.0))),
                it.voltage.map(|value| value.map(|value| i64::from(value.0))),
                it.power.map(|value| value.map(|value| value.0)),
            ]
        };
        let of_lines: usize =
            lines(self).iter().zip(&lines(earlier)).map(|(one, other)| differ(one, other)).sum();
        let others = [
            self.power_total != earlier.power_total,
            self.imported != earlier.imported,
            self.exported != earlier.exported,
            self.frequency_mhz != earlier.frequency_mhz,
            self.quality != earlier.quality,
        ];
        of_lines + others.into_iter().filter(|&differs| differs).count()
    }

    /// Good enough to decide on.
    #[must_use]
    pub const fn usable(&self) -> bool {
        !matches!(self.quality, Quality::Bad(_))
    }
}
