//! Chargers that forget, fall back, lie and crowd a line.

use super::story::{Device, Line};
use super::wire::{Fault, Function};
use super::{ChargerSettings, PortNotice, charger_map, meter_map};
use crate::charger::Notice;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;

fn settings(fallback_amps: i32) -> ChargerSettings {
    let fallback = Milliamps::from_amps(fallback_amps);
    ChargerSettings { fallback, limit_lifetime: Duration::from_secs(40), ..ChargerSettings::default() }
}

fn line_with(name: &str, device: Device, settings: ChargerSettings) -> Line {
    let mut line = Line::new();
    line.devices.insert(1, device);
    line.port.add_charger(0, 1, charger_map(name).unwrap(), settings, line.now);
    line
}

fn keba() -> Device {
    let mut device = Device::default();
    device.shows.insert(5016, 1600);
    device.shows.insert(5018, 1602);
    device
}

fn told(line: &mut Line) -> Vec<Notice> {
    let told = line.told().into_iter();
    told.filter_map(|it| if let PortNotice::Charger(0, notice) = it { Some(notice) } else { None }).collect()
}

fn written(line: &Line, address: u16) -> Vec<Vec<u16>> {
    line.devices[&1].written.iter().filter(|it| it.1 == address).map(|it| it.2.clone()).collect()
}

fn armed(current: i32, after: u64) -> Notice {
    Notice::FallbackArmed { current: Milliamps(current), after: Duration::from_secs(after) }
}

#[test]
fn a_charger_that_restarted_unseen_is_told_everything_again() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.port.set_limit(line.now, 0, Milliamps(16_000));
    line.run_s(5);
    assert!(told(&mut line).contains(&armed(6_000, 40)));
    let device = line.devices.get_mut(&1).unwrap();
    device.set_u32(1600, 0);
    device.set_u32(1602, 0);
    // The keep-alive writes the timeout, which does not bring the current back.
    device.shows.remove(&5018);
    device.written.clear();
    line.run_s(62);
    let heard = told(&mut line);
    assert!(
        heard.contains(&Notice::FallbackMissing { why: "its fallback is switched off".into() }),
        "{heard:?}"
    );
    line.devices.get_mut(&1).unwrap().shows.insert(5018, 1602);
    line.run_s(62);
    let heard = told(&mut line);
    assert!(heard.contains(&armed(6_000, 40)), "{heard:?}");
    assert_eq!(written(&line, 5016), [[6_000], [6_000]]);
    assert_eq!(written(&line, 5004).last(), Some(&vec![16_000]));
}

#[test]
fn a_charger_that_would_forget_its_fallback_keeps_it_and_its_memory_is_spared() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.run_s(130);
    assert_eq!(written(&line, 5020), [[1]], "once, after the two that it keeps");
    let order: Vec<u16> = line.devices[&1].written.iter().map(|it| it.1).collect();
    let first = |register: u16| order.iter().position(|it| *it == register);
    assert!(first(5016) < first(5020) && first(5018) < first(5020), "{order:?}");
    let device = line.devices.get_mut(&1).unwrap();
    device.written.clear();
    device.absent = true;
    line.run_s(15);
    line.devices.get_mut(&1).unwrap().absent = false;
    line.run_s(25);
    assert_eq!(written(&line, 5016), [[6_000]], "it is told again");
    assert_eq!(written(&line, 5020), [[0; 1]; 0], "and shows what it has kept");
    line.devices.get_mut(&1).unwrap().set_u32(1600, 16_000);
    line.run_s(62);
    assert_eq!(written(&line, 5020), [[1]], "somebody has changed it");
}

