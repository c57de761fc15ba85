//! Delivering limits: what is due, how it is written, what the charger's word means.

use super::{Errand, Session};
use crate::charger::{Notice, Outlet};
use crate::ocpp16::call::Call;
use crate::ocpp16::desk::{Armed, Desk, Place, Sent};
use crate::ocpp16::profile::{ChargingProfile, Conversion, Expiry, Lifetime, Purpose, RateUnit};
use crate::ocpp16::quirks::Pause;
use crate::ocpp16::recipe::{Knowledge, Recipe};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;

/// The least that IEC 61851-1 can tell a car, other than nothing.
pub(super) const FLOOR: Milliamps = Milliamps(6000);
/// A lowered limit waits this long for the answer to another call, then overtakes it.
pub(super) const PATIENCE: Duration = Duration::from_millis(800);
/// A refusal of what worked before is believed after this many.
const REFUSALS_BELIEVED: u8 = 3;
const FIRST_REFUSALS_BELIEVED: u8 = 2;
const RETRY_SOON: Duration = Duration::from_secs(2);
/// One that hangs takes long enough by not answering.
const RETRY_OF_THE_SILENT: Duration = Duration::from_secs(5);
pub(super) const RETRY_LATER: Duration = Duration::from_secs(60);
/// A station's own maximum is often kept in flash, which wears: renewed less often.
const STATION_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What must be sent for an outlet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    outlet: Outlet,
    value: Milliamps,
    /// Less than what may be in force.
    pub(super) lowers: bool,
}

