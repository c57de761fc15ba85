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
//! What a limit refuses to do: count on a cancellation. A limit is a maximum and its car may draw less.
//! Without transformers no term of a row weakens another one: on every line they stand within 60° of each
//! other. Behind a Dyn transformer they may stand 120° apart; then the limit has several rows, one for
//! each set of terms that can be the worst, and what counts is the largest of them.

use super::ground::Ground;
use super::phasor::Phasor;
use crate::lines::{Line, PerLine};
use crate::site::{CircuitIx, Site};
use crate::snapshot::CircuitState;
use crate::units::Milliamps;
use core::num::NonZeroU32;
use core::ops::Range;

/// Index of a flow.
pub(super) type FlowIx = usize;
/// Index of a row.
pub(crate) type RowIx = usize;

/// What flows. One cache line, because filling goes through these in any order.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Flow {
    /// Into which flow it runs, counted from one.
    parent: Option<NonZeroU32>,
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
    /// Milliamperes that these chargers lack until all of them have enough.
    pub(super) wanted: i64,
    /// See [`Network::mark_overfull`].
    pub(super) overfull: bool,
    /// On its way into `fixed`, see [`Network::add_all`].
    pub(super) coming: i64,
}

impl Flow {
    pub(super) fn parent(&self) -> Option<FlowIx> {
        self.parent.map(|nth| nth.get() as usize - 1)
    }

    /// A flow that carries nothing.
    pub(super) fn empty(parent: Option<FlowIx>) -> Self {
        let nth = |ix: FlowIx| u32::try_from(ix + 1).ok().and_then(NonZeroU32::new);
        Self { parent: parent.and_then(nth), ..Self::default() }
    }
}

const _: () = assert!(size_of::<Flow>() == 64);

/// What a flow is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Course {
    pub(super) circuit: usize,
    /// Current in each line of the circuit for one ampere of the chargers' limits.
    pub(super) lines: [Phasor; 3],
    /// Volts that turn one ampere of limit into watts.
    pub(super) volts: f64,
    /// Its cars load all three lines alike; told apart only where a circuit limits unbalance.
    pub(super) even: bool,
}

impl Course {
    /// What one ampere of limit drives through the neutral.
    pub(super) fn neutral(&self) -> f64 {
        let [a, b, c] = self.lines;
        Phasor { re: a.re + b.re + c.re, im: a.im + b.im + c.im }.magnitude()
    }
}

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Line(Line),
    Power,
    Neutral,
    /// How far this line may be above the others.
    Unbalance(Line),
}

/// How the terms of a row stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Angles {
    /// All the same: magnitudes simply add up.
    Straight,
    /// None weakens another one.
    Helpful,
    /// Some do; other rows of the same limit stand for the cases in which those are absent.
    Against,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) circuit: CircuitIx,
    pub(crate) bound: Bound,
    /// What is left for chargers, in milliamperes (of nominal voltage, for power).
    pub(super) limit: f64,
    pub(super) terms: Terms,
    pub(super) angles: Angles,
}

/// A row's terms; most rows have one, which is found without another look elsewhere.
#[derive(Clone, Debug)]
pub(super) enum Terms {
    One(Term),
    /// In [`Network::terms`].
    Many(Range<u32>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) flow: u32,
    pub(super) factor: Phasor,
}

impl Term {
    pub(super) fn of(flow: FlowIx, factor: Phasor) -> Self {
        Self { flow: flow as u32, factor }
    }

    const fn flow(&self) -> FlowIx {
        self.flow as usize
    }
}

/// How full a row is, and how fast it gets fuller.
pub(super) struct Outlook {
    /// Milliamperes that it has left.
    pub(super) slack: f64,
    /// Upper bounds for how fast it fills by what rises now, and by all that may still rise.
    pub(super) now: f64,
    pub(super) ever: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(super) flows: Vec<Flow>,
    /// Beside each flow, what it is.
    pub(super) courses: Vec<Course>,
    pub(crate) rows: Vec<Row>,
    pub(super) terms: Vec<Term>,
    /// Rows and flows of each circuit.
    pub(super) rows_of: Vec<Range<RowIx>>,
    pub(super) flows_of: Vec<Range<FlowIx>>,
    /// The flows of its own circuit that each charger feeds.
    pub(super) taps: Vec<Taps>,
    pub(super) parents: Vec<Option<usize>>,
    pub(super) home: Vec<usize>,
    /// Chargers, each circuit's subtree in one stretch.
    pub(super) members: Vec<usize>,
    pub(super) stretch: Vec<Range<usize>>,
    /// When a circuit was last seen by [`Network::circuits_above`].
    seen: Vec<u64>,
    seen_round: u64,
    ground: Ground,
}

