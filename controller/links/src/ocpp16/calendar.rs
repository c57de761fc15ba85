//! Wall time for messages, and how far a charger's own clock is off.
//!
//! The wall clock may be unknown after a boot without network. Then [`Calendar::told`] gives a time
//! that at least runs forward, because OCPP has no word for "I do not know".

use dlb_engine::time::{Duration, Instant, WallTime};

/// Told to chargers while the box does not know better: 2026-01-01T00:00:00Z.
const EPOCH_OF_THE_CLOCKLESS: WallTime = WallTime(1_767_225_600_000);

/// Wall time at any instant, from the last time that it was known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calendar {
    known: Option<(Instant, WallTime)>,
}

impl Calendar {
    pub fn note(&mut self, now: Instant, wall: Option<WallTime>) {
        if let Some(wall) = wall {
            self.known = Some((now, wall));
        }
    }

    #[must_use]
    pub fn wall(&self, now: Instant) -> Option<WallTime> {
        self.known.map(|(at, wall)| wall + now.since(at))
    }

    /// What to tell a charger: the wall time, or one made up that only runs forward.
    #[must_use]
    pub fn told(&self, now: Instant) -> WallTime {
        self.wall(now).unwrap_or(EPOCH_OF_THE_CLOCKLESS + now.since(Instant::default()))
    }
}

/// What a charger's clock shows that follows what it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToldTime {
    last: Option<(Instant, WallTime)>,
}

/// A clock that differs by more from what it should have become was set.
const SET: Duration = Duration::from_secs(2);

impl ToldTime {
    /// The charger is told this. True: its clock shows something else from now on.
    pub fn tell(&mut self, now: Instant, told: WallTime) -> bool {
        let due = self.at(now);
        self.last = Some((now, told));
        due.is_some_and(|due| u128::from(told.0.abs_diff(due.0)) > SET.as_millis())
    }

    #[must_use]
    pub fn at(&self, now: Instant) -> Option<WallTime> {
        self.last.map(|(then, told)| told + now.since(then))
    }
}

/// How far behind a charger's clock is, from the timestamps of its messages.
///
/// A message may be late (kept while offline) or the clock may be wrong. Lateness varies and an error
/// of the clock does not, so the smallest age seen over a while is the error.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChargerClock {
    window: Option<(Instant, i64)>,
    previous: Option<i64>,
}

/// Timestamps that are off by less than this are good as they are.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(300);

impl ChargerClock {
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Age of what was stamped `stamp`, as well as it can be known. `None`: it is out of date.
    pub fn age(&mut self, now: Instant, wall: Option<WallTime>, stamp: Option<WallTime>) -> Option<Duration> {
        let (Some(wall), Some(stamp)) = (wall, stamp) else {
            return Some(Duration::ZERO);
        };
        let age = wall.0.saturating_sub(stamp.0);
        self.observe(now, age);
        let tolerance = CLOCK_TOLERANCE.as_millis() as i64;
        let corrected = age.saturating_sub(self.error().unwrap_or(0));
        let trusted = [age, corrected].into_iter().find(|age| age.abs() <= tolerance)?;
        Some(Duration::from_millis(u64::try_from(trusted).unwrap_or(0)))
    }

    /// Milliseconds that the charger's clock is behind; known after one full window.
    #[must_use]
    pub fn error(&self) -> Option<i64> {
        let (_, least) = self.window?;
        self.previous.map(|previous| previous.min(least))
    }

    fn observe(&mut self, now: Instant, age: i64) {
        match &mut self.window {
            Some((since, least)) if now.since(*since) < WINDOW => *least = age.min(*least),
            window => {
                self.previous = window.map(|(_, least)| least);
                *window = Some((now, age));
            }
        }
    }
}

/// `2026-03-04T05:06:07Z`; fractions of a second are left out, as some chargers cannot read them.
#[must_use]
pub fn write_time(time: WallTime) -> String {
    let seconds = time.0.div_euclid(1000).clamp(0, 253_402_300_799);
    jiff::Timestamp::from_second(seconds).map(|stamp| stamp.to_string()).unwrap_or_default()
}

/// Reads what chargers send as a time. Without an offset it is taken as UTC, as OCPP recommends.
#[must_use]
pub fn read_time(text: &str) -> Option<WallTime> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(WallTime(stamp.as_millisecond()));
    }
    let civil: jiff::civil::DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
    let stamp = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
    Some(WallTime(stamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: WallTime = WallTime(1_772_625_600_000);

    fn age(clock: &mut ChargerClock, now_s: u64, behind_s: i64) -> Option<u64> {
        let wall = WallTime(NOON.0 + now_s as i64 * 1000);
        let stamp = WallTime(wall.0 - behind_s * 1000);
        clock.age(Instant::from_millis(now_s * 1000), Some(wall), Some(stamp)).map(|age| age.as_secs())
    }

    #[test]
    fn times_are_read_as_chargers_write_them() {
        for text in [
            "2026-03-04T12:00:00Z",
            "2026-03-04T13:00:00+01:00",
            "2026-03-04T12:00:00.000",
            "2026-03-04 12:00:00Z",
        ] {
            assert_eq!(read_time(text), Some(NOON), "{text}");
        }
        assert_eq!(read_time("yesterday"), None);
        assert_eq!(write_time(WallTime(NOON.0 + 999)), "2026-03-04T12:00:00Z");
    }

    #[test]
    fn values_kept_while_offline_are_out_of_date() {
        let mut clock = ChargerClock::default();
        assert_eq!(age(&mut clock, 0, 2), Some(2));
        assert_eq!(age(&mut clock, 1, 1800), None);
    }

    #[test]
    fn a_charger_whose_clock_is_an_hour_behind_is_believed_after_a_while() {
        let mut clock = ChargerClock::default();
        assert_eq!(age(&mut clock, 0, 3600), None);
        for at in (10..=320).step_by(10) {
            age(&mut clock, at, 3600);
        }
        assert_eq!(age(&mut clock, 330, 3603), Some(3));
    }

    #[test]
    fn without_a_wall_clock_everything_counts_as_fresh() {
        let mut clock = ChargerClock::default();
        assert_eq!(clock.age(Instant::default(), None, Some(NOON)), Some(Duration::ZERO));
    }
}
