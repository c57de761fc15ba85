//! Registers as map files write them, and the check that turns them into [`Register`]s.

use super::reads::ReadRule;
use super::register::{Kind, Missing, Register, Table, WordOrder, WriteTo};
use serde::Deserialize;

/// What is wrong with a map file.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error("reading the map: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("{key}: {wrong}")]
    Wrong { key: String, wrong: String },
}

impl MapError {
    pub(super) fn wrong(key: &str, wrong: impl Into<String>) -> Self {
        Self::Wrong { key: key.into(), wrong: wrong.into() }
    }
}

/// The unit in which a register counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Unit {
    A,
    #[serde(rename = "mA")]
    MilliA,
    V,
    #[serde(rename = "mV")]
    MilliV,
    W,
    #[serde(rename = "mW")]
    MilliW,
    #[serde(rename = "kW")]
    KiloW,
    Wh,
    #[serde(rename = "kWh")]
    KiloWh,
    Hz,
    #[serde(rename = "s")]
    S,
    #[serde(rename = "ms")]
    MilliS,
}

impl Unit {
    /// The unit without its prefix, and the prefix.
    const fn parts(self) -> (Unit, f64) {
        match self {
            Self::A => (Self::A, 1.0),
            Self::MilliA => (Self::A, 1e-3),
            Self::V => (Self::V, 1.0),
            Self::MilliV => (Self::V, 1e-3),
            Self::W => (Self::W, 1.0),
            Self::MilliW => (Self::W, 1e-3),
            Self::KiloW => (Self::W, 1e3),
            Self::Wh => (Self::Wh, 1.0),
            Self::KiloWh => (Self::Wh, 1e3),
            Self::Hz => (Self::Hz, 1.0),
            Self::S => (Self::S, 1.0),
            Self::MilliS => (Self::S, 1e-3),
        }
    }
}

/// A register, or several of the same kind (`A` is one address or a list).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterFile<A = u16> {
    pub(super) address: A,
    #[serde(rename = "type")]
    kind: Kind,
    unit: Unit,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    missing: Vec<Missing>,
    word_order: Option<WordOrder>,
    table: Option<Table>,
    scale_register: Option<u16>,
    /// For registers that are written: FC 16 even for a single word.
    #[serde(default)]
    multiple: bool,
}

const fn one() -> f64 {
    1.0
}

/// How a device is read; the head of every map file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadFile {
    table: Table,
    #[serde(default)]
    word_order: WordOrder,
    #[serde(default = "default_max_words")]
    max_words: u16,
    #[serde(default)]
    max_gap: u16,
    #[serde(default)]
    one_value_per_read: bool,
}

const fn default_max_words() -> u16 {
    60
}

impl ReadFile {
    pub(super) const fn table(&self) -> Table {
        self.table
    }

    pub(super) fn rule(&self) -> Result<ReadRule, MapError> {
        let Self { max_words, max_gap, one_value_per_read, .. } = *self;
        if !(4..=125).contains(&max_words) {
            return Err(MapError::wrong("read.max_words", "must be 4 to 125"));
        }
        Ok(ReadRule { max_words, max_gap, one_value_per_read })
    }
}

impl RegisterFile<u16> {
    /// `dimension` is what the place in the file asks for: A, V, W, Wh, Hz or s.
    pub(super) fn check(&self, key: &str, dimension: Unit, read: &ReadFile) -> Result<Register, MapError> {
        self.register(key, self.address, dimension, read)
    }

    pub(super) fn check_write(
        &self,
        key: &str,
        dimension: Unit,
        read: &ReadFile,
    ) -> Result<WriteTo, MapError> {
        let register = self.check(key, dimension, read)?;
        if register.scale_at.is_some() {
            return Err(MapError::wrong(key, "a register that is written cannot have a scale_register"));
        }
        Ok(WriteTo { register, multiple: self.multiple })
    }
}

impl RegisterFile<Vec<u16>> {
    /// One to three registers, in the order of the lines.
    pub(super) fn check(
        &self,
        key: &str,
        dimension: Unit,
        read: &ReadFile,
    ) -> Result<[Option<Register>; 3], MapError> {
        if !(1..=3).contains(&self.address.len()) {
            return Err(MapError::wrong(key, "needs one to three addresses"));
        }
        let mut lines = [None, None, None];
        for (line, address) in lines.iter_mut().zip(&self.address) {
            *line = Some(self.register(key, *address, dimension, read)?);
        }
        Ok(lines)
    }
}

impl<A> RegisterFile<A> {
    fn register(
        &self,
        key: &str,
        address: u16,
        dimension: Unit,
        read: &ReadFile,
    ) -> Result<Register, MapError> {
        let (unit, prefix) = self.unit.parts();
        if unit != dimension {
            return Err(MapError::wrong(key, format!("{:?} where {dimension:?} is needed", self.unit)));
        }
        if !self.scale.is_finite() || self.scale == 0.0 {
            return Err(MapError::wrong(key, "scale must be a number other than 0"));
        }
        if u32::from(address) + u32::from(self.kind.words()) > 0x1_0000 {
            return Err(MapError::wrong(key, "reaches past the last register"));
        }
        Ok(Register {
            table: self.table.unwrap_or(read.table),
            address,
            kind: self.kind,
            order: self.word_order.unwrap_or(read.word_order),
            factor: self.scale * prefix,
            missing: self.missing.clone(),
            scale_at: self.scale_register,
        })
    }
}
