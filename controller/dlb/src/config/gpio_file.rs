//! What the file says of the box's own contacts. See [`super::file`].

use super::file::{Amperes, words};
use serde::Serialize;
use utoipa::ToSchema;

/// A contact and what it asks for: one of `limit_a`, `limit_kw`, `charging_kw`, `paragraph_14a`, `inhibit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InputEntry {
    pub id: String,
    /// The GPIO character device. Left out: `/dev/gpiochip0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// The line's number on its chip.
    pub line: u32,
    /// The level at which it counts. Left out: low, a contact to ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveWord>,
    /// Left out: pull-up where low is active, pull-down where high is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<BiasWord>,
    /// A level counts once it has lasted this long. Left out: 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce_ms: Option<f64>,
    /// What a contact that cannot be read counts as. Left out: active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostWord>,
    pub circuit: String,
    /// What the circuit may carry: one number for all lines, or one for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<Amperes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_kw: Option<f64>,
    /// What the chargers of the circuit may draw together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charging_kw: Option<f64>,
    /// The chargers of the circuit keep to the minimum power of § 14a EnWG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paragraph_14a: Option<bool>,
    /// Simultaneity factors of § 14a for 2, 3, … charge points; the last one holds for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simultaneity: Option<Vec<f64>>,
    /// No charging at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inhibit: Option<bool>,
}

/// The button that resets the box when it is held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ButtonPart {
    /// Left out: `/dev/gpiochip0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    pub line: u32,
    /// Left out: low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<BiasWord>,
    /// How long it must be held. Left out: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_s: Option<f64>,
}

/// A relay or lamp, and when it acts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    pub id: String,
    /// Left out: `/dev/gpiochip0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    pub line: u32,
    /// The level at which the relay draws. Left out: high.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveWord>,
    pub does: OutputWord,
    /// The circuit that it watches; it needs a meter of its own. Not for a lamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// Shed: for how long the circuit must be over its limit. Left out: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_s: Option<f64>,
    /// Shed: how far below the limit before load is given back. Left out: 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_a: Option<f64>,
    /// Shed. Left out: 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_at_least_s: Option<f64>,
    /// Shed. Left out: 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_at_least_s: Option<f64>,
}

words!(
    /// Shed: closed while over the limit. Trip: opens the chargers' contactor, for good, before the circuit's
    /// protective device trips. Lamp: shows the state.
    OutputWord {
        #[default] Lamp = "lamp",
        Shed = "shed",
        Trip = "trip",
    }
);
words!(
    ActiveWord {
        #[default] Low = "low",
        High = "high",
    }
);
words!(
    BiasWord {
        #[default] None = "none",
        PullUp = "pull-up",
        PullDown = "pull-down",
    }
);
words!(
    LostWord {
        #[default] Active = "active",
        Inactive = "inactive",
    }
);
