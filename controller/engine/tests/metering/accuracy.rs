//! The aims of metering, one sentence each. `cargo run --release -p dlb-engine --example accuracy` prints the
//! whole table.

use crate::cases::{CLAMPS, Worst, everyday, worst};
use crate::wave::{ADS131M08, Converter, IDEAL, MCP3208, Rig, Wave};
use dlb_engine::lines::Line;
use std::f64::consts::PI;

fn sweep(converter: Converter, shares: &[f64], mut check: impl FnMut(&str, &Worst)) {
    for rated in CLAMPS {
        for &share in shares {
            let found = everyday(converter, rated, share, 1.0);
            assert_eq!(found.bad, 0, "{rated} A, {share}");
            check(&format!("{} {rated} A, {share}: {found:?}", converter.name), &found);
        }
    }
}

#[test]
fn ads131m08_is_within_a_twentieth_of_a_percent_from_5_to_120_percent() {
    sweep(ADS131M08, &[0.05, 1.0, 1.2], |what, worst| {
        assert!(worst.current < 0.0005 && worst.power < 0.0005 && worst.voltage < 0.0005, "{what}");
        assert!(worst.reactive < 0.0005 && worst.frequency_hz < 0.005, "{what}");
    });
}

#[test]
fn ads131m08_is_within_a_fifth_of_a_percent_at_1_percent() {
    sweep(ADS131M08, &[0.01], |what, worst| {
        assert!(worst.current < 0.002 && worst.power < 0.002, "{what}");
    });
}

#[test]
fn mcp3208_is_within_a_third_of_a_percent_from_5_to_120_percent() {
    sweep(MCP3208, &[0.05, 1.0, 1.2], |what, worst| {
        assert!(worst.current < 0.003 && worst.power < 0.003, "{what}");
        assert!(worst.frequency_hz < 0.005, "{what}");
    });
}

#[test]
fn mcp3208_is_within_a_percent_at_1_percent() {
    sweep(MCP3208, &[0.01], |what, worst| assert!(worst.current < 0.01 && worst.power < 0.01, "{what}"));
}

#[test]
fn codes_without_a_filter_are_measured_as_well_as_codes_behind_one() {
    sweep(IDEAL, &[0.05, 1.2], |what, worst| {
        assert!(worst.current < 0.0005 && worst.power < 0.0005, "{what}");
    });
}

/// The worst error of power at half power factor.
fn power_error(rig: Rig) -> f64 {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(63.0, -PI / 3.0));
    worst(&rig.run(50.0, &u, &i, 1.0, 1), 50.0, &u, &i).power
}

#[test]
fn a_clamps_phase_error_spoils_power_at_half_power_factor_unless_it_is_known() {
    let known = Rig::new(ADS131M08, 63.0);
    let (unknown, known) = (power_error(Rig { knows_lead: false, ..known }), power_error(known));
    assert!(unknown > 0.02 && known < 0.0003, "{unknown} {known}");
}

#[test]
fn twenty_microseconds_between_channels_cost_a_percent_of_power_unless_they_are_known() {
    let known = Rig { lead: 0.0, ..Rig::new(MCP3208, 63.0) };
    let (unknown, known) = (power_error(Rig { knows_delay: false, ..known }), power_error(known));
    assert!((0.009..0.013).contains(&unknown) && known < 0.001, "{unknown} {known}");
}

#[test]
fn the_converters_own_filter_costs_more_than_the_aim_unless_it_is_known() {
    let known = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let (unknown, known) = (power_error(Rig { knows_filter: false, ..known }), power_error(known));
    assert!(unknown > 0.0014 && known < 0.0003, "{unknown} {known}");
}

#[test]
fn a_roof_that_exports_has_negative_power_and_a_negative_current() {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(10.0, PI));
    let intervals = Rig::new(ADS131M08, 63.0).run(50.0, &u, &i, 1.0, 3);
    let line = intervals[0].lines[Line::L1];
    assert!((line.power_w.unwrap() + 2300.0).abs() < 2.0);
    assert!((line.signed_current_a().unwrap() + 10.0).abs() < 0.01);
    assert!((line.current_a.unwrap() - 10.0).abs() < 0.01);
}

#[test]
fn a_reactive_current_never_counts_as_export() {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(10.0, 1.7));
    let line = Rig::new(ADS131M08, 63.0).run(50.0, &u, &i, 1.0, 3)[0].lines[Line::L1];
    assert!(line.power_w.unwrap() < 0.0);
    assert!(line.signed_current_a().unwrap() > 9.9);
}

#[test]
fn direct_current_in_the_clamp_or_the_bias_does_not_show() {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(2.0, 0.0).with(0.0, 5.0, 1.0));
    let line = Rig::new(ADS131M08, 63.0).run(50.0, &u, &i, 1.0, 3)[1].lines[Line::L1];
    assert!((line.current_a.unwrap() - 2.0).abs() < 0.001, "{line:?}");
    assert!((line.power_w.unwrap() - 460.0).abs() < 0.3, "{line:?}");
}

#[test]
fn the_formulas_of_the_dimmer_and_the_rectifier_agree_with_each_other() {
    // Half conducting: half the power of the full sine, 1/√2 of its root mean square.
    let half = Wave::dimmer(10.0, PI / 2.0);
    assert!((half.0[0].rms * half.0[0].angle.cos() - 10.0 / std::f64::consts::SQRT_2).abs() < 1e-9);
    for wave in [half, Wave::dimmer(10.0, 2.2), Wave::pulses(10.0, 3.0)] {
        assert!((wave.rms() - 10.0).abs() < 1e-9);
        let parseval = wave.0.iter().map(|h| h.rms * h.rms).sum::<f64>().sqrt();
        assert!((parseval / 10.0 - 1.0).abs() < 0.004, "the harmonics carry {parseval} A");
    }
}

#[test]
fn a_crest_factor_of_3_is_within_the_aim_and_a_dimmer_loses_what_lies_above_2_kilohertz() {
    let u = Wave::sine(230.0, 0.0);
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    for hz in [49.97, 60.0] {
        let pulses = Wave::pulses(63.0 * 1.2, 3.0);
        let found = worst(&rig.run(hz, &u, &pulses, 1.0, 3), hz, &u, &pulses);
        assert!(found.current < 0.0005 && found.power < 0.0005, "{hz} Hz: {found:?}");
        // What lies above half the sampling rate is lost in the converter's filter.
        let dimmer = Wave::dimmer(63.0, PI / 2.0);
        let found = worst(&rig.run(hz, &u, &dimmer, 1.0, 3), hz, &u, &dimmer);
        assert!(found.current < 0.01 && found.power < 0.0005, "{hz} Hz: {found:?}");
    }
}

#[test]
fn crests_that_a_converter_has_no_range_for_are_marked_bad_and_never_read_low() {
    let u = Wave::sine(230.0, 0.0);
    let crests = Wave::pulses(63.0, 3.0);
    let found = worst(&Rig::new(MCP3208, 63.0).run(50.0, &u, &crests, 1.0, 3), 50.0, &u, &crests);
    assert!(found.bad >= 4 && found.current == 0.0, "{found:?}");
}

#[test]
fn twelve_cycles_make_an_interval_at_60_hertz() {
    let (u, i) = (Wave::sine(120.0, 0.0), Wave::sine(20.0, 0.0));
    let intervals = Rig::new(ADS131M08, 63.0).run(60.0, &u, &i, 1.5, 3);
    assert!((intervals[1].lasted_s - 0.2).abs() < 1e-5, "{:?}", intervals[1]);
}
