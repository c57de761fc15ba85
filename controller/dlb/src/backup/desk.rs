//! What goes into a backup and where it comes back to. A restore is whole or nothing: the configuration is
//! checked first, and only when it stands the secrets follow.

use super::{BackupFault, BackupFile, Content, open, seal};
use crate::clock;
use crate::config::atomic;
use crate::web::doors::{ConfigDoor, ConfigRefusal, DoorFault};
use crate::web::password::{PasswordFault, PasswordStore};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Passwords that the box needs for others.
const SECRETS: &str = "secrets.toml";
/// The hash of the page's own password.
const PASSWORD: &str = "password";

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Backup(#[from] BackupFault),
    #[error(transparent)]
    Config(#[from] ConfigRefusal),
    #[error("The secrets could not be written ({0}); the configuration is restored. Try again.")]
    Secrets(#[from] io::Error),
    #[error("The password could not be written ({0}); the rest is restored. Try again.")]
    Password(#[from] PasswordFault),
}

/// Makes a backup.
pub(crate) fn take(
    config: &dyn ConfigDoor,
    data: &Path,
    passphrase: &str,
) -> Result<BackupFile, RestoreError> {
    let config = config.get().map_err(ConfigRefusal::from)?.config;
    let mut files = BTreeMap::new();
    for name in [SECRETS, PASSWORD] {
        match std::fs::read_to_string(data.join(name)) {
            Ok(text) => drop(files.insert(name.to_owned(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ConfigRefusal::from(DoorFault::new("reading secrets", error)).into()),
        }
    }
    let made_ms = clock::wall().map(|wall| wall.0);
    Ok(seal(&Content { config, files }, passphrase, made_ms)?)
}

/// Puts a backup in force; answers the version of the configuration that it became.
pub(crate) fn restore(
    config: &dyn ConfigDoor,
    password: &PasswordStore,
    data: &Path,
    file: &BackupFile,
    passphrase: &str,
) -> Result<u64, RestoreError> {
    let content = open(file, passphrase)?;
    let present = config.get().map_err(ConfigRefusal::from)?.version;
    let version = config.put(present, &content.config)?;
    if let Some(text) = content.files.get(SECRETS) {
        atomic::replace(&data.join(SECRETS), text.as_bytes())?;
    }
    if let Some(hash) = content.files.get(PASSWORD) {
        password.restore(hash)?;
    }
    Ok(version)
}
