//! An unknown charger joins by the set rule: its outlets are written into the configuration, with
//! their rotation unknown, so that they count on every line until somebody finds out.

use crate::config::ConfigDesk;
use crate::web::doors::{ConfigDoor, ConfigRefusal};
use serde_json::{Value, json};

/// Whoever installs a charger knows its rating; until it is set, the common one.
const RATING_A: u32 = 32;

pub(super) fn adopt(desk: &ConfigDesk, identity: &str, outlets: u8, circuit: &str) {
    match append(desk, identity, outlets, circuit) {
        Ok(Some(version)) => tracing::info!(charger = identity, version, "adopted by rule"),
        Ok(None) => {}
        Err(error) => tracing::warn!(charger = identity, "adopting by rule: {}", super::chain(&error)),
    }
}

/// `None`: it is there already.
fn append(
    desk: &ConfigDesk,
    identity: &str,
    outlets: u8,
    circuit: &str,
) -> Result<Option<u64>, ConfigRefusal> {
    let present = desk.get()?;
    let mut config = present.config;
    let known = |charger: &Value| charger["ocpp"] == identity;
    let mut chargers = config["charger"].as_array().cloned().unwrap_or_default();
    if chargers.iter().any(known) {
        return Ok(None);
    }
    for outlet in 1..=outlets.max(1) {
        let id = if outlets > 1 { format!("{identity}-{outlet}") } else { identity.to_owned() };
        chargers.push(json!({
            "id": id, "circuit": circuit, "ocpp": identity, "outlet": outlet,
            "rotation": "unknown", "max_a": RATING_A, "fallback_a": "auto",
        }));
    }
    config["charger"] = Value::Array(chargers);
    desk.save(present.version, &config, "adopted by rule").map(Some)
}
