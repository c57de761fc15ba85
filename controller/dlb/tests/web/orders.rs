//! What people ask of the site arrives in the engine's words, and a loop that has no time says so.

use crate::support::client::Reply;
use crate::support::{Box, error_code};
use dlb::web::Settings;
use dlb::web::doors::Declined;
use dlb_engine::lines::PerLine;
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, WallTime};
use dlb_engine::units::{Milliamps, WattHours};
use dlb_wiring::event::{Order, Service};

/// Sends an order while a stand-in for the site's thread takes it.
fn order(it: &Box, path: &str, body: &str, answer: Result<(), Declined>) -> (Reply, Order) {
    let orders = it.orders.clone();
    let site = std::thread::spawn(move || {
        let ordered = orders.recv_blocking().unwrap();
        ordered.reply.try_send(answer).unwrap();
        ordered.order
    });
    let reply = it.operator().post(path, body);
    (reply, site.join().unwrap())
}

#[test]
fn every_order_arrives_as_it_was_meant() {
    let it = Box::set_up(Settings::default());
    let amps = Milliamps::from_amps;
    for (path, body, expected) in [
        ("strategy", r#"{"strategy":"first-come"}"#, Order::Strategy(Strategy::FirstCome)),
        (
            "site-limit",
            r#"{"limit_a":40,"lasts_s":900}"#,
            Order::SiteLimit { limit: Some(PerLine([amps(40); 3])), lasts: Duration::from_secs(900) },
        ),
        (
            "site-limit",
            r#"{"limit_a":[40,32.5,0],"lasts_s":1}"#,
            Order::SiteLimit {
                limit: Some(PerLine([amps(40), Milliamps(32_500), Milliamps::ZERO])),
                lasts: Duration::from_secs(1),
            },
        ),
        ("site-limit", r#"{"limit_a":null}"#, Order::SiteLimit { limit: None, lasts: Duration::ZERO }),
        (
            "charger-limit",
            r#"{"charger":"bay-1","limit_a":0}"#,
            Order::ChargerLimit { charger: "bay-1".into(), limit: Some(Milliamps::ZERO) },
        ),
        (
            "departure",
            r#"{"charger":"bay-1","departs_ms":1795000000000,"energy_needed_kwh":12.5}"#,
            Order::Departure {
                charger: "bay-1".into(),
                at: Some(WallTime(1_795_000_000_000)),
                energy: Some(WattHours(12_500)),
            },
        ),
        (
            "service",
            r#"{"charger":"bay-1","ask":"restart-hard"}"#,
            Order::Service { charger: "bay-1".into(), service: Service::Restart { hard: true } },
        ),
        (
            "service",
            r#"{"charger":"bay-1","ask":{"vendor":{"vendor":"com.acme","data":"led=off"}}}"#,
            Order::Service {
                charger: "bay-1".into(),
                service: Service::Vendor {
                    vendor: "com.acme".into(),
                    message: None,
                    data: Some("led=off".into()),
                },
            },
        ),
    ] {
        let (reply, arrived) = order(&it, &format!("/api/v1/order/{path}"), body, Ok(()));
        assert_eq!((reply.status, &arrived), (200, &expected), "{reply:?}");
    }
    let (reply, arrived) = order(&it, "/api/v1/waiting/CP%209%2F%C3%BC/dismiss", "", Ok(()));
    assert_eq!((reply.status, arrived), (200, Order::Dismiss { identity: "CP 9/ü".into() }));
}

#[test]
fn impossible_values_are_refused_by_field_before_they_reach_the_site() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    for (path, body, field) in [
        ("strategy", r#"{"strategy":"fair"}"#, "strategy"),
        ("site-limit", r#"{"limit_a":-1,"lasts_s":5}"#, "limit_a"),
        ("site-limit", r#"{"limit_a":[1,2],"lasts_s":5}"#, "limit_a"),
        ("site-limit", r#"{"limit_a":1e300,"lasts_s":5}"#, "limit_a"),
        ("site-limit", r#"{"limit_a":20}"#, "lasts_s"),
        ("site-limit", r#"{"limit_a":20,"lasts_s":604801}"#, "lasts_s"),
        ("site-limit", r#"{"limit_a":20,"lasts":5}"#, "lasts"),
        ("charger-limit", r#"{"limit_a":20}"#, "charger"),
        ("charger-limit", r#"{"charger":"bay-7","limit_a":20}"#, "charger"),
        ("departure", r#"{"charger":"bay-1","energy_needed_kwh":-1}"#, "energy_needed_kwh"),
        ("departure", r#"{"charger":"bay-1","departs_ms":1.5}"#, "departs_ms"),
    ] {
        let reply = client.post(&format!("/api/v1/order/{path}"), body);
        assert!((400..500).contains(&reply.status), "{body}: {reply:?}");
        assert_eq!(reply.json()["error"]["field"], field, "{body}");
    }
    assert!(it.orders.is_empty());
}

#[test]
fn an_order_that_the_site_declines_comes_back_with_its_reason() {
    let it = Box::set_up(Settings::default());
    let declined = Declined {
        code: "read-only",
        message: "Orders are switched off.".into(),
        remedy: "Ask the operator.".into(),
    };
    let body = r#"{"strategy":"equal"}"#;
    let (reply, _) = order(&it, "/api/v1/order/strategy", body, Err(declined));
    assert_eq!((reply.status, error_code(&reply)), (409, "read-only".into()));
}

#[test]
fn a_loop_without_time_makes_orders_wait_and_then_turns_them_away() {
    let settings = Settings { answer_within: Duration::from_millis(1500), ..Settings::default() };
    let it = Box::set_up(settings);
    let operator = it.operator();
    for _ in 0..3 {
        let reply = operator.post("/api/v1/order/strategy", r#"{"strategy":"equal"}"#);
        assert_eq!((reply.status, error_code(&reply)), (503, "busy".into()));
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(it.orders.len(), 2, "the third found the queue full");
}
