//! The Modbus side: one machine for each connection or RS-485 line, with the meters and chargers on it.

use crate::event::Effect;
use crate::settings::{LinkSetting, MeterSource, PortIx, Settings};
use dlb_engine::site::ChargerIx;
use dlb_engine::time::{Instant, earliest};
use dlb_engine::units::Milliamps;
use dlb_links::charger::Abilities;
use dlb_links::modbus::{self, ChargerSettings, Fault, Port, PortNotice};

#[derive(Debug)]
pub(crate) struct Ports {
    ports: Vec<Port>,
    /// Number of the exchange under way on each port. Answers to others are too late: they belong to
    /// a request from before the ports were set up anew.
    under_way: Vec<Option<u64>>,
    last_exchange: u64,
}

impl Ports {
    /// `last_exchange`: numbers up to here have been used.
    pub(crate) fn new(settings: &Settings, now: Instant, last_exchange: u64) -> Self {
        let mut ports: Vec<Port> = (0..port_count(settings)).map(|_| Port::new()).collect();
        for (key, meter) in settings.meters.iter().enumerate() {
            if let MeterSource::Modbus { port, unit, map, every } = &meter.source {
                let map = modbus::meter_map(map).expect("map names are checked with the configuration");
                ports[port.0].add_meter(key, *unit, map, *every, now);
            }
        }
        for (key, link) in settings.links.iter().enumerate() {
            if let LinkSetting::Modbus { port, unit, map } = link {
                let map = modbus::charger_map(map).expect("map names are checked with the configuration");
                let charger = settings.site.charger(ChargerIx(key));
                let charger_settings = ChargerSettings {
                    fallback: charger.fallback,
                    rating: charger.max,
                    limit_lifetime: settings.policy.limit_lifetime,
                    measure_every: settings.policy.meter_values_every,
                };
                ports[port.0].add_charger(key, *unit, map, charger_settings, now);
            }
        }
        Self { under_way: vec![None; ports.len()], ports, last_exchange }
    }

    /// Set up anew for changed settings; every charger is commissioned again.
    pub(crate) fn reconfigured(self, settings: &Settings, now: Instant) -> Self {
        Self::new(settings, now, self.last_exchange)
    }

    pub(crate) fn set_limit(&mut self, now: Instant, port: PortIx, charger: ChargerIx, limit: Milliamps) {
        self.ports[port.0].set_limit(now, charger.0, limit);
    }

    pub(crate) fn abilities(&self, port: PortIx, charger: ChargerIx) -> Abilities {
        self.ports[port.0].abilities(charger.0)
    }

    pub(crate) fn answered(&mut self, now: Instant, exchange: u64, answer: Result<Vec<u16>, Fault>) {
        let Some(ix) = self.under_way.iter().position(|&under_way| under_way == Some(exchange)) else {
            return;
        };
        self.under_way[ix] = None;
        self.ports[ix].answered(now, answer);
    }

    pub(crate) fn handle_timeouts(&mut self, now: Instant) {
        for port in &mut self.ports {
            if port.deadline().is_some_and(|at| at <= now) {
                port.handle_timeout(now);
            }
        }
    }

    pub(crate) fn stop(&mut self, now: Instant) {
        for port in &mut self.ports {
            port.stop(now);
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.ports.iter().all(Port::stopped)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ports.iter().map(Port::deadline).fold(None, earliest)
    }

    /// Everything that the ports want to ask and have learnt.
    pub(crate) fn drain(&mut self, effects: &mut Vec<Effect>) -> Vec<PortNotice> {
        let mut notices = Vec::new();
        for (ix, port) in self.ports.iter_mut().enumerate() {
            if self.under_way[ix].is_none()
                && let Some(request) = port.next_request()
            {
                self.last_exchange += 1;
                self.under_way[ix] = Some(self.last_exchange);
                effects.push(Effect::Modbus { port: PortIx(ix), exchange: self.last_exchange, request });
            }
            while let Some(notice) = port.next_notice() {
                notices.push(notice);
            }
        }
        notices
    }
}

fn port_count(settings: &Settings) -> usize {
    let meters = settings.meters.iter().filter_map(|meter| match meter.source {
        MeterSource::Modbus { port, .. } => Some(port.0),
        MeterSource::Clamps => None,
    });
    let links = settings.links.iter().filter_map(|link| match link {
        LinkSetting::Modbus { port, .. } => Some(port.0),
        LinkSetting::Ocpp { .. } => None,
    });
    meters.chain(links).max().map_or(0, |highest| highest + 1)
}
