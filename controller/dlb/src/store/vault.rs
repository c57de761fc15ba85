//! One database file: opened, used and, when it turns out broken, moved aside and begun anew.
//!
//! A broken file may make the database panic as well as fail, so every use is caught.

use super::trouble::{Codes, Trouble};
use arc_swap::ArcSwapOption;
use dlb_engine::time::{Duration, Instant};
use redb::{Database, DatabaseError, StorageError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RETRY: Duration = Duration::from_secs(10);
/// Broken files that are kept for support; older ones are removed.
const KEPT_ASIDE: usize = 2;
const CACHE_BYTES: usize = 4 << 20;

/// Why a use of the file failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What it contains is wrong.
    Broken(String),
    /// The disk is full, read-only or gone; the content may be right.
    Away(String),
}

#[derive(Debug)]
pub(super) struct Vault {
    path: PathBuf,
    /// Look at every page when opening: only where the file is small.
    thorough: bool,
    shared: Arc<ArcSwapOption<Database>>,
    retry_at: Option<Instant>,
    pub(super) trouble: Trouble,
}

impl Vault {
    pub(super) fn new(
        path: PathBuf,
        thorough: bool,
        codes: Codes,
        shared: Arc<ArcSwapOption<Database>>,
    ) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { path, thorough, shared, retry_at: None, trouble: Trouble::new(name, codes) }
    }

    /// Uses the file, opening it if need be. A broken one is replaced by an empty one, which the next
    /// use will see.
    pub(super) fn run<T>(
        &mut self,
        now: Instant,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Fault> {
        let database = self.database(now)?;
        let outcome = guarded(|| work(&database));
        drop(database);
        match &outcome {
            Ok(_) => self.trouble.over(now),
            Err(fault) => self.failed(now, fault),
        }
        outcome
    }

    /// A reader found the file broken.
    pub(super) fn reported_broken(&mut self, now: Instant, why: &str) {
        if self.shared.load().is_some() {
            self.failed(now, &Fault::Broken(why.to_owned()));
        }
    }

    /// Opens the file if it is not; a new handle means that whatever was known of the content is void.
    fn database(&mut self, now: Instant) -> Result<Arc<Database>, Fault> {
        if let Some(open) = self.shared.load_full() {
            return Ok(open);
        }
        if self.retry_at.is_some_and(|at| now < at) {
            return Err(Fault::Away("waiting for the next attempt".into()));
        }
        let opened = open(&self.path, self.thorough).or_else(|fault| {
            self.failed(now, &fault);
            match fault {
                Fault::Broken(_) => open(&self.path, self.thorough),
                Fault::Away(_) => Err(fault),
            }
        });
        let database = Arc::new(opened.inspect_err(|fault| self.failed(now, fault))?);
        self.retry_at = None;
        self.shared.store(Some(database.clone()));
        Ok(database)
    }

    fn failed(&mut self, now: Instant, fault: &Fault) {
        self.shared.store(None);
        match fault {
            Fault::Broken(why) => {
                let aside = move_aside(&self.path);
                tracing::error!(file = %self.path.display(), why, "a broken store file was moved aside");
                self.trouble.broken(now, aside.as_deref());
            }
            Fault::Away(why) => {
                tracing::error!(file = %self.path.display(), why, "the store cannot be used");
                self.retry_at = Some(now + RETRY);
                self.trouble.away(now, why);
            }
        }
    }
}

/// Runs work on a database whose content may be anything.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(fault(&error)),
        Err(panic) => Err(Fault::Broken(panic_text(panic.as_ref()))),
    }
}

fn open(path: &Path, thorough: bool) -> Result<Database, Fault> {
    let directory = path.parent().unwrap_or(Path::new("."));
    crate::config::atomic::make_directory(directory).map_err(|error| Fault::Away(error.to_string()))?;
    guarded(|| {
        if !path.exists() {
            begin(path)?;
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(thorough);
        builder.create(path).map_err(|error| match error {
            // Not our file to move: somebody is using it.
            DatabaseError::DatabaseAlreadyOpen => {
                StorageError::Io(std::io::Error::new(ErrorKind::ResourceBusy, "another program uses it"))
                    .into()
            }
            other => other.into(),
        })
    })
}

/// A new file gets its name when it is whole: one that a power cut left half made would look broken.
fn begin(path: &Path) -> Result<(), redb::Error> {
    let unnamed = path.with_extension("new");
    let io = |error| redb::Error::Io(error);
    match std::fs::remove_file(&unnamed) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => drop(Database::create(&unnamed)?),
    }
    std::fs::File::open(&unnamed).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&unnamed, path).map_err(io)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)
}

