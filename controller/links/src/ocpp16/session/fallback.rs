//! The standing fallback: the low default profile that applies whenever no limit is in force.

use super::limits::{FLOOR, RETRY_LATER, Refusal, Role, profile_number, shares_the_fallbacks_place};
use super::{Errand, Session};
use crate::charger::{Notice, Outlet};
use crate::ocpp16::call::Call;
use crate::ocpp16::desk::{Armed, Desk, Place};
use crate::ocpp16::memory::ArmedFallback;
use crate::ocpp16::profile::{ChargingProfile, Expiry, Kind, START_MARGIN};
use crate::ocpp16::quirks::Pause;
use crate::ocpp16::recipe::{Knowledge, Recipe};
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;

/// A charger that is still starting may swallow its first call. Until the fallback is there, a car that begins gets
/// whatever the charger has: it is not left to the time-out of a call, and twice does no harm.
const SECOND_TRY: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn next_fallback(&self, now: Instant) -> Option<(Outlet, Recipe)> {
        if !self.settings.adopted || self.open.is_none() || self.setup.clears_first() {
            return None;
        }
        let due = |desk: &Desk| match desk.armed {
            Armed::Wanted => desk.place.is_some(),
            Armed::Yes(_) => false,
            Armed::No(retry_at) => desk.place.is_some() && retry_at <= now,
        };
        let recipe = self.fallback_recipe()?;
        self.desks.iter().find(|(_, desk)| due(desk)).map(|(outlet, _)| (*outlet, recipe))
    }

    /// The fallback that is due for its second try, with when that is.
    pub(super) fn second_try(&self) -> Option<(Instant, Outlet, Recipe)> {
        let call = self.wire.under_way()?;
        let Errand::Fallback { outlet, recipe, again: false, .. } = call.errand else { return None };
        // Who was taken out of the configuration meanwhile has none.
        self.desks.get(&outlet)?.place?;
        Some((call.sent + SECOND_TRY, outlet, recipe))
    }

    pub(super) fn send_fallback(&mut self, now: Instant, outlet: Outlet, recipe: Recipe) {
        let Some((desk, place)) = self.desks.get(&outlet).and_then(|desk| Some((desk, desk.place?))) else {
            return;
        };
        let everybody =
            self.desks.values().filter_map(|desk| desk.place).map(|place| self.effective_fallback(place));
        let own = self.effective_fallback(place);
        let value = if recipe.station { everybody.fold(own, Milliamps::min) } else { own };
        let connector = if recipe.station { 0 } else { outlet.0 };
        let wall = self.time_told.at(now).unwrap_or_else(|| self.calendar.told(now));
        let amount = self.conversion(desk).safest(recipe.unit, value, self.loads_evenly());
        let profile = ChargingProfile {
            id: profile_number(connector, Role::Fallback),
            transaction: None,
            stack: recipe.stack,
            purpose: recipe.purpose,
            kind: recipe.kind,
            valid_to: None,
            start: (recipe.kind == Kind::Absolute)
                .then(|| WallTime(wall.0 - START_MARGIN.as_millis() as i64)),
            duration: None,
            unit: recipe.unit,
            periods: vec![(0, amount)],
            number_phases: None,
        };
        let call = Call::SetChargingProfile { outlet: connector, profile };
        let again = self.second_try().is_some();
        self.wire.send(now, &call, Errand::Fallback { outlet, recipe, value, again });
    }

    pub(super) fn fallback_accepted(&mut self, outlet: Outlet, recipe: Recipe, value: Milliamps) {
        if self.memory.lessons.fallback != Some(recipe) {
            self.memory.lessons.fallback = Some(recipe);
            self.memory_changed = true;
        }
        let shared = self.recipe().is_some_and(shares_the_fallbacks_place);
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        desk.armed = Armed::Yes(value);
        if shared {
            // The limit stood where the fallback stands now.
            desk.doubt_limit();
        }
        self.announce_fallback(outlet);
        self.announce_idle(outlet);
    }

    /// Silence ends in the fallback, if the limit ends by itself and the fallback is there.
    pub(super) fn announce_fallback(&mut self, outlet: Outlet) {
        let Some(Armed::Yes(current)) = self.desks.get(&outlet).map(|desk| desk.armed) else { return };
        let keeps = self.quirk.expiry == Some(Expiry::Never);
        match self.recipe().filter(|_| !keeps) {
            Some(recipe) => self.tell_armed(outlet, current, self.lifetime(recipe) + START_MARGIN),
            None => self.tell_missing(outlet, "this model keeps a limit for good once it has it".to_owned()),
        }
    }

    fn tell_armed(&mut self, outlet: Outlet, current: Milliamps, after: Duration) {
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let armed = ArmedFallback { outlet: outlet.0, current_ma: current.0, after_ms };
        self.memory_changed |= self.memory.remember_armed(outlet.0, Some(armed));
        self.notice(outlet, Notice::FallbackArmed { current, after });
    }

    fn tell_missing(&mut self, outlet: Outlet, why: String) {
        self.memory_changed |= self.memory.remember_armed(outlet.0, None);
        self.notice(outlet, Notice::FallbackMissing { why });
    }

    /// What it stood at before our restart holds until it says otherwise: while it is out of reach, no
    /// more than that is set aside for it.
    pub(super) fn recall_fallbacks(&mut self) {
        for armed in self.memory.lessons.armed.clone() {
            let (current, after) = (Milliamps(armed.current_ma), Duration::from_millis(armed.after_ms));
            if self.desks.contains_key(&Outlet(armed.outlet)) && current >= Milliamps::ZERO {
                self.notice(Outlet(armed.outlet), Notice::FallbackArmed { current, after });
            }
        }
    }

    pub(super) fn fallback_refused(
        &mut self,
        now: Instant,
        outlet: Outlet,
        recipe: Recipe,
        refusal: &Refusal,
    ) {
        if *refusal == Refusal::Silence && self.memory.lessons.fallback == Some(recipe) {
            self.miss_fallback(now, outlet, refusal);
            return;
        }
        let recipes = self.fallback_recipes();
        match refusal {
            Refusal::NotSupported(_) => self.fallbacks.refuse_purpose(recipe.purpose, &recipes),
            Refusal::Rejected(_) | Refusal::Silence => self.fallbacks.refuse(recipe),
        }
        if self.fallback_recipe().is_some() {
            return;
        }
        self.fallbacks.start_over();
        self.miss_fallback(now, outlet, refusal);
    }

    fn miss_fallback(&mut self, now: Instant, outlet: Outlet, refusal: &Refusal) {
        let Some(desk) = self.desks.get_mut(&outlet) else { return };
        desk.armed = Armed::No(now + RETRY_LATER);
        self.tell_missing(outlet, refusal.to_string());
    }

    fn fallback_recipes(&self) -> Vec<Recipe> {
        Knowledge { learnt: self.memory.lessons.fallback, ..self.knowledge() }.fallbacks()
    }

    pub(super) fn fallback_recipe(&self) -> Option<Recipe> {
        self.fallbacks.current(&self.fallback_recipes())
    }

    /// The standing fallback; never 0 A where that confuses the charger.
    pub(super) fn effective_fallback(&self, place: Place) -> Milliamps {
        let least = if self.quirk.pause() == Pause::ZeroLimit { Milliamps::ZERO } else { FLOOR };
        place.fallback.min(place.rating).max(least)
    }
}
