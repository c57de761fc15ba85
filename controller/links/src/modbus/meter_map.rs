//! A meter as data: which registers hold which quantity, and the translation to a [`Reading`].
//!
//! A value outside of what any site can carry makes the whole answer garbled: a wrong map or a late
//! answer must not become a load. A value that the meter says it does not have stays missing.

use super::reads::{Read, ReadRule, join, read_of};
use super::register::{Register, Words};
use super::register_file::{MapError, ReadFile, RegisterFile, Unit};
use super::sunspec::Discovery;
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};
use serde::Deserialize;

/// Beyond this a current is not a measurement.
const CURRENT_MAX_A: f64 = 10_000.0;
const VOLTAGE_MAX_V: f64 = 1_000.0;
const POWER_MAX_W: f64 = 1e8;
const ENERGY_MAX_WH: f64 = 1e15;
const FREQUENCY_HZ: core::ops::RangeInclusive<f64> = 0.0..=500.0;

/// A checked map.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterMap {
    pub make: String,
    pub model: String,
    /// The document or the program in the field that the registers were taken from.
    pub source: String,
    pub(super) rule: ReadRule,
    /// The meter shows currents without a sign: it is that of the line's power.
    sign_from_power: bool,
    current: [Option<Register>; 3],
    voltage: [Option<Register>; 3],
    power: [Option<Register>; 3],
    power_total: Option<Register>,
    imported: Option<Register>,
    exported: Option<Register>,
    frequency: Option<Register>,
    /// Addresses are offsets in a SunSpec model that must be found first.
    pub(super) discovery: Option<Discovery>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CurrentSign {
    Signed,
    FromPower,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeterFile {
    make: String,
    model: String,
    source: String,
    current_sign: CurrentSign,
    read: ReadFile,
    sunspec: Option<SunSpecFile>,
    current: RegisterFile<Vec<u16>>,
    voltage: Option<RegisterFile<Vec<u16>>>,
    power: Option<RegisterFile<Vec<u16>>>,
    power_total: Option<RegisterFile>,
    imported: Option<RegisterFile>,
    exported: Option<RegisterFile>,
    frequency: Option<RegisterFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SunSpecFile {
    models: Vec<u16>,
    start: Vec<u16>,
}

impl MeterMap {
    /// Reads and checks a map file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its key.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let file: MeterFile = toml::from_str(text)?;
        let read = &file.read;
        let lines = |key: &str, unit: Unit, registers: &Option<RegisterFile<Vec<u16>>>| {
            registers.as_ref().map_or(Ok([None, None, None]), |found| found.check(key, unit, read))
        };
        let one = |key: &str, unit: Unit, register: &Option<RegisterFile>| {
            register.as_ref().map(|found| found.check(key, unit, read)).transpose()
        };
        let power = lines("power", Unit::W, &file.power)?;
        let sign_from_power = matches!(file.current_sign, CurrentSign::FromPower);
        if sign_from_power && power[0].is_none() {
            return Err(MapError::wrong("current_sign", "from-power needs the power of each line"));
        }
        Ok(Self {
            rule: read.rule()?,
            sign_from_power,
            current: file.current.check("current", Unit::A, read)?,
            voltage: lines("voltage", Unit::V, &file.voltage)?,
            power,
            power_total: one("power_total", Unit::W, &file.power_total)?,
            imported: one("imported", Unit::Wh, &file.imported)?,
            exported: one("exported", Unit::Wh, &file.exported)?,
            frequency: one("frequency", Unit::Hz, &file.frequency)?,
            discovery: file.sunspec.map(|found| discovery(found, read)).transpose()?,
            make: file.make,
            model: file.model,
            source: file.source,
        })
    }

    /// The reads that bring one reading; with a SunSpec model also its head, to see that it is still there.
    pub(super) fn reads(&self, base: u16) -> Vec<Read> {
        let mut wanted: Vec<Read> = self.registers().flat_map(|register| wants(register, base)).collect();
        if let Some(discovery) = &self.discovery {
            wanted.push(Read { table: discovery.table, address: base, count: 2 });
        }
        join(wanted, self.rule)
    }

    /// # Errors
    /// [`NoReading::Garbled`] if anything in it cannot be.
    pub(super) fn reading(&self, words: &Words, base: u16, at: Instant) -> Result<Reading, NoReading> {
        let value =
            |register: &Option<Register>| register.as_ref().and_then(|it| it.at_base(base).value(words));
        let lines =
            |registers: &[Option<Register>; 3], max: f64| -> Result<PerLine<Option<f64>>, NoReading> {
                let values = [value(&registers[0]), value(&registers[1]), value(&registers[2])];
                Ok(PerLine([within(values[0], max)?, within(values[1], max)?, within(values[2], max)?]))
            };
        let power = lines(&self.power, POWER_MAX_W)?;
        let voltage = lines(&self.voltage, VOLTAGE_MAX_V)?;
        if voltage.0.iter().flatten().any(|volts| *volts < 0.0) {
            return Err(NoReading::Garbled);
        }
        let current = lines(&self.current, CURRENT_MAX_A)?;
        let current = if self.sign_from_power { current.zip_with(power, signed) } else { current };
        let watts = |watts: f64| Watts(watts.round() as i64);
        let energy = |register: &Option<Register>| -> Result<Option<WattHours>, NoReading> {
            Ok(within(value(register), ENERGY_MAX_WH)?.map(|energy| WattHours(energy.round() as i64)))
        };
        let reading = Reading {
            current: current.map(|amps| amps.map(Milliamps::from_amps_f64)),
            voltage: voltage.map(|volts| volts.map(Millivolts::from_volts_f64)),
            power: power.map(|power| power.map(watts)),
            power_total: within(value(&self.power_total), POWER_MAX_W)?.map(watts),
            imported: energy(&self.imported)?,
            exported: energy(&self.exported)?,
            frequency_mhz: value(&self.frequency)
                .filter(|hertz| FREQUENCY_HZ.contains(hertz))
                .map(|hertz| (hertz * 1000.0).round() as u32),
            ..Reading::empty(at)
        };
        // A meter without a single current is of no use, and an answer full of "none" looks just so.
        if reading.current.0.iter().all(Option::is_none) { Err(NoReading::Garbled) } else { Ok(reading) }
    }

    /// How many registers of a SunSpec model this map uses, head included.
    pub(super) fn reach(&self) -> u16 {
        let last = |register: &Register| {
            let end = register.address + register.words();
            register.scale_at.map_or(end, |at| end.max(at + 1))
        };
        self.registers().map(last).max().unwrap_or(0)
    }

    fn registers(&self) -> impl Iterator<Item = &Register> {
        let lines = self.current.iter().chain(&self.voltage).chain(&self.power).flatten();
        let single = [&self.power_total, &self.imported, &self.exported, &self.frequency];
        lines.chain(single.into_iter().filter_map(Option::as_ref))
    }
}

fn discovery(file: SunSpecFile, read: &ReadFile) -> Result<Discovery, MapError> {
    if file.models.is_empty() || file.start.is_empty() {
        return Err(MapError::wrong("sunspec", "needs at least one model and one start"));
    }
    Ok(Discovery { table: read.table(), models: file.models, start: file.start })
}

fn wants(register: &Register, base: u16) -> Vec<Read> {
    let register = register.at_base(base);
    let scale = register.scale_at.map(|address| Read { table: register.table, address, count: 1 });
    core::iter::once(read_of(&register)).chain(scale).collect()
}

fn within(value: Option<f64>, max: f64) -> Result<Option<f64>, NoReading> {
    match value {
        Some(value) if !value.is_finite() || value.abs() > max => Err(NoReading::Garbled),
        value => Ok(value),
    }
}

/// Without the line's power the direction is not known; import is the worse case.
fn signed(current: Option<f64>, power: Option<f64>) -> Option<f64> {
    let export = power.is_some_and(|power| power < 0.0);
    current.map(|amps| if export { -amps.abs() } else { amps.abs() })
}
