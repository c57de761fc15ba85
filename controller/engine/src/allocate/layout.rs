//! Lays the rows and flows of a network over a site, from the leaves up.

use super::network::{Angles, Bound, Course, Flow, FlowIx, Network, Row, Taps, Term, Terms};
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
                    self.flows[ix] = Flow::empty(Some(self.flow(&mut flows_of[parent], course)));
                    flows_of[circuit].push(ix);
                }
            }
        }
        self.gather(&mut flows_of);
        for (ix, flows) in flows_of.iter().enumerate() {
            let first = self.rows.len();
            self.lay_rows(site, CircuitIx(ix), &circuits[ix], flows);
            self.rows_of.push(first..self.rows.len());
        }
    }

    /// Numbers the flows anew, those of a circuit side by side: who looks at one looks at the others.
    fn gather(&mut self, flows_of: &mut [Vec<FlowIx>]) {
        let mut place = vec![0; self.flows.len()];
        let mut order = Vec::with_capacity(self.flows.len());
        for flows in flows_of {
            let first = order.len();
            for flow in flows {
                place[*flow] = order.len();
                order.push(*flow);
                *flow = place[*flow];
            }
            self.flows_of.push(first..order.len());
        }
        let moved = |flow: &Flow| Flow::empty(flow.parent().map(|ix| place[ix]));
        self.flows = order.iter().map(|&ix| moved(&self.flows[ix])).collect();
        self.courses = order.iter().map(|&ix| self.courses[ix]).collect();
        self.taps.iter_mut().for_each(|taps| taps.renumber(&place));
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
        let mut lay = |bound: Bound, factor: &dyn Fn(&Course) -> Phasor| {
            if let Some(left) = left(circuit, state, bound) {
                self.lay_row(ix, bound, left, flows, factor);
            }
        };
        for line in Line::ALL {
            lay(Bound::Line(line), &|course| course.lines[line.index()]);
        }
        // Loads that use all three lines alike add nothing to neutral current and unbalance; of all others those of one
        // line count together and those of other lines not at all: their cars may have stopped. For the neutral that is
        // the worst case: three currents at 120° add up to less than the largest of them.
        for line in Line::ALL {
            let here = |course: &Course| match course.even {
                true => Phasor::default(),
                false => Phasor::along(course.lines[line.index()].magnitude()),
            };
            let to_neutral =
                |course: &Course| if course.neutral() > 1e-9 { here(course) } else { Phasor::default() };
            lay(Bound::Neutral, &to_neutral);
            lay(Bound::Unbalance(line), &here);
        }
        let volts = circuit.supply.volts_line_to_neutral().as_volts();
        lay(Bound::Power, &|course| Phasor { re: course.volts / volts, im: 0.0 });
    }

    /// The same rows under the limits and other loads of now, with nothing granted.
    pub(super) fn renew(&mut self, site: &Site, circuits: &[CircuitState]) {
        for flow in &mut self.flows {
            *flow = Flow::empty(flow.parent());
        }
        for row in &mut self.rows {
            let (circuit, state) = (site.circuit(row.circuit), &circuits[row.circuit.0]);
            row.limit = left(circuit, state, row.bound).unwrap_or(row.limit);
        }
    }

    fn lay_row(
        &mut self,
        circuit: CircuitIx,
        bound: Bound,
        limit: f64,
        flows: &[FlowIx],
        factor: &dyn Fn(&Course) -> Phasor,
    ) {
        let of = |&flow: &FlowIx| Term::of(flow, factor(&self.courses[flow]));
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
        let terms = match self.terms[first..] {
            [only] => Terms::One(only),
            _ => Terms::Many(first as u32..self.terms.len() as u32),
        };
        self.rows.push(Row { circuit, bound, limit, terms, angles });
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

/// What a limit of the circuit leaves for chargers, in milliamperes; `None`: it has no such limit.
fn left(circuit: &Circuit, state: &CircuitState, bound: Bound) -> Option<f64> {
    let other = state.other_load;
    let amount = |current: Milliamps| f64::from(current.0);
    Some(match bound {
        Bound::Line(line) => amount(circuit.limit[line].min(state.limit[line])) - amount(other[line]),
        Bound::Neutral => amount(circuit.balance.neutral?) - neutral(circuit, other),
        Bound::Unbalance(line) => {
            let lowest = other.0.into_iter().min().unwrap_or_default();
            amount(circuit.balance.unbalance?) - amount(other[line]) + amount(lowest)
        }
        Bound::Power => {
            let limit = circuit.limit_power.into_iter().chain(state.limit_power).min()?;
            let volts = circuit.supply.volts_line_to_neutral().as_volts();
            limit.0 as f64 * 1000.0 / volts - other.0.into_iter().map(amount).sum::<f64>()
        }
    })
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
