//! A scenario set on the stage: its world, and the settings that its installer gave the controller.

use super::cars::CarPart;
use super::chargers::{ChargerPart, KindWord, ReachWord};
use super::check::wiring;
use super::circuits::{CircuitPart, MeterPart, ProtectionWord, SourceWord, SystemWord};
use super::machine::{building, habits, link, models, nameplate, plate};
use super::{Day, FaultPart, FaultWord, Mistake, Scenario, SessionRow, StrategyWord};
use crate::bay::{Bay, Charger, Guest, Traffic, Visits};
use crate::circuit::{CircuitPlan, LoadPlan};
use crate::closed_loop::{ClosedLoop, Device, Fault, MeterPlan, MeterReach, Rig, Trouble, Witness};
use crate::modbus::{AlfenEve, KebaP30, Make, ModbusCharger};
use crate::ocpp::ChargePoint;
use crate::outlet::{Kind, Outlet, Plate};
use crate::protection::Curve;
use crate::recording::Recording;
use crate::rng::Rng;
use crate::sun::SunPlan;
use crate::world::{World, WorldPlan};
use core::num::NonZeroU32;
use dlb_engine::failsafe;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{self, Balance, Circuit, CircuitIx, Site, Supply};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, Millivolts, Watts};
use dlb_wiring::settings::{Adoption, MeterSetting, MeterSource, Policy, PortIx, Settings};
use std::collections::{BTreeMap, VecDeque};

/// A site that is about to be switched on.
#[derive(Clone, Debug)]
pub struct Staged {
    pub world: World,
    pub rig: Rig,
    pub now: Instant,
    pub wall: WallTime,
    /// Length in electrical time.
    pub lasts: Duration,
    pub speed: u32,
}

/// Zero would be "never" in some records of the protocols.
const BEGIN: Instant = Instant::from_millis(1_000);
/// By then every charger has been found and told what it falls back to.
const COMMISSIONED: Duration = Duration::from_secs(120);
/// Of the Alfen's setpoint, and its safe current, as an installer sets them.
const ALFEN_VALID_S: u64 = 60;
const ALFEN_SAFE_A: f64 = 6.0;

impl Staged {
    /// Switches everything on.
    #[must_use]
    pub fn play(self, witness: Option<Box<dyn Witness>>) -> ClosedLoop {
        ClosedLoop::with(self.rig, self.world, self.now, self.wall, witness)
    }
}

/// What the tables that a scenario names say: the rows of its sessions, and of its loads by circuit.
pub type Tables = (Vec<SessionRow>, BTreeMap<String, Vec<(f64, [f64; 3])>>);

impl Scenario {
    /// Makes a site of it. `tables`: what the files that it names say.
    ///
    /// # Errors
    /// Everything that [`check`](Self::check) finds, and what chargers and sessions contradict.
    pub fn stage(&self, tables: &Tables) -> Result<Staged, Vec<Mistake>> {
        let mut mistakes = self.check();
        let unknown = tables.0.iter().filter(|row| self.find_charger(&row.charger).is_none());
        mistakes.extend(unknown.take(1).map(|row| Mistake {
            key: "sessions".to_owned(),
            what: format!("there is no charger `{}`", row.charger),
        }));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let site = self.site()?;
        let day = Day::parse(&self.start).unwrap_or(Day::parse("2026-03-02T00:00:00").expect("a date"));
        let wall = WallTime(day.millis());
        Ok(Staged {
            world: self.world(&site, day, wall, tables),
            rig: self.rig(site),
            now: BEGIN,
            wall,
            lasts: Duration::from_secs_f64(self.hours * 3600.0 / f64::from(self.speed)),
            speed: self.speed,
        })
    }

