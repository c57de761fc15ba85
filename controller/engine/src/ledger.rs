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

use crate::allocation::{Allocation, Grant, Reason};
use crate::lines::{Line, PerLine};
use crate::load::Span;
use crate::site::{ChargerIx, CircuitIx, Site};
use crate::snapshot::{Demand, Snapshot};
use crate::time::{Duration, Instant, earliest};
use crate::units::{Milliamps, Watts, power};

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
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// No limit possibly in force allows more than this.
    ceiling: Milliamps,
    /// The way down from the ceiling, while one is under way.
    falling: Option<Falling>,
    sent: Option<Sent>,
    proof: Proof,
    fallback: Option<Fallback>,
    reach: Reach,
    obedience: Obedience,
    /// Its last measured current, largest phase, and when it was taken.
    drawn: Option<(Instant, Milliamps)>,
}

/// A limit below the ceiling was accepted; the ceiling comes down when that has had its effect. Limits
/// that are sent in between neither begin the wait anew nor are forgotten.
#[derive(Clone, Copy, Debug)]
struct Falling {
    since: Instant,
    /// The highest limit sent since then.
    highest: Milliamps,
    /// What flowed was above that limit: then its fall is the proof, and nobody need wait.
    was_above: bool,
    /// It was told again, because it draws more.
    told_again: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    limit: Milliamps,
    first_at: Instant,
    at: Instant,
    accepted: Option<Instant>,
    confirmed: bool,
    repeats: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Online,
    OfflineSince(Instant),
}

/// A metered current may lie this much above its limit and still be called obedient: the error of a
/// class 1 meter at 32 A, and the overshoot that IEC 61851-1 leaves a car.
const TOLERANCE: Milliamps = Milliamps(700);

/// A limit that neither safety nor a waiting car asks for is changed no more often than this: cars, chargers
/// and their flash live longer, and the difference is a fraction of an ampere.
const CALM: Duration = Duration::from_secs(5);

/// A measurement this young tells what flows now. A car's ramp adds no more than this meanwhile.
const FRESH: Duration = Duration::from_secs(2);
const RAMP: Milliamps = Milliamps(6_000);

/// An unconfirmed limit is sent once more after this many settle times.
const REPEAT_AFTER_SETTLES: u32 = 2;

impl Ledger {
    /// At the start nothing is known: every charger may draw its rating.
    #[must_use]
    pub fn new(site: &Site, now: Instant) -> Self {
        Self { entries: site.chargers().iter().map(|charger| Entry::unknown(charger.max, now)).collect() }
    }

