//! The store as the program uses it.

use super::*;
use crate::web::doors::{HistoryDoor, Span, Wanted};
use crate::web::wire::SessionRecordView;
use dlb_engine::lines::PerLine;
use dlb_engine::reading::Reading;
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Instant, WallTime};
use dlb_engine::units::{Milliamps, WattHours, Watts};
use dlb_wiring::event::Severity;
use dlb_wiring::status::{CircuitStatus, GuardStatus, MeterStatus, Mode};

mod curves;

const NOON_MS: i64 = 1_795_435_200_000;

fn started(session: u64) -> Record {
    Record::SessionStarted {
        charger: "bay-1".into(),
        session,
        tag: "card".into(),
        at: Some(WallTime(NOON_MS)),
        register: Some(WattHours(1000)),
    }
}

fn ended(session: u64) -> Record {
    Record::SessionEnded {
        charger: "bay-1".into(),
        session,
        at: Some(WallTime(NOON_MS + 3_600_000)),
        energy: Some(WattHours(7360)),
        why: "EVDisconnected".into(),
    }
}

fn everything() -> Wanted {
    Wanted { span: Span { from_ms: 0, to_ms: i64::MAX }, about: None, limit: 10_000 }
}

fn sessions(store: &Opened) -> Vec<SessionRecordView> {
    store.handle.sessions(&everything()).unwrap()
}

/// A site with one circuit that carries this much on every line, at so many seconds past noon.
fn picture(second: u64, amps: i32) -> Status {
    let at = Instant::from_millis(1_000_000 + second * 1000);
    let power = Watts(i64::from(amps) * 690);
    let reading = Reading { power_total: Some(power), ..Reading::empty(at) };
    Status {
        at,
        wall: Some(WallTime(NOON_MS + i64::try_from(second).unwrap() * 1000)),
        name: "Office".into(),
        strategy: Strategy::Equal,
        mode: Mode::Dynamic,
        circuits: vec![CircuitStatus {
            id: "grid".into(),
            parent: None,
            limit: PerLine::all(Milliamps::from_amps(63)),
            lowered: None,
            measured: Some(PerLine::all(Milliamps::from_amps(amps))),
            other_load: PerLine::all(Milliamps::ZERO),
            worst_case: PerLine::all(Milliamps::ZERO),
            guard: GuardStatus::default(),
        }],
        meters: vec![MeterStatus { id: "main".into(), circuit: "grid".into(), reading: Ok(reading) }],
        chargers: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        waiting: Vec::new(),
        alerts: Vec::new(),
    }
}

/// Feeds pictures without overrunning the queue.
fn feed(store: &Opened, pictures: impl IntoIterator<Item = Status>) {
    for (count, picture) in pictures.into_iter().enumerate() {
        store.handle.telemetry(&picture);
        if count % 500 == 499 {
            store.handle.flush().wait().unwrap();
        }
    }
    store.handle.flush().wait().unwrap();
    assert_eq!(store.handle.counts(), Counts::default());
}

#[test]
fn what_was_acknowledged_is_found_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    assert_eq!(store.remembered, Remembered::default());
    for record in [started(1), ended(1), started(2)] {
        store.handle.record(record).wait().unwrap();
    }
    let learnt = Record::Learnt { identity: "CP-1".into(), memory: "{\"step\":1}".into() };
    store.handle.record(learnt).wait().unwrap();
    store.thread.stop();

    let store = open(data.path());
    assert_eq!(store.remembered.of("CP-1"), Some("{\"step\":1}"));
    assert_eq!(store.remembered.last_session, 2);
    let running: Vec<u64> = store.remembered.running.iter().map(|record| record.session).collect();
    assert_eq!(running, [2]);
    let found = sessions(&store);
    assert_eq!((found.len(), found[1].session, found[1].energy_wh), (2, 1, Some(7360)));
    assert_eq!(found[0].why, None);
    store.thread.stop();
}

#[test]
fn an_energy_register_goes_on_after_a_restart_and_tells_what_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let register = Arc::new(EnergyRegister::resumed(1_000, 50));
    let store = open(data.path());
    store.handle.keep("main", Arc::clone(&register));
    register.count(&dlb_engine::measure::Energy::resumed(4_000, 70));
    assert_eq!(register.kept(), (1_000, 50));
    store.handle.flush().wait().unwrap();
    assert_eq!(register.kept(), (4_000, 70));
    register.count(&dlb_engine::measure::Energy::resumed(5_000, 80));
    store.thread.stop();
    assert_eq!(open(data.path()).remembered.registers["main"], (5_000, 80));
}

#[test]
fn a_session_that_is_told_twice_stands_there_once() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    for record in [started(1), started(1), ended(1), ended(1)] {
        store.handle.record(record).wait().unwrap();
    }
    assert_eq!(sessions(&store).len(), 1);
    store.thread.stop();
}

#[test]
fn a_number_that_comes_back_after_a_restart_is_another_session() {
    let data = tempfile::tempdir().unwrap();
    let nameless = |register| Record::SessionStarted {
        charger: "bay-2".into(),
        session: 1,
        tag: String::new(),
        at: None,
        register: Some(WattHours(register)),
    };
    let end = |energy| Record::SessionEnded {
        charger: "bay-2".into(),
        session: 1,
        at: None,
        energy: Some(WattHours(energy)),
        why: "unplugged".into(),
    };
    for energy in [1000, 2000] {
        let store = open(data.path());
        store.handle.record(nameless(energy)).wait().unwrap();
        store.handle.record(end(energy)).wait().unwrap();
        store.thread.stop();
    }
    let store = open(data.path());
    let energies: Vec<_> = sessions(&store).iter().map(|record| record.energy_wh).collect();
    assert_eq!(energies, [Some(2000), Some(1000)]);
    store.thread.stop();
}