    fn site(&self) -> Result<Site, Vec<Mistake>> {
        let circuits: Vec<Circuit> = (0..self.circuit.len()).map(|at| self.circuit_of(at)).collect();
        let chargers: Vec<site::Charger> =
            self.charger.iter().map(|charger| self.charger_of(charger)).collect();
        let check = |chargers: Vec<site::Charger>| {
            Site::new(circuits.clone(), chargers).map_err(|faults| {
                let mistake = |fault| Mistake { key: "charger".to_owned(), what: format!("{fault:?}") };
                faults.into_iter().map(mistake).collect::<Vec<_>>()
            })
        };
        let site = check(chargers.clone())?;
        let fixed = |part: &ChargerPart| part.fallback_a.is_some() || part.reach == Some(ReachWord::Alfen);
        let automatic: Vec<bool> = self.charger.iter().map(|part| !fixed(part)).collect();
        let fallbacks = failsafe::settle(&site, &automatic, &self.assumed(&site));
        let settled = chargers.into_iter().zip(fallbacks);
        check(settled.map(|(charger, fallback)| site::Charger { fallback, ..charger }).collect())
    }

    /// What others may draw in each circuit while nothing is measured, those below included.
    fn assumed(&self, site: &Site) -> Vec<PerLine<Milliamps>> {
        let mut loads = vec![PerLine::all(Milliamps::ZERO); site.circuits().len()];
        for at in (0..loads.len()).rev() {
            if let Some(meter) = self.meter.iter().find(|meter| meter.circuit == self.circuit[at].id) {
                loads[at] = self.assumed_by(meter);
            }
            if let Some(parent) = site.circuits()[at].parent {
                loads[parent.0] = loads[parent.0].zip_with(loads[at], Milliamps::saturating_add);
            }
        }
        loads
    }

    fn assumed_by(&self, meter: &MeterPart) -> PerLine<Milliamps> {
        let circuit = self.find_circuit(&meter.circuit).map(|at| self.circuit[at].limit_a);
        let amps = meter.assumed_load_a.or(circuit).unwrap_or_default();
        PerLine(amps.each()).map(Milliamps::from_amps_f64)
    }

    fn supply_of(&self, at: usize) -> (SystemWord, f64) {
        let part = &self.circuit[at];
        let above = part.parent.as_deref().and_then(|id| self.find_circuit(id)).map(|at| self.supply_of(at));
        let (system, volts) = above.unwrap_or((SystemWord::Star, 230.0));
        (part.system.unwrap_or(system), part.volts.unwrap_or(volts))
    }

    fn circuit_of(&self, at: usize) -> Circuit {
        let part = &self.circuit[at];
        let (system, volts) = self.supply_of(at);
        let volts = Millivolts::from_volts_f64(volts);
        Circuit {
            id: part.id.clone(),
            parent: part.parent.as_deref().and_then(|id| self.find_circuit(id)).map(CircuitIx),
            limit: PerLine(part.limit_a.each()).map(Milliamps::from_amps_f64),
            limit_power: part.limit_kw.map(Watts::from_kw_f64),
            balance: Balance::default(),
            transformer: None,
            supply: match system {
                SystemWord::Star => Supply::Star(volts),
                SystemWord::Delta => Supply::Delta(volts),
                SystemWord::Split => Supply::Split(volts),
                SystemWord::Single => Supply::Single(volts),
            },
        }
    }

    fn plate_of(&self, part: &ChargerPart) -> Plate {
        let system = self.find_circuit(&part.circuit).map_or(SystemWord::Star, |at| self.supply_of(at).0);
        plate(part, system)
    }