    /// Carries what is known over to a changed site; chargers are known by their identity.
    #[must_use]
    pub fn reconfigured(&self, old: &Site, new: &Site, now: Instant) -> Self {
        let carry =
            |id: &str, max| old.find_charger(id).map_or(Entry::unknown(max, now), |ix| self.entries[ix.0]);
        Self { entries: new.chargers().iter().map(|charger| carry(&charger.id, charger.max)).collect() }
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

    /// A car was plugged in: until told otherwise it may draw what the charger stands at without a
    /// limit of its own.
    pub fn arrived(&mut self, charger: ChargerIx, site: &Site) {
        let entry = &mut self.entries[charger.0];
        let standing = entry.fallback.map_or(site.charger(charger).max, |fallback| fallback.current);
        entry.ceiling = entry.last_limit().max(standing);
        entry.falling = None;
        entry.drawn = None;
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

    /// A measurement by the charger: the current of its most loaded phase.
    pub fn drawn(&mut self, at: Instant, charger: ChargerIx, largest: Milliamps) {
        let entry = &mut self.entries[charger.0];
        entry.drawn = Some((at, largest));
        entry.judge(at);
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
        let entry = &self.entries[charger.0];
        let rating = site.charger(charger).max;
        let drawn = entry.drawn.map_or(Milliamps::ZERO, |(_, drawn)| drawn);
        match entry.reach {
            Reach::Online if entry.obedience == Obedience::Obeys => entry.ceiling.min(rating),
            // One that is known to disobey counts at what it draws.
            Reach::Online => entry.ceiling.max(drawn),
            Reach::OfflineSince(since) => match entry.fallback {
                None => rating,
                Some(fallback) if now.since(since) >= fallback.after => fallback.current,
                Some(fallback) => entry.ceiling.max(fallback.current).min(rating),
            },
        }
    }

    /// What this charger may be drawing on its most loaded phase, if its last measurement said `reported`.
    ///
    /// The measurement is exact as long as it is younger than the last change of the limit and the time
    /// that this takes to have its effect.
    #[must_use]
    pub fn span(&self, now: Instant, charger: ChargerIx, site: &Site, reported: Option<Milliamps>) -> Span {
        let entry = &self.entries[charger.0];
        let worst = self.worst(now, charger, site);
        if entry.reach != Reach::Online {
            // It may go on as it was, or stop. More than that is not taken off what the meter shows: its
            // worst case is set aside beside it.
            let most = entry.at_most_lately().min(worst);
            return Span { least: Milliamps::ZERO, most, rising: Milliamps::ZERO };
        }
        let (Some(reported), Some((at, _))) = (reported, entry.drawn) else {
            return Span::towards(Milliamps::ZERO, worst);
        };
        match entry.sent {
            Some(sent) if at < sent.first_at + entry.proof.settle => {
                let span = Span::towards(reported, sent.limit.min(worst));
                // What has just been reported is what flows, but for what a ramp has added since.
                let fresh = now.since(at) <= FRESH;
                let most = if fresh { span.most.min(reported.saturating_add(RAMP)) } else { span.most };
                Span { most, ..span }
            }
            _ => Span::exactly(reported),
        }
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
        let mut setpoints = Vec::new();
        let mut rises = Vec::new();
        let hurry = Hurry::new(site, snapshot, allocation, self);
        for charger in site.charger_indexes() {
            if !self.addressable(charger, snapshot) {
                continue;
            }
            let Grant { limit: target, reason } = allocation.grants[charger.0];
            // What a person asks for is done at once.
            let calm = self.entries[charger.0].calm(now)
                || matches!(reason, Reason::HeldByOrder | Reason::Guarded { .. });
            match self.entries[charger.0].sent.map(|sent| sent.limit) {
                Some(limit) if target > limit && (calm || limit == Milliamps::ZERO) => {
                    rises.push((charger, limit, target));
                }
                Some(limit) if target >= limit => {}
                Some(_) if !calm && !hurry.lowers(charger) => {}
                // The first limit after coming into reach lowers a ceiling of unknown height.
                _ => self.send(now, charger, target, &mut setpoints),
            }
        }
        self.repeat(now, snapshot, &mut setpoints);
        self.raise(now, site, snapshot, rises, &mut setpoints);
        setpoints
    }

    /// When something is due even if nothing happens: a settle time that ends, a repetition.
    #[must_use]
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.deadline(now)).fold(None, earliest)
    }

    fn addressable(&self, charger: ChargerIx, snapshot: &Snapshot) -> bool {
        self.entries[charger.0].reach == Reach::Online
            && !matches!(snapshot.chargers[charger.0].demand, Demand::Reserved(..))
    }

    fn send(&mut self, now: Instant, charger: ChargerIx, limit: Milliamps, out: &mut Vec<Setpoint>) {
        self.entries[charger.0].send(now, limit);
        out.push(Setpoint { charger, limit });
    }

