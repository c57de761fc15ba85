//! Joins the registers that are wanted into as few reads as the device takes.

use super::register::{Register, Table, Words};
use super::wire::Function;

/// What a device takes in one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadRule {
    /// Most registers in one answer (the protocol allows 125).
    pub max_words: u16,
    /// Registers that nobody wants may be read along if they are no more than this in a row.
    pub max_gap: u16,
    /// The device answers for one value at a time only, even where values lie side by side.
    pub one_value_per_read: bool,
}

/// One read: consecutive registers of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Read {
    pub table: Table,
    pub address: u16,
    pub count: u16,
}

impl Read {
    #[must_use]
    pub(super) const fn function(self) -> Function {
        let Self { address, count, .. } = self;
        match self.table {
            Table::Holding => Function::ReadHolding { address, count },
            Table::Input => Function::ReadInput { address, count },
        }
    }

    /// Files the answer. The caller has checked its length.
    pub(super) fn keep(self, answer: &[u16], words: &mut Words) {
        for (nth, word) in (0..self.count).zip(answer) {
            words.insert((self.table, self.address.wrapping_add(nth)), *word);
        }
    }

    const fn end(self) -> u32 {
        self.address as u32 + self.count as u32
    }
}

/// The read that brings this register alone.
#[must_use]
pub(super) const fn read_of(register: &Register) -> Read {
    Read { table: register.table, address: register.address, count: register.words() }
}

/// The reads that bring all of these.
#[must_use]
pub(super) fn join(mut wanted: Vec<Read>, rule: ReadRule) -> Vec<Read> {
    wanted.sort_unstable();
    wanted.dedup();
    let mut reads: Vec<Read> = Vec::new();
    for next in wanted {
        match reads.last_mut() {
            Some(last) if !rule.one_value_per_read && fits(*last, next, rule) => {
                last.count = (last.end().max(next.end()) - u32::from(last.address)) as u16;
            }
            _ => reads.push(next),
        }
    }
    reads
}

fn fits(last: Read, next: Read, rule: ReadRule) -> bool {
    let gap = u32::from(next.address).saturating_sub(last.end());
    let joined = last.end().max(next.end()) - u32::from(last.address);
    last.table == next.table && gap <= u32::from(rule.max_gap) && joined <= u32::from(rule.max_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ReadRule = ReadRule { max_words: 20, max_gap: 4, one_value_per_read: false };

    fn read(address: u16, count: u16) -> Read {
        Read { table: Table::Input, address, count }
    }

    #[test]
    fn neighbours_are_read_together_and_far_ones_apart() {
        let wanted = vec![read(6, 2), read(0, 2), read(100, 2), read(2, 2)];
        assert_eq!(join(wanted, RULE), [read(0, 8), read(100, 2)]);
    }

    #[test]
    fn a_read_never_grows_past_what_the_device_takes() {
        let wanted = (0..15).map(|nth| read(nth * 2, 2)).collect();
        assert_eq!(join(wanted, RULE), [read(0, 20), read(20, 10)]);
    }

    #[test]
    fn a_device_that_answers_for_one_value_gets_one_read_a_value() {
        let rule = ReadRule { one_value_per_read: true, ..RULE };
        assert_eq!(join(vec![read(2, 2), read(0, 2)], rule), [read(0, 2), read(2, 2)]);
    }

    #[test]
    fn the_end_of_the_address_space_is_reached_and_not_passed() {
        assert_eq!(join(vec![read(65_530, 2), read(65_534, 2)], RULE), [read(65_530, 6)]);
    }
}
