//! Chargers that take limits only in their own way.

use super::bench::*;
use crate::charger::Notice;
use dlb_engine::time::Duration;
use serde_json::{Value, json};

fn schedule(call: &Sent) -> &Value {
    &call.payload["csChargingProfiles"]["chargingSchedule"]
}

/// Answers profile calls by the charger's own rule until nothing more comes; returns those accepted.
fn negotiate(bench: &mut Bench, takes: impl Fn(&Sent) -> bool) -> Vec<Sent> {
    let mut taken = Vec::new();
    for _ in 0..30 {
        while let Some(call) = bench.sent() {
            if call.action != "SetChargingProfile" || takes(&call) {
                bench.accepts(&call);
                taken.push(call);
            } else {
                bench.rejects(&call);
            }
        }
        bench.wait(Duration::from_secs(1));
    }
    taken.retain(|call| call.action == "SetChargingProfile");
    taken
}

#[test]
fn a_charger_that_rejects_tx_profiles_gets_its_limit_as_a_default_profile() {
    let (mut bench, number) = Bench::charging(adopted());
    bench.limit(16);
    let taken = negotiate(&mut bench, |call| purpose_in(call) == "TxDefaultProfile");
    let limit = taken.last().unwrap();
    assert_eq!(
        (limit_in(limit), &limit.payload["csChargingProfiles"]["stackLevel"]),
        (&json!(16), &json!(8))
    );
    assert!(schedule(limit)["duration"].is_u64());
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(16))));
    // Remembered: the next limit is written the same way at once.
    bench.limit(10);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxDefaultProfile", &json!(10)));
    bench.accepts(&call);
    // When the car goes, its limit must not wait for the next one.
    bench.stops(number);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxDefaultProfile", &json!(6)));
}

#[test]
fn a_charger_that_knows_only_a_station_maximum_is_held_by_it() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.boots("Acme", "Max only", "1");
    let taken = negotiate(&mut bench, |call| purpose_in(call) == "ChargePointMaxProfile");
    assert_eq!((limit_in(&taken[0]), &taken[0].payload["connectorId"]), (&json!(6), &json!(0)));
    let after = Duration::from_secs(30 * 60 + 30);
    assert!(bench.told().contains(&Notice::FallbackArmed { current: amps(6), after }));
    bench.starts(1);
    bench.limit(16);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("ChargePointMaxProfile", &json!(16)));
    // It ends in the fallback, by a second period.
    let last = schedule(&call)["chargingSchedulePeriod"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["limit"], 6);
}

#[test]
fn a_charger_that_refuses_everything_is_named_once() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    negotiate(&mut bench, |_| false);
    let told = bench.told();
    assert!(
        told.iter().any(|notice| matches!(notice, Notice::LimitRefused { limit, .. } if *limit == amps(16)))
    );
    assert_eq!(told.iter().filter(|notice| matches!(notice, Notice::Trouble(_))).count(), 1);
    negotiate(&mut bench, |_| false);
    assert!(!bench.told().iter().any(|notice| matches!(notice, Notice::Trouble(_))));
}

#[test]
fn a_limit_that_changed_while_a_charger_refused_is_refused_too() {
    let refused = |told: Vec<Notice>, amperes| {
        told.iter().any(|it| matches!(it, Notice::LimitRefused { limit, .. } if *limit == amps(amperes)))
    };
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    bench.session.set_limit(bench.now, ONE, amps(12));
    negotiate(&mut bench, |_| false);
    assert!(refused(bench.told(), 12));
    // It is asked again in a minute; until then it is known what it would say.
    bench.session.set_limit(bench.now, ONE, amps(8));
    assert!(refused(bench.told(), 8));
}

