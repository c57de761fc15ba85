//! A circuit of the made-up site: what others draw in it, what protects it, and what really flowed.

use crate::building::{Building, BuildingPlan, Switched};
use crate::phasor::{Phasor, to_neutral};
use crate::protection::Curve;
use crate::recording::Recording;
use crate::rng::Rng;
use crate::step::Step;
use crate::truth::Truth;
use dlb_engine::lines::{Line, PerLine};

/// A circuit before anything has flowed.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitPlan {
    /// Position of the circuit that feeds it: a smaller one than its own. `None`: the grid connection.
    pub parent: Option<usize>,
    /// Amperes on each line.
    pub limit: PerLine<f64>,
    pub curve: Curve,
    pub load: LoadPlan,
}

/// What draws in a circuit besides chargers and the circuits below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LoadPlan {
    #[default]
    Nothing,
    Building(BuildingPlan),
    /// As somebody measured it.
    Recorded(Recording),
}

/// A circuit under way.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    pub(crate) parent: Option<usize>,
    load: Load,
    /// All that flows here, circuits below included.
    pub(crate) flows: PerLine<Phasor>,
    /// The part of it that chargers draw.
    pub(crate) chargers: PerLine<Phasor>,
    pub(crate) truth: Truth,
}

#[derive(Clone, Debug)]
enum Load {
    Nothing,
    Building(Box<Building>),
    Recorded(Recording),
}

impl Circuit {
    pub(crate) fn new(plan: CircuitPlan, seed: u64, at: usize) -> Self {
        let load = match plan.load {
            LoadPlan::Nothing => Load::Nothing,
            LoadPlan::Building(building) => {
                Load::Building(Box::new(Building::new(building, Rng::part(seed, "building", at as u64))))
            }
            LoadPlan::Recorded(recording) => Load::Recorded(recording),
        };
        Self {
            parent: plan.parent,
            load,
            flows: PerLine::default(),
            chargers: PerLine::default(),
            truth: Truth::new(plan.limit, plan.curve),
        }
    }

    /// Up to the end of the step. Returns what switched.
    pub(crate) fn advance(&mut self, step: &Step, hour: f64) -> Vec<Switched> {
        match &mut self.load {
            Load::Building(building) => building.advance(step, hour),
            Load::Recorded(recording) => {
                recording.advance(step.scenario_seconds);
                Vec::new()
            }
            Load::Nothing => Vec::new(),
        }
    }

    /// What others draw in this very circuit.
    pub(crate) fn own(&self) -> PerLine<Phasor> {
        match &self.load {
            Load::Nothing => PerLine::default(),
            Load::Building(building) => building.currents(),
            Load::Recorded(recording) => {
                let amps = recording.amps();
                Line::ALL
                    .into_iter()
                    .fold(PerLine::default(), |sum, line| sum + to_neutral(line, amps[line], 1.0))
            }
        }
    }

    pub(crate) fn building_mut(&mut self) -> Option<&mut Building> {
        match &mut self.load {
            Load::Building(building) => Some(building),
            _ => None,
        }
    }
}
