//! The whole site: building, sun, bays, connection. Advances in fixed ticks, so that the same seed
//! gives the same site however often somebody looks.

use crate::bay::{Bay, Charger};
use crate::breath::Breath;
use crate::building::{Building, BuildingPlan};
use crate::digest::Digest;
use crate::modbus::ModbusCharger;
use crate::ocpp::ChargePoint;
use crate::outlet::Outlet;
use crate::phasor::Phasor;
use crate::pickup::Electrical;
use crate::protection::Curve;
use crate::rng::Rng;
use crate::step::Step;
use crate::story::{self, Story};
use crate::sun::{Sun, SunPlan};
use crate::truth::Truth;
use core::num::NonZeroU32;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::time::{Duration, Instant};

/// What a site is made of, besides its bays.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldPlan {
    pub seed: u64,
    /// How much faster the scenario runs than the electrical and protocol side.
    pub speed: NonZeroU32,
    /// Hour of the scenario's day at the start.
    pub hour: f64,
    pub limit: PerLine<f64>,
    pub curve: Curve,
    pub building: BuildingPlan,
    pub sun: SunPlan,
    pub tick: Duration,
}

/// A running site.
#[derive(Clone, Debug)]
pub struct World {
    plan: WorldPlan,
    now: Instant,
    hour: f64,
    building: Building,
    sun: Sun,
    bays: Vec<Bay>,
    electrical: Electrical,
    wander: [Breath; 3],
    rng: Rng,
    truth: Truth,
    story: Story,
    digest: Digest,
}

/// What an ampere more takes from the voltage of its line.
const SOURCE_OHM: f64 = 0.04;
const NOMINAL_V: f64 = 231.0;

impl World {
    /// A site at `now`. Nothing has flowed yet.
    #[must_use]
    pub fn new(plan: WorldPlan, bays: Vec<Bay>, now: Instant) -> Self {
        let seed = plan.seed;
        let mut rng = Rng::part(seed, "mains", 0);
        let electrical = Electrical {
            volts: PerLine::all(NOMINAL_V),
            currents: PerLine::default(),
            hertz: 50.0 + rng.between(-0.02, 0.02),
            harmonics: [0.03, 0.02],
        };
        Self {
            building: Building::new(plan.building.clone(), Rng::part(seed, "building", 0)),
            sun: Sun::new(plan.sun, Rng::part(seed, "sun", 0)),
            hour: plan.hour,
            truth: Truth::new(plan.limit, plan.curve),
            plan,
            now,
            bays,
            electrical,
            wander: core::array::from_fn(|_| Breath::new(0.9, 120.0)),
            rng,
            story: Story::default(),
            digest: Digest::default(),
        }
    }

    /// Up to `now`, in whole ticks.
    pub fn advance(&mut self, now: Instant) {
        while self.now + self.plan.tick <= now {
            self.tick();
        }
    }

    /// When there is something to do next.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.now + self.plan.tick
    }

    #[must_use]
    pub fn bays(&self) -> &[Bay] {
        &self.bays
    }

    pub fn bays_mut(&mut self) -> &mut [Bay] {
        &mut self.bays
    }

    /// The charge point of a bay, if it is one.
    pub fn point_mut(&mut self, bay: usize) -> Option<&mut ChargePoint> {
        match self.bays.get_mut(bay)?.charger_mut() {
            Charger::Ocpp(point) => Some(point),
            Charger::Modbus(_) => None,
        }
    }

    /// The Modbus charger of a bay, if it is one.
    pub fn registers_mut(&mut self, bay: usize) -> Option<&mut ModbusCharger> {
        match self.bays.get_mut(bay)?.charger_mut() {
            Charger::Modbus(charger) => Some(charger),
            Charger::Ocpp(_) => None,
        }
    }

    pub const fn building_mut(&mut self) -> &mut Building {
        &mut self.building
    }

    #[must_use]
    pub const fn electrical(&self) -> &Electrical {
        &self.electrical
    }

    /// What these bays draw together, as a circuit of their own would carry it.
    #[must_use]
    pub fn currents_of(&self, bays: impl Iterator<Item = usize>) -> PerLine<Phasor> {
        bays.filter_map(|bay| self.bays.get(bay))
            .fold(PerLine::default(), |sum, bay| sum + bay.outlet().currents())
    }

    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Hour of the scenario's day.
    #[must_use]
    pub fn hour(&self) -> f64 {
        self.hour.rem_euclid(24.0)
    }

    pub const fn story_mut(&mut self) -> &mut Story {
        &mut self.story
    }

    /// Fingerprint of everything that has flowed.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest.value()
    }

    fn tick(&mut self) {
        self.now = self.now + self.plan.tick;
        let seconds = self.plan.tick.as_secs_f64();
        let scenario_seconds = seconds * f64::from(self.plan.speed.get());
        self.hour += scenario_seconds / 3600.0;
        let step = Step { now: self.now, seconds, scenario_seconds, volts: self.volts(seconds) };
        for switched in self.building.advance(&step, self.hour) {
            self.story.tell(story::switched(&switched));
        }
        if self.sun.advance(&step, self.hour) {
            self.story.tell(story::sky(self.sun.cloudy()));
        }
        for bay in &mut self.bays {
            if let Some(visit) = bay.advance(&step) {
                self.story.tell(story::visit(&bay.name, &visit));
            }
        }
        self.measure(&step);
    }

    fn measure(&mut self, step: &Step) {
        let bays = self.currents_of(0..self.bays.len());
        self.electrical.currents = self.building.currents() + self.sun.currents() + bays;
        self.electrical.volts = step.volts;
        let rms = self.electrical.rms();
        let watts = self.electrical.watts().0.iter().sum();
        let trips = self.truth.trips;
        self.truth.note(step.now, rms, watts, step.seconds);
        if self.truth.trips > trips {
            self.story.tell("The main fuse would have blown.".to_owned());
        }
        for (_, current) in self.electrical.currents.iter() {
            self.digest.number(current.re);
            self.digest.number(current.im);
        }
    }

    fn volts(&mut self, seconds: f64) -> PerLine<f64> {
        let rms = self.electrical.currents.map(Phasor::size);
        PerLine(Line::ALL.map(|line| {
            let wander = self.wander[line.index()].advance(seconds, &mut self.rng);
            NOMINAL_V + wander - SOURCE_OHM * rms[line]
        }))
    }

    /// Cars that are plugged in, and those of them that draw.
    #[must_use]
    pub fn cars(&self) -> (usize, usize) {
        let here = self.bays.iter().filter(|bay| bay.outlet().car().is_some()).count();
        let drawing = self.bays.iter().map(Bay::outlet).filter(|outlet| Outlet::drawing(outlet)).count();
        (here, drawing)
    }
}
