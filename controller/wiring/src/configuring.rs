//! A new configuration while the site runs: what is known of chargers, meters and limits in force is carried over.

use crate::controller::Controller;
use crate::event::Effect;
use crate::outlet::OutletRecord;
use crate::ports::Ports;
use crate::settings::{LinkSetting, Settings};
use dlb_engine::site::ChargerIx;
use dlb_engine::time::{Duration, Instant};

impl Controller {
    pub(crate) fn configured(&mut self, now: Instant, new: Settings) {
        let old = core::mem::replace(&mut self.settings, new);
        let new = &self.settings;
        let carry = |id: &str| {
            old.site.find_charger(id).map_or_else(OutletRecord::default, |ix| self.outlets[ix.0].clone())
        };
        self.outlets = new.site.chargers().iter().map(|charger| carry(&charger.id)).collect();
        let departed = self.departed.compare(now, &old, new, &self.ledger);
        self.effects.extend(departed.map(Effect::Record));
        self.ledger = self.ledger.reconfigured(&old.site, &new.site, now);
        self.inputs = self.inputs.reconfigured(&old, new, now);
        self.outputs = self.outputs.reconfigured(&old, new);
        self.guard = crate::guarding::carried(&mut self.guard, &old.site, new);
        self.metering = core::mem::take(&mut self.metering).reconfigured(&old, new, now);
        if old.policy.strategy != new.policy.strategy {
            self.strategy = new.policy.strategy;
        }
        self.central.configure(now, new);
        if modbus_differs(&old, new) {
            self.begin_modbus_anew(now);
        }
        self.dc_first = crate::dc_first::served(&self.settings);
        self.allocation = None;
        self.drive_all();
        self.forget_alerts(now);
        self.decide_within(now, Duration::ZERO);
    }

    /// Each Modbus charger is commissioned anew, and stands at its fallback until told otherwise.
    fn begin_modbus_anew(&mut self, now: Instant) {
        let ports = Ports::new(&self.settings, now, 0);
        self.ports = core::mem::replace(&mut self.ports, ports).reconfigured(&self.settings, now);
        for (ix, link) in self.settings.links.iter().enumerate() {
            if matches!(link, LinkSetting::Modbus { .. }) {
                self.outlets[ix].online = false;
                self.ledger.offline(now, ChargerIx(ix));
            }
        }
    }

    /// Those about what is no longer there.
    fn forget_alerts(&mut self, now: Instant) {
        let new = &self.settings;
        let known = |about: &str| {
            about == "site"
                || new.site.find_charger(about).is_some()
                || new.meters.iter().any(|meter| meter.id == about)
                || new.site.find_circuit(about).is_some()
                || new.inputs.iter().any(|input| input.id == about)
                || new.outputs.iter().any(|output| output.id == about)
        };
        self.alerts.forget(now, known);
    }
}

/// Must the Modbus ports be set up anew?
fn modbus_differs(old: &Settings, new: &Settings) -> bool {
    let modbus_links = |settings: &Settings| {
        let links = settings.links.iter().enumerate();
        let modbus = links.filter(|(_, link)| matches!(link, LinkSetting::Modbus { .. }));
        modbus.map(|(ix, link)| (ix, link.clone(), settings.site.chargers()[ix].clone())).collect::<Vec<_>>()
    };
    let sources = |settings: &Settings| {
        settings.meters.iter().map(|meter| (meter.id.clone(), meter.source.clone())).collect::<Vec<_>>()
    };
    modbus_links(old) != modbus_links(new)
        || sources(old) != sources(new)
        || old.policy.limit_lifetime != new.policy.limit_lifetime
}
