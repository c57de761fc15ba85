//! The promises of `ARCHITECTURE.md`, "Always true", and whether they are kept.
//!
//! How long a circuit may be over its limit follows from what its chargers are: until the meter shows
//! it, until the order is there and has been taken to the pilot, until the car has followed. While a
//! charger cannot be told anything, until its limit ends by itself. A meter that stands still has to be
//! found out first.

use crate::bay::Bay;
use crate::closed_loop::{ClosedLoop, Fault, Trouble};
use crate::outlet::{Kind, Outlet, Temper};
use crate::phasor::{Phasor, between, to_neutral};
use crate::scenario::{ReachWord, Scenario, Staged};
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// Electrical seconds from the start.
    pub at_s: f64,
    pub broken: Broken,
    /// What was seen, in words.
    pub seen: String,
}

/// Which promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A protective device has tripped.
    Tripped,
    /// A circuit was over its limit for longer than its chargers' dead times allow.
    OverForTooLong,
    /// More was promised than a circuit carries, for as long.
    PromisedTwice,
    /// A charger that heard nothing did not fall back.
    SilenceUnsafe,
    /// A list grew beyond its bound.
    Unbounded,
    /// A car that could charge did not get a turn.
    Starved,
}

/// Looks at every step.
#[derive(Debug)]
pub(super) struct Watch {
    step_s: f64,
    started: Instant,
    /// Seconds that a circuit may be over its limit: everything in order, links in trouble, meters in
    /// trouble.
    allowed: Allowed,
    lifetime: Duration,
    fallbacks: Vec<f64>,
    fallback_holds: Vec<bool>,
    silent_since: Vec<Option<Instant>>,
    promised_over_s: Vec<f64>,
    /// What others drew in each circuit at the last step, and when they last took more at once: to each such start the
    /// site may take its time to react, also while it is still reacting to the one before.
    others: Vec<PerLine<f64>>,
    started_more: Vec<Instant>,
    /// When nobody could hold a circuit for the last time.
    out_of_hand: Vec<Option<Instant>>,
    told: Vec<(Broken, usize)>,
    breaches: Vec<Breach>,
    next_sample: Instant,
    armed: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Allowed {
    in_order: f64,
    link_trouble: f64,
    meter_trouble: f64,
    /// Beyond that, for what is promised and not drawn: an appliance that starts while a car has been raised
    /// and does not take it is taken for that car, until the car has been reported on.
    promised: f64,
}

/// A meter that stands still is found out after this long.
const FROZEN_S: f64 = 12.0;
/// Who obeys nobody is known for it once it has been told twice.
const TOLD_TWICE_S: f64 = 40.0;
/// For so long the setpoint of an Alfen holds, whatever the configuration says.
const ALFEN_VALID: Duration = Duration::from_secs(60);
/// How long a limit is given to take effect, where nothing else is known of a make.
const EFFECT_S: f64 = 10.0;

/// A line that stays over its limit is not explained by cars that are still following after this long.
const FOLLOWED_S: f64 = 10.0;
/// Beyond what the parts add up to: the steps of the simulation and of the controller.
const SLACK_S: f64 = 4.0;
/// What a charger may be reported to draw beyond its limit and still be called obedient, as the controller has it, and by how
/// much its meter may show too little.
const UNTOLD_A: f64 = 0.7;
const METER_ERROR: f64 = 0.015;
/// What others take more from one step to the next, if something of theirs has started.
const STARTS_A: f64 = 2.0;
/// What a charger may offer beyond a limit without promising anything: rounding and the error of meters.
const TOLERANCE_A: f64 = 1.0;
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Charge points ask for the time at the latest after this long.
const CALENDAR: Duration = Duration::from_secs(900);
/// As the controller has it.
const ALERTS_MAX: usize = 500;

impl Watch {
    pub(super) fn new(staged: &Staged, scenario: &Scenario) -> Self {
        let bays = staged.world.bays();
        let slowest = scenario.charger.iter().zip(bays).map(|(part, bay)| {
            let answers = part.answers_after_s.unwrap_or(0.05);
            answers + bay.outlet().plate().dead_time.as_secs_f64()
        });
        let slowest = slowest.fold(0.0, f64::max);
        let every = scenario.meter.iter().map(|meter| meter.every_s.unwrap_or(1.0)).fold(0.0, f64::max);
        let lost = scenario.meter.iter().map(|meter| meter.lost_after_s.unwrap_or(10.0)).fold(0.0, f64::max);
        // IEC 61851-1 leaves a car five seconds, and a contactor opens a second later.
        let rebel = scenario
            .charger
            .iter()
            .zip(bays)
            .any(|(part, bay)| part.refuses_profiles || bay.outlet().plate().temper != Temper::Obeys);
        let found_out = if rebel { TOLD_TWICE_S } else { 0.0 };
        let reports = scenario.meter_values_every_s.unwrap_or(10.0);
        // Where messages are lost, what is drawn is known a report later.
        let lossy = scenario.charger.iter().any(|part| part.loss.unwrap_or(0.0) > 0.0);
        let told_late = if lossy { reports } else { 0.0 };
        let in_order = FOLLOWED_S + every + slowest + 6.0 + SLACK_S + found_out + told_late;
        let alfen = scenario.charger.iter().any(|part| part.reach == Some(ReachWord::Alfen));
        let lifetime = staged.rig.settings.policy.limit_lifetime;
        let lifetime = if alfen { lifetime.max(ALFEN_VALID) } else { lifetime };
        let link_trouble = in_order + lifetime.as_secs_f64() + slowest;
        let meter_trouble = in_order + f64::max(lost, FROZEN_S);
        let allowed = Allowed { in_order, link_trouble, meter_trouble, promised: 2.0 * (reports + EFFECT_S) };
        let chargers = staged.rig.settings.site.chargers();
        let circuits = staged.world.circuit_count();
        Self {
            step_s: scenario.step_s,
            started: staged.now,
            allowed,
            lifetime: lifetime + Duration::from_secs_f64(slowest + 15.0),
            fallbacks: chargers.iter().map(|charger| charger.fallback.as_amps()).collect(),
            fallback_holds: scenario
                .charger
                .iter()
                .zip(bays)
                .map(|(part, bay)| {
                    bay.outlet().plate().temper == Temper::Obeys
                        && !part.refuses_profiles
                        && !part.forgets_profiles
                })
                .collect(),
            silent_since: vec![None; bays.len()],
            promised_over_s: vec![0.0; circuits],
            others: vec![PerLine::all(0.0); circuits],
            started_more: vec![staged.now; circuits],
            out_of_hand: vec![None; circuits],
            told: Vec::new(),
            breaches: Vec::new(),
            next_sample: staged.now,
            armed: vec![false; bays.len()],
        }
    }

