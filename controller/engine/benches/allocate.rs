//! How long one decision takes, and how that grows: `cargo bench -p dlb-engine --bench allocate`.
//!
//! Trees of three and six levels, chargers of mixed phases, steps, weights and wishes; capacity for about half
//! of what is wanted, or for a third of the minimums only ("floor"). Many decisions, one after the other on the
//! same allocator, with the loads moving in between; the figure is the mean processor time, which other
//! work on the machine disturbs least. Arguments choose the cases whose names contain one of them.

use dlb_engine::allocate::Allocator;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Balance, Charger, Circuit, CircuitIx, Site, Supply};
use dlb_engine::snapshot::{ChargerState, CircuitState, Demand, Snapshot, Strategy};
use dlb_engine::time::Duration;
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts, WattHours};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

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

const CASES: [Case; 7] = [
    Case { name: "equal", levels: 3, strategy: Strategy::Equal, amps_each: 8, wiring: mixed, supply: STAR },
    Case {
        name: "equal, 6 levels",
        levels: 6,
        strategy: Strategy::Equal,
        amps_each: 8,
        wiring: mixed,
        supply: STAR,
    },
    Case {
        name: "equal, floor",
        levels: 3,
        strategy: Strategy::Equal,
        amps_each: 2,
        wiring: mixed,
        supply: STAR,
    },
    Case {
        name: "priority",
        levels: 3,
        strategy: Strategy::Priority,
        amps_each: 8,
        wiring: mixed,
        supply: STAR,
    },
    Case {
        name: "first-come",
        levels: 3,
        strategy: Strategy::FirstCome,
        amps_each: 8,
        wiring: mixed,
        supply: STAR,
    },
    Case {
        name: "departure",
        levels: 3,
        strategy: Strategy::Departure,
        amps_each: 8,
        wiring: mixed,
        supply: STAR,
    },
    Case {
        name: "delta, phasors",
        levels: 3,
        strategy: Strategy::Equal,
        amps_each: 8,
        wiring: pairs,
        supply: Supply::Delta(Millivolts(208_000)),
    },
];

fn main() {
    println!("one decision, microseconds of processor time, and growth for ten times the chargers\n");
    println!("{:<18}{:>10}{:>12}{:>12}{:>12}   growth", "", 10, 100, 1_000, 10_000);
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_chosen = |case: &Case| chosen.is_empty() || chosen.iter().any(|word| case.name.contains(word));
    for case in CASES.into_iter().filter(is_chosen) {
        let micros = SIZES.map(|count| mean(case, count));
        let growth: Vec<String> = micros.windows(2).map(|pair| format!("{:.1}", pair[1] / pair[0])).collect();
        let [a, b, c, d] = micros;
        println!("{:<18}{a:>10.1}{b:>12.1}{c:>12.1}{d:>12.1}   {}", case.name, growth.join(", "));
    }
}

fn mean(case: Case, count: usize) -> f64 {
    let site = site(case, count);
    let mut snapshot = snapshot(&site, case.strategy);
    let mut allocator = Allocator::new();
    let rounds = (1_000_000 / count).clamp(100, 10_000);
    let before = processor_seconds();
    for round in 0..rounds {
        stir(&mut snapshot, round);
        let allocation = allocator.allocate(&site, &snapshot);
        assert_eq!(allocation.grants.len(), count);
    }
    (processor_seconds() - before) * 1e6 / rounds as f64
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
