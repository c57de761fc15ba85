//! What the charger asks or tells.

use super::Session;
use crate::charger::{Identity, Notice, Outlet, OutletState};
use crate::ocpp16::call::Answer;
use crate::ocpp16::desk::{Armed, OUTLETS_MAX};
use crate::ocpp16::fields::FieldFault;
use crate::ocpp16::frame::{self, FrameFault, RefusalCode};
use crate::ocpp16::quirks;
use crate::ocpp16::request::{Request, RequestFault};
use dlb_engine::time::{Duration, Instant, WallTime};
use serde_json::{Map, Value};

/// Told in BootNotification: a charger that is silent for longer is asked.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(60);
/// A transaction whose car is gone: its end is waited for.
const ENDING: Duration = Duration::from_secs(60);
/// Charging without a transaction: its start is waited for.
const FOUND: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn serve(&mut self, now: Instant, id: &Value, action: &str, payload: &Map<String, Value>) {
        let served = Request::read(action, payload).and_then(|request| Ok(self.serve_request(now, request)?));
        let text = match served {
            Ok(answer) => frame::answer(id, &answer.payload()),
            Err(RequestFault::Field(fault)) => frame::refusal(id, fault.code(), &fault.to_string()),
            Err(fault @ RequestFault::UnknownAction(_)) => {
                frame::refusal(id, RefusalCode::NotImplemented, &fault.to_string())
            }
        };
        self.wire.reply(text);
    }

    pub(super) fn refuse_frame(&mut self, fault: &FrameFault) {
        if let Some(id) = &fault.id {
            self.wire.reply(frame::refusal(id, RefusalCode::FormationViolation, fault.what));
        }
    }

    fn serve_request(&mut self, now: Instant, request: Request) -> Result<Answer, FieldFault> {
        Ok(match request {
            Request::Boot(identity) => self.boot(now, identity),
            Request::Heartbeat => Answer::Heartbeat { at: self.tell_time(now) },
            Request::Authorize => Answer::Authorize { accepted: self.settings.adopted },
            Request::Start(start) => {
                let outlet = self.resolve(start.outlet)?;
                self.start(now, outlet, start)
            }
            Request::Stop(stop) => {
                self.stop_transaction(now, stop)?;
                Answer::Stop
            }
            Request::Values { outlet, transaction, samples } => {
                if let Some(outlet) = self.resolve_or_station(outlet)? {
                    self.values(now, outlet, transaction, &samples);
                }
                Answer::Nothing
            }
            Request::Status { outlet, state, error, at } => {
                self.status(now, outlet, state, error, at)?;
                Answer::Nothing
            }
            Request::DataTransfer => Answer::DataTransfer,
            Request::Noted => Answer::Nothing,
        })
    }

    /// Which outlet is meant. Left out, or 0 where one outlet is all there is: that one.
    pub(super) fn resolve(&self, outlet: Option<u8>) -> Result<Outlet, FieldFault> {
        match (outlet, self.placed().as_slice()) {
            (None | Some(0), [only]) => Ok(*only),
            (None, _) => Err(FieldFault::Missing("connectorId")),
            (Some(number @ 1..=OUTLETS_MAX), _) => Ok(Outlet(number)),
            (Some(_), _) => Err(FieldFault::Value("connectorId")),
        }
    }

    /// `None`: the station as a whole.
    fn resolve_or_station(&self, outlet: Option<u8>) -> Result<Option<Outlet>, FieldFault> {
        match outlet {
            Some(0) if self.placed().len() != 1 => Ok(None),
            outlet => self.resolve(outlet).map(Some),
        }
    }

    fn boot(&mut self, now: Instant, identity: Identity) -> Answer {
        self.identify(identity);
        self.clock.reset();
        for desk in self.desks.values_mut() {
            desk.doubt_limit();
            desk.armed = Armed::Wanted;
            // Whether a transaction survived is for its status and its meter to say.
            if let Some(transaction) = &mut desk.transaction {
                transaction.confirmed = false;
            }
        }
        self.begin_setup(now, true);
        Answer::Boot { at: self.tell_time(now), interval: HEARTBEAT }
    }

    /// Profiles begin and end by the charger's clock: where that is set by this, they are no longer what they were.
    fn tell_time(&mut self, now: Instant) -> WallTime {
        let told = self.calendar.told(now);
        if self.time_told.tell(now, told) {
            for desk in self.desks.values_mut() {
                desk.doubt_limit();
                desk.armed = Armed::Wanted;
            }
        }
        told
    }

    /// The wall time by the charger's clock. When ours is set it follows only once it is told, up to a heartbeat later.
    pub(super) fn wall_there(&self, now: Instant) -> Option<WallTime> {
        let wall = self.calendar.wall(now)?;
        Some(self.time_told.at(now).unwrap_or(wall))
    }

    fn identify(&mut self, identity: Identity) {
        let before = self.memory.clone();
        self.memory.identify(&identity);
        self.memory_changed |= self.memory != before;
        if identity != self.identity {
            self.quirk = quirks::look_up(&identity);
            self.limits.start_over();
            self.fallbacks.start_over();
        }
        self.identity = identity.clone();
        self.notice_all(&Notice::Identified(identity));
    }

    fn status(
        &mut self,
        now: Instant,
        outlet: Option<u8>,
        state: OutletState,
        error: Option<String>,
        at: Option<WallTime>,
    ) -> Result<(), FieldFault> {
        let wall = self.wall_there(now);
        self.clock.age(now, wall, at);
        self.follow_clock();
        // Connector 0 is the station's own state; what matters is told for each outlet.
        let outlet = if outlet == Some(0) { None } else { Some(self.resolve(outlet)?) };
        self.follow_error(outlet, error);
        let Some(outlet) = outlet else { return Ok(()) };
        let Some(desk) = self.desk_or_new(outlet) else { return Ok(()) };
        let changed = desk.state != state;
        desk.state = state;
        self.follow_state(now, outlet, state);
        if changed {
            self.notice(outlet, Notice::State(state));
        }
        Ok(())
    }

    /// Faults are reported once each.
    fn follow_error(&mut self, outlet: Option<Outlet>, error: Option<String>) {
        let desk = outlet.and_then(|outlet| self.desks.get_mut(&outlet));
        let known = desk.map_or(&mut self.station_error, |desk| &mut desk.error);
        if *known == error {
            return;
        }
        known.clone_from(&error);
        let Some(error) = error else { return };
        let place = outlet.map_or_else(|| "The station".to_owned(), |outlet| format!("Outlet {}", outlet.0));
        let name = &self.settings.identity;
        let text = format!("{place} of {name} reports {error}. Look at the charger's own display or log.");
        match outlet {
            Some(outlet) => self.notice(outlet, Notice::Trouble(text)),
            None => self.notice_all(&Notice::Trouble(text)),
        }
    }

    /// What a state says about the transaction.
    fn follow_state(&mut self, now: Instant, outlet: Outlet, state: OutletState) {
        let remote_start = self.quirk.remote_start == Some(true);
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        desk.found_at = None;
        match state {
            OutletState::Available if desk.transaction.is_some() => {
                desk.ending.get_or_insert(now + ENDING);
            }
            // Some chargers say so after the start; only what was recalled is put in doubt by it.
            OutletState::Preparing
                if desk.transaction.as_ref().is_some_and(|recalled| !recalled.confirmed) =>
            {
                desk.ending.get_or_insert(now + ENDING);
            }
            OutletState::Charging | OutletState::SuspendedEv | OutletState::SuspendedEvse => {
                match &mut desk.transaction {
                    Some(transaction) => {
                        transaction.confirmed = true;
                        desk.ending = None;
                    }
                    None => desk.found_at = Some(now + FOUND),
                }
            }
            _ => {}
        }
        match state {
            OutletState::Available => {
                desk.paused = None;
                desk.start_at = None;
                desk.starts = 0;
                desk.car_phases = None;
            }
            OutletState::Preparing if remote_start && desk.transaction.is_none() => desk.start_at = Some(now),
            OutletState::Preparing => {}
            _ => desk.start_at = None,
        }
        self.tell_session(outlet);
    }
}
