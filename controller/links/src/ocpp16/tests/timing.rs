//! Lowered limits first, one call at a time, and what silence means.

use super::bench::*;
use crate::charger::Notice;
use crate::ocpp16::calendar::{read_time, write_time};
use crate::ocpp16::{Call, SessionSettings};
use dlb_engine::time::{Duration, WallTime};
use serde_json::json;

#[test]
fn a_lowered_limit_overtakes_what_waits() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    for _ in 0..3 {
        bench.session.order(bench.now, Call::ClearCache);
    }
    let order = bench.expects("ClearCache");
    bench.limit(6);
    bench.silent();
    bench.accepts(&order);
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(6));
}

#[test]
fn a_lowered_limit_does_not_wait_for_a_slow_answer() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    bench.session.order(bench.now, Call::ClearCache);
    let order = bench.expects("ClearCache");
    bench.limit(6);
    bench.wait(Duration::from_millis(799));
    bench.silent();
    bench.wait(Duration::from_millis(1));
    let call = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&call), &json!(6));
    // Both answers are understood, in any order.
    bench.accepts(&call);
    bench.accepts(&order);
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(6))));
    assert_eq!(bench.session.next_outcome().unwrap().answer, Ok(json!({"status": "Accepted"})));
}

#[test]
fn a_raised_limit_waits_for_its_turn() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(6);
    bench.obeys(1);
    bench.session.order(bench.now, Call::ClearCache);
    bench.expects("ClearCache");
    bench.limit(16);
    bench.wait(Duration::from_secs(25));
    bench.silent();
}

#[test]
fn of_many_limits_only_the_newest_is_sent() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    let first = bench.expects("SetChargingProfile");
    for amps in [15, 14, 13] {
        bench.limit(amps);
    }
    bench.silent();
    bench.accepts(&first);
    let second = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&second), &json!(13));
    bench.accepts(&second);
    bench.silent();
    assert_eq!(bench.told(), [Notice::LimitAccepted(amps(16)), Notice::LimitAccepted(amps(13))]);
}

#[test]
fn a_limit_raised_and_taken_back_in_flight_is_sent_again() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(10);
    let call = bench.expects("SetChargingProfile");
    bench.accepts(&call);
    bench.limit(16);
    let raised = bench.expects("SetChargingProfile");
    bench.limit(10);
    bench.accepts(&raised);
    let lowered = bench.expects("SetChargingProfile");
    assert_eq!(limit_in(&lowered), &json!(10));
}

#[test]
fn a_charger_that_answers_late_is_believed() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    let call = bench.expects("SetChargingProfile");
    bench.wait(Duration::from_secs(20));
    bench.accepts(&call);
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(16))));
}

#[test]
fn a_hanging_charger_is_asked_again_and_reported() {
    let (mut bench, number) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    bench.notices();
    bench.limit(6);
    bench.log.clear();
    for _ in 0..110 {
        bench.wait(Duration::from_secs(1));
        bench.draws_quietly(1, number, 16.0);
    }
    let tries = bench.log.iter().filter(|frame| frame.contains("TxProfile")).count();
    assert!((3..=4).contains(&tries), "{tries}");
    assert!(bench.told().iter().any(|notice| matches!(notice, Notice::LimitRefused { .. })));
    // Once it answers again, the same kind of profile is used.
    let calls = bench.drain("SetChargingProfile");
    assert!(calls.iter().all(|call| purpose_in(call) == "TxProfile"));
    assert!(bench.told().contains(&Notice::LimitAccepted(amps(6))));
}

#[test]
fn a_silent_charger_is_asked_and_then_counts_as_offline() {
    let mut bench = Bench::ready(adopted());
    bench.wait(Duration::from_secs(80));
    assert_eq!(bench.expects("GetConfiguration").payload, json!({"key": ["HeartbeatInterval"]}));
    assert!(bench.told().is_empty());
    bench.wait(Duration::from_secs(80));
    assert!(matches!(bench.told()[..], [Notice::Offline { .. }]));
    bench.calls_quietly("Heartbeat", json!({}));
    assert_eq!(bench.told(), [Notice::Online]);
}

#[test]
fn at_the_end_every_outlet_is_lowered_to_its_fallback_at_once() {
    let outlets = vec![(ONE, amps(6), amps(32), 3), (TWO, amps(8), amps(32), 3)];
    let mut bench = Bench::ready(SessionSettings { outlets, ..adopted() });
    for outlet in [ONE, TWO] {
        bench.starts(outlet.0);
        bench.session.set_limit(bench.now, outlet, amps(16));
        bench.obeys(1);
    }
    bench.session.order(bench.now, Call::ClearCache);
    bench.expects("ClearCache");
    bench.session.stop(bench.now);
    let calls: Vec<_> = std::iter::from_fn(|| bench.sent()).collect();
    assert_eq!(calls.iter().map(limit_in).collect::<Vec<_>>(), [&json!(6), &json!(8)]);
    for call in &calls {
        assert!(!bench.session.stopped(bench.now), "one has not taken its last limit");
        bench.accepts(call);
    }
    assert!(bench.session.stopped(bench.now));
}

