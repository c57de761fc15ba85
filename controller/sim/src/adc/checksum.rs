//! The chip's own checksums, bit by bit as its shift register makes them; on purpose not the driver's.

pub(super) const CCITT: u16 = 0x1021;
pub(super) const ANSI: u16 = 0x8005;

pub(super) fn crc16(polynomial: u16, bytes: impl IntoIterator<Item = u8>) -> u16 {
    let mut shifted = 0xFFFF_u16;
    for byte in bytes {
        for bit in (0..8).rev() {
            let out = shifted >> 15 ^ u16::from(byte >> bit & 1);
            shifted <<= 1;
            if out == 1 {
                shifted ^= polynomial;
            }
        }
    }
    shifted
}
