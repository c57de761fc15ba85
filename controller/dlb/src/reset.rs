//! Factory reset: configuration, history, password and secrets are forgotten, and the box starts as on its
//! first day.
//!
//! The order is a file, `factory-reset` in the data directory. Once it is on the disk the reset is certain: it
//! is carried out when the program ends, or before anything else at the next start, as often as the power
//! fails on the way; the file itself goes last. On the appliance the system sees the file too and makes the
//! whole data partition anew. Only there is what flash memory held really gone.
//!
//! What is refused: to empty a directory that is not one of dlb's.

use crate::config::atomic;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const ORDER: &str = "factory-reset";
/// Forgotten first: what opens other doors.
const SECRETS: [&str; 3] = ["secrets.toml", "password", "logins"];
/// One of these lies in every data directory that the program has used.
const OURS: [&str; 4] = ["box-id", "journal.redb", "history.redb", "password"];
/// Belongs to the file system.
const NOT_OURS: &str = "lost+found";

#[derive(Debug, thiserror::Error)]
pub enum ResetFault {
    #[error(
        "{0} is not a data directory of dlb: none of box-id, journal.redb, history.redb, password is in it"
    )]
    NotOurs(PathBuf),
    #[error("dlb is running on {0}: stop it first, or reset it on its page")]
    Running(PathBuf),
    #[error("writing the order {path}")]
    Order { path: PathBuf, source: io::Error },
    #[error("forgetting {path}")]
    Forget { path: PathBuf, source: io::Error },
}

/// Orders the reset. When this returns, nothing but the reset can come next.
///
/// # Errors
/// The directory is not ours, or the disk does not take the order.
pub fn order(data: &Path) -> Result<(), ResetFault> {
    if !OURS.iter().any(|name| data.join(name).exists()) {
        return Err(ResetFault::NotOurs(data.to_owned()));
    }
    let path = data.join(ORDER);
    atomic::replace(&path, b"").map_err(|source| ResetFault::Order { path, source })
}

/// Carries out a reset that was ordered. False: none was.
///
/// # Errors
/// Something cannot be removed; the order stands.
pub fn complete(data: &Path, config: &Path) -> Result<bool, ResetFault> {
    if !data.join(ORDER).exists() {
        return Ok(false);
    }
    for name in SECRETS {
        forget(&data.join(name))?;
    }
    forget(config)?;
    let entries =
        fs::read_dir(data).map_err(|source| ResetFault::Forget { path: data.to_owned(), source })?;
    for entry in entries.flatten() {
        if entry.file_name() != ORDER && entry.file_name() != NOT_OURS {
            forget(&entry.path())?;
        }
    }
    // All of that must be on the disk before the order may go.
    for directory in [config.parent().unwrap_or(data), data] {
        sync(directory)?;
    }
    forget(&data.join(ORDER))?;
    sync(data)?;
    Ok(true)
}

/// Is the program running on this directory? Its journal is locked as long as it does.
///
/// # Errors
/// It is.
pub fn nobody_runs(data: &Path) -> Result<(), ResetFault> {
    match File::open(data.join("journal.redb")).map(|journal| journal.try_lock()) {
        Ok(Err(fs::TryLockError::WouldBlock)) => Err(ResetFault::Running(data.to_owned())),
        _ => Ok(()),
    }
}

fn forget(path: &Path) -> Result<(), ResetFault> {
    let gone = match fs::symlink_metadata(path) {
        Ok(what) if what.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| ResetFault::Forget { path: path.to_owned(), source }),
    }
}

fn sync(directory: &Path) -> Result<(), ResetFault> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let synced = File::open(directory).and_then(|open| open.sync_all());
    synced.map_err(|source| ResetFault::Forget { path: directory.to_owned(), source })
}

/// Lets other threads order the reset; the program ends and starts anew because of it.
#[derive(Clone, Debug)]
pub struct ResetDesk {
    data: PathBuf,
    tell: async_channel::Sender<()>,
}

impl ResetDesk {
    /// The other end says when it was ordered.
    #[must_use]
    pub fn new(data: &Path) -> (Self, async_channel::Receiver<()>) {
        let (tell, told) = async_channel::bounded(1);
        (Self { data: data.to_owned(), tell }, told)
    }