    fn charger_of(&self, part: &ChargerPart) -> site::Charger {
        let plate = self.plate_of(part);
        let to_amps = match plate.kind {
            Kind::Ac => 1.0,
            Kind::Dc { efficiency } => 1.0 / efficiency / 690.0,
        };
        let amps = |own: f64| Milliamps::from_amps_f64(own * to_amps);
        let alfen = part.reach == Some(ReachWord::Alfen);
        let fallback = part.fallback_a.or(alfen.then_some(ALFEN_SAFE_A)).unwrap_or(0.0);
        site::Charger {
            id: part.id.clone(),
            circuit: CircuitIx(self.find_circuit(&part.circuit).unwrap_or(0)),
            wiring: part.believed_rotation.as_deref().and_then(wiring).unwrap_or(plate.wiring),
            min: amps(plate.min),
            max: amps(plate.max),
            step: amps(plate.step).max(Milliamps(100)),
            fallback: Milliamps::from_amps_f64(fallback),
            priority: part.priority,
            weight: part.weight.unwrap_or(1.0),
        }
    }

    fn rig(&self, site: Site) -> Rig {
        let mut ports = Vec::new();
        let mut port = |device| {
            ports.push(device);
            PortIx(ports.len() - 1)
        };
        let links = self.charger.iter().enumerate();
        let links = links.map(|(at, part)| link(part, || port(Device::Bay(at)))).collect();
        let meters = self.meter.iter().enumerate();
        let meters = meters.map(|(at, part)| self.meter_of(part, || port(Device::Meter(at)))).collect();
        let default = Policy::default();
        let seconds = |value: Option<f64>, default| value.map_or(default, Duration::from_secs_f64);
        let policy = Policy {
            strategy: match self.strategy.unwrap_or(StrategyWord::Equal) {
                StrategyWord::Equal => Strategy::Equal,
                StrategyWord::FirstCome => Strategy::FirstCome,
                StrategyWord::Priority => Strategy::Priority,
                StrategyWord::Departure => Strategy::Departure,
            },
            raise_after: seconds(self.raise_after_s, default.raise_after),
            limit_lifetime: seconds(self.limit_lifetime_s, default.limit_lifetime),
            meter_values_every: seconds(self.meter_values_every_s, default.meter_values_every),
            ..default
        };
        let name = self.name.clone();
        Rig {
            settings: Settings {
                name,
                site,
                guards: Vec::new(),
                meters,
                links,
                policy,
                adoption: Adoption::Ask,
                inputs: Vec::new(),
                outputs: Vec::new(),
            },
            ports,
            meters: self.meter.iter().map(|part| self.meter_plan(part)).collect(),
            faults: self.fault.iter().filter_map(|part| self.fault_of(part)).collect(),
            step: Duration::from_secs_f64(self.step_s),
        }
    }

    fn meter_of(&self, part: &MeterPart, port: impl FnOnce() -> PortIx) -> MeterSetting {
        let source = match part.source.unwrap_or(SourceWord::Clamps) {
            SourceWord::Clamps => MeterSource::Clamps,
            SourceWord::EastronSdm630 => MeterSource::Modbus {
                port: port(),
                unit: 1,
                map: "eastron-sdm630".to_owned(),
                every: Duration::from_secs_f64(part.every_s.unwrap_or(1.0)),
            },
        };
        MeterSetting {
            id: part.id.clone().unwrap_or_else(|| part.circuit.clone()),
            circuit: CircuitIx(self.find_circuit(&part.circuit).unwrap_or(0)),
            source,
            lost_after: Duration::from_secs_f64(part.lost_after_s.unwrap_or(10.0)),
            assumed_load: self.assumed_by(part),
        }
    }

    fn meter_plan(&self, part: &MeterPart) -> MeterPlan {
        let every = Duration::from_secs_f64(part.every_s.unwrap_or(1.0));
        MeterPlan {
            id: part.id.clone().unwrap_or_else(|| part.circuit.clone()),
            circuit: self.find_circuit(&part.circuit).unwrap_or(0),
            reach: match part.source.unwrap_or(SourceWord::Clamps) {
                SourceWord::Clamps => MeterReach::Clamps { every },
                SourceWord::EastronSdm630 => MeterReach::Eastron { unit: 1 },
            },
        }
    }