    pub(super) const fn step_s(&self) -> f64 {
        self.step_s
    }

    pub(super) fn breaches(&mut self) -> Vec<Breach> {
        core::mem::take(&mut self.breaches)
    }

    pub(super) fn look(&mut self, site: &ClosedLoop) {
        let sampled = self.next_sample <= site.now();
        if sampled {
            self.next_sample = site.now() + SAMPLE_EVERY;
            self.sample(site);
        }
        self.look_at_circuits(site);
        self.look_at_silence(site);
    }

    fn look_at_circuits(&mut self, site: &ClosedLoop) {
        for circuit in 0..site.world().circuit_count() {
            let truth = site.world().truth_of(circuit);
            if truth.trips > 0 {
                self.tell(site, Broken::Tripped, circuit, || format!("circuit {circuit}"));
            }
            let since_more = self.since_others_took_more(site, circuit);
            let over_s = truth.spell_s().min(since_more).min(self.in_hand_s(site, circuit));
            if over_s > self.allowed.in_order && over_s > self.allowed_now(site) && told_apart(site, circuit)
            {
                let seen = || format!("circuit {circuit}: over its limit for {over_s:.0} s");
                self.tell(site, Broken::OverForTooLong, circuit, seen);
            }
            self.look_at_promises(site, circuit);
        }
    }

    fn since_others_took_more(&mut self, site: &ClosedLoop, circuit: usize) -> f64 {
        let (flows, chargers) = site.world().flows(circuit);
        let now = (flows - chargers).map(Phasor::size);
        let before = core::mem::replace(&mut self.others[circuit], now);
        if Line::ALL.into_iter().any(|line| now[line] > before[line] + STARTS_A) {
            self.started_more[circuit] = site.now();
        }
        site.now().since(self.started_more[circuit]).as_secs_f64()
    }

