//! What goes to a broker, word for word.

use super::discovery::{self, Announced, Announcer};
use super::mirror;
use super::topics::Base;
use crate::services::mailbox::Picture;
use crate::view::{
    ChargerView, CircuitView, GuardView, InputView, LoweredView, MeterView, OutputView, SessionView, SiteView,
};
use std::fmt::Write as _;
use std::sync::Arc;

fn picture() -> Picture {
    let grid = CircuitView {
        id: "grid".into(),
        parent: None,
        limit_a: vec![63.0; 3],
        lowered: Some(LoweredView { limit_a: vec![40.0, 40.0, 40.0], lasts_s: 600 }),
        measured_a: Some(vec![30.123_456, 20.0, 41.5]),
        other_load_a: vec![20.0, 20.0, 41.5],
        worst_case_a: vec![36.0, 36.0, 41.5],
        guard: GuardView { held_a: vec![0.0; 3], ..GuardView::default() },
    };
    let main = MeterView {
        id: "main".into(),
        circuit: "grid".into(),
        quality: "good",
        age_s: Some(0.4),
        current_a: vec![Some(30.123_456), Some(20.0), Some(41.5)],
        voltage_v: vec![Some(231.0), None, Some(229.5)],
        power_w: Some(-120),
        imported_wh: Some(4_711_000),
        exported_wh: Some(12),
    };
    let contact = InputView {
        id: "p14a".into(),
        circuit: "grid".into(),
        asks: "the chargers of grid may draw 7.56 kW".into(),
        level: "active",
        in_force: true,
        since_s: 61,
        met_after_s: Some(2.4),
    };
    let site = SiteView {
        time_ms: None,
        name: "Office".into(),
        strategy: "equal",
        mode: "dynamic",
        circuits: vec![grid],
        meters: vec![main],
        chargers: vec![charger()],
        inputs: vec![contact],
        outputs: [("contactor", "trip", "off"), ("lamp", "lamp", "slow-blink")]
            .map(|(id, does, state)| OutputView { id: id.into(), does, state })
            .into(),
        waiting: Vec::new(),
        alerts: Vec::new(),
    };
    Picture { site: Arc::new(site), serials: vec!["S-77".into()] }
}

fn charger() -> ChargerView {
    ChargerView {
        id: "bay-1".into(),
        circuit: "grid".into(),
        online: true,
        serviceable: true,
        vendor: "Maker".into(),
        model: "One".into(),
        firmware: "1.0".into(),
        state: "Charging",
        limit_a: Some(10.0),
        confirmed: true,
        reason: "L3 of grid is full".into(),
        reason_code: "line-full",
        reason_circuit: Some("grid".into()),
        reason_line: Some("L3"),
        reason_input: None,
        drawn_a: None,
        power_w: Some(6_900),
        session: Some(SessionView { session: 4, tag: "04A2".into(), started_ms: None, energy_wh: None }),
        max_a: 32.0,
        fallback_a: 6.0,
        fallback_armed: true,
        settle_s: 10.0,
        settle_learnt: false,
        held_a: Some(0.0),
        departs_ms: None,
        energy_needed_kwh: None,
    }
}

fn announcer(base: &Base, read_only: bool) -> Announcer<'_> {
    Announcer { base, box_id: "1a2b3c4d", discovery_prefix: "homeassistant", read_only, updates: !read_only }
}

#[test]
fn every_topic_of_a_site_has_its_value() {
    let mut sheet = String::new();
    let topics = mirror::topics(&Base::new("dlb", "1a2b3c4d"), &picture(), 0);
    for (topic, told) in topics.iter().filter(|(topic, _)| !topic.ends_with("/version")) {
        writeln!(sheet, "{:?} {topic} = {}", told.pace, told.payload).unwrap();
    }
    insta::assert_snapshot!(sheet);
}

#[test]
fn home_assistant_learns_of_the_box_and_its_charger() {
    let base = Base::new("dlb", "1a2b3c4d");
    let mut all = announcer(&base, false).all(&picture());
    let mut sheet = String::new();
    for (topic, message) in &mut all {
        message["o"]["sw"] = "VERSION".into();
        if message["dev"]["mf"] == "dlb" {
            message["dev"]["sw"] = "VERSION".into();
        }
        writeln!(sheet, "{topic}\n{}", serde_json::to_string_pretty(message).unwrap()).unwrap();
    }
    insta::assert_snapshot!(sheet);
}

#[test]
fn a_site_that_may_only_be_read_shows_nothing_to_press() {
    let base = Base::new("dlb", "1a2b3c4d");
    for message in announcer(&base, true).all(&picture()).values() {
        assert!(!message.to_string().contains("command_topic"), "{message}");
    }
}

#[test]
fn a_drivers_tag_is_on_no_topic() {
    let topics = mirror::topics(&Base::new("dlb", "1a2b3c4d"), &picture(), 0);
    assert!(topics.values().all(|told| !told.payload.contains("04A2")));
}

#[test]
fn a_charger_that_was_taken_down_vanishes_from_home_assistant() {
    let base = Base::new("dlb", "1a2b3c4d");
    let before = discovery::announced(&announcer(&base, false).all(&picture()));
    let mut fewer = picture();
    Arc::make_mut(&mut fewer.site).chargers.clear();
    Arc::make_mut(&mut fewer.site).meters.clear();
    let mut all = announcer(&base, false).all(&fewer);
    let emptied = discovery::forget(&before, &mut all);
    assert_eq!(emptied, ["homeassistant/device/dlb_1a2b3c4d_bay-1/config"]);
    let left = &all["homeassistant/device/dlb_1a2b3c4d/config"]["cmps"]["main_power"];
    assert_eq!(left, &serde_json::json!({"p": "sensor"}));
}

#[test]
fn nothing_is_taken_back_that_is_still_there() {
    let base = Base::new("dlb", "1a2b3c4d");
    let mut all = announcer(&base, false).all(&picture());
    let same = all.clone();
    let before: Announced = discovery::announced(&all);
    assert!(discovery::forget(&before, &mut all).is_empty());
    assert_eq!(all, same);
}