#[test]
fn the_next_session_of_an_outlet_ends_one_whose_end_was_never_heard() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    for record in [started(1), started(2)] {
        store.handle.record(record).wait().unwrap();
    }
    let found = sessions(&store);
    assert_eq!((found[0].session, found[0].why.as_deref()), (2, None));
    assert_eq!((found[1].session, found[1].why.as_deref()), (1, Some("its end was never heard")));
    // It is heard after all.
    store.handle.record(ended(1)).wait().unwrap();
    assert_eq!(sessions(&store)[1].why.as_deref(), Some("EVDisconnected"));
    store.thread.stop();
}

#[test]
fn sessions_and_events_are_bounded_and_a_running_session_stays() {
    let data = tempfile::tempdir().unwrap();
    let bounds = Bounds { sessions: 10, events: 5, ..Bounds::default() };
    let store = open_bounded(data.path(), bounds);
    let mut other = started(1);
    if let Record::SessionStarted { charger, .. } = &mut other {
        *charger = "bay-9".into();
    }
    store.handle.record(other).wait().unwrap();
    for session in 2..30 {
        let _ = store.handle.record(started(session));
        let _ = store.handle.record(ended(session));
        let alert = Alert {
            at: crate::clock::now(),
            severity: Severity::Note,
            about: "site".into(),
            code: "test",
            text: format!("{session}"),
            cleared: false,
        };
        let _ = store.handle.record(Record::Alert(alert));
    }
    store.handle.flush().wait().unwrap();
    let kept: Vec<u64> = sessions(&store).iter().map(|record| record.session).collect();
    assert_eq!(kept, (20..30).rev().chain([1]).collect::<Vec<u64>>());
    let events = store.handle.events(&everything()).unwrap();
    assert_eq!((events.len(), events[0].text.as_str()), (5, "29"));
    store.thread.stop();
}

#[test]
fn nobody_waits_for_a_store_that_is_busy() {
    let (commands, queue) = std::sync::mpsc::sync_channel(1);
    let handle = StoreHandle { commands, shared: Arc::default() };
    for second in 0..10 {
        handle.telemetry(&picture(second, 10));
    }
    assert_eq!(handle.counts().samples_dropped, 9);
    assert_eq!(handle.record(started(1)).wait(), Err(NotSafe::TooMany));
    drop(queue);
    assert_eq!(handle.record(started(1)).wait(), Err(NotSafe::Ended));
}

#[test]
fn a_record_waits_for_a_disk_that_is_away() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("journal.redb");
    std::fs::create_dir(&path).unwrap();
    let store = open(data.path());
    assert_eq!(store.handle.record(started(1)).wait(), Err(NotSafe::Disk));
    let alert = store.troubles.recv_blocking().unwrap();
    assert_eq!((alert.code, alert.cleared), ("journal-unavailable", false));
    std::fs::remove_dir(&path).unwrap();
    // Tried again within ten seconds, without being asked.
    let alert = store.troubles.recv_blocking().unwrap();
    assert_eq!((alert.code, alert.cleared), ("journal-unavailable", true));
    store.handle.flush().wait().unwrap();
    assert_eq!(sessions(&store).len(), 1);
    store.thread.stop();
}

#[test]
fn damage_anywhere_in_the_files_is_survived() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    for session in 1..200 {
        let _ = store.handle.record(started(session));
        let _ = store.handle.record(ended(session));
    }
    feed(&store, (0..3000).map(|second| picture(second, 10)));
    store.thread.stop();
    let sound =
        [Which::Journal, Which::History].map(|which| std::fs::read(file(data.path(), which)).unwrap());

    let mut dice: u64 = 4711;
    let mut moved = 0;
    for _ in 0..60 {
        let data = tempfile::tempdir().unwrap();
        for (which, sound) in [Which::Journal, Which::History].into_iter().zip(&sound) {
            let mut bytes = sound.clone();
            for _ in 0..20 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(dice >> 33).unwrap() % bytes.len();
                let length = bytes.len().min(at + 64);
                bytes[at..length].fill(u8::try_from(dice >> 20 & 0xff).unwrap());
            }
            std::fs::write(file(data.path(), which), bytes).unwrap();
        }
        let store = open(data.path());
        let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 3_000_000 };
        let _ = HistoryDoor::series(&store.handle, span, 10);
        let _ = store.handle.sessions(&everything());
        for second in 3000..3040 {
            store.handle.telemetry(&picture(second, 10));
        }
        // Broken pages may come to light only now; the second attempt finds a new file.
        let _ = store.handle.flush().wait();
        store
            .handle
            .record(started(1000))
            .wait()
            .or_else(|_| store.handle.record(started(1000)).wait())
            .unwrap();
        assert!(sessions(&store).iter().any(|record| record.session == 1000));
        store.thread.stop();
        moved += std::fs::read_dir(data.path()).unwrap().count() - 2;
    }
    assert!(moved > 30, "the damage was noticed: {moved}");
}

#[test]
fn the_history_of_a_new_box_is_empty_and_not_an_error() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    // A record is written at once, load curves only after half a minute.
    store.handle.record(started(1)).wait().unwrap();
    let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 86_400_000 };
    assert_eq!(HistoryDoor::series(&store.handle, span, 300).unwrap().series.len(), 0);
    store.thread.stop();
}
