//! An ordinary day: a charger connects, cars come and go, limits are followed.

use super::bench::*;
use crate::charger::Notice;
use dlb_engine::time::Duration;
use serde_json::json;

#[test]
fn a_charger_is_set_up_once_it_has_introduced_itself() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.silent();
    bench.boots("Acme", "One", "1.0");
    let call = bench.expects("GetConfiguration");
    bench.silent();
    let keys =
        json!({"configurationKey": [{"key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "8"}]});
    bench.answers(&call, keys);
    bench.wait(Duration::from_secs(1));
    let call = bench.expects("ClearChargingProfile");
    bench.accepts(&call);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxDefaultProfile", &json!(6)));
    bench.accepts(&call);
    let armed = Notice::FallbackArmed { current: amps(6), after: Duration::from_secs(150) };
    assert!(bench.told().contains(&armed));
}

#[test]
fn a_larger_limit_follows_the_start_of_the_transaction_at_once() {
    let mut bench = Bench::ready(adopted());
    bench.limit(16);
    bench.silent();
    let number = bench.starts(1);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxProfile", &json!(16)));
    assert_eq!(call.payload["csChargingProfiles"]["transactionId"], number);
    bench.accepts(&call);
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(16))));
}

#[test]
fn a_limit_up_to_the_fallback_holds_without_a_transaction() {
    let mut bench = Bench::ready(adopted());
    bench.limit(6);
    assert_eq!(bench.told(), [Notice::LimitAccepted(amps(6))]);
    bench.silent();
}

#[test]
fn a_limit_is_renewed_before_it_ends() {
    let (mut bench, number) = Bench::charging(adopted());
    bench.limit(10);
    let call = bench.expects("SetChargingProfile");
    bench.accepts(&call);
    let before = bench.now;
    bench.wait(Duration::from_secs(20));
    bench.draws(1, number, 10.0);
    bench.wait(Duration::from_secs(19));
    bench.silent();
    bench.wait(Duration::from_secs(1));
    let renewal = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&renewal), &json!(10));
    assert_eq!(bench.now, before + Duration::from_secs(40));
}

#[test]
fn the_same_limit_again_is_not_sent_again() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(10);
    let call = bench.expects("SetChargingProfile");
    bench.accepts(&call);
    bench.limit(10);
    bench.silent();
}

#[test]
fn a_session_is_reported_with_its_energy() {
    let mut bench = Bench::ready(adopted());
    let number = bench.starts(1);
    bench.draws(1, number, 15.5);
    bench.stops(number);
    let told = bench.told();
    assert!(told.iter().any(|notice| matches!(notice, Notice::SessionStarted { transaction, tag, .. } if *transaction == number && tag == "TAG")));
    assert!(told.iter().any(|notice| matches!(notice, Notice::Drawn(drawn) if drawn.current == [Some(dlb_engine::units::Milliamps(15_500)); 3])));
    assert!(told.iter().any(|notice| matches!(notice, Notice::SessionStopped { transaction, why, .. } if *transaction == number && why == "EVDisconnected")));
}
