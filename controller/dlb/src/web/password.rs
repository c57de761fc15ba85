//! The one password of the box: argon2id in a file of its own, never in the configuration.
//!
//! Hashing takes tens of milliseconds and 9 MiB on purpose; callers keep it off their own thread.

use super::logins::{Mark, mark_of};
use crate::config::atomic;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use thiserror::Error;

/// Fewest characters of a password.
pub const MIN_CHARACTERS: usize = 10;
/// A longer one costs only time.
const MAX_BYTES: usize = 1024;
/// Fewest characters that are neither the one before nor its neighbour: `aaaaaaaaaa` and `1234567890` have one.
const FRESH_CHARACTERS: usize = 4;
/// As hard to guess as the 19 MiB and two passes that are usual, on a box that has less memory than time.
const MEMORY_KIB: u32 = 9 * 1024;
const PASSES: u32 = 4;
const LANES: u32 = 1;
const FILE: &str = "password";

/// Where the password's hash is kept.
#[derive(Debug)]
pub struct PasswordStore {
    file: PathBuf,
    hash: Mutex<Option<String>>,
}

#[derive(Debug, Error)]
pub enum PasswordFault {
    #[error("a password has at least {MIN_CHARACTERS} characters")]
    TooShort,
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    #[error("characters that repeat or follow each other are guessed at once; mix in others")]
    TooPlain,
    #[error("a password has been chosen before")]
    AlreadySet,
    #[error("hashing the password: {0}")]
    Hashing(String),
    #[error("reading the password file {file}")]
    Reading { file: PathBuf, source: io::Error },
    #[error("the password file {file} is damaged; remove it to choose a new password")]
    Damaged { file: PathBuf },
    #[error("writing the password file {file}")]
    Writing { file: PathBuf, source: io::Error },
}

impl PasswordStore {
    /// Reads what the data directory holds; no file means that nobody has chosen a password yet.
    ///
    /// # Errors
    /// The file is there but cannot be read or understood. It is not taken for "no password": that would
    /// let the next visitor choose one.
    pub fn open(data_dir: &Path) -> Result<Self, PasswordFault> {
        let file = data_dir.join(FILE);
        let hash = match fs::read_to_string(&file) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(PasswordFault::Reading { file, source }),
        };
        if hash.as_deref().is_some_and(|hash| PasswordHash::new(hash).is_err()) {
            return Err(PasswordFault::Damaged { file });
        }
        Ok(Self { file, hash: Mutex::new(hash) })
    }

    #[must_use]
    pub fn is_set(&self) -> bool {
        self.hash().is_some()
    }

    /// Chooses the first password.
    ///
    /// # Errors
    /// There is one already, it is not [`acceptable`], or it cannot be kept.
    pub fn set_first(&self, password: &str) -> Result<(), PasswordFault> {
        let fresh = hash_of(password)?;
        let mut hash = self.hash();
        if hash.is_some() {
            return Err(PasswordFault::AlreadySet);
        }
        self.keep(&mut hash, fresh)
    }

    /// Replaces the password.
    ///
    /// # Errors
    /// It is not [`acceptable`], or it cannot be kept; the old one then stays.
    pub fn set(&self, password: &str) -> Result<(), PasswordFault> {
        let fresh = hash_of(password)?;
        self.keep(&mut self.hash(), fresh)
    }

    /// Puts a password in force that is known by its hash only: from a backup.
    ///
    /// # Errors
    /// It is no hash, or it cannot be kept; the old one then stays.
    pub(crate) fn restore(&self, hash: &str) -> Result<(), PasswordFault> {
        let hash = hash.trim();
        PasswordHash::new(hash).map_err(|_| PasswordFault::Damaged { file: self.file.clone() })?;
        self.keep(&mut self.hash(), hash.to_owned())
    }

    /// Is this the password? Takes as long for a wrong one as for the right one.
    #[must_use]
    pub fn verify(&self, password: &str) -> bool {
        let Some(hash) = self.hash().clone() else { return false };
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    }

    /// What else belongs to this password can be known by it; `None`: there is no password yet.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.hash().as_ref().map(|hash| mark_of(hash.as_bytes()))
    }

    fn hash(&self) -> MutexGuard<'_, Option<String>> {
        self.hash.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn keep(&self, hash: &mut Option<String>, fresh: String) -> Result<(), PasswordFault> {
        atomic::replace(&self.file, fresh.as_bytes())
            .map_err(|source| PasswordFault::Writing { file: self.file.clone(), source })?;
        *hash = Some(fresh);
        Ok(())
    }
}

/// Is the password acceptable at all?
///
/// # Errors
/// It is too short, too long, or a single run of characters.
pub fn acceptable(password: &str) -> Result<(), PasswordFault> {
    if password.chars().count() < MIN_CHARACTERS {
        return Err(PasswordFault::TooShort);
    }
    if password.len() > MAX_BYTES {
        return Err(PasswordFault::TooLong);
    }
    if fresh_characters(password) < FRESH_CHARACTERS {
        return Err(PasswordFault::TooPlain);
    }
    Ok(())
}

fn fresh_characters(password: &str) -> usize {
    let before = password.chars().map(Some);
    let before = std::iter::once(None).chain(before);
    let follows = |(before, one): &(Option<char>, char)| {
        before.is_some_and(|before| (before as u32).abs_diff(*one as u32) <= 1)
    };
    before.zip(password.chars()).filter(|pair| !follows(pair)).count()
}

fn hash_of(password: &str) -> Result<String, PasswordFault> {
    acceptable(password)?;
    let hashing = |cause: String| PasswordFault::Hashing(cause);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|cause| hashing(cause.to_string()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes()).map_err(|cause| hashing(cause.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_survives_a_restart_and_only_the_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = PasswordStore::open(dir.path()).unwrap();
        assert!(!store.is_set() && !store.verify(""));
        store.set_first("correct horse").unwrap();
        let again = PasswordStore::open(dir.path()).unwrap();
        assert!(again.verify("correct horse") && !again.verify("correct horsf"));
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(text.starts_with("$argon2id$"), "{text}");
    }

    #[test]
    fn the_first_password_is_chosen_once_and_is_more_than_a_run_of_ten_characters() {
        let dir = tempfile::tempdir().unwrap();
        let store = PasswordStore::open(dir.path()).unwrap();
        assert!(matches!(store.set_first("too short"), Err(PasswordFault::TooShort)));
        for plain in ["aaaaaaaaaa", "1234567890", "abcdefghijkl", "aaaaabbbbb1111"] {
            assert!(matches!(store.set_first(plain), Err(PasswordFault::TooPlain)), "{plain}");
        }
        store.set_first("ten or more").unwrap();
        assert!(matches!(store.set_first("ten or more"), Err(PasswordFault::AlreadySet)));
        store.set("another one").unwrap();
        assert!(store.verify("another one") && !store.verify("ten or more"));
    }

    #[test]
    fn a_damaged_file_is_not_an_invitation_to_choose_a_new_password() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "").unwrap();
        assert!(matches!(PasswordStore::open(dir.path()), Err(PasswordFault::Damaged { .. })));
    }
}
