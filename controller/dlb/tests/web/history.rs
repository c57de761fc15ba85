//! Questions about the past, and about the machine.

use crate::support::{Box, error_code};
use dlb::web::Settings;

#[test]
fn a_day_in_steps_of_a_quarter_of_an_hour_has_96_values() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let day = client.get("/api/v1/history?from_ms=0&to_ms=86400000&step_s=900").json();
    assert_eq!(day["series"][0]["mean"].as_array().unwrap().len(), 96);
    assert_eq!(day["series"][0]["max"][0], serde_json::Value::Null);
}

#[test]
fn a_question_that_is_too_large_or_senseless_is_refused_by_field() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    for (query, field) in [
        ("", "from_ms"),
        ("from_ms=5&to_ms=5", "to_ms"),
        ("from_ms=0&to_ms=86400000&step_s=1", "step_s"),
        ("from_ms=0&to_ms=86400000&step_s=0", "step_s"),
        ("from_ms=-9223372036854775808&to_ms=9223372036854775807", "step_s"),
        ("from_ms=1e3&to_ms=86400000", "from_ms"),
        ("from_ms=0&from_ms=1&to_ms=86400000", "from_ms"),
        ("from_ms=0&to_ms=86400000&every=5", "every"),
    ] {
        let reply = client.get(&format!("/api/v1/history?{query}"));
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
        assert_eq!(reply.json()["error"]["field"], field, "{query}");
    }
    let reply = client.get("/api/v1/sessions?limit=1001");
    assert_eq!(reply.json()["error"]["field"], "limit");
}

#[test]
fn sessions_and_events_are_asked_for_by_time_and_name() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let sessions = client.get("/api/v1/sessions?from_ms=1000&charger=bay%202&limit=5").json();
    let session = &sessions["sessions"][0];
    assert_eq!((session["charger"].as_str(), session["session"].as_u64()), (Some("bay 2"), Some(5)));
    assert_eq!(session["ended_ms"], serde_json::Value::Null);
    let events = client.get("/api/v1/events?about=main").json();
    assert_eq!(events["events"][0]["code"], "meter-lost");
    let table = client.get("/api/v1/sessions.csv?from_ms=0&to_ms=60000");
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let expected = "charger,session,tag,started,ended,energy_kwh,why\r\n\
        bay-1,20000,card,1970-01-01T00:00:00Z,1970-01-01T00:01:00Z,7.400,EVDisconnected\r\n";
    assert_eq!(table.text(), expected);
}

#[test]
fn a_room_that_fails_says_what_was_tried_and_keeps_its_cause_for_the_log() {
    let it = Box::set_up(Settings::default());
    let reply = it.operator().get("/api/v1/sessions?charger=broken");
    assert_eq!((reply.status, error_code(&reply)), (500, "fault".into()));
    assert_eq!(reply.json()["error"]["message"], "reading sessions failed.");
    assert!(!reply.text().contains("disk"));
}

#[test]
fn the_system_says_that_it_is_no_appliance_and_health_needs_no_login() {
    let it = Box::set_up(Settings::default());
    let system = it.operator().get("/api/v1/system").json();
    assert_eq!(system["appliance"], false);
    let health = it.client().get("/api/v1/health").json();
    let expected = serde_json::json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "balancing": true, "config_in_force": true});
    assert_eq!(health, expected);
}

#[test]
fn without_fresh_pictures_the_site_does_not_count_as_balanced() {
    let settings = Settings { picture_fresh: std::time::Duration::ZERO, ..Settings::default() };
    let it = Box::set_up(settings);
    assert_eq!(it.client().get("/api/v1/health").json()["balancing"], false);
}