    fn fault_of(&self, part: &FaultPart) -> Option<Fault> {
        let on = part.on.as_deref().unwrap_or_default();
        let amount = part.amount.unwrap_or(0.0);
        let bay = || self.find_charger(on);
        let meter = || self.find_meter(on);
        let trouble = match part.kind {
            FaultWord::Loss => Trouble::Loss { bay: bay()?, share: amount },
            FaultWord::Delay => Trouble::Delay { bay: bay()?, by: Duration::from_secs_f64(amount) },
            FaultWord::Duplicates => Trouble::Duplicates { bay: bay()?, share: amount },
            FaultWord::Reorder => Trouble::Reorder { bay: bay()?, share: amount },
            FaultWord::Cable => Trouble::Cable { bay: bay()? },
            FaultWord::Reboot => Trouble::Reboot { bay: bay()? },
            FaultWord::MeterSilent => Trouble::MeterSilent { meter: meter()? },
            FaultWord::MeterStuck => Trouble::MeterStuck { meter: meter()? },
            FaultWord::MeterReversed => Trouble::MeterReversed { meter: meter()? },
            FaultWord::PowerCut => Trouble::PowerCut,
            FaultWord::ClockJump => Trouble::ClockJump { seconds: amount as i64 },
            FaultWord::Flood => Trouble::Flood { per_second: amount },
            FaultWord::Hold => Trouble::Hold { bay: bay()?, limit: Milliamps::from_amps_f64(amount) },
            FaultWord::SiteLimit => Trouble::SiteLimit { limit: Milliamps::from_amps_f64(amount) },
            FaultWord::Removed => Trouble::Removed { bay: bay()? },
            FaultWord::Tightened => {
                Trouble::Tightened { circuit: self.find_circuit(on)?, share: (amount * 1000.0) as u16 }
            }
        };
        let (from, lasts) = (Duration::from_secs_f64(part.from_s), Duration::from_secs_f64(part.for_s));
        Some(Fault { from, lasts, trouble })
    }

    fn world(&self, site: &Site, day: Day, wall: WallTime, tables: &Tables) -> World {
        let (system, volts) = self.supply_of(0);
        let speed = NonZeroU32::new(self.speed).unwrap_or(NonZeroU32::MIN);
        let plan = WorldPlan {
            seed: self.seed,
            speed,
            load_speed: speed,
            hour: day.hour(),
            circuits: self.circuit.iter().map(|part| self.circuit_plan(part, &tables.1)).collect(),
            sun: self.circuit[0].sun_a.map(|peak| SunPlan {
                peak: PerLine(peak.each()),
                rises: 6.0,
                sets: 20.0,
                clear_s: 900.0,
                cloudy_s: 500.0,
            }),
            volts: if system == SystemWord::Delta { volts / 3f64.sqrt() } else { volts },
            tick: Duration::from_secs_f64(self.step_s),
        };
        let mut guests = self.guests(&tables.0);
        let bays = self.charger.iter().enumerate().map(|(at, part)| {
            let traffic = self.traffic(part, guests.remove(&at).unwrap_or_default());
            let circuit = site.charger(site::ChargerIx(at)).circuit.0;
            let taken = part.visits.as_ref().is_some_and(|visits| visits.taken);
            let first = taken.then(|| BEGIN + COMMISSIONED + Duration::from_millis(1700 * (at as u64 % 9)));
            let charger = self.machine(part, at, wall);
            Bay::new(
                part.id.clone(),
                circuit,
                charger,
                traffic,
                first,
                Rng::part(self.seed, "bay", at as u64),
            )
        });
        World::new(plan, bays.collect(), BEGIN)
    }

