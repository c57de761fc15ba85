//! Evenings on a line: meters and chargers behind one port.

use super::story::{Device, Line};
use super::wire::{Fault, Function, Request};
use super::{ChargerSettings, PortNotice, charger_map, meter_map};
use crate::charger::{Notice, OutletState};
use dlb_engine::lines::PerLine;
use dlb_engine::reading::NoReading;
use dlb_engine::time::Duration;
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};

const KEBA: u8 = 255;
const METER: u8 = 1;
const SECOND: Duration = Duration::from_secs(1);

fn settings() -> ChargerSettings {
    ChargerSettings { limit_lifetime: Duration::from_secs(30), ..ChargerSettings::default() }
}

/// A KEBA with a car that charges at 10 A on three phases.
fn keba() -> Device {
    let mut device = Device::default();
    device.set_u32(1000, 3);
    device.set_u32(1004, 7);
    for address in [1008, 1010, 1012] {
        device.set_u32(address, 10_000);
    }
    device.set_u32(1014, 18_416_854);
    device.set_u32(1016, 304_111);
    device.set_u32(1018, 0x030A_0D00);
    device.set_u32(1020, 6_900_000);
    device.set_u32(1036, 123_450);
    device.shows.insert(5016, 1600);
    device.shows.insert(5018, 1602);
    device
}

fn sdm630() -> Device {
    let mut device = Device::default();
    for (line, (volts, amps, watts)) in
        [(230.0, 10.0, 2300.0), (231.0, 5.0, -1155.0), (229.0, 0.0, 0.0)].into_iter().enumerate()
    {
        let offset = 2 * line as u16;
        device.set_f32(offset, volts);
        device.set_f32(6 + offset, amps);
        device.set_f32(12 + offset, watts);
    }
    device.set_f32(0x34, 1145.0);
    device.set_f32(0x46, 50.02);
    device.set_f32(0x48, 1234.5);
    device.set_f32(0x4A, 67.8);
    device
}

fn line_with_keba() -> Line {
    let mut line = Line::new();
    line.devices.insert(KEBA, keba());
    line.port.add_charger(7, KEBA, charger_map("keba-p30").unwrap(), settings(), line.now);
    line
}

fn charger_notices(line: &mut Line) -> Vec<Notice> {
    let told = line.told().into_iter();
    told.filter_map(|it| if let PortNotice::Charger(7, notice) = it { Some(notice) } else { None }).collect()
}

fn written(line: &Line, address: u16) -> Vec<u16> {
    let of = |it: &(_, u16, Vec<u16>)| (it.1 == address).then(|| it.2[0]);
    line.devices[&KEBA].written.iter().filter_map(of).collect()
}

