//! Meter values: what an outlet draws, as far as the values are of the present.

use super::Session;
use crate::charger::{Drawn, Notice, Outlet};
use crate::ocpp16::calendar::CLOCK_TOLERANCE;
use crate::ocpp16::profile::RateUnit;
use crate::ocpp16::samples::{Outline, Sample};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, Millivolts};

/// Below this a phase counts as unused, if another one carries a charging current.
const PHASE_UNUSED: Milliamps = Milliamps(1000);
const PHASE_USED: Milliamps = Milliamps(4500);

/// Watts are told anew when the voltage is lower by one part in so many than they were made for, half of what a class 1
/// meter may err; the rest is left to the limit's renewal.
const SAG: i32 = 200;

impl Session {
    pub(super) fn values(
        &mut self,
        now: Instant,
        outlet: Outlet,
        transaction: Option<i64>,
        samples: &[Sample],
    ) {
        let wall = self.wall_there(now);
        let ages = samples.iter().map(|sample| self.clock.age(now, wall, sample.taken)).collect::<Vec<_>>();
        self.follow_clock();
        let fresh = samples.iter().zip(ages).filter_map(|(sample, age)| Some((sample, age?)));
        let mut fresh: Vec<(&Sample, Duration)> = fresh.collect();
        fresh.sort_by_key(|(_, age)| core::cmp::Reverse(*age));
        let Some((_, age)) = fresh.last().copied() else { return };
        if let Some(number) = transaction {
            self.confirm(now, outlet, number);
        }
        // Some chargers send each measurand in a group of its own.
        let mut sample = Sample::default();
        for (newer, _) in fresh {
            sample.overlay(newer);
        }
        self.measure(now, outlet, &sample, age);
    }

    fn measure(&mut self, now: Instant, outlet: Outlet, sample: &Sample, age: Duration) {
        let (volts, direct_current) = (self.settings.volts, self.settings.rectified());
        let other_volts = self.settings.other_volts;
        let in_watts = self.recipe().is_some_and(|recipe| recipe.unit == RateUnit::W);
        let Some(desk) = self.desk_or_new(outlet) else { return };
        desk.values_at = Some(now);
        let Some(place) = desk.place else { return };
        if sample.current.iter().flatten().any(|amps| *amps > 1.0) {
            // Whatever its status says, the car is there.
            desk.ending = None;
        }
        let limit = desk.sent.as_ref().filter(|sent| sent.accepted).map(|sent| sent.value);
        let outline = Outline { phases: place.phases, volts, rating: place.rating, limit, direct_current };
        let drawn =
            Drawn { at: now - age, current: sample.currents(&outline), power: sample.total_power(&outline) };
        let counted_on = desk.sent.as_ref().map(|sent| sent.volts);
        desk.volts = sample.lowest_volts(volts, other_volts).or(desk.volts);
        let sagged = counted_on.zip(desk.volts).is_some_and(|(made, now)| now.0 < made.0 - made.0 / SAG);
        let phases =
            used_phases(sample, volts).filter(|_| desk.transaction.is_some() && direct_current.is_none());
        let changed = phases.filter(|phases| desk.car_phases != Some(*phases));
        desk.car_phases = changed.or(desk.car_phases);
        if in_watts && (changed.is_some() || sagged) {
            // Watts mean other amperes now.
            desk.doubt_limit();
        }
        if drawn.power.is_some() || drawn.current.iter().any(Option::is_some) {
            self.notice(outlet, Notice::Drawn(drawn));
        }
        if let Some(phases) = changed {
            self.notice(outlet, Notice::CarPhases(phases));
        }
        if let Some(register) = sample.register {
            self.notice(outlet, Notice::Register(register));
        }
    }

    /// A wrong clock is told once, and so is its end. Near the bound it stays as it is.
    pub(super) fn follow_clock(&mut self) {
        let Some(error) = self.clock.error() else { return };
        let tolerance = CLOCK_TOLERANCE.as_millis() as i64;
        let wrong = error.abs() > if self.clock_wrong.is_some() { tolerance / 2 } else { tolerance };
        if wrong != self.clock_wrong.is_some() {
            self.clock_wrong = wrong.then_some(error / 1000);
            self.notice_all(&Notice::Clock { behind_s: self.clock_wrong });
        }
    }
}

/// How many phases carry a charging current, as far as each is told; `None` while too little flows to
/// tell, and where only sums are told.
fn used_phases(sample: &Sample, volts: Millivolts) -> Option<u8> {
    let by_power = sample.power.map(|power| power.map(|power| power / volts.as_volts()));
    let told = if sample.current.iter().any(Option::is_some) { sample.current } else { by_power };
    let told: Vec<Milliamps> = told.into_iter().flatten().map(Milliamps::from_amps_f64).collect();
    let charges = told.iter().any(|amps| *amps >= PHASE_USED);
    let used = told.iter().filter(|amps| **amps > PHASE_UNUSED).count();
    // One phase told of three says nothing about the others.
    (charges && told.len() > 1).then_some(used as u8)
}

impl Sample {
    /// For watts: the lowest voltage gives the largest current. Told as `other`, to neutral instead of between lines or
    /// the other way round, it is taken for as many times its nominal value.
    fn lowest_volts(&self, nominal: Millivolts, other: Millivolts) -> Option<Millivolts> {
        let share = |volts: &f64| {
            let shares = [nominal, other].map(|nominal| volts / nominal.as_volts());
            shares.into_iter().find(|share| (0.8..1.2).contains(share))
        };
        let lowest = self.voltage.iter().flatten().filter_map(share).reduce(f64::min)?;
        Some(Millivolts::from_volts_f64((lowest * nominal.as_volts()).floor()))
    }
}
