//! The machine: one charger's session, over all its connections.
//!
//! It answers at once, keeps one call under way, and sends next what matters most: lowered limits, other
//! limits, the fallback, starts, orders, and last the steps of setting the charger up. Nothing is queued
//! that could be out of date when its turn comes: what to send is decided when it can be sent.
//!
//! Notices about the station as a whole (online, identity) go to every outlet of the site, or to outlet 0
//! when none is configured.

mod answering;
mod fallback;
mod limits;
mod measuring;
mod serving;
mod setup;
mod timers;
mod transactions;

use crate::charger::{Abilities, Confirmation, Identity, Notice, Outlet, OutletState};
use crate::ocpp16::calendar::{Calendar, ChargerClock, ToldTime};
use crate::ocpp16::call::Call;
use crate::ocpp16::desk::{Armed, Desk, OUTLETS_MAX, Place};
use crate::ocpp16::frame::Frame;
use crate::ocpp16::memory::Memory;
use crate::ocpp16::profile::RateUnit;
use crate::ocpp16::quirks::{self, Pause, Quirk};
use crate::ocpp16::recipe::{Ladder, Recipe};
use crate::ocpp16::settings::SessionSettings;
use crate::ocpp16::wire::Wire;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use serde_json::Value;
use setup::{Setup, Step};
use std::collections::{BTreeMap, VecDeque};

/// Notices that nobody fetched; beyond this the oldest are dropped.
const NOTICES_MAX: usize = 1024;
const ORDERS_MAX: usize = 16;

/// One charger's session. It survives reconnects; a restart it survives by its memory.
#[derive(Debug)]
pub struct Session {
    settings: SessionSettings,
    quirk: Quirk,
    memory: Memory,
    memory_changed: bool,
    identity: Identity,
    /// Since when the connection is open.
    open: Option<Instant>,
    heard: Instant,
    online: bool,
    stopping: bool,
    calendar: Calendar,
    time_told: ToldTime,
    clock: ChargerClock,
    /// Seconds that the charger's clock is behind, once that was told.
    clock_wrong: Option<i64>,
    /// The fault that the station as a whole last reported.
    station_error: Option<String>,
    desks: BTreeMap<Outlet, Desk>,
    wire: Wire<Errand>,
    setup: Setup,
    limits: Ladder,
    fallbacks: Ladder,
    /// Numbers of transactions that ended lately: their end may be told twice.
    ended: VecDeque<i64>,
    orders: VecDeque<Call>,
    outcomes: VecDeque<Outcome>,
    notices: VecDeque<(Outlet, Notice)>,
}

/// What a call is under way for.
#[derive(Clone, Debug, PartialEq)]
enum Errand {
    Limit {
        outlet: Outlet,
        recipe: Recipe,
        value: Milliamps,
    },
    Pause {
        outlet: Outlet,
    },
    Fallback {
        outlet: Outlet,
        recipe: Recipe,
        value: Milliamps,
        /// It was not answered soon, and has been sent once more.
        again: bool,
    },
    Start {
        outlet: Outlet,
    },
    Step(Step),
    /// To hear something.
    Nudge,
    Order(Call),
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub call: Call,
    /// The charger's answer, or why there is none.
    pub answer: Result<Value, String>,
}

impl Session {
    /// A session for a charger that is not connected yet. `memory` is what [`Session::memory`] gave before.
    #[must_use]
    pub fn new(settings: SessionSettings, memory: Option<&str>, now: Instant) -> Self {
        let memory = Memory::read(memory);
        let identity = memory.identity();
        let mut session = Self {
            quirk: quirks::look_up(&identity),
            settings: SessionSettings::default(),
            memory,
            memory_changed: false,
            identity,
            open: None,
            heard: now,
            online: false,
            stopping: false,
            calendar: Calendar::default(),
            time_told: ToldTime::default(),
            clock: ChargerClock::default(),
            clock_wrong: None,
            station_error: None,
            desks: BTreeMap::new(),
            wire: Wire::default(),
            setup: Setup::default(),
            limits: Ladder::default(),
            fallbacks: Ladder::default(),
            ended: VecDeque::new(),
            orders: VecDeque::new(),
            outcomes: VecDeque::new(),
            notices: VecDeque::new(),
        };
        session.configure(now, settings);
        session.recall_transactions(now);
        session.recall_fallbacks();
        session
    }