/// Up to three flows that a charger feeds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taps {
    flows: [FlowIx; 3],
    count: usize,
}

impl Taps {
    pub(super) fn push(&mut self, flow: FlowIx) {
        self.flows[self.count] = flow;
        self.count += 1;
    }

    pub(super) fn renumber(&mut self, place: &[FlowIx]) {
        for flow in &mut self.flows[..self.count] {
            *flow = place[*flow];
        }
    }

    fn as_slice(&self) -> &[FlowIx] {
        &self.flows[..self.count]
    }
}

impl Network {
    /// The site's limits as they are now, with nothing granted. `phases`: of its own that each charger loads. `last`: the
    /// network of the decision before; where nothing was rebuilt, only its limits are new.
    pub(crate) fn again(
        last: Option<Self>,
        site: &Site,
        circuits: &[CircuitState],
        phases: impl Fn(usize) -> Option<u8>,
    ) -> Self {
        match last.filter(|last| last.ground.bears(site, circuits, &phases)) {
            Some(mut network) => {
                network.renew(site, circuits);
                network
            }
            None => Self { ground: Ground::of(site, circuits, &phases), ..Self::new(site, circuits, phases) },
        }
    }

    /// See [`Network::again`].
    pub(crate) fn new(site: &Site, circuits: &[CircuitState], phases: impl Fn(usize) -> Option<u8>) -> Self {
        let count = circuits.len();
        let mut network = Self {
            flows: Vec::new(),
            courses: Vec::new(),
            rows: Vec::new(),
            terms: Vec::new(),
            rows_of: Vec::with_capacity(count),
            flows_of: Vec::with_capacity(count),
            taps: Vec::with_capacity(site.chargers().len()),
            parents: site.circuits().iter().map(|circuit| circuit.parent.map(|ix| ix.0)).collect(),
            home: site.chargers().iter().map(|charger| charger.circuit.0).collect(),
            members: Vec::new(),
            stretch: Vec::new(),
            seen: vec![0; count],
            seen_round: 0,
            ground: Ground::default(),
        };
        network.lay_flows(site, circuits, phases);
        network.lay_members();
        network
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

    /// Gives all these chargers more, or takes some back.
    pub(super) fn add_all(&mut self, amounts: impl Iterator<Item = (usize, i64)> + Clone) {
        for (charger, amount) in amounts.clone() {
            self.each_tap(charger, |flow| flow.coming += amount);
        }
        let circuits = self.circuits_above(amounts.map(|(charger, _)| charger));
        self.sum_up(&circuits, |flow, parent| {
            let coming = core::mem::take(&mut flow.coming);
            flow.fixed += coming;
            if let Some(parent) = parent {
                parent.coming += coming;
            }
        });
    }

    /// The flows of its own circuit that the charger feeds.
    pub(super) fn each_tap(&mut self, charger: usize, mut change: impl FnMut(&mut Flow)) {
        for &tap in self.taps[charger].as_slice() {
            change(&mut self.flows[tap]);
        }
    }

    /// Hands something on from the flows of these circuits to those that they run into, from the leaves to the root:
    /// for many chargers at once this is cheaper than [`Network::each_flow`] for one after the other. `circuits`: as
    /// [`Network::circuits_above`] gives them.
    pub(super) fn sum_up(&mut self, circuits: &[usize], hand_on: impl Fn(&mut Flow, Option<&mut Flow>)) {
        for &circuit in circuits {
            for ix in self.flows_of[circuit].clone() {
                // Parents have smaller numbers, see [`Network::gather`].
                let (above, below) = self.flows.split_at_mut(ix);
                let flow = &mut below[0];
                let parent = flow.parent().map(|parent| &mut above[parent]);
                hand_on(flow, parent);
            }
        }
    }

    /// The circuits that these chargers hang on, parents included, each once; children before their parents.
    pub(super) fn circuits_above(&mut self, chargers: impl IntoIterator<Item = usize>) -> Vec<usize> {
        self.seen_round += 1;
        let mut found = Vec::new();
        for charger in chargers {
            let first = found.len();
            let mut next = Some(self.home[charger]);
            while let Some(circuit) = next.filter(|&ix| self.seen[ix] != self.seen_round) {
                self.seen[circuit] = self.seen_round;
                found.push(circuit);
                next = self.parents[circuit];
            }
            // Those above were found before, and in the end all is turned round.
            found[first..].reverse();
        }
        found.reverse();
        found
    }

    /// Marks the flows of rows that carry more than they may, among all rows that these chargers feed. True: there is one.
    pub(super) fn mark_overfull(&mut self, chargers: &[usize]) -> bool {
        let mut found = false;
        for circuit in self.circuits_above(chargers.iter().copied()) {
            self.rows_of(circuit).for_each(|row| self.mark(row, false));
            for row in self.rows_of(circuit) {
                if self.slack(row, 0.0) <= -1e-6 {
                    self.mark(row, true);
                    found = true;
                }
            }
        }
        found
    }

    fn mark(&mut self, row: RowIx, overfull: bool) {
        for term in terms_of(&self.rows[row], &self.terms) {
            self.flows[term.flow()].overfull = overfull;
        }
    }

    fn terms_of<'a>(&'a self, row: &'a Row) -> &'a [Term] {
        terms_of(row, &self.terms)
    }

    /// Does the charger feed a row that was marked?
    pub(super) fn feeds_overfull(&self, charger: usize) -> bool {
        let up = |&tap: &FlowIx| core::iter::successors(Some(tap), |&flow| self.flows[flow].parent());
        self.taps[charger].as_slice().iter().flat_map(up).any(|flow| self.flows[flow].overfull)
    }

    pub(super) fn rows_of(&self, circuit: usize) -> Range<RowIx> {
        self.rows_of[circuit].clone()
    }

    pub(super) fn circuits(&self) -> usize {
        self.rows_of.len()
    }

    /// The flows that the charger feeds in the first of these circuits on its way up; none if there is none.
    pub(super) fn feeds(&self, charger: usize, circuits: &[bool]) -> Vec<FlowIx> {
        let (mut flows, mut at) = (self.taps[charger].as_slice().to_vec(), Some(self.home[charger]));
        while let Some(circuit) = at {
            if circuits[circuit] {
                return flows;
            }
            flows = flows.into_iter().filter_map(|flow| self.flows[flow].parent()).collect();
            at = self.parents[circuit];
        }
        Vec::new()
    }

    /// What one ampere in each of these flows, in the row's circuit or below it, drives through the row.
    pub(super) fn current_in(&self, row: RowIx, flows: &[FlowIx]) -> Phasor {
        let circuit = self.rows[row].circuit.0;
        let mut sum = Phasor::default();
        for &flow in flows {
            let up = core::iter::successors(Some(flow), |&flow| self.flows[flow].parent());
            let Some(here) = up.into_iter().find(|&flow| self.courses[flow].circuit == circuit) else {
                continue;
            };
            for term in self.terms_of(&self.rows[row]).iter().filter(|term| term.flow() == here) {
                (sum.re, sum.im) = (sum.re + term.factor.re, sum.im + term.factor.im);
            }
        }
        sum
    }

    /// What the row carries by what stands.
    pub(super) fn carried(&self, row: RowIx) -> Phasor {
        self.carries(&self.rows[row], |flow| flow.fixed as f64)
    }

    /// Does more for this charger mean more in this row?
    pub(crate) fn touches(&self, charger: usize, row: RowIx) -> bool {
        let here = &self.flows_of[self.rows[row].circuit.0];
        let terms = self.terms_of(&self.rows[row]);
        self.taps[charger].as_slice().iter().any(|&tap| {
            let mut flow = tap;
            while !here.contains(&flow) {
                let Some(parent) = self.flows[flow].parent() else { return false };
                flow = parent;
            }
            terms.iter().any(|term| term.flow() == flow)
        })
    }

    /// What the row carries when each flow carries `amount`.
    fn carries(&self, row: &Row, amount: impl Fn(&Flow) -> f64) -> Phasor {
        let mut sum = Phasor::default();
        for term in self.terms_of(row) {
            let amount = amount(&self.flows[term.flow()]);
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

    /// Will the row hold even if everybody who rises gets all that it can use?
    pub(super) fn suffices(&self, row: RowIx) -> bool {
        let row = &self.rows[row];
        let wanted = |flow: &Flow| (flow.fixed + flow.wanted) as f64;
        if row.angles == Angles::Against {
            // On the way there it may carry more than at the end.
            let terms = self.terms_of(row);
            let sizes = terms.iter().map(|term| term.factor.magnitude() * wanted(&self.flows[term.flow()]));
            return sizes.sum::<f64>() <= row.limit;
        }
        self.carries(row, wanted).magnitude() <= row.limit
    }

    /// Where the row stands when the level stands at `level`.
    pub(super) fn outlook(&self, row: RowIx, level: f64) -> Outlook {
        let row = &self.rows[row];
        let (mut sum, mut now, mut ever) = (Phasor::default(), 0.0, 0.0);
        for term in self.terms_of(row) {
            let (flow, factor) = (&self.flows[term.flow()], term.factor);
            let size = if row.angles == Angles::Straight { factor.re } else { factor.magnitude() };
            let amount = flow.fixed as f64 + flow.rate as f64 * level;
            sum.re += factor.re * amount;
            sum.im += factor.im * amount;
            now += size * flow.rate as f64;
            ever += size * flow.potential as f64;
        }
        Outlook { slack: row.limit - sum.magnitude(), now, ever }
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
            self.lift(&mut taps);
            next = self.parents[circuit];
        }
        // A hair more than a whole milliampere missing is rounding of the phasor sum, not a limit.
        ((room + 1e-6).floor() as i64, tightest)
    }

    /// How much more the charger can have of one row of its own circuit or of one above, by what stands.
    pub(super) fn room_of(&self, charger: usize, row: RowIx) -> i64 {
        let (mut taps, mut at) = (self.taps[charger], self.home[charger]);
        while at != self.rows[row].circuit.0 {
            let Some(parent) = self.parents[at] else { return i64::MAX };
            self.lift(&mut taps);
            at = parent;
        }
        (self.room_in(row, taps.as_slice(), &|flow: &Flow| flow.fixed) + 1e-6).floor() as i64
    }

    /// From the flows of one circuit to those of the one above that they run into.
    fn lift(&self, taps: &mut Taps) {
        for flow in &mut taps.flows[..taps.count] {
            *flow = self.flows[*flow].parent().unwrap_or(*flow);
        }
    }

    fn room_in(&self, row: RowIx, taps: &[FlowIx], amount: &impl Fn(&Flow) -> i64) -> f64 {
        let row = &self.rows[row];
        if row.angles == Angles::Straight {
            let terms = self.terms_of(row);
            let fed = terms.iter().filter(|term| taps.contains(&term.flow()));
            let more: f64 = fed.map(|term| term.factor.re).sum();
            if more <= 0.0 {
                return f64::INFINITY;
            }
            let carried = terms.iter().map(|term| term.factor.re * amount(&self.flows[term.flow()]) as f64);
            return (row.limit - carried.sum::<f64>()) / more;
        }
        let mut more = Phasor::default();
        for term in self.terms_of(row).iter().filter(|term| taps.contains(&term.flow())) {
            more.re += term.factor.re;
            more.im += term.factor.im;
        }
        if more == Phasor::default() {
            return f64::INFINITY;
        }
        self.carries(row, |flow| amount(flow) as f64).distance_to_circle(more, row.limit)
    }

    /// What flows in each line of each circuit, other loads included.
    pub(crate) fn used(&self, circuits: &[CircuitState]) -> Vec<PerLine<Milliamps>> {
        let used = |(ix, state): (usize, &CircuitState)| {
            state.other_load.zip_with(self.current(CircuitIx(ix)), Milliamps::saturating_add)
        };
        circuits.iter().enumerate().map(used).collect()
    }

    /// The chargers' share of the current in each line of the circuit.
    fn current(&self, circuit: CircuitIx) -> PerLine<Milliamps> {
        let mut current = PerLine::all(Milliamps::ZERO);
        for row in &self.rows[self.rows_of[circuit.0].clone()] {
            if let Bound::Line(line) = row.bound {
                let carried = self.carries(row, |flow| flow.fixed as f64).magnitude();
                let carried = Milliamps((carried - 1e-6).ceil() as i32);
                current[line] = current[line].max(carried);
            }
        }
        current
    }

    /// The rows that carry more than they may, and more than what is reserved alone.
    pub(super) fn overloaded(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| {
            let carried = self.carries(row, |flow| flow.fixed as f64).magnitude();
            let reserved = || self.carries(row, |flow| flow.reserved as f64).magnitude();
            carried > row.limit + 0.1 && carried > reserved() + 0.1
        })
    }
}

fn terms_of<'a>(row: &'a Row, all: &'a [Term]) -> &'a [Term] {
    match &row.terms {
        Terms::One(term) => core::slice::from_ref(term),
        Terms::Many(range) => &all[range.start as usize..range.end as usize],
    }
}
