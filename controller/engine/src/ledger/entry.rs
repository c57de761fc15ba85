//! One charger's promise: the highest limit possibly in force, and whether a lower one can be believed.

use super::{Fallback, Obedience, Proof};
use crate::load::Span;
use crate::time::{Duration, Instant, earliest};
use crate::units::Milliamps;

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// No limit possibly in force allows more than this.
    pub(super) ceiling: Milliamps,
    /// The way down from the ceiling, while one is under way.
    pub(super) falling: Option<Falling>,
    pub(super) sent: Option<Sent>,
    pub(super) proof: Proof,
    pub(super) fallback: Option<Fallback>,
    pub(super) reach: Reach,
    pub(super) obedience: Obedience,
    /// Its last measured current, largest phase, and when it was taken.
    pub(super) drawn: Option<(Instant, Milliamps)>,
    least_lately: LeastLately,
    /// Its car draws clearly less than that: it has enough, and a higher limit is no reason to draw more.
    has_enough: bool,
}

/// A limit below the ceiling was accepted; the ceiling comes down when that has had its effect. Limits
/// that are sent in between neither begin the wait anew nor are forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Falling {
    pub(super) since: Instant,
    /// The highest limit sent since then.
    pub(super) highest: Milliamps,
    /// What flowed was above that limit: then its fall is the proof, and nobody need wait.
    pub(super) was_above: bool,
    /// It was told again, because it draws more.
    pub(super) told_again: Option<Instant>,
    /// The last report since then that was still above that limit.
    pub(super) still_above: Option<Instant>,
}

/// The smallest limit of late. Limits may follow each other so closely that none is ever old enough to have surely taken
/// effect; the smallest of a whole settle time has.
#[derive(Clone, Copy, Debug, Default)]
struct LeastLately {
    /// In the span of time that is under way, and in the one before it; each lasts a settle time or more.
    now: Milliamps,
    before: Milliamps,
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) limit: Milliamps,
    pub(super) first_at: Instant,
    pub(super) at: Instant,
    pub(super) accepted: Option<Instant>,
    pub(super) confirmed: bool,
    pub(super) repeats: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Online,
    OfflineSince(Instant),
}

/// A metered current may lie this much above its limit and still be called obedient: the error of a
/// class 1 meter at 32 A, and the overshoot that IEC 61851-1 leaves a car.
const TOLERANCE: Milliamps = Milliamps(700);

/// Beyond that, limits in watts let the current drift by one part in so many as the voltage sags.
const DRIFT: i32 = 16;

/// A limit that neither safety nor a waiting car asks for is changed no more often than this: cars, chargers
/// and their flash live longer, and the difference is a fraction of an ampere.
pub(super) const CALM: Duration = Duration::from_secs(5);

/// A car that draws less than three quarters of its limit is not held back by it, whatever rounds and errs.
const ENOUGH: (i32, i32) = (3, 4);

/// An unconfirmed limit is sent once more after this many settle times.
const REPEAT_AFTER_SETTLES: u32 = 2;

impl Entry {
    pub(super) fn unknown(rating: Milliamps, now: Instant) -> Self {
        Self {
            ceiling: rating,
            falling: None,
            sent: None,
            proof: Proof { metered: true, settle: Duration::from_secs(10) },
            fallback: None,
            reach: Reach::OfflineSince(now),
            obedience: Obedience::Obeys,
            drawn: None,
            least_lately: LeastLately::default(),
            has_enough: false,
        }
    }

    /// In reach, told nothing so far, and seen to draw this.
    pub(super) fn drawing(current: Milliamps, now: Instant) -> Self {
        let long_ago = Instant::default();
        let (limit, accepted) = (Milliamps::ZERO, Some(long_ago));
        let sent = Sent { limit, first_at: long_ago, at: long_ago, accepted, confirmed: false, repeats: 0 };
        let mut entry = Self { reach: Reach::Online, sent: Some(sent), ..Self::unknown(current, now) };
        entry.drawn = Some((now, current));
        entry.fall_from(now);
        entry
    }

