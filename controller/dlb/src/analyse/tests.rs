use super::*;
use serde_json::Value;
use std::f64::consts::{SQRT_2, TAU};
use std::fmt::Write as _;
use std::path::Path;

const BOARD: &str = include_str!("../../../../tests/boards/three-phase.toml");

fn board() -> BoardFile {
    BoardFile::parse(BOARD, Path::new("board.toml")).unwrap()
}

/// Ten amperes lagging by 60° on L1, clamps that lead by 0.9°; nothing on L2, export of 5 A on L3.
fn codes(seconds: f64) -> String {
    let mut csv = String::from("u1,u2,u3,i1,i2,i3\n");
    let full = 8_388_608.0 / 1.2;
    for n in 0..(seconds * 4000.0) as usize {
        let angle = TAU * 50.0 * n as f64 / 4000.0;
        let line = |line: f64| angle - TAU / 3.0 * line;
        let volts = |at: f64| (230.0 * SQRT_2 * line(at).sin() / 700.0 * full).round() as i64;
        let amps = |at: f64, amps: f64, lag: f64| {
            let angle = line(at) - lag + 0.9_f64.to_radians();
            (amps * SQRT_2 * angle.sin() / 2000.0 * 5.1 * full).round() as i64
        };
        let [i1, i2, i3] = [amps(0.0, 10.0, TAU / 6.0), 0, amps(2.0, 5.0, TAU / 2.0)];
        writeln!(csv, "{},{},{},{i1},{i2},{i3}", volts(0.0), volts(1.0), volts(2.0)).unwrap();
    }
    csv
}

fn lines(input: &str) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    let ended = analyse(&board(), input.as_bytes(), &mut out);
    let text = String::from_utf8(out).unwrap();
    ended.map_err(|fault| fault.to_string())?;
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn near(value: &Value, truth: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - truth).abs() < 0.000_5 * truth.abs().max(1.0), "{value} is not {truth}");
}

#[test]
fn recorded_codes_become_readings_and_a_summary() {
    let lines = lines(&codes(2.0)).unwrap();
    let (summary, intervals) = lines.split_last().unwrap();
    assert!((9..=10).contains(&intervals.len()), "{}", intervals.len());
    for line in intervals {
        assert_eq!(line["quality"], "good");
        near(&line["frequency_hz"], 50.0);
        near(&line["phases"]["L1"]["power_w"], 1150.0);
        near(&line["phases"]["L1"]["reactive_var"], 2300.0 * (TAU / 6.0).sin());
        near(&line["phases"]["L1"]["power_factor"], 0.5);
        assert_eq!(line["phases"]["L2"]["current_a"], 0.0);
        near(&line["phases"]["L3"]["power_w"], -1150.0);
    }
    near(&summary["summary"]["phases"]["L1"]["current_a"], 10.0);
    near(&summary["summary"]["phases"]["L3"]["voltage_v"], 230.0);
    near(&summary["summary"]["phases"]["L3"]["power_factor"], -1.0);
    assert_eq!(summary["summary"]["good"], intervals.len() as u64);
}

#[test]
fn a_bad_line_is_named_with_its_number_and_what_is_wrong() {
    let header = "i1,i2,i3,u1,u2,u3";
    for (input, says) in [
        (String::new(), "line 1: the input is empty"),
        ("i1,i2\n".into(), "line 1: channel \"i3\" is missing"),
        ("i1,i1\n".into(), "line 1: channel \"i1\" is there twice"),
        ("i1,i9\n".into(), "line 1: the board file has no channel \"i9\""),
        (format!("{header}\n1,2,3,4,5,6\n1,2,3,x,5,6\n"), "line 3: u1: \"x\" is not a whole number"),
        (format!("{header}\n1,2,3,4,5\n"), "line 2: no code for channel \"u3\""),
        (format!("{header}\n1,2,3,4,5,6,7\n"), "line 2: more than 6 codes"),
        (format!("{header}\n1,2,3,4,5,8388608\n"), "line 2: u3: 8388608 is not from -8388608 to 8388607"),
        (format!("{header}\n1,2,3,4,5,6\n\n"), "line 3: i1: \"\" is not a whole number"),
        (format!("{header}\n{}", "9".repeat(5000)), "line 2: longer than 4096 bytes"),
    ] {
        let said = lines(&input).unwrap_err();
        assert!(said.starts_with(says), "{said}");
    }
}

#[test]
fn lines_before_a_bad_one_have_their_readings() {
    let input = codes(1.0) + "1,2\n";
    let mut out = Vec::new();
    assert!(analyse(&board(), input.as_bytes(), &mut out).is_err());
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 4);
}

#[test]
fn the_schema_has_exactly_the_keys_that_come_out() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let promised = |name: &str| keys(&schema["$defs"][name]["properties"]);
    let lines = lines(&codes(0.5)).unwrap();
    let without_doubt: Vec<_> = promised("interval").into_iter().filter(|key| key != "doubt").collect();
    assert_eq!(keys(&lines[0]), without_doubt);
    assert_eq!(keys(&lines[0]["phases"]["L1"]), promised("phase"));
    assert_eq!(keys(&lines.last().unwrap()["summary"]), promised("summary"));
}
