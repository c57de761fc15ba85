//! Decides how much each charger may have: weighted max-min fairness within every limit of the tree.
//!
//! One decision looks at one frozen [`Snapshot`] and answers with a limit and a reason for every charger.
//! It never lets the sum of limits and other load pass the limit of any line of any circuit, except
//! where other load and reservations alone already do; then nobody who could make it worse gets
//! anything. It does not command: whether a limit may be sent yet is the ledger's business.
//!
//! # In which order
//! 1. What is reserved is set aside.
//! 2. Chargers are switched on with their minimum (IEC 61851-1 knows no current below 6 A), and raised,
//!    in the order of the strategy.
//! 3. Limits are rounded down to each charger's step; what that frees goes to whoever can use a step.
//! 4. Cars that are connected and want nothing keep their minimum as standby if it is left over, so
//!    that they can begin the moment they wake. Nobody who wants gets less for it. A car without standby
//!    gets a short turn now and then ([`KNOCK_AFTER`]), as if it wanted its minimum.
//!
//! # What the strategies mean
//! | | when there is not enough for all minimums | when there is |
//! |---|---|---|
//! | equal | the classes one after the other; inside a class cars take turns | everybody has the minimum; what is left goes to the classes one after the other, inside a class to all alike by weight |
//! | priority | the first class is filled to its last wish before the second gets anything; turns inside a class | the same |
//! | first-come | in each class, who came first has all that it wants before the next gets anything; no turns | the same |
//! | departure | the classes one after the other; inside a class first the minimum for those whose departure or energy is not known, by turns; then the others, who has least time to spare first, each inside what the plan leaves its place ([`plan`]) | the same; in the end the rest to those that are not known, alike |
//!
//! "Alike" is max-min: the total limit in amperes per unit of weight is raised for all together until a
//! car has all that it wants or a line is full; only those on a full line stop.

mod admit;
mod departure;
mod fill;
mod ground;
mod layout;
pub(crate) mod network;
mod phasor;
pub mod plan;
mod shares;
mod simplex;
mod stages;
mod steps;
mod turns;

pub use turns::{KNOCK_AFTER, KNOCK_FOR, MIN_OFF, MIN_ON, PATIENCE, TURN};

use crate::allocation::{Allocation, Grant, Reason};
use crate::site::Site;
use crate::snapshot::{Demand, Snapshot};
use crate::time::Instant;
use crate::units::Milliamps;
use admit::Queue;
use network::{Bound, Network, RowIx};
use plan::{Car, Plan};
use shares::{Share, Stop};
use stages::Stage;
use std::collections::{BTreeMap, VecDeque};
use turns::Turn;

/// With less than this, in milliamperes, no car can begin to charge: not worth a standby.
const STANDBY_MIN: i64 = 1000;

/// The allocation and its memory: whose turn it is, who was switched on or off when.
#[derive(Clone, Debug, Default)]
pub struct Allocator {
    /// In the order of the site's chargers at the last decision.
    ids: Vec<String>,
    turns: Vec<Turn>,
    rank: Vec<usize>,
    /// What was planned for each class.
    plans: BTreeMap<u8, Plan>,
    /// That of the last decision.
    network: Option<Network>,
}

impl Allocator {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One decision. Chargers are recognised by their identity, so a changed site needs no notice.
    ///
    /// # Panics
    /// If the snapshot does not belong to the site, or if the result would overload a line: a bug in
    /// here must end the process rather than blow a fuse.
    pub fn allocate(&mut self, site: &Site, snapshot: &Snapshot) -> Allocation {
        assert_eq!(snapshot.chargers.len(), site.chargers().len(), "one state for each charger");
        assert_eq!(snapshot.circuits.len(), site.circuits().len(), "one state for each circuit");
        self.recognise(site);
        let demands = self.advance(site, snapshot);
        let mut decision = Decision::new(site, snapshot, demands, self.network.take());
        decision.reserve();
        self.share(&mut decision);
        self.stand_by(&mut decision);
        for (ix, turn) in self.turns.iter_mut().enumerate() {
            let seen = snapshot.chargers[ix].demand;
            turn.decided(seen, decision.demands[ix], decision.shares[ix].given, snapshot.now);
        }
        let allocation = decision.finish();
        self.network = Some(decision.network);
        allocation
    }

