//! The one clock of the program: what the pure rooms get as `now`.

use dlb_engine::time::{Duration, Instant, WallTime};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

/// Microseconds since the first call. Starts at one second, so that "a little earlier" exists.
#[must_use]
pub fn now() -> Instant {
    Instant(1_000_000 + u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX / 2))
}

/// The calendar, or `None` while the machine's clock is plainly unset (before 2025).
#[must_use]
pub fn wall() -> Option<WallTime> {
    const EARLIEST_MS: i64 = 1_735_689_600_000;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let wall = WallTime(i64::try_from(since.as_millis()).ok()?);
    (wall.0 >= EARLIEST_MS).then_some(wall)
}

/// What the clock on the wall shows, since midnight, in this machine's time zone.
#[must_use]
pub fn time_of_day() -> Duration {
    let time = jiff::ZonedDateTime::now().time();
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    Duration::from_secs(seconds.unsigned_abs())
}
