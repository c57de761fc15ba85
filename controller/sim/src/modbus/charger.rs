//! A charger that is controlled over Modbus: an outlet behind a make's registers.

use super::{AlfenEve, Exception, KebaP30, ReadRange, RegisterFile, Way};
use crate::car::Car;
use crate::outlet::Outlet;
use crate::step::Step;
use dlb_engine::time::Instant;

/// The registers and what they do, by make.
#[derive(Clone, Debug)]
pub enum Make {
    Keba(KebaP30),
    Alfen(AlfenEve),
}

/// The charger. It needs no card: a car that is plugged in may charge.
#[derive(Clone, Debug)]
pub struct ModbusCharger {
    outlet: Outlet,
    make: Make,
}

impl ModbusCharger {
    #[must_use]
    pub const fn new(outlet: Outlet, make: Make) -> Self {
        Self { outlet, make }
    }

    #[must_use]
    pub const fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    pub fn plug(&mut self, car: Car) {
        self.outlet.plug(car);
    }

    pub fn unplug(&mut self) -> Option<Car> {
        self.outlet.unplug()
    }

    /// What its registers allow now; its watchdog has the last word.
    #[must_use]
    pub fn limit(&self, now: Instant) -> f64 {
        match &self.make {
            Make::Keba(keba) => keba.limit(self.outlet.plate().max),
            Make::Alfen(alfen) => alfen.limit(now, self.outlet.plate().max),
        }
    }

    pub fn advance(&mut self, step: &Step) {
        match &mut self.make {
            Make::Keba(keba) => keba.watch(step.now),
            Make::Alfen(_) => {}
        }
        let limit = self.limit(step.now);
        self.outlet.set_limit(step.now, limit);
        self.outlet.advance(step);
    }

    /// Power is gone for a moment; registers are what they are at the factory, or what was kept.
    pub fn restart(&mut self, now: Instant) {
        self.outlet.power_down();
        match &mut self.make {
            Make::Keba(keba) => keba.restart(now),
            Make::Alfen(alfen) => alfen.restart(),
        }
    }
}

impl RegisterFile for ModbusCharger {
    fn listens_to(&self, unit: u8) -> bool {
        match &self.make {
            Make::Keba(_) => unit == KebaP30::UNIT,
            Make::Alfen(_) => AlfenEve::UNITS.contains(&unit),
        }
    }

    fn read(&mut self, now: Instant, unit: u8, range: ReadRange) -> Result<Vec<u16>, Exception> {
        match &self.make {
            Make::Keba(keba) => keba.read(&self.outlet, range),
            Make::Alfen(alfen) => alfen.read(now, &self.outlet, unit, range),
        }
    }

    fn write(
        &mut self,
        now: Instant,
        unit: u8,
        way: Way,
        address: u16,
        values: &[u16],
    ) -> Result<(), Exception> {
        match &mut self.make {
            Make::Keba(keba) => keba.write(now, way, address, values),
            Make::Alfen(alfen) => alfen.write(now, unit, address, values),
        }
    }
}
