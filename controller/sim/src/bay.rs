//! A parking bay: a charger and the cars that visit it.

use crate::car::{Car, CarModel};
use crate::fleet;
use crate::modbus::ModbusCharger;
use crate::ocpp::ChargePoint;
use crate::outlet::{Kind, Outlet};
use crate::rng::Rng;
use crate::step::Step;
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

/// The charger of a bay, by the protocol that it speaks. One outlet each.
#[derive(Clone, Debug)]
pub enum Charger {
    Ocpp(Box<ChargePoint>),
    Modbus(Box<ModbusCharger>),
}

/// One car must be driven away and the next one parked, however fast a scenario's day goes by.
const SWAP: Duration = Duration::from_secs(15);

/// How cars come and go; scenario seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visits {
    pub stay_s: (f64, f64),
    /// Mean time that the bay stays free.
    pub gap_s: f64,
    /// State of charge on arrival.
    pub soc: (f64, f64),
}

/// Who comes to a bay.
#[derive(Clone, Debug)]
pub enum Traffic {
    /// Any of these cars, or of those that suit the charger where none is named.
    Random { visits: Visits, cars: Vec<CarModel> },
    /// These, in this order. Who finds the bay taken waits for it.
    Listed(VecDeque<Guest>),
}

/// A visit that is known beforehand.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Scenario seconds from the start.
    pub arrives_s: f64,
    pub leaves_s: f64,
    pub car: Car,
}

/// A bay with its visits.
#[derive(Clone, Debug)]
pub struct Bay {
    pub name: String,
    /// Position of the circuit that it hangs on.
    pub circuit: usize,
    charger: Charger,
    traffic: Traffic,
    /// Scenario seconds since the start.
    clock_s: f64,
    phase: Phase,
    rng: Rng,
}

#[derive(Clone, Debug)]
enum Phase {
    /// The next car comes in so many scenario seconds, and not before this instant.
    Free {
        left_s: f64,
        from: Instant,
    },
    /// The first car of the day comes at this instant.
    Expected {
        at: Instant,
    },
    Parked {
        since: Instant,
        left_s: f64,
        card_at: Option<Instant>,
    },
}

/// Somebody came or went.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    Arrived { car: &'static str, soc: f64, missing_kwh: f64 },
    Left { car: &'static str, soc: f64, content: bool, session: Stay },
}

/// What a visit came to, at the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stay {
    pub wanted_kwh: f64,
    pub charged_kwh: f64,
    /// Electrical seconds.
    pub stayed_s: f64,
}

/// A driver needs this long from the plug to the card reader.
const TO_THE_READER: (f64, f64) = (2.0, 9.0);

impl Bay {
    /// A bay whose first car comes at an instant, or some time later. Listed cars come when they come.
    #[must_use]
    pub fn new(
        name: String,
        circuit: usize,
        charger: Charger,
        traffic: Traffic,
        first: Option<Instant>,
        mut rng: Rng,
    ) -> Self {
        let phase = match (&traffic, first) {
            (Traffic::Random { .. }, Some(at)) => Phase::Expected { at },
            (Traffic::Random { visits, .. }, None) => {
                Phase::Free { left_s: rng.exponential(visits.gap_s), from: Instant(0) }
            }
            (Traffic::Listed(guests), _) => {
                let left_s = guests.front().map_or(f64::INFINITY, |guest| guest.arrives_s);
                Phase::Free { left_s, from: Instant(0) }
            }
        };
        Self { name, circuit, charger, traffic, clock_s: 0.0, phase, rng }
    }

    #[must_use]
    pub const fn charger(&self) -> &Charger {
        &self.charger
    }

    pub const fn charger_mut(&mut self) -> &mut Charger {
        &mut self.charger
    }

    #[must_use]
    pub fn outlet(&self) -> &Outlet {
        match &self.charger {
            Charger::Ocpp(point) => point.outlet(1),
            Charger::Modbus(charger) => charger.outlet(),
        }
    }

    pub fn advance(&mut self, step: &Step) -> Option<Visit> {
        let visit = self.visit(step);
        match &mut self.charger {
            Charger::Ocpp(point) => point.advance(step),
            Charger::Modbus(charger) => charger.advance(step),
        }
        visit
    }

    /// Puts a certain car into the bay, in place of the one that is there.
    pub fn park(&mut self, now: Instant, car: Car, stay_s: f64) {
        self.unplug(now);
        self.plug(now, car, stay_s);
    }

