//! The guard of one line: its overload clock, the overload that lasts, and what is held back for it.

use super::clock::Clock;
use super::device::Protection;
use super::{Hold, Rule, Spell, beyond_error};
use crate::lines::Line;
use crate::site::CircuitIx;
use crate::time::{Duration, Instant, WallTime, earliest};
use crate::units::Milliamps;

/// What this line goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) protection: Protection,
    /// A utility counts the seconds.
    pub(super) hurries: bool,
    pub(super) give_after: Duration,
}

#[derive(Clone, Debug, Default)]
pub(super) struct LineGuard {
    clock: Clock,
    limit: Milliamps,
    other: Milliamps,
    hold: Option<Hold>,
    spell: Option<Running>,
    /// The excess has been waited for since.
    waited_since: Option<Instant>,
    give_at: Option<Instant>,
    above_agreed_since: Option<Instant>,
}

/// An overload that lasts.
#[derive(Clone, Copy, Debug)]
struct Running {
    began: Instant,
    wall: Option<WallTime>,
    peak: Milliamps,
    limit: Milliamps,
    spent: f64,
    answered: Option<Duration>,
    below_since: Option<Instant>,
}

/// An overload that is over, on a line that does not know its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(Running, Instant);

/// IEC 61851-1 leaves a car five seconds to follow a lower limit, and slow chargers take as long to pass it on.
/// Shorter than what a utility's rules allow an excess to last (15 s in G100).
pub const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);
/// Where a utility counts to fifteen.
const HURRIED_WITHIN: Duration = Duration::from_secs(5);
/// No charger and car are faster than this.
const FOLLOWED_SOONEST: Duration = Duration::from_secs(1);
/// Cars may use up this share of the time that the protective device leaves.
const SHARE_FOR_CARS: u32 = 4;
/// From this share of the device's time on chargers get nothing.
const EVERYTHING_AT: f64 = 0.5;
/// A line that flickers about its limit has one overload and not hundreds.
const OVER_AFTER: Duration = Duration::from_secs(1);
/// A step of giving back: at least this, or an eighth of the limit.
const STEP_LEAST: Milliamps = Milliamps(3_000);
const STEPS: i32 = 8;

impl LineGuard {
    pub(super) fn saw(
        &mut self,
        (now, wall): (Instant, Option<WallTime>),
        current: Milliamps,
        (limit, other): (Milliamps, Milliamps),
        rules: &Rules,
    ) {
        (self.limit, self.other) = (limit, other);
        self.clock.saw(now, current, rules.protection);
        if current > limit {
            self.exceeds((now, wall), current, rules);
        } else {
            self.is_below(now, rules);
        }
    }

    /// Is this more than what the utility was promised?
    pub(super) fn compare(&mut self, now: Instant, current: Milliamps, agreed: Milliamps) {
        let since = self.above_agreed_since.unwrap_or(now);
        self.above_agreed_since = (current > agreed).then_some(since);
    }

    fn exceeds(&mut self, (now, wall): (Instant, Option<WallTime>), current: Milliamps, rules: &Rules) {
        let spent = self.clock.spent(now, rules.protection);
        let limit = self.limit;
        let fresh =
            Running { began: now, wall, peak: current, limit, spent, answered: None, below_since: None };
        let spell = self.spell.get_or_insert(fresh);
        spell.below_since = None;
        spell.peak = spell.peak.max(current);
        self.give_at = None;
        self.hold_back(self.other, Rule::Breach);
        let since = *self.waited_since.get_or_insert(now);
        if now.since(since) >= self.patience(now, rules) {
            self.waited_since = Some(now);
            let held = self.hold.map_or(self.other, |hold| hold.current.max(self.other));
            self.hold_back(held.saturating_add(current.saturating_sub(limit)), Rule::Outlasts);
        }
    }

    fn is_below(&mut self, now: Instant, rules: &Rules) {
        self.waited_since = None;
        if let Some(spell) = &mut self.spell {
            spell.below_since.get_or_insert(now);
        }
        if self.hold.is_some() {
            self.give_at.get_or_insert(now + rules.give_after);
        }
    }

