//! Starts the program's threads in the right order, and ends them in the reverse one.
//!
//! First what must never fail (the configuration always opens, at worst as a new box; a broken store is
//! set aside), then what may (listening), and only then the site.

mod measuring;

use super::end::{End, SignalEar};
use super::fatal::Fatal;
use super::listening::Moves;
use super::system_desk::SystemDesk;
use crate::adoption;
use crate::clamps::ClampDesk;
use crate::clock;
use crate::config::{Checked, ConfigDesk, ConfigFile, Maps};
use crate::gpio::{CharacterDevice, Contacts, Drives, Plan};
use crate::journal::Recording;
use crate::register::EnergyRegister;
use crate::reset::{self, ResetDesk};
use crate::sampling::Sampling;
use crate::sampling::alarm::{Alarm, Ringer};
use crate::services::{self, BrokerDesk, Mailbox, Reconfigure, Services, Slots};
use crate::site::ocpp_server::{Incoming, listen};
use crate::site::{Clamps, Outlets, PortPool};
use crate::store::{self, StoreHandle, StoreThread};
use crate::update::Updates;
use crate::web::doors::{Doors, Ordered};
use crate::web::live::Live;
use crate::web::password::PasswordStore;
use crate::web::{WebServer, serve};
use dlb_wiring::controller::Controller;
use dlb_wiring::event::{Alert, Event, Severity};
use dlb_wiring::settings::MeterSource;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    pub config: PathBuf,
    pub data: PathBuf,
    pub converter: Converter,
    /// Where to write a journal for `dlb replay`, if somebody wants one.
    pub record: Option<PathBuf>,
}

/// Where the samples of the clamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converter {
    /// From the box's own, as its board file says.
    OnTheBox,
    /// Whoever starts the program brings them, with [`Running::measure`].
    Brought,
}

