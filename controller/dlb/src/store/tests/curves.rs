//! Load curves: what is kept, what is drawn of it, what it costs.

use super::*;
use std::os::unix::fs::MetadataExt as _;

#[test]
fn a_day_is_drawn_from_ten_second_rows_and_a_month_from_five_minute_rows() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    // Half an hour: 10 A in even minutes, 20 A in odd ones.
    feed(&store, (0..1800).map(|second| picture(second, if second / 60 % 2 == 0 { 10 } else { 20 })));
    let view = |from_s: i64, to_s: i64, step_s| {
        let span = Span { from_ms: NOON_MS + from_s * 1000, to_ms: NOON_MS + to_s * 1000 };
        HistoryDoor::series(&store.handle, span, step_s).unwrap()
    };
    let fine = view(0, 120, 10);
    let current = &fine.series[0];
    assert_eq!(
        (current.id.as_str(), current.quantity.as_str(), current.line.as_deref()),
        ("grid", "current", Some("L1"))
    );
    assert_eq!((fine.step_s, current.mean.len()), (10, 12));
    assert_eq!((current.mean[0], current.mean[11]), (Some(10.0), Some(20.0)));

    let coarse = view(0, 1800, 600);
    let current = &coarse.series[0];
    assert_eq!((coarse.step_s, current.mean.len()), (600, 3));
    // The first sample stands for one second like the others: six minutes of each in ten.
    assert_eq!((current.mean[1], current.max[1]), (Some(15.0), Some(20.0)));
    // The last five minutes have no row of their own yet; they are drawn all the same.
    assert_eq!(current.mean[2], Some(15.0));
    // Before and after nothing was recorded, and nothing is made up.
    assert_eq!(view(-600, 0, 300).series, []);
    assert_eq!(view(0, 4000, 300).series[0].mean[13], None);
    store.thread.stop();
}

#[test]
fn the_first_hour_of_a_young_box_is_drawn_in_fine_steps() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 3_600_000 };
    let view = || HistoryDoor::series(&store.handle, span, 60).unwrap();
    // Started in the middle of five minutes; at first there is no row of five minutes at all.
    feed(&store, (407..500).map(|second| picture(second, 10)));
    assert_eq!((view().step_s, view().series[0].mean[7]), (60, Some(10.0)));
    feed(&store, (500..1000).map(|second| picture(second, 20)));
    assert_eq!((view().step_s, view().series[0].mean[12]), (60, Some(20.0)));
    store.thread.stop();
}

#[test]
fn the_curve_goes_on_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    feed(&store, (0..200).map(|second| picture(second, 10)));
    store.thread.stop();
    let store = open(data.path());
    feed(&store, (200..700).map(|second| picture(second, 20)));
    let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 600_000 };
    let view = HistoryDoor::series(&store.handle, span, 300).unwrap();
    assert_eq!(view.series[0].mean, [Some(13.33), Some(20.0)]);
    store.thread.stop();
}

#[test]
fn the_month_remembers_its_highest_quarter_of_an_hour() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let amps = |second: u64| if (900..1800).contains(&second) { 40 } else { 20 };
    feed(&store, (0..3000).map(|second| picture(second, amps(second))));
    store.thread.stop();
    let peaks = open(data.path()).remembered.peaks;
    let november = 2026 * 12 + 10;
    assert_eq!(peaks.get(&november), Some(&Peak { watts: 40 * 690, at_ms: NOON_MS + 900_000 }));
}

#[test]
fn a_clock_that_steps_back_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    feed(&store, (0..100).map(|second| picture(second, 10)));
    let again = (100..200).map(|second| {
        let mut picture = picture(second, 30);
        picture.wall = picture.wall.map(|wall| WallTime(wall.0 - 100_000));
        picture
    });
    feed(&store, again);
    let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 100_000 };
    let view = HistoryDoor::series(&store.handle, span, 10).unwrap();
    assert_eq!((view.series[0].mean[5], view.series[0].max[5]), (Some(20.0), Some(30.0)));
    store.thread.stop();
}

