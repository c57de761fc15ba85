//! The whole site: building, sun, bays, connection. Advances in fixed ticks, so that the same seed
//! gives the same site however often somebody looks.

use crate::bay::{Bay, Charger, Visit};
use crate::breath::Breath;
use crate::building::Building;
use crate::circuit::{Circuit, CircuitPlan};
use crate::digest::Digest;
use crate::modbus::ModbusCharger;
use crate::ocpp::ChargePoint;
use crate::outlet::Outlet;
use crate::phasor::Phasor;
use crate::pickup::Electrical;
use crate::rng::Rng;
use crate::step::Step;
use crate::story::{self, Story};
use crate::sun::{Sun, SunPlan};
use crate::truth::Truth;
use core::num::NonZeroU32;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

/// What a site is made of, besides its bays.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldPlan {
    pub seed: u64,
    /// How much faster the scenario runs than the electrical and protocol side.
    pub speed: NonZeroU32,
    /// How much faster than life appliances switch and clouds pass. As fast as the scenario, a site is harder to
    /// balance than any real one; at 1 its steps come as they do in life, however fast its day goes.
    pub load_speed: NonZeroU32,
    /// Hour of the scenario's day at the start.
    pub hour: f64,
    /// The grid connection first; every other one after the circuit that feeds it.
    pub circuits: Vec<CircuitPlan>,
    /// On the roof, behind the grid connection.
    pub sun: Option<SunPlan>,
    /// Line to neutral, nothing flowing.
    pub volts: f64,
    pub tick: Duration,
}

/// A running site.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    speed: NonZeroU32,
    load_speed: NonZeroU32,
    tick: Duration,
    volts: f64,
    now: Instant,
    hour: f64,
    circuits: Vec<Circuit>,
    sun: Option<Sun>,
    bays: Vec<Bay>,
    electrical: Electrical,
    wander: [Breath; 3],
    rng: Rng,
    story: Story,
    visits: VecDeque<(usize, Visit)>,
    digest: Digest,
}

/// What an ampere more takes from the voltage of its line.
const SOURCE_OHM: f64 = 0.04;
/// Visits that nobody has asked about; the oldest go first.
const VISITS_MAX: usize = 1_024;

impl World {
    /// A site at `now`. Nothing has flowed yet.
    #[must_use]
    pub fn new(plan: WorldPlan, bays: Vec<Bay>, now: Instant) -> Self {
        let seed = plan.seed;
        let mut rng = Rng::part(seed, "mains", 0);
        let electrical = Electrical {
            volts: PerLine::all(plan.volts),
            currents: PerLine::default(),
            hertz: 50.0 + rng.between(-0.02, 0.02),
            harmonics: [0.03, 0.02],
        };
        let circuits = plan.circuits.into_iter().enumerate();
        Self {
            seed,
            speed: plan.speed,
            load_speed: plan.load_speed,
            tick: plan.tick,
            volts: plan.volts,
            circuits: circuits.map(|(at, circuit)| Circuit::new(circuit, seed, at)).collect(),
            sun: plan.sun.map(|sun| Sun::new(sun, Rng::part(seed, "sun", 0))),
            hour: plan.hour,
            now,
            bays,
            electrical,
            wander: core::array::from_fn(|_| Breath::new(0.9, 120.0)),
            rng,
            story: Story::default(),
            visits: VecDeque::new(),
            digest: Digest::default(),
        }
    }

    /// Up to `now`, in whole ticks.
    pub fn advance(&mut self, now: Instant) {
        while self.now + self.tick <= now {
            self.tick();
        }
    }

    /// When there is something to do next.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.now + self.tick
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

    /// The building in a circuit, if there is one.
    pub fn building_mut(&mut self, circuit: usize) -> Option<&mut Building> {
        self.circuits.get_mut(circuit)?.building_mut()
    }

    /// What the dice of this site were thrown with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
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

