//! Tables of the load curves: rows of 10 seconds and of 5 minutes, and the names of their owners.
//!
//! A row of 5 minutes is the sum of those of 10 seconds inside it, made once they are all there and
//! made again if one is added later; so nothing has to be carried over a restart.

use super::Bounds;
use super::figures::{Figures, Row, merge_rows};
use super::record::Peak;
use super::rollup::Dated;
use super::row::{Numbered, decode, encode};
use super::sample::{Kind, Owner, POWER};
use redb::{
    Database, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    WriteTransaction,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const FINE: TableDefinition<'_, i64, &[u8]> = TableDefinition::new("rows-10s");
pub(super) const COARSE: TableDefinition<'_, i64, &[u8]> = TableDefinition::new("rows-5min");
pub(super) const OWNERS: TableDefinition<'_, u32, (u8, &str)> = TableDefinition::new("owners");
/// What the rows of each table cost, see [`cost`].
const SIZES: TableDefinition<'_, &str, u64> = TableDefinition::new("sizes");

pub(super) const COARSE_S: i64 = 300;
const QUARTER_S: i64 = 900;
/// Names that ever had a curve. A box with more has chargers that change their names.
const MAX_OWNERS: usize = 10_000;
/// Rows removed at once, so that a commit stays short.
const PRUNED_AT_ONCE: usize = 64;
/// Pages of the database; a row that needs more gets a power of two of them.
const PAGE: u64 = 4096;

/// What the tables know, to be read again from a file that was opened anew.
#[derive(Debug, Default)]
pub(super) struct Curves {
    numbers: BTreeMap<Owner, u32>,
    loaded: bool,
    /// Slots of 5 minutes whose sum is not made yet.
    due: BTreeSet<i64>,
}

impl Curves {
    /// Another file is in use now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Adds rows in one commit. Says where the quarter-hours end that are complete now.
    pub(super) fn write(
        &mut self,
        database: &Database,
        rows: &[Dated],
        bounds: &Bounds,
    ) -> Result<BTreeSet<i64>, Error> {
        let transaction = database.begin_write()?;
        self.load(&transaction)?;
        for (at, row) in rows {
            self.add(&transaction, *at, row)?;
            self.due.insert(at.div_euclid(COARSE_S) * COARSE_S);
        }
        let newest = rows.iter().map(|(at, _)| *at).max().unwrap_or(i64::MAX);
        let made = self.sum_up(&transaction, newest)?;
        prune(&transaction, bounds)?;
        transaction.commit()?;
        self.due.retain(|slot| !made.contains(slot));
        let ends_quarter = |slot: &i64| (slot + COARSE_S).rem_euclid(QUARTER_S) == 0;
        Ok(made.iter().filter(|slot| ends_quarter(slot)).map(|slot| slot + COARSE_S).collect())
    }

    fn load(&mut self, transaction: &WriteTransaction) -> Result<(), Error> {
        if self.loaded {
            return Ok(());
        }
        for entry in transaction.open_table(OWNERS)?.iter()? {
            let (number, name) = entry?;
            self.numbers.extend(owner(name.value()).map(|owner| (owner, number.value())));
        }
        // A cut may have come before the last sums were made.
        let fine = transaction.open_table(FINE)?;
        if let Some((last, _)) = fine.last()? {
            let slot = last.value().div_euclid(COARSE_S) * COARSE_S;
            self.due.extend([slot - COARSE_S, slot]);
        }
        transaction.open_table(COARSE)?;
        self.loaded = true;
        Ok(())
    }

    /// A slot that has a row already (the clock stepped back, or a restart) gets both.
    fn add(&mut self, transaction: &WriteTransaction, at: i64, row: &Row) -> Result<(), Error> {
        let mut fine = transaction.open_table(FINE)?;
        let mut numbered = self.numbered(transaction, row)?;
        let known = fine.get(at)?.and_then(|known| decode(known.value())).unwrap_or_default();
        merge_numbered(&mut numbered, known);
        put(transaction, &mut fine, at, &numbered)
    }

    fn numbered(&mut self, transaction: &WriteTransaction, row: &Row) -> Result<Numbered, Error> {
        let mut owners = transaction.open_table(OWNERS)?;
        let mut numbered = Numbered::new();
        for (owner, figures) in row {
            let number = match self.numbers.get(owner) {
                Some(number) => *number,
                None if self.numbers.len() >= MAX_OWNERS => continue,
                None => {
                    let number = owners.last()?.map_or(0, |(last, _)| last.value() + 1);
                    owners.insert(number, (owner.kind as u8, owner.id.as_str()))?;
                    self.numbers.insert(owner.clone(), number);
                    number
                }
            };
            numbered.push((number, *figures));
        }
        Ok(numbered)
    }

    /// Makes the rows of 5 minutes that are over.
    fn sum_up(&self, transaction: &WriteTransaction, newest: i64) -> Result<BTreeSet<i64>, Error> {
        let fine = transaction.open_table(FINE)?;
        let mut coarse = transaction.open_table(COARSE)?;
        let current = newest.div_euclid(COARSE_S) * COARSE_S;
        let over: BTreeSet<i64> = self.due.iter().copied().filter(|slot| *slot != current).collect();
        for slot in &over {
            let mut sum = Numbered::new();
            for entry in fine.range(*slot..slot + COARSE_S)? {
                merge_numbered(&mut sum, decode(entry?.1.value()).unwrap_or_default());
            }
            if !sum.is_empty() {
                put(transaction, &mut coarse, *slot, &sum)?;
            }
        }
        Ok(over)
    }
}

/// Mean power of a circuit over the quarter of an hour that ends at this second.
pub(super) fn quarter(database: &Database, end: i64, circuit: &Owner) -> Result<Option<Peak>, Error> {
    let transaction = database.begin_read()?;
    let mut number = None;
    for entry in transaction.open_table(OWNERS)?.iter()? {
        let (candidate, name) = entry?;
        if owner(name.value()).as_ref() == Some(circuit) {
            number = Some(candidate.value());
        }
    }
    let mut sum: Option<Figures> = None;
    for entry in transaction.open_table(COARSE)?.range(end - QUARTER_S..end)? {
        for (_, figures) in
            decode(entry?.1.value()).unwrap_or_default().into_iter().filter(|(at, _)| Some(*at) == number)
        {
            sum = Some(sum.map_or(figures, |mut sum| {
                sum.merge(&figures);
                sum
            }));
        }
    }
    let mean = sum.and_then(|sum| sum.mean[POWER]);
    Ok(mean.map(|mean| Peak { watts: mean.round() as i64, at_ms: (end - QUARTER_S) * 1000 }))
}

pub(super) fn owner((kind, id): (u8, &str)) -> Option<Owner> {
    let kind = [Kind::Circuit, Kind::Charger].into_iter().find(|known| *known as u8 == kind)?;
    Some(Owner { kind, id: id.to_owned() })
}

fn merge_numbered(into: &mut Numbered, other: Numbered) {
    let mut sum: BTreeMap<u32, Figures> = into.drain(..).collect();
    for (number, figures) in other {
        sum.entry(number).and_modify(|known| known.merge(&figures)).or_insert(figures);
    }
    into.extend(sum);
}

fn put(
    transaction: &WriteTransaction,
    table: &mut Table<'_, i64, &'static [u8]>,
    at: i64,
    owners: &Numbered,
) -> Result<(), Error> {
    let bytes = encode(owners);
    let before = table.insert(at, bytes.as_slice())?.map(|old| cost(old.value()));
    let mut sizes = transaction.open_table(SIZES)?;
    let name = redb::TableHandle::name(table);
    let size = sizes.get(name)?.map_or(0, |size| size.value());
    let size = (size + cost(&bytes)).saturating_sub(before.unwrap_or(0));
    sizes.insert(name, size)?;
    Ok(())
}

/// What a row takes in the file. Small rows share pages that are never quite full; a large one has its
/// pages alone.
const fn cost(row: &[u8]) -> u64 {
    let bytes = row.len() as u64 + 32;
    if bytes < PAGE / 2 { bytes + bytes / 2 } else { bytes.next_multiple_of(PAGE).next_power_of_two() }
}

/// The two tables share the file, a quarter for each. The rest is what a commit copies before it frees.
fn prune(transaction: &WriteTransaction, bounds: &Bounds) -> Result<(), Error> {
    let budget = bounds.history_bytes / 4;
    for (definition, rows) in [(FINE, bounds.fine_rows), (COARSE, bounds.coarse_rows)] {
        let mut table = transaction.open_table(definition)?;
        let mut sizes = transaction.open_table(SIZES)?;
        let name = redb::TableHandle::name(&definition).to_owned();
        let mut size = sizes.get(name.as_str())?.map_or(0, |size| size.value());
        for _ in 0..PRUNED_AT_ONCE {
            if table.len()? <= rows && size <= budget {
                break;
            }
            let Some((_, oldest)) = table.pop_first()? else { break };
            size = size.saturating_sub(cost(oldest.value()));
        }
        sizes.insert(name.as_str(), size)?;
    }
    Ok(())
}

/// Used where whole rows are put together outside the tables.
pub(super) fn named(numbered: Numbered, names: &BTreeMap<u32, Owner>) -> Row {
    let mut row = Row::new();
    for (number, figures) in numbered {
        if let Some(owner) = names.get(&number) {
            merge_rows(&mut row, &Row::from([(owner.clone(), figures)]));
        }
    }
    row
}
