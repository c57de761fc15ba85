//! The ledger of promised current: which limits may be in force, and what may be sent now.
//!
//! A limit that was sent is not a limit that holds. Between the two lie a radio link, a charger's own
//! dead time, rounding, a car that takes seconds, and now and then a refusal. The ledger therefore
//! keeps, for each charger, a **ceiling**: the largest current that any limit possibly in force allows.
//! It rises at the moment a higher limit is *sent* and falls only when a lower one is *confirmed*.
//!
//! From that follow the rules of [`Ledger::plan`]: a decrease is sent at once; an increase is sent only
//! as far as the ceilings of everybody leave room, so that no ampere is promised twice.
//!
//! What it refuses: it does not decide who deserves how much (that is the allocation), and it does not
//! know how a limit travels (that is the link).

mod entry;
mod room;

use crate::allocation::{Allocation, Grant, Reason};
use crate::lines::PerLine;
use crate::load::Span;
use crate::site::{ChargerIx, Site};
use crate::snapshot::{Demand, Snapshot};
use crate::time::{Duration, Instant, earliest};
use crate::units::Milliamps;
use entry::{CALM, Entry, Reach};
use room::Room;

/// A limit that is to be sent to a charger now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setpoint {
    pub charger: ChargerIx,
    pub limit: Milliamps,
}

/// How a charger's obedience can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its meter must show the current at or below the limit; otherwise its word and `settle` count.
    pub metered: bool,
    /// How long until a limit has its effect.
    pub settle: Duration,
}

/// The charger's promise for the time when it hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    pub current: Milliamps,
    /// Longest time from the last word until the fallback holds.
    pub after: Duration,
}

/// Does the charger do what it is told?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obedience {
    Obeys,
    /// It draws more than its limit although it was told twice.
    Disobeys,
    /// It refused the limit.
    Refuses,
}

/// All that is promised on a site, in the order of its chargers.
#[derive(Clone, Debug)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// How long a limit stands before one that neither safety nor a waiting car asks for takes its place.
    calm: Duration,
}

impl Ledger {
    /// At the start nothing is known: every charger may draw its rating.
    #[must_use]
    pub fn new(site: &Site, now: Instant) -> Self {
        let entries = site.chargers().iter().map(|charger| Entry::unknown(charger.max, now)).collect();
        Self { entries, calm: CALM }
    }

    /// Lets every limit follow the allocation at once, as far as the others' ceilings allow: for whoever decides
    /// elsewhere how often a charger is told something new.
    #[must_use]
    pub const fn without_calm(mut self) -> Self {
        self.calm = Duration::ZERO;
        self
    }

    /// Carries what is known over to a changed site; chargers are known by their identity.
    #[must_use]
    pub fn reconfigured(&self, old: &Site, new: &Site, now: Instant) -> Self {
        let carry =
            |id: &str, max| old.find_charger(id).map_or(Entry::unknown(max, now), |ix| self.entries[ix.0]);
        let entries = new.chargers().iter().map(|charger| carry(&charger.id, charger.max)).collect();
        Self { entries, calm: self.calm }
    }

    /// A charger is seen for the first time, in reach and drawing this. It counts as told nothing at all.
    pub fn found_drawing(&mut self, now: Instant, charger: ChargerIx, current: Milliamps) {
        self.entries[charger.0] = Entry::drawing(current, now);
    }

    /// The charger is in reach and says what it can do. Whatever it was told before may be forgotten
    /// by a reboot in between, so its rating counts until a limit is confirmed.
    pub fn online(&mut self, charger: ChargerIx, site: &Site, proof: Proof) {
        let entry = &mut self.entries[charger.0];
        if entry.reach != Reach::Online {
            entry.ceiling = site.charger(charger).max;
            entry.falling = None;
            entry.sent = None;
            entry.obedience = Obedience::Obeys;
            entry.forget_appetite();
        }
        entry.reach = Reach::Online;
        entry.proof = proof;
    }

    pub fn offline(&mut self, now: Instant, charger: ChargerIx) {
        let entry = &mut self.entries[charger.0];
        if entry.reach == Reach::Online {
            entry.reach = Reach::OfflineSince(now);
        }
    }

    pub fn fallback(&mut self, charger: ChargerIx, fallback: Option<Fallback>) {
        self.entries[charger.0].fallback = fallback;
    }

    #[must_use]
    pub fn fallback_of(&self, charger: ChargerIx) -> Option<Fallback> {
        self.entries[charger.0].fallback
    }