    /// The most that it may draw at `now`, with a car connected.
    pub(super) fn worst(&self, now: Instant, rating: Milliamps) -> Milliamps {
        let drawn = self.drawn.map_or(Milliamps::ZERO, |(_, drawn)| drawn);
        match self.reach {
            Reach::Online if self.obedience == Obedience::Obeys => self.ceiling.min(rating),
            // One that is known to disobey counts at what it draws.
            Reach::Online => self.ceiling.max(drawn),
            Reach::OfflineSince(since) => match self.fallback {
                None => rating,
                Some(fallback) if now.since(since) >= fallback.after => fallback.current,
                Some(fallback) => self.ceiling.max(fallback.current).min(rating),
            },
        }
    }

    pub(super) fn span(&self, now: Instant, rating: Milliamps, reported: Option<Milliamps>) -> Span {
        let worst = self.worst(now, rating);
        if self.reach != Reach::Online {
            // It may go on as it was, or stop. More than that is not taken off what the meter shows: its
            // worst case is set aside beside it.
            let most = self.at_most_lately().min(worst);
            return Span { least: Milliamps::ZERO, most, rising: Milliamps::ZERO };
        }
        let (Some(reported), Some((at, _))) = (reported, self.drawn) else {
            return Span::towards(Milliamps::ZERO, worst);
        };
        match self.sent {
            Some(sent) if self.has_enough && sent.limit >= reported => Span::exactly(reported),
            Some(sent) if at < sent.first_at + self.proof.settle => {
                Span::towards(reported, sent.limit.min(worst))
            }
            _ => Span::exactly(reported),
        }
    }

    pub(super) fn last_limit(&self) -> Milliamps {
        self.sent.map_or(Milliamps::ZERO, |sent| sent.limit)
    }

    pub(super) fn send(&mut self, now: Instant, limit: Milliamps) {
        let ceiling = self.ceiling;
        // The wait for a rise to have its effect is no fall: a lower limit begins one of its own.
        let falls = |falling: &Falling| falling.highest < ceiling || falling.still_above.is_some();
        // Nor does a rise explain what was drawn before it: who is above the new limit as well, is still watched.
        let drawn = self.drawn.map_or(Milliamps::ZERO, |(_, drawn)| drawn);
        let exceeds =
            |falling: &Falling| falling.still_above.is_some() && drawn > limit.saturating_add(TOLERANCE);
        self.falling = self.falling.filter(|falling| (limit < ceiling && falls(falling)) || exceeds(falling));
        if let Some(falling) = &mut self.falling {
            falling.highest = falling.highest.max(limit);
        }
        self.ceiling = self.ceiling.max(limit);
        self.least_lately.now = self.least_lately.now.min(limit);
        let sent = Sent { limit, first_at: now, at: now, accepted: None, confirmed: false, repeats: 0 };
        self.sent = Some(sent);
    }

    /// The limit that was last sent is in the charger: what is above it is on its way out.
    pub(super) fn fall_from(&mut self, now: Instant) {
        let limit = self.last_limit();
        if self.falling.is_none() && limit <= self.ceiling {
            let drawn = self.drawn.map_or(Milliamps::ZERO, |(_, drawn)| drawn);
            let was_above = drawn > limit.saturating_add(TOLERANCE);
            self.falling =
                Some(Falling { since: now, highest: limit, was_above, told_again: None, still_above: None });
        }
    }

    /// Looks whether a lower ceiling can be believed by now. Where the charger's own reports have shown a fall:
    /// how long it went on drawing more.
    pub(super) fn judge(&mut self, now: Instant) -> Option<Duration> {
        let falling = self.falling.filter(|falling| self.holds(now, *falling))?;
        self.ceiling = falling.highest;
        self.falling = None;
        let seen = self.proof.metered && falling.was_above && falling.told_again.is_none();
        let drew_more = falling.still_above.map_or(Duration::ZERO, |at| at.since(falling.since));
        self.believe(falling);
        seen.then_some(drew_more)
    }

