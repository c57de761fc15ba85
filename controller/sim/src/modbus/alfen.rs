//! Alfen Eve NG9xx with one socket. Source: Alfen, "Modbus slave TCP/IP" V2.3.
//!
//! Unit 1 is the socket, 200 the station. A setpoint is valid for a time after it was written; then the
//! safe current holds, which only the installer can set.

use super::words::{Block, as_float, double, letters};
use super::{Exception, ReadRange, Table};
use crate::outlet::Outlet;
use dlb_engine::time::{Duration, Instant};

// Socket's meter: everything from 300 to 425 can be read in one go; floats but for what says otherwise.
const METER_STATE: u16 = 300;
const METER_BLOCK: u16 = 126;
const VOLTAGE: u16 = 306; // V, three
const LINE_VOLTAGE: u16 = 312; // V, three
const CURRENT: u16 = 320; // A, three
const CURRENT_SUM: u16 = 326; // A
const POWER_FACTOR: u16 = 328; // three and the sum
const FREQUENCY: u16 = 336; // Hz
const POWER: u16 = 338; // W, three
const POWER_SUM: u16 = 344; // W
const ENERGY_SUM: u16 = 374; // double, Wh
// Socket's state and control.
const AVAILABLE: u16 = 1200;
const MODE_3: u16 = 1201; // text
const APPLIED: u16 = 1206; // A
const VALID_FOR: u16 = 1208; // 32 bit, s
const SETPOINT: u16 = 1210; // A
const SAFE: u16 = 1212; // A
const ACCOUNTED: u16 = 1214;
const PHASES: u16 = 1215;
// Station.
const NAME: u16 = 100; // text
const MAKER: u16 = 117; // text
const MAP_VERSION: u16 = 122;
const FIRMWARE: u16 = 123; // text
const PLATFORM: u16 = 140; // text
const SERIAL: u16 = 157; // text
const STATION_MAX: u16 = 1100; // float, A
const TEMPERATURE: u16 = 1102; // float, °C
const OCPP_STATE: u16 = 1104;
const SOCKETS: u16 = 1105;

/// The setpoint with its validity, and what the installer has set.
#[derive(Clone, Debug)]
pub struct AlfenEve {
    serial: String,
    safe_a: f64,
    validity: Duration,
    setpoint: Option<(f64, Instant)>,
    phases: u16,
}

impl AlfenEve {
    /// Socket and station.
    pub const UNITS: [u8; 2] = [1, 200];

    #[must_use]
    pub fn new(serial: &str, safe_a: f64, validity: Duration) -> Self {
        Self { serial: serial.to_owned(), safe_a, validity, setpoint: None, phases: 3 }
    }

    pub(super) fn limit(&self, now: Instant, rating: f64) -> f64 {
        let safe = self.safe_a.min(rating);
        self.valid(now).map_or(safe, |(setpoint, _)| setpoint.min(rating))
    }

    pub(super) fn restart(&mut self) {
        self.setpoint = None;
        self.phases = 3;
    }

    pub(super) fn read(
        &self,
        now: Instant,
        outlet: &Outlet,
        unit: u8,
        range: ReadRange,
    ) -> Result<Vec<u16>, Exception> {
        match (range.table, unit) {
            (Table::Input, _) => Err(Exception::IllegalFunction),
            (Table::Holding, 1) => self.socket(now, outlet).read(range),
            (Table::Holding, _) => self.station(outlet).read(range),
        }
    }

    pub(super) fn write(
        &mut self,
        now: Instant,
        unit: u8,
        address: u16,
        values: &[u16],
    ) -> Result<(), Exception> {
        match (unit, address, values) {
            (1, SETPOINT, &[high, low]) => {
                let amps = as_float([high, low]);
                if !(0.0..=500.0).contains(&amps) {
                    return Err(Exception::IllegalValue);
                }
                self.setpoint = Some((amps, now));
            }
            (1, PHASES, &[phases]) if phases == 1 || phases == 3 => self.phases = phases,
            (1, PHASES, _) => return Err(Exception::IllegalValue),
            _ => return Err(Exception::IllegalAddress),
        }
        Ok(())
    }

    fn valid(&self, now: Instant) -> Option<(f64, Duration)> {
        let (setpoint, written) = self.setpoint?;
        let left = self.validity.checked_sub(now.since(written))?;
        (!left.is_zero()).then_some((setpoint, left))
    }

    fn socket(&self, now: Instant, outlet: &Outlet) -> Block {
        let mut block = meter(outlet);
        block.put(AVAILABLE, &[1]);
        block.put(MODE_3, &letters(self.mode_3(outlet), 5));
        block.float(APPLIED, self.limit(now, outlet.plate().max));
        block.whole(VALID_FOR, self.valid(now).map_or(0.0, |(_, left)| left.as_secs_f64().floor()));
        block.float(SETPOINT, self.setpoint.map_or(0.0, |(setpoint, _)| setpoint));
        block.float(SAFE, self.safe_a);
        block.put(ACCOUNTED, &[u16::from(self.valid(now).is_some())]);
        block.put(PHASES, &[self.phases]);
        block
    }

    fn station(&self, outlet: &Outlet) -> Block {
        let mut block = Block::default();
        block.put(NAME, &letters("ALF_1000", 17));
        block.put(MAKER, &letters("Alfen NV", 5));
        block.put(MAP_VERSION, &[1]);
        block.put(FIRMWARE, &letters("6.6.0", 17));
        block.put(PLATFORM, &letters("NG910", 17));
        block.put(SERIAL, &letters(&self.serial, 11));
        block.float(STATION_MAX, outlet.plate().max);
        block.float(TEMPERATURE, 31.5);
        block.put(OCPP_STATE, &[0]);
        block.put(SOCKETS, &[1]);
        block
    }

    /// IEC 61851: A no car, B1 connected, B2 offered and not drawing, C2 charging.
    fn mode_3(&self, outlet: &Outlet) -> &'static str {
        match outlet.car() {
            None => "A",
            Some(_) if outlet.drawing() => "C2",
            Some(_) if outlet.offered() > 0.0 => "B2",
            Some(_) => "B1",
        }
    }
}

/// The meter's block. What this meter does not measure reads as not-a-number.
fn meter(outlet: &Outlet) -> Block {
    let measured = outlet.measured();
    let mut block = Block::default();
    block.put(METER_STATE, &[0x7FC0; METER_BLOCK as usize]);
    block.put(METER_STATE, &[3, 0, 0, 0, 0, 0]);
    let sum: f64 = measured.amps.iter().sum();
    let power_factor = outlet.car().map_or(1.0, |car| car.model().power_factor);
    for own in 0..3_u16 {
        let (volts, amps) = (measured.volts[usize::from(own)], measured.amps[usize::from(own)]);
        block.float(VOLTAGE + 2 * own, volts);
        block.float(LINE_VOLTAGE + 2 * own, volts * 3f64.sqrt());
        block.float(CURRENT + 2 * own, amps);
        block.float(POWER_FACTOR + 2 * own, power_factor);
        block.float(POWER + 2 * own, if sum > 0.0 { measured.watts * amps / sum } else { 0.0 });
    }
    block.float(CURRENT_SUM, sum);
    block.float(POWER_FACTOR + 6, power_factor);
    block.float(FREQUENCY, 50.0);
    block.float(POWER_SUM, measured.watts);
    block.put(ENERGY_SUM, &double(measured.register_wh));
    block
}