    /// A car was plugged in: until told otherwise it may draw what the charger stands at without a
    /// limit of its own.
    pub fn arrived(&mut self, charger: ChargerIx, site: &Site) {
        let entry = &mut self.entries[charger.0];
        let standing = entry.fallback.map_or(site.charger(charger).max, |fallback| fallback.current);
        entry.ceiling = entry.last_limit().max(standing);
        entry.falling = None;
        entry.drawn = None;
        // What the charger took before was for another car.
        if let Some(sent) = &mut entry.sent {
            (sent.accepted, sent.confirmed) = (None, false);
        }
        entry.forget_appetite();
    }

    pub fn accepted(&mut self, now: Instant, charger: ChargerIx, limit: Milliamps) {
        let entry = &mut self.entries[charger.0];
        let Some(sent) = entry.sent.as_mut().filter(|sent| sent.limit == limit) else { return };
        if sent.accepted.is_none() {
            sent.accepted = Some(now);
            entry.fall_from(now);
        }
        if entry.obedience == Obedience::Refuses {
            entry.obedience = Obedience::Obeys;
        }
    }

    pub fn refused(&mut self, charger: ChargerIx, limit: Milliamps) {
        let entry = &mut self.entries[charger.0];
        if entry.sent.is_some_and(|sent| sent.limit == limit) {
            entry.obedience = Obedience::Refuses;
        }
    }

    /// A measurement by the charger: the current of its most loaded phase. Where that shows a limit's effect: how
    /// long the charger was seen to draw more after it had accepted the limit.
    pub fn drawn(&mut self, at: Instant, charger: ChargerIx, largest: Milliamps) -> Option<Duration> {
        self.entries[charger.0].measured(at, largest)
    }

    /// What is known by now of how the charger's obedience can be judged.
    pub fn judged_by(&mut self, charger: ChargerIx, proof: Proof) {
        self.entries[charger.0].proof = proof;
    }

    #[must_use]
    pub fn is_online(&self, charger: ChargerIx) -> bool {
        self.entries[charger.0].reach == Reach::Online
    }

    #[must_use]
    pub fn obedience(&self, charger: ChargerIx) -> Obedience {
        self.entries[charger.0].obedience
    }

    /// The limit that was last sent.
    #[must_use]
    pub fn limit(&self, charger: ChargerIx) -> Option<Milliamps> {
        self.entries[charger.0].sent.map(|sent| sent.limit)
    }

    /// The limit that was last sent has been seen to hold.
    #[must_use]
    pub fn confirmed(&self, charger: ChargerIx) -> bool {
        self.entries[charger.0].sent.is_some_and(|sent| sent.confirmed)
    }

    /// The most that this charger may draw at `now`, with a car connected.
    #[must_use]
    pub fn worst(&self, now: Instant, charger: ChargerIx, site: &Site) -> Milliamps {
        self.entries[charger.0].worst(now, site.charger(charger).max)
    }

    /// What this charger may be drawing on its most loaded phase, if its last measurement said `reported`.
    ///
    /// The measurement is exact as long as it is younger than the last change of the limit and the time
    /// that this takes to have its effect.
    #[must_use]
    pub fn span(&self, now: Instant, charger: ChargerIx, site: &Site, reported: Option<Milliamps>) -> Span {
        self.entries[charger.0].span(now, site.charger(charger).max, reported)
    }

    /// What flows in each circuit, other loads included, if every charger with a car takes what `current` says.
    #[must_use]
    pub fn flows(
        site: &Site,
        snapshot: &Snapshot,
        current: impl Fn(ChargerIx) -> Milliamps,
    ) -> Vec<PerLine<Milliamps>> {
        let mut room = Room::empty(site, snapshot);
        room.count(snapshot, current);
        room.used(snapshot)
    }

    /// What may be sent now, decreases first.
    ///
    /// `allocation` says what each charger should have. A decrease is returned at once. An increase is
    /// returned as far as other loads and everybody's ceiling leave room in every circuit on its path.
    pub fn plan(
        &mut self,
        now: Instant,
        site: &Site,
        snapshot: &Snapshot,
        allocation: &Allocation,
    ) -> Vec<Setpoint> {
        self.settle(now);
        let mut room = Room::empty(site, snapshot);
        let hurry = self.hurry(site, snapshot, allocation, &mut room);
        let mut setpoints = Vec::new();
        let mut rises = Vec::new();
        for charger in site.charger_indexes() {
            if !self.addressable(charger, snapshot) {
                continue;
            }
            let Grant { limit: target, reason } = allocation.grants[charger.0];
            let entry = &self.entries[charger.0];
            // What a person asks for is done at once.
            let calm =
                entry.calm(now, self.calm) || matches!(reason, Reason::HeldByOrder | Reason::Guarded { .. });
            match entry.sent.map(|sent| sent.limit) {
                Some(limit) if target > limit && (calm || limit == Milliamps::ZERO) => {
                    rises.push((charger, limit, target));
                }
                Some(limit) if target >= limit => {}
                Some(_) if !calm && !hurry[charger.0] => {}
                // It stands at its fallback and was never told anything.
                None if target > entry.worst(now, site.charger(charger).max) => {
                    rises.push((charger, Milliamps::ZERO, target));
                }
                // The first limit after coming into reach lowers a ceiling of unknown height.
                _ => self.send(now, charger, target, &mut setpoints),
            }
        }
        self.repeat(now, snapshot, &mut setpoints);
        self.raise((now, site, snapshot), &mut room, rises, &mut setpoints);
        setpoints
    }

