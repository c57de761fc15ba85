//! A site-day drawn at random: a tree of circuits with what draws in them, chargers of every kind that
//! the field knows, cars that come and go, and what goes wrong.
//!
//! Every site is one that an installer could hand over: what others draw fits every circuit, beside the
//! chargers' fallbacks and beside the rating of a charger that obeys nobody. What is assumed while a
//! meter is lost is at least what others can draw. Everything else is chance, clamps that were put on the wrong way
//! round included.

use super::cars::VisitsPart;
use super::chargers::{ChargerPart, KindWord, ReachWord, TemperWord, UnitsWord};
use super::circuits::{Amps, AppliancePart, CircuitPart, MeterPart, ProtectionWord, SourceWord, SystemWord};
use super::{FaultPart, FaultWord, Scenario};
use crate::rng::Rng;

/// A day passes in an hour of electrical and protocol time.
pub const SPEED: u32 = 24;
const DAY_S: f64 = 86_400.0 / SPEED as f64;
const SYSTEMS: [SystemWord; 10] = {
    use SystemWord::{Delta, Single, Split, Star};
    [Star, Star, Star, Star, Star, Star, Star, Delta, Single, Split]
};

/// Does a random site-day have faults?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    None,
    Random,
}

/// The site-day of this seed.
#[must_use]
pub fn site_day(seed: u64, faults: Faults) -> Scenario {
    let mut rng = Rng::part(seed, "site-day", 0);
    let system = SYSTEMS[rng.below(SYSTEMS.len())];
    let mut scenario = Scenario {
        name: format!("random {seed}"),
        seed,
        hours: 24.0,
        start: super::start(),
        speed: SPEED,
        step_s: 0.5,
        strategy: None,
        raise_after_s: None,
        limit_lifetime_s: rng.chance(0.5).then(|| [30.0, 60.0, 240.0][rng.below(3)]),
        meter_values_every_s: rng.chance(0.3).then(|| [5.0, 20.0, 30.0][rng.below(3)]),
        sessions: None,
        circuit: Vec::new(),
        meter: Vec::new(),
        charger: Vec::new(),
        car: Vec::new(),
        fault: Vec::new(),
    };
    tree(&mut scenario, system, &mut rng);
    for at in 0..1 + rng.below(8) {
        let circuit = scenario.circuit[rng.below(scenario.circuit.len())].id.clone();
        let charger = charger(at, circuit, system, &mut rng);
        scenario.charger.push(charger);
    }
    dimension(&mut scenario, &mut rng);
    if faults == Faults::Random {
        draw_faults(&mut scenario, &mut rng);
        turn_clamps(&mut scenario, &mut Rng::part(seed, "clamps", 0));
    }
    scenario
}

fn tree(scenario: &mut Scenario, system: SystemWord, rng: &mut Rng) {
    for at in 0..1 + rng.below(4) {
        let parent = (at > 0).then(|| scenario.circuit[rng.below(at)].id.clone());
        let volts = match system {
            SystemWord::Star | SystemWord::Single => 230.0,
            SystemWord::Delta => 208.0,
            SystemWord::Split => 120.0,
        };
        let loaded = at == 0 || rng.chance(0.4);
        scenario.circuit.push(CircuitPart {
            id: format!("c{at}"),
            parent,
            system: (at == 0 && system != SystemWord::Star).then_some(system),
            volts: (at == 0 && system != SystemWord::Star).then_some(volts),
            protection: Some(
                [ProtectionWord::Gg, ProtectionWord::McbB, ProtectionWord::McbC, ProtectionWord::McbD]
                    [rng.below(4)],
            ),
            ..if loaded { load(system, rng) } else { CircuitPart::default() }
        });
    }
}

/// What others draw.
fn load(system: SystemWord, rng: &mut Rng) -> CircuitPart {
    let base = on_lines(system, |_| 0.0, rng, 1.0, 20.0);
    let appliance = |at: usize, rng: &mut Rng| AppliancePart {
        name: format!("appliance {at}"),
        amps: if rng.chance(0.5) {
            on_lines(system, |_| 0.0, rng, 4.0, 25.0)
        } else {
            one_line(system, rng.between(4.0, 20.0), rng)
        },
        power_factor: Some((rng.between(0.75, 1.0) * 100.0).round() / 100.0),
        on_s: rng.between(300.0, 5_000.0).round(),
        off_s: rng.between(600.0, 9_000.0).round(),
    };
    CircuitPart {
        base_a: Some(base),
        breathing_a: Some((rng.between(0.0, 1.2) * 10.0).round() / 10.0),
        power_factor: Some((rng.between(0.85, 1.0) * 100.0).round() / 100.0),
        follows_day: rng.chance(0.7),
        appliance: (0..rng.below(5)).map(|at| appliance(at, rng)).collect(),
        ..CircuitPart::default()
    }
}

