//! How long from a breach's true start in the waveform to the bytes at the chargers' sockets? A thousand breaches
//! through the whole program: `cargo bench -p dlb --bench breach -- BREACHES SITES`.
//!
//! Sites run side by side in one process, each with its own sampling thread, program and chargers.

#![allow(clippy::unwrap_used, clippy::panic, missing_debug_implementations, reason = "a measurement by hand")]

#[path = "../tests/breach/peers.rs"]
mod peers;
#[path = "../tests/breach/rig.rs"]
mod rig;
#[path = "../tests/breach/wave.rs"]
mod wave;

use rig::Answer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let breaches = numbers.first().copied().unwrap_or(1_000);
    let sites = numbers.get(1).copied().unwrap_or(4).max(1);
    let before = load();
    let (mut answers, mut missed, mut calm) = (Vec::new(), 0, (0, 0));
    // Sites differ in how soon their cars are at their most again: whoever is ready takes the next breach.
    let next = &AtomicU64::new(0);
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..sites).map(|site| scope.spawn(move || run(site + 1, next, breaches))).collect();
        for run in runs {
            let run = run.join().unwrap();
            answers.extend(run.answers);
            missed += run.missed;
            calm = (calm.0 + run.lulls, calm.1 + run.lowered);
        }
    });
    println!(
        "{} breaches on {sites} sites side by side; {missed} not answered within 5 s",
        answers.len() as u64 + missed
    );
    println!("{} lulls in between, looked at in the same way; {} chargers lowered in them", calm.0, calm.1);
    println!("load of the machine (1 min): {before} before, {} after, {} cores\n", load(), cores());
    println!("| from the breach in the waveform to | p50 | p95 | p99 | max | over 200 ms |");
    println!("|---|---|---|---|---|---|");
    row("the charge point's socket", answers.iter().map(|answer| answer.ocpp).collect());
    row("the Modbus charger's socket", answers.iter().map(|answer| answer.modbus).collect());
}

/// Every so many breaches there is a look at which nothing happens.
const LULL_EVERY: u64 = 10;

/// What one site saw.
#[derive(Default)]
struct Run {
    answers: Vec<Answer>,
    missed: u64,
    lulls: u64,
    lowered: usize,
}

fn run(seed: u64, next: &AtomicU64, breaches: u64) -> Run {
    let mut rig = rig::Rig::start(seed, true);
    let mut run = Run::default();
    loop {
        let breach = next.fetch_add(1, Ordering::Relaxed) + 1;
        if breach > breaches {
            return run;
        }
        let answer = rig.breach();
        eprintln!("site {seed}, breach {breach}: {answer:?}");
        run.answers.extend(answer);
        run.missed += u64::from(answer.is_none());
        if breach.is_multiple_of(LULL_EVERY) {
            run.lowered += rig.lull();
            run.lulls += 1;
        }
    }
}

fn row(name: &str, mut spans: Vec<Duration>) {
    spans.sort_unstable();
    let at = |share: f64| {
        let place = ((spans.len() as f64 * share).ceil() as usize).clamp(1, spans.len().max(1)) - 1;
        spans.get(place).map_or(f64::NAN, |span| 1000.0 * span.as_secs_f64())
    };
    let over = spans.iter().filter(|span| **span > Duration::from_millis(200)).count();
    println!(
        "| {name} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {over} |",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
