//! Frames on their way out, and the one call that may be under way.
//!
//! OCPP allows one unanswered call in each direction. A call that is not answered in time, or is
//! overtaken by a lowered limit, is given up; its answer is still understood if it comes late.

use crate::ocpp16::call::Call;
use crate::ocpp16::frame;
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

/// A call without an answer after this is given up.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Given-up calls whose answers would still be understood.
const LATE_MAX: usize = 8;
/// Frames waiting for the socket. The program drains them after every event, so this is never reached
/// by a charger that gets its answers.
const FRAMES_MAX: usize = 256;

#[derive(Debug)]
pub struct Wire<E> {
    frames: VecDeque<String>,
    count: u64,
    under_way: Option<UnderWay<E>>,
    late: VecDeque<UnderWay<E>>,
}

/// A call that was sent, and what for.
#[derive(Clone, Debug)]
pub struct UnderWay<E> {
    pub id: String,
    pub errand: E,
    pub sent: Instant,
}

impl<E> Default for Wire<E> {
    fn default() -> Self {
        Self { frames: VecDeque::new(), count: 0, under_way: None, late: VecDeque::new() }
    }
}

impl<E> Wire<E> {
    /// Sends a call; one that was under way is given up. Returns the new one's identifier.
    pub fn send(&mut self, now: Instant, call: &Call, errand: E) -> String {
        self.give_up();
        self.count += 1;
        let id = self.count.to_string();
        self.push(frame::call(&id, call.action(), &call.payload()));
        self.under_way = Some(UnderWay { id: id.clone(), errand, sent: now });
        id
    }

    pub fn reply(&mut self, text: String) {
        self.push(text);
    }

    fn push(&mut self, text: String) {
        if self.frames.len() >= FRAMES_MAX {
            self.frames.pop_front();
        }
        self.frames.push_back(text);
    }

    pub fn next_frame(&mut self) -> Option<String> {
        self.frames.pop_front()
    }

    pub const fn under_way(&self) -> Option<&UnderWay<E>> {
        self.under_way.as_ref()
    }

    /// The call that an answer belongs to, also if it was given up.
    pub fn answered(&mut self, id: &str) -> Option<UnderWay<E>> {
        if self.under_way.as_ref().is_some_and(|call| call.id == id) {
            return self.under_way.take();
        }
        let position = self.late.iter().position(|call| call.id == id)?;
        self.late.remove(position)
    }

    /// When the call under way will have been waited for long enough.
    pub fn deadline(&self) -> Option<Instant> {
        self.under_way.as_ref().map(|call| call.sent + ANSWER_WITHIN)
    }

    fn give_up(&mut self) {
        if let Some(call) = self.under_way.take() {
            if self.late.len() >= LATE_MAX {
                self.late.pop_front();
            }
            self.late.push_back(call);
        }
    }

    /// The connection is gone, and everything with it. Identifiers go on counting.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.under_way = None;
        self.late.clear();
    }
}

impl<E: Clone> Wire<E> {
    /// Gives up a call whose time is over.
    pub fn expire(&mut self, now: Instant) -> Option<UnderWay<E>> {
        let expired = self.deadline().is_some_and(|deadline| deadline <= now);
        let call = expired.then(|| self.under_way.clone()).flatten();
        if call.is_some() {
            self.give_up();
        }
        call
    }
}
