//! A charger's side of the dialogue, written by hand, and a clock moved by hand.

use crate::charger::{Notice, Outlet};
use crate::ocpp16::{Session, SessionSettings};
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use serde_json::{Value, json};

pub(super) const ONE: Outlet = Outlet(1);
pub(super) const TWO: Outlet = Outlet(2);
/// 2026-03-04T12:00:00Z
pub(super) const NOON: i64 = 1_772_625_600_000;

pub(super) struct Bench {
    pub session: Session,
    pub now: Instant,
    calls: u32,
    /// Every frame that was sent, in order.
    pub log: Vec<String>,
    kept: Vec<Sent>,
}

/// A frame of ours: what it is, the identifier, the action (or nothing), the payload.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub kind: i64,
    pub id: Value,
    pub action: String,
    pub payload: Value,
}

pub(super) fn amps(amps: i32) -> Milliamps {
    Milliamps::from_amps(amps)
}

pub(super) fn adopted() -> SessionSettings {
    SessionSettings {
        identity: "CP-1".to_owned(),
        outlets: vec![(ONE, amps(6), amps(32), 3)],
        adopted: true,
        ..SessionSettings::default()
    }
}

impl Bench {
    pub(super) fn new(settings: SessionSettings) -> Self {
        Self::with_memory(settings, None)
    }

    pub(super) fn with_memory(settings: SessionSettings, memory: Option<&str>) -> Self {
        let now = Instant::from_millis(1_000_000);
        Self {
            session: Session::new(settings, memory, now),
            now,
            calls: 0,
            log: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Connected, introduced, set up: nothing is under way.
    pub(super) fn ready(settings: SessionSettings) -> Self {
        let mut bench = Self::new(settings);
        bench.session.opened(bench.now);
        bench.boots("Acme", "One", "1.0");
        bench.obeys(30);
        bench.notices();
        bench
    }

    /// Ready, with a transaction running. Its number is returned.
    pub(super) fn charging(settings: SessionSettings) -> (Self, i64) {
        let mut bench = Self::ready(settings);
        let number = bench.starts(1);
        bench.obeys(1);
        bench.notices();
        (bench, number)
    }

    pub(super) fn wall(&self) -> WallTime {
        WallTime(NOON + (self.now.0 / 1000) as i64 - 1_000_000)
    }

    pub(super) fn stamp(&self) -> String {
        crate::ocpp16::calendar::write_time(self.wall())
    }

    pub(super) fn hears(&mut self, text: &str) {
        let wall = self.wall();
        self.session.receive(self.now, Some(wall), text);
    }

    /// The charger calls; our answer is returned, and what else was sent stays to be fetched.
    pub(super) fn calls(&mut self, action: &str, payload: Value) -> Sent {
        self.calls += 1;
        let id = format!("c{}", self.calls);
        self.hears(&json!([2, id, action, payload]).to_string());
        let answer = self.sent().expect("every call is answered");
        assert_eq!((answer.kind == 2, &answer.id), (false, &json!(id)), "{answer:?}");
        answer
    }

    pub(super) fn boots(&mut self, vendor: &str, model: &str, firmware: &str) {
        let payload =
            json!({"chargePointVendor": vendor, "chargePointModel": model, "firmwareVersion": firmware});
        let answer = self.calls("BootNotification", payload);
        assert_eq!(answer.payload["status"], "Accepted");
    }

    pub(super) fn starts(&mut self, outlet: u8) -> i64 {
        self.is(outlet, "Preparing");
        let stamp = self.stamp();
        let payload = json!({"connectorId": outlet, "idTag": "TAG", "meterStart": 1000, "timestamp": stamp});
        let answer = self.calls("StartTransaction", payload);
        assert_eq!(answer.payload["idTagInfo"]["status"], "Accepted");
        answer.payload["transactionId"].as_i64().expect("a number")
    }

    pub(super) fn stops(&mut self, transaction: i64) {
        let stamp = self.stamp();
        let payload = json!({"transactionId": transaction, "meterStop": 5000, "timestamp": stamp, "reason": "EVDisconnected"});
        assert_eq!(self.calls("StopTransaction", payload).payload, json!({}));
    }

    pub(super) fn is(&mut self, outlet: u8, status: &str) {
        let payload = json!({"connectorId": outlet, "status": status, "errorCode": "NoError"});
        assert_eq!(self.calls("StatusNotification", payload).payload, json!({}));
    }

    /// Three phases with the same current.
    pub(super) fn draws(&mut self, outlet: u8, transaction: i64, amps: f64) {
        self.draws_with_clock(outlet, transaction, amps, 0);
    }

    /// As its own clock says, which is so many seconds behind.
    pub(super) fn draws_with_clock(&mut self, outlet: u8, transaction: i64, amps: f64, behind_s: i64) {
        let stamp = crate::ocpp16::calendar::write_time(WallTime(self.wall().0 - behind_s * 1000));
        let value = |phase: &str| json!({"value": amps.to_string(), "measurand": "Current.Import", "phase": phase, "unit": "A"});
        let values = json!([value("L1"), value("L2"), value("L3")]);
        let group = json!([{"timestamp": stamp, "sampledValue": values}]);
        let payload = json!({"connectorId": outlet, "transactionId": transaction, "meterValue": group});
        self.calls("MeterValues", payload);
    }

    /// The next frame of ours.
    pub(super) fn sent(&mut self) -> Option<Sent> {
        let text = self.session.next_frame()?;
        self.log.push(text.clone());
        let frame: Vec<Value> = serde_json::from_str(&text).expect("we send JSON");
        let kind = frame[0].as_i64().expect("a kind");
        let (action, payload) = match kind {
            2 => (frame[2].as_str().expect("an action").to_owned(), frame[3].clone()),
            3 => (String::new(), frame[2].clone()),
            _ => (frame[2].as_str().expect("a code").to_owned(), frame[3].clone()),
        };
        Some(Sent { kind, id: frame[1].clone(), action, payload })
    }

    /// The next frame is this call.
    pub(super) fn expects(&mut self, action: &str) -> Sent {
        let sent = self.sent().unwrap_or_else(|| panic!("nothing was sent instead of {action}"));
        assert_eq!((sent.kind, sent.action.as_str()), (2, action), "{sent:?}");
        sent
    }

    pub(super) fn silent(&mut self) {
        assert_eq!(self.sent(), None);
    }

    pub(super) fn answers(&mut self, call: &Sent, payload: Value) {
        self.hears(&json!([3, call.id, payload]).to_string());
    }

    pub(super) fn accepts(&mut self, call: &Sent) {
        self.answers(call, json!({"status": "Accepted"}));
    }

    pub(super) fn rejects(&mut self, call: &Sent) {
        self.answers(call, json!({"status": "Rejected"}));
    }

    /// Time passes; the session is woken when it wants to be.
    pub(super) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        let mut wakings = 0;
        while let Some(at) = self.session.deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let wall = self.wall();
            self.session.handle_timeout(self.now, Some(wall));
            wakings += 1;
            assert!(wakings < 10_000, "it wakes itself again and again at {:?}", self.now);
        }
        self.now = until;
    }

