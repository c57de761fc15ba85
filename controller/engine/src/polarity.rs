//! Does a meter count the right way round? Our own cars tell: when they are known to draw more, a meter above them
//! must show more. A line that shows as much *less* has its clamp the wrong way round.
//!
//! Why that matters: a meter that is the wrong way round takes a loaded line for one that feeds in, and every car
//! makes it look emptier. Hence the rule: **a line that shows export is believed only once cars have shown that its
//! sign is right.** Until then it counts as not measured. A line that never exports is always believed; the wrong
//! way round it would show nothing but export.
//!
//! Where one line of a meter is known to be the wrong way round, export on the others is not believed either: most
//! often it is the whole meter that was connected from the wrong side.
//!
//! A *step* is a change of what our chargers draw that is sure to be at least [`STEP`], between two readings not
//! further apart than [`WINDOW`]. Other loads come and go beside it, and one of twice its size can make it look upside
//! down, so it takes two steps more of one kind than of the other to call a clamp wrong, and three to believe export.
//! A step whose size the meter does not show within [`SHOWN_WITHIN`] of its being known, up or down, says nothing: a car
//! that stopped by itself was seen by the meter before its charger reported it, and whatever changes afterwards is not it.

use crate::lines::{Line, PerLine};
use crate::load::Span;
use crate::time::{Duration, Instant};
use crate::units::Milliamps;
use std::collections::VecDeque;

/// Half of what a car draws at its least: the start of every car is a step.
const STEP: Milliamps = Milliamps(3_000);
const WINDOW: Duration = Duration::from_secs(45);
/// Meters average over a second or two.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);
/// Readings closer together than this share one place, which bounds the memory.
const GRAIN: Duration = Duration::from_millis(500);
/// What is not a step of ours is no more than this plus a quarter of it.
const TOLERANCE: Milliamps = Milliamps(1_000);
/// Less export than this is a meter's noise.
const EXPORTS: Milliamps = Milliamps(-500);
/// So many steps more of one kind than of the other are no chance.
const ENOUGH: i8 = 2;
/// To believe export, one more: on a site without sun two ovens that went off as cars began would let every car draw.
const PROVEN: i8 = 3;
/// No more are remembered, so that clamps may be turned.
const MOST: i8 = 4;

/// What is known of the signs of one meter.
#[derive(Clone, Debug, Default)]
pub struct Polarity {
    past: VecDeque<Moment>,
    lines: PerLine<Sign>,
    shown: PerLine<Milliamps>,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    shown: PerLine<Milliamps>,
    ours: PerLine<Span>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sign {
    /// Steps that were shown the right way up, less those that were shown upside down.
    right: i8,
    /// Steps before this have been looked at.
    since: Instant,
    /// Since when a step is known that the meter has not shown.
    waits: Option<Instant>,
}

/// What a meter shows of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Right,
    UpsideDown,
    Not,
}

impl Polarity {
    /// A reading, and what our chargers below the meter were drawing.
    pub fn saw(&mut self, now: Instant, shown: PerLine<Milliamps>, ours: PerLine<Span>) {
        self.shown = shown;
        let here = Moment { at: now, shown, ours };
        for line in Line::ALL {
            let sign = self.lines[line];
            self.lines[line] = match self.step(line, here) {
                Some(shown) => sign.after(shown, now),
                None => Sign { waits: None, ..sign },
            };
        }
        while self.past.front().is_some_and(|moment| now.since(moment.at) > WINDOW) {
            self.past.pop_front();
        }
        if self.past.back().is_none_or(|last| now.since(last.at) >= GRAIN) {
            self.past.push_back(here);
        }
    }

    /// May what this line shows be decided upon?
    #[must_use]
    pub fn trusts(&self, line: Line) -> bool {
        let Sign { right, .. } = self.lines[line];
        let proven = right >= PROVEN && !self.reversed().0.contains(&true);
        proven || (right > -ENOUGH && self.shown[line] >= EXPORTS)
    }

