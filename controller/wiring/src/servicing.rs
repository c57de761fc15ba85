//! What a technician asks of a charger beside its limits, and what the charger said to that: one event each,
//! for the page, the broker and the history.

use crate::controller::Controller;
use crate::event::{Alert, Service, Severity};
use crate::settings::LinkSetting;
use dlb_engine::site::ChargerIx;
use dlb_engine::time::{Duration, Instant};
use dlb_links::charger::Outlet;
use dlb_links::ocpp16::{Call, Outcome};
use serde_json::Value;

/// How far ahead a charger is asked for its limits.
const SCHEDULE: Duration = Duration::from_secs(24 * 3600);
/// Of a schedule, and of a manufacturer's answer, no more than this is shown.
const PERIODS_SHOWN: usize = 4;
const DATA_SHOWN: usize = 200;

impl Controller {
    pub(crate) fn serve(&mut self, now: Instant, charger: &str, service: Service) {
        let Some(ix) = self.settings.site.find_charger(charger) else { return };
        match &self.settings.links[ix.0] {
            LinkSetting::Ocpp { identity, outlet, .. } => {
                self.central.order(now, identity, call(service, *outlet));
            }
            LinkSetting::Modbus { .. } => {
                let why = "Modbus chargers know no such order; use the charger's own page or app";
                self.note_service(now, charger.to_owned(), Err(format!("{charger}: {why}.")));
            }
        }
    }

    pub(crate) fn served(&mut self, now: Instant, identity: &str, outcome: &Outcome) {
        let Some(charger) = self.asked(identity, &outcome.call) else { return };
        let id = self.settings.site.charger(charger).id.clone();
        let sentence = sentence(&id, outcome);
        self.note_service(now, id, sentence);
    }

    /// The outlet that a call names; for the whole station its first one.
    fn asked(&self, identity: &str, call: &Call) -> Option<ChargerIx> {
        let named = match call {
            Call::UnlockConnector { outlet }
            | Call::ChangeAvailability { outlet, .. }
            | Call::GetCompositeSchedule { outlet, .. } => Some(Outlet(*outlet)),
            _ => None,
        };
        let of_station = |link: &LinkSetting| matches!(link, LinkSetting::Ocpp { identity: known, outlet, .. } if known == identity && named.is_none_or(|named| named == *outlet));
        self.settings.links.iter().position(of_station).map(ChargerIx)
    }

    fn note_service(&mut self, at: Instant, about: String, said: Result<String, String>) {
        let (severity, code, text) = match said {
            Ok(text) => (Severity::Note, "service-done", text),
            Err(text) => (Severity::Warning, "service-refused", text),
        };
        self.alerts.note(Alert { at, severity, about, code, text, cleared: false });
    }
}

fn call(service: Service, outlet: Outlet) -> Call {
    let outlet = outlet.0;
    match service {
        Service::Restart { hard } => Call::Reset { hard },
        Service::Unlock => Call::UnlockConnector { outlet },
        Service::InService(operative) => Call::ChangeAvailability { outlet, operative },
        Service::ClearCache => Call::ClearCache,
        Service::Schedule => Call::GetCompositeSchedule { outlet, duration: SCHEDULE, unit: None },
        Service::Vendor { vendor, message, data } => Call::DataTransfer { vendor, message, data },
    }
}

