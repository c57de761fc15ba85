//! Carries the MQTT client's bytes to the broker over TLS. The client library speaks to a socket in a
//! directory that this program's user alone can enter; whatever it says there goes to the broker, and the
//! other way round. One connection at a time; the newest wins.
//!
//! It knows no MQTT. Why a connection failed is kept for the link, which would otherwise see no more than a
//! closed socket.

use super::trouble::{Trouble, broken, handshake_trouble, unreachable};
use super::trust::{self, Authority};
use crate::config::Mqtt;
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Name look-up, connection and handshake together; shorter than the client's own patience.
const DIAL_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Tunnel {
    listener: UnixListener,
    place: TempDir,
    trouble: RefCell<Option<Trouble>>,
}

impl Tunnel {
    pub(super) fn open() -> io::Result<Self> {
        let place = tempfile::Builder::new().prefix("dlb-broker-").tempdir()?;
        let listener = UnixListener::bind(place.path().join("mqtt"))?;
        Ok(Self { listener, place, trouble: RefCell::new(None) })
    }

    /// Where the client connects to.
    pub(super) fn path(&self) -> PathBuf {
        self.place.path().join("mqtt")
    }

    /// Why the last connection failed, once.
    pub(super) fn take_trouble(&self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// Carries for ever.
    pub(super) async fn run(&self, mqtt: &Mqtt, authority: &Authority) {
        let mut next = self.accept().await;
        loop {
            let carried = async {
                let trouble = carry(&mut next, mqtt, authority).await.err();
                *self.trouble.borrow_mut() = trouble;
                None
            };
            let newer = async { Some(self.accept().await) };
            let newer = futures_lite::future::or(newer, carried).await;
            // The client sees its end only after the reason has been written down.
            next = match newer {
                Some(newer) => newer,
                None => {
                    drop(next);
                    self.accept().await
                }
            };
        }
    }

    async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    tracing::warn!(%error, "the way to the broker is blocked; trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn carry(client: &mut UnixStream, mqtt: &Mqtt, authority: &Authority) -> Result<(), Trouble> {
    let dialled = tokio::time::timeout(DIAL_WITHIN, dial(mqtt, authority)).await;
    let mut broker = dialled.map_err(|_| unreachable(mqtt, "it does not answer"))??;
    let ended = tokio::io::copy_bidirectional(client, &mut broker).await;
    ended.map(|_| ()).map_err(|error| broken(mqtt, authority, &error))
}

async fn dial(mqtt: &Mqtt, authority: &Authority) -> Result<TlsStream<TcpStream>, Trouble> {
    let config = trust::client_config(authority).map_err(|fault| Trouble::of_trust(&fault))?;
    let host = mqtt.host.split('%').next().unwrap_or_default().to_owned();
    let name = ServerName::try_from(host).map_err(|error| unreachable(mqtt, &error.to_string()))?;
    let stream = TcpStream::connect((mqtt.host.as_str(), mqtt.port))
        .await
        .map_err(|error| unreachable(mqtt, &error.to_string()))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map_err(|error| handshake_trouble(mqtt, authority, &error))
}