    /// For how long anybody could have held this circuit. Who obeys nobody has no fallback either: while the box is
    /// dead and such a charger draws, or while everybody else draws nothing, all that is promised is that nothing trips.
    fn in_hand_s(&mut self, site: &ClosedLoop, circuit: usize) -> f64 {
        let rebels = rebels(site, circuit);
        if rebels > 0 && (site.powered().is_none() || all_lowered(site, circuit)) {
            self.out_of_hand[circuit] = Some(site.now());
        }
        self.out_of_hand[circuit].map_or(f64::INFINITY, |at| site.now().since(at).as_secs_f64())
    }

    /// What would flow if every car took what it is offered, beside the load that really flows.
    fn look_at_promises(&mut self, site: &ClosedLoop, circuit: usize) {
        let world = site.world();
        let (flows, chargers) = world.flows(circuit);
        let mut worst = flows - chargers;
        for (ix, bay) in world.bays().iter().enumerate().filter(|(_, bay)| bay.outlet().car().is_some()) {
            if world.path(bay.circuit).any(|at| at == circuit) {
                // Who was taken out of the configuration is an appliance like others: a meter shows what it draws.
                worst =
                    worst + if removed(site, ix) { bay.outlet().currents() } else { promised(bay.outlet()) };
            }
        }
        let swell = world.electrical().swell();
        let worst = worst.map(|current| current.size() * swell);
        let limit = world.truth_of(circuit).limit();
        let over = Line::ALL.into_iter().any(|line| worst[line] > limit[line] * 1.01 + TOLERANCE_A);
        self.promised_over_s[circuit] = if over { self.promised_over_s[circuit] + self.step_s } else { 0.0 };
        let over_s = self.promised_over_s[circuit].min(self.in_hand_s(site, circuit)) - self.allowed.promised;
        if over_s > self.allowed.in_order && over_s > self.allowed_now(site) {
            let over_s = self.promised_over_s[circuit];
            let seen = || format!("circuit {circuit}: {worst:.1?} promised of {limit:.1?} for {over_s:.0} s");
            self.tell(site, Broken::PromisedTwice, circuit, seen);
        }
    }

    /// How long circuits may be over their limits, by what is wrong now or has been of late.
    fn allowed_now(&self, site: &ClosedLoop) -> f64 {
        let mut allowed = self.allowed.in_order;
        for fault in site.troubles(self.lifetime * 2) {
            let more = match fault.trouble {
                Trouble::MeterSilent { .. } | Trouble::MeterStuck { .. } | Trouble::MeterReversed { .. } => {
                    self.allowed.meter_trouble
                }
                Trouble::ClockJump { .. } | Trouble::Flood { .. } => self.allowed.in_order,
                _ => self.allowed.link_trouble,
            };
            allowed = allowed.max(more);
        }
        allowed
    }

    fn look_at_silence(&mut self, site: &ClosedLoop) {
        for bay in 0..self.silent_since.len() {
            // Who starts anew waits anew before it falls back.
            let restarts = |fault: &Fault| matches!(fault.trouble, Trouble::Reboot { bay: at } if at == bay);
            if site.hears_nothing(bay) && !site.troubles(self.lifetime).any(restarts) {
                let since = *self.silent_since[bay].get_or_insert(site.now());
                if self.armed[bay] && site.now().since(since) > self.lifetime {
                    self.look_at_fallback(site, bay);
                }
            } else {
                self.silent_since[bay] = None;
            }
        }
    }

    fn look_at_fallback(&mut self, site: &ClosedLoop, bay: usize) {
        let outlet = site.world().bays()[bay].outlet();
        // Limits end by a charger's own calendar; one that was told of another in the last minutes waits for that.
        let jumped = |fault: &Fault| matches!(fault.trouble, Trouble::ClockJump { .. });
        if site.troubles(CALENDAR).any(jumped) {
            return;
        }
        let (offered, promised) = (in_amps(outlet, outlet.offered()), self.fallbacks[bay]);
        if self.fallback_holds[bay] && outlet.car().is_some() && offered > promised + 0.2 {
            let seen = || format!("bay {bay}: offers {offered:.1} A, promised {promised:.1} A");
            self.tell(site, Broken::SilenceUnsafe, bay, seen);
        }
    }

