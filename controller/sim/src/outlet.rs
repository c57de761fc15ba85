//! The electrical half of a charger's outlet: pilot, contactor, car, meter. No protocol.
//!
//! Whatever speaks for the outlet gives it a limit ([`Outlet::set_limit`]); after the charger's dead
//! time and rounding the limit becomes the pilot's offer, and the car does what it does with that.
//! AC outlets count in amperes per phase, DC outlets in watts at the cable.

use crate::car::{Car, Inlet};
use crate::phasor::{self, Phasor};
use crate::step::Step;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant};
use std::collections::VecDeque;

/// What is printed inside the lid, and how this piece behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plate {
    pub kind: Kind,
    /// How its conductors really hang on the site's lines.
    pub wiring: Wiring,
    /// The voltage between two of its lines over that to neutral: √3, or 2 in a split-phase supply.
    pub between: f64,
    /// The most, the least and the step of its limits (amperes or watts, by kind).
    pub max: f64,
    pub min: f64,
    pub step: f64,
    /// From an order to the pilot.
    pub dead_time: Duration,
    /// Gain error of its own meter: 0.01 shows one per cent too much.
    pub meter_error: f64,
    pub temper: Temper,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Ac,
    /// Behind a rectifier of this efficiency.
    Dc {
        efficiency: f64,
    },
}

/// Does it do what it is told?
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Temper {
    Obeys,
    /// Offers this much more than it was allowed.
    Overdraws(f64),
    /// Says yes and offers all that it has.
    Deaf,
}

/// What the outlet's own meter shows, in the charger's own phase order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    pub amps: [f64; 3],
    pub volts: [f64; 3],
    pub watts: f64,
    pub register_wh: f64,
}

/// One outlet with or without a car.
#[derive(Clone, Debug)]
pub struct Outlet {
    plate: Plate,
    car: Option<Car>,
    /// Orders on their way to the pilot.
    orders: VecDeque<(Instant, f64)>,
    last_order: f64,
    limit: f64,
    /// Phases that its contactor closes, where it was told.
    poles: Option<u8>,
    closed: bool,
    contactor_starts: u32,
    stop_asked: Option<Instant>,
    idle_since: Option<Instant>,
    volts: PerLine<f64>,
    register_wh: f64,
}

/// A car that ignores the end of its offer is switched off under load after this long (IEC 61851-1).
const CONTACTOR_PATIENCE: Duration = Duration::from_secs(6);
/// Orders in flight at most; the newest always counts.
const ORDERS_MAX: usize = 8;
/// A car below this draws nothing worth the name.
const DRAWING: f64 = 0.5;

impl Outlet {
    #[must_use]
    pub fn new(plate: Plate, register_wh: f64) -> Self {
        Self {
            plate,
            car: None,
            orders: VecDeque::new(),
            last_order: 0.0,
            limit: 0.0,
            poles: None,
            closed: false,
            contactor_starts: 0,
            stop_asked: None,
            idle_since: None,
            volts: PerLine::all(230.0),
            register_wh,
        }
    }

    #[must_use]
    pub const fn plate(&self) -> &Plate {
        &self.plate
    }

    #[must_use]
    pub const fn car(&self) -> Option<&Car> {
        self.car.as_ref()
    }

    /// Phases that its conductors offer.
    #[must_use]
    pub fn phases(&self) -> u8 {
        self.plate.wiring.lines().iter().flatten().count() as u8
    }

    #[must_use]
    pub const fn contactor_starts(&self) -> u32 {
        self.contactor_starts
    }

    pub fn plug(&mut self, car: Car) {
        self.car = Some(car);
        self.idle_since = None;
    }

    pub fn unplug(&mut self) -> Option<Car> {
        self.closed = false;
        self.car.take()
    }

    /// Lets a sleeping car look again, as a new transaction or a pilot interruption does.
    pub fn interrupt_pilot(&mut self) {
        if let Some(car) = &mut self.car {
            car.wake();
        }
    }

    /// The limit that the charger's controls have decided on; 0 pauses. Only changes cost a dead time.
    pub fn set_limit(&mut self, now: Instant, limit: f64) {
        if limit == self.last_order {
            return;
        }
        self.last_order = limit;
        if self.orders.len() == ORDERS_MAX {
            self.orders.pop_back();
        }
        self.orders.push_back((now + self.plate.dead_time, limit));
    }

    /// On so many phases from now on; under load its contactor opens first.
    pub fn set_phases(&mut self, phases: Option<u8>) {
        if self.poles != phases {
            self.poles = phases;
            self.open();
        }
    }

    /// The supply of the charger's electronics is gone: the contactor drops at once.
    pub fn power_down(&mut self) {
        self.orders.clear();
        self.limit = 0.0;
        self.last_order = 0.0;
        self.open();
    }

    /// What the pilot offers now.
    #[must_use]
    pub fn offered(&self) -> f64 {
        let plate = &self.plate;
        let wanted = match plate.temper {
            Temper::Deaf if self.limit > 0.0 => plate.max,
            Temper::Overdraws(more) if self.limit >= plate.min => self.limit + more,
            _ => self.limit,
        };
        let stepped =
            if plate.step > 0.0 { (wanted / plate.step + 1e-5).floor() * plate.step } else { wanted };
        if stepped < plate.min { 0.0 } else { stepped.min(plate.max) }
    }

