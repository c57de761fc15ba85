//! A power cut at any instant: this test runs itself as a victim that writes, kills it with no warning
//! at a random moment, and looks what is there. 50 times each; `DLB_KILLS=200` for the long form, `DLB_SEED` for
//! other moments.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use dlb::config::{ConfigFile, Maps};
use dlb::store;
use dlb::web::doors::{HistoryDoor, Span, Wanted};
use dlb_engine::time::WallTime;
use dlb_engine::units::WattHours;
use dlb_wiring::event::Record;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const VICTIM: &str = "DLB_VICTIM_DATA";
const OFFICE: &str = include_str!("../../../tests/sites/office.toml");

/// What follows this on the victim's output has been acknowledged to it.
const SAFE: &str = "safe ";

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Starts a test of this file as a process of its own.
fn victim(name: &str, data: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(VICTIM, data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the victim write for a random time, kills it, and gives back all that it was promised.
fn promised_until_killed(mut victim: Child, dice: &mut u64) -> Vec<u64> {
    let mut output = BufReader::new(victim.stdout.take().unwrap());
    let mut text = String::new();
    // The time starts with the first promise: starting a process takes longer than many writes.
    while !text.contains(SAFE) && output.read_line(&mut text).unwrap() > 0 {}
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    std::thread::sleep(Duration::from_micros((*dice >> 33) % 40_000));
    victim.kill().unwrap();
    victim.wait().unwrap();
    output.read_to_string(&mut text).unwrap();
    // A line without its end may have been cut itself.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| line.split_once(SAFE)?.1.parse().ok()).collect()
}

/// Not a test of its own: writes sessions and says which are safe, until it is killed.
#[test]
fn victim_that_writes_sessions() {
    let Ok(data) = std::env::var(VICTIM) else { return };
    let store = store::open(Path::new(&data));
    for session in store.remembered.last_session + 1.. {
        let at = Some(WallTime(1_795_435_200_000));
        let start = Record::SessionStarted {
            charger: "bay-1".into(),
            session,
            tag: "card".into(),
            at,
            register: None,
        };
        let end = Record::SessionEnded {
            charger: "bay-1".into(),
            session,
            at,
            energy: Some(WattHours(i64::try_from(session).unwrap())),
            why: "Local".into(),
        };
        store.handle.record(start).wait().unwrap();
        store.handle.record(end).wait().unwrap();
        println!("{SAFE}{session}");
    }
}

#[test]
fn no_acknowledged_session_is_lost_when_the_power_goes() {
    let data = tempfile::tempdir().unwrap();
    let mut dice = from_environment("DLB_SEED", 20_261_123);
    let mut promised = BTreeSet::new();
    for cut in 0..from_environment("DLB_KILLS", 50) {
        promised.extend(promised_until_killed(victim("victim_that_writes_sessions", data.path()), &mut dice));
        let store = store::open(data.path());
        let everything = Wanted { span: Span { from_ms: 0, to_ms: i64::MAX }, about: None, limit: 1_000_000 };
        let found = store.handle.sessions(&everything).unwrap();
        let whole =
            found.iter().filter(|record| record.energy_wh.is_some_and(|wh| wh as u64 == record.session));
        let whole: BTreeSet<u64> = whole.map(|record| record.session).collect();
        let lost: Vec<&u64> = promised.difference(&whole).collect();
        assert!(lost.is_empty(), "cut {cut}: {lost:?} of {} are lost", promised.len());
        assert!(store.remembered.running.len() as u64 <= cut + 1, "at most one was under way at each cut");
        store.thread.stop();
        assert!(store.troubles.try_recv().is_err(), "cut {cut}: the file is sound");
    }
    assert!(promised.len() > 50, "the victims wrote: {}", promised.len());
}

/// Not a test of its own: saves one configuration after the other and says which is safe.
#[test]
fn victim_that_saves_configurations() {
    let Ok(data) = std::env::var(VICTIM) else { return };
    let data = Path::new(&data);
    let mut file = ConfigFile::open(&data.join("site.toml"), data, Maps::default(), None).file;
    loop {
        // Versions may skip a number after a cut, so the name says which one this is.
        let next = file.version() + 1;
        let text = OFFICE.replace("\"Office\"", &format!("\"Office {next}\""));
        file.put(file.version(), &text, "victim", None).unwrap();
        println!("{SAFE}{next}");
    }
}

#[test]
fn the_old_or_the_new_configuration_is_there_when_the_power_goes() {
    let data = tempfile::tempdir().unwrap();
    let mut dice = from_environment("DLB_SEED", 20_261_123);
    for cut in 0..from_environment("DLB_KILLS", 50) {
        let promised =
            promised_until_killed(victim("victim_that_saves_configurations", data.path()), &mut dice);
        let opened = ConfigFile::open(&data.path().join("site.toml"), data.path(), Maps::default(), None);
        assert_eq!(opened.trouble, None, "cut {cut}");
        let last = promised.last().copied().expect("the victim saved");
        let name: u64 = opened.checked.settings.name.strip_prefix("Office ").unwrap().parse().unwrap();
        assert!(name >= last, "cut {cut}: {name} is older than the promised {last}");
    }
}
