//! Every misbehaviour ends in a correct reading or in one marked bad within one interval, never in a
//! wrong one marked good; and all of them pass.
//!
//! `DLB_RUNS=10000 cargo test -p dlb-sim --test adc seeded` runs more of them, in a few minutes; a failure prints
//! its seed.

use crate::rig::{Biased, CLOCK_HZ, Mains, McpRig, Rig, mcp_board, mcp_chip, run, run_with, wire, wire_mcp};
use dlb_engine::lines::Line;
use dlb_engine::measure::Interval;
use dlb_engine::reading::{Doubt, Quality};
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

/// The longest without a word: what settles after a break, a half cycle, an interval, and what the host or
/// the converter sleeps through in these runs.
const SILENCE_S: f64 = 0.085 + 0.02 + 0.21 + 0.075;

/// Nothing wrong is marked good, there is always word within an interval or a fresh start, and in the end
/// all is well again.
fn check(what: &str, intervals: &[(f64, Interval)]) {
    let mut last_word = 0.0;
    for (at, interval) in intervals {
        assert!(is_bad(interval) || is_correct(interval), "{what}: at {at} s {interval:?}");
        assert!(at - last_word < SILENCE_S, "{what}: silent from {last_word} s to {at} s");
        last_word = *at;
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

#[test]
fn a_ready_line_that_falls_silent_is_bad_at_once_and_good_again_when_it_is_back() {
    for conversions in [1, 2, 30, 2000] {
        let intervals = after(Misbehaviour::Silent(conversions));
        let bad = intervals.iter().filter(|(_, interval)| is_bad(interval)).count();
        assert!(bad >= 1 || conversions <= 2, "{conversions}: {intervals:?}");
    }
}

#[test]
fn a_data_line_that_is_stuck_gives_no_reading_until_it_is_free() {
    for level in [false, true] {
        for frames in [1, 5, 50, 500] {
            let intervals = after(Misbehaviour::Held(level, frames));
            let good = intervals.iter().filter(|(_, interval)| interval.quality == Quality::Good).count();
            assert!(good < intervals.len(), "{level} {frames}");
        }
    }
}

#[test]
fn a_bit_flipped_while_the_converter_is_set_up_does_not_leave_it_set_up_wrong() {
    for frame in 0..40 {
        for bit in [0, 5, 9, 14, 25, 30, 40, 52] {
            let chip = chip(frame).planned_at_frame(frame, Misbehaviour::FlipIn(bit));
            check(&format!("frame {frame}, bit {bit}"), &run(wire(chip, Model::M08), 0.6));
        }
    }
}

/// Seed 4195 of the runs below: the gain of a channel, before the map's checksum watched it.
#[test]
fn a_register_that_flips_while_the_converter_is_set_up_is_found() {
    for frame in 12..130 {
        let chip = chip(frame).planned_at_frame(frame, Misbehaviour::Corrupt(0x16, 0x8000));
        check(&format!("frame {frame}"), &run(wire(chip, Model::M08), 0.6));
    }
}

fn anything(rng: &mut Rng) -> Misbehaviour {
    match rng.below(12) {
        0 => Misbehaviour::Reset,
        1 => Misbehaviour::FlipOut(rng.below(240)),
        2 => Misbehaviour::FlipIn(rng.below(240)),
        3 => Misbehaviour::Skip(1 + rng.below(300) as u32),
        4 => Misbehaviour::Late(1 + rng.below(300) as u32),
        5 => Misbehaviour::Stop,
        6 => Misbehaviour::Corrupt(2 + rng.below(0x2F) as u8, 1 << rng.below(16)),
        7 => Misbehaviour::Spark,
        8 => Misbehaviour::Silent(1 + rng.below(300) as u32),
        9 => Misbehaviour::Held(rng.chance(0.5), rng.below(100) as u32),
        10 => Misbehaviour::Scramble,
        _ => Misbehaviour::Resynchronise,
    }
}

/// One to four misbehaviours at any time in the first half second of a run, while it is set up included.
fn haunted(seed: u64) -> (String, Rig<Mains>) {
    let mut rng = Rng::new(seed);
    let (mut chip, mut what) = (chip(seed), format!("seed {seed}:"));
    for _ in 0..=rng.below(4) {
        let misbehaviour = anything(&mut rng);
        chip = if rng.chance(0.2) {
            let frame = rng.below(150) as u64;
            what = format!("{what} {misbehaviour:?} at frame {frame}");
            chip.planned_at_frame(frame, misbehaviour)
        } else {
            let at = rng.below(2000) as u64;
            what = format!("{what} {misbehaviour:?} at {at}");
            chip.planned(at, misbehaviour)
        };
    }
    (what, wire(chip, Model::M08))
}

/// The same for a converter that has no checksum, no registers and no ready line.
fn haunted_mcp(seed: u64) -> (String, McpRig<Biased>) {
    let mut rng = Rng::new(seed);
    let (mut chip, mut what) = (mcp_chip(Biased(MAINS), seed), format!("MCP3208, seed {seed}:"));
    for _ in 0..=rng.below(4) {
        let misbehaviour = match rng.below(4) {
            0 => Misbehaviour::FlipOut(rng.below(24)),
            1 => Misbehaviour::FlipIn(rng.below(24)),
            2 => Misbehaviour::Held(rng.chance(0.5), rng.below(8) as u32),
            _ => Misbehaviour::Late(1 + rng.below(300) as u32),
        };
        let at = rng.below(2000) as u64;
        what = format!("{what} {misbehaviour:?} at {at}");
        chip = chip.planned(at, misbehaviour);
    }
    (what, wire_mcp(chip))
}

/// How many runs, of those that are made by hand.
#[expect(clippy::disallowed_methods, reason = "a test may be made longer by hand")]
fn runs() -> u64 {
    std::env::var("DLB_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(300)
}

#[test]
fn no_seeded_run_of_misbehaviour_gives_a_wrong_reading_marked_good() {
    for seed in 0..runs() / 2 {
        let (what, rig) = haunted(seed);
        check(&what, &run(rig, 1.3));
    }
}

#[test]
fn no_seeded_run_gives_one_either_where_the_converter_has_no_checksum() {
    for seed in 0..runs() / 2 {
        let (what, rig) = haunted_mcp(seed);
        // A line that is held high costs a new start, and a pause before it, for every conversion.
        check(&what, &run_with(rig, mcp_board(), 1.7));
    }
}

#[test]
fn a_flipped_bit_of_a_converter_without_a_checksum_is_mended_or_too_small_to_matter() {
    for bit in 0..24 {
        for out in [true, false] {
            let what = if out { Misbehaviour::FlipOut(bit) } else { Misbehaviour::FlipIn(bit) };
            let chip = mcp_chip(Biased(MAINS), 5).planned(1500, what);
            check(&format!("{what:?}"), &run_with(wire_mcp(chip), mcp_board(), 0.9));
        }
    }
}

#[test]
fn a_converter_without_a_checksum_whose_data_line_is_held_low_counts_as_saturated() {
    let chip = mcp_chip(Biased(MAINS), 5).planned(1500, Misbehaviour::Held(false, 6 * 1000));
    let intervals = run_with(wire_mcp(chip), mcp_board(), 1.2);
    check("held low", &intervals);
    let saturated = Quality::Bad(Doubt::Saturated);
    assert!(intervals.iter().any(|(_, interval)| interval.quality == saturated), "{intervals:?}");
}
