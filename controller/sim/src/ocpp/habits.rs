//! What a make of charge point is called and how it behaves.

use dlb_engine::time::Duration;

/// Who it says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nameplate {
    /// The last part of its URL.
    pub identity: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
}

/// Units of limits that it understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    Amps,
    Watts,
    Both,
}

/// Where the periods of a relative schedule begin; the makes disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelativeTo {
    TransactionStart,
    /// When the profile came in.
    Receipt,
}

/// How it behaves; the default is an obedient charge point.
#[derive(Clone, Debug, PartialEq)]
pub struct Habits {
    pub units: Units,
    pub relative_to: RelativeTo,
    pub max_stack_level: i64,
    /// False: refuses every charging profile.
    pub takes_profiles: bool,
    pub takes_tx_profile: bool,
    pub takes_station_maximum: bool,
    /// Profiles other than TxProfile survive a restart.
    pub keeps_profiles: bool,
    /// Sends BootNotification by itself when it has started.
    pub announces_boot: bool,
    /// Starts a transaction with this tag as soon as a car is plugged in. `None`: a card is needed.
    pub free_vend: Option<String>,
    /// Time that it takes over every answer.
    pub answers_after: Duration,
    /// Share of frames that vanish, each way.
    pub loss: f64,
    /// How long a restart takes.
    pub boot_takes: Duration,
    /// How far its own clock is off until a BootNotification or Heartbeat sets it.
    pub clock_error_s: i64,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            units: Units::Amps,
            relative_to: RelativeTo::TransactionStart,
            max_stack_level: 10,
            takes_profiles: true,
            takes_tx_profile: true,
            takes_station_maximum: true,
            keeps_profiles: true,
            announces_boot: true,
            free_vend: None,
            answers_after: Duration::from_millis(60),
            loss: 0.0,
            boot_takes: Duration::from_secs(25),
            clock_error_s: 0,
        }
    }
}
