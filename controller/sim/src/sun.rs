//! Sun on the roof: a clear-sky day with clouds that come and go.

use crate::breath::Breath;
use crate::phasor::{Phasor, to_neutral};
use crate::rng::Rng;
use crate::step::Step;
use core::f64::consts::PI;
use dlb_engine::lines::{Line, PerLine};

/// The plant: what it feeds into each line at noon under a clear sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunPlan {
    pub peak: PerLine<f64>,
    /// Hours of the day.
    pub rises: f64,
    pub sets: f64,
    /// Mean length of clear and cloudy spells, scenario seconds.
    pub clear_s: f64,
    pub cloudy_s: f64,
}

#[derive(Clone, Debug)]
pub struct Sun {
    plan: SunPlan,
    cloudy: bool,
    left_s: f64,
    /// What gets through, 0 to 1; follows the clouds with their edges.
    clearness: f64,
    shimmer: Breath,
    share: f64,
    rng: Rng,
}

/// What a cloud lets through, and how long its edge takes to pass.
const THROUGH_CLOUD: f64 = 0.28;
const EDGE_S: f64 = 40.0;

impl Sun {
    #[must_use]
    pub fn new(plan: SunPlan, mut rng: Rng) -> Self {
        let left_s = rng.exponential(plan.clear_s);
        Self {
            plan,
            cloudy: false,
            left_s,
            clearness: 1.0,
            shimmer: Breath::new(0.02, 60.0),
            share: 0.0,
            rng,
        }
    }

    /// Up to the end of the step, at this hour of the day. True: a cloud has come or gone.
    pub fn advance(&mut self, step: &Step, hour: f64) -> bool {
        self.left_s -= step.scenario_seconds;
        let turned = self.left_s <= 0.0;
        if turned {
            self.cloudy = !self.cloudy;
            let mean = if self.cloudy { self.plan.cloudy_s } else { self.plan.clear_s };
            self.left_s = self.rng.exponential(mean);
        }
        let goal = if self.cloudy { THROUGH_CLOUD } else { 1.0 };
        self.clearness += (goal - self.clearness) * (1.0 - (-step.scenario_seconds / EDGE_S).exp());
        let shimmer = self.shimmer.advance(step.scenario_seconds, &mut self.rng);
        self.share = (self.clear_sky(hour) * (self.clearness + shimmer)).max(0.0);
        turned && self.clear_sky(hour) > 0.1
    }

    #[must_use]
    pub const fn cloudy(&self) -> bool {
        self.cloudy
    }

    /// What it feeds in, in amperes.
    #[must_use]
    pub fn amps(&self) -> PerLine<f64> {
        self.plan.peak.map(|peak| peak * self.share)
    }

    /// The same as currents of the site: against the direction of a load.
    #[must_use]
    pub fn currents(&self) -> PerLine<Phasor> {
        let amps = self.amps();
        let feed = Line::ALL.into_iter().map(|line| to_neutral(line, -amps[line], 1.0));
        feed.fold(PerLine::default(), |sum, one| sum + one)
    }

    fn clear_sky(&self, hour: f64) -> f64 {
        let part = (hour.rem_euclid(24.0) - self.plan.rises) / (self.plan.sets - self.plan.rises);
        if (0.0..=1.0).contains(&part) { (PI * part).sin().powf(1.3) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::time::Instant;

    #[test]
    fn noon_is_bright_clouds_take_most_of_it_and_nights_are_dark() {
        let plan =
            SunPlan { peak: PerLine::all(16.0), rises: 6.0, sets: 20.0, clear_s: 900.0, cloudy_s: 600.0 };
        let mut sun = Sun::new(plan, Rng::new(2));
        let step = Step { now: Instant(0), seconds: 1.0, scenario_seconds: 10.0, volts: PerLine::all(230.0) };
        let mut noons = Vec::new();
        for _ in 0..2000 {
            sun.advance(&step, 13.0);
            noons.push(sun.amps()[Line::L1]);
        }
        let brightest = noons.iter().copied().fold(0.0, f64::max);
        let darkest = noons.iter().copied().fold(99.0, f64::min);
        assert!((15.0..18.0).contains(&brightest), "{brightest}");
        assert!((3.0..6.0).contains(&darkest), "{darkest}");
        sun.advance(&step, 23.0);
        assert_eq!(sun.amps(), PerLine::all(0.0));
    }
}
