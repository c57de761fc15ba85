//! The wires between a converter and its host, and what can happen to the bits on them.

use super::Misbehaviour;
use crate::rng::Rng;

/// What happens to the next frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wires {
    flip_out: Option<usize>,
    flip_in: Option<usize>,
    /// What the data line is held at, and for how many more frames.
    held: Option<(bool, u32)>,
    scramble: bool,
}

impl Wires {
    /// Takes what concerns the wires; everything else is the chip's own.
    pub(super) fn take(&mut self, what: Misbehaviour) {
        match what {
            Misbehaviour::FlipOut(bit) => self.flip_out = Some(bit),
            Misbehaviour::FlipIn(bit) => self.flip_in = Some(bit),
            Misbehaviour::Held(level, frames) => self.held = Some((level, frames)),
            Misbehaviour::Scramble => self.scramble = true,
            _ => {}
        }
    }

    /// Of a frame that the host sends.
    pub(super) fn sent(&mut self, bytes: &mut [u8]) {
        flip(bytes, self.flip_in.take());
    }

    /// Of a frame that the host receives.
    pub(super) fn received(&mut self, bytes: &mut [u8], rng: &mut Rng) {
        flip(bytes, self.flip_out.take());
        if core::mem::take(&mut self.scramble) {
            bytes.fill_with(|| rng.below(256) as u8);
        }
        if let Some((level, more)) = self.held {
            bytes.fill(if level { 0xFF } else { 0 });
            self.held = more.checked_sub(1).map(|more| (level, more));
        }
    }
}

/// Turns one bit round, counted from the first.
fn flip(bytes: &mut [u8], bit: Option<usize>) {
    if let Some(bit) = bit
        && let Some(byte) = bytes.get_mut(bit / 8)
    {
        *byte ^= 0x80 >> (bit % 8);
    }
}
