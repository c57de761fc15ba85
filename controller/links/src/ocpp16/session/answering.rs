//! What the charger answers to our calls, and what silence means.

use super::limits::Refusal;
use super::setup::status;
use super::{Errand, Session};
use crate::charger::{Notice, Outlet};
use crate::ocpp16::wire::UnderWay;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use serde_json::{Map, Value};

/// A session that could not be started is tried again after this.
const START_AGAIN: Duration = Duration::from_secs(60);

/// A payload, or code and text of an error.
type Answer = Result<Value, (String, String)>;

impl Session {
    pub(super) fn answered(&mut self, now: Instant, id: &str, answer: Answer) {
        let Some(call) = self.wire.answered(id) else { return };
        let empty = Map::new();
        let payload = answer.as_ref().map(|payload| payload.as_object().unwrap_or(&empty));
        match call.errand {
            Errand::Limit { outlet, recipe, value } => match refusal(payload) {
                None => self.limit_accepted(outlet, id, Some(recipe), value),
                Some(refusal) => self.limit_refused(now, outlet, id, recipe, &refusal),
            },
            Errand::Fallback { outlet, recipe, value, .. } => match refusal(payload) {
                None => self.fallback_accepted(outlet, recipe, value),
                Some(refusal) => self.fallback_refused(now, outlet, recipe, &refusal),
            },
            Errand::Pause { outlet } => self.pause_answered(now, outlet, id, refusal(payload)),
            Errand::Start { outlet } => self.start_answered(now, outlet, refusal(payload).is_none()),
            Errand::Step(step) => self.step_answered(now, &step, payload.map_err(|(code, _)| code.as_str())),
            Errand::Nudge => {}
            Errand::Order(call) => {
                let answer = answer.map_err(|(code, text)| format!("the charger answered {code}: {text}"));
                self.outcome(call, answer);
            }
        }
    }

    /// No answer in time.
    pub(super) fn unanswered(&mut self, now: Instant, call: UnderWay<Errand>) {
        match call.errand {
            Errand::Limit { outlet, recipe, .. } => {
                self.limit_refused(now, outlet, &call.id, recipe, &Refusal::Silence);
            }
            Errand::Fallback { outlet, recipe, .. } => {
                self.fallback_refused(now, outlet, recipe, &Refusal::Silence)
            }
            Errand::Pause { outlet } => self.pause_answered(now, outlet, &call.id, Some(Refusal::Silence)),
            Errand::Start { outlet } => self.start_answered(now, outlet, false),
            Errand::Step(step) => self.step_answered(now, &step, Err("no answer")),
            Errand::Nudge => {}
            Errand::Order(order) => self.outcome(order, Err("the charger did not answer".to_owned())),
        }
    }

    /// A pause by ending the transaction; where that is refused, by a limit of zero after all.
    fn pause_answered(&mut self, now: Instant, outlet: Outlet, id: &str, refusal: Option<Refusal>) {
        let Some(refusal) = refusal else {
            if let Some(desk) = self.desks.get_mut(&outlet) {
                desk.paused = desk.transaction.as_ref().map(|transaction| transaction.tag.clone());
            }
            self.limit_accepted(outlet, id, None, Milliamps::ZERO);
            return;
        };
        if let Some(desk) = self.desks.get_mut(&outlet) {
            desk.retry_at = Some(now + Duration::from_secs(10));
            desk.sent = None;
        }
        self.notice(outlet, Notice::LimitRefused { limit: Milliamps::ZERO, why: refusal.to_string() });
    }

    fn start_answered(&mut self, now: Instant, outlet: Outlet, accepted: bool) {
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        // Also an accepted start may lead to nothing; a transaction takes the date away.
        let again = now + START_AGAIN;
        desk.start_at =
            (desk.starts < super::timers::STARTS_MAX && desk.transaction.is_none()).then_some(again);
        if !accepted && desk.start_at.is_none() {
            let name = &self.settings.identity;
            let text =
                format!("{name} does not let a session be started from here. Start it at the charger.");
            self.notice(outlet, Notice::Trouble(text));
        }
    }
}

fn refusal(answer: Result<&Map<String, Value>, &(String, String)>) -> Option<Refusal> {
    let payload = match answer {
        Err((code, _)) if matches!(code.as_str(), "NotImplemented" | "NotSupported") => {
            return Some(Refusal::NotSupported(code.clone()));
        }
        Err((code, _)) => return Some(Refusal::Rejected(code.clone())),
        Ok(payload) => payload,
    };
    match status(payload).as_str() {
        "accepted" => None,
        "notsupported" => Some(Refusal::NotSupported("NotSupported".to_owned())),
        "" => Some(Refusal::Rejected("nothing that makes sense".to_owned())),
        _ => Some(Refusal::Rejected("Rejected".to_owned())),
    }
}
