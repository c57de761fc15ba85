//! The picture of the site as topics: one plain value a topic, and one JSON object for each circuit and
//! charger. What is unknown has no value: its topic is empty, in JSON it is null.

use super::topics::Base;
use crate::services::mailbox::Picture;
use crate::view::{ChargerView, CircuitView, InputView, MeterView, OutputView, SiteView};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How soon a change is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// States, limits and reasons: at once.
    State,
    /// Measured values and what contains them: once a second.
    Measurement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) payload: String,
    pub(super) pace: Pace,
}

pub(super) type Topics = BTreeMap<String, Told>;

const LINES: [&str; 3] = ["l1", "l2", "l3"];

/// All retained topics of a picture.
pub(super) fn topics(base: &Base, picture: &Picture, events_lost: u64) -> Topics {
    let mut sheet = Sheet(BTreeMap::new());
    let site = &*picture.site;
    sheet.site(base, site, events_lost);
    for circuit in &site.circuits {
        sheet.circuit(base, circuit);
    }
    for meter in &site.meters {
        sheet.meter(base, meter);
    }
    for input in &site.inputs {
        sheet.input(base, input);
    }
    for output in &site.outputs {
        sheet.output(base, output);
    }
    for charger in &site.chargers {
        sheet.charger(base, charger, has_problem(site, charger));
    }
    sheet.0
}

/// One object for a circuit: always the same keys, so that a template never meets a missing one.
pub(super) fn circuit_json(circuit: &CircuitView) -> Value {
    let lowered = circuit.lowered.as_ref();
    json!({
        "limit_a": lines(&circuit.limit_a),
        "measured_a": maybe_lines(circuit.measured_a.as_deref()),
        "headroom_a": maybe_lines(headroom(circuit).as_deref()),
        "other_load_a": lines(&circuit.other_load_a),
        "worst_case_a": lines(&circuit.worst_case_a),
        "lowered_a": maybe_lines(lowered.map(|lowered| lowered.limit_a.as_slice())),
        "lowered_for_s": lowered.map(|lowered| lowered.lasts_s),
        "overload_spent": round(circuit.guard.spent),
        "held_a": lines(&circuit.guard.held_a),
        "locked_out": circuit.guard.locked_out,
        "limit_now_a": round(smallest(in_force(circuit))),
    })
}

pub(super) fn charger_json(charger: &ChargerView, problem: bool) -> Value {
    json!({
        "circuit": charger.circuit,
        "online": charger.online,
        "state": charger.state,
        "limit_a": charger.limit_a.map(round),
        "confirmed": charger.confirmed,
        "reason": charger.reason,
        "reason_code": charger.reason_code,
        "drawn_a": maybe_lines(charger.drawn_a.as_deref()),
        "power_w": charger.power_w,
        "session": charger.session.as_ref().map(|session| session.session),
        "session_energy_wh": charger.session.as_ref().and_then(|session| session.energy_wh),
        "held_a": charger.held_a.map(round),
        "max_a": round(charger.max_a),
        "fallback_a": round(charger.fallback_a),
        "fallback_armed": charger.fallback_armed,
        "problem": problem,
    })
}

/// Amperes per line that are left below the limit in force.
fn headroom(circuit: &CircuitView) -> Option<Vec<f64>> {
    let measured = circuit.measured_a.as_ref()?;
    Some(in_force(circuit).iter().zip(measured).map(|(limit, measured)| limit - measured).collect())
}

fn in_force(circuit: &CircuitView) -> &[f64] {
    circuit.lowered.as_ref().map_or(&circuit.limit_a, |lowered| &lowered.limit_a)
}

pub(super) fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min).min(1e6)
}

fn has_problem(site: &SiteView, charger: &ChargerView) -> bool {
    site.alerts.iter().any(|alert| alert.about == charger.id && alert.severity != "note")
}

/// Hundredths are finer than any meter.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

fn lines(values: &[f64]) -> Value {
    maybe_lines(Some(values))
}

fn maybe_lines(values: Option<&[f64]>) -> Value {
    let at = |line: usize| values.and_then(|values| values.get(line)).copied().map(round);
    json!({"L1": at(0), "L2": at(1), "L3": at(2)})
}

struct Sheet(Topics);

impl Sheet {
    fn state(&mut self, topic: String, value: impl ToString) {
        self.0.insert(topic, Told { payload: value.to_string(), pace: Pace::State });
    }

