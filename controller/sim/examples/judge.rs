//! Random site-days under the judge's eyes: `cargo run --release -p dlb-sim --example judge -- FROM COUNT`.
//! `faultless` as a third word: without faults. `shrink` and a seed: the smallest scenario that still fails.
//! `trace SEED FROM_S TO_S`: second by second. A file in place of a seed: that scenario.

#![expect(clippy::disallowed_methods, reason = "an example is a program")]

use dlb_engine::lines::PerLine;
use dlb_engine::units::Milliamps;
use dlb_sim::closed_loop::ClosedLoop;
use dlb_sim::judge::{Trial, judge, shrink};
use dlb_sim::phasor::Phasor;
use dlb_sim::scenario::random::{Faults, site_day};
use dlb_sim::scenario::{Scenario, Tables};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: u64| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(default);
    let faults = if words.iter().any(|word| word == "faultless") { Faults::None } else { Faults::Random };
    match words.first().map(String::as_str) {
        Some("shrink") => println!("{}", smallest(&site_day(number(1, 0), faults))),
        Some("trace") => trace(&named(&words[1], faults), number(2, 0), number(3, 60)),
        Some("play") => println!("{:#?}", judge(&named(&words[1], faults), &Tables::default(), None)),
        Some("show") => println!("{}", site_day(number(1, 0), faults).to_text()),
        _ => survey(number(0, 0), number(1, 10), faults),
    }
}

fn named(word: &str, faults: Faults) -> Scenario {
    match word.parse() {
        Ok(seed) => site_day(seed, faults),
        Err(_) => {
            let text = std::fs::read_to_string(word).expect("a seed, or a scenario's file");
            Scenario::parse(&text).expect("a sound scenario")
        }
    }
}

fn trace(scenario: &Scenario, from: u64, to: u64) {
    let staged = scenario.stage(&Tables::default()).expect("a sound scenario");
    let mut trial = Trial::new(staged, scenario, None);
    let steps = |seconds: u64| (seconds as f64 / scenario.step_s) as u64;
    for _ in 0..steps(from) {
        trial.step();
    }
    for second in from..to {
        for _ in 0..steps(1).max(1) {
            trial.step();
        }
        show(second, trial.site());
    }
}

fn show(second: u64, site: &ClosedLoop) {
    let world = site.world();
    let Some(controller) = site.powered() else {
        println!("{second} s: no power");
        for at in 0..world.circuit_count() {
            let (flows, chargers) = world.flows(at);
            let size = |currents: PerLine<Phasor>| currents.map(Phasor::size).0;
            println!("  circuit {at} really {:.1?} (others {:.1?})", size(flows), size(flows - chargers));
        }
        for bay in world.bays() {
            let drawn = bay.outlet().car().map(|car| car.drawn());
            println!("    {:7} offers {:5.1} drawn {drawn:.1?}", bay.name, bay.outlet().offered());
        }
        return;
    };
    let status = controller.status(site.now());
    let amps = |values: PerLine<Milliamps>| values.map(Milliamps::as_amps).0;
    println!("{second} s");
    for (at, circuit) in status.circuits.iter().enumerate() {
        let (flows, chargers) = world.flows(at);
        println!(
            "  {:5} limit {:.1?} really {:.1?} (others {:.1?}); believed others {:.1?}, worst case {:.1?}",
            circuit.id,
            amps(circuit.limit),
            flows.map(Phasor::size).0,
            (flows - chargers).map(Phasor::size).0,
            amps(circuit.other_load),
            amps(circuit.worst_case),
        );
    }
    for charger in &status.chargers {
        let Some(bay) = world.bays().iter().find(|bay| bay.name == charger.id) else { continue };
        let Some(car) = bay.outlet().car() else { continue };
        println!(
            "    {:7} limit {:5.1} {} offers {:5.1} drawn {:5.1} of {:5.1} reported {:.1?} {:?} {:?}{}",
            charger.id,
            charger.limit.unwrap_or_default().as_amps(),
            if charger.confirmed { "seen  " } else { "unseen" },
            bay.outlet().offered(),
            car.drawn(),
            car.takes(),
            charger.drawn.map(amps),
            charger.state,
            charger.reason,
            if charger.online { "" } else { " offline" },
        );
    }
    for fault in site.troubles(core::time::Duration::ZERO) {
        println!("    {:?}", fault.trouble);
    }
    for alert in controller.alerts() {
        println!("    ! {} {}", alert.about, alert.code);
    }
}

fn smallest(scenario: &Scenario) -> String {
    let verdict = judge(scenario, &Tables::default(), None).expect("random sites are sound");
    match verdict.breaches.first() {
        Some(breach) => shrink::shrink(scenario, breach.broken).to_text(),
        None => "# this one fails nothing".to_owned(),
    }
}

fn survey(from: u64, count: u64, faults: Faults) {
    let (mut failed, mut simulated_s, mut handed) = (0, 0.0, (0.0, 0.0));
    for seed in from..from + count {
        let scenario = site_day(seed, faults);
        let verdict = match judge(&scenario, &Tables::default(), None) {
            Ok(verdict) => verdict,
            Err(mistakes) => {
                println!("seed {seed}: {mistakes:?}");
                continue;
            }
        };
        simulated_s += verdict.simulated_s;
        handed.0 += verdict.handed.given_as;
        handed.1 += verdict.handed.held_back_as;
        if verdict.handed.share() < 0.8 && std::env::var_os("HANDED").is_some() {
            println!("seed {seed}: {:.3} handed out, {:?}", verdict.handed.share(), verdict.handed);
        }
        for breach in &verdict.breaches {
            println!("seed {seed}: at {:.0} s {:?}: {}", breach.at_s, breach.broken, breach.seen);
        }
        failed += u64::from(!verdict.breaches.is_empty());
    }
    let share = handed.0 / f64::max(handed.0 + handed.1, 1.0);
    println!("{count} site-days, {simulated_s:.0} s simulated, {failed} failed, {share:.4} handed out");
}