#[test]
fn the_history_stays_within_its_bound() {
    // Several times what fits, of small rows and of rows that are larger than a page.
    for (history_bytes, circuits, rows) in [(4 << 20, 200, 1_000), (2 << 20, 10, 8_000)] {
        let data = tempfile::tempdir().unwrap();
        let store = open_bounded(data.path(), Bounds { history_bytes, ..Bounds::default() });
        let mut largest = 0;
        for row in 0..rows {
            let mut picture = picture(row * 10, 10);
            let grid = picture.circuits[0].clone();
            picture
                .circuits
                .extend((0..circuits).map(|at| CircuitStatus { id: format!("c{at}"), ..grid.clone() }));
            store.handle.telemetry(&picture);
            if row % 50 == 0 {
                store.handle.flush().wait().unwrap();
                // The file doubles as it grows; what counts is what it takes of the disk.
                largest =
                    largest.max(std::fs::metadata(data.path().join("history.redb")).unwrap().blocks() * 512);
            }
        }
        assert_eq!(store.handle.counts(), Counts::default());
        store.handle.flush().wait().unwrap();
        let end = NOON_MS + i64::try_from(rows).unwrap() * 10_000;
        let step =
            |from_ms, to_ms| HistoryDoor::series(&store.handle, Span { from_ms, to_ms }, 10).unwrap().step_s;
        println!("{largest} bytes of {history_bytes}");
        assert!(
            largest <= history_bytes && largest > history_bytes / 5,
            "{largest} bytes of {history_bytes}"
        );
        assert!(step(end - 60_000, end) < 300, "the newest rows are there");
        assert_eq!(step(NOON_MS, NOON_MS + 60_000), 300, "the oldest have gone");
        store.thread.stop();
    }
}

#[test]
fn a_question_about_years_of_many_chargers_gets_a_bounded_answer() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    feed(
        &store,
        (0..30).map(|second| {
            let mut picture = picture(second, 10);
            let grid = picture.circuits[0].clone();
            picture
                .circuits
                .extend((0..300).map(|at| CircuitStatus { id: format!("c{at}"), ..grid.clone() }));
            picture
        }),
    );
    let span = Span { from_ms: NOON_MS, to_ms: NOON_MS + 5_000_000 };
    let view = HistoryDoor::series(&store.handle, span, 1).unwrap();
    let values: usize = view.series.iter().map(|series| series.mean.len() + series.max.len()).sum();
    assert!(values <= 300_000 && view.step_s > 60, "{values} values, {} s", view.step_s);
    store.thread.stop();
}

/// What a day of a site with twelve chargers writes: `cargo test -p dlb --lib a_day_writes -- --ignored --nocapture`.
/// The figures are in `controller/decisions/0002-redb-instead-of-sled.md`.
#[test]
#[ignore = "takes a minute and measures; the command stands above"]
fn a_day_writes_little_to_the_flash() {
    let written = || {
        let io = std::fs::read_to_string("/proc/self/io").unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let before = written();
    for row in 0..8640 {
        let mut picture = picture(row * 10, 10 + i32::try_from(row % 40).unwrap());
        let grid = picture.circuits[0].clone();
        picture.circuits.extend((0..13).map(|at| CircuitStatus { id: format!("c{at}"), ..grid.clone() }));
        store.handle.telemetry(&picture);
        if row % 3 == 2 {
            store.handle.flush().wait().unwrap();
        }
    }
    let curves = written() - before;
    for session in 0..48 {
        store.handle.record(started(session)).wait().unwrap();
        store.handle.record(ended(session)).wait().unwrap();
    }
    let sessions = written() - before - curves;
    println!("curves of a day: {curves} bytes; 48 sessions: {sessions} bytes");
    assert!(curves + sessions < 500_000_000);
    store.thread.stop();
}
