//! A server with rooms made of memory behind it, and a client that speaks plain HTTP/1.1.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod client;
pub(crate) mod rooms;

use client::{Client, Reply};
use dlb::clamps::ClampDesk;
use dlb::update::Updates;
use dlb::web::doors::{Doors, Ordered};
use dlb::web::live::Live;
use dlb::web::password::PasswordStore;
use dlb::web::{Settings, WebServer, serve};
use rooms::{Broker, Recorder, Shelf, site};
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const METRICS_TOKEN: &str = "0123456789abcdef";

/// A box on loopback.
pub(crate) struct Box {
    pub(crate) server: WebServer,
    pub(crate) live: Arc<Live>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) orders: async_channel::Receiver<Ordered>,
    pub(crate) password: Arc<PasswordStore>,
    pub(crate) clamps: Arc<ClampDesk>,
    pub(crate) machine: Arc<rooms::Machine>,
    pub(crate) data: TempDir,
}

impl Box {
    /// Fresh from the factory, with a picture of the site.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::on(tempfile::tempdir().unwrap(), settings)
    }

    /// The same box after a restart: what it knows is what lies in its data directory.
    pub(crate) fn restarted(self) -> Self {
        let Self { server, data, .. } = self;
        drop(server);
        Self::on(data, Settings::default())
    }

    fn on(data: TempDir, settings: Settings) -> Self {
        let live = Arc::new(Live::default());
        live.publish(Arc::new(site("Office")));
        let shelf = Arc::new(Shelf::default());
        let broker = Arc::new(Broker::default());
        let password = Arc::new(PasswordStore::open(data.path()).unwrap());
        let (order_in, orders) = async_channel::bounded(2);
        let clamps = Arc::new(ClampDesk::open(data.path()).0);
        let machine = Arc::new(rooms::Machine::default());
        let doors = Doors {
            live: live.clone(),
            orders: order_in,
            config: shelf.clone(),
            history: Arc::new(Recorder),
            clamps: clamps.clone(),
            system: machine.clone(),
            updates: Arc::new(Updates::open(data.path())),
            broker: broker.clone(),
            password: password.clone(),
            data: data.path().into(),
            metrics_token: Some(METRICS_TOKEN.into()),
        };
        let server = serve(SocketAddr::from(([127, 0, 0, 1], 0)), doors, settings).unwrap();
        Self { server, live, shelf, broker, orders, password, clamps, machine, data }
    }

    /// With a password chosen before it started.
    pub(crate) fn set_up(settings: Settings) -> Self {
        let it = Self::with(settings);
        it.password.set_first(PASSWORD).unwrap();
        it
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// A client that is logged in.
    pub(crate) fn operator(&self) -> Client {
        let mut client = self.client();
        let reply = client.post("/api/v1/login", &format!("{{\"password\":\"{PASSWORD}\"}}"));
        assert_eq!(reply.status, 200, "{reply:?}");
        client.keep_cookie(&reply);
        client
    }
}

pub(crate) fn error_code(reply: &Reply) -> String {
    let json = reply.json();
    assert!(json["error"]["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{reply:?}");
    json["error"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Resident memory of this program in bytes.
pub(crate) fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
