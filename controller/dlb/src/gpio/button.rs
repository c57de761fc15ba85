//! A button that does one thing when it is held, and nothing when it is pressed for a moment.
//!
//! A button that is closed when it is first seen, or that was away, must be let go before it counts: a stuck
//! one would reset the box at every start.

use dlb_engine::time::{Duration, Instant};
use dlb_wiring::inputs::Level;

#[derive(Clone, Debug)]
pub(super) struct Hold {
    lasts: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not seen open yet, or held until it did what it does.
    Deaf,
    Open,
    Pressed(Instant),
}

impl Hold {
    pub(super) const fn new(lasts: Duration) -> Self {
        Self { lasts, state: State::Deaf }
    }

    /// True once, when it has been held for long enough.
    pub(super) fn saw(&mut self, now: Instant, level: Level) -> bool {
        self.state = match (level, self.state) {
            (Level::Inactive, _) => State::Open,
            (Level::Lost, _) => State::Deaf,
            (Level::Active, State::Open) => State::Pressed(now),
            (Level::Active, State::Pressed(since)) if now >= since + self.lasts => {
                self.state = State::Deaf;
                return true;
            }
            (Level::Active, state) => state,
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Active, Inactive, Lost};

    /// Seconds and levels; answers with the seconds at which it did what it does.
    fn fired(seen: &[(u64, Level)]) -> Vec<u64> {
        let mut hold = Hold::new(Duration::from_secs(10));
        let mut at = |(second, level): &(u64, Level)| hold.saw(Instant::from_millis(second * 1000), *level);
        seen.iter().filter(|seen| at(seen)).map(|(second, _)| *second).collect()
    }

    #[test]
    fn a_button_counts_when_it_is_held_and_once() {
        let held: Vec<_> = (1..=30).map(|second| (second, Active)).collect();
        let mut seen = vec![(0, Inactive)];
        seen.extend(held);
        assert_eq!(fired(&seen), [11]);
        seen.extend([(31, Inactive), (32, Active), (42, Active)]);
        assert_eq!(fired(&seen), [11, 42]);
    }

    #[test]
    fn a_short_press_a_stuck_button_and_one_that_was_away_do_nothing() {
        assert_eq!(fired(&[(0, Inactive), (1, Active), (8, Inactive), (9, Active), (15, Active)]), [0; 0]);
        assert_eq!(fired(&[(0, Active), (20, Active)]), [0; 0]);
        assert_eq!(fired(&[(0, Inactive), (1, Active), (5, Lost), (6, Active), (30, Active)]), [0; 0]);
    }
}
