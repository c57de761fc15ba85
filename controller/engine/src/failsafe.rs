//! What the chargers fall back to when they hear nothing, against what every circuit can carry.
//!
//! Whatever happens to the box, a switch or a cable, all fallbacks together with the load assumed of
//! others must fit every line and every power limit of every circuit. [`settle`] chooses fallbacks that
//! do, [`check`] says which charger's fallback must change where they do not. Neither knows a meter or a
//! charger's actual state: the car may use any phase that the charger has.

use crate::allocate::network::{Bound, Network, RowIx};
use crate::lines::{Line, PerLine};
use crate::site::{ChargerIx, CircuitIx, Site};
use crate::snapshot::CircuitState;
use crate::units::Milliamps;

/// A limit that the fallbacks would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub circuit: CircuitIx,
    pub limit: Broken,
    /// By how much; for the power limit in amperes of the circuit's voltage.
    pub beyond: Milliamps,
    /// What mends it, beside the changes of the findings before this one.
    pub remedies: Vec<Remedy>,
    /// Even with all fallbacks at zero the assumed load is too much: it is for the installer to state
    /// a smaller one or to give the circuit a larger limit.
    pub load_alone: bool,
}

/// Which of a circuit's limits it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    Line(Line),
    Power,
    Neutral,
    /// How far this line may be above the others.
    Unbalance(Line),
}

/// A charger whose fallback must change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    pub charger: ChargerIx,
    /// The largest fallback that fits: zero, or at least the charger's minimum.
    pub fallback: Milliamps,
}

/// The fallback of each charger. Who is named in `automatic` gets its minimum while that fits, in the
/// order of priority and then of the list, and pauses otherwise; the others keep what they have.
///
/// `assumed`: for each circuit what others may draw there, circuits below included.
///
/// # Panics
/// If the lists do not belong to the site.
#[must_use]
pub fn settle(site: &Site, automatic: &[bool], assumed: &[PerLine<Milliamps>]) -> Vec<Milliamps> {
    let mut network = network(site, assumed);
    let mut fallbacks: Vec<Milliamps> = site.chargers().iter().map(|charger| charger.fallback).collect();
    let (mut choices, fixed): (Vec<usize>, Vec<usize>) = (0..fallbacks.len()).partition(|&ix| automatic[ix]);
    for ix in fixed {
        network.add(ix, i64::from(fallbacks[ix].0));
    }
    choices.sort_by_key(|&ix| site.chargers()[ix].priority);
    for ix in choices {
        let min = site.chargers()[ix].min;
        let fits = network.room(ix, |flow| flow.fixed).0 >= i64::from(min.0);
        fallbacks[ix] = if fits { min } else { Milliamps::ZERO };
        network.add(ix, i64::from(fallbacks[ix].0));
    }
    fallbacks
}

/// Every limit that the site's fallbacks would break, from the root down. Nothing found: silence is safe.
///
/// `assumed`: for each circuit what others may draw there, circuits below included.
///
/// # Panics
/// If the list does not belong to the site.
#[must_use]
pub fn check(site: &Site, assumed: &[PerLine<Milliamps>]) -> Vec<Finding> {
    let mut network = network(site, assumed);
    let mut fallbacks: Vec<Milliamps> = site.chargers().iter().map(|charger| charger.fallback).collect();
    for (ix, fallback) in fallbacks.iter().enumerate() {
        network.add(ix, i64::from(fallback.0));
    }
    let beyond: Vec<Milliamps> = (0..network.rows.len()).map(|row| network.beyond(row)).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for (row, beyond) in beyond.into_iter().enumerate().filter(|(_, beyond)| *beyond > Milliamps::ZERO) {
        let (circuit, limit) = (network.rows[row].circuit, network.rows[row].bound.into());
        let remedies = mend(site, &mut network, &mut fallbacks, row);
        let load_alone = network.beyond(row) > Milliamps::ZERO;
        // A limit behind a transformer has several rows.
        match findings.iter_mut().find(|known| (known.circuit, known.limit) == (circuit, limit)) {
            Some(known) => {
                known.beyond = known.beyond.max(beyond);
                known.remedies.extend(remedies);
                known.load_alone |= load_alone;
            }
            None => findings.push(Finding { circuit, limit, beyond, remedies, load_alone }),
        }
    }
    findings
}

impl From<Bound> for Broken {
    fn from(bound: Bound) -> Self {
        match bound {
            Bound::Line(line) => Self::Line(line),
            Bound::Power => Self::Power,
            Bound::Neutral => Self::Neutral,
            Bound::Unbalance(line) => Self::Unbalance(line),
        }
    }
}

/// Lowers fallbacks until the row fits: who is served last gives first.
fn mend(site: &Site, network: &mut Network, fallbacks: &mut [Milliamps], row: RowIx) -> Vec<Remedy> {
    let mut order: Vec<usize> = (0..fallbacks.len())
        .filter(|&ix| fallbacks[ix] > Milliamps::ZERO && network.touches(ix, row))
        .collect();
    order.sort_by_key(|&ix| core::cmp::Reverse((site.chargers()[ix].priority, ix)));
    let mut remedies = Vec::new();
    for ix in order {
        if network.beyond(row) == Milliamps::ZERO {
            break;
        }
        let charger = &site.chargers()[ix];
        network.add(ix, -i64::from(fallbacks[ix].0));
        let room = network.room(ix, |flow| flow.fixed).0.clamp(0, i64::from(fallbacks[ix].0));
        let fits = Milliamps(room as i32).round_down_to(charger.step);
        fallbacks[ix] = if fits >= charger.min { fits } else { Milliamps::ZERO };
        network.add(ix, i64::from(fallbacks[ix].0));
        remedies.push(Remedy { charger: ChargerIx(ix), fallback: fallbacks[ix] });
    }
    remedies
}

