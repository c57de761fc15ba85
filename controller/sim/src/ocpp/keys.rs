//! The configuration keys of a charge point.

use super::habits::{Habits, Units};
use super::meter_values;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct Keys(BTreeMap<&'static str, Key>);

#[derive(Clone, Debug)]
struct Key {
    value: String,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    ReadOnly,
    Seconds,
    YesNo,
    Measurands,
}

pub(super) const SAMPLE_INTERVAL: &str = "MeterValueSampleInterval";
pub(super) const SAMPLED: &str = "MeterValuesSampledData";
pub(super) const HEARTBEAT: &str = "HeartbeatInterval";

impl Keys {
    pub(super) fn new(habits: &Habits, connectors: usize) -> Self {
        let units = match habits.units {
            Units::Amps => "Current",
            Units::Watts => "Power",
            Units::Both => "Current,Power",
        };
        let level = habits.max_stack_level.to_string();
        let connectors = connectors.to_string();
        let profiles = super::shelf::PROFILES_MAX.to_string();
        let table = [
            ("AuthorizeRemoteTxRequests", "false", Rule::YesNo),
            ("ChargeProfileMaxStackLevel", level.as_str(), Rule::ReadOnly),
            ("ChargingScheduleAllowedChargingRateUnit", units, Rule::ReadOnly),
            ("ChargingScheduleMaxPeriods", "48", Rule::ReadOnly),
            ("ClockAlignedDataInterval", "0", Rule::Seconds),
            ("ConnectionTimeOut", "120", Rule::Seconds),
            (HEARTBEAT, "300", Rule::Seconds),
            ("LocalAuthorizeOffline", "true", Rule::YesNo),
            ("MaxChargingProfilesInstalled", profiles.as_str(), Rule::ReadOnly),
            (SAMPLED, "Energy.Active.Import.Register", Rule::Measurands),
            (SAMPLE_INTERVAL, "60", Rule::Seconds),
            ("NumberOfConnectors", connectors.as_str(), Rule::ReadOnly),
            ("ResetRetries", "1", Rule::Seconds),
            ("StopTransactionOnEVSideDisconnect", "true", Rule::ReadOnly),
            ("StopTransactionOnInvalidId", "true", Rule::YesNo),
            ("SupportedFeatureProfiles", "Core,SmartCharging,RemoteTrigger", Rule::ReadOnly),
            ("WebSocketPingInterval", "30", Rule::Seconds),
        ];
        let key = |(name, value, rule): (_, &str, _)| (name, Key { value: value.to_owned(), rule });
        Self(table.into_iter().map(key).collect())
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |key| key.value.as_str())
    }

    pub(super) fn seconds(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// The status of a `ChangeConfiguration`.
    pub(super) fn change(&mut self, name: &str, value: &str) -> &'static str {
        let Some(key) = self.0.get_mut(name) else { return "NotSupported" };
        let fits = match key.rule {
            Rule::ReadOnly => false,
            Rule::Seconds => value.parse::<u32>().is_ok(),
            Rule::YesNo => matches!(value, "true" | "false"),
            Rule::Measurands => value.split(',').all(|name| meter_values::MEASURANDS.contains(&name)),
        };
        if !fits {
            return "Rejected";
        }
        value.clone_into(&mut key.value);
        "Accepted"
    }

    /// The answer to `GetConfiguration`: all keys where none is asked for.
    pub(super) fn tell(&self, asked: &[&str]) -> Value {
        let wanted = |name: &str| asked.is_empty() || asked.contains(&name);
        let known: Vec<Value> = self
            .0
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, key)| json!({"key": name, "readonly": key.rule == Rule::ReadOnly, "value": key.value}))
            .collect();
        let unknown: Vec<&&str> = asked.iter().filter(|name| !self.0.contains_key(**name)).collect();
        json!({"configurationKey": known, "unknownKey": unknown})
    }
}
