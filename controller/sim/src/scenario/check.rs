//! Everything that is wrong with a scenario, all at once, each with its key.

use super::{CircuitPart, FaultPart, FaultWord, Scenario, SystemWord, cars};
use dlb_engine::lines::{Line, Wiring};

/// Something that must be put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub key: String,
    pub what: String,
}

impl core::fmt::Display for Mistake {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{}: {}", self.key, self.what)
    }
}

/// A year and a bit.
const HOURS_MAX: f64 = 10_000.0;

#[derive(Default)]
struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.0.push(Mistake { key: key.into(), what: what.into() });
    }

    fn within(&mut self, key: &str, value: Option<f64>, range: core::ops::RangeInclusive<f64>) {
        if value.is_some_and(|value| !range.contains(&value)) {
            self.add(key, format!("must be from {} to {}", range.start(), range.end()));
        }
    }
}

/// `L1L2L3`, `L3`, `L1-L2`, and where nobody has found out, `unknown`.
pub(super) fn wiring(text: &str) -> Option<Wiring> {
    if text == "unknown" {
        return Some(Wiring::Unknown);
    }
    if let Some((from, to)) = text.split_once('-') {
        let (from, to) = (from.parse::<Line>().ok()?, to.parse::<Line>().ok()?);
        return (from != to).then_some(Wiring::Between(from, to));
    }
    let lines: Option<Vec<Line>> = (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).and_then(|name| name.parse::<Line>().ok()))
        .collect();
    match lines?[..] {
        [a] => Some(Wiring::One(a)),
        [a, b] if a != b => Some(Wiring::Two(a, b)),
        [a, b, c] if a != b && b != c && a != c => Some(Wiring::Three(a, b, c)),
        _ => None,
    }
}

