//! Circuits, what draws in them, and the meters that measure them: the file's words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A protected part of the installation. The one without a parent is the grid connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitPart {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// One number for all lines, or one for each.
    pub limit_a: Amps,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_kw: Option<f64>,
    /// What trips here; its rating is the limit. Default `gg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<ProtectionWord>,
    /// Default `star`; inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemWord>,
    /// Line to neutral; for delta line to line. Default 230; inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volts: Option<f64>,
    /// What others draw here all the time, at noon where it follows the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_a: Option<Amps>,
    /// Standard deviation of that. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breathing_a: Option<f64>,
    /// Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_factor: Option<f64>,
    /// Busy by day and quiet at night. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub follows_day: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub appliance: Vec<AppliancePart>,
    /// A CSV file of what others draw here, instead of all that: `time,l1_a,l2_a,l3_a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<String>,
    /// Sun on the roof at noon, amperes fed into each line; at the grid connection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sun_a: Option<Amps>,
}

/// Amperes: the same on every line, or L1, L2, L3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Amps {
    All(f64),
    Each([f64; 3]),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProtectionWord {
    /// Fuse, IEC 60269.
    #[default]
    Gg,
    /// Circuit breakers, IEC 60898-1.
    McbB,
    McbC,
    McbD,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SystemWord {
    Star,
    Delta,
    Split,
    Single,
}

/// Something that switches. Times are the scenario's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliancePart {
    pub name: String,
    pub amps: Amps,
    /// Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_factor: Option<f64>,
    /// How long it runs and rests on average, seconds.
    pub on_s: f64,
    pub off_s: f64,
}

/// A meter that the box reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterPart {
    /// Default: the circuit's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub circuit: String,
    /// Default `clamps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceWord>,
    /// Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    /// Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_after_s: Option<f64>,
    /// What others are taken to draw while the meter is lost. Default: the circuit's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_load_a: Option<Amps>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceWord {
    /// The box's own.
    Clamps,
    /// Over Modbus.
    #[serde(rename = "eastron-sdm630")]
    EastronSdm630,
}

impl Default for Amps {
    fn default() -> Self {
        Self::All(0.0)
    }
}

impl Amps {
    /// Amperes of L1, L2, L3.
    #[must_use]
    pub const fn each(self) -> [f64; 3] {
        match self {
            Self::All(amps) => [amps; 3],
            Self::Each(amps) => amps,
        }
    }

    pub(super) fn sound(self) -> bool {
        self.each().into_iter().all(|amps| (0.0..=10_000.0).contains(&amps))
    }
}
