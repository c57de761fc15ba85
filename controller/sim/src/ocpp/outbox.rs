//! What waits to be sent: one call under way at a time, transaction messages kept while offline.

use super::frame;
use dlb_engine::time::{Duration, Instant};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// What a call was about, so that its answer finds its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Boot,
    Heartbeat,
    Status,
    Authorize {
        connector: usize,
    },
    /// Transactions carry a local number until the central system has given them one.
    Start {
        local: u64,
    },
    Meter {
        local: Option<u64>,
    },
    Stop {
        local: u64,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) action: &'static str,
    pub(super) payload: Value,
    pub(super) about: About,
    pub(super) tries: u8,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Call>,
    flying: Option<(String, Call, Instant)>,
    answers: VecDeque<(Instant, String)>,
    numbers: BTreeMap<u64, i64>,
    sent: u64,
}

/// An answer that has not come by then will not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages kept at most; above it meter values go first, then the oldest.
const WAITING_MAX: usize = 400;
const TRIES_MAX: u8 = 3;

impl About {
    /// Must reach the central system, however late.
    const fn lasts(self) -> bool {
        matches!(self, Self::Start { .. } | Self::Stop { .. } | Self::Meter { local: Some(_) })
    }

    const fn local(self) -> Option<u64> {
        match self {
            Self::Meter { local } => local,
            Self::Stop { local } => Some(local),
            _ => None,
        }
    }
}

impl Outbox {
    pub(super) fn push(&mut self, action: &'static str, payload: Value, about: About) {
        if self.waiting.len() >= WAITING_MAX {
            let meter = self.waiting.iter().position(|call| matches!(call.about, About::Meter { .. }));
            self.waiting.remove(meter.unwrap_or(0));
        }
        self.waiting.push_back(Call { action, payload, about, tries: 0 });
    }

    pub(super) fn answer(&mut self, due: Instant, text: String) {
        self.answers.push_back((due, text));
    }

    /// The central system's number for a transaction.
    pub(super) fn name_transaction(&mut self, local: u64, number: i64) {
        self.numbers.insert(local, number);
    }

    /// The next frame, answers first. Unregistered, nothing but the BootNotification goes out.
    pub(super) fn next(&mut self, now: Instant, registered: bool) -> Option<String> {
        if self.answers.front().is_some_and(|(due, _)| *due <= now) {
            return self.answers.pop_front().map(|(_, text)| text);
        }
        if self.flying.is_some() {
            return None;
        }
        let may_go = |call: &Call| registered || call.about == About::Boot;
        let at = self.waiting.iter().position(may_go)?;
        let mut call = self.waiting.remove(at)?;
        if let Some(local) = call.about.local() {
            call.payload["transactionId"] = Value::from(self.numbers.get(&local).copied().unwrap_or(-1));
        }
        self.sent += 1;
        let unique = self.sent.to_string();
        let text = frame::call(&unique, call.action, &call.payload);
        self.flying = Some((unique, call, now + PATIENCE));
        Some(text)
    }

    /// The call that this answer belongs to.
    pub(super) fn answered(&mut self, unique: &str) -> Option<Call> {
        self.flying.take_if(|(flying, ..)| flying == unique).map(|(_, call, _)| call)
    }

    /// Tries a message that must arrive again, up to a point. True: given up.
    pub(super) fn again(&mut self, mut call: Call) -> bool {
        call.tries += 1;
        let once_more = call.about.lasts() && call.tries < TRIES_MAX;
        if once_more {
            self.waiting.push_front(call);
        }
        !once_more
    }

    /// Gives up waiting for an answer that is overdue. Silence does not use up the tries.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some((_, call, _)) = self.flying.take_if(|(.., until)| *until <= now)
            && call.about.lasts()
        {
            self.waiting.push_front(call);
        }
    }

    /// The link is down: what was under way goes back, what is only news is dropped.
    pub(super) fn disconnect(&mut self) {
        if let Some((_, call, _)) = self.flying.take() {
            self.waiting.push_front(call);
        }
        self.answers.clear();
        self.waiting.retain(|call| call.about.lasts());
    }

    pub(super) fn has(&self, about: About) -> bool {
        let flying = self.flying.as_ref().is_some_and(|(_, call, _)| call.about == about);
        flying || self.waiting.iter().any(|call| call.about == about)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let answer = self.answers.front().map(|(due, _)| *due);
        let flying = self.flying.as_ref().map(|(.., until)| *until);
        dlb_engine::time::earliest(answer, flying)
    }
}
