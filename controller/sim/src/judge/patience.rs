//! Does every car that could charge get its turn?

use super::breach::{Breach, Broken};
use crate::closed_loop::{ClosedLoop, Trouble};
use crate::outlet::Temper;
use crate::scenario::{Scenario, Staged, StrategyWord};
use dlb_engine::surplus::Mode;
use dlb_engine::time::{Duration, Instant};

/// Since when each car waits for its first ampere, or for the next one.
#[derive(Debug)]
pub(super) struct Patience {
    step_s: f64,
    started: Instant,
    waits_s: Vec<f64>,
    /// This one is in order, nobody's class goes before its own, and it does not wait for the sun.
    counts: Vec<bool>,
    starved: Vec<bool>,
    count: usize,
    breaches: Vec<Breach>,
}

/// A turn at the least, as the allocation has it, for every car that is there, and some time to find out
/// whose turn it is.
const TURN_S: f64 = 900.0;
const SETTLE_S: f64 = 600.0;
/// Somebody has taken capacity away, or a charger cannot be told: waiting counts again after this long.
const EXCUSED: Duration = Duration::from_secs(300);

impl Patience {
    pub(super) fn new(staged: &Staged, scenario: &Scenario) -> Self {
        let classes = scenario.charger.iter().any(|part| part.priority != scenario.charger[0].priority);
        let strict = !matches!(scenario.strategy, None | Some(StrategyWord::Equal)) || classes;
        let bays = staged.world.bays();
        let sun = &staged.rig.settings.policy.sun;
        let counts = scenario.charger.iter().zip(bays).map(|(part, bay)| {
            let obeys = !part.refuses_profiles && bay.outlet().plate().temper == Temper::Obeys;
            !strict && obeys && sun.get(&part.id).map(|setting| setting.mode) != Some(Mode::Surplus)
        });
        Self {
            step_s: scenario.step_s,
            started: staged.now,
            waits_s: vec![0.0; bays.len()],
            counts: counts.collect(),
            starved: vec![false; bays.len()],
            count: 0,
            breaches: Vec::new(),
        }
    }

    pub(super) fn look(&mut self, site: &ClosedLoop) {
        let cars = site.world().cars().0;
        let excused = site.powered().is_none()
            || site.troubles(EXCUSED).any(|fault| !matches!(fault.trouble, Trouble::ClockJump { .. }));
        for (at, bay) in site.world().bays().iter().enumerate() {
            let outlet = bay.outlet();
            let hungry = outlet.car().is_some_and(|car| !car.is_full() && !car.is_asleep());
            let waits = hungry && !outlet.drawing() && outlet.offered() <= 0.0;
            if !waits || excused || !self.counts[at] {
                self.waits_s[at] = 0.0;
                self.starved[at] &= hungry;
                continue;
            }
            self.waits_s[at] += self.step_s;
            if self.waits_s[at] > SETTLE_S + TURN_S * cars as f64 && !self.starved[at] {
                self.starved[at] = true;
                self.count += 1;
                let at_s = site.now().since(self.started).as_secs_f64();
                let seen = format!("bay {at}: no turn for {:.0} s, {cars} cars here", self.waits_s[at]);
                self.breaches.push(Breach { at_s, broken: Broken::Starved, seen });
            }
        }
    }

    pub(super) const fn starved(&self) -> usize {
        self.count
    }

    pub(super) fn breaches(&mut self) -> Vec<Breach> {
        core::mem::take(&mut self.breaches)
    }
}
