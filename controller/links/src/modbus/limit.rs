//! The limit of one charger: written, read back where that is possible, and only then accepted.
//!
//! A limit that may be in force counts until a lower one has been accepted. A write without an answer
//! may have arrived: what is in force is then unknown, and the order is written again.

use super::charger_map::{ChargerMap, Limit, Pause};
use super::reads::{Read, read_of};
use super::register::Words;
use super::wire::Function;
use crate::charger::Notice;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use std::collections::VecDeque;

const READBACK_EVERY: Duration = Duration::from_millis(500);
const REFUSED_RETRY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct LimitOrder {
    map: Limit,
    rating: Milliamps,
    /// What was ordered, as it was ordered, and when.
    order: Milliamps,
    since: Instant,
    /// What the charger has been told and has taken; `None`: not known.
    taken: Option<Milliamps>,
    /// The pause register stands at "on"; `None`: not known.
    enabled: Option<bool>,
    stage: Stage,
    not_before: Instant,
}

#[derive(Debug)]
enum Stage {
    Idle,
    Writing { told: Milliamps, left: VecDeque<Function> },
    Reading { told: Milliamps, read: Read, until: Instant, next: Instant },
}

impl LimitOrder {
    pub(super) fn new(map: &ChargerMap, order: Milliamps, rating: Milliamps, now: Instant) -> Self {
        Self {
            map: map.limit.clone(),
            rating,
            order,
            since: now,
            taken: None,
            enabled: None,
            stage: Stage::Idle,
            not_before: now,
        }
    }

    /// Takes an order. The same order again is said to the charger again; another one that comes to the
    /// same is answered at once.
    pub(super) fn set(&mut self, now: Instant, order: Milliamps) -> Option<Notice> {
        let stands = matches!(self.stage, Stage::Idle) && self.taken.is_some();
        if order == self.order {
            if stands {
                self.forget(now);
            }
            return None;
        }
        self.order = order;
        self.since = now;
        self.not_before = now;
        (stands && self.taken == Some(self.told())).then_some(Notice::LimitAccepted(order))
    }

    /// Out of reach, others are given what this charger had above its fallback: when it comes back it
    /// must not be told more than that before somebody asks for it anew.
    pub(super) fn lapse(&mut self, now: Instant, fallback: Milliamps) {
        self.order = self.order.min(fallback);
        self.forget(now);
    }

    pub(super) const fn order(&self) -> Milliamps {
        self.order
    }

    /// The charger has taken a limit, and it is known which.
    pub(super) const fn taken(&self) -> bool {
        self.taken.is_some()
    }

    /// What the charger stands at may have changed behind our back.
    pub(super) fn forget(&mut self, now: Instant) {
        self.taken = None;
        self.enabled = None;
        self.stage = Stage::Idle;
        self.since = now;
        self.not_before = now;
    }

    /// When there is something to do, since when, and whether it lowers what may be in force.
    pub(super) fn due(&self) -> Option<(Instant, bool)> {
        let lowers = self.taken.is_none_or(|taken| self.told() < taken);
        match &self.stage {
            Stage::Idle if self.taken == Some(self.told()) => None,
            Stage::Idle | Stage::Writing { .. } => Some((self.since.max(self.not_before), lowers)),
            // An order that came meanwhile does not wait for the old one to be confirmed.
            Stage::Reading { told, .. } if *told != self.told() => Some((self.since, lowers)),
            Stage::Reading { next, .. } => Some((*next, true)),
        }
    }

    pub(super) fn request(&mut self) -> Function {
        let told = self.told();
        let stale = match &self.stage {
            Stage::Idle => true,
            Stage::Writing { told: under_way, left } => *under_way != told || left.is_empty(),
            Stage::Reading { told: under_way, read, .. } if *under_way == told => return read.function(),
            Stage::Reading { .. } => true,
        };
        if stale {
            self.taken = None;
            self.stage = Stage::Writing { told, left: self.writes(told).into() };
        }
        match &self.stage {
            Stage::Writing { left, .. } => left.front().cloned().unwrap_or_else(|| self.write(told)),
            _ => self.write(told),
        }
    }

    /// The last write or read was answered.
    pub(super) fn done(&mut self, now: Instant, answer: &[u16]) -> Option<Notice> {
        match &mut self.stage {
            Stage::Idle => None,
            Stage::Writing { told, left } => {
                let told = *told;
                let written = left.pop_front();
                let finished = left.is_empty();
                self.note_enabled(written.as_ref());
                if finished { self.written(now, told) } else { None }
            }
            Stage::Reading { told, read, until, .. } => {
                let (told, read, until) = (*told, *read, *until);
                self.read_back(now, told, read, until, answer)
            }
        }
    }

