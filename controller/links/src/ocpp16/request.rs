//! What a charger asks or tells, read leniently into our own words.
//!
//! Required is only what cannot be done without; the rest has a sensible default.

use crate::charger::{Identity, OutletState};
use crate::ocpp16::fields::{FieldFault, Fields};
use crate::ocpp16::samples::{self, Sample};
use dlb_engine::time::WallTime;
use dlb_engine::units::WattHours;
use serde_json::{Map, Value};

/// A charger's call. `outlet: None`: it did not say which; 0 is the station.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Boot(Identity),
    Heartbeat,
    Authorize,
    Start(Start),
    Stop(Stop),
    Values {
        outlet: Option<u8>,
        transaction: Option<i64>,
        samples: Vec<Sample>,
    },
    Status {
        outlet: Option<u8>,
        state: OutletState,
        error: Option<String>,
        at: Option<WallTime>,
    },
    DataTransfer,
    /// Told, and of no consequence here: firmware, diagnostics, security events.
    Noted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub outlet: Option<u8>,
    pub tag: String,
    pub register: Option<WattHours>,
    pub at: Option<WallTime>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    pub transaction: Option<i64>,
    pub register: Option<WattHours>,
    pub at: Option<WallTime>,
    pub reason: String,
}

/// Why a call was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    #[error("{0} is not known here")]
    UnknownAction(String),
    #[error(transparent)]
    Field(#[from] FieldFault),
}

impl Request {
    /// # Errors
    /// The action is unknown, or a field that cannot be done without is missing or makes no sense.
    pub fn read(action: &str, payload: &Map<String, Value>) -> Result<Self, RequestFault> {
        let fields = Fields(payload);
        Ok(match action {
            "BootNotification" => Self::Boot(read_identity(fields)?),
            "Heartbeat" => Self::Heartbeat,
            "Authorize" => Self::Authorize,
            "StartTransaction" => Self::Start(read_start(fields)?),
            "StopTransaction" => Self::Stop(read_stop(fields)?),
            "MeterValues" => read_values(fields)?,
            "StatusNotification" => read_status(fields)?,
            "DataTransfer" => Self::DataTransfer,
            "FirmwareStatusNotification"
            | "DiagnosticsStatusNotification"
            | "LogStatusNotification"
            | "SecurityEventNotification"
            | "SignedFirmwareStatusNotification" => Self::Noted,
            other => return Err(RequestFault::UnknownAction(other.chars().take(50).collect())),
        })
    }
}

fn read_identity(fields: Fields<'_>) -> Result<Identity, FieldFault> {
    let text = |name| fields.text(name).map(Option::unwrap_or_default);
    let serial = text("chargePointSerialNumber")?;
    Ok(Identity {
        vendor: text("chargePointVendor")?,
        model: text("chargePointModel")?,
        serial: if serial.is_empty() { text("chargeBoxSerialNumber")? } else { serial },
        firmware: text("firmwareVersion")?,
    })
}

fn read_start(fields: Fields<'_>) -> Result<Start, FieldFault> {
    Ok(Start {
        outlet: read_outlet(fields)?,
        tag: fields.text("idTag")?.unwrap_or_default(),
        register: read_register(fields, "meterStart"),
        at: fields.time("timestamp"),
    })
}

fn read_stop(fields: Fields<'_>) -> Result<Stop, FieldFault> {
    Ok(Stop {
        transaction: read_transaction(fields)?,
        register: read_register(fields, "meterStop"),
        at: fields.time("timestamp"),
        reason: fields.text("reason")?.unwrap_or_else(|| "Local".to_owned()),
    })
}

fn read_values(fields: Fields<'_>) -> Result<Request, FieldFault> {
    let groups = fields.list("meterValue")?.ok_or(FieldFault::Missing("meterValue"))?;
    Ok(Request::Values {
        outlet: read_outlet(fields)?,
        transaction: read_transaction(fields)?,
        samples: groups.into_iter().map(samples::read).collect(),
    })
}

fn read_status(fields: Fields<'_>) -> Result<Request, FieldFault> {
    let status = fields.text("status")?.ok_or(FieldFault::Missing("status"))?;
    let error =
        fields.text("errorCode")?.filter(|code| !code.is_empty() && !code.eq_ignore_ascii_case("NoError"));
    Ok(Request::Status {
        outlet: read_outlet(fields)?,
        state: read_state(&status).ok_or(FieldFault::Value("status"))?,
        error,
        at: fields.time("timestamp"),
    })
}

/// Also the words of OCPP 1.5, which some firmware still sends.
fn read_state(text: &str) -> Option<OutletState> {
    Some(match text.to_ascii_lowercase().as_str() {
        "available" => OutletState::Available,
        "preparing" => OutletState::Preparing,
        "charging" | "occupied" => OutletState::Charging,
        "suspendedev" => OutletState::SuspendedEv,
        "suspendedevse" => OutletState::SuspendedEvse,
        "finishing" => OutletState::Finishing,
        "reserved" => OutletState::Reserved,
        "unavailable" => OutletState::Unavailable,
        "faulted" => OutletState::Faulted,
        _ => return None,
    })
}

fn read_outlet(fields: Fields<'_>) -> Result<Option<u8>, FieldFault> {
    let number = fields.integer("connectorId")?;
    number.map(|number| u8::try_from(number).map_err(|_| FieldFault::Value("connectorId"))).transpose()
}

/// Zero and negative numbers are what chargers send when there is no transaction.
fn read_transaction(fields: Fields<'_>) -> Result<Option<i64>, FieldFault> {
    Ok(fields.integer("transactionId")?.filter(|number| *number > 0))
}

/// A register that cannot be read is missing; the transaction counts all the same.
fn read_register(fields: Fields<'_>, name: &'static str) -> Option<WattHours> {
    let number = fields.number(name).ok().flatten()?;
    (number.abs() < 1e12).then_some(WattHours(number.round() as i64))
}
