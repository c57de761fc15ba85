//! Cars: who comes, when, with what. The file's words.

use crate::car::{Car, CarModel, Inlet};
use crate::fleet;
use dlb_engine::time::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One visit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CarPart {
    pub charger: String,
    /// Scenario hours from the start.
    pub arrives_h: f64,
    pub leaves_h: f64,
    /// Energy that it wants at the cable; without it, by its battery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<f64>,
    /// `hatchback` (the default), `van`, `city car`, `plug-in hybrid`, `saloon`, `old hatchback`,
    /// `long-distance car`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// State of charge on arrival. Default 0.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc: Option<f64>,
    /// Where it stops by itself. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_soc: Option<f64>,
    /// The most that it takes: amperes a phase, or kilowatts on DC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_kw: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<u8>,
    /// How long it takes to follow its pilot. IEC 61851-1 allows 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction_s: Option<f64>,
}

/// Cars that come and go at random; the scenario's hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitsPart {
    /// Shortest and longest stay.
    pub stay_h: [f64; 2],
    /// Mean time that the bay stays free.
    pub gap_h: f64,
    /// State of charge on arrival.
    pub soc: [f64; 2],
    /// Whether a car is there from the start: as soon as chargers have been commissioned.
    #[serde(default)]
    #[schema(required = false)]
    pub taken: bool,
    /// Models that come. Default: all that suit the charger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub models: Vec<String>,
    /// How long they take to follow their pilot, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction_s: Option<f64>,
}

/// The model of this name.
pub(super) fn model(name: &str) -> Option<CarModel> {
    let known = fleet::AC.iter().copied().chain([fleet::LONG_DISTANCE]);
    known.into_iter().find(|model| model.name == name)
}

pub(super) fn slower(model: CarModel, reaction_s: Option<f64>) -> CarModel {
    let reaction = reaction_s.map_or(model.reaction, Duration::from_secs_f64);
    CarModel { reaction, ..model }
}

impl CarPart {
    /// The car of this visit.
    pub(super) fn car(&self, dc: bool) -> Car {
        let default = if dc { fleet::LONG_DISTANCE } else { fleet::HATCHBACK };
        let named = self.model.as_deref().and_then(model).unwrap_or(default);
        let mut model = slower(named, self.reaction_s);
        if let (Some(phases), Inlet::Ac { .. }) = (self.phases, model.inlet) {
            model.inlet = Inlet::Ac { phases: phases.clamp(1, 3) };
        }
        model.max = match model.inlet {
            Inlet::Ac { .. } => self.max_a.unwrap_or(model.max),
            Inlet::Dc => self.max_kw.map_or(model.max, |kw| kw * 1000.0),
        };
        match self.energy_kwh {
            // A session as a register told it: nothing is known of the battery, and no taper either.
            Some(kwh) => {
                let battery_kwh = kwh.max(0.001);
                Car::new(CarModel { battery_kwh, efficiency: 1.0, taper_from: 1.0, ..model }, 0.0, 1.0)
            }
            None => Car::new(model, self.soc.unwrap_or(0.3), self.target_soc.unwrap_or(1.0)),
        }
    }
}
