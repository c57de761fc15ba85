//! A car: its battery, its on-board charger and the habits of its charging software.
//!
//! It is offered a current by the charger's pilot signal and decides alone what it draws, as cars do:
//! after a moment, along a ramp, never below what its charger can do, less and less when nearly full.
//! On an AC inlet offers and draws are amperes per phase; on a DC inlet they are watts.

use crate::step::Step;
use dlb_engine::time::{Duration, Instant};

/// How the car takes its energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inlet {
    /// The on-board charger on this many phases, amperes per phase.
    Ac { phases: u8 },
    /// Straight to the battery, in watts.
    Dc,
}

/// A make of car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CarModel {
    pub name: &'static str,
    pub inlet: Inlet,
    /// The most that it takes, and the least with which it can charge (amperes or watts, by inlet).
    pub max: f64,
    pub min: f64,
    pub battery_kwh: f64,
    /// Time from a change of the pilot to the first reaction; IEC 61851-1 allows 5 s.
    pub reaction: Duration,
    /// Per second, in the unit of `max`.
    pub ramp_up: f64,
    pub ramp_down: f64,
    pub power_factor: f64,
    /// Share of the drawn energy that reaches the battery.
    pub efficiency: f64,
    /// Above this state of charge it takes less and less.
    pub taper_from: f64,
    /// Time that it needs to begin once it may.
    pub wake_after: Duration,
    /// Goes on after a pause. Some cars do not until the plug or the pilot is interrupted.
    pub wakes_after_pause: bool,
}

/// One car with the energy in it.
#[derive(Clone, Debug)]
pub struct Car {
    model: CarModel,
    stored_kwh: f64,
    arrived_kwh: f64,
    target_kwh: f64,
    drawn: f64,
    /// The pilot as the car has understood it, and a change that it is about to understand.
    understood: f64,
    pending: Option<(Instant, f64)>,
    awake_at: Option<Instant>,
    stopped_at: Option<Instant>,
    asleep: bool,
    has_charged: bool,
}

/// A pause shorter than this sends no car to sleep.
const SLEEP_AFTER: Duration = Duration::from_secs(20);
/// What remains of the current when the battery is all but full.
const TAPER_FLOOR: f64 = 0.08;

impl Car {
    /// A car that arrives with `soc` (0 to 1) in its battery and stops by itself at `target_soc`.
    #[must_use]
    pub fn new(model: CarModel, soc: f64, target_soc: f64) -> Self {
        Self {
            model,
            stored_kwh: model.battery_kwh * soc.clamp(0.0, 1.0),
            arrived_kwh: model.battery_kwh * soc.clamp(0.0, 1.0),
            target_kwh: model.battery_kwh * target_soc.clamp(0.0, 1.0),
            drawn: 0.0,
            understood: 0.0,
            pending: None,
            awake_at: None,
            stopped_at: None,
            asleep: false,
            has_charged: false,
        }
    }

    #[must_use]
    pub const fn model(&self) -> &CarModel {
        &self.model
    }

    /// What it draws now: amperes per phase, or watts.
    #[must_use]
    pub const fn drawn(&self) -> f64 {
        self.drawn
    }

    #[must_use]
    pub fn soc(&self) -> f64 {
        self.stored_kwh / self.model.battery_kwh
    }

    #[must_use]
    pub const fn stored_kwh(&self) -> f64 {
        self.stored_kwh
    }

    /// Energy that it still wants, at the battery.
    #[must_use]
    pub fn missing_kwh(&self) -> f64 {
        (self.target_kwh - self.stored_kwh).max(0.0)
    }

    /// What it came for, and what it has got of that, at the cable: losses included.
    #[must_use]
    pub fn wanted_kwh(&self) -> f64 {
        (self.target_kwh - self.arrived_kwh).max(0.0) / self.model.efficiency
    }

    #[must_use]
    pub fn charged_kwh(&self) -> f64 {
        (self.stored_kwh - self.arrived_kwh) / self.model.efficiency
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        self.stored_kwh >= self.target_kwh
    }

    /// It was paused and will not begin again by itself.
    #[must_use]
    pub const fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Phases that its on-board charger uses; 0 on DC.
    #[must_use]
    pub const fn phases(&self) -> u8 {
        match self.model.inlet {
            Inlet::Ac { phases } => phases,
            Inlet::Dc => 0,
        }
    }

    /// The pilot was interrupted or the plug pulled: a sleeping car looks again.
    pub fn wake(&mut self) {
        self.asleep = false;
        self.stopped_at = None;
    }

    /// The contactor opened under load: nothing flows, whatever the car wants.
    pub fn cut(&mut self) {
        self.drawn = 0.0;
        self.awake_at = None;
    }

    /// One step under this offer. Returns what it draws at the end of the step.
    pub fn advance(&mut self, step: &Step, offered: f64) -> f64 {
        self.understand(step.now, offered);
        self.sleep_or_wake(step.now);
        let goal = self.goal(step.now);
        let rate = if goal > self.drawn { self.model.ramp_up } else { self.model.ramp_down };
        let most = rate * step.seconds;
        self.drawn += (goal - self.drawn).clamp(-most, most);
        self.has_charged |= self.drawn > 0.0;
        self.drawn
    }

    /// Energy that came through the cable in the step.
    pub fn fill(&mut self, watts: f64, step: &Step) {
        self.stored_kwh += watts * self.model.efficiency * step.scenario_seconds / 3_600_000.0;
    }

