//! What our chargers may be drawing in the lines of a circuit, from what each of them may be drawing.
//!
//! Loads to neutral add up; those between two lines stand at angles to each other and to the former; a
//! transformer turns the ones into the others. The least is never more than what flows for sure, for it is
//! what is taken off a meter's reading before the rest counts as the load of others.
//!
//! What it refuses: phases that cancel each other out are not counted on, in either direction.

use crate::lines::{Line, PerLine, Wiring};
use crate::load::{PAIRS, Span, across};
use crate::site::{Charger, ChargerIx, Site, Supply, Transformer, VectorGroup};
use crate::units::Milliamps;

/// What chargers drive in one circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// To neutral, on each line.
    lines: PerLine<Span>,
    /// Between two lines, in the order of [`PAIRS`].
    pairs: [Span; 3],
}

impl Ours {
    /// What one charger drives in its own circuit, given what it may be drawing on each line.
    fn of(charger: &Charger, supply: Supply, spans: PerLine<Span>) -> Self {
        let mut ours = Self::default();
        match pair(charger.wiring, supply) {
            Some(pair) => ours.pairs[pair] = spans[PAIRS[pair].0],
            None => ours.lines = spans,
        }
        ours
    }

    /// The same on the primary side of a transformer.
    fn through(self, transformer: Transformer) -> Self {
        match transformer.group {
            VectorGroup::Yyn => {
                let turns = transformer.ratio;
                Self {
                    lines: self.lines.map(|span| divided(span, turns)),
                    pairs: self.pairs.map(|span| divided(span, turns)),
                }
            }
            VectorGroup::Dyn => self.through_dyn(transformer.ratio * 3f64.sqrt()),
        }
    }

    /// The winding of line `a` lies between the primary lines A and B. A load between `a` and `b` loads two
    /// windings: once the outer lines, twice the one that they share; nothing of that is sure, since another
    /// such load may stand against it.
    fn through_dyn(self, turns: f64) -> Self {
        let mut lines = PerLine::all(Span::default());
        for (pair, span) in self.pairs.into_iter().enumerate() {
            let span = Span { least: Milliamps::ZERO, ..divided(span, turns) };
            let shared = (pair + 1) % 3;
            for line in Line::ALL {
                lines[line] = lines[line] + span;
                if line.index() == shared {
                    lines[line] = lines[line] + span;
                }
            }
        }
        Self { lines, pairs: self.lines.0.map(|span| divided(span, turns)) }
    }

    fn currents(self) -> PerLine<Span> {
        self.lines.zip_with(across(self.pairs), |lines, pairs| Span {
            least: at_thirty_degrees(lines.least, pairs.least),
            most: lines.most + pairs.most,
            rising: lines.rising + pairs.rising,
        })
    }
}

impl core::ops::Add for Ours {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let pairs = core::array::from_fn(|at| self.pairs[at] + other.pairs[at]);
        Self { lines: self.lines.zip_with(other.lines, |a, b| a + b), pairs }
    }
}

/// The currents of all chargers in each circuit, those below included. `spans`: what each charger may be
/// drawing on the lines of its own circuit.
#[must_use]
pub fn in_circuits(site: &Site, spans: &[PerLine<Span>]) -> Vec<PerLine<Span>> {
    let mut ours = vec![Ours::default(); site.circuits().len()];
    for (charger, &spans) in site.chargers().iter().zip(spans) {
        let at = charger.circuit;
        ours[at.0] = ours[at.0] + Ours::of(charger, site.circuit(at).supply, spans);
    }
    for (ix, circuit) in site.circuits().iter().enumerate().rev() {
        if let Some(parent) = circuit.parent {
            let here = ours[ix];
            ours[parent.0] = ours[parent.0] + circuit.transformer.map_or(here, |way| here.through(way));
        }
    }
    ours.into_iter().map(Ours::currents).collect()
}

/// The most that those chargers which hang between two of three lines drive in each circuit, those below included.
/// `most`: what each charger may draw.
#[must_use]
pub fn between_lines(site: &Site, most: impl Fn(ChargerIx) -> Milliamps) -> Vec<PerLine<Milliamps>> {
    let spans: Vec<PerLine<Span>> = (site.charger_indexes())
        .map(|ix| {
            let charger = site.charger(ix);
            let between = pair(charger.wiring, site.circuit(charger.circuit).supply).is_some();
            let span = if between { Span::exactly(most(ix)) } else { Span::default() };
            charger.wiring.loads(None).map(|loads| if loads { span } else { Span::default() })
        })
        .collect();
    in_circuits(site, &spans).into_iter().map(|lines| lines.map(|span| span.most)).collect()
}

/// Circuits in which currents of chargers meet at an angle: some hang between two of three lines, others do not, or
/// between two others.
#[must_use]
pub fn at_angles(site: &Site) -> Vec<bool> {
    let mut ways = vec![0_u8; site.circuits().len()];
    for charger in site.chargers() {
        let pair = pair(charger.wiring, site.circuit(charger.circuit).supply);
        ways[charger.circuit.0] |= pair.map_or(8, |pair| 1 << pair);
    }
    for (ix, circuit) in site.circuits().iter().enumerate().rev() {
        if let Some(parent) = circuit.parent {
            ways[parent.0] |= ways[ix];
        }
    }
    ways.into_iter().map(|ways| ways.count_ones() > 1).collect()
}

/// The pair of lines that a charger hangs between, where their voltages stand at 120°.
fn pair(wiring: Wiring, supply: Supply) -> Option<usize> {
    let Wiring::Between(a, b) = wiring else { return None };
    let three = matches!(supply, Supply::Star(_) | Supply::Delta(_));
    PAIRS.iter().position(|&pair| three && (pair == (a, b) || pair == (b, a)))
}

