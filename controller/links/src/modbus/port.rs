//! Everything on one TCP connection or RS-485 line, one request under way at a time.
//!
//! Who goes first: a watchdog about to run out, a lowered limit, keep-alives, whoever has waited too
//! long, raised limits, meters, chargers' own measurements, and last the search for what is absent.
//!
//! An answer belongs to the request under way. If none comes in [`ANSWER_MAX`] the device is told so,
//! and the port still waits: the next request goes out only when the old one has been answered, so that
//! a late answer is never taken for another's.

use super::charger::{Charger, ChargerSettings, Task};
use super::charger_map::ChargerMap;
use super::meter::Meter;
use super::meter_map::MeterMap;
use super::urgency::{Offer, Urgency};
use super::wire::{Fault, Request};
use crate::charger::{Abilities, Notice};
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::time::{Duration, Instant, earliest};
use dlb_engine::units::Milliamps;
use std::collections::{BTreeMap, VecDeque};

/// The program gives up on a request long before this.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Between two searches for absent devices.
const SEARCH_EVERY: Duration = Duration::from_secs(2);
const RECONNECT_MAX: Duration = Duration::from_secs(5);
/// After this many refused connections in a row everything behind it is out of reach.
const DOWN_AFTER: u32 = 3;
/// Nobody collects the notices: stop asking.
const NOTICES_MAX: usize = 1000;

/// Something learnt about one device, with the key under which it was added.
#[derive(Clone, Debug, PartialEq)]
pub enum PortNotice {
    Meter(usize, Result<Reading, NoReading>),
    Charger(usize, Notice),
}

/// The clients of one connection or line.
#[derive(Debug, Default)]
pub struct Port {
    now: Instant,
    meters: BTreeMap<usize, Meter>,
    chargers: BTreeMap<usize, Charger>,
    under_way: Option<UnderWay>,
    notices: VecDeque<PortNotice>,
    /// Refused connections in a row, and how long to leave it alone.
    refused: u32,
    not_before: Instant,
    search_after: Instant,
    stopping: bool,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    device: Device,
    sent: Instant,
    words: usize,
    searches: bool,
    /// The device has been told that there was no answer.
    given_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    Meter(usize),
    Charger(usize, Task),
}

impl Port {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add_meter(&mut self, key: usize, unit: u8, map: &MeterMap, every: Duration, now: Instant) {
        self.now = self.now.max(now);
        self.meters.insert(key, Meter::new(unit, map, every, now));
    }

    pub fn add_charger(
        &mut self,
        key: usize,
        unit: u8,
        map: &ChargerMap,
        settings: ChargerSettings,
        now: Instant,
    ) {
        self.now = self.now.max(now);
        self.chargers.insert(key, Charger::new(unit, map, settings, now));
    }

    /// Orders a limit; it stands until the next one. Before the first the charger is held at its fallback.
    pub fn set_limit(&mut self, now: Instant, key: usize, limit: Milliamps) {
        self.now = self.now.max(now);
        if let Some(charger) = self.chargers.get_mut(&key) {
            charger.set_limit(now, limit);
            self.collect(key);
        }
    }

    /// The answer to the last request; a write is answered with no registers.
    pub fn answered(&mut self, now: Instant, answer: Result<Vec<u16>, Fault>) {
        self.now = self.now.max(now);
        let Some(under_way) = self.under_way.take() else { return };
        if under_way.given_up {
            return;
        }
        let answer = match answer {
            Ok(words) if words.len() != under_way.words => Err(Fault::Garbled),
            answer => answer,
        };
        self.deliver(under_way, answer);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let Some(mut under_way) = self.under_way else { return };
        if !under_way.given_up && self.now.since(under_way.sent) >= ANSWER_MAX {
            under_way.given_up = true;
            self.under_way = Some(under_way);
            self.deliver(under_way, Err(Fault::Timeout));
        }
    }

    /// What to ask next; `None` while a request is under way or nothing is due.
    pub fn next_request(&mut self) -> Option<Request> {
        if self.under_way.is_some() || self.now < self.not_before || self.notices.len() >= NOTICES_MAX {
            return None;
        }
        let offer = self.best()?;
        let (unit, function) = match offer.task {
            Device::Meter(key) => {
                let meter = self.meters.get_mut(&key)?;
                (meter.unit, meter.request(self.now))
            }
            Device::Charger(key, task) => {
                let charger = self.chargers.get_mut(&key)?;
                (charger.unit, charger.request(self.now, task))
            }
        };
        self.under_way = Some(UnderWay {
            device: offer.task,
            sent: self.now,
            words: function.answer_words(),
            searches: offer.urgency == Urgency::Absent,
            given_up: false,
        });
        Some(Request { unit, function })
    }

