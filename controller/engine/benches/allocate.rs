//! How long one decision takes, how that grows, and what a linear program of the same limits would take:
//! `cargo bench -p dlb-engine --bench allocate`; a word behind `--` chooses the cases whose names contain it.
//!
//! Trees of three and six levels, chargers of mixed phases, steps, weights and wishes; capacity for about half
//! of what is wanted, or for a third of the minimums only ("floor"). Many decisions, one after the other on the
//! same allocator, with the loads moving in between. The figures are processor time, which other work on the
//! machine disturbs least. The linear program (microlp) has the same chargers, lines and circuits, and finds one
//! largest sum where the allocation finds what is fair; it is left out where it would take minutes.

#![expect(clippy::disallowed_methods, reason = "a benchmark is a program")]

use criterion::{BenchmarkId, Criterion};
use dlb_engine::allocate::Allocator;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Balance, Charger, Circuit, CircuitIx, Site, Supply};
use dlb_engine::snapshot::{ChargerState, CircuitState, Demand, Snapshot, Strategy};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, Millivolts, WattHours};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// A linear program of ten thousand chargers takes too long to be waited for.
const PROGRAM_MAX: usize = 1_000;

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    levels: u32,
    strategy: Strategy,
    /// Amperes on each line for each charger at the root.
    amps_each: i32,
    wiring: fn(usize) -> Wiring,
    supply: Supply,
}

const STAR: Supply = Supply::Star(Millivolts(230_000));
const EQUAL: Case =
    Case { name: "equal", levels: 3, strategy: Strategy::Equal, amps_each: 8, wiring: mixed, supply: STAR };
const DELTA: Supply = Supply::Delta(Millivolts(208_000));

const CASES: [Case; 8] = [
    EQUAL,
    Case { name: "equal, 6 levels", levels: 6, ..EQUAL },
    Case { name: "equal, floor", amps_each: 2, ..EQUAL },
    Case { name: "equal, floor, 6 levels", levels: 6, amps_each: 2, ..EQUAL },
    Case { name: "priority", strategy: Strategy::Priority, ..EQUAL },
    Case { name: "first-come", strategy: Strategy::FirstCome, ..EQUAL },
    Case { name: "departure", strategy: Strategy::Departure, ..EQUAL },
    Case { name: "delta, phasors", wiring: pairs, supply: DELTA, ..EQUAL },
];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(core::time::Duration::from_millis(300))
        .measurement_time(core::time::Duration::from_millis(1500));
    // Words choose cases here; Criterion's own reading of the command line knows one only.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_chosen = |case: &Case| chosen.is_empty() || chosen.iter().any(|word| case.name.contains(word));
    let lines: Vec<String> =
        CASES.into_iter().filter(is_chosen).map(|case| measured(&mut criterion, case)).collect();
    criterion.final_summary();
    println!("\none decision, microseconds of processor time; growth for ten times the chargers\n");
    println!("{:<24}{:>10}{:>12}{:>12}{:>12}   growth", "", 10, 100, 1_000, 10_000);
    lines.iter().for_each(|line| println!("{line}"));
}

/// One case in all its sizes, as a line of the table.
fn measured(criterion: &mut Criterion, case: Case) -> String {
    let micros = SIZES.map(|count| {
        let mut mean = 0.0;
        let mut group = criterion.benchmark_group(case.name);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            let mut decisions = Decisions::new(case, count);
            bencher.iter_custom(|rounds| {
                let spent = decisions.make(rounds);
                mean = spent.as_secs_f64() * 1e6 / rounds as f64;
                spent
            });
        });
        mean
    });
    let growth: Vec<String> = micros.windows(2).map(|pair| format!("{:.1}", pair[1] / pair[0])).collect();
    let [a, b, c, d] = micros;
    let line = format!("{:<24}{a:>10.1}{b:>12.1}{c:>12.1}{d:>12.1}   {}", case.name, growth.join(", "));
    let plain = case.supply == STAR && matches!(case.strategy, Strategy::Equal) && case.amps_each == 8;
    if plain { format!("{line}\n{}", programs(case, micros)) } else { line }
}

/// What linear programs of the same limits take, and how many decisions could have been made meanwhile.
fn programs(case: Case, micros: [f64; 4]) -> String {
    let mut line = format!("{:<24}", "  its linear program");
    let mut ratios = Vec::new();
    for (count, own) in SIZES.into_iter().zip(micros).filter(|(count, _)| *count <= PROGRAM_MAX) {
        let site = site(case, count);
        let snapshot = snapshot(&site, case.strategy);
        let (before, mut rounds) = (processor_seconds(), 0.0);
        // The kernel counts in hundredths of a second.
        while processor_seconds() - before < 0.2 {
            assert!(program(&site, &snapshot) > 0.0);
            rounds += 1.0;
        }
        let taken = (processor_seconds() - before) * 1e6 / rounds;
        line += &format!("{taken:>12.1}");
        ratios.push(format!("{:.0}", taken / own));
    }
    format!("{line}   {} times a decision", ratios.join(", "))
}

