//! Clamps over the API: a box without any says so, one with simulated ones shows, streams and corrects them.

use crate::support::{Box, error_code};
use dlb::sampling::{BoardFile, Options, Sampling, simulated, start};
use dlb::web::Settings;
use serde_json::{Value, json};
use std::f64::consts::{SQRT_2, TAU};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// 10 A in step with their voltages; L3's clamp shows 20 A of the wrong direction.
fn wave(channel: usize, t: f64) -> f64 {
    let angle = TAU * 50.0 * t - TAU / 3.0 * (channel % 3) as f64;
    match channel {
        2 => -20.0 * SQRT_2 * (angle + 0.9_f64.to_radians()).sin() / 2000.0 * 5.1,
        0..2 => 10.0 * SQRT_2 * (angle + 0.9_f64.to_radians()).sin() / 2000.0 * 5.1,
        _ => 230.0 * SQRT_2 * angle.sin() / 700.0,
    }
}

fn clip_on(it: &Box) -> Sampling {
    let text = include_str!("../../../../tests/boards/three-phase.toml");
    let file = BoardFile::parse(text, Path::new("board.toml")).unwrap().sampled();
    let source = simulated(&file, wave, 1).unwrap();
    let board = file.board().unwrap();
    let sampling = start(
        source,
        board,
        Options::default(),
        std::boxed::Box::new(|_| true),
        std::boxed::Box::new(|_| {}),
    );
    let sampling = sampling.unwrap();
    it.clamps.attach(&file, sampling.probe().clone()).unwrap();
    sampling
}

#[test]
fn a_box_without_clamps_says_so_and_a_stranger_learns_nothing() {
    let it = Box::set_up(Settings::default());
    assert_eq!(it.client().get("/api/v1/clamps").status, 401);
    for path in ["clamps", "clamps/live", "clamps/corrections"] {
        let reply = it.operator().get(&format!("/api/v1/{path}"));
        assert_eq!((reply.status, error_code(&reply)), (409, "no-clamps".to_owned()), "{path}");
    }
    let reply = it.operator().post("/api/v1/clamps/turn", r#"{"channel":"i1","by":"me"}"#);
    assert_eq!((reply.status, error_code(&reply)), (409, "no-clamps".to_owned()));
}

#[test]
fn whoever_looks_gets_four_pictures_a_second_and_too_many_are_refused() {
    let settings = Settings { clamp_streams: 1, ..Settings::default() };
    let it = Box::set_up(settings);
    let _sampling = clip_on(&it);
    let client = it.operator();
    let mut socket = client.open();
    socket.write_all(client.text("GET", "/api/v1/clamps/live", "", None).as_bytes()).unwrap();
    let mut lines = BufReader::new(socket).lines();
    let mut next = || loop {
        let line = lines.next().unwrap().unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            assert!(data.len() < 16_384, "{} bytes", data.len());
            return serde_json::from_str::<Value>(data).unwrap();
        }
    };
    let began = Instant::now();
    let mut view = next();
    let mut pictures = 1;
    while view["lines"][2]["finding"] != "backwards" {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", view["lines"]);
        view = next();
        pictures += 1;
    }
    assert!(f64::from(pictures) <= 2.0 + began.elapsed().as_secs_f64() * 4.0);
    assert_eq!(view["channels"].as_array().unwrap().len(), 6);
    let wave = view["channels"][2]["wave"].as_array().unwrap();
    assert_eq!(wave.len(), 161);
    assert!(wave.iter().filter_map(Value::as_f64).any(|amps| amps > 27.0));
    let harmonics = view["lines"][0]["current_harmonics_a"].as_array().unwrap();
    assert_eq!(harmonics.len(), 20);
    assert!((harmonics[0].as_f64().unwrap() - 10.0).abs() < 0.05, "{harmonics:?}");
    assert!(view["lines"][0]["voltage_distortion"].as_f64().unwrap() < 0.01, "{view}");
    let reply = it.operator().get("/api/v1/clamps/live");
    assert_eq!((reply.status, error_code(&reply)), (503, "busy".to_owned()));
}

#[test]
fn a_correction_is_made_listed_and_taken_back() {
    let it = Box::set_up(Settings::default());
    let _sampling = clip_on(&it);
    let operator = it.operator();
    let post = |path: &str, body: Value| operator.post(&format!("/api/v1/clamps/{path}"), &body.to_string());
    assert_eq!(post("turn", json!({"channel": "i3", "by": "K. Meier"})).status, 200);
    let reply = post("calibrate", json!({"channel": "i1", "actual": 10.2, "by": "K. Meier"}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!((reply.json()["gain_correction"].as_f64().unwrap() - 1.02).abs() < 0.002);
    let channels = operator.get("/api/v1/clamps/corrections").json();
    assert_eq!(channels["channels"][2]["reversed"], true);
    assert_eq!(channels["channels"][0]["history"][0]["by"], "K. Meier");

    assert_eq!(post("undo", json!({"channel": "i1", "by": "K. Meier"})).status, 200);
    let reply = post("undo", json!({"channel": "i1", "by": "K. Meier"}));
    assert_eq!((reply.status, error_code(&reply)), (409, "nothing-to-undo".to_owned()));
    for (body, field) in [
        (json!({"channel": "i9", "by": "me"}), "channel"),
        (json!({"channel": "i1", "by": ""}), "by"),
        (json!({"channel": "i1"}), "by"),
        (json!({"channel": "i1", "by": "me", "more": 1}), "more"),
    ] {
        let reply = post("turn", body);
        assert_eq!(reply.json()["error"]["field"], field, "{}", reply.text());
    }
}