impl Session {
    pub(super) fn knowledge(&self) -> Knowledge<'_> {
        let lessons = &self.memory.lessons;
        let unit = self.settings.direct_current.map(|_| RateUnit::W).or(lessons.unit);
        Knowledge { quirk: &self.quirk, unit, max_stack: lessons.max_stack, learnt: lessons.recipe }
    }

    pub(super) fn limit_recipes(&self) -> Vec<Recipe> {
        let recipes = self.knowledge().limits();
        // Under a station maximum used as the fallback, no other profile could raise anything.
        let capped = self.fallback_recipe().is_some_and(|recipe| recipe.purpose == Purpose::Max);
        let allowed = |recipe: &Recipe| !capped || recipe.purpose == Purpose::Max;
        recipes.into_iter().filter(allowed).collect()
    }

    /// How limits are written at present. `None`: the charger has refused everything.
    pub(super) fn recipe(&self) -> Option<Recipe> {
        self.limits.current(&self.limit_recipes())
    }

    /// The next limit to send: lowered ones first.
    pub(super) fn next_due(&self, now: Instant) -> Option<Due> {
        if !self.settings.adopted || self.open.is_none() {
            return None;
        }
        let recipe = self.recipe();
        let due = self.desks.keys().filter_map(|outlet| self.due(now, *outlet, recipe?));
        due.min_by_key(|due| (!due.lowers, due.outlet))
    }

    fn due(&self, now: Instant, outlet: Outlet, recipe: Recipe) -> Option<Due> {
        let desk = self.desks.get(&outlet)?;
        if desk.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        let value = self.target(now, desk, recipe)?;
        let sent = desk.sent.as_ref();
        let due = Due { outlet, value, lowers: sent.is_none_or(|sent| value < sent.value) };
        let Some(sent) = sent.filter(|sent| sent.value == value) else { return Some(due) };
        let waiting = self.wire.under_way().is_some_and(|call| call.id == sent.id);
        let fresh = sent.accepted && sent.renew_at().is_none_or(|at| now < at);
        (!waiting && !fresh).then_some(due)
    }

    /// What should be in force at the outlet. `None`: nothing beside the fallback.
    fn target(&self, now: Instant, desk: &Desk, recipe: Recipe) -> Option<Milliamps> {
        let place = desk.place?;
        if desk.running().is_some() {
            let own = self.effective(place, desk.wanted?);
            return Some(if recipe.station { self.station_target(own) } else { own });
        }
        let fallback = self.effective(place, place.fallback);
        let outlives = desk.sent.as_ref().is_some_and(|sent| sent.alive(now) && sent.value > fallback);
        (recipe.purpose != Purpose::Tx && outlives).then_some(fallback)
    }

    /// After [`Session::stop`]: every outlet has taken its last limit, or there is nobody to tell it to.
    #[must_use]
    pub fn stopped(&self, now: Instant) -> bool {
        let Some(recipe) = self.recipe().filter(|_| self.open.is_some()) else { return true };
        let limits = |errand: &Errand| matches!(errand, Errand::Limit { .. } | Errand::Pause { .. });
        let has =
            |desk: &Desk, value| desk.sent.as_ref().is_some_and(|sent| sent.accepted && sent.value == value);
        !self.wire.under_way().is_some_and(|call| limits(&call.errand))
            && self
                .desks
                .values()
                .all(|desk| self.target(now, desk, recipe).is_none_or(|value| has(desk, value)))
    }

    /// One limit for the whole station: if no outlet may have more than the least, none has too much.
    fn station_target(&self, own: Milliamps) -> Milliamps {
        let running = self.desks.values().filter(|desk| desk.running().is_some());
        running.filter_map(|desk| Some(self.effective(desk.place?, desk.wanted?))).fold(own, Milliamps::min)
    }

    fn effective(&self, place: Place, wanted: Milliamps) -> Milliamps {
        let least = if self.quirk.pause() == Pause::Floor6 { FLOOR } else { Milliamps::ZERO };
        wanted.min(place.rating).max(least)
    }

    pub(super) fn send_limit(&mut self, now: Instant, due: Due) {
        let Due { outlet, value, .. } = due;
        let (Some(recipe), Some(desk)) = (self.recipe(), self.desks.get(&outlet)) else { return };
        let number = desk.running().map(|transaction| transaction.wire.unwrap_or(transaction.id));
        let pauses = value == Milliamps::ZERO && self.quirk.pause() == Pause::RemoteStop;
        let (call, errand, lasts) = match number.filter(|_| pauses) {
            Some(transaction) => (Call::RemoteStop { transaction }, Errand::Pause { outlet }, None),
            None => {
                let (call, lasts) = self.limit_call(now, outlet, desk, recipe, value);
                (call, Errand::Limit { outlet, recipe, value }, lasts)
            }
        };
        let volts = self.conversion(desk).volts;
        let id = self.wire.send(now, &call, errand);
        if let Some(desk) = self.desks.get_mut(&outlet) {
            desk.sent = Some(Sent { id, value, volts, at: now, lasts, accepted: false });
        }
    }

    fn limit_call(
        &self,
        now: Instant,
        outlet: Outlet,
        desk: &Desk,
        recipe: Recipe,
        value: Milliamps,
    ) -> (Call, Option<Duration>) {
        let running = desk.running();
        let mut conversion = self.conversion(desk);
        if self.quirk.pause() == Pause::Floor6 && value <= FLOOR {
            // Its floor holds on every phase, whatever it is told; that it cannot be held lower was told.
            conversion.used = conversion.used.or(Some(conversion.wired));
        }
        let fallback = desk.place.map_or(Milliamps::ZERO, |place| self.effective_fallback(place));
        let shared = shares_the_fallbacks_place(recipe);
        let connector = if recipe.station { 0 } else { outlet.0 };
        let profile = ChargingProfile {
            id: profile_number(connector, if shared { Role::Fallback } else { Role::Limit }),
            transaction: running.and_then(|running| running.wire).filter(|_| recipe.purpose == Purpose::Tx),
            stack: recipe.stack,
            purpose: recipe.purpose,
            kind: recipe.kind,
            valid_to: None,
            start: None,
            duration: None,
            unit: recipe.unit,
            periods: vec![(0, conversion.tenths(recipe.unit, value))],
            number_phases: desk.number_phases.or_else(|| self.fewer_phases(desk)),
        };
        let lasts = self.lifetime(recipe);
        let life = Lifetime {
            lasts,
            elapsed: running.map_or(Duration::ZERO, |running| now.since(running.began)),
            wall: self.wall_there(now),
            expiry: self.expiry(recipe),
            fallback: conversion.safest(recipe.unit, fallback, self.loads_evenly()),
        };
        (Call::SetChargingProfile { outlet: connector, profile: profile.ending(&life) }, Some(lasts))
    }

    /// What a charger that must be told would otherwise do on three phases.
    fn fewer_phases(&self, desk: &Desk) -> Option<u8> {
        let wired = desk.place.map(|place| place.phases).filter(|phases| *phases < 3);
        wired.filter(|_| self.quirk.number_phases == Some(true))
    }

    fn expiry(&self, recipe: Recipe) -> Expiry {
        match self.quirk.expiry {
            Some(Expiry::Never) => Expiry::Never,
            // What has taken the fallback's place must bring it back.
            _ if shares_the_fallbacks_place(recipe) => Expiry::Period,
            known => known.unwrap_or(Expiry::Standard),
        }
    }

    pub(super) fn lifetime(&self, recipe: Recipe) -> Duration {
        let lifetime = self.settings.limit_lifetime.max(Duration::from_secs(10));
        if recipe.purpose == Purpose::Max { lifetime.max(STATION_LIFETIME) } else { lifetime }
    }

    /// A DC charger loads its lines evenly, whatever the car is.
    pub(super) const fn loads_evenly(&self) -> bool {
        self.settings.direct_current.is_some()
    }

    pub(super) fn conversion(&self, desk: &Desk) -> Conversion {
        let wired = desk.place.map_or(3, |place| place.phases.clamp(1, 3));
        let even = self.settings.direct_current.map(|_| wired);
        Conversion {
            step: self.quirk.step_a.map_or(Milliamps(100), Milliamps::from_amps_f64),
            volts: desk.volts.unwrap_or(self.settings.volts),
            wired,
            rating: desk.place.map_or(Milliamps::MAX, |place| place.rating),
            used: even.or(desk.car_phases.map(|phases| phases.clamp(1, wired))),
            efficiency: self.settings.rectified().unwrap_or(1.0),
        }
    }

    pub(super) fn limit_accepted(
        &mut self,
        outlet: Outlet,
        id: &str,
        recipe: Option<Recipe>,
        value: Milliamps,
    ) {
        if let Some(recipe) = recipe
            && self.memory.lessons.recipe != Some(recipe)
        {
            self.memory.lessons.recipe = Some(recipe);
            self.memory_changed = true;
            let lasts_longer = self.lifetime(recipe) > self.settings.limit_lifetime;
            for outlet in if lasts_longer { self.placed() } else { Vec::new() } {
                self.announce_fallback(outlet);
            }
        }
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        let Some(sent) = desk.sent.as_mut().filter(|sent| sent.id == id) else { return };
        sent.accepted = true;
        desk.refusals = 0;
        desk.gave_up = None;
        if desk.announced != Some(value) {
            desk.announced = Some(value);
            self.notice(outlet, Notice::LimitAccepted(value));
        }
    }

    /// The charger has said no, or nothing at all.
    pub(super) fn limit_refused(
        &mut self,
        now: Instant,
        outlet: Outlet,
        id: &str,
        recipe: Recipe,
        refusal: &Refusal,
    ) {
        let proven = self.memory.lessons.recipe == Some(recipe);
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        if desk.sent.as_ref().is_none_or(|sent| sent.id != id) {
            return;
        }
        let running = desk.running().is_some();
        desk.refusals = desk.refusals.saturating_add(1);
        let believed = match refusal {
            _ if proven => REFUSALS_BELIEVED,
            // The best one, and the transaction may be too young for the charger's smart charging.
            Refusal::Rejected(_) if self.limits.is_fresh() => FIRST_REFUSALS_BELIEVED,
            _ => 1,
        };
        // A transaction that is just ending refuses too, and a charger that hangs is silent; neither
        // says anything about the recipe.
        if !running || desk.refusals < believed {
            desk.retry_at = Some(now + RETRY_SOON * u32::from(desk.refusals));
            return;
        }
        if proven && *refusal == Refusal::Silence {
            self.give_up_limit(now, outlet, refusal);
            return;
        }
        (desk.sent, desk.refusals) = (None, 0);
        if proven {
            self.memory.lessons.recipe = None;
            self.memory_changed = true;
        }
        let recipes = self.limit_recipes();
        match refusal {
            Refusal::NotSupported(_) => self.limits.refuse_purpose(recipe.purpose, &recipes),
            Refusal::Rejected(_) | Refusal::Silence => self.limits.refuse(recipe),
        }
        if self.recipe().is_none() {
            self.limits.start_over();
            self.give_up_limit(now, outlet, refusal);
        }
    }

    /// Whatever is wanted by now, it will not hold it.
    fn give_up_limit(&mut self, now: Instant, outlet: Outlet, refusal: &Refusal) {
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        let silent = *refusal == Refusal::Silence;
        desk.retry_at = Some(now + if silent { RETRY_OF_THE_SILENT } else { RETRY_LATER });
        desk.refusals = 0;
        let told = desk.gave_up.replace(refusal.to_string()).is_some();
        if let Some(limit) = desk.wanted {
            self.notice(outlet, Notice::LimitRefused { limit, why: refusal.to_string() });
        }
        if !told {
            let name = &self.settings.identity;
            let text = format!(
                "{name} takes no limit ({refusal}). Switch on smart charging and switch off its own load management \
                 in its settings, update its firmware, or connect it over Modbus. Until then its rating is set aside."
            );
            self.notice(outlet, Notice::Trouble(text));
        }
    }

    /// Without a transaction a limit up to the fallback holds by definition.
    pub(super) fn announce_idle(&mut self, outlet: Outlet) {
        let outlives = self.recipe().is_some_and(|recipe| recipe.purpose != Purpose::Tx);
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        let (Armed::Yes(fallback), Some(wanted)) = (desk.armed, desk.wanted) else { return };
        let idle = desk.transaction.is_none() && (desk.sent.is_none() || !outlives);
        if idle && wanted <= fallback && desk.announced != Some(wanted) {
            desk.announced = Some(wanted);
            self.notice(outlet, Notice::LimitAccepted(wanted));
        }
    }
}

/// How a charger says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it answered {0}")]
    Rejected(String),
    #[error("it answered {0}")]
    NotSupported(String),
    #[error("it did not answer")]
    Silence,
}

#[derive(Clone, Copy)]
pub(super) enum Role {
    Fallback = 1,
    Limit = 2,
}

/// A fixed number for each profile, so that a new one replaces the old one.
pub(super) fn profile_number(connector: u8, role: Role) -> i32 {
    i32::from(connector) * 10 + role as i32
}

/// Same purpose and level: the charger keeps one of them.
pub(super) fn shares_the_fallbacks_place(recipe: Recipe) -> bool {
    match recipe.purpose {
        Purpose::Tx => false,
        Purpose::TxDefault => recipe.stack == 0,
        Purpose::Max => true,
    }
}