fn lines_of(system: SystemWord) -> usize {
    match system {
        SystemWord::Star | SystemWord::Delta => 3,
        SystemWord::Split => 2,
        SystemWord::Single => 1,
    }
}

fn on_lines(system: SystemWord, absent: impl Fn(usize) -> f64, rng: &mut Rng, low: f64, high: f64) -> Amps {
    let even = rng.between(low, high);
    let each = core::array::from_fn(|line| {
        if line < lines_of(system) {
            (even * rng.between(0.7, 1.3) * 10.0).round() / 10.0
        } else {
            absent(line)
        }
    });
    Amps::Each(each)
}

fn one_line(system: SystemWord, amps: f64, rng: &mut Rng) -> Amps {
    let mut each = [0.0; 3];
    each[rng.below(lines_of(system))] = (amps * 10.0).round() / 10.0;
    Amps::Each(each)
}

fn charger(at: usize, circuit: String, system: SystemWord, rng: &mut Rng) -> ChargerPart {
    let dc = system == SystemWord::Star && rng.chance(0.08);
    let reach = match rng.below(20) {
        _ if dc || system != SystemWord::Star => ReachWord::Ocpp,
        0..=14 => ReachWord::Ocpp,
        15..=17 => ReachWord::Keba,
        _ => ReachWord::Alfen,
    };
    let ocpp = reach == ReachWord::Ocpp;
    let max = [16.0, 20.0, 32.0, 32.0][rng.below(4)];
    let seconds = |value: f64| Some((value * 100.0).round() / 100.0);
    ChargerPart {
        id: format!("bay-{at}"),
        circuit,
        kind: dc.then_some(KindWord::Dc),
        rotation: Some(rotation(system, dc, rng)),
        believed_rotation: (!dc && system == SystemWord::Star && rng.chance(0.1))
            .then(|| "unknown".to_owned()),
        max_a: (!dc).then_some(max),
        step_a: (!dc).then(|| if reach == ReachWord::Keba { 0.1 } else { [0.1, 0.5, 1.0][rng.below(3)] }),
        max_kw: dc.then(|| [20.0, 30.0][rng.below(2)]),
        reach: Some(reach),
        model: ocpp.then(|| format!("model {}", rng.below(4))),
        dead_time_s: seconds(if rng.chance(0.2) { rng.between(4.0, 12.0) } else { rng.between(0.1, 4.0) }),
        answers_after_s: seconds(if rng.chance(0.1) {
            rng.between(1.0, 4.0)
        } else {
            rng.between(0.02, 0.6)
        })
        .filter(|_| ocpp),
        meter_error: Some((rng.between(-0.015, 0.015) * 1000.0).round() / 1000.0),
        temper: rng.chance(0.05).then_some(TemperWord::Deaf),
        units: (ocpp && !dc).then(|| [UnitsWord::Amps, UnitsWord::Both, UnitsWord::Watts][rng.below(3)]),
        refuses_tx_profiles: ocpp && rng.chance(0.15),
        refuses_profiles: ocpp && rng.chance(0.03),
        forgets_profiles: ocpp && rng.chance(0.1),
        needs_card: ocpp && rng.chance(0.5),
        loss: (ocpp && rng.chance(0.2)).then(|| (rng.between(0.0, 0.02) * 1000.0).round() / 1000.0),
        visits: Some(VisitsPart {
            stay_h: [1.0, rng.between(2.0, 12.0).round()],
            gap_h: (rng.between(1.0, 4.0) * 10.0).round() / 10.0,
            soc: [0.1, 0.8],
            taken: rng.chance(0.4),
            models: Vec::new(),
            reaction_s: rng.chance(0.3).then_some(5.0),
        }),
        ..ChargerPart::default()
    }
}

fn rotation(system: SystemWord, dc: bool, rng: &mut Rng) -> String {
    let choices: &[&str] = match system {
        _ if dc => &["L1L2L3"],
        SystemWord::Star => &["L1L2L3", "L2L3L1", "L3L1L2", "L1L2L3", "L1", "L2", "L3"],
        SystemWord::Delta => &["L1-L2", "L2-L3", "L3-L1"],
        SystemWord::Split => &["L1-L2", "L1", "L2"],
        SystemWord::Single => &["L1"],
    };
    choices[rng.below(choices.len())].to_owned()
}

