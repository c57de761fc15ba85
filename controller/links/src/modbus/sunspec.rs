//! Finds a SunSpec model: "SunS" at one of the known places, then a chain of models, each with its
//! number and its length, until the one that is wanted or the end mark.

use super::reads::Read;
use super::register::Table;

const MARK: [u16; 2] = [0x5375, 0x6E53];
const END: u16 = 0xFFFF;
/// No device has more models than this; a longer chain is a loop.
const MODELS_MAX: u8 = 64;

/// What is wanted, and where the search may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Discovery {
    pub table: Table,
    /// Any of these will do; they share one layout.
    pub models: Vec<u16>,
    pub start: Vec<u16>,
}

/// How far the search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// Is "SunS" at the n-th start?
    Mark(usize),
    /// The head of a model lies here.
    Head { address: u16, start: usize, seen: u8 },
    /// The model begins here (address of its number).
    Found(u16),
    /// No start led to it.
    Nowhere,
}

impl Discovery {
    #[must_use]
    pub(super) fn begin(&self) -> Walk {
        Walk::Mark(0)
    }

    /// The next read, or `None` when the search is over.
    #[must_use]
    pub(super) fn read(&self, walk: Walk) -> Option<Read> {
        let address = match walk {
            Walk::Mark(start) => *self.start.get(start)?,
            Walk::Head { address, .. } => address,
            Walk::Found(_) | Walk::Nowhere => return None,
        };
        Some(Read { table: self.table, address, count: 2 })
    }

    /// What two registers at that place mean; `None`: the device refused to show them.
    #[must_use]
    pub(super) fn step(&self, walk: Walk, answer: Option<[u16; 2]>, reach: u16) -> Walk {
        match (walk, answer) {
            (Walk::Mark(start), Some(MARK)) => {
                let address = self.start.get(start).map_or(0, |at| at.wrapping_add(2));
                Walk::Head { address, start, seen: 0 }
            }
            (Walk::Mark(start) | Walk::Head { start, .. }, None) => self.elsewhere(start),
            (Walk::Mark(start), Some(_)) => self.elsewhere(start),
            (Walk::Head { address, start, seen }, Some([model, length])) => {
                self.head(address, start, seen, model, length, reach)
            }
            (done, _) => done,
        }
    }

    fn head(&self, address: u16, start: usize, seen: u8, model: u16, length: u16, reach: u16) -> Walk {
        if self.models.contains(&model) && length.saturating_add(2) >= reach {
            return Walk::Found(address);
        }
        let next = address.checked_add(2).and_then(|at| at.checked_add(length));
        match next {
            Some(address) if model != END && seen < MODELS_MAX => {
                Walk::Head { address, start, seen: seen + 1 }
            }
            _ => self.elsewhere(start),
        }
    }

    fn elsewhere(&self, start: usize) -> Walk {
        if start + 1 < self.start.len() { Walk::Mark(start + 1) } else { Walk::Nowhere }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery() -> Discovery {
        Discovery { table: Table::Holding, models: vec![203], start: vec![40_000, 50_000, 0] }
    }

    /// Walks over a device that holds `registers` at `base`.
    fn walk(base: u16, registers: &[u16]) -> (Walk, usize) {
        let discovery = discovery();
        let mut walk = discovery.begin();
        let mut reads = 0;
        while let Some(read) = discovery.read(walk) {
            reads += 1;
            assert!(reads < 300, "the search does not end");
            let at = usize::from(read.address.wrapping_sub(base));
            let answer = registers.get(at..at + 2).map(|words| [words[0], words[1]]);
            walk = discovery.step(walk, answer, 56);
        }
        (walk, reads)
    }

    #[test]
    fn the_meter_model_is_found_behind_the_common_model() {
        let mut registers = vec![0x5375, 0x6E53, 1, 4, 0, 0, 0, 0, 203, 105];
        registers.extend([0; 105]);
        assert_eq!(walk(50_000, &registers), (Walk::Found(50_008), 4));
    }

    #[test]
    fn a_chain_without_the_model_ends_at_its_mark() {
        assert_eq!(walk(0, &[0x5375, 0x6E53, 1, 1, 7, 0xFFFF, 0]).0, Walk::Nowhere);
    }

    #[test]
    fn a_model_that_is_too_short_for_the_map_is_not_taken() {
        assert_eq!(walk(0, &[0x5375, 0x6E53, 203, 10, 0, 0]).0, Walk::Nowhere);
    }

    #[test]
    fn models_of_no_length_do_not_hold_the_search_for_ever() {
        let zeros = vec![0u16; 600];
        let mut registers = vec![0x5375, 0x6E53];
        registers.extend(zeros);
        assert_eq!(walk(0, &registers).0, Walk::Nowhere);
    }
}
