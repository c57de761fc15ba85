//! The meters of a site: faultless, or as faulty as they were made.

use crate::modbus::{EastronSdm630, RegisterFile, Shown};
use crate::phasor::{Phasor, line_voltage};
use crate::world::World;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::reading::{NoReading, Quality, Reading};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, Millivolts, Watts};

/// Where a meter sits and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterPlan {
    /// Its name in the settings.
    pub id: String,
    pub circuit: usize,
    pub reach: MeterReach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterReach {
    /// The box's own clamps, read this often.
    Clamps { every: Duration },
    /// An Eastron SDM630 behind a port.
    Eastron { unit: u8 },
}

/// What is wrong with a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MeterFault {
    #[default]
    None,
    /// It says nothing.
    Silent,
    /// It shows for ever what it showed last.
    Stuck,
    /// Its clamps are on the wrong way round.
    Reversed,
}

#[derive(Clone, Debug)]
pub(super) struct Meters(Vec<Meter>);

#[derive(Clone, Debug)]
struct Meter {
    plan: MeterPlan,
    fault: MeterFault,
    due: Instant,
    shown: Shown,
    registers: Option<EastronSdm630>,
    read_at: Instant,
}

impl Meters {
    pub(super) fn new(plans: Vec<MeterPlan>, now: Instant) -> Self {
        let meter = |plan: MeterPlan| {
            let registers = match plan.reach {
                MeterReach::Clamps { .. } => None,
                MeterReach::Eastron { unit } => Some(EastronSdm630::new(unit)),
            };
            let fault = MeterFault::None;
            Meter { plan, fault, due: now, shown: Shown::default(), registers, read_at: now }
        };
        Self(plans.into_iter().map(meter).collect())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn fault(&mut self, meter: usize, fault: MeterFault) {
        self.0[meter].fault = fault;
    }

    /// What clamps have to tell now, by the name of their meter.
    pub(super) fn readings(
        &mut self,
        world: &World,
        now: Instant,
    ) -> Vec<(String, Result<Reading, NoReading>)> {
        let mut due = Vec::new();
        for meter in &mut self.0 {
            let MeterReach::Clamps { every } = meter.plan.reach else { continue };
            if meter.due <= now {
                meter.due = meter.due.max(now - every) + every;
                due.push((meter.plan.id.clone(), meter.read(world, now)));
            }
        }
        due
    }

    /// The registers of a meter, as they stand now. `None`: it does not answer.
    pub(super) fn registers(
        &mut self,
        world: &World,
        meter: usize,
        now: Instant,
    ) -> Option<&mut dyn RegisterFile> {
        let meter = self.0.get_mut(meter)?;
        meter.look(world);
        let registers = meter.registers.as_mut().filter(|_| meter.fault != MeterFault::Silent)?;
        if meter.fault != MeterFault::Stuck {
            registers.show(meter.shown, now.since(meter.read_at).as_secs_f64());
            meter.read_at = now;
        }
        Some(registers)
    }
}

impl Meter {
    fn read(&mut self, world: &World, now: Instant) -> Result<Reading, NoReading> {
        if self.fault == MeterFault::Silent {
            return Err(NoReading::Timeout);
        }
        self.look(world);
        let Shown { volts, amps, watts, .. } = self.shown;
        let signed = |at: usize| if watts[at] < 0.0 { -amps[at] } else { amps[at] };
        let per_line = |of: &dyn Fn(usize) -> f64| PerLine(core::array::from_fn(of));
        Ok(Reading {
            current: per_line(&signed).map(|amps| Some(Milliamps::from_amps_f64(amps))),
            voltage: PerLine(volts).map(|volts| Some(Millivolts::from_volts_f64(volts))),
            power: PerLine(watts).map(|watts| Some(Watts(watts.round() as i64))),
            power_total: Some(Watts(watts.iter().sum::<f64>().round() as i64)),
            quality: Quality::Good,
            ..Reading::empty(now)
        })
    }

    fn look(&mut self, world: &World) {
        let turn = match self.fault {
            MeterFault::Stuck => return,
            MeterFault::Reversed => -1.0,
            MeterFault::None | MeterFault::Silent => 1.0,
        };
        let (flows, _) = world.flows(self.plan.circuit);
        let site = world.electrical();
        let swell = site.swell();
        let watts = |line: Line| turn * site.volts[line] * flows[line].active_against(line_voltage(line));
        self.shown = Shown {
            volts: site.volts.0,
            amps: flows.map(Phasor::size).0.map(|amps| amps * swell),
            watts: Line::ALL.map(watts),
            hertz: site.hertz,
        };
    }
}
