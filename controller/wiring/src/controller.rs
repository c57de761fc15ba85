//! The controller of a site: `handle(now, event)` in, effects out, and a deadline.
//!
//! Every event takes the same way: it is taken in (a session, a port, a meter, an order), what that
//! taught is noted, and if it may change a limit, the site is decided upon anew. Meter readings, cars
//! and orders are decided upon at once; a charger's own measurement waits a moment for its neighbours'.

use crate::alerts::Alerts;
use crate::central::Central;
use crate::departed::Departed;
use crate::event::{Alert, Effect, Event, Record};
use crate::following_sun::Sun;
use crate::inputs::Inputs;
use crate::metering::Metering;
use crate::models::Models;
use crate::orders::SiteLimit;
use crate::outlet::OutletRecord;
use crate::outputs::Outputs;
use crate::ports::Ports;
use crate::resuming::Return;
use crate::settings::Settings;
use dlb_engine::allocate::Allocator;
use dlb_engine::allocation::Allocation;
use dlb_engine::guard::Guard;
use dlb_engine::ledger::Ledger;
use dlb_engine::lines::PerLine;
use dlb_engine::load::Span;
use dlb_engine::ours::in_circuits;
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::site::{ChargerIx, CircuitIx, Site};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant, WallTime, earliest};
use dlb_engine::units::Milliamps;
use dlb_links::modbus::PortNotice;
use std::collections::BTreeMap;

/// A site under control.
#[derive(Debug)]
pub struct Controller {
    pub(crate) settings: Settings,
    pub(crate) strategy: Strategy,
    pub(crate) outlets: Vec<OutletRecord>,
    pub(crate) metering: Metering,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Outputs,
    pub(crate) guard: Guard,
    pub(crate) ledger: Ledger,
    pub(crate) allocator: Allocator,
    pub(crate) allocation: Option<Allocation>,
    pub(crate) site_limit: Option<SiteLimit>,
    pub(crate) departed: Departed,
    pub(crate) central: Central,
    pub(crate) ports: Ports,
    pub(crate) alerts: Alerts,
    pub(crate) models: Models,
    pub(crate) sun: Sun,
    /// The site while DC chargers go first, and the time of day when it was last told.
    pub(crate) dc_first: Option<Site>,
    pub(crate) daytime: Option<(Instant, Duration)>,
    /// The calendar when it was last told, and the instant that belongs to it.
    wall: Option<(Instant, WallTime)>,
    /// When this program began.
    pub(crate) started: Instant,
    pub(crate) resuming: Return,
    decide_at: Option<Instant>,
    publish_at: Option<Instant>,
    published_at: Instant,
    pub(crate) effects: Vec<Effect>,
    stopping: bool,
}