    /// Adoption, or changed settings. What is running goes on.
    pub fn configure(&mut self, now: Instant, settings: SessionSettings) {
        let newly_adopted = settings.adopted && !self.settings.adopted;
        self.settings = settings;
        let outlets = self.settings.outlets.clone();
        for (outlet, desk) in &mut self.desks {
            let stays = outlets.iter().any(|(configured, ..)| configured == outlet);
            desk.place = desk.place.filter(|_| stays);
        }
        for (outlet, fallback, rating, phases) in outlets {
            self.place(outlet, Place { fallback, rating, phases });
        }
        if newly_adopted && self.heard_on_this_connection() {
            self.begin_setup(now, false);
            self.welcome_cars(now);
        }
        self.pump(now);
    }

    /// Cars that were turned away before the adoption may charge now.
    fn welcome_cars(&mut self, now: Instant) {
        for outlet in self.placed() {
            self.tell_session(outlet);
            let Some(desk) = self.desks.get_mut(&outlet) else { continue };
            let waits = matches!(
                desk.state,
                OutletState::Preparing | OutletState::Finishing | OutletState::SuspendedEvse
            );
            if waits && desk.transaction.is_none() {
                desk.start_at = Some(now);
            }
        }
    }

    fn place(&mut self, outlet: Outlet, place: Place) {
        let Some(desk) = self.desk_or_new(outlet) else { return };
        let new = desk.place.is_none();
        if desk.place.is_none_or(|before| before.fallback != place.fallback) {
            desk.armed = Armed::Wanted;
        }
        desk.place = Some(place);
        if !new || !self.online {
            return;
        }
        let state = self.desks[&outlet].state;
        let identity = self.identity.clone();
        for notice in [Notice::Online, Notice::Identified(identity), Notice::State(state)] {
            self.notice(outlet, notice);
        }
        if self.clock_wrong.is_some() {
            self.notice(outlet, Notice::Clock { behind_s: self.clock_wrong });
        }
    }

    /// A WebSocket of this charger opened. One that was open before counts as closed.
    pub fn opened(&mut self, now: Instant) {
        if self.open.is_some() {
            self.disconnect();
        }
        self.open = Some(now);
        self.heard = now;
        self.setup.wait_for_boot(now);
        self.pump(now);
    }

    /// The WebSocket closed.
    pub fn closed(&mut self, _now: Instant) {
        if self.open.is_none() {
            return;
        }
        self.disconnect();
        self.online = false;
        self.notice_all(&Notice::Offline { why: "the connection is closed".to_owned() });
    }

    fn disconnect(&mut self) {
        self.open = None;
        self.online = false;
        self.wire.clear();
        self.setup.forget();
        for desk in self.desks.values_mut() {
            desk.doubt_limit();
            desk.start_at = None;
        }
        while let Some(call) = self.orders.pop_front() {
            self.outcome(call, Err("the connection is closed".to_owned()));
        }
    }

    /// A text frame from the charger.
    pub fn receive(&mut self, now: Instant, wall: Option<WallTime>, text: &str) {
        if self.open.is_none() {
            return;
        }
        self.calendar.note(now, wall);
        let frame = Frame::read(text);
        self.hear(now);
        match frame {
            Ok(Frame::Call { id, action, payload }) => self.serve(now, &id, &action, &payload),
            Ok(Frame::Answer { id, payload }) => self.answered(now, &id, Ok(Value::Object(payload))),
            Ok(Frame::Refusal { id, code, text }) => self.answered(now, &id, Err((code, text))),
            Err(fault) => self.refuse_frame(&fault),
        }
        if self.setup.waits_for_boot() {
            self.begin_setup(now, false);
        }
        self.pump(now);
    }

    /// The newest limit of an outlet. It is on the wire when this returns, unless the charger has to
    /// answer something first or no transaction is running.
    pub fn set_limit(&mut self, now: Instant, outlet: Outlet, limit: Milliamps) {
        let pause = self.quirk.pause();
        let Some(desk) = self.desks.get_mut(&outlet).filter(|desk| desk.place.is_some()) else { return };
        if desk.wanted == Some(limit) {
            return;
        }
        desk.wanted = Some(limit);
        desk.announced = None;
        // Not asked before it is time to try again; it holds the new limit as little as the one before.
        let refused = desk.gave_up.clone().filter(|_| desk.running().is_some());
        if desk.gave_up.is_none() {
            desk.retry_at = None;
        }
        if let Some(why) = refused {
            self.notice(outlet, Notice::LimitRefused { limit, why });
        }
        if pause == Pause::Floor6 && limit < limits::FLOOR {
            let why = "this model cannot be held below 6 A".to_owned();
            self.notice(outlet, Notice::LimitRefused { limit, why });
        }
        self.announce_idle(outlet);
        self.pump(now);
    }

