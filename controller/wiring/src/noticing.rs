//! What a charger tells, taken into the picture: reach, state, current, sessions, what it thinks of its limits.

use crate::alerts::wrong_clock;
use crate::controller::Controller;
use crate::event::{Effect, Record, Severity};
use crate::outlet::{Session, largest};
use crate::settings::{Adoption, LinkSetting};
use dlb_engine::ledger::Fallback;
use dlb_engine::site::ChargerIx;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::WattHours;
use dlb_links::charger::{Drawn, Notice, Outlet, OutletState};

/// Chargers' measurements arrive in bunches; one decision serves them all.
const GATHER: Duration = Duration::from_millis(100);

impl Controller {
    pub(crate) fn adopt_by_rule(&mut self, identity: &str, outlet: Outlet, notice: &Notice) {
        if let (Adoption::Automatic { circuit }, Notice::State(_)) = (&self.settings.adoption, notice)
            && outlet.0 > 0
        {
            let circuit = self.settings.site.circuit(*circuit).id.clone();
            let adopt = Effect::Adopt { identity: identity.into(), outlets: outlet.0, circuit };
            self.effects.push(adopt);
        }
    }

    pub(crate) fn noticed(&mut self, now: Instant, charger: ChargerIx, notice: Notice) {
        let id = self.settings.site.charger(charger).id.clone();
        // Probing goes on for as long as a charger is there, and cars come and go.
        self.refresh_abilities(charger);
        match notice {
            Notice::Online => self.came_online(now, charger, &id),
            Notice::Offline { why } => self.went_offline(now, charger, &id, &why),
            Notice::Identified(identity) => {
                self.outlets[charger.0].identity = identity;
                self.ledger.judged_by(charger, self.proof_of(charger));
            }
            Notice::State(state) => self.changed_state(now, charger, state),
            Notice::Drawn(drawn) => self.drew(now, charger, drawn),
            Notice::Register(register) => self.outlets[charger.0].registered(register),
            Notice::SessionStarted { transaction, tag, register, at } => {
                // Some say that a car is there only after they have taken its first limit.
                if self.outlets[charger.0].state == OutletState::Available {
                    self.changed_state(now, charger, OutletState::Preparing);
                }
                self.session_started(charger, id, transaction, tag, register, at.or(self.wall_at(now)));
            }
            Notice::SessionStopped { transaction, register, at, why } => {
                self.session_stopped(charger, id, transaction, register, at.or(self.wall_at(now)), why);
            }
            Notice::LimitAccepted(limit) => {
                self.ledger.accepted(now, charger, limit);
                self.alerts.clear(now, &id, "limit-refused");
            }
            Notice::LimitRefused { limit, why } => {
                self.ledger.refused(charger, limit);
                let text = format!(
                    "{id} refuses its limit ({why}). Its last limit stays set aside; check smart charging in its settings."
                );
                self.alerts.raise(now, &id, "limit-refused", Severity::Alarm, text);
            }
            Notice::FallbackArmed { current, after } => {
                self.outlets[charger.0].fallback_armed = true;
                self.ledger.fallback(charger, Some(Fallback { current, after }));
                self.alerts.clear(now, &id, "no-fallback");
            }
            Notice::FallbackMissing { why } => {
                self.outlets[charger.0].fallback_armed = false;
                self.ledger.fallback(charger, None);
                let text = format!(
                    "{id} will not lower itself when it hears nothing ({why}). Its rating counts while it is out of reach."
                );
                self.alerts.raise(now, &id, "no-fallback", Severity::Warning, text);
            }
            Notice::CarPhases(_) => {}
            Notice::Clock { behind_s } => {
                self.alerts.set(now, &id, "charger-clock", behind_s.map(|behind| wrong_clock(&id, behind)));
            }
            Notice::Trouble(text) => self.alerts.raise(now, &id, "charger-trouble", Severity::Warning, text),
        }
        self.decide_within(now, GATHER);
    }

    fn came_online(&mut self, now: Instant, charger: ChargerIx, id: &str) {
        self.outlets[charger.0].online = true;
        let proof = self.proof_of(charger);
        self.ledger.online(charger, &self.settings.site, proof);
        self.alerts.clear(now, id, "charger-lost");
    }

    fn went_offline(&mut self, now: Instant, charger: ChargerIx, id: &str, why: &str) {
        if self.outlets[charger.0].online {
            let text = format!(
                "{id} is out of reach ({why}). What it may still draw is set aside; check its network and power."
            );
            self.alerts.raise(now, id, "charger-lost", Severity::Warning, text);
        }
        self.outlets[charger.0].online = false;
        self.ledger.offline(now, charger);
        self.decide_within(now, Duration::ZERO);
    }

    fn refresh_abilities(&mut self, charger: ChargerIx) {
        let abilities = match &self.settings.links[charger.0] {
            LinkSetting::Ocpp { identity, outlet, .. } => self.central.abilities(identity, *outlet),
            LinkSetting::Modbus { port, .. } => self.ports.abilities(*port, charger),
        };
        self.outlets[charger.0].abilities = abilities;
    }

    fn changed_state(&mut self, now: Instant, charger: ChargerIx, state: OutletState) {
        let record = &mut self.outlets[charger.0];
        let (was, is) = (record.state.occupied(), state.occupied());
        record.state = state;
        if is && !was {
            record.arrives(now);
            self.ledger.arrived(charger, &self.settings.site);
        }
        if was && !is {
            record.leaves();
        }
        self.decide_within(now, Duration::ZERO);
    }

    fn drew(&mut self, now: Instant, charger: ChargerIx, drawn: Drawn) {
        let limit = self.ledger.limit(charger);
        self.outlets[charger.0].measured(now, drawn, limit);
        if let Some(current) = largest(&drawn)
            && let Some(longer_than) = self.ledger.drawn(drawn.at, charger, current)
        {
            self.settled(charger, longer_than);
        }
    }

    fn session_started(
        &mut self,
        charger: ChargerIx,
        id: String,
        transaction: i64,
        tag: String,
        register: Option<WattHours>,
        at: Option<WallTime>,
    ) {
        let number = u64::try_from(transaction).unwrap_or_default();
        let session = Session { number, tag: tag.clone(), started: at, register };
        self.outlets[charger.0].session = Some(session);
        let record = Record::SessionStarted { charger: id, session: number, tag, at, register };
        self.effects.push(Effect::Record(record));
    }

    fn session_stopped(
        &mut self,
        charger: ChargerIx,
        id: String,
        transaction: i64,
        register: Option<WattHours>,
        at: Option<WallTime>,
        why: String,
    ) {
        let record = &mut self.outlets[charger.0];
        let number = u64::try_from(transaction).unwrap_or_default();
        // The late end of an earlier session ends nothing here.
        if record.session.as_ref().is_none_or(|running| running.number != number) {
            return;
        }
        if let Some(register) = register {
            record.registered(register);
        }
        let energy = record.session_energy();
        let Some(session) = record.session.take() else { return };
        let ended = Record::SessionEnded { charger: id, session: session.number, at, energy, why };
        self.effects.push(Effect::Record(ended));
    }
}
