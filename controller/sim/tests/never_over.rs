//! Never over, in short: random site-days under random faults, the scenarios that people know, and the
//! seeds that once failed. The long form: `dlb simulate --random 10000`.

#![expect(clippy::disallowed_methods, reason = "a test reads its seeds")]

use dlb_sim::judge::{Verdict, judge};
use dlb_sim::scenario::random::{Faults, site_day};
use dlb_sim::scenario::{Scenario, Tables};
use std::path::{Path, PathBuf};

fn played(scenario: &Scenario) -> Verdict {
    judge(scenario, &Tables::default(), None).expect("the scenario is sound")
}

fn scenarios(directory: &str) -> Vec<(PathBuf, Scenario)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios").join(directory);
    let files = std::fs::read_dir(&directory).expect("the directory is there");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("readable");
        let scenario = Scenario::parse(&text).map_err(|error| format!("{}: {error}", path.display()));
        (path, scenario.expect("a sound scenario"))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn nothing_trips_and_nobody_starves_on_random_sites_under_random_faults() {
    for seed in 0..16 {
        let verdict = played(&site_day(seed, Faults::Random));
        assert_eq!(verdict.breaches, [], "seed {seed}");
        assert_eq!((verdict.protective_device_trips, verdict.starved_sessions), (0, 0), "seed {seed}");
    }
}

#[test]
fn the_same_seed_has_the_same_digest() {
    let day = |seed| played(&site_day(seed, Faults::Random)).digest;
    assert_eq!(day(3), day(3));
    assert_ne!(day(3), day(4));
}

#[test]
fn the_evenings_that_people_know_go_well() {
    for (path, mut scenario) in scenarios("") {
        scenario.hours = scenario.hours.min(3.0);
        let verdict = played(&scenario);
        assert_eq!(verdict.breaches, [], "{}", path.display());
        assert!(verdict.energy_kwh > 1.0, "{}", path.display());
    }
}

#[test]
fn what_once_failed_fails_no_more() {
    for (path, scenario) in scenarios("seeds") {
        assert_eq!(played(&scenario).breaches, [], "{}", path.display());
    }
}

#[test]
fn hardly_anything_is_held_back_while_somebody_waits() {
    for (name, least) in [("at-once", 0.99), ("realistic", 0.97)] {
        let all = scenarios("");
        let (_, scenario) = all
            .into_iter()
            .find(|(path, _)| path.ends_with(format!("hardly-under-{name}.toml")))
            .expect("the scenario is there");
        let mut scenario = scenario;
        scenario.hours = 1.5;
        let verdict = played(&scenario);
        assert!(verdict.handed.waiting_s > 3600.0, "{name}: somebody must wait");
        assert!(verdict.handed.share() >= least, "{name}: {}", verdict.handed.share());
    }
}

#[test]
fn a_scenario_survives_being_written_down() {
    for seed in 0..50 {
        let scenario = site_day(seed, Faults::Random);
        assert_eq!(Scenario::parse(&scenario.to_text()).expect("it can be read again"), scenario);
    }
}

#[test]
fn every_mistake_is_named_with_its_key() {
    let text = "hours = -1\n[[circuit]]\nid = \"a\"\nlimit_a = 63\n[[charger]]\nid = \"x\"\ncircuit = \"b\"\n\
                rotation = \"L1L1\"\n[[fault]]\nkind = \"cable\"\nfrom_s = 0\non = \"y\"\n";
    let mistakes = Scenario::parse(text).expect("it is TOML").check();
    let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["hours", "charger[0].circuit", "charger[0].rotation", "fault[0].on"]);
    assert!(Scenario::parse("hours = 1\nhuors = 2\ncircuit = []\n").is_err(), "unknown keys are refused");
}