    /// The lines that are known to be the wrong way round.
    #[must_use]
    pub fn reversed(&self) -> PerLine<bool> {
        self.lines.map(|sign| sign.right <= -ENOUGH)
    }

    /// The newest step on this line.
    fn step(&self, line: Line, here: Moment) -> Option<Shown> {
        let since = self.lines[line].since;
        let mut earlier = self.past.iter().rev().take_while(|moment| moment.at >= since);
        let (before, up) = earlier.find_map(|moment| {
            let (then, now) = (moment.ours[line], here.ours[line]);
            let rises = now.least.saturating_sub(then.most) >= STEP;
            let falls = then.least.saturating_sub(now.most) >= STEP;
            (rises || falls).then_some((moment, rises))
        })?;
        let (low, high) = if up { (before, &here) } else { (&here, before) };
        let least = high.ours[line].least.saturating_sub(low.ours[line].most);
        let most = high.ours[line].most.saturating_sub(low.ours[line].least);
        let slack = TOLERANCE.saturating_add(Milliamps(most.0 / 4));
        let fits =
            |change: Milliamps| change >= least.saturating_sub(slack) && change <= most.saturating_add(slack);
        let more = high.shown[line].saturating_sub(low.shown[line]);
        let less = low.shown[line].saturating_sub(high.shown[line]);
        Some(match () {
            () if fits(more) => Shown::Right,
            () if fits(less) && high.shown[line] < EXPORTS => Shown::UpsideDown,
            () => Shown::Not,
        })
    }
}

