//! The limits of a site as rows over flows: the form that the filling works on.
//!
//! A *flow* is the sum of the limits of all chargers in or below one circuit that load its lines in the
//! same way: all on L1, all between L2 and L3. It knows which current, as a phasor, one ampere of its
//! chargers drives through each line of its circuit, and into which flow of the parent circuit it runs.
//! A *row* is one limit: the magnitude of a weighted sum of flows must stay within what a line, or the
//! power limit, leaves for chargers. With chargers between line and neutral the sum has one term and is
//! plain addition; with chargers between two lines the terms stand at angles to each other (nominal
//! ones, power factor 1) and the magnitude is that of the phasor sum.
//!
//! What a row refuses to do: count on a cancellation. A limit is a maximum and its car may draw less, so
//! terms in one row must not weaken each other. Without transformers they never do: on every line they
//! stand within 60° of each other. A transformer that breaks this needs one row for each half-plane of
//! its terms, not another kind of filling.

use crate::lines::{Line, PerLine, Wiring};
use crate::site::{CircuitIx, Site, Supply};
use crate::snapshot::CircuitState;
use crate::units::Milliamps;
use core::ops::Range;

/// Index of a flow.
type FlowIx = usize;
/// Index of a row.
pub(crate) type RowIx = usize;

/// A current with its angle, in multiples of the flow's current.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Phasor {
    re: f64,
    im: f64,
}

/// Half the square root of three.
const SIN_120: f64 = 0.866_025_403_784_438_6;

/// What flows; small, because filling goes through these in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    parent: Option<u32>,
    /// Milliamperes of all that does not move: granted, reserved, or at its minimum.
    pub(crate) fixed: i64,
    /// The part of `fixed` that is reserved and not granted.
    pub(super) reserved: i64,
    /// Set aside for somebody who waits for several lines to become free together.
    pub(super) claimed: i64,
    /// Sum of the weights of the chargers that rise with the level.
    pub(super) rate: i64,
    /// Sum of the weights of the chargers that rise or may still begin to.
    pub(super) potential: i64,
}

impl Flow {
    fn parent(&self) -> Option<FlowIx> {
        self.parent.map(|ix| ix as usize)
    }
}

/// What a flow is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Course {
    circuit: usize,
    /// Current in each line of the circuit for one ampere of the chargers' limits.
    lines: [Phasor; 3],
    /// Volts that turn one ampere of limit into watts.
    volts: f64,
}

/// What stands behind a row: a line, or the power limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Line(Line),
    Power,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) circuit: CircuitIx,
    pub(crate) bound: Bound,
    /// What is left for chargers, in milliamperes (of nominal voltage, for power).
    limit: f64,
    terms: Range<usize>,
    /// All terms have the same angle: magnitudes simply add up.
    straight: bool,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    flow: FlowIx,
    factor: Phasor,
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    flows: Vec<Flow>,
    /// Beside each flow, what it is.
    courses: Vec<Course>,
    pub(crate) rows: Vec<Row>,
    terms: Vec<Term>,
    /// Rows of each circuit.
    rows_of: Vec<Range<RowIx>>,
    /// The flows of its own circuit that each charger feeds.
    taps: Vec<Taps>,
    parents: Vec<Option<usize>>,
    home: Vec<usize>,
    /// Chargers, each circuit's subtree in one stretch.
    members: Vec<usize>,
    stretch: Vec<Range<usize>>,
    /// When a circuit was last seen by [`Network::circuits_above`].
    seen: Vec<u64>,
    seen_round: u64,
}

/// Up to three flows that a charger feeds.
#[derive(Clone, Copy, Debug, Default)]
struct Taps {
    flows: [FlowIx; 3],
    count: usize,
}

impl Taps {
    fn push(&mut self, flow: FlowIx) {
        self.flows[self.count] = flow;
        self.count += 1;
    }

    fn as_slice(&self) -> &[FlowIx] {
        &self.flows[..self.count]
    }
}

impl Network {
    /// The site's limits as they are now, with nothing granted. `phases`: of its own that each charger loads.
    pub(crate) fn new(site: &Site, circuits: &[CircuitState], phases: impl Fn(usize) -> Option<u8>) -> Self {
        let count = circuits.len();
        let mut network = Self {
            flows: Vec::new(),
            courses: Vec::new(),
            rows: Vec::new(),
            terms: Vec::new(),
            rows_of: Vec::with_capacity(count),
            taps: Vec::with_capacity(site.chargers().len()),
            parents: site.circuits().iter().map(|circuit| circuit.parent.map(|ix| ix.0)).collect(),
            home: site.chargers().iter().map(|charger| charger.circuit.0).collect(),
            members: Vec::new(),
            stretch: Vec::new(),
            seen: vec![0; count],
            seen_round: 0,
        };
        network.lay_flows(site, circuits, phases);
        network.lay_members();
        network
    }

