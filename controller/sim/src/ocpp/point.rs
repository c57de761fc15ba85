//! The charge point itself: link, registration, transactions, samples.

use super::calendar;
use super::connector::{Connector, Status};
use super::frame::{self, Frame};
use super::habits::{Habits, Nameplate, Units};
use super::keys::{self, Keys};
use super::outbox::{About, Outbox};
use super::profile::Unit;
use super::shelf::{Asked, Limit, Shelf};
use crate::car::Car;
use crate::outlet::{Kind, Outlet};
use crate::rng::Rng;
use crate::step::Step;
use dlb_engine::time::{Duration, Instant, WallTime, earliest};
use serde_json::json;

/// A charge point with its outlets. Connectors are counted from 1, as OCPP does.
#[derive(Clone, Debug)]
pub struct ChargePoint {
    pub(super) nameplate: Nameplate,
    pub(super) habits: Habits,
    pub(super) keys: Keys,
    pub(super) shelf: Shelf,
    pub(super) connectors: Vec<Connector>,
    pub(super) outbox: Outbox,
    pub(super) now: Instant,
    rng: Rng,
    /// Milliseconds since 1970 at `Instant(0)`, as its own clock has it.
    pub(super) clock: i64,
    linked: bool,
    pub(super) registered: bool,
    pub(super) announced: bool,
    pub(super) boot_due: Option<Instant>,
    pub(super) heartbeat_due: Option<Instant>,
    /// Restarting until then.
    down_until: Option<Instant>,
    /// A restart that begins once the answer to the order is out.
    pub(super) restart_at: Option<Instant>,
    pub(super) transactions: u64,
}

/// Between asking for a card's permission and the central system's silence.
const ADMITTED_FOR: Duration = Duration::from_secs(120);

impl ChargePoint {
    /// A charge point that has just been switched on. `wall` is the calendar at `now`.
    #[must_use]
    pub fn new(
        nameplate: Nameplate,
        habits: Habits,
        outlets: Vec<Outlet>,
        now: Instant,
        wall: WallTime,
        rng: Rng,
    ) -> Self {
        let clock = wall.0 - (now.0 / 1000).cast_signed() + habits.clock_error_s * 1000;
        let keys = Keys::new(&habits, outlets.len());
        Self {
            nameplate,
            habits,
            keys,
            shelf: Shelf::default(),
            connectors: outlets.into_iter().map(Connector::new).collect(),
            outbox: Outbox::default(),
            now,
            rng,
            clock,
            linked: false,
            registered: false,
            announced: false,
            boot_due: None,
            heartbeat_due: None,
            down_until: None,
            restart_at: None,
            transactions: 0,
        }
    }

    #[must_use]
    pub const fn nameplate(&self) -> &Nameplate {
        &self.nameplate
    }

    /// For tests and fault plans: what it does from now on.
    pub const fn habits_mut(&mut self) -> &mut Habits {
        &mut self.habits
    }

    /// # Panics
    /// Where there is no such connector.
    #[must_use]
    pub fn outlet(&self, connector: usize) -> &Outlet {
        &self.connectors[connector - 1].outlet
    }

    #[must_use]
    pub fn status(&self, connector: usize) -> Status {
        self.connectors[connector - 1].status(self.now)
    }

    /// The central system's number of the running transaction.
    #[must_use]
    pub fn transaction(&self, connector: usize) -> Option<i64> {
        self.connectors[connector - 1].transaction.as_ref()?.number
    }

    /// When the running transaction began.
    #[must_use]
    pub fn transaction_begun(&self, connector: usize) -> Option<Instant> {
        self.connectors[connector - 1].transaction.as_ref().map(|it| it.since)
    }

    /// It is up and wants a WebSocket to its central system. False: close the one that there is.
    #[must_use]
    pub const fn wants_link(&self) -> bool {
        self.down_until.is_none()
    }

    /// The WebSocket is open.
    pub fn link_up(&mut self, now: Instant) {
        self.now = now;
        self.linked = true;
        if self.announced || !self.habits.announces_boot {
            self.registered = true;
            self.heartbeat_due = Some(now + self.heartbeat_interval());
            self.tell_all_states();
        } else {
            self.boot_due = Some(now);
        }
    }

