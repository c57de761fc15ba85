//! How well does the controller do on the made-up garage? One line a seed:
//! `cargo run -p dlb-sim --example survey -- SEEDS MINUTES`; second by second for one seed:
//! `cargo run -p dlb-sim --example survey -- trace SEED FROM_S TO_S`.

#![expect(clippy::disallowed_methods, reason = "an example is a program")]

use core::num::NonZeroU32;
use dlb_engine::allocation::Reason;
use dlb_engine::lines::PerLine;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use dlb_sim::closed_loop::ClosedLoop;
use dlb_sim::garage;
use dlb_sim::phasor::Phasor;
use dlb_wiring::event::Record;
use dlb_wiring::status::ChargerStatus;

const START: Instant = Instant::from_millis(1_000);
const WALL: WallTime = WallTime(1_772_438_400_000);
const SPEED: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: u64| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(default);
    if words.first().is_some_and(|word| word == "trace") {
        trace(number(1, 0), number(2, 0), number(3, 60));
    } else {
        println!(
            "seed  over the limit, A·s   longest s  worst A              damage  cars drawing/here  kWh   contactor starts  \
             overloads told  longest wait s"
        );
        for seed in 0..number(0, 8) {
            survey(seed, number(1, 20));
        }
    }
}

fn garage_of(seed: u64) -> ClosedLoop {
    let bays = garage::bays(12);
    let world = garage::build(&bays, seed, SPEED, START, WALL);
    ClosedLoop::new(&bays, world, START, WALL).expect("the bays are sound")
}

fn survey(seed: u64, minutes: u64) {
    let mut site = garage_of(seed);
    let registers = |site: &ClosedLoop| -> f64 {
        site.world().bays().iter().map(|bay| bay.outlet().measured().register_wh / 1000.0).sum()
    };
    let before = registers(&site);
    let (mut here, mut drawing) = (0, 0);
    let (mut waits, mut longest_wait) = ([0; 12], 0);
    let looks = minutes * 12;
    for _ in 0..looks {
        site.run(Duration::from_secs(5));
        let cars = site.world().cars();
        here += cars.0;
        drawing += cars.1;
        for (wait, waiting) in waits.iter_mut().zip(waiting(&site)) {
            *wait = if waiting { *wait + 5 } else { 0 };
            longest_wait = longest_wait.max(*wait);
        }
    }
    let told = site.records.iter().filter(|record| is_overload(record)).count();
    let truth = site.world().truth();
    let starts: u32 = site.world().bays().iter().map(|bay| bay.outlet().contactor_starts()).sum();
    println!(
        "{seed:4}  {:>20}  {:10.1}  {:>20}  {:.3}  {:8.1} / {:4.1}  {:6.1}  {starts:16}  {told:14}  {longest_wait:14}",
        format!("{:.0?}", truth.over_as.0),
        truth.longest_over_s,
        format!("{:.0?}", truth.worst.0.map(|(amps, _)| amps)),
        truth.damage(),
        drawing as f64 / looks as f64,
        here as f64 / looks as f64,
        registers(&site) - before,
    );
}

/// The cars that want to charge and may not.
fn waiting(site: &ClosedLoop) -> Vec<bool> {
    let status = site.controller().status(site.now());
    let waits = |charger: &ChargerStatus| {
        charger.limit.unwrap_or_default() == Milliamps::ZERO
            && !matches!(charger.reason, Reason::NoCar | Reason::WantsNoMore | Reason::TakesNothing)
    };
    status.chargers.iter().map(waits).collect()
}

fn is_overload(record: &Record) -> bool {
    matches!(record, Record::Alert(alert) if alert.code.starts_with("overload") && !alert.cleared)
}

fn trace(seed: u64, from: u64, to: u64) {
    let mut site = garage_of(seed);
    site.run(Duration::from_secs(from));
    while site.world_mut().story_mut().next_sentence().is_some() {}
    for second in from..to {
        site.run(Duration::from_secs(1));
        let status = site.controller().status(site.now());
        let grid = site.world().electrical();
        let cars = site.world().currents_of(0..12);
        let amps = |values: PerLine<Milliamps>| values.map(Milliamps::as_amps).0;
        println!(
            "{second} s: really {:.1?} A (cars {:.1?}, rest {:.1?}); believed other {:.1?}, worst case {:.1?}",
            grid.rms().0,
            cars.map(Phasor::size).0,
            (grid.currents - cars).map(Phasor::size).0,
            amps(status.circuits[0].other_load),
            amps(status.circuits[0].worst_case),
        );
        for (charger, bay) in status.chargers.iter().zip(site.world().bays()) {
            let Some(car) = bay.outlet().car() else { continue };
            println!(
                "    {:7} limit {:5.1} {} offered {:5.1} drawn {:5.1} reported {:.1?} {:?} {:?}",
                charger.id,
                charger.limit.unwrap_or_default().as_amps(),
                if charger.confirmed { "seen  " } else { "unseen" },
                bay.outlet().offered(),
                car.drawn(),
                charger.drawn.map(amps),
                charger.state,
                charger.reason,
            );
        }
        while let Some(sentence) = site.world_mut().story_mut().next_sentence() {
            println!("    {}", sentence.text);
        }
    }
}