    fn believe(&mut self, falling: Falling) {
        let Some(sent) = &mut self.sent else { return };
        self.obedience = Obedience::Obeys;
        if sent.limit == falling.highest {
            sent.confirmed = true;
        } else if let Some(accepted) = sent.accepted {
            self.fall_from(accepted);
        }
    }

    /// A measurement of the most loaded phase.
    pub(super) fn measured(&mut self, at: Instant, largest: Milliamps) -> Option<Duration> {
        self.drawn = Some((at, largest));
        self.note_appetite(at, largest);
        self.find_out(at, largest);
        if let Some(falling) = &mut self.falling
            && at > falling.since
            && largest > falling.highest.saturating_add(TOLERANCE)
        {
            falling.still_above = Some(at);
        }
        self.judge(at)
    }

    /// What is drawn counts, whatever was told. A car that drew nothing has confirmed any limit: when it draws more than
    /// that later on, the charger does not obey, or has forgotten; it is told again at once, and then has no other chance.
    fn find_out(&mut self, at: Instant, largest: Milliamps) {
        let allowed =
            self.ceiling.saturating_add(TOLERANCE).saturating_add(Milliamps(self.ceiling.0 / DRIFT));
        let Some(sent) = self.sent.as_mut().filter(|sent| at >= sent.first_at + self.proof.settle) else {
            return;
        };
        if !self.proof.metered || largest <= allowed {
            return;
        }
        self.ceiling = largest;
        if self.falling.is_some() {
            return;
        }
        (sent.confirmed, sent.accepted, sent.repeats) = (false, None, 0);
        let (highest, told_again) = (sent.limit, Some(at));
        self.falling = Some(Falling { since: at, highest, was_above: true, told_again, still_above: None });
    }

    fn note_appetite(&mut self, at: Instant, largest: Milliamps) {
        let settled = self.sent.filter(|sent| at >= sent.first_at + self.proof.settle);
        let limit = self.last_limit();
        if settled.is_some() {
            self.least_lately = LeastLately { now: limit, before: limit, since: at };
        } else if at >= self.least_lately.since + self.proof.settle {
            self.least_lately = LeastLately { now: limit, before: self.least_lately.now, since: at };
        }
        let (part, whole) = ENOUGH;
        let LeastLately { now, before, .. } = self.least_lately;
        self.has_enough = largest < Milliamps(now.min(before).0 / whole * part);
    }

    /// Nothing is known of a car that comes, or of a charger that was away.
    pub(super) fn forget_appetite(&mut self) {
        let nothing = LeastLately { now: Milliamps::ZERO, before: Milliamps::ZERO, ..self.least_lately };
        (self.least_lately, self.has_enough) = (nothing, false);
    }

    pub(super) fn holds(&self, now: Instant, falling: Falling) -> bool {
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
    pub(super) fn at_most_lately(&self) -> Milliamps {
        let (at, reported) = self.drawn.unwrap_or_default();
        let newer = self.sent.filter(|sent| at < sent.first_at + self.proof.settle);
        newer.map_or(reported, |sent| sent.limit.max(reported))
    }

    pub(super) fn calm(&self, now: Instant, calm: Duration) -> bool {
        self.sent.is_none_or(|sent| now.since(sent.first_at) >= calm)
    }

    /// Must an unanswered limit be said again? Asked once, it says so once.
    pub(super) fn unanswered(&mut self, now: Instant) -> bool {
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
    pub(super) fn defies(&mut self, now: Instant) -> bool {
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
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let settles = self.falling.map(|falling| falling.since + self.proof.settle);
        let unanswered = self.sent.filter(|sent| sent.accepted.is_none());
        let repeats = unanswered.map(|sent| sent.at + self.proof.settle * REPEAT_AFTER_SETTLES);
        let ahead = |at: Option<Instant>| at.filter(|&at| at > now);
        earliest(ahead(settles), ahead(repeats))
    }
}
