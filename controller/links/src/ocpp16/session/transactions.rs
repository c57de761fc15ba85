//! Transactions: begun, found running, ended.

use super::Session;
use crate::charger::{Notice, Outlet, OutletState};
use crate::ocpp16::call::Answer;
use crate::ocpp16::desk::{Reported, Transaction};
use crate::ocpp16::fields::FieldFault;
use crate::ocpp16::memory::{Running, Started};
use crate::ocpp16::profile::Purpose;
use crate::ocpp16::request::{Start, Stop};
use dlb_engine::time::{Instant, WallTime};
use dlb_engine::units::WattHours;

const ENDED_MAX: usize = 16;
/// Seconds from 1970 to the first second of transaction numbers, so that they fit 31 bits until 2088.
const NUMBERS_BEGIN: i64 = 1_600_000_000;
const NUMBER_MAX: i64 = i32::MAX as i64;

/// Why a session is reported as over.
struct End {
    register: Option<WattHours>,
    at: Option<WallTime>,
    why: String,
}

impl Session {
    /// A number that no transaction of this charger has had, also before a restart.
    fn new_number(&mut self, now: Instant) -> i64 {
        let by_clock = self.calendar.wall(now).map_or(0, |wall| wall.0 / 1000 - NUMBERS_BEGIN);
        let least = (self.memory.last_transaction + 1).max(by_clock).max(self.settings.transaction_floor + 1);
        let number = if least >= NUMBER_MAX { 1 } else { least };
        self.memory.last_transaction = number;
        self.memory_changed = true;
        number
    }

    pub(super) fn start(&mut self, now: Instant, outlet: Outlet, start: Start) -> Answer {
        let adopted = self.settings.adopted;
        let accepted = adopted && self.desks.get(&outlet).is_some_and(|desk| desk.place.is_some());
        if adopted && !accepted {
            let (name, number) = (&self.settings.identity, outlet.0);
            let text = format!(
                "A car wants to charge at outlet {number} of {name}, which is not configured. Add it."
            );
            self.notice_all(&Notice::Trouble(text));
        }
        if let Some(transaction) = self.started_before(outlet, &start) {
            return Answer::Start { transaction, accepted };
        }
        let wall = self.calendar.wall(now);
        let age = self.clock.age(now, wall, start.at);
        let provisional = self.desks.get(&outlet).and_then(|desk| desk.transaction.as_ref());
        let id = match provisional {
            Some(found) if found.wire.is_none() => found.id,
            _ => self.new_number(now),
        };
        let transaction = Transaction {
            id,
            wire: Some(id),
            tag: start.tag.clone(),
            started: start.at.or(wall),
            register: start.register,
            began: age.map_or(now, |age| now - age),
            confirmed: age.is_some(),
            reported: Reported::No,
        };
        self.begin(now, outlet, transaction);
        self.remember(outlet, start, id);
        Answer::Start { transaction: id, accepted }
    }

    /// A charger that did not get its answer asks again.
    fn started_before(&self, outlet: Outlet, start: &Start) -> Option<i64> {
        let at_ms = start.at?.0;
        let register_wh = start.register.map(|register| register.0);
        let mut starts = self.memory.starts.iter();
        let same = starts.find(|known| {
            known.outlet == outlet.0
                && known.at_ms == at_ms
                && known.register_wh == register_wh
                && known.tag == start.tag
        });
        same.map(|known| known.transaction)
    }

    fn remember(&mut self, outlet: Outlet, start: Start, transaction: i64) {
        if let Some(at) = start.at {
            let register_wh = start.register.map(|register| register.0);
            self.memory.remember_start(Started {
                outlet: outlet.0,
                tag: start.tag,
                at_ms: at.0,
                register_wh,
                transaction,
            });
        }
        self.remember_running();
    }