    /// What really flowed at the grid connection.
    ///
    /// # Panics
    /// On a site without circuits.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        self.truth_of(0)
    }

    /// What really flowed in a circuit.
    ///
    /// # Panics
    /// Where there is no such circuit.
    #[must_use]
    pub fn truth_of(&self, circuit: usize) -> &Truth {
        &self.circuits[circuit].truth
    }

    /// What flows in a circuit now, and the part of it that chargers draw.
    ///
    /// # Panics
    /// Where there is no such circuit.
    #[must_use]
    pub fn flows(&self, circuit: usize) -> (PerLine<Phasor>, PerLine<Phasor>) {
        let circuit = &self.circuits[circuit];
        (circuit.flows, circuit.chargers)
    }

    /// The circuit at hand and those that feed it, up to the grid connection.
    pub fn path(&self, circuit: usize) -> impl Iterator<Item = usize> + '_ {
        core::iter::successors(Some(circuit), |at| self.circuits[*at].parent)
    }

    #[must_use]
    pub fn circuit_count(&self) -> usize {
        self.circuits.len()
    }

    /// Who came or went, by the position of the bay.
    pub fn next_visit(&mut self) -> Option<(usize, Visit)> {
        self.visits.pop_front()
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
        self.now = self.now + self.tick;
        let seconds = self.tick.as_secs_f64();
        let scenario_seconds = seconds * f64::from(self.speed.get());
        self.hour += scenario_seconds / 3600.0;
        let step = Step { now: self.now, seconds, scenario_seconds, volts: self.volts(seconds) };
        self.advance_loads(&Step { scenario_seconds: seconds * f64::from(self.load_speed.get()), ..step });
        for (at, bay) in self.bays.iter_mut().enumerate() {
            if let Some(visit) = bay.advance(&step) {
                self.story.tell(story::visit(&bay.name, &visit));
                if self.visits.len() == VISITS_MAX {
                    self.visits.pop_front();
                }
                self.visits.push_back((at, visit));
            }
        }
        self.measure(&step);
    }

    fn advance_loads(&mut self, step: &Step) {
        for circuit in &mut self.circuits {
            for switched in circuit.advance(step, self.hour) {
                self.story.tell(story::switched(&switched));
            }
        }
        if let Some(sun) = &mut self.sun
            && sun.advance(step, self.hour)
        {
            self.story.tell(story::sky(sun.cloudy()));
        }
    }

    fn measure(&mut self, step: &Step) {
        self.add_up();
        self.electrical.currents = self.circuits.first().map(|root| root.flows).unwrap_or_default();
        self.electrical.volts = step.volts;
        let swell = self.electrical.swell();
        for (at, circuit) in self.circuits.iter_mut().enumerate() {
            let rms = circuit.flows.map(|current| current.size() * swell);
            // Energy is counted where it comes in.
            let watts = if at == 0 { self.electrical.watts().0.iter().sum() } else { 0.0 };
            if circuit.truth.note(step.now, rms, watts, step.seconds) {
                self.story.tell(story::tripped(at));
            }
        }
        for (_, current) in self.electrical.currents.iter() {
            self.digest.number(current.re);
            self.digest.number(current.im);
        }
    }

    /// From the leaves to the root: a parent comes before its children.
    fn add_up(&mut self) {
        for circuit in &mut self.circuits {
            circuit.chargers = PerLine::default();
            circuit.flows = circuit.own();
        }
        if let (Some(root), Some(sun)) = (self.circuits.first_mut(), &self.sun) {
            root.flows = root.flows + sun.currents();
        }
        for bay in self.bays.iter().filter(|bay| bay.outlet().car().is_some()) {
            let drawn = bay.outlet().currents();
            let Some(circuit) = self.circuits.get_mut(bay.circuit) else { continue };
            circuit.chargers = circuit.chargers + drawn;
            circuit.flows = circuit.flows + drawn;
        }
        for at in (1..self.circuits.len()).rev() {
            let (flows, chargers) = (self.circuits[at].flows, self.circuits[at].chargers);
            if let Some(parent) = self.circuits[at].parent {
                self.circuits[parent].flows = self.circuits[parent].flows + flows;
                self.circuits[parent].chargers = self.circuits[parent].chargers + chargers;
            }
        }
    }

    fn volts(&mut self, seconds: f64) -> PerLine<f64> {
        let rms = self.electrical.currents.map(Phasor::size);
        PerLine(Line::ALL.map(|line| {
            let wander = self.wander[line.index()].advance(seconds, &mut self.rng);
            self.volts + wander - SOURCE_OHM * rms[line]
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