    /// When something is due even if nothing happens: a settle time that ends, a repetition.
    #[must_use]
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.deadline(now)).fold(None, earliest)
    }

    fn addressable(&self, charger: ChargerIx, snapshot: &Snapshot) -> bool {
        self.is_online(charger) && !matches!(snapshot.chargers[charger.0].demand, Demand::Reserved(..))
    }

    fn send(&mut self, now: Instant, charger: ChargerIx, limit: Milliamps, out: &mut Vec<Setpoint>) {
        self.entries[charger.0].send(now, limit);
        out.push(Setpoint { charger, limit });
    }

    fn settle(&mut self, now: Instant) {
        for entry in &mut self.entries {
            entry.judge(now);
            // Behind the fall that has ended may lie another, to the last limit, that is over as well.
            entry.judge(now);
        }
    }

    /// Says a limit again, once, that was not answered or is not obeyed; a charger that goes on drawing
    /// more is called disobedient.
    fn repeat(&mut self, now: Instant, snapshot: &Snapshot, out: &mut Vec<Setpoint>) {
        for (ix, entry) in self.entries.iter_mut().enumerate() {
            let occupied = !matches!(snapshot.chargers[ix].demand, Demand::Absent);
            if entry.reach == Reach::Online && occupied && (entry.unanswered(now) || entry.defies(now)) {
                let limit = entry.last_limit();
                out.push(Setpoint { charger: ChargerIx(ix), limit });
            }
        }
    }

    /// Whose decrease cannot wait: on a line that would be over its limit if every car took what it was last
    /// allowed, and everybody's while a car waits for its first ampere.
    fn hurry(&self, site: &Site, snapshot: &Snapshot, allocation: &Allocation, room: &mut Room) -> Vec<bool> {
        let last = |charger: ChargerIx| self.entries[charger.0].last_limit();
        let target = |charger: ChargerIx| allocation.grants[charger.0].limit;
        let waits = |charger: &ChargerIx| {
            let least = snapshot.chargers[charger.0].least(site.charger(*charger));
            target(*charger) >= least && last(*charger) == Milliamps::ZERO
        };
        let somebody_waits = site.charger_indexes().any(|charger| waits(&charger));
        let lowered = |charger: ChargerIx| target(charger) < last(charger);
        if somebody_waits || !site.charger_indexes().any(lowered) {
            return vec![somebody_waits; self.entries.len()];
        }
        room.count(snapshot, |charger| match snapshot.chargers[charger.0].demand {
            Demand::Reserved(current, _) => current,
            _ => last(charger),
        });
        site.charger_indexes().map(|charger| lowered(charger) && room.of(charger) < Milliamps::ZERO).collect()
    }

    /// Gives increases out of what the ceilings leave free, the smallest limit first.
    fn raise(
        &mut self,
        (now, site, snapshot): (Instant, &Site, &Snapshot),
        room: &mut Room,
        mut rises: Vec<(ChargerIx, Milliamps, Milliamps)>,
        out: &mut Vec<Setpoint>,
    ) {
        if rises.is_empty() {
            return;
        }
        room.count(snapshot, |charger| self.worst(now, charger, site));
        rises.sort_by_key(|&(charger, limit, _)| (limit, charger));
        for (charger, limit, target) in rises {
            let rating = site.charger(charger);
            let ceiling = self.worst(now, charger, site);
            let reachable = ceiling.saturating_add(room.of(charger));
            let wanted = target.min(reachable).round_down_to(rating.step);
            let least = snapshot.chargers[charger.0].least(rating).round_down_to(rating.step);
            if wanted < rating.min || wanted < least || wanted <= limit {
                continue;
            }
            room.take(charger, wanted.saturating_sub(ceiling).max(Milliamps::ZERO));
            self.send(now, charger, wanted, out);
        }
    }
}

#[cfg(test)]
mod tests;