    /// The WebSocket is gone.
    pub fn link_down(&mut self, now: Instant) {
        self.now = now;
        self.linked = false;
        self.boot_due = None;
        self.heartbeat_due = None;
        self.outbox.disconnect();
    }

    /// A car is plugged in.
    pub fn plug(&mut self, now: Instant, connector: usize, car: Car) {
        self.now = now;
        self.connectors[connector - 1].outlet.plug(car);
        if let Some(tag) = self.habits.free_vend.clone() {
            self.begin(connector, &tag);
        } else if let Some((tag, _)) = self.connectors[connector - 1].admitted.take() {
            self.begin(connector, &tag);
        }
    }

    /// The plug is pulled; a running transaction ends with it.
    pub fn unplug(&mut self, now: Instant, connector: usize) -> Option<Car> {
        self.now = now;
        self.end(connector, "EVDisconnected");
        let it = &mut self.connectors[connector - 1];
        it.finished = false;
        it.admitted = None;
        it.outlet.unplug()
    }

    /// Somebody holds a card to the reader.
    pub fn present_card(&mut self, now: Instant, connector: usize, tag: &str) {
        self.now = now;
        self.connectors[connector - 1].admitted = Some((tag.to_owned(), now + ADMITTED_FOR));
        if self.linked && self.registered {
            self.outbox.push("Authorize", json!({"idTag": tag}), About::Authorize { connector });
        } else {
            // Out of reach it trusts the card, as LocalAuthorizeOffline says.
            self.authorized(connector, true);
        }
    }

    /// Power fails for a while, or its software crashes.
    pub fn restart(&mut self, now: Instant) {
        self.now = now;
        self.restart_at = None;
        for connector in 1..=self.connectors.len() {
            self.end(connector, "PowerLoss");
            self.connectors[connector - 1].outlet.power_down();
            self.connectors[connector - 1].told = None;
        }
        self.shelf.restart(self.habits.keeps_profiles);
        self.link_down(now);
        self.registered = false;
        self.announced = false;
        self.down_until = Some(now + self.habits.boot_takes);
    }

    /// A frame from the central system.
    pub fn receive(&mut self, now: Instant, text: &str) {
        self.now = now;
        if self.down_until.is_some() || self.rng.chance(self.habits.loss) {
            return;
        }
        match Frame::parse(text) {
            Some(Frame::Call { unique, action, payload }) => {
                let answer = match self.answer(&action, &payload) {
                    Ok(result) => frame::result(&unique, &result),
                    Err(violation) => frame::error(&unique, &violation),
                };
                self.outbox.answer(now + self.habits.answers_after, answer);
            }
            Some(Frame::Result { unique, payload }) => {
                if let Some(call) = self.outbox.answered(&unique) {
                    self.learn(call.about, &payload);
                }
            }
            Some(Frame::Error { unique, code }) => {
                if let Some(call) = self.outbox.answered(&unique) {
                    self.refused(call, &code);
                }
            }
            // OCPP-J has no answer to what is not a frame.
            None => {}
        }
    }

    /// The next frame that must go out, until `None`.
    pub fn next_frame(&mut self, now: Instant) -> Option<String> {
        self.now = now;
        if !self.linked {
            return None;
        }
        loop {
            let text = self.outbox.next(now, self.registered)?;
            if !self.rng.chance(self.habits.loss) {
                return Some(text);
            }
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let samples = self.connectors.iter().filter_map(|it| it.transaction.as_ref()?.next_sample).min();
        let own = [self.boot_due, self.heartbeat_due, self.down_until, self.restart_at, samples];
        own.into_iter().fold(self.outbox.deadline(), earliest)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.restart_at) {
            self.restart(now);
        }
        if due(self.down_until) {
            self.down_until = None;
            self.begin_again();
        }
        if due(self.boot_due) && !self.outbox.has(About::Boot) {
            self.boot_due = None;
            self.announce();
        }
        if due(self.heartbeat_due) {
            self.heartbeat_due = Some(now + self.heartbeat_interval());
            self.outbox.push("Heartbeat", json!({}), About::Heartbeat);
        }
        self.outbox.expire(now);
        for connector in 1..=self.connectors.len() {
            self.sample_if_due(connector);
        }
    }

