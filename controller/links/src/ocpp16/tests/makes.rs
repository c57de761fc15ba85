//! What is known of makes beforehand, as their chargers meet it.

use super::bench::*;
use crate::ocpp16::SessionSettings;
use dlb_engine::time::Duration;
use serde_json::{Value, json};

/// Connected and set up, on so many lines.
fn ready(vendor: &str, model: &str, phases: u8) -> Bench {
    let outlets = vec![(ONE, amps(6), amps(32), phases)];
    let mut bench = Bench::new(SessionSettings { outlets, ..adopted() });
    bench.session.opened(bench.now);
    bench.boots(vendor, model, "1.0");
    bench.obeys(30);
    bench.notices();
    bench
}

fn schedule_told(vendor: &str, phases: u8) -> Value {
    let mut bench = ready(vendor, "GLB", phases);
    bench.starts(1);
    bench.limit(16);
    bench.expects("SetChargingProfile").payload["csChargingProfiles"]["chargingSchedule"].clone()
}

#[test]
fn a_garo_on_one_line_is_told_that_it_is_one() {
    let on_one = schedule_told("GARO", 1);
    assert_eq!(on_one["chargingRateUnit"], "A");
    assert_eq!(on_one["chargingSchedulePeriod"][0]["numberPhases"], 1);
    for (vendor, phases) in [("GARO", 3), ("Acme", 1)] {
        let period = &schedule_told(vendor, phases)["chargingSchedulePeriod"][0];
        assert_eq!(period["numberPhases"], Value::Null, "{vendor} on {phases}");
    }
}

#[test]
fn a_car_at_a_zaptec_is_started_by_the_box() {
    let mut bench = ready("Zaptec", "Go 2", 3);
    bench.is(1, "Preparing");
    let starts = bench.drain("RemoteStartTransaction");
    assert_eq!(starts.first().map(|call| &call.payload["connectorId"]), Some(&json!(1)));
}

#[test]
fn a_starcharge_is_never_asked_to_send_something_again() {
    let triggers = |vendor: &str| {
        let mut bench = ready(vendor, "Aurora", 3);
        bench.starts(1);
        bench.obeys(1);
        bench.wait(Duration::from_secs(41));
        bench.drain("TriggerMessage").len()
    };
    assert_eq!(triggers("StarCharge"), 0);
    assert!(triggers("Acme") > 0, "its measurements stay away");
}
