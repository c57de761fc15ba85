//! A scenario: a site, who comes, what else draws, what goes wrong. Read from a file, drawn at random
//! ([`random`]), or both: a random one that failed is written down as a file.
//!
//! The types are the file's own; [`Scenario::check`] names every mistake at once, [`Scenario::stage`]
//! makes a world and a controller of what has none. Nothing in here reads a file.

mod cars;
mod chargers;
mod check;
mod circuits;
mod machine;
pub mod random;
mod stage;
mod tables;

pub use cars::{CarPart, VisitsPart};
pub use chargers::{ChargerPart, KindWord, ReachWord, TemperWord, UnitsWord};
pub use check::Mistake;
pub use circuits::{Amps, AppliancePart, CircuitPart, MeterPart, ProtectionWord, SourceWord, SystemWord};
pub use stage::{Staged, Tables};
pub use tables::{Day, SessionRow, load_rows, session_rows};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A site and an evening on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    pub name: String,
    /// What the dice are thrown with.
    #[serde(default)]
    #[schema(required = false)]
    pub seed: u64,
    /// Length, in the scenario's hours.
    pub hours: f64,
    /// Local date and time at the start, such as `2026-03-02T17:00:00`.
    #[serde(default = "start", skip_serializing_if = "is_start")]
    #[schema(required = false)]
    pub start: String,
    /// How much faster batteries fill, cars come and appliances switch than a charger reacts. 1 is life;
    /// at 60 a day passes in 24 minutes of protocol and electrical time.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schema(required = false)]
    pub speed: u32,
    /// How often anything can happen, seconds.
    #[serde(default = "step", skip_serializing_if = "is_step")]
    #[schema(required = false)]
    pub step_s: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyWord>,
    /// A raised limit must have been possible for this long. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise_after_s: Option<f64>,
    /// A limit ends by itself after this, unless renewed. Default 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_lifetime_s: Option<f64>,
    /// Wanted interval of the chargers' own measurements. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_values_every_s: Option<f64>,
    /// A CSV file of who comes, beside the cars below: `arrival,departure,energy_kwh,max_a,phases,charger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<String>,
    pub circuit: Vec<CircuitPart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub meter: Vec<MeterPart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub charger: Vec<ChargerPart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub car: Vec<CarPart>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub fault: Vec<FaultPart>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyWord {
    Equal,
    FirstCome,
    Priority,
    Departure,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultPart {
    pub kind: FaultWord,
    /// Protocol and electrical seconds from the start.
    pub from_s: f64,
    #[serde(default)]
    #[schema(required = false)]
    pub for_s: f64,
    /// The charger, meter or circuit that it befalls, where it befalls one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How much: a share of frames, seconds of delay or of a clock's jump, amperes, orders a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultWord {
    /// A share of a charger's frames vanishes, each way; 1: the link is dead and nobody is told.
    Loss,
    /// What is sent to and by a charger takes longer by so many seconds.
    Delay,
    /// A share of a charger's frames arrives twice.
    Duplicates,
    /// A share of a charger's frames is overtaken by later ones.
    Reorder,
    /// A charger's network cable is pulled.
    Cable,
    /// A charger restarts.
    Reboot,
    MeterSilent,
    MeterStuck,
    MeterReversed,
    /// The box is without power for so long.
    PowerCut,
    /// The box's calendar jumps by so many seconds.
    ClockJump,
    /// Orders of every kind pour in from a broker, so many a second.
    Flood,
    /// A charger is held at no more than so many amperes by an order.
    Hold,
    /// The site is held at no more than so many amperes by an order.
    SiteLimit,
    /// A charger is taken out of the configuration while it runs, and put back later.
    Removed,
    /// A circuit's limit is lowered in the configuration, to this share of its own.
    Tightened,
}

fn start() -> String {
    "2026-03-02T00:00:00".to_owned()
}

fn is_start(text: &str) -> bool {
    text == start()
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_one(speed: &u32) -> bool {
    *speed == 1
}

const fn step() -> f64 {
    0.25
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_step(seconds: &f64) -> bool {
    (*seconds - step()).abs() < f64::EPSILON
}

impl Scenario {
    /// A scenario in its file's words.
    ///
    /// # Errors
    /// Where the text is not TOML of this form, with the line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The file that says this scenario.
    ///
    /// # Panics
    /// Never: every value has a form in TOML.
    #[must_use]
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("every value has a form in TOML")
    }
}
