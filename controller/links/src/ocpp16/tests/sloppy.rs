//! Chargers that bend the rules, and frames that break them.

use super::bench::*;
use crate::charger::{Notice, OutletState};
use crate::ocpp16::SessionSettings;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use serde_json::{Value, json};

fn refusal(bench: &mut Bench, text: &str) -> (String, String) {
    bench.hears(text);
    let frame: Vec<Value> =
        serde_json::from_str(&bench.session.next_frame().expect("it is answered")).unwrap();
    assert_eq!(frame[0], 4, "{frame:?}");
    (frame[2].as_str().unwrap().to_owned(), frame[3].as_str().unwrap().to_owned())
}

#[test]
fn an_error_names_the_field() {
    let mut bench = Bench::ready(SessionSettings { outlets: Vec::new(), ..adopted() });
    let cases = [
        (
            r#"[2,"1","StatusNotification",{"connectorId":1}]"#,
            "OccurenceConstraintViolation",
            "status is missing",
        ),
        (
            r#"[2,"2","StatusNotification",{"connectorId":1,"status":"Sleeping"}]"#,
            "PropertyConstraintViolation",
            "status has a value that is not allowed",
        ),
        (
            r#"[2,"3","MeterValues",{"connectorId":{},"meterValue":[]}]"#,
            "TypeConstraintViolation",
            "connectorId has the wrong type",
        ),
        (
            r#"[2,"4","StartTransaction",{"idTag":"x"}]"#,
            "OccurenceConstraintViolation",
            "connectorId is missing",
        ),
        (r#"[2,"5","StopTransaction",{}]"#, "OccurenceConstraintViolation", "transactionId is missing"),
        (
            r#"[2,"6","StartTransaction",{"connectorId":200}]"#,
            "PropertyConstraintViolation",
            "connectorId has a value that is not allowed",
        ),
        (r#"[2,"7","SignCertificate",{}]"#, "NotImplemented", "SignCertificate is not known here"),
        (r#"[2,"8","Heartbeat",[]]"#, "FormationViolation", "the payload is not an object"),
    ];
    for (frame, code, text) in cases {
        assert_eq!(refusal(&mut bench, frame), (code.to_owned(), text.to_owned()));
    }
}

#[test]
fn frames_that_cannot_be_answered_are_passed_over() {
    let mut bench = Bench::ready(adopted());
    for text in [
        "",
        "null",
        "{}",
        "[]",
        "[2]",
        "[5,\"x\",\"Heartbeat\",{}]",
        "[3,\"unknown\",{}]",
        "[4,\"unknown\",\"InternalError\"]",
        "[2,null,\"Heartbeat\",{}]",
    ] {
        bench.hears(text);
        bench.silent();
    }
}

#[test]
fn a_charger_that_names_no_outlet_means_its_only_one() {
    let mut bench = Bench::ready(adopted());
    bench.calls("StatusNotification", json!({"status": "preparing"}));
    assert_eq!(bench.told(), [Notice::State(OutletState::Preparing)]);
    // Some report the meter of the only outlet as that of the station.
    let values = json!([{"value": "7.0", "measurand": "Current.Import"}]);
    bench.calls("MeterValues", json!({"connectorId": 0, "meterValue": [{"sampledValue": values}]}));
    let told = bench.told();
    assert!(
        told.iter().any(
            |notice| matches!(notice, Notice::Drawn(drawn) if drawn.current == [Some(Milliamps(7000)); 3])
        )
    );
}

#[test]
fn measurands_sent_in_groups_of_their_own_belong_together() {
    let (mut bench, number) = Bench::charging(adopted());
    let group = |measurand: &str, value: &str| json!({"timestamp": "2026-03-04T12:00:40Z", "sampledValue": [{"value": value, "measurand": measurand, "phase": "L1"}]});
    let groups =
        json!([group("Current.Import", "10"), group("Voltage", "231"), group("Power.Active.Import", "2310")]);
    bench.calls(
        "MeterValues",
        json!({"connectorId": "1", "transactionId": number.to_string(), "meterValue": groups}),
    );
    let told = bench.told();
    let Some(Notice::Drawn(drawn)) = told.first() else { panic!("{told:?}") };
    assert_eq!((drawn.current[0], drawn.power.unwrap().0), (Some(Milliamps(10_000)), 2310));
}

#[test]
fn measurements_kept_while_offline_are_not_taken_for_the_present() {
    let (mut bench, number) = Bench::charging(adopted());
    let values = json!([{"value": "0", "measurand": "Current.Import"}]);
    let group = json!([{"timestamp": "2026-03-04T11:00:00Z", "sampledValue": values}]);
    bench.calls("MeterValues", json!({"connectorId": 1, "transactionId": number, "meterValue": group}));
    assert!(bench.told().is_empty());
}

#[test]
fn a_fault_is_reported_once() {
    let mut bench = Bench::ready(adopted());
    for _ in 0..3 {
        bench.calls(
            "StatusNotification",
            json!({"connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure"}),
        );
    }
    let troubles = bench
        .told()
        .into_iter()
        .filter(|notice| matches!(notice, Notice::Trouble(text) if text.contains("GroundFailure")));
    assert_eq!(troubles.count(), 1);
}

#[test]
fn a_charger_that_boots_in_a_loop_is_not_asked_more_each_time() {
    let mut bench = Bench::ready(adopted());
    let mut asked = 0;
    for _ in 0..10 {
        bench.session.closed(bench.now);
        bench.session.opened(bench.now);
        bench.boots("Acme", "One", "1.0");
        for _ in 0..5 {
            while let Some(call) = bench.sent() {
                asked += usize::from(call.action != "SetChargingProfile");
                bench.accepts(&call);
            }
            bench.wait(Duration::from_secs(1));
        }
        bench.notices();
    }
    assert!(asked <= 4, "{asked}");
}

#[test]
fn a_car_at_an_outlet_that_is_not_configured_is_turned_away_and_named() {
    let mut bench = Bench::ready(adopted());
    let payload = json!({"connectorId": 2, "idTag": "TAG", "meterStart": 0, "timestamp": bench.stamp()});
    assert_eq!(bench.calls("StartTransaction", payload).payload["idTagInfo"]["status"], "Blocked");
    assert!(
        bench
            .told()
            .iter()
            .any(|notice| matches!(notice, Notice::Trouble(text) if text.contains("outlet 2")))
    );
}
