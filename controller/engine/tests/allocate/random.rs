//! Sites and snapshots that nobody would build, and some that somebody has.

use crate::town::STAR;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Balance, Charger, Circuit, CircuitIx, Site, Supply, Transformer, VectorGroup};
use dlb_engine::snapshot::{ChargerState, CircuitState, Demand, Reservation, Snapshot, Strategy as Order};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};
use proptest::prelude::*;

/// How wild it gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Minimum and step of one milliampere, everybody wants: the continuous problem.
    pub(crate) continuous: bool,
    /// Everything on one line.
    pub(crate) one_line: bool,
}

pub(crate) const WILD: Kind = Kind { continuous: false, one_line: false };
pub(crate) const SMOOTH: Kind = Kind { continuous: true, one_line: false };
pub(crate) const ONE_LINE: Kind = Kind { continuous: true, one_line: true };

fn wiring(kind: Kind) -> BoxedStrategy<Wiring> {
    use Line::{L1, L2, L3};
    if kind.one_line {
        return Just(Wiring::One(L1)).boxed();
    }
    let star = vec![
        Wiring::One(L1),
        Wiring::One(L2),
        Wiring::One(L3),
        Wiring::Two(L2, L3),
        Wiring::Three(L1, L2, L3),
        Wiring::Three(L3, L1, L2),
        Wiring::Unknown,
    ];
    let pairs = vec![Wiring::Between(L1, L2), Wiring::Between(L2, L3), Wiring::Between(L3, L1)];
    if kind.continuous {
        return proptest::sample::select(star).boxed();
    }
    prop_oneof![3 => proptest::sample::select(star), 1 => proptest::sample::select(pairs)].boxed()
}

fn charger(kind: Kind, ix: usize, circuits: usize) -> impl Strategy<Value = Charger> {
    let ranges =
        prop_oneof![Just((6000, 32000)), Just((6000, 16000)), Just((8000, 20000)), Just((25_000, 60_000))];
    let steps = prop_oneof![Just(0), Just(1), Just(100), Just(1000), Just(2000), Just(6000)];
    let weights = prop_oneof![3 => Just(1.0), 1 => Just(2.0), 1 => 0.1..5.0];
    (0..circuits, wiring(kind), ranges, steps, weights, 0..3u8).prop_map(
        move |(circuit, wiring, (min, max), step, weight, priority)| Charger {
            id: format!("c{:02}", (ix * 7) % 23),
            circuit: CircuitIx(circuit),
            wiring,
            min: Milliamps(if kind.continuous { 1 } else { min }),
            max: Milliamps(max),
            step: Milliamps(if kind.continuous { 0 } else { step }),
            fallback: Milliamps::ZERO,
            priority: if kind.continuous { 0 } else { priority },
            weight,
        },
    )
}

fn circuit(kind: Kind, ix: usize) -> impl Strategy<Value = Circuit> {
    let power = proptest::option::weighted(0.3, 3000..40_000i64);
    let group = prop_oneof![Just(VectorGroup::Dyn), Just(VectorGroup::Yyn)];
    let ratio = prop_oneof![Just(1.0), Just(2.309), Just(0.5)];
    let transformer = (group, ratio).prop_map(|(group, ratio)| Transformer { group, ratio });
    let transformer = proptest::option::weighted(0.3, transformer);
    let balance =
        [proptest::option::weighted(0.1, 1000..60_000i32), proptest::option::weighted(0.1, 1000..60_000i32)];
    let wild = (power, transformer, balance);
    (0..ix.max(1), [5000..150_000i32, 5000..150_000, 5000..150_000], wild).prop_map(
        move |(parent, limit, (power, transformer, [neutral, unbalance]))| Circuit {
            id: format!("n{}", (ix * 5) % 7),
            parent: (ix > 0).then_some(CircuitIx(parent)),
            limit: PerLine(limit.map(Milliamps)),
            limit_power: power.filter(|_| !kind.continuous).map(Watts),
            balance: Balance {
                neutral: neutral.filter(|_| !kind.continuous).map(Milliamps),
                unbalance: unbalance.filter(|_| !kind.continuous).map(Milliamps),
            },
            transformer: transformer.filter(|_| ix > 0 && !kind.continuous),
            supply: STAR,
        },
    )
}

