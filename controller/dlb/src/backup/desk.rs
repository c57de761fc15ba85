//! What goes into a backup and where it comes back to. A restore is whole or nothing: the configuration is
//! checked first, and only when it stands the rest follows.

use super::{BackupFault, BackupFile, Content, open, seal};
use crate::clamps::ClampRefusal;
use crate::clock;
use crate::config::atomic;
use crate::services::broker_authority;
use crate::web::doors::{ConfigRefusal, DoorFault, Doors, SecretRefusal};
use crate::web::password::{PasswordFault, PasswordStore};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Passwords that the box needs for others.
const SECRETS: &str = "secrets.toml";
/// The hash of the page's own password.
const PASSWORD: &str = "password";
/// The certificates by which the broker is known, given on the page.
const AUTHORITY: &str = "broker-ca.pem";
/// What was corrected of the clamps.
const CLAMPS: &str = "clamps.toml";

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Backup(#[from] BackupFault),
    #[error(transparent)]
    Config(#[from] ConfigRefusal),
    #[error("The secrets could not be written ({0}); the configuration is restored. Try again.")]
    Secrets(#[from] io::Error),
    #[error("The broker's certificates could not be restored ({0}); the configuration is. Try again.")]
    Authority(#[from] SecretRefusal),
    #[error("The corrections of the clamps could not be restored ({0}); the configuration is. Try again.")]
    Clamps(#[from] ClampRefusal),
    #[error("The password could not be written ({0}); the rest is restored. Try again.")]
    Password(#[from] PasswordFault),
}

/// Makes a backup.
pub(crate) fn take(doors: &Doors, passphrase: &str) -> Result<BackupFile, RestoreError> {
    let config = doors.config.get().map_err(ConfigRefusal::from)?.config;
    let mut files = BTreeMap::new();
    let paths = [SECRETS, PASSWORD].map(|name| (name, doors.data.join(name)));
    for (name, path) in paths.into_iter().chain([(AUTHORITY, broker_authority(&doors.data))]) {
        files.extend(content(&path)?.map(|text| (name.to_owned(), text)));
    }
    files.extend(doors.clamps.backup().map(|text| (CLAMPS.to_owned(), text)));
    let made_ms = clock::wall().map(|wall| wall.0);
    Ok(seal(&Content { config, files }, passphrase, made_ms)?)
}

fn content(path: &Path) -> Result<Option<String>, ConfigRefusal> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DoorFault::new("reading secrets", error).into()),
    }
}

/// Puts a backup in force; answers the version of the configuration that it became. What an older backup does
/// not have stays as it is.
pub(crate) fn restore(
    doors: &Doors,
    password: &PasswordStore,
    file: &BackupFile,
    passphrase: &str,
) -> Result<u64, RestoreError> {
    let content = open(file, passphrase)?;
    let present = doors.config.get().map_err(ConfigRefusal::from)?.version;
    let version = doors.config.put(present, &content.config)?;
    if let Some(text) = content.files.get(SECRETS) {
        atomic::replace(&doors.data.join(SECRETS), text.as_bytes())?;
    }
    // After the secrets: it has the link to the broker begin anew, with both.
    if let Some(pem) = content.files.get(AUTHORITY) {
        doors.broker.set_authority(Some(pem))?;
    }
    if let Some(text) = content.files.get(CLAMPS) {
        doors.clamps.restore(text)?;
    }
    if let Some(hash) = content.files.get(PASSWORD) {
        password.restore(hash)?;
    }
    Ok(version)
}
