//! Amperes that were answered once are not answered to somebody else before they are free again.

use serde_json::{Value, json};
use std::collections::VecDeque;

/// The filter, one line after the other.
struct Filter(Vec<Value>);

impl Filter {
    /// Answers the last line; the filter is run over all lines so far, for it is a function of its input.
    fn answer(&mut self, line: Value) -> Value {
        self.0.push(line);
        let input = self.0.iter().map(|line| format!("{line}\n")).collect::<String>();
        let (mut output, mut complaints) = (Vec::new(), Vec::new());
        let good =
            dlb::allocate::filter(input.as_bytes(), &mut output, &mut complaints, false).expect("memory");
        assert!(good, "{}", String::from_utf8_lossy(&complaints));
        let last = output.split(|&byte| byte == b'\n').rfind(|line| !line.is_empty());
        serde_json::from_slice(last.expect("an answer")).expect("JSON")
    }
}

/// A 32 A supply with these chargers: name, and what it draws where that is known.
fn line(now_s: f64, chargers: &[(&str, Option<f64>)]) -> Value {
    let charger = |&(id, drawn): &(&str, Option<f64>)| {
        let mut charger = json!({"id": id, "circuit": "grid", "phases": ["L1"], "wants_a": 32});
        if let Some(drawn) = drawn {
            charger["drawn_a"] = json!([drawn]);
        }
        charger
    };
    let chargers = chargers.iter().map(charger).collect::<Vec<_>>();
    json!({"now_s": now_s, "circuits": [{"id": "grid", "limit_a": [32, 32, 32]}], "chargers": chargers})
}

fn limits(answer: &Value) -> Vec<f64> {
    let chargers = answer["chargers"].as_array().expect("chargers");
    chargers.iter().map(|charger| charger["limit_a"].as_f64().expect("amperes")).collect()
}

#[test]
fn a_second_car_gets_its_share_when_the_first_has_let_go_of_it() {
    let mut filter = Filter(Vec::new());
    let first = filter.answer(line(0.0, &[("a", Some(0.0))]));
    assert_eq!(limits(&first), [32.0]);
    let told = filter.answer(line(1.0, &[("a", Some(32.0)), ("b", Some(0.0))]));
    assert_eq!(limits(&told), [16.0, 0.0]);
    assert_eq!(told["chargers"][1]["reason_code"], "others-come-down");
    assert_eq!(told["circuits"][0]["used_a"][0], 16.0);
    assert_eq!(told["circuits"][0]["possible_a"][0], 32.0);
    let ignored = filter.answer(line(2.0, &[("a", Some(31.8)), ("b", Some(0.0))]));
    assert_eq!(limits(&ignored), [16.0, 0.0]);
    let obeyed = filter.answer(line(3.0, &[("a", Some(15.9)), ("b", Some(0.0))]));
    assert_eq!(limits(&obeyed), [16.0, 16.0]);
    assert!(obeyed["circuits"][0]["possible_a"].is_null());
}

#[test]
fn where_no_current_is_given_a_lower_limit_is_believed_after_ten_seconds() {
    let mut filter = Filter(Vec::new());
    filter.answer(line(0.0, &[("a", None)]));
    for now in [1.0, 5.0, 10.9] {
        assert_eq!(limits(&filter.answer(line(now, &[("a", None), ("b", None)]))), [16.0, 0.0], "at {now} s");
    }
    assert_eq!(limits(&filter.answer(line(11.0, &[("a", None), ("b", None)]))), [16.0, 16.0]);
}

#[test]
fn what_flows_when_the_filter_is_started_in_the_middle_counts() {
    let mut filter = Filter(Vec::new());
    let answer = filter.answer(line(0.0, &[("a", Some(32.0)), ("b", Some(0.0))]));
    assert_eq!(limits(&answer), [16.0, 0.0]);
}

#[test]
fn a_limit_is_nothing_or_enough_to_charge() {
    let mut filter = Filter(Vec::new());
    for now in [0.0, 1.0, 2.0] {
        let answer = filter.answer(line(now, &[("a", Some(29.0)), ("b", Some(3.0))]));
        assert_eq!(limits(&answer), [16.0, 0.0], "at {now} s");
    }
}