    /// A car could draw and does not, for longer than it takes to begin.
    #[must_use]
    pub fn car_holds_back(&self, now: Instant) -> bool {
        self.idle_since.is_some_and(|since| now.since(since) >= Duration::from_secs(12))
    }

    #[must_use]
    pub fn drawing(&self) -> bool {
        self.closed && self.car.as_ref().is_some_and(|car| car.drawn() > DRAWING)
    }

    pub fn advance(&mut self, step: &Step) {
        self.volts = step.volts;
        while self.orders.front().is_some_and(|(due, _)| *due <= step.now) {
            self.limit = self.orders.pop_front().map_or(self.limit, |(_, limit)| limit);
        }
        let offered = self.offered();
        self.switch(step.now, offered);
        let closed = self.closed;
        let Some(car) = &mut self.car else {
            self.idle_since = None;
            return;
        };
        car.advance(step, offered);
        if !closed {
            car.cut();
        }
        let holds_back = offered > 0.0 && car.drawn() <= DRAWING;
        self.idle_since = if holds_back { self.idle_since.or(Some(step.now)) } else { None };
        self.deliver(step);
    }

    /// Closes for an offer, opens once the car has stopped or patience has run out.
    fn switch(&mut self, now: Instant, offered: f64) {
        let willing = self.car.as_ref().is_some_and(|car| !car.is_full() && !car.is_asleep());
        if offered > 0.0 && (willing || self.closed) {
            self.stop_asked = None;
            self.contactor_starts += u32::from(!self.closed);
            self.closed = true;
            return;
        }
        let asked = *self.stop_asked.get_or_insert(now);
        if self.closed && (!self.drawing() || now.since(asked) >= CONTACTOR_PATIENCE) {
            self.open();
        }
    }

    fn open(&mut self) {
        self.closed = false;
        if let Some(car) = &mut self.car {
            car.cut();
        }
    }

    fn deliver(&mut self, step: &Step) {
        let watts = self.watts();
        self.register_wh += watts * (1.0 + self.plate.meter_error) * step.scenario_seconds / 3600.0;
        if let Some(car) = &mut self.car {
            car.fill(watts, step);
        }
    }

    /// True power at the cable.
    #[must_use]
    pub fn watts(&self) -> f64 {
        let Some(car) = &self.car else { return 0.0 };
        match self.plate.kind {
            Kind::Dc { .. } => car.drawn(),
            Kind::Ac => {
                let power_factor = car.model().power_factor;
                self.loaded().map(|(line, amps)| self.across(line) * amps * power_factor).sum()
            }
        }
    }

    /// The voltage behind the current of this line: to neutral, or to the other line that it is wired to.
    fn across(&self, line: Line) -> f64 {
        match self.plate.wiring {
            Wiring::Between(from, to) => (self.volts[from] + self.volts[to]) / 2.0 * self.plate.between,
            _ => self.volts[line],
        }
    }

    /// Watts of an ampere on each of its first phases, as it measures them. Between two lines there is one current,
    /// however many phases the car could use.
    #[must_use]
    pub fn watts_per_ampere(&self, phases: u8) -> f64 {
        let currents = if matches!(self.plate.wiring, Wiring::Between(..)) { 1 } else { phases.max(1) };
        let lines = self.plate.wiring.lines().into_iter().flatten();
        lines.take(usize::from(currents)).map(|line| self.across(line)).sum()
    }

    /// True currents on the site's lines.
    #[must_use]
    pub fn currents(&self) -> PerLine<Phasor> {
        let Some(car) = &self.car else { return PerLine::default() };
        let power_factor = car.model().power_factor;
        if let (Wiring::Between(from, to), Kind::Ac) = (self.plate.wiring, self.plate.kind) {
            return phasor::between(from, to, car.drawn(), power_factor);
        }
        self.loaded()
            .map(|(line, amps)| phasor::to_neutral(line, amps, power_factor))
            .fold(PerLine::default(), |sum, one| sum + one)
    }

    /// What its own meter shows.
    #[must_use]
    pub fn measured(&self) -> Measured {
        let gain = 1.0 + self.plate.meter_error;
        let mut measured =
            Measured { watts: self.watts() * gain, register_wh: self.register_wh, ..Measured::default() };
        for (own, line) in self.plate.wiring.lines().into_iter().enumerate() {
            measured.volts[own] = line.map_or(0.0, |line| self.volts[line]);
        }
        for (own, (_, amps)) in self.loaded().enumerate() {
            measured.amps[own] = amps * gain;
        }
        measured
    }

    /// Lines that carry current, in the charger's own order, with the amperes on each.
    fn loaded(&self) -> impl Iterator<Item = (Line, f64)> + '_ {
        let (count, amps) = match (&self.car, self.plate.kind) {
            (None, _) => (0, 0.0),
            (Some(car), Kind::Ac) => match car.model().inlet {
                Inlet::Ac { phases } => (usize::from(phases.min(self.poles.unwrap_or(phases))), car.drawn()),
                Inlet::Dc => (0, 0.0),
            },
            (Some(car), Kind::Dc { efficiency }) => {
                let power_factor = car.model().power_factor;
                let volts: f64 = self.volts.0.iter().sum();
                (3, car.drawn() / efficiency / power_factor / volts.max(1.0))
            }
        };
        self.plate.wiring.lines().into_iter().flatten().take(count).map(move |line| (line, amps))
    }
}
