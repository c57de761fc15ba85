//! Meter values as chargers send them, brought to amperes per phase.
//!
//! Lenient: vendor measurands are passed over, phases may be written `L1-N`, units may be missing, one
//! value without a phase counts for every phase that is wired. Currents are told only as far as they
//! follow from what was sent; where several distributions over the phases are possible, the largest
//! current of each phase counts.

use crate::ocpp16::calendar::read_time;
use crate::ocpp16::fields::Fields;
use dlb_engine::time::WallTime;
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};
use serde_json::Value;

/// One set of values taken at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    pub taken: Option<WallTime>,
    pub current: [Option<f64>; 3],
    /// Without a phase: one value for all, as far as can be known.
    pub current_any: Option<f64>,
    pub voltage: [Option<f64>; 3],
    pub power: [Option<f64>; 3],
    pub power_total: Option<f64>,
    /// Power on the mains side of a DC charger.
    pub power_inlet: Option<f64>,
    pub register: Option<WattHours>,
    register_phases: [Option<f64>; 3],
}

/// What a sample is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Phases wired, 1 to 3.
    pub phases: u8,
    pub volts: Millivolts,
    pub rating: Milliamps,
    /// The limit that the charger has last accepted.
    pub limit: Option<Milliamps>,
    /// A DC charger: watts at the car for each volt-ampere of the mains.
    pub direct_current: Option<f64>,
}

/// Nothing on a site that this program serves reaches these; larger values are garbage.
const AMPS_MAX: f64 = 5_000.0;
const VOLTS_MAX: f64 = 2_000.0;
const WATTS_MAX: f64 = 5_000_000.0;
const WATT_HOURS_MAX: f64 = 1e12;

/// Reads one element of `meterValue`. What makes no sense is left out.
#[must_use]
pub fn read(group: Fields<'_>) -> Sample {
    let mut sample = Sample { taken: group.time("timestamp"), ..Sample::default() };
    for value in group.list("sampledValue").ok().flatten().unwrap_or_default() {
        // Some chargers stamp the single value instead of the group.
        if sample.taken.is_none() {
            sample.taken = value.0.get("timestamp").and_then(Value::as_str).and_then(read_time);
        }
        sample.take(value);
    }
    let phases = sample.register_phases;
    if sample.register.is_none() && phases.iter().any(Option::is_some) {
        sample.register = Some(WattHours(phases.iter().flatten().sum::<f64>().round() as i64));
    }
    sample.settle_units();
    sample
}

impl Sample {
    fn take(&mut self, value: Fields<'_>) {
        let word = |name| value.text(name).ok().flatten().unwrap_or_default().to_ascii_lowercase();
        let signed = word("format") == "signeddata";
        let Some(number) = value.number("value").ok().flatten().filter(|_| !signed) else { return };
        let location = word("location");
        if matches!(location.as_str(), "ev" | "body" | "cable") {
            return;
        }
        let unit = word("unit");
        let number = if unit.starts_with('k') { number * 1000.0 } else { number };
        let Some(phase) = read_phase(&word("phase")) else { return };
        match word("measurand").as_str() {
            "current.import" => keep(number, AMPS_MAX, self.current_slot(phase)),
            "voltage" => keep(number, VOLTS_MAX, self.voltage_slot(phase)),
            "power.active.import" if location == "inlet" => {
                keep(number, WATTS_MAX, Some(&mut self.power_inlet))
            }
            "power.active.import" => keep(number, WATTS_MAX, self.power_slot(phase)),
            "" | "energy.active.import.register" => self.take_register(number, phase),
            _ => {}
        }
    }

    fn take_register(&mut self, number: f64, phase: Phase) {
        if number.abs() > WATT_HOURS_MAX {
            return;
        }
        match phase {
            Phase::Own(phase) => self.register_phases[phase] = Some(number),
            Phase::All => self.register = Some(WattHours(number.round() as i64)),
        }
    }

    fn current_slot(&mut self, phase: Phase) -> Option<&mut Option<f64>> {
        Some(match phase {
            Phase::Own(phase) => &mut self.current[phase],
            Phase::All => &mut self.current_any,
        })
    }

    fn voltage_slot(&mut self, phase: Phase) -> Option<&mut Option<f64>> {
        match phase {
            Phase::Own(phase) => Some(&mut self.voltage[phase]),
            Phase::All => Some(&mut self.voltage[0]),
        }
    }

    fn power_slot(&mut self, phase: Phase) -> Option<&mut Option<f64>> {
        Some(match phase {
            Phase::Own(phase) => &mut self.power[phase],
            Phase::All => &mut self.power_total,
        })
    }

