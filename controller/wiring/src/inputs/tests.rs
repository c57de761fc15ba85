//! Stories of a site with contacts: one 63 A connection, two three-phase bays whose cars want all they can get.

use super::*;
use crate::controller::Controller;
use crate::event::{Effect, Event, Record};
use crate::settings::{Adoption, LinkSetting, Policy};
use dlb_engine::lines::{Line, Wiring};
use dlb_engine::site::{Charger, Circuit, Supply};
use dlb_engine::time::Duration;
use dlb_engine::units::Millivolts;
use dlb_links::charger::Outlet;
use std::collections::BTreeMap;

const START: Instant = Instant::from_millis(10_000);

fn at(millis: u64) -> Instant {
    START + Duration::from_millis(millis)
}

fn contact(id: &str, rule: InputRule) -> InputSetting {
    let debounce = Duration::from_millis(50);
    InputSetting { id: id.into(), circuit: CircuitIx(0), debounce, lost_is_active: true, rule }
}

fn settings(inputs: Vec<InputSetting>) -> Settings {
    let grid = Circuit::new("grid", PerLine::all(Milliamps(63_000)), Supply::Star(Millivolts(230_000)));
    let bay = |number: u32| Charger {
        id: format!("bay-{number}"),
        circuit: CircuitIx(0),
        wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
        min: Milliamps(6_000),
        max: Milliamps(16_000),
        step: Milliamps(100),
        fallback: Milliamps(6_000),
        priority: 0,
        weight: 1.0,
    };
    let link = |number: u32| LinkSetting::Ocpp {
        identity: format!("CP-{number}"),
        outlet: Outlet(1),
        efficiency: None,
    };
    Settings {
        name: "Site".into(),
        site: Site::new(vec![grid], vec![bay(1), bay(2)]).expect("sound"),
        guards: Vec::new(),
        meters: Vec::new(),
        links: vec![link(1), link(2)],
        policy: Policy::default(),
        adoption: Adoption::Ask,
        inputs,
        outputs: Vec::new(),
    }
}

/// Contacts alone, debounced.
fn settled(inputs: &mut Inputs, settings: &Settings, seen: &[(u64, Level)], until: u64) -> Vec<u64> {
    let mut changes = Vec::new();
    for millis in 0..=until {
        for (_, level) in seen.iter().filter(|(when, _)| *when == millis) {
            inputs.saw(at(millis), 0, *level);
        }
        changes.extend(inputs.settle(at(millis), settings).into_iter().map(|_| millis));
    }
    changes
}

#[test]
fn a_bouncing_contact_counts_once_and_fifty_milliseconds_after_its_last_bounce() {
    let settings = settings(vec![contact("ripple", InputRule::Inhibit)]);
    let mut inputs = Inputs::new(&settings, START);
    let bounces = [(0, Level::Inactive), (100, Level::Active), (110, Level::Inactive), (115, Level::Active)];
    assert_eq!(settled(&mut inputs, &settings, &bounces, 400), [0, 165]);
    assert!(inputs.get(0).in_force);
    assert_eq!(inputs.get(0).since, at(165));
}

#[test]
fn a_contact_that_has_said_nothing_or_is_lost_counts_as_closed_unless_told_otherwise() {
    for (lost_is_active, before, after) in [(true, true, true), (false, false, false)] {
        let settings = settings(vec![InputSetting { lost_is_active, ..contact("key", InputRule::Inhibit) }]);
        let mut inputs = Inputs::new(&settings, START);
        assert_eq!(inputs.get(0).in_force, before);
        settled(&mut inputs, &settings, &[(0, Level::Inactive), (10, Level::Lost)], 10);
        assert_eq!(inputs.get(0).in_force, after, "at once: what cannot be read does not bounce");
        settled(&mut inputs, &settings, &[(20, Level::Inactive)], 100);
        assert!(!inputs.get(0).in_force);
    }
}

fn others_10_a() -> CircuitState {
    let limit = PerLine::all(Milliamps(63_000));
    CircuitState { limit, limit_power: None, other_load: PerLine::all(Milliamps(10_000)) }
}

