//! Progressive filling: weighted max-min fairness over all rows at once.
//!
//! Think of a level that rises from zero, in milliamperes per unit of weight. A charger stands at its
//! minimum until the level reaches it, then rises with the level until it has all that it can use or one
//! of its rows is full; a full row stops everybody in it. In the end nobody can get more without taking
//! it from somebody who is served no better.
//!
//! The level does not creep: it jumps from event to event. Starts and ends of rises are sorted once.
//! Rows wait in a heap under a lower bound of the level at which they fill up, and are looked at again
//! only when the level gets there; a row's sums are kept by its flows, so an event costs the depth of
//! the tree. All sums are integers: the order of the chargers cannot change them.

use super::network::{Network, Outlook, RowIx};
use super::shares::{Share, Stop, ascending};
use core::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// A row with less than this left, in milliamperes, is full: limits are whole milliamperes.
const FULL: f64 = 0.5;

/// Raises the chargers of `batch`, all of them already at least at their minimum, as far as is fair.
pub(super) fn fill(network: &mut Network, shares: &mut [Share], batch: &[usize], phases: &mut Phases) {
    let open: Vec<usize> = batch.iter().copied().filter(|&ix| shares[ix].given < shares[ix].high).collect();
    if let [only] = open[..] {
        return raise(network, shares, only);
    }
    if !open.is_empty() {
        Rise::new(network, shares, &open, &mut phases.0).run();
    }
}

/// One charger alone: as much as fits.
fn raise(network: &mut Network, shares: &mut [Share], ix: usize) {
    let share = &mut shares[ix];
    let (room, tightest) = network.room(ix, |flow| flow.fixed);
    let more = room.clamp(0, share.high - share.given);
    share.given += more;
    share.stop = match tightest {
        Some(row) if share.given < share.high => Stop::Row(row),
        _ => Stop::High,
    };
    network.add(ix, more);
}

/// Where a charger is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not part of this filling, or through with it.
    Done,
    /// At its minimum, above the level.
    Waits,
    /// Moves with the level.
    Rises,
}

/// Where every charger of the site is; kept from batch to batch, all of them through in between.
pub(super) struct Phases(Vec<Phase>);

impl Phases {
    pub(super) fn new(chargers: usize) -> Self {
        Self(vec![Phase::Done; chargers])
    }
}

struct Rise<'a> {
    network: &'a mut Network,
    shares: &'a mut [Share],
    phases: &'a mut [Phase],
    /// Chargers by the level at which they begin to rise, and at which they have enough.
    starts: Vec<Event>,
    ends: Vec<Event>,
    rows: BinaryHeap<Waiting>,
    level: f64,
}

#[derive(Clone, Copy)]
struct Event {
    level: f64,
    charger: usize,
}

/// A row and the earliest level at which it can be full; the lowest comes first.
#[derive(PartialEq)]
struct Waiting {
    bound: f64,
    row: RowIx,
}

