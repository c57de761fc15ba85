//! A register that holds a text or a code rather than a quantity.

use super::reads::Read;
use super::register::{Table, Words};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LabelKind {
    U16,
    U32,
    /// Two characters in a register.
    Ascii,
    /// One character in a register.
    Utf16,
    Hex,
    /// Bytes with dots between them, as firmware versions are kept.
    Dotted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub table: Table,
    pub address: u16,
    pub kind: LabelKind,
    pub count: u16,
    /// Of a number, the bits that count.
    pub mask: u32,
}

impl Label {
    #[must_use]
    pub(super) const fn read(&self) -> Read {
        Read { table: self.table, address: self.address, count: self.count }
    }

    /// The text, or `None` if it was not read.
    #[must_use]
    pub(super) fn text(&self, words: &Words) -> Option<String> {
        let found: Option<Vec<u16>> = (0..self.count)
            .map(|nth| words.get(&(self.table, self.address.wrapping_add(nth))).copied())
            .collect();
        let found = found?;
        Some(match self.kind {
            LabelKind::U16 | LabelKind::U32 => self.number(&found).to_string(),
            LabelKind::Ascii => printable(bytes(&found).map(char::from)),
            LabelKind::Utf16 => printable(char::decode_utf16(found).filter_map(Result::ok)),
            LabelKind::Hex => found.iter().map(|word| format!("{word:04x}")).collect(),
            LabelKind::Dotted => bytes(&found).map(|byte| byte.to_string()).collect::<Vec<_>>().join("."),
        })
    }

    /// The masked bits, moved down to bit 0.
    fn number(&self, found: &[u16]) -> u32 {
        let all = found.iter().fold(0u32, |all, word| (all << 16) | u32::from(*word));
        (all & self.mask) >> self.mask.trailing_zeros().min(31)
    }
}

fn bytes(words: &[u16]) -> impl Iterator<Item = u8> + '_ {
    words.iter().flat_map(|word| word.to_be_bytes())
}

/// Up to the first NUL, without what a page or a log could not show.
fn printable(text: impl Iterator<Item = char>) -> String {
    let text: String = text.take_while(|it| *it != '\0').filter(|it| !it.is_control()).collect();
    text.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: LabelKind, mask: u32, words: &[u16]) -> String {
        let label = Label { table: Table::Input, address: 7, kind, count: words.len() as u16, mask };
        let read = (7..).zip(words).map(|(address, word)| ((Table::Input, address), *word)).collect();
        label.text(&read).unwrap()
    }

    #[test]
    fn texts_end_at_the_first_nul() {
        assert_eq!(text(LabelKind::Ascii, u32::MAX, &[0x4332, 0x0041, 0x4141]), "C2");
        assert_eq!(text(LabelKind::Utf16, u32::MAX, &[0x0056, 0x0031, 0x0000, 0x0041]), "V1");
    }

    #[test]
    fn a_code_can_be_a_few_bits_of_a_number() {
        assert_eq!(text(LabelKind::U32, 0x7F00, &[0, 0x8420]), "4");
        assert_eq!(text(LabelKind::U32, u32::MAX, &[1, 2]), "65538");
        assert_eq!(text(LabelKind::Dotted, u32::MAX, &[0x0106, 0x0200]), "1.6.2.0");
    }
}
