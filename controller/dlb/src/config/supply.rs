//! Checks what feeds a circuit: its supply system, a transformer in front of it, limits between its lines.

use super::defaults::{BALANCE_A, STAR_VOLTS, TRANSFORMER_RATIO, VOLTS};
use super::file::{CircuitEntry, GroupWord, SupplyPart, SystemWord};
use super::problem::Problems;
use dlb_engine::site::{Balance, Circuit, Supply, Transformer, VectorGroup};
use dlb_engine::units::{Milliamps, Millivolts};

/// The voltages on the two sides of a transformer may differ by this from its ratio: taps, and nominal
/// voltages that are not quite what is printed on it.
const TAPS: f64 = 0.1;

/// `above`: what the parent has, and what stands in between.
pub(super) fn supply(
    key: &str,
    own: Option<&SupplyPart>,
    above: Option<(Supply, Option<Transformer>)>,
    problems: &mut Problems,
) -> Supply {
    let inherited = above.map(|(supply, between)| between.map_or(supply, |way| way.secondary(supply)));
    let Some(own) = own else {
        return inherited.unwrap_or(Supply::Star(Millivolts::from_volts_f64(STAR_VOLTS)));
    };
    if !problems.refused(&format!("{key}.volts")) {
        problems.check_range(&format!("{key}.volts"), own.volts, &VOLTS);
    }
    let volts = Millivolts::from_volts_f64(own.volts);
    let supply = match own.system {
        SystemWord::Star => Supply::Star(volts),
        SystemWord::Delta => Supply::Delta(volts),
        SystemWord::Split => Supply::Split(volts),
        SystemWord::Single => Supply::Single(volts),
    };
    match above {
        Some((_, Some(_))) => check_secondary(key, supply, inherited, problems),
        Some((above, None)) if above != supply => problems.error(
            key,
            "differs from the supply of its parent",
            "leave it out; behind a transformer add transformer = { group = \"Dyn\", ratio = 2.309 }; for a \
             single-phase board give limit_a for each line, like [0, 32, 0]",
        ),
        _ => {}
    }
    supply
}

fn check_secondary(key: &str, own: Supply, expected: Option<Supply>, problems: &mut Problems) {
    if matches!(own, Supply::Split(_) | Supply::Single(_)) {
        let what = "has two or one lines, a three-phase transformer feeds a star or a delta";
        return problems.error(key, what, "write system = \"star\" or \"delta\"");
    }
    let volts = |supply: Supply| supply.volts_line_to_neutral().as_volts();
    let Some(expected) = expected else { return };
    if (volts(own) / volts(expected) - 1.0).abs() > TAPS {
        let what = format!(
            "is {:.0} V to neutral, the transformer makes {:.0} V of its parent's voltage",
            volts(own),
            volts(expected)
        );
        problems.error(key, what, "correct volts, or the ratio of the transformer");
    }
}

pub(super) fn transformer(
    key: &str,
    entry: &CircuitEntry,
    parent: Option<&Circuit>,
    problems: &mut Problems,
) -> Option<Transformer> {
    let part = entry.transformer.as_ref()?;
    let Some(parent) = parent else {
        let what = "stands at the grid connection";
        let remedy = "write it at the circuit on its secondary side, under one on its primary side";
        problems.error(key, what, remedy);
        return None;
    };
    if matches!(parent.supply, Supply::Split(_) | Supply::Single(_)) {
        let what = format!("is a three-phase one, {} has not three lines", parent.id);
        problems.error(key, what, "leave it out, or correct the supply of the parent");
    }
    let ratio = format!("{key}.ratio");
    if problems.refused(&ratio) || !problems.check_range(&ratio, part.ratio, &TRANSFORMER_RATIO) {
        return None;
    }
    let group = match part.group {
        GroupWord::Dyn => VectorGroup::Dyn,
        GroupWord::Yyn => VectorGroup::Yyn,
    };
    Some(Transformer { group, ratio: part.ratio })
}

pub(super) fn balance(at: usize, entry: &CircuitEntry, supply: Supply, problems: &mut Problems) -> Balance {
    let mut amps = |name: &str, limit: Option<f64>, missing: Option<&str>| {
        let key = format!("circuit[{at}].{name}");
        let limit = limit.filter(|limit| problems.check_range(&key, *limit, &BALANCE_A))?;
        if let Some(missing) = missing {
            problems.error(&key, format!("is set, and this supply has no {missing}"), "leave it out");
        }
        Some(Milliamps::from_amps_f64(limit))
    };
    let no_neutral = matches!(supply, Supply::Delta(_)).then_some("neutral");
    let no_second = matches!(supply, Supply::Single(_)).then_some("second line");
    Balance {
        neutral: amps("limit_neutral_a", entry.limit_neutral_a, no_neutral),
        unbalance: amps("limit_unbalance_a", entry.limit_unbalance_a, no_second),
    }
}

/// Which lines there are: the engine has room for three, a supply may use fewer.
pub(super) const fn lines_of(supply: Supply) -> usize {
    match supply {
        Supply::Star(_) | Supply::Delta(_) => 3,
        Supply::Split(_) => 2,
        Supply::Single(_) => 1,
    }
}
