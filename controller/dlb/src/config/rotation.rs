//! How a charger's conductors hang on the site's lines: from the file's words to the engine's wiring.

use super::file::ChargerEntry;
use super::problem::Problems;
use super::section::short;
use dlb_engine::lines::{Line, Wiring};
use dlb_engine::site::Supply;

/// The wiring of an AC charger. Left out or `unknown`, every line that there is counts.
pub(super) fn check(path: &str, entry: &ChargerEntry, supply: Supply, problems: &mut Problems) -> Wiring {
    let text = entry.rotation.as_deref().unwrap_or("unknown");
    if text == "unknown" {
        return unknown(supply);
    }
    let key = format!("{path}.rotation");
    let Some(wiring) = parse(text) else {
        let what = format!("is \"{}\", which are no lines", short(text));
        problems.error(&key, what, format!("write {}", examples(supply)));
        return unknown(supply);
    };
    if !fits(wiring, supply) {
        let what = format!("is \"{text}\", which this supply does not have");
        problems.error(&key, what, format!("write {}", examples(supply)));
    }
    wiring
}

/// A DC charger loads all lines alike.
pub(super) const fn of_dc(supply: Supply) -> Wiring {
    match supply {
        Supply::Star(_) | Supply::Delta(_) => Wiring::Three(Line::L1, Line::L2, Line::L3),
        Supply::Split(_) => Wiring::Between(Line::L1, Line::L2),
        Supply::Single(_) => Wiring::One(Line::L1),
    }
}

/// Where there are fewer lines than three, not knowing still rules some out.
const fn unknown(supply: Supply) -> Wiring {
    match supply {
        Supply::Star(_) | Supply::Delta(_) => Wiring::Unknown,
        Supply::Split(_) => Wiring::Between(Line::L1, Line::L2),
        Supply::Single(_) => Wiring::One(Line::L1),
    }
}

fn parse(text: &str) -> Option<Wiring> {
    if let Some((one, other)) = text.split_once('-') {
        let (one, other): (Line, Line) = (one.parse().ok()?, other.parse().ok()?);
        return (one != other).then_some(Wiring::Between(one, other));
    }
    let pairs: Option<Vec<Line>> = text.as_bytes().chunks(2).map(line).collect();
    match pairs?.as_slice() {
        [a] => Some(Wiring::One(*a)),
        [a, b] if a != b => Some(Wiring::Two(*a, *b)),
        [a, b, c] if a != b && b != c && a != c => Some(Wiring::Three(*a, *b, *c)),
        _ => None,
    }
}

fn line(pair: &[u8]) -> Option<Line> {
    core::str::from_utf8(pair).ok()?.parse().ok()
}

fn fits(wiring: Wiring, supply: Supply) -> bool {
    let lines = super::supply::lines_of(supply);
    let there = wiring.lines().into_iter().flatten().all(|line| line.index() < lines);
    let neutral = !matches!(supply, Supply::Delta(_));
    there && (neutral || matches!(wiring, Wiring::Three(..) | Wiring::Between(..)))
}

const fn examples(supply: Supply) -> &'static str {
    match supply {
        Supply::Star(_) => "L1L2L3, L2L3L1 or another order of three, L1, L2 or L3, or unknown",
        Supply::Delta(_) => "L1L2L3 or another order of three, L1-L2, L2-L3 or L1-L3, or unknown",
        Supply::Split(_) => "L1-L2, L1 or L2, or unknown",
        Supply::Single(_) => "L1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_names_lines_in_the_chargers_own_order() {
        assert_eq!(parse("L2L3L1"), Some(Wiring::Three(Line::L2, Line::L3, Line::L1)));
        assert_eq!(parse("L3"), Some(Wiring::One(Line::L3)));
        assert_eq!(parse("L1L2"), Some(Wiring::Two(Line::L1, Line::L2)));
        assert_eq!(parse("L1-L2"), Some(Wiring::Between(Line::L1, Line::L2)));
        for wrong in ["", "L", "L4", "L1L1", "L1L2L3L1", "L1-", "L1-L1", "l1", "Lé", "L1L2L2"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_single_phase_charger_cannot_hang_on_a_delta_supply() {
        let delta = Supply::Delta(dlb_engine::units::Millivolts(230_000));
        assert!(!fits(Wiring::One(Line::L1), delta));
        assert!(fits(Wiring::Between(Line::L1, Line::L2), delta));
    }
}
