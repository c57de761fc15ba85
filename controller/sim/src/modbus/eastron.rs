//! Eastron SDM630 and SDM72D-M v2. Source: Eastron, "SDM630 Modbus protocol implementation" V1.8.
//! Input registers, floats, high word first. Currents carry no sign, powers do.

use super::words::Block;
use super::{Exception, ReadRange, RegisterFile, Table, Way};
use dlb_engine::time::Instant;

const VOLTAGE: u16 = 0x00;
const CURRENT: u16 = 0x06;
const POWER: u16 = 0x0C;
const POWER_FACTOR: u16 = 0x1E;
const POWER_SUM: u16 = 0x34;
const FREQUENCY: u16 = 0x46;
const IMPORT: u16 = 0x48; // kWh
const EXPORT: u16 = 0x4A; // kWh
const TOTAL: u16 = 0x156; // kWh

/// What flows through the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shown {
    pub volts: [f64; 3],
    pub amps: [f64; 3],
    /// Signed: negative is export.
    pub watts: [f64; 3],
    pub hertz: f64,
}

/// A meter with its registers.
#[derive(Clone, Debug)]
pub struct EastronSdm630 {
    unit: u8,
    shown: Shown,
    import_kwh: f64,
    export_kwh: f64,
}

impl EastronSdm630 {
    #[must_use]
    pub fn new(unit: u8) -> Self {
        Self { unit, shown: Shown { hertz: 50.0, ..Shown::default() }, import_kwh: 0.0, export_kwh: 0.0 }
    }

    /// What flowed for so long.
    pub fn show(&mut self, shown: Shown, seconds: f64) {
        let kwh = shown.watts.iter().sum::<f64>() * seconds / 3_600_000.0;
        self.import_kwh += kwh.max(0.0);
        self.export_kwh += (-kwh).max(0.0);
        self.shown = shown;
    }

    fn block(&self) -> Block {
        let mut block = Block::default();
        // What is between the values that are made up here reads as 0, as it does on the real one.
        for address in (0..=EXPORT).step_by(2) {
            block.float(address, 0.0);
        }
        for line in 0..3_u16 {
            let at = usize::from(line);
            let (volts, amps, watts) = (self.shown.volts[at], self.shown.amps[at], self.shown.watts[at]);
            let apparent = volts * amps.abs();
            block.float(VOLTAGE + 2 * line, volts);
            block.float(CURRENT + 2 * line, amps.abs());
            block.float(POWER + 2 * line, watts);
            block.float(0x12 + 2 * line, apparent);
            block.float(0x18 + 2 * line, (apparent.powi(2) - watts.powi(2)).max(0.0).sqrt());
            block.float(POWER_FACTOR + 2 * line, if apparent > 0.0 { watts / apparent } else { 1.0 });
        }
        block.float(POWER_SUM, self.shown.watts.iter().sum());
        block.float(FREQUENCY, self.shown.hertz);
        block.float(IMPORT, self.import_kwh);
        block.float(EXPORT, self.export_kwh);
        block.float(TOTAL, self.import_kwh + self.export_kwh);
        block
    }
}

impl RegisterFile for EastronSdm630 {
    fn listens_to(&self, unit: u8) -> bool {
        unit == self.unit
    }

    fn read(&mut self, _now: Instant, _unit: u8, range: ReadRange) -> Result<Vec<u16>, Exception> {
        match range.table {
            Table::Input => self.block().read(range),
            Table::Holding => Err(Exception::IllegalFunction),
        }
    }

    fn write(&mut self, _: Instant, _: u8, _: Way, _: u16, _: &[u16]) -> Result<(), Exception> {
        Err(Exception::IllegalFunction)
    }
}
