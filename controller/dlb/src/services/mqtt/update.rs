//! The update on the broker, as Home Assistant's `update` entities want it: one JSON object, and one command.
//! Only an appliance has it.

use super::discovery::Entities;
use super::mirror::{Pace, Told, Topics};
use super::topics::Base;
use crate::update::{UpdatePhase, UpdateView, Updates};
use serde_json::{Value, json};

/// What Home Assistant sends to have the bundle installed that is ready.
const INSTALL: &str = "install";
/// Home Assistant takes no longer summary.
const LONGEST_SUMMARY: usize = 255;

pub(super) fn topics(base: &Base, view: &UpdateView, sheet: &mut Topics) {
    if view.available {
        let told = Told { payload: object(view).to_string(), pace: Pace::State };
        sheet.insert(base.topic("update"), told);
    }
}

/// Always the same keys. Without news the latest version is the one that runs.
fn object(view: &UpdateView) -> Value {
    let busy = matches!(
        view.phase,
        UpdatePhase::Installing | UpdatePhase::AwaitsRestart | UpdatePhase::Restarting | UpdatePhase::OnTrial
    );
    let problem = view.problem.as_ref().map(|problem| problem.text.as_str());
    let last = view.history.first().map(|record| record.text.as_str());
    let summary: String = problem.or(last).unwrap_or_default().chars().take(LONGEST_SUMMARY).collect();
    json!({
        "installed_version": view.running_version,
        "latest_version": view.version.as_ref().unwrap_or(&view.running_version),
        "title": "dlb",
        "release_summary": summary,
        "in_progress": busy,
        "update_percentage": view.percent,
    })
}

pub(super) fn entity(base: &Base, read_only: bool, entities: &mut Entities) {
    let mut update = json!({"device_class": "firmware", "entity_category": "config",
        "state_topic": base.topic("update")});
    if !read_only {
        update["command_topic"] = json!(base.topic("set/update"));
        update["payload_install"] = json!(INSTALL);
    }
    entities.add("update", "update", "Software", update);
}

/// Whoever asks from afar does not see the cars: the restart waits for them.
pub(super) fn command(updates: &Updates, payload: &[u8]) -> Result<(), String> {
    if payload.trim_ascii() != INSTALL.as_bytes() {
        return Err(format!("set/update: send {INSTALL} to install the bundle that is ready."));
    }
    updates.install(true).map_err(|problem| format!("set/update: {}", problem.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_without_rauc_has_no_update_and_refuses_the_command() {
        let data = tempfile::tempdir().unwrap();
        let updates = Updates::open(data.path());
        let mut sheet = Topics::new();
        topics(&Base::new("dlb", "1a2b"), &updates.view(), &mut sheet);
        assert!(sheet.is_empty());
        assert!(command(&updates, b"install").unwrap_err().contains("not an appliance"));
        assert!(command(&updates, b"now").unwrap_err().contains("send install"));
    }
}
