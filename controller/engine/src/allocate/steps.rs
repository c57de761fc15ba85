//! Chargers take limits in steps of their own: rounds down, and hands what that frees to whoever can
//! use a whole step of it.
//!
//! In the end no charger of the batch that could use one more step could have it.

use super::network::Network;
use super::shares::{Share, Stop, ascending};

/// How often everybody is offered a single step before the rest is handed out as it comes.
const ROUNDS: usize = 3;

pub(super) fn settle(network: &mut Network, shares: &mut [Share], batch: &[usize], rank: &[usize]) {
    let (mut open, mut lost) = (Vec::new(), Vec::new());
    for &ix in batch {
        let share = &mut shares[ix];
        let odd = share.given % share.step;
        if odd > 0 {
            share.given -= odd;
            lost.push((ix, -odd));
        }
        if share.given > 0 && share.given < share.high {
            open.push(ix);
        }
    }
    network.add_all(lost.iter().copied());
    open.retain(|&ix| !is_stopped(network, &shares[ix], ix));
    for round in 0..=ROUNDS {
        let most = if round < ROUNDS { 1 } else { i64::MAX };
        open.sort_by_cached_key(|&ix| (ascending(shares[ix].level()), rank[ix]));
        open.retain(|&ix| raise(network, &mut shares[ix], ix, most));
        if open.is_empty() {
            return;
        }
    }
}

/// Raises by up to `most` steps. Is another one possible?
fn raise(network: &mut Network, share: &mut Share, ix: usize, most: i64) -> bool {
    if is_stopped(network, share, ix) {
        return false;
    }
    let (room, tightest) = network.room(ix, |flow| flow.fixed);
    let fits = (room.max(0) / share.step).min((share.high - share.given) / share.step);
    let steps = fits.min(most);
    if steps > 0 {
        share.given += steps * share.step;
        network.add(ix, steps * share.step);
    }
    if share.given == share.high {
        share.stop = Stop::High;
        return false;
    }
    if steps == fits {
        share.stop = tightest.map_or(Stop::High, Stop::Row);
        return false;
    }
    true
}

/// The row that stopped it is most often still full; then nothing else need be looked at.
fn is_stopped(network: &Network, share: &Share, ix: usize) -> bool {
    matches!(share.stop, Stop::Row(row) if network.room_of(ix, row) < share.step)
}
