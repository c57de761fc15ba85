//! Tables of what must survive a power cut: sessions, events, what chargers taught, peaks.
//!
//! Keys of sessions and events are a number that only grows. A session that runs is found again by
//! charger and number, so that what is written twice (a record tried again, a session found running
//! after a restart) stands there once.

use super::Bounds;
use super::record::{EventRecord, Peak, Remembered, SessionRecord, cut};
use crate::clock;
use dlb_wiring::event::{Alert, Record};
use redb::{
    Database, Durability, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const SESSIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("sessions");
const NUMBERS: TableDefinition<'_, (&str, u64), u64> = TableDefinition::new("session-numbers");
const RUNNING: TableDefinition<'_, u64, ()> = TableDefinition::new("sessions-running");
pub(super) const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const LEARNT: TableDefinition<'_, &str, &str> = TableDefinition::new("learnt");
/// What the guard of a circuit must know after a restart.
const GUARDS: TableDefinition<'_, &str, &str> = TableDefinition::new("guards");
const PEAKS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("peaks");
const REGISTERS: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("energy-registers");
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");

/// Why a session ended that another one followed.
const END_UNHEARD: &str = "its end was never heard";
const LAST_SESSION: &str = "last-session";
/// Chargers that are remembered, and the length of what is remembered of each.
const MAX_LEARNT: u64 = 5_000;
const MAX_MEMORY: usize = 64 << 10;

/// Writes records in one commit, synced when this returns.
pub(super) fn write<'a>(
    database: &Database,
    records: impl IntoIterator<Item = &'a Record>,
    bounds: &Bounds,
) -> Result<(), Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    for record in records {
        write_one(&transaction, record)?;
    }
    prune(&transaction, bounds)?;
    Ok(transaction.commit()?)
}

/// Everything that a start needs. Makes the tables where they are missing.
pub(super) fn remember(database: &Database) -> Result<Remembered, Error> {
    let transaction = database.begin_write()?;
    let mut remembered = Remembered::default();
    for entry in transaction.open_table(LEARNT)?.iter()? {
        let (identity, memory) = entry?;
        remembered.learnt.insert(identity.value().to_owned(), memory.value().to_owned());
    }
    for entry in transaction.open_table(GUARDS)?.iter()? {
        let (circuit, memory) = entry?;
        remembered.guards.insert(circuit.value().to_owned(), memory.value().to_owned());
    }
    {
        let sessions = transaction.open_table(SESSIONS)?;
        for entry in transaction.open_table(RUNNING)?.iter()? {
            let record = sessions.get(entry?.0.value())?;
            remembered.running.extend(record.and_then(|record| parsed(record.value())));
        }
    }
    for entry in transaction.open_table(PEAKS)?.iter()? {
        let (month, peak) = entry?;
        remembered.peaks.extend(parsed(peak.value()).map(|peak: Peak| (month.value(), peak)));
    }
    let last = transaction.open_table(COUNTERS)?.get(LAST_SESSION)?.map(|last| last.value());
    remembered.last_session = last.unwrap_or(0);
    for entry in transaction.open_table(REGISTERS)?.iter()? {
        let (meter, millijoules) = entry?;
        remembered.registers.insert(meter.value().to_owned(), millijoules.value());
    }
    transaction.open_table(NUMBERS)?;
    transaction.open_table(EVENTS)?;
    transaction.commit()?;
    Ok(remembered)
}

/// Keeps a peak if it is the highest of its month.
pub(super) fn write_peak(database: &Database, month: u32, peak: Peak) -> Result<(), Error> {
    let known = database.begin_read()?.open_table(PEAKS)?.get(month)?.and_then(|known| parsed(known.value()));
    if known.is_some_and(|known: Peak| known.watts >= peak.watts) {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    transaction.open_table(PEAKS)?.insert(month, json(&peak).as_slice())?;
    Ok(transaction.commit()?)
}

/// Keeps energy registers: millijoules imported and exported, by meter.
pub(super) fn write_registers(database: &Database, registers: &[(&str, (u64, u64))]) -> Result<(), Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    for &(meter, millijoules) in registers {
        transaction.open_table(REGISTERS)?.insert(meter, millijoules)?;
    }
    Ok(transaction.commit()?)
}

/// One record of the journal; `None` where a later version of the program wrote something else.
pub(super) fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("records are plain data")
}

fn write_one(transaction: &WriteTransaction, record: &Record) -> Result<(), Error> {
    match record {
        Record::SessionStarted { charger, session, tag, at, register } => {
            forget_number_of_another(transaction, charger, *session, at.map(|at| at.0))?;
            let started = |record: &mut SessionRecord| {
                record.tag = cut(tag);
                record.started_ms = record.started_ms.or(at.map(|at| at.0));
                record.register_wh = record.register_wh.or(register.map(|register| register.0));
            };
            write_session(transaction, charger, *session, started)
        }
        Record::SessionEnded { charger, session, at, energy, why } => {
            let ended = |record: &mut SessionRecord| {
                record.ended_ms = at.map(|at| at.0);
                record.energy_wh = energy.map(|energy| energy.0);
                record.why = Some(cut(why));
            };
            write_session(transaction, charger, *session, ended)
        }
        Record::Learnt { identity, memory } => learn(transaction, identity, memory),
        Record::Guarded { circuit, memory } => guard(transaction, circuit, memory),
        Record::Alert(alert) => write_event(transaction, alert),
    }
}