    /// Carries what is known of each charger over to the site as it is now.
    fn recognise(&mut self, site: &Site) {
        let chargers = site.chargers();
        let same = self.ids.len() == chargers.len()
            && self.ids.iter().zip(chargers).all(|(id, charger)| *id == charger.id);
        if same {
            return;
        }
        let known: BTreeMap<_, _> = self.ids.drain(..).zip(self.turns.drain(..)).collect();
        self.ids = chargers.iter().map(|charger| charger.id.clone()).collect();
        self.turns = self.ids.iter().map(|id| known.get(id).copied().unwrap_or_default()).collect();
        let mut order: Vec<usize> = (0..chargers.len()).collect();
        order.sort_unstable_by(|&one, &other| self.ids[one].cmp(&self.ids[other]));
        self.rank = vec![0; order.len()];
        for (rank, ix) in order.into_iter().enumerate() {
            self.rank[ix] = rank;
        }
    }

    /// Brings every charger's past up to now; the demands to decide on.
    fn advance(&mut self, site: &Site, snapshot: &Snapshot) -> Vec<Demand> {
        let mut least = BTreeMap::new();
        let mut demands = Vec::with_capacity(self.turns.len());
        for (ix, turn) in self.turns.iter_mut().enumerate() {
            let charger = &site.chargers()[ix];
            let demand = turn.advance(charger, &snapshot.chargers[ix], snapshot.now);
            if let (Demand::Wants(_), Some(served)) = (demand, turn.served()) {
                let least = least.entry(charger.priority).or_insert(served);
                *least = served.min(*least);
            }
            demands.push(demand);
        }
        for (ix, turn) in self.turns.iter_mut().enumerate() {
            let charger = &site.chargers()[ix];
            if matches!(demands[ix], Demand::Wants(_)) {
                turn.level_with(least.get(&charger.priority).copied().unwrap_or(0.0), charger);
            }
        }
        demands
    }

