//! Overloads on the made-up site: the guard of the real controller, and what is told of them.

use core::num::NonZeroU32;
use dlb_engine::guard::{Device, Profile, Protection, Setting};
use dlb_engine::lines::PerLine;
use dlb_engine::site::Site;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use dlb_sim::closed_loop::{ClosedLoop, settings};
use dlb_sim::garage::{self, GRID_A};
use dlb_wiring::event::{Alert, Event, Order, Record};
use dlb_wiring::settings::Settings;

const START: Instant = Instant::from_millis(1_000);
const WALL: WallTime = WallTime(1_772_438_400_000);
const FUSE: Protection = Protection { device: Device::Gg, rated: Milliamps(63_000) };

fn garage_with(seed: u64, profile: Profile) -> (ClosedLoop, Settings) {
    let bays = garage::bays(12);
    let world = garage::build(&bays, seed, NonZeroU32::new(10).expect("not zero"), START, WALL);
    let guard = Setting { protection: Some(FUSE), profile };
    let settings = Settings { guards: vec![guard], ..settings(&bays).expect("the bays are sound") };
    let mut site = ClosedLoop::new(&bays, world, START, WALL).expect("the bays are sound");
    site.tell(Event::Configured(Box::new(settings.clone())));
    (site, settings)
}

/// The same site with another limit at the grid connection.
fn agreed(settings: &Settings, amps: i32) -> Settings {
    let mut circuits = settings.site.circuits().to_vec();
    circuits[0].limit = PerLine::all(Milliamps::from_amps(amps));
    let site = Site::new(circuits, settings.site.chargers().to_vec()).expect("a sound site");
    Settings { site, ..settings.clone() }
}

fn told(site: &ClosedLoop, code: &str) -> Vec<Alert> {
    let alerts = site.records.iter().filter_map(|record| match record {
        Record::Alert(alert) if alert.code == code && !alert.cleared => Some(alert.clone()),
        _ => None,
    });
    alerts.collect()
}

#[test]
fn an_overload_that_outlasts_the_cars_is_written_down_with_how_soon_it_was_answered() {
    let (mut site, settings) = garage_with(0, Profile::Plain);
    site.run(Duration::from_secs(60));
    site.tell(Event::Configured(Box::new(agreed(&settings, 1))));
    site.run(Duration::from_secs(15));
    assert_eq!(told(&site, "overload").len(), 1, "the building alone is above what is agreed");
    site.tell(Event::Configured(Box::new(settings)));
    site.run(Duration::from_secs(5));
    let over = told(&site, "overload-over");
    assert!(!over.is_empty());
    for account in &over {
        let answered = account.text.contains("lowered after") || account.text.contains("no charger");
        assert!(answered, "{}", account.text);
    }
    assert_eq!(site.world().truth().trips, 0);
}

#[test]
fn a_lockout_takes_every_car_off_until_it_is_reset_and_outlives_a_restart() {
    let (mut site, settings) = garage_with(0, Profile::G100);
    site.run(Duration::from_secs(60));
    // Nobody can lower the building itself: its own load is above what is agreed from here on.
    site.tell(Event::Configured(Box::new(agreed(&settings, 1))));
    site.run(Duration::from_secs(100));
    site.tell(Event::Configured(Box::new(settings.clone())));
    assert_eq!(told(&site, "lockout").len(), 1);
    assert!(site.controller().status(site.now()).circuits[0].guard.locked_out);
    site.run(Duration::from_secs(30));
    let cars = site.world().currents_of(0..12).map(dlb_sim::phasor::Phasor::size);
    assert!(cars.0.iter().all(|amps| *amps < 0.5), "locked out, though {GRID_A} A are free: {cars:?}");

    let kept = site.records.iter().rev().find_map(|record| match record {
        Record::Guarded { circuit, memory } => Some((circuit.clone(), memory.clone())),
        _ => None,
    });
    let memories = [kept.expect("a lockout is written down")].into();
    let mut restarted = dlb_wiring::controller::Controller::new(settings, Default::default(), site.now());
    restarted.remember_guards(site.now(), &memories);
    assert!(restarted.status(site.now()).circuits[0].guard.locked_out);

    site.tell(Event::Order(Order::ResetLockout { circuit: "grid".to_owned() }));
    site.run(Duration::from_secs(240));
    assert!(site.world().bays().iter().any(|bay| bay.outlet().drawing()), "and they go on");
}
