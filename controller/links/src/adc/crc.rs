//! CRC-16 with the seed 0xFFFF, the most significant bit first: CCITT (0x1021) for every frame, ANSI
//! (0x8005) for a converter that has fallen into it.

type Table = [u16; 256];

pub(super) const CCITT: Table = table(0x1021);
pub(super) const ANSI: Table = table(0x8005);

const fn table(polynomial: u16) -> Table {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 0x8000 == 0 { rest << 1 } else { (rest << 1) ^ polynomial };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
}

pub(super) fn crc16(table: &Table, bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| (crc << 8) ^ table[usize::from((crc >> 8) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_catalogue_come_out() {
        assert_eq!(crc16(&CCITT, b"123456789"), 0x29B1);
        assert_eq!(crc16(&ANSI, b"123456789"), 0xAEE7);
    }
}
