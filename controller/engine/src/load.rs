//! The load that is not ours: an upper bound, from what a meter shows and what the chargers report.
//!
//! `other = metered − drawn by our chargers`, per line. The two are never taken at the same instant: a
//! car that stops shows in the meter at once and in its charger's report seconds later, and in between
//! the difference looks like free capacity that is not there. So the bound is the **largest** value seen
//! in the last while, a while as long as the chargers' reports are apart. It rises with the next reading
//! and falls only when the lower load has lasted; what was freed is given away that much later.

use crate::lines::PerLine;
use crate::time::{Duration, Instant};
use crate::units::Milliamps;
use std::collections::VecDeque;

/// The largest recent value on each line.
#[derive(Clone, Debug)]
pub struct OtherLoad {
    span: Duration,
    lines: PerLine<RecentMaximum>,
}

/// Readings closer together than this share one place, which bounds the memory.
const GRAIN: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, Default)]
struct RecentMaximum {
    /// Falling values with rising times: the first is the maximum.
    falling: VecDeque<(Instant, Milliamps)>,
}

impl OtherLoad {
    /// `span`: how long a lower load must last before it is believed.
    #[must_use]
    pub fn new(span: Duration) -> Self {
        Self { span, lines: PerLine(core::array::from_fn(|_| RecentMaximum::default())) }
    }

    /// A reading of the circuit, and what our chargers in it are known to draw.
    pub fn saw(&mut self, now: Instant, metered: PerLine<Milliamps>, ours: PerLine<Milliamps>) {
        let oldest = now - self.span;
        for (maximum, (metered, ours)) in self.lines.0.iter_mut().zip(metered.0.into_iter().zip(ours.0)) {
            maximum.push(now, metered.saturating_sub(ours));
            maximum.forget(oldest);
        }
    }

    /// The bound, or `None` if nothing was seen within the span.
    #[must_use]
    pub fn upper(&self, now: Instant) -> Option<PerLine<Milliamps>> {
        let oldest = now - self.span;
        let mut upper = PerLine::all(Milliamps::ZERO);
        for (slot, maximum) in upper.0.iter_mut().zip(&self.lines.0) {
            *slot = maximum.since(oldest)?;
        }
        Some(upper)
    }

    /// When the bound will be lower than it is now if nothing else happens.
    #[must_use]
    pub fn falls_at(&self, now: Instant) -> Option<Instant> {
        let next = |maximum: &RecentMaximum| {
            let (at, _) = *maximum.falling.front().filter(|_| maximum.falling.len() > 1)?;
            Some((at + self.span + GRAIN).max(now + GRAIN))
        };
        self.lines.0.iter().filter_map(next).min()
    }
}

impl RecentMaximum {
    fn push(&mut self, now: Instant, value: Milliamps) {
        while self.falling.back().is_some_and(|&(_, last)| last <= value) {
            self.falling.pop_back();
        }
        match self.falling.back() {
            // The later value is the smaller one here; keeping only the larger errs on the safe side.
            Some(&(at, _)) if now.since(at) < GRAIN => {}
            _ => self.falling.push_back((now, value)),
        }
    }

    fn forget(&mut self, oldest: Instant) {
        while self.falling.len() > 1 && self.falling.front().is_some_and(|&(at, _)| at < oldest) {
            self.falling.pop_front();
        }
    }

    fn since(&self, oldest: Instant) -> Option<Milliamps> {
        let recent = self.falling.iter().find(|&&(at, _)| at >= oldest);
        recent.or(self.falling.back()).map(|&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn all(amps: i32) -> PerLine<Milliamps> {
        PerLine::all(Milliamps::from_amps(amps))
    }

    #[test]
    fn an_oven_counts_from_its_first_reading() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        load.saw(at(0), all(10), all(0));
        load.saw(at(1), all(40), all(0));
        assert_eq!(load.upper(at(1)), Some(all(40)));
    }

    #[test]
    fn a_stopped_car_does_not_look_like_free_capacity() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        load.saw(at(0), all(30), all(16));
        load.saw(at(1), all(14), all(16));
        assert_eq!(load.upper(at(1)), Some(all(14)), "its charger has not reported yet");
        load.saw(at(5), all(14), all(0));
        assert_eq!(load.upper(at(5)), Some(all(14)));
    }

    #[test]
    fn a_lower_load_is_believed_once_it_has_lasted() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        load.saw(at(0), all(40), all(0));
        for second in 1..=10 {
            load.saw(at(second), all(10), all(0));
            assert_eq!(load.upper(at(second)), Some(all(40)), "second {second}");
        }
        load.saw(at(11), all(10), all(0));
        assert_eq!(load.upper(at(11)), Some(all(10)));
    }

    #[test]
    fn nothing_seen_is_not_no_load() {
        assert_eq!(OtherLoad::new(Duration::from_secs(10)).upper(at(0)), None);
    }
}
