//! Rules that hold for every site.

use crate::checker::{check, could_have, current};
use crate::exact::max_min;
use crate::random::{ONE_LINE, SMOOTH, WILD, history};
use dlb_engine::allocate::Allocator;
use dlb_engine::allocation::Reason;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{Charger, ChargerIx, Circuit, CircuitIx, Site};
use dlb_engine::snapshot::{Demand, Snapshot, Strategy as Order};
use dlb_engine::units::Milliamps;
use proptest::prelude::*;

/// What a charger has and could use at most, in milliamperes.
fn range(site: &Site, snapshot: &Snapshot, ix: usize) -> (f64, f64) {
    let charger = &site.chargers()[ix];
    let Demand::Wants(wants) = snapshot.chargers[ix].demand else { return (0.0, 0.0) };
    let high = wants.min(charger.max).max(charger.min);
    (f64::from(charger.min.0), f64::from(high.0))
}

fn limits(site: &Site, snapshot: &Snapshot) -> Vec<f64> {
    let allocation = Allocator::new().allocate(site, snapshot);
    allocation.grants.iter().map(|grant| f64::from(grant.limit.0)).collect()
}

/// The same filling, done slowly: small steps for everybody who is not blocked, all of them tried one by one.
fn slow_fill(site: &Site, snapshot: &Snapshot) -> Vec<f64> {
    let count = site.chargers().len();
    let mut limits: Vec<f64> = (0..count).map(|ix| range(site, snapshot, ix).0).collect();
    let mut open: Vec<usize> = (0..count).collect();
    let (mut level, mut step) = (0.0, 4096.0);
    while !open.is_empty() && step > 1e-4 {
        let mut raised = limits.clone();
        for &ix in &open {
            let (low, high) = range(site, snapshot, ix);
            raised[ix] = ((level + step) * site.chargers()[ix].weight).clamp(low, high);
        }
        if fits(site, snapshot, &raised) {
            limits = raised;
            level += step;
            open.retain(|&ix| limits[ix] < range(site, snapshot, ix).1);
            continue;
        }
        step /= 2.0;
        if step <= 1e-4 {
            let before = open.len();
            open.retain(|&ix| could_have(site, snapshot, &limits, ix, 0.01));
            step = if open.len() < before { 4096.0 } else { 0.0 };
        }
    }
    limits
}

fn fits(site: &Site, snapshot: &Snapshot, limits: &[f64]) -> bool {
    snapshot.circuits.iter().enumerate().all(|(ix, state)| {
        (0..3).all(|line| {
            let left = f64::from(state.limit.0[line].0 - state.other_load.0[line].0);
            current(site, snapshot, limits, ix, line) <= left.max(0.0)
        })
    })
}