fn network(site: &Site, assumed: &[PerLine<Milliamps>]) -> Network {
    assert_eq!(assumed.len(), site.circuits().len(), "one assumed load for each circuit");
    let state = |(circuit, &other_load): (&crate::site::Circuit, &PerLine<Milliamps>)| CircuitState {
        limit: circuit.limit,
        limit_power: circuit.limit_power,
        other_load,
    };
    let states: Vec<CircuitState> = site.circuits().iter().zip(assumed).map(state).collect();
    Network::new(site, &states, |_| None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Wiring;
    use crate::site::{Charger, Circuit, Supply};
    use crate::units::{Millivolts, Watts};

    fn amps(amps: i32) -> Milliamps {
        Milliamps::from_amps(amps)
    }

    fn circuit(id: &str, parent: Option<usize>, limit: i32) -> Circuit {
        let supply = Supply::Star(Millivolts(230_000));
        Circuit { parent: parent.map(CircuitIx), ..Circuit::new(id, PerLine::all(amps(limit)), supply) }
    }

    fn charger(id: &str, circuit: usize, priority: u8, fallback: i32) -> Charger {
        Charger {
            id: id.into(),
            circuit: CircuitIx(circuit),
            wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
            min: amps(6),
            max: amps(32),
            step: amps(1),
            fallback: amps(fallback),
            priority,
            weight: 1.0,
        }
    }

    fn garage(chargers: Vec<Charger>) -> Site {
        Site::new(vec![circuit("grid", None, 63), circuit("garage", Some(0), 20)], chargers).unwrap()
    }

    const QUIET: [PerLine<Milliamps>; 2] = [PerLine([Milliamps::ZERO; 3]); 2];

    #[test]
    fn automatic_fallbacks_go_to_the_first_class_first_and_stop_at_the_sub_board() {
        let class = [1, 1, 0, 1, 0];
        let chargers = class.iter().enumerate().map(|(ix, &class)| charger(&format!("c{ix}"), 1, class, 0));
        let site = garage(chargers.collect());
        let fallbacks = settle(&site, &[true; 5], &QUIET);
        assert_eq!(fallbacks, [6, 0, 6, 0, 6].map(amps));
    }

    #[test]
    fn a_fallback_that_somebody_chose_is_kept_and_counted() {
        let site = garage(vec![charger("a", 1, 0, 0), charger("b", 1, 5, 16)]);
        assert_eq!(settle(&site, &[true, false], &QUIET), [0, 16].map(amps));
    }

    #[test]
    fn the_load_assumed_of_others_is_left_free() {
        let site = garage((0..4).map(|ix| charger(&format!("c{ix}"), 0, 0, 0)).collect());
        let assumed = [PerLine([30, 50, 45].map(amps)), QUIET[1]];
        assert_eq!(settle(&site, &[true; 4], &assumed), [6, 6, 0, 0].map(amps));
    }

    #[test]
    fn fallbacks_that_fit_are_not_worth_a_word() {
        let site = garage(vec![charger("a", 1, 0, 10), charger("b", 1, 0, 10), charger("c", 0, 0, 32)]);
        assert_eq!(check(&site, &QUIET), []);
    }

    #[test]
    fn the_charger_that_is_served_last_must_fall_back_lower() {
        let site = garage(vec![charger("a", 1, 1, 10), charger("b", 1, 0, 12)]);
        let findings = check(&site, &QUIET);
        let first = &findings[0];
        assert_eq!(
            (first.circuit, first.limit, first.beyond),
            (CircuitIx(1), Broken::Line(Line::L1), amps(2))
        );
        assert_eq!(first.remedies, [Remedy { charger: ChargerIx(0), fallback: amps(8) }]);
        // L2 and L3 are too full as well, and mended by the same change.
        assert_eq!(findings.iter().map(|finding| finding.remedies.len()).collect::<Vec<_>>(), [1, 0, 0]);
        assert!(findings.iter().all(|finding| !finding.load_alone));
    }

    #[test]
    fn a_remedy_is_never_below_the_minimum_of_the_charger() {
        let site = garage(vec![charger("a", 1, 0, 16), charger("b", 1, 0, 16)]);
        let remedies = &check(&site, &QUIET)[0].remedies;
        assert_eq!(remedies[..], [Remedy { charger: ChargerIx(1), fallback: Milliamps::ZERO }]);
    }

    #[test]
    fn an_assumed_load_beyond_the_limit_is_named_as_the_culprit() {
        let site = garage(vec![charger("a", 0, 0, 6)]);
        let assumed = [PerLine([70, 0, 0].map(amps)), QUIET[1]];
        let findings = check(&site, &assumed);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].load_alone);
        assert_eq!(findings[0].remedies[0].fallback, Milliamps::ZERO);
    }

    #[test]
    fn a_power_limit_counts_for_fallbacks_too() {
        let mut grid = circuit("grid", None, 63);
        grid.limit_power = Some(Watts(11_000));
        let site = Site::new(vec![grid], vec![charger("a", 0, 0, 10), charger("b", 0, 0, 10)]).unwrap();
        let findings = check(&site, &QUIET[..1]);
        assert_eq!((findings.len(), findings[0].limit), (1, Broken::Power));
        assert_eq!(findings[0].remedies, [Remedy { charger: ChargerIx(1), fallback: Milliamps::ZERO }]);
    }
}