    /// The charger answered with a refusal that repetition will not change.
    pub(super) fn refused(&mut self, now: Instant, why: String) -> Notice {
        self.stage = Stage::Idle;
        self.taken = None;
        self.enabled = None;
        self.not_before = now + REFUSED_RETRY;
        Notice::LimitRefused { limit: self.order, why }
    }

    /// No answer: the write may or may not have arrived.
    pub(super) fn unanswered(&mut self) {
        self.taken = None;
        self.enabled = None;
        self.stage = Stage::Idle;
    }

    /// The writes that repeat what the charger stands at; never a new limit.
    pub(super) fn repeat(&self) -> Vec<Function> {
        match (&self.stage, self.taken) {
            (Stage::Idle, Some(taken)) => match (&self.map.pause, taken) {
                (Pause::Enable { off, .. }, Milliamps::ZERO) => self.pause(off),
                (Pause::Enable { on, .. }, taken) => vec![self.write(taken), on.clone()],
                (Pause::Zero, taken) => vec![self.write(taken)],
            },
            _ => Vec::new(),
        }
    }

    /// A look at the readback in passing: does the charger still stand at what it took?
    pub(super) fn drifted(&self, words: &Words) -> bool {
        let (Stage::Idle, Some(taken)) = (&self.stage, self.taken) else { return false };
        self.map.readback.as_ref().and_then(|it| it.value(words)).is_some_and(|amps| !self.fits(taken, amps))
    }

    pub(super) fn readback(&self) -> Option<Read> {
        self.map.readback.as_ref().map(read_of)
    }

    fn told(&self) -> Milliamps {
        self.map.told(self.order, self.rating)
    }

    fn write(&self, told: Milliamps) -> Function {
        self.map.write.function(told.as_amps())
    }

    /// The limit first, then the permission to charge; a pause is one write where it is known how the charger stands.
    fn writes(&self, told: Milliamps) -> Vec<Function> {
        match &self.map.pause {
            Pause::Enable { off, .. } if told == Milliamps::ZERO && self.enabled.is_some() => {
                vec![off.clone()]
            }
            Pause::Enable { off, .. } if told == Milliamps::ZERO => self.pause(off),
            Pause::Enable { on, .. } if self.enabled != Some(true) => vec![self.write(told), on.clone()],
            _ => vec![self.write(told)],
        }
    }

    /// A charger that has fallen back holds on to its fallback, pause or not, until both have been written.
    fn pause(&self, off: &Function) -> Vec<Function> {
        vec![self.write(self.map.min), off.clone()]
    }

    fn note_enabled(&mut self, written: Option<&Function>) {
        if let Pause::Enable { on, off } = &self.map.pause {
            match written {
                Some(function) if function == on => self.enabled = Some(true),
                Some(function) if function == off => self.enabled = Some(false),
                _ => {}
            }
        }
    }

    fn written(&mut self, now: Instant, told: Milliamps) -> Option<Notice> {
        // A pause by its own register leaves the limit, and its readback, as they were.
        let silent = told == Milliamps::ZERO && matches!(self.map.pause, Pause::Enable { .. });
        match self.readback().filter(|_| !silent) {
            Some(read) => {
                let until = now + self.map.settle;
                self.stage = Stage::Reading { told, read, until, next: now };
                None
            }
            None => self.accepted(told),
        }
    }

    fn read_back(
        &mut self,
        now: Instant,
        told: Milliamps,
        read: Read,
        until: Instant,
        answer: &[u16],
    ) -> Option<Notice> {
        let mut words = Words::new();
        read.keep(answer, &mut words);
        let shown = self.map.readback.as_ref().and_then(|it| it.value(&words));
        if shown.is_some_and(|amps| self.fits(told, amps)) {
            return self.accepted(told);
        }
        if now < until {
            self.stage = Stage::Reading { told, read, until, next: now + READBACK_EVERY };
            return None;
        }
        let shown = shown.map_or("nothing".to_string(), |amps| format!("{amps:.1} A"));
        Some(self.refused(now, format!("it was told {told} and shows {shown}")))
    }

    /// Never more than it was told; a paused charger may show anything below its minimum.
    fn fits(&self, told: Milliamps, shown_amps: f64) -> bool {
        let shown = Milliamps::from_amps_f64(shown_amps);
        if told == Milliamps::ZERO { shown < self.map.min } else { shown <= told + Milliamps(100) }
    }

    fn accepted(&mut self, told: Milliamps) -> Option<Notice> {
        self.stage = Stage::Idle;
        self.taken = Some(told);
        (told == self.told()).then_some(Notice::LimitAccepted(self.order))
    }
}
