//! The thread of the libraries that need tokio: the MQTT broker's client and RAUC's D-Bus proxy.
//!
//! It reads what the site publishes and hands orders in at the site's door. Nothing in here can make the
//! site wait: pictures go through a slot that holds the newest, events through a bounded buffer that
//! drops the oldest, orders through `try_send`.

pub mod box_id;
mod broker_desk;
mod hawkbit;
mod mailbox;
mod mqtt;
mod slots;
mod standing;
mod updater;

pub use broker_desk::BrokerDesk;
pub use mailbox::Mailbox;
pub(crate) use mqtt::authority_file as broker_authority;
pub use slots::Slots;
pub use standing::{Standing, StandingBoard};

use crate::config::Mqtt;
use crate::site::ocpp_server::Incoming;
use crate::update::Updates;
use crate::web::live::Live;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// How long a broker gets to take "offline" before the program ends without it.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the services use of the other rooms.
#[derive(Clone, Debug)]
pub struct Rooms {
    pub mailbox: Arc<Mailbox>,
    pub slots: Arc<Slots>,
    pub updates: Arc<Updates>,
    pub live: Arc<Live>,
    pub site: async_channel::Sender<Incoming>,
    pub standing: Arc<StandingBoard>,
    /// Where the secrets are.
    pub data: PathBuf,
    /// Where relative paths of the configuration start.
    pub beside: PathBuf,
    /// The name of this box, see [`box_id`].
    pub box_id: String,
}

/// The running thread.
#[derive(Debug)]
pub struct Services {
    wanted: watch::Sender<Wanted>,
    thread: JoinHandle<()>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Wanted {
    mqtt: Option<Mqtt>,
    stop: bool,
    /// Counts changes of the secrets.
    secrets: u64,
}

/// Sets another broker, for whoever saves the configuration.
#[derive(Clone, Debug)]
pub struct Reconfigure(watch::Sender<Wanted>);

impl Reconfigure {
    /// Costs nothing if the broker's settings are as they were.
    pub fn mqtt(&self, mqtt: Option<Mqtt>) {
        self.0.send_if_modified(|wanted| {
            let changed = wanted.mqtt != mqtt;
            wanted.mqtt = mqtt;
            changed
        });
    }

    /// Starts anew: password or certificates have changed.
    fn renew(&self) {
        self.0.send_modify(|wanted| wanted.secrets += 1);
    }

    fn wanted(&self) -> Option<Mqtt> {
        self.0.borrow().mqtt.clone()
    }
}

impl Services {
    /// # Errors
    /// The thread cannot be started.
    pub fn start(rooms: Rooms, mqtt: Option<Mqtt>) -> io::Result<Self> {
        let (wanted, heard) = watch::channel(Wanted { mqtt, ..Wanted::default() });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || runtime.block_on(run(rooms, heard));
        let thread = std::thread::Builder::new().name("services".into()).spawn(work)?;
        Ok(Self { wanted, thread })
    }

    #[must_use]
    pub fn reconfigure(&self) -> Reconfigure {
        Reconfigure(self.wanted.clone())
    }

    /// Says "offline" to the broker and ends the thread.
    pub fn stop(self) {
        self.wanted.send_modify(|wanted| wanted.stop = true);
        if self.thread.join().is_err() {
            tracing::error!("the services' thread had panicked");
        }
    }
}

async fn run(rooms: Rooms, wanted: watch::Receiver<Wanted>) {
    let mut stop = wanted.clone();
    let stopped = async {
        // An error means that nobody is left who could ask.
        let _ = stop.wait_for(|wanted| wanted.stop).await;
        tokio::time::sleep(FAREWELL).await;
    };
    let updates = async {
        updater::drive(&rooms).await;
        std::future::pending().await
    };
    let server = async {
        hawkbit::host(&rooms).await;
        std::future::pending().await
    };
    let updates = futures_lite::future::or(updates, server);
    let work = futures_lite::future::or(mqtt::host(&rooms, wanted), updates);
    futures_lite::future::or(work, stopped).await;
}
