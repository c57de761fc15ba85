//! The very controller that the program runs, on the made-up site, in made-up time: no socket, no clock.
//!
//! Frames and requests take one step each way; the clamps are read every ten cycles of the mains. What
//! the judge reads afterwards is the world's own notebook ([`crate::truth`]), never the controller's.

use crate::garage::{self, BayPlan, Reach};
use crate::modbus::answer;
use crate::outlet::Kind;
use crate::world::World;
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{NoReading, Quality, Reading};
use dlb_engine::site::{self, Balance, Circuit, CircuitIx, Site, SiteFault, Supply};
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, Millivolts, Watts};
use dlb_links::charger::Outlet;
use dlb_links::modbus::{Fault, Function, Request};
use dlb_wiring::controller::Controller;
use dlb_wiring::event::{ConnectionId, Effect, Event, Record};
use dlb_wiring::settings::{Adoption, LinkSetting, MeterSetting, MeterSource, Policy, PortIx, Settings};
use std::collections::BTreeMap;

/// World and controller, and what is on its way between them.
#[derive(Debug)]
pub struct ClosedLoop {
    world: World,
    controller: Controller,
    now: Instant,
    links: Vec<Link>,
    /// Bay behind each port.
    ports: Vec<usize>,
    opened: u64,
    on_the_way: Vec<Event>,
    clamps_due: Instant,
    /// The clamps' cable is plugged in.
    pub clamps: bool,
    /// Everything that was written down for good.
    pub records: Vec<Record>,
    pub frames_sent: u64,
}

/// The WebSocket of a bay.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    connection: Option<ConnectionId>,
    /// The cable is pulled.
    unplugged: bool,
}

const STEP: Duration = Duration::from_millis(50);
const CLAMPS_EVERY: Duration = Duration::from_millis(200);
/// Name of the meter at the grid connection.
pub const GRID_METER: &str = "main";

impl ClosedLoop {
    /// The site of the demonstration with its controller, both just switched on.
    ///
    /// # Errors
    /// Where the bays contradict themselves.
    pub fn new(bays: &[BayPlan], world: World, now: Instant, wall: WallTime) -> Result<Self, Vec<SiteFault>> {
        let settings = settings(bays)?;
        let modbus = bays.iter().enumerate().filter(|(_, bay)| !matches!(bay.reach, Reach::Ocpp { .. }));
        let mut this = Self {
            links: vec![Link::default(); bays.len()],
            ports: modbus.map(|(at, _)| at).collect(),
            controller: Controller::new(settings, BTreeMap::new(), now),
            world,
            now,
            opened: 0,
            on_the_way: Vec::new(),
            clamps_due: now,
            clamps: true,
            records: Vec::new(),
            frames_sent: 0,
        };
        this.tell(Event::WallClock(wall));
        Ok(this)
    }

    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    pub const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    #[must_use]
    pub const fn controller(&self) -> &Controller {
        &self.controller
    }

    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Pulls or plugs in the network cable of a bay.
    pub fn cable(&mut self, bay: usize, plugged: bool) {
        self.links[bay].unplugged = !plugged;
    }

    /// Lets an order or another event in.
    pub fn tell(&mut self, event: Event) {
        let effects = self.controller.handle(self.now, event);
        self.carry_out(effects);
    }

