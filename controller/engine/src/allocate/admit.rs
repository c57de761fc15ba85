//! Who is switched on: the part of the decision that is all or nothing.
//!
//! A charger takes at least its minimum or nothing. Where all minimums of a batch fit, all are on. Elsewhere
//! places are handed out one by one: first to those that keep theirs for the minimum time, then by
//! urgency, then by who was served least. Who does not fit is passed over and the next one is tried, so
//! a free line is not left idle because somebody waits for another one.
//!
//! A car that needs several lines at once could be passed over for ever by cars that need one. Once it
//! is out of patience, what it needs is kept clear of newcomers until it fits.

use super::network::Network;
use super::shares::{Share, Stop, ascending};
use super::turns::{Place, Turn};
use crate::site::Site;
use crate::time::Instant;
use core::cmp::Reverse;

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
    if ready.len() > 1 {
        admit_where_all_fit(network, shares, &mut ready);
    }
    one_by_one(queue, network, shares, ready);
}

/// Tries everybody at once; takes it back, and leaves in the batch, who feeds a row that is too full then. Whoever feeds
/// none of those has room in any order.
fn admit_where_all_fit(network: &mut Network, shares: &mut [Share], batch: &mut Vec<usize>) {
    for &ix in batch.iter() {
        shares[ix].given = shares[ix].low;
    }
    network.add_all(batch.iter().map(|&ix| (ix, shares[ix].low)));
    if !network.mark_overfull(batch) {
        return batch.clear();
    }
    batch.retain(|&ix| network.feeds_overfull(ix));
    for &ix in batch.iter() {
        shares[ix].given = 0;
    }
    network.add_all(batch.iter().map(|&ix| (ix, -shares[ix].low)));
}

fn one_by_one(queue: &Queue<'_>, network: &mut Network, shares: &mut [Share], mut batch: Vec<usize>) {
    batch.sort_by_cached_key(|&ix| queue.place(ix));
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
        let possible = |network: &Network| network.room(ix, |flow| flow.reserved).0 >= low;
        if newcomer && queue.turns[ix].out_of_patience(queue.now) && possible(network) {
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
    /// The smallest goes first.
    fn place(&self, ix: usize) -> (Place, i64, i64, Reverse<bool>, Instant, usize) {
        let turn = &self.turns[ix];
        let due = ascending(turn.due(&self.site.chargers()[ix]));
        let waits = turn.waits().unwrap_or(Instant(u64::MAX));
        (turn.place(self.now), self.urgency[ix], due, Reverse(turn.on()), waits, self.rank[ix])
    }
}
