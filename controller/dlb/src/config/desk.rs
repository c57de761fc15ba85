//! The configuration as the web server asks for it: what is saved is checked, on the disk and handed
//! to whoever runs the site, in this order.

use super::keep::{ConfigFile, SaveError, Saved};
use super::{Checked, Problem, Verdict, check_with};
use crate::clock;
use crate::web::doors::{ConfigDoor, ConfigRefusal, DoorFault};
use crate::web::wire::{CheckView, ConfigView, KeptVersionView, MapView, MapsView};
use dlb_links::modbus as library;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Called with every configuration that was saved, in order, while the next one waits.
pub type Apply = Box<dyn Fn(Saved) + Send + Sync>;

/// What of a good configuration this machine cannot do.
pub type Obstacles = Box<dyn Fn(&Checked) -> Vec<Problem> + Send + Sync>;

/// Shared by all who save.
pub struct ConfigDesk {
    file: Mutex<ConfigFile>,
    /// Beside the lock: whoever asks must not wait for a disk.
    in_force: AtomicBool,
    obstacles: Obstacles,
    apply: Apply,
}

impl ConfigDesk {
    #[must_use]
    pub fn new(file: ConfigFile, obstacles: Obstacles, apply: Apply) -> Self {
        let in_force = AtomicBool::new(file.is_in_force());
        Self { file: Mutex::new(file), in_force, obstacles, apply }
    }

    /// As the `put` of the web server, for others: `by` is who saves.
    ///
    /// # Errors
    /// See [`ConfigRefusal`]; the present configuration stands then.
    pub fn save(&self, expected: u64, config: &Value, by: &str) -> Result<u64, ConfigRefusal> {
        let mut file = self.file();
        self.must_be_possible(file.check_json(config))?;
        let saved = file.put_json(expected, config, by, clock::wall()).map_err(refusal)?;
        Ok(self.applied(saved))
    }

    /// Mistakes are for whoever saves to find, with the version that it expects.
    fn must_be_possible(&self, verdict: Verdict) -> Result<(), ConfigRefusal> {
        let obstacles = verdict.map_or_else(|_| Vec::new(), |(checked, _)| (self.obstacles)(&checked));
        if obstacles.is_empty() { Ok(()) } else { Err(ConfigRefusal::Problems(obstacles)) }
    }

    fn applied(&self, saved: Saved) -> u64 {
        let version = saved.version;
        self.in_force.store(true, Ordering::Release);
        (self.apply)(saved);
        version
    }

    /// Whoever died with the lock in hand left the file whole: it is replaced in one step.
    fn file(&self) -> MutexGuard<'_, ConfigFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConfigDoor for ConfigDesk {
    fn get(&self) -> Result<ConfigView, DoorFault> {
        let file = self.file();
        // Of a new box there is no text yet, and of a broken one none that can be shown.
        let site =
            check_with(file.text(), file.maps()).map_or_else(|_| super::new_box(), |(checked, _)| checked);
        view(file.version(), &site)
    }

    fn check(&self, config: &Value) -> CheckView {
        match self.file().check_json(config) {
            Ok((_, warnings)) => CheckView { problems: Vec::new(), warnings },
            Err(problems) => CheckView { problems, warnings: Vec::new() },
        }
    }

    fn put(&self, expected: u64, config: &Value) -> Result<u64, ConfigRefusal> {
        self.save(expected, config, "page")
    }

    fn versions(&self) -> Result<Vec<KeptVersionView>, DoorFault> {
        let file = self.file();
        let current = file.version();
        let view = |kept: super::KeptVersion| KeptVersionView {
            version: kept.version,
            written_ms: kept.saved_at.map(|at| at.0),
            current: kept.version == current,
        };
        Ok(file.versions().into_iter().map(view).collect())
    }

    fn version(&self, version: u64) -> Result<Option<ConfigView>, DoorFault> {
        let file = self.file();
        let Some(text) = file.text_of(version) else { return Ok(None) };
        match check_with(&text, file.maps()) {
            Ok((checked, _)) => view(version, &checked).map(Some),
            Err(_) => Err(DoorFault::new(format!("reading version {version}"), "it is not valid any more")),
        }
    }

    fn restore(&self, version: u64) -> Result<u64, ConfigRefusal> {
        let mut file = self.file();
        let text = file.text_of(version).ok_or(ConfigRefusal::NoSuchVersion)?;
        self.must_be_possible(check_with(&text, file.maps()))?;
        let (present, by) = (file.version(), format!("page, from version {version}"));
        let saved = file.put(present, &text, &by, clock::wall()).map_err(refusal)?;
        Ok(self.applied(saved))
    }

    fn is_in_force(&self) -> bool {
        self.in_force.load(Ordering::Acquire)
    }

    fn maps(&self) -> MapsView {
        let title = |make: &str, model: &str| format!("{make} {model}");
        let meter = |name: &str| {
            library::meter_map(name)
                .map(|map| MapView { name: name.to_owned(), title: title(&map.make, &map.model) })
        };
        let charger = |name: &str| {
            library::charger_map(name)
                .map(|map| MapView { name: name.to_owned(), title: title(&map.make, &map.model) })
        };
        MapsView {
            meters: library::meter_map_names().filter_map(meter).collect(),
            chargers: library::charger_map_names().filter_map(charger).collect(),
        }
    }
}

impl core::fmt::Debug for ConfigDesk {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("ConfigDesk").field("file", &self.file).finish_non_exhaustive()
    }
}

fn view(version: u64, checked: &Checked) -> Result<ConfigView, DoorFault> {
    let config = serde_json::to_value(&checked.file);
    let config = config.map_err(|error| DoorFault::new("showing the configuration", error))?;
    Ok(ConfigView { version, config })
}

fn refusal(error: SaveError) -> ConfigRefusal {
    match error {
        SaveError::Conflict { present, .. } => ConfigRefusal::Conflict { current: present },
        SaveError::Wrong(mistakes) => ConfigRefusal::Problems(mistakes),
        disk @ SaveError::Disk { .. } => {
            ConfigRefusal::Fault(DoorFault::new("saving the configuration", disk))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Maps;
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_the_page_saves_is_applied_and_can_be_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("site.toml");
        std::fs::write(&path, include_str!("../../../../tests/sites/office.toml")).unwrap();
        let file = ConfigFile::open(&path, directory.path(), Maps::default(), None).file;
        let applied = Arc::new(Mutex::new(Vec::new()));
        let seen = applied.clone();
        let desk = ConfigDesk::new(
            file,
            Box::new(|_| Vec::new()),
            Box::new(move |saved| seen.lock().unwrap().push(saved.checked.settings.name)),
        );

        let mut read = desk.get().unwrap();
        read.config["name"] = "Annex".into();
        assert_eq!(desk.put(read.version, &read.config).unwrap(), 2);
        assert!(matches!(desk.put(1, &read.config), Err(ConfigRefusal::Conflict { current: 2 })));
        read.config["charger"][0]["max_a"] = 0.into();
        assert_eq!(desk.check(&read.config).problems[0].key, "charger[0].max_a");
        assert_eq!(desk.restore(1).unwrap(), 3);
        assert_eq!(*applied.lock().unwrap(), ["Annex", "Office"]);
        assert_eq!(desk.get().unwrap().config["name"], "Office");
        let versions: Vec<_> =
            desk.versions().unwrap().iter().map(|kept| (kept.version, kept.current)).collect();
        assert_eq!(versions, [(3, true), (2, false), (1, false)]);
    }
}