    fn share(&mut self, decision: &mut Decision<'_>) {
        let Decision { site, snapshot, .. } = *decision;
        let wishes = |&ix: &usize| decision.wants(ix) && decision.shares[ix].high > 0;
        // Neighbours one after the other: they share their flows.
        let wants: Vec<usize> = decision.network.all_members().iter().copied().filter(wishes).collect();
        let cars = stages::cars(site, snapshot);
        for car in cars.iter().flatten() {
            self.turns[car.charger].needs(car.need);
        }
        let laxity = stages::laxities(&cars);
        let urgency = stages::urgency(&laxity);
        let queue =
            Queue { site, turns: &self.turns, rank: &self.rank, urgency: &urgency, now: snapshot.now };
        let (network, shares) = (&mut decision.network, &mut decision.shares[..]);
        let mut phases = fill::Phases::new(shares.len());
        let mut stages = VecDeque::from(stages::stages(site, snapshot, &laxity, &wants));
        while let Some(stage) = stages.pop_front() {
            match stage {
                Stage::Admit(batch) => admit::admit(&queue, network, shares, &batch),
                Stage::Fill(mut batch) => {
                    batch.retain(|&ix| shares[ix].given > 0);
                    fill::fill(network, shares, &batch, &mut phases);
                    steps::settle(network, shares, &batch, &self.rank);
                }
                Stage::Plan(batch) => {
                    let known =
                        |car: Car| departure::with_past(car, &self.turns[car.charger], &shares[car.charger]);
                    let mut class: Vec<Car> = batch.iter().filter_map(|&ix| cars[ix].map(known)).collect();
                    class.sort_unstable_by_key(|car| self.rank[car.charger]);
                    let priority = site.chargers()[batch[0]].priority;
                    match planned(&mut self.plans, priority, network, snapshot.now, &class) {
                        Some(plan) => {
                            let past = (&self.turns[..], &self.rank[..]);
                            departure::serve(snapshot.now, past, network, shares, &class, plan);
                        }
                        None => {
                            for stage in stages::unplanned(batch, &laxity).into_iter().rev() {
                                stages.push_front(stage);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Leaves idle cars their minimum where nobody else can use it; those that have it go first.
    fn stand_by(&self, decision: &mut Decision<'_>) {
        let mut idle: Vec<usize> =
            (0..self.turns.len()).filter(|&ix| decision.demands[ix] == Demand::Idle).collect();
        idle.sort_unstable_by_key(|&ix| (!self.turns[ix].on(), self.rank[ix]));
        for ix in idle {
            let low = decision.shares[ix].low;
            if low >= STANDBY_MIN && decision.network.room(ix, |flow| flow.fixed).0 >= low {
                decision.shares[ix].given = low;
                decision.network.add(ix, low);
            }
        }
    }
}

/// The plan of a class: the one that there is while it holds, else a new one.
fn planned<'a>(
    plans: &'a mut BTreeMap<u8, Plan>,
    class: u8,
    network: &mut Network,
    now: Instant,
    cars: &[Car],
) -> Option<&'a Plan> {
    if !plans.get(&class).is_some_and(|plan| plan.holds(now, cars)) {
        match Plan::new(network, now, cars) {
            Some(plan) => plans.insert(class, plan),
            None => plans.remove(&class),
        };
    }
    plans.get(&class)
}

/// One decision in the making.
struct Decision<'a> {
    site: &'a Site,
    snapshot: &'a Snapshot,
    /// What is decided on; differs from the snapshot where an idle car gets a chance to wake.
    demands: Vec<Demand>,
    network: Network,
    shares: Vec<Share>,
}

impl<'a> Decision<'a> {
    fn new(site: &'a Site, snapshot: &'a Snapshot, demands: Vec<Demand>, last: Option<Network>) -> Self {
        let phases = |ix: usize| snapshot.chargers[ix].counted_phases();
        let network = Network::again(last, site, &snapshot.circuits, phases);
        let shares = shares::shares(site, snapshot, &demands);
        Self { site, snapshot, demands, network, shares }
    }

    fn wants(&self, ix: usize) -> bool {
        matches!(self.demands[ix], Demand::Wants(_))
    }

    fn reserve(&mut self) {
        for (ix, demand) in self.demands.iter().enumerate() {
            if let Demand::Reserved(amount, _) = demand {
                let amount = i64::from(amount.0.max(0));
                self.shares[ix].given = amount;
                self.network.each_flow(ix, |flow| {
                    flow.fixed += amount;
                    flow.reserved += amount;
                });
            }
        }
    }

    fn finish(&self) -> Allocation {
        if let Some(row) = self.network.overloaded().next() {
            let id = &self.site.circuit(row.circuit).id;
            unreachable!("the allocation overloads {:?} of {id}", row.bound);
        }
        let grants = (0..self.shares.len()).map(|ix| self.grant(ix)).collect();
        Allocation { grants, used: self.network.used(&self.snapshot.circuits) }
    }

    fn grant(&self, ix: usize) -> Grant {
        let limit = Milliamps(i32::try_from(self.shares[ix].given).unwrap_or(i32::MAX));
        Grant { limit, reason: self.reason(ix) }
    }

    fn reason(&self, ix: usize) -> Reason {
        let share = &self.shares[ix];
        let wants = match self.snapshot.chargers[ix].demand {
            Demand::Absent => return Reason::NoCar,
            Demand::Idle => return Reason::WantsNoMore,
            Demand::Reserved(_, why) => return Reason::Reserved(why),
            Demand::Wants(wants) => wants,
        };
        let max = self.site.chargers()[ix].max;
        match share.stop {
            Stop::Rest => Reason::Rests,
            Stop::High if wants > max || (share.high == 0 && wants > Milliamps::ZERO) => {
                Reason::ChargerMaximum
            }
            Stop::High => Reason::WantsNoMore,
            Stop::Row(row) if share.given > 0 => self.full(row),
            Stop::Row(row) => match self.network.room(ix, |flow| flow.reserved) {
                (room, Some(row)) if room < share.low => self.nothing_left(row),
                _ => self.waits(row),
            },
        }
    }

    fn full(&self, row: RowIx) -> Reason {
        let row = &self.network.rows[row];
        match row.bound {
            Bound::Line(line) => Reason::LineFull { circuit: row.circuit, line },
            Bound::Power => Reason::PowerFull { circuit: row.circuit },
            Bound::Neutral => Reason::NeutralFull { circuit: row.circuit },
            Bound::Unbalance(line) => Reason::Unbalanced { circuit: row.circuit, line },
        }
    }

    fn waits(&self, row: RowIx) -> Reason {
        match self.full(row) {
            Reason::LineFull { circuit, line } => Reason::WaitsForTurn { circuit, line },
            power => power,
        }
    }

    fn nothing_left(&self, row: RowIx) -> Reason {
        match self.full(row) {
            Reason::LineFull { circuit, line } => Reason::NothingLeft { circuit, line },
            power => power,
        }
    }
}
