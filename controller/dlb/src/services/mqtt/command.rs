//! What others may ask over MQTT, from topic and payload to an order, or to one sentence that names the
//! field and the remedy.

use crate::web::wire::{LinesOrAll, StrategyName};
use dlb_engine::lines::PerLine;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use dlb_wiring::event::Order;
use serde_json::{Map, Value};

/// How long a site limit holds that does not say it.
pub(super) const LASTS_S: u64 = 3_600;
/// The longest that a site limit may ask for without saying it again.
const MOST_LASTS_S: u64 = 7 * 86_400;
const MOST_AMPS: f64 = 10_000.0;
const LONGEST: usize = 1_024;

/// `topic` is the part after the base.
pub(super) fn order(topic: &str, payload: &[u8], known: impl Fn(&str) -> bool) -> Result<Order, String> {
    let text = (payload.len() <= LONGEST).then(|| std::str::from_utf8(payload).ok()).flatten();
    let text =
        text.ok_or_else(|| format!("{}: the payload is not text of at most {LONGEST} bytes.", short(topic)));
    let parts: Vec<&str> = topic.split('/').collect();
    match parts.as_slice() {
        ["set", "strategy"] => strategy(text?.trim()),
        ["set", "site_limit"] => site_limit(text?.trim()),
        ["charger", id, "set", "limit"] if known(id) => charger_limit(id, text?.trim()),
        ["charger", id, "set", "limit"] => Err(format!(
            "charger/{}/set/limit: there is no such charger; its id stands in the configuration.",
            short(id)
        )),
        _ => Err(format!(
            "{}: no such command; there are set/strategy, set/site_limit, set/update and charger/<id>/set/limit.",
            short(topic)
        )),
    }
}

fn strategy(text: &str) -> Result<Order, String> {
    let name: Result<StrategyName, _> = serde_json::from_value(Value::from(text));
    name.map(|name| Order::Strategy(name.into())).map_err(|_| {
        format!(
            "set/strategy: \"{}\" is no strategy; send equal, first-come, priority or departure.",
            short(text)
        )
    })
}

fn site_limit(text: &str) -> Result<Order, String> {
    const EXAMPLE: &str = r#"{"limit_a": 40, "lasts_s": 900}"#;
    let fields: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| format!("set/site_limit: the payload must be a JSON object; send {EXAMPLE}."))?;
    if let Some(name) = fields.keys().find(|name| !matches!(name.as_str(), "limit_a" | "lasts_s")) {
        return Err(format!("set/site_limit: {} is no field of it; send {EXAMPLE}.", short(name)));
    }
    let wanted = fields.get("limit_a").ok_or_else(|| {
        format!("set/site_limit: limit_a is missing; send {EXAMPLE}, or null to take the limit back.")
    })?;
    if wanted.is_null() {
        return Ok(Order::SiteLimit { limit: None, lasts: Duration::ZERO });
    }
    let lasts_s = fields.get("lasts_s").map_or(Some(LASTS_S), Value::as_u64);
    let lasts_s = lasts_s.filter(|seconds| (1..=MOST_LASTS_S).contains(seconds)).ok_or_else(|| {
        format!("set/site_limit: lasts_s must be whole seconds from 1 to {MOST_LASTS_S}; send {EXAMPLE}.")
    })?;
    let limit = per_line(wanted).ok_or_else(|| {
        format!(
            "set/site_limit: limit_a must be one number, three numbers or null, \
             from 0 to {MOST_AMPS} A; send {EXAMPLE}."
        )
    })?;
    Ok(Order::SiteLimit { limit: Some(limit), lasts: Duration::from_secs(lasts_s) })
}

fn per_line(wanted: &Value) -> Option<PerLine<Milliamps>> {
    let [one, two, three] = match serde_json::from_value(wanted.clone()).ok()? {
        LinesOrAll::All(amps) => [amps; 3],
        LinesOrAll::Each(amps) => amps,
    };
    Some(PerLine([amps(one)?, amps(two)?, amps(three)?]))
}

