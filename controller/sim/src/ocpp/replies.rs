//! What the central system answered, and what follows from it.

use super::calendar;
use super::connector::Connector;
use super::keys;
use super::outbox::{About, Call};
use super::point::ChargePoint;
use dlb_engine::time::Duration;
use serde_json::Value;

impl ChargePoint {
    /// What the central system's answer means.
    pub(super) fn learn(&mut self, about: About, payload: &Value) {
        let accepted = payload["idTagInfo"]["status"] == "Accepted";
        match about {
            About::Boot => self.registration(payload),
            About::Heartbeat => self.set_clock(payload),
            About::Authorize { connector } => self.authorized(connector, accepted),
            About::Start { local } => self.started(local, payload["transactionId"].as_i64(), accepted),
            About::Status | About::Meter { .. } | About::Stop { .. } => {}
        }
    }

    pub(super) fn refused(&mut self, call: Call, _code: &str) {
        let about = call.about;
        let given_up = self.outbox.again(call);
        if let (About::Start { local }, true) = (about, given_up) {
            self.started(local, None, true);
        }
    }

    fn registration(&mut self, payload: &Value) {
        self.set_clock(payload);
        let interval = payload["interval"].as_u64().unwrap_or(0);
        if payload["status"] != "Accepted" {
            self.boot_due = Some(self.now + Duration::from_secs(interval.max(10)));
            return;
        }
        if interval > 0 {
            self.keys.change(keys::HEARTBEAT, &interval.to_string());
        }
        let first = !self.announced;
        self.registered = true;
        self.announced = true;
        self.heartbeat_due = Some(self.now + self.heartbeat_interval());
        if first {
            self.tell_all_states();
        }
    }

    fn set_clock(&mut self, payload: &Value) {
        if let Some(wall) = payload["currentTime"].as_str().and_then(calendar::from_text) {
            self.clock = wall - (self.now.0 / 1000).cast_signed();
        }
    }

    pub(super) fn authorized(&mut self, connector: usize, accepted: bool) {
        let it = &mut self.connectors[connector - 1];
        if !accepted {
            it.admitted = None;
        } else if it.outlet.car().is_some()
            && let Some((tag, _)) = it.admitted.take()
        {
            self.begin(connector, &tag);
        }
    }

    fn started(&mut self, local: u64, number: Option<i64>, accepted: bool) {
        self.outbox.name_transaction(local, number.unwrap_or(-1));
        let of = |it: &Connector| it.transaction.as_ref().is_some_and(|running| running.local == local);
        let Some(at) = self.connectors.iter().position(of) else { return };
        if let Some(transaction) = &mut self.connectors[at].transaction {
            transaction.number = number;
        }
        if !accepted && self.keys.text("StopTransactionOnInvalidId") == "true" {
            self.end(at + 1, "DeAuthorized");
        }
    }
}