/// The page is a picture, not a log.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);
/// Even if nothing happens: ages grow, limits that others set end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Controller {
    /// `memories`: what was learnt of chargers, models and meters before the last start ([`Record::Learnt`]), by identity.
    #[must_use]
    pub fn new(settings: Settings, memories: BTreeMap<String, String>, now: Instant) -> Self {
        let models = Models::read(&memories);
        let metering = Metering::new(&settings, &memories, now);
        let departed = Departed::read(&memories, now, &settings.site);
        let mut central = Central::new(memories);
        central.configure(now, &settings);
        let mut controller = Self {
            strategy: settings.policy.strategy,
            outlets: vec![OutletRecord::default(); settings.site.chargers().len()],
            metering,
            inputs: Inputs::new(&settings, now),
            outputs: Outputs::new(&settings),
            guard: crate::guarding::guard_of(&settings),
            ledger: Ledger::new(&settings.site, now),
            allocator: Allocator::new(),
            allocation: None,
            site_limit: None,
            departed,
            central,
            ports: Ports::new(&settings, now, 0),
            alerts: Alerts::default(),
            models,
            sun: Sun::default(),
            dc_first: crate::dc_first::served(&settings),
            daytime: None,
            wall: None,
            started: now,
            resuming: Return::default(),
            decide_at: Some(now),
            publish_at: Some(now),
            published_at: now,
            effects: Vec::new(),
            stopping: false,
            settings,
        };
        controller.drive_all();
        controller
    }

    /// Takes one event; answers with all that must be done about it, in order.
    pub fn handle(&mut self, now: Instant, event: Event) -> Vec<Effect> {
        self.take(now, event);
        self.central.handle_timeouts(now, self.wall_at(now));
        self.ports.handle_timeouts(now);
        self.drain(now);
        if self.settle_inputs(now) {
            self.decide_within(now, Duration::ZERO);
        }
        if !self.stopping && self.decide_at.is_some_and(|at| at <= now) {
            self.decide_at = Some(now + LOOK_EVERY);
            self.decide(now);
            self.drain(now);
        }
        self.finish(now);
        core::mem::take(&mut self.effects)
    }

    /// When to call [`handle`](Self::handle) with [`Event::Tick`] at the latest.
    #[must_use]
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let links = earliest(self.central.deadline(), self.ports.deadline());
        if self.stopping {
            return links;
        }
        let links = earliest(links, self.inputs.deadline(&self.settings));
        let links = earliest(links, self.outputs_deadline());
        let decisions = earliest(self.decide_at, self.metering.deadline(&self.settings, now));
        let decisions = earliest(decisions, self.guard.deadline());
        earliest(earliest(links, decisions), earliest(self.publish_at, self.ledger.deadline(now)))
    }

    /// After [`Event::Stopping`]: no charger is left that can be reached and has not taken its last limit.
    #[must_use]
    pub fn stopped(&self, now: Instant) -> bool {
        self.stopping && self.central.stopped(now) && self.ports.stopped()
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the circuit that this meter measures may carry now.
    #[must_use]
    pub fn limit_at(&self, meter: &str) -> Option<PerLine<Milliamps>> {
        let ix = Metering::find(&self.settings, meter)?;
        Some(self.limit_of(self.settings.meters[ix].circuit))
    }

    pub(crate) fn wall_at(&self, now: Instant) -> Option<WallTime> {
        self.wall.map(|(then, wall)| wall + now.since(then))
    }

    fn take(&mut self, now: Instant, event: Event) {
        match event {
            Event::Tick => self.decide_within(now, Duration::ZERO),
            Event::WallClock(wall) => self.wall = Some((now, wall)),
            Event::Daytime(time) => self.daytime = Some((now, time)),
            Event::Clamps { meter, outcome } => {
                if let Some(ix) = Metering::find(&self.settings, &meter) {
                    self.metered(now, ix, outcome);
                }
            }
            Event::Input { input, level } => {
                if let Some(ix) = self.settings.inputs.iter().position(|known| known.id == input) {
                    self.inputs.saw(now, ix, level);
                }
            }
            Event::Breach { meter, current } => {
                if let Some(ix) = Metering::find(&self.settings, &meter) {
                    self.breached(now, ix, current);
                }
            }
            Event::ModbusAnswer { exchange, answer } => self.ports.answered(now, exchange, answer),
            Event::OcppOpened { connection, identity } => self.ocpp_opened(now, connection, &identity),
            Event::OcppFrame { connection, text } => {
                self.central.received(now, self.wall_at(now), connection, &text);
            }
            Event::OcppClosed { connection } => {
                self.central.closed(now, connection);
            }
            Event::Order(order) => self.ordered(now, order),
            Event::Configured(settings) => self.configured(now, *settings),
            Event::Trouble(alert) => {
                self.alerts.told(alert);
                self.publish_soon(now);
            }
            Event::Stopping => self.stop(now),
        }
    }

    pub(crate) fn decide_within(&mut self, now: Instant, delay: Duration) {
        self.decide_at = earliest(self.decide_at, Some(now + delay));
    }

    fn metered(&mut self, now: Instant, ix: usize, outcome: Result<Reading, NoReading>) {
        let circuit = self.settings.meters[ix].circuit;
        let ours = self.drawn_in(circuit, now);
        let limit = self.limit_of(circuit);
        if self.metering.saw(now, ix, outcome, ours, limit)
            && let Ok(reading) = outcome
        {
            self.guard_saw(now, circuit, reading.current);
        }
        if let Some((identity, memory)) = self.metering.lesson(ix, &self.settings.meters[ix]) {
            self.effects.push(Effect::Record(Record::Learnt { identity, memory }));
        }
        self.decide_within(now, Duration::ZERO);
    }

    fn breached(&mut self, now: Instant, ix: usize, current: PerLine<Option<Milliamps>>) {
        let circuit = self.settings.meters[ix].circuit;
        let ours = self.drawn_in(circuit, now);
        let limit = self.limit_of(circuit);
        self.metering.saw_cycle(now, ix, current, ours, limit);
        self.guard_saw(now, circuit, current);
        self.decide_within(now, Duration::ZERO);
    }

    /// What our chargers in this circuit may be drawing, and the oldest report of one that draws.
    fn drawn_in(&self, circuit: CircuitIx, now: Instant) -> (PerLine<Span>, Option<Instant>) {
        let site = &self.settings.site;
        let valid = self.settings.policy.drawn_valid_for;
        let mut all = vec![PerLine::all(Span::default()); self.outlets.len()];
        let mut heard = None;
        for ix in site.charger_indexes().filter(|&ix| site.path(ix).any(|at| at == circuit)) {
            let outlet = &self.outlets[ix.0];
            // What the ledger counts as nothing is not taken off the meter's reading either.
            if outlet.online && !outlet.may_draw() {
                continue;
            }
            // What begins to flow while one is out of reach may be its car or an oven, and counts as the oven: beside
            // it stands what is reserved for the charger.
            let span = |reported| match self.ledger.span(now, ix, site, reported) {
                span if outlet.reachable() => span,
                span => Span { rising: Milliamps::ZERO, ..span },
            };
            let spans = outlet.spans(site.charger(ix), now, valid, span);
            if spans.0.iter().any(|span| span.least > Milliamps::ZERO) {
                heard = earliest(heard, outlet.drawn.map(|drawn| drawn.at));
            }
            all[ix.0] = spans;
        }
        (in_circuits(site, &all)[circuit.0], heard)
    }

    fn ocpp_opened(&mut self, now: Instant, connection: crate::event::ConnectionId, identity: &str) {
        match self.central.opened(now, connection, identity, &self.settings) {
            Ok(Some(displaced)) => {
                let why = "the same charger connected again".to_owned();
                self.effects.push(Effect::OcppClose { connection: displaced, why });
            }
            Ok(None) => {}
            Err(why) => {
                self.effects.push(Effect::OcppClose { connection, why: why.to_owned() });
            }
        }
    }

    fn stop(&mut self, now: Instant) {
        self.stopping = true;
        self.central.stop(now);
        self.ports.stop(now);
    }

    /// Takes what links have to send and to say until they are silent.
    fn drain(&mut self, now: Instant) {
        for (identity, outlet, notice) in self.central.drain(&mut self.effects) {
            match self.settings.ocpp_charger(&identity, outlet) {
                Some(charger) => self.noticed(now, charger, notice),
                None => self.adopt_by_rule(&identity, outlet, &notice),
            }
        }
        for notice in self.ports.drain(&mut self.effects) {
            match notice {
                PortNotice::Meter(ix, outcome) => self.metered(now, ix, outcome),
                PortNotice::Charger(ix, notice) => self.noticed(now, ChargerIx(ix), notice),
            }
        }
        for (identity, outcome) in self.central.outcomes() {
            self.served(now, &identity, &outcome);
        }
        for (identity, memory) in self.central.learnt() {
            self.effects.push(Effect::Record(Record::Learnt { identity, memory }));
        }
    }

    fn finish(&mut self, now: Instant) {
        for alert in self.alerts.take_changes() {
            self.effects.push(Effect::Record(Record::Alert(alert)));
        }
        if self.publish_at.is_some_and(|at| at <= now) {
            self.publish_at = None;
            self.published_at = now;
            self.effects.push(Effect::Publish);
        }
    }

    pub(crate) fn push_effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// The picture changed; it is shown soon, but not more often than people can look.
    pub(crate) fn publish_soon(&mut self, now: Instant) {
        let soonest = (self.published_at + PUBLISH_EVERY).max(now);
        self.publish_at = earliest(self.publish_at, Some(soonest));
    }

    /// Troubles that are not over.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.active()
    }
}