/// What became of it, in words; `Err` where nothing did.
fn sentence(id: &str, outcome: &Outcome) -> Result<String, String> {
    let answer = match &outcome.answer {
        Ok(answer) => answer,
        Err(why) => return Err(format!("{id} did not do what was asked: {why}.")),
    };
    let status = answer["status"].as_str().unwrap_or("no status");
    match (&outcome.call, status) {
        (Call::Reset { hard: true }, "Accepted") => Ok(format!("{id} restarts.")),
        (Call::Reset { hard: false }, "Accepted") => {
            Ok(format!("{id} restarts as soon as it has ended its sessions."))
        }
        (Call::UnlockConnector { .. }, "Unlocked") => Ok(format!("{id} has unlocked its socket.")),
        (Call::UnlockConnector { .. }, "UnlockFailed") => {
            Err(format!("{id} could not unlock its socket. Pull at the plug, or free the lock by hand."))
        }
        (Call::ChangeAvailability { operative, .. }, "Accepted" | "Scheduled") => {
            let to = if *operative { "is back in service" } else { "is out of service" };
            let when = if status == "Scheduled" { ", once its session has ended" } else { "" };
            Ok(format!("{id} {to}{when}."))
        }
        (Call::ClearCache, "Accepted") => Ok(format!("{id} has forgotten the cards that it had let in.")),
        (Call::GetCompositeSchedule { .. }, "Accepted") => {
            Ok(format!("{id} says that it may draw: {}.", schedule(&answer["chargingSchedule"])))
        }
        (Call::DataTransfer { .. }, "Accepted") => Ok(format!("{id} answered: {}", data(&answer["data"]))),
        (call, status) => Err(format!("{id} answered {} with {status}.", call.action())),
    }
}

/// "16 A; in 900 s 6 A": limits as the charger gives them, up to a few.
fn schedule(schedule: &Value) -> String {
    let unit = schedule["chargingRateUnit"].as_str().unwrap_or("?");
    let period = |period: &Value| {
        let limit = period["limit"].as_f64().map_or_else(|| "?".to_owned(), |limit| limit.to_string());
        match period["startPeriod"].as_u64() {
            None | Some(0) => format!("{limit} {unit}"),
            Some(start) => format!("in {start} s {limit} {unit}"),
        }
    };
    let periods = schedule["chargingSchedulePeriod"].as_array().map(Vec::as_slice).unwrap_or_default();
    match periods.len() {
        0 => "nothing that it would name".to_owned(),
        count => {
            let shown = periods.iter().take(PERIODS_SHOWN).map(period).collect::<Vec<_>>().join("; ");
            if count > PERIODS_SHOWN { format!("{shown}; …") } else { shown }
        }
    }
}

fn data(data: &Value) -> String {
    let text = match data {
        Value::Null => "nothing more".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(DATA_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(service: Service, answer: Value) -> Result<String, String> {
        sentence("bay-1", &Outcome { call: call(service, Outlet(1)), answer: Ok(answer) })
    }

    #[test]
    fn a_technician_reads_what_the_charger_answered() {
        let accepted = || json!({"status": "Accepted"});
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(said(Service::Restart { hard: true }, accepted()), ok("bay-1 restarts."));
        assert_eq!(said(Service::InService(false), accepted()), ok("bay-1 is out of service."));
        let later = said(Service::InService(false), json!({"status": "Scheduled"}));
        assert_eq!(later, ok("bay-1 is out of service, once its session has ended."));
        let stuck = said(Service::Unlock, json!({"status": "UnlockFailed"})).unwrap_err();
        assert!(stuck.contains("Pull at the plug"), "{stuck}");
        let strange = said(Service::ClearCache, json!({"state": 7})).unwrap_err();
        assert_eq!(strange, "bay-1 answered ClearCache with no status.");
    }

    #[test]
    fn a_charger_tells_which_limits_it_believes() {
        let periods = json!([{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 900, "limit": 6}]);
        let answer = json!({"status": "Accepted", "connectorId": 1,
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}});
        let text = said(Service::Schedule, answer).unwrap();
        assert_eq!(text, "bay-1 says that it may draw: 16 A; in 900 s 6 A.");
        let empty = said(Service::Schedule, json!({"status": "Accepted"})).unwrap();
        assert!(empty.contains("nothing that it would name"), "{empty}");
    }

    #[test]
    fn a_manufacturers_endless_answer_is_cut() {
        let vendor = Service::Vendor { vendor: "acme".into(), message: None, data: None };
        let text = said(vendor, json!({"status": "Accepted", "data": "x".repeat(5000)})).unwrap();
        assert!(text.len() < 300, "{}", text.len());
    }
}