    fn settle(&mut self, now: Instant) {
        for entry in &mut self.entries {
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

    /// Gives increases out of what the ceilings leave free, the smallest limit first.
    fn raise(
        &mut self,
        now: Instant,
        site: &Site,
        snapshot: &Snapshot,
        mut rises: Vec<(ChargerIx, Milliamps, Milliamps)>,
        out: &mut Vec<Setpoint>,
    ) {
        if rises.is_empty() {
            return;
        }
        let mut room = Room::new(now, site, snapshot, self);
        rises.sort_by_key(|&(charger, limit, _)| (limit, charger));
        for (charger, limit, target) in rises {
            let rating = site.charger(charger);
            let ceiling = self.worst(now, charger, site);
            let reachable = ceiling.saturating_add(room.of(charger));
            let wanted = target.min(reachable).round_down_to(rating.step);
            if wanted < rating.min || wanted <= limit {
                continue;
            }
            room.take(charger, wanted.saturating_sub(ceiling).max(Milliamps::ZERO));
            self.send(now, charger, wanted, out);
        }
    }
}

impl Entry {
    fn unknown(rating: Milliamps, now: Instant) -> Self {
        Self {
            ceiling: rating,
            falling: None,
            sent: None,
            proof: Proof { metered: true, settle: Duration::from_secs(10) },
            fallback: None,
            reach: Reach::OfflineSince(now),
            obedience: Obedience::Obeys,
            drawn: None,
        }
    }

    fn last_limit(&self) -> Milliamps {
        self.sent.map_or(Milliamps::ZERO, |sent| sent.limit)
    }

    fn send(&mut self, now: Instant, limit: Milliamps) {
        self.falling = self.falling.filter(|_| limit < self.ceiling);
        if let Some(falling) = &mut self.falling {
            falling.highest = falling.highest.max(limit);
        }
        self.ceiling = self.ceiling.max(limit);
        let sent = Sent { limit, first_at: now, at: now, accepted: None, confirmed: false, repeats: 0 };
        self.sent = Some(sent);
    }

    /// The limit that was last sent is in the charger: what is above it is on its way out.
    fn fall_from(&mut self, now: Instant) {
        let limit = self.last_limit();
        if self.falling.is_none() && limit <= self.ceiling {
            let drawn = self.drawn.map_or(Milliamps::ZERO, |(_, drawn)| drawn);
            let was_above = drawn > limit.saturating_add(TOLERANCE);
            self.falling = Some(Falling { since: now, highest: limit, was_above, told_again: None });
        }
    }

    /// Looks whether a lower ceiling can be believed by now.
    fn judge(&mut self, now: Instant) {
        let Some(falling) = self.falling.filter(|falling| self.holds(now, *falling)) else { return };
        self.ceiling = falling.highest;
        self.falling = None;
        let Some(sent) = &mut self.sent else { return };
        self.obedience = Obedience::Obeys;
        if sent.limit == falling.highest {
            sent.confirmed = true;
        } else if let Some(accepted) = sent.accepted {
            self.fall_from(accepted);
        }
    }

    fn holds(&self, now: Instant, falling: Falling) -> bool {
        if !self.proof.metered {
            return now.since(falling.since) >= self.proof.settle;
        }
        self.drawn.is_some_and(|(at, drawn)| {
            let settled = at.since(falling.since) >= self.proof.settle;
            let seen_to_fall = falling.was_above && at > falling.since;
            (settled || seen_to_fall) && drawn <= falling.highest.saturating_add(TOLERANCE)
        })
    }

    /// What it was drawing at most when it was last heard: its report, or the limit that came after it.
    fn at_most_lately(&self) -> Milliamps {
        let (at, reported) = self.drawn.unwrap_or_default();
        let newer = self.sent.filter(|sent| at < sent.first_at + self.proof.settle);
        newer.map_or(reported, |sent| sent.limit.max(reported))
    }

    fn calm(&self, now: Instant) -> bool {
        self.sent.is_none_or(|sent| now.since(sent.first_at) >= CALM)
    }

    /// Must an unanswered limit be said again? Asked once, it says so once.
    fn unanswered(&mut self, now: Instant) -> bool {
        let patience = self.proof.settle * REPEAT_AFTER_SETTLES;
        let Some(sent) = self.sent.as_mut().filter(|sent| sent.accepted.is_none() && sent.repeats == 0)
        else {
            return false;
        };
        let late = now.since(sent.at) >= patience;
        if late {
            sent.repeats = 1;
        }
        late
    }

    /// Must a charger that draws more than every limit since be told again? The second time it is beyond
    /// that.
    fn defies(&mut self, now: Instant) -> bool {
        let patience = self.proof.settle * REPEAT_AFTER_SETTLES;
        let drawn = self.drawn;
        let Some(falling) = &mut self.falling else { return false };
        let above = drawn.is_some_and(|(at, drawn)| {
            at > falling.since && drawn > falling.highest.saturating_add(TOLERANCE)
        });
        if !above || now.since(falling.told_again.unwrap_or(falling.since)) < patience {
            return false;
        }
        if falling.told_again.is_some() {
            self.obedience = Obedience::Disobeys;
            return false;
        }
        falling.told_again = Some(now);
        true
    }

    /// What lies in the past has been looked at; only a measurement can change it now.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        let settles = self.falling.map(|falling| falling.since + self.proof.settle);
        let unanswered = self.sent.filter(|sent| sent.accepted.is_none());
        let repeats = unanswered.map(|sent| sent.at + self.proof.settle * REPEAT_AFTER_SETTLES);
        let ahead = |at: Option<Instant>| at.filter(|&at| at > now);
        earliest(ahead(settles), ahead(repeats))
    }
}

/// Which decreases cannot wait: those on a line that would be over its limit if every car took what it was
/// last allowed, and all of them while a car waits for its first ampere.
struct Hurry<'a> {
    room: Room<'a>,
    somebody_waits: bool,
}