fn fault(error: &redb::Error) -> Fault {
    use redb::Error as E;
    let text = error.to_string();
    match error {
        E::Io(io) if matches!(io.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            Fault::Broken(text)
        }
        E::Io(_) | E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_) | E::DatabaseAlreadyOpen => {
            Fault::Away(text)
        }
        _ => Fault::Broken(text),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it makes no sense".into())
}

/// `history.redb` becomes `history-corrupt-3.redb`. If even that fails, the file is removed: it is of no
/// use, and a new one must be begun.
fn move_aside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?.to_owned();
    let number = |entry: std::io::Result<std::fs::DirEntry>| -> Option<u64> {
        let name = entry.ok()?.file_name();
        name.to_str()?.strip_prefix(&stem)?.strip_prefix("-corrupt-")?.strip_suffix(".redb")?.parse().ok()
    };
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let mut numbers: Vec<u64> = entries.filter_map(number).collect();
    numbers.sort_unstable();
    let named = |number: u64| path.with_file_name(format!("{stem}-corrupt-{number}.redb"));
    let aside = named(numbers.last().map_or(1, |last| last.saturating_add(1)));
    let too_many = (numbers.len() + 1).saturating_sub(KEPT_ASIDE);
    for old in numbers.into_iter().take(too_many) {
        let _ = std::fs::remove_file(named(old));
    }
    match std::fs::rename(path, &aside) {
        Ok(()) => Some(aside),
        Err(_) => {
            let _ = std::fs::remove_file(path);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(1_000_000);

    fn vault(path: &Path) -> Vault {
        Vault::new(path.to_owned(), true, super::super::trouble::HISTORY, Arc::default())
    }

    fn codes(vault: &mut Vault) -> Vec<(&'static str, bool)> {
        vault.trouble.take().into_iter().map(|alert| (alert.code, alert.cleared)).collect()
    }

    #[test]
    fn a_disk_that_is_away_is_tried_again_and_told_of_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.redb");
        std::fs::create_dir(&path).unwrap();
        let mut vault = vault(&path);
        assert!(matches!(vault.run(NOW, |_| Ok(())), Err(Fault::Away(_))));
        std::fs::remove_dir(&path).unwrap();
        assert!(vault.run(NOW + Duration::from_secs(9), |_| Ok(())).is_err(), "not tried with every record");
        assert_eq!(vault.run(NOW + RETRY, |_| Ok(())), Ok(()));
        assert_eq!(codes(&mut vault), [("history-unavailable", false), ("history-unavailable", true)]);
    }

    #[test]
    fn a_file_that_another_program_uses_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.redb");
        let (mut first, mut second) = (vault(&path), vault(&path));
        first.run(NOW, |_| Ok(())).unwrap();
        assert!(
            matches!(second.run(NOW, |_| Ok(())), Err(Fault::Away(why)) if why.contains("another program"))
        );
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_a_power_cut_left_half_made_is_begun_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.redb");
        std::fs::write(path.with_extension("new"), vec![0; 100_000]).unwrap();
        let mut vault = vault(&path);
        assert_eq!(vault.run(NOW, |_| Ok(())), Ok(()));
        assert_eq!(codes(&mut vault), []);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left lying about");
    }

    #[test]
    fn of_the_broken_files_the_last_two_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.redb");
        for _ in 0..5 {
            std::fs::write(&path, vec![7; 100_000]).unwrap();
            let mut vault = vault(&path);
            assert_eq!(vault.run(NOW, |_| Ok(())), Ok(()));
            assert_eq!(codes(&mut vault), [("history-corrupt", false)]);
        }
        let mut names: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["history-corrupt-4.redb", "history-corrupt-5.redb", "history.redb"]);
    }

    #[test]
    fn a_panic_of_the_database_counts_as_a_broken_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut vault = vault(&directory.path().join("history.redb"));
        let outcome: Result<(), Fault> = vault.run(NOW, |_| panic!("page 7 is not a page"));
        assert_eq!(outcome, Err(Fault::Broken("page 7 is not a page".into())));
        assert!(vault.shared.load().is_none());
        assert_eq!(vault.run(NOW, |_| Ok(())), Ok(()));
    }
}
