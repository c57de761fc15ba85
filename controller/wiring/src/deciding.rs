//! One decision: freeze the picture, allocate, see what the ledger lets through, tell the links.

use crate::arrivals::kept_for_arrival;
use crate::controller::Controller;
use crate::event::{Effect, Severity};
use crate::outlet::OutletRecord;
use crate::settings::LinkSetting;
use dlb_engine::allocation::{Grant, Reason};
use dlb_engine::ledger::{Obedience, Setpoint};
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::ours::{at_angles, between_lines};
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::snapshot::{ChargerState, CircuitState, Demand, Reservation, Snapshot};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;

/// What a limit leaves where currents meet at an angle that no meter sees. Sums go by a power factor of 1, which puts
/// chargers on two pairs of lines 60° apart; at 0.95, the least that SAE J2894-1 allows a car, one current lags by 18°,
/// and two that were 60° apart add up to more: cos 30° over cos 21°.
fn less_for_power_factors(limit: Milliamps) -> Milliamps {
    Milliamps((i64::from(limit.0) * 9_276 / 10_000) as i32)
}

impl Controller {
    pub(crate) fn decide(&mut self, now: Instant) {
        self.expire(now);
        let departed = self.departed.forget(now, &self.central);
        self.effects.extend(departed.map(Effect::Record));
        self.watch_idling(now);
        self.follow_sun(now);
        let snapshot = self.snapshot(now);
        self.guard_looks(now, &snapshot);
        if self.resumes(now) {
            self.watch(now, &snapshot);
            self.publish_soon(now);
            return;
        }
        let guarded = self.guarded(&snapshot);
        let mut allocator = core::mem::take(&mut self.allocator);
        let mut allocation = allocator.allocate(self.site_now(now), &guarded);
        self.allocator = allocator;
        for (ix, grant) in allocation.grants.iter_mut().enumerate() {
            grant.reason = self.reason(ChargerIx(ix), *grant, (&snapshot, &guarded));
        }
        let before = self.settings.site.charger_indexes().map(|ix| self.ledger.limit(ix)).collect::<Vec<_>>();
        let setpoints = self.ledger.plan(now, &self.settings.site, &guarded, &allocation);
        self.send(now, &setpoints);
        if setpoints.iter().any(|set| before[set.charger.0].is_some_and(|before| set.limit < before)) {
            self.guard.answered(now);
        }
        self.allocation = Some(allocation);
        self.watch(now, &snapshot);
        self.publish_soon(now);
    }

    fn expire(&mut self, now: Instant) {
        if self.site_limit.is_some_and(|order| order.until <= now) {
            self.site_limit = None;
        }
    }

    /// The allocation sees a wish and a room; behind the wish may stand an order or the charger's rating,
    /// behind the room the guard.
    fn reason(&self, ix: ChargerIx, grant: Grant, (snapshot, guarded): (&Snapshot, &Snapshot)) -> Reason {
        let other = self.guards(grant.reason, snapshot);
        if let Some(other) = other.or_else(|| kept_for_arrival(grant.reason, snapshot, guarded)) {
            return other;
        }
        if grant.reason != Reason::WantsNoMore {
            return self.inputs.behind(&self.settings, grant.reason).unwrap_or(grant.reason);
        }
        if self.outlets[ix.0].held.is_some() {
            return Reason::HeldByOrder;
        }
        if snapshot.chargers[ix.0].demand == Demand::Idle {
            return Reason::TakesNothing;
        }
        let charger = self.settings.site.charger(ix);
        if grant.limit >= charger.max {
            return Reason::ChargerMaximum;
        }
        let shaded = self
            .sun
            .ceiling(&charger.id)
            .is_some_and(|ceiling| grant.limit.saturating_add(charger.step) > ceiling);
        if shaded { Reason::FollowsSun } else { Reason::WantsNoMore }
    }

    fn watch_idling(&mut self, now: Instant) {
        for ix in self.settings.site.charger_indexes() {
            let least = self.settings.site.charger(ix).min;
            let offered = self.ledger.limit(ix).is_some_and(|limit| limit >= least);
            let outlet = &mut self.outlets[ix.0];
            outlet.idling.saw(now, outlet.state, offered);
        }
    }

    fn send(&mut self, now: Instant, setpoints: &[Setpoint]) {
        for &Setpoint { charger, limit } in setpoints {
            match &self.settings.links[charger.0] {
                LinkSetting::Ocpp { identity, outlet, .. } => {
                    self.central.set_limit(now, identity, *outlet, limit)
                }
                LinkSetting::Modbus { port, .. } => self.ports.set_limit(now, *port, charger, limit),
            }
        }
    }

