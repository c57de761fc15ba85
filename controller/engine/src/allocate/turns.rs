//! What is remembered of each charger from decision to decision: whose turn it is.
//!
//! Where there is not enough for everybody's minimum, cars take turns. Who has been served least, in
//! ampere-hours offered per unit of weight, is next. What counts is what was offered, not what was
//! drawn: a car that leaves its turn unused has had it.
//!
//! A turn is not ended before [`MIN_ON`] and a charger that was switched off stays off for [`MIN_OFF`],
//! to spare contactors and cars that give up after a few interruptions. Lack of capacity and a higher
//! priority class end a turn at once; nothing shortens the rest.

use crate::site::Charger;
use crate::snapshot::{ChargerState, Demand};
use crate::time::{Duration, Instant};
use crate::units::Milliamps;

/// How long a charger that was switched on keeps its place against others of its class.
pub const MIN_ON: Duration = Duration::from_secs(10 * 60);
/// How long a charger that was switched off while its car wanted more stays off.
pub const MIN_OFF: Duration = Duration::from_secs(3 * 60);
/// How far the car that charges may get ahead of the one that waits, in time at its minimum. Two cars
/// that share one place change over every two turns.
pub const TURN: Duration = Duration::from_secs(15 * 60);
/// A car that has waited this long and needs several lines at once may have freed lines kept for it.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// A car that wants nothing and has been left without standby for this long gets a turn, so that it can
/// show whether it has changed its mind.
pub const KNOCK_AFTER: Duration = Duration::from_secs(30 * 60);
/// How long such a turn lasts.
pub const KNOCK_FOR: Duration = Duration::from_secs(2 * 60);
/// Nobody's past counts for more than this many turns, so that a car which had a site for itself all
/// morning does not wait all afternoon.
const LEAD_MAX_TURNS: f64 = 4.0;

/// A car follows what it is offered within this time (IEC 61851-1): a grant that is taken back sooner has switched
/// nothing on. Whoever comes with a car that is drawing already, before it can be told anything, has one such.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(5);

/// A current on any line from which on a charger that nothing is known of counts as running.
const RUNNING: Milliamps = Milliamps(1000);

/// One charger's past.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Turn {
    /// What the last decision gave, and when.
    granted: i64,
    decided: Option<Instant>,
    /// When it was last switched on or off.
    started: Option<Instant>,
    stopped: Option<Instant>,
    /// It was on for long enough to count, or has had its one grant that was not.
    has_run: bool,
    /// Since when it wants and has nothing.
    waits: Option<Instant>,
    /// Since when its idle car has been without standby, and until when it is given a chance to wake.
    dark: Option<Instant>,
    knocks_until: Option<Instant>,
    /// Milliampere-seconds offered so far per unit of weight; `None` before the first wish.
    served: Option<f64>,
    /// The most that its car has been known to need, in milliampere-seconds of limit.
    asked: f64,
}

/// Does a charger keep its place?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// It was switched on less than [`MIN_ON`] ago.
    Kept,
    /// It is open to whoever comes first.
    Open,
}

impl Turn {
    /// Brings the past up to `now`, before the decision. Returns the demand to decide on.
    pub(super) fn advance(&mut self, charger: &Charger, state: &ChargerState, now: Instant) -> Demand {
        if let (Some(served), Some(decided)) = (&mut self.served, self.decided) {
            *served += self.granted as f64 * now.since(decided).as_secs_f64() / charger.weight;
        } else if self.decided.is_none() && self.granted == 0 {
            let flows = state.drawn.is_some_and(|drawn| drawn.0.into_iter().any(|line| line >= RUNNING));
            self.granted = if flows { i64::from(charger.min.0) } else { 0 };
        }
        self.decided = Some(now);
        if state.demand == Demand::Absent {
            *self = Self { decided: self.decided, ..Self::default() };
        }
        if state.demand == Demand::Idle && self.knocks(now) {
            return Demand::Wants(charger.min);
        }
        state.demand
    }

