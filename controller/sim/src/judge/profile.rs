//! What others drew while a scenario was played, in slots: what a perfect plan would have had to go by.

use crate::closed_loop::ClosedLoop;
use crate::phasor::{Phasor, line_voltage};
use dlb_engine::lines::{Line, PerLine};

/// Means over slots of the scenario's time.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub slot_s: f64,
    /// Slot by slot: amperes on each line of each circuit that no charger draws, and their power, kW.
    pub slots: Vec<Slot>,
    sums: Slot,
    weight: f64,
    ends_s: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    pub others: Vec<PerLine<f64>>,
    pub others_kw: f64,
}

impl Profile {
    pub(super) fn new(slot_s: f64) -> Self {
        Self { slot_s, slots: Vec::new(), sums: Slot::default(), weight: 0.0, ends_s: slot_s }
    }

    /// `scenario_s`: the scenario's time at the end of the step; `seconds`: the step's weight.
    pub(super) fn look(&mut self, site: &ClosedLoop, scenario_s: f64, seconds: f64) {
        let world = site.world();
        let swell = world.electrical().swell();
        self.sums.others.resize(world.circuit_count(), PerLine::all(0.0));
        for (at, sum) in self.sums.others.iter_mut().enumerate() {
            let (flows, chargers) = world.flows(at);
            let others = (flows - chargers).map(Phasor::size);
            *sum = *sum + others.map(|amps| amps * swell * seconds);
        }
        let (flows, chargers) = world.flows(0);
        let watts = |line: Line| {
            world.electrical().volts[line] * (flows - chargers)[line].active_against(line_voltage(line))
        };
        self.sums.others_kw += Line::ALL.into_iter().map(watts).sum::<f64>() / 1000.0 * seconds;
        self.weight += seconds;
        if scenario_s >= self.ends_s {
            self.close();
        }
    }

    /// The slot is full, or the run is over.
    pub(super) fn close(&mut self) {
        if self.weight > 0.0 {
            let mut slot = core::mem::take(&mut self.sums);
            for sum in &mut slot.others {
                *sum = sum.map(|amps| amps / self.weight);
            }
            slot.others_kw /= self.weight;
            self.slots.push(slot);
        }
        self.weight = 0.0;
        self.ends_s += self.slot_s;
    }
}