    /// The frozen picture.
    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        Snapshot {
            now,
            strategy: self.strategy,
            circuits: self.circuit_states(now),
            chargers: self.settings.site.charger_indexes().map(|ix| self.charger_state(now, ix)).collect(),
        }
    }

    fn circuit_states(&self, now: Instant) -> Vec<CircuitState> {
        let circuits = self.settings.site.circuits();
        let mut below = self.departed.loads(now, &self.settings.site);
        let ours = self.between_lines();
        let at_angles = at_angles(&self.settings.site);
        let mut states = Vec::with_capacity(circuits.len());
        for (ix, circuit) in circuits.iter().enumerate().rev() {
            let metered = self.metered_load(CircuitIx(ix), now);
            let other_load = metered.unwrap_or(below[ix]);
            if let Some(parent) = circuit.parent {
                let above = self.load_above(CircuitIx(ix), now, ours[ix]).unwrap_or(below[ix]);
                let above = circuit.transformer.map_or(above, |way| way.primary(above));
                below[parent.0] = below[parent.0] + above;
            }
            let unseen = metered.is_none() && at_angles[ix];
            let limit = self.limit_of(CircuitIx(ix));
            let limit = if unseen { limit.map(less_for_power_factors) } else { limit };
            let mut state = CircuitState { limit, limit_power: circuit.limit_power, other_load };
            self.inputs.apply(&self.settings, CircuitIx(ix), &mut state);
            states.push(state);
        }
        states.reverse();
        states
    }

    /// What a circuit may carry now: its own limit, or a lower one that somebody set for a while.
    pub(crate) fn limit_of(&self, circuit: CircuitIx) -> PerLine<Milliamps> {
        let (ix, circuit) = (circuit, self.settings.site.circuit(circuit));
        let lowered = self.site_limit.filter(|_| circuit.parent.is_none());
        let limit = lowered.map_or(circuit.limit, |order| order.apply(circuit.limit));
        self.inputs.lower(&self.settings, ix, limit)
    }

    pub(crate) fn metered_load(&self, circuit: CircuitIx, now: Instant) -> Option<PerLine<Milliamps>> {
        let meters = &self.settings.meters;
        let ix = meters.iter().position(|meter| meter.circuit == circuit)?;
        Some(self.metering.other_load(ix, &meters[ix], now))
    }

    /// What a meter in this circuit says of the load that is not ours, for the circuit above.
    fn load_above(
        &self,
        circuit: CircuitIx,
        now: Instant,
        ours: PerLine<Milliamps>,
    ) -> Option<PerLine<Milliamps>> {
        let meters = &self.settings.meters;
        let ix = meters.iter().position(|meter| meter.circuit == circuit)?;
        Some(self.metering.load_above(ix, &meters[ix], now, ours))
    }

    /// What chargers with a car that hang between two lines may draw in each circuit.
    fn between_lines(&self) -> Vec<PerLine<Milliamps>> {
        let site = &self.settings.site;
        between_lines(site, |ix| {
            if self.outlets[ix.0].may_draw() { site.charger(ix).max } else { Milliamps::ZERO }
        })
    }

    fn charger_state(&self, now: Instant, ix: ChargerIx) -> ChargerState {
        let outlet = &self.outlets[ix.0];
        let charger = self.settings.site.charger(ix);
        let valid = self.settings.policy.drawn_valid_for;
        ChargerState {
            demand: self.under_the_sun(ix, self.demand(now, ix)),
            car_phases: outlet.car_phases().filter(|_| !self.phases_unsure(ix)),
            least: self.least(ix),
            drawn: outlet.drawn_on_site(charger, now, valid),
            arrived: outlet.arrived,
            departs: self.departs(now, outlet),
            energy_needed: outlet.energy_needed(),
        }
    }

    /// The smallest limit that is sure to start its car. Where its circuits could never carry that, it starts only some.
    fn least(&self, ix: ChargerIx) -> Milliamps {
        let site = &self.settings.site;
        let charger = site.charger(ix);
        let least = self.outlets[ix.0].least(charger);
        let loads = charger.wiring.loads(None);
        let carries =
            |at| Line::ALL.into_iter().all(|line| !loads[line] || site.circuit(at).limit[line] >= least);
        if site.path(ix).all(carries) { least } else { charger.min }
    }

    fn departs(&self, now: Instant, outlet: &OutletRecord) -> Option<Instant> {
        let (wall, departs) = (self.wall_at(now)?, outlet.departs?);
        let ahead = u64::try_from(departs.0.saturating_sub(wall.0)).unwrap_or_default();
        Some(now + Duration::from_millis(ahead))
    }

    /// What its car would take, the sun left out.
    pub(crate) fn demand(&self, now: Instant, ix: ChargerIx) -> Demand {
        let outlet = &self.outlets[ix.0];
        let reserve = |why| Demand::Reserved(self.ledger.worst(now, ix, &self.settings.site), why);
        if !outlet.reachable() {
            return reserve(Reservation::OutOfReach);
        }
        match self.ledger.obedience(ix) {
            Obedience::Disobeys => return reserve(Reservation::Disobeys),
            Obedience::Refuses => return reserve(Reservation::Uncontrollable),
            Obedience::Obeys => {}
        }
        match outlet.state {
            state if state.occupied() && outlet.idling.idle() => Demand::Idle,
            _ if outlet.may_draw() => self.wish(ix, outlet),
            _ => Demand::Absent,
        }
    }

    /// A charger that follows the sun wants no more than that gives.
    fn under_the_sun(&self, ix: ChargerIx, demand: Demand) -> Demand {
        match (demand, self.sun.ceiling(&self.settings.site.charger(ix).id)) {
            (Demand::Wants(wish), Some(ceiling)) => Demand::Wants(wish.min(ceiling)),
            (demand, _) => demand,
        }
    }

    fn wish(&self, ix: ChargerIx, outlet: &OutletRecord) -> Demand {
        let charger = self.settings.site.charger(ix);
        let offered = outlet.held.map_or(charger.max, |held| held.min(charger.max));
        // Held below the minimum is held at nothing: IEC 61851-1 knows no current in between.
        if offered < self.least(ix).min(charger.max) {
            return Demand::Wants(Milliamps::ZERO);
        }
        Demand::Wants(outlet.appetite.wants(offered, charger.min))
    }

    /// Tells people what is wrong, and when it is over.
    fn watch(&mut self, now: Instant, snapshot: &Snapshot) {
        self.watch_guard(now);
        self.watch_meters(now);
        self.watch_obedience(now);
        self.watch_limits(now, snapshot);
        self.watch_inputs(now, snapshot);
        self.drive_outputs(now);
    }

    fn watch_meters(&mut self, now: Instant) {
        for (ix, meter) in self.settings.meters.iter().enumerate() {
            let lost = self.metering.lost(ix, meter, now).then(|| {
                let circuit = &self.settings.site.circuit(meter.circuit).id;
                let text = format!(
                    "Meter {} is lost. {circuit} runs on static limits until it is back; check its cable and power.",
                    meter.id
                );
                (Severity::Alarm, text)
            });
            self.alerts.set(now, &meter.id, "meter-lost", lost);
            let reversed = self.metering.reversed(ix);
            let backwards = (!reversed.is_empty()).then(|| {
                let lines = reversed.iter().map(|line| line.name()).collect::<Vec<_>>().join(", ");
                let text = format!(
                    "{} shows less on {lines} when cars draw more: its clamps sit the wrong way round. These lines run on static limits until cars have shown otherwise; turn the clamps, or swap their wires.",
                    meter.id
                );
                (Severity::Alarm, text)
            });
            self.alerts.set(now, &meter.id, "meter-backwards", backwards);
        }
    }

    fn watch_obedience(&mut self, now: Instant) {
        for ix in self.settings.site.charger_indexes() {
            let id = &self.settings.site.charger(ix).id;
            let disobeys = (self.ledger.obedience(ix) == Obedience::Disobeys).then(|| {
                let text = format!(
                    "{id} draws more than it was told, twice. What it draws is set aside; switch off its own load management or replace it."
                );
                (Severity::Alarm, text)
            });
            self.alerts.set(now, id, "charger-disobeys", disobeys);
        }
    }

    /// A circuit that others alone load beyond its limit is nothing that chargers can mend.
    fn watch_limits(&mut self, now: Instant, snapshot: &Snapshot) {
        for (ix, circuit) in self.settings.site.circuits().iter().enumerate() {
            let state = snapshot.circuits[ix];
            let full = Line::ALL.into_iter().find(|&line| state.other_load[line] > state.limit[line]);
            let trouble = full.map(|line| {
                let text = format!(
                    "{} of {} carries {} without any charging, its limit is {}. Switch something off.",
                    line.name(),
                    circuit.id,
                    state.other_load[line],
                    state.limit[line]
                );
                (Severity::Alarm, text)
            });
            self.alerts.set(now, &circuit.id, "overload-by-others", trouble);
        }
    }
}
