//! What we send. Strict: only fields of the specification, lengths kept, limits with one decimal.

use crate::ocpp16::calendar::write_time;
use crate::ocpp16::profile::{ChargingProfile, Purpose, RateUnit};
use dlb_engine::time::{Duration, WallTime};
use serde_json::{Value, json};

/// A call of the central system. Outlet 0 is the whole station.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    ChangeAvailability {
        outlet: u8,
        operative: bool,
    },
    ChangeConfiguration {
        key: String,
        value: String,
    },
    ClearCache,
    /// All fields `None`: every profile.
    ClearChargingProfile {
        id: Option<i32>,
        outlet: Option<u8>,
        purpose: Option<Purpose>,
        stack: Option<u8>,
    },
    DataTransfer {
        vendor: String,
        message: Option<String>,
        data: Option<String>,
    },
    GetCompositeSchedule {
        outlet: u8,
        duration: Duration,
        unit: Option<RateUnit>,
    },
    /// No keys: all of them.
    GetConfiguration {
        keys: Vec<String>,
    },
    RemoteStart {
        outlet: Option<u8>,
        tag: String,
    },
    RemoteStop {
        transaction: i64,
    },
    Reset {
        hard: bool,
    },
    SetChargingProfile {
        outlet: u8,
        profile: ChargingProfile,
    },
    TriggerMessage {
        message: Trigger,
        outlet: Option<u8>,
    },
    UnlockConnector {
        outlet: u8,
    },
}

/// What a charger can be asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    BootNotification,
    DiagnosticsStatusNotification,
    FirmwareStatusNotification,
    Heartbeat,
    MeterValues,
    StatusNotification,
}

impl Call {
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::ChangeAvailability { .. } => "ChangeAvailability",
            Self::ChangeConfiguration { .. } => "ChangeConfiguration",
            Self::ClearCache => "ClearCache",
            Self::ClearChargingProfile { .. } => "ClearChargingProfile",
            Self::DataTransfer { .. } => "DataTransfer",
            Self::GetCompositeSchedule { .. } => "GetCompositeSchedule",
            Self::GetConfiguration { .. } => "GetConfiguration",
            Self::RemoteStart { .. } => "RemoteStartTransaction",
            Self::RemoteStop { .. } => "RemoteStopTransaction",
            Self::Reset { .. } => "Reset",
            Self::SetChargingProfile { .. } => "SetChargingProfile",
            Self::TriggerMessage { .. } => "TriggerMessage",
            Self::UnlockConnector { .. } => "UnlockConnector",
        }
    }

    #[must_use]
    pub fn payload(&self) -> Value {
        let mut payload = match self {
            Self::ChangeAvailability { outlet, operative } => {
                json!({"connectorId": outlet, "type": if *operative { "Operative" } else { "Inoperative" }})
            }
            Self::ChangeConfiguration { key, value } => {
                json!({"key": cut(key, 50), "value": cut(value, 500)})
            }
            Self::ClearCache => json!({}),
            Self::ClearChargingProfile { id, outlet, purpose, stack } => {
                json!({"id": id, "connectorId": outlet, "chargingProfilePurpose": purpose, "stackLevel": stack})
            }
            Self::DataTransfer { vendor, message, data } => {
                let message = message.as_deref().map(|message| cut(message, 50));
                json!({"vendorId": cut(vendor, 255), "messageId": message, "data": data})
            }
            Self::GetCompositeSchedule { outlet, duration, unit } => {
                json!({"connectorId": outlet, "duration": duration.as_secs(), "chargingRateUnit": unit})
            }
            Self::GetConfiguration { keys } if keys.is_empty() => json!({}),
            Self::GetConfiguration { keys } => {
                json!({"key": keys.iter().map(|key| cut(key, 50)).collect::<Vec<_>>()})
            }
            Self::RemoteStart { outlet, tag } => json!({"connectorId": outlet, "idTag": cut(tag, 20)}),
            Self::RemoteStop { transaction } => json!({"transactionId": transaction}),
            Self::Reset { hard } => json!({"type": if *hard { "Hard" } else { "Soft" }}),
            Self::SetChargingProfile { outlet, profile } => {
                json!({"connectorId": outlet, "csChargingProfiles": profile.payload()})
            }
            Self::TriggerMessage { message, outlet } => {
                json!({"requestedMessage": format!("{message:?}"), "connectorId": outlet})
            }
            Self::UnlockConnector { outlet } => json!({"connectorId": outlet}),
        };
        without_nulls(&mut payload);
        payload
    }
}

/// OCPP leaves out what is not there; `null` is not allowed.
pub(super) fn without_nulls(payload: &mut Value) {
    if let Value::Object(fields) = payload {
        fields.retain(|_, value| !value.is_null());
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Answers to a charger's calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Boot {
        at: WallTime,
        interval: Duration,
    },
    Heartbeat {
        at: WallTime,
    },
    Authorize {
        accepted: bool,
    },
    Start {
        transaction: i64,
        accepted: bool,
    },
    Stop,
    /// MeterValues, StatusNotification and all that is merely noted.
    Nothing,
    DataTransfer,
}

impl Answer {
    #[must_use]
    pub fn payload(&self) -> Value {
        let tag = |accepted: &bool| json!({"status": if *accepted { "Accepted" } else { "Blocked" }});
        match self {
            Self::Boot { at, interval } => {
                json!({"status": "Accepted", "currentTime": write_time(*at), "interval": interval.as_secs()})
            }
            Self::Heartbeat { at } => json!({"currentTime": write_time(*at)}),
            Self::Authorize { accepted } => json!({"idTagInfo": tag(accepted)}),
            Self::Start { transaction, accepted } => {
                json!({"transactionId": transaction, "idTagInfo": tag(accepted)})
            }
            Self::Stop | Self::Nothing => json!({}),
            Self::DataTransfer => json!({"status": "UnknownVendorId"}),
        }
    }
}
