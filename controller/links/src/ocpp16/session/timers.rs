//! What is due: the order in which things are sent, and when the machine wants to be woken.

use super::limits::PATIENCE;
use super::setup::Step;
use super::{Errand, Session};
use crate::charger::{Notice, Outlet};
use crate::ocpp16::call::{Call, Trigger};
use crate::ocpp16::desk::{Armed, Desk};
use dlb_engine::time::{Duration, Instant, WallTime, earliest};
use dlb_engine::units::Milliamps;

/// A silent charger is asked something, and counts as offline later.
const NUDGE_AFTER: Duration = Duration::from_secs(75);
const OFFLINE_AFTER: Duration = Duration::from_secs(150);
/// Measurements are asked for when they are this many intervals late.
const VALUES_LATE: u32 = 4;
const VALUES_ASKED_EVERY: Duration = Duration::from_secs(60);
/// How often a session is tried to be started for one car.
pub(super) const STARTS_MAX: u8 = 3;

impl Session {
    /// Its deadline has passed.
    pub fn handle_timeout(&mut self, now: Instant, wall: Option<WallTime>) {
        self.calendar.note(now, wall);
        let over = |desks: &std::collections::BTreeMap<Outlet, Desk>, due: fn(&Desk) -> Option<Instant>| {
            let due = desks.iter().filter(|(_, desk)| due(desk).is_some_and(|at| at <= now));
            due.map(|(outlet, _)| *outlet).collect::<Vec<_>>()
        };
        for outlet in over(&self.desks, |desk| desk.ending) {
            self.end_without_word(now, outlet);
        }
        for outlet in over(&self.desks, |desk| desk.found_at) {
            self.take_for_found(now, outlet);
        }
        if self.setup.boot_is_overdue(now) {
            self.begin_setup(now, false);
        }
        if self.online && now.since(self.heard) >= OFFLINE_AFTER {
            self.online = false;
            let why = format!("nothing was heard for {} s", OFFLINE_AFTER.as_secs());
            self.notice_all(&Notice::Offline { why });
        }
        self.pump(now);
    }

    /// Sends what is due, as far as one call at a time allows.
    pub(super) fn pump(&mut self, now: Instant) {
        if self.open.is_none() {
            return;
        }
        for desk in self.desks.values_mut() {
            desk.retry_at = desk.retry_at.filter(|at| *at > now);
        }
        if let Some(call) = self.wire.expire(now) {
            self.unanswered(now, call);
        }
        if let Some((_, outlet, recipe)) = self.second_try().filter(|(at, ..)| *at <= now) {
            self.send_fallback(now, outlet, recipe);
            return;
        }
        if let Some(under_way) = self.wire.under_way() {
            let patient = !self.stopping && now < under_way.sent + PATIENCE;
            if patient {
                return;
            }
            // Only less current is worth speaking out of turn for.
            while let Some(due) = self.next_due(now).filter(|due| due.lowers) {
                self.send_limit(now, due);
                if !self.stopping {
                    break;
                }
            }
            return;
        }
        self.send_next(now);
        if self.stopping {
            while let Some(due) = self.next_due(now).filter(|due| due.lowers) {
                self.send_limit(now, due);
            }
        }
    }

    fn send_next(&mut self, now: Instant) {
        if self.setup.waits_for_boot() {
            // Some chargers take nothing before they have introduced themselves.
        } else if let Some(due) = self.next_due(now) {
            self.send_limit(now, due);
        } else if let Some((outlet, recipe)) = self.next_fallback(now) {
            self.send_fallback(now, outlet, recipe);
        } else if let Some(outlet) = self.next_start(now) {
            self.send_start(now, outlet);
        } else if let Some(order) = self.orders.pop_front() {
            self.wire.send(now, &order.clone(), Errand::Order(order));
        } else if let Some((call, errand)) = self.next_step(now) {
            self.wire.send(now, &call, errand);
        } else if let Some((call, errand)) = self.next_question(now) {
            self.wire.send(now, &call, errand);
        }
    }

    /// An outlet whose session we must start: the model wants it so, or it was paused by ending it.
    fn next_start(&self, now: Instant) -> Option<Outlet> {
        if !self.settings.adopted {
            return None;
        }
        let mut desks = self.desks.iter();
        let found =
            desks.find(|(_, desk)| desk.place.is_some() && start_due(desk).is_some_and(|at| at <= now));
        found.map(|(outlet, _)| *outlet)
    }