    /// Is it time to see whether an idle car has woken up?
    fn knocks(&mut self, now: Instant) -> bool {
        if self.knocks_until.is_some_and(|until| until <= now) {
            (self.knocks_until, self.dark) = (None, None);
        }
        self.knocks_until.is_some() || self.dark.is_some_and(|dark| now.since(dark) >= KNOCK_AFTER)
    }

    /// Writes down the decision. `seen`: what the site reported; `demand`: what was decided on.
    pub(super) fn decided(&mut self, seen: Demand, demand: Demand, given: i64, now: Instant) {
        let wants = matches!(demand, Demand::Wants(_));
        let was_on = self.granted > 0;
        self.granted = given;
        if wants && given > 0 && !(was_on && self.started.is_some()) {
            // A charger found running when everything began has had its minimum time.
            self.started = if was_on { Some(now - MIN_ON) } else { Some(now) };
        }
        if given == 0 {
            if wants && was_on {
                self.switched_off(now);
            }
            self.started = None;
        }
        self.waits = if wants && given == 0 { self.waits.or(Some(now)) } else { None };
        if seen != Demand::Idle {
            (self.dark, self.knocks_until) = (None, None);
        } else if wants && given > 0 {
            self.knocks_until = self.knocks_until.or(Some(now + KNOCK_FOR));
        } else if given > 0 {
            self.dark = None;
        } else {
            self.dark = self.dark.or(Some(now));
        }
    }

    fn switched_off(&mut self, now: Instant) {
        let lasted = self.started.is_none_or(|started| now.since(started) >= FOLLOWED_WITHIN);
        if lasted || self.has_run {
            self.stopped = Some(now);
        }
        self.has_run = true;
    }

    /// What the last decision gave, in milliamperes.
    pub(super) const fn granted(&self) -> i64 {
        self.granted
    }

    pub(super) const fn on(&self) -> bool {
        self.granted > 0
    }

    pub(super) fn place(&self, now: Instant) -> Place {
        match self.started {
            Some(started) if self.on() && now.since(started) < MIN_ON => Place::Kept,
            _ => Place::Open,
        }
    }

    /// Must it stay off for now?
    pub(super) fn rests(&self, now: Instant) -> bool {
        !self.on() && self.stopped.is_some_and(|stopped| now.since(stopped) < MIN_OFF)
    }

    pub(super) fn out_of_patience(&self, now: Instant) -> bool {
        self.waits.is_some_and(|waits| now.since(waits) >= PATIENCE)
    }

    pub(super) const fn waits(&self) -> Option<Instant> {
        self.waits
    }

    /// The most that its car has been known to need since it came, in milliampere-seconds of limit.
    pub(super) const fn asked(&self) -> f64 {
        self.asked
    }

    pub(super) const fn needs(&mut self, need: f64) {
        self.asked = self.asked.max(need);
    }

    pub(super) const fn served(&self) -> Option<f64> {
        self.served
    }

    /// Who is new starts level with the one served least; who is far ahead is brought nearer.
    pub(super) fn level_with(&mut self, least: f64, charger: &Charger) {
        let lead = LEAD_MAX_TURNS * turn_of(charger);
        let served = self.served.unwrap_or(least);
        self.served = Some(served.clamp(least, least + lead));
    }

    /// The order of turns: smaller is sooner. Whoever runs has a bonus, so that places are not swapped
    /// for a trifle.
    pub(super) fn due(&self, charger: &Charger) -> f64 {
        let bonus = if self.on() { turn_of(charger) } else { 0.0 };
        self.served.unwrap_or(0.0) - bonus
    }
}

/// What a turn at the minimum is worth, in milliampere-seconds per unit of weight.
fn turn_of(charger: &Charger) -> f64 {
    f64::from(charger.min.0) * TURN.as_secs_f64() / charger.weight
}