fn supply(kind: Kind) -> BoxedStrategy<Supply> {
    if kind.continuous {
        return Just(STAR).boxed();
    }
    let delta = Supply::Delta(Millivolts(208_000));
    prop_oneof![4 => Just(STAR), 2 => Just(delta), 1 => Just(Supply::Split(Millivolts(120_000)))].boxed()
}

pub(crate) fn site(kind: Kind) -> impl Strategy<Value = Site> {
    (1..6usize, 1..14usize, supply(kind)).prop_flat_map(move |(circuits, chargers, supply)| {
        let circuits_of: Vec<_> = (0..circuits).map(|ix| circuit(kind, ix)).collect();
        let chargers_of: Vec<_> = (0..chargers).map(|ix| charger(kind, ix, circuits)).collect();
        (circuits_of, chargers_of).prop_map(move |(mut circuits, mut chargers)| {
            for charger in &mut chargers {
                if let (Supply::Split(_), Wiring::Between(..)) = (supply, charger.wiring) {
                    charger.wiring = Wiring::Between(Line::L1, Line::L2);
                }
            }
            for circuit in &mut circuits {
                circuit.supply = supply;
                if matches!(supply, Supply::Split(_)) {
                    circuit.transformer = None;
                }
            }
            Site::new(circuits, chargers).expect("the site is sound")
        })
    })
}

fn demand(kind: Kind) -> BoxedStrategy<Demand> {
    let wants = (1..40_000i32).prop_map(|wants| Demand::Wants(Milliamps(wants)));
    if kind.continuous {
        return wants.boxed();
    }
    let set_aside = (0..32_000i32).prop_map(|amount| {
        let why = if amount % 2 == 0 { Reservation::OutOfReach } else { Reservation::Disobeys };
        Demand::Reserved(Milliamps(amount), why)
    });
    prop_oneof![6 => wants, 1 => Just(Demand::Idle), 1 => Just(Demand::Absent), 1 => set_aside].boxed()
}

fn charger_state(kind: Kind) -> impl Strategy<Value = ChargerState> {
    let known = |most: u64| proptest::option::of((0..most).prop_map(|s| Instant::from_millis(s * 1000)));
    let phases = proptest::option::of(1..4u8);
    let energy = proptest::option::of((0..50_000i64).prop_map(WattHours));
    let least = prop_oneof![4 => Just(0), 1 => 0..40_000i32]
        .prop_map(move |least| Milliamps(if kind.continuous { 0 } else { least }));
    (demand(kind), phases, least, known(4), known(40_000), energy).prop_map(
        move |(demand, car_phases, least, arrived, departs, energy_needed)| ChargerState {
            demand,
            car_phases,
            least,
            drawn: None,
            arrived,
            departs,
            energy_needed,
        },
    )
}

pub(crate) fn snapshot(kind: Kind, site: &Site) -> impl Strategy<Value = Snapshot> + use<> {
    let orders = [Order::Equal, Order::FirstCome, Order::Priority, Order::Departure];
    let orders = if kind.continuous { vec![Order::Equal] } else { orders.to_vec() };
    let circuits = site.circuits().to_vec();
    let most = if kind.continuous { 4900 } else { 60_000i32 };
    let loads = proptest::collection::vec([-20_000..most, -20_000..most, -20_000..most], circuits.len());
    let chargers = proptest::collection::vec(charger_state(kind), site.chargers().len());
    (proptest::sample::select(orders), loads, chargers, 0..2_000_000u64).prop_map(
        move |(strategy, loads, chargers, now)| Snapshot {
            now: Instant::from_millis(now),
            strategy,
            circuits: circuits
                .iter()
                .zip(&loads)
                .map(|(circuit, load)| CircuitState {
                    limit: circuit.limit,
                    limit_power: circuit.limit_power,
                    other_load: PerLine(load.map(Milliamps)),
                })
                .collect(),
            chargers,
        },
    )
}

/// A site and some pictures of it, one after the other.
pub(crate) fn history(kind: Kind, most: usize) -> impl Strategy<Value = (Site, Vec<Snapshot>)> {
    site(kind).prop_flat_map(move |site| {
        let snapshots = proptest::collection::vec(snapshot(kind, &site), 1..=most);
        (Just(site), snapshots).prop_map(|(site, mut snapshots)| {
            snapshots.sort_by_key(|snapshot| snapshot.now);
            (site, snapshots)
        })
    })
}