    fn send_start(&mut self, now: Instant, outlet: Outlet) {
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        desk.starts += 1;
        desk.start_at = None;
        let tag =
            desk.paused.clone().filter(|tag| !tag.is_empty()).unwrap_or_else(|| self.settings.tag.clone());
        self.wire.send(now, &Call::RemoteStart { outlet: Some(outlet.0), tag }, Errand::Start { outlet });
    }

    /// Something to break the silence: of a charger, or of its meter.
    fn next_question(&mut self, now: Instant) -> Option<(Call, Errand)> {
        if now.since(self.heard) >= NUDGE_AFTER {
            let keys = vec!["HeartbeatInterval".to_owned()];
            return Some((Call::GetConfiguration { keys }, Errand::Nudge));
        }
        let outlet = self.desks.iter().find(|(_, desk)| self.values_due(desk).is_some_and(|at| at <= now))?.0;
        let outlet = *outlet;
        if let Some(desk) = self.desks.get_mut(&outlet) {
            desk.values_asked = Some(now);
        }
        let call = Call::TriggerMessage { message: Trigger::MeterValues, outlet: Some(outlet.0) };
        Some((call, Errand::Step(Step::Values(outlet))))
    }

    fn values_due(&self, desk: &Desk) -> Option<Instant> {
        let silent = !self.takes_triggers() || !self.settings.adopted || desk.place.is_none();
        if silent {
            return None;
        }
        desk.running()?;
        let late =
            desk.values_at? + self.settings.meter_values_every.max(Duration::from_secs(1)) * VALUES_LATE;
        Some(desk.values_asked.map_or(late, |asked| late.max(asked + VALUES_ASKED_EVERY)))
    }

    /// When to call [`Session::handle_timeout`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let mut deadline = None;
        for desk in self.desks.values() {
            deadline = earliest(deadline, earliest(desk.ending, desk.found_at));
        }
        if self.open.is_none() {
            return deadline;
        }
        if self.online {
            deadline = earliest(deadline, Some(self.heard + OFFLINE_AFTER));
        }
        earliest(
            deadline,
            self.wire.under_way().map_or_else(|| self.free_deadline(), |call| self.busy_deadline(call.sent)),
        )
    }

    /// A call is under way: until it is answered, overtaken or given up.
    fn busy_deadline(&self, sent: Instant) -> Option<Instant> {
        let overtaking = sent + PATIENCE;
        let waits = self.next_due(overtaking).is_some_and(|due| due.lowers);
        let over = earliest(self.second_try().map(|(at, ..)| at), self.wire.deadline());
        if waits { Some(overtaking) } else { over }
    }

    fn free_deadline(&self) -> Option<Instant> {
        if self.setup.waits_for_boot() {
            return self.setup.deadline();
        }
        let mut deadline = earliest(self.setup.deadline(), Some(self.heard + NUDGE_AFTER));
        for desk in self.desks.values().filter(|desk| desk.place.is_some() && self.settings.adopted) {
            let held = desk.running().and(desk.sent.as_ref()).filter(|sent| sent.accepted);
            let renewal = held.and_then(|sent| sent.renew_at());
            let limit = desk.retry_at.map(|retry| renewal.map_or(retry, |renewal| renewal.max(retry)));
            deadline = earliest(deadline, earliest(limit.or(renewal), self.helping_deadline(desk)));
        }
        deadline
    }
}

impl Session {
    /// Fallbacks, starts and questions.
    fn helping_deadline(&self, desk: &Desk) -> Option<Instant> {
        let armed = match desk.armed {
            Armed::No(retry_at) if !self.setup.clears_first() => Some(retry_at),
            _ => None,
        };
        earliest(armed, earliest(start_due(desk), self.values_due(desk)))
    }
}

fn start_due(desk: &Desk) -> Option<Instant> {
    if desk.transaction.is_some() || desk.starts >= STARTS_MAX {
        return None;
    }
    let resumes = desk.paused.is_some() && desk.wanted.is_some_and(|wanted| wanted > Milliamps::ZERO);
    desk.start_at.or_else(|| resumes.then(Instant::default))
}