    /// Takes over all that a newer sample tells.
    pub fn overlay(&mut self, newer: &Self) {
        let phases =
            |old: [Option<f64>; 3], new: [Option<f64>; 3]| core::array::from_fn(|i| new[i].or(old[i]));
        self.taken = newer.taken.or(self.taken);
        self.current = phases(self.current, newer.current);
        self.current_any = newer.current_any.or(self.current_any);
        self.voltage = phases(self.voltage, newer.voltage);
        self.power = phases(self.power, newer.power);
        self.power_total = newer.power_total.or(self.power_total);
        self.power_inlet = newer.power_inlet.or(self.power_inlet);
        self.register = newer.register.or(self.register);
        self.settle_units();
    }

    /// Kilowatts sent as watts are a thousandth of what current and voltage say.
    fn settle_units(&mut self) {
        let Some(apparent) = self.apparent() else { return };
        let told = self.power_total.or_else(|| sum(self.power));
        if told.is_some_and(|told| told > 0.0 && told * 200.0 < apparent && apparent > 200.0) {
            self.power_total = self.power_total.map(|power| power * 1000.0);
            self.power = self.power.map(|power| power.map(|power| power * 1000.0));
        }
    }

    /// Volt-amperes of the phases that are told.
    fn apparent(&self) -> Option<f64> {
        let told = (0..3).filter_map(|i| Some(self.current[i]? * self.voltage[i].or(self.voltage[0])?));
        let all: Vec<f64> = told.collect();
        (!all.is_empty()).then(|| all.iter().sum())
    }

    /// Current per phase on the mains side. `None`: does not follow from what was told.
    #[must_use]
    pub fn currents(&self, outline: &Outline) -> [Option<Milliamps>; 3] {
        let wired = usize::from(outline.phases.clamp(1, 3));
        if let Some(efficiency) = outline.direct_current {
            return self.mains_currents(outline, efficiency);
        }
        if self.current.iter().any(Option::is_some) {
            return self.current.map(|amps| amps.map(Milliamps::from_amps_f64));
        }
        if let Some(amps) = self.current_any {
            return wired_only(wired, |_| amps);
        }
        if self.power.iter().any(Option::is_some) {
            return core::array::from_fn(|i| {
                Some(Milliamps::from_amps_f64(self.power[i]? / self.volts(i, outline)))
            });
        }
        self.power_total.map_or([None; 3], |power| self.spread(power, wired, outline))
    }

    /// A DC charger loads its lines evenly.
    fn mains_currents(&self, outline: &Outline, efficiency: f64) -> [Option<Milliamps>; 3] {
        let wired = usize::from(outline.phases.clamp(1, 3));
        let at_the_car = self
            .power_total
            .or_else(|| sum(self.power))
            .or_else(|| Some(self.current_any? * self.voltage[0]?));
        let Some(power) = self.power_inlet.or_else(|| Some(at_the_car? / efficiency)) else {
            return [None; 3];
        };
        wired_only(wired, |_| power / outline.volts.as_volts() / wired as f64)
    }

    /// Total power over one to all phases: of the ways that keep the limit (or else the rating), the
    /// largest current of each phase.
    fn spread(&self, power: f64, wired: usize, outline: &Outline) -> [Option<Milliamps>; 3] {
        let amps = |phases: usize| power / self.volts(0, outline) / phases as f64;
        let within = |bound: Milliamps| {
            let bound = bound.as_amps() * 1.1 + 0.5;
            (1..=wired).filter(|phases| amps(*phases) <= bound).collect::<Vec<_>>()
        };
        let mut ways = outline.limit.map(within).unwrap_or_default();
        if ways.is_empty() {
            ways = within(outline.rating);
        }
        if ways.is_empty() {
            ways = vec![wired];
        }
        let least = ways[0];
        wired_only(wired, |phase| {
            if phase < least || ways.contains(&(phase + 1)) { amps((phase + 1).max(least)) } else { 0.0 }
        })
    }

    fn volts(&self, phase: usize, outline: &Outline) -> f64 {
        let nominal = outline.volts.as_volts();
        let measured = self.voltage[phase].or(self.voltage[0]).unwrap_or(nominal);
        if (0.7..1.3).contains(&(measured / nominal)) { measured } else { nominal }
    }

    /// Total power: as told, or the sum of the phases, or volts times amperes.
    #[must_use]
    pub fn total_power(&self, outline: &Outline) -> Option<Watts> {
        let from_current = || {
            let told = self.current.iter().any(Option::is_some) && outline.direct_current.is_none();
            told.then(|| (0..3).filter_map(|i| Some(self.current[i]? * self.volts(i, outline))).sum())
        };
        let power = self.power_total.or_else(|| sum(self.power)).or_else(from_current)?;
        Some(Watts(power.round() as i64))
    }
}

#[derive(Clone, Copy)]
enum Phase {
    Own(usize),
    All,
}

/// `l1`, `l1-n` and `l1-l2` are the first phase; neutral is none of ours.
fn read_phase(text: &str) -> Option<Phase> {
    match text.get(..2) {
        None if text.is_empty() => Some(Phase::All),
        Some("l1") => Some(Phase::Own(0)),
        Some("l2") => Some(Phase::Own(1)),
        Some("l3") => Some(Phase::Own(2)),
        _ => None,
    }
}