    /// # Errors
    /// As [`order`]; nothing happens then.
    pub fn order(&self, by: &str) -> Result<(), ResetFault> {
        order(&self.data)?;
        tracing::warn!(by, "factory reset: everything will be forgotten");
        // Full: it was ordered before.
        let _ = self.tell.try_send(());
        Ok(())
    }
}

/// The door `dlb factory-reset`.
pub mod door {
    use super::{complete, nobody_runs, order};
    use clap::Args;
    use std::path::PathBuf;
    use std::process::ExitCode;

    /// Forgets configuration, history, password and secrets of a box that is not running.
    ///
    /// Example: dlb factory-reset --data /var/lib/dlb --config /var/lib/dlb/site.toml --yes
    #[derive(Args, Debug)]
    pub struct Arguments {
        /// Where history, password and previous configurations are kept.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The site's configuration, if it lies somewhere else.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Do it. Without this, it is only said what would be forgotten.
        #[arg(long)]
        yes: bool,
    }

    #[must_use]
    pub fn run(arguments: &Arguments) -> ExitCode {
        let data = &arguments.data;
        let config = arguments.config.clone().unwrap_or_else(|| data.join("site.toml"));
        if !arguments.yes {
            eprintln!(
                "This would forget {} and all in {}. Say --yes to do it.",
                config.display(),
                data.display()
            );
            return ExitCode::FAILURE;
        }
        let done = nobody_runs(data).and_then(|()| order(data)).and_then(|()| complete(data, &config));
        match done {
            Ok(_) => {
                println!("Forgotten. The next start is the first.");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("dlb factory-reset: {}", crate::run::chain(&error));
                ExitCode::FAILURE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(directory: &Path) -> PathBuf {
        for name in
            ["box-id", "password", "logins", "secrets.toml", "journal.redb", "history.redb", "clamps.toml"]
        {
            fs::write(directory.join(name), "x").unwrap();
        }
        fs::create_dir_all(directory.join("config/versions")).unwrap();
        fs::write(directory.join("config/versions/1.toml"), "x").unwrap();
        let config = directory.join("site.toml");
        fs::write(&config, "x").unwrap();
        config
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn everything_is_forgotten_and_what_is_not_ours_stays() {
        let data = tempfile::tempdir().unwrap();
        let config = used(data.path());
        fs::create_dir(data.path().join("lost+found")).unwrap();
        assert!(!complete(data.path(), &config).unwrap(), "nobody ordered it");
        order(data.path()).unwrap();
        assert!(complete(data.path(), &config).unwrap());
        assert_eq!(names(data.path()), ["lost+found"]);
        assert!(!complete(data.path(), &config).unwrap());
    }

    #[test]
    fn a_power_cut_in_the_middle_is_made_good_at_the_next_start() {
        for survivors in [vec![], vec!["history.redb"], vec!["site.toml", "password", "secrets.toml"]] {
            let data = tempfile::tempdir().unwrap();
            let config = used(data.path());
            order(data.path()).unwrap();
            let kept = |name: &str| name == ORDER || survivors.contains(&name);
            for name in names(data.path()).into_iter().filter(|name| !kept(name)) {
                forget(&data.path().join(name)).unwrap();
            }
            assert!(complete(data.path(), &config).unwrap());
            assert_eq!(names(data.path()), Vec::<String>::new(), "{survivors:?}");
        }
    }

    #[test]
    fn somebody_elses_directory_is_not_emptied() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("thesis.txt"), "x").unwrap();
        let said = order(data.path()).unwrap_err().to_string();
        assert!(said.contains("not a data directory of dlb"), "{said}");
        assert_eq!(names(data.path()), ["thesis.txt"]);
    }

    #[test]
    fn a_box_that_runs_is_not_reset_under_its_feet() {
        let data = tempfile::tempdir().unwrap();
        used(data.path());
        nobody_runs(data.path()).unwrap();
        let journal = File::open(data.path().join("journal.redb")).unwrap();
        journal.lock().unwrap();
        assert!(matches!(nobody_runs(data.path()), Err(ResetFault::Running(_))));
    }
}
