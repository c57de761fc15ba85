//! Backup and restore: the configuration, the box's secrets, the certificates by which it knows its broker and
//! what was corrected of its clamps, in one file that only its passphrase opens. Identity (the box's name on a
//! broker) and history stay with the box.
//!
//! The file is JSON, so that a later version can read it and a person can see what it is. Version 1:
//! - `format` is `dlb-backup`, `version` is 1; `made_ms` and `program` say when and by what.
//! - `kdf`: argon2id (RFC 9106) with its cost and salt makes a 256-bit key out of the passphrase.
//! - `sealed`: XChaCha20-Poly1305 of the content, `nonce` beside it; the fields above are its associated
//!   data, so nothing of the file can be changed unnoticed. Bytes are written in hexadecimal.

mod desk;

pub(crate) use desk::{RestoreError, restore, take};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const FORMAT: &str = "dlb-backup";
const VERSION: u32 = 1;
const MEMORY_KIB: u32 = 16 * 1024;
const PASSES: u32 = 4;
const LANES: u32 = 1;
/// What a file may ask of this box to be opened.
const MOST_MEMORY_KIB: u32 = 64 * 1024;
const MOST_PASSES: u32 = 20;

/// A backup as it lies in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// `dlb-backup`.
    pub format: String,
    /// Of the file format.
    pub version: u32,
    pub made_ms: Option<i64>,
    /// The version of dlb that made it.
    pub program: String,
    pub kdf: BackupKdf,
    /// 24 bytes, hexadecimal.
    pub nonce: String,
    /// Hexadecimal.
    pub sealed: String,
}

/// How the key is made out of the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupKdf {
    /// `argon2id`.
    pub name: String,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// 16 bytes, hexadecimal.
    pub salt: String,
}

/// What is inside.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The configuration, with the keys of its file.
    pub(crate) config: serde_json::Value,
    /// Small files of the data directory, by name.
    pub(crate) files: BTreeMap<String, String>,
}

/// Why a backup cannot be made or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupFault {
    #[error("This is not a backup of dlb. Choose the file that was downloaded here.")]
    NotABackup,
    #[error("This backup was made by a later version of dlb ({0}). Update this box first.")]
    TooNew(String),
    #[error("The passphrase is wrong, or the file is damaged. Try the passphrase again.")]
    WrongPassphrase,
    #[error("The system gives no random numbers ({0}). Try again.")]
    NoRandomness(String),
}

