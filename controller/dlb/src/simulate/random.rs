//! Never over: thousands of random site-days under random faults.

use super::Arguments;
use dlb_sim::judge::{Breach, Verdict, judge, shrink};
use dlb_sim::scenario::Tables;
use dlb_sim::scenario::random::{Faults, site_day};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// Every so many days one is played twice: same seed, same digest.
const AGAIN_EVERY: u64 = 50;

#[derive(Debug, Default)]
struct Sums {
    days: u64,
    failed: u64,
    again: u64,
    simulated_s: f64,
    sessions: usize,
    faults: usize,
    setpoints: u64,
    trips: u32,
    starved: usize,
    longest_over_s: f64,
    given_as: f64,
    held_back_as: f64,
}

struct Day {
    seed: u64,
    faults: usize,
    verdict: Verdict,
    /// Played a second time: the same digest?
    again: Option<bool>,
}

pub(super) fn run(arguments: &Arguments, count: u64) -> ExitCode {
    let first = arguments.seed.unwrap_or(0);
    let faults = if arguments.faultless { Faults::None } else { Faults::Random };
    let next = AtomicU64::new(first);
    let (send, days) = mpsc::channel();
    let began = Instant::now();
    let mut sums = Sums::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || send.send(day(seed, faults)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for day in days {
            sums.add(&day);
            tell(&day, arguments.shrink.as_deref(), faults);
        }
    });
    sums.print(began.elapsed().as_secs_f64(), arguments.json);
    if sums.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn day(seed: u64, faults: Faults) -> Day {
    let scenario = site_day(seed, faults);
    let play = || judge(&scenario, &Tables::default(), None).expect("random sites are sound");
    let verdict = play();
    let again = seed.is_multiple_of(AGAIN_EVERY).then(|| play().digest == verdict.digest);
    Day { seed, faults: scenario.fault.len(), verdict, again }
}

fn tell(day: &Day, directory: Option<&Path>, faults: Faults) {
    if day.again == Some(false) {
        eprintln!("seed {}: played twice, the digests differ", day.seed);
    }
    for Breach { at_s, broken, seen } in &day.verdict.breaches {
        eprintln!("seed {}: at {at_s:.0} s {broken:?}: {seen}", day.seed);
    }
    if let (Some(directory), Some(breach)) = (directory, day.verdict.breaches.first()) {
        let smallest = shrink::shrink(&site_day(day.seed, faults), breach.broken);
        let path = directory.join(format!("seed-{}.toml", day.seed));
        let text = format!("# {:?}: {}\n{}", breach.broken, breach.seen, smallest.to_text());
        match std::fs::write(&path, text) {
            Ok(()) => eprintln!("seed {}: {}", day.seed, path.display()),
            Err(error) => eprintln!("writing {}: {error}", path.display()),
        }
    }
}

impl Sums {
    fn add(&mut self, day: &Day) {
        let verdict = &day.verdict;
        self.days += 1;
        self.failed += u64::from(!verdict.breaches.is_empty() || day.again == Some(false));
        self.again += u64::from(day.again.is_some());
        self.simulated_s += verdict.simulated_s;
        self.sessions += verdict.sessions.len();
        self.faults += day.faults;
        self.setpoints += verdict.setpoints_sent;
        self.trips += verdict.protective_device_trips;
        self.starved += verdict.starved_sessions;
        self.longest_over_s = self.longest_over_s.max(verdict.longest_over_limit_s);
        self.given_as += verdict.handed.given_as;
        self.held_back_as += verdict.handed.held_back_as;
    }

    fn print(&self, wall_s: f64, json: bool) {
        let handed_out = self.given_as / (self.given_as + self.held_back_as).max(f64::MIN_POSITIVE);
        if json {
            let report = serde_json::json!({
                "site_days": self.days, "failed": self.failed, "played_twice": self.again,
                "simulated_s": self.simulated_s, "wall_s": wall_s, "sessions": self.sessions,
                "faults": self.faults, "setpoints_sent": self.setpoints,
                "protective_device_trips": self.trips, "starved_sessions": self.starved,
                "longest_over_limit_s": self.longest_over_s, "handed_out": handed_out,
            });
            println!("{report}");
            return;
        }
        println!("{} site-days, {} failed, in {wall_s:.0} s", self.days, self.failed);
        println!(
            "{:.0} h of protocol time ({:.0} times faster than life), {} sessions, {} faults, {} limits sent",
            self.simulated_s / 3600.0,
            self.simulated_s / wall_s.max(1e-9),
            self.sessions,
            self.faults,
            self.setpoints
        );
        println!(
            "trips: {}, starved: {}, longest over a limit: {:.1} s, played twice with the same digest: {}",
            self.trips, self.starved, self.longest_over_s, self.again
        );
        println!("{:.1} % handed out of what could be, while somebody waited", 100.0 * handed_out);
    }
}
