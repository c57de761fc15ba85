//! How an unknown charger joins the site: what is assumed of it until somebody knows better, and the
//! entries of the configuration that come of it. A click and the set rule take the same way.

use crate::config::{ConfigDesk, defaults};
use crate::view::{ChargerView, CircuitView};
use crate::web::doors::{ConfigDoor, ConfigRefusal};
use crate::web::wire::AdoptOrder;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What is written for a waiting charger wherever the order to adopt it says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProposalView {
    /// The name that people will call it by. With several outlets each gets its number behind it.
    pub id: String,
    pub circuit: String,
    /// `unknown`: its current counts on every line.
    pub rotation: &'static str,
    /// A modest rating: the box cannot see the cable and the breaker before it.
    pub max_a: f64,
}

impl ProposalView {
    #[must_use]
    pub fn new(name: &str, outlets: u8, circuit: &str, taken: &[&str]) -> Self {
        let id = free_id(name, outlets, taken);
        Self { id, circuit: circuit.to_owned(), rotation: "unknown", max_a: defaults::ADOPTED_MAX_A }
    }
}

/// Where a new charger most likely hangs: beside the newest one. On a site without any, behind the first
/// chain of circuits: there its current counts for every fuse of that chain.
#[must_use]
pub fn likely_circuit<'a>(circuits: &'a [CircuitView], chargers: &'a [ChargerView]) -> &'a str {
    if let Some(newest) = chargers.last() {
        return &newest.circuit;
    }
    let Some(mut at) = circuits.first() else { return "" };
    let below = |id: &str| circuits.iter().find(|circuit| circuit.parent.as_deref() == Some(id));
    // A checked site has no rings; the bound is for those that are not checked.
    for _ in 0..defaults::MAX_DEPTH {
        let Some(next) = below(&at.id) else { break };
        at = next;
    }
    &at.id
}

/// The `[[charger]]` entries: one for each outlet, or for the one that was ordered. What was not asked for
/// and is not assumed is left out, so that the configuration's own defaults hold.
#[must_use]
pub fn entries(name: &str, outlets: u8, proposal: &ProposalView, order: &AdoptOrder) -> Vec<Value> {
    let id = order.id.as_ref().unwrap_or(&proposal.id);
    let many = order.outlet.is_none() && outlets > 1;
    let entry = |outlet: u8| {
        let mut entry = json!({
            "id": if many { format!("{id}-{outlet}") } else { id.clone() },
            "circuit": order.circuit.as_ref().unwrap_or(&proposal.circuit),
            "ocpp": name,
            "rotation": order.rotation.as_deref().unwrap_or(proposal.rotation),
            "max_a": order.max_a.unwrap_or(proposal.max_a),
        });
        let optional = [
            ("outlet", (many || outlet > 1).then(|| json!(outlet))),
            ("min_a", order.min_a.map(|value| json!(value))),
            ("priority", order.priority.map(|value| json!(value))),
            ("weight", order.weight.map(|value| json!(value))),
        ];
        for (key, value) in optional.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))) {
            entry[key] = value;
        }
        entry
    };
    match order.outlet {
        Some(outlet) => vec![entry(outlet)],
        None => (1..=outlets.max(1)).map(entry).collect(),
    }
}

/// Adds entries to a configuration.
pub fn append(config: &mut Value, entries: &[Value]) {
    let chargers = config.as_object_mut().map(|keys| keys.entry("charger").or_insert_with(|| json!([])));
    if let Some(Value::Array(chargers)) = chargers {
        chargers.extend_from_slice(entries);
    }
}

/// Takes in a charger by the set rule: those of its outlets that are not there yet.
pub fn by_rule(desk: &ConfigDesk, name: &str, outlets: u8, circuit: &str) {
    match try_by_rule(desk, name, outlets, circuit) {
        Ok(Some(version)) => tracing::info!(charger = name, version, "adopted by rule"),
        Ok(None) => {}
        Err(error) => tracing::warn!(charger = name, "adopting by rule: {}", crate::run::chain(&error)),
    }
}

