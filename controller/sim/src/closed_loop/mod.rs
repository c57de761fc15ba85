//! The very controller that the program runs, on the made-up site, in made-up time: no socket, no clock.
//!
//! What is sent takes a step or longer each way ([`network`]); meters are read as often as they are
//! ([`meters`]); faults come and go at their time ([`faults`]). What the judge reads afterwards is the
//! world's own notebook ([`crate::truth`]), never the controller's.

mod faults;
mod garage;
mod meters;
mod modbus;
mod network;

pub use faults::{Changes, Fault, Trouble};
pub use garage::settings;
pub use meters::{MeterFault, MeterPlan, MeterReach};
pub use modbus::Device;
pub use network::Weather;

use crate::digest::Digest;
use crate::garage::{BayPlan, Reach};
use crate::world::World;
use dlb_engine::site::SiteFault;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_links::modbus::{Fault as ModbusFault, Function, Request};
use dlb_wiring::controller::Controller;
use dlb_wiring::event::{ConnectionId, Effect, Event, Record};
use dlb_wiring::settings::{PortIx, Settings};
use faults::Faults;
use meters::Meters;
use network::{Network, Parcel};
use std::collections::BTreeMap;

/// What stands between a world and a controller.
#[derive(Clone, Debug)]
pub struct Rig {
    pub settings: Settings,
    /// What is behind each port.
    pub ports: Vec<Device>,
    pub meters: Vec<MeterPlan>,
    /// In any order.
    pub faults: Vec<Fault>,
    /// How often anything can happen.
    pub step: Duration,
}

/// World and controller, and what is on its way between them.
pub struct ClosedLoop {
    world: World,
    /// `None`: the box has no power.
    controller: Option<Controller>,
    /// What is in the box's configuration file now.
    settings: Settings,
    /// What is on the box's disk of what probing taught.
    memories: BTreeMap<String, String>,
    now: Instant,
    step: Duration,
    wall: (Instant, WallTime),
    links: Vec<Link>,
    ports: Vec<Device>,
    meters: Meters,
    network: Network,
    faults: Faults,
    opened: u64,
    /// Everything that was written down for good.
    pub records: Vec<Record>,
    pub frames_sent: u64,
    /// Limits among them, and those written into registers.
    pub setpoints_sent: u64,
    /// The most effects that one event has had.
    pub most_effects: usize,
    digest: Digest,
    witness: Option<Box<dyn Witness>>,
}

/// Hears everything that passes the controller's door.
pub trait Witness {
    /// The configuration has been changed from what the scenario says; the next event is about that.
    fn changed(&mut self, changes: &Changes);
    /// The box starts, with what is on its disk of what probing taught.
    fn started(&mut self, now: Instant, memories: &BTreeMap<String, String>);
    /// This happened, before anything is done about it.
    fn event(&mut self, now: Instant, event: &Event);
    /// And this is what the controller did about it.
    fn effects(&mut self, effects: &[Effect]);
}

/// The WebSocket of a bay.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    connection: Option<ConnectionId>,
    /// The cable is pulled.
    unplugged: bool,
}

/// Name of the meter at the grid connection of the demonstration.
pub const GRID_METER: &str = "main";
/// A request that nobody answers is given up after this long.
const MODBUS_PATIENCE: Duration = Duration::from_secs(1);

impl core::fmt::Debug for ClosedLoop {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("ClosedLoop").field("now", &self.now).finish_non_exhaustive()
    }
}

impl ClosedLoop {
    /// The site of the demonstration with its controller, both just switched on.
    ///
    /// # Errors
    /// Where the bays contradict themselves.
    pub fn new(bays: &[BayPlan], world: World, now: Instant, wall: WallTime) -> Result<Self, Vec<SiteFault>> {
        let modbus = bays.iter().enumerate().filter(|(_, bay)| !matches!(bay.reach, Reach::Ocpp { .. }));
        let clamps = MeterReach::Clamps { every: Duration::from_millis(200) };
        let rig = Rig {
            settings: settings(bays)?,
            ports: modbus.map(|(at, _)| Device::Bay(at)).collect(),
            meters: vec![MeterPlan { id: GRID_METER.to_owned(), circuit: 0, reach: clamps }],
            faults: Vec::new(),
            step: Duration::from_millis(50),
        };
        Ok(Self::with(rig, world, now, wall, None))
    }