    fn measured(&mut self, topic: String, value: Option<impl ToString>) {
        let payload = value.map(|value| value.to_string()).unwrap_or_default();
        self.0.insert(topic, Told { payload, pace: Pace::Measurement });
    }

    fn per_line(&mut self, topic: impl Fn(&str) -> String, name: &str, values: &[Option<f64>]) {
        for (line, value) in LINES.iter().zip(values) {
            self.measured(topic(&format!("{name}_{line}")), value.map(round));
        }
    }

    fn site(&mut self, base: &Base, site: &SiteView, events_lost: u64) {
        self.state(base.topic("name"), &site.name);
        self.state(base.topic("version"), env!("CARGO_PKG_VERSION"));
        self.state(base.topic("strategy"), site.strategy);
        self.state(base.topic("mode"), site.mode);
        self.state(base.topic("waiting"), site.waiting.len());
        self.state(base.topic("events_lost"), events_lost);
        let serious = site.alerts.iter().any(|alert| alert.severity != "note");
        self.state(base.topic("problem"), serious);
        let alert = |alert: &crate::view::AlertView| json!({"severity": alert.severity, "about": alert.about, "code": alert.code, "text": alert.text});
        let alerts: Vec<_> = site.alerts.iter().map(alert).collect();
        self.state(base.topic("alerts"), json!({ "alerts": alerts }));
    }

    fn circuit(&mut self, base: &Base, circuit: &CircuitView) {
        let topic = |field: &str| base.circuit(&circuit.id, field);
        let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let maybe = |values: Option<&[f64]>| values.map_or_else(|| vec![None; 3], some);
        self.per_line(topic, "limit", &some(in_force(circuit)));
        self.per_line(topic, "current", &maybe(circuit.measured_a.as_deref()));
        self.per_line(topic, "headroom", &maybe(headroom(circuit).as_deref()));
        self.per_line(topic, "worst_case", &some(&circuit.worst_case_a));
        self.state(topic("lowered"), circuit.lowered.is_some());
        self.measured(topic("lowered_for_s"), circuit.lowered.as_ref().map(|lowered| lowered.lasts_s));
        self.measured(topic("json"), Some(circuit_json(circuit)));
    }

    fn meter(&mut self, base: &Base, meter: &MeterView) {
        let topic = |field: &str| base.meter(&meter.id, field);
        self.state(topic("quality"), meter.quality);
        self.per_line(topic, "current", &meter.current_a);
        self.per_line(topic, "voltage", &meter.voltage_v);
        self.measured(topic("power"), meter.power_w);
        self.measured(topic("imported"), meter.imported_wh);
        self.measured(topic("exported"), meter.exported_wh);
    }

    fn input(&mut self, base: &Base, input: &InputView) {
        let topic = |field: &str| base.input(&input.id, field);
        self.state(topic("level"), input.level);
        self.state(topic("in_force"), input.in_force);
        self.state(topic("asks"), &input.asks);
        self.state(topic("met"), input.in_force && input.met_after_s.is_some());
    }

    fn output(&mut self, base: &Base, output: &OutputView) {
        let topic = |field: &str| base.output(&output.id, field);
        self.state(topic("does"), output.does);
        self.state(topic("state"), output.state);
    }

    fn charger(&mut self, base: &Base, charger: &ChargerView, problem: bool) {
        let topic = |field: &str| base.charger(&charger.id, field);
        let text = |value: Option<f64>| value.map(|value| round(value).to_string()).unwrap_or_default();
        self.state(topic("online"), charger.online);
        self.state(topic("state"), charger.state);
        self.state(topic("limit"), text(charger.limit_a));
        self.state(topic("confirmed"), charger.confirmed);
        self.state(topic("reason"), &charger.reason);
        self.state(topic("reason_code"), charger.reason_code);
        self.state(topic("held"), text(charger.held_a));
        self.state(topic("problem"), problem);
        let session = charger.session.as_ref();
        self.state(topic("session"), session.map(|one| one.session.to_string()).unwrap_or_default());
        self.measured(topic("session_energy"), session.and_then(|session| session.energy_wh));
        let drawn = charger.drawn_a.as_deref();
        let drawn = drawn.map_or_else(|| vec![None; 3], |values| values.iter().copied().map(Some).collect());
        self.per_line(topic, "current", &drawn);
        self.measured(topic("power"), charger.power_w);
        self.measured(topic("json"), Some(charger_json(charger, problem)));
    }
}
