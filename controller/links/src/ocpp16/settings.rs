//! What the site wants of one charger, already checked.

use crate::charger::Outlet;
use dlb_engine::time::Duration;
use dlb_engine::units::{Milliamps, Millivolts};

/// Settings of one charger's session. Start from `Default` and fill in what is known.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSettings {
    /// The name under which the charger connects.
    pub identity: String,
    /// Outlets that belong to the site: fallback, rating, phases wired (1 to 3).
    pub outlets: Vec<(Outlet, Milliamps, Milliamps, u8)>,
    /// A limit ends by itself after this, unless renewed.
    pub limit_lifetime: Duration,
    /// Wanted interval of the charger's own measurements.
    pub meter_values_every: Duration,
    /// May it charge at all? An unadopted charger is answered and not served.
    pub adopted: bool,
    /// Nominal voltage of one phase's current, for chargers that count in watts: line to neutral, or between the two
    /// lines that it is wired to.
    pub volts: Millivolts,
    /// The other one of the two, which it may report instead.
    pub other_volts: Millivolts,
    /// A DC charger: its efficiency. Limits are then watts at the car, currents those of the mains.
    pub direct_current: Option<f64>,
    /// Transaction numbers start above this, where neither clock nor memory say better.
    pub transaction_floor: i64,
    /// Tag for sessions that the box itself starts.
    pub tag: String,
}

/// Rectifiers of DC chargers draw some current that carries no power; most are better than this.
const RECTIFIER_POWER_FACTOR: f64 = 0.97;

impl SessionSettings {
    /// Watts at the car for each volt-ampere of the mains, for a DC charger.
    #[must_use]
    pub(super) fn rectified(&self) -> Option<f64> {
        self.direct_current.map(|efficiency| efficiency.clamp(0.5, 1.0) * RECTIFIER_POWER_FACTOR)
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            identity: String::new(),
            outlets: Vec::new(),
            limit_lifetime: Duration::from_secs(120),
            meter_values_every: Duration::from_secs(10),
            adopted: false,
            volts: Millivolts(230_000),
            other_volts: Millivolts(398_372),
            direct_current: None,
            transaction_floor: 0,
            tag: "dlb".to_owned(),
        }
    }
}