/// `None`: it is there already.
fn try_by_rule(
    desk: &ConfigDesk,
    name: &str,
    outlets: u8,
    circuit: &str,
) -> Result<Option<u64>, ConfigRefusal> {
    let present = desk.get()?;
    let mut config = present.config;
    let new = missing_entries(&config, name, outlets, circuit);
    if new.is_empty() {
        return Ok(None);
    }
    append(&mut config, &new);
    desk.save(present.version, &config, "adopted by rule").map(Some)
}

fn missing_entries(config: &Value, name: &str, outlets: u8, circuit: &str) -> Vec<Value> {
    let chargers = config["charger"].as_array().map_or(&[][..], Vec::as_slice);
    let others = chargers.iter().filter(|charger| charger["ocpp"] != name);
    let taken: Vec<&str> = others.filter_map(|charger| charger["id"].as_str()).collect();
    let outlet_of = |entry: &Value| entry["outlet"].as_u64().unwrap_or(u64::from(defaults::OUTLET));
    let proposal = ProposalView::new(name, outlets, circuit, &taken);
    let mut new = entries(name, outlets, &proposal, &AdoptOrder::default());
    new.retain(|entry| {
        !chargers.iter().any(|charger| charger["ocpp"] == name && outlet_of(charger) == outlet_of(entry))
    });
    new
}

/// A name that may stand in topics and addresses, and that no charger has.
fn free_id(wish: &str, outlets: u8, taken: &[&str]) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '-' };
    let lower: String = wish.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = lower.split('-').filter(|word| !word.is_empty()).collect();
    // Room for two numbers within the 40 characters of a name.
    let short: String = words.join("-").chars().take(32).collect();
    let base = if short.is_empty() { "charger".to_owned() } else { short };
    let is_taken = |id: &str| {
        let outlet = |outlet: u8| taken.contains(&format!("{id}-{outlet}").as_str());
        taken.contains(&id) || outlets > 1 && (1..=outlets).any(outlet)
    };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|id| !is_taken(id)).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit(id: &str, parent: Option<&str>) -> CircuitView {
        CircuitView {
            id: id.into(),
            parent: parent.map(Into::into),
            limit_a: vec![63.0; 3],
            lowered: None,
            measured_a: None,
            other_load_a: vec![0.0; 3],
            worst_case_a: vec![0.0; 3],
            guard: crate::view::GuardView::default(),
        }
    }

    #[test]
    fn a_charger_gets_a_readable_name_that_is_free() {
        assert_eq!(free_id(" Säule 7/B ", 1, &[]), "s-ule-7-b");
        assert_eq!(free_id("CP-1", 1, &["cp-1", "cp-1-2"]), "cp-1-3");
        assert_eq!(free_id("CP-1", 2, &["cp-1-2"]), "cp-1-3", "cp-1-2 would be its second outlet");
        assert_eq!(free_id("///", 1, &[]), "charger");
        assert_eq!(free_id(&"x".repeat(48), 2, &[]).len(), 32);
    }

    #[test]
    fn on_a_site_without_chargers_every_fuse_of_the_first_chain_counts_a_new_one() {
        let site = [circuit("grid", None), circuit("hall", Some("grid")), circuit("yard", Some("grid"))];
        assert_eq!(likely_circuit(&site, &[]), "hall");
        assert_eq!(likely_circuit(&site[..1], &[]), "grid");
        let ring = [circuit("a", Some("b")), circuit("b", Some("a"))];
        assert!(!likely_circuit(&ring, &[]).is_empty());
    }

    #[test]
    fn the_second_outlet_that_a_station_tells_of_later_joins_it() {
        let mut config = json!({"charger": []});
        for outlets in [1, 2] {
            let new = missing_entries(&config, "CP-9", outlets, "grid");
            append(&mut config, &new);
        }
        assert_eq!(missing_entries(&config, "CP-9", 2, "grid"), Vec::<Value>::new());
        let known: Vec<_> =
            config["charger"].as_array().unwrap().iter().map(|one| (&one["id"], &one["outlet"])).collect();
        assert_eq!(known, [(&json!("cp-9"), &Value::Null), (&json!("cp-9-2"), &json!(2))]);
    }
}
