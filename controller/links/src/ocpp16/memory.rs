//! What one charger taught, kept over restarts as JSON text. A text that cannot be read is forgotten.

use crate::charger::Identity;
use crate::ocpp16::profile::RateUnit;
use crate::ocpp16::recipe::Recipe;
use serde::{Deserialize, Serialize};

/// Longer texts are not ours.
const TEXT_MAX: usize = 64 * 1024;
/// Starts that a charger might repeat; transactions that might still run.
const STARTS_MAX: usize = 8;
const OUTLETS_MAX: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
    /// Foreign profiles were cleared when the charger was adopted.
    pub cleared: bool,
    #[serde(flatten)]
    pub lessons: Lessons,
    pub last_transaction: i64,
    pub running: Vec<Running>,
    pub starts: Vec<Started>,
}

/// What holds for this firmware only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lessons {
    pub recipe: Option<Recipe>,
    pub fallback: Option<Recipe>,
    pub unit: Option<RateUnit>,
    pub max_stack: Option<u8>,
    /// The list of measurands that the charger took; empty: it took none of ours.
    pub measurands: Option<String>,
    pub outlets: Option<u8>,
    /// It cannot be asked to send a message again.
    pub no_trigger: bool,
    /// Standing fallbacks that it took, by outlet: what it falls back to while this box is away.
    pub armed: Vec<ArmedFallback>,
}

/// A promise that outlives a restart of ours: silence for `after_ms`, and no more than `current_ma`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedFallback {
    pub outlet: u8,
    pub current_ma: i32,
    pub after_ms: u64,
}

/// A transaction that was running when this was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub outlet: u8,
    pub transaction: i64,
    pub tag: String,
    pub started_ms: Option<i64>,
    #[serde(default)]
    pub register_wh: Option<i64>,
}

/// A start that was answered; the same one again gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub outlet: u8,
    pub tag: String,
    pub at_ms: i64,
    pub register_wh: Option<i64>,
    pub transaction: i64,
}

impl Memory {
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        let text = text.filter(|text| text.len() <= TEXT_MAX);
        let mut memory: Self = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        memory.running.truncate(16);
        memory.lessons.armed.truncate(OUTLETS_MAX);
        memory.starts.truncate(STARTS_MAX);
        memory
    }

    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            vendor: self.vendor.clone(),
            model: self.model.clone(),
            serial: self.serial.clone(),
            firmware: self.firmware.clone(),
        }
    }

    /// Another model or firmware behind the same name has to be taught by again.
    pub fn identify(&mut self, identity: &Identity) {
        let same = self.vendor == identity.vendor
            && self.model == identity.model
            && self.firmware == identity.firmware;
        if !same {
            self.lessons = Lessons::default();
        }
        if self.serial != identity.serial {
            self.cleared = false;
        }
        self.vendor.clone_from(&identity.vendor);
        self.model.clone_from(&identity.model);
        self.serial.clone_from(&identity.serial);
        self.firmware.clone_from(&identity.firmware);
    }

    /// Remembers which fallback an outlet has, or that it has none. Says whether that is news.
    pub fn remember_armed(&mut self, outlet: u8, armed: Option<ArmedFallback>) -> bool {
        let known = &mut self.lessons.armed;
        let before = known.iter().find(|armed| armed.outlet == outlet).copied();
        if before == armed {
            return false;
        }
        known.retain(|armed| armed.outlet != outlet);
        known.extend(armed);
        known.sort_by_key(|armed| armed.outlet);
        true
    }

    pub fn remember_start(&mut self, started: Started) {
        if self.starts.len() >= STARTS_MAX {
            self.starts.remove(0);
        }
        self.starts.push(started);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_survives_writing_and_reading() {
        let mut memory = Memory { last_transaction: 7, ..Memory::default() };
        memory.lessons.max_stack = Some(8);
        assert_eq!(Memory::read(Some(&memory.write())), memory);
        assert_eq!(Memory::read(Some("not JSON")), Memory::default());
        assert_eq!(Memory::read(None), Memory::default());
    }

    #[test]
    fn new_firmware_forgets_what_the_old_one_taught() {
        let mut memory = Memory { firmware: "1".to_owned(), last_transaction: 7, ..Memory::default() };
        memory.lessons.max_stack = Some(8);
        memory.identify(&Identity { firmware: "2".to_owned(), ..Identity::default() });
        assert_eq!((memory.lessons.max_stack, memory.last_transaction), (None, 7));
    }
}
