//! The picture of a site as others get to see it.

use crate::controller::Controller;
use crate::status::{ChargerStatus, CircuitStatus, MeterStatus, Mode, SessionStatus, Status, WaitingCharger};
use dlb_engine::allocation::Reason;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::snapshot::{Demand, Snapshot};
use dlb_engine::time::Instant;
use dlb_engine::units::Milliamps;

impl Controller {
    /// The whole site as it stands now.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let snapshot = self.snapshot(now);
        let lost = |(ix, meter)| self.metering.lost(ix, meter, now);
        let any_lost = self.settings.meters.is_empty() || self.settings.meters.iter().enumerate().any(lost);
        Status {
            at: now,
            wall: self.wall_at(now),
            name: self.settings.name.clone(),
            strategy: self.strategy,
            mode: if any_lost { Mode::Static } else { Mode::Dynamic },
            circuits: self.circuit_pictures(now, &snapshot),
            meters: self.meter_pictures(),
            chargers: self.settings.site.charger_indexes().map(|ix| self.charger_picture(now, ix)).collect(),
            waiting: self.waiting_pictures(),
            alerts: self.alerts.active().cloned().collect(),
        }
    }

    fn circuit_pictures(&self, now: Instant, snapshot: &Snapshot) -> Vec<CircuitStatus> {
        let site = &self.settings.site;
        let worst = self.worst_cases(now, snapshot);
        let picture = |(ix, circuit): (usize, &dlb_engine::site::Circuit)| CircuitStatus {
            id: circuit.id.clone(),
            parent: circuit.parent.map(|parent| site.circuit(parent).id.clone()),
            limit: circuit.limit,
            lowered: self
                .site_limit
                .filter(|_| circuit.parent.is_none())
                .map(|order| (order.apply(circuit.limit), order.until)),
            measured: self.measured(CircuitIx(ix)),
            other_load: snapshot.circuits[ix].other_load,
            worst_case: worst[ix],
        };
        site.circuits().iter().enumerate().map(picture).collect()
    }

    fn measured(&self, circuit: CircuitIx) -> Option<PerLine<Milliamps>> {
        let ix = self.settings.meters.iter().position(|meter| meter.circuit == circuit)?;
        self.metering.get(ix).measured()
    }

    /// What may flow at most in each circuit, by every limit possibly in force.
    fn worst_cases(&self, now: Instant, snapshot: &Snapshot) -> Vec<PerLine<Milliamps>> {
        let site = &self.settings.site;
        let mut worst: Vec<_> = snapshot.circuits.iter().map(|circuit| circuit.other_load).collect();
        for charger in site.charger_indexes() {
            let state = &snapshot.chargers[charger.0];
            if state.demand == Demand::Absent {
                continue;
            }
            let current = self.ledger.worst(now, charger, site);
            let loads = site.charger(charger).wiring.loads(state.car_phases);
            for circuit in site.path(charger) {
                for line in Line::ALL.into_iter().filter(|&line| loads[line]) {
                    worst[circuit.0][line] += current;
                }
            }
        }
        worst
    }

    fn meter_pictures(&self) -> Vec<MeterStatus> {
        let picture = |(ix, meter): (usize, &crate::settings::MeterSetting)| MeterStatus {
            id: meter.id.clone(),
            circuit: self.settings.site.circuit(meter.circuit).id.clone(),
            reading: self.metering.get(ix).latest,
        };
        self.settings.meters.iter().enumerate().map(picture).collect()
    }

    fn charger_picture(&self, now: Instant, ix: ChargerIx) -> ChargerStatus {
        let (site, outlet) = (&self.settings.site, &self.outlets[ix.0]);
        let charger = site.charger(ix);
        let grant = self.allocation.as_ref().and_then(|allocation| allocation.grants.get(ix.0));
        ChargerStatus {
            id: charger.id.clone(),
            circuit: site.circuit(charger.circuit).id.clone(),
            online: outlet.online,
            identity: outlet.identity.clone(),
            state: outlet.state,
            limit: self.ledger.limit(ix),
            confirmed: self.ledger.confirmed(ix),
            reason: grant.map_or(Reason::NoCar, |grant| grant.reason),
            drawn: outlet.drawn_on_site(charger, now, self.settings.policy.drawn_valid_for),
            power: outlet.power(),
            session: outlet.session.as_ref().map(|session| SessionStatus {
                session: session.number,
                tag: session.tag.clone(),
                started: session.started,
                energy: outlet.session_energy(),
            }),
            max: charger.max,
            fallback: charger.fallback,
            fallback_armed: outlet.fallback_armed,
        }
    }

    fn waiting_pictures(&self) -> Vec<WaitingCharger> {
        let picture = |(name, station): (&String, &crate::central::Station)| WaitingCharger {
            name: name.clone(),
            outlets: station.session.outlets_seen(),
            identity: station.session.identity().clone(),
            since: station.since,
        };
        self.central.waiting().map(picture).collect()
    }
}
