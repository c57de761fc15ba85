//! The OCPP side: which connection is which charger, and one session machine for each.
//!
//! A session outlives its connections. A charger that opens a second connection while the first one
//! still looks alive has lost the first: the newest wins.
//!
//! A frame of one charger costs the same on a site of ten as on one of hundreds: only sessions that
//! something happened to are asked what they want, and who wakes next stands in an ordered list.

use crate::event::{ConnectionId, Effect};
use crate::settings::{LinkSetting, Settings};
use dlb_engine::lines::Wiring;
use dlb_engine::site::ChargerIx;
use dlb_engine::time::{Instant, WallTime};
use dlb_engine::units::Milliamps;
use dlb_links::charger::{Abilities, Notice, Outlet};
use dlb_links::ocpp16::{Call, Outcome, Session, SessionSettings};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Central {
    stations: BTreeMap<String, Station>,
    connections: BTreeMap<ConnectionId, String>,
    /// What probing taught, by identity, from before the last start.
    memories: BTreeMap<String, String>,
    /// Sessions that something happened to since the last [`drain`](Self::drain).
    stirred: BTreeSet<String>,
    /// When each session wants to be woken, the soonest first; the same as each [`Station::wakes`].
    wakes: BTreeSet<(Instant, String)>,
    /// What probing taught and nobody has taken yet.
    learnt: Vec<(String, String)>,
    /// What became of orders, likewise.
    outcomes: Vec<(String, Outcome)>,
}

#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) session: Session,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) adopted: bool,
    pub(crate) since: Instant,
    wakes: Option<Instant>,
}

/// Unknown chargers that may wait at once; a site with more is being played with.
const MOST_WAITING: usize = 32;

impl Central {
    pub(crate) fn new(memories: BTreeMap<String, String>) -> Self {
        Self {
            stations: BTreeMap::new(),
            connections: BTreeMap::new(),
            memories,
            stirred: BTreeSet::new(),
            wakes: BTreeSet::new(),
            learnt: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// Brings the stations in line with the settings: new ones appear, known ones are told, and those
    /// that are configured no more become unknown ones if they are connected, or vanish.
    pub(crate) fn configure(&mut self, now: Instant, settings: &Settings) {
        let mut wanted: BTreeMap<&str, SessionSettings> = BTreeMap::new();
        for link in &settings.links {
            if let LinkSetting::Ocpp { identity, .. } = link {
                wanted.entry(identity).or_insert_with(|| session_settings(settings, identity));
            }
        }
        for (identity, session) in &wanted {
            self.station(now, identity, session).adopted = true;
        }
        self.stations.retain(|identity, station| {
            if wanted.contains_key(identity.as_str()) {
                return true;
            }
            station.adopted = false;
            station.session.configure(now, session_settings(settings, identity));
            self.stirred.insert(identity.clone());
            if station.connection.is_some() {
                return true;
            }
            if let Some(at) = station.wakes {
                self.wakes.remove(&(at, identity.clone()));
            }
            false
        });
        self.settle();
    }

    /// A charger connected. `Err`: it is not let in, with the reason.
    pub(crate) fn opened(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        identity: &str,
        settings: &Settings,
    ) -> Result<Option<ConnectionId>, &'static str> {
        if !self.stations.contains_key(identity) && self.waiting().count() >= MOST_WAITING {
            return Err("too many unknown chargers are waiting to be adopted");
        }
        if !self.stations.contains_key(identity) {
            self.station(now, identity, &session_settings(settings, identity));
        }
        let station = self.stir(identity).expect("it was there or has just been made");
        let displaced = station.connection.replace(connection);
        if displaced.is_some() {
            station.session.closed(now);
        }
        station.session.opened(now);
        if let Some(displaced) = displaced {
            self.connections.remove(&displaced);
        }
        self.connections.insert(connection, identity.to_owned());
        Ok(displaced)
    }

    pub(crate) fn closed(&mut self, now: Instant, connection: ConnectionId) -> Option<String> {
        let identity = self.connections.remove(&connection)?;
        let station = self.stir(&identity)?;
        station.connection = None;
        station.session.closed(now);
        if !station.adopted {
            self.forget(&identity);
            return None;
        }
        Some(identity)
    }

    pub(crate) fn received(
        &mut self,
        now: Instant,
        wall: Option<WallTime>,
        connection: ConnectionId,
        text: &str,
    ) -> Option<String> {
        let identity = self.connections.get(&connection)?.clone();
        self.stir(&identity)?.session.receive(now, wall, text);
        Some(identity)
    }

    pub(crate) fn set_limit(&mut self, now: Instant, identity: &str, outlet: Outlet, limit: Milliamps) {
        if let Some(station) = self.stir(identity) {
            station.session.set_limit(now, outlet, limit);
        }
    }

    pub(crate) fn set_phases(&mut self, now: Instant, identity: &str, outlet: Outlet, phases: u8) {
        if let Some(station) = self.stir(identity) {
            station.session.set_phases(now, outlet, Some(phases));
        }
    }

    /// A call that somebody asks for; what became of it is among the [`outcomes`](Self::outcomes).
    pub(crate) fn order(&mut self, now: Instant, identity: &str, call: Call) {
        if let Some(station) = self.stir(identity) {
            station.session.order(now, call);
        }
    }

    /// A transaction of this station was running when it was last heard.
    pub(crate) fn remembers_cars(&self, identity: &str) -> bool {
        self.stations.get(identity).is_some_and(|station| station.session.remembers_cars())
    }

    pub(crate) fn abilities(&self, identity: &str, outlet: Outlet) -> Abilities {
        self.stations
            .get(identity)
            .map_or_else(Abilities::default, |station| station.session.abilities(outlet))
    }

    pub(crate) fn handle_timeouts(&mut self, now: Instant, wall: Option<WallTime>) {
        self.settle();
        let due = self.wakes.iter().take_while(|(at, _)| *at <= now);
        for identity in due.map(|(_, identity)| identity.clone()).collect::<Vec<_>>() {
            if let Some(station) = self.stir(&identity) {
                station.session.handle_timeout(now, wall);
            }
        }
    }

    pub(crate) fn stop(&mut self, now: Instant) {
        for (identity, station) in &mut self.stations {
            station.session.stop(now);
            self.stirred.insert(identity.clone());
        }
    }

    pub(crate) fn stopped(&self, now: Instant) -> bool {
        self.stations.values().all(|station| station.session.stopped(now))
    }

    /// Holds after a [`drain`](Self::drain), until something happens to a session.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let first = self.wakes.first().map(|&(at, _)| at);
        debug_assert_eq!(
            first,
            self.stations.values().filter_map(|station| station.session.deadline()).min()
        );
        first
    }