#[test]
fn a_pause_also_reaches_a_charger_that_has_fallen_back() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.port.set_limit(line.now, 0, Milliamps(10_000));
    line.run_s(5);
    line.devices.get_mut(&1).unwrap().absent = true;
    line.port.set_limit(line.now, 0, Milliamps::ZERO);
    line.run_s(60);
    let device = line.devices.get_mut(&1).unwrap();
    device.absent = false;
    device.written.clear();
    line.run_s(35);
    let limits_and_pauses = |line: &Line| -> Vec<(u16, u16)> {
        let written = line.devices[&1].written.iter().filter(|it| [5004, 5014].contains(&it.1));
        written.map(|it| (it.1, it.2[0])).collect()
    };
    let told = limits_and_pauses(&line);
    assert!(told.len() >= 4, "again and again: {told:?}");
    for pair in told.chunks(2) {
        assert_eq!(pair, [(5004, 6_000), (5014, 0)], "it holds on to its fallback until it has heard both");
    }
    line.run_s(1);
    line.devices.get_mut(&1).unwrap().written.clear();
    line.port.set_limit(line.now, 0, Milliamps(8_000));
    line.run_s(3);
    line.port.set_limit(line.now, 0, Milliamps::ZERO);
    line.run_s(3);
    let told = limits_and_pauses(&line);
    assert_eq!(told[..3], [(5004, 8_000), (5014, 1), (5014, 0)], "one write where it is known how it stands");
}

#[test]
fn a_fallback_of_nothing_is_armed_where_the_charger_knows_it() {
    let mut line = line_with("keba-p30", keba(), settings(0));
    line.run_s(5);
    assert!(told(&mut line).contains(&armed(0, 40)));
    assert_eq!(written(&line, 5014)[0], [0], "and until a limit comes it is paused");
}

#[test]
fn a_charger_that_keeps_its_old_fallback_is_not_called_armed() {
    let mut device = Device::default();
    device.set_u32(1600, 32_000);
    device.shows.insert(5018, 1602);
    let mut line = line_with("keba-p30", device, settings(6));
    line.run_s(200);
    let heard = told(&mut line);
    let missing =
        |it: &&Notice| matches!(it, Notice::FallbackMissing { why } if why.contains("shows 32.0 A"));
    assert_eq!(heard.iter().filter(missing).count(), 1, "said once: {heard:?}");
    assert!(written(&line, 5016).len() >= 3, "and tried again every minute");
}

#[test]
fn an_alfen_with_a_higher_safe_current_says_what_to_do() {
    let mut device = Device::default();
    device.set_f32(1212, 16.0);
    let mut line = line_with("alfen-eve-ng9xx", device, settings(6));
    line.run_s(3);
    let heard = told(&mut line);
    assert!(heard.contains(&armed(16_000, 60)));
    assert!(
        heard.iter().any(|it| matches!(it, Notice::Trouble(text) if text.contains("safe current"))),
        "{heard:?}"
    );
}

#[test]
fn a_vestel_is_commissioned_again_when_the_connection_was_made_anew() {
    let mut line = line_with("vestel-evc04", Device::default(), settings(6));
    line.port.add_meter(0, 9, meter_map("eastron-sdm630").unwrap(), Duration::from_secs(30), line.now);
    line.run_s(5);
    assert!(told(&mut line).contains(&armed(6_000, 40)));
    line.devices.get_mut(&1).unwrap().written.clear();
    line.run_s(40);
    assert!(written(&line, 2000).len() >= 2, "the silent meter makes the program reconnect");
    assert!(written(&line, 6000).iter().all(|value| value == &[1]));
}

#[test]
fn a_limit_counts_as_taken_only_when_the_charger_shows_it() {
    let mut line = line_with("abb-terra-ac", Device::default(), settings(6));
    let device = line.devices.get_mut(&1).unwrap();
    device.set_u32(0x400E, 32_000);
    line.run_s(5);
    line.port.set_limit(line.now, 0, Milliamps(10_000));
    line.run_s(5);
    assert!(!told(&mut line).iter().any(|it| matches!(it, Notice::LimitAccepted(_))));
    line.run_s(20);
    let refused = |it: &Notice| matches!(it, Notice::LimitRefused { limit: Milliamps(10_000), why } if why.contains("shows 32.0 A"));
    assert!(told(&mut line).iter().any(refused));
    line.devices.get_mut(&1).unwrap().set_u32(0x400E, 9_900);
    line.run_s(20);
    assert!(told(&mut line).contains(&Notice::LimitAccepted(Milliamps(10_000))));
}

#[test]
fn a_charger_that_drifts_above_its_limit_is_told_again() {
    let mut line = line_with("vestel-evc04", Device::default(), settings(6));
    line.port.set_limit(line.now, 0, Milliamps(10_000));
    line.run_s(10);
    line.told();
    line.devices.get_mut(&1).unwrap().set(5004, &[32]);
    line.run_s(12);
    assert_eq!(line.devices[&1].registers[&5004], 10);
    assert!(told(&mut line).contains(&Notice::LimitAccepted(Milliamps(10_000))));
}