impl<'a> Hurry<'a> {
    fn new(site: &'a Site, snapshot: &'a Snapshot, allocation: &Allocation, ledger: &Ledger) -> Self {
        let waits = |charger: ChargerIx| {
            let target = allocation.grants[charger.0].limit;
            target >= site.charger(charger).min && ledger.entries[charger.0].last_limit() == Milliamps::ZERO
        };
        let allowed = |charger: ChargerIx| match snapshot.chargers[charger.0].demand {
            Demand::Reserved(current, _) => current,
            _ => ledger.entries[charger.0].last_limit(),
        };
        let somebody_waits = site.charger_indexes().any(waits);
        Self { room: Room::beside(site, snapshot, allowed), somebody_waits }
    }

    fn lowers(&self, charger: ChargerIx) -> bool {
        self.somebody_waits || self.room.of(charger) < Milliamps::ZERO
    }
}

/// What the ceilings leave free in every circuit, kept up to date while increases are given.
struct Room<'a> {
    site: &'a Site,
    snapshot: &'a Snapshot,
    free: Vec<PerLine<Milliamps>>,
    free_power: Vec<Option<Watts>>,
}

impl<'a> Room<'a> {
    fn new(now: Instant, site: &'a Site, snapshot: &'a Snapshot, ledger: &Ledger) -> Self {
        Self::beside(site, snapshot, |charger| ledger.worst(now, charger, site))
    }

    /// What is left beside other loads and what `current` says of each charger with a car.
    fn beside(site: &'a Site, snapshot: &'a Snapshot, current: impl Fn(ChargerIx) -> Milliamps) -> Self {
        let volts = |ix: usize| site.circuits()[ix].supply.volts_line_to_neutral();
        let free = snapshot.circuits.iter().map(|at| at.limit - at.other_load).collect();
        let free_power = snapshot.circuits.iter().enumerate().map(|(ix, at)| {
            let other: Watts = at.other_load.0.into_iter().map(|current| power(volts(ix), current)).sum();
            at.limit_power.map(|limit| limit - other)
        });
        let mut room = Self { site, snapshot, free, free_power: free_power.collect() };
        for charger in site.charger_indexes() {
            if !matches!(snapshot.chargers[charger.0].demand, Demand::Absent) {
                room.take(charger, current(charger));
            }
        }
        room
    }

    fn loads(&self, charger: ChargerIx) -> PerLine<bool> {
        self.site.charger(charger).wiring.loads(self.snapshot.chargers[charger.0].car_phases)
    }

    /// How much more this charger could get; negative where a circuit is over already.
    fn of(&self, charger: ChargerIx) -> Milliamps {
        let loads = self.loads(charger);
        self.site.path(charger).map(|circuit| self.of_circuit(circuit, loads)).min().unwrap_or_default()
    }

    fn of_circuit(&self, circuit: CircuitIx, loads: PerLine<bool>) -> Milliamps {
        let lines = Line::ALL.into_iter().filter(|&line| loads[line]);
        let by_line = lines.clone().map(|line| self.free[circuit.0][line]).min().unwrap_or_default();
        let Some(watts) = self.free_power[circuit.0] else { return by_line };
        let volts = self.site.circuit(circuit).supply.volts_line_to_neutral();
        let per_amp = i64::from(volts.0) * lines.count() as i64;
        let by_power = watts.0.saturating_mul(1_000_000) / per_amp.max(1);
        by_line.min(Milliamps(i32::try_from(by_power).unwrap_or(i32::MAX)))
    }

    fn take(&mut self, charger: ChargerIx, current: Milliamps) {
        let loads = self.loads(charger);
        for circuit in self.site.path(charger) {
            let volts = self.site.circuit(circuit).supply.volts_line_to_neutral();
            for line in Line::ALL.into_iter().filter(|&line| loads[line]) {
                self.free[circuit.0][line] -= current;
                if let Some(watts) = &mut self.free_power[circuit.0] {
                    *watts -= power(volts, current);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