/// The largest sum of limits that the lines of all circuits allow.
fn program(site: &Site, snapshot: &Snapshot) -> f64 {
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let most = |ix: usize| match snapshot.chargers[ix].demand {
        Demand::Wants(wants) => f64::from(wants.min(site.chargers()[ix].max).0),
        _ => 0.0,
    };
    let limits: Vec<Variable> =
        (0..site.chargers().len()).map(|ix| problem.add_var(1.0, (0.0, most(ix)))).collect();
    let mut rows = vec![[const { Vec::new() }; 3]; site.circuits().len()];
    for charger in site.charger_indexes() {
        let loads = site.charger(charger).wiring.loads(None);
        for circuit in site.path(charger) {
            for line in Line::ALL.into_iter().filter(|&line| loads[line]) {
                rows[circuit.0][line.index()].push((limits[charger.0], 1.0));
            }
        }
    }
    for (circuit, lines) in rows.into_iter().enumerate() {
        for (line, parts) in lines.into_iter().enumerate().filter(|(_, parts)| !parts.is_empty()) {
            let state = &snapshot.circuits[circuit];
            let left = f64::from(state.limit.0[line].0 - state.other_load.0[line].0);
            problem.add_constraint(parts, ComparisonOp::Le, left);
        }
    }
    let solved = problem.solve().expect("zero is a solution").into_solution();
    solved.expect("nobody interrupts it").objective()
}

/// One decision after the other on the same site.
struct Decisions {
    site: Site,
    snapshot: Snapshot,
    allocator: Allocator,
    round: usize,
}

impl Decisions {
    fn new(case: Case, count: usize) -> Self {
        let site = site(case, count);
        let snapshot = snapshot(&site, case.strategy);
        Self { site, snapshot, allocator: Allocator::new(), round: 0 }
    }

    /// So many; the processor time that they took.
    fn make(&mut self, rounds: u64) -> core::time::Duration {
        let before = processor_seconds();
        for _ in 0..rounds {
            self.round += 1;
            stir(&mut self.snapshot, self.round);
            let allocation = self.allocator.allocate(&self.site, &self.snapshot);
            assert_eq!(allocation.grants.len(), self.site.chargers().len());
        }
        core::time::Duration::from_secs_f64(processor_seconds() - before)
    }
}

/// Processor time of this thread so far, from Linux's scheduler statistics.
fn processor_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this is a Linux machine");
    let nanoseconds = statistics.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.expect("its first field is a number") / 1e9
}

fn mixed(ix: usize) -> Wiring {
    match ix % 4 {
        0 | 1 => Wiring::Three(Line::ALL[ix % 3], Line::ALL[(ix + 1) % 3], Line::ALL[(ix + 2) % 3]),
        _ => Wiring::One(Line::ALL[ix % 3]),
    }
}

fn pairs(ix: usize) -> Wiring {
    Wiring::Between(Line::ALL[ix % 3], Line::ALL[(ix + 1) % 3])
}

/// A tree whose every circuit has about as many children as chargers hang on a lowest one.
fn site(case: Case, count: usize) -> Site {
    let fan = (count as f64).powf(1.0 / f64::from(case.levels)).ceil() as usize;
    let mut circuits = Vec::new();
    let mut level = vec![None];
    let mut below = count as i32;
    for _ in 0..case.levels {
        let fan = if circuits.is_empty() { 1 } else { fan };
        below /= fan as i32;
        let mut next = Vec::new();
        for parent in level {
            for nth in 0..fan {
                next.push(Some(CircuitIx(circuits.len())));
                let amps = below.max(2) * case.amps_each * (4 + nth as i32 % 4) / 4;
                circuits.push(Circuit {
                    id: format!("n{}", circuits.len()),
                    parent,
                    limit: PerLine::all(Milliamps(amps * 1000)),
                    limit_power: None,
                    balance: Balance::default(),
                    transformer: None,
                    supply: case.supply,
                });
            }
        }
        level = next;
    }
    let charger = |ix: usize| Charger {
        id: format!("c{ix}"),
        circuit: level[ix % level.len()].expect("the tree has a root"),
        wiring: (case.wiring)(ix),
        min: Milliamps(6000),
        max: Milliamps(if ix.is_multiple_of(3) { 16_000 } else { 32_000 }),
        step: Milliamps(if ix.is_multiple_of(2) { 1000 } else { 100 }),
        fallback: Milliamps::ZERO,
        priority: (ix % 3 / 2) as u8,
        weight: 1.0 + (ix % 5) as f64 / 2.0,
    };
    Site::new(circuits, (0..count).map(charger).collect()).expect("the site is sound")
}

fn snapshot(site: &Site, strategy: Strategy) -> Snapshot {
    let circuit = |circuit: &Circuit| CircuitState {
        limit: circuit.limit,
        limit_power: None,
        other_load: PerLine::all(Milliamps::ZERO),
    };
    let charger = |ix: usize| ChargerState {
        demand: Demand::Wants(Milliamps(7000 + (ix as i32 * 7919) % 26_000)),
        least: Milliamps::ZERO,
        car_phases: None,
        drawn: None,
        arrived: Some(Instant::from_millis((ix as u64 * 7919) % 100_000)),
        departs: Some(Instant::from_millis(3_600_000 + (ix as u64 * 104_729) % 36_000_000)),
        energy_needed: Some(WattHours(5000 + (ix as i64 * 31) % 20_000)),
    };
    Snapshot {
        now: Instant::from_millis(1000),
        strategy,
        circuits: site.circuits().iter().map(circuit).collect(),
        chargers: (0..site.chargers().len()).map(charger).collect(),
    }
}

/// Time goes on and the loads change, so that no two decisions are the same.
fn stir(snapshot: &mut Snapshot, round: usize) {
    snapshot.now = snapshot.now + Duration::from_secs(1);
    for (ix, circuit) in snapshot.circuits.iter_mut().enumerate() {
        let load = (ix * 31 + round * 977) % 1000;
        circuit.other_load = PerLine([load as i32, (load / 2) as i32, 300].map(Milliamps));
    }
}
