//! Checks how dlb is to behave, and what happens to chargers that nobody has configured.

use super::circuits::Tree;
use super::defaults::{DRAWN_VALID_FOR, LIMIT_LIFETIME, METER_VALUES_EVERY, RAISE_AFTER, Range};
use super::file::{AdoptionPart, AdoptionWord, PolicyPart, StrategyWord};
use super::problem::Problems;
use dlb_engine::site::CircuitIx;
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::Duration;
use dlb_wiring::settings::{Adoption, Policy};

pub(super) fn policy(part: &PolicyPart, problems: &mut Problems) -> Policy {
    let default = Policy::default();
    let mut span = |name: &str, value: Option<f64>, range: &Range, default: Duration| match value {
        Some(value) if problems.check_range(&format!("policy.{name}"), value, range) => {
            Duration::try_from_secs_f64(value).unwrap_or(default)
        }
        _ => default,
    };
    let policy = Policy {
        strategy: strategy(part.strategy.unwrap_or_default()),
        raise_after: span("raise_after_s", part.raise_after_s, &RAISE_AFTER, default.raise_after),
        limit_lifetime: span(
            "limit_lifetime_s",
            part.limit_lifetime_s,
            &LIMIT_LIFETIME,
            default.limit_lifetime,
        ),
        meter_values_every: span(
            "meter_values_every_s",
            part.meter_values_every_s,
            &METER_VALUES_EVERY,
            default.meter_values_every,
        ),
        drawn_valid_for: span(
            "drawn_valid_for_s",
            part.drawn_valid_for_s,
            &DRAWN_VALID_FOR,
            default.drawn_valid_for,
        ),
    };
    if policy.drawn_valid_for < policy.meter_values_every * 2 {
        let what = "is less than two measurements of meter_values_every_s";
        problems.error("policy.drawn_valid_for_s", what, "allow at least twice meter_values_every_s");
    }
    policy
}

pub(super) fn adoption(part: &AdoptionPart, tree: &Tree, problems: &mut Problems) -> Adoption {
    let circuit = part.circuit.as_deref().map(|id| tree.look_up("adoption.circuit", id, problems));
    match (part.rule.unwrap_or_default(), circuit) {
        (AdoptionWord::Ask, _) => Adoption::Ask,
        (AdoptionWord::Automatic, Some(circuit)) => {
            Adoption::Automatic { circuit: circuit.unwrap_or(CircuitIx(0)) }
        }
        (AdoptionWord::Automatic, None) => {
            if tree.circuits.len() > 1 && !problems.refused("adoption.circuit") {
                let remedy = "name the circuit that new chargers join";
                problems.error("adoption.circuit", "is missing: there are several circuits", remedy);
            }
            Adoption::Automatic { circuit: CircuitIx(0) }
        }
    }
}

const fn strategy(word: StrategyWord) -> Strategy {
    match word {
        StrategyWord::Equal => Strategy::Equal,
        StrategyWord::FirstCome => Strategy::FirstCome,
        StrategyWord::Priority => Strategy::Priority,
        StrategyWord::Departure => Strategy::Departure,
    }
}
