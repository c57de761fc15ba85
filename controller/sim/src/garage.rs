//! The site that the demonstration shows: an office with a kitchen, sun on the roof, a garage full of
//! chargers behind a 63 A connection. Data only; [`build`] makes a [`World`] of it.

use crate::bay::{Bay, Charger, Traffic, Visits};
use crate::building::{Appliance, BuildingPlan};
use crate::circuit::{CircuitPlan, LoadPlan};
use crate::modbus::{AlfenEve, KebaP30, Make, ModbusCharger};
use crate::ocpp::{ChargePoint, Habits, Nameplate, RelativeTo, Units};
use crate::outlet::{Kind, Outlet, Plate, Temper};
use crate::protection::Curve;
use crate::rng::Rng;
use crate::sun::SunPlan;
use crate::world::{World, WorldPlan};
use core::num::NonZeroU32;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant, WallTime};

/// What the connection carries, and the board that feeds the garage.
pub const GRID_A: f64 = 63.0;
pub const GARAGE_A: f64 = 50.0;

/// How a bay's charger is reached and what it can; everything that a configuration must say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BayPlan {
    /// Its name in the configuration.
    pub id: String,
    pub reach: Reach,
    pub plate: Plate,
    /// Behind the garage's board; the others hang on the grid connection itself.
    pub in_garage: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// Connects under this name.
    Ocpp { identity: String },
    /// Listens, with the registers of a KEBA P30.
    Keba,
    /// Listens, with the registers of an Alfen Eve.
    Alfen,
}

/// The bays of a garage with so many chargers: of every twelve one is DC and two speak Modbus.
#[must_use]
pub fn bays(count: usize) -> Vec<BayPlan> {
    (0..count).map(bay).collect()
}

/// The site with these bays, at `now`. `wall` is the real calendar, for the charge points' clocks.
#[must_use]
pub fn build(bays: &[BayPlan], seed: u64, speed: NonZeroU32, now: Instant, wall: WallTime) -> World {
    let plan = WorldPlan {
        seed,
        speed,
        load_speed: NonZeroU32::MIN,
        hour: 10.5,
        circuits: circuits(),
        sun: Some(SunPlan {
            peak: PerLine::all(10.0),
            rises: 6.0,
            sets: 20.0,
            clear_s: 200.0,
            cloudy_s: 120.0,
        }),
        volts: 231.0,
        tick: Duration::from_millis(50),
    };
    let made = bays.iter().enumerate().map(|(at, bay)| make_bay(bay, at, seed, now, wall)).collect();
    World::new(plan, made, now)
}

fn circuits() -> Vec<CircuitPlan> {
    let grid = CircuitPlan {
        parent: None,
        limit: PerLine::all(GRID_A),
        curve: Curve::Gg,
        load: LoadPlan::Building(building()),
    };
    let garage = CircuitPlan {
        parent: Some(0),
        limit: PerLine::all(GARAGE_A),
        curve: Curve::Gg,
        load: LoadPlan::Nothing,
    };
    vec![grid, garage]
}

fn bay(at: usize) -> BayPlan {
    use Line::{L1, L2, L3};
    let number = at + 1;
    let turned = [Wiring::Three(L1, L2, L3), Wiring::Three(L2, L3, L1), Wiring::Three(L3, L1, L2)];
    let ac = Plate {
        kind: Kind::Ac,
        wiring: turned[at % 3],
        between: 3f64.sqrt(),
        max: if at.is_multiple_of(2) { 32.0 } else { 16.0 },
        min: 6.0,
        step: if at.is_multiple_of(4) { 1.0 } else { 0.1 },
        dead_time: Duration::from_millis(300 + 350 * (at as u64 % 5)),
        meter_error: [0.004, -0.006, 0.0, 0.009, -0.003][at % 5],
        temper: Temper::Obeys,
    };
    match at % 12 {
        11 => BayPlan {
            id: format!("dc-{number}"),
            reach: Reach::Ocpp { identity: format!("DC-{number:02}") },
            plate: Plate {
                kind: Kind::Dc { efficiency: 0.94 },
                wiring: turned[0],
                max: 20_000.0,
                min: 3_000.0,
                step: 100.0,
                ..ac
            },
            in_garage: false,
        },
        4 => BayPlan { reach: Reach::Keba, ..named(number, Plate { step: 0.1, ..ac }) },
        9 => BayPlan { reach: Reach::Alfen, ..named(number, ac) },
        2 => single(number, L1, ac),
        6 => single(number, L2, ac),
        8 => single(number, L3, ac),
        _ => named(number, ac),
    }
}

fn single(number: usize, line: Line, plate: Plate) -> BayPlan {
    named(number, Plate { wiring: Wiring::One(line), max: 32.0, ..plate })
}