    fn circuit_plan(
        &self,
        part: &CircuitPart,
        loads: &BTreeMap<String, Vec<(f64, [f64; 3])>>,
    ) -> CircuitPlan {
        let recorded = loads
            .get(&part.id)
            .map(|rows| Recording::new(rows.iter().map(|&(at, amps)| (at, PerLine(amps))).collect()));
        let load = match recorded {
            Some(recording) => LoadPlan::Recorded(recording),
            None if part.base_a.is_none() && part.appliance.is_empty() => LoadPlan::Nothing,
            None => LoadPlan::Building(building(part)),
        };
        CircuitPlan {
            parent: part.parent.as_deref().and_then(|id| self.find_circuit(id)),
            limit: PerLine(part.limit_a.each()),
            curve: match part.protection.unwrap_or_default() {
                ProtectionWord::Gg => Curve::Gg,
                ProtectionWord::McbB => Curve::McbB,
                ProtectionWord::McbC => Curve::McbC,
                ProtectionWord::McbD => Curve::McbD,
            },
            load,
        }
    }

    /// Who comes to which bay, in the order of arrival.
    fn guests(&self, sessions: &[SessionRow]) -> BTreeMap<usize, Vec<Guest>> {
        let from_tables = sessions
            .iter()
            .filter(|row| row.leaves_s > 0.0 && row.arrives_s < self.hours * 3600.0 && row.energy_kwh > 0.0);
        let from_tables = from_tables.map(|row| CarPart {
            charger: row.charger.clone(),
            arrives_h: row.arrives_s.max(0.0) / 3600.0,
            leaves_h: row.leaves_s / 3600.0,
            energy_kwh: Some(row.energy_kwh),
            max_a: Some(row.max_a),
            max_kw: Some(row.max_a * 0.23 * f64::from(row.phases)),
            phases: Some(row.phases),
            ..CarPart::default()
        });
        let mut guests: BTreeMap<usize, Vec<Guest>> = BTreeMap::new();
        for part in self.car.iter().cloned().chain(from_tables) {
            let Some(bay) = self.find_charger(&part.charger) else { continue };
            let dc = self.charger[bay].kind == Some(KindWord::Dc);
            guests.entry(bay).or_default().push(Guest {
                arrives_s: part.arrives_h * 3600.0,
                leaves_s: part.leaves_h * 3600.0,
                car: part.car(dc),
            });
        }
        for list in guests.values_mut() {
            list.sort_by(|one, other| one.arrives_s.total_cmp(&other.arrives_s));
        }
        guests
    }

    fn traffic(&self, part: &ChargerPart, guests: Vec<Guest>) -> Traffic {
        match &part.visits {
            Some(visits) => Traffic::Random {
                visits: Visits {
                    stay_s: (visits.stay_h[0] * 3600.0, visits.stay_h[1] * 3600.0),
                    gap_s: visits.gap_h * 3600.0,
                    soc: (visits.soc[0], visits.soc[1]),
                },
                cars: models(part, visits),
            },
            None => Traffic::Listed(VecDeque::from(guests)),
        }
    }

    fn machine(&self, part: &ChargerPart, at: usize, wall: WallTime) -> Charger {
        let plate = self.plate_of(part);
        let register = Rng::part(self.seed, "register", at as u64).between(50_000.0, 9_000_000.0).round();
        let outlet = Outlet::new(plate, register);
        let modbus = |make| Charger::Modbus(Box::new(ModbusCharger::new(outlet.clone(), make)));
        match part.reach.unwrap_or_default() {
            ReachWord::Keba => modbus(Make::Keba(KebaP30::new(17_000_100 + at as u32, BEGIN))),
            ReachWord::Alfen => {
                let serial = format!("ACE{:07}", 400_000 + at);
                let validity = Duration::from_secs(ALFEN_VALID_S);
                modbus(Make::Alfen(AlfenEve::new(&serial, ALFEN_SAFE_A, validity)))
            }
            ReachWord::Ocpp => {
                let draws = Rng::part(self.seed, "point", at as u64);
                let (nameplate, habits) = (nameplate(part, at), habits(part));
                let point = ChargePoint::new(nameplate, habits, vec![outlet], BEGIN, wall, draws);
                Charger::Ocpp(Box::new(point))
            }
        }
    }
}