    pub fn next_notice(&mut self) -> Option<PortNotice> {
        self.notices.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.under_way {
            Some(UnderWay { given_up: true, .. }) => None,
            Some(under_way) => Some(under_way.sent + ANSWER_MAX),
            None => self.next_due().map(|due| due.max(self.not_before)),
        }
    }

    /// What the charger can do; a guess of no promise for a key that was never added.
    #[must_use]
    pub fn abilities(&self, key: usize) -> Abilities {
        self.chargers.get(&key).map_or_else(Abilities::default, Charger::abilities)
    }

    /// Puts chargers on their fallback and does nothing else any more.
    pub fn stop(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.stopping = true;
        for charger in self.chargers.values_mut() {
            charger.stop(now);
        }
    }

    /// After [`Self::stop`]: every charger that can be reached has taken its last limit. What a meter may
    /// still answer is not waited for.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stopping && self.chargers.values().all(Charger::stopped)
    }

    fn best(&self) -> Option<Offer<Device>> {
        let now = self.now;
        let offers = self.meter_offers().chain(self.charger_offers());
        let ready = offers.filter(|it| it.due <= now && self.may_search(it));
        ready.min_by_key(|it| (it.urgency_at(now), it.due))
    }

    fn may_search(&self, offer: &Offer<Device>) -> bool {
        offer.urgency != Urgency::Absent || self.search_after <= self.now
    }

    fn meter_offers(&self) -> impl Iterator<Item = Offer<Device>> + '_ {
        let meters = self.meters.iter().filter(|_| !self.stopping);
        meters.map(|(key, meter)| Offer {
            urgency: if meter.absent() { Urgency::Absent } else { Urgency::MeterPoll },
            due: meter.due(),
            task: Device::Meter(*key),
        })
    }

    fn charger_offers(&self) -> impl Iterator<Item = Offer<Device>> + '_ {
        self.chargers.iter().filter_map(|(key, charger)| {
            let offer = charger.offer_at(self.now)?;
            Some(Offer { urgency: offer.urgency, due: offer.due, task: Device::Charger(*key, offer.task) })
        })
    }

    fn next_due(&self) -> Option<Instant> {
        let absent = |urgency: Urgency, due: Instant| {
            if urgency == Urgency::Absent { due.max(self.search_after) } else { due }
        };
        let meters = self.meter_offers().map(|it| absent(it.urgency, it.due));
        let chargers = self.chargers.values().filter_map(Charger::offer).map(|it| absent(it.urgency, it.due));
        meters.chain(chargers).fold(None, |first, due| earliest(first, Some(due)))
    }

    fn deliver(&mut self, under_way: UnderWay, answer: Result<Vec<u16>, Fault>) {
        let fault = answer.as_ref().err().copied();
        match under_way.device {
            Device::Meter(key) => {
                let outcome = self.meters.get_mut(&key).and_then(|meter| meter.answered(self.now, answer));
                self.notices.extend(outcome.map(|it| PortNotice::Meter(key, it)));
            }
            Device::Charger(key, _) => {
                if let Some(charger) = self.chargers.get_mut(&key) {
                    charger.answered(self.now, answer);
                }
                self.collect(key);
            }
        }
        self.note_line(under_way, fault);
    }

    /// What an answer says about the line, whoever was asked.
    fn note_line(&mut self, under_way: UnderWay, fault: Option<Fault>) {
        if under_way.searches && fault.is_some() {
            self.search_after = self.now + SEARCH_EVERY;
        }
        match fault {
            Some(Fault::Disconnected) => self.line_refused(),
            Some(Fault::Timeout) => {
                // A TCP connection is made anew after this, and some chargers forget with it.
                self.refused = 0;
                self.chargers.values_mut().for_each(|charger| charger.reconnected(self.now));
            }
            _ => self.refused = 0,
        }
    }

    fn line_refused(&mut self) {
        self.refused = self.refused.saturating_add(1);
        let wait = Duration::from_millis(125) * (1 << self.refused.min(6));
        self.not_before = self.now + wait.min(RECONNECT_MAX);
        if self.refused == DOWN_AFTER {
            self.chargers.values_mut().for_each(|charger| charger.disconnected(self.now));
            let keys: Vec<usize> = self.chargers.keys().copied().collect();
            keys.into_iter().for_each(|key| self.collect(key));
        }
    }

    fn collect(&mut self, key: usize) {
        let Some(charger) = self.chargers.get_mut(&key) else { return };
        while let Some(notice) = charger.next_notice() {
            self.notices.push_back(PortNotice::Charger(key, notice));
        }
    }
}