impl Scenario {
    /// Every mistake. None: [`stage`](Self::stage) makes a site of it.
    #[must_use]
    pub fn check(&self) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        mistakes.within("hours", Some(self.hours), 0.01..=HOURS_MAX);
        mistakes.within("speed", Some(f64::from(self.speed)), 1.0..=1_000.0);
        mistakes.within("step_s", Some(self.step_s), 0.01..=1.0);
        mistakes.within("raise_after_s", self.raise_after_s, 0.0..=3_600.0);
        mistakes.within("limit_lifetime_s", self.limit_lifetime_s, 10.0..=3_600.0);
        mistakes.within("meter_values_every_s", self.meter_values_every_s, 1.0..=900.0);
        if let Err(what) = super::Day::parse(&self.start) {
            mistakes.add("start", what);
        }
        self.check_circuits(&mut mistakes);
        self.check_meters(&mut mistakes);
        self.check_chargers(&mut mistakes);
        self.check_cars(&mut mistakes);
        for (at, fault) in self.fault.iter().enumerate() {
            self.check_fault(at, fault, &mut mistakes);
        }
        mistakes.0
    }

    fn check_circuits(&self, mistakes: &mut Mistakes) {
        for (at, circuit) in self.circuit.iter().enumerate() {
            let key = |name: &str| format!("circuit[{at}].{name}");
            let before = &self.circuit[..at];
            if before.iter().any(|other| other.id == circuit.id) {
                mistakes.add(key("id"), format!("`{}` is there twice", circuit.id));
            }
            match &circuit.parent {
                None if at > 0 => {
                    mistakes.add(key("parent"), "only the first circuit is the grid connection")
                }
                Some(parent) if !before.iter().any(|other| other.id == *parent) => {
                    mistakes.add(key("parent"), format!("no circuit `{parent}` stands before this one"));
                }
                _ => {}
            }
            check_circuit_numbers(circuit, &key, mistakes);
            if at > 0 && circuit.sun_a.is_some() {
                mistakes.add(key("sun_a"), "the sun feeds in at the grid connection, the first circuit");
            }
        }
        if self.circuit.is_empty() {
            mistakes.add("circuit", "a site has at least one");
        }
    }

    fn check_meters(&self, mistakes: &mut Mistakes) {
        for (at, meter) in self.meter.iter().enumerate() {
            let key = |name: &str| format!("meter[{at}].{name}");
            if self.find_circuit(&meter.circuit).is_none() {
                mistakes.add(key("circuit"), format!("there is no circuit `{}`", meter.circuit));
            }
            if self.meter[..at].iter().any(|other| other.circuit == meter.circuit) {
                mistakes.add(key("circuit"), format!("`{}` has a meter already", meter.circuit));
            }
            mistakes.within(&key("every_s"), meter.every_s, 0.1..=60.0);
            mistakes.within(&key("lost_after_s"), meter.lost_after_s, 1.0..=600.0);
        }
    }

    fn check_chargers(&self, mistakes: &mut Mistakes) {
        for (at, charger) in self.charger.iter().enumerate() {
            let key = |name: &str| format!("charger[{at}].{name}");
            if self.charger[..at].iter().any(|other| other.id == charger.id) {
                mistakes.add(key("id"), format!("`{}` is there twice", charger.id));
            }
            if self.find_circuit(&charger.circuit).is_none() {
                mistakes.add(key("circuit"), format!("there is no circuit `{}`", charger.circuit));
            }
            let real = charger.rotation.as_deref().map(wiring);
            if matches!(real, Some(None | Some(Wiring::Unknown))) {
                mistakes.add(key("rotation"), "is not one such as L1L2L3, L2L3L1, L3 or L1-L2");
            }
            if charger.believed_rotation.as_deref().is_some_and(|text| wiring(text).is_none()) {
                mistakes.add(key("believed_rotation"), "is not a rotation, and not `unknown`");
            }
            mistakes.within(&key("min_a"), charger.min_a, 1.0..=1_000.0);
            mistakes.within(&key("max_a"), charger.max_a, charger.min_a.unwrap_or(6.0)..=2_000.0);
            mistakes.within(&key("step_a"), charger.step_a, 0.0..=32.0);
            mistakes.within(&key("max_kw"), charger.max_kw, charger.min_kw.unwrap_or(3.0)..=2_000.0);
            mistakes.within(&key("efficiency"), charger.efficiency, 0.5..=1.0);
            mistakes.within(&key("weight"), charger.weight, 0.001..=1_000.0);
            mistakes.within(&key("dead_time_s"), charger.dead_time_s, 0.0..=600.0);
            mistakes.within(&key("answers_after_s"), charger.answers_after_s, 0.0..=600.0);
            mistakes.within(&key("meter_error"), charger.meter_error, -0.5..=0.5);
            mistakes.within(&key("loss"), charger.loss, 0.0..=1.0);
            let models = charger.visits.iter().flat_map(|visits| &visits.models);
            for name in models.filter(|name| cars::model(name).is_none()) {
                mistakes.add(key("visits.models"), format!("no car is called `{name}`"));
            }
        }
    }

    fn check_cars(&self, mistakes: &mut Mistakes) {
        for (at, car) in self.car.iter().enumerate() {
            let key = |name: &str| format!("car[{at}].{name}");
            if self.find_charger(&car.charger).is_none() {
                mistakes.add(key("charger"), format!("there is no charger `{}`", car.charger));
            }
            if !(car.arrives_h >= 0.0 && car.arrives_h < car.leaves_h && car.leaves_h.is_finite()) {
                mistakes.add(key("leaves_h"), "a car leaves after it has come");
            }
            if car.model.as_deref().is_some_and(|name| cars::model(name).is_none()) {
                mistakes.add(key("model"), "no car is called that");
            }
            mistakes.within(&key("energy_kwh"), car.energy_kwh, 0.0..=10_000.0);
            mistakes.within(&key("max_a"), car.max_a, 0.1..=1_000.0);
            mistakes.within(&key("reaction_s"), car.reaction_s, 0.0..=60.0);
        }
    }

    fn check_fault(&self, at: usize, fault: &FaultPart, mistakes: &mut Mistakes) {
        use FaultWord as Word;
        let key = |name: &str| format!("fault[{at}].{name}");
        mistakes.within(&key("from_s"), Some(fault.from_s), 0.0..=1e9);
        mistakes.within(&key("for_s"), Some(fault.for_s), 0.0..=1e9);
        let range = match fault.kind {
            Word::Loss | Word::Duplicates | Word::Reorder | Word::Tightened => Some(0.0..=1.0),
            Word::Delay => Some(0.0..=60.0),
            Word::ClockJump => Some(-1e10..=1e10),
            Word::Flood => Some(1.0..=1_000.0),
            Word::Hold | Word::SiteLimit => Some(0.0..=2_000.0),
            _ => None,
        };
        match (range, fault.amount) {
            (Some(range), amount) => {
                mistakes.within(&key("amount"), Some(amount.unwrap_or(f64::NAN)), range);
            }
            (None, Some(_)) => mistakes.add(key("amount"), "this kind of fault has no amount"),
            (None, None) => {}
        }
        let on = fault.on.as_deref();
        let found = match fault.kind {
            Word::PowerCut | Word::ClockJump | Word::Flood | Word::SiteLimit => on.is_none(),
            Word::MeterSilent | Word::MeterStuck | Word::MeterReversed => {
                on.is_some_and(|id| self.find_meter(id).is_some())
            }
            Word::Tightened => on.is_some_and(|id| self.find_circuit(id).is_some()),
            _ => on.is_some_and(|id| self.find_charger(id).is_some()),
        };
        if !found {
            mistakes.add(key("on"), "does not name what this kind of fault befalls");
        }
    }

    pub(super) fn find_circuit(&self, id: &str) -> Option<usize> {
        self.circuit.iter().position(|circuit| circuit.id == id)
    }

    pub(super) fn find_charger(&self, id: &str) -> Option<usize> {
        self.charger.iter().position(|charger| charger.id == id)
    }

    pub(super) fn find_meter(&self, id: &str) -> Option<usize> {
        self.meter.iter().position(|meter| meter.id.as_deref().unwrap_or(&meter.circuit) == id)
    }
}

fn check_circuit_numbers(circuit: &CircuitPart, key: &dyn Fn(&str) -> String, mistakes: &mut Mistakes) {
    let amps = [Some(circuit.limit_a), circuit.base_a, circuit.sun_a];
    for (name, amps) in ["limit_a", "base_a", "sun_a"].into_iter().zip(amps) {
        if amps.is_some_and(|amps| !amps.sound()) {
            mistakes.add(key(name), "must be from 0 to 10000");
        }
    }
    mistakes.within(&key("limit_kw"), circuit.limit_kw, 0.0..=100_000.0);
    mistakes.within(&key("breathing_a"), circuit.breathing_a, 0.0..=1_000.0);
    mistakes.within(&key("power_factor"), circuit.power_factor, 0.1..=1.0);
    mistakes.within(&key("volts"), circuit.volts, 50.0..=1_000.0);
    for appliance in &circuit.appliance {
        let sound = appliance.on_s > 0.0 && appliance.off_s > 0.0 && appliance.amps.sound();
        if !sound {
            mistakes
                .add(key("appliance"), format!("`{}`: its times and amperes are positive", appliance.name));
        }
    }
    if circuit.system == Some(SystemWord::Split) && circuit.sun_a.is_some() {
        mistakes.add(key("sun_a"), "the sun is made up for three lines");
    }
}