#[test]
fn of_several_contacts_the_lowest_counts_and_what_others_draw_is_not_the_chargers() {
    let settings = settings(vec![
        contact("p60", InputRule::Charging(Watts(22_000))),
        contact("p30", InputRule::Charging(Watts(7_560))),
    ]);
    let mut inputs = Inputs::new(&settings, START);
    (0..2).for_each(|ix| inputs.saw(START, ix, Level::Inactive));
    inputs.settle(START, &settings);
    let limit = |inputs: &Inputs| {
        let mut state = others_10_a();
        inputs.apply(&settings, CircuitIx(0), &mut state);
        state.limit_power
    };
    assert_eq!(limit(&inputs), None);
    (0..2).for_each(|ix| inputs.saw(START, ix, Level::Active));
    inputs.settle(at(50), &settings);
    assert_eq!(limit(&inputs), Some(Watts(6_900 + 7_560)));
}

#[test]
fn an_inhibited_circuit_leaves_its_others_alone() {
    let settings = settings(vec![contact("inhibit", InputRule::Inhibit)]);
    let inputs = Inputs::new(&settings, START);
    let mut state = others_10_a();
    inputs.apply(&settings, CircuitIx(0), &mut state);
    assert_eq!(state.limit, PerLine::all(Milliamps(10_000)));
}

#[test]
fn the_reason_names_the_contact_whose_limit_binds() {
    let settings = settings(vec![
        contact("amps", InputRule::Current(PerLine::all(Milliamps(20_000)))),
        contact("watts", InputRule::Charging(Watts(7_560))),
    ]);
    let inputs = Inputs::new(&settings, START);
    let circuit = CircuitIx(0);
    let by = |reason| inputs.behind(&settings, reason);
    let contact = |ix| Some(Reason::LimitedByInput { circuit, input: InputIx(ix) });
    assert_eq!(by(Reason::PowerFull { circuit }), contact(1));
    assert_eq!(by(Reason::LineFull { circuit, line: Line::L2 }), contact(0));
    assert_eq!(by(Reason::NoCar), None);
    assert_eq!(by(Reason::LineFull { circuit: CircuitIx(1), line: Line::L2 }), None);
}

fn said(effects: &[Effect]) -> Vec<(String, &'static str, bool)> {
    let alert = |effect: &Effect| match effect {
        Effect::Record(Record::Alert(alert)) => Some((alert.about.clone(), alert.code, alert.cleared)),
        _ => None,
    };
    effects.iter().filter_map(alert).filter(|(_, code, _)| code.contains("limit-")).collect()
}

#[test]
fn a_limit_is_recorded_when_it_comes_when_it_is_met_and_when_it_ends() {
    let mut controller = Controller::new(
        settings(vec![contact("p14a", InputRule::Charging(Watts(23_000)))]),
        BTreeMap::new(),
        START,
    );
    let mut level = |millis, level| {
        let event = Event::Input { input: "p14a".into(), level };
        let mut effects = controller.handle(at(millis), event);
        effects.extend(controller.handle(at(millis + 60), Event::Tick));
        said(&effects)
    };
    level(0, Level::Inactive);
    let record = |code, cleared| ("p14a".to_owned(), code, cleared);
    // Two bays out of reach draw 22 kW at the worst, which fits.
    assert_eq!(level(1000, Level::Active), [record("limit-by-input", false), record("limit-met", false)]);
    assert_eq!(level(2000, Level::Active), []);
    assert_eq!(level(3000, Level::Inactive), [record("limit-by-input", true)]);
}

#[test]
fn the_minimum_power_grows_with_each_device_by_its_factor() {
    let factors = [0.80, 0.75, 0.70];
    let kilowatts = |count| minimum_power_14a(count, &factors).0;
    assert_eq!([0, 1, 2, 3, 4, 5].map(kilowatts), [4200, 4200, 7560, 10_500, 13_020, 15_960]);
    assert_eq!(minimum_power_14a(3, &[]).0, 12_600);
}
