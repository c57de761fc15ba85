//! The desk over a real sampling thread and the simulated converter.

use super::*;
use crate::sampling::{Options, Sampling, simulated, start};
use std::f64::consts::{PI, SQRT_2, TAU};
use std::time::{Duration, Instant};

/// A heater of 16 A on every line; the clamps lead by 0.9° as the board file says, L2's is on backwards, and
/// all show 4 % too little.
fn wave(channel: usize, t: f64) -> f64 {
    let angle = TAU * 50.0 * t - TAU / 3.0 * (channel % 3) as f64;
    let turned = if channel == 1 { PI } else { 0.0 };
    match channel {
        0..3 => 0.96 * 16.0 * SQRT_2 * (angle + turned + 0.9_f64.to_radians()).sin() / 2000.0 * 5.1,
        _ => 230.0 * SQRT_2 * angle.sin() / 700.0,
    }
}

fn measuring(data: &Path) -> (ClampDesk, Sampling) {
    let text = include_str!("../../../../tests/boards/three-phase.toml");
    let file = BoardFile::parse(text, Path::new("board.toml")).unwrap().sampled();
    let (desk, trouble) = ClampDesk::open(data);
    assert_eq!(trouble, None);
    let (corrected, left_out) = desk.correct(&file);
    assert!(left_out.is_empty());
    let source = simulated(&corrected, wave, 1).unwrap();
    let board = corrected.board().unwrap();
    let sampling = start(source, board, Options::default(), Box::new(|_| true), Box::new(|_| {})).unwrap();
    desk.attach(&file, sampling.probe().clone()).unwrap();
    (desk, sampling)
}

/// The view once it says this.
fn wait_for(desk: &ClampDesk, what: impl Fn(&ClampsView) -> bool) -> ClampsView {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let view = desk.view().unwrap();
        if what(&view) {
            return view;
        }
        assert!(Instant::now() < deadline, "{:?}", view.lines);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn order(channel: &str) -> ClampOrder {
    ClampOrder { channel: channel.to_owned(), by: "K. Meier".to_owned() }
}

#[test]
fn an_installer_turns_a_clamp_and_calibrates_it_and_both_survive_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let (desk, sampling) = measuring(data.path());
    let view = wait_for(&desk, |view| view.lines[1].finding == "backwards");
    assert_eq!(view.lines[0].finding, "fits");
    assert!((view.lines[1].voltage_deg.unwrap() + 120.0).abs() < 0.5);
    assert!((view.lines[1].current_deg.unwrap() - 60.0).abs() < 0.5);
    assert_eq!(view.channels.len(), 6);

    desk.turn(&order("i2")).unwrap();
    wait_for(&desk, |view| view.lines[1].finding == "fits-turned");
    let heater = CalibrateOrder {
        channel: "i2".to_owned(),
        actual: 16.0,
        resistive: true,
        by: " K. Meier ".to_owned(),
    };
    let calibrated = desk.calibrate(&heater).unwrap();
    assert!((calibrated.measured - 15.36).abs() < 0.01, "{calibrated:?}");
    assert!((calibrated.gain_correction - 1.0 / 0.96).abs() < 0.001);
    assert!((calibrated.phase_error_deg - 0.9).abs() < 0.05);
    let shows = |amps: f64| {
        move |view: &ClampsView| view.lines[1].current_a.is_some_and(|shown| (shown - amps).abs() < 0.01)
    };
    wait_for(&desk, shows(16.0));
    drop(sampling);

    let (desk, _sampling) = measuring(data.path());
    wait_for(&desk, shows(16.0));
    let corrections = desk.corrections().unwrap();
    let history = &corrections.channels[1].history;
    assert_eq!((history[0].act, history[0].by.as_str()), ("calibrated", "K. Meier"));
    assert_eq!((history[0].actual, history[1].act), (Some(16.0), "turned"));
    desk.undo(&order("i2")).unwrap();
    wait_for(&desk, shows(15.36));
    assert!(desk.corrections().unwrap().channels[1].history[0].undone_by.is_some());
}

#[test]
fn corrections_move_to_another_box_with_its_backup_also_before_that_measures() {
    let [first, second, third] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (desk, _sampling) = measuring(first.path());
    assert_eq!(desk.backup(), None, "nothing was corrected yet");
    desk.turn(&order("i2")).unwrap();
    let backup = desk.backup().unwrap();

    let (desk, _sampling) = measuring(second.path());
    wait_for(&desk, |view| view.lines[1].finding == "backwards");
    desk.restore(&backup).unwrap();
    wait_for(&desk, |view| view.lines[1].finding == "fits-turned");
    assert_eq!(ClampDesk::open(second.path()).0.backup(), Some(backup.clone()));
    assert!(matches!(desk.restore("entry = 7"), Err(ClampRefusal::Record(RecordFault::Damaged(_)))));
    assert_eq!(desk.backup(), Some(backup.clone()), "a damaged one changes nothing");

    ClampDesk::open(third.path()).0.restore(&backup).unwrap();
    let (desk, _sampling) = measuring(third.path());
    wait_for(&desk, |view| view.lines[1].finding == "fits-turned");
}

#[test]
fn what_cannot_be_a_comparison_is_refused_with_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let (desk, _sampling) = measuring(data.path());
    wait_for(&desk, |view| view.quality == "good");
    let calibrate = |channel: &str, actual, by: &str| {
        let order =
            CalibrateOrder { channel: channel.to_owned(), actual, resistive: false, by: by.to_owned() };
        desk.calibrate(&order).unwrap_err()
    };
    assert!(matches!(calibrate("i9", 16.0, "me"), ClampRefusal::NoChannel(_)));
    assert!(matches!(calibrate("i1", 16.0, "  "), ClampRefusal::By));
    assert!(matches!(calibrate("i1", -1.0, "me"), ClampRefusal::Actual { .. }));
    assert!(matches!(calibrate("i1", f64::NAN, "me"), ClampRefusal::Actual { .. }));
    assert!(matches!(calibrate("i1", 5000.0, "me"), ClampRefusal::Actual { .. }));
    let far = calibrate("i1", 50.0, "me");
    assert!(far.to_string().contains("too far off") && far.remedy().contains("ratio"), "{far}");
    assert!(matches!(desk.turn(&order("u1")), Err(ClampRefusal::NotAClamp(_))));
    assert!(matches!(desk.undo(&order("i1")), Err(ClampRefusal::NothingToUndo(_))));
    assert!(!data.path().join("clamps.toml").exists(), "nothing was kept");
}
