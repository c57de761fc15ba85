//! The aims of metering, one sentence each.

use crate::wave::{ADS131M08, Converter, MCP3208, Rig, Wave};
use dlb_engine::lines::Line;
use dlb_engine::measure::Interval;
use std::f64::consts::PI;

/// Worst relative errors over the intervals of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Worst {
    pub(crate) current: f64,
    pub(crate) voltage: f64,
    pub(crate) power: f64,
    pub(crate) reactive: f64,
    pub(crate) frequency_hz: f64,
}

pub(crate) fn worst(intervals: &[Interval], hz: f64, u: &Wave, i: &Wave) -> Worst {
    assert!(intervals.len() >= 3, "only {} intervals", intervals.len());
    let apparent = u.rms() * i.rms();
    let mut worst = Worst::default();
    for interval in intervals {
        let line = interval.lines[Line::L1];
        let raise = |worst: &mut f64, error: f64| *worst = worst.max(error.abs());
        raise(&mut worst.current, line.current_a.unwrap() / i.rms() - 1.0);
        raise(&mut worst.voltage, line.voltage_v.unwrap() / u.rms() - 1.0);
        raise(&mut worst.power, line.power_w.unwrap() / u.power_with(i) - 1.0);
        raise(&mut worst.reactive, (line.reactive_var.unwrap() - u.reactive_with(i)) / apparent);
        raise(&mut worst.frequency_hz, interval.frequency_hz.unwrap() - hz);
    }
    worst
}

pub(crate) const LOADS: [(&str, f64); 3] =
    [("1", 0.0), ("0.5 lagging", -PI / 3.0), ("0.8 leading", 0.643_501_1)];

/// Mains with what is usual in a building.
pub(crate) fn dirty(u_rms: f64, i_rms: f64, angle: f64) -> (Wave, Wave) {
    let u = Wave::sine(u_rms, 0.3).with(3.0, u_rms * 0.01, 1.0).with(5.0, u_rms * 0.03, 2.0);
    let i = Wave::sine(i_rms, 0.3 + angle)
        .with(3.0, i_rms * 0.2, 0.5)
        .with(5.0, i_rms * 0.15, 2.5)
        .with(7.0, i_rms * 0.08, 1.0)
        .with(13.0, i_rms * 0.03, 4.0);
    (u, i)
}

fn sweep(converter: Converter, shares: &[f64], mut check: impl FnMut(&str, &Worst)) {
    for rated in [63.0, 200.0, 600.0] {
        for hz in [45.0, 49.9, 50.0, 60.0, 65.0] {
            for (name, angle) in LOADS {
                for &share in shares {
                    let rig = Rig::new(converter, rated);
                    let clean = (Wave::sine(230.0, 0.3), Wave::sine(rated * share, 0.3 + angle));
                    for (u, i) in [clean, dirty(230.0, rated * share, angle)] {
                        let found = worst(&rig.run(hz, &u, &i, 1.1, 99), hz, &u, &i);
                        let what =
                            format!("{rated} A, {hz} Hz, {name}, {share}, {} orders: {found:?}", i.0.len());
                        check(&what, &found);
                    }
                }
            }
        }
    }
}

#[test]
fn ads131m08_is_within_a_twentieth_of_a_percent_from_5_to_120_percent() {
    sweep(ADS131M08, &[0.05, 0.2, 1.0, 1.2], |what, worst| {
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
    sweep(MCP3208, &[0.05, 0.2, 1.0, 1.2], |what, worst| {
        assert!(worst.current < 0.003 && worst.power < 0.003, "{what}");
        assert!(worst.frequency_hz < 0.005, "{what}");
    });
}

#[test]
fn mcp3208_is_within_a_percent_of_current_at_1_percent_and_power_is_limited_by_its_noise() {
    // Seven codes of current under half a code of noise: at a power factor of 0.5 a percent of apparent
    // power is two of active.
    sweep(MCP3208, &[0.01], |what, worst| {
        assert!(worst.current < 0.01 && worst.power < 0.02, "{what}");
    });
}

#[test]
fn a_clamps_phase_error_spoils_power_at_half_power_factor_unless_it_is_known() {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(63.0, -PI / 3.0));
    let known = Rig::new(ADS131M08, 63.0);
    let unknown = Rig { knows_lead: false, ..known };
    let power = |rig: &Rig| worst(&rig.run(50.0, &u, &i, 1.0, 1), 50.0, &u, &i).power;
    assert!(power(&unknown) > 0.02, "{}", power(&unknown));
    assert!(power(&known) < 0.0003, "{}", power(&known));
}

#[test]
fn twenty_microseconds_between_channels_cost_a_percent_of_power_unless_they_are_known() {
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(63.0, -PI / 3.0));
    let known = Rig { lead: 0.0, ..Rig::new(MCP3208, 63.0) };
    let unknown = Rig { knows_delay: false, ..known };
    let power = |rig: &Rig| worst(&rig.run(50.0, &u, &i, 1.0, 1), 50.0, &u, &i).power;
    assert!((0.009..0.013).contains(&power(&unknown)), "{}", power(&unknown));
    assert!(power(&known) < 0.0005, "{}", power(&known));
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
    assert!((line.power_w.unwrap() - 460.0 * 0.9999).abs() < 0.3, "{line:?}");
}

#[test]
fn a_dimmed_lamp_is_measured_by_its_closed_form() {
    // Conducting from 90° to 180°: half the power of the full sine, 1/√2 of its root mean square.
    // Fundamental of the current: cosine part −A/π, sine part A/2.
    let amplitude = 20.0_f64;
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let mut meter = dlb_engine::measure::Meter::new(rig.board()).unwrap();
    let per_code = 3.0 * 63.0 / 8_388_608.0;
    let mut seen = Vec::new();
    for n in 0..6000 {
        let angle = 2.0 * PI * 50.0 * (f64::from(n) + 0.37) / 4000.0;
        let on = angle.rem_euclid(PI) > PI / 2.0;
        let amps = if on { amplitude * angle.sin() } else { 0.0 };
        let volts = 325.0 * angle.sin();
        seen.extend(meter.push(&[(amps / per_code) as i32, (volts / 420.0 * 8_388_608.0) as i32]).interval);
    }
    let line = seen[2].lines[Line::L1];
    assert!((line.current_a.unwrap() / (amplitude / 2.0) - 1.0).abs() < 0.02, "{line:?}");
    assert!((line.power_w.unwrap() / (325.0 * amplitude / 4.0) - 1.0).abs() < 0.02, "{line:?}");
    assert!((line.reactive_var.unwrap() / (325.0 * amplitude / PI / 2.0) - 1.0).abs() < 0.02, "{line:?}");
}

#[test]
fn twelve_cycles_make_an_interval_at_60_hertz() {
    let (u, i) = (Wave::sine(120.0, 0.0), Wave::sine(20.0, 0.0));
    let intervals = Rig::new(ADS131M08, 63.0).run(60.0, &u, &i, 1.5, 3);
    assert!((intervals[1].lasted_s - 0.2).abs() < 1e-5, "{:?}", intervals[1]);
}