    /// Makes a transaction the outlet's own, unless it is an old one told late.
    fn begin(&mut self, now: Instant, outlet: Outlet, transaction: Transaction) {
        let blocked = !self.settings.adopted;
        let limit_ends = self.limit_ends_with_transaction();
        let Some(desk) = self.desk_or_new(outlet) else { return };
        desk.paused = None;
        desk.start_at = None;
        desk.starts = 0;
        desk.found_at = None;
        let late = !transaction.confirmed && desk.running().is_some();
        if late {
            desk.put_aside(transaction);
            return;
        }
        let before = desk.transaction.as_ref().filter(|before| before.id != transaction.id).cloned();
        if before.is_some() {
            desk.end_transaction(limit_ends);
        }
        desk.ending = None;
        desk.transaction = Some(transaction);
        desk.announced = None;
        desk.values_at = Some(now);
        if let Some(before) = before {
            let why = "another transaction began".to_owned();
            self.tell_end(outlet, &before, End { register: None, at: None, why });
        }
        if !blocked {
            self.tell_session(outlet);
        }
    }

    /// Reports the running transaction, once. One that is recalled waits for evidence.
    pub(super) fn tell_session(&mut self, outlet: Outlet) {
        let Some(desk) = self.desks.get_mut(&outlet).filter(|desk| desk.place.is_some()) else { return };
        let Some(transaction) = desk.transaction.as_mut() else { return };
        let recalled = transaction.reported == Reported::Earlier && !transaction.confirmed;
        if recalled || transaction.reported == Reported::Yes {
            return;
        }
        transaction.reported = Reported::Yes;
        let notice = started(transaction);
        self.notice(outlet, notice);
        self.remember_running();
    }

    fn tell_end(&mut self, outlet: Outlet, transaction: &Transaction, end: End) {
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(transaction.wire.unwrap_or(transaction.id));
        if transaction.reported == Reported::Earlier {
            // It ended while we were away: whoever keeps records hears of both ends.
            self.notice(outlet, started(transaction));
        }
        if transaction.reported != Reported::No {
            let End { register, at, why } = end;
            self.notice(outlet, Notice::SessionStopped { transaction: transaction.id, register, at, why });
        }
        self.remember_running();
        self.announce_idle(outlet);
    }

    pub(super) fn stop_transaction(&mut self, now: Instant, stop: Stop) -> Result<(), FieldFault> {
        let wall = self.calendar.wall(now);
        self.clock.age(now, wall, stop.at);
        let end = End { register: stop.register, at: stop.at.or(wall), why: stop.reason };
        let Some(number) = stop.transaction else { return self.stop_the_only_one(end) };
        let Some(outlet) = self.outlet_of(number) else {
            self.stop_unknown(number, end);
            return Ok(());
        };
        let limit_ends = self.limit_ends_with_transaction();
        let Some(desk) = self.desks.get_mut(&outlet) else { return Ok(()) };
        let current = desk.transaction.as_ref().is_some_and(|transaction| transaction.is(number));
        let ended = if current {
            desk.end_transaction(limit_ends)
        } else {
            let position = desk.past.iter().position(|transaction| transaction.is(number));
            position.map(|position| desk.past.remove(position))
        };
        if let Some(transaction) = ended {
            self.tell_end(outlet, &transaction, end);
        }
        Ok(())
    }

    fn outlet_of(&self, number: i64) -> Option<Outlet> {
        let mut desks = self.desks.iter();
        let holds = |transaction: &Transaction| transaction.is(number);
        let found = desks.find(|(_, desk)| desk.transaction.iter().any(holds) || desk.past.iter().any(holds));
        found.map(|(outlet, _)| *outlet)
    }

    /// Without a number it can only be the one that is running.
    fn stop_the_only_one(&mut self, end: End) -> Result<(), FieldFault> {
        let running: Vec<Outlet> = self
            .desks
            .iter()
            .filter(|(_, desk)| desk.transaction.is_some())
            .map(|(outlet, _)| *outlet)
            .collect();
        let [outlet] = running[..] else { return Err(FieldFault::Missing("transactionId")) };
        self.end_current(outlet, end);
        Ok(())
    }