/// Seals a content under a passphrase.
pub(crate) fn seal(
    content: &Content,
    passphrase: &str,
    made_ms: Option<i64>,
) -> Result<BackupFile, BackupFault> {
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(|error| BackupFault::NoRandomness(error.to_string()))?;
    let (salt, nonce) = random.split_at(16);
    let kdf = BackupKdf {
        name: "argon2id".into(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: hex(salt),
    };
    let program = env!("CARGO_PKG_VERSION").into();
    let (nonce, sealed) = (hex(nonce), String::new());
    let mut file =
        BackupFile { format: FORMAT.into(), version: VERSION, made_ms, program, kdf, nonce, sealed };
    let plain = serde_json::to_vec(content).expect("plain data with string keys");
    let (cipher, nonce) = cipher(&file, passphrase)?;
    let bound = bound(&file);
    let sealed = cipher.encrypt(&nonce, Payload { msg: &plain, aad: bound.as_bytes() });
    file.sealed = hex(&sealed.map_err(|_| BackupFault::NotABackup)?);
    Ok(file)
}

/// Opens a backup.
pub(crate) fn open(file: &BackupFile, passphrase: &str) -> Result<Content, BackupFault> {
    if file.format != FORMAT {
        return Err(BackupFault::NotABackup);
    }
    if file.version != VERSION {
        return Err(BackupFault::TooNew(file.program.chars().take(40).collect()));
    }
    let sealed = bytes(&file.sealed).ok_or(BackupFault::NotABackup)?;
    let (cipher, nonce) = cipher(file, passphrase)?;
    let bound = bound(file);
    let plain = cipher
        .decrypt(&nonce, Payload { msg: &sealed, aad: bound.as_bytes() })
        .map_err(|_| BackupFault::WrongPassphrase)?;
    serde_json::from_slice(&plain).map_err(|_| BackupFault::NotABackup)
}

/// All fields but the sealed one, as associated data.
fn bound(file: &BackupFile) -> String {
    let BackupFile { format, version, made_ms, program, kdf, nonce, sealed: _ } = file;
    let made = made_ms.map(|at| at.to_string()).unwrap_or_default();
    let BackupKdf { name, memory_kib, passes, lanes, salt } = kdf;
    format!("{format}\n{version}\n{made}\n{program}\n{name} {memory_kib} {passes} {lanes} {salt}\n{nonce}")
}

fn cipher(file: &BackupFile, passphrase: &str) -> Result<(XChaCha20Poly1305, XNonce), BackupFault> {
    let kdf = &file.kdf;
    let bearable = kdf.name == "argon2id" && kdf.memory_kib <= MOST_MEMORY_KIB && kdf.passes <= MOST_PASSES;
    let salt = bytes(&kdf.salt).filter(|salt| salt.len() == 16 && bearable).ok_or(BackupFault::NotABackup)?;
    let nonce: [u8; 24] =
        bytes(&file.nonce).and_then(|nonce| nonce.try_into().ok()).ok_or(BackupFault::NotABackup)?;
    let mut key = [0; 32];
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(key.len()));
    let params = params.map_err(|_| BackupFault::NotABackup)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &salt, &mut key)
        .map_err(|_| BackupFault::NotABackup)?;
    Ok((XChaCha20Poly1305::new(&Key::from(key)), XNonce::from(nonce)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

impl core::fmt::Debug for Content {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Content").field("files", &self.files.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let files = BTreeMap::from([("secrets.toml".into(), "mqtt_password = \"hush\"".into())]);
        Content { config: serde_json::json!({"name": "Office"}), files }
    }

    #[test]
    fn a_backup_opens_with_its_passphrase_only_and_shows_no_secret() {
        let file = seal(&content(), "correct horse", Some(7)).unwrap();
        assert_eq!(open(&file, "correct horse").unwrap(), content());
        assert_eq!(open(&file, "correct horsf"), Err(BackupFault::WrongPassphrase));
        let text = serde_json::to_string(&file).unwrap();
        assert!(!text.contains("hush") && !text.contains("Office") && !text.contains(&hex(b"hush")));
        assert_ne!(seal(&content(), "correct horse", Some(7)).unwrap().sealed, file.sealed);
    }

    /// The file format: what this version wrote once must open for ever. Removed, it is written by `UPDATE_GOLDEN=1`.
    #[test]
    fn a_backup_of_version_1_still_opens() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backup/version-1.json");
        if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
            let file = seal(&content(), "correct horse battery", Some(1_795_000_000_000)).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
        }
        let file: BackupFile = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(open(&file, "correct horse battery").unwrap(), content());
    }

    #[test]
    fn whatever_is_changed_in_a_backup_is_noticed() {
        let whole = seal(&content(), "correct horse", Some(7)).unwrap();
        let changes: [fn(&mut BackupFile); 9] = [
            |file| file.made_ms = None,
            |file| file.program = "9.9.9".into(),
            |file| file.nonce.replace_range(0..1, "g"),
            |file| file.nonce.truncate(46),
            |file| file.kdf.passes = 5,
            |file| file.kdf.memory_kib = u32::MAX,
            |file| file.kdf.salt.clear(),
            |file| file.sealed.truncate(40),
            |file| file.sealed.push('0'),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut file = whole.clone();
            change(&mut file);
            assert!(open(&file, "correct horse").is_err(), "change {at}");
        }
        let mut later = whole.clone();
        later.version = 2;
        assert_eq!(open(&later, "correct horse"), Err(BackupFault::TooNew(later.program)));
    }
}