#[test]
fn a_current_that_was_given_by_the_sites_lines_counts_all_the_same() {
    let on_l2 = |now: f64, drawn: [f64; 3]| {
        let mut line = line(now, &[("a", None), ("b", None)]);
        for charger in line["chargers"].as_array_mut().expect("chargers") {
            charger["phases"] = json!(["L2"]);
        }
        line["chargers"][0]["drawn_a"] = json!(drawn);
        line
    };
    let mut filter = Filter(Vec::new());
    for now in 0..30 {
        assert_eq!(limits(&filter.answer(on_l2(f64::from(now), [0.0, 32.0, 0.0])))[1], 0.0, "at {now} s");
    }
}

#[test]
fn rounding_never_promises_what_is_not_there() {
    let mut tight = line(0.0, &[("a", None)]);
    tight["circuits"][0]["limit_a"] = json!([29.9996, 29.9996, 29.9996]);
    tight["circuits"][0]["other_load_a"] = json!([10.0004, 0, 0]);
    let answer = Filter(Vec::new()).answer(tight);
    assert_eq!(limits(&answer), [19.998]);
}

#[test]
fn a_car_that_left_holds_nothing_back() {
    let mut filter = Filter(Vec::new());
    filter.answer(line(0.0, &[("a", Some(0.0))]));
    let mut left = line(1.0, &[("a", Some(0.0)), ("b", Some(0.0))]);
    left["chargers"][0]["connected"] = json!(false);
    assert_eq!(limits(&filter.answer(left)), [0.0, 32.0]);
    assert_eq!(limits(&filter.answer(line(2.0, &[("b", Some(32.0))]))), [32.0]);
}

#[test]
fn a_charger_that_goes_on_drawing_is_counted_at_what_it_draws_and_named() {
    let mut filter = Filter(Vec::new());
    filter.answer(line(0.0, &[("a", Some(0.0))]));
    let mut last = Value::Null;
    for second in 1..60 {
        last = filter.answer(line(f64::from(second), &[("a", Some(32.0)), ("b", Some(0.0))]));
        assert_eq!(limits(&last)[1], 0.0, "second {second}");
    }
    assert_eq!(last["chargers"][0]["reason_code"], "disobeys");
    assert_eq!(limits(&last)[0], 16.0, "what it was told, not what it takes");
    assert_eq!(last["circuits"][0]["used_a"][0], 32.0);
}

/// A wallbox that obeys some seconds late, with a car that takes all it may.
struct Slow {
    dead_time: usize,
    told: VecDeque<f64>,
}

impl Slow {
    fn draws(&self) -> f64 {
        self.told.front().copied().unwrap_or(0.0)
    }

    fn hears(&mut self, limit: f64) {
        self.told.push_back(limit);
        while self.told.len() > self.dead_time {
            self.told.pop_front();
        }
    }
}

#[test]
fn slow_wallboxes_that_come_one_after_the_other_never_draw_more_than_the_supply_carries() {
    let mut filter = Filter(Vec::new());
    let names = ["a", "b", "c", "d", "e"];
    let mut boxes = names.map(|_| Slow { dead_time: 1, told: VecDeque::new() });
    for (at, one) in boxes.iter_mut().enumerate() {
        one.dead_time = 1 + 2 * at;
    }
    let mut most = 0.0_f64;
    for second in 0..120 {
        let here = (second / 20 + 1).min(names.len());
        let seen = (0..here).map(|at| (names[at], Some(boxes[at].draws()))).collect::<Vec<_>>();
        let answer = filter.answer(line(second as f64, &seen));
        for (one, limit) in boxes.iter_mut().zip(limits(&answer)) {
            one.hears(limit);
        }
        let flows = boxes.iter().map(Slow::draws).sum::<f64>();
        assert!(flows <= 32.0, "{flows} A in second {second}");
        most = most.max(flows);
    }
    assert!(most > 31.9, "only {most} A were ever handed out");
    let shared = boxes.iter().map(Slow::draws).collect::<Vec<_>>();
    assert_eq!(shared, [6.4; 5]);
}
