//! One value in a device's registers: where it lies, how it is coded, what one count of it is worth.

use super::wire::Function;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which of the two register tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Table {
    /// Read with FC 3.
    Holding,
    /// Read with FC 4.
    Input,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WordOrder {
    #[default]
    HighFirst,
    LowFirst,
}

/// Bit patterns that mean "I do not measure this". A float that is not a number always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Missing {
    /// `0xFFFF`, as long as the value is.
    AllOnes,
    /// `0x7FFF`
    SignedMax,
    /// `0x8000`
    SignedMin,
}

/// A checked register. Values come out in A, V, W, Wh, Hz or s.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Register {
    pub table: Table,
    pub address: u16,
    pub kind: Kind,
    pub order: WordOrder,
    /// What one count is worth.
    pub factor: f64,
    pub missing: Vec<Missing>,
    /// A register with a power of ten that also applies (SunSpec's scale factors).
    pub scale_at: Option<u16>,
}

/// What has been read so far, by table and address.
pub(super) type Words = BTreeMap<(Table, u16), u16>;

impl Kind {
    #[must_use]
    pub(super) const fn words(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
        }
    }

    const fn bits(self) -> u32 {
        self.words() as u32 * 16
    }

    fn value(self, pattern: u64) -> f64 {
        match self {
            Self::U16 | Self::U32 | Self::U64 => pattern as f64,
            Self::I16 => f64::from(pattern as u16 as i16),
            Self::I32 => f64::from(pattern as u32 as i32),
            Self::I64 => pattern as i64 as f64,
            Self::F32 => f64::from(f32::from_bits(pattern as u32)),
            Self::F64 => f64::from_bits(pattern),
        }
    }

    /// The nearest pattern; integers saturate.
    fn pattern(self, value: f64) -> u64 {
        let nearest = value.round();
        match self {
            Self::U16 => u64::from(nearest as u16),
            Self::I16 => u64::from(nearest as i16 as u16),
            Self::U32 => u64::from(nearest as u32),
            Self::I32 => u64::from(nearest as i32 as u32),
            Self::U64 => nearest as u64,
            Self::I64 => nearest as i64 as u64,
            Self::F32 => u64::from((value as f32).to_bits()),
            Self::F64 => value.to_bits(),
        }
    }
}

impl Missing {
    const fn pattern(self, bits: u32) -> u64 {
        let ones = u64::MAX >> (64 - bits);
        match self {
            Self::AllOnes => ones,
            Self::SignedMax => ones >> 1,
            Self::SignedMin => ones ^ (ones >> 1),
        }
    }
}

impl Register {
    #[must_use]
    pub(super) const fn words(&self) -> u16 {
        self.kind.words()
    }

    /// The value, or `None` where the device says that it has none, or the words were not read.
    #[must_use]
    pub(super) fn value(&self, words: &Words) -> Option<f64> {
        let pattern = self.pattern(words)?;
        let none = |missing: &Missing| missing.pattern(self.kind.bits()) == pattern;
        if self.missing.iter().any(none) {
            return None;
        }
        let value = self.kind.value(pattern);
        if value.is_nan() {
            return None;
        }
        Some(value * self.factor * self.scale(words)?)
    }

    /// The registers to write for this value.
    #[must_use]
    pub(super) fn encode(&self, value: f64) -> Vec<u16> {
        let pattern = self.kind.pattern(value / self.factor);
        let mut words: Vec<u16> =
            (0..self.words()).rev().map(|word| (pattern >> (u32::from(word) * 16)) as u16).collect();
        if self.order == WordOrder::LowFirst {
            words.reverse();
        }
        words
    }

    /// The same register of a block that begins elsewhere.
    #[must_use]
    pub(super) fn at_base(&self, base: u16) -> Self {
        Self {
            address: self.address.wrapping_add(base),
            scale_at: self.scale_at.map(|at| at.wrapping_add(base)),
            ..self.clone()
        }
    }

