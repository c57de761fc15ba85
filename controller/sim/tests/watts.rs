//! Chargers that are told watts alone, which say nothing about the phases that a car will draw them on.

use dlb_sim::judge::{Verdict, judge};
use dlb_sim::scenario::{Scenario, Tables};

/// A board of 20 A with a charger that takes nothing but watts.
fn evening(car: &str, limit_a: f64, base_a: f64) -> Verdict {
    let text = format!(
        "name = \"Watts\"\nseed = 1\nhours = 1\nspeed = 4\n\
         [[circuit]]\nid = \"grid\"\nlimit_a = {limit_a}\nprotection = \"mcb-b\"\nbase_a = {base_a}\n\
         [[meter]]\ncircuit = \"grid\"\nassumed_load_a = {base_a}\n\
         [[charger]]\nid = \"bay\"\ncircuit = \"grid\"\nmax_a = 32\nunits = \"watts\"\n\
         [[car]]\ncharger = \"bay\"\narrives_h = 0.1\nleaves_h = 1\nsoc = 0.2\n{car}\n"
    );
    let scenario = Scenario::parse(&text).expect("a sound scenario");
    judge(&scenario, &Tables::default(), None).expect("a sound scenario")
}

const ONE_PHASE: &str = "model = \"city car\"\nphases = 1\nmax_a = 32\n";
const THREE_PHASES: &str = "model = \"hatchback\"\n";

#[test]
fn a_car_on_one_phase_never_draws_on_it_what_was_meant_for_three() {
    // 6 A on three phases are 18 A on one; 12 A are left.
    let verdict = evening(ONE_PHASE, 20.0, 8.0);
    assert_eq!(verdict.breaches, []);
    assert_eq!(verdict.longest_over_limit_s, 0.0, "{} As over", verdict.over_limit_a_s);
}

#[test]
fn cars_of_every_kind_start_where_eighteen_amperes_are_free() {
    for car in [ONE_PHASE, THREE_PHASES] {
        let verdict = evening(car, 32.0, 8.0);
        assert_eq!(verdict.breaches, []);
        assert!(verdict.energy_kwh > 2.0, "{car}: {} kWh", verdict.energy_kwh);
    }
}

#[test]
fn where_a_circuit_could_never_carry_eighteen_amperes_cars_on_one_phase_charge() {
    let one = evening(ONE_PHASE, 16.0, 1.0);
    assert_eq!((one.breaches, one.longest_over_limit_s), (vec![], 0.0));
    assert!(one.energy_kwh > 2.0, "{} kWh", one.energy_kwh);
    // Nobody can tell it watts that start it and do not overload the line if it draws all of it on one phase.
    let three = evening(THREE_PHASES, 16.0, 1.0);
    assert_eq!((three.breaches, three.longest_over_limit_s), (vec![], 0.0));
}
