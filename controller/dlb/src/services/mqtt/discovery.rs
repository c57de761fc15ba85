//! What Home Assistant is told so that the box and its chargers just appear: one retained message a
//! device, with all its entities. Values come from the JSON topics, where unknown is null.

use super::command::LASTS_S;
use super::mirror::{round, smallest};
use super::topics::Base;
use super::update;
use crate::services::mailbox::Picture;
use crate::view::{ChargerView, CircuitView, InputView, MeterView, OutputView, SiteView};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Home Assistant calls a measurement unknown when it has not been told for this long.
pub(super) const EXPIRES_S: u64 = 90;

/// By topic.
pub(super) type Announcements = BTreeMap<String, Value>;

/// Who announces what, where.
#[derive(Debug)]
pub(super) struct Announcer<'a> {
    pub(super) base: &'a Base,
    pub(super) box_id: &'a str,
    pub(super) discovery_prefix: &'a str,
    /// No entity that commands.
    pub(super) read_only: bool,
    /// The box can be updated.
    pub(super) updates: bool,
}

impl Announcer<'_> {
    pub(super) fn all(&self, picture: &Picture) -> Announcements {
        let mut all = BTreeMap::from([(self.topic(&self.box_name()), self.site(&picture.site))]);
        for (at, charger) in picture.site.chargers.iter().enumerate() {
            let serial = picture.serials.get(at).map_or("", String::as_str);
            all.insert(self.topic(&self.charger_name(charger)), self.charger(charger, serial));
        }
        all
    }

    fn topic(&self, object: &str) -> String {
        format!("{}/device/{object}/config", self.discovery_prefix)
    }

    fn box_name(&self) -> String {
        format!("dlb_{}", self.box_id)
    }

    fn charger_name(&self, charger: &ChargerView) -> String {
        format!("dlb_{}_{}", self.box_id, charger.id)
    }

    fn site(&self, site: &SiteView) -> Value {
        let mut entities = Entities::new(self.box_name());
        for circuit in &site.circuits {
            self.circuit(&mut entities, circuit);
        }
        for meter in &site.meters {
            self.meter(&mut entities, meter);
        }
        for input in &site.inputs {
            self.input(&mut entities, input);
        }
        for output in &site.outputs {
            self.output(&mut entities, output);
        }
        let problem = json!({"device_class": "problem", "state_topic": self.base.topic("problem"),
            "payload_on": "true", "payload_off": "false", "json_attributes_topic": self.base.topic("alerts")});
        entities.add("binary_sensor", "problem", "Problem", problem);
        let mode = json!({"device_class": "enum", "options": ["dynamic", "static"],
            "state_topic": self.base.topic("mode"), "entity_category": "diagnostic"});
        entities.add("sensor", "mode", "Mode", mode);
        if self.updates {
            update::entity(self.base, self.read_only, &mut entities);
        }
        if !self.read_only {
            self.site_commands(&mut entities, site);
        }
        json!({
            "dev": {"ids": [self.box_name()], "name": site.name, "mf": "dlb", "mdl": "EV load balancer",
                "sw": env!("CARGO_PKG_VERSION"), "sn": self.box_id},
            "o": origin(),
            "availability": [{"topic": self.base.status()}],
            "cmps": entities.0,
        })
    }

    fn circuit(&self, entities: &mut Entities, circuit: &CircuitView) {
        let topic = self.base.circuit(&circuit.id, "json");
        for line in ["L1", "L2", "L3"] {
            for (field, word) in [("measured_a", "current"), ("headroom_a", "headroom")] {
                let id = format!("{}_{}_{word}", circuit.id, line.to_lowercase());
                let name = format!("{} {line} {word}", circuit.id);
                entities.add("sensor", &id, &name, current(&topic, &format!("{field}.{line}")));
            }
        }
    }

    /// One says that the limit is in force, the other that all that may flow has come down to it.
    fn input(&self, entities: &mut Entities, input: &InputView) {
        for (field, words) in [("in_force", "limit in force"), ("met", "limit met")] {
            let topic = self.base.input(&input.id, field);
            let sensor = json!({"state_topic": topic, "payload_on": "true", "payload_off": "false"});
            let (id, name) = (format!("input_{}_{field}", input.id), format!("{} {words}", input.id));
            entities.add("binary_sensor", &id, &name, sensor);
        }
    }

    /// A relay draws or it does not, and one that opened the contactor is a problem; a lamp also blinks.
    fn output(&self, entities: &mut Entities, output: &OutputView) {
        let topic = self.base.output(&output.id, "state");
        let (id, name) = (format!("output_{}", output.id), format!("Relay {}", output.id));
        if output.does == "lamp" {
            let lamp = json!({"device_class": "enum", "state_topic": topic,
                "options": ["off", "on", "slow-blink", "fast-blink"], "entity_category": "diagnostic"});
            return entities.add("sensor", &id, &name, lamp);
        }
        let mut relay = json!({"state_topic": topic, "payload_on": "on", "payload_off": "off"});
        if output.does == "trip" {
            relay["device_class"] = json!("problem");
        }
        entities.add("binary_sensor", &id, &name, relay);
    }

    fn meter(&self, entities: &mut Entities, meter: &MeterView) {
        let power = json!({"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W",
            "state_topic": self.base.meter(&meter.id, "power")});
        entities.add("sensor", &format!("{}_power", meter.id), &format!("{} power", meter.id), power);
        for way in ["imported", "exported"] {
            let energy = json!({"device_class": "energy", "state_class": "total_increasing",
                "unit_of_measurement": "Wh", "state_topic": self.base.meter(&meter.id, way)});
            let (id, name) = (format!("{}_{way}", meter.id), format!("{} energy {way}", meter.id));
            entities.add("sensor", &id, &name, energy);
        }
    }

    fn site_commands(&self, entities: &mut Entities, site: &SiteView) {
        let strategy = json!({"options": ["equal", "first-come", "priority", "departure"],
            "state_topic": self.base.topic("strategy"), "command_topic": self.base.topic("set/strategy")});
        entities.add("select", "strategy", "Strategy", strategy);
        let Some(root) = site.circuits.iter().find(|circuit| circuit.parent.is_none()) else { return };
        let command = self.base.topic("set/site_limit");
        let limit = json!({"device_class": "current", "unit_of_measurement": "A", "mode": "box",
            "min": 0, "max": round(smallest(&root.limit_a)), "step": 0.1,
            "state_topic": self.base.circuit(&root.id, "json"),
            "value_template": "{{ value_json.limit_now_a }}", "command_topic": command,
            "command_template": format!("{{\"limit_a\": {{{{ value }}}}, \"lasts_s\": {LASTS_S}}}")});
        entities.add("number", "site_limit", "Site limit for an hour", limit);
        let release = json!({"command_topic": command, "payload_press": "{\"limit_a\": null}"});
        entities.add("button", "site_limit_end", "End of the lower site limit", release);
    }

    fn charger(&self, charger: &ChargerView, serial: &str) -> Value {
        let mut entities = Entities::new(self.charger_name(charger));
        self.charger_measurements(&mut entities, charger);
        self.charger_states(&mut entities, charger);
        if !self.read_only {
            self.charger_commands(&mut entities, charger);
        }
        let mut device = json!({"ids": [self.charger_name(charger)], "name": charger.id,
            "via_device": self.box_name()});
        for (key, value) in [
            ("mf", charger.vendor.as_str()),
            ("mdl", &charger.model),
            ("sw", &charger.firmware),
            ("sn", serial),
        ] {
            if !value.is_empty() {
                device[key] = json!(value);
            }
        }
        json!({
            "dev": device,
            "o": origin(),
            "availability": [{"topic": self.base.status()}, {"topic": self.base.charger(&charger.id, "online"),
                "payload_available": "true", "payload_not_available": "false"}],
            "availability_mode": "all",
            "cmps": entities.0,
        })
    }

    fn charger_measurements(&self, entities: &mut Entities, charger: &ChargerView) {
        let topic = self.base.charger(&charger.id, "json");
        for line in ["L1", "L2", "L3"] {
            let id = format!("{}_current", line.to_lowercase());
            let value = current(&topic, &format!("drawn_a.{line}"));
            entities.add("sensor", &id, &format!("{line} current"), value);
        }
        entities.add("sensor", "limit", "Limit", current(&topic, "limit_a"));
        let power = json!({"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W",
            "state_topic": topic, "value_template": "{{ value_json.power_w }}", "expire_after": EXPIRES_S});
        entities.add("sensor", "power", "Power", power);
        let energy = json!({"device_class": "energy", "state_class": "total_increasing",
            "unit_of_measurement": "Wh", "state_topic": topic,
            "value_template": "{{ value_json.session_energy_wh }}"});
        entities.add("sensor", "session_energy", "Energy of the session", energy);
    }

    fn charger_states(&self, entities: &mut Entities, charger: &ChargerView) {
        let topic = |field: &str| self.base.charger(&charger.id, field);
        let state = json!({"device_class": "enum", "state_topic": topic("state"), "options": ["Unknown",
            "Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved",
            "Unavailable", "Faulted"]});
        entities.add("sensor", "state", "State", state);
        let reason = json!({"state_topic": topic("reason"), "icon": "mdi:chat-question"});
        entities.add("sensor", "reason", "Reason of the limit", reason);
        // These two speak of a charger that is out of reach, so its absence must not silence them.
        let box_is_there = json!([{"topic": self.base.status()}]);
        for (class, field, name) in
            [("connectivity", "online", "Connection"), ("problem", "problem", "Problem")]
        {
            let sensor = json!({"device_class": class, "state_topic": topic(field), "payload_on": "true",
                "payload_off": "false", "availability": box_is_there});
            entities.add("binary_sensor", field, name, sensor);
        }
    }

    fn charger_commands(&self, entities: &mut Entities, charger: &ChargerView) {
        let (state, command) =
            (self.base.charger(&charger.id, "json"), self.base.charger(&charger.id, "set/limit"));
        let held = json!({"device_class": "current", "unit_of_measurement": "A", "mode": "box",
            "min": 0, "max": round(charger.max_a), "step": 0.1, "state_topic": state,
            "value_template":
                "{{ value_json.max_a if value_json.held_a is none else value_json.held_a }}",
            "command_topic": command});
        entities.add("number", "hold", "Hold at", held);
        let enabled = json!({"state_topic": state, "command_topic": command,
            "value_template": "{{ 'OFF' if value_json.held_a == 0 else 'ON' }}",
            "payload_on": "null", "payload_off": "0", "state_on": "ON", "state_off": "OFF"});
        entities.add("switch", "enabled", "Charging allowed", enabled);
    }
}

