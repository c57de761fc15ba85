//! The timers of EREC G100 (Great Britain, Issue 2): an excursion above the agreed limit that lasts longer than
//! 15 s is counted; one of 60 s, two counted within ten minutes or more than three within a day lock the chargers
//! out, until somebody who may do so resets it. Lockout and counts outlive a restart.

use crate::time::{Duration, Instant, WallTime};

/// A counted excursion: when, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    at: Instant,
    wall: Option<WallTime>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    counted: Vec<Counted>,
    /// This excursion is among the counted.
    current: bool,
    locked_out: bool,
    changed: bool,
}

/// What must be known after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub locked_out: bool,
    /// Counted excursions; the time is unknown where the calendar was.
    pub counted: Vec<Option<WallTime>>,
}

pub(super) const COUNTED_AFTER: Duration = Duration::from_secs(15);
const LOCKS_AFTER: Duration = Duration::from_secs(60);
const PAIR_WITHIN: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MOST_A_DAY: usize = 3;

impl Timers {
    pub(super) fn remembered(memory: &Memory, now: Instant) -> Self {
        // When it happened is told by the calendar; without one it counts as if it had been just now.
        let counted = memory.counted.iter().rev().take(MOST_A_DAY).rev();
        let counted = counted.map(|&wall| Counted { at: now, wall }).collect();
        Self { counted, current: false, locked_out: memory.locked_out, changed: false }
    }

    /// An excursion began at `since` (`None`: there is none) and still lasts at `now`.
    pub(super) fn look(&mut self, now: Instant, wall: Option<WallTime>, since: Option<Instant>) {
        let Some(since) = since else {
            self.current = false;
            return;
        };
        let lasts = now.since(since);
        if lasts > COUNTED_AFTER && !self.current {
            self.current = true;
            self.counted.retain(|counted| counted.age(now, wall) <= DAY);
            self.counted.push(Counted { at: now, wall });
            self.changed = true;
        }
        if lasts >= LOCKS_AFTER || self.too_many(now, wall) {
            self.changed |= !self.locked_out;
            self.locked_out = true;
        }
    }

    fn too_many(&self, now: Instant, wall: Option<WallTime>) -> bool {
        let within = |span| self.counted.iter().filter(|counted| counted.age(now, wall) <= span).count();
        self.current && (within(PAIR_WITHIN) >= 2 || within(DAY) > MOST_A_DAY)
    }

    pub(super) const fn locked_out(&self) -> bool {
        self.locked_out
    }

    pub(super) fn reset(&mut self) {
        *self = Self { changed: true, ..Self::default() };
    }

    /// The next point in time at which an excursion that began at `since` changes something.
    pub(super) fn deadline(&self, since: Instant) -> Option<Instant> {
        match (self.locked_out, self.current) {
            (true, _) => None,
            (false, true) => Some(since + LOCKS_AFTER),
            (false, false) => Some(since + COUNTED_AFTER + Duration::from_millis(1)),
        }
    }

    /// What must be kept, if it has changed.
    pub(super) fn take_memory(&mut self) -> Option<Memory> {
        core::mem::take(&mut self.changed).then(|| Memory {
            locked_out: self.locked_out,
            counted: self.counted.iter().map(|counted| counted.wall).collect(),
        })
    }
}

impl Counted {
    fn age(self, now: Instant, wall: Option<WallTime>) -> Duration {
        let by_calendar = wall.zip(self.wall).map(|(wall, then)| {
            Duration::from_millis(u64::try_from(wall.0.saturating_sub(then.0)).unwrap_or_default())
        });
        by_calendar.unwrap_or_else(|| now.since(self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn wall(seconds: u64) -> Option<WallTime> {
        Some(WallTime(1_772_438_400_000 + i64::try_from(seconds).unwrap_or_default() * 1000))
    }

    fn excursion(timers: &mut Timers, from: u64, lasts: u64) {
        for second in from..=from + lasts {
            timers.look(at(second), wall(second), Some(at(from)));
        }
        timers.look(at(from + lasts), wall(from + lasts), None);
    }

    #[test]
    fn a_short_excursion_counts_for_nothing() {
        let mut timers = Timers::default();
        for round in 0..20 {
            excursion(&mut timers, round * 30, 15);
        }
        assert!(!timers.locked_out());
        assert_eq!(timers.take_memory(), None);
    }

    #[test]
    fn a_minute_locks_out() {
        let mut timers = Timers::default();
        excursion(&mut timers, 0, 59);
        assert!(!timers.locked_out());
        excursion(&mut timers, 7_200, 60);
        assert!(timers.locked_out());
    }

    #[test]
    fn two_counted_ones_within_ten_minutes_lock_out_and_two_within_the_hour_do_not() {
        let mut timers = Timers::default();
        excursion(&mut timers, 0, 16);
        excursion(&mut timers, 3_000, 16);
        assert!(!timers.locked_out());
        excursion(&mut timers, 3_500, 16);
        assert!(timers.locked_out());
    }

    #[test]
    fn the_fourth_of_a_day_locks_out() {
        let mut timers = Timers::default();
        for hour in 0..3 {
            excursion(&mut timers, hour * 3_600, 16);
        }
        assert!(!timers.locked_out());
        excursion(&mut timers, 3 * 3_600, 16);
        assert!(timers.locked_out());
    }

    #[test]
    fn a_restart_forgets_neither_the_lockout_nor_what_was_counted() {
        let mut timers = Timers::default();
        excursion(&mut timers, 0, 16);
        let memory = timers.take_memory().unwrap_or_default();
        let mut restarted = Timers::remembered(&memory, at(10));
        excursion(&mut restarted, 300, 16);
        assert!(restarted.locked_out());
        let memory = restarted.take_memory().unwrap_or_default();
        let mut again = Timers::remembered(&memory, at(0));
        assert!(again.locked_out());
        again.reset();
        assert!(!again.locked_out());
        assert_eq!(again.take_memory(), Some(Memory::default()));
    }

    #[test]
    fn without_a_calendar_what_was_counted_before_the_restart_counts_as_just_now() {
        let memory = Memory { locked_out: false, counted: vec![wall(0)] };
        let mut timers = Timers::remembered(&memory, at(0));
        for second in 0..20 {
            timers.look(at(second), None, Some(at(0)));
        }
        assert!(timers.locked_out());
    }
}
