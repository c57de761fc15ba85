//! Cars that follow the sun on a made-up roof, behind the real links.

use dlb_engine::surplus::{Mode, Setting};
use dlb_sim::judge::{Trial, Verdict};
use dlb_sim::scenario::{Scenario, Tables};

/// Four hours around noon, or in the evening, with a roof of 20 A on each line.
fn day(start: &str, mode: Option<Mode>) -> Verdict {
    roof(20.0, start, mode.map(|mode| Setting { mode, switches: false }))
}

fn roof(sun_a: f64, start: &str, setting: Option<Setting>) -> Verdict {
    let text = format!(
        "name = \"Farm\"\nseed = 3\nhours = 4\nspeed = 4\nstart = \"2026-06-01T{start}:00\"\n\
         [[circuit]]\nid = \"grid\"\nlimit_a = 63\nbase_a = 2\nsun_a = {sun_a}\n\
         [[meter]]\ncircuit = \"grid\"\nassumed_load_a = 10\n\
         [[charger]]\nid = \"barn\"\ncircuit = \"grid\"\nmax_a = 32\nrotation = \"L1L2L3\"\n\
         [[car]]\ncharger = \"barn\"\narrives_h = 0.1\nleaves_h = 4\nsoc = 0.1\n"
    );
    let scenario = Scenario::parse(&text).expect("a sound scenario");
    let mut staged = scenario.stage(&Tables::default()).expect("a sound scenario");
    staged.rig.settings.policy.sun.extend(setting.map(|setting| ("barn".to_owned(), setting)));
    let mut trial = Trial::new(staged, &scenario, None);
    while trial.step() {}
    let verdict = trial.verdict();
    assert_eq!(verdict.breaches, []);
    verdict
}

#[test]
fn on_surplus_alone_the_grid_gives_next_to_nothing() {
    let (sunny, hasty) = (day("10:00", Some(Mode::Surplus)), day("10:00", None));
    assert!(sunny.energy_kwh > 3.0, "{} kWh", sunny.energy_kwh);
    assert!(sunny.energy_kwh <= hasty.energy_kwh);
    assert!(sunny.contactor_starts <= 6, "{} starts under clouds", sunny.contactor_starts);
}

#[test]
fn in_the_evening_surplus_alone_charges_nothing_and_the_other_mode_its_minimum() {
    assert!(day("21:30", Some(Mode::Surplus)).energy_kwh < 0.1);
    let (least, hasty) = (day("21:30", Some(Mode::Minimum)).energy_kwh, day("21:30", None).energy_kwh);
    assert!(least > 1.0 && least < 0.7 * hasty, "{least} of {hasty} kWh");
}

#[test]
fn a_small_roof_charges_a_car_on_one_phase_that_it_could_not_charge_on_three() {
    let small = |switches| roof(5.0, "10:00", Some(Setting { mode: Mode::Surplus, switches }));
    let (three, switching) = (small(false), small(true));
    assert!(three.energy_kwh < 0.5, "{} kWh", three.energy_kwh);
    assert!(switching.energy_kwh > 3.0, "{} kWh", switching.energy_kwh);
    assert!(switching.contactor_starts <= 6, "{} starts under clouds", switching.contactor_starts);
}

#[test]
fn a_large_roof_charges_the_same_car_on_three_phases_and_switches_seldom() {
    let large = |switches| roof(20.0, "09:00", Some(Setting { mode: Mode::Surplus, switches }));
    let (three, switching) = (large(false), large(true));
    assert!(switching.energy_kwh > 0.9 * three.energy_kwh, "{} kWh", switching.energy_kwh);
    assert!(switching.contactor_starts <= 8, "{} starts", switching.contactor_starts);
}
