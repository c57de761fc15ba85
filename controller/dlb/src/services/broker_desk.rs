//! The broker's secrets as the web server sets them. What is set is on the disk first; then the link starts
//! anew with it.

use super::mqtt::trust::{certificates, fingerprint};
use super::mqtt::{Authority, authority};
use super::{Reconfigure, Standing, StandingBoard};
use crate::config::atomic;
use crate::config::secrets::{MQTT_PASSWORD, Secrets};
use crate::web::doors::{BrokerDoor, DoorFault, SecretRefusal};
use crate::web::wire::{BrokerStateName, BrokerView, CertificateView, TroubleView};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// More than MQTT can carry.
const LONGEST_PASSWORD: usize = 65_535;

#[derive(Debug)]
pub struct BrokerDesk {
    data: PathBuf,
    beside: PathBuf,
    standing: Arc<StandingBoard>,
    link: Reconfigure,
    /// One writer at a time.
    writing: Mutex<()>,
}

impl BrokerDesk {
    /// `beside`: where relative paths of the configuration start.
    #[must_use]
    pub fn new(data: PathBuf, beside: PathBuf, standing: Arc<StandingBoard>, link: Reconfigure) -> Self {
        Self { data, beside, standing, link, writing: Mutex::new(()) }
    }

    fn certificates(&self) -> Vec<CertificateView> {
        let wanted = self.link.wanted();
        let Authority::Given(path) = authority(wanted.as_ref(), &self.data, &self.beside) else {
            return Vec::new();
        };
        // What cannot be read is told by the link, in an alert.
        let pem = std::fs::read(path).unwrap_or_default();
        let view = |certificate| CertificateView { sha256: fingerprint(&certificate) };
        certificates(&pem).unwrap_or_default().into_iter().map(view).collect()
    }
}

impl BrokerDoor for BrokerDesk {
    fn view(&self) -> BrokerView {
        let (state, trouble) = match self.standing.read() {
            Standing::Off => (BrokerStateName::Off, None),
            Standing::Trying => (BrokerStateName::Trying, None),
            Standing::Up => (BrokerStateName::Up, None),
            Standing::Away { code, text } => (BrokerStateName::Away, Some(TroubleView { code, text })),
        };
        let password_set = Secrets::open(&self.data).0.get(MQTT_PASSWORD).is_some();
        BrokerView { state, trouble, password_set, authorities: self.certificates() }
    }

    fn set_password(&self, password: Option<&str>) -> Result<(), SecretRefusal> {
        if password.is_some_and(|password| password.is_empty() || password.len() > LONGEST_PASSWORD) {
            let why = "A password for MQTT has 1 to 65535 bytes.".to_owned();
            return Err(SecretRefusal::Wrong { why, remedy: "Send null to forget it." });
        }
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut secrets, _) = Secrets::open(&self.data);
        secrets
            .set(MQTT_PASSWORD, password)
            .map_err(|error| DoorFault::new("keeping the broker's password", error))?;
        self.link.renew();
        Ok(())
    }

    fn set_authority(&self, pem: Option<&str>) -> Result<(), SecretRefusal> {
        let file = super::mqtt::authority_file(&self.data);
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match pem {
            Some(pem) => {
                certificates(pem.as_bytes()).map_err(|fault| SecretRefusal::Wrong {
                    why: format!("The file does not help: {fault}."),
                    remedy: "Give the certificate of the authority (CA) that issued the broker's, or the \
                             broker's own.",
                })?;
                atomic::make_directory(&self.data).and_then(|()| atomic::replace(&file, pem.as_bytes()))
            }
            None => match std::fs::remove_file(&file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        done.map_err(|error| DoorFault::new("keeping the broker's certificate authority", error))?;
        self.link.renew();
        Ok(())
    }
}
