//! The real controller on the made-up site: both sides of every protocol, and the truth about the result.

use core::num::NonZeroU32;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_sim::bay::Bay;
use dlb_sim::closed_loop::{ClosedLoop, GRID_METER, MeterFault};
use dlb_sim::garage::{self, GRID_A};
use dlb_wiring::event::Record;
use dlb_wiring::status::Mode;

const START: Instant = Instant::from_millis(1_000);
const WALL: WallTime = WallTime(1_772_438_400_000);

fn garage_of(chargers: usize, seed: u64, speed: u32) -> ClosedLoop {
    let speed = NonZeroU32::new(speed).expect("not zero");
    let bays = garage::bays(chargers);
    let world = garage::build(&bays, seed, speed, START, WALL);
    ClosedLoop::new(&bays, world, START, WALL).expect("the bays are sound")
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

fn charged_kwh(site: &ClosedLoop) -> f64 {
    site.world().bays().iter().map(|bay| bay.outlet().measured().register_wh / 1000.0).sum()
}

#[test]
fn nothing_trips_while_cars_come_and_go() {
    for seed in 0..2 {
        let mut site = garage_of(12, seed, 10);
        let before = charged_kwh(&site);
        site.run(minutes(8));
        let truth = site.world().truth();
        assert_eq!(truth.trips, 0, "seed {seed}");
        assert!(truth.damage() < 0.05, "seed {seed}: {}", truth.damage());
        let worst = truth.worst.0.map(|(amps, _)| amps).into_iter().fold(0.0, f64::max);
        assert!(worst < 1.6 * GRID_A, "seed {seed}: {worst} A");
        assert!(charged_kwh(&site) - before > 3.0, "seed {seed}: somebody must have charged");
    }
}

#[test]
fn every_charger_is_found_and_told_its_fallback() {
    let mut site = garage_of(12, 1, 1);
    site.run(minutes(2));
    let status = site.controller().status(site.now());
    assert_eq!(status.mode, Mode::Dynamic);
    for charger in &status.chargers {
        assert!(charger.online && charger.fallback_armed, "{}", charger.id);
        assert!(!charger.identity.model.is_empty(), "{}", charger.id);
        assert!(charger.limit.is_some(), "{}", charger.id);
    }
    let sessions = site.records.iter().filter(|record| matches!(record, Record::SessionStarted { .. }));
    assert!(sessions.count() >= 8);
}

#[test]
fn chargers_that_hear_nothing_more_fall_back_by_themselves() {
    let mut site = garage_of(12, 1, 1);
    site.run(minutes(1));
    for bay in 0..12 {
        site.cable(bay, false);
    }
    site.run(minutes(4));
    for (bay, plan) in site.world().bays().iter().zip(garage::bays(12)) {
        let offered = bay.outlet().offered();
        let promised = if plan.reach == garage::Reach::Alfen { 6.0 } else { 0.0 };
        assert!(offered <= promised, "{}: {offered}", bay.name);
    }
    for bay in 0..12 {
        site.cable(bay, true);
    }
    site.run(minutes(3));
    assert!(site.world().bays().iter().map(Bay::outlet).any(|outlet| outlet.drawing()), "and it goes on");
}

#[test]
fn without_clamps_the_site_runs_on_static_limits_until_they_are_back() {
    let mut site = garage_of(12, 2, 1);
    site.run(minutes(1));
    site.meter(0, MeterFault::Silent);
    site.run(Duration::from_secs(15));
    let alerts = |site: &ClosedLoop| -> Vec<String> {
        site.controller().status(site.now()).alerts.into_iter().map(|alert| alert.about).collect()
    };
    assert_eq!(site.controller().status(site.now()).mode, Mode::Static);
    assert!(alerts(&site).contains(&GRID_METER.to_owned()));
    site.run(minutes(1));
    let cars = site.world().currents_of(0..12).map(dlb_sim::phasor::Phasor::size);
    assert!(cars.0.iter().all(|amps| *amps <= GRID_A - 40.0 + 0.5), "{cars:?}");
    site.meter(0, MeterFault::None);
    site.run(Duration::from_secs(20));
    assert_eq!(site.controller().status(site.now()).mode, Mode::Dynamic);
    assert!(!alerts(&site).contains(&GRID_METER.to_owned()));
}

#[test]
fn a_charger_whose_cable_is_pulled_is_missed_and_the_others_go_on() {
    let mut site = garage_of(12, 3, 1);
    site.run(minutes(1));
    site.cable(0, false);
    site.run(minutes(1));
    let status = site.controller().status(site.now());
    let offline: Vec<&str> =
        status.chargers.iter().filter(|charger| !charger.online).map(|charger| charger.id.as_str()).collect();
    assert_eq!(offline, ["bay-1"]);
    assert!(site.world().bays()[1..].iter().any(|bay| bay.outlet().drawing()));
}

#[test]
fn a_charger_that_restarts_in_mid_charge_is_taken_in_again() {
    let mut site = garage_of(12, 1, 1);
    site.run(minutes(1));
    let now = site.now();
    site.world_mut().point_mut(0).expect("bay-1 speaks OCPP").restart(now);
    site.run(Duration::from_secs(5));
    let online = |site: &ClosedLoop| site.controller().status(site.now()).chargers[0].online;
    assert!(!online(&site));
    site.run(minutes(1));
    assert!(online(&site));
}

#[test]
fn the_same_evening_has_the_same_fingerprint() {
    let evening = |seed| {
        let mut site = garage_of(12, seed, 10);
        site.run(minutes(4));
        (site.world().digest(), site.frames_sent)
    };
    assert_eq!(evening(5), evening(5));
    assert_ne!(evening(5).0, evening(6).0);
}
