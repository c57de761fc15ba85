//! A charger at which people stop on their way, beside one at which they have parked.

use dlb_engine::time::Duration;
use dlb_sim::judge::{Trial, Verdict};
use dlb_sim::scenario::{Scenario, Tables};
use dlb_wiring::dc_first::Hours;

/// Half an hour from 17:00 on, with less than half of what the two cars could take.
fn hub(first: Option<Hours>) -> Verdict {
    let text = "name = \"Hub\"\nseed = 1\nhours = 0.5\nstart = \"2026-03-02T17:00:00\"\n\
         [[circuit]]\nid = \"grid\"\nlimit_a = 32\nbase_a = 2\n\
         [[meter]]\ncircuit = \"grid\"\nassumed_load_a = 4\n\
         [[charger]]\nid = \"dc\"\ncircuit = \"grid\"\nkind = \"dc\"\nmax_kw = 30\n\
         [[charger]]\nid = \"ac\"\ncircuit = \"grid\"\nmax_a = 32\n\
         [[car]]\ncharger = \"dc\"\narrives_h = 0.0\nleaves_h = 0.5\nsoc = 0.1\n\
         [[car]]\ncharger = \"ac\"\narrives_h = 0.0\nleaves_h = 0.5\nsoc = 0.1\n";
    let scenario = Scenario::parse(text).expect("a sound scenario");
    let mut staged = scenario.stage(&Tables::default()).expect("a sound scenario");
    staged.rig.settings.policy.dc_first = first;
    let mut trial = Trial::new(staged, &scenario, None);
    while trial.step() {}
    trial.verdict()
}

fn hours(from: u64, to: u64) -> Option<Hours> {
    Some(Hours { from: Duration::from_secs(from * 3600), to: Duration::from_secs(to * 3600) })
}

/// Energy at the DC charger and at the AC charger.
fn energies(verdict: &Verdict) -> [f64; 2] {
    assert_eq!(verdict.breaches, []);
    [0, 1].map(|bay| {
        let here = verdict.sessions.iter().filter(|session| session.bay == bay);
        here.map(|session| session.stay.charged_kwh).sum()
    })
}

#[test]
fn in_busy_hours_the_motorists_go_before_those_who_have_parked() {
    let [dc, ac] = energies(&hub(hours(16, 19)));
    let [dc_later, ac_later] = energies(&hub(hours(6, 9)));
    let alike = energies(&hub(None));
    assert_eq!([dc_later, ac_later], alike, "outside of these hours nothing is different");
    assert!(
        dc > 1.2 * dc_later && ac < 0.8 * ac_later,
        "{dc:.1} and {ac:.1}, else {dc_later:.1} and {ac_later:.1} kWh"
    );
}
