//! One charger of a line: its range in amperes of the grid's side, how it hangs on the lines, and what
//! its car could use.

use super::LineFault;
use super::convert::{AMPS_MAX, Checked, KILOWATTS_MAX, instant, rounded_down, within};
use super::file::{ChargerFile, KindName};
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Charger, CircuitIx, Supply};
use dlb_engine::snapshot::{ChargerState, Demand, Reservation};
use dlb_engine::units::{Milliamps, WattHours};
use std::fmt::Arguments;

/// A charger's own figures, in amperes of the grid's side whatever its kind.
pub(super) struct Outlet {
    wiring: Wiring,
    min: f64,
    max: f64,
    wants: f64,
    /// Kilowatts to the car per ampere, for DC chargers.
    pub(super) kilowatts: Option<f64>,
}

impl Outlet {
    pub(super) fn new(key: Arguments<'_>, file: &ChargerFile, supply: Supply) -> Checked<Self> {
        let wiring = wiring(format_args!("{key}.phases"), file, supply)?;
        match file.kind {
            KindName::Ac => Self::ac(key, file, wiring),
            KindName::Dc => Self::dc(key, file, wiring, supply),
        }
    }

    fn ac(key: Arguments<'_>, file: &ChargerFile, wiring: Wiring) -> Checked<Self> {
        let kilowatts = [
            ("min_kw", file.min_kw),
            ("max_kw", file.max_kw),
            ("wants_kw", file.wants_kw),
            ("efficiency", file.efficiency),
        ];
        refuse(key, &kilowatts, "belongs to DC chargers; add \"kind\":\"dc\", or use amperes")?;
        let max = file.max_a.unwrap_or(32.0);
        let wants = file.wants_a.unwrap_or(max);
        Ok(Self {
            wiring,
            min: within(format_args!("{key}.min_a"), file.min_a.unwrap_or(6.0), 0.0, AMPS_MAX, "A")?,
            max: within(format_args!("{key}.max_a"), max, 0.001, AMPS_MAX, "A")?,
            wants: within(format_args!("{key}.wants_a"), wants, 0.0, AMPS_MAX, "A")?,
            kilowatts: None,
        })
    }

    fn dc(key: Arguments<'_>, file: &ChargerFile, wiring: Wiring, supply: Supply) -> Checked<Self> {
        let amperes = [("min_a", file.min_a), ("max_a", file.max_a), ("wants_a", file.wants_a)];
        refuse(key, &amperes, "belongs to AC chargers; DC chargers are given in kilowatts")?;
        let Some(max) = file.max_kw else {
            return Err(LineFault::new(format_args!("{key}.max_kw"), "is missing: a DC charger needs it"));
        };
        let efficiency = file.efficiency.unwrap_or(0.95);
        let efficiency = within(format_args!("{key}.efficiency"), efficiency, 0.1, 1.0, "")?;
        let each = efficiency * volts_per_ampere(wiring, supply) / 1000.0;
        let amps = |name: &str, kilowatts: f64, least: f64| {
            Ok(within(format_args!("{key}.{name}"), kilowatts, least, KILOWATTS_MAX, "kW")? / each)
        };
        Ok(Self {
            wiring,
            min: amps("min_kw", file.min_kw.unwrap_or(max.min(5.0)), 0.001)?,
            max: amps("max_kw", max, 0.001)?,
            wants: amps("wants_kw", file.wants_kw.unwrap_or(max), 0.0)?,
            kilowatts: Some(each),
        })
    }

    pub(super) fn charger(
        &self,
        key: Arguments<'_>,
        file: &ChargerFile,
        circuit: CircuitIx,
    ) -> Checked<Charger> {
        // The engine's chargers are off or on; one without a minimum is on from the first milliampere.
        let min = Milliamps(((self.min * 1000.0 - 1e-6).ceil() as i32).max(1));
        let max = rounded_down(self.max);
        if min > max {
            let unit = if self.kilowatts.is_some() { "kw" } else { "a" };
            return Err(LineFault::new(format_args!("{key}.min_{unit}"), format!("is above max_{unit}")));
        }
        let step = within(format_args!("{key}.step_a"), file.step_a.unwrap_or(0.0), 0.0, AMPS_MAX, "A")?;
        let weight = within(format_args!("{key}.weight"), file.weight.unwrap_or(1.0), 0.001, 1000.0, "")?;
        Ok(Charger {
            id: file.id.clone(),
            circuit,
            wiring: self.wiring,
            min,
            max,
            step: Milliamps::from_amps_f64(step),
            fallback: Milliamps::ZERO,
            priority: file.priority,
            weight,
        })
    }

    pub(super) fn state(&self, key: Arguments<'_>, file: &ChargerFile) -> Checked<ChargerState> {
        if file.car_phases.is_some_and(|phases| !(1..=3).contains(&phases)) {
            return Err(LineFault::new(format_args!("{key}.car_phases"), "is not 1, 2 or 3"));
        }
        let time = |name: &str, value: Option<f64>| {
            value.map(|seconds| instant(format_args!("{key}.{name}"), seconds)).transpose()
        };
        let energy = file
            .energy_needed_kwh
            .map(|kwh| within(format_args!("{key}.energy_needed_kwh"), kwh, 0.0, KILOWATTS_MAX, "kWh"));
        Ok(ChargerState {
            demand: self.demand(key, file)?,
            car_phases: file.car_phases,
            least: Milliamps::ZERO,
            drawn: self.drawn(format_args!("{key}.drawn_a"), file)?,
            arrived: time("arrived_s", file.arrived_s)?,
            departs: time("departs_s", file.departs_s)?,
            energy_needed: energy.transpose()?.map(|kwh| WattHours((kwh * 1000.0).round() as i64)),
        })
    }

