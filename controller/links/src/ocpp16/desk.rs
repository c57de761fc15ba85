//! One outlet: what it is doing, what it has been told, what it has taken.

use crate::charger::OutletState;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, Millivolts, WattHours};

/// Outlets beyond this number are not served; no station has as many.
pub const OUTLETS_MAX: u8 = 16;
/// Transactions of an outlet that are over but whose end was not yet told.
const PAST_MAX: usize = 8;

/// An outlet's place on the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub fallback: Milliamps,
    pub rating: Milliamps,
    pub phases: u8,
}

#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// `None`: the outlet is not part of the site.
    pub place: Option<Place>,
    pub state: OutletState,
    pub transaction: Option<Transaction>,
    pub past: Vec<Transaction>,
    /// The car is gone, the end of the transaction was not told: wait for it until then.
    pub ending: Option<Instant>,
    /// It charges without a transaction that we know of: take one for found then.
    pub found_at: Option<Instant>,
    /// A session is to be started by us then; how often that was tried since the car came.
    pub start_at: Option<Instant>,
    pub starts: u8,
    /// The tag of a transaction that was ended to pause it.
    pub paused: Option<String>,
    /// The fault that it last reported.
    pub error: Option<String>,
    pub wanted: Option<Milliamps>,
    /// The newest limit on the wire.
    pub sent: Option<Sent>,
    /// The limit that was last reported as accepted.
    pub announced: Option<Milliamps>,
    pub refusals: u8,
    pub retry_at: Option<Instant>,
    /// Why it takes no limit, until it takes one; its people were told already.
    pub gave_up: Option<String>,
    pub armed: Armed,
    pub number_phases: Option<u8>,
    pub car_phases: Option<u8>,
    /// The lowest plausible voltage of the last sample.
    pub volts: Option<Millivolts>,
    /// When fresh values were last heard, and when they were last asked for.
    pub values_at: Option<Instant>,
    pub values_asked: Option<Instant>,
}

/// A transaction as we know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Our number, the one in notices.
    pub id: i64,
    /// The charger's number. `None`: it was found running and has not said.
    pub wire: Option<i64>,
    pub tag: String,
    pub started: Option<WallTime>,
    /// The meter when it began.
    pub register: Option<WattHours>,
    pub began: Instant,
    /// There is evidence on this connection, or since its start, that it is running.
    pub confirmed: bool,
    pub reported: Reported,
}

impl Transaction {
    /// One that was running before anybody told us of it; `wire` is the charger's number, where it said one.
    pub fn found(now: Instant, id: i64, wire: Option<i64>) -> Self {
        Self {
            id,
            wire,
            tag: String::new(),
            started: None,
            register: None,
            began: now,
            confirmed: true,
            reported: Reported::No,
        }
    }
}

/// Has the site been told of a transaction?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// Not, and its end needs no report either.
    No,
    /// Before our restart: its end is worth reporting.
    Earlier,
    Yes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: String,
    pub value: Milliamps,
    /// What its watts were made with, where it was told in watts.
    pub volts: Millivolts,
    pub at: Instant,
    /// `None`: it lasts until it is replaced.
    pub lasts: Option<Duration>,
    pub accepted: bool,
}

/// Is the standing fallback installed?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Armed {
    #[default]
    Wanted,
    Yes(Milliamps),
    /// Refused; tried again then.
    No(Instant),
}

impl Desk {
    /// A transaction that takes limits.
    #[must_use]
    pub fn running(&self) -> Option<&Transaction> {
        self.transaction.as_ref().filter(|transaction| transaction.confirmed && self.ending.is_none())
    }

    /// What the charger holds is no longer known: its answers count for nothing until repeated.
    pub fn doubt_limit(&mut self) {
        if let Some(sent) = &mut self.sent {
            sent.accepted = false;
        }
        self.announced = None;
        self.retry_at = None;
    }

    /// It was told late and another one is running meanwhile.
    pub fn put_aside(&mut self, transaction: Transaction) {
        if self.past.len() >= PAST_MAX {
            self.past.remove(0);
        }
        self.past.push(transaction);
    }

    /// The transaction is over, and with it the limits that belonged to it.
    pub fn end_transaction(&mut self, limit_ends_too: bool) -> Option<Transaction> {
        self.ending = None;
        self.found_at = None;
        self.car_phases = None;
        self.announced = None;
        self.refusals = 0;
        self.retry_at = None;
        if limit_ends_too {
            self.sent = None;
        }
        self.transaction.take()
    }
}

impl Transaction {
    #[must_use]
    pub fn is(&self, number: i64) -> bool {
        self.wire.map_or(self.id == number, |wire| wire == number)
    }
}

impl Sent {
    #[must_use]
    pub fn alive(&self, now: Instant) -> bool {
        self.lasts.is_none_or(|lasts| now < self.at + lasts)
    }

    /// Renewed after a third of its life, so that two renewals may be lost.
    #[must_use]
    pub fn renew_at(&self) -> Option<Instant> {
        self.lasts.map(|lasts| self.at + lasts / 3)
    }
}