#[test]
fn a_charger_that_counts_in_watts_is_told_watts() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.boots("Acme", "Watts", "1");
    let call = bench.expects("GetConfiguration");
    let keys =
        json!({"configurationKey": [{"key": "ChargingScheduleAllowedChargingRateUnit", "value": "power"}]});
    bench.answers(&call, keys);
    bench.obeys(20);
    let fallback = bench.log.iter().find(|frame| frame.contains("TxDefaultProfile")).unwrap();
    assert!(fallback.contains(r#""limit":1380,"#), "{fallback}");
    let number = bench.starts(1);
    assert_eq!(bench.session.abilities(ONE).spread, 3, "nobody knows its phases yet");
    bench.limit(16);
    // It may draw all of it on one phase.
    let call = bench.expects("SetChargingProfile");
    assert_eq!((&schedule(&call)["chargingRateUnit"], limit_in(&call)), (&json!("W"), &json!(3680)));
    bench.accepts(&call);
    bench.limit(18);
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(4140), "this starts it on three phases as well");
    bench.accepts(&call);
    bench.draws(1, number, 5.9);
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(12_420));
    assert_eq!(bench.session.abilities(ONE).spread, 1);
    bench.accepts(&call);
    // Less voltage, more current: the same limit is fewer watts, and that does not wait for its renewal.
    let sag = |bench: &mut Bench, volts: &str| {
        let values = json!([{"value": volts, "measurand": "Voltage", "phase": "L1-N", "unit": "V"}]);
        let group = json!([{"timestamp": bench.stamp(), "sampledValue": values}]);
        bench.calls("MeterValues", json!({"connectorId": 1, "transactionId": number, "meterValue": group}));
    };
    sag(&mut bench, "229.4");
    bench.silent();
    // However slowly it comes.
    sag(&mut bench, "228.8");
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(12_312));
    bench.accepts(&call);
    sag(&mut bench, "220");
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(11_880));
    bench.accepts(&call);
    // Between lines it is the same voltage.
    sag(&mut bench, "370");
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(11_502));
    bench.accepts(&call);
    sag(&mut bench, "230");
    bench.silent();
    // The next car is on one phase, and would draw on it what was meant for three.
    let value =
        |phase: &str, amps: &str| json!({"value": amps, "measurand": "Current.Import", "phase": phase});
    let values = json!([value("L1", "31.9"), value("L2", "0"), value("L3", "0")]);
    let group = json!([{"timestamp": bench.stamp(), "sampledValue": values}]);
    bench.calls("MeterValues", json!({"connectorId": 1, "transactionId": number, "meterValue": group}));
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(4140));
}

#[test]
fn a_charger_that_mishandles_zero_is_paused_by_ending_its_transaction() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.boots("EN+", "AC", "1");
    bench.obeys(30);
    let number = bench.starts(1);
    bench.limit(16);
    bench.obeys(1);
    bench.notices();
    bench.limit(0);
    let call = bench.expects("RemoteStopTransaction");
    assert_eq!(call.payload, json!({"transactionId": number}));
    bench.accepts(&call);
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(0))));
    bench.stops(number);
    bench.is(1, "Finishing");
    bench.obeys(5);
    bench.limit(10);
    let call = bench.expects("RemoteStartTransaction");
    assert_eq!(call.payload, json!({"connectorId": 1, "idTag": "TAG"}));
}

#[test]
fn a_charger_that_cannot_pause_says_so_and_stays_at_its_floor() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.calls("BootNotification", json!({"chargePointModel": "ACChargePoint", "chargePointVendor": ""}));
    bench.obeys(30);
    assert!(!bench.session.abilities(ONE).pauses);
    bench.starts(1);
    bench.limit(0);
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(4140));
    assert!(
        bench
            .told()
            .iter()
            .any(|notice| matches!(notice, Notice::LimitRefused { limit, .. } if *limit == amps(0)))
    );
}

#[test]
fn one_refusal_does_not_unlearn_what_worked() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    let call = bench.expects("SetChargingProfile");
    bench.accepts(&call);
    bench.limit(10);
    let call = bench.expects("SetChargingProfile");
    bench.rejects(&call);
    bench.silent();
    bench.wait(Duration::from_secs(2));
    let again = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&again), limit_in(&again)), ("TxProfile", &json!(10)));
}

#[test]
fn one_refusal_of_the_first_limit_picks_no_weaker_way_of_telling_it() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    let call = bench.expects("SetChargingProfile");
    bench.rejects(&call);
    bench.silent();
    bench.wait(Duration::from_secs(2));
    let again = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&again), limit_in(&again)), ("TxProfile", &json!(16)));
    assert_eq!(schedule(&again)["chargingSchedulePeriod"], schedule(&call)["chargingSchedulePeriod"]);
    let stack = |call: &Sent| call.payload["csChargingProfiles"]["stackLevel"].clone();
    assert_eq!(stack(&again), stack(&call));
    bench.accepts(&again);
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(16))));
}

#[test]
fn a_relative_profile_ends_at_a_wall_time() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.boots("Wall Box Chargers", "PLP1-0-2-4", "6.7.38");
    bench.obeys(30);
    bench.starts(1);
    bench.limit(16);
    let call = bench.expects("SetChargingProfile");
    let profile = &call.payload["csChargingProfiles"];
    assert_eq!(profile["chargingProfileKind"], "Relative");
    assert_eq!(
        profile["validTo"],
        crate::ocpp16::calendar::write_time(bench.wall() + Duration::from_secs(120))
    );
    assert_eq!(schedule(&call)["duration"], Value::Null);
}