/// The same site with chargers and circuits listed the other way round, as far as parents come first.
fn reordered(site: &Site, snapshot: &Snapshot) -> (Site, Snapshot, Vec<usize>) {
    let circuits = site.circuits();
    let depth =
        |ix: usize| core::iter::successors(Some(ix), |&ix| circuits[ix].parent.map(|up| up.0)).count();
    let mut order: Vec<usize> = (0..circuits.len()).rev().collect();
    order.sort_by_key(|&ix| depth(ix));
    let place = |old: CircuitIx| {
        CircuitIx(order.iter().position(|&ix| ix == old.0).expect("every circuit is in the order"))
    };
    let moved = |&ix: &usize| Circuit { parent: circuits[ix].parent.map(place), ..circuits[ix].clone() };
    let chargers: Vec<usize> = (0..site.chargers().len()).rev().collect();
    let carried = |&ix: &usize| {
        let charger = &site.chargers()[ix];
        Charger { circuit: place(charger.circuit), ..charger.clone() }
    };
    let site = Site::new(order.iter().map(moved).collect(), chargers.iter().map(carried).collect())
        .expect("the site is sound");
    let snapshot = Snapshot {
        circuits: order.iter().map(|&ix| snapshot.circuits[ix]).collect(),
        chargers: chargers.iter().map(|&ix| snapshot.chargers[ix]).collect(),
        ..snapshot.clone()
    };
    (site, snapshot, chargers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_line_of_any_circuit_is_ever_overloaded((site, snapshots) in history(WILD, 4)) {
        let mut allocator = Allocator::new();
        for snapshot in &snapshots {
            check(&site, snapshot, &allocator.allocate(&site, snapshot));
        }
    }

    #[test]
    fn whoever_is_stopped_by_a_limit_could_not_have_another_step((site, snapshots) in history(WILD, 1)) {
        let snapshot = &snapshots[0];
        let allocation = Allocator::new().allocate(&site, snapshot);
        let limits: Vec<f64> = allocation.grants.iter().map(|grant| f64::from(grant.limit.0)).collect();
        for (ix, grant) in allocation.grants.iter().enumerate() {
            let charger = &site.chargers()[ix];
            let more = match grant.reason {
                Reason::LineFull { .. } => charger.step.0.max(1),
                Reason::PowerFull { .. } if grant.limit.0 > 0 => charger.step.0.max(1),
                Reason::WaitsForTurn { .. } | Reason::NothingLeft { .. } => {
                    let (least, step) = (snapshot.chargers[ix].least(charger).0, charger.step.0.max(1));
                    let top = charger.max.0 / step * step;
                    ((least as u32).next_multiple_of(step as u32) as i32).min(top)
                }
                _ => continue,
            };
            prop_assert!(!could_have(&site, snapshot, &limits, ix, f64::from(more)), "{} {grant:?}", charger.id);
        }
    }

    #[test]
    fn the_reason_names_a_line_that_is_full((site, snapshots) in history(WILD, 1)) {
        let snapshot = &snapshots[0];
        let allocation = Allocator::new().allocate(&site, snapshot);
        for (ix, grant) in allocation.grants.iter().enumerate() {
            if let Reason::LineFull { circuit, line } = grant.reason {
                prop_assert!(site.path(ChargerIx(ix)).any(|at| at == circuit));
                let mut stepped: Vec<f64> =
                    allocation.grants.iter().map(|grant| f64::from(grant.limit.0)).collect();
                stepped[ix] += f64::from(site.chargers()[ix].step.0.max(2));
                let state = &snapshot.circuits[circuit.0];
                let most = f64::from(state.limit[line].0 - state.other_load[line].0);
                let would = current(&site, snapshot, &stepped, circuit.0, line.index());
                prop_assert!(would >= most - 1.0, "{would} of {most}");
            }
        }
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter((site, snapshots) in history(WILD, 3)) {
        let (mut forward, mut backward) = (Allocator::new(), Allocator::new());
        for snapshot in &snapshots {
            let there = forward.allocate(&site, snapshot);
            let (site, snapshot, order) = reordered(&site, snapshot);
            let back = backward.allocate(&site, &snapshot);
            for (place, &ix) in order.iter().enumerate() {
                prop_assert_eq!(there.grants[ix].limit, back.grants[place].limit, "{}", site.chargers()[place].id);
            }
        }
    }

    #[test]
    fn chargers_without_a_floor_share_as_the_slow_solver_says((site, snapshots) in history(SMOOTH, 1)) {
        let snapshot = &snapshots[0];
        let exact = slow_fill(&site, snapshot);
        for (ix, (fast, exact)) in limits(&site, snapshot).into_iter().zip(exact).enumerate() {
            prop_assert!((fast - exact).abs() <= 15.0, "{}: {fast}, exactly {exact}", site.chargers()[ix].id);
        }
    }

    #[test]
    fn more_capacity_on_one_line_never_gives_anybody_less((site, snapshots) in history(ONE_LINE, 1), more in 0..50_000i32) {
        let before = limits(&site, &snapshots[0]);
        let mut circuits = site.circuits().to_vec();
        circuits[0].limit.0[0].0 += more;
        let wider = Site::new(circuits, site.chargers().to_vec()).unwrap();
        let mut snapshot = snapshots[0].clone();
        snapshot.circuits[0].limit = wider.circuits()[0].limit;
        for (ix, (before, after)) in before.into_iter().zip(limits(&wider, &snapshot)).enumerate() {
            prop_assert!(after >= before - 15.0, "{}: {before} became {after}", site.chargers()[ix].id);
        }
    }

    #[test]
    fn more_capacity_anywhere_never_hurts_the_one_served_worst((site, snapshots) in history(SMOOTH, 1), at in 0..6usize, more in 0..50_000i32) {
        let worst = |site: &Site, snapshot: &Snapshot| {
            let level = |(ix, limit): (usize, f64)| {
                let charger = &site.chargers()[ix];
                // Whoever has all that it wants cannot be served better.
                if limit >= range(site, snapshot, ix).1 { f64::INFINITY } else { limit / charger.weight }
            };
            limits(site, snapshot).into_iter().enumerate().map(level).fold(f64::INFINITY, f64::min)
        };
        let mut circuits = site.circuits().to_vec();
        let at = at % circuits.len();
        circuits[at].limit = circuits[at].limit.map(|limit| limit + Milliamps(more));
        let wider = Site::new(circuits, site.chargers().to_vec()).unwrap();
        let mut snapshot = snapshots[0].clone();
        snapshot.circuits[at].limit = wider.circuits()[at].limit;
        let lightest = site.chargers().iter().map(|charger| charger.weight).fold(1.0, f64::min);
        prop_assert!(worst(&wider, &snapshot) >= worst(&site, &snapshots[0]) - 15.0 / lightest);
    }

    #[test]
    fn a_higher_class_never_notices_a_lower_one((site, snapshots) in history(WILD, 1)) {
        let mut snapshot = snapshots[0].clone();
        snapshot.strategy = Order::Priority;
        let all = Allocator::new().allocate(&site, &snapshot);
        for (ix, state) in snapshot.chargers.iter_mut().enumerate() {
            if site.chargers()[ix].priority > 0 && !matches!(state.demand, Demand::Reserved(..)) {
                state.demand = Demand::Absent;
            }
        }
        let alone = Allocator::new().allocate(&site, &snapshot);
        for (ix, charger) in site.chargers().iter().enumerate() {
            if charger.priority == 0 && snapshot.chargers[ix].demand != Demand::Idle {
                prop_assert_eq!(all.grants[ix].limit, alone.grants[ix].limit, "{}", charger.id);
            }
        }
    }

    #[test]
    fn an_empty_site_carries_its_other_load((site, mut snapshots) in history(WILD, 1)) {
        let snapshot = &mut snapshots[0];
        snapshot.chargers.iter_mut().for_each(|state| state.demand = Demand::Absent);
        let allocation = Allocator::new().allocate(&site, snapshot);
        let loads: Vec<PerLine<Milliamps>> = snapshot.circuits.iter().map(|state| state.other_load).collect();
        prop_assert_eq!(allocation.used, loads);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn chargers_without_a_floor_share_as_linear_programs_say((site, snapshots) in history(SMOOTH, 1)) {
        let snapshot = &snapshots[0];
        let highs: Vec<f64> = (0..site.chargers().len()).map(|ix| range(&site, snapshot, ix).1).collect();
        let exact = max_min(&site, snapshot, &highs);
        for (ix, (fast, exact)) in limits(&site, snapshot).into_iter().zip(exact).enumerate() {
            prop_assert!((fast - exact).abs() <= 15.0, "{}: {fast}, exactly {exact}", site.chargers()[ix].id);
        }
    }
}