    /// One step of the electrical side, under the limits that hold at its end.
    pub fn advance(&mut self, step: &Step) {
        self.handle_timeout(step.now);
        for connector in 1..=self.connectors.len() {
            let limit = self.limit(connector);
            let phases = self.shelf.phases(&self.asked(connector));
            let it = &mut self.connectors[connector - 1];
            it.admitted = it.admitted.take().filter(|(_, until)| *until > step.now);
            it.outlet.set_phases(phases);
            it.outlet.set_limit(step.now, limit);
            it.outlet.advance(step);
            self.tell_state(connector);
        }
    }

    /// What the profiles allow this connector now, in its outlet's unit; 0 without a transaction.
    #[must_use]
    pub fn limit(&self, connector: usize) -> f64 {
        let it = &self.connectors[connector - 1];
        if it.transaction.is_none() || self.down_until.is_some() || !it.operative {
            return 0.0;
        }
        self.allowed(connector, &self.asked(connector))
    }

    pub(super) fn allowed(&self, connector: usize, asked: &Asked) -> f64 {
        let outlet = &self.connectors[connector - 1].outlet;
        let limits = self.shelf.limits(asked);
        limits
            .into_iter()
            .flatten()
            .map(|limit| in_own_unit(outlet, limit))
            .fold(outlet.plate().max, f64::min)
    }

    pub(super) fn asked(&self, connector: usize) -> Asked {
        let at = self.wall();
        let transaction = self.connectors[connector - 1].transaction.as_ref();
        Asked {
            connector: connector as i64,
            transaction: transaction.map(|it| it.number.unwrap_or(-1)),
            at,
            since: transaction.map_or(at, |it| self.wall_at(it.since)),
            clock: self.clock,
            relative_to: self.habits.relative_to,
        }
    }

    /// Its own clock, milliseconds since 1970.
    pub(super) const fn wall(&self) -> i64 {
        self.wall_at(self.now)
    }

    /// The same for an instant that it remembers: setting the clock moves no past event.
    const fn wall_at(&self, at: Instant) -> i64 {
        self.clock + (at.0 / 1000).cast_signed()
    }

    pub(super) fn announce(&mut self) {
        let plate = &self.nameplate;
        let boot = json!({
            "chargePointVendor": plate.vendor,
            "chargePointModel": plate.model,
            "chargePointSerialNumber": plate.serial,
            "firmwareVersion": plate.firmware,
        });
        self.outbox.push("BootNotification", boot, About::Boot);
    }

    pub(super) fn tell_all_states(&mut self) {
        for connector in 1..=self.connectors.len() {
            self.connectors[connector - 1].told = None;
            self.tell_state(connector);
        }
    }

    fn tell_state(&mut self, connector: usize) {
        let status = self.connectors[connector - 1].status(self.now);
        let changed = self.connectors[connector - 1].told != Some(status);
        if changed && self.linked && self.registered {
            self.tell_state_anyway(connector, status);
        }
    }

    pub(super) fn tell_state_anyway(&mut self, connector: usize, status: Status) {
        self.connectors[connector - 1].told = Some(status);
        let news = json!({
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status.name(),
            "timestamp": calendar::to_text(self.wall()),
        });
        self.outbox.push("StatusNotification", news, About::Status);
    }

    pub(super) fn heartbeat_interval(&self) -> Duration {
        Duration::from_secs(self.keys.seconds(keys::HEARTBEAT).max(1))
    }
}

/// Amperes of an AC outlet, watts of a DC one, at the voltage that it measures. Watts are shared by the phases that the
/// car uses: all of them may flow on one.
fn in_own_unit(outlet: &Outlet, (limit, unit): Limit) -> f64 {
    let used = outlet.car().map_or(outlet.phases(), |car| car.phases().min(outlet.phases()));
    let volts = outlet.watts_per_ampere(used);
    match (outlet.plate().kind, unit) {
        (Kind::Ac, Unit::Amps) | (Kind::Dc { .. }, Unit::Watts) => limit,
        (Kind::Ac, Unit::Watts) => limit / volts,
        (Kind::Dc { .. }, Unit::Amps) => limit * volts,
    }
}

pub(super) const fn understands(units: Units, unit: Unit) -> bool {
    matches!((units, unit), (Units::Both, _) | (Units::Amps, Unit::Amps) | (Units::Watts, Unit::Watts))
}