    /// How long cars may take to follow before an excess is not theirs.
    fn patience(&self, now: Instant, rules: &Rules) -> Duration {
        let usual = if rules.hurries { HURRIED_WITHIN } else { FOLLOWED_WITHIN };
        let trip = self.clock.spent_at(1.0, rules.protection).map(|at| at.since(now) / SHARE_FOR_CARS);
        trip.map_or(usual, |trip| trip.clamp(FOLLOWED_SOONEST, usual))
    }

    fn hold_back(&mut self, current: Milliamps, rule: Rule) {
        let current = current.min(self.limit);
        let before = self.hold.filter(|hold| hold.current >= current);
        let rule = self.hold.map_or(rule, |hold| hold.rule.max(rule));
        self.hold = Some(before.unwrap_or(Hold { current, rule }));
    }

    /// What time alone changes; the overload that is over by now.
    pub(super) fn look(&mut self, now: Instant, rules: &Rules) -> Option<Ended> {
        if self.is_over() {
            self.watch_device(now, rules);
        }
        self.give_back(now, rules);
        self.end(now)
    }

    fn watch_device(&mut self, now: Instant, rules: &Rules) {
        let spent = self.clock.spent(now, rules.protection);
        if let Some(spell) = &mut self.spell {
            spell.spent = spell.spent.max(spent);
        }
        if spent >= EVERYTHING_AT {
            self.hold_back(self.limit, Rule::DeviceTime);
        }
    }

    fn give_back(&mut self, now: Instant, rules: &Rules) {
        let (Some(hold), Some(due)) = (&mut self.hold, self.give_at) else { return };
        if now < due {
            return;
        }
        let step = STEP_LEAST.max(Milliamps(self.limit.0 / STEPS));
        hold.current = hold.current.saturating_sub(step);
        hold.rule = Rule::Breach;
        self.give_at = Some(now + rules.give_after / 2);
        if hold.current <= self.other {
            self.hold = None;
            self.give_at = None;
        }
    }

    fn end(&mut self, now: Instant) -> Option<Ended> {
        let below_since = self.spell?.below_since?;
        if now.since(below_since) < OVER_AFTER {
            return None;
        }
        Some(Ended(self.spell.take()?, below_since))
    }

    pub(super) fn deadline(&self, rules: &Rules) -> Option<Instant> {
        let ends = self.spell.and_then(|spell| spell.below_since).map(|since| since + OVER_AFTER);
        let all_held = self.hold.is_some_and(|hold| hold.current >= self.limit);
        let device = self.spent_at(EVERYTHING_AT, rules).filter(|_| self.is_over() && !all_held);
        earliest(earliest(ends, device), self.give_at)
    }

    pub(super) const fn limit(&self) -> Milliamps {
        self.limit
    }

    pub(super) const fn hold(&self) -> Option<Hold> {
        self.hold
    }

    pub(super) fn is_over(&self) -> bool {
        self.spell.is_some_and(|spell| spell.below_since.is_none())
    }

    pub(super) fn over_since(&self) -> Option<Instant> {
        self.spell.map(|spell| spell.began)
    }

    /// Since when an overload lasts that a meter can tell from the limit.
    pub(super) fn overload(&self) -> Option<Instant> {
        self.spell.filter(|spell| beyond_error(spell.peak, spell.limit)).map(|spell| spell.began)
    }

    pub(super) const fn above_agreed_since(&self) -> Option<Instant> {
        self.above_agreed_since
    }

    pub(super) fn spent(&self, now: Instant, rules: &Rules) -> f64 {
        self.clock.spent(now, rules.protection)
    }

    pub(super) fn spent_at(&self, share: f64, rules: &Rules) -> Option<Instant> {
        self.clock.spent_at(share, rules.protection)
    }

    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(spell) = &mut self.spell {
            spell.answered.get_or_insert(now.since(spell.began));
        }
    }
}

impl Ended {
    pub(super) fn named(self, circuit: CircuitIx, line: Line) -> Spell {
        let Self(Running { began, wall, peak, limit, spent, answered, .. }, ended) = self;
        Spell { circuit, line, began, wall, lasted: ended.since(began), peak, limit, spent, answered }
    }
}
