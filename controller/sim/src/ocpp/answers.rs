//! The central system's orders, and what the charge point answers.

use super::calendar;
use super::fields::{Fields, one_of};
use super::frame::Violation;
use super::keys;
use super::point::{ChargePoint, understands};
use super::profile::{PURPOSES, Profile, Purpose, Unit};
use super::shelf::{Asked, Filter};
use crate::outlet::Kind;
use dlb_engine::time::Duration;
use serde_json::{Value, json};

type Answer = Result<Value, Violation>;

impl ChargePoint {
    pub(super) fn answer(&mut self, action: &str, payload: &Value) -> Answer {
        match action {
            "ChangeAvailability" => self.change_availability(payload),
            "ChangeConfiguration" => self.change_configuration(payload),
            "ClearCache" => Fields::of(payload, &[]).map(|_| status("Accepted")),
            "ClearChargingProfile" => self.clear_charging_profile(payload),
            "DataTransfer" => Ok(status("UnknownVendorId")),
            "GetCompositeSchedule" => self.get_composite_schedule(payload),
            "GetConfiguration" => self.get_configuration(payload),
            "GetLocalListVersion" => Ok(json!({"listVersion": -1})),
            "RemoteStartTransaction" => self.remote_start(payload),
            "RemoteStopTransaction" => self.remote_stop(payload),
            "Reset" => self.reset(payload),
            "SetChargingProfile" => self.set_charging_profile(payload),
            "TriggerMessage" => self.trigger_message(payload),
            "UnlockConnector" => self.unlock_connector(payload),
            _ => Err(Violation::new("NotImplemented", format!("{action} is not known here"))),
        }
    }