/// A number may come back: a Modbus charger's sessions are counted from 1 after every start of the box.
/// The start of another session leaves the record of that number as it is, and ends what the outlet
/// had running; if in doubt a session stands there twice rather than not at all.
fn forget_number_of_another(
    transaction: &WriteTransaction,
    charger: &str,
    session: u64,
    started_ms: Option<i64>,
) -> Result<(), Error> {
    let mut sessions = transaction.open_table(SESSIONS)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let mut running = transaction.open_table(RUNNING)?;
    let known = numbers.get((charger, session))?.map(|key| key.value());
    if let Some(key) = known {
        let record: Option<SessionRecord> = sessions.get(key)?.and_then(|record| parsed(record.value()));
        let same_start = |record: &SessionRecord| match (record.started_ms, started_ms) {
            (Some(before), Some(now)) => before == now,
            _ => record.why.is_none(),
        };
        if record.as_ref().is_some_and(same_start) {
            return Ok(());
        }
        numbers.remove((charger, session))?;
    }
    let mut unheard = Vec::new();
    for entry in running.iter()? {
        let key = entry?.0.value();
        let record: Option<SessionRecord> = sessions.get(key)?.and_then(|record| parsed(record.value()));
        unheard.extend(record.filter(|record| record.charger == charger).map(|record| (key, record)));
    }
    for (key, mut record) in unheard {
        record.why = Some(END_UNHEARD.to_owned());
        sessions.insert(key, json(&record).as_slice())?;
        running.remove(key)?;
    }
    Ok(())
}

fn write_session(
    transaction: &WriteTransaction,
    charger: &str,
    session: u64,
    change: impl FnOnce(&mut SessionRecord),
) -> Result<(), Error> {
    let mut sessions = transaction.open_table(SESSIONS)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let known = numbers.get((charger, session))?.map(|key| key.value());
    let key = match known {
        Some(key) => key,
        None => next_key(&sessions)?,
    };
    let stored = sessions.get(key)?.and_then(|record| parsed(record.value()));
    let mut record = stored.unwrap_or_else(|| SessionRecord {
        charger: charger.to_owned(),
        session,
        ..Default::default()
    });
    change(&mut record);
    sessions.insert(key, json(&record).as_slice())?;
    numbers.insert((charger, session), key)?;
    let mut running = transaction.open_table(RUNNING)?;
    if record.why.is_none() {
        running.insert(key, ())?;
    } else {
        running.remove(key)?;
    }
    let mut counters = transaction.open_table(COUNTERS)?;
    let last = counters.get(LAST_SESSION)?.map_or(0, |last| last.value());
    if session > last {
        counters.insert(LAST_SESSION, session)?;
    }
    Ok(())
}

fn guard(transaction: &WriteTransaction, circuit: &str, memory: &str) -> Result<(), Error> {
    let mut guards = transaction.open_table(GUARDS)?;
    let room = guards.len()? < MAX_LEARNT || guards.get(circuit)?.is_some();
    if room && memory.len() <= MAX_MEMORY {
        guards.insert(circuit, memory)?;
    }
    Ok(())
}

fn learn(transaction: &WriteTransaction, identity: &str, memory: &str) -> Result<(), Error> {
    let mut learnt = transaction.open_table(LEARNT)?;
    let room = learnt.len()? < MAX_LEARNT || learnt.get(identity)?.is_some();
    if room && memory.len() <= MAX_MEMORY {
        learnt.insert(identity, memory)?;
    } else {
        tracing::warn!(identity, bytes = memory.len(), "what was learnt is too much to be kept");
    }
    Ok(())
}

/// The alert knows its instant; the calendar is asked how long ago that was.
fn write_event(transaction: &WriteTransaction, alert: &Alert) -> Result<(), Error> {
    let ago = i64::try_from(clock::now().since(alert.at).as_millis()).unwrap_or(0);
    let wall = clock::wall().map(|wall| dlb_engine::time::WallTime(wall.0 - ago));
    let mut events = transaction.open_table(EVENTS)?;
    let key = next_key(&events)?;
    events.insert(key, json(&EventRecord::of(alert, wall)).as_slice())?;
    Ok(())
}

fn next_key(table: &Table<'_, u64, &'static [u8]>) -> Result<u64, Error> {
    Ok(table.last()?.map_or(1, |(key, _)| key.value() + 1))
}

/// Removes the oldest beyond the bounds; a session that runs stays.
fn prune(transaction: &WriteTransaction, bounds: &Bounds) -> Result<(), Error> {
    let mut events = transaction.open_table(EVENTS)?;
    while events.len()? > bounds.events {
        events.pop_first()?;
    }
    let mut sessions = transaction.open_table(SESSIONS)?;
    let running = transaction.open_table(RUNNING)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let surplus = sessions.len()?.saturating_sub(bounds.sessions + running.len()?);
    for _ in 0..surplus {
        let mut oldest = None;
        for entry in sessions.iter()? {
            let (key, record) = entry?;
            if running.get(key.value())?.is_none() {
                oldest = Some((key.value(), parsed::<SessionRecord>(record.value())));
                break;
            }
        }
        let Some((key, record)) = oldest else { break };
        sessions.remove(key)?;
        // The number may be that of a later session by now.
        if let Some(record) = record {
            let number = (record.charger.as_str(), record.session);
            if numbers.get(number)?.is_some_and(|at| at.value() == key) {
                numbers.remove(number)?;
            }
        }
    }
    Ok(())
}
