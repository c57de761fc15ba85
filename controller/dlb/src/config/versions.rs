//! Every configuration that this box has run on, up to a bound: `config/versions/NNNNNN.toml` in the
//! data directory, each under a line that says when it was saved and by whom.

use super::atomic;
use dlb_engine::time::WallTime;
use std::io;
use std::path::{Path, PathBuf};

/// Older ones are removed.
pub(super) const KEPT: usize = 50;

const MARK: &str = "#: version ";

/// One configuration of the past, or the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    pub version: u64,
    /// `None` where the clock was unknown.
    pub saved_at: Option<WallTime>,
    /// Who saved it: `page`, `api`, `hand` …
    pub by: String,
}

/// The directory of versions.
#[derive(Clone, Debug)]
pub(super) struct Versions(PathBuf);

impl Versions {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("config").join("versions"))
    }

    /// Numbers that there are, newest first.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let number = |entry: io::Result<std::fs::DirEntry>| {
            entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.parse().ok()
        };
        let mut numbers: Vec<u64> = entries.filter_map(number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers
    }

    /// The configuration of a version, as it was.
    pub(super) fn text(&self, version: u64) -> Option<String> {
        let text = std::fs::read_to_string(self.path(version)).ok()?;
        Some(text.split_once('\n').filter(|(head, _)| head.starts_with(MARK))?.1.to_owned())
    }

    pub(super) fn list(&self) -> Vec<KeptVersion> {
        self.numbers().into_iter().filter_map(|version| self.view(version)).collect()
    }

    /// Keeps one more, on the disk when this returns, and removes those beyond the bound.
    pub(super) fn keep(&self, view: &KeptVersion, text: &str) -> io::Result<()> {
        atomic::make_directory(&self.0)?;
        let saved_at = view.saved_at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok());
        let saved_at = saved_at.map_or("-".to_owned(), |at| at.to_string());
        let head = format!("{MARK}{}, {saved_at}, {}\n", view.version, one_line(&view.by));
        atomic::replace(&self.path(view.version), format!("{head}{text}").as_bytes())?;
        for old in self.numbers().into_iter().skip(KEPT) {
            std::fs::remove_file(self.path(old))?;
        }
        Ok(())
    }

    fn view(&self, version: u64) -> Option<KeptVersion> {
        let text = std::fs::read_to_string(self.path(version)).ok()?;
        let mut parts = text.lines().next()?.strip_prefix(MARK)?.splitn(3, ", ").skip(1);
        let saved_at: Option<jiff::Timestamp> = parts.next()?.parse().ok();
        let saved_at = saved_at.map(|at| WallTime(at.as_millisecond()));
        Some(KeptVersion { version, saved_at, by: parts.next()?.to_owned() })
    }

    fn path(&self, version: u64) -> PathBuf {
        self.0.join(format!("{version:06}.toml"))
    }
}

fn one_line(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(80).collect()
}