    fn lay_flows(&mut self, site: &Site, circuits: &[CircuitState], phases: impl Fn(usize) -> Option<u8>) {
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
                term.factor = Phasor { re: term.factor.magnitude(), im: 0.0 };
            }
        }
        self.rows.push(Row { circuit, bound, limit, terms, straight });
    }

    /// Puts the chargers of every subtree side by side: first the circuit's own, then its children's.
    fn lay_members(&mut self) {
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

    /// Chargers in and below the row's circuit.
    pub(super) fn members(&self, row: RowIx) -> Range<usize> {
        self.stretch[self.rows[row].circuit.0].clone()
    }

    pub(super) fn member(&self, position: usize) -> usize {
        self.members[position]
    }

    /// All chargers, those of a subtree together.
    pub(super) fn all_members(&self) -> &[usize] {
        &self.members
    }

    /// Every flow that the charger feeds, from its own circuit up to the root.
    pub(crate) fn each_flow(&mut self, charger: usize, mut change: impl FnMut(&mut Flow)) {
        let taps = self.taps[charger];
        for &tap in taps.as_slice() {
            let mut next = Some(tap);
            while let Some(ix) = next {
                change(&mut self.flows[ix]);
                next = self.flows[ix].parent();
            }
        }
    }

    /// Gives the charger more, or takes some back.
    pub(crate) fn add(&mut self, charger: usize, amount: i64) {
        self.each_flow(charger, |flow| flow.fixed += amount);
    }

    /// The circuits that these chargers hang on, parents included, each once.
    pub(super) fn circuits_above(&mut self, chargers: impl IntoIterator<Item = usize>) -> Vec<usize> {
        self.seen_round += 1;
        let mut found = Vec::new();
        for charger in chargers {
            let mut next = Some(self.home[charger]);
            while let Some(circuit) = next.filter(|&ix| self.seen[ix] != self.seen_round) {
                self.seen[circuit] = self.seen_round;
                found.push(circuit);
                next = self.parents[circuit];
            }
        }
        found
    }

    pub(super) fn rows_of(&self, circuit: usize) -> Range<RowIx> {
        self.rows_of[circuit].clone()
    }

    /// Does more for this charger mean more in this row?
    pub(crate) fn touches(&self, charger: usize, row: RowIx) -> bool {
        let circuit = self.rows[row].circuit.0;
        let terms = &self.terms[self.rows[row].terms.clone()];
        self.taps[charger].as_slice().iter().any(|&tap| {
            let mut flow = tap;
            while self.courses[flow].circuit != circuit {
                let Some(parent) = self.flows[flow].parent() else { return false };
                flow = parent;
            }
            terms.iter().any(|term| term.flow == flow)
        })
    }

    /// What the row carries when each flow carries `amount`.
    fn carries(&self, row: &Row, amount: impl Fn(&Flow) -> f64) -> Phasor {
        let mut sum = Phasor::default();
        for term in &self.terms[row.terms.clone()] {
            let amount = amount(&self.flows[term.flow]);
            sum.re += term.factor.re * amount;
            sum.im += term.factor.im * amount;
        }
        sum
    }

    /// Milliamperes that the row has left when the level stands at `level`.
    pub(super) fn slack(&self, row: RowIx, level: f64) -> f64 {
        let row = &self.rows[row];
        row.limit - self.carries(row, |flow| flow.fixed as f64 + flow.rate as f64 * level).magnitude()
    }

    /// How far the row is beyond its limit by what stands.
    pub(crate) fn beyond(&self, row: RowIx) -> Milliamps {
        Milliamps((-self.slack(row, 0.0) - 1e-6).ceil().max(0.0) as i32)
    }

    /// An upper bound for how fast the row fills by what rises now, and by all that may still rise.
    pub(super) fn speeds(&self, row: RowIx) -> (f64, f64) {
        let (mut now, mut ever) = (0.0, 0.0);
        for term in &self.terms[self.rows[row].terms.clone()] {
            let size = if self.rows[row].straight { term.factor.re } else { term.factor.magnitude() };
            now += size * self.flows[term.flow].rate as f64;
            ever += size * self.flows[term.flow].potential as f64;
        }
        (now, ever)
    }

    /// How much more the charger can have beside `amount` on every flow, and the row that says so.
    pub(crate) fn room(&self, charger: usize, amount: impl Fn(&Flow) -> i64) -> (i64, Option<RowIx>) {
        let (mut room, mut tightest) = (f64::INFINITY, None);
        let mut taps = self.taps[charger];
        let mut next = (taps.count > 0).then_some(self.home[charger]);
        while let Some(circuit) = next {
            for row in self.rows_of[circuit].clone() {
                let here = self.room_in(row, taps.as_slice(), &amount);
                if here < room {
                    (room, tightest) = (here, Some(row));
                }
            }
            for flow in &mut taps.flows[..taps.count] {
                *flow = self.flows[*flow].parent().unwrap_or(*flow);
            }
            next = self.parents[circuit];
        }
        // A hair more than a whole milliampere missing is rounding of the phasor sum, not a limit.
        ((room + 1e-6).floor() as i64, tightest)
    }

    fn room_in(&self, row: RowIx, taps: &[FlowIx], amount: &impl Fn(&Flow) -> i64) -> f64 {
        let row = &self.rows[row];
        let mut more = Phasor::default();
        for term in self.terms[row.terms.clone()].iter().filter(|term| taps.contains(&term.flow)) {
            more.re += term.factor.re;
            more.im += term.factor.im;
        }
        if more == Phasor::default() {
            return f64::INFINITY;
        }
        let carried = self.carries(row, |flow| amount(flow) as f64);
        if row.straight {
            return (row.limit - carried.re) / more.re;
        }
        carried.distance_to_circle(more, row.limit)
    }

    /// The chargers' share of the current in each line of the circuit.
    pub(super) fn current(&self, circuit: CircuitIx) -> PerLine<Milliamps> {
        let mut current = PerLine::all(Milliamps::ZERO);
        for row in &self.rows[self.rows_of[circuit.0].clone()] {
            if let Bound::Line(line) = row.bound {
                let carried = self.carries(row, |flow| flow.fixed as f64).magnitude();
                current[line] = Milliamps((carried - 1e-6).ceil() as i32);
            }
        }
        current
    }

    /// The rows that carry more than they may, and more than what is reserved alone.
    pub(super) fn overloaded(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| {
            let carried = self.carries(row, |flow| flow.fixed as f64).magnitude();
            let reserved = self.carries(row, |flow| flow.reserved as f64).magnitude();
            carried > row.limit.max(reserved) + 0.1
        })
    }
}

