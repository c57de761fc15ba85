//! What the ledger lets through on supplies of every kind, held against the slow checker.

use crate::checker::check_circuits;
use crate::random::{WILD, history};
use crate::town::*;
use dlb_engine::allocate::Allocator;
use dlb_engine::ledger::{Fallback, Ledger, Proof};
use dlb_engine::lines::{Line, Wiring};
use dlb_engine::site::{Site, Supply};
use dlb_engine::snapshot::{Demand, Snapshot};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, Millivolts};
use proptest::prelude::*;

const SETTLE: Duration = Duration::from_secs(5);

fn at(second: u64) -> Instant {
    Instant::from_millis(second * 1000)
}

/// Everybody in reach, with a car at its fallback of nothing.
fn at_their_fallbacks(site: &Site) -> Ledger {
    let mut ledger = Ledger::new(site, at(0));
    for charger in site.charger_indexes() {
        ledger.online(charger, site, Proof { metered: true, settle: SETTLE });
        let after = Duration::from_secs(60);
        ledger.fallback(charger, Some(Fallback { current: Milliamps::ZERO, after }));
        ledger.arrived(charger, site);
    }
    ledger
}

/// The most that each car may draw by any limit possibly in force.
fn ceilings(ledger: &Ledger, site: &Site, snapshot: &Snapshot, now: Instant) -> Vec<f64> {
    let of = |charger: dlb_engine::site::ChargerIx| match snapshot.chargers[charger.0].demand {
        Demand::Absent => 0.0,
        _ => f64::from(ledger.worst(now, charger, site).0),
    };
    site.charger_indexes().map(of).collect()
}

/// Chargers that are in reach take limits; the others of these pictures are somebody else's story.
fn reachable(mut snapshot: Snapshot) -> Snapshot {
    for state in &mut snapshot.chargers {
        if matches!(state.demand, Demand::Reserved(..)) {
            state.demand = Demand::Wants(Milliamps(20_000));
        }
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Bit `ix` of `deaf`: this charger answers in the second round only.
    #[test]
    fn no_increase_is_sent_that_the_ceilings_of_all_have_no_room_for((site, snapshots) in history(WILD, 4), deaf in 0..16_384u32) {
        let mut allocator = Allocator::new();
        let mut ledger = at_their_fallbacks(&site);
        for (round, snapshot) in snapshots.into_iter().map(reachable).enumerate() {
            let now = at(20 * (1 + round as u64));
            let before = ceilings(&ledger, &site, &snapshot, now);
            let allocation = allocator.allocate(&site, &snapshot);
            let sent = ledger.plan(now, &site, &snapshot, &allocation);
            check_circuits(&site, &snapshot, &ceilings(&ledger, &site, &snapshot, now), &before);
            for setpoint in sent.iter().filter(|sent| round % 2 == 1 || deaf >> sent.charger.0 & 1 == 0) {
                ledger.accepted(now, setpoint.charger, setpoint.limit);
                ledger.drawn(now + SETTLE * 2, setpoint.charger, setpoint.limit);
            }
        }
    }

    #[test]
    fn all_that_was_allocated_is_handed_out_once_everybody_has_obeyed((site, snapshots) in history(WILD, 2)) {
        let mut ledger = at_their_fallbacks(&site);
        let mut now = at(10);
        for snapshot in snapshots.into_iter().map(reachable) {
            let allocation = Allocator::new().allocate(&site, &snapshot);
            for _ in 0..3 {
                for sent in ledger.plan(now, &site, &snapshot, &allocation) {
                    ledger.accepted(now, sent.charger, sent.limit);
                    ledger.drawn(now + SETTLE * 2, sent.charger, sent.limit);
                }
                now = now + SETTLE * 4;
            }
            for charger in site.charger_indexes() {
                let told = ledger.limit(charger).unwrap_or_default();
                prop_assert_eq!(told, allocation.grants[charger.0].limit, "{}", site.charger(charger).id);
            }
        }
    }
}

#[test]
fn a_delta_garage_gets_all_that_its_lines_carry_and_not_the_half_of_it() {
    let delta = dlb_engine::site::Circuit {
        supply: Supply::Delta(Millivolts(208_000)),
        ..circuit("grid", None, 50.0)
    };
    let pair = |id, from, to| charger(id, 0, Wiring::Between(from, to));
    let chargers = vec![pair("ab", Line::L1, Line::L2), pair("ca", Line::L3, Line::L1)];
    let site = Site::new(vec![delta], chargers).unwrap();
    let mut ledger = at_their_fallbacks(&site);
    let snapshot = everybody_wants(&site);
    let allocation = decide(&site, &snapshot);
    let sent: Vec<f64> =
        ledger.plan(at(1), &site, &snapshot, &allocation).iter().map(|sent| sent.limit.as_amps()).collect();
    // At 60° 29 A and 28 A make 49.4 A in the shared line; a plain sum would stop at 25 A each.
    assert_eq!(sent, [29.0, 28.0]);
}
