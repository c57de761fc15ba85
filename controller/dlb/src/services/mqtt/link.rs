//! The connection to the broker: keeps it, tells when it is up and what arrived, backs off when it fails.
//! It knows no topic but that of the last will.

use super::tell;
use super::topics::Base;
use super::trouble::{self, Trouble};
use super::trust::authority;
use super::tunnel::Tunnel;
use crate::config::Mqtt;
use crate::config::secrets::{MQTT_PASSWORD, Secrets};
use crate::services::{Rooms, Standing};
use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS, Transport,
};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// From the name's look-up to the broker's welcome, a slow TLS handshake included.
const CONNECT_WITHIN_S: u64 = 15;
/// Shorter absences are no news.
const AWAY: Duration = Duration::from_secs(60);
/// Nothing that is meant for a box is longer; a longer message ends the connection.
const LARGEST_MESSAGE: usize = 256 * 1024;
/// Messages on their way to the broker.
const OUTBOX: usize = 64;
/// Messages that arrived and wait. What does not fit is lost, as on a slow line.
const INBOX: usize = 256;

/// What is known of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Up {
    /// Counts connections; the broker knows nothing of an earlier one.
    pub(super) connection: u64,
    pub(super) up: bool,
    /// Messages with a receipt that the broker has acknowledged, over all connections.
    pub(super) receipts: u64,
    /// Our own farewell has been sent.
    pub(super) said_goodbye: bool,
}

pub(super) struct Link<'a> {
    rooms: &'a Rooms,
    mqtt: &'a Mqtt,
    events: EventLoop,
    up: watch::Sender<Up>,
    inbox: mpsc::Sender<Publish>,
    pause: Duration,
    away_since: Instant,
    /// The alert that stands, and what it says.
    told: Option<(&'static str, String)>,
    /// The way to a broker with TLS.
    tunnel: Option<&'a Tunnel>,
}

pub(super) type Heard = (watch::Receiver<Up>, mpsc::Receiver<Publish>);

impl<'a> Link<'a> {
    pub(super) fn new(
        rooms: &'a Rooms,
        mqtt: &'a Mqtt,
        tunnel: Option<&'a Tunnel>,
    ) -> (Self, AsyncClient, Heard) {
        let base = Base::new(&mqtt.prefix, &rooms.box_id);
        let host = tunnel.map_or_else(|| mqtt.host.clone(), |tunnel| tunnel.path().display().to_string());
        let mut options = MqttOptions::new(format!("dlb-{}", rooms.box_id), host, mqtt.port);
        options.set_transport(if tunnel.is_some() { Transport::unix() } else { Transport::tcp() });
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_max_packet_size(LARGEST_MESSAGE, LARGEST_MESSAGE)
            .set_last_will(LastWill::new(base.status(), "offline", QoS::AtLeastOnce, true));
        let (client, mut events) = AsyncClient::new(options, OUTBOX);
        events.network_options.set_connection_timeout(CONNECT_WITHIN_S);
        let (up, link_up) = watch::channel(Up::default());
        let (inbox, arrived) = mpsc::channel(INBOX);
        let away_since = Instant::now();
        let link =
            Self { rooms, mqtt, events, up, inbox, pause: FIRST_PAUSE, away_since, told: None, tunnel };
        rooms.standing.write(Standing::Trying);
        (link, client, (link_up, arrived))
    }

    /// Keeps the connection for ever.
    pub(super) async fn run(&mut self) {
        let (tunnel, mqtt, rooms) = (self.tunnel, self.mqtt, self.rooms);
        let carrying = async {
            match tunnel {
                Some(tunnel) => tunnel.run(mqtt, &authority(Some(mqtt), &rooms.data, &rooms.beside)).await,
                None => std::future::pending().await,
            }
        };
        futures_lite::future::or(carrying, self.keep()).await;
    }

    async fn keep(&mut self) {
        self.authenticate();
        loop {
            match self.events.poll().await {
                Ok(event) => self.happened(event),
                Err(error) => self.failed(&error).await,
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.connected(),
            Event::Incoming(Packet::PubAck(_)) => self.up.send_modify(|up| up.receipts += 1),
            Event::Incoming(Packet::Publish(publish)) => {
                if self.inbox.try_send(publish).is_err() {
                    tracing::warn!("commands arrive faster than they can be taken; one is lost");
                }
            }
            Event::Outgoing(Outgoing::Disconnect) => self.up.send_modify(|up| up.said_goodbye = true),
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }

    fn connected(&mut self) {
        tracing::info!(broker = self.mqtt.host, port = self.mqtt.port, "connected to the broker");
        self.pause = FIRST_PAUSE;
        self.rooms.standing.write(Standing::Up);
        self.untell();
        self.up.send_modify(|up| {
            up.connection += 1;
            up.up = true;
        });
    }

    async fn failed(&mut self, error: &rumqttc::ConnectionError) {
        let was_up = self.up.borrow().up;
        self.up.send_modify(|up| up.up = false);
        if self.up.borrow().said_goodbye {
            return std::future::pending().await;
        }
        let trouble = self.tunnel.and_then(Tunnel::take_trouble);
        let trouble = trouble.unwrap_or_else(|| trouble::of_client(self.mqtt, error));
        if was_up {
            self.away_since = Instant::now();
        }
        if was_up || self.pause == FIRST_PAUSE {
            tracing::warn!("{} Trying again.", trouble.text);
        } else {
            tracing::debug!("still so: {}", trouble.text);
        }
        self.tell(trouble);
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.authenticate();
    }

    /// One alert at a time, of what is wrong now.
    fn tell(&mut self, trouble: Trouble) {
        let Trouble { may_pass, code, text } = trouble;
        self.rooms.standing.write(Standing::Away { code, text: text.clone() });
        let known = self.told.as_ref().is_some_and(|told| *told == (code, text.clone()));
        if known || may_pass && self.away_since.elapsed() < AWAY {
            return;
        }
        self.untell();
        tell(self.rooms, code, text.clone(), false);
        self.told = Some((code, text));
    }

    /// What is over, or is tried anew with other settings, is no trouble any more.
    pub(super) fn untell(&mut self) {
        if let Some((code, text)) = self.told.take() {
            tell(self.rooms, code, text, true);
        }
    }

    /// The password may have been set since the last attempt.
    fn authenticate(&mut self) {
        let Some(user) = &self.mqtt.username else { return };
        let (secrets, _) = Secrets::open(&self.rooms.data);
        let password = secrets.get(MQTT_PASSWORD).unwrap_or_default();
        self.events.mqtt_options.set_credentials(user, password);
    }
}
