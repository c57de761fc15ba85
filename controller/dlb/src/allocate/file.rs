//! A snapshot as it stands on a line: names instead of indexes, SI units, every optional key optional.

use serde::Deserialize;
use utoipa::ToSchema;

/// A site at one instant.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotFile {
    /// Seconds on any clock that does not jump; departures and arrivals are on the same one.
    pub now_s: f64,
    /// `equal` (the default), `first-come`, `priority` or `departure`.
    #[serde(default)]
    pub strategy: StrategyName,
    /// Any order. Exactly the circuits without a parent are roots.
    pub circuits: Vec<CircuitFile>,
    pub chargers: Vec<ChargerFile>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    #[default]
    Equal,
    FirstCome,
    Priority,
    Departure,
}

/// A protected part of the installation.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitFile {
    pub id: String,
    #[serde(default)]
    pub parent: Option<String>,
    /// Amperes on L1, L2, L3, as many as there are lines. Without it only `limit_kw` binds.
    #[serde(default)]
    pub limit_a: Option<Vec<f64>>,
    /// Total power, other load included, at power factor 1.
    #[serde(default)]
    pub limit_kw: Option<f64>,
    /// Total apparent power, other load included. Counted as `limit_kw` is: the smaller one binds.
    #[serde(default)]
    pub limit_kva: Option<f64>,
    /// Amperes in the neutral. Cars on other lines are not counted on to lower it.
    #[serde(default)]
    pub limit_neutral_a: Option<f64>,
    /// Amperes by which one line may carry more than another. VDE-AR-N 4100: 20.
    #[serde(default)]
    pub limit_unbalance_a: Option<f64>,
    /// All that flows here and is not a charger, per line, circuits below included. Without it: the sum
    /// of those below, 0 where there are none.
    #[serde(default)]
    pub other_load_a: Option<Vec<f64>>,
    /// Without it: as the parent's, behind a transformer a star of its secondary voltage; at a root 230 V star.
    #[serde(default)]
    pub supply: Option<SupplyFile>,
    /// Between this circuit and its parent; the parent's amperes are then those of the primary side.
    #[serde(default)]
    pub transformer: Option<TransformerFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerFile {
    pub group: GroupName,
    /// Primary line-to-line voltage over secondary line-to-line voltage.
    pub ratio: f64,
}

/// Vector group (IEC 60076-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub enum GroupName {
    /// Delta and star with neutral, as Dyn11: `I_A = (I_a - I_c) / (ratio * sqrt 3)`.
    #[serde(alias = "Dyn11")]
    Dyn,
    /// Two stars, the neutral connected on both sides: `I_A = I_a / ratio`.
    #[serde(alias = "Yyn0", alias = "YNyn0")]
    Yyn,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplyFile {
    pub system: SystemName,
    /// Line to neutral; for delta line to line.
    pub volts: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SystemName {
    /// Three lines and neutral.
    Star,
    /// Three lines without neutral.
    Delta,
    /// Two lines at 180° and neutral.
    Split,
    /// One line and neutral.
    Single,
}

/// One outlet. Amperes for AC, kilowatts for DC.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargerFile {
    pub id: String,
    pub circuit: String,
    /// `ac` (the default) or `dc`.
    #[serde(default)]
    pub kind: KindName,
    /// The lines behind the charger's own L1, L2, L3, in that order; one pair such as `L1-L2`; or
    /// `unknown`, which counts on every line. DC chargers without it: L1, L2, L3.
    #[serde(default)]
    pub phases: Option<Vec<String>>,
    /// Smallest limit that charges at all. Default 6.
    #[serde(default)]
    pub min_a: Option<f64>,
    /// Default 32.
    #[serde(default)]
    pub max_a: Option<f64>,
    /// Limits are multiples of this. Default: no steps.
    #[serde(default)]
    pub step_a: Option<f64>,
    /// Smaller numbers are served first. Default 0.
    #[serde(default)]
    pub priority: u8,
    /// Share against others of the same priority. Default 1.
    #[serde(default)]
    pub weight: Option<f64>,
    /// What the car could take now; 0: connected, wants nothing. Default: all that the charger can give.
    #[serde(default)]
    pub wants_a: Option<f64>,
    #[serde(default)]
    pub arrived_s: Option<f64>,
    #[serde(default)]
    pub departs_s: Option<f64>,
    #[serde(default)]
    pub energy_needed_kwh: Option<f64>,
    /// On the charger's own phases. Shows that a lowered limit holds; without it that is believed after 10 s.
    #[serde(default)]
    pub drawn_a: Option<Vec<f64>>,
    /// DC: smallest power that charges at all, on the car's side. Default 5.
    #[serde(default)]
    pub min_kw: Option<f64>,
    /// DC: required.
    #[serde(default)]
    pub max_kw: Option<f64>,
    /// DC: what the car could take now.
    #[serde(default)]
    pub wants_kw: Option<f64>,
    /// DC: power to the car over power from the grid. Default 0.95.
    #[serde(default)]
    pub efficiency: Option<f64>,
    /// How many of the charger's phases the car uses, if that is known. Default: all.
    #[serde(default)]
    pub car_phases: Option<u8>,
    /// False: no car. Default true.
    #[serde(default)]
    pub connected: Option<bool>,
    /// Not to be decided but to be set aside: what this charger may draw whatever it is told.
    #[serde(default)]
    pub reserved_a: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KindName {
    #[default]
    Ac,
    Dc,
}
