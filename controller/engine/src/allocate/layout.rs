//! Lays the rows and flows of a network over a site, from the leaves up.

use super::network::{Bound, Course, Flow, FlowIx, Network, Row, Taps, Term};
use super::phasor::{Phasor, currents};
use crate::lines::Line;
use crate::site::{CircuitIx, Site};
use crate::snapshot::CircuitState;

impl Network {
    pub(super) fn lay_flows(
        &mut self,
        site: &Site,
        circuits: &[CircuitState],
        phases: impl Fn(usize) -> Option<u8>,
    ) {
        let mut flows_of = vec![Vec::new(); site.circuits().len()];
        for (ix, charger) in site.chargers().iter().enumerate() {
            let circuit = charger.circuit.0;
            let supply = site.circuits()[circuit].supply;
            let mut taps = Taps::default();
            for (lines, volts) in currents(charger.wiring, phases(ix), supply).into_iter().flatten() {
                taps.push(self.flow(&mut flows_of[circuit], Course { circuit, lines, volts }));
            }
            self.taps.push(taps);
        }
        for circuit in (0..flows_of.len()).rev() {
            if let Some(parent) = self.parents[circuit] {
                for ix in core::mem::take(&mut flows_of[circuit]) {
                    let course = Course { circuit: parent, ..self.courses[ix] };
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
            let through = |course: &Course| course.lines[line.index()];
            self.lay_row(ix, Bound::Line(line), left, flows, through);
        }
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

    fn lay_row(
        &mut self,
        circuit: CircuitIx,
        bound: Bound,
        limit: f64,
        flows: &[FlowIx],
        factor: impl Fn(&Course) -> Phasor,
    ) {
        let first = self.terms.len();
        for &flow in flows {
            let factor = factor(&self.courses[flow]);
            if factor != Phasor::default() {
                self.terms.push(Term { flow, factor });
            }
        }
        let terms = first..self.terms.len();
        let Some(lead) = self.terms[terms.clone()].first().map(|term| term.factor) else { return };
        let straight = self.terms[terms.clone()].iter().all(|term| term.factor.parallel(lead));
        if straight {
            for term in &mut self.terms[terms.clone()] {
                term.factor = Phasor::along(term.factor.magnitude());
            }
        }
        self.rows.push(Row { circuit, bound, limit, terms, straight });
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
