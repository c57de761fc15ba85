//! The load that is not ours, from what a meter shows and what the chargers report.
//!
//! `other = metered − drawn by our chargers`, per line. But a meter tells every second and a charger every
//! ten, so what our chargers draw *now* is known only within a [`Span`]: after a raise anything between
//! the last report and the new limit, after a lowered limit anything between that and the report. Hence
//! two rules:
//!
//! 1. The estimate moves no further than the meter forces it to: it is the last estimate, held within
//!    `metered − most` and `metered − least`. A car that ramps up after a raise is not taken for an oven,
//!    and an oven shows at the latest when the line carries more than was planned for. What the meter has
//!    seen our cars come down by does not come back without a raise: a second oven, right after the first
//!    had the cars lowered, shows at once and not only when they report.
//! 2. What counts is the **largest** estimate of the last while: it rises with the next reading and falls
//!    only when the lower load has lasted, and every charger that draws has reported since. A car that
//!    stops by itself shows in the meter before its charger reports it, and in between looks like free
//!    capacity that is not there.
//!
//! And one that trusts nobody: a line that stays above its limit for longer than cars take to follow
//! carries something that is not ours, whatever the spans allow; the excess is added, again and again
//! until the line is below its limit.

use crate::lines::{Line, PerLine};
use crate::time::{Duration, Instant};
use crate::units::Milliamps;
use std::collections::VecDeque;

/// What our chargers may be drawing on a line at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub least: Milliamps,
    pub most: Milliamps,
    /// By how much it may still rise from what it draws already.
    pub rising: Milliamps,
}

impl Span {
    #[must_use]
    pub const fn exactly(current: Milliamps) -> Self {
        Self { least: current, most: current, rising: Milliamps::ZERO }
    }

    /// On the way from one current to another.
    #[must_use]
    pub fn towards(from: Milliamps, to: Milliamps) -> Self {
        let rising = to.saturating_sub(from).max(Milliamps::ZERO);
        Self { least: from.min(to), most: from.max(to), rising }
    }
}

impl core::ops::Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            most: self.most + other.most,
            rising: self.rising + other.rising,
        }
    }
}

/// Pairs of lines between which loads hang on a delta supply, in the order of [`across`].
pub const PAIRS: [(Line, Line); 3] = [(Line::L1, Line::L2), (Line::L2, Line::L3), (Line::L3, Line::L1)];

/// What loads between lines drive through each line of a delta supply, power factor 1: two currents that
/// share a line stand at 60 degrees there, so `a` and `b` make √(a² + ab + b²), not `a + b`.
#[must_use]
pub fn across(pairs: [Span; 3]) -> PerLine<Span> {
    let joined = |a: Milliamps, b: Milliamps| {
        let (a, b) = (f64::from(a.0), f64::from(b.0));
        Milliamps((a * a + a * b + b * b).max(0.0).sqrt().round() as i32)
    };
    PerLine([(0, 2), (0, 1), (1, 2)].map(|(one, other)| {
        let (one, other) = (pairs[one], pairs[other]);
        Span {
            least: joined(one.least, other.least),
            most: joined(one.most, other.most),
            rising: joined(one.rising, other.rising),
        }
    }))
}

/// What a load that is not ours may be beside other chargers than those that were taken off the meter's reading.
///
/// What is left of a reading is the load as it stands to `ours`, the chargers below the meter that hang between two
/// lines. Chargers elsewhere may stand at another angle: the load itself is larger than what was left, by no more than
/// at 60°, the angle between two such chargers. Sun that feeds in stays as it is.
#[must_use]
pub fn from_any_side(other: Milliamps, ours: Milliamps) -> Milliamps {
    if other <= Milliamps::ZERO || ours <= Milliamps::ZERO {
        return other;
    }
    let (left, half) = (f64::from(other.0), f64::from(ours.0) / 2.0);
    Milliamps(((left * left + 4.0 * left * half + half * half).sqrt() - half).ceil() as i32)
}

/// The largest recent value on each line.
#[derive(Clone, Debug)]
pub struct OtherLoad {
    span: Duration,
    lines: PerLine<RecentMaximum>,
    latest: Option<PerLine<Estimate>>,
    over_since: PerLine<Option<Instant>>,
    /// Everybody who draws has reported since then.
    heard: Option<Instant>,
}

/// IEC 61851-1 leaves a car five seconds to follow a lower limit, and slow chargers take as long to pass
/// it on. Shorter than what a utility's rules allow an excess to last (15 s in G100).
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);

