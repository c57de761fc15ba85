//! The messages of hawkBit's Direct Device Integration API (v1), as far as a box uses them. What is not understood is
//! left alone: a server may send more.

use super::text;
use crate::update::{Report, UpdatePhase, UpdateView};
use serde_json::{Value, json};
use std::time::Duration;

/// A server that asks for less is not obeyed; for more than a day, neither.
const SHORTEST_SLEEP: u64 = 10;
const LONGEST_SLEEP: u64 = 86_400;
const ENDING: &str = ".raucb";

/// The answer to a poll.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) sleep: Option<Duration>,
    pub(super) deployment: Option<String>,
    pub(super) cancel: Option<String>,
    pub(super) config_data: Option<String>,
}

impl Base {
    pub(super) fn read(told: &Value) -> Self {
        let link = |name: &str| text(told, &format!("/_links/{name}/href")).map(str::to_owned);
        Self {
            sleep: text(told, "/config/polling/sleep").and_then(sleep),
            deployment: link("deploymentBase"),
            cancel: link("cancelAction"),
            config_data: link("configData"),
        }
    }
}

/// `HH:MM:SS`.
fn sleep(told: &str) -> Option<Duration> {
    let parts: Vec<u64> = told.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let all = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(*seconds)?;
    Some(Duration::from_secs(all.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)))
}

/// What a server wants installed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deployment {
    pub(super) action: String,
    /// Install without being asked by somebody on the page.
    pub(super) forced: bool,
    pub(super) bundle: Option<String>,
}

impl Deployment {
    pub(super) fn read(told: &Value) -> Option<Self> {
        let artifacts = told.pointer("/deployment/chunks")?.as_array()?.iter();
        let mut artifacts = artifacts.filter_map(|chunk| chunk.get("artifacts")?.as_array()).flatten();
        let bundle = artifacts.find(|one| text(one, "/filename").is_some_and(|name| name.ends_with(ENDING)));
        let link = |kind: &str| bundle.and_then(|one| text(one, &format!("/_links/{kind}/href")));
        Some(Self {
            action: id(told)?,
            forced: text(told, "/deployment/update") != Some("skip"),
            bundle: link("download").or_else(|| link("download-http")).map(str::to_owned),
        })
    }
}

/// Of a deployment or a cancellation: a text that may stand in an address.
pub(super) fn id(told: &Value) -> Option<String> {
    plain(told.get("id")?)
}

/// The action that shall be stopped.
pub(super) fn stop_id(told: &Value) -> Option<String> {
    plain(told.pointer("/cancelAction/stopId")?)
}

fn plain(value: &Value) -> Option<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let good = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    good.then_some(text)
}

/// What a server may choose boxes by.
pub(super) fn attributes(view: &UpdateView) -> Value {
    json!({"mode": "merge", "data": {"version": view.running_version,
        "compatible": view.compatible.as_deref().unwrap_or("none"), "program": env!("CARGO_PKG_VERSION")}})
}

/// Where an update is, in a sentence.
pub(super) fn step(view: &UpdateView) -> String {
    match view.phase {
        UpdatePhase::Idle | UpdatePhase::Inspecting => "looks at the bundle".into(),
        UpdatePhase::Ready => "waits for somebody to install it".into(),
        // Tens are enough: each is a message.
        UpdatePhase::Installing => format!("writes, {} %", view.percent.unwrap_or(0) / 10 * 10),
        UpdatePhase::AwaitsRestart if view.waits_for_cars => "restarts when no car charges".into(),
        UpdatePhase::AwaitsRestart | UpdatePhase::Restarting => "restarts".into(),
        UpdatePhase::OnTrial => "runs on trial".into(),
    }
}

pub(super) fn proceeding(action: &str, step: &str) -> Value {
    feedback(action, "proceeding", "none", step)
}

pub(super) fn closed(report: &Report) -> Value {
    let finished = if report.success { "success" } else { "failure" };
    feedback(&report.action, "closed", finished, &report.text)
}

pub(super) fn cancelled(cancel: &str, dropped: bool) -> Value {
    if dropped {
        feedback(cancel, "closed", "success", "not installed")
    } else {
        feedback(cancel, "rejected", "failure", "it is being installed already")
    }
}

fn feedback(id: &str, execution: &str, finished: &str, detail: &str) -> Value {
    json!({"id": id, "status": {"execution": execution, "result": {"finished": finished}, "details": [detail]}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({"id": "8", "deployment": {"download": "forced", "update": "forced", "chunks": [
            {"part": "os", "version": "2.0", "name": "dlb", "artifacts": [
                {"filename": "notes.txt", "_links": {"download": {"href": "https://s/notes"}}},
                {"filename": "dlb.raucb", "size": 7, "hashes": {}, "_links": {
                    "download-http": {"href": "http://s/dlb"}, "download": {"href": "https://s/dlb"}}}]}]}})
    }

    #[test]
    fn a_poll_tells_when_to_ask_again_and_what_there_is() {
        let told = json!({"config": {"polling": {"sleep": "00:05:00"}}, "_links": {
            "deploymentBase": {"href": "https://s/DEFAULT/controller/v1/b/deploymentBase/8?c=1"},
            "unknown": {"href": 7}}});
        let base = Base::read(&told);
        assert_eq!(base.sleep, Some(Duration::from_secs(300)));
        assert!(base.deployment.unwrap().ends_with("/8?c=1") && base.cancel.is_none());
        for (told, seconds) in
            [("00:00:01", Some(10)), ("99:00:00", Some(86_400)), ("5", None), ("a:b:c", None)]
        {
            assert_eq!(sleep(told).map(|sleep| sleep.as_secs()), seconds, "{told}");
        }
        assert_eq!(sleep("18446744073709551615:0:0"), None);
    }

    #[test]
    fn the_bundle_of_a_deployment_is_found_over_the_safe_line_first() {
        let read = Deployment::read(&deployment()).unwrap();
        let bundle = Some("https://s/dlb".to_owned());
        assert_eq!(read, Deployment { action: "8".into(), forced: true, bundle });
        let mut skipped = deployment();
        skipped["deployment"]["update"] = "skip".into();
        skipped["id"] = 9.into();
        let read = Deployment::read(&skipped).unwrap();
        assert_eq!((read.action.as_str(), read.forced), ("9", false));
    }

    /// Whatever a server sends, nothing of it ends up in an address or brings the program down.
    #[test]
    fn mutilated_messages_are_left_alone() {
        for id in ["", "../x", "a b", &"9".repeat(41), "8?x", "8/y"] {
            let mut told = deployment();
            told["id"] = id.into();
            assert_eq!(Deployment::read(&told), None, "{id}");
        }
        let text = deployment().to_string();
        for at in 0..text.len() {
            for with in ["", "null", "7", "[]", "{}"] {
                let mutilated = format!("{}{with}{}", &text[..at], &text[at + 1..]);
                if let Ok(told) = serde_json::from_str(&mutilated) {
                    let _ = (Base::read(&told), Deployment::read(&told), stop_id(&told));
                }
            }
        }
    }
}
