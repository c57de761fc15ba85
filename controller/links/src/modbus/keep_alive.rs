//! Feeds a charger's watchdog, whatever else happens: at least four times within its timeout.

use super::charger_map::{self, ChargerMap};
use super::register::WriteTo;
use super::wire::Function;
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct KeepAlive {
    map: charger_map::KeepAlive,
    timeout_register: Option<WriteTo>,
    timeout: Duration,
    due: Instant,
    left: VecDeque<Function>,
    /// At the end of the round: what repeats the limit that was in force when it began, and all of that.
    repeats: VecDeque<Function>,
    repeated: Vec<Function>,
    /// Which of several values is next.
    turn: usize,
    /// A refusal was already reported.
    complained: bool,
}

impl KeepAlive {
    pub(super) fn new(map: &ChargerMap, timeout: Duration, now: Instant) -> Self {
        Self {
            map: map.keep_alive.clone(),
            timeout_register: map.failsafe.timeout.clone(),
            timeout,
            due: now,
            left: VecDeque::new(),
            repeats: VecDeque::new(),
            repeated: Vec::new(),
            turn: 0,
            complained: false,
        }
    }

    pub(super) const fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// `None`: there is no watchdog to feed, or nothing to feed it with before a limit was taken.
    pub(super) fn due(&self, limit_taken: bool) -> Option<Instant> {
        let food = !self.map.writes.is_empty() || self.map.rewrite_timeout || limit_taken;
        self.map.every.filter(|_| food).map(|_| self.due)
    }

    pub(super) fn restart(&mut self, now: Instant) {
        self.left.clear();
        self.repeats.clear();
        self.due = now;
    }

    /// The next write. `limit` repeats the limit that is in force.
    pub(super) fn request(&mut self, now: Instant, limit: impl Fn() -> Vec<Function>) -> Option<Function> {
        if self.is_empty() {
            self.begin(limit());
        } else if !self.repeats.is_empty() && limit() != self.repeated {
            // Another one was ordered meanwhile, which is told by itself: the old one must not come after it.
            self.repeats.clear();
        }
        if self.is_empty() {
            self.finished(now);
        }
        self.left.front().or(self.repeats.front()).cloned()
    }

    /// The write was answered. Says whether a refusal is the first one.
    pub(super) fn done(&mut self, now: Instant, taken: bool) -> bool {
        if self.left.pop_front().is_none() {
            self.repeats.pop_front();
        }
        if self.is_empty() {
            self.finished(now);
        }
        !taken && !core::mem::replace(&mut self.complained, true)
    }

    fn is_empty(&self) -> bool {
        self.left.is_empty() && self.repeats.is_empty()
    }

    fn begin(&mut self, limit: Vec<Function>) {
        let turn = self.turn;
        let pulses =
            self.map.writes.iter().filter_map(|values| values.get(turn % values.len().max(1)).cloned());
        self.left = pulses.collect();
        self.turn = self.turn.wrapping_add(1);
        if self.map.rewrite_timeout {
            let seconds = self.timeout.as_secs_f64();
            self.left.extend(self.timeout_register.as_ref().map(|it| it.function(seconds)));
        }
        if self.map.rewrite_limit {
            self.repeats = limit.iter().cloned().collect();
            self.repeated = limit;
        }
    }

    fn finished(&mut self, now: Instant) {
        if let Some(every) = self.every() {
            self.due = now + every;
        }
    }

    fn every(&self) -> Option<Duration> {
        self.map.every.map(|every| every.min(self.timeout / 4).max(Duration::from_millis(250)))
    }
}
