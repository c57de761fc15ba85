//! The picture of a site as others get to see it.

use crate::controller::Controller;
use crate::settings::LinkSetting;
use crate::status::{
    ChargerStatus, CircuitStatus, InputStatus, MeterStatus, Mode, OutputStatus, SessionStatus, Status,
    WaitingCharger,
};
use dlb_engine::allocation::Reason;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::snapshot::Snapshot;
use dlb_engine::time::Instant;
use dlb_engine::units::Milliamps;

impl Controller {
    /// The whole site as it stands now.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let snapshot = self.snapshot(now);
        Status {
            at: now,
            wall: self.wall_at(now),
            name: self.settings.name.clone(),
            strategy: self.strategy,
            mode: self.mode(now),
            circuits: self.circuit_pictures(now, &snapshot),
            meters: self.meter_pictures(),
            chargers: self.settings.site.charger_indexes().map(|ix| self.charger_picture(now, ix)).collect(),
            inputs: self.input_pictures(),
            outputs: self.output_pictures(),
            waiting: self.waiting_pictures(),
            alerts: self.alerts.active().cloned().collect(),
        }
    }

    pub(crate) fn mode(&self, now: Instant) -> Mode {
        let lost = |(ix, meter)| self.metering.lost(ix, meter, now);
        let any_lost = self.settings.meters.is_empty() || self.settings.meters.iter().enumerate().any(lost);
        if any_lost { Mode::Static } else { Mode::Dynamic }
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
            guard: self.guard_picture(now, CircuitIx(ix)),
        };
        site.circuits().iter().enumerate().map(picture).collect()
    }

    fn measured(&self, circuit: CircuitIx) -> Option<PerLine<Milliamps>> {
        let ix = self.settings.meters.iter().position(|meter| meter.circuit == circuit)?;
        self.metering.get(ix).measured()
    }

    /// What may flow at most in each circuit, by every limit possibly in force.
    fn worst_cases(&self, now: Instant, snapshot: &Snapshot) -> Vec<PerLine<Milliamps>> {
        let ours = self.possible(now, snapshot).into_iter();
        ours.zip(&snapshot.circuits).map(|(ours, circuit)| ours + circuit.other_load).collect()
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
            serviceable: matches!(self.settings.links[ix.0], LinkSetting::Ocpp { .. }),
            identity: outlet.identity.clone(),
            state: outlet.state,
            limit: self.ledger.limit(ix),
            confirmed: self.ledger.confirmed(ix),
            reason: grant.map_or(Reason::Undecided, |grant| grant.reason),
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
            settle: self.proof_of(ix).settle,
            settle_learnt: self.settle_is_learnt(ix),
            held: outlet.held,
            departs: outlet.departs,
            energy_needed: outlet.energy_needed(),
        }
    }

    fn input_pictures(&self) -> Vec<InputStatus> {
        let picture = |(ix, input): (usize, &crate::settings::InputSetting)| {
            let state = self.inputs.get(ix);
            InputStatus {
                id: input.id.clone(),
                circuit: self.settings.site.circuit(input.circuit).id.clone(),
                asks: crate::proof::in_words(input, &self.settings),
                said: state.said,
                in_force: state.in_force,
                since: state.since,
                met: state.met,
            }
        };
        self.settings.inputs.iter().enumerate().map(picture).collect()
    }

    fn output_pictures(&self) -> Vec<OutputStatus> {
        let picture = |(ix, output): (usize, &crate::settings::OutputSetting)| OutputStatus {
            id: output.id.clone(),
            rule: output.rule,
            drive: self.outputs.get(ix).drive,
        };
        self.settings.outputs.iter().enumerate().map(picture).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Order};
    use crate::settings::{Adoption, LinkSetting, Policy, Settings};
    use dlb_engine::lines::Wiring;
    use dlb_engine::site::{Charger, Circuit, Site, Supply};
    use dlb_engine::time::WallTime;
    use dlb_engine::units::{Millivolts, WattHours};
    use dlb_links::charger::Outlet;
    use std::collections::BTreeMap;

    const NOW: Instant = Instant::from_millis(1_000);

    fn one_bay() -> Settings {
        let grid = Circuit::new("grid", PerLine::all(Milliamps(63_000)), Supply::Star(Millivolts(230_000)));
        let bay = Charger {
            id: "bay".into(),
            circuit: CircuitIx(0),
            wiring: Wiring::Unknown,
            min: Milliamps(6_000),
            max: Milliamps(32_000),
            step: Milliamps(1_000),
            fallback: Milliamps(6_000),
            priority: 0,
            weight: 1.0,
        };
        Settings {
            name: "Site".into(),
            site: Site::new(vec![grid], vec![bay]).expect("a sound site"),
            guards: Vec::new(),
            meters: Vec::new(),
            links: vec![LinkSetting::Ocpp { identity: "CP".into(), outlet: Outlet(1), efficiency: None }],
            policy: Policy::default(),
            adoption: Adoption::Ask,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn what_people_asked_of_a_charger_is_in_the_picture_until_they_take_it_back() {
        let mut controller = Controller::new(one_bay(), BTreeMap::new(), NOW);
        let charger = || "bay".to_owned();
        let wish = (Some(WallTime(1_772_438_400_000)), Some(WattHours(20_000)));
        controller
            .handle(NOW, Event::Order(Order::ChargerLimit { charger: charger(), limit: Some(Milliamps(0)) }));
        controller
            .handle(NOW, Event::Order(Order::Departure { charger: charger(), at: wish.0, energy: wish.1 }));
        let seen = &controller.status(NOW).chargers[0];
        assert_eq!((seen.held, seen.departs, seen.energy_needed), (Some(Milliamps(0)), wish.0, wish.1));

        controller.handle(NOW, Event::Order(Order::ChargerLimit { charger: charger(), limit: None }));
        controller.handle(NOW, Event::Order(Order::Departure { charger: charger(), at: None, energy: None }));
        let seen = &controller.status(NOW).chargers[0];
        assert_eq!((seen.held, seen.departs, seen.energy_needed), (None, None, None));
    }
}
