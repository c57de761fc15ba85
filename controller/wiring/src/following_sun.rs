//! Which chargers follow the sun, and what is left for them: what the site's own meter shows to go out, and what these
//! chargers draw already.

use crate::controller::Controller;
use crate::settings::LinkSetting;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::snapshot::Demand;
use dlb_engine::surplus::{Follower, Follows, Setting, ceilings};
use dlb_engine::time::Instant;
use dlb_engine::units::Milliamps;
use std::collections::BTreeMap;

/// What the sun allows each charger that follows it, by identity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sun {
    followers: BTreeMap<String, (Follows, Milliamps)>,
}

impl Sun {
    /// `None`: this charger does not follow the sun.
    pub(crate) fn ceiling(&self, charger: &str) -> Option<Milliamps> {
        self.followers.get(charger).map(|(_, ceiling)| *ceiling)
    }
}

impl Controller {
    /// Looks at the sky before a decision.
    pub(crate) fn follow_sun(&mut self, now: Instant) {
        self.release_phases(now);
        let modes = &self.settings.policy.sun;
        let known = core::mem::take(&mut self.sun.followers);
        let found = modes
            .iter()
            .filter_map(|(id, setting)| Some((id.clone(), self.settings.site.find_charger(id)?, *setting)));
        let found: Vec<(String, ChargerIx, Setting)> = found.collect();
        if found.is_empty() {
            return;
        }
        let cars: Vec<Follower> =
            found.iter().map(|(_, ix, setting)| self.follower(now, *ix, *setting)).collect();
        let mut memory: Vec<Follows> = found
            .iter()
            .map(|(id, ..)| known.get(id).map(|(follows, _)| *follows).unwrap_or_default())
            .collect();
        let mut given = ceilings(now, self.surplus(now).unwrap_or(0.0), &cars, &mut memory);
        for ((ceiling, follows), (_, ix, setting)) in given.iter_mut().zip(&memory).zip(&found) {
            if setting.switches && !self.has_phases(now, *ix, follows.on_one_phase()) {
                *ceiling = Milliamps::ZERO;
            }
        }
        let ids = found.into_iter().map(|(id, ..)| id);
        self.sun.followers = ids.zip(memory.into_iter().zip(given)).collect();
    }

    /// Is this charger told so many phases? One that is to be told otherwise gets nothing until nothing flows:
    /// its old limit must not fall on lines that nobody has counted.
    fn has_phases(&mut self, now: Instant, ix: ChargerIx, one: bool) -> bool {
        let told = self.outlets[ix.0].told_one_phase;
        if told == Some(one) {
            return true;
        }
        let stands = self.ledger.limit(ix) == Some(Milliamps::ZERO) && self.ledger.confirmed(ix);
        let LinkSetting::Ocpp { identity, outlet, .. } = &self.settings.links[ix.0] else { return true };
        if stands {
            let wired = self.wired(ix);
            self.central.set_phases(now, identity, *outlet, if one { 1 } else { wired });
            self.outlets[ix.0].is_told_phases(one);
        }
        stands
    }

    /// A charger that switches may still be on one phase by what it was told before this program was started.
    pub(crate) fn phases_unsure(&self, ix: ChargerIx) -> bool {
        let setting = self.settings.policy.sun.get(&self.settings.site.charger(ix).id);
        setting.is_some_and(|setting| setting.switches) && self.outlets[ix.0].told_one_phase.is_none()
    }

    /// Chargers that switch no more go back to all of their phases, when nothing flows.
    fn release_phases(&mut self, now: Instant) {
        for ix in self.settings.site.charger_indexes() {
            let setting = self.settings.policy.sun.get(&self.settings.site.charger(ix).id);
            if self.outlets[ix.0].told_one_phase == Some(true) && !setting.is_some_and(|it| it.switches) {
                self.has_phases(now, ix, false);
            }
        }
    }

    /// Phases that this charger has.
    fn wired(&self, ix: ChargerIx) -> u8 {
        let wiring = self.settings.site.charger(ix).wiring;
        wiring.loads(None).0.into_iter().filter(|&loaded| loaded).count() as u8
    }

    fn follower(&self, now: Instant, ix: ChargerIx, setting: Setting) -> Follower {
        let charger = self.settings.site.charger(ix);
        let outlet = &self.outlets[ix.0];
        Follower {
            mode: setting.mode,
            wants: matches!(self.demand(now, ix), Demand::Wants(wish) if wish > Milliamps::ZERO),
            min: outlet.least(charger),
            max: charger.max,
            volts: self.watts_per_ampere(ix),
            one_phase: setting.switches.then(|| self.volts_to_neutral(ix)),
        }
    }

    /// Watts that one ampere of its limit means on the lines that its car loads.
    fn watts_per_ampere(&self, ix: ChargerIx) -> f64 {
        let charger = self.settings.site.charger(ix);
        let supply = self.settings.site.circuit(charger.circuit).supply;
        if let Wiring::Between(..) = charger.wiring {
            return supply.volts_between_lines().as_volts();
        }
        // A wallbox whose rotation is unknown has three phases until its car has shown how many it uses.
        let outlet = &self.outlets[ix.0];
        let seen = outlet.car_phases().filter(|_| outlet.told_one_phase != Some(true));
        self.volts_to_neutral(ix) * f64::from(seen.unwrap_or_else(|| self.wired(ix)).max(1))
    }

    fn volts_to_neutral(&self, ix: ChargerIx) -> f64 {
        let circuit = self.settings.site.charger(ix).circuit;
        self.settings.site.circuit(circuit).supply.volts_line_to_neutral().as_volts()
    }

    /// Watts that go out at the grid connection and those that followers of the sun take. `None`: nobody knows.
    fn surplus(&self, now: Instant) -> Option<f64> {
        let site = &self.settings.site;
        let root = site.circuits().iter().position(|circuit| circuit.parent.is_none())?;
        let meter = self.settings.meters.iter().position(|meter| meter.circuit == CircuitIx(root))?;
        if self.metering.lost(meter, &self.settings.meters[meter], now)
            || !self.metering.reversed(meter).is_empty()
        {
            return None;
        }
        let shown = self.metering.get(meter).measured()?;
        let volts = site.circuits()[root].supply.volts_line_to_neutral().as_volts();
        let sum = |lines: PerLine<Milliamps>| {
            Line::ALL.into_iter().map(|line| lines[line].as_amps()).sum::<f64>() * volts
        };
        let valid = self.settings.policy.drawn_valid_for;
        let followers =
            site.charger_indexes().filter(|ix| self.settings.policy.sun.contains_key(&site.charger(*ix).id));
        let drawn: f64 = followers
            .filter_map(|ix| {
                Some((ix, self.outlets[ix.0].drawn.filter(|drawn| now.since(drawn.at) <= valid)?))
            })
            .map(|(ix, drawn)| match drawn.power {
                Some(power) => power.0 as f64 / self.efficiency(ix),
                None => self.outlets[ix.0].drawn_on_site(site.charger(ix), now, valid).map_or(0.0, sum),
            })
            .sum();
        Some(drawn - sum(shown))
    }

    /// DC chargers tell what leaves them.
    fn efficiency(&self, ix: ChargerIx) -> f64 {
        match &self.settings.links[ix.0] {
            LinkSetting::Ocpp { efficiency: Some(efficiency), .. } => *efficiency,
            _ => 1.0,
        }
    }
}
