//! The whole site, without anybody who balances it.

use core::num::NonZeroU32;
use dlb_engine::lines::Line;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_sim::bay::Charger;
use dlb_sim::garage::{self, Reach};
use dlb_sim::phasor::Phasor;
use dlb_sim::world::World;

const START: Instant = Instant::from_millis(1_000);

fn site(chargers: usize, seed: u64, speed: u32) -> World {
    let speed = NonZeroU32::new(speed).expect("not zero");
    garage::build(&garage::bays(chargers), seed, speed, START, WallTime(1_772_438_400_000))
}

fn seconds(count: u64) -> Instant {
    START + Duration::from_secs(count)
}

#[test]
fn twelve_chargers_are_nine_by_ocpp_two_by_modbus_and_one_dc() {
    let bays = garage::bays(12);
    let dc = bays.iter().filter(|bay| bay.id.starts_with("dc")).count();
    let ocpp = bays.iter().filter(|bay| matches!(bay.reach, Reach::Ocpp { .. })).count();
    assert_eq!((ocpp - dc, bays.len() - ocpp, dc), (9, 2, 1));
}

#[test]
fn the_same_seed_is_the_same_site_however_often_one_looks() {
    let mut once = site(12, 7, 10);
    once.advance(seconds(300));
    let mut often = site(12, 7, 10);
    for tenth in 0..=3000 {
        often.advance(START + Duration::from_millis(100 * tenth));
    }
    assert_eq!(once.digest(), often.digest());
    let mut other = site(12, 8, 10);
    other.advance(seconds(300));
    assert_ne!(once.digest(), other.digest());
}

#[test]
fn the_day_is_in_full_swing_within_half_a_minute() {
    for seed in 0..10 {
        let mut site = site(12, seed, 1);
        site.advance(seconds(30));
        let (here, drawing) = site.cars();
        assert!(here >= 8 && drawing >= 5, "seed {seed}: {here} cars, {drawing} draw");
    }
}

#[test]
fn without_a_balancer_the_connection_is_overloaded() {
    let mut site = site(12, 1, 10);
    site.advance(seconds(900));
    let truth = site.truth();
    assert!(truth.over_s.0.iter().all(|over| *over > 60.0), "{:?}", truth.over_s);
    assert!(truth.trips > 0, "twelve cars on 63 A must not go well");
}

#[test]
fn the_connection_carries_building_sun_and_cars() {
    let mut site = site(12, 3, 10);
    for second in 1..200 {
        site.advance(seconds(second));
        let cars = site.currents_of(0..12).map(Phasor::size);
        let whole = site.electrical().rms();
        for line in Line::ALL {
            assert!(whole[line] < cars[line] + 75.0, "{line:?}");
        }
    }
    assert!(site.truth().kwh > 1.0);
    assert!(site.electrical().volts.0.iter().all(|volts| (215.0..240.0).contains(volts)));
}

#[test]
fn speed_hurries_the_scenario_and_not_the_chargers() {
    let drawn = |speed: u32| {
        let mut site = site(1, 5, speed);
        let first = (1..600).find(|tenth| {
            site.advance(START + Duration::from_millis(100 * tenth));
            site.bays()[0].outlet().drawing()
        });
        (first.expect("a car charges"), site)
    };
    let ((slow_begin, _), (fast_begin, mut fast)) = (drawn(1), drawn(60));
    assert_eq!(slow_begin, fast_begin, "plug, dead time and wake-up take what they take");
    let before = fast.bays()[0].outlet().car().expect("a car").stored_kwh();
    let now = START + Duration::from_millis(100 * fast_begin);
    fast.advance(now + Duration::from_secs(20));
    let gained = fast.bays()[0].outlet().car().expect("still there").stored_kwh() - before;
    let watts = fast.bays()[0].outlet().watts();
    assert!(gained > 0.7 * watts * 20.0 * 60.0 / 3_600_000.0 * 0.92, "{gained} kWh at {watts} W");
}

#[test]
fn what_the_meters_count_is_in_the_batteries() {
    let mut site = site(12, 9, 10);
    site.advance(seconds(60));
    let stored = |site: &World| -> Vec<(f64, f64)> {
        let of = |bay: &dlb_sim::bay::Bay| {
            let outlet = bay.outlet();
            let gain = 1.0 + outlet.plate().meter_error;
            (
                outlet.measured().register_wh / gain,
                outlet.car().map_or(0.0, |car| car.stored_kwh() * 1000.0 / car.model().efficiency),
            )
        };
        site.bays().iter().map(of).collect()
    };
    let before = stored(&site);
    site.advance(seconds(120));
    let after = stored(&site);
    let mut compared = 0;
    for (bay, (was, is)) in before.iter().zip(&after).enumerate() {
        let stayed = was.1 > 0.0 && is.1 >= was.1;
        if stayed && is.0 - was.0 > 50.0 {
            assert!(((is.0 - was.0) - (is.1 - was.1)).abs() < 0.01, "bay {bay}");
            compared += 1;
        }
    }
    assert!(compared >= 4, "{compared}");
}

#[test]
fn a_step_of_load_is_at_the_connection_at_once() {
    let mut site = site(0, 2, 1);
    site.building_mut(0).expect("it has a building").switch("compressor", false, 1e9);
    site.advance(seconds(10));
    let before = site.electrical().currents;
    site.building_mut(0).expect("it has a building").switch("compressor", true, 1e9);
    site.advance(seconds(10) + Duration::from_millis(50));
    let step = (site.electrical().currents - before).map(Phasor::size);
    assert!(step.0.iter().all(|amps| (4.5..5.5).contains(amps)), "{step:?}");
}

#[test]
fn the_story_is_told_in_sentences() {
    let mut site = site(12, 4, 30);
    site.advance(seconds(120));
    let told: Vec<_> = core::iter::from_fn(|| site.story_mut().next_sentence()).collect();
    assert!((10..=32).contains(&told.len()), "{}", told.len());
    assert!(told.iter().all(|sentence| sentence.text.ends_with('.')));
    let of_cars = told.iter().filter(|sentence| sentence.text.contains(": a"));
    assert!(of_cars.clone().count() >= 8 && of_cars.clone().all(|sentence| sentence.subject.is_none()));
}

#[test]
fn charge_points_and_registers_are_found_by_bay() {
    let mut site = site(12, 4, 1);
    let points = (0..12).filter(|bay| site.point_mut(*bay).is_some()).count();
    let registers = (0..12).filter(|bay| site.registers_mut(*bay).is_some()).count();
    assert_eq!((points, registers), (10, 2));
    assert!(matches!(site.bays()[4].charger(), Charger::Modbus(_)));
}
