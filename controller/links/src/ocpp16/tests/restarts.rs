//! Either side goes away and comes back.

use super::bench::*;
use crate::charger::{Notice, OutletState};
use crate::ocpp16::SessionSettings;
use dlb_engine::time::Duration;
use serde_json::json;

fn started(told: &[Notice]) -> Vec<i64> {
    told.iter()
        .filter_map(|notice| {
            if let Notice::SessionStarted { transaction, .. } = notice { Some(*transaction) } else { None }
        })
        .collect()
}

#[test]
fn a_running_transaction_is_found_again_after_our_restart() {
    let (mut bench, number) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    let memory = bench.session.memory();

    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    bench.session.opened(bench.now);
    bench.session.set_limit(bench.now, ONE, amps(10));
    bench.silent();
    bench.is(1, "Charging");
    assert_eq!(started(&bench.told()), [number]);
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxProfile", &json!(10)));
    assert_eq!(call.payload["csChargingProfiles"]["transactionId"], number);
}

#[test]
fn a_fallback_that_was_armed_counts_after_our_restart_before_the_charger_is_back() {
    let bench = Bench::ready(adopted());
    let memory = bench.session.memory();
    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    let armed = Notice::FallbackArmed { current: amps(6), after: Duration::from_secs(150) };
    assert_eq!(bench.told(), [armed]);
    // Another firmware may have forgotten it.
    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    bench.session.opened(bench.now);
    bench.boots("Acme", "One", "2.0");
    assert_eq!(crate::ocpp16::memory::Memory::read(Some(&bench.session.memory())).lessons.armed, []);
}

#[test]
fn a_transaction_that_ended_while_we_were_away_is_reported() {
    let (bench, number) = Bench::charging(adopted());
    let memory = bench.session.memory();
    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    bench.session.opened(bench.now);
    bench.stops(number);
    let told = bench.told();
    let begun = told.iter().find_map(|notice| match notice {
        Notice::SessionStarted { transaction, register, tag, .. } => {
            Some((*transaction, register.unwrap().0, tag.as_str()))
        }
        _ => None,
    });
    assert_eq!(begun, Some((number, 1000, "TAG")));
    let ended = |notice: &Notice| matches!(notice, Notice::SessionStopped { transaction, register, .. } if *transaction == number && register.unwrap().0 == 5000);
    assert!(told.iter().any(ended));
}

#[test]
fn without_memory_a_running_transaction_is_known_by_its_meter_values() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.is(1, "Charging");
    assert_eq!(bench.expects("TriggerMessage").payload["requestedMessage"], "BootNotification");
    bench.draws(1, 4711, 16.0);
    assert_eq!(started(&bench.told()), [4711]);
    bench.limit(10);
    bench.wait(Duration::from_secs(2));
    let call = bench.expects("SetChargingProfile");
    assert_eq!(call.payload["csChargingProfiles"]["transactionId"], 4711);
}

#[test]
fn charging_without_a_known_transaction_is_taken_for_found_and_limited() {
    let mut bench = Bench::ready(adopted());
    bench.limit(10);
    bench.is(1, "Charging");
    bench.silent();
    bench.wait(Duration::from_secs(5));
    let call = bench.expects("SetChargingProfile");
    assert_eq!((purpose_in(&call), limit_in(&call)), ("TxProfile", &json!(10)));
    assert_eq!(call.payload["csChargingProfiles"]["transactionId"], json!(null));
    let found = started(&bench.told());
    // Its start, told late, gets the same number.
    let payload = json!({"connectorId": 1, "idTag": "LATE", "meterStart": 1, "timestamp": bench.stamp()});
    assert_eq!(bench.calls("StartTransaction", payload).payload["transactionId"], found[0]);
}

#[test]
fn a_start_told_twice_gets_the_same_number_also_after_a_restart() {
    let mut bench = Bench::ready(adopted());
    let payload = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": bench.stamp()});
    let first = bench.calls("StartTransaction", payload.clone()).payload["transactionId"].clone();
    assert_eq!(bench.calls_quietly("StartTransaction", payload.clone())["transactionId"], first);
    let memory = bench.session.memory();
    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    bench.session.opened(bench.now);
    assert_eq!(bench.calls("StartTransaction", payload).payload["transactionId"], first);
}

#[test]
fn numbers_of_transactions_are_never_used_again() {
    let mut numbers = Vec::new();
    let mut memory = None;
    for _ in 0..3 {
        let mut bench = Bench::with_memory(adopted(), memory.as_deref());
        bench.session.opened(bench.now);
        for _ in 0..3 {
            numbers.push(bench.starts_quietly());
            bench.wait(Duration::from_millis(1));
        }
        memory = Some(bench.session.memory());
    }
    let mut unique = numbers.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 9, "{numbers:?}");
    assert!(numbers.iter().all(|number| *number > 0 && *number <= i64::from(i32::MAX)));
}

