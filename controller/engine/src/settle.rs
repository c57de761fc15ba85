//! How long chargers of one make and model take until a limit has its effect, learnt from their own reports.
//!
//! What is seen of a fall is a span: the last report that was still above the new limit, and the first that was
//! not. Reports come every ten seconds, so the latter says more about reports than about the charger; the longest
//! of the former is what counts, with a margin. A charger that is slower than was assumed is believed at once,
//! one that is quicker only after [`ENOUGH`] falls. What obeyed only when it was told again teaches nothing.
//!
//! Old falls are forgotten: new firmware may be slower, a car that dawdled may never come back.

use crate::time::Duration;

/// Falls until a charger is taken for quicker than was assumed.
pub const ENOUGH: u16 = 16;
/// After so many falls the older ones begin to be forgotten.
const GENERATION: u16 = 64;
/// Between two reports the effect may come a little later than the last one that was above the limit.
const MARGIN: Duration = Duration::from_secs(3);

/// What was seen of chargers of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settling {
    falls: u16,
    longest: Duration,
    /// Of the generation before.
    before: Option<Duration>,
}

impl Settling {
    /// A limit had its effect, not before so long after it was accepted. True: something was learnt that is worth
    /// keeping.
    pub fn saw(&mut self, longer_than: Duration, assumed: Duration) -> bool {
        let known = *self;
        self.falls += 1;
        self.longest = self.longest.max(longer_than);
        if self.falls >= GENERATION {
            *self = Self { falls: 0, longest: Duration::ZERO, before: Some(self.longest) };
        }
        self.settle(assumed) != known.settle(assumed) || self.before != known.before
    }

    /// How long until a limit has its effect, where `assumed` is what is said of this model; at most twice that.
    #[must_use]
    pub fn settle(&self, assumed: Duration) -> Duration {
        let longest = self.before.unwrap_or_default().max(self.longest);
        let learnt = (longest + MARGIN).min(assumed * 2);
        if self.is_known_well() { learnt } else { learnt.max(assumed) }
    }

    /// What is said of this model counts no more.
    #[must_use]
    pub fn is_learnt(&self, assumed: Duration) -> bool {
        self.is_known_well() || self.settle(assumed) > assumed
    }

    const fn is_known_well(&self) -> bool {
        self.before.is_some() || self.falls >= ENOUGH
    }

    /// As a text that [`read`](Self::read) understands.
    #[must_use]
    pub fn write(&self) -> String {
        let before = self.before.map_or_else(String::new, |before| format!(" {}", before.as_millis()));
        format!("{} {}{before}", self.falls, self.longest.as_millis())
    }

    /// A text that cannot be read is forgotten.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let falls = words.next()?.parse::<u16>().ok().filter(|&falls| falls < GENERATION)?;
        let millis = |word: &str| word.parse::<u32>().ok().map(|ms| Duration::from_millis(u64::from(ms)));
        let longest = millis(words.next()?)?;
        let before = words.next().map(millis);
        if before == Some(None) || words.next().is_some() {
            return None;
        }
        Some(Self { falls, longest, before: before.flatten() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSUMED: Duration = Duration::from_secs(10);

    fn after(falls: u16, longest_s: u64) -> Settling {
        let mut settling = Settling::default();
        for _ in 0..falls {
            settling.saw(Duration::from_secs(longest_s), ASSUMED);
        }
        settling
    }

    #[test]
    fn a_slow_model_is_believed_at_once() {
        assert_eq!(after(1, 12).settle(ASSUMED), Duration::from_secs(15));
        assert!(after(1, 12).is_learnt(ASSUMED));
    }

    #[test]
    fn a_quick_model_is_believed_after_many_falls() {
        assert_eq!(after(ENOUGH - 1, 1).settle(ASSUMED), ASSUMED);
        assert!(!after(ENOUGH - 1, 1).is_learnt(ASSUMED));
        assert_eq!(after(ENOUGH, 1).settle(ASSUMED), Duration::from_secs(4));
        assert!(after(ENOUGH, 1).is_learnt(ASSUMED));
    }

    #[test]
    fn nothing_makes_it_longer_than_twice_what_was_assumed() {
        assert_eq!(after(3, 600).settle(ASSUMED), ASSUMED * 2);
    }

    #[test]
    fn a_car_that_dawdled_once_is_forgotten_two_generations_later() {
        let mut settling = after(1, 14);
        for _ in 0..2 * GENERATION {
            settling.saw(Duration::from_secs(2), ASSUMED);
        }
        assert_eq!(settling.settle(ASSUMED), Duration::from_secs(5));
    }

    #[test]
    fn what_was_learnt_survives_writing_and_reading() {
        for settling in [after(0, 0), after(20, 7), after(GENERATION + 3, 2)] {
            assert_eq!(Settling::read(&settling.write()), Some(settling));
        }
        for broken in ["", "x", "1", "64 5", "1 2 3 4", "1 -2", "1 2 x"] {
            assert_eq!(Settling::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn only_news_is_worth_keeping() {
        let mut settling = Settling::default();
        let news = (0..ENOUGH).map(|_| settling.saw(Duration::from_secs(2), ASSUMED));
        assert_eq!(news.filter(|news| *news).count(), 1, "that it is quick");
    }
}
