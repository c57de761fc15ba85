//! Circuits that have no meter and are known by what their chargers report.

use dlb_sim::judge::Trial;
use dlb_sim::scenario::{Scenario, Tables};

/// The longest time that the guard saw the garage above its 50 A, in seconds, with chargers that report wrongly by a
/// share.
fn seconds_over(meter_error: f64) -> f64 {
    let mut text = "name = \"Garage\"\nseed = 1\nhours = 0.5\n\
         [[circuit]]\nid = \"grid\"\nlimit_a = 160\nbase_a = 2\n\
         [[meter]]\ncircuit = \"grid\"\nassumed_load_a = 40\n\
         [[circuit]]\nid = \"garage\"\nparent = \"grid\"\nlimit_a = 50\n"
        .to_owned();
    for bay in ["a", "b", "c", "d"] {
        text += &format!(
            "[[charger]]\nid = \"{bay}\"\ncircuit = \"garage\"\nmax_a = 32\nmeter_error = {meter_error}\n\
             [[car]]\ncharger = \"{bay}\"\narrives_h = 0.0\nleaves_h = 0.5\nsoc = 0.1\nmodel = \"van\"\n"
        );
    }
    let scenario = Scenario::parse(&text).expect("a sound scenario");
    let staged = scenario.stage(&Tables::default()).expect("a sound scenario");
    let mut trial = Trial::new(staged, &scenario, None);
    let mut longest = 0.0_f64;
    while trial.step() {
        let now = trial.site().now();
        let status = trial.site().controller().status(now);
        let over = status.circuits[1].guard.over_since;
        longest = longest.max(over.map_or(0.0, |(_, since)| now.since(since).as_secs_f64()));
    }
    longest
}

#[test]
fn a_full_garage_whose_chargers_report_a_little_too_much_is_no_overload() {
    assert_eq!(seconds_over(0.0), 0.0);
    assert_eq!(seconds_over(0.015), 0.0, "a meter of class 2 may be off by two per cent");
    assert!(seconds_over(0.04) > 1.0, "more than an error of measurement is told");
}
