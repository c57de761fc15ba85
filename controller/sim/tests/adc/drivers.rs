//! Registers, frames, gains; what is sent, to the byte.

use crate::rig::{CLOCK_HZ, Mains, run, wire};
use core::fmt::Write as _;
use dlb_engine::lines::Line;
use dlb_engine::reading::Quality;
use dlb_links::adc::ads131m::{Ads131m, Model, Settings};
use dlb_links::adc::mcp3xxx::{self, Mcp3xxx};
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Converter, Fault, ReadyLine};
use dlb_sim::adc::ads131m::Chip;
use dlb_sim::adc::mcp3xxx as sim_mcp;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use std::time::Duration;

/// 10 mV, 20 mV … on channels 0, 1 …
fn stairs(channel: usize, _: f64) -> f64 {
    0.01 * (channel + 1) as f64
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Writes down what goes over a bus.
struct Tap<S>(S, String);

impl<S: SpiDevice> ErrorType for Tap<S> {
    type Error = S::Error;
}

impl<S: SpiDevice> SpiDevice for Tap<S> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), S::Error> {
        let sent: Vec<String> = operations
            .iter()
            .map(|operation| match operation {
                Operation::Transfer(_, sent) | Operation::Write(sent) => hex(sent),
                Operation::DelayNs(ns) => format!("wait {ns} ns"),
                _ => String::from("something else"),
            })
            .collect();
        self.0.transaction(operations)?;
        let answered = operations.iter().find_map(|operation| match operation {
            Operation::Transfer(received, _) => Some(hex(&received[..2])),
            _ => None,
        });
        let _ = writeln!(self.1, "{} -> {}", sent.join(", "), answered.unwrap_or_else(|| "unread".into()));
        Ok(())
    }
}

#[test]
fn bringing_an_ads131m08_up_sends_exactly_these_bytes() {
    let (bus, mut ready, _) = Chip::new(Model::M08, CLOCK_HZ, stairs, 0.0, 1).wired();
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1, 1, 1, 2, 1, 1, 1, 1]).unwrap();
    let mut tap = Tap(bus, String::new());
    let mut driver = Ads131m::new(&mut tap, settings);
    driver.start().unwrap();
    ready.wait(Duration::from_millis(10)).unwrap();
    driver.read().unwrap();
    assert_eq!(tap.1, include_str!("ads131m08-start.txt"));
}

#[test]
fn every_member_of_the_family_reads_volts_as_codes() {
    for model in [Model::M04, Model::M06, Model::M08] {
        let (bus, mut ready, _) = Chip::new(model, CLOCK_HZ, stairs, 0.0, 1).wired();
        let settings = Settings::new(model, CLOCK_HZ, 4000, [1, 2, 4, 8, 1, 2, 4, 8]).unwrap();
        let mut driver = Ads131m::new(bus, settings);
        driver.start().unwrap();
        // The filter has settled with the third conversion.
        let codes = [(); 3].map(|()| {
            ready.wait(Duration::from_millis(10)).unwrap();
            driver.read().unwrap()
        })[2];
        for (channel, code) in codes.into_iter().enumerate() {
            let gain = f64::from(1_u8 << (channel % 4));
            let volts = if channel < model.channels() { stairs(channel, 0.0) } else { 0.0 };
            assert_eq!(code, (volts * gain / 1.2 * 8_388_608.0).round() as i32, "{model:?} {channel}");
        }
    }
}

#[test]
fn a_board_with_a_smaller_converter_than_its_file_says_is_found_out() {
    let (bus, ..) = Chip::new(Model::M04, CLOCK_HZ, stairs, 0.0, 1).wired();
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap();
    let refused = Ads131m::new(bus, settings).start();
    assert_eq!(refused, Err(Fault::Absent { expected: "ads131m08", got: 0xFF24 }));
}

#[test]
fn reading_faster_than_it_converts_is_seen_as_a_repetition() {
    let (bus, mut ready, _) = Chip::new(Model::M08, CLOCK_HZ, stairs, 0.0, 1).wired();
    let settings = Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap();
    let mut driver = Ads131m::new(bus, settings);
    driver.start().unwrap();
    ready.wait(Duration::from_millis(10)).unwrap();
    assert!(driver.read().is_ok());
    assert_eq!(driver.read(), Err(Fault::Repeated));
}

#[test]
fn the_mcp_family_reads_volts_as_codes_and_misses_itself_on_an_empty_bus() {
    for model in [mcp3xxx::Model::Mcp3204, mcp3xxx::Model::Mcp3208, mcp3xxx::Model::Mcp3008] {
        let wave = |channel: usize, _: f64| 0.4 * (channel + 1) as f64;
        let mut chip = sim_mcp::Chip::new(model, wave, 2000.0, 2e-5, 1);
        chip.noise_codes = 0.0;
        let (bus, _, probe) = chip.wired();
        let mut driver = Mcp3xxx::new(bus, model, model.channels());
        driver.start().unwrap();
        let full = f64::from(1_u32 << model.bits());
        for (channel, code) in driver.read().unwrap().into_iter().enumerate().take(model.channels()) {
            assert_eq!(code, (wave(channel, 0.0) / 3.3 * full).round() as i32, "{model:?} {channel}");
        }
        probe.connect(false);
        assert!(matches!(driver.read(), Err(Fault::Absent { .. })));
    }
}

#[test]
fn a_host_that_sleeps_through_ticks_of_a_multiplexed_converter_knows_how_many() {
    let model = mcp3xxx::Model::Mcp3208;
    let (bus, ticks, probe) = sim_mcp::Chip::new(model, |_: usize, _: f64| 1.0, 2000.0, 2e-5, 1).wired();
    let mut sampler = Sampler::new(Mcp3xxx::new(bus, model, 2), ticks, 2000.0);
    assert_eq!(sampler.next_sample().unwrap().unwrap().lost, 0);
    probe.sleep(2);
    assert_eq!(sampler.next_sample().unwrap().unwrap().lost, 2);
    assert_eq!(sampler.next_sample().unwrap().unwrap().lost, 0);
}

#[test]
fn amperes_on_three_lines_arrive_as_readings() {
    let mains = Mains { amps: [20.0, 10.0, 5.0], lag: 0.5, hz: 50.1 };
    let chip = Chip::new(Model::M08, CLOCK_HZ, mains, 37.0, 3);
    let intervals = run(wire(chip, Model::M08), 1.5);
    assert!(intervals.len() >= 6);
    for (_, interval) in intervals {
        assert_eq!(interval.quality, Quality::Good);
        assert!((interval.frequency_hz.unwrap() - 50.1).abs() < 0.005);
        for (line, amps) in Line::ALL.into_iter().zip(mains.amps) {
            let values = interval.lines[line];
            assert!((values.current_a.unwrap() / amps - 1.0).abs() < 0.0005, "{values:?}");
            assert!((values.power_w.unwrap() / (230.0 * amps * 0.5_f64.cos()) - 1.0).abs() < 0.0005);
        }
    }
}
