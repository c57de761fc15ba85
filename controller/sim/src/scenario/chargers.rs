//! Chargers: what they are, what the installer believes of them, and how they behave. The file's words.

use super::cars::VisitsPart;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One outlet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargerPart {
    pub id: String,
    pub circuit: String,
    /// Default `ac`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindWord>,
    /// How it hangs on the lines: `L1L2L3`, `L2L3L1`, `L3`, `L1-L2`. Default `L1L2L3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// What the configuration says about that, if it is not the truth: `unknown`, or another rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believed_rotation: Option<String>,
    /// Default 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_a: Option<f64>,
    /// Default 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    /// Limits are rounded down to this. Default 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_a: Option<f64>,
    /// DC: power at the cable. Default 20, and 3 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_kw: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_kw: Option<f64>,
    /// DC: power at the cable over power from the grid. Default 0.94.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// What it falls back to when it hears nothing. Default: chosen so that all of them fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_a: Option<f64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub priority: u8,
    /// Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Default `ocpp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<ReachWord>,
    /// Vendor and model that it says it is; chargers of one model share what is learnt of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// From an order to the pilot, seconds. Default 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_time_s: Option<f64>,
    /// OCPP: time that it takes over every answer, seconds. Default 0.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_after_s: Option<f64>,
    /// Gain error of its own meter: 0.01 shows one per cent too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_error: Option<f64>,
    /// Default `obeys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temper: Option<TemperWord>,
    /// With `overdraws`: by so many amperes (watts on DC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdraws_a: Option<f64>,
    /// OCPP: units of limits that it understands. Default `amps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<UnitsWord>,
    /// OCPP: refuses TxProfiles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub refuses_tx_profiles: bool,
    /// OCPP: refuses every charging profile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub refuses_profiles: bool,
    /// OCPP: forgets all profiles when it restarts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub forgets_profiles: bool,
    /// OCPP: a card is needed. Default: free vend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub needs_card: bool,
    /// OCPP: share of frames that vanish, each way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// OCPP: how long a restart takes, seconds. Default 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_s: Option<f64>,
    /// Cars that come and go at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visits: Option<VisitsPart>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KindWord {
    #[default]
    Ac,
    Dc,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReachWord {
    #[default]
    #[serde(rename = "ocpp")]
    Ocpp,
    #[serde(rename = "keba-p30")]
    Keba,
    #[serde(rename = "alfen-eve-ng9xx")]
    Alfen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TemperWord {
    #[default]
    Obeys,
    /// Offers more than it was allowed.
    Overdraws,
    /// Says yes and offers all that it has.
    Deaf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnitsWord {
    #[default]
    Amps,
    Watts,
    Both,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_zero(priority: &u8) -> bool {
    *priority == 0
}
