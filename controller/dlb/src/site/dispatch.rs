//! Carries out effects. It decides nothing: each effect has one place to go.

use super::ocpp_server::Outgoing;
use super::port_pool::PortPool;
use crate::config::Port;
use crate::gpio::Drives;
use crate::journal::Recording;
use crate::store::StoreHandle;
use crate::view::SiteView;
use dlb_wiring::event::{ConnectionId, Effect, Record};
use dlb_wiring::status::Status;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where effects go, outside this thread.
pub struct Outlets {
    pub store: StoreHandle,
    pub ports: PortPool,
    /// What relays and lamps are to do.
    pub drives: Arc<Drives>,
    /// An unknown charger joins by the set rule: identity, outlets, circuit.
    pub adopt: Box<dyn Fn(String, u8, String)>,
    /// Everybody who looks at the site. None of them may block.
    pub audience: Vec<Audience>,
    /// Everybody who hears of what is recorded. None of them may block.
    pub witnesses: Vec<Witness>,
    /// The journal of this run, if somebody wants one.
    pub recording: Option<Recording>,
}

/// Somebody who wants every picture.
pub type Audience = Box<dyn Fn(&Status, &Arc<SiteView>)>;

/// Somebody who wants every record.
pub type Witness = Box<dyn Fn(&Record)>;

pub(super) struct Dispatch {
    outlets: Outlets,
    chargers: BTreeMap<ConnectionId, async_channel::Sender<Outgoing>>,
}

impl Dispatch {
    pub(super) const fn recording(&mut self) -> Option<&mut Recording> {
        self.outlets.recording.as_mut()
    }

    pub(super) fn new(outlets: Outlets) -> Self {
        Self { outlets, chargers: BTreeMap::new() }
    }

    pub(super) fn opened(&mut self, connection: ConnectionId, outgoing: async_channel::Sender<Outgoing>) {
        self.chargers.insert(connection, outgoing);
    }

    pub(super) fn closed(&mut self, connection: ConnectionId) {
        self.chargers.remove(&connection);
    }

    /// `from`: the charger whose frame caused this. Its answer waits until what it reported is safe in
    /// the store, because a charger that was answered deletes its own copy. Limits for others wait for nothing.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>, from: Option<ConnectionId>) {
        let mut acks = Vec::new();
        let (records, others): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|effect| matches!(effect, Effect::Record(_)));
        for effect in records {
            let Effect::Record(record) = effect else { continue };
            let session = matches!(record, Record::SessionStarted { .. } | Record::SessionEnded { .. });
            tell(&record);
            for hear in &self.outlets.witnesses {
                hear(&record);
            }
            let ack = self.outlets.store.record(record);
            if session {
                acks.push(ack);
            }
        }
        if let Some(from) = from {
            for ack in acks {
                self.say(from, Outgoing::After(ack));
            }
        }
        for effect in others {
            self.one(effect);
        }
    }

    pub(super) fn configure_ports(&mut self, ports: &[Port]) {
        self.outlets.ports.configure(ports);
    }

    fn one(&mut self, effect: Effect) {
        match effect {
            Effect::OcppSend { connection, text } => self.say(connection, Outgoing::Frame(text)),
            Effect::OcppClose { connection, why } => {
                self.say(connection, Outgoing::Close(why));
                self.chargers.remove(&connection);
            }
            Effect::Modbus { port, exchange, request } => self.outlets.ports.ask(port, exchange, request),
            Effect::Adopt { identity, outlets, circuit } => (self.outlets.adopt)(identity, outlets, circuit),
            Effect::Drive { output, drive } => self.outlets.drives.set(&output, drive),
            Effect::Record(_) | Effect::Publish => {}
        }
    }

    fn say(&mut self, connection: ConnectionId, outgoing: Outgoing) {
        let Some(charger) = self.chargers.get(&connection) else { return };
        if charger.try_send(outgoing).is_err() {
            // A charger that does not take its frames cannot be limited: as good as gone. Without its
            // channel the connection ends, and the charger falls back or comes again.
            tracing::warn!(connection = connection.0, "a charger does not take its frames; closing");
            if let Some(charger) = self.chargers.remove(&connection) {
                charger.close();
            }
        }
    }

    pub(super) fn publish(&self, status: &Status) {
        self.outlets.store.telemetry(status);
        let view = Arc::new(SiteView::new(status));
        for show in &self.outlets.audience {
            show(status, &view);
        }
    }

    /// Lets every connection send what it has and end; answers how many there are.
    pub(super) fn end(&mut self) -> usize {
        core::mem::take(&mut self.chargers).len()
    }
}

/// What is recorded is also said in the log.
fn tell(record: &Record) {
    match record {
        Record::SessionStarted { charger, session, .. } => tracing::info!(charger, session, "session begins"),
        Record::SessionEnded { charger, session, energy, why, .. } => {
            tracing::info!(charger, session, energy_wh = energy.map(|energy| energy.0), why, "session ends");
        }
        Record::Learnt { identity, .. } => tracing::debug!(charger = identity, "learnt"),
        Record::Guarded { circuit, memory } => tracing::info!(circuit, memory, "the guard's counts"),
        Record::Alert(alert) if alert.cleared => {
            tracing::info!(about = alert.about, code = alert.code, "over")
        }
        Record::Alert(alert) => tracing::warn!(about = alert.about, code = alert.code, "{}", alert.text),
    }
}

impl std::fmt::Debug for Outlets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Outlets").finish_non_exhaustive()
    }
}