/// A number, or one of the words that take a limit back.
fn charger_limit(id: &str, text: &str) -> Result<Order, String> {
    let limit = match text {
        "null" | "none" | "auto" => None,
        number => Some(number.parse().ok().and_then(amps).ok_or_else(|| {
            format!(
                "charger/{id}/set/limit: \"{}\" is not an amperage; \
                 send a number from 0 (pause) to {MOST_AMPS}, or null to take the limit back.",
                short(text)
            )
        })?),
    };
    Ok(Order::ChargerLimit { charger: id.to_owned(), limit })
}

fn amps(amps: f64) -> Option<Milliamps> {
    (0.0..=MOST_AMPS).contains(&amps).then(|| Milliamps::from_amps_f64(amps))
}

/// What strangers wrote, cut to what a line of log can bear.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::snapshot::Strategy;

    fn heard(topic: &str, payload: &str) -> Result<Order, String> {
        order(topic, payload.as_bytes(), |id| id == "a1")
    }

    #[test]
    fn a_utility_lowers_the_site_for_a_quarter_of_an_hour() {
        let limit = Some(PerLine::all(Milliamps::from_amps(40)));
        let lasts = Duration::from_secs(900);
        let order = heard("set/site_limit", r#"{"limit_a": 40, "lasts_s": 900}"#);
        assert_eq!(order, Ok(Order::SiteLimit { limit, lasts }));
    }

    #[test]
    fn a_site_limit_ends_by_itself_even_if_nobody_says_when() {
        let Ok(Order::SiteLimit { lasts, .. }) = heard("set/site_limit", r#"{"limit_a": [40, 41, 42.5]}"#)
        else {
            panic!("three numbers are a limit")
        };
        assert_eq!(lasts, Duration::from_secs(LASTS_S));
    }

    #[test]
    fn a_limit_is_taken_back() {
        let taken = Order::SiteLimit { limit: None, lasts: Duration::ZERO };
        assert_eq!(heard("set/site_limit", r#"{"limit_a": null}"#), Ok(taken));
        let freed = Order::ChargerLimit { charger: "a1".into(), limit: None };
        assert_eq!(heard("charger/a1/set/limit", "null"), Ok(freed));
    }

    #[test]
    fn home_assistant_sets_strategy_and_a_chargers_limit() {
        assert_eq!(heard("set/strategy", "first-come"), Ok(Order::Strategy(Strategy::FirstCome)));
        let held = Some(Milliamps(13_500));
        let order = Order::ChargerLimit { charger: "a1".into(), limit: held };
        assert_eq!(heard("charger/a1/set/limit", "13.5"), Ok(order));
    }

    #[test]
    fn a_refusal_names_the_field_and_the_remedy() {
        for (topic, payload, field, remedy) in [
            ("set/strategy", "fastest", "set/strategy", "send equal"),
            ("set/site_limit", "40", "set/site_limit", "JSON object"),
            ("set/site_limit", "{}", "limit_a is missing", "send {"),
            ("set/site_limit", r#"{"limit_a": -1}"#, "limit_a must", "from 0"),
            ("set/site_limit", r#"{"limit_a": 1e99}"#, "limit_a must", "to 10000"),
            ("set/site_limit", r#"{"limit_a": 40, "lasts_s": 0}"#, "lasts_s must", "from 1"),
            ("set/site_limit", r#"{"limit_a": 40, "until": 0}"#, "until is no field", "send {"),
            ("charger/a1/set/limit", "NaN", "charger/a1/set/limit", "null"),
            ("charger/b7/set/limit", "10", "charger/b7", "configuration"),
            ("set/fuse", "1", "set/fuse", "set/strategy"),
        ] {
            let refusal = heard(topic, payload).unwrap_err();
            assert!(refusal.contains(field) && refusal.contains(remedy), "{topic} {payload}: {refusal}");
        }
        assert!(order("set/strategy", &[0xff], |_| true).is_err());
    }
}
