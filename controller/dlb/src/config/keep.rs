//! Keeps the configuration on disk: reads it at the start, replaces it on order, remembers what was.
//!
//! Starting never fails. A file that is missing, broken or wrong gives way to the last good version
//! and, where there is none, to a new box; each of that comes with a sentence for an alert. A file
//! written by hand is kept as it is, comments and all, until somebody saves on the page.
//!
//! Saving says which version it was made from. If that is no longer the present one, somebody else
//! has saved in between, and the order is refused.

use super::versions::{KeptVersion, Versions};
use super::{Checked, Maps, Problem, Verdict, atomic, check_with, new_box};
use dlb_engine::time::WallTime;
use std::io;
use std::path::{Path, PathBuf};

/// The configuration file and its past.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    versions: Versions,
    maps: Maps,
    version: u64,
    text: String,
    in_force: bool,
}

/// What to run on at the start.
#[derive(Debug)]
pub struct Opened {
    pub file: ConfigFile,
    pub checked: Checked,
    pub warnings: Vec<Problem>,
    /// One or two sentences for an alert: the file was not to be used, and what is used instead.
    pub trouble: Option<String>,
}

/// A configuration that was saved.
#[derive(Debug)]
pub struct Saved {
    pub version: u64,
    pub checked: Checked,
    pub warnings: Vec<Problem>,
}

/// Why a configuration was not saved. The present one stands.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("made from version {expected}, the present one is {present}: load it and make the change again")]
    Conflict { expected: u64, present: u64 },
    #[error("the configuration has {} mistakes", .0.len())]
    Wrong(Vec<Problem>),
    #[error("writing {path}")]
    Disk {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl ConfigFile {
    /// Reads the file and, where it cannot be used, what is next best.
    #[must_use]
    pub fn open(path: &Path, data: &Path, maps: Maps, wall: Option<WallTime>) -> Opened {
        let versions = Versions::of(data);
        let file =
            Self { path: path.to_owned(), versions, maps, version: 0, text: String::new(), in_force: true };
        let (why, text) = match std::fs::read(path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                match check_with(&text, &file.maps) {
                    Ok((checked, warnings)) => return file.opened(text, checked, warnings, wall),
                    Err(mistakes) => (first_mistake(&mistakes), Some(text)),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => ("it is missing".to_owned(), None),
            Err(error) => (error.to_string(), None),
        };
        file.fall_back(&why, text)
    }

    /// The number to give back with [`ConfigFile::put`]; 0: nothing was ever saved.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// False: what lies on the disk could not be used at the start, and nothing was saved since.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.in_force
    }

    /// The present configuration as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub const fn maps(&self) -> &Maps {
        &self.maps
    }

    /// What was saved, newest first.
    #[must_use]
    pub fn versions(&self) -> Vec<KeptVersion> {
        self.versions.list()
    }

    /// The configuration of a version; `None`: not kept, or never was.
    #[must_use]
    pub fn text_of(&self, version: u64) -> Option<String> {
        self.versions.text(version)
    }

    /// Checks without saving.
    ///
    /// # Errors
    /// Every mistake.
    pub fn check_json(&self, value: &serde_json::Value) -> Verdict {
        super::check_json(value, &self.maps)
    }

    /// Saves what came over the API.
    ///
    /// # Errors
    /// See [`SaveError`]; the present configuration stands then.
    pub fn put_json(
        &mut self,
        expected: u64,
        value: &serde_json::Value,
        by: &str,
        wall: Option<WallTime>,
    ) -> Result<Saved, SaveError> {
        let (checked, _) = self.check_json(value).map_err(SaveError::Wrong)?;
        let text = toml::to_string_pretty(&checked.file).expect("what was read can be written");
        self.put(expected, &text, by, wall)
    }

    /// Saves a text, comments and all. When this returns, it is on the disk.
    ///
    /// # Errors
    /// See [`SaveError`]; the present configuration stands then.
    pub fn put(
        &mut self,
        expected: u64,
        text: &str,
        by: &str,
        wall: Option<WallTime>,
    ) -> Result<Saved, SaveError> {
        if expected != self.version {
            return Err(SaveError::Conflict { expected, present: self.version });
        }
        let (checked, warnings) = check_with(text, &self.maps).map_err(SaveError::Wrong)?;
        let disk = |cause| SaveError::Disk { path: self.path.clone(), cause };
        // The version first: a cut between the two leaves the old file and a version that nobody was
        // promised, never a file whose past is unknown.
        let version = self.keep_version(text, by, wall).map_err(disk)?;
        atomic::replace(&self.path, text.as_bytes()).map_err(disk)?;
        self.version = version;
        self.in_force = true;
        text.clone_into(&mut self.text);
        Ok(Saved { version, checked, warnings })
    }

    /// A good file is the present version, whoever wrote it. One that no version knows was written by
    /// hand since, and becomes one.
    fn opened(
        mut self,
        text: String,
        checked: Checked,
        warnings: Vec<Problem>,
        wall: Option<WallTime>,
    ) -> Opened {
        let newest = self.versions.numbers();
        let known =
            newest.iter().find(|version| self.versions.text(**version).as_deref() == Some(text.as_str()));
        let trouble = match known {
            Some(version) => {
                self.version = *version;
                None
            }
            None => self.keep_version(&text, "hand", wall).map(|version| self.version = version).err(),
        };
        self.text = text;
        let trouble = trouble.map(|error| {
            format!("The data directory cannot be written ({error}): changes of the configuration will fail.")
        });
        Opened { file: self, checked, warnings, trouble }
    }

    /// The newest version that still passes the check, or a new box.
    fn fall_back(mut self, why: &str, broken: Option<String>) -> Opened {
        let path = self.path.display().to_string();
        for version in self.versions.numbers() {
            let Some(text) = self.versions.text(version) else { continue };
            let Ok((checked, warnings)) = check_with(&text, &self.maps) else { continue };
            self.version = version;
            self.in_force = false;
            self.text = text;
            let trouble = format!(
                "The configuration {path} cannot be used: {why}. Running on version {version}; \
                 correct the file, or save on the page."
            );
            return Opened { file: self, checked, warnings, trouble: Some(trouble) };
        }
        let checked = new_box();
        self.text = broken.clone().unwrap_or_default();
        // Without a file and without a past, this is a new box, and no trouble.
        let trouble = (broken.is_some() || self.path.exists()).then(|| {
            format!(
                "The configuration {path} cannot be used: {why}. There is no earlier version, so nothing \
                 is balanced; correct the file, or set the site up on the page."
            )
        });
        self.in_force = trouble.is_none();
        Opened { file: self, checked, warnings: Vec::new(), trouble }
    }

    fn keep_version(&self, text: &str, by: &str, wall: Option<WallTime>) -> io::Result<u64> {
        let version = self.versions.numbers().first().map_or(1, |newest| newest.saturating_add(1));
        let view = KeptVersion { version, saved_at: wall, by: by.to_owned() };
        self.versions.keep(&view, text)?;
        Ok(version)
    }
}

fn first_mistake(mistakes: &[Problem]) -> String {
    let Some(first) = mistakes.first() else { return "it is wrong".into() };
    let more = match mistakes.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let line = first.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    format!("{line}{} {}{more}", first.key, first.what)
}

#[cfg(test)]
mod tests;
