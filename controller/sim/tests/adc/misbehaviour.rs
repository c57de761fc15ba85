//! Every misbehaviour ends in a correct reading or in one marked bad within one interval, never in a
//! wrong one marked good; and all of them pass.
//!
//! `DLB_RUNS=10000 cargo test -p dlb-sim --test adc misbehaviour` runs more of them; a failure prints its seed.

use crate::rig::{CLOCK_HZ, Mains, Rig, run, wire};
use dlb_engine::lines::Line;
use dlb_engine::measure::Interval;
use dlb_engine::reading::Quality;
use dlb_links::adc::ads131m::Model;
use dlb_sim::adc::Misbehaviour;
use dlb_sim::adc::ads131m::Chip;
use dlb_sim::rng::Rng;

const MAINS: Mains = Mains { amps: [30.0, 12.0, 3.0], lag: 0.4, hz: 49.97 };
/// What a reading that is not marked bad may be off by, of reading.
const MAY_BE_OFF: f64 = 0.005;

fn chip(seed: u64) -> Chip<Mains> {
    Chip::new(Model::M08, CLOCK_HZ, MAINS, 37.0, seed)
}

fn is_correct(interval: &Interval) -> bool {
    Line::ALL.into_iter().zip(MAINS.amps).all(|(line, amps)| {
        let values = interval.lines[line];
        let near =
            |value: Option<f64>, truth: f64| value.is_some_and(|v| (v / truth - 1.0).abs() < MAY_BE_OFF);
        near(values.current_a, amps) && near(values.power_w, 230.0 * amps * MAINS.lag.cos())
    })
}

fn is_bad(interval: &Interval) -> bool {
    matches!(interval.quality, Quality::Bad(_))
}

/// Nothing wrong is marked good, and in the end all is well again.
fn check(what: &str, intervals: &[(f64, Interval)]) {
    for (at, interval) in intervals {
        assert!(is_bad(interval) || is_correct(interval), "{what}: at {at} s {interval:?}");
    }
    let (_, last) = intervals.last().unwrap();
    assert_eq!(last.quality, Quality::Good, "{what}");
}

fn after(what: Misbehaviour) -> Vec<(f64, Interval)> {
    let intervals = run(wire(chip(11).planned(2500, what), Model::M08), 2.0);
    check(&format!("{what:?}"), &intervals);
    intervals
}

#[test]
fn a_converter_that_resets_itself_is_set_up_again() {
    let intervals = after(Misbehaviour::Reset);
    assert!(intervals.iter().any(|(at, interval)| is_bad(interval) && (0.6..0.9).contains(at)));
}

#[test]
fn a_converter_that_stops_is_reported_and_started_again() {
    let intervals = after(Misbehaviour::Stop);
    assert!(intervals.iter().any(|(at, interval)| is_bad(interval) && (0.6..0.9).contains(at)));
}

#[test]
fn a_bit_flipped_on_the_way_here_costs_one_bridged_sample() {
    // The last byte is padding.
    for bit in (0..232).step_by(7) {
        let doubtful =
            after(Misbehaviour::FlipOut(bit)).iter().filter(|(_, interval)| interval.bridged == 1).count();
        assert_eq!(doubtful, 1, "bit {bit}");
    }
}

#[test]
fn a_bit_flipped_on_the_way_there_harms_nothing() {
    for bit in 0..48 {
        let intervals = after(Misbehaviour::FlipIn(bit));
        assert!(intervals.iter().all(|(_, interval)| interval.quality == Quality::Good), "bit {bit}");
    }
}

#[test]
fn a_register_that_changes_by_itself_is_noticed() {
    for (address, bits) in [(0x03, 0x0004), (0x04, 0x0001), (0x06, 0x0100), (0x0C, 0x4000), (0x02, 0x0100)] {
        let intervals = after(Misbehaviour::Corrupt(address, bits));
        assert!(intervals.iter().any(|(_, interval)| is_bad(interval)), "{address:#x}");
    }
}

#[test]
fn a_host_that_is_late_by_one_conversion_loses_nothing() {
    let intervals = after(Misbehaviour::Late(1));
    assert!(intervals.iter().all(|(_, interval)| interval.quality == Quality::Good));
}

#[test]
fn a_host_that_is_late_by_more_says_so() {
    for late in [2, 3, 10, 400] {
        let intervals = after(Misbehaviour::Late(late));
        assert!(intervals.iter().any(|(_, interval)| interval.quality != Quality::Good), "{late}");
    }
}

#[test]
fn skipped_conversions_a_spark_and_a_pulse_on_sync_are_noticed() {
    for what in [
        Misbehaviour::Skip(1),
        Misbehaviour::Skip(7),
        Misbehaviour::Skip(200),
        Misbehaviour::Spark,
        Misbehaviour::Resynchronise,
    ] {
        assert!(after(what).iter().any(|(_, interval)| is_bad(interval)), "{what:?}");
    }
}

fn anything(rng: &mut Rng) -> Misbehaviour {
    match rng.below(9) {
        0 => Misbehaviour::Reset,
        1 => Misbehaviour::FlipOut(rng.below(240)),
        2 => Misbehaviour::FlipIn(rng.below(240)),
        3 => Misbehaviour::Skip(1 + rng.below(300) as u32),
        4 => Misbehaviour::Late(1 + rng.below(300) as u32),
        5 => Misbehaviour::Stop,
        6 => Misbehaviour::Corrupt(2 + rng.below(0x2F) as u8, 1 << rng.below(16)),
        7 => Misbehaviour::Spark,
        _ => Misbehaviour::Resynchronise,
    }
}

/// One to four misbehaviours at any time in the first second of a run.
fn haunted(seed: u64) -> (String, Rig<Mains>) {
    let mut rng = Rng::new(seed);
    let (mut chip, mut what) = (chip(seed), format!("seed {seed}:"));
    for _ in 0..=rng.below(4) {
        let (at, misbehaviour) = (rng.below(4000) as u64, anything(&mut rng));
        what = format!("{what} {misbehaviour:?} at {at}");
        chip = chip.planned(at, misbehaviour);
    }
    (what, wire(chip, Model::M08))
}

#[test]
fn no_run_of_seeded_misbehaviour_gives_a_wrong_reading_marked_good() {
    let runs = std::env::var("DLB_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(150);
    for seed in 0..runs {
        let (what, rig) = haunted(seed);
        check(&what, &run(rig, 2.2));
    }
}