    fn visit(&mut self, step: &Step) -> Option<Visit> {
        self.clock_s += step.scenario_seconds;
        match &mut self.phase {
            Phase::Expected { at } if *at <= step.now => self.arrive(step.now),
            Phase::Expected { .. } => None,
            Phase::Free { left_s, from } => {
                *left_s -= step.scenario_seconds;
                if *left_s <= 0.0 && *from <= step.now { self.arrive(step.now) } else { None }
            }
            Phase::Parked { left_s, card_at, .. } => {
                *left_s -= step.scenario_seconds;
                if *left_s <= 0.0 {
                    return self.leave(step.now);
                }
                if card_at.is_some_and(|at| at <= step.now) {
                    *card_at = None;
                    self.present_card(step.now);
                }
                None
            }
        }
    }

    fn arrive(&mut self, now: Instant) -> Option<Visit> {
        let (car, stay_s) = self.next_car()?;
        let name = car.model().name;
        let visit = Visit::Arrived { car: name, soc: car.soc(), missing_kwh: car.missing_kwh() };
        self.plug(now, car, stay_s);
        Some(visit)
    }

    fn next_car(&mut self) -> Option<(Car, f64)> {
        let visits = match &mut self.traffic {
            Traffic::Random { visits, .. } => *visits,
            Traffic::Listed(guests) => {
                let guest = guests.pop_front()?;
                return Some((guest.car, (guest.leaves_s - self.clock_s).max(1.0)));
            }
        };
        let model = self.choose_model();
        let soc = self.rng.between(visits.soc.0, visits.soc.1);
        let target = if self.rng.chance(0.5) { 0.8 } else { 1.0 };
        let stay_s = self.rng.between(visits.stay_s.0, visits.stay_s.1);
        Some((Car::new(model, soc, target), stay_s))
    }

    fn leave(&mut self, now: Instant) -> Option<Visit> {
        let since = match self.phase {
            Phase::Parked { since, .. } => since,
            _ => now,
        };
        let car = self.unplug(now);
        let left_s = match &self.traffic {
            Traffic::Random { visits, .. } => self.rng.exponential(visits.gap_s),
            Traffic::Listed(guests) => {
                guests.front().map_or(f64::INFINITY, |guest| guest.arrives_s - self.clock_s)
            }
        };
        let random = matches!(self.traffic, Traffic::Random { .. });
        self.phase = Phase::Free { left_s, from: if random { now + SWAP } else { now } };
        let car = car?;
        let session = Stay {
            wanted_kwh: car.wanted_kwh(),
            charged_kwh: car.charged_kwh(),
            stayed_s: now.since(since).as_secs_f64(),
        };
        Some(Visit::Left { car: car.model().name, soc: car.soc(), content: car.is_full(), session })
    }

    /// The car that is here and what it has come to so far.
    #[must_use]
    pub fn stay(&self, now: Instant) -> Option<Stay> {
        let (Phase::Parked { since, .. }, Some(car)) = (&self.phase, self.outlet().car()) else {
            return None;
        };
        Some(Stay {
            wanted_kwh: car.wanted_kwh(),
            charged_kwh: car.charged_kwh(),
            stayed_s: now.since(*since).as_secs_f64(),
        })
    }

    fn plug(&mut self, now: Instant, car: Car, stay_s: f64) {
        let pause = Duration::from_secs_f64(self.rng.between(TO_THE_READER.0, TO_THE_READER.1));
        self.phase = Phase::Parked { since: now, left_s: stay_s, card_at: Some(now + pause) };
        match &mut self.charger {
            Charger::Ocpp(point) => point.plug(now, 1, car),
            Charger::Modbus(charger) => charger.plug(car),
        }
    }

    fn unplug(&mut self, now: Instant) -> Option<Car> {
        match &mut self.charger {
            Charger::Ocpp(point) => point.unplug(now, 1),
            Charger::Modbus(charger) => charger.unplug(),
        }
    }

    /// Chargers that need no card ignore it.
    fn present_card(&mut self, now: Instant) {
        let tag = format!("TAG-{:04}", self.rng.below(10_000));
        if let Charger::Ocpp(point) = &mut self.charger
            && point.transaction_begun(1).is_none()
        {
            point.present_card(now, 1, &tag);
        }
    }

    fn choose_model(&mut self) -> CarModel {
        if let Traffic::Random { cars, .. } = &self.traffic
            && !cars.is_empty()
        {
            return cars[self.rng.below(cars.len())];
        }
        match self.outlet().plate().kind {
            Kind::Dc { .. } => fleet::LONG_DISTANCE,
            Kind::Ac => fleet::AC[self.rng.below(fleet::AC.len())],
        }
    }
}
