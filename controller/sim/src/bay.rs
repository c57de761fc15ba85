//! A parking bay: a charger and the cars that visit it.

use crate::car::{Car, CarModel};
use crate::fleet;
use crate::modbus::ModbusCharger;
use crate::ocpp::ChargePoint;
use crate::outlet::{Kind, Outlet};
use crate::rng::Rng;
use crate::step::Step;
use dlb_engine::time::{Duration, Instant};

/// The charger of a bay, by the protocol that it speaks. One outlet each.
#[derive(Clone, Debug)]
pub enum Charger {
    Ocpp(Box<ChargePoint>),
    Modbus(Box<ModbusCharger>),
}

/// How cars come and go; scenario seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visits {
    pub stay_s: (f64, f64),
    /// Mean time that the bay stays free.
    pub gap_s: f64,
    /// State of charge on arrival.
    pub soc: (f64, f64),
}

/// A bay with its visits.
#[derive(Clone, Debug)]
pub struct Bay {
    pub name: String,
    charger: Charger,
    visits: Visits,
    phase: Phase,
    rng: Rng,
}

#[derive(Clone, Debug)]
enum Phase {
    /// The next car comes in so many scenario seconds.
    Free {
        left_s: f64,
    },
    /// The first car of the day comes at this instant.
    Expected {
        at: Instant,
    },
    Parked {
        left_s: f64,
        card_at: Option<Instant>,
    },
}

/// Somebody came or went.
#[derive(Clone, Debug, PartialEq)]
pub enum Visit {
    Arrived { car: &'static str, soc: f64, missing_kwh: f64 },
    Left { car: &'static str, soc: f64, content: bool },
}

/// A driver needs this long from the plug to the card reader.
const TO_THE_READER: (f64, f64) = (2.0, 9.0);

impl Bay {
    /// A bay whose first car comes at an instant, or some time later.
    #[must_use]
    pub fn new(name: String, charger: Charger, visits: Visits, first: Option<Instant>, mut rng: Rng) -> Self {
        let phase = match first {
            Some(at) => Phase::Expected { at },
            None => Phase::Free { left_s: rng.exponential(visits.gap_s) },
        };
        Self { name, charger, visits, phase, rng }
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
        match &mut self.phase {
            Phase::Expected { at } if *at <= step.now => Some(self.arrive(step.now)),
            Phase::Expected { .. } => None,
            Phase::Free { left_s } => {
                *left_s -= step.scenario_seconds;
                (*left_s <= 0.0).then(|| self.arrive(step.now))
            }
            Phase::Parked { left_s, card_at } => {
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

    fn arrive(&mut self, now: Instant) -> Visit {
        let model = self.choose_model();
        let soc = self.rng.between(self.visits.soc.0, self.visits.soc.1);
        let target = if self.rng.chance(0.5) { 0.8 } else { 1.0 };
        let car = Car::new(model, soc, target);
        let visit = Visit::Arrived { car: model.name, soc, missing_kwh: car.missing_kwh() };
        let stay_s = self.rng.between(self.visits.stay_s.0, self.visits.stay_s.1);
        self.plug(now, car, stay_s);
        visit
    }

    fn leave(&mut self, now: Instant) -> Option<Visit> {
        let car = self.unplug(now);
        self.phase = Phase::Free { left_s: self.rng.exponential(self.visits.gap_s) };
        let car = car?;
        Some(Visit::Left { car: car.model().name, soc: car.soc(), content: car.is_full() })
    }

    fn plug(&mut self, now: Instant, car: Car, stay_s: f64) {
        let pause = Duration::from_secs_f64(self.rng.between(TO_THE_READER.0, TO_THE_READER.1));
        self.phase = Phase::Parked { left_s: stay_s, card_at: Some(now + pause) };
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
        match self.outlet().plate().kind {
            Kind::Dc { .. } => fleet::LONG_DISTANCE,
            Kind::Ac => fleet::AC[self.rng.below(fleet::AC.len())],
        }
    }
}
