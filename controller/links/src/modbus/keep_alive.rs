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
        self.due = now;
    }

    /// The next write. `limit` repeats the limit that is in force.
    pub(super) fn request(&mut self, now: Instant, limit: impl Fn() -> Vec<Function>) -> Option<Function> {
        if self.left.is_empty() {
            self.left = self.round(limit);
        }
        if self.left.is_empty() {
            self.finished(now);
        }
        self.left.front().cloned()
    }

    /// The write was answered. Says whether a refusal is the first one.
    pub(super) fn done(&mut self, now: Instant, taken: bool) -> bool {
        self.left.pop_front();
        if self.left.is_empty() {
            self.finished(now);
        }
        !taken && !core::mem::replace(&mut self.complained, true)
    }

    fn round(&mut self, limit: impl Fn() -> Vec<Function>) -> VecDeque<Function> {
        let turn = self.turn;
        let pulses =
            self.map.writes.iter().filter_map(|values| values.get(turn % values.len().max(1)).cloned());
        let mut round: VecDeque<Function> = pulses.collect();
        self.turn = self.turn.wrapping_add(1);
        if self.map.rewrite_timeout {
            let seconds = self.timeout.as_secs_f64();
            round.extend(self.timeout_register.as_ref().map(|it| it.function(seconds)));
        }
        if self.map.rewrite_limit {
            round.extend(limit());
        }
        round
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
