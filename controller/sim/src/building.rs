//! The building's own load: a base that follows the day and breathes, and appliances that switch.

use crate::breath::Breath;
use crate::phasor::{Phasor, to_neutral};
use crate::rng::Rng;
use crate::step::Step;
use dlb_engine::lines::{Line, PerLine};
use std::borrow::Cow;

/// Something that switches. Times are scenario times.
#[derive(Clone, Debug, PartialEq)]
pub struct Appliance {
    pub name: Cow<'static, str>,
    pub amps: PerLine<f64>,
    pub power_factor: f64,
    /// How long it runs and rests on average.
    pub on_s: f64,
    pub off_s: f64,
}

/// A building: its base load per line at noon, and what switches in it.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildingPlan {
    pub base: PerLine<f64>,
    /// Standard deviation of the breathing per line.
    pub breathing: f64,
    pub power_factor: f64,
    /// Busy by day and quiet at night, as an office with a kitchen is.
    pub follows_day: bool,
    pub appliances: Vec<Appliance>,
}

/// A change that somebody in the building would notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Switched {
    pub appliance: Cow<'static, str>,
    pub on: bool,
    pub amps: PerLine<f64>,
}

#[derive(Clone, Debug)]
pub struct Building {
    plan: BuildingPlan,
    running: Vec<Running>,
    breath: [Breath; 3],
    /// Share of the noon load at this hour.
    activity: f64,
    rng: Rng,
}

#[derive(Clone, Debug)]
struct Running {
    on: bool,
    left_s: f64,
}

/// Share of the noon load by hour of the day, for an office with a kitchen.
const DAY: [f64; 24] = [
    0.35, 0.33, 0.32, 0.32, 0.34, 0.40, 0.52, 0.72, 0.88, 0.96, 1.00, 1.02, 1.00, 0.98, 0.97, 0.95, 0.90,
    0.80, 0.68, 0.58, 0.50, 0.44, 0.40, 0.37,
];

impl Building {
    #[must_use]
    pub fn new(plan: BuildingPlan, mut rng: Rng) -> Self {
        let running = plan
            .appliances
            .iter()
            .map(|appliance| Running { on: false, left_s: rng.exponential(appliance.off_s) })
            .collect();
        let breath = core::array::from_fn(|_| Breath::new(plan.breathing, 240.0));
        Self { plan, running, breath, activity: 1.0, rng }
    }

    /// Up to the end of the step, at this hour of the day. Returns what switched.
    pub fn advance(&mut self, step: &Step, hour: f64) -> Vec<Switched> {
        self.activity = if self.plan.follows_day { activity(hour) } else { 1.0 };
        for breath in &mut self.breath {
            breath.advance(step.scenario_seconds, &mut self.rng);
        }
        let mut switched = Vec::new();
        for (appliance, running) in self.plan.appliances.iter().zip(&mut self.running) {
            running.left_s -= step.scenario_seconds;
            if running.left_s > 0.0 {
                continue;
            }
            running.on = !running.on;
            // At night there is less to do.
            let mean = if running.on { appliance.on_s } else { appliance.off_s / self.activity };
            running.left_s = 0.4 * mean + self.rng.exponential(0.6 * mean);
            switched.push(Switched {
                appliance: appliance.name.clone(),
                on: running.on,
                amps: appliance.amps,
            });
        }
        switched
    }

    /// Switches an appliance by hand, for so long.
    pub fn switch(&mut self, name: &str, on: bool, seconds: f64) {
        let at = self.plan.appliances.iter().position(|appliance| appliance.name == name);
        if let Some(running) = at.and_then(|at| self.running.get_mut(at)) {
            *running = Running { on, left_s: seconds };
        }
    }

    #[must_use]
    pub fn currents(&self) -> PerLine<Phasor> {
        let mut sum = PerLine::default();
        for line in Line::ALL {
            let breath = self.breath[line.index()].value();
            let amps = (self.plan.base[line] * self.activity + breath).max(0.5);
            sum = sum + to_neutral(line, amps, self.plan.power_factor);
        }
        let on = self.plan.appliances.iter().zip(&self.running).filter(|(_, running)| running.on);
        for (appliance, _) in on {
            for (line, amps) in appliance.amps.iter() {
                sum = sum + to_neutral(line, amps, appliance.power_factor);
            }
        }
        sum
    }
}

fn activity(hour: f64) -> f64 {
    let hour = hour.rem_euclid(24.0);
    let (from, part) = (hour.floor() as usize % 24, hour.fract());
    DAY[from] + (DAY[(from + 1) % 24] - DAY[from]) * part
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::time::Instant;

    const OVEN: Appliance = Appliance {
        name: Cow::Borrowed("oven"),
        amps: PerLine([16.0, 16.0, 0.0]),
        power_factor: 1.0,
        on_s: 600.0,
        off_s: 1200.0,
    };

    fn minute() -> Step {
        Step { now: Instant(0), seconds: 6.0, scenario_seconds: 60.0, volts: PerLine::all(230.0) }
    }

    fn building(breathing: f64) -> Building {
        let plan = BuildingPlan {
            base: PerLine::all(10.0),
            breathing,
            power_factor: 1.0,
            follows_day: true,
            appliances: vec![OVEN],
        };
        Building::new(plan, Rng::new(11))
    }

    #[test]
    fn an_oven_adds_its_amperes_on_its_lines() {
        let mut building = building(0.0);
        building.switch("oven", false, 1e9);
        building.advance(&minute(), 10.0);
        let before = building.currents().map(Phasor::size);
        building.switch("oven", true, 1e9);
        let after = building.currents().map(Phasor::size);
        assert_eq!((after - before).map(f64::round), OVEN.amps);
    }

    #[test]
    fn the_oven_is_on_for_about_the_share_of_time_that_it_should_be() {
        let mut building = building(0.0);
        let minutes = 60_000;
        let on = (0..minutes)
            .filter(|_| {
                building.advance(&minute(), 10.0);
                building.currents()[Line::L1].size() > 20.0
            })
            .count();
        let share = on as f64 / f64::from(minutes);
        assert!((share - 1.0 / 3.0).abs() < 0.05, "{share}");
    }

    #[test]
    fn nights_are_quiet() {
        let mut building = building(0.0);
        building.switch("oven", false, 1e9);
        building.advance(&minute(), 3.0);
        assert!((building.currents()[Line::L3].size() - 3.2).abs() < 0.01);
    }
}