/// Limits that carry what others draw, all fallbacks, and whoever obeys nobody; and something beside it.
fn dimension(scenario: &mut Scenario, rng: &mut Rng) {
    keep_one_rebel(scenario);
    for at in (0..scenario.circuit.len()).rev() {
        let below = members(scenario, at);
        let peak = peak(scenario, &below);
        let chargers: Vec<&ChargerPart> =
            scenario.charger.iter().filter(|part| below.contains(&circuit_of(scenario, part))).collect();
        let must: f64 = chargers.iter().map(|part| must_have(part)).sum();
        let wish = 8.0 * (chargers.len() as f64).sqrt();
        let starts = chargers.iter().map(|part| starts_with(part)).fold(6.0, f64::max);
        let room = must.max(starts) + rng.between(0.0, 2.0 * wish);
        let limit = core::array::from_fn(|line| (peak[line] * 1.02 + room + 2.0).ceil());
        scenario.circuit[at].limit_a = Amps::Each(limit);
        if at == 0 && rng.chance(0.2) {
            // Nobody is allowed to feed in more than the connection carries.
            let carries = limit.iter().copied().fold(f64::INFINITY, f64::min);
            let sun = (rng.between(2.0, 20.0).min(carries * 0.9) * 10.0).round() / 10.0;
            let three = scenario.circuit[0].system.is_none();
            scenario.circuit[0].sun_a = three.then_some(Amps::All(sun));
        }
        if at == 0 || scenario.circuit[at].base_a.is_some() {
            let assumed = core::array::from_fn(|line| (peak[line] * 1.02 + 1.0).ceil());
            let meter = meter(scenario.circuit[at].id.clone(), assumed, rng);
            scenario.meter.insert(0, meter);
        }
    }
}

fn meter(circuit: String, assumed: [f64; 3], rng: &mut Rng) -> MeterPart {
    MeterPart {
        circuit,
        source: rng.chance(0.4).then_some(SourceWord::EastronSdm630),
        every_s: Some([0.5, 1.0, 1.0, 2.0][rng.below(4)]),
        assumed_load_a: Some(Amps::Each(assumed)),
        ..MeterPart::default()
    }
}

/// One charger that obeys nobody is a defect; two are a site that nobody would hand over.
fn keep_one_rebel(scenario: &mut Scenario) {
    let mut found = false;
    for part in &mut scenario.charger {
        let rebel = part.temper.is_some() || part.refuses_profiles;
        if rebel && found {
            part.temper = None;
            part.refuses_profiles = false;
        }
        found |= rebel;
    }
}

/// What any car starts with. In watts three phases take three times their minimum, which one phase may draw alone.
fn starts_with(part: &ChargerPart) -> f64 {
    let three = part.rotation.as_deref().is_some_and(|it| it.matches('L').count() == 3 && !it.contains('-'));
    let may_be_three = three || part.believed_rotation.is_some();
    if part.units == Some(UnitsWord::Watts) && may_be_three { 18.0 } else { 6.0 }
}

/// What a charger draws whatever happens.
fn must_have(part: &ChargerPart) -> f64 {
    let rating = part.max_kw.map_or(part.max_a.unwrap_or(32.0), |kw| kw * 1000.0 / 0.94 / 690.0);
    if part.temper.is_some() || part.refuses_profiles {
        rating
    } else if part.reach == Some(ReachWord::Alfen) {
        6.0
    } else {
        0.0
    }
}

fn circuit_of(scenario: &Scenario, part: &ChargerPart) -> usize {
    scenario.find_circuit(&part.circuit).unwrap_or(0)
}

/// A circuit and all below it.
fn members(scenario: &Scenario, at: usize) -> Vec<usize> {
    let mut members = vec![at];
    for below in at + 1..scenario.circuit.len() {
        let parent = scenario.circuit[below].parent.as_deref().and_then(|id| scenario.find_circuit(id));
        if parent.is_some_and(|parent| members.contains(&parent)) {
            members.push(below);
        }
    }
    members
}

/// The most that others can draw there.
fn peak(scenario: &Scenario, members: &[usize]) -> [f64; 3] {
    let mut peak = [0.0; 3];
    for circuit in members.iter().map(|at| &scenario.circuit[*at]) {
        let base = circuit.base_a.unwrap_or_default().each();
        for (line, peak) in peak.iter_mut().enumerate() {
            let appliances: f64 = circuit.appliance.iter().map(|appliance| appliance.amps.each()[line]).sum();
            *peak += base[line] * 1.02 + 4.0 * circuit.breathing_a.unwrap_or(0.0) + appliances;
        }
    }
    peak
}

