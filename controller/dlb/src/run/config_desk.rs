//! Configuration for the page: reads, checks and saves it, and hands what was saved to the site.

use crate::config::{Checked, ConfigFile, Problem, SaveError, Saved};
use crate::site::ocpp_server::Incoming;
use crate::web::doors::{ConfigDoor, ConfigRefusal, DoorFault};
use crate::web::wire::{ConfigView, KeptVersionView, MapView, MapsView, ProblemView};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard};

pub(super) struct ConfigDesk {
    file: Mutex<ConfigFile>,
    site: async_channel::Sender<Incoming>,
}

impl ConfigDesk {
    pub(super) fn new(file: ConfigFile, site: async_channel::Sender<Incoming>) -> Self {
        Self { file: Mutex::new(file), site }
    }

    fn file(&self) -> MutexGuard<'_, ConfigFile> {
        // What a panicking thread left is whole: the file is replaced in one step.
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Hands a saved configuration to the site.
    fn apply(&self, saved: Result<Saved, SaveError>) -> Result<u64, ConfigRefusal> {
        let saved = saved.map_err(refusal)?;
        let incoming = Incoming::Configured(Box::new(saved.checked));
        self.site.send_blocking(incoming).map_err(|error| DoorFault::new("telling the site", error))?;
        Ok(saved.version)
    }

    /// An unknown charger joins by the set rule, with its rotation unknown.
    pub(super) fn adopt(&self, identity: &str, outlets: u8, circuit: &str) {
        let mut file = self.file();
        let Ok((checked, _)) = crate::config::check_with(file.text(), file.maps()) else { return };
        let Ok(mut value) = serde_json::to_value(&checked.file) else { return };
        if !append(&mut value, identity, outlets, circuit) {
            return;
        }
        let expected = file.version();
        let saved = file.put_json(expected, &value, "adopted by rule", crate::clock::wall());
        drop(file);
        match self.apply(saved) {
            Ok(version) => tracing::info!(charger = identity, version, "adopted by rule"),
            Err(error) => {
                tracing::warn!(charger = identity, "adopting by rule: {}", super::chain(&error));
            }
        }
    }

    fn value_of(text: &str, file: &ConfigFile) -> Result<Value, DoorFault> {
        let checked = crate::config::check_with(text, file.maps());
        let (Checked { file, .. }, _) = checked.map_err(|mistakes| {
            let why = mistakes.first().map_or_else(String::new, ToString::to_string);
            DoorFault::new("reading the configuration", why)
        })?;
        serde_json::to_value(&file).map_err(|error| DoorFault::new("writing the configuration as JSON", error))
    }
}

/// Adds the charger's outlets; `false`: they are there already.
fn append(config: &mut Value, identity: &str, outlets: u8, circuit: &str) -> bool {
    let Some(chargers) = config.as_object_mut().map(|site| site.entry("charger").or_insert(json!([]))) else {
        return false;
    };
    let Some(chargers) = chargers.as_array_mut() else { return false };
    if chargers.iter().any(|charger| charger["ocpp"] == identity) {
        return false;
    }
    for outlet in 1..=outlets.max(1) {
        let id = if outlets > 1 { format!("{identity}-{outlet}") } else { identity.to_owned() };
        chargers.push(json!({
            "id": id, "circuit": circuit, "ocpp": identity, "outlet": outlet,
            "rotation": "unknown", "max_a": 32, "fallback_a": "auto",
        }));
    }
    true
}

impl ConfigDoor for ConfigDesk {
    fn get(&self) -> Result<ConfigView, DoorFault> {
        let file = self.file();
        Ok(ConfigView { version: file.version(), config: Self::value_of(file.text(), &file)? })
    }

    fn check(&self, config: &Value) -> Vec<ProblemView> {
        self.file().check_json(config).err().unwrap_or_default().into_iter().map(problem).collect()
    }

    fn put(&self, expected: u64, config: &Value) -> Result<u64, ConfigRefusal> {
        let saved = self.file().put_json(expected, config, "page", crate::clock::wall());
        self.apply(saved)
    }

    fn versions(&self) -> Result<Vec<KeptVersionView>, DoorFault> {
        let file = self.file();
        let view = |kept: crate::config::KeptVersion| KeptVersionView {
            version: kept.version,
            written_ms: kept.saved_at.and_then(|at| milliseconds(&at)),
            current: kept.version == file.version(),
        };
        Ok(file.versions().into_iter().map(view).collect())
    }

    fn version(&self, version: u64) -> Result<Option<ConfigView>, DoorFault> {
        let file = self.file();
        let Some(text) = file.text_of(version) else { return Ok(None) };
        Ok(Some(ConfigView { version, config: Self::value_of(&text, &file)? }))
    }

    fn restore(&self, version: u64) -> Result<u64, ConfigRefusal> {
        let mut file = self.file();
        let text = file.text_of(version).ok_or(ConfigRefusal::NoSuchVersion)?;
        let expected = file.version();
        let saved = file.put(expected, &text, "page", crate::clock::wall());
        drop(file);
        self.apply(saved)
    }

    fn maps(&self) -> MapsView {
        let views = |names: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
            names.map(|(name, title)| MapView { name: name.into(), title: title.into() }).collect()
        };
        MapsView {
            meters: views(&mut dlb_links::modbus::meter_map_titles()),
            chargers: views(&mut dlb_links::modbus::charger_map_titles()),
        }
    }
}

fn milliseconds(iso: &str) -> Option<i64> {
    iso.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

fn problem(problem: Problem) -> ProblemView {
    ProblemView { key: problem.key, problem: problem.problem, remedy: problem.remedy }
}

fn refusal(error: SaveError) -> ConfigRefusal {
    match error {
        SaveError::Conflict { present, .. } => ConfigRefusal::Conflict { current: present },
        SaveError::Wrong(mistakes) => ConfigRefusal::Problems(mistakes.into_iter().map(problem).collect()),
        SaveError::Disk { .. } => DoorFault::new("saving the configuration", error).into(),
    }
}