    /// Everything that sessions want to send and have learnt.
    pub(crate) fn drain(&mut self, effects: &mut Vec<Effect>) -> Vec<(String, Outlet, Notice)> {
        let mut notices = Vec::new();
        for identity in &self.stirred {
            let Some(station) = self.stations.get_mut(identity) else { continue };
            if let Some(connection) = station.connection {
                while let Some(text) = station.session.next_frame() {
                    effects.push(Effect::OcppSend { connection, text });
                }
            }
            while let Some((outlet, notice)) = station.session.next_notice() {
                notices.push((identity.clone(), outlet, notice));
            }
            while let Some(outcome) = station.session.next_outcome() {
                self.outcomes.push((identity.clone(), outcome));
            }
            if station.session.memory_changed() {
                self.learnt.push((identity.clone(), station.session.memory()));
            }
        }
        self.settle();
        self.stirred.clear();
        notices
    }

    /// Stations whose probing taught something since the last look, with what must be remembered.
    pub(crate) fn learnt(&mut self) -> Vec<(String, String)> {
        core::mem::take(&mut self.learnt)
    }

    pub(crate) fn outcomes(&mut self) -> Vec<(String, Outcome)> {
        core::mem::take(&mut self.outcomes)
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&String, &Station)> {
        self.stations.iter().filter(|(_, station)| !station.adopted)
    }

    /// Sends an unknown charger away; it may come back.
    pub(crate) fn dismiss(&mut self, identity: &str) -> Option<ConnectionId> {
        let station = self.stations.get(identity).filter(|station| !station.adopted)?;
        let connection = station.connection;
        self.forget(identity);
        connection.inspect(|connection| {
            self.connections.remove(connection);
        })
    }

    fn station(&mut self, now: Instant, identity: &str, session: &SessionSettings) -> &mut Station {
        let memory = self.memories.get(identity);
        let station = self.stations.entry(identity.to_owned()).or_insert_with(|| Station {
            session: Session::new(session.clone(), memory.map(String::as_str), now),
            connection: None,
            adopted: session.adopted,
            since: now,
            wakes: None,
        });
        station.session.configure(now, session.clone());
        self.stirred.insert(identity.to_owned());
        station
    }

    /// A station that something is about to happen to.
    fn stir(&mut self, identity: &str) -> Option<&mut Station> {
        let station = self.stations.get_mut(identity)?;
        if !self.stirred.contains(identity) {
            self.stirred.insert(identity.to_owned());
        }
        Some(station)
    }

    fn forget(&mut self, identity: &str) {
        let wakes = self.stations.remove(identity).and_then(|station| station.wakes);
        if let Some(at) = wakes {
            self.wakes.remove(&(at, identity.to_owned()));
        }
    }

    /// Notes when the stirred sessions want to be woken.
    fn settle(&mut self) {
        for identity in &self.stirred {
            let Some(station) = self.stations.get_mut(identity) else { continue };
            let wakes = station.session.deadline();
            if wakes == station.wakes {
                continue;
            }
            if let Some(old) = station.wakes.take() {
                self.wakes.remove(&(old, identity.clone()));
            }
            if let Some(at) = wakes {
                self.wakes.insert((at, identity.clone()));
            }
            station.wakes = wakes;
        }
    }
}

/// What a session must know, from the settings of all outlets of this identity.
fn session_settings(settings: &Settings, identity: &str) -> SessionSettings {
    let mut outlets = Vec::new();
    let SessionSettings { mut volts, mut other_volts, .. } = SessionSettings::default();
    let mut direct_current = None;
    for (ix, link) in settings.links.iter().enumerate() {
        let LinkSetting::Ocpp { identity: known, outlet, efficiency } = link else { continue };
        if known == identity {
            let charger = settings.site.charger(ChargerIx(ix));
            let supply = settings.site.circuit(charger.circuit).supply;
            // Between two lines there is one current, at their voltage.
            let between = matches!(charger.wiring, Wiring::Between(..));
            let lines = charger.wiring.lines().iter().flatten().count() as u8;
            outlets.push((*outlet, charger.fallback, charger.max, if between { 1 } else { lines }));
            (volts, other_volts) = (supply.volts_line_to_neutral(), supply.volts_between_lines());
            if between {
                (volts, other_volts) = (other_volts, volts);
            }
            direct_current = *efficiency;
        }
    }
    SessionSettings {
        identity: identity.to_owned(),
        adopted: !outlets.is_empty(),
        outlets,
        volts,
        other_volts,
        direct_current,
        limit_lifetime: settings.policy.limit_lifetime,
        meter_values_every: settings.policy.meter_values_every,
        ..SessionSettings::default()
    }
}