impl Eq for Waiting {}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        ascending(other.bound).cmp(&ascending(self.bound)).then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Rise<'a> {
    fn new(
        network: &'a mut Network,
        shares: &'a mut [Share],
        open: &[usize],
        phases: &'a mut [Phase],
    ) -> Self {
        for &ix in open {
            phases[ix] = Phase::Waits;
            let Share { weight, given, high, .. } = shares[ix];
            network.each_tap(ix, |flow| {
                flow.potential += weight;
                flow.wanted += high - given;
            });
        }
        // Between two fillings nobody wants anything, so the sums are those of this one.
        let circuits = network.circuits_above(open.iter().copied());
        network.sum_up(&circuits, |flow, parent| {
            if let Some(parent) = parent {
                parent.potential += flow.potential;
                parent.wanted += flow.wanted;
            }
        });
        let events = |amount: fn(&Share) -> i64| {
            let level = |ix: usize| amount(&shares[ix]) as f64 / shares[ix].weight as f64;
            let mut events: Vec<Event> =
                open.iter().map(|&charger| Event { level: level(charger), charger }).collect();
            // From the last to the first, to be taken from the end.
            events.sort_unstable_by_key(|event| Reverse(ascending(event.level)));
            events
        };
        let (starts, ends) = (events(|share| share.given), events(|share| share.high));
        let level = starts.last().map_or(0.0, |event| event.level);
        let mut rise = Self { network, shares, phases, starts, ends, rows: BinaryHeap::new(), level };
        let rows: Vec<RowIx> =
            circuits.into_iter().flat_map(|circuit| rise.network.rows_of(circuit)).collect();
        let waiting = |row| {
            let bound = if rise.network.suffices(row) { None } else { rise.bound(row) };
            bound.map(|bound| Waiting { bound, row })
        };
        rise.rows = rows.into_iter().filter_map(waiting).collect();
        rise
    }

    fn run(&mut self) {
        while let Some(next) = self.next_event() {
            let first = self.rows.peek().filter(|row| row.bound <= next.level);
            if let Some(&Waiting { bound, row }) = first {
                self.level = self.level.max(bound);
                self.look_again(row);
                continue;
            }
            self.level = self.level.max(next.level);
            match self.phases[next.charger] {
                Phase::Waits => self.start(next.charger),
                _ => self.finish(next.charger, Stop::High),
            }
        }
    }

    /// The next start or end of a charger that is not through; starts first.
    fn next_event(&mut self) -> Option<Event> {
        while self.starts.last().is_some_and(|event| self.phases[event.charger] != Phase::Waits) {
            self.starts.pop();
        }
        while self.ends.last().is_some_and(|event| self.phases[event.charger] == Phase::Done) {
            self.ends.pop();
        }
        match (self.starts.last(), self.ends.last()) {
            (Some(start), Some(end)) if start.level <= end.level => Some(*start),
            (_, end) => end.copied(),
        }
    }

    /// Puts the first row back where it belongs now.
    fn look_again(&mut self, row: RowIx) {
        let bound = self.bound(row);
        let Some(mut first) = self.rows.peek_mut() else { return };
        match bound {
            Some(bound) => first.bound = bound,
            None => drop(PeekMut::pop(first)),
        }
    }

    /// The earliest level at which the row can be full. `None`: it never will be, or it is, and is closed now.
    fn bound(&mut self, row: RowIx) -> Option<f64> {
        let Outlook { slack, now, ever } = self.network.outlook(row, self.level);
        if ever <= 0.0 {
            return None;
        }
        if slack < FULL {
            self.close(row);
            return None;
        }
        // Nothing gets faster before the next start; and from then on never faster than with everybody on the move.
        let next_start = self.starts.last().map_or(f64::INFINITY, |event| event.level);
        let left = if next_start.is_finite() { slack - now * (next_start - self.level) } else { 0.0 };
        let bound = if left > 0.0 { next_start + left / ever } else { self.level + slack / now };
        Some(bound.max(self.level.next_up()))
    }

    fn close(&mut self, row: RowIx) {
        for position in self.network.members(row) {
            let charger = self.network.member(position);
            if self.phases[charger] != Phase::Done && self.network.touches(charger, row) {
                self.finish(charger, Stop::Row(row));
            }
        }
    }

    fn start(&mut self, charger: usize) {
        self.phases[charger] = Phase::Rises;
        let Share { given, weight, .. } = self.shares[charger];
        self.network.each_flow(charger, |flow| {
            flow.fixed -= given;
            flow.rate += weight;
        });
    }

    fn finish(&mut self, charger: usize, stop: Stop) {
        let rises = self.phases[charger] == Phase::Rises;
        self.phases[charger] = Phase::Done;
        let level = self.level;
        let share = &mut self.shares[charger];
        let wanted = share.high - share.given;
        if rises {
            let reached = match stop {
                Stop::High => share.high,
                _ => (share.weight as f64 * level).floor() as i64,
            };
            share.given = reached.clamp(share.given, share.high);
        }
        share.stop = if share.given == share.high { Stop::High } else { stop };
        let Share { given, weight, .. } = *share;
        self.network.each_flow(charger, |flow| {
            flow.potential -= weight;
            flow.wanted -= wanted;
            if rises {
                flow.rate -= weight;
                flow.fixed += given;
            }
        });
    }
}
