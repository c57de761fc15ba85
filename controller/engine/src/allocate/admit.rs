//! Who is switched on: the part of the decision that is all or nothing.
//!
//! A charger takes at least its minimum or nothing. If all minimums of a batch fit, all are on. If not,
//! places are handed out one by one: first to those that keep theirs for the minimum time, then by
//! urgency, then by who was served least. Who does not fit is passed over and the next one is tried, so
//! a free line is not left idle because somebody waits for another one.
//!
//! A car that needs several lines at once could be passed over for ever by cars that need one. Once it
//! is out of patience, what it needs is kept clear of newcomers until it fits.

use super::network::Network;
use super::shares::{Share, Stop};
use super::turns::{Place, Turn};
use crate::site::Site;
use crate::time::Instant;
use core::cmp::Ordering;

/// What admission looks at beside the shares.
pub(super) struct Queue<'a> {
    pub(super) site: &'a Site,
    pub(super) turns: &'a [Turn],
    /// Position of each charger in the order of identities: the last resort against dependence on the
    /// order of the input.
    pub(super) rank: &'a [usize],
    /// Smaller goes first, before anybody's turn.
    pub(super) urgency: &'a [i64],
    pub(super) now: Instant,
}

/// Gives their minimum to as many of the batch as fit, and a reason to the others.
pub(super) fn admit(queue: &Queue<'_>, network: &mut Network, shares: &mut [Share], batch: &[usize]) {
    let mut ready = Vec::with_capacity(batch.len());
    for &ix in batch {
        if queue.turns[ix].rests(queue.now) {
            shares[ix].stop = Stop::Rest;
        } else {
            ready.push(ix);
        }
    }
    if !all_fit(network, shares, &ready) {
        one_by_one(queue, network, shares, ready);
    }
}

/// Tries everybody at once; takes it back if any row of theirs is too full.
fn all_fit(network: &mut Network, shares: &mut [Share], batch: &[usize]) -> bool {
    for &ix in batch {
        network.add(ix, shares[ix].low);
    }
    let circuits = network.circuits_above(batch.iter().copied());
    let fits =
        circuits.iter().all(|&circuit| network.rows_of(circuit).all(|row| network.slack(row, 0.0) > -1e-6));
    for &ix in batch {
        if fits {
            shares[ix].given = shares[ix].low;
        } else {
            network.add(ix, -shares[ix].low);
        }
    }
    fits
}

fn one_by_one(queue: &Queue<'_>, network: &mut Network, shares: &mut [Share], mut batch: Vec<usize>) {
    batch.sort_unstable_by(|&one, &other| queue.order(one, other));
    let mut claims = Vec::new();
    for ix in batch {
        let low = shares[ix].low;
        let newcomer = !queue.turns[ix].on();
        let (room, tightest) = network.room(ix, |flow| flow.fixed + if newcomer { flow.claimed } else { 0 });
        if room >= low {
            shares[ix].given = low;
            network.add(ix, low);
            continue;
        }
        shares[ix].stop = tightest.map_or(Stop::High, Stop::Row);
        let possible = network.room(ix, |flow| flow.reserved).0 >= low;
        if newcomer && possible && queue.turns[ix].out_of_patience(queue.now) {
            network.each_flow(ix, |flow| flow.claimed += low);
            claims.push(ix);
        }
    }
    for ix in claims {
        let low = shares[ix].low;
        network.each_flow(ix, |flow| flow.claimed -= low);
    }
}

impl Queue<'_> {
    fn order(&self, one: usize, other: usize) -> Ordering {
        let (a, b) = (&self.turns[one], &self.turns[other]);
        let due = |turn: &Turn, ix: usize| turn.due(&self.site.chargers()[ix]);
        let waits = |turn: &Turn| turn.waits().unwrap_or(Instant(u64::MAX));
        self.place(one)
            .cmp(&self.place(other))
            .then_with(|| self.urgency[one].cmp(&self.urgency[other]))
            .then_with(|| due(a, one).total_cmp(&due(b, other)))
            .then_with(|| b.on().cmp(&a.on()))
            .then_with(|| waits(a).cmp(&waits(b)))
            .then_with(|| self.rank[one].cmp(&self.rank[other]))
    }

    fn place(&self, ix: usize) -> Place {
        self.turns[ix].place(self.now)
    }
}
