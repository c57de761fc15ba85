//! First start, login, logout, lock-out: who may do what.

use crate::support::client::Client;
use crate::support::{Box, METRICS_TOKEN, PASSWORD, error_code};
use dlb::web::{AttemptRule, Settings};
use std::time::Duration;

#[test]
fn a_new_box_asks_for_a_password_once_and_logs_its_owner_in() {
    let it = Box::new();
    let mut client = it.client();
    let setup = client.get("/api/v1/setup").json();
    assert_eq!((setup["needs_password"].as_bool(), setup["logged_in"].as_bool()), (Some(true), Some(false)));

    let short = client.post("/api/v1/setup", r#"{"password":"too short"}"#);
    assert_eq!((short.status, error_code(&short)), (400, "bad-field".into()));
    assert_eq!(short.json()["error"]["field"], "password");

    let chosen = client.post("/api/v1/setup", r#"{"password":"ten or more"}"#);
    assert_eq!(chosen.status, 200, "{chosen:?}");
    let cookie = chosen.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age="), "{cookie}");
    client.keep_cookie(&chosen);
    assert_eq!(client.get("/api/v1/site").status, 200);
    assert_eq!(client.get("/api/v1/setup").json()["logged_in"], true);

    let again = it.client().post("/api/v1/setup", r#"{"password":"the next visitor"}"#);
    assert_eq!((again.status, error_code(&again)), (409, "password-set".into()));
    assert!(it.password.verify("ten or more"));
}

#[test]
fn a_login_ends_with_its_logout() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let other = it.operator();
    assert_eq!(client.post("/api/v1/logout", "").status, 200);
    assert_eq!(client.get("/api/v1/site").status, 401);
    assert_eq!(other.get("/api/v1/site").status, 200);
}

#[test]
fn a_new_password_throws_everybody_else_out() {
    let it = Box::set_up(Settings::default());
    let (client, other) = (it.operator(), it.operator());
    let wrong = r#"{"old_password":"not the one I have","new_password":"a new password"}"#;
    let refused = client.post("/api/v1/password", wrong);
    assert_eq!((refused.status, error_code(&refused)), (401, "wrong-password".into()));
    let right = format!(r#"{{"old_password":"{PASSWORD}","new_password":"a new password"}}"#);
    assert_eq!(client.post("/api/v1/password", &right).status, 200);
    assert_eq!((client.get("/api/v1/site").status, other.get("/api/v1/site").status), (200, 401));
    assert!(it.password.verify("a new password"));
}

#[test]
fn whoever_is_logged_in_still_is_after_a_restart_of_the_box() {
    let it = Box::set_up(Settings::default());
    let (mut client, mut gone) = (it.operator(), it.operator());
    assert_eq!(gone.post("/api/v1/logout", "").status, 200);
    let it = it.restarted();
    client.moves_to(it.address());
    gone.moves_to(it.address());
    assert_eq!((client.get("/api/v1/site").status, gone.get("/api/v1/site").status), (200, 401));
}

#[test]
fn after_a_new_password_and_a_restart_only_whoever_chose_it_is_logged_in() {
    let it = Box::set_up(Settings::default());
    let (mut client, mut other) = (it.operator(), it.operator());
    let order = format!(r#"{{"old_password":"{PASSWORD}","new_password":"a new password"}}"#);
    assert_eq!(client.post("/api/v1/password", &order).status, 200);
    let it = it.restarted();
    client.moves_to(it.address());
    other.moves_to(it.address());
    assert_eq!((client.get("/api/v1/site").status, other.get("/api/v1/site").status), (200, 401));
}

#[test]
fn after_a_factory_reset_nobody_is_logged_in() {
    let it = Box::set_up(Settings::default());
    let mut client = it.operator();
    let (data, config) = (it.data.path().to_owned(), it.data.path().join("site.toml"));
    dlb::reset::order(&data).unwrap();
    assert!(dlb::reset::complete(&data, &config).unwrap());
    let it = it.restarted();
    client.moves_to(it.address());
    assert_eq!(client.get("/api/v1/site").status, 401);
    assert_eq!(client.get("/api/v1/setup").json()["needs_password"], true);
}

#[test]
fn guessing_is_locked_out_even_with_the_right_password_and_open_logins_stay() {
    let attempts =
        AttemptRule { per_address: 3, address_regains: Duration::from_secs(3600), ..AttemptRule::default() };
    let it = Box::set_up(Settings { attempts, ..Settings::default() });
    let operator = it.operator();
    let stranger = it.client();
    for _ in 0..3 {
        let wrong = stranger.post("/api/v1/login", r#"{"password":"a wrong guess"}"#);
        assert_eq!((wrong.status, error_code(&wrong)), (401, "wrong-password".into()));
    }
    let right = format!("{{\"password\":\"{PASSWORD}\"}}");
    let locked = stranger.post("/api/v1/login", &right);
    assert_eq!((locked.status, error_code(&locked)), (429, "too-many-tries".into()));
    let wait: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!((3590..=3601).contains(&wait), "{wait}");
    assert_eq!(operator.get("/api/v1/site").status, 200);
}

#[test]
fn nothing_but_health_setup_login_and_description_works_without_a_login() {
    let it = Box::set_up(Settings::default());
    let (client, operator) = (it.client(), it.operator());
    let description = operator.get("/api/v1/openapi.json").json();
    let mut asked = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let path = path.replace("{name}", "CP%209%2F%C3%BC").replace("{version}", "1");
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let headers = "Content-Type: application/json\r\nIf-Match: 1\r\n";
            let reply = client.request(&method, &path, headers, (method != "GET").then_some("{}"));
            let open = ["/api/v1/health", "/api/v1/setup", "/api/v1/login"].contains(&path.as_str());
            assert_eq!(reply.status == 401, !open, "{method} {path}: {reply:?}");
            asked += 1;
        }
    }
    assert!(asked > 25, "only {asked} doors are described");
    assert_eq!(it.shelf.current()["name"], "Office");
}

#[test]
fn every_described_door_exists() {
    let it = Box::set_up(Settings::default());
    let operator = it.operator();
    let description = operator.get("/api/v1/openapi.json").json();
    for (path, operations) in description["paths"].as_object().unwrap() {
        let path = path.replace("{name}", "CP%209%2F%C3%BC").replace("{version}", "1");
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if path.ends_with("/live") || path.ends_with("/logout") || path.ends_with("/dismiss") {
                continue;
            }
            let reply = operator.request(&method, &path, "Content-Type: application/json\r\n", Some("7"));
            // A door may find nothing behind it: a box without clamps has none to show.
            let missing = reply.status == 404 && error_code(&reply) == "not-found";
            assert!(!missing && reply.status < 500, "{method} {path}: {reply:?}");
        }
    }
    let unknown = operator.get("/api/v1/nothing/here");
    assert_eq!((unknown.status, error_code(&unknown)), (404, "not-found".into()));
}

#[test]
fn a_door_that_takes_another_method_says_which() {
    let it = Box::set_up(Settings::default());
    for (method, path, takes) in [
        ("GET", "/api/v1/order/strategy", "POST"),
        ("DELETE", "/api/v1/config", "GET, PUT"),
        ("PATCH", "/api/v1/waiting/CP-1/adopt", "POST"),
    ] {
        let reply = it.client().request(method, path, "", None);
        assert_eq!((reply.status, error_code(&reply)), (405, "wrong-method".into()), "{method} {path}");
        assert_eq!(reply.header("allow"), Some(takes), "{method} {path}");
    }
}

#[test]
fn a_foreign_page_cannot_use_the_operators_login() {
    let it = Box::set_up(Settings::default());
    let operator = it.operator();
    let order = Some(r#"{"strategy":"equal"}"#);
    let path = "/api/v1/order/strategy";
    let json = "Content-Type: application/json\r\n";
    for origin in ["Origin: https://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let reply = operator.request("POST", path, &format!("{json}{origin}"), order);
        assert_eq!((reply.status, error_code(&reply)), (403, "foreign-page".into()), "{origin}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let reply = operator.request("POST", path, form, order);
    assert_eq!((reply.status, error_code(&reply)), (415, "not-json".into()));
    assert!(it.orders.is_empty());
    let own = format!("{json}Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", it.address());
    let reply = operator.request("POST", "/api/v1/config/check", &own, Some("{}"));
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn a_name_of_the_internet_cannot_choose_the_first_password() {
    let it = Box::new();
    let body = r#"{"password":"chosen by a stranger"}"#;
    let request = format!(
        "POST /api/v1/setup HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\
         Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let reply = crate::support::client::exchange(it.address(), request.as_bytes());
    assert_eq!((reply.status, error_code(&reply)), (403, "not-local".into()));
    assert!(!it.password.is_set());
}

#[test]
fn metrics_are_read_with_the_token_or_a_login() {
    let it = Box::set_up(Settings::default());
    let bearer = |token: &str| {
        let header = format!("Authorization: Bearer {token}\r\n");
        it.client().request("GET", "/api/v1/metrics", &header, None)
    };
    assert_eq!(bearer("0123456789abcdeX").status, 401);
    assert_eq!(it.client().get("/api/v1/metrics").status, 401);
    let text = bearer(METRICS_TOKEN).text();
    for line in [
        "dlb_balancing 1",
        "dlb_circuit_amperes{circuit=\"grid\",line=\"L2\"} 20.5",
        "dlb_charger_limit_amperes{charger=\"bay-1\"} 16",
        "dlb_charger_session_joules{charger=\"bay-1\"} 3600000",
        "dlb_alerts{severity=\"warning\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("dlb_meter_power_watts{"), "an unknown power is left out:\n{text}");
    let operator = it.operator();
    assert_eq!(operator.get("/api/v1/metrics").status, 200);
    assert_eq!(operator.get("/api/v1/metrics-token").json()["token"], METRICS_TOKEN);
}

#[test]
fn mistakes_in_a_request_are_named() {
    let it = Box::set_up(Settings::default());
    let stranger: Client = it.client();
    for (body, field) in [
        (r#"{"pass":"x"}"#, Some("pass")),
        ("{}", Some("password")),
        (r#"{"password":7}"#, Some("password")),
        ("[", None),
        (r#"{"password":"x"} and more"#, None),
    ] {
        let reply = stranger.post("/api/v1/login", body);
        assert_eq!(
            (reply.status, reply.json()["error"]["field"].as_str()),
            (400, field),
            "{body}: {reply:?}"
        );
    }
}

#[test]
fn a_factory_reset_needs_the_password_once_more() {
    let it = Box::set_up(Settings::default());
    let ordered = || it.machine.0.load(std::sync::atomic::Ordering::Relaxed);
    let reset = |client: &Client, password: &str| {
        client.post("/api/v1/factory-reset", &format!(r#"{{"password":"{password}"}}"#))
    };
    assert_eq!(reset(&it.client(), PASSWORD).status, 401);
    let reply = reset(&it.operator(), "not the password");
    assert_eq!((reply.status, error_code(&reply)), (401, "wrong-password".to_owned()));
    assert!(!ordered());
    assert_eq!(reset(&it.operator(), PASSWORD).status, 200);
    assert!(ordered());
}