/// The program while it runs.
#[derive(Debug)]
pub struct Running {
    pub page: SocketAddr,
    pub ocpp: SocketAddr,
    site: JoinHandle<()>,
    incoming: async_channel::Sender<Incoming>,
    web: WebServer,
    services: Services,
    updates: Arc<Updates>,
    store: StoreThread,
    clamps: Option<String>,
    register: Arc<EnergyRegister>,
    clamp_desk: Arc<ClampDesk>,
    ringer: Option<Ringer>,
    sampling: Option<Sampling>,
    contacts: Contacts,
    reset_told: async_channel::Receiver<()>,
    moved: async_channel::Receiver<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("making the data directory {path}")]
    Data { path: PathBuf, source: io::Error },
    #[error("listening on {address} for chargers; is another program using it?")]
    Ocpp { address: SocketAddr, source: io::Error },
    #[error("opening the password file")]
    Password(#[from] crate::web::password::PasswordFault),
    #[error("starting the web server")]
    Web(#[from] crate::web::WebFault),
    #[error("making the bell that a breach rings")]
    Alarm(#[source] io::Error),
    #[error("starting the thread {name}")]
    Thread { name: &'static str, source: io::Error },
}

/// Events wait here while the site decides; enough for every charger of a large site to speak at once.
const INCOMING_QUEUE: usize = 4_096;
const ORDER_QUEUE: usize = 64;

impl Launch {
    /// # Errors
    /// A port that cannot be listened on, a directory that cannot be made.
    pub fn start(self) -> Result<Running, LaunchError> {
        let data = self.data.clone();
        let (incoming, events) = async_channel::bounded(INCOMING_QUEUE);
        let (file, checked) = self.open(&incoming)?;
        let mut store = store::open(&data);
        let (orders, ordered) = async_channel::bounded(ORDER_QUEUE);
        let (reset, reset_told) = ResetDesk::new(&data);
        let (services, rooms) = start_services(&self.config, &data, &checked, &incoming)?;
        let services::Rooms { mailbox, slots, updates, live, standing, beside: directory, .. } = rooms;
        let broker = BrokerDesk::new(data.clone(), directory, standing, services.reconfigure());
        let contacts = watch_contacts(&checked, &incoming, reset.clone())?;
        updates.serve_from(checked.hawkbit.clone());
        let told = (Arc::clone(&updates), services.reconfigure(), contacts.plans());
        let (config, moved) = config_desk(file, &checked, incoming.clone(), told);
        let clamp_desk = measuring::open_clamps(&data, &incoming);
        let (listener, ocpp) = listen_for_chargers(checked.server.ocpp)?;
        let doors = Doors {
            live: Arc::clone(&live),
            orders,
            config: Arc::clone(&config) as _,
            history: Arc::new(store.handle.clone()),
            clamps: Arc::clone(&clamp_desk),
            system: Arc::new(SystemDesk { slots, reset, ocpp }),
            updates: Arc::clone(&updates),
            broker: Arc::new(broker),
            password: Arc::new(PasswordStore::open(&data)?),
            data: data.as_path().into(),
            metrics_token: None,
        };
        let web = serve(checked.server.page, doors, crate::web::Settings::default())?;
        let clamps = clamps_meter(&checked);
        let board = self.board_of_the_box(&checked);
        let (bell, ringer) = bell(clamps.clone())?;
        let site = SiteThread {
            clamps: bell,
            checked,
            listener,
            incoming: incoming.clone(),
            events,
            ordered,
            config,
            live,
            mailbox,
            learnt: std::mem::take(&mut store.remembered.learnt),
            guards: std::mem::take(&mut store.remembered.guards),
            troubles: store.troubles,
            drives: contacts.drives(),
            record: self.record.clone(),
        };
        let register = kept_register(clamps.as_deref(), &store.remembered, &store.handle);
        let site = spawn("site", move || site.run(store.handle))?;
        let mut running = Running {
            page: web.address(),
            ocpp,
            site,
            incoming,
            web,
            services,
            updates,
            store: store.thread,
            clamps,
            register,
            clamp_desk,
            ringer: Some(ringer),
            sampling: None,
            contacts,
            reset_told,
            moved,
        };
        board.iter().for_each(|board| running.measure_on_the_box(board));
        Ok(running)
    }

    fn board_of_the_box(&self, checked: &Checked) -> Option<PathBuf> {
        let board = checked.board.as_ref().filter(|_| self.converter == Converter::OnTheBox);
        board.map(|board| beside(&self.config, board))
    }

    /// The configuration. A factory reset that was begun is ended first, before anything is used again.
    fn open(&self, site: &async_channel::Sender<Incoming>) -> Result<(ConfigFile, Checked), LaunchError> {
        let data = &self.data;
        std::fs::create_dir_all(data).map_err(|source| LaunchError::Data { path: data.clone(), source })?;
        if let Err(fault) = reset::complete(data, &self.config) {
            tell_trouble(site, format!("The factory reset is not complete: {}.", super::chain(&fault)));
        }
        let opened = ConfigFile::open(&self.config, data, Maps::default(), clock::wall());
        for warning in &opened.warnings {
            tracing::warn!("configuration: {warning}");
        }
        if let Some(trouble) = opened.trouble {
            tell_trouble(site, trouble);
        }
        Ok((opened.file, opened.checked))
    }
}

/// The two ends of the bell that a breach rings.
fn bell(meter: Option<String>) -> Result<(Clamps, Ringer), LaunchError> {
    let alarm = Alarm::new().map_err(LaunchError::Alarm)?;
    let ringer = alarm.ringer();
    Ok((Clamps { alarm, meter }, ringer))
}

/// The services, and what they share with the others.
fn start_services(
    config: &Path,
    data: &Path,
    checked: &Checked,
    site: &async_channel::Sender<Incoming>,
) -> Result<(Services, services::Rooms), LaunchError> {
    let rooms = services::Rooms {
        mailbox: Arc::new(Mailbox::default()),
        slots: Arc::new(Slots::default()),
        updates: Arc::new(Updates::open(data)),
        live: Arc::new(Live::default()),
        site: site.clone(),
        standing: Arc::default(),
        beside: config.parent().map(Path::to_owned).unwrap_or_default(),
        data: data.to_owned(),
        box_id: services::box_id::box_id(data),
    };
    let services = Services::start(rooms.clone(), checked.mqtt.clone())
        .map_err(|source| LaunchError::Thread { name: "services", source })?;
    Ok((services, rooms))
}

fn watch_contacts(
    checked: &Checked,
    site: &async_channel::Sender<Incoming>,
    reset: ResetDesk,
) -> Result<Contacts, LaunchError> {
    let held = move || {
        if let Err(fault) = reset.order("the button") {
            tracing::error!("the button was held: {}", super::chain(&fault));
        }
    };
    Contacts::start(CharacterDevice, checked.contacts.clone(), site.clone(), held)
        .map_err(|source| LaunchError::Thread { name: "gpio", source })
}

/// The meter that the box's own clamps are.
fn clamps_meter(checked: &Checked) -> Option<String> {
    let meters = checked.settings.meters.iter();
    meters.filter(|meter| meter.source == MeterSource::Clamps).map(|meter| meter.id.clone()).next()
}

/// The energy register of the clamps goes on where it was, and is kept from now on.
fn kept_register(
    clamps: Option<&str>,
    remembered: &store::Remembered,
    store: &StoreHandle,
) -> Arc<EnergyRegister> {
    let Some(meter) = clamps else { return Arc::default() };
    let (imported, exported) = remembered.registers.get(meter).copied().unwrap_or_default();
    let register = Arc::new(EnergyRegister::resumed(imported, exported));
    store.keep(meter, Arc::clone(&register));
    register
}

/// A relative path starts at the configuration file.
fn beside(config: &Path, path: &Path) -> PathBuf {
    config.parent().map_or_else(|| path.to_owned(), |directory| directory.join(path))
}

impl Running {
    /// Waits for whatever ends the program first.
    pub async fn until_told(&self, signals: &mut SignalEar) -> End {
        End::told(signals, &self.updates, &self.reset_told, &self.moved).await
    }

    /// Puts chargers on safe limits and ends.
    pub fn stop(mut self) {
        let _ = self.incoming.send_blocking(Incoming::Event(Event::Stopping));
        // A panic there would have ended the program.
        let _ = self.site.join();
        self.sampling = None;
        drop(self.contacts);
        self.web.shutdown();
        self.services.stop();
        self.store.stop();
    }
}

/// What the site's thread starts with.
struct SiteThread {
    clamps: Clamps,
    checked: Checked,
    listener: TcpListener,
    incoming: async_channel::Sender<Incoming>,
    events: async_channel::Receiver<Incoming>,
    ordered: async_channel::Receiver<Ordered>,
    config: Arc<ConfigDesk>,
    live: Arc<Live>,
    mailbox: Arc<Mailbox>,
    learnt: BTreeMap<String, String>,
    guards: BTreeMap<String, String>,
    troubles: async_channel::Receiver<Alert>,
    drives: Arc<Drives>,
    record: Option<PathBuf>,
}

impl SiteThread {
    fn run(self, store: StoreHandle) {
        let _fatal = Fatal("site");
        let executor = Rc::new(smol::LocalExecutor::new());
        let ports = PortPool::new(Rc::clone(&executor), self.incoming.clone(), &self.checked.ports);
        let now = clock::now();
        let recording = self.record.and_then(|path| {
            let started = Recording::start(&path, now, &self.checked, &self.learnt);
            started.inspect_err(|error| tracing::error!("recording to {}: {error}", path.display())).ok()
        });
        let mut controller = Controller::new(self.checked.settings, self.learnt, now);
        controller.remember_guards(now, &self.guards);
        let outlets = outlets(store, ports, self.config, self.live, self.mailbox, self.drives);
        let outlets = Outlets { recording, ..outlets };
        let inner = Rc::clone(&executor);
        smol::block_on(executor.run(async move {
            let Ok(listener) = smol::Async::new(self.listener) else {
                tracing::error!("the charger's listener cannot be made asynchronous");
                return;
            };
            inner.spawn(listen(Rc::clone(&inner), listener.into(), self.incoming.clone())).detach();
            inner.spawn(take_orders(self.ordered, self.incoming.clone())).detach();
            inner.spawn(take_troubles(self.troubles, self.incoming)).detach();
            crate::site::run(controller, self.events, self.clamps, outlets).await;
        }));
    }
}

/// Brings orders of the page into the site's one queue.
async fn take_orders(orders: async_channel::Receiver<Ordered>, site: async_channel::Sender<Incoming>) {
    while let Ok(Ordered { order, reply }) = orders.recv().await {
        if site.send(Incoming::Event(Event::Order(order))).await.is_err() {
            return;
        }
        let _ = reply.try_send(Ok(()));
    }
}

/// Brings what the store has to complain about to the page.
async fn take_troubles(troubles: async_channel::Receiver<Alert>, site: async_channel::Sender<Incoming>) {
    while let Ok(alert) = troubles.recv().await {
        if site.send(Incoming::Event(Event::Trouble(alert))).await.is_err() {
            return;
        }
    }
}

fn outlets(
    store: StoreHandle,
    ports: PortPool,
    config: Arc<ConfigDesk>,
    live: Arc<Live>,
    mailbox: Arc<Mailbox>,
    drives: Arc<Drives>,
) -> Outlets {
    let records = Arc::clone(&mailbox);
    Outlets {
        store,
        ports,
        drives,
        adopt: Box::new(move |identity, outlets, circuit| {
            let config = Arc::clone(&config);
            // Writes a file: not on the site's thread.
            smol::unblock(move || adoption::by_rule(&config, &identity, outlets, &circuit)).detach();
        }),
        audience: vec![
            Box::new(move |_, view| live.publish(Arc::clone(view))),
            Box::new(move |status, view| mailbox.show(status, view)),
        ],
        witnesses: vec![Box::new(move |record| records.hear(record))],
        recording: None,
    }
}

/// Something that the program itself cannot do, for the page.
fn tell_trouble(site: &async_channel::Sender<Incoming>, text: String) {
    let alert = Alert {
        at: clock::now(),
        severity: Severity::Alarm,
        about: "site".into(),
        code: "box-trouble",
        text,
        cleared: false,
    };
    // The queue is empty at the start.
    let _ = site.try_send(Incoming::Event(Event::Trouble(alert)));
}

/// The configuration for whoever saves, and an ear for when the program must move.
fn config_desk(
    file: ConfigFile,
    checked: &Checked,
    site: async_channel::Sender<Incoming>,
    told: (Arc<Updates>, Reconfigure, async_channel::Sender<Plan>),
) -> (Arc<ConfigDesk>, async_channel::Receiver<()>) {
    let (moves, moved) = Moves::new(checked.server);
    let apply = apply_to(site, told, moves.clone());
    (Arc::new(ConfigDesk::new(file, moves.into_obstacles(), apply)), moved)
}

/// Hands a saved configuration to the site.
fn apply_to(
    site: async_channel::Sender<Incoming>,
    (updates, broker, contacts): (Arc<Updates>, Reconfigure, async_channel::Sender<Plan>),
    moves: Moves,
) -> crate::config::Apply {
    Box::new(move |saved| {
        for warning in &saved.warnings {
            tracing::warn!("configuration: {warning}");
        }
        tracing::info!(version = saved.version, "a new configuration");
        broker.mqtt(saved.checked.mqtt.clone());
        updates.serve_from(saved.checked.hawkbit.clone());
        let _ = contacts.send_blocking(saved.checked.contacts.clone());
        moves.saved(&saved.checked.server);
        // Only fails when the program ends; the file is saved then, too.
        let _ = site.send_blocking(Incoming::Configured(Box::new(saved.checked)));
    })
}

fn listen_for_chargers(address: SocketAddr) -> Result<(TcpListener, SocketAddr), LaunchError> {
    let listening = TcpListener::bind(address).and_then(|listener| {
        let there = listener.local_addr()?;
        Ok((listener, there))
    });
    listening.map_err(|source| LaunchError::Ocpp { address, source })
}

fn spawn(name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LaunchError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map_err(|source| LaunchError::Thread { name, source })
}