    /// Any site with its controller, both just switched on.
    #[must_use]
    pub fn with(
        rig: Rig,
        world: World,
        now: Instant,
        wall: WallTime,
        witness: Option<Box<dyn Witness>>,
    ) -> Self {
        let bays = world.bays().len();
        let mut this = Self {
            links: vec![Link::default(); bays],
            ports: rig.ports,
            meters: Meters::new(rig.meters, now),
            network: Network::new(bays, world.seed()),
            faults: Faults::new(rig.faults, world.seed(), now),
            controller: None,
            settings: rig.settings,
            memories: BTreeMap::new(),
            world,
            now,
            step: rig.step,
            wall: (now, wall),
            opened: 0,
            records: Vec::new(),
            frames_sent: 0,
            setpoints_sent: 0,
            most_effects: 0,
            digest: Digest::default(),
            witness,
        };
        this.power_up();
        this
    }

    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    pub const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The controller, unless the box is without power.
    #[must_use]
    pub const fn powered(&self) -> Option<&Controller> {
        self.controller.as_ref()
    }

    /// # Panics
    /// While the box is without power.
    #[must_use]
    pub fn controller(&self) -> &Controller {
        self.controller.as_ref().expect("the box has power")
    }

    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Fingerprint of all that flowed and all that was said.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = self.digest;
        digest.word(self.world.digest());
        digest.value()
    }

    /// Pulls or plugs in the network cable of a bay.
    pub fn cable(&mut self, bay: usize, plugged: bool) {
        self.links[bay].unplugged = !plugged;
    }

    /// Has the box a link to this bay at present?
    #[must_use]
    pub fn in_reach(&self, bay: usize) -> bool {
        self.controller.is_some() && !self.links[bay].unplugged
    }

    /// Does nothing that the box says arrive at this bay?
    #[must_use]
    pub fn hears_nothing(&self, bay: usize) -> bool {
        !self.in_reach(bay) || self.network.is_dead(bay)
    }

    /// Makes a meter faulty, or well again.
    pub fn meter(&mut self, meter: usize, fault: MeterFault) {
        self.meters.fault(meter, fault);
    }

    /// How the link of a bay treats what is sent over it.
    pub fn weather_mut(&mut self, bay: usize) -> &mut Weather {
        self.network.weather_mut(bay)
    }

    /// The faults that are at work now, and those that have been within the span.
    pub fn troubles(&self, within: Duration) -> impl Iterator<Item = &Fault> {
        self.faults.at_work(self.now, within)
    }

    /// Lets an order or another event in.
    pub fn tell(&mut self, event: Event) {
        let Some(controller) = &mut self.controller else { return };
        if let Some(witness) = &mut self.witness {
            witness.event(self.now, &event);
        }
        let effects = controller.handle(self.now, event);
        if let Some(witness) = &mut self.witness {
            witness.effects(&effects);
        }
        self.most_effects = self.most_effects.max(effects.len());
        self.carry_out(effects);
    }

    /// Runs for so long.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.step();
        }
    }

    /// Runs for one step.
    pub fn step(&mut self) {
        self.now = self.now + self.step;
        self.world.advance(self.now);
        self.strike();
        while let Some(parcel) = self.network.arrived(self.now) {
            self.hand_over(parcel);
        }
        self.connect();
        self.hear_frames();
        for (meter, outcome) in self.meters.readings(&self.world, self.now) {
            self.tell(Event::Clamps { meter, outcome });
        }
        let due = |controller: &Controller| controller.deadline(self.now).is_some_and(|at| at <= self.now);
        if self.controller.as_ref().is_some_and(due) {
            self.tell(Event::Tick);
        }
    }

    /// The box starts: what is on its disk is all that it knows.
    fn power_up(&mut self) {
        if let Some(witness) = &mut self.witness {
            witness.started(self.now, &self.memories);
        }
        self.controller = Some(Controller::new(self.settings.clone(), self.memories.clone(), self.now));
        let (then, wall) = self.wall;
        let wall = wall + self.now.since(then);
        self.tell(Event::WallClock(wall));
        self.tell(Event::Daytime(time_of_day(wall)));
    }

    fn power_down(&mut self) {
        self.controller = None;
        self.network.forget();
        for bay in 0..self.links.len() {
            if self.links[bay].connection.take().is_some()
                && let Some(point) = self.world.point_mut(bay)
            {
                point.link_down(self.now);
            }
        }
    }

    /// A new configuration file.
    fn configure(&mut self, settings: Settings) {
        self.settings = settings.clone();
        if let Some(witness) = &mut self.witness {
            witness.changed(&self.faults.changes);
        }
        self.tell(Event::Configured(Box::new(settings)));
    }

    fn hand_over(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToBox(event) => self.tell(event),
            Parcel::ToPoint { bay, connection, text } => {
                if self.links[bay].connection != Some(connection) || self.links[bay].unplugged {
                    return;
                }
                if let Some(point) = self.world.point_mut(bay) {
                    point.receive(self.now, &text);
                }
            }
        }
    }

    /// Opens and closes WebSockets as charge points and cables have it.
    fn connect(&mut self) {
        if self.controller.is_none() {
            return;
        }
        for bay in 0..self.links.len() {
            let Some(point) = self.world.point_mut(bay) else { continue };
            let wanted = point.wants_link() && !self.links[bay].unplugged;
            match (self.links[bay].connection, wanted) {
                (None, true) => {
                    point.link_up(self.now);
                    let identity = point.nameplate().identity.clone();
                    self.opened += 1;
                    let connection = ConnectionId(self.opened);
                    self.links[bay].connection = Some(connection);
                    self.tell(Event::OcppOpened { connection, identity });
                }
                (Some(connection), false) => {
                    point.link_down(self.now);
                    self.links[bay].connection = None;
                    self.tell(Event::OcppClosed { connection });
                }
                _ => {}
            }
        }
    }

    fn hear_frames(&mut self) {
        let now = self.now;
        for bay in 0..self.links.len() {
            let Some(connection) = self.links[bay].connection else { continue };
            while let Some(text) = self.world.point_mut(bay).and_then(|point| point.next_frame(now)) {
                self.digest.bytes(text.as_bytes());
                self.network.send(now, bay, false, Parcel::ToBox(Event::OcppFrame { connection, text }));
            }
        }
        while let Some(parcel) = self.network.arrived(now) {
            self.hand_over(parcel);
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::OcppSend { connection, text } => self.send(connection, text),
                Effect::OcppClose { connection, .. } => self.close(connection),
                Effect::Modbus { port, exchange, request } => self.ask(port, exchange, &request),
                Effect::Record(record) => self.write_down(record),
                Effect::Adopt { .. } | Effect::Drive { .. } | Effect::Publish => {}
            }
        }
    }

    fn write_down(&mut self, record: Record) {
        if let Record::Learnt { identity, memory } = &record {
            self.memories.insert(identity.clone(), memory.clone());
        }
        self.records.push(record);
    }

    fn bay_of(&self, connection: ConnectionId) -> Option<usize> {
        self.links.iter().position(|link| link.connection == Some(connection))
    }

    fn send(&mut self, connection: ConnectionId, text: String) {
        let Some(bay) = self.bay_of(connection) else { return };
        self.frames_sent += 1;
        self.setpoints_sent += u64::from(text.contains("\"SetChargingProfile\""));
        self.digest.bytes(text.as_bytes());
        self.network.send(self.now, bay, true, Parcel::ToPoint { bay, connection, text });
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(bay) = self.bay_of(connection) else { return };
        self.links[bay].connection = None;
        let now = self.now;
        if let Some(point) = self.world.point_mut(bay) {
            point.link_down(now);
        }
        self.network.deliver(now + self.step, Parcel::ToBox(Event::OcppClosed { connection }));
    }

    fn ask(&mut self, port: PortIx, exchange: u64, request: &Request) {
        self.digest.word(exchange);
        let writes =
            matches!(request.function, Function::WriteSingle { .. } | Function::WriteMultiple { .. });
        self.setpoints_sent += u64::from(writes);
        self.digest.bytes(format!("{request:?}").as_bytes());
        let (answer, takes) = self.modbus(port, request);
        let event = Event::ModbusAnswer { exchange, answer };
        self.network.deliver(self.now + takes, Parcel::ToBox(event));
    }

    fn modbus(&mut self, port: PortIx, request: &Request) -> (Result<Vec<u16>, ModbusFault>, Duration) {
        let Some(&device) = self.ports.get(port.0) else {
            return (Err(ModbusFault::Disconnected), self.step);
        };
        let (mut lost, mut takes) = (false, self.step);
        if let Device::Bay(bay) = device {
            lost = self.links[bay].unplugged || self.network.loses(bay);
            takes += self.network.delay(bay);
        }
        if lost || takes >= MODBUS_PATIENCE {
            return (Err(ModbusFault::Timeout), MODBUS_PATIENCE);
        }
        (device.exchange(&mut self.world, &mut self.meters, self.now, request), takes)
    }
}

/// A made-up site lives by universal time.
fn time_of_day(wall: dlb_engine::time::WallTime) -> Duration {
    Duration::from_millis(wall.0.rem_euclid(86_400_000).unsigned_abs())
}
