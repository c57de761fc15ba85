//! Stories of supplies: delta, split-phase, transformers, neutral and unbalance.

use crate::town::*;
use dlb_engine::allocation::Reason;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Balance, CircuitIx, Site, Supply, Transformer, VectorGroup};
use dlb_engine::units::{Milliamps, Millivolts};

const GRID: CircuitIx = CircuitIx(0);

#[test]
fn two_line_to_line_chargers_that_share_a_line_draw_root_three_there() {
    let grid = dlb_engine::site::Circuit {
        supply: Supply::Delta(Millivolts(208_000)),
        ..circuit("grid", None, 50.0)
    };
    let mut chargers = vec![
        charger("ab", 0, Wiring::Between(Line::L1, Line::L2)),
        charger("ca", 0, Wiring::Between(Line::L3, Line::L1)),
    ];
    chargers.iter_mut().for_each(|charger| charger.step = Milliamps(1));
    let site = Site::new(vec![grid], chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    // 50 A / 1.732, where a plain sum would have stopped at 25 A.
    assert!(given(&allocation).iter().all(|amps| (amps - 28.867).abs() < 0.002), "{allocation:?}");
    assert_eq!(allocation.grants[0].reason, Reason::LineFull { circuit: GRID, line: Line::L1 });
    assert_eq!(allocation.used[0][Line::L2], allocation.grants[0].limit);
}

#[test]
fn a_dryer_between_both_lines_of_a_split_supply_adds_to_each() {
    let grid = dlb_engine::site::Circuit {
        supply: Supply::Split(Millivolts(120_000)),
        ..circuit("grid", None, 40.0)
    };
    let chargers = vec![
        charger("both", 0, Wiring::Between(Line::L1, Line::L2)),
        charger("one", 0, Wiring::One(Line::L1)),
    ];
    let site = Site::new(vec![grid], chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [20.0, 20.0]);
    assert_eq!(allocation.used, [PerLine([40.0, 20.0, 0.0].map(amps))]);
}

/// A 480 V delta that feeds a 208 V star through a transformer of 4 turns to 1.
fn behind_a_transformer(chargers: Vec<dlb_engine::site::Charger>, primary: f64) -> Site {
    let grid = dlb_engine::site::Circuit {
        supply: Supply::Delta(Millivolts(480_000)),
        ..circuit("primary", None, primary)
    };
    let garage = dlb_engine::site::Circuit {
        supply: Supply::Star(Millivolts(120_000)),
        transformer: Some(Transformer { group: VectorGroup::Dyn, ratio: 4.0 / 3f64.sqrt() }),
        ..circuit("garage", Some(0), 1000.0)
    };
    Site::new(vec![grid, garage], chargers).expect("the site is sound")
}

#[test]
fn a_pair_behind_a_transformer_loads_one_primary_line_twice() {
    let chargers = vec![charger("ab", 1, Wiring::Between(Line::L1, Line::L2))];
    let site = behind_a_transformer(chargers, 12.0);
    let allocation = decide(&site, &everybody_wants(&site));
    // Primary currents are a quarter, two quarters and a quarter of it.
    assert_eq!(given(&allocation), [24.0]);
    assert_eq!(allocation.used[0], PerLine([6.0, 12.0, 6.0].map(amps)));
    assert_eq!(allocation.grants[0].reason, Reason::LineFull { circuit: GRID, line: Line::L2 });
}

#[test]
fn cars_that_even_each_other_out_behind_a_transformer_are_not_counted_on() {
    let pair = |id, from, to| charger(id, 1, Wiring::Between(from, to));
    let chargers = vec![pair("ab", Line::L1, Line::L2), pair("bc", Line::L2, Line::L3)];
    let site = behind_a_transformer(chargers, 1000.0);
    let allocation = decide(&site, &everybody_wants(&site));
    // Both together put 8 A on the first primary line, and so does each alone.
    assert_eq!(given(&allocation), [32.0, 32.0]);
    assert_eq!(allocation.used[0][Line::L1], amps(8.0));
    // On the second one they add up, 60° apart in size two and one: by the cosine rule.
    let second: f64 = 8.0 * (4.0_f64 + 1.0 + 2.0).sqrt();
    assert!((allocation.used[0][Line::L2].as_amps() - second).abs() < 0.01, "{allocation:?}");
}

#[test]
fn a_balanced_load_of_a_transformer_is_the_same_power_on_both_sides() {
    let chargers = vec![charger("three", 1, THREE)];
    let site = behind_a_transformer(chargers, 1000.0);
    let allocation = decide(&site, &everybody_wants(&site));
    // 32 A at 208 V are 13.87 A at 480 V.
    assert!((allocation.used[0][Line::L1].as_amps() - 32.0 * 3f64.sqrt() / 4.0).abs() < 0.01);
    let other = Transformer { group: VectorGroup::Dyn, ratio: 2.0 }.primary(PerLine::all(amps(20.0)));
    assert_eq!(other, PerLine::all(amps(10.0)));
}

#[test]
fn one_phase_cars_may_lift_a_line_by_no_more_than_the_grid_rules_allow() {
    let mut grid = circuit("grid", None, 63.0);
    grid.balance = Balance { neutral: None, unbalance: Some(amps(20.0)) };
    let chargers = vec![
        charger("a", 0, Wiring::One(Line::L1)),
        charger("b", 0, Wiring::One(Line::L1)),
        charger("c", 0, THREE),
    ];
    let site = Site::new(vec![grid], chargers).unwrap();
    let mut snapshot = everybody_wants(&site);
    snapshot.circuits[0].other_load = PerLine([4.0, 0.0, 2.0].map(amps));
    let allocation = decide(&site, &snapshot);
    assert_eq!(given(&allocation), [8.0, 8.0, 32.0]);
    assert_eq!(allocation.grants[0].reason, Reason::Unbalanced { circuit: GRID, line: Line::L1 });
}

#[test]
fn cars_on_different_lines_each_have_the_neutral_and_no_more() {
    let mut grid = circuit("grid", None, 63.0);
    grid.balance = Balance { neutral: Some(amps(16.0)), unbalance: None };
    let lines = [Line::L1, Line::L2, Line::L2];
    let chargers: Vec<_> = lines
        .into_iter()
        .enumerate()
        .map(|(ix, line)| charger(&format!("c{ix}"), 0, Wiring::One(line)))
        .collect();
    let site = Site::new(vec![grid], chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [16.0, 8.0, 8.0]);
    assert_eq!(allocation.grants[0].reason, Reason::NeutralFull { circuit: GRID });
}