fn divided(span: Span, turns: f64) -> Span {
    let each = |current: Milliamps| Milliamps((f64::from(current.0) / turns).round() as i32);
    Span { least: each(span.least), most: each(span.most), rising: each(span.rising) }
}

/// A load to neutral and one between lines that share a line.
fn at_thirty_degrees(one: Milliamps, other: Milliamps) -> Milliamps {
    if one == Milliamps::ZERO || other == Milliamps::ZERO {
        return one + other;
    }
    let (a, b) = (f64::from(one.0), f64::from(other.0));
    Milliamps((a * a + b * b + 3f64.sqrt() * a * b).max(0.0).sqrt() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Circuit, CircuitIx};
    use crate::units::Millivolts;

    fn amps(amps: i32) -> Milliamps {
        Milliamps::from_amps(amps)
    }

    fn circuit(id: &str, parent: Option<usize>, supply: Supply) -> Circuit {
        Circuit { parent: parent.map(CircuitIx), ..Circuit::new(id, PerLine::all(amps(100)), supply) }
    }

    fn charger(id: &str, circuit: usize, wiring: Wiring) -> Charger {
        Charger {
            id: id.into(),
            circuit: CircuitIx(circuit),
            wiring,
            min: amps(6),
            max: amps(32),
            step: amps(1),
            fallback: Milliamps::ZERO,
            priority: 0,
            weight: 1.0,
        }
    }

    fn draws(wiring: Wiring, amps: i32) -> PerLine<Span> {
        let span = Span::exactly(Milliamps::from_amps(amps));
        wiring.loads(None).map(|loads| if loads { span } else { Span::default() })
    }

    const STAR: Supply = Supply::Star(Millivolts(120_000));
    const THREE: Wiring = Wiring::Three(Line::L1, Line::L2, Line::L3);

    #[test]
    fn two_chargers_between_lines_of_a_star_share_a_line_at_an_angle() {
        let wirings = [Wiring::Between(Line::L1, Line::L2), Wiring::Between(Line::L3, Line::L1)];
        let chargers = vec![charger("ab", 0, wirings[0]), charger("ca", 0, wirings[1])];
        let site = Site::new(vec![circuit("grid", None, STAR)], chargers).unwrap();
        let ours = in_circuits(&site, &wirings.map(|wiring| draws(wiring, 16)));
        assert_eq!(
            ours[0][Line::L1],
            Span::exactly(Milliamps(27_713)),
            "16 A times the square root of three"
        );
        assert_eq!(ours[0][Line::L2], Span::exactly(amps(16)));
    }

    #[test]
    fn currents_meet_at_an_angle_where_two_pairs_of_lines_are_in_use_and_above() {
        let wirings = [(1, Wiring::Between(Line::L1, Line::L2)), (2, Wiring::Between(Line::L3, Line::L1))];
        let chargers = wirings.map(|(circuit, wiring)| charger(&format!("c{circuit}"), circuit, wiring));
        let circuits =
            vec![circuit("grid", None, STAR), circuit("a", Some(0), STAR), circuit("b", Some(0), STAR)];
        let site = Site::new(circuits, chargers.to_vec()).unwrap();
        assert_eq!(at_angles(&site), [true, false, false]);
        assert_eq!(between_lines(&site, |_| amps(16))[0].0, [Milliamps(27_713), amps(16), amps(16)]);
    }

    #[test]
    fn a_charger_to_neutral_beside_one_between_lines_is_not_taken_off_a_meter_twice() {
        let wirings = [Wiring::One(Line::L1), Wiring::Between(Line::L1, Line::L2)];
        let chargers = vec![charger("one", 0, wirings[0]), charger("two", 0, wirings[1])];
        let site = Site::new(vec![circuit("grid", None, STAR)], chargers).unwrap();
        let shared = in_circuits(&site, &wirings.map(|wiring| draws(wiring, 16)))[0][Line::L1];
        assert_eq!(shared.most, amps(32));
        // 16 A and 16 A at 30°: 2 · 16 · cos 15°.
        assert!((shared.least.as_amps() - 30.91).abs() < 0.01, "{shared:?}");
    }

    #[test]
    fn three_phases_behind_a_transformer_are_the_same_power_on_its_primary_side() {
        let mut garage = circuit("garage", Some(0), STAR);
        garage.transformer = Some(Transformer { group: VectorGroup::Dyn, ratio: 4.0 / 3f64.sqrt() });
        let grid = circuit("grid", None, Supply::Delta(Millivolts(480_000)));
        let site = Site::new(vec![grid, garage], vec![charger("three", 1, THREE)]).unwrap();
        let primary = in_circuits(&site, &[draws(THREE, 32)])[0];
        // 32 A at 208 V are 13.86 A at 480 V.
        for line in Line::ALL {
            assert!((primary[line].least.as_amps() - 13.856).abs() < 0.002, "{primary:?}");
        }
    }

    #[test]
    fn a_pair_behind_a_transformer_may_load_its_shared_line_twice_and_is_counted_on_nowhere() {
        let mut garage = circuit("garage", Some(0), STAR);
        garage.transformer = Some(Transformer { group: VectorGroup::Dyn, ratio: 4.0 / 3f64.sqrt() });
        let grid = circuit("grid", None, Supply::Delta(Millivolts(480_000)));
        let wiring = Wiring::Between(Line::L1, Line::L2);
        let site = Site::new(vec![grid, garage], vec![charger("ab", 1, wiring)]).unwrap();
        let primary = in_circuits(&site, &[draws(wiring, 24)])[0];
        assert_eq!(primary.map(|span| span.most), PerLine([6, 12, 6].map(amps)));
        assert_eq!(primary.map(|span| span.least), PerLine::all(Milliamps::ZERO));
    }
}
