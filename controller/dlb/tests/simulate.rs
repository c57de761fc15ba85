//! `dlb simulate` and `dlb replay` as others see them: the real program.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn dlb(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dlb")).args(arguments).output().expect("the program runs")
}

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios").join(name);
    path.display().to_string()
}

fn beside(directory: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    path
}

const TABLES: &str = "
hours = 2
start = \"2026-03-02T17:00:00\"
speed = 4
sessions = \"sessions.csv\"
[[circuit]]
id = \"grid\"
limit_a = 32
load = \"load.csv\"
[[meter]]
circuit = \"grid\"
[[charger]]
id = \"bay\"
circuit = \"grid\"
";

#[test]
fn an_evening_has_all_the_figures_and_its_seed_gives_the_same_again() {
    let house = scenario("house.toml");
    let play = |seed| {
        let output = dlb(&["simulate", &house, "--json", "--hours", "3", "--seed", seed]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).expect("one JSON object")
    };
    let first = play("7");
    for key in [
        "simulated_s",
        "wall_s",
        "energy_kwh",
        "energy_requested_kwh",
        "energy_optimal_kwh",
        "peak_kw",
        "peak_uncontrolled_kw",
        "over_limit_a_s",
        "longest_over_limit_s",
        "protective_device_trips",
        "starved_sessions",
        "jain_fairness",
        "setpoints_sent",
        "seed",
        "digest",
    ] {
        assert!(!first[key].is_null(), "{key} is missing");
    }
    assert!(first["energy_kwh"].as_f64().expect("a number") > 1.0);
    assert!(first["energy_kwh"].as_f64() <= first["energy_optimal_kwh"].as_f64().map(|kwh| kwh * 1.02));
    assert_eq!(first["digest"], play("7")["digest"]);
    assert_ne!(first["digest"], play("8")["digest"]);
}

#[test]
fn sessions_and_loads_come_from_tables() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = beside(&directory, "evening.toml", TABLES);
    let sessions = "arrival,departure,energy_kwh,max_a,phases,charger\n\
                    2026-03-02T17:10:00,2026-03-02T18:50:00,4.0,16,3,bay\n";
    beside(&directory, "sessions.csv", sessions);
    beside(
        &directory,
        "load.csv",
        "time,l1_a,l2_a,l3_a\n2026-03-02T17:00,10,11,12\n2026-03-02T18:00,25,3,3\n",
    );
    let output = dlb(&["simulate", &file.display().to_string(), "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["energy_requested_kwh"], 4.0);
    assert!(report["energy_kwh"].as_f64().expect("a number") > 3.9, "{report}");

    beside(
        &directory,
        "sessions.csv",
        "arrival,departure,energy_kwh,max_a,phases,charger\nnoon,x,1,1,1,bay\n",
    );
    let output = dlb(&["simulate", &file.display().to_string()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("sessions.csv: line 2: `noon`"), "{told}");
}

#[test]
fn a_journal_plays_again_to_the_byte_and_a_change_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = directory.path().join("journal").display().to_string();
    let seed = scenario("seeds/seed-150.toml");
    let output = dlb(&["simulate", &seed, "--hours", "20", "--record", &journal]);
    assert!(output.status.success(), "{output:?}");
    let output = dlb(&["replay", &journal]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("the same to the byte"));

    let text = std::fs::read_to_string(&journal).expect("readable");
    let at = text.rfind("SetChargingProfile").expect("limits were sent");
    let line = text[..at].lines().count();
    let changed = format!("{}setChargingProfile{}", &text[..at], &text[at + 18..]);
    std::fs::write(&journal, changed).expect("writable");
    let output = dlb(&["replay", &journal]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("line {line},")), "{told}");
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_played() {
    let directory = tempfile::tempdir().expect("a directory");
    let told = |text: &str| {
        let file = beside(&directory, "wrong.toml", text);
        let output = dlb(&["simulate", &file.display().to_string()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(told("hours = 1\nhuors = 2\ncircuit = []\n").contains("huors"));
    assert!(told("hours = 0\ncircuit = []\n").contains("hours: must be from"));
    let schema = dlb(&["simulate", "--schema"]);
    assert!(String::from_utf8_lossy(&schema.stdout).contains("limit_lifetime_s"));
    assert_eq!(dlb(&["replay", "/nowhere"]).status.code(), Some(2));
}
