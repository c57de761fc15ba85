//! What must not be in the configuration, nor in any diagnostics: passwords and keys, in
//! `secrets.toml` of the data directory, for its owner only. There is no way to list the values, and
//! `Debug` shows the names only.

use super::atomic;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Password of the broker's user.
pub const MQTT_PASSWORD: &str = "mqtt_password";
/// What this box shows to its update server.
pub const HAWKBIT_TOKEN: &str = "hawkbit_token";

/// The secrets of a box, by name.
pub struct Secrets {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
#[error("writing {path}")]
pub struct SecretsError {
    path: PathBuf,
    #[source]
    cause: std::io::Error,
}

impl Secrets {
    /// Reads what is there. A broken file is moved aside and reported in one sentence; the box runs on
    /// without its secrets, because a broker that refuses it is no reason to stop balancing.
    #[must_use]
    pub fn open(data: &Path) -> (Self, Option<String>) {
        let path = data.join("secrets.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return (Self { path, values: BTreeMap::new() }, Some(trouble(&error.to_string()))),
        };
        match toml::from_str(&text) {
            Ok(values) => (Self { path, values }, None),
            Err(_) => {
                let _ = std::fs::rename(&path, path.with_file_name("secrets-broken.toml"));
                (Self { path, values: BTreeMap::new() }, Some(trouble("the file is not TOML")))
            }
        }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Stores a secret for good; `None` forgets it.
    ///
    /// # Errors
    /// The disk does not take it; nothing is changed then.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), SecretsError> {
        let mut values = self.values.clone();
        match value {
            Some(value) => values.insert(name.to_owned(), value.to_owned()),
            None => values.remove(name),
        };
        let text = toml::to_string(&values).expect("names and texts are always TOML");
        let written = self.path.parent().map_or(Ok(()), atomic::make_directory);
        written
            .and_then(|()| atomic::replace(&self.path, text.as_bytes()))
            .map_err(|cause| SecretsError { path: self.path.clone(), cause })?;
        self.values = values;
        Ok(())
    }
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_tuple("Secrets").field(&self.values.keys().collect::<Vec<_>>()).finish()
    }
}

fn trouble(why: &str) -> String {
    format!("The stored passwords cannot be read ({why}). Set them again on the page.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_password_survives_a_restart_and_is_never_shown() {
        let data = tempfile::tempdir().unwrap();
        let (mut secrets, trouble) = Secrets::open(data.path());
        assert_eq!(trouble, None);
        secrets.set(MQTT_PASSWORD, Some("o\"p\n=en")).unwrap();
        let (again, trouble) = Secrets::open(data.path());
        assert_eq!((again.get(MQTT_PASSWORD), trouble), (Some("o\"p\n=en"), None));
        assert!(!format!("{again:?}").contains("p\\n=en"));
        let mode = std::fs::metadata(data.path().join("secrets.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_costs_the_passwords_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("secrets.toml"), "\0\0\0").unwrap();
        let (mut secrets, trouble) = Secrets::open(data.path());
        assert!(trouble.is_some() && secrets.get(MQTT_PASSWORD).is_none());
        secrets.set(MQTT_PASSWORD, Some("again")).unwrap();
        assert_eq!(Secrets::open(data.path()).0.get(MQTT_PASSWORD), Some("again"));
    }
}