#[test]
fn the_fallback_and_the_limit_are_installed_again_after_the_charger_restarts() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    bench.session.closed(bench.now);
    assert!(bench.told().iter().any(|notice| matches!(notice, Notice::Offline { .. })));
    bench.session.opened(bench.now);
    bench.boots("Acme", "One", "1.0");
    let call = bench.expects("SetChargingProfile");
    assert_eq!(purpose_in(&call), "TxDefaultProfile");
    bench.accepts(&call);
    bench.is_quietly(1, "Charging");
    let profiles = bench.drain("SetChargingProfile");
    assert_eq!(
        profiles.iter().map(|call| (purpose_in(call), limit_in(call).clone())).collect::<Vec<_>>(),
        [("TxProfile", json!(16))]
    );
}

/// It has restarted and introduced itself; our first call is on its way.
fn restarted() -> Bench {
    let mut bench = Bench::ready(adopted());
    bench.session.closed(bench.now);
    bench.session.opened(bench.now);
    bench.boots("Acme", "One", "1.0");
    bench
}

#[test]
fn a_fallback_that_a_starting_charger_swallows_is_sent_once_more_after_five_seconds() {
    let mut bench = restarted();
    let swallowed = bench.expects("SetChargingProfile");
    bench.notices();
    bench.wait(Duration::from_millis(4_999));
    bench.silent();
    bench.wait(Duration::from_millis(1));
    let again = bench.expects("SetChargingProfile");
    assert_eq!((&again.payload, again.id == swallowed.id), (&swallowed.payload, false));
    // Not a third time: who hangs is not flooded.
    bench.wait(Duration::from_secs(29));
    bench.silent();
    bench.accepts(&again);
    assert!(bench.told().iter().any(|notice| matches!(notice, Notice::FallbackArmed { .. })));
}

#[test]
fn a_charger_that_is_taken_out_while_it_owes_an_answer_is_sent_no_fallback_any_more() {
    let mut bench = restarted();
    bench.expects("SetChargingProfile");
    bench.session.configure(bench.now, SessionSettings { outlets: Vec::new(), adopted: false, ..adopted() });
    bench.wait(Duration::from_secs(20));
    bench.silent();
}

#[test]
fn a_reconnect_without_a_boot_is_asked_for_its_states_one_by_one() {
    let mut bench = Bench::ready(adopted());
    bench.session.closed(bench.now);
    bench.session.opened(bench.now);
    bench.silent();
    bench.wait(Duration::from_secs(5));
    let call = bench.expects("SetChargingProfile");
    bench.accepts(&call);
    let call = bench.expects("TriggerMessage");
    assert_eq!(call.payload, json!({"requestedMessage": "StatusNotification", "connectorId": 1}));
    bench.accepts(&call);
    bench.silent();
}

#[test]
fn an_old_start_kept_while_offline_is_not_limited_until_it_is_seen_running() {
    let mut bench = Bench::ready(adopted());
    bench.limit(16);
    let payload =
        json!({"connectorId": 1, "idTag": "OLD", "meterStart": 1, "timestamp": "2026-03-04T03:00:00Z"});
    let number = bench.calls("StartTransaction", payload).payload["transactionId"].as_i64().unwrap();
    bench.silent();
    bench.stops(number);
    let told = bench.told();
    assert_eq!(started(&told), [number]);
    assert!(told.iter().any(|notice| matches!(notice, Notice::SessionStopped { .. })));
}

#[test]
fn a_car_that_went_without_a_word_ends_its_session() {
    let (mut bench, number) = Bench::charging(adopted());
    bench.is(1, "Available");
    bench.wait(Duration::from_secs(59));
    assert!(!bench.told().iter().any(|notice| matches!(notice, Notice::SessionStopped { .. })));
    bench.wait(Duration::from_secs(1));
    assert!(bench.told().iter().any(
        |notice| matches!(notice, Notice::SessionStopped { transaction, .. } if *transaction == number)
    ));
}

#[test]
fn an_unadopted_charger_is_answered_and_not_served() {
    let mut bench = Bench::new(crate::ocpp16::SessionSettings { adopted: false, ..adopted() });
    bench.session.opened(bench.now);
    bench.boots("Acme", "One", "1.0");
    bench.is(1, "Preparing");
    assert_eq!(bench.calls("Authorize", json!({"idTag": "TAG"})).payload["idTagInfo"]["status"], "Blocked");
    let payload = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": bench.stamp()});
    assert_eq!(bench.calls("StartTransaction", payload).payload["idTagInfo"]["status"], "Blocked");
    bench.limit(16);
    bench.wait(Duration::from_secs(60));
    bench.silent();
    let told = bench.told();
    assert!(told.contains(&Notice::State(OutletState::Preparing)));
    assert!(
        told.iter().any(|notice| matches!(notice, Notice::Identified(identity) if identity.model == "One"))
    );
    assert!(started(&told).is_empty());
    // One click later.
    bench.session.configure(bench.now, adopted());
    let setup = bench.drain("SetChargingProfile");
    assert!(setup.iter().any(|call| purpose_in(call) == "TxDefaultProfile"));
    assert!(setup.iter().any(|call| purpose_in(call) == "TxProfile" && limit_in(call) == &json!(16)));
}