#[test]
fn a_busy_charger_is_not_a_lost_one() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.run_s(5);
    line.told();
    line.port.set_limit(line.now, 0, Milliamps(12_000));
    for _ in 0..10 {
        line.next_request();
        line.port.answered(line.now, Err(Fault::Exception(6)));
    }
    line.run_s(5);
    let heard = told(&mut line);
    assert!(!heard.iter().any(|it| matches!(it, Notice::Offline { .. })));
    assert!(heard.contains(&Notice::LimitAccepted(Milliamps(12_000))));
}

#[test]
fn a_gateway_that_cannot_reach_a_charger_is_no_sign_of_life() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    for _ in 0..3 {
        line.next_request();
        line.port.answered(line.now, Err(Fault::Exception(11)));
    }
    line.run(Duration::from_millis(1));
    let heard = told(&mut line);
    assert!(matches!(&heard[..], [Notice::Offline { why }] if why.contains("gateway")), "{heard:?}");
}

#[test]
fn nobody_starves_on_a_line_that_has_too_much_to_do() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.answer_takes = Duration::from_millis(150);
    let map = meter_map("eastron-sdm630").unwrap();
    for unit in 10..30 {
        let mut device = Device::default();
        device.set_f32(6, 1.0);
        line.devices.insert(unit, device);
        line.port.add_meter(usize::from(unit), unit, map, Duration::from_secs(1), line.now);
    }
    line.run_s(20);
    line.asked.clear();
    line.told();
    line.run_s(60);
    let fed: Vec<_> = line.devices[&1].written.iter().filter(|it| it.1 == 5018).map(|it| it.0).collect();
    assert!(fed.windows(2).all(|pair| pair[1].since(pair[0]) <= Duration::from_secs(12)));
    let drawn = line.told();
    assert!(drawn.iter().filter(|it| matches!(it, PortNotice::Charger(0, Notice::Drawn(_)))).count() >= 2);
    for unit in 10..30 {
        let asked = line.asked.iter().filter(|it| it.1.unit == unit).count();
        assert!(asked >= 8, "meter {unit} was asked {asked} times in a minute");
    }
}

#[test]
fn limits_that_change_all_the_time_do_not_starve_the_watchdog() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    line.run_s(5);
    for step in 0..2000 {
        line.port.set_limit(line.now, 0, Milliamps(6_000 + 100 * (2000 - step) / 10));
        line.run(Duration::from_millis(20));
    }
    let fed: Vec<_> = line.devices[&1].written.iter().filter(|it| it.1 == 5018).map(|it| it.0).collect();
    assert!(fed.windows(2).all(|pair| pair[1].since(pair[0]) <= Duration::from_secs(12)), "{fed:?}");
}

#[test]
fn a_pause_that_is_ordered_while_the_watchdog_is_fed_stays_a_pause() {
    for offset in (0..10_500).step_by(5) {
        let mut line = line_with("keba-p30", keba(), settings(6));
        line.port.set_limit(line.now, 0, Milliamps(16_000));
        line.run(Duration::from_millis(15_000 + offset));
        line.port.set_limit(line.now, 0, Milliamps::ZERO);
        line.devices.get_mut(&1).unwrap().written.clear();
        line.run_s(3);
        assert_eq!(written(&line, 5014).last(), Some(&vec![0]), "paused {offset} ms later");
    }
}

#[test]
fn a_limit_beyond_the_rating_is_cut_and_below_the_minimum_a_pause() {
    let mut line = line_with("vestel-evc04", Device::default(), settings(6));
    line.run_s(3);
    for (order, told) in [(63_000, 32), (5_900, 0), (-1, 0), (15_900, 15)] {
        line.port.set_limit(line.now, 0, Milliamps(order));
        line.run_s(2);
        assert_eq!(line.devices[&1].registers[&5004], told, "order {order}");
    }
}

#[test]
fn the_first_request_to_an_unknown_charger_asks_who_it_is() {
    let mut line = line_with("keba-p30", keba(), settings(6));
    assert_eq!(line.next_request().function, Function::ReadHolding { address: 1014, count: 2 });
}