    /// The end of a transaction that we do not know: of one that was found running, or from before.
    fn stop_unknown(&mut self, number: i64, end: End) {
        if self.ended.contains(&number) {
            return;
        }
        let mut desks = self.desks.iter();
        let nameless = |transaction: &Transaction| transaction.wire.is_none();
        let found = desks.find(|(_, desk)| desk.transaction.as_ref().is_some_and(nameless));
        if let Some((outlet, _)) = found {
            let outlet = *outlet;
            self.end_current(outlet, end);
        } else if let [only] = self.placed()[..]
            && self.desks[&only].transaction.is_none()
        {
            let End { register, at, why } = end;
            self.ended.push_back(number);
            self.notice(only, Notice::SessionStopped { transaction: number, register, at, why });
        }
    }

    fn end_current(&mut self, outlet: Outlet, end: End) {
        let limit_ends = self.limit_ends_with_transaction();
        let ended = self.desks.get_mut(&outlet).and_then(|desk| desk.end_transaction(limit_ends));
        if let Some(transaction) = ended {
            self.tell_end(outlet, &transaction, end);
        }
    }

    /// The car went and no end was told in time.
    pub(super) fn end_without_word(&mut self, now: Instant, outlet: Outlet) {
        let end = End { register: None, at: self.calendar.wall(now), why: "the car is gone".to_owned() };
        self.end_current(outlet, end);
    }

    /// It charges and no start was told: there is a transaction that began before we listened.
    pub(super) fn take_for_found(&mut self, now: Instant, outlet: Outlet) {
        let id = self.new_number(now);
        self.begin(now, outlet, Transaction::found(now, id, None));
        self.remember_running();
    }

    /// The charger says which transaction is running; it must know.
    pub(super) fn confirm(&mut self, now: Instant, outlet: Outlet, number: i64) {
        if self.ended.contains(&number) {
            return;
        }
        let Some(desk) = self.desk_or_new(outlet) else { return };
        match &mut desk.transaction {
            Some(known) if known.wire.is_none() || known.is(number) => {
                known.wire = Some(number);
                known.confirmed = true;
                self.tell_session(outlet);
            }
            _ => {
                self.begin(now, outlet, Transaction::found(now, number, Some(number)));
                self.remember_running();
            }
        }
    }

    /// Limits that belong to the transaction end with it; the others stay in force until replaced.
    pub(super) fn limit_ends_with_transaction(&self) -> bool {
        self.recipe().is_none_or(|recipe| recipe.purpose == Purpose::Tx)
    }

    fn remember_running(&mut self) {
        let running = |(outlet, transaction): (&Outlet, &Transaction)| Running {
            outlet: outlet.0,
            transaction: transaction.wire.unwrap_or(transaction.id),
            tag: transaction.tag.clone(),
            started_ms: transaction.started.map(|at| at.0),
            register_wh: transaction.register.map(|register| register.0),
        };
        let desks = self.desks.iter().filter_map(|(outlet, desk)| Some((outlet, desk.transaction.as_ref()?)));
        let now_running: Vec<Running> = desks.map(running).collect();
        if self.memory.running != now_running {
            self.memory.running = now_running;
            self.memory_changed = true;
        }
    }

    /// After a restart: what was running is taken to run until the charger says otherwise, and is
    /// reported and limited as soon as there is evidence.
    pub(super) fn recall_transactions(&mut self, now: Instant) {
        for known in self.memory.running.clone() {
            let Some(desk) = self.desk_or_new(Outlet(known.outlet)) else { continue };
            desk.transaction = Some(Transaction {
                id: known.transaction,
                wire: Some(known.transaction),
                tag: known.tag,
                started: known.started_ms.map(WallTime),
                register: known.register_wh.map(WattHours),
                began: now,
                confirmed: false,
                reported: Reported::Earlier,
            });
            desk.state = OutletState::Unknown;
        }
    }
}

fn started(transaction: &Transaction) -> Notice {
    Notice::SessionStarted {
        transaction: transaction.id,
        tag: transaction.tag.clone(),
        register: transaction.register,
        at: transaction.started,
    }
}
