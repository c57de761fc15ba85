//! Questions about the past, answered on the thread of whoever asks, beside the one that writes. Every
//! answer is bounded.

use super::figures::{Figures, Row};
use super::history::{COARSE, COARSE_S, FINE, OWNERS, named, owner};
use super::journal::{EVENTS, SESSIONS, parsed};
use super::record::{EventRecord, SessionRecord};
use super::rollup::FINE_S;
use super::row::decode;
use super::sample::Owner;
use super::vault::{Fault, guarded};
use super::{Command, StoreHandle, Which};
use redb::{
    Database, Error, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    TableError,
};
use std::collections::BTreeMap;

/// Values in one answer; beyond that the steps become longer.
const MAX_VALUES: usize = 300_000;

/// Load curves in equal steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    pub(super) from_s: i64,
    pub(super) step_s: i64,
    pub(super) points: usize,
    pub(super) owners: BTreeMap<Owner, Vec<Figures>>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the store is not open: {0}")]
    Closed(&'static str),
    #[error("{0}")]
    Failed(String),
}

impl StoreHandle {
    /// Means and maxima from a second to another, in steps of at least this length.
    pub(super) fn series(&self, from_s: i64, to_s: i64, step_s: i64) -> Result<Series, NoAnswer> {
        self.ask_file(Which::History, |database| series(database, from_s, to_s, step_s))
    }

    /// Newest first, at most so many of those that are wanted.
    pub(super) fn list_sessions(
        &self,
        limit: usize,
        wanted: impl Fn(&SessionRecord) -> bool,
    ) -> Result<Vec<SessionRecord>, NoAnswer> {
        self.ask_file(Which::Journal, |database| newest(database, SESSIONS, limit, wanted))
    }

    pub(super) fn list_events(
        &self,
        limit: usize,
        wanted: impl Fn(&EventRecord) -> bool,
    ) -> Result<Vec<EventRecord>, NoAnswer> {
        self.ask_file(Which::Journal, |database| newest(database, EVENTS, limit, wanted))
    }

    fn ask_file<T>(
        &self,
        which: Which,
        question: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, NoAnswer> {
        let file = match which {
            Which::Journal => &self.shared.journal,
            Which::History => &self.shared.history,
        };
        let Some(database) = file.load_full() else {
            return Err(NoAnswer::Closed(match which {
                Which::Journal => "journal",
                Which::History => "history",
            }));
        };
        guarded(|| question(&database)).map_err(|fault| {
            if let Fault::Broken(_) = fault {
                let _ = self.commands.try_send(Command::Broken(which));
            }
            match fault {
                Fault::Broken(why) | Fault::Away(why) => NoAnswer::Failed(why),
            }
        })
    }
}

fn newest<T: serde::de::DeserializeOwned>(
    database: &Database,
    table: TableDefinition<'_, u64, &'static [u8]>,
    limit: usize,
    wanted: impl Fn(&T) -> bool,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    let Some(table) = open(&database.begin_read()?, table)? else { return Ok(found) };
    for entry in table.iter()?.rev() {
        if found.len() >= limit {
            break;
        }
        found.extend(parsed(entry?.1.value()).filter(&wanted));
    }
    Ok(found)
}

fn series(database: &Database, from_s: i64, to_s: i64, step_s: i64) -> Result<Series, Error> {
    let transaction = database.begin_read()?;
    let (Some(fine), Some(coarse), Some(owners)) =
        (open(&transaction, FINE)?, open(&transaction, COARSE)?, open(&transaction, OWNERS)?)
    else {
        return Ok(Series::default());
    };
    let mut names = BTreeMap::new();
    for entry in owners.iter()? {
        let (number, name) = entry?;
        names.extend(owner(name.value()).map(|owner| (number.value(), owner)));
    }
    let oldest_fine = fine.first()?.map_or(i64::MAX, |(at, _)| at.value());
    let newest_coarse = coarse.last()?.map_or(i64::MIN, |(at, _)| at.value());
    let use_fine = step_s < COARSE_S && oldest_fine <= from_s.max(end_of_oldest(&coarse)?);
    let step_s = bounded_step(
        if use_fine { step_s.max(FINE_S) } else { step_s.max(COARSE_S) },
        from_s,
        to_s,
        names.len(),
    );
    let mut series = Series::new(from_s, to_s, step_s);
    let fine_from = if use_fine { from_s } else { from_s.max(newest_coarse.saturating_add(COARSE_S)) };
    if !use_fine {
        series.add(&coarse, (from_s.div_euclid(COARSE_S) * COARSE_S, to_s), &names)?;
    }
    series.add(&fine, (fine_from, to_s), &names)?;
    Ok(series)
}

/// What is older than this only coarse rows know. A young box has none that the fine ones do not explain.
fn end_of_oldest(coarse: &ReadOnlyTable<i64, &'static [u8]>) -> Result<i64, Error> {
    Ok(coarse.first()?.map_or(i64::MAX, |(at, _)| at.value().saturating_add(COARSE_S)))
}

/// Long enough that all owners' values stay within the bound.
fn bounded_step(step_s: i64, from_s: i64, to_s: i64, owners: usize) -> i64 {
    let values_per_point = owners.max(1) * super::sample::QUANTITIES * 2;
    let points = i64::try_from((MAX_VALUES / values_per_point).max(1)).unwrap_or(1);
    let least = to_s.saturating_sub(from_s).max(0) / points + 1;
    // Rounded up to whole rows, so that every step has the same number of them.
    let grain = if step_s.max(least) < COARSE_S { FINE_S } else { COARSE_S };
    if step_s >= least { step_s } else { least.div_euclid(grain).saturating_add(1) * grain }
}

impl Series {
    fn new(from_s: i64, to_s: i64, step_s: i64) -> Self {
        let points = usize::try_from(to_s.saturating_sub(from_s).max(0).div_euclid(step_s)).unwrap_or(0);
        let rest = to_s.saturating_sub(from_s).rem_euclid(step_s) > 0;
        Self { from_s, step_s, points: points + usize::from(rest), owners: BTreeMap::new() }
    }

    fn add(
        &mut self,
        table: &ReadOnlyTable<i64, &'static [u8]>,
        (from_s, to_s): (i64, i64),
        names: &BTreeMap<u32, Owner>,
    ) -> Result<(), Error> {
        if from_s >= to_s {
            return Ok(());
        }
        for entry in table.range(from_s..to_s)? {
            let (at, bytes) = entry?;
            let row = decode(bytes.value()).map(|numbered| named(numbered, names)).unwrap_or_default();
            self.add_row(at.value(), row);
        }
        Ok(())
    }

    fn add_row(&mut self, at: i64, row: Row) {
        let point = usize::try_from((at - self.from_s).max(0).div_euclid(self.step_s)).unwrap_or(usize::MAX);
        for (owner, figures) in row {
            let curve = self.owners.entry(owner).or_insert_with(|| vec![Figures::default(); self.points]);
            if let Some(sum) = curve.get_mut(point) {
                sum.merge(&figures);
            }
        }
    }
}

/// `None`: nothing has been written into it yet.
fn open<K: redb::Key + 'static, V: redb::Value + 'static>(
    transaction: &ReadTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, Error> {
    match transaction.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
