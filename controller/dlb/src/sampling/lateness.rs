//! Does the machine keep up with its converter? Judged by the samples that were lost, over stretches of ten seconds.
//!
//! One lost sample is bridged and nobody's business. A stretch that loses more than one in a thousand is told, once, and
//! taken back after six stretches that lost none.

use super::Tally;
use std::sync::atomic::Ordering;

/// Readings to a stretch: ten seconds.
const STRETCH: u32 = 50;
/// Of how many samples one may be lost.
const ONE_IN: u64 = 1000;
/// Stretches without a loss until it is over.
const CALM: u32 = 6;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lateness {
    readings: u32,
    frames: u64,
    lost: u64,
    /// Stretches without a loss since it was told.
    told: Option<u32>,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// So many samples of so many were lost.
    Slow {
        lost: u64,
        of: u64,
    },
    KeepsUp,
}

impl Lateness {
    /// After every reading.
    pub(crate) fn look(&mut self, tally: &Tally) -> Option<Told> {
        self.readings += 1;
        if self.readings < STRETCH {
            return None;
        }
        self.readings = 0;
        let (frames, lost) = (tally.frames.load(Ordering::Relaxed), tally.lost.load(Ordering::Relaxed));
        let (read, missed) = (frames.saturating_sub(self.frames), lost.saturating_sub(self.lost));
        (self.frames, self.lost) = (frames, lost);
        self.judge(missed, read + missed)
    }

    fn judge(&mut self, lost: u64, of: u64) -> Option<Told> {
        match &mut self.told {
            None if lost * ONE_IN > of => {
                self.told = Some(0);
                Some(Told::Slow { lost, of })
            }
            None => None,
            Some(calm) => {
                *calm = if lost == 0 { *calm + 1 } else { 0 };
                if *calm < CALM {
                    return None;
                }
                self.told = None;
                Some(Told::KeepsUp)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches of 40,000 samples that lose so many each; answers with what was told, and after which.
    fn told(losses: &[u64]) -> Vec<(usize, Told)> {
        let (tally, mut lateness) = (Tally::default(), Lateness::default());
        let mut stretch = |(at, lost): (usize, &u64)| {
            tally.frames.fetch_add(40_000 - lost, Ordering::Relaxed);
            tally.lost.fetch_add(*lost, Ordering::Relaxed);
            (0..STRETCH).filter_map(|_| lateness.look(&tally)).map(|told| (at, told)).last()
        };
        losses.iter().enumerate().filter_map(&mut stretch).collect()
    }

    #[test]
    fn a_machine_that_loses_one_sample_in_a_thousand_is_told_of_once_and_until_a_minute_went_well() {
        let slow = Told::Slow { lost: 400, of: 40_000 };
        assert_eq!(told(&[0, 30, 400, 900, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0]), [(2, slow), (12, Told::KeepsUp)]);
        assert_eq!(told(&[40; 20]), []);
    }
}
