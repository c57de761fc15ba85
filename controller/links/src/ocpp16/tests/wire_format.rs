//! Every message that we send, byte for byte.

use super::bench::NOON;
use crate::ocpp16::call::{Answer, Call, Trigger};
use crate::ocpp16::frame;
use crate::ocpp16::profile::{ChargingProfile, Expiry, Kind, Lifetime, Purpose, RateUnit, Tenths};
use dlb_engine::time::{Duration, WallTime};
use serde_json::json;

fn lines(calls: &[Call]) -> String {
    calls.iter().map(|call| frame::call("1", call.action(), &call.payload()) + "\n").collect()
}

#[test]
fn calls() {
    let calls = [
        Call::ChangeAvailability { outlet: 1, operative: true },
        Call::ChangeAvailability { outlet: 0, operative: false },
        Call::ChangeConfiguration { key: "MeterValueSampleInterval".to_owned(), value: "10".to_owned() },
        Call::ClearCache,
        Call::ClearChargingProfile { id: None, outlet: None, purpose: None, stack: None },
        Call::ClearChargingProfile {
            id: Some(12),
            outlet: Some(1),
            purpose: Some(Purpose::Tx),
            stack: Some(8),
        },
        Call::DataTransfer {
            vendor: "com.example".to_owned(),
            message: Some("m".to_owned()),
            data: Some("d".to_owned()),
        },
        Call::DataTransfer { vendor: "com.example".to_owned(), message: None, data: None },
        Call::GetCompositeSchedule { outlet: 1, duration: Duration::from_secs(300), unit: Some(RateUnit::A) },
        Call::GetConfiguration { keys: Vec::new() },
        Call::GetConfiguration { keys: vec!["HeartbeatInterval".to_owned()] },
        Call::RemoteStart { outlet: Some(1), tag: "a tag longer than twenty characters".to_owned() },
        Call::RemoteStop { transaction: 172_625_600 },
        Call::Reset { hard: false },
        Call::Reset { hard: true },
        Call::TriggerMessage { message: Trigger::BootNotification, outlet: None },
        Call::TriggerMessage { message: Trigger::DiagnosticsStatusNotification, outlet: None },
        Call::TriggerMessage { message: Trigger::FirmwareStatusNotification, outlet: None },
        Call::TriggerMessage { message: Trigger::Heartbeat, outlet: None },
        Call::TriggerMessage { message: Trigger::MeterValues, outlet: Some(1) },
        Call::TriggerMessage { message: Trigger::StatusNotification, outlet: Some(2) },
        Call::UnlockConnector { outlet: 1 },
    ];
    insta::assert_snapshot!(lines(&calls));
}

#[test]
fn profiles() {
    let profile = |purpose, kind, unit, stack| ChargingProfile {
        id: 12,
        transaction: (purpose == Purpose::Tx).then_some(172_625_600),
        stack,
        purpose,
        kind,
        valid_to: None,
        start: None,
        duration: None,
        unit,
        periods: vec![(0, Tenths(137))],
        number_phases: None,
    };
    let life = |expiry, wall: Option<i64>| Lifetime {
        lasts: Duration::from_secs(120),
        elapsed: Duration::from_secs(600),
        wall: wall.map(WallTime),
        expiry,
        fallback: Tenths(60),
    };
    let known = Some(NOON);
    let limit = |kind, expiry, wall| profile(Purpose::Tx, kind, RateUnit::A, 8).ending(&life(expiry, wall));
    let profiles = [
        limit(Kind::Absolute, Expiry::Standard, known),
        limit(Kind::Absolute, Expiry::Period, known),
        limit(Kind::Absolute, Expiry::Never, known),
        limit(Kind::Relative, Expiry::Standard, known),
        limit(Kind::Relative, Expiry::FromArrival, known),
        limit(Kind::Relative, Expiry::Period, known),
        limit(Kind::Absolute, Expiry::Standard, None),
        profile(Purpose::TxDefault, Kind::Relative, RateUnit::A, 0),
        ChargingProfile {
            start: Some(WallTime(NOON)),
            ..profile(Purpose::TxDefault, Kind::Absolute, RateUnit::W, 0)
        },
        ChargingProfile { number_phases: Some(1), ..profile(Purpose::Max, Kind::Absolute, RateUnit::W, 1) },
    ];
    let calls: Vec<Call> = profiles.map(|profile| Call::SetChargingProfile { outlet: 1, profile }).to_vec();
    insta::assert_snapshot!(lines(&calls));
}

#[test]
fn answers() {
    let at = WallTime(NOON);
    let answers = [
        Answer::Boot { at, interval: Duration::from_secs(60) },
        Answer::Heartbeat { at },
        Answer::Authorize { accepted: true },
        Answer::Authorize { accepted: false },
        Answer::Start { transaction: 172_625_600, accepted: true },
        Answer::Start { transaction: 172_625_601, accepted: false },
        Answer::Stop,
        Answer::Nothing,
        Answer::DataTransfer,
    ];
    let mut text: String =
        answers.iter().map(|answer| frame::answer(&json!("1"), &answer.payload()) + "\n").collect();
    text +=
        &frame::refusal(&json!(17), frame::RefusalCode::OccurenceConstraintViolation, "status is missing");
    insta::assert_snapshot!(text);
}
