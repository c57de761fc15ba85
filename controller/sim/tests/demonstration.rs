//! What somebody sees who looks at the demonstration for a while: a day in a hurry on a site that is as real as any.

use core::num::NonZeroU32;
use dlb_engine::allocation::Reason;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use dlb_sim::closed_loop::ClosedLoop;
use dlb_sim::garage;
use dlb_wiring::event::{Alert, Record};

const START: Instant = Instant::from_millis(1_000);
const WALL: WallTime = WallTime(1_772_438_400_000);
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What outlasts ten seconds is counted as the load of others, and then the cars have to follow.
const FOLLOWED_S: f64 = 12.0;
/// A car is found, its charger probed and room made for it.
const LET_IN: Duration = Duration::from_secs(60);

fn garage_at(speed: u32, seed: u64) -> ClosedLoop {
    let bays = garage::bays(12);
    let speed = NonZeroU32::new(speed).expect("not zero");
    let world = garage::build(&bays, seed, speed, START, WALL);
    ClosedLoop::new(&bays, world, START, WALL).expect("the bays are sound")
}

/// Eight minutes of it. Returns how long each charger's car has had nothing at a stretch, though it wanted.
fn watch(site: &mut ClosedLoop) -> Vec<(String, Duration)> {
    let mut waits: Vec<(String, Duration, Duration)> = Vec::new();
    for _ in 0..96 {
        site.run(LOOK_EVERY);
        let chargers = site.controller().status(site.now()).chargers;
        waits.resize(chargers.len(), (String::new(), Duration::ZERO, Duration::ZERO));
        for (wait, charger) in waits.iter_mut().zip(chargers) {
            let waiting = charger.limit.unwrap_or_default() == Milliamps::ZERO
                && !matches!(charger.reason, Reason::NoCar | Reason::WantsNoMore | Reason::TakesNothing);
            let so_far = if waiting { wait.1 + LOOK_EVERY } else { Duration::ZERO };
            *wait = (charger.id, so_far, wait.2.max(so_far));
        }
    }
    waits.into_iter().map(|(id, _, longest)| (id, longest)).collect()
}

#[test]
fn an_oven_that_starts_on_a_full_line_is_followed_at_every_speed() {
    for (speed, seed) in [(1, 1), (10, 0), (10, 1), (10, 2), (60, 1)] {
        let mut site = garage_at(speed, seed);
        watch(&mut site);
        let truth = site.world().truth();
        assert!(truth.longest_over_s <= FOLLOWED_S, "{speed} times, seed {seed}: {} s", truth.longest_over_s);
        assert!(truth.damage() < 0.01 && truth.trips == 0, "{speed} times, seed {seed}: {}", truth.damage());
    }
}

#[test]
fn whoever_watches_the_demonstration_for_eight_minutes_is_told_of_one_overload_on_average() {
    const VISITORS: u64 = 24;
    let (mut told, mut worst): (usize, f64) = (0, 0.0);
    for seed in 0..VISITORS {
        let mut site = garage_at(10, seed);
        watch(&mut site);
        worst = site.world().truth().worst.0.iter().fold(worst, |worst, (amps, _)| worst.max(*amps));
        let overload = |alert: &&Alert| alert.code.starts_with("overload") && !alert.cleared;
        let alerts = site.records.iter().filter_map(|record| match record {
            Record::Alert(alert) => Some(alert),
            _ => None,
        });
        told += alerts.filter(overload).count();
    }
    assert!(worst > 1.05 * garage::GRID_A, "steps come on full lines: {worst:.1} A");
    assert!(told as u64 <= VISITORS, "{told} overloads in {VISITORS} times eight minutes");
}

#[test]
fn every_car_of_the_demonstration_is_let_in() {
    let mut site = garage_at(10, 1);
    for (charger, longest) in watch(&mut site) {
        assert!(longest <= LET_IN, "{charger} waits for {longest:?}");
    }
}
