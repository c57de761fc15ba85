//! One charger on a port: found, told its fallback, held at its limit, fed, and asked how it is.
//!
//! The limit and the keep-alive do not wait for anybody: once a limit was ordered it is repeated for as
//! long as the port runs. What ends it is the charger's own fallback, when the box is gone, or its being
//! out of reach: then it comes back to its fallback, and waits for a new order.

use super::charger_map::ChargerMap;
use super::commission::Commission;
use super::keep_alive::KeepAlive;
use super::limit::LimitOrder;
use super::poll::Poll;
use super::urgency::{Offer, Urgency};
use super::wire::{Fault, Function};
use crate::charger::{Abilities, Notice};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use std::collections::VecDeque;

/// This many requests without an answer in a row: it is out of reach.
const FAULTS_MAX: u32 = 3;
const RETRY: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(20);

/// What the site says of a charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargerSettings {
    /// What it shall fall back to when it hears nothing.
    pub fallback: Milliamps,
    /// The most that it may ever be told.
    pub rating: Milliamps,
    /// A limit shall end by itself after this long without the box; each model has a range.
    pub limit_lifetime: Duration,
    /// Wanted interval of its measurements; the map may ask for a shorter one.
    pub measure_every: Duration,
}

impl Default for ChargerSettings {
    fn default() -> Self {
        Self {
            fallback: Milliamps(6_000),
            rating: Milliamps(32_000),
            limit_lifetime: Duration::from_secs(120),
            measure_every: Duration::from_secs(10),
        }
    }
}

#[derive(Debug)]
pub(super) struct Charger {
    pub(super) unit: u8,
    map: ChargerMap,
    fallback: Milliamps,
    presence: Presence,
    faults: u32,
    not_before: Instant,
    /// The site, and not only the start, has asked for a limit.
    ordered: bool,
    stopping: bool,
    commission: Commission,
    limit: LimitOrder,
    keep_alive: KeepAlive,
    poll: Poll,
    task: Task,
    notices: VecDeque<Notice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Unknown,
    Online,
    Offline,
}

/// What the request under way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Commission,
    Limit,
    KeepAlive,
    Poll,
}

impl Charger {
    pub(super) fn new(unit: u8, map: &ChargerMap, settings: ChargerSettings, now: Instant) -> Self {
        let rating = settings.rating.min(map.limit.max);
        let fallback = settings.fallback.min(rating);
        let limit = LimitOrder::new(map, fallback, rating, now);
        let commission = Commission::new(map, fallback, settings.limit_lifetime, now);
        let poll_every = map.poll_every.min(settings.measure_every);
        Self {
            unit,
            fallback,
            presence: Presence::Unknown,
            faults: 0,
            not_before: now,
            ordered: false,
            stopping: false,
            keep_alive: KeepAlive::new(map, commission.timeout(), now),
            commission,
            poll: Poll::new(map, limit.readback(), poll_every, now),
            limit,
            task: Task::Commission,
            notices: VecDeque::new(),
            map: map.clone(),
        }
    }

    pub(super) fn abilities(&self) -> Abilities {
        self.map.abilities()
    }

    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    pub(super) fn set_limit(&mut self, now: Instant, limit: Milliamps) {
        if self.stopping {
            return;
        }
        self.ordered = true;
        let known = self.presence == Presence::Online;
        let stands = self.limit.set(now, limit.max(Milliamps::ZERO)).filter(|_| known);
        self.notices.extend(stands);
    }

    /// The box is about to end: leave the charger at no more than its fallback, and do nothing else.
    pub(super) fn stop(&mut self, now: Instant) {
        let last = self.limit.order().min(self.fallback);
        self.set_limit(now, last);
        self.stopping = true;
    }

    /// Nothing is left to be written after [`Self::stop`].
    pub(super) fn stopped(&self) -> bool {
        self.presence != Presence::Online || self.limit.due().is_none()
    }

    /// The most urgent thing to do, and from when.
    pub(super) fn offer(&self) -> Option<Offer<Task>> {
        if self.presence != Presence::Online {
            let due = self.not_before;
            let urgency = match self.presence {
                Presence::Offline => Urgency::Absent,
                _ => Urgency::Commission,
            };
            return (!self.stopping).then_some(Offer { urgency, due, task: Task::Commission });
        }
        let offers =
            [self.limit_offer(), self.keep_alive_offer(), self.commission_offer(), self.poll_offer()];
        let offers = offers.into_iter().flatten();
        offers
            .map(|offer| Offer { due: offer.due.max(self.not_before), ..offer })
            .min_by_key(|it| (it.due, it.urgency))
    }

    /// The most urgent of what is due at `now`.
    pub(super) fn offer_at(&self, now: Instant) -> Option<Offer<Task>> {
        if self.presence != Presence::Online || now < self.not_before {
            return self.offer().filter(|it| it.due <= now);
        }
        let offers =
            [self.limit_offer(), self.keep_alive_offer(), self.commission_offer(), self.poll_offer()];
        offers.into_iter().flatten().filter(|it| it.due <= now).min_by_key(|it| (it.urgency_at(now), it.due))
    }

    pub(super) fn request(&mut self, now: Instant, task: Task) -> Function {
        self.task = task;
        let wanted = match task {
            Task::Limit => Some(self.limit.request()),
            Task::KeepAlive => self.keep_alive.request(now, || self.limit.repeat()),
            Task::Poll => self.poll.request(now),
            Task::Commission => self.commission_request(),
        };
        wanted.unwrap_or_else(|| self.map.state.label.read().function())
    }