    /// Charge on this many phases from now on, where the charger can switch. `None`: its own choice.
    pub fn set_phases(&mut self, now: Instant, outlet: Outlet, phases: Option<u8>) {
        if let Some(desk) = self.desks.get_mut(&outlet)
            && desk.number_phases != phases
        {
            desk.number_phases = phases;
            desk.car_phases = None;
            desk.doubt_limit();
        }
        self.pump(now);
    }

    /// A call that somebody asked for. Its answer is fetched with [`Session::next_outcome`].
    pub fn order(&mut self, now: Instant, call: Call) {
        if self.open.is_none() || self.orders.len() >= ORDERS_MAX {
            let why =
                if self.open.is_none() { "the charger is not connected" } else { "too many orders wait" };
            self.outcome(call, Err(why.to_owned()));
            return;
        }
        self.orders.push_back(call);
        self.pump(now);
    }

    /// The program ends: limits above the fallback are lowered to it, those below end by themselves.
    pub fn stop(&mut self, now: Instant) {
        self.stopping = true;
        for desk in self.desks.values_mut() {
            if let (Some(place), Some(wanted)) = (desk.place, desk.wanted) {
                desk.wanted = Some(wanted.min(place.fallback));
            }
        }
        self.pump(now);
    }

    pub fn next_frame(&mut self) -> Option<String> {
        self.open.and_then(|_| self.wire.next_frame())
    }

    pub fn next_notice(&mut self) -> Option<(Outlet, Notice)> {
        self.notices.pop_front()
    }

    pub fn next_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    #[must_use]
    pub fn abilities(&self, outlet: Outlet) -> Abilities {
        let default = Abilities::default();
        let unmetered = self.quirk.unmetered == Some(true);
        Abilities {
            step: self.quirk.step_a.map_or(default.step, Milliamps::from_amps_f64),
            settle: self.quirk.settle_s.map_or(default.settle, Duration::from_secs),
            confirmation: if unmetered { Confirmation::Word } else { default.confirmation },
            spread: self.spread(outlet),
            pauses: self.quirk.pause() != Pause::Floor6,
        }
    }

    /// Watts say nothing about phases.
    fn spread(&self, outlet: Outlet) -> u8 {
        let in_watts = self.recipe().is_some_and(|recipe| recipe.unit == RateUnit::W);
        match self.desks.get(&outlet) {
            Some(desk) if in_watts && self.conversion(desk).used.is_none() => self.conversion(desk).wired,
            _ => 1,
        }
    }

    /// What was learnt, as text for [`Session::new`].
    #[must_use]
    pub fn memory(&self) -> String {
        self.memory.write()
    }

    /// A transaction was running when the charger was last heard, as far as is known.
    #[must_use]
    pub fn remembers_cars(&self) -> bool {
        !self.memory.running.is_empty()
    }

    /// Has the memory changed since this was last asked?
    pub fn memory_changed(&mut self) -> bool {
        std::mem::take(&mut self.memory_changed)
    }

    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many outlets the charger has, as far as it has shown; at least one.
    #[must_use]
    pub fn outlets_seen(&self) -> u8 {
        let seen = self.desks.keys().map(|outlet| outlet.0).max().unwrap_or(1);
        self.memory.lessons.outlets.unwrap_or(1).max(seen).max(1)
    }

    fn hear(&mut self, now: Instant) {
        self.heard = now;
        if !self.online {
            self.online = true;
            self.notice_all(&Notice::Online);
        }
    }

    const fn heard_on_this_connection(&self) -> bool {
        self.open.is_some() && self.online
    }

    fn desk_or_new(&mut self, outlet: Outlet) -> Option<&mut Desk> {
        let served = (1..=OUTLETS_MAX).contains(&outlet.0);
        served.then(|| self.desks.entry(outlet).or_default())
    }

    /// The outlets of the site.
    fn placed(&self) -> Vec<Outlet> {
        self.desks.iter().filter(|(_, desk)| desk.place.is_some()).map(|(outlet, _)| *outlet).collect()
    }

    fn notice(&mut self, outlet: Outlet, notice: Notice) {
        if self.notices.len() >= NOTICES_MAX {
            self.notices.pop_front();
        }
        self.notices.push_back((outlet, notice));
    }

    fn notice_all(&mut self, notice: &Notice) {
        let outlets = self.placed();
        for outlet in if outlets.is_empty() { vec![Outlet(0)] } else { outlets } {
            self.notice(outlet, notice.clone());
        }
    }

    fn outcome(&mut self, call: Call, answer: Result<Value, String>) {
        if self.outcomes.len() >= ORDERS_MAX {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back(Outcome { call, answer });
    }
}