/// The currents that one ampere of a charger's limit drives: for each independent one, its part in
/// each line and the voltage that it comes with.
fn currents(wiring: Wiring, car_phases: Option<u8>, supply: Supply) -> [Option<([Phasor; 3], f64)>; 3] {
    let volts = supply.volts_line_to_neutral().as_volts();
    let angles = line_angles(supply);
    if let Wiring::Between(from, to) = wiring {
        let across = angles[from.index()].minus(angles[to.index()]);
        let unit = across.scaled(1.0 / across.magnitude());
        let mut lines = [Phasor::default(); 3];
        lines[from.index()] = unit;
        lines[to.index()] = unit.scaled(-1.0);
        return [Some((lines, volts * across.magnitude())), None, None];
    }
    let loads = wiring.loads(car_phases);
    Line::ALL.map(|line| {
        let mut lines = [Phasor::default(); 3];
        lines[line.index()] = angles[line.index()];
        loads[line].then_some((lines, volts))
    })
}

/// The angles of the lines' voltages.
const fn line_angles(supply: Supply) -> [Phasor; 3] {
    let l1 = Phasor { re: 1.0, im: 0.0 };
    let l3 = Phasor { re: -0.5, im: SIN_120 };
    match supply {
        Supply::Split(_) => [l1, Phasor { re: -1.0, im: 0.0 }, l3],
        _ => [l1, Phasor { re: -0.5, im: -SIN_120 }, l3],
    }
}

impl Phasor {
    fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    fn scaled(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    fn dot(self, other: Self) -> f64 {
        self.re * other.re + self.im * other.im
    }

    fn magnitude(self) -> f64 {
        if self.im == 0.0 { self.re.abs() } else { self.dot(self).sqrt() }
    }

    fn parallel(self, other: Self) -> bool {
        (self.re * other.im - self.im * other.re).abs() < 1e-12 && self.dot(other) > 0.0
    }

    /// How many times `step` can be added before the magnitude reaches `radius`.
    fn distance_to_circle(self, step: Self, radius: f64) -> f64 {
        let beyond = radius - self.magnitude();
        if radius <= 0.0 || beyond <= 0.0 {
            return beyond.min(0.0);
        }
        let along = self.dot(step);
        let size = step.dot(step);
        (-along + (along * along + size * (radius * radius - self.dot(self))).sqrt()) / size
    }
}