    /// What the controller shows; not every step, because making the picture takes longer than one.
    fn sample(&mut self, site: &ClosedLoop) {
        let Some(controller) = site.powered() else { return };
        let status = controller.status(site.now());
        for charger in &status.chargers {
            let bay = site.world().bays().iter().position(|bay| bay.name == charger.id);
            if let Some(bay) = bay {
                self.armed[bay] = charger.fallback_armed && charger.online;
            }
        }
        let effects_max = 64 + 32 * site.world().bays().len();
        let full = status.alerts.len() > ALERTS_MAX || site.most_effects > effects_max;
        if full {
            let seen = || format!("{} alerts, {} effects at once", status.alerts.len(), site.most_effects);
            self.tell(site, Broken::Unbounded, 0, seen);
        }
    }

    /// Once for each kind and place: the first time is what matters.
    fn tell(&mut self, site: &ClosedLoop, broken: Broken, place: usize, seen: impl FnOnce() -> String) {
        if !self.told.contains(&(broken, place)) {
            self.told.push((broken, place));
            let at_s = site.now().since(self.started).as_secs_f64();
            self.breaches.push(Breach { at_s, broken, seen: seen() });
        }
    }
}

/// Chargers with a car in this circuit that obey nobody.
fn rebels(site: &ClosedLoop, circuit: usize) -> usize {
    let world = site.world();
    let rebel = |bay: &&Bay| bay.outlet().plate().temper != Temper::Obeys && bay.outlet().car().is_some();
    let below = |bay: &&Bay| world.path(bay.circuit).any(|at| at == circuit);
    world.bays().iter().filter(rebel).filter(below).count()
}

/// Is it out of the configuration at the moment?
fn removed(site: &ClosedLoop, ix: usize) -> bool {
    let removes = |fault: &Fault| matches!(fault.trouble, Trouble::Removed { bay } if bay == ix);
    site.troubles(Duration::ZERO).any(removes)
}

/// Does nobody in this circuit draw who could be lowered?
fn all_lowered(site: &ClosedLoop, circuit: usize) -> bool {
    let world = site.world();
    let mut below = world.bays().iter().enumerate();
    below.all(|(ix, bay)| {
        !world.path(bay.circuit).any(|at| at == circuit)
            || bay.outlet().plate().temper != Temper::Obeys
            || removed(site, ix)
            || bay.outlet().car().is_none_or(|car| car.drawn() <= 0.0)
    })
}

/// Is a circuit so far over its limit that those who obey nobody can be told from those whose meter errs?
fn told_apart(site: &ClosedLoop, circuit: usize) -> bool {
    let (flows, _) = site.world().flows(circuit);
    let limit = site.world().truth_of(circuit).limit();
    let untold = limit.map(|limit| (UNTOLD_A + limit * METER_ERROR) * rebels(site, circuit) as f64);
    let over = flows.map(Phasor::size) - limit - untold;
    Line::ALL.into_iter().any(|line| over[line] > 0.0)
}

/// The currents of a car that takes all that it is offered. Who goes its own way is promised nothing, but
/// draws.
fn promised(outlet: &Outlet) -> PerLine<Phasor> {
    let Some(car) = outlet.car() else { return PerLine::default() };
    if outlet.plate().temper != Temper::Obeys {
        return outlet.currents();
    }
    let power_factor = car.model().power_factor;
    if let Wiring::Between(from, to) = outlet.plate().wiring {
        let amps = outlet.offered().min(car.model().max);
        return between(from, to, amps, power_factor);
    }
    let offered = offered(outlet);
    Line::ALL
        .into_iter()
        .fold(PerLine::default(), |sum, line| sum + to_neutral(line, offered[line], power_factor))
}

/// What an outlet's car may draw on the site's lines: as much as it is offered, on its own phases.
pub(super) fn offered(outlet: &Outlet) -> PerLine<f64> {
    let mut lines = PerLine::all(0.0);
    let Some(car) = outlet.car() else { return lines };
    let amps = in_amps(outlet, outlet.offered().min(car.model().max));
    let used = match outlet.plate().kind {
        Kind::Dc { .. } => 3,
        Kind::Ac => usize::from(car.phases()),
    };
    let between = matches!(outlet.plate().wiring, Wiring::Between(..));
    let used = if between { 2 } else { used };
    for line in outlet.plate().wiring.lines().into_iter().flatten().take(used) {
        lines[line] += amps;
    }
    lines
}

/// Amperes on each line, of a limit in the outlet's own unit.
pub(super) fn in_amps(outlet: &Outlet, limit: f64) -> f64 {
    match outlet.plate().kind {
        Kind::Ac => limit,
        Kind::Dc { efficiency } => limit / efficiency / 690.0,
    }
}
