//! What really flowed at a point with a limit, whatever anybody measured. The judge's notebook.

use crate::protection::{Curve, Pole};
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::time::Instant;

/// A current that a class 1 meter cannot tell from the limit begins no spell above it.
const ERROR: f64 = 0.01;

/// Over a whole run.
#[derive(Clone, Debug)]
pub struct Truth {
    limit: PerLine<f64>,
    poles: [Pole; 3],
    /// Largest current of each line, and when.
    pub worst: PerLine<(f64, Instant)>,
    /// Seconds above the limit.
    pub over_s: PerLine<f64>,
    /// Ampere-seconds above the limit.
    pub over_as: PerLine<f64>,
    /// The longest spell above the limit on any line.
    pub longest_over_s: f64,
    pub trips: u32,
    pub kwh: f64,
    /// Highest power of any step.
    pub peak_kw: f64,
    spell_s: PerLine<f64>,
}

impl Truth {
    #[must_use]
    pub fn new(limit: PerLine<f64>, curve: Curve) -> Self {
        Self {
            limit,
            poles: limit.0.map(|rated| Pole::new(curve, rated)),
            worst: PerLine::all((0.0, Instant(0))),
            over_s: PerLine::all(0.0),
            over_as: PerLine::all(0.0),
            longest_over_s: 0.0,
            trips: 0,
            kwh: 0.0,
            peak_kw: 0.0,
            spell_s: PerLine::all(0.0),
        }
    }

    /// These RMS currents and this power flowed for so long, up to `now`. True: the device trips.
    pub fn note(&mut self, now: Instant, rms: PerLine<f64>, watts: f64, seconds: f64) -> bool {
        let trips = self.trips;
        self.kwh += watts * seconds / 3_600_000.0;
        for (line, amps) in rms.iter() {
            if amps > self.worst[line].0 {
                self.worst[line] = (amps, now);
            }
            self.note_limit(line, amps - self.limit[line], seconds);
            self.trips += u32::from(self.poles[line.index()].carry(now, amps, seconds));
        }
        self.peak_kw = self.peak_kw.max(watts / 1000.0);
        self.trips > trips
    }

    /// What it may carry.
    #[must_use]
    pub const fn limit(&self) -> PerLine<f64> {
        self.limit
    }

    /// How long it has been above its limit without a break, the worst line.
    #[must_use]
    pub fn spell_s(&self) -> f64 {
        self.spell_s.0.into_iter().fold(0.0, f64::max)
    }

    fn note_limit(&mut self, line: Line, over: f64, seconds: f64) {
        let beyond_error = over > self.limit[line] * ERROR;
        self.spell_s[line] = if beyond_error { self.spell_s[line] + seconds } else { 0.0 };
        self.longest_over_s = self.longest_over_s.max(self.spell_s[line]);
        if over > 0.0 {
            self.over_s[line] += seconds;
            self.over_as[line] += over * seconds;
        }
    }

    /// How far the protective device is on the way to a trip, the worst line.
    #[must_use]
    pub fn damage(&self) -> f64 {
        self.poles.iter().map(Pole::damage).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notebook_keeps_the_worst_case_and_the_longest_spell() {
        let mut truth = Truth::new(PerLine::all(63.0), Curve::Gg);
        for (second, amps) in [60.0, 65.0, 70.0, 62.0, 64.0].into_iter().enumerate() {
            truth.note(Instant::from_millis(second as u64 * 1000), PerLine([amps, 10.0, 0.0]), 0.0, 1.0);
        }
        assert_eq!(truth.worst[Line::L1], (70.0, Instant::from_millis(2000)));
        assert_eq!(truth.over_s, PerLine([3.0, 0.0, 0.0]));
        assert_eq!(truth.over_as[Line::L1], 2.0 + 7.0 + 1.0);
        assert_eq!((truth.longest_over_s, truth.trips), (2.0, 0));
    }
}
