//! Reading, checking, writing and taking back the configuration; adopting a charger.

use crate::support::client::{Client, Reply};
use crate::support::{Box, error_code};
use dlb::web::Settings;
use serde_json::{Value, json};

fn put(client: &Client, version: &str, config: &Value) -> Reply {
    let headers = format!("Content-Type: application/json\r\nIf-Match: {version}\r\n");
    client.request("PUT", "/api/v1/config", &headers, Some(&config.to_string()))
}

#[test]
fn two_people_cannot_overwrite_each_other() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let read = client.get("/api/v1/config");
    assert_eq!(read.header("etag"), Some("\"1\""));
    let mut config = read.json()["config"].clone();
    config["name"] = "Depot".into();
    let first = put(&client, "\"1\"", &config);
    assert_eq!((first.status, first.json()), (200, json!({"version": 2})));
    config["name"] = "Garage".into();
    let second = put(&client, "\"1\"", &config);
    assert_eq!((second.status, error_code(&second)), (409, "config-changed".into()));
    assert_eq!(second.json()["version"], 2);
    assert_eq!(it.shelf.current()["name"], "Depot");
    let blind = client.request("PUT", "/api/v1/config", "Content-Type: application/json\r\n", Some("{}"));
    assert_eq!((blind.status, error_code(&blind)), (428, "version-missing".into()));
}

#[test]
fn a_configuration_with_mistakes_is_refused_and_every_mistake_is_named() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let mut config = it.shelf.current();
    config["circuit"][0]["limit_a"] = "plenty".into();
    config["charger"][0]["circuit"] = "nowhere".into();
    let checked = client.post("/api/v1/config/check", &config.to_string()).json();
    let refused = put(&client, "1", &config);
    assert_eq!((refused.status, error_code(&refused)), (422, "config-refused".into()));
    for problems in [&checked["problems"], &refused.json()["problems"]] {
        let keys: Vec<_> =
            problems.as_array().unwrap().iter().map(|problem| problem["key"].clone()).collect();
        assert!(keys.contains(&"circuit[0].limit_a".into()), "{keys:?}");
        assert!(keys.contains(&"charger[0].circuit".into()), "{keys:?}");
    }
    assert_eq!(it.shelf.current()["charger"][0]["circuit"], "grid");
}

#[test]
fn an_older_version_is_shown_and_put_in_force_again() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let mut config = it.shelf.current();
    config["name"] = "Depot".into();
    assert_eq!(put(&client, "1", &config).status, 200);
    let versions = client.get("/api/v1/config/versions").json();
    assert_eq!((&versions[0]["version"], &versions[0]["current"]), (&json!(2), &json!(true)));
    assert_eq!(client.get("/api/v1/config/versions/1").json()["config"]["name"], "Office");
    let restored = client.post("/api/v1/config/versions/1/restore", "");
    assert_eq!(restored.json(), json!({"version": 3}));
    assert_eq!(it.shelf.current()["name"], "Office");
    for path in ["/api/v1/config/versions/9", "/api/v1/config/versions/x"] {
        let reply = client.get(path);
        assert_eq!((reply.status, error_code(&reply)), (404, "no-such-version".into()));
    }
}

#[test]
fn a_waiting_charger_becomes_part_of_the_site_with_one_click() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let adopted = client.post("/api/v1/waiting/CP-9/adopt", "{}");
    assert_eq!((adopted.status, adopted.json()), (200, json!({"version": 2})), "{adopted:?}");
    let chargers = it.shelf.current()["charger"].clone();
    for outlet in [1, 2] {
        let expected = json!({
            "id": format!("cp-9-{outlet}"), "circuit": "grid", "ocpp": "CP-9", "outlet": outlet,
            "rotation": "unknown", "max_a": 16.0,
        });
        assert_eq!(chargers[outlet], expected);
    }
}

#[test]
fn a_waiting_charger_is_adopted_as_somebody_who_knows_it_says() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let adoption = r#"{"id":"bay-2","rotation":"L2","max_a":32,"outlet":1,"priority":1}"#;
    let adopted = client.post("/api/v1/waiting/CP-9/adopt", adoption);
    assert_eq!((adopted.status, adopted.json()), (200, json!({"version": 2})), "{adopted:?}");
    let charger = it.shelf.current()["charger"][1].clone();
    let expected = json!({"id": "bay-2", "circuit": "grid", "ocpp": "CP-9", "rotation": "L2", "max_a": 32.0, "priority": 1});
    assert_eq!(charger, expected);
    let stranger = client.post("/api/v1/waiting/CP-8/adopt", adoption);
    assert_eq!((stranger.status, error_code(&stranger)), (404, "not-waiting".into()));
}

#[test]
fn adopting_into_a_circuit_that_is_not_there_changes_nothing() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let adoption = r#"{"id":"bay-2","circuit":"nowhere"}"#;
    let refused = client.post("/api/v1/waiting/CP-9/adopt", adoption);
    assert_eq!((refused.status, error_code(&refused)), (422, "config-refused".into()));
    assert_eq!(it.shelf.current()["charger"].as_array().unwrap().len(), 1);
}

#[test]
fn the_brokers_password_goes_in_and_never_comes_out() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let put = |path: &str, body: &str| {
        client.request("PUT", path, "Content-Type: application/json\r\n", Some(body))
    };
    assert_eq!(put("/api/v1/broker/password", r#"{"password":"three brave otters"}"#).status, 200);
    assert_eq!(it.broker.secrets()[0].as_deref(), Some("three brave otters"));
    let view = client.get("/api/v1/broker");
    assert_eq!(view.json()["password_set"], true);
    assert!(!view.text().contains("otters"));
    let refused = put("/api/v1/broker/authority", r#"{"pem":"nothing"}"#);
    assert_eq!((refused.status, &refused.json()["error"]["field"]), (400, &json!("pem")));
    let wrong = put("/api/v1/broker/password", r#"{"password":7}"#);
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (400, &json!("password")));
    assert!(!wrong.text().contains("otters"));
    assert_eq!(put("/api/v1/broker/password", r#"{"password":null}"#).status, 200);
    assert_eq!(it.broker.secrets(), [None, None]);
    assert_eq!(it.client().get("/api/v1/broker").status, 401);
}

#[test]
fn a_configuration_larger_than_a_mebibyte_is_not_read() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let config = json!({"name": "x".repeat(1024 * 1024)});
    let reply = put(&client, "1", &config);
    assert!(reply.status == 413 || reply.status == 0, "{}", reply.head);
    assert_eq!(client.get("/api/v1/maps").json()["meters"][0]["name"], "eastron-sdm630");
}
