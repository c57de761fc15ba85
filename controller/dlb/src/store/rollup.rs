//! From samples to rows of ten seconds. Rows are cut by the monotonic clock and dated by the wall
//! clock; those from before it was known wait for it, up to a bound.

use super::figures::{Figures, Row};
use super::sample::Sample;
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

pub(super) const FINE_S: i64 = 10;
const FINE: Duration = Duration::from_secs(10);
/// A sample stands for the time since the one before, but for no more than this.
const STANDS_FOR_AT_MOST: Duration = Duration::from_secs(10);
/// Six hours without a clock.
const MAX_UNDATED: usize = 6 * 360;

/// A row and the second since 1970 at which it begins, a multiple of [`FINE_S`].
pub(super) type Dated = (i64, Row);

#[derive(Debug, Default)]
pub(super) struct Rollup {
    last_at: Option<Instant>,
    open: Option<OpenRow>,
    undated: VecDeque<(Instant, Row)>,
    dropped: u64,
}

#[derive(Debug)]
struct OpenRow {
    begun: Instant,
    /// Milliseconds since 1970 at the instant of the first sample.
    wall_ms: Option<i64>,
    row: Row,
}

impl Rollup {
    /// Adds a sample; gives back the rows that are complete and dated now.
    pub(super) fn add(&mut self, sample: Sample) -> Vec<Dated> {
        let mut done = Vec::new();
        if self.open.as_ref().is_some_and(|open| sample.at.since(open.begun) >= FINE) {
            done.extend(self.close());
        }
        let wall_ms = sample.wall.map(|wall| wall.0);
        if let Some(wall_ms) = wall_ms {
            done.extend(self.date_undated(sample.at, wall_ms));
        }
        let since = self.last_at.map_or(Duration::from_secs(1), |last| sample.at.since(last));
        let weight_ms = since.clamp(Duration::from_millis(1), STANDS_FOR_AT_MOST).as_millis() as u64;
        self.last_at = Some(sample.at);
        let open = self.open.get_or_insert_with(|| OpenRow { begun: sample.at, wall_ms, row: Row::new() });
        for (owner, values) in sample.values {
            open.row.entry(owner).or_default().merge(&Figures::of(&values, weight_ms));
        }
        done
    }

    /// Ends the row under way, for a shutdown.
    pub(super) fn close(&mut self) -> Option<Dated> {
        let open = self.open.take()?;
        if let Some(wall_ms) = open.wall_ms {
            return Some((slot(wall_ms, FINE_S), open.row));
        }
        if self.undated.len() == MAX_UNDATED {
            self.undated.pop_front();
            self.dropped += 1;
        }
        self.undated.push_back((open.begun, open.row));
        None
    }

    /// Rows given up since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn date_undated(&mut self, now: Instant, wall_ms: i64) -> Vec<Dated> {
        let date = |begun: Instant| {
            let ago = i64::try_from(now.since(begun).as_millis()).unwrap_or(0);
            slot(wall_ms - ago, FINE_S)
        };
        if let Some(open) = self.open.as_mut().filter(|open| open.wall_ms.is_none()) {
            open.wall_ms = Some(date(open.begun) * 1000);
        }
        self.undated.drain(..).map(|(begun, row)| (date(begun), row)).collect()
    }
}

/// The second at which the slot of this length begins.
pub(super) const fn slot(wall_ms: i64, length_s: i64) -> i64 {
    wall_ms.div_euclid(1000).div_euclid(length_s) * length_s
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Kind, Owner, QUANTITIES};
    use super::*;
    use dlb_engine::time::WallTime;

    const NOON_MS: i64 = 1_795_435_200_000;

    fn sample(second: u64, wall: bool, current: i64) -> Sample {
        let mut values = [None; QUANTITIES];
        values[0] = Some(current);
        let owner = Owner { kind: Kind::Circuit, id: "grid".into() };
        Sample {
            at: Instant::from_millis(1_000_000 + second * 1000),
            wall: wall.then_some(WallTime(NOON_MS + second as i64 * 1000)),
            values: vec![(owner, values)],
        }
    }

    fn means(rows: &[Dated]) -> Vec<(i64, f64)> {
        let mean = |row: &Row| row.values().next().unwrap().mean[0].unwrap();
        rows.iter().map(|(at, row)| (*at - NOON_MS / 1000, mean(row))).collect()
    }

    #[test]
    fn ten_samples_become_one_row() {
        let mut rollup = Rollup::default();
        let rows: Vec<Dated> =
            (0..21).flat_map(|second| rollup.add(sample(second, true, second as i64))).collect();
        assert_eq!(means(&rows), [(0, 4.5), (10, 14.5)]);
        assert_eq!(means(&[rollup.close().unwrap()]), [(20, 20.0)]);
    }

    #[test]
    fn what_was_measured_before_the_clock_was_set_is_dated_afterwards() {
        let mut rollup = Rollup::default();
        let early: Vec<Dated> = (0..25).flat_map(|second| rollup.add(sample(second, false, 1))).collect();
        assert!(early.is_empty());
        let dated = rollup.add(sample(25, true, 1));
        assert_eq!(means(&dated), [(0, 1.0), (10, 1.0)]);
        assert_eq!(means(&rollup.add(sample(30, true, 1))), [(20, 1.0)]);
    }

    #[test]
    fn rows_without_a_clock_are_bounded() {
        let mut rollup = Rollup::default();
        for row in 0..MAX_UNDATED as u64 + 10 {
            rollup.add(sample(row * 10, false, 1));
        }
        assert_eq!(rollup.undated.len(), MAX_UNDATED);
        assert_eq!(rollup.take_dropped(), 9);
    }

    #[test]
    fn a_silence_is_not_filled_with_the_last_value() {
        let mut rollup = Rollup::default();
        rollup.add(sample(0, true, 10));
        let rows = rollup.add(sample(3600, true, 20));
        assert_eq!(means(&rows), [(0, 10.0)]);
        assert_eq!(rollup.close().unwrap().1.values().next().unwrap().weight_ms, 10_000);
    }
}