/// How a metered current was divided.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    other: Milliamps,
    ours: Milliamps,
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
        Self {
            span,
            lines: PerLine(core::array::from_fn(|_| RecentMaximum::default())),
            latest: None,
            over_since: PerLine([None; 3]),
            heard: None,
        }
    }

    /// A reading of the circuit, what our chargers in it may draw, and what it may carry. `heard`: the
    /// oldest of the reports on which that stands; `None`: none of them draws.
    pub fn saw(
        &mut self,
        now: Instant,
        metered: PerLine<Milliamps>,
        ours: PerLine<Span>,
        heard: Option<Instant>,
        limit: PerLine<Milliamps>,
    ) {
        self.heard = heard;
        let estimates = PerLine(core::array::from_fn(|i| {
            let last = self.latest.map(|latest| latest.0[i]);
            let excess = metered.0[i].saturating_sub(limit.0[i]);
            let unexplained = unexplained(now, &mut self.over_since.0[i], excess);
            Estimate::next(last, metered.0[i], ours.0[i]).raised(metered.0[i], ours.0[i], unexplained)
        }));
        self.latest = Some(estimates);
        let oldest = self.oldest(now);
        for (maximum, estimate) in self.lines.0.iter_mut().zip(estimates.0) {
            maximum.push(now, estimate.other);
            maximum.forget(oldest);
        }
    }

    /// The bound, or `None` if nothing was seen within the span.
    #[must_use]
    pub fn upper(&self, now: Instant) -> Option<PerLine<Milliamps>> {
        let oldest = self.oldest(now);
        let mut upper = PerLine::all(Milliamps::ZERO);
        for (slot, maximum) in upper.0.iter_mut().zip(&self.lines.0) {
            *slot = maximum.since(oldest)?;
        }
        Some(upper)
    }

    /// Estimates from here on count.
    fn oldest(&self, now: Instant) -> Instant {
        let lasted = now - self.span;
        self.heard.map_or(lasted, |heard| heard.min(lasted))
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

/// How much of an excess has lasted too long to be cars that are still following.
fn unexplained(now: Instant, over_since: &mut Option<Instant>, excess: Milliamps) -> Milliamps {
    if excess <= Milliamps::ZERO {
        *over_since = None;
        return Milliamps::ZERO;
    }
    let since = *over_since.get_or_insert(now);
    if now.since(since) < FOLLOWED_WITHIN {
        return Milliamps::ZERO;
    }
    *over_since = Some(now);
    excess
}

impl Estimate {
    /// More of the metered current is not ours than was thought.
    fn raised(self, metered: Milliamps, ours: Span, by: Milliamps) -> Self {
        let highest = metered.saturating_sub(ours.least);
        let other = self.other.saturating_add(by).min(highest).max(self.other);
        Self { other, ours: metered.saturating_sub(other) }
    }

    fn next(last: Option<Self>, metered: Milliamps, ours: Span) -> Self {
        let highest = metered.saturating_sub(ours.least);
        let seen = last.map_or(ours.most, |last| last.ours.saturating_add(ours.rising));
        let lowest = metered.saturating_sub(ours.most.min(seen).max(ours.least));
        let other = last.map_or(highest, |last| last.other.clamp(lowest, highest));
        Self { other, ours: metered.saturating_sub(other) }
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

    fn saw(load: &mut OtherLoad, now: Instant, metered: PerLine<Milliamps>, ours: PerLine<Span>) {
        load.saw(now, metered, ours, None, all(100));
    }

    fn ours(amps: i32) -> PerLine<Span> {
        PerLine::all(Span::exactly(Milliamps::from_amps(amps)))
    }

    fn towards(least: i32, most: i32) -> PerLine<Span> {
        PerLine::all(Span::towards(Milliamps::from_amps(least), Milliamps::from_amps(most)))
    }

    #[test]
    fn loads_between_lines_add_up_as_they_do_in_copper() {
        let amps = |amps| Span::exactly(Milliamps::from_amps(amps));
        let lines = across([amps(10), amps(10), amps(10)]);
        assert_eq!(lines.map(|span| span.most), PerLine::all(Milliamps(17_321)), "√3 of each");
        let one = across([amps(16), amps(0), amps(0)]);
        assert_eq!(one.map(|span| span.most).0, [16, 16, 0].map(Milliamps::from_amps));
    }

    #[test]
    fn an_oven_beside_cars_between_other_lines_is_the_one_that_it_was_without_cars() {
        // 10 A at 60° to 32 A make 38 A on the meter; taking 32 A off leaves 6 A.
        let metered = Milliamps((10_000f64.powi(2) + 32_000f64.powi(2) + 10_000.0 * 32_000.0).sqrt() as i32);
        let left = metered.saturating_sub(Milliamps::from_amps(32));
        let oven = from_any_side(left, Milliamps::from_amps(32));
        assert!((oven.0 - 10_000).abs() < 5, "{left} {oven}");
        assert_eq!(from_any_side(left, Milliamps::ZERO), left, "no such car");
        assert_eq!(from_any_side(Milliamps::from_amps(-5), metered), Milliamps::from_amps(-5));
    }

    #[test]
    fn an_oven_counts_from_its_first_reading() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(10), ours(0));
        saw(&mut load, at(1), all(40), ours(0));
        assert_eq!(load.upper(at(1)), Some(all(40)));
    }

    #[test]
    fn a_stopped_car_does_not_look_like_free_capacity() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(30), ours(16));
        saw(&mut load, at(1), all(14), ours(16));
        assert_eq!(load.upper(at(1)), Some(all(14)), "its charger has not reported yet");
        saw(&mut load, at(5), all(14), ours(0));
        assert_eq!(load.upper(at(5)), Some(all(14)));
    }

    #[test]
    fn a_car_that_stopped_frees_nothing_before_its_charger_has_reported() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        load.saw(at(0), all(30), ours(13), Some(at(0)), all(100));
        for second in 1..=29 {
            load.saw(at(second), all(17), ours(13), Some(at(0)), all(100));
            assert_eq!(load.upper(at(second)), Some(all(17)), "second {second}: it reports every 30 s");
        }
        load.saw(at(30), all(17), ours(0), None, all(100));
        assert_eq!(load.upper(at(30)), Some(all(17)));
    }

    #[test]
    fn a_lower_load_is_believed_once_it_has_lasted() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(40), ours(0));
        for second in 1..=10 {
            saw(&mut load, at(second), all(10), ours(0));
            assert_eq!(load.upper(at(second)), Some(all(40)), "second {second}");
        }
        saw(&mut load, at(11), all(10), ours(0));
        assert_eq!(load.upper(at(11)), Some(all(10)));
    }

    #[test]
    fn nothing_seen_is_not_no_load() {
        assert_eq!(OtherLoad::new(Duration::from_secs(10)).upper(at(0)), None);
    }

    #[test]
    fn a_car_that_ramps_up_after_a_raise_is_not_taken_for_an_oven() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(16), ours(6));
        saw(&mut load, at(1), all(26), towards(6, 32));
        saw(&mut load, at(2), all(42), towards(6, 32));
        assert_eq!(load.upper(at(2)), Some(all(10)));
    }

    #[test]
    fn an_oven_shows_when_the_line_carries_more_than_was_planned_for() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(16), ours(6));
        saw(&mut load, at(1), all(60), towards(6, 32));
        assert_eq!(load.upper(at(1)), Some(all(28)));
    }

    #[test]
    fn a_car_that_does_not_obey_yet_is_not_taken_for_less_load() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(40), ours(30));
        saw(&mut load, at(1), all(40), towards(30, 10));
        saw(&mut load, at(2), all(20), towards(30, 10));
        saw(&mut load, at(3), all(20), ours(10));
        assert_eq!(load.upper(at(3)), Some(all(10)));
    }

    #[test]
    fn a_second_oven_shows_before_the_lowered_cars_have_reported() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(62), ours(57));
        saw(&mut load, at(1), all(92), ours(57));
        saw(&mut load, at(2), all(63), towards(57, 28));
        assert_eq!(load.upper(at(2)), Some(all(35)));
        saw(&mut load, at(3), all(93), towards(57, 28));
        assert_eq!(load.upper(at(3)), Some(all(65)));
    }

    #[test]
    fn cars_that_obey_slowly_are_not_taken_for_an_oven() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        saw(&mut load, at(0), all(92), ours(57));
        for (second, metered) in [(1, 92), (2, 85), (3, 74), (4, 63)] {
            saw(&mut load, at(second), all(metered), towards(57, 28));
            assert_eq!(load.upper(at(second)), Some(all(35)), "second {second}");
        }
    }

    #[test]
    fn a_line_that_stays_over_its_limit_is_not_explained_away() {
        let mut load = OtherLoad::new(Duration::from_secs(10));
        load.saw(at(0), all(60), ours(40), None, all(63));
        for second in 1..=10 {
            load.saw(at(second), all(70), towards(50, 30), None, all(63));
            assert_eq!(load.upper(at(second)), Some(all(30)), "second {second}: they may still follow");
        }
        load.saw(at(11), all(70), towards(50, 30), None, all(63));
        assert_eq!(load.upper(at(11)), Some(all(37)));
    }
}