fn named(number: usize, plate: Plate) -> BayPlan {
    let identity = format!("CP-{number:02}");
    BayPlan { id: format!("bay-{number}"), reach: Reach::Ocpp { identity }, plate, in_garage: true }
}

fn make_bay(plan: &BayPlan, at: usize, seed: u64, now: Instant, wall: WallTime) -> Bay {
    let mut rng = Rng::part(seed, "bay", at as u64);
    let outlet = Outlet::new(plan.plate, rng.between(50_000.0, 9_000_000.0).round());
    let charger = match &plan.reach {
        Reach::Ocpp { identity } => {
            let nameplate = nameplate(identity, plan.plate.kind, at);
            let draws = Rng::part(seed, "point", at as u64);
            let point = ChargePoint::new(nameplate, habits(plan, at), vec![outlet], now, wall, draws);
            Charger::Ocpp(Box::new(point))
        }
        Reach::Keba => modbus(outlet, Make::Keba(KebaP30::new(17_000_100 + at as u32, now))),
        Reach::Alfen => {
            let alfen = AlfenEve::new(&format!("ACE{:07}", 400_000 + at), 6.0, Duration::from_secs(60));
            modbus(outlet, Make::Alfen(alfen))
        }
    };
    let traffic = Traffic::Random { visits: visits(plan.plate.kind), cars: Vec::new() };
    Bay::new(plan.id.clone(), usize::from(plan.in_garage), charger, traffic, first_visit(at, now), rng)
}

fn modbus(outlet: Outlet, make: Make) -> Charger {
    Charger::Modbus(Box::new(ModbusCharger::new(outlet, make)))
}

/// Two of three bays are taken within the first seconds: the day is in full swing when the page opens.
fn first_visit(at: usize, now: Instant) -> Option<Instant> {
    let busy = !matches!(at % 12, 3 | 6 | 7 | 9);
    busy.then(|| now + Duration::from_millis(1500 + 2700 * (at as u64 % 9)))
}

const fn visits(kind: Kind) -> Visits {
    match kind {
        Kind::Ac => Visits { stay_s: (3_000.0, 9_000.0), gap_s: 3_600.0, soc: (0.45, 0.8) },
        Kind::Dc { .. } => Visits { stay_s: (2_400.0, 6_000.0), gap_s: 900.0, soc: (0.1, 0.5) },
    }
}

/// Invented makes: what they do is real, who they are is not.
fn nameplate(identity: &str, kind: Kind, at: usize) -> Nameplate {
    let (vendor, model, firmware) = match (kind, at % 3) {
        (Kind::Dc { .. }, _) => ("Gleichstrom AG", "Rapid 20", "5.0.11"),
        (_, 0) => ("Voltwerk", "Wall 22", "2.4.1"),
        (_, 1) => ("Ampère & Fils", "Borne 11", "1.18.0"),
        _ => ("Northplug", "Post S", "r7"),
    };
    Nameplate {
        identity: identity.to_owned(),
        vendor: vendor.to_owned(),
        model: model.to_owned(),
        serial: format!("{}-{:05}", model.chars().next().unwrap_or('X'), 4200 + 37 * at),
        firmware: firmware.to_owned(),
    }
}

fn habits(plan: &BayPlan, at: usize) -> Habits {
    Habits {
        units: if plan.plate.kind == Kind::Ac { Units::Both } else { Units::Watts },
        relative_to: if at.is_multiple_of(2) { RelativeTo::TransactionStart } else { RelativeTo::Receipt },
        free_vend: at.is_multiple_of(3).then(|| "FREE".to_owned()),
        answers_after: Duration::from_millis(40 + 30 * (at as u64 % 6)),
        ..Habits::default()
    }
}

/// Its appliances run for as long as in life, some more often, so that one of them starts every minute or two. All
/// of them together leave six amperes for each of eight cars.
fn building() -> BuildingPlan {
    let appliance = |name: &'static str, amps, power_factor, on_s, off_s| Appliance {
        name: name.into(),
        amps: PerLine(amps),
        power_factor,
        on_s,
        off_s,
    };
    BuildingPlan {
        base: PerLine([12.0, 11.0, 11.0]),
        breathing: 1.2,
        power_factor: 0.97,
        follows_day: true,
        appliances: vec![
            appliance("kitchen oven", [9.0, 0.0, 9.0], 1.0, 100.0, 300.0),
            appliance("heat pump", [6.0, 6.0, 6.0], 0.86, 240.0, 300.0),
            appliance("compressor", [5.0, 5.0, 5.0], 0.82, 50.0, 400.0),
            appliance("dishwasher", [0.0, 8.0, 0.0], 1.0, 120.0, 400.0),
            appliance("server room cooling", [0.0, 0.0, 5.0], 0.88, 120.0, 300.0),
            appliance("coffee machine", [6.0, 0.0, 0.0], 1.0, 30.0, 450.0),
        ],
    }
}