    fn set_charging_profile(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["connectorId", "csChargingProfiles"])?;
        let connector = fields.whole("connectorId")?;
        let profile = Profile::read(connector, fields.any("csChargingProfiles")?, self.now)?;
        let accepted = self.takes(&profile) && self.shelf.install(profile);
        Ok(status(if accepted { "Accepted" } else { "Rejected" }))
    }

    fn takes(&self, profile: &Profile) -> bool {
        let exists = (0..=self.connectors.len() as i64).contains(&profile.connector);
        let in_place = match profile.purpose {
            Purpose::StationMaximum => self.habits.takes_station_maximum && profile.connector == 0,
            Purpose::TxDefault => true,
            Purpose::Tx => self.habits.takes_tx_profile && self.fits_transaction(profile),
        };
        let level = profile.stack_level <= self.habits.max_stack_level;
        self.habits.takes_profiles
            && exists
            && in_place
            && level
            && understands(self.habits.units, profile.unit)
    }

    /// A TxProfile is for a running transaction of a real connector, and for no other transaction.
    fn fits_transaction(&self, profile: &Profile) -> bool {
        let Some(it) = usize::try_from(profile.connector - 1).ok().and_then(|at| self.connectors.get(at))
        else {
            return false;
        };
        let Some(running) = &it.transaction else { return false };
        profile.transaction.is_none() || profile.transaction == running.number
    }

    fn clear_charging_profile(&mut self, payload: &Value) -> Answer {
        let known = ["id", "connectorId", "chargingProfilePurpose", "stackLevel"];
        let fields = Fields::of(payload, &known)?;
        let purpose = fields.maybe_text("chargingProfilePurpose")?;
        let purpose = purpose.map(|word| one_of("chargingProfilePurpose", word, PURPOSES)).transpose()?;
        let filter = Filter {
            id: fields.maybe_whole("id")?,
            connector: fields.maybe_whole("connectorId")?,
            purpose,
            stack_level: fields.maybe_whole("stackLevel")?,
        };
        Ok(status(if self.shelf.clear(&filter) { "Accepted" } else { "Unknown" }))
    }

    fn get_composite_schedule(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["connectorId", "duration", "chargingRateUnit"])?;
        let connector = fields.whole("connectorId")?;
        let duration = fields.whole("duration")?;
        let Some(connector) = self.existing(connector) else { return Ok(status("Rejected")) };
        let asked = self.asked(connector);
        let periods: Vec<Value> = self
            .composite(connector, &asked, duration)
            .into_iter()
            .map(|(start, limit)| json!({"startPeriod": start, "limit": limit}))
            .collect();
        Ok(json!({
            "status": "Accepted",
            "connectorId": connector,
            "scheduleStart": calendar::to_text(asked.at),
            "chargingSchedule": {
                "duration": duration,
                "chargingRateUnit": if self.own_unit(connector) == Unit::Amps { "A" } else { "W" },
                "chargingSchedulePeriod": periods,
            },
        }))
    }

    /// Start in seconds and limit of each stretch of the same limit.
    fn composite(&self, connector: usize, asked: &Asked, duration_s: i64) -> Vec<(i64, f64)> {
        let turns = self.shelf.turns(asked, asked.at + duration_s * 1000);
        let mut periods: Vec<(i64, f64)> = Vec::new();
        for at in [asked.at].into_iter().chain(turns) {
            let limit = (self.allowed(connector, &Asked { at, ..*asked }) * 10.0).round() / 10.0;
            if periods.last().is_none_or(|(_, last)| *last != limit) {
                periods.push(((at - asked.at) / 1000, limit));
            }
        }
        periods
    }

    fn own_unit(&self, connector: usize) -> Unit {
        match self.outlet(connector).plate().kind {
            Kind::Ac => Unit::Amps,
            Kind::Dc { .. } => Unit::Watts,
        }
    }

    fn get_configuration(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["key"])?;
        let asked: Vec<&str> = match fields.maybe("key") {
            None => Vec::new(),
            Some(_) => fields.list("key")?.iter().filter_map(Value::as_str).collect(),
        };
        Ok(self.keys.tell(&asked))
    }

    fn change_configuration(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["key", "value"])?;
        let key = fields.text("key")?;
        let verdict = self.keys.change(key, fields.text("value")?);
        if verdict == "Accepted" && [keys::SAMPLE_INTERVAL, keys::HEARTBEAT].contains(&key) {
            self.reschedule();
        }
        Ok(status(verdict))
    }

    fn change_availability(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["connectorId", "type"])?;
        let operative = one_of("type", fields.text("type")?, &[("Operative", true), ("Inoperative", false)])?;
        let wanted = fields.whole("connectorId")?;
        if wanted != 0 && self.existing(wanted).is_none() {
            return Ok(status("Rejected"));
        }
        let busy = |at: usize| self.connectors[at].transaction.is_some();
        let concerned: Vec<usize> =
            (0..self.connectors.len()).filter(|at| wanted == 0 || wanted == *at as i64 + 1).collect();
        if !operative && concerned.iter().any(|at| busy(*at)) {
            return Ok(status("Rejected"));
        }
        for at in concerned {
            self.connectors[at].operative = operative;
        }
        Ok(status("Accepted"))
    }

    fn remote_start(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["connectorId", "idTag", "chargingProfile"])?;
        let tag = fields.text("idTag")?;
        let wanted = fields.maybe_whole("connectorId")?.unwrap_or(1);
        let Some(connector) = self.existing(wanted) else { return Ok(status("Rejected")) };
        let it = &self.connectors[connector - 1];
        if it.transaction.is_some() || !it.operative {
            return Ok(status("Rejected"));
        }
        let profile = fields.maybe("chargingProfile").map(|value| Profile::read(wanted, value, self.now));
        let profile = profile.transpose()?;
        if it.outlet.car().is_some() {
            self.begin(connector, tag);
        } else {
            let patience = Duration::from_secs(self.keys.seconds("ConnectionTimeOut"));
            self.connectors[connector - 1].admitted = Some((tag.to_owned(), self.now + patience));
        }
        if let Some(profile) = profile {
            self.shelf.install(profile);
        }
        Ok(status("Accepted"))
    }

    fn remote_stop(&mut self, payload: &Value) -> Answer {
        let number = Fields::of(payload, &["transactionId"])?.whole("transactionId")?;
        let connectors = 1..=self.connectors.len();
        let Some(connector) = connectors.into_iter().find(|it| self.transaction(*it) == Some(number)) else {
            return Ok(status("Rejected"));
        };
        self.end(connector, "Remote");
        Ok(status("Accepted"))
    }

    fn reset(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["type"])?;
        let soft = one_of("type", fields.text("type")?, &[("Soft", true), ("Hard", false)])?;
        for connector in 1..=self.connectors.len() {
            self.end(connector, if soft { "SoftReset" } else { "HardReset" });
        }
        self.restart_at = Some(self.now + self.habits.answers_after + Duration::from_secs(2));
        Ok(status("Accepted"))
    }

    fn trigger_message(&mut self, payload: &Value) -> Answer {
        let fields = Fields::of(payload, &["requestedMessage", "connectorId"])?;
        let wanted = fields.maybe_whole("connectorId")?;
        let all = 1..=self.connectors.len();
        let concerned: Vec<usize> =
            all.filter(|connector| wanted.is_none_or(|it| it == *connector as i64)).collect();
        if concerned.is_empty() {
            return Ok(status("Rejected"));
        }
        match fields.text("requestedMessage")? {
            "BootNotification" => self.announce(),
            "Heartbeat" => {
                self.outbox.push("Heartbeat", json!({}), super::outbox::About::Heartbeat);
            }
            "StatusNotification" => {
                for connector in concerned {
                    self.tell_state_anyway(connector, self.status(connector));
                }
            }
            "MeterValues" => {
                for connector in concerned {
                    self.sample(connector, "Trigger");
                }
            }
            _ => return Ok(status("NotImplemented")),
        }
        Ok(status("Accepted"))
    }

    fn unlock_connector(&mut self, payload: &Value) -> Answer {
        let wanted = Fields::of(payload, &["connectorId"])?.whole("connectorId")?;
        let Some(connector) = self.existing(wanted) else { return Ok(status("NotSupported")) };
        self.end(connector, "UnlockCommand");
        Ok(status("Unlocked"))
    }

    /// The connector of this number, if there is one.
    fn existing(&self, wanted: i64) -> Option<usize> {
        usize::try_from(wanted).ok().filter(|at| (1..=self.connectors.len()).contains(at))
    }
}

fn status(word: &str) -> Value {
    json!({ "status": word })
}
