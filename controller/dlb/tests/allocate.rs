//! `dlb allocate` as its users see it: the program itself, golden lines, and everything that a bad line
//! can be.

#[path = "allocate/in_flight.rs"]
mod in_flight;

use std::io::Write;
use std::process::{Command, Output, Stdio};

const EVENING: &str = include_str!("allocate/evening.jsonl");

fn dlb(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dlb"))
        .arg("allocate")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program has been built");
    child.stdin.take().expect("it was piped").write_all(input.as_bytes()).expect("the program reads");
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

/// What one line is refused with.
fn complaint(line: &str) -> String {
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let good = dlb::allocate::filter(line.as_bytes(), &mut output, &mut complaints, false).expect("memory");
    assert!(!good && output.is_empty(), "{}", text(&output));
    text(&complaints)
}

/// A site with one circuit and one charger, in which `from` stands as `to`.
fn line_with(from: &str, to: &str) -> String {
    let line = r#"{"now_s":0,"strategy":"equal","circuits":[{"id":"grid","parent":null,"limit_a":[63,63,63]}],"chargers":[{"id":"a1","circuit":"grid","phases":["L1","L2","L3"],"min_a":6,"max_a":32,"weight":1,"wants_a":32}]}"#;
    assert!(line.contains(from), "{from}");
    line.replacen(from, to, 1)
}

#[test]
fn an_evening_is_answered_as_recorded() {
    let output = dlb(&[], EVENING);
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn without_memory_a_car_need_not_rest() {
    let (with, without) = (dlb(&[], EVENING), dlb(&["--stateless"], EVENING));
    let (with, without) = (text(&with.stdout), text(&without.stdout));
    assert!(with.contains("\"rests\"") && !without.contains("\"rests\""), "{without}");
}

#[test]
fn a_bad_line_in_the_middle_costs_that_line_only() {
    let good = line_with("equal", "equal");
    let input = format!("{good}\n{}\nnonsense\n{good}", line_with("\"wants_a\":32", "\"wnats_a\":32"));
    let output = dlb(&[], &input);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout).lines().count(), 2);
    let complaints = text(&output.stderr);
    let complaints: Vec<&str> = complaints.lines().collect();
    assert_eq!(complaints.len(), 2);
    assert!(
        complaints[0].starts_with("line 2: chargers[0].wnats_a: unknown field `wnats_a`, expected one of")
    );
    assert_eq!(complaints[1], "line 3: snapshot: expected ident at column 2");
}

#[test]
fn every_mistake_is_named_with_its_key() {
    let mistakes = [
        ("\"strategy\":\"equal\"", "\"strategy\":\"fair\""),
        ("\"now_s\":0", "\"now_s\":\"noon\""),
        ("\"now_s\":0,", ""),
        ("\"now_s\":0", "\"now_s\":1e300"),
        ("\"parent\":null", "\"parent\":\"moon\""),
        ("\"parent\":null", "\"parent\":\"grid\""),
        ("[63,63,63]", "[63,63]"),
        ("[63,63,63]", "[63,-1,63]"),
        ("\"limit_a\":[63,63,63]", "\"limit_kw\":null"),
        ("\"parent\":null", "\"transformer\":{\"group\":\"Dyn\",\"ratio\":2.309}"),
        ("\"parent\":null", "\"transformer\":{\"group\":\"Zz\",\"ratio\":2.309}"),
        ("\"parent\":null", "\"transformer\":{\"group\":\"Yyn\"}"),
        ("\"parent\":null", "\"limit_kva\":-1"),
        ("\"parent\":null", "\"supply\":{\"system\":\"delta\",\"volts\":400},\"limit_neutral_a\":16"),
        ("\"parent\":null", "\"supply\":{\"system\":\"single\",\"volts\":230},\"limit_unbalance_a\":20"),
        ("\"parent\":null", "\"supply\":{\"system\":\"triangle\",\"volts\":230}"),
        ("\"parent\":null", "\"supply\":{\"system\":\"star\",\"volts\":0}"),
        ("\"parent\":null", "\"supply\":{\"system\":\"star\",\"volts\":230,\"hertz\":50}"),
        ("\"circuit\":\"grid\"", "\"circuit\":\"garage\""),
        ("\"L3\"]", "\"L4\"]"),
        ("\"L3\"]", "\"L1\"]"),
        ("[\"L1\",\"L2\",\"L3\"]", "[]"),
        ("[\"L1\",\"L2\",\"L3\"]", "[\"L1-L1\"]"),
        ("\"phases\":[\"L1\",\"L2\",\"L3\"],", ""),
        ("\"min_a\":6", "\"min_a\":40"),
        ("\"min_a\":6", "\"min_a\":-6"),
        ("\"weight\":1", "\"weight\":0"),
        ("\"wants_a\":32", "\"wants_a\":-1"),
        ("\"wants_a\":32", "\"wants_a\":1e999"),
        ("\"wants_a\":32", "\"wants_kw\":7"),
        ("\"wants_a\":32", "\"kind\":\"dc\""),
        ("\"wants_a\":32", "\"car_phases\":4"),
        ("\"wants_a\":32", "\"priority\":-1"),
        ("\"wants_a\":32", "\"wants_a\":32,\"wants_a\":16"),
        ("\"wants_a\":32}", "\"wants_a\":32},{\"id\":\"a1\",\"circuit\":\"grid\",\"phases\":[\"L1\"]}"),
        ("}]}", "}]} {}"),
        ("}]}", "}]"),
        ("{\"now_s\"", "[{\"now_s\""),
    ];
    let complaints: String = mistakes.iter().map(|(from, to)| complaint(&line_with(from, to))).collect();
    insta::assert_snapshot!(complaints);
}

