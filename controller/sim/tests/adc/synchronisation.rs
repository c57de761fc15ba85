//! The SYNC/RESET pin: two converters that convert at the same instants, and one that hears no command any more.

use crate::rig::{CLOCK_HZ, Mains, Rig, board, run, run_with, wire};
use dlb_engine::measure::Interval;
use dlb_engine::reading::Quality;
use dlb_links::adc::ads131m::{Ads131m, Model, Settings};
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Converter, ReadyLine};
use dlb_sim::adc::Misbehaviour;
use dlb_sim::adc::ads131m::{Chip, Probe, ReadyPin};
use std::time::Duration;

const MAINS: Mains = Mains { amps: [30.0, 12.0, 3.0], lag: 0.4, hz: 49.97 };
const PERIOD_US: u64 = 250;

fn chip(seed: u64) -> Chip<Mains> {
    Chip::new(Model::M08, CLOCK_HZ, MAINS, 37.0, seed)
}

/// As [`wire`], with the chip's pin on one line with those of others.
fn wire_with_pin(chip: Chip<Mains>, others: &[&Probe<Mains>]) -> Rig<Mains> {
    let (bus, ready, probe) = chip.wired();
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap();
    let driver = Ads131m::new(bus, settings).synchronised(Box::new(probe.sync_with(others)));
    (Sampler::new(driver, ready, 4000.0), probe)
}

/// How far into a period the next conversion ends.
fn phase_us(ready: &mut ReadyPin<Mains>) -> u64 {
    ready.wait(Duration::from_millis(1)).unwrap().at.0 % PERIOD_US
}

#[test]
fn two_converters_on_one_sync_line_convert_at_the_same_instants() {
    let ((bus, mut ready, probe), (late_bus, mut late_ready, late)) = (chip(1).wired(), chip(2).wired());
    late.misbehave(Misbehaviour::Resynchronise);
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap();
    let (mut first, mut second) = (Ads131m::new(bus, settings), Ads131m::new(late_bus, settings));
    first.start().unwrap();
    second.start().unwrap();
    assert!(phase_us(&mut ready).abs_diff(phase_us(&mut late_ready)) > 50, "nothing binds them");
    let mut second = second.synchronised(Box::new(late.sync_with(&[&probe])));
    second.start().unwrap();
    assert!(phase_us(&mut ready).abs_diff(phase_us(&mut late_ready)) <= 1);
}

#[test]
fn a_converter_that_joins_the_line_costs_the_other_one_bad_interval_and_no_new_start() {
    let ((mut sampler, probe), late) = (wire_with_pin(chip(3), &[]), chip(4));
    let (bus, mut ready, late) = late.wired();
    let before = run_with((&mut sampler, &probe), board(), 0.7);
    assert_eq!(before.last().unwrap().1.quality, Quality::Good);
    // In step by chance it would disturb nobody.
    late.misbehave(Misbehaviour::Resynchronise);
    late.wait(0.700_1);
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap();
    let pins = late.sync_with(&[&probe]);
    Ads131m::new(bus, settings).synchronised(Box::new(pins)).start().unwrap();
    ready.wait(Duration::from_millis(1)).unwrap();
    let after = run_with((&mut sampler, &probe), board(), 1.6);
    assert_eq!(sampler.counts.starts, 1);
    assert!(sampler.counts.slips >= 1);
    assert!(is_bad(&after[0].1) && after[2..].iter().all(|(_, it)| it.quality == Quality::Good), "{after:?}");
}

fn is_bad(interval: &Interval) -> bool {
    matches!(interval.quality, Quality::Bad(_))
}

#[test]
fn a_converter_that_hears_no_command_is_reset_by_its_pin_and_only_by_that() {
    let deaf = || chip(5).planned(2000, Misbehaviour::Deaf);
    let with = run(wire_with_pin(deaf(), &[]), 2.0);
    assert!(with.iter().any(|(_, interval)| is_bad(interval)));
    assert_eq!(with.last().unwrap().1.quality, Quality::Good);
    let without = run(wire(deaf(), Model::M08), 2.0);
    assert!(without.iter().filter(|(at, _)| *at > 0.8).all(|(_, interval)| is_bad(interval)));
}
