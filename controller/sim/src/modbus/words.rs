//! How values lie in registers, high word first, and a block of them by address.

use super::{Exception, ReadRange};
use std::collections::BTreeMap;

/// Registers by address; what is not in it cannot be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Block(BTreeMap<u16, u16>);

impl Block {
    pub(super) fn put(&mut self, address: u16, words: &[u16]) {
        self.0.extend((address..).zip(words.iter().copied()));
    }

    pub(super) fn float(&mut self, address: u16, value: f64) {
        self.put(address, &float(value));
    }

    pub(super) fn whole(&mut self, address: u16, value: f64) {
        self.put(address, &whole(value));
    }

    pub(super) fn read(&self, range: ReadRange) -> Result<Vec<u16>, Exception> {
        let end = range.address.checked_add(range.count).ok_or(Exception::IllegalAddress)?;
        let word = |address: u16| self.0.get(&address).copied().ok_or(Exception::IllegalAddress);
        (range.address..end).map(word).collect()
    }
}

/// IEEE 754 single precision.
pub(super) fn float(value: f64) -> [u16; 2] {
    split((value as f32).to_bits())
}

/// Unsigned 32 bit, rounded; negative values are 0.
pub(super) fn whole(value: f64) -> [u16; 2] {
    split(value.round() as u32)
}

/// IEEE 754 double precision.
pub(super) fn double(value: f64) -> [u16; 4] {
    let bits = value.to_bits();
    core::array::from_fn(|at| (bits >> (48 - 16 * at)) as u16)
}

/// Two letters a register, filled with zeros.
pub(super) fn letters(text: &str, registers: usize) -> Vec<u16> {
    let bytes = text.as_bytes();
    let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
    (0..registers).map(|at| byte(2 * at) << 8 | byte(2 * at + 1)).collect()
}

/// A float out of two registers.
pub(super) fn as_float(words: [u16; 2]) -> f64 {
    f64::from(f32::from_bits(u32::from(words[0]) << 16 | u32::from(words[1])))
}

const fn split(bits: u32) -> [u16; 2] {
    [(bits >> 16) as u16, bits as u16]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_high_word_first() {
        assert_eq!(float(230.0), [0x4366, 0x0000]);
        assert_eq!(whole(70_000.0), [1, 4464]);
        assert_eq!(double(1.0), [0x3FF0, 0, 0, 0]);
        assert_eq!(letters("C2", 3), [0x4332, 0, 0]);
        assert_eq!(as_float(float(16.5)), 16.5);
    }
}
