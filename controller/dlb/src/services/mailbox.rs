//! Where the site's thread leaves what the broker shall hear: the newest picture in a slot, events in a
//! bounded buffer that drops its oldest and counts them. Leaving something never waits.

use crate::clock;
use crate::view::SiteView;
use arc_swap::ArcSwapOption;
use dlb_wiring::event::{Record, Severity};
use dlb_wiring::status::Status;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;

/// A day of a busy site.
const EVENTS: usize = 1_000;

/// The slot and the buffer.
#[derive(Debug)]
pub struct Mailbox {
    /// Without a broker nothing is kept.
    wanted: AtomicBool,
    picture: ArcSwapOption<Picture>,
    changed: Notify,
    events: async_channel::Sender<EventMessage>,
    waiting: async_channel::Receiver<EventMessage>,
    lost: AtomicU64,
}

/// The site at one instant, with what the page's picture lacks.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) site: Arc<SiteView>,
    /// In the order of the site's chargers.
    pub(super) serials: Vec<String>,
}

/// Something that happened: the last part of its topic, and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventMessage {
    pub(super) topic: &'static str,
    pub(super) payload: String,
}

impl Default for Mailbox {
    fn default() -> Self {
        let (events, waiting) = async_channel::bounded(EVENTS);
        Self {
            wanted: AtomicBool::new(false),
            picture: ArcSwapOption::empty(),
            changed: Notify::new(),
            events,
            waiting,
            lost: AtomicU64::new(0),
        }
    }
}

impl Mailbox {
    /// Leaves a picture; the one before it is forgotten.
    pub fn show(&self, status: &Status, site: &Arc<SiteView>) {
        if !self.wanted.load(Ordering::Relaxed) {
            return;
        }
        let serials = status.chargers.iter().map(|charger| charger.identity.serial.clone()).collect();
        self.picture.store(Some(Arc::new(Picture { site: Arc::clone(site), serials })));
        self.changed.notify_one();
    }

    /// Leaves an event. A driver's tag is nobody's business on a broker.
    pub fn hear(&self, record: &Record) {
        if self.wanted.load(Ordering::Relaxed)
            && let Some(event) = event_of(record)
        {
            self.push(event);
        }
    }

    pub(super) fn push(&self, event: EventMessage) {
        if let Ok(Some(_)) = self.events.force_send(event) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn want(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    pub(super) fn latest(&self) -> Option<Arc<Picture>> {
        self.picture.load_full()
    }

    /// Waits for a picture that was not waited for before.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) async fn event(&self) -> EventMessage {
        match self.waiting.recv().await {
            Ok(event) => event,
            // The other end lives as long as this one.
            Err(_) => std::future::pending().await,
        }
    }

    #[cfg(test)]
    pub(super) fn try_event(&self) -> Option<EventMessage> {
        self.waiting.try_recv().ok()
    }

    /// Events that were dropped because the broker was away for too long.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn event_of(record: &Record) -> Option<EventMessage> {
    let now_ms = || clock::wall().map(|wall| wall.0);
    let (topic, payload) = match record {
        Record::SessionStarted { charger, session, at, register, .. } => (
            "event/session",
            json!({"event": "started", "charger": charger, "session": session,
                "at_ms": at.map(|at| at.0), "register_wh": register.map(|register| register.0)}),
        ),
        Record::SessionEnded { charger, session, at, energy, why } => (
            "event/session",
            json!({"event": "ended", "charger": charger, "session": session,
                "at_ms": at.map(|at| at.0), "energy_wh": energy.map(|energy| energy.0), "why": why}),
        ),
        Record::Alert(alert) => (
            "event/alert",
            json!({"event": if alert.cleared { "cleared" } else { "raised" }, "about": alert.about,
                "code": alert.code, "severity": severity(alert.severity), "text": alert.text,
                "at_ms": now_ms()}),
        ),
        Record::Learnt { .. } | Record::Guarded { .. } => return None,
    };
    Some(EventMessage { topic, payload: payload.to_string() })
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Alarm => "alarm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlb_engine::units::WattHours;

    fn ended(session: u64) -> Record {
        let energy = Some(WattHours(5_000));
        Record::SessionEnded { charger: "a1".into(), session, at: None, energy, why: "Local".into() }
    }

    #[test]
    fn a_broker_away_for_days_costs_the_oldest_events_and_they_are_counted() {
        let mailbox = Mailbox::default();
        mailbox.want(true);
        for session in 0..EVENTS as u64 + 3 {
            mailbox.hear(&ended(session));
        }
        let first = futures_lite::future::block_on(mailbox.event());
        assert!(first.payload.contains("\"session\":3"), "{}", first.payload);
        assert_eq!(mailbox.lost(), 3);
    }

    #[test]
    fn without_a_broker_nothing_is_kept() {
        let mailbox = Mailbox::default();
        mailbox.hear(&ended(1));
        assert!(mailbox.waiting.is_empty() && mailbox.lost() == 0);
    }

    #[test]
    fn a_drivers_tag_stays_in_the_box() {
        let record = Record::SessionStarted {
            charger: "a1".into(),
            session: 7,
            tag: "04A2B3C4".into(),
            at: None,
            register: None,
        };
        let event = event_of(&record).unwrap();
        assert!(event.payload.contains("\"session\":7") && !event.payload.contains("04A2B3C4"));
    }
}