fn keep(number: f64, most: f64, slot: Option<&mut Option<f64>>) {
    if let Some(slot) = slot
        && number.abs() <= most
    {
        *slot = Some(number);
    }
}

fn sum(phases: [Option<f64>; 3]) -> Option<f64> {
    phases.iter().any(Option::is_some).then(|| phases.iter().flatten().sum())
}

fn wired_only(wired: usize, amps: impl Fn(usize) -> f64) -> [Option<Milliamps>; 3] {
    core::array::from_fn(|phase| (phase < wired).then(|| Milliamps::from_amps_f64(amps(phase))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OUTLINE: Outline = Outline {
        phases: 3,
        volts: Millivolts(230_000),
        rating: Milliamps(32_000),
        limit: None,
        direct_current: None,
    };

    fn sample(values: Value) -> Sample {
        let group = json!({"timestamp": "2026-03-04T12:00:00Z", "sampledValue": values});
        read(Fields(group.as_object().unwrap()))
    }

    fn amps(currents: [Option<Milliamps>; 3]) -> [Option<f64>; 3] {
        currents.map(|current| current.map(Milliamps::as_amps))
    }

    #[test]
    fn phases_written_with_neutral_and_vendor_measurands_are_read() {
        let sample = sample(json!([
            {"value": "15.9", "measurand": "Current.Import", "phase": "L1-N", "unit": "A"},
            {"value": 16, "measurand": "Current.Import", "phase": "L2"},
            {"value": " 16.1 ", "measurand": "Current.Import", "phase": "L3", "context": "Sample.Periodic"},
            {"value": "3", "measurand": "Current.Import", "phase": "N"},
            {"value": "7", "measurand": "Vendor.Coffee"},
            {"value": "1.5", "unit": "kWh"},
        ]));
        assert_eq!(amps(sample.currents(&OUTLINE)), [Some(15.9), Some(16.0), Some(16.1)]);
        assert_eq!(sample.register, Some(WattHours(1500)));
    }

    #[test]
    fn one_value_without_a_phase_counts_for_every_phase() {
        let sample = sample(json!([{"value": "10", "measurand": "Current.Import"}]));
        assert_eq!(amps(sample.currents(&OUTLINE)), [Some(10.0); 3]);
        assert_eq!(amps(sample.currents(&Outline { phases: 1, ..OUTLINE })), [Some(10.0), None, None]);
    }

    #[test]
    fn current_follows_from_power_and_voltage() {
        let sample = sample(json!([
            {"value": "2.3", "measurand": "Power.Active.Import", "phase": "L1", "unit": "kW"},
            {"value": "230", "measurand": "Voltage", "phase": "L1"},
        ]));
        assert_eq!(amps(sample.currents(&OUTLINE)), [Some(10.0), None, None]);
    }

    #[test]
    fn kilowatts_sent_as_watts_are_noticed() {
        let sample = sample(json!([
            {"value": "3.68", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": "16", "measurand": "Current.Import", "phase": "L1"},
            {"value": "230", "measurand": "Voltage", "phase": "L1"},
        ]));
        assert_eq!(sample.total_power(&OUTLINE), Some(Watts(3680)));
    }

    #[test]
    fn total_power_alone_counts_in_the_worst_way_that_the_rating_allows() {
        let sample = sample(json!([{"value": "4600", "measurand": "Power.Active.Import", "unit": "W"}]));
        let spread = amps(sample.currents(&OUTLINE));
        assert_eq!(spread, [Some(20.0), Some(10.0), Some(6.667)]);
        // Under a limit of 8 A only three phases can carry it.
        let limited = Outline { limit: Some(Milliamps(8000)), ..OUTLINE };
        assert_eq!(amps(sample.currents(&limited)), [Some(6.667); 3]);
    }

    #[test]
    fn a_dc_chargers_power_is_brought_to_its_mains_side() {
        let sample = sample(json!([
            {"value": "60", "measurand": "Current.Import"}, {"value": "400", "measurand": "Voltage"},
            {"value": "27600", "measurand": "Power.Active.Import", "unit": "W", "location": "Outlet"},
        ]));
        let outline = Outline { direct_current: Some(0.92), ..OUTLINE };
        assert_eq!(amps(sample.currents(&outline)), [Some(43.478); 3]);
    }

    #[test]
    fn garbage_is_left_out() {
        let sample = sample(json!([
            {"value": "1e9", "measurand": "Current.Import", "phase": "L1"}, {"value": "abc"}, 7, {"measurand": "Voltage"},
            {"value": "AAAA", "format": "SignedData"},
        ]));
        assert_eq!(sample, Sample { taken: sample.taken, ..Sample::default() });
    }
}