#[test]
fn at_the_end_nobody_is_waited_for_who_has_nothing_to_take() {
    let gone = |bench: &mut Bench| {
        bench.session.stop(bench.now);
        bench.session.stopped(bench.now)
    };
    assert!(gone(&mut Bench::new(adopted())), "it is not connected");
    assert!(gone(&mut Bench::ready(adopted())), "no car charges");
    let unknown = SessionSettings { outlets: Vec::new(), adopted: false, ..adopted() };
    assert!(gone(&mut Bench::ready(unknown)), "it is not part of the site");
    let (mut silent, _) = Bench::charging(adopted());
    silent.limit(16);
    assert!(!gone(&mut silent), "it has 16 A and has not said that it takes 6");
}

#[test]
fn measurements_that_stay_away_are_asked_for() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.wait(Duration::from_secs(41));
    let call = bench.expects("TriggerMessage");
    assert_eq!(call.payload, json!({"requestedMessage": "MeterValues", "connectorId": 1}));
    bench.accepts(&call);
    bench.wait(Duration::from_secs(30));
    bench.silent();
}

#[test]
fn a_charger_without_triggers_is_not_asked_again() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.wait(Duration::from_secs(41));
    let call = bench.expects("TriggerMessage");
    bench.hears(&json!([4, call.id, "NotImplemented", "", {}]).to_string());
    bench.log.clear();
    for _ in 0..5 {
        bench.drain("");
    }
    assert!(!bench.log.iter().any(|frame| frame.contains("TriggerMessage")));
}

#[test]
fn measurands_are_negotiated_once_and_slowly() {
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    bench.boots("Acme", "Picky", "1");
    let mut asked = Vec::new();
    for _ in 0..90 {
        while let Some(call) = bench.sent() {
            let measurands = call.payload["key"] == "MeterValuesSampledData";
            let list = call.payload["value"].as_str().unwrap_or_default().to_owned();
            if measurands {
                asked.push((bench.now, list.clone()));
            }
            if measurands && list.contains("Power") { bench.rejects(&call) } else { bench.accepts(&call) }
        }
        bench.wait(Duration::from_secs(1));
    }
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= Duration::from_secs(10)));
    assert_eq!(asked[2].1, "Current.Import,Energy.Active.Import.Register");
    // After a restart of ours the list that was taken is used at once.
    let memory = bench.session.memory();
    let mut bench = Bench::with_memory(adopted(), Some(&memory));
    bench.session.opened(bench.now);
    bench.boots("Acme", "Picky", "1");
    let again = bench.drain("ChangeConfiguration");
    let lists: Vec<_> = again.iter().filter(|call| call.payload["key"] == "MeterValuesSampledData").collect();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].payload["value"], asked[2].1);
}

#[test]
fn a_clock_that_stays_wrong_is_told_once_and_so_is_its_end() {
    let (mut bench, number) = Bench::charging(adopted());
    let mut reports = |minutes: u32, behind_s: i64| {
        let mut told = Vec::new();
        for _ in 0..minutes * 2 {
            bench.obeys(29);
            bench.obeys_now();
            bench.draws_with_clock(1, number, 6.0, behind_s);
            told.extend(bench.told());
        }
        told.retain(|notice| matches!(notice, Notice::Clock { .. }));
        told
    };
    // What was kept while offline is old, and the clock is none the worse.
    assert_eq!(reports(1, 3600), []);
    assert_eq!(reports(4, 0), []);
    assert_eq!(reports(15, 3600), [Notice::Clock { behind_s: Some(3600) }]);
    assert_eq!(reports(15, 3590), []);
    assert_eq!(reports(15, -2), [Notice::Clock { behind_s: None }]);
    assert_eq!(reports(15, -90_000), [Notice::Clock { behind_s: Some(-90_000) }]);
}

#[test]
fn when_the_boxs_clock_is_set_limits_go_by_the_chargers_until_it_follows() {
    let (mut bench, _) = Bench::charging(adopted());
    bench.limit(16);
    bench.obeys(1);
    bench.wait(Duration::from_secs(10));
    bench.calls("Heartbeat", json!({}));
    bench.silent();
    let begins = |call: &Sent| {
        let schedule = &call.payload["csChargingProfiles"]["chargingSchedule"];
        schedule["startSchedule"].as_str().and_then(read_time)
    };
    let (before, after) = (bench.wall(), WallTime(bench.wall().0 + 3_600_000));
    bench.session.handle_timeout(bench.now, Some(after));
    bench.limit(8);
    let call = bench.expects("SetChargingProfile");
    assert!(begins(&call).unwrap() <= before, "it would begin in an hour");
    bench.accepts(&call);
    bench.session.receive(bench.now, Some(after), r#"[2, "clock", "Heartbeat", {}]"#);
    assert_eq!(bench.sent().unwrap().payload["currentTime"], write_time(after));
    let again = core::iter::from_fn(|| bench.sent().inspect(|call| bench.accepts(call)));
    let begin: Vec<WallTime> = again.filter_map(|call| begins(&call)).collect();
    assert!(
        !begin.is_empty() && begin.iter().all(|begins| after < *begins + Duration::from_secs(60)),
        "{begin:?}"
    );
}
