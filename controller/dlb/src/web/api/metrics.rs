//! The site in the text format of Prometheus. Base units, one family after the other.

use crate::view::SiteView;
use crate::web::answer::{Answer, Refusal, ok, with_type};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::logins::same;
use crate::web::wire::{MetricsTokenView, RefusalView};
use hyper::StatusCode;
use std::fmt::Write;

const LINES: [&str; 3] = ["L1", "L2", "L3"];

/// Prometheus metrics; with a login, or with the token as bearer.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "system", operation_id = "metrics", security(("cookie" = []), ("bearer" = [])),
    responses((status = 200, description = "Prometheus text format 0.0.4.", body = String, content_type = "text/plain"),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn metrics(desk: &Desk, call: &mut Call) -> Result<Answer, Refusal> {
    if !bearer_admitted(desk, call) {
        super::require_login(desk, call)?;
    }
    let mut text = Text::default();
    text.family("dlb_info", "gauge", "The program.");
    text.sample("dlb_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    text.family("dlb_balancing", "gauge", "1 while the site's loop publishes.");
    text.sample("dlb_balancing", &[], flag(desk.doors.live.fresh(desk.settings.picture_fresh)));
    text.family("dlb_web_connections", "gauge", "Connections to the page and the API.");
    text.sample("dlb_web_connections", &[], desk.guests.count() as f64);
    if let Some(picture) = desk.doors.live.latest() {
        site(&mut text, &picture.site);
    }
    Ok(with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.0))
}

/// The token for a collector.
#[utoipa::path(get, path = "/api/v1/metrics-token", tag = "system", operation_id = "metricsToken",
    responses((status = 200, body = MetricsTokenView), (status = 404, description = "Switched off.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) fn token(desk: &Desk) -> Result<Answer, Refusal> {
    let token = desk.doors.metrics_token.as_deref().ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "no-token",
            "Reading metrics by token is switched off.",
            "Use a login.",
        )
    })?;
    Ok(ok(&MetricsTokenView { token: token.to_owned() }))
}

/// Guesses are not counted: nobody guesses 256 random bits.
fn bearer_admitted(desk: &Desk, call: &Call) -> bool {
    let known = desk.doors.metrics_token.as_deref();
    call.bearer().zip(known).is_some_and(|(shown, known)| same(shown.as_bytes(), known.as_bytes()))
}

fn site(text: &mut Text, site: &SiteView) {
    text.family("dlb_static_mode", "gauge", "1 while the site runs without measurement.");
    text.sample("dlb_static_mode", &[], flag(site.mode == "static"));
    circuits(text, site);
    meters(text, site);
    chargers(text, site);
    text.family("dlb_alerts", "gauge", "Troubles that are not over.");
    for severity in ["note", "warning", "alarm"] {
        let count = site.alerts.iter().filter(|alert| alert.severity == severity).count();
        text.sample("dlb_alerts", &[("severity", severity)], count as f64);
    }
}

fn circuits(text: &mut Text, site: &SiteView) {
    text.per_line(
        "dlb_circuit_limit_amperes",
        "Limit in force.",
        site.circuits.iter().map(|it| (&it.id, Some(&it.limit_a))),
    );
    text.per_line(
        "dlb_circuit_amperes",
        "Measured current.",
        site.circuits.iter().map(|it| (&it.id, it.measured_a.as_ref())),
    );
    text.per_line(
        "dlb_circuit_worst_case_amperes",
        "The most that may flow by all limits possibly in force.",
        site.circuits.iter().map(|it| (&it.id, Some(&it.worst_case_a))),
    );
}

fn meters(text: &mut Text, site: &SiteView) {
    text.family("dlb_meter_up", "gauge", "1 while the meter's readings can be used.");
    for meter in &site.meters {
        let up = matches!(meter.quality, "good" | "doubtful");
        text.sample("dlb_meter_up", &[("meter", &meter.id)], flag(up));
    }
    text.optional(
        "dlb_meter_age_seconds",
        "Age of the last reading.",
        "meter",
        site.meters.iter().map(|it| (&it.id, it.age_s)),
    );
    let power = site.meters.iter().map(|it| (&it.id, it.power_w.map(|watts| watts as f64)));
    text.optional("dlb_meter_power_watts", "Power; positive is import.", "meter", power);
}

fn chargers(text: &mut Text, site: &SiteView) {
    text.family("dlb_charger_online", "gauge", "1 while the charger is reachable.");
    for charger in &site.chargers {
        text.sample("dlb_charger_online", &[("charger", &charger.id)], flag(charger.online));
    }
    let limits = site.chargers.iter().map(|it| (&it.id, it.limit_a));
    text.optional("dlb_charger_limit_amperes", "Limit that was last sent.", "charger", limits);
    let power = site.chargers.iter().map(|it| (&it.id, it.power_w.map(|watts| watts as f64)));
    text.optional("dlb_charger_power_watts", "Power drawn.", "charger", power);
    let energy = |it: &crate::view::ChargerView| it.session.as_ref().and_then(|session| session.energy_wh);
    let energy = site.chargers.iter().map(|it| (&it.id, energy(it).map(|wh| wh as f64 * 3600.0)));
    text.optional("dlb_charger_session_joules", "Energy of the running session.", "charger", energy);
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// The text as it grows.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<_> =
            labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{braces} {value}");
    }

    fn per_line<'a>(
        &mut self,
        name: &str,
        help: &str,
        circuits: impl Iterator<Item = (&'a String, Option<&'a Vec<f64>>)>,
    ) {
        self.family(name, "gauge", help);
        for (id, amps) in circuits {
            for (line, amps) in LINES.iter().zip(amps.into_iter().flatten()) {
                self.sample(name, &[("circuit", id), ("line", line)], *amps);
            }
        }
    }

    /// What is not known is left out: a gap, not a zero.
    fn optional<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'a String, Option<f64>)>,
    ) {
        self.family(name, "gauge", help);
        for (id, value) in values {
            if let Some(value) = value {
                self.sample(name, &[(label, id)], value);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