    pub(super) fn answered(&mut self, now: Instant, answer: Result<Vec<u16>, Fault>) {
        match answer {
            Ok(words) => {
                self.heard();
                self.took(now, Ok(&words));
            }
            Err(fault) if fault.heard_device() => {
                self.heard();
                if fault.is_final() { self.took(now, Err(fault)) } else { self.wait(now) }
            }
            Err(fault) => self.silent(now, fault),
        }
    }

    /// The connection was made anew, for another device's sake.
    pub(super) fn reconnected(&mut self, now: Instant) {
        if self.map.forgets && self.presence == Presence::Online {
            self.begin_again(now);
        }
    }

    /// The whole connection is down.
    pub(super) fn disconnected(&mut self, now: Instant) {
        self.go_offline(now, Fault::Disconnected);
        self.not_before = now;
    }

    fn limit_offer(&self) -> Option<Offer<Task>> {
        let (due, lowers) = self.limit.due()?;
        // With nothing known to be in force any limit is a lowered one, and need not wait for the
        // fallback to be armed.
        let may = self.commission.done() || self.ordered;
        let urgency = if lowers && self.ordered { Urgency::Lower } else { Urgency::Raise };
        may.then_some(Offer { urgency, due, task: Task::Limit })
    }

    fn keep_alive_offer(&self) -> Option<Offer<Task>> {
        let due =
            self.keep_alive.due(self.limit.taken()).filter(|_| self.commission.done() && !self.stopping)?;
        Some(Offer { urgency: Urgency::KeepAlive, due, task: Task::KeepAlive })
    }

    fn commission_offer(&self) -> Option<Offer<Task>> {
        let begun = self.commission.request().map(|_| self.not_before);
        let due = begun.or_else(|| self.commission.verify_due(&self.map)).filter(|_| !self.stopping)?;
        let urgency = if self.commission.done() { Urgency::ChargerPoll } else { Urgency::Commission };
        Some(Offer { urgency, due, task: Task::Commission })
    }

    fn poll_offer(&self) -> Option<Offer<Task>> {
        let ready = self.commission.done() && !self.stopping;
        ready.then_some(Offer { urgency: Urgency::ChargerPoll, due: self.poll.due(), task: Task::Poll })
    }

    fn commission_request(&mut self) -> Option<Function> {
        if self.commission.request().is_none() && self.commission.done() {
            self.commission.begin_verify(&self.map);
        }
        self.commission.request()
    }

    /// The device itself said something.
    fn heard(&mut self) {
        self.faults = 0;
        if self.presence != Presence::Online {
            self.presence = Presence::Online;
            self.notices.push_back(Notice::Online);
        }
    }

    /// The request under way has its answer, or a refusal that will not change.
    fn took(&mut self, now: Instant, answer: Result<&[u16], Fault>) {
        match self.task {
            Task::Commission => self.took_commission(now, answer),
            Task::Limit => self.took_limit(now, answer),
            Task::KeepAlive => self.took_keep_alive(now, answer),
            Task::Poll => self.took_poll(now, answer),
        }
    }

    fn took_commission(&mut self, now: Instant, answer: Result<&[u16], Fault>) {
        let reset = self.commission.answered(now, &self.map, answer, &mut self.notices);
        self.keep_alive.set_timeout(self.commission.timeout());
        if reset {
            self.limit.forget(now);
        }
    }

    fn took_limit(&mut self, now: Instant, answer: Result<&[u16], Fault>) {
        let notice = match answer {
            Ok(words) => self.limit.done(now, words),
            Err(fault) => Some(self.limit.refused(now, fault.to_string())),
        };
        if matches!(notice, Some(Notice::LimitAccepted(_))) {
            self.poll.hurry(now, self.map.limit.settle + Duration::from_secs(2));
        }
        self.notices.extend(notice);
    }

    fn took_keep_alive(&mut self, now: Instant, answer: Result<&[u16], Fault>) {
        let first = self.keep_alive.done(now, answer.is_ok());
        if let (Err(fault), true) = (answer, first) {
            let text = format!("Its keep-alive is refused: {fault}. Check that its map fits its model.");
            self.notices.push_back(Notice::Trouble(text));
        }
    }

    fn took_poll(&mut self, now: Instant, answer: Result<&[u16], Fault>) {
        let Some((began, words)) = self.poll.answered(now, answer) else { return };
        if self.poll.tell(&self.map, began, &words, &mut self.notices).is_err() {
            self.silent(now, Fault::Garbled);
        } else if self.limit.drifted(&words) {
            self.limit.forget(now);
        }
    }

    /// It is there and busy: try again soon.
    fn wait(&mut self, now: Instant) {
        self.not_before = now + RETRY * 2;
        if self.task == Task::Limit {
            self.limit.unanswered();
        }
    }

    fn silent(&mut self, now: Instant, fault: Fault) {
        self.faults = self.faults.saturating_add(1);
        if self.task == Task::Limit {
            self.limit.unanswered();
        }
        if fault == Fault::Disconnected || self.map.forgets {
            self.begin_again(now);
        }
        if self.faults >= FAULTS_MAX {
            self.go_offline(now, fault);
        }
        self.not_before = now + (RETRY * (1 << self.faults.min(8))).min(RETRY_MAX);
    }

    fn go_offline(&mut self, now: Instant, fault: Fault) {
        if self.presence == Presence::Offline {
            return;
        }
        self.presence = Presence::Offline;
        self.begin_again(now);
        self.limit.lapse(now, self.fallback);
        self.commission.forget_verdict();
        self.poll.restart(now);
        self.notices.push_back(Notice::Offline { why: fault.to_string() });
    }

    /// Whatever it was told may be forgotten.
    fn begin_again(&mut self, now: Instant) {
        self.commission.restart(&self.map);
        self.keep_alive.restart(now);
        self.limit.forget(now);
    }
}