    /// Runs for so long.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.step();
        }
    }

    fn step(&mut self) {
        self.now = self.now + STEP;
        self.world.advance(self.now);
        for event in core::mem::take(&mut self.on_the_way) {
            self.tell(event);
        }
        self.connect();
        self.hear_frames();
        if self.clamps_due <= self.now {
            self.clamps_due = self.clamps_due + CLAMPS_EVERY;
            let outcome = if self.clamps { Ok(self.reading()) } else { Err(NoReading::Timeout) };
            self.tell(Event::Clamps { meter: GRID_METER.to_owned(), outcome });
        }
        if self.controller.deadline(self.now).is_some_and(|at| at <= self.now) {
            self.tell(Event::Tick);
        }
    }

    /// Opens and closes WebSockets as charge points and cables have it.
    fn connect(&mut self) {
        for bay in 0..self.links.len() {
            let Some(point) = self.world.point_mut(bay) else { continue };
            let wanted = point.wants_link() && !self.links[bay].unplugged;
            let identity = point.nameplate().identity.clone();
            match (self.links[bay].connection, wanted) {
                (None, true) => {
                    point.link_up(self.now);
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
        for bay in 0..self.links.len() {
            let Some(connection) = self.links[bay].connection else { continue };
            let now = self.now;
            while let Some(text) = self.world.point_mut(bay).and_then(|point| point.next_frame(now)) {
                self.tell(Event::OcppFrame { connection, text });
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::OcppSend { connection, text } => self.send(connection, &text),
                Effect::OcppClose { connection, .. } => self.close(connection),
                Effect::Modbus { port, exchange, request } => {
                    let answer = self.modbus(port, &request);
                    self.on_the_way.push(Event::ModbusAnswer { exchange, answer });
                }
                Effect::Record(record) => self.records.push(record),
                Effect::Adopt { .. } | Effect::Drive { .. } | Effect::Publish => {}
            }
        }
    }

    fn bay_of(&self, connection: ConnectionId) -> Option<usize> {
        self.links.iter().position(|link| link.connection == Some(connection))
    }

    fn send(&mut self, connection: ConnectionId, text: &str) {
        let Some(bay) = self.bay_of(connection) else { return };
        self.frames_sent += 1;
        let now = self.now;
        if let Some(point) = self.world.point_mut(bay) {
            point.receive(now, text);
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(bay) = self.bay_of(connection) else { return };
        self.links[bay].connection = None;
        let now = self.now;
        if let Some(point) = self.world.point_mut(bay) {
            point.link_down(now);
        }
        self.on_the_way.push(Event::OcppClosed { connection });
    }

    fn modbus(&mut self, port: PortIx, request: &Request) -> Result<Vec<u16>, Fault> {
        let bay = *self.ports.get(port.0).ok_or(Fault::Disconnected)?;
        if self.links[bay].unplugged {
            return Err(Fault::Timeout);
        }
        let now = self.now;
        let charger = self.world.registers_mut(bay).ok_or(Fault::Disconnected)?;
        let told = answer(charger, now, request.unit, &body(&request.function)).ok_or(Fault::Timeout)?;
        match told[..] {
            [function, code] if function >= 0x80 => Err(Fault::Exception(code)),
            [3 | 4, _, ref words @ ..] => {
                Ok(words.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What faultless clamps with taps show.
    fn reading(&self) -> Reading {
        let site = self.world.electrical();
        let watts = site.watts();
        let signed = site.rms().zip_with(watts, |amps, watts| if watts < 0.0 { -amps } else { amps });
        Reading {
            current: signed.map(|amps| Some(Milliamps::from_amps_f64(amps))),
            voltage: site.volts.map(|volts| Some(Millivolts::from_volts_f64(volts))),
            power: watts.map(|watts| Some(Watts(watts.round() as i64))),
            power_total: Some(Watts(watts.0.iter().sum::<f64>().round() as i64)),
            quality: Quality::Good,
            ..Reading::empty(self.now)
        }
    }
}

/// What the program's configuration of this garage comes to.
///
/// # Errors
/// Where the bays contradict themselves.
pub fn settings(bays: &[BayPlan]) -> Result<Settings, Vec<SiteFault>> {
    let supply = Supply::Star(Millivolts(230_000));
    let circuit = |id: &str, parent, amps| Circuit {
        id: id.to_owned(),
        parent,
        limit: PerLine::all(Milliamps::from_amps_f64(amps)),
        limit_power: None,
        balance: Balance::default(),
        transformer: None,
        supply,
    };
    let grid = circuit("grid", None, garage::GRID_A);
    let board = circuit("garage", Some(CircuitIx(0)), garage::GARAGE_A);
    let site = Site::new(vec![grid, board], bays.iter().map(charger).collect())?;
    let mut ports = 0;
    let links = bays.iter().map(|bay| link(bay, &mut ports)).collect();
    let meter = MeterSetting {
        id: GRID_METER.to_owned(),
        circuit: CircuitIx(0),
        source: MeterSource::Clamps,
        lost_after: Duration::from_secs(10),
        assumed_load: PerLine::all(Milliamps::from_amps(40)),
    };
    Ok(Settings {
        name: "Garage".to_owned(),
        site,
        meters: vec![meter],
        links,
        policy: Policy::default(),
        adoption: Adoption::Ask,
        inputs: Vec::new(),
        outputs: Vec::new(),
    })
}

fn charger(bay: &BayPlan) -> site::Charger {
    let to_amps = match bay.plate.kind {
        Kind::Ac => 1.0,
        Kind::Dc { efficiency } => 1.0 / efficiency / 690.0,
    };
    // The installer of the Alfen has set its safe current; the others pause.
    let fallback = if bay.reach == Reach::Alfen { Milliamps::from_amps(6) } else { Milliamps::ZERO };
    site::Charger {
        id: bay.id.clone(),
        circuit: CircuitIx(usize::from(bay.in_garage)),
        wiring: bay.plate.wiring,
        min: Milliamps::from_amps_f64(bay.plate.min * to_amps),
        max: Milliamps::from_amps_f64(bay.plate.max * to_amps),
        step: Milliamps::from_amps_f64((bay.plate.step * to_amps).max(0.1)),
        fallback,
        priority: 0,
        weight: 1.0,
    }
}

fn link(bay: &BayPlan, ports: &mut usize) -> LinkSetting {
    let mut modbus = |unit, map: &str| {
        *ports += 1;
        LinkSetting::Modbus { port: PortIx(*ports - 1), unit, map: map.to_owned() }
    };
    match &bay.reach {
        Reach::Keba => modbus(255, "keba-p30"),
        Reach::Alfen => modbus(1, "alfen-eve-ng9xx"),
        Reach::Ocpp { identity } => LinkSetting::Ocpp {
            identity: identity.clone(),
            outlet: Outlet(1),
            efficiency: match bay.plate.kind {
                Kind::Ac => None,
                Kind::Dc { efficiency } => Some(efficiency),
            },
        },
    }
}

/// A request as bytes.
fn body(function: &Function) -> Vec<u8> {
    let head = |code: u8, one: u16, two: u16| {
        let [a, b] = one.to_be_bytes();
        let [c, d] = two.to_be_bytes();
        vec![code, a, b, c, d]
    };
    match function {
        Function::ReadHolding { address, count } => head(3, *address, *count),
        Function::ReadInput { address, count } => head(4, *address, *count),
        Function::WriteSingle { address, value } => head(6, *address, *value),
        Function::WriteMultiple { address, values } => {
            let mut body = head(16, *address, values.len() as u16);
            body.push(2 * values.len() as u8);
            body.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            body
        }
    }
}