    fn pattern(&self, words: &Words) -> Option<u64> {
        let mut pattern = 0u64;
        for word in 0..self.words() {
            let nth = match self.order {
                WordOrder::HighFirst => word,
                WordOrder::LowFirst => self.words() - 1 - word,
            };
            let found = words.get(&(self.table, self.address.wrapping_add(nth)))?;
            pattern = (pattern << 16) | u64::from(*found);
        }
        Some(pattern)
    }

    /// SunSpec allows −10 … 10 and marks "none" with 0x8000; the values of such a register are missing.
    fn scale(&self, words: &Words) -> Option<f64> {
        let Some(at) = self.scale_at else { return Some(1.0) };
        let power = *words.get(&(self.table, at))? as i16;
        (-10..=10).contains(&power).then(|| 10f64.powi(i32::from(power)))
    }
}

/// A register that is written, and with which function code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WriteTo {
    pub register: Register,
    /// FC 16 even for a single word.
    pub multiple: bool,
}

impl WriteTo {
    #[must_use]
    pub(super) fn function(&self, value: f64) -> Function {
        let address = self.register.address;
        let words = self.register.encode(value);
        match words.as_slice() {
            [value] if !self.multiple => Function::WriteSingle { address, value: *value },
            _ => Function::WriteMultiple { address, values: words },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(kind: Kind) -> Register {
        Register {
            table: Table::Holding,
            address: 100,
            kind,
            order: WordOrder::HighFirst,
            factor: 1.0,
            missing: Vec::new(),
            scale_at: None,
        }
    }

    fn words(values: &[u16]) -> Words {
        (100..).zip(values).map(|(address, word)| ((Table::Holding, address), *word)).collect()
    }

    #[test]
    fn every_coding_reads_back_what_was_written() {
        for kind in [Kind::U16, Kind::I16, Kind::U32, Kind::I32, Kind::U64, Kind::I64, Kind::F32, Kind::F64] {
            for order in [WordOrder::HighFirst, WordOrder::LowFirst] {
                let register = Register { order, ..register(kind) };
                assert_eq!(register.value(&words(&register.encode(12_345.0))), Some(12_345.0), "{kind:?}");
            }
        }
    }

    #[test]
    fn low_word_first_turns_the_words_and_not_the_bytes() {
        let register = Register { order: WordOrder::LowFirst, ..register(Kind::I32) };
        assert_eq!(register.value(&words(&[0x1234, 0x0001])), Some(f64::from(0x0001_1234)));
    }

    #[test]
    fn a_value_that_is_not_there_is_not_zero() {
        let unsigned = Register { missing: vec![Missing::AllOnes], ..register(Kind::U32) };
        assert_eq!(unsigned.value(&words(&[0xFFFF, 0xFFFF])), None);
        assert_eq!(unsigned.value(&words(&[0x7FFF, 0xFFFF])), Some(f64::from(0x7FFF_FFFF)));
        let signed = Register { missing: vec![Missing::SignedMax], ..register(Kind::I64) };
        assert_eq!(signed.value(&words(&[0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF])), None);
        assert_eq!(signed.value(&words(&[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF])), Some(-1.0));
        assert_eq!(register(Kind::F32).value(&words(&[0x7FC0, 0])), None);
        assert_eq!(register(Kind::U32).value(&words(&[1])), None);
    }

    #[test]
    fn a_scale_factor_in_another_register_applies() {
        let register = Register { scale_at: Some(105), ..register(Kind::I16) };
        let mut read = words(&[123]);
        assert_eq!(register.value(&read), None, "the factor was not read");
        read.insert((Table::Holding, 105), (-1i16) as u16);
        assert_eq!(register.value(&read), Some(12.3));
        read.insert((Table::Holding, 105), 0x8000);
        assert_eq!(register.value(&read), None, "the factor is not implemented");
    }

    #[test]
    fn integers_saturate_when_written() {
        assert_eq!(register(Kind::U16).encode(70_000.0), [0xFFFF]);
        assert_eq!(register(Kind::U16).encode(-1.0), [0]);
    }
}
