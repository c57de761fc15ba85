//! What is known of one outlet and the car at it.

use crate::energy_wish::EnergyWish;
use crate::idling::Idling;
use dlb_engine::appetite::Appetite;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::load::Span;
use dlb_engine::site::Charger;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, WattHours, Watts};
use dlb_links::charger::{Abilities, Drawn, Identity, OutletState};

#[derive(Clone, Debug, Default)]
pub(crate) struct OutletRecord {
    pub(crate) online: bool,
    pub(crate) identity: Identity,
    pub(crate) state: OutletState,
    pub(crate) abilities: Abilities,
    pub(crate) fallback_armed: bool,
    pub(crate) drawn: Option<Drawn>,
    pub(crate) register: Option<WattHours>,
    pub(crate) arrived: Option<Instant>,
    pub(crate) phases: PhasesSeen,
    /// It was told to charge on one phase, or on all of them. `None`: it was told nothing.
    pub(crate) told_one_phase: Option<bool>,
    pub(crate) appetite: Appetite,
    pub(crate) idling: Idling,
    pub(crate) session: Option<Session>,
    /// Held at no more than this by an order.
    pub(crate) held: Option<Milliamps>,
    pub(crate) departs: Option<WallTime>,
    pub(crate) wish: Option<EnergyWish>,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) tag: String,
    pub(crate) started: Option<WallTime>,
    pub(crate) register: Option<WattHours>,
}

/// How many of the charger's phases the car uses, once that has been seen often enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhasesSeen {
    count: u8,
    times: u8,
}

/// A phase below this carries nothing but the charger's own electronics.
const FLOWS: Milliamps = Milliamps(1_000);
/// Below this on the strongest phase the car is still ramping, or not charging.
const CHARGES: Milliamps = Milliamps(4_000);
const ENOUGH: u8 = 3;

impl PhasesSeen {
    fn saw(&mut self, own: [Option<Milliamps>; 3]) {
        let flows = own.map(|current| current.unwrap_or_default() > FLOWS);
        let strongest = own.into_iter().flatten().max().unwrap_or_default();
        let count = flows.into_iter().filter(|&flows| flows).count() as u8;
        // Only a car on the charger's first phases is known; any other pattern stays "all of them".
        let first_ones = flows.into_iter().take(usize::from(count)).all(|flows| flows);
        if strongest < CHARGES || !first_ones || own.iter().any(Option::is_none) {
            return;
        }
        self.times = if count == self.count { self.times.saturating_add(1) } else { 1 };
        self.count = count;
    }

    fn known(self) -> Option<u8> {
        (self.times >= ENOUGH).then_some(self.count)
    }
}

impl OutletRecord {
    /// Takes a measurement; `limit` is what the charger was told.
    pub(crate) fn measured(&mut self, now: Instant, drawn: Drawn, limit: Option<Milliamps>) {
        let (before, power) = (self.drawn.replace(drawn), drawn.power);
        if let (Some(wish), Some(before), Some(power)) = (&mut self.wish, before, power) {
            wish.flowed(power, drawn.at.since(before.at));
        }
        self.phases.saw(drawn.current);
        if let (Some(limit), Some(largest)) = (limit, largest(&drawn))
            && self.state == OutletState::Charging
        {
            self.appetite.saw(now, limit, largest);
        }
    }

    /// The smallest limit that is sure to start its car: where limits are watts, so much that each of its phases
    /// has enough, even if it turns out that the car draws all of it on one.
    pub(crate) fn least(&self, charger: &Charger) -> Milliamps {
        Milliamps(charger.min.0.saturating_mul(i32::from(self.abilities.spread.max(1))))
    }

    /// What its car still needs of what its driver asked for.
    pub(crate) fn energy_needed(&self) -> Option<WattHours> {
        self.wish.map(|wish| wish.left(self.register))
    }

    /// The charger's register, wherever it comes from.
    pub(crate) fn registered(&mut self, register: WattHours) {
        self.register = Some(register);
        if let Some(wish) = &mut self.wish {
            wish.since.get_or_insert(register);
        }
    }

    /// Does it say what it does, and take limits?
    pub(crate) fn reachable(&self) -> bool {
        self.online && self.state != OutletState::Unknown
    }

    /// Is there a car that has not ended its session, as far as is known?
    pub(crate) fn may_draw(&self) -> bool {
        self.state == OutletState::Unknown || (self.state.occupied() && self.state != OutletState::Finishing)
    }

    pub(crate) fn car_phases(&self) -> Option<u8> {
        self.phases.known()
    }

    /// What was seen of its car before says nothing any more.
    pub(crate) fn is_told_phases(&mut self, one: bool) {
        self.told_one_phase = Some(one);
        self.phases = PhasesSeen::default();
    }

    pub(crate) fn arrives(&mut self, now: Instant) {
        self.arrived = Some(now);
        self.phases = PhasesSeen::default();
        self.appetite = Appetite::default();
        self.drawn = None;
    }

    pub(crate) fn leaves(&mut self) {
        self.arrived = None;
        self.departs = None;
        self.wish = None;
        self.drawn = None;
        self.phases = PhasesSeen::default();
        self.appetite = Appetite::default();
    }

    /// What it draws on the site's lines, if that was measured lately.
    pub(crate) fn drawn_on_site(
        &self,
        charger: &Charger,
        now: Instant,
        valid_for: Duration,
    ) -> Option<PerLine<Milliamps>> {
        let drawn = self.drawn.filter(|drawn| self.online && now.since(drawn.at) <= valid_for)?;
        drawn.current.iter().any(Option::is_some).then_some(())?;
        Some(charger.wiring.to_site(drawn.current.map(Option::unwrap_or_default)))
    }

    /// What it may be drawing on the site's lines at this moment; `span` turns a reported current into
    /// what that can still mean.
    pub(crate) fn spans(
        &self,
        charger: &Charger,
        now: Instant,
        valid_for: Duration,
        span: impl Fn(Option<Milliamps>) -> Span,
    ) -> PerLine<Span> {
        let reported = self.drawn_on_site(charger, now, valid_for);
        let loads = charger.wiring.loads(self.car_phases());
        let mut spans = PerLine::all(Span::default());
        for line in Line::ALL.into_iter().filter(|&line| loads[line]) {
            let line_span = span(reported.map(|reported| reported[line]));
            // Unknown rotation: only what flows in every phase is on every line for sure.
            let unknown = charger.wiring == Wiring::Unknown;
            let least = if unknown { line_span.least.min(self.least_phase()) } else { line_span.least };
            spans[line] = Span { least, ..line_span };
        }
        spans
    }

    fn least_phase(&self) -> Milliamps {
        let own = self.drawn.map(|drawn| drawn.current.map(Option::unwrap_or_default));
        own.and_then(|own| own.into_iter().min()).unwrap_or_default()
    }

    pub(crate) fn power(&self) -> Option<Watts> {
        self.drawn.and_then(|drawn| drawn.power)
    }

    pub(crate) fn session_energy(&self) -> Option<WattHours> {
        let started = self.session.as_ref()?.register?;
        self.register.map(|register| register - started)
    }
}

/// The current of the most loaded phase.
pub(crate) fn largest(drawn: &Drawn) -> Option<Milliamps> {
    drawn.current.into_iter().flatten().max()
}