    fn demand(&self, key: Arguments<'_>, file: &ChargerFile) -> Checked<Demand> {
        if let Some(reserved) = file.reserved_a {
            let reserved = within(format_args!("{key}.reserved_a"), reserved, 0.0, AMPS_MAX, "A")?;
            return Ok(Demand::Reserved(Milliamps::from_amps_f64(reserved), Reservation::Uncontrollable));
        }
        let wants = Milliamps::from_amps_f64(self.wants);
        Ok(match file.connected {
            Some(false) => Demand::Absent,
            _ if wants == Milliamps::ZERO => Demand::Idle,
            _ => Demand::Wants(wants),
        })
    }

    fn drawn(&self, key: Arguments<'_>, file: &ChargerFile) -> Checked<Option<PerLine<Milliamps>>> {
        let Some(values) = &file.drawn_a else { return Ok(None) };
        let mut own = [Milliamps::ZERO; 3];
        if values.len() > own.len() {
            return Err(LineFault::new(key, format!("has {} values, a charger has 3 phases", values.len())));
        }
        for (ix, &value) in values.iter().enumerate() {
            let value = within(format_args!("{key}[{ix}]"), value, -AMPS_MAX, AMPS_MAX, "A")?;
            own[ix] = Milliamps::from_amps_f64(value);
        }
        // Somebody gave the site's lines instead of the charger's own: its largest current counts, whichever it is.
        let phases = self.wiring.lines().into_iter().flatten().count().max(1);
        if own.iter().skip(phases).any(|&current| current != Milliamps::ZERO) {
            own = [own.into_iter().fold(Milliamps::ZERO, Milliamps::max); 3];
        }
        Ok(Some(self.wiring.to_site(own)))
    }
}

fn refuse(key: Arguments<'_>, fields: &[(&str, Option<f64>)], what: &str) -> Checked<()> {
    match fields.iter().find(|(_, value)| value.is_some()) {
        Some((name, _)) => Err(LineFault::new(format_args!("{key}.{name}"), what)),
        None => Ok(()),
    }
}

/// Watts of one ampere of limit.
fn volts_per_ampere(wiring: Wiring, supply: Supply) -> f64 {
    let volts = supply.volts_line_to_neutral().as_volts();
    match (wiring, supply) {
        (Wiring::Between(..), Supply::Split(_)) => 2.0 * volts,
        (Wiring::Between(..), _) => 3f64.sqrt() * volts,
        // With the rotation unknown the charger is taken to need the current on one line only.
        (Wiring::Unknown, _) => volts,
        _ => wiring.lines().into_iter().flatten().count() as f64 * volts,
    }
}

fn wiring(key: Arguments<'_>, file: &ChargerFile, supply: Supply) -> Checked<Wiring> {
    let three = ["L1", "L2", "L3"].map(String::from);
    let phases = match (&file.phases, file.kind) {
        (Some(phases), _) => phases.as_slice(),
        (None, KindName::Dc) => &three,
        (None, KindName::Ac) => return Err(LineFault::new(key, "is missing")),
    };
    if let [word] = phases {
        if word == "unknown" {
            return Ok(Wiring::Unknown);
        }
        if let Some((from, to)) = word.split_once('-') {
            return pair(key, line(key, from, supply)?, line(key, to, supply)?, supply);
        }
    }
    let lines = phases.iter().map(|name| line(key, name, supply)).collect::<Checked<Vec<Line>>>()?;
    let wiring = match lines[..] {
        [a] => Wiring::One(a),
        [a, b] if a != b => Wiring::Two(a, b),
        [a, b, c] if a != b && b != c && c != a => Wiring::Three(a, b, c),
        _ => {
            return Err(LineFault::new(
                key,
                "needs one to three different lines, or one pair such as \"L1-L2\"",
            ));
        }
    };
    if matches!((wiring, supply), (Wiring::One(_) | Wiring::Two(..), Supply::Delta(_))) {
        let what = "a delta supply has no neutral: name a pair such as \"L1-L2\", or all three lines";
        return Err(LineFault::new(key, what));
    }
    Ok(wiring)
}

fn pair(key: Arguments<'_>, from: Line, to: Line, supply: Supply) -> Checked<Wiring> {
    if from == to || matches!(supply, Supply::Single(_)) {
        return Err(LineFault::new(key, "a pair needs two different lines of its supply"));
    }
    Ok(Wiring::Between(from, to))
}

fn line(key: Arguments<'_>, name: &str, supply: Supply) -> Checked<Line> {
    let line = name.parse().map_err(|()| {
        LineFault::new(key, format!("\"{name}\" is no line: L1, L2, L3, or a pair such as \"L1-L2\""))
    })?;
    if line == Line::L3 && matches!(supply, Supply::Split(_)) {
        return Err(LineFault::new(key, "a split supply has only L1 and L2"));
    }
    Ok(line)
}
