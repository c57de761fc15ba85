//! One meter on a port: when it is read, in which reads, and what came of it.
//!
//! A reading is as old as the first request that went into it. A meter that does not answer is asked
//! again at growing distances, so that it does not slow the others on its line.

use super::meter_map::MeterMap;
use super::reads::Read;
use super::register::Words;
use super::sunspec::Walk;
use super::wire::{Fault, Function};
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::time::{Duration, Instant};

/// A lost meter is asked again after this at the latest.
const RETRY_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Meter {
    pub(super) unit: u8,
    map: MeterMap,
    every: Duration,
    /// When the next reading is to begin; the one under way keeps it.
    due: Instant,
    faults: u32,
    walk: Option<Walk>,
    reads: Vec<Read>,
    next: usize,
    words: Words,
    began: Option<Instant>,
}

impl Meter {
    pub(super) fn new(unit: u8, map: &MeterMap, every: Duration, now: Instant) -> Self {
        let walk = map.discovery.as_ref().map(super::sunspec::Discovery::begin);
        let reads = if walk.is_none() { map.reads(0) } else { Vec::new() };
        Self {
            unit,
            map: map.clone(),
            every: every.max(Duration::from_millis(50)),
            due: now,
            faults: 0,
            walk,
            reads,
            next: 0,
            words: Words::new(),
            began: None,
        }
    }

    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Has it failed so often that it counts as absent?
    pub(super) const fn absent(&self) -> bool {
        self.faults >= 3
    }

    pub(super) fn request(&mut self, now: Instant) -> Function {
        if self.began.is_none() {
            self.began = Some(now);
        }
        self.read().function()
    }

    /// Takes the answer to the last request. `None`: more must be read first.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        answer: Result<Vec<u16>, Fault>,
    ) -> Option<Result<Reading, NoReading>> {
        if let (Some(walk), true) = (self.walk, self.searching()) {
            return self.search(now, walk, answer);
        }
        match answer {
            Ok(words) => self.keep(now, &words),
            Err(fault) => Some(Err(self.failed(now, fault))),
        }
    }

    fn searching(&self) -> bool {
        !matches!(self.walk, None | Some(Walk::Found(_)))
    }

    /// Reads are never empty once the search is over, and `next` is kept within them.
    fn read(&self) -> Read {
        let search = self.walk.and_then(|walk| self.map.discovery.as_ref()?.read(walk));
        search.or_else(|| self.reads.get(self.next).copied()).unwrap_or(Read {
            table: super::register::Table::Holding,
            address: 0,
            count: 2,
        })
    }

    fn search(
        &mut self,
        now: Instant,
        walk: Walk,
        answer: Result<Vec<u16>, Fault>,
    ) -> Option<Result<Reading, NoReading>> {
        let head = match answer {
            Ok(words) => words.try_into().ok(),
            Err(fault) if fault.is_final() => None,
            Err(fault) => return Some(Err(self.failed(now, fault))),
        };
        let discovery = self.map.discovery.as_ref()?;
        let walk = discovery.step(walk, head, self.map.reach());
        self.walk = Some(walk);
        match walk {
            Walk::Found(base) => {
                self.reads = self.map.reads(base);
                self.next = 0;
                None
            }
            Walk::Nowhere => Some(Err(self.failed(now, Fault::Exception(2)))),
            Walk::Mark(_) | Walk::Head { .. } => None,
        }
    }

    fn keep(&mut self, now: Instant, words: &[u16]) -> Option<Result<Reading, NoReading>> {
        let read = self.read();
        read.keep(words, &mut self.words);
        self.next += 1;
        if self.next < self.reads.len() {
            return None;
        }
        let began = self.began.unwrap_or(now);
        let outcome = self.still_the_model().and_then(|base| self.map.reading(&self.words, base, began));
        match outcome {
            Ok(_) => self.done(now),
            Err(_) => {
                self.failed(now, Fault::Garbled);
            }
        }
        Some(outcome)
    }

    /// The address that offsets count from; garbled if another model lies there now.
    fn still_the_model(&self) -> Result<u16, NoReading> {
        let (Some(Walk::Found(base)), Some(discovery)) = (self.walk, &self.map.discovery) else {
            return Ok(0);
        };
        let model = self.words.get(&(discovery.table, base));
        if model.is_some_and(|model| discovery.models.contains(model)) {
            Ok(base)
        } else {
            Err(NoReading::Garbled)
        }
    }

    fn done(&mut self, now: Instant) {
        self.faults = 0;
        self.restart();
        self.due = (self.due + self.every).max(now);
    }

    fn failed(&mut self, now: Instant, fault: Fault) -> NoReading {
        self.faults = self.faults.saturating_add(1);
        self.restart();
        // What is found elsewhere after a garbled answer or a fault may be another device.
        if let Some(discovery) = &self.map.discovery {
            self.walk = Some(discovery.begin());
        }
        let wait = self.every * (1 << self.faults.min(6)) / 2;
        self.due = now + wait.min(RETRY_MAX);
        match fault {
            Fault::Timeout | Fault::Exception(10 | 11) => NoReading::Timeout,
            Fault::Disconnected => NoReading::Disconnected,
            Fault::Exception(_) => NoReading::Refused,
            Fault::Garbled => NoReading::Garbled,
        }
    }

    fn restart(&mut self) {
        self.next = 0;
        self.words.clear();
        self.began = None;
    }
}