impl Sign {
    fn after(self, shown: Shown, now: Instant) -> Self {
        let step = match shown {
            Shown::Right => 1,
            Shown::UpsideDown => -1,
            Shown::Not => {
                let waits = self.waits.unwrap_or(now);
                let over = now.since(waits) > SHOWN_WITHIN;
                return if over {
                    Self { since: now, waits: None, ..self }
                } else {
                    Self { waits: Some(waits), ..self }
                };
            }
        };
        Self { right: (self.right + step).clamp(-MOST, MOST), since: now, waits: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amps(amps: i32) -> Milliamps {
        Milliamps::from_amps(amps)
    }

    /// A house that draws `house`, a car that is reported exactly, and a meter with this sign.
    struct Evening {
        polarity: Polarity,
        second: u64,
        sign: i32,
    }

    impl Evening {
        fn new(sign: i32) -> Self {
            Self { polarity: Polarity::default(), second: 0, sign }
        }

        fn lasts(&mut self, seconds: u64, house: i32, car: i32) {
            self.reported(seconds, house + car, car);
        }

        /// `all` flows, and the car's charger has said this of it.
        fn reported(&mut self, seconds: u64, all: i32, car: i32) {
            for _ in 0..seconds {
                self.second += 1;
                let shown = PerLine::all(amps(self.sign * all));
                let ours = PerLine::all(Span::exactly(amps(car)));
                self.polarity.saw(Instant::from_millis(self.second * 1000), shown, ours);
            }
        }

        fn trusts(&self) -> bool {
            self.polarity.trusts(Line::L1)
        }

        fn reversed(&self) -> bool {
            self.polarity.reversed()[Line::L1]
        }
    }

    #[test]
    fn a_meter_that_shows_a_house_as_export_is_not_believed_before_a_car_has_charged() {
        let mut evening = Evening::new(-1);
        evening.lasts(60, 10, 0);
        assert!(!evening.trusts() && !evening.reversed());
    }

    #[test]
    fn clamps_the_wrong_way_round_are_known_after_two_cars() {
        let mut evening = Evening::new(-1);
        evening.lasts(60, 10, 0);
        evening.lasts(60, 10, 8);
        assert!(!evening.trusts() && !evening.reversed());
        evening.lasts(60, 10, 14);
        assert!(evening.reversed() && !evening.trusts());
        evening.lasts(600, 10, 14);
        assert!(evening.reversed(), "nothing has shown otherwise");
    }

    #[test]
    fn clamps_that_were_turned_are_believed_after_two_more_cars() {
        let mut evening = Evening::new(-1);
        for car in [0, 8, 16, 8] {
            evening.lasts(60, 10, car);
        }
        evening.sign = 1;
        evening.lasts(60, 10, 8);
        assert!(evening.reversed());
        for car in [16, 8] {
            evening.lasts(60, 10, car);
        }
        assert!(!evening.reversed() && evening.trusts());
    }

    #[test]
    fn an_oven_after_a_late_report_is_not_taken_for_the_car_that_was_reported() {
        let mut evening = Evening::new(-1);
        for _ in 0..4 {
            evening.reported(60, 29, 13);
            // It goes down by itself, which its charger says nine seconds later; after twenty more an oven comes on.
            evening.reported(9, 22, 13);
            evening.reported(20, 22, 6);
            evening.reported(60, 28, 6);
        }
        assert!(!evening.trusts());
    }

    #[test]
    fn a_sunny_site_is_believed_after_three_cars() {
        let mut morning = Evening::new(1);
        morning.lasts(60, -20, 0);
        assert!(!morning.trusts(), "export, and nobody knows whether it is");
        morning.lasts(30, -20, 6);
        assert!(!morning.trusts());
        morning.lasts(30, -20, 12);
        assert!(!morning.trusts(), "two ovens could have gone off");
        morning.lasts(30, -20, 18);
        assert!(morning.trusts());
        morning.lasts(600, -20, 18);
        assert!(morning.trusts());
    }

    #[test]
    fn a_site_that_never_exports_is_always_believed() {
        let mut evening = Evening::new(1);
        evening.lasts(60, 0, 0);
        assert!(evening.trusts());
        evening.lasts(60, 30, 0);
        assert!(evening.trusts());
    }

    #[test]
    fn an_oven_that_goes_off_while_a_car_starts_condemns_no_meter() {
        let mut evening = Evening::new(1);
        evening.lasts(60, 40, 0);
        evening.lasts(60, 20, 10);
        assert!(evening.trusts() && !evening.reversed());
    }

    #[test]
    fn an_oven_of_twice_the_size_of_a_car_proves_no_meter_that_is_the_wrong_way_round() {
        let mut evening = Evening::new(-1);
        evening.lasts(60, 30, 0);
        evening.lasts(60, 14, 8);
        assert!(!evening.trusts(), "the line shows 22 A of export");
        evening.lasts(60, 14, 16);
        evening.lasts(60, 14, 8);
        evening.lasts(60, 14, 0);
        assert!(evening.reversed());
    }

    #[test]
    fn where_one_clamp_is_the_wrong_way_round_export_on_the_other_lines_is_not_believed() {
        let mut noon = Polarity::default();
        let mut second = 0;
        for car in [0, 8, 16, 8] {
            for _ in 0..60 {
                second += 1;
                let shown = PerLine([-10 - car, car - 40, 10 + car].map(amps));
                let ours = PerLine::all(Span::exactly(amps(car)));
                noon.saw(Instant::from_millis(second * 1000), shown, ours);
            }
        }
        assert_eq!(noon.reversed(), PerLine([true, false, false]));
        assert_eq!(Line::ALL.map(|line| noon.trusts(line)), [false, false, true]);
    }

    #[test]
    fn a_cloud_that_leaves_while_a_car_starts_is_doubted_until_the_next_car() {
        let mut noon = Evening::new(1);
        for car in [0, 4, 0, 8] {
            noon.lasts(60, -10, car);
        }
        assert!(noon.trusts());
        // The sun gives 16 A more in the very moment in which the car takes 8 A more.
        noon.lasts(60, -26, 16);
        assert!(!noon.trusts() && !noon.reversed());
        noon.lasts(60, -26, 10);
        assert!(noon.trusts());
    }
}
