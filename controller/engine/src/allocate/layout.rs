//! Lays the rows and flows of a network over a site, from the leaves up.

use super::network::{Angles, Bound, Course, Flow, FlowIx, Network, Row, Taps, Term};
use super::phasor::{Phasor, currents, line_angles, through, worst_sets};
use crate::lines::{Line, PerLine};
use crate::site::{Circuit, CircuitIx, Site};
use crate::snapshot::CircuitState;
use crate::units::Milliamps;

impl Network {
    pub(super) fn lay_flows(
        &mut self,
        site: &Site,
        circuits: &[CircuitState],
        phases: impl Fn(usize) -> Option<u8>,
    ) {
        let mut flows_of = vec![Vec::new(); site.circuits().len()];
        let balanced = |circuit: &Circuit| circuit.balance.neutral.or(circuit.balance.unbalance).is_some();
        let tells_apart = site.circuits().iter().any(balanced);
        for (ix, charger) in site.chargers().iter().enumerate() {
            let circuit = charger.circuit.0;
            let supply = site.circuits()[circuit].supply;
            let mut taps = Taps::default();
            let even = tells_apart && charger.wiring.even(phases(ix));
            for (lines, volts) in currents(charger.wiring, phases(ix), supply).into_iter().flatten() {
                taps.push(self.flow(&mut flows_of[circuit], Course { circuit, lines, volts, even }));
            }
            self.taps.push(taps);
        }
        for circuit in (0..flows_of.len()).rev() {
            if let Some(parent) = self.parents[circuit] {
                let transformer = site.circuits()[circuit].transformer;
                for ix in core::mem::take(&mut flows_of[circuit]) {
                    let lines = self.courses[ix].lines;
                    let lines = transformer.map_or(lines, |transformer| through(transformer, lines));
                    let course = Course { circuit: parent, lines, ..self.courses[ix] };
                    self.flows[ix].parent = Some(self.flow(&mut flows_of[parent], course) as u32);
                    flows_of[circuit].push(ix);
                }
            }
        }
        for (ix, flows) in flows_of.iter().enumerate() {
            let first = self.rows.len();
            self.lay_rows(site, CircuitIx(ix), &circuits[ix], flows);
            self.rows_of.push(first..self.rows.len());
        }
    }

    /// The flow of the circuit that takes this course; a new one if there is none.
    fn flow(&mut self, known: &mut Vec<FlowIx>, course: Course) -> FlowIx {
        if let Some(ix) = known.iter().find(|&&ix| self.courses[ix] == course) {
            return *ix;
        }
        self.flows.push(Flow::default());
        self.courses.push(course);
        known.push(self.flows.len() - 1);
        self.flows.len() - 1
    }

    fn lay_rows(&mut self, site: &Site, ix: CircuitIx, state: &CircuitState, flows: &[FlowIx]) {
        let circuit = site.circuit(ix);
        for line in Line::ALL {
            let limit = circuit.limit[line].min(state.limit[line]);
            let left = f64::from(limit.0) - f64::from(state.other_load[line].0);
            self.lay_row(ix, Bound::Line(line), left, flows, |course| course.lines[line.index()]);
        }
        self.lay_balance(ix, circuit, state, flows);
        let limit = match (circuit.limit_power, state.limit_power) {
            (Some(own), Some(now)) => Some(own.min(now)),
            (own, now) => own.or(now),
        };
        if let Some(limit) = limit {
            let volts = circuit.supply.volts_line_to_neutral().as_volts();
            let other: f64 = state.other_load.0.iter().map(|load| f64::from(load.0)).sum();
            let left = limit.0 as f64 * 1000.0 / volts - other;
            self.lay_row(ix, Bound::Power, left, flows, |course| Phasor {
                re: course.volts / volts,
                im: 0.0,
            });
        }
    }