    /// Accepts everything for so many seconds.
    pub(super) fn obeys(&mut self, seconds: u64) {
        for _ in 0..=seconds {
            self.obeys_now();
            self.wait(Duration::from_secs(1));
        }
    }

    /// Accepts what has been sent.
    pub(super) fn obeys_now(&mut self) {
        while let Some(call) = self.sent() {
            self.obey(&call);
        }
    }

    fn obey(&mut self, call: &Sent) {
        if call.kind != 2 {
            return;
        }
        if call.action == "GetConfiguration" {
            let payload = json!({"configurationKey": [{"key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "8"}]});
            self.answers(call, payload);
        } else {
            self.accepts(call);
        }
    }

    pub(super) fn limit(&mut self, amps: i32) {
        self.session.set_limit(self.now, ONE, Milliamps::from_amps(amps));
    }

    pub(super) fn notices(&mut self) -> Vec<(Outlet, Notice)> {
        std::iter::from_fn(|| self.session.next_notice()).collect()
    }

    pub(super) fn told(&mut self) -> Vec<Notice> {
        self.notices().into_iter().map(|(_, notice)| notice).collect()
    }
}

/// The limit that a SetChargingProfile begins with.
pub(super) fn limit_in(call: &Sent) -> &Value {
    &call.payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]
}

pub(super) fn purpose_in(call: &Sent) -> &str {
    call.payload["csChargingProfiles"]["chargingProfilePurpose"].as_str().expect("a purpose")
}

/// While other calls of ours are on their way.
impl Bench {
    /// The charger calls; our answer is found among the frames, the others are lost.
    pub(super) fn calls_quietly(&mut self, action: &str, payload: Value) -> Value {
        self.calls += 1;
        let id = json!(format!("c{}", self.calls));
        self.hears(&json!([2, id, action, payload]).to_string());
        let frames: Vec<Sent> = std::iter::from_fn(|| self.sent()).collect();
        let (answers, others): (Vec<_>, Vec<_>) =
            frames.into_iter().partition(|sent| sent.kind != 2 && sent.id == id);
        self.kept.extend(others);
        answers.first().expect("every call is answered").payload.clone()
    }

    pub(super) fn is_quietly(&mut self, outlet: u8, status: &str) {
        let payload = json!({"connectorId": outlet, "status": status, "errorCode": "NoError"});
        assert_eq!(self.calls_quietly("StatusNotification", payload), json!({}));
    }

    pub(super) fn draws_quietly(&mut self, outlet: u8, transaction: i64, amps: f64) {
        let values = json!([{"value": amps.to_string(), "measurand": "Current.Import", "phase": "L1"}]);
        let group = json!([{"timestamp": self.stamp(), "sampledValue": values}]);
        self.calls_quietly(
            "MeterValues",
            json!({"connectorId": outlet, "transactionId": transaction, "meterValue": group}),
        );
    }

    pub(super) fn starts_quietly(&mut self) -> i64 {
        let payload = json!({"connectorId": 1, "idTag": "TAG", "meterStart": self.calls});
        self.calls_quietly("StartTransaction", payload)["transactionId"].as_i64().expect("a number")
    }

    /// Accepts everything for a minute; returns the calls of this action.
    pub(super) fn drain(&mut self, action: &str) -> Vec<Sent> {
        let mut found = Vec::new();
        for _ in 0..60 {
            let kept = std::mem::take(&mut self.kept);
            for call in kept.into_iter().chain(std::iter::from_fn(|| self.sent()).collect::<Vec<_>>()) {
                self.obey(&call);
                if call.action == action {
                    found.push(call);
                }
            }
            self.wait(Duration::from_millis(500));
        }
        found
    }
}