#[test]
fn a_delta_supply_wants_pairs_and_a_split_one_has_two_lines() {
    let delta = line_with("\"parent\":null", "\"supply\":{\"system\":\"delta\",\"volts\":208}");
    assert!(
        complaint(&delta.replace("[\"L1\",\"L2\",\"L3\"]", "[\"L2\"]"))
            .contains("chargers[0].phases: a delta")
    );
    let split = line_with("\"parent\":null", "\"supply\":{\"system\":\"split\",\"volts\":120}");
    assert!(complaint(&split).contains("chargers[0].phases: a split supply has only L1 and L2"));
}

#[test]
fn a_garage_behind_a_transformer_is_limited_in_primary_amperes() {
    let line = r#"{"now_s":0,"circuits":[
        {"id":"grid","parent":null,"limit_a":[20,20,20],"supply":{"system":"delta","volts":480}},
        {"id":"garage","parent":"grid","limit_a":[100,100,100],"other_load_a":[10,10,10],"limit_kva":40,
         "limit_neutral_a":50,"limit_unbalance_a":60,"transformer":{"group":"Dyn","ratio":2.309}}],
        "chargers":[{"id":"ab","circuit":"garage","phases":["L1-L2"]},{"id":"three","circuit":"garage","phases":["L1","L2","L3"]}]}"#
        .replace('\n', "");
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    dlb::allocate::filter(line.as_bytes(), &mut output, &mut complaints, false).expect("memory");
    assert_eq!(text(&complaints), "");
    let answer: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
    // The star behind the delta has 120 V to neutral; its other load is 10 A · 208/480 on the primary side.
    let limit = |ix: usize| answer["chargers"][ix]["limit_a"].as_f64().expect("a number");
    let line_b = limit(0) / 2.0 + limit(1) * 3f64.sqrt() / 4.0 + 4.331;
    assert!((line_b - 20.0).abs() < 0.01, "{answer:#}");
    assert!((limit(0) - limit(1)).abs() < 0.01, "{answer:#}");
    assert_eq!(answer["chargers"][0]["reason"], "L2 of grid is full");
    assert!((answer["circuits"][0]["used_a"][1].as_f64().expect("a number") - 20.0).abs() < 0.01);
}

#[test]
fn the_schema_names_every_field_of_both_sides() {
    let output = dlb(&["--schema"], "");
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a schema is JSON");
    let parts = &schema["components"]["schemas"];
    let strict = ["SnapshotFile", "CircuitFile", "ChargerFile", "SupplyFile", "TransformerFile"];
    assert!(strict.iter().all(|part| parts[part]["additionalProperties"] == false), "{schema:#}");
    assert!(parts["ChargerFile"]["properties"]["energy_needed_kwh"].is_object());
    assert!(parts["ChargerLimitView"]["properties"]["reason_code"].is_object());
}

#[test]
fn ten_thousand_bent_lines_are_answered_or_refused() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let lines: Vec<&str> = EVENING.lines().filter(|line| !line.is_empty()).collect();
    let mut input = Vec::new();
    for _ in 0..10_000 {
        let mut line = lines[next(lines.len())].as_bytes().to_vec();
        for _ in 0..1 + next(3) {
            let at = next(line.len().max(1));
            match next(3) {
                _ if line.len() < 2 => {}
                0 => line[at] = b"0123456789-.,:\"{}[]eLabn"[next(24)],
                1 => drop(line.remove(at)),
                _ => line.truncate(at.max(1)),
            }
        }
        input.extend(line);
        input.push(b'\n');
    }
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    dlb::allocate::filter(&input[..], &mut output, &mut complaints, false).expect("memory");
    let lines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(lines(&output) + lines(&complaints), 10_000);
    assert!(lines(&output) > 100 && lines(&complaints) > 5_000);
}