fn draw_faults(scenario: &mut Scenario, rng: &mut Rng) {
    for _ in 0..rng.below(7) {
        let fault = fault(scenario, rng);
        scenario.fault.push(fault);
    }
    spare_the_forgetful(scenario);
}

/// A KEBA that starts anew takes its own maximum until the fallback that it has kept, a minute later. While the box has
/// no power nobody can help that but who sets that maximum, so no site has both at once.
fn spare_the_forgetful(scenario: &mut Scenario) {
    let is_cut = |fault: &&FaultPart| fault.kind == FaultWord::PowerCut;
    let cuts: Vec<_> =
        scenario.fault.iter().filter(is_cut).map(|cut| cut.from_s..=cut.from_s + cut.for_s).collect();
    let kebas = scenario.charger.iter().filter(|charger| charger.reach == Some(ReachWord::Keba));
    let kebas: Vec<String> = kebas.map(|charger| charger.id.clone()).collect();
    scenario.fault.retain(|fault| {
        let alone = cuts.iter().any(|cut| cut.contains(&fault.from_s));
        let keba = fault.on.as_ref().is_some_and(|on| kebas.contains(on));
        !(fault.kind == FaultWord::Reboot && keba && alone)
    });
}

/// An installer's mistake: a meter that counts the wrong way round, from the first minute to the last.
fn turn_clamps(scenario: &mut Scenario, rng: &mut Rng) {
    if rng.chance(0.1) {
        let on = Some(scenario.meter[rng.below(scenario.meter.len())].circuit.clone());
        let kind = FaultWord::MeterReversed;
        scenario.fault.push(FaultPart { kind, from_s: 0.0, for_s: DAY_S, on, amount: None });
    }
}

fn fault(scenario: &Scenario, rng: &mut Rng) -> FaultPart {
    use FaultWord as Word;
    let charger = scenario.charger[rng.below(scenario.charger.len())].id.clone();
    let meter = scenario.meter[rng.below(scenario.meter.len())].circuit.clone();
    let circuit = scenario.circuit[rng.below(scenario.circuit.len())].id.clone();
    let from_s = rng.between(0.0, DAY_S * 0.9).round();
    let for_s = rng.between(5.0, 400.0).round();
    let share = (rng.between(0.02, 0.4) * 100.0).round() / 100.0;
    let on_charger = |kind, amount| FaultPart { kind, from_s, for_s, on: Some(charger.clone()), amount };
    let on_meter = |kind| FaultPart { kind, from_s, for_s, on: Some(meter.clone()), amount: None };
    let on_site = |kind, amount| FaultPart { kind, from_s, for_s, on: None, amount };
    match rng.below(16) {
        0 => on_charger(Word::Loss, Some(if rng.chance(0.4) { 1.0 } else { share })),
        1 => on_charger(Word::Delay, Some((rng.between(0.5, 8.0) * 10.0).round() / 10.0)),
        2 => on_charger(Word::Duplicates, Some(share)),
        3 => on_charger(Word::Reorder, Some(share)),
        4 => on_charger(Word::Cable, None),
        5 => FaultPart { for_s: 0.0, ..on_charger(Word::Reboot, None) },
        6 => on_meter(Word::MeterSilent),
        7 => on_meter(Word::MeterStuck),
        8..=10 => FaultPart { for_s: rng.between(5.0, 200.0).round(), ..on_site(Word::PowerCut, None) },
        11 => FaultPart {
            for_s: 0.0,
            ..on_site(Word::ClockJump, Some(rng.between(-90_000.0, 90_000.0).round()))
        },
        12 => FaultPart { for_s: 10.0, ..on_site(Word::Flood, Some(rng.between(5.0, 60.0).round())) },
        13 => on_charger(Word::Hold, Some(rng.between(0.0, 32.0).round())),
        14 => on_charger(Word::Removed, None),
        _ if rng.chance(0.5) => on_site(Word::SiteLimit, Some(rng.between(0.0, 40.0).round())),
        _ => FaultPart {
            kind: Word::Tightened,
            from_s,
            for_s,
            on: Some(circuit),
            amount: Some((rng.between(0.5, 0.9) * 100.0).round() / 100.0),
        },
    }
}