#[test]
fn an_exporting_phase_reads_negative_although_the_meter_shows_no_sign() {
    let mut line = Line::new();
    line.devices.insert(METER, sdm630());
    line.port.add_meter(3, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    let asked = line.next_request();
    assert_eq!(asked, Request { unit: METER, function: Function::ReadInput { address: 0, count: 76 } });
    let sent = line.now;
    line.serve(asked);
    let [PortNotice::Meter(3, Ok(reading))] = line.told()[..] else { panic!("one reading") };
    assert_eq!(reading.at, sent);
    assert_eq!(
        reading.current,
        PerLine([Some(Milliamps(10_000)), Some(Milliamps(-5_000)), Some(Milliamps(0))])
    );
    assert_eq!(reading.voltage[dlb_engine::lines::Line::L2], Some(Millivolts(231_000)));
    assert_eq!(reading.power_total, Some(Watts(1145)));
    assert_eq!(reading.imported, Some(WattHours(1_234_500)));
    assert_eq!(reading.frequency_mhz, Some(50_020));
    line.run_s(10);
    assert_eq!(line.told().len(), 10, "one reading a second");
}

#[test]
fn a_charger_is_found_told_its_fallback_and_held_there_until_a_limit_comes() {
    let mut line = line_with_keba();
    line.run_s(2);
    let told = charger_notices(&mut line);
    assert_eq!(told[0], Notice::Online);
    assert!(
        matches!(&told[1], Notice::Identified(who) if who.serial == "18416854" && who.firmware == "3.10.13.0")
    );
    assert_eq!(told[2], Notice::FallbackArmed { current: Milliamps(6_000), after: Duration::from_secs(30) });
    assert!(told.contains(&Notice::LimitAccepted(Milliamps(6_000))));
    assert!(told.contains(&Notice::State(OutletState::Charging)));
    assert!(told.contains(&Notice::SessionStarted {
        transaction: 1,
        tag: String::new(),
        register: Some(WattHours(12_345)),
        at: None
    }));
    assert_eq!(written(&line, 5016), [6_000]);
    assert_eq!(written(&line, 5004)[0], 6_000);
    assert_eq!(written(&line, 5014)[0], 1);
    line.port.set_limit(line.now, 7, Milliamps(13_370));
    line.run_s(1);
    assert_eq!(written(&line, 5004).last(), Some(&13_300), "rounded down to the step");
    assert!(charger_notices(&mut line).contains(&Notice::LimitAccepted(Milliamps(13_370))));
}

#[test]
fn the_watchdog_is_fed_while_nothing_else_happens() {
    let mut line = line_with_keba();
    line.port.set_limit(line.now, 7, Milliamps(16_000));
    line.run_s(600);
    let fed: Vec<_> = line.devices[&KEBA].written.iter().filter(|it| it.1 == 5018).map(|it| it.0).collect();
    assert!(fed.len() > 60, "{} times in ten minutes", fed.len());
    assert!(fed.windows(2).all(|pair| pair[1].since(pair[0]) <= Duration::from_secs(11)));
    assert!(
        written(&line, 5004)[1..].iter().all(|limit| *limit == 16_000),
        "the limit is repeated, not changed"
    );
}

#[test]
fn a_charger_whose_cable_is_pulled_goes_offline_and_is_told_all_again_afterwards() {
    let mut line = line_with_keba();
    line.port.set_limit(line.now, 7, Milliamps(16_000));
    line.run_s(5);
    line.told();
    line.devices.get_mut(&KEBA).unwrap().absent = true;
    line.run_s(15);
    assert_eq!(charger_notices(&mut line), [Notice::Offline { why: "no answer".into() }]);
    line.run_s(60);
    assert_eq!(charger_notices(&mut line), [], "an absent charger accepts nothing");
    let device = line.devices.get_mut(&KEBA).unwrap();
    device.absent = false;
    device.written.clear();
    line.run_s(25);
    let told = charger_notices(&mut line);
    assert_eq!(told[0], Notice::Online);
    assert!(
        told.contains(&Notice::FallbackArmed { current: Milliamps(6_000), after: Duration::from_secs(30) })
    );
    assert!(told.contains(&Notice::LimitAccepted(Milliamps(6_000))));
    assert_eq!(written(&line, 5016), [6_000]);
    let limits = written(&line, 5004);
    assert!(limits.iter().all(|limit| *limit == 6_000), "others may have its 16 A by now: {limits:?}");
    line.port.set_limit(line.now, 7, Milliamps(8_000));
    line.run_s(1);
    assert_eq!(charger_notices(&mut line).first(), Some(&Notice::LimitAccepted(Milliamps(8_000))));
}

#[test]
fn a_dead_charger_does_not_slow_the_meter_on_its_line() {
    let mut line = line_with_keba();
    line.devices.insert(METER, sdm630());
    line.devices.get_mut(&KEBA).unwrap().absent = true;
    line.port.add_meter(0, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    line.run_s(120);
    let readings = line.told().iter().filter(|it| matches!(it, PortNotice::Meter(0, Ok(_)))).count();
    assert!(readings >= 115, "{readings} readings in two minutes");
}

#[test]
fn a_late_answer_is_never_taken_for_anothers() {
    let mut line = Line::new();
    line.devices.insert(METER, sdm630());
    line.port.add_meter(0, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    line.next_request();
    line.now = line.port.deadline().unwrap();
    line.port.handle_timeout(line.now);
    assert_eq!(line.port.next_notice(), Some(PortNotice::Meter(0, Err(NoReading::Timeout))));
    line.now = line.now + Duration::from_secs(30);
    line.port.handle_timeout(line.now);
    assert_eq!(line.port.next_request(), None, "the old request is still under way");
    line.port.answered(line.now, Ok(vec![0; 76]));
    assert_eq!(line.port.next_notice(), None, "the late answer says nothing");
    line.run_s(2);
    assert!(matches!(line.told()[0], PortNotice::Meter(0, Ok(_))));
}

#[test]
fn a_lowered_limit_overtakes_everything_else() {
    let mut line = line_with_keba();
    line.port.set_limit(line.now, 7, Milliamps(16_000));
    line.run_s(3);
    line.devices.insert(METER, sdm630());
    line.port.add_meter(0, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    line.port.set_limit(line.now, 7, Milliamps(9_000));
    assert_eq!(line.next_request().function, Function::WriteSingle { address: 5004, value: 9_000 });
}

#[test]
fn an_order_that_is_repeated_is_said_to_the_charger_again() {
    let mut line = line_with_keba();
    line.port.set_limit(line.now, 7, Milliamps(9_000));
    line.run_s(3);
    line.told();
    let before = written(&line, 5004).len();
    line.port.set_limit(line.now, 7, Milliamps(9_000));
    line.run_s(1);
    assert_eq!(written(&line, 5004)[before..], [9_000]);
    assert!(charger_notices(&mut line).contains(&Notice::LimitAccepted(Milliamps(9_000))));
    line.port.set_limit(line.now, 7, Milliamps(9_050));
    assert_eq!(
        line.port
            .next_notice()
            .map(|it| it == PortNotice::Charger(7, Notice::LimitAccepted(Milliamps(9_050)))),
        Some(true)
    );
}

#[test]
fn a_car_that_is_unplugged_ends_its_session() {
    let mut line = line_with_keba();
    line.run_s(5);
    line.told();
    let device = line.devices.get_mut(&KEBA).unwrap();
    device.set_u32(1000, 1);
    device.set_u32(1004, 3);
    device.set_u32(1036, 130_000);
    line.run_s(12);
    let told = charger_notices(&mut line);
    assert!(told.contains(&Notice::State(OutletState::Available)));
    assert!(told.contains(&Notice::SessionStopped {
        transaction: 1,
        register: Some(WattHours(13_000)),
        at: None,
        why: "unplugged".into()
    }));
}

#[test]
fn a_refused_limit_is_said_so() {
    let mut line = line_with_keba();
    line.run_s(3);
    line.told();
    line.devices.get_mut(&KEBA).unwrap().refuses.insert(5004);
    line.port.set_limit(line.now, 7, Milliamps(16_000));
    line.run_s(1);
    let told = charger_notices(&mut line);
    assert!(
        told.iter().any(|it| matches!(it, Notice::LimitRefused { limit: Milliamps(16_000), .. })),
        "{told:?}"
    );
}

#[test]
fn a_stopping_box_leaves_the_charger_on_its_fallback() {
    let mut line = line_with_keba();
    line.port.set_limit(line.now, 7, Milliamps(16_000));
    line.run_s(3);
    line.port.stop(line.now);
    assert!(!line.port.stopped());
    line.run_s(60);
    assert!(line.port.stopped());
    assert_eq!(written(&line, 5004).last(), Some(&6_000));
    assert_eq!(line.port.deadline(), None);
}

#[test]
fn a_lost_connection_is_lost_for_all_and_found_again() {
    let mut line = line_with_keba();
    line.devices.insert(METER, sdm630());
    line.port.add_meter(0, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    line.run_s(5);
    line.told();
    line.down = true;
    line.run_s(5);
    let told = line.told();
    assert!(told.contains(&PortNotice::Meter(0, Err(NoReading::Disconnected))));
    assert!(told.contains(&PortNotice::Charger(7, Notice::Offline { why: "no connection".into() })));
    line.down = false;
    line.run_s(30);
    let told = line.told();
    assert!(told.iter().any(|it| matches!(it, PortNotice::Meter(0, Ok(_)))));
    assert!(told.contains(&PortNotice::Charger(7, Notice::Online)));
}

#[test]
fn an_answer_of_the_wrong_length_is_garbled() {
    let mut line = Line::new();
    line.port.add_meter(0, METER, meter_map("eastron-sdm630").unwrap(), SECOND, line.now);
    line.next_request();
    line.port.answered(line.now, Ok(vec![1, 2, 3]));
    assert_eq!(line.port.next_notice(), Some(PortNotice::Meter(0, Err(NoReading::Garbled))));
    line.next_request();
    line.port.answered(line.now, Err(Fault::Exception(4)));
    assert_eq!(line.port.next_notice(), Some(PortNotice::Meter(0, Err(NoReading::Refused))));
}
