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

/// Everything that comes out, and what is complained about.
fn outcome(input: &str, how: How) -> (Result<u64, String>, Vec<Value>, String) {
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let ended = analyse(&board(), how, input.as_bytes(), &mut out, &mut complaints);
    let text = String::from_utf8(out).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ended.map_err(|fault| fault.to_string()), lines, String::from_utf8(complaints).unwrap())
}

fn lines(input: &str) -> Vec<Value> {
    let (ended, lines, complaints) = outcome(input, How::default());
    assert_eq!((ended, complaints.as_str()), (Ok(0), ""));
    lines
}

fn near(value: &Value, truth: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - truth).abs() < 0.000_5 * truth.abs().max(1.0), "{value} is not {truth}");
}

#[test]
fn recorded_codes_become_readings_and_a_summary() {
    let lines = lines(&codes(2.0));
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
fn without_a_header_that_fits_the_board_nothing_is_read() {
    for (input, says) in [
        ("", "line 1: the input is empty"),
        ("i1,i2\n", "line 1: channel \"i3\" is missing"),
        ("i1,i1\n", "line 1: channel \"i1\" is there twice"),
        ("i1,i9\n", "line 1: the board file has no channel \"i9\""),
    ] {
        let (ended, lines, _) = outcome(input, How::default());
        assert!(ended.unwrap_err().starts_with(says), "{says}");
        assert!(lines.is_empty());
    }
}

#[test]
fn a_bad_row_is_named_with_its_number_and_what_is_wrong_and_the_rest_goes_on() {
    let header = "i1,i2,i3,u1,u2,u3";
    for (input, says) in [
        (format!("{header}\n1,2,3,4,5,6\n1,2,3,x,5,6\n"), "line 3: u1: \"x\" is not a whole number"),
        (format!("{header}\n1,2,3,4,5\n"), "line 2: no code for channel \"u3\""),
        (format!("{header}\n1,2,3,4,5,6,7\n"), "line 2: more than 6 codes"),
        (format!("{header}\n1,2,3,4,5,8388608\n"), "line 2: u3: 8388608 is not from -8388608 to 8388607"),
        (format!("{header}\n1,2,3,4,5,6\n\n"), "line 3: i1: \"\" is not a whole number"),
        (format!("{header}\n{}\n1,2,3,4,5,6\n", "9".repeat(9000)), "line 2: longer than 4096 bytes"),
    ] {
        let (ended, lines, complaints) = outcome(&input, How::default());
        assert_eq!(ended, Ok(1), "{complaints}");
        assert!(complaints.starts_with(says) && complaints.lines().count() == 1, "{complaints}");
        assert_eq!(lines.last().unwrap()["summary"]["intervals"], 0);
    }
}

#[test]
fn bytes_that_are_no_text_are_a_bad_row_too() {
    let mut out = Vec::new();
    let input: &[u8] = b"i1,i2,i3,u1,u2,u3\n1,2,3,4,5,6\n1,2,\xFF,4,5,6\n1,2,3,4,5,6\n";
    let mut complaints = Vec::new();
    assert_eq!(analyse(&board(), How::default(), input, &mut out, &mut complaints).unwrap(), 1);
    assert_eq!(String::from_utf8(complaints).unwrap(), "line 3: not UTF-8 text\n");
}

#[test]
fn one_bad_row_is_bridged_and_many_make_their_interval_bad() {
    let good = codes(2.0);
    let spoilt = |count: usize| {
        let spoil = |(at, line): (usize, &str)| match (3000..3000 + count).contains(&at) {
            true => "nonsense\n".to_owned(),
            false => format!("{line}\n"),
        };
        good.lines().enumerate().map(spoil).collect::<String>()
    };
    for (count, quality) in [(1, "doubtful"), (20, "bad")] {
        let (ended, lines, complaints) = outcome(&spoilt(count), How::default());
        assert_eq!((ended, complaints.lines().count()), (Ok(count as u64), count));
        let (summary, intervals) = lines.split_last().unwrap();
        let marked: Vec<_> = intervals.iter().filter(|line| line["quality"] != "good").collect();
        assert_eq!(marked.len(), 1, "{count}");
        assert_eq!(
            (marked[0]["quality"].as_str(), marked[0]["doubt"].as_str()),
            (Some(quality), Some("gaps"))
        );
        near(&summary["summary"]["phases"]["L1"]["current_a"], 10.0);
    }
}

#[test]
fn harmonics_are_there_when_they_are_asked_for() {
    let (_, lines, _) = outcome(&codes(0.5), How { harmonics: true });
    let line = &lines[0]["phases"]["L1"];
    assert_eq!(line["current_harmonics_a"].as_array().unwrap().len(), 20);
    near(&line["current_harmonics_a"][0], 10.0);
    assert!(line["voltage_harmonics_v"][4].as_f64().unwrap() < 0.23);
}

#[test]
fn the_summary_says_what_there_is_to_say_about_each_clamp() {
    let lines = lines(&codes(3.0));
    let clamps = &lines.last().unwrap()["summary"]["clamps"];
    assert_eq!(clamps["L1"]["finding"], "unclear", "60 degrees: another line backwards, or a motor");
    assert_eq!(clamps["L2"]["finding"], "nothing-to-tell");
    assert_eq!(clamps["L3"]["finding"], "backwards");
    assert!(clamps["L1"]["noise_floor_a"].as_f64().unwrap() < 0.01);
}

#[test]
fn the_schema_has_exactly_the_keys_that_come_out() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let promised = |name: &str| keys(&schema["$defs"][name]["properties"]);
    let (_, lines, _) = outcome(&codes(0.5), How { harmonics: true });
    let without_doubt: Vec<_> = promised("interval").into_iter().filter(|key| key != "doubt").collect();
    assert_eq!(keys(&lines[0]), without_doubt);
    let mut of_a_phase = promised("phase");
    of_a_phase.extend(promised("measured"));
    of_a_phase.sort();
    let mut measured = keys(&lines[0]["phases"]["L1"]);
    measured.sort();
    assert_eq!(measured, of_a_phase);
    assert_eq!(keys(&lines.last().unwrap()["summary"]["phases"]["L1"]), promised("phase"));
    assert_eq!(keys(&lines.last().unwrap()["summary"]), promised("summary"));
}
