//! Harmonics against the sums that the waveforms were made of.

use crate::wave::{ADS131M08, Converter, Filter, IDEAL, MCP3208, Rig, Wave};
use dlb_engine::lines::Line;
use dlb_engine::measure::{Harmonics, ORDERS};

/// A fundamental of 20 A with some of every third order, the 20th included.
fn rich() -> Wave {
    Wave::sine(20.0, 0.3)
        .with(0.0, 1.5, 1.0)
        .with(2.0, 0.2, 2.0)
        .with(5.0, 3.0, 0.2)
        .with(13.0, 0.6, 4.0)
        .with(17.0, 0.3, 1.0)
        .with(20.0, 0.25, 5.0)
}

fn measured(converter: Converter, hz: f64) -> Harmonics {
    let rig = Rig { lead: 0.0, ..Rig::new(converter, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), rich());
    let intervals = rig.run(hz, &u, &i, 1.5, 5);
    intervals.last().unwrap().lines[Line::L1].current_harmonics.unwrap()
}

fn check(converter: Converter, hz: f64, orders: usize, within_a: f64) {
    let found = measured(converter, hz);
    assert_eq!(found.rms().len(), orders, "{hz} Hz");
    for (at, rms) in found.rms().iter().enumerate() {
        let order = (at + 1) as f64;
        let truth = rich().0.iter().find(|harmonic| harmonic.order == order).map_or(0.0, |h| h.rms);
        assert!((f64::from(*rms) - truth).abs() < within_a, "{hz} Hz, order {order}: {rms} is not {truth}");
    }
}

#[test]
fn harmonics_to_the_20th_are_within_a_tenth_of_a_percent_of_the_fundamental() {
    for hz in [45.0, 49.97, 50.0, 60.02, 65.0] {
        check(IDEAL, hz, ORDERS, 0.02);
    }
}

#[test]
fn twelve_bits_with_their_bias_of_half_the_range_show_the_same_harmonics() {
    check(Converter { filter: Filter::None, ..MCP3208 }, 50.03, ORDERS, 0.03);
}

#[test]
fn what_the_converters_own_filter_takes_of_harmonics_is_given_back() {
    for hz in [50.0, 60.02] {
        check(ADS131M08, hz, ORDERS, 0.02);
        check(MCP3208, hz, ORDERS, 0.03);
    }
}

#[test]
fn a_slower_converter_tells_the_orders_below_half_its_rate_and_no_more() {
    let slow = Converter { sample_rate_hz: 2000.0, ..IDEAL };
    let found = measured(slow, 50.0);
    assert_eq!(found.rms().len(), 18);
    assert!((f64::from(found.rms()[12]) - 0.6).abs() < 0.05);
}

#[test]
fn distortion_is_what_lies_above_the_fundamental_as_a_share_of_it() {
    let truth = rich().0.iter().filter(|h| h.order > 1.0).map(|h| h.rms * h.rms).sum::<f64>().sqrt() / 20.0;
    let found = f64::from(measured(ADS131M08, 50.0).distortion().unwrap());
    assert!((found - truth).abs() < 0.001, "{found} is not {truth}");
}