    /// A change is understood `reaction` after the first sign of it, at the value that it has by then.
    fn understand(&mut self, now: Instant, offered: f64) {
        if self.pending.is_none() && offered != self.understood {
            self.pending = Some((now + self.model.reaction, offered));
        }
        if let Some((due, _)) = self.pending
            && due <= now
        {
            self.understood = offered;
            self.pending = None;
        }
    }

    fn sleep_or_wake(&mut self, now: Instant) {
        if self.understood >= self.model.min {
            self.awake_at.get_or_insert(now + self.model.wake_after);
            self.stopped_at = None;
            return;
        }
        self.awake_at = None;
        let stopped = *self.stopped_at.get_or_insert(now);
        let overslept = now.since(stopped) >= SLEEP_AFTER;
        if self.has_charged && !self.model.wakes_after_pause && overslept {
            self.asleep = true;
        }
    }

    fn goal(&self, now: Instant) -> f64 {
        let ready = self.awake_at.is_some_and(|at| at <= now);
        if !ready || self.asleep || self.is_full() {
            return 0.0;
        }
        self.understood.min(self.appetite())
    }

    /// What it would take now if it were offered enough: amperes per phase, or watts.
    #[must_use]
    pub fn takes(&self) -> f64 {
        self.appetite()
    }

    /// What the battery lets in at its state of charge.
    fn appetite(&self) -> f64 {
        let left = (1.0 - self.soc()) / (1.0 - self.model.taper_from).max(1e-6);
        self.model.max * left.clamp(TAPER_FLOOR, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet;
    use dlb_engine::lines::PerLine;

    struct Road {
        car: Car,
        now: Instant,
    }

    impl Road {
        fn new(model: CarModel, soc: f64) -> Self {
            Self { car: Car::new(model, soc, 1.0), now: Instant::from_millis(1000) }
        }

        /// Offers a current for some seconds; the energy of three phases at 230 V goes into the battery.
        fn offer(&mut self, amps: f64, seconds: f64, speed: f64) -> f64 {
            for _ in 0..(seconds * 10.0).round() as u32 {
                self.now = self.now + Duration::from_millis(100);
                let step = Step {
                    now: self.now,
                    seconds: 0.1,
                    scenario_seconds: 0.1 * speed,
                    volts: PerLine::all(230.0),
                };
                let drawn = self.car.advance(&step, amps);
                self.car.fill(drawn * 230.0 * f64::from(self.car.phases()), &step);
            }
            self.car.drawn()
        }
    }

    #[test]
    fn a_car_follows_a_lower_offer_within_five_seconds() {
        for model in fleet::AC {
            let mut road = Road::new(*model, 0.3);
            road.offer(32.0, 120.0, 1.0);
            assert_eq!(road.car.drawn(), model.max.min(32.0), "{}", model.name);
            let lower = model.min.max(8.0);
            assert!(road.offer(lower, 5.0, 1.0) <= lower, "{} is too slow", model.name);
        }
    }

    #[test]
    fn a_car_that_needs_eight_amperes_draws_nothing_at_six() {
        let mut road = Road::new(CarModel { min: 8.0, ..fleet::HATCHBACK }, 0.3);
        assert_eq!(road.offer(6.0, 60.0, 1.0), 0.0);
        assert_eq!(road.offer(8.0, 60.0, 1.0), 8.0);
    }

    #[test]
    fn a_sleepy_car_stays_asleep_after_a_long_pause_until_the_pilot_is_interrupted() {
        let mut road = Road::new(CarModel { wakes_after_pause: false, ..fleet::HATCHBACK }, 0.3);
        road.offer(16.0, 60.0, 1.0);
        road.offer(0.0, 10.0, 1.0);
        assert_eq!(road.offer(16.0, 60.0, 1.0), 16.0, "a short pause does no harm");
        road.offer(0.0, 60.0, 1.0);
        assert_eq!(road.offer(16.0, 120.0, 1.0), 0.0);
        assert!(road.car.is_asleep());
        road.car.wake();
        assert_eq!(road.offer(16.0, 60.0, 1.0), 16.0);
    }

    #[test]
    fn a_nearly_full_car_takes_less_and_less_and_then_stops() {
        let mut road = Road::new(fleet::HATCHBACK, 0.90);
        let early = road.offer(16.0, 60.0, 1.0);
        road.offer(16.0, 1200.0, 1.0);
        let mut late = early;
        while !road.car.is_full() {
            late = road.offer(16.0, 60.0, 5.0).min(late).max(0.1);
        }
        assert_eq!(early, 16.0);
        assert!(late < 4.0, "still {late} A");
        road.offer(16.0, 10.0, 1.0);
        assert_eq!(road.car.drawn(), 0.0);
    }

    #[test]
    fn what_the_cable_carries_is_in_the_battery_but_for_the_losses() {
        let mut road = Road::new(fleet::HATCHBACK, 0.2);
        road.offer(16.0, 60.0, 1.0);
        let before = road.car.stored_kwh();
        road.offer(16.0, 360.0, 10.0);
        let cable_kwh = 16.0 * 230.0 * 3.0 / 1000.0;
        let gained = road.car.stored_kwh() - before;
        assert!((gained - cable_kwh * fleet::HATCHBACK.efficiency).abs() < 1e-6);
    }
}