    /// Neutral current and unbalance. Loads that use all three lines alike add nothing to either; of all others
    /// those of one line count together and those of other lines not at all: their cars may have stopped. For
    /// the neutral that is the worst case: three currents at 120° add up to less than the largest of them.
    fn lay_balance(&mut self, ix: CircuitIx, circuit: &Circuit, state: &CircuitState, flows: &[FlowIx]) {
        let other = state.other_load;
        let lowest = other.0.into_iter().min().unwrap_or_default();
        for line in Line::ALL {
            let here = |course: &Course| match course.even {
                true => Phasor::default(),
                false => Phasor::along(course.lines[line.index()].magnitude()),
            };
            if let Some(limit) = circuit.balance.neutral {
                let left = f64::from(limit.0) - neutral(circuit, other);
                let to_neutral = |course: &Course| {
                    if course.neutral() > 1e-9 { here(course) } else { Phasor::default() }
                };
                self.lay_row(ix, Bound::Neutral, left, flows, to_neutral);
            }
            if let Some(limit) = circuit.balance.unbalance {
                let left = f64::from(limit.0) - f64::from(other[line].0) + f64::from(lowest.0);
                self.lay_row(ix, Bound::Unbalance(line), left, flows, here);
            }
        }
    }

    fn lay_row(
        &mut self,
        circuit: CircuitIx,
        bound: Bound,
        limit: f64,
        flows: &[FlowIx],
        factor: impl Fn(&Course) -> Phasor,
    ) {
        let of = |&flow: &FlowIx| Term { flow, factor: factor(&self.courses[flow]) };
        let terms: Vec<Term> = flows.iter().map(of).filter(|term| term.factor != Phasor::default()).collect();
        let Some(lead) = terms.first().map(|term| term.factor) else { return };
        let all = |test: &dyn Fn(Phasor, Phasor) -> bool| {
            terms.iter().all(|one| terms.iter().all(|other| test(one.factor, other.factor)))
        };
        if terms.iter().all(|term| term.factor.parallel(lead)) {
            let along = |term: &Term| Term { factor: Phasor::along(term.factor.magnitude()), ..*term };
            self.push_row(circuit, (bound, limit, Angles::Straight), terms.iter().map(along));
        } else if all(&|one, other| one.dot(other) >= -1e-9) {
            self.push_row(circuit, (bound, limit, Angles::Helpful), terms.iter().copied());
        } else {
            let factors: Vec<Phasor> = terms.iter().map(|term| term.factor).collect();
            for set in worst_sets(&factors) {
                let members = set.into_iter().map(|ix| terms[ix]);
                self.push_row(circuit, (bound, limit, Angles::Against), members);
            }
        }
    }

    fn push_row(
        &mut self,
        circuit: CircuitIx,
        (bound, limit, angles): (Bound, f64, Angles),
        members: impl Iterator<Item = Term>,
    ) {
        let first = self.terms.len();
        self.terms.extend(members);
        self.rows.push(Row { circuit, bound, limit, terms: first..self.terms.len(), angles });
    }

    /// Puts the chargers of every subtree side by side: first the circuit's own, then its children's.
    pub(super) fn lay_members(&mut self) {
        let circuits = self.parents.len();
        let mut size = vec![0; circuits];
        for &home in &self.home {
            size[home] += 1;
        }
        let own = size.clone();
        for circuit in (0..circuits).rev() {
            if let Some(parent) = self.parents[circuit] {
                size[parent] += size[circuit];
            }
        }
        // Parents come before their children, so each child takes its stretch from what its parent has left.
        let (mut begin, mut root) = (vec![0; circuits], 0);
        let mut next_child = vec![0; circuits];
        for circuit in 0..circuits {
            let cursor = self.parents[circuit].map_or(&mut root, |parent| &mut next_child[parent]);
            begin[circuit] = *cursor;
            *cursor += size[circuit];
            next_child[circuit] = begin[circuit] + own[circuit];
        }
        self.stretch = begin.iter().zip(&size).map(|(&begin, &size)| begin..begin + size).collect();
        self.members = vec![0; self.home.len()];
        for (charger, &home) in self.home.iter().enumerate() {
            self.members[begin[home]] = charger;
            begin[home] += 1;
        }
    }
}

/// What other loads drive through the neutral, at the nominal angles of the lines' voltages.
fn neutral(circuit: &Circuit, other: PerLine<Milliamps>) -> f64 {
    let angles = line_angles(circuit.supply);
    let mut sum = Phasor::default();
    for (line, load) in other.iter() {
        let part = angles[line.index()].scaled(f64::from(load.0));
        (sum.re, sum.im) = (sum.re + part.re, sum.im + part.im);
    }
    sum.magnitude()
}