fn current(topic: &str, field: &str) -> Value {
    json!({"device_class": "current", "state_class": "measurement", "unit_of_measurement": "A",
        "suggested_display_precision": 1, "state_topic": topic,
        "value_template": format!("{{{{ value_json.{field} }}}}"), "expire_after": EXPIRES_S})
}

fn origin() -> Value {
    json!({"name": "dlb", "sw": env!("CARGO_PKG_VERSION")})
}

/// Entities of one device; their ids are unique over all boxes.
pub(super) struct Entities(Map<String, Value>, String);

impl Entities {
    fn new(device: String) -> Self {
        Self(Map::new(), device)
    }

    pub(super) fn add(&mut self, platform: &str, id: &str, name: &str, mut entity: Value) {
        entity["p"] = json!(platform);
        entity["name"] = json!(name);
        entity["unique_id"] = json!(format!("{}_{id}", self.1));
        let slug = format!("{}_{id}", self.1).to_lowercase().replace('-', "_");
        entity["default_entity_id"] = json!(format!("{platform}.{slug}"));
        self.0.insert(id.to_owned(), entity);
    }
}

/// What was announced: device topics, and the platform of each of their entities.
pub(super) type Announced = BTreeMap<String, BTreeMap<String, String>>;

pub(super) fn announced(all: &Announcements) -> Announced {
    let platforms = |message: &Value| {
        let entities = message["cmps"].as_object().into_iter().flatten();
        entities
            .map(|(id, entity)| (id.clone(), entity["p"].as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    all.iter().map(|(topic, message)| (topic.clone(), platforms(message))).collect()
}

/// Makes Home Assistant forget entities that were announced before: it does so when an entity comes
/// with nothing but its platform, and a device when its message is empty. Answers topics to be emptied.
pub(super) fn forget(before: &Announced, all: &mut Announcements) -> Vec<String> {
    for (topic, entities) in before {
        let Some(present) = all.get_mut(topic).and_then(|message| message["cmps"].as_object_mut()) else {
            continue;
        };
        for (id, platform) in entities {
            present.entry(id.clone()).or_insert_with(|| json!({ "p": platform }));
        }
    }
    before.keys().filter(|topic| !all.contains_key(*topic)).cloned().collect()
}
