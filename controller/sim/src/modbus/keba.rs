//! KEBA KeContact P30. Source: KEBA, "Modbus TCP Programmer's Guide" V1.07.
//!
//! One value (two registers) a read, single registers for writing. The watchdog is off until a timeout
//! is written; once it has bitten, the failsafe current holds until both current and enable have been
//! written again.

use super::words::{Block, whole};
use super::{Exception, ReadRange, Table, Way};
use crate::outlet::Outlet;
use dlb_engine::time::{Duration, Instant};

// Read, 32 bit each.
const STATE: u16 = 1000;
const CABLE: u16 = 1004;
const ERROR: u16 = 1006;
const CURRENT: [u16; 3] = [1008, 1010, 1012]; // mA
const SERIAL: u16 = 1014;
const PRODUCT: u16 = 1016;
const FIRMWARE: u16 = 1018;
const POWER: u16 = 1020; // mW
const ENERGY: u16 = 1036; // 0.1 Wh
const VOLTAGE: [u16; 3] = [1040, 1042, 1044]; // V
const POWER_FACTOR: u16 = 1046; // 0.1 %
const OFFERED: u16 = 1100; // mA
const RATING: u16 = 1110; // mA
const FAILSAFE_CURRENT_READ: u16 = 1600; // mA
const FAILSAFE_TIMEOUT_READ: u16 = 1602; // s
// Write, 16 bit each.
const SET_CURRENT: u16 = 5004; // mA
const ENABLE: u16 = 5014;
const FAILSAFE_CURRENT: u16 = 5016; // mA
const FAILSAFE_TIMEOUT: u16 = 5018; // s
const FAILSAFE_PERSIST: u16 = 5020;

/// The registers that can be written, and the watchdog.
#[derive(Clone, Debug)]
pub struct KebaP30 {
    serial: u32,
    current_ma: Option<u16>,
    enabled: bool,
    failsafe_ma: u16,
    timeout_s: u16,
    kept: Option<(u16, u16)>,
    written: Instant,
    bitten: Option<Rewritten>,
}

/// What has been written since the watchdog has bitten.
#[derive(Clone, Copy, Debug, Default)]
struct Rewritten {
    current: bool,
    enable: bool,
}

impl KebaP30 {
    pub const UNIT: u8 = 255;

    #[must_use]
    pub const fn new(serial: u32, now: Instant) -> Self {
        Self {
            serial,
            current_ma: None,
            enabled: true,
            failsafe_ma: 0,
            timeout_s: 0,
            kept: None,
            written: now,
            bitten: None,
        }
    }

    pub(super) fn watch(&mut self, now: Instant) {
        let overdue = now.since(self.written) >= Duration::from_secs(self.timeout_s.into());
        if self.timeout_s > 0 && overdue {
            self.bitten.get_or_insert_default();
        }
    }

    pub(super) fn limit(&self, rating: f64) -> f64 {
        match (self.bitten, self.enabled, self.current_ma) {
            (Some(_), ..) => f64::from(self.failsafe_ma) / 1000.0,
            (None, false, _) => 0.0,
            (None, true, None) => rating,
            (None, true, Some(current)) => f64::from(current) / 1000.0,
        }
    }

    pub(super) fn restart(&mut self, now: Instant) {
        let (failsafe_ma, timeout_s) = self.kept.unwrap_or((0, 0));
        *self = Self { failsafe_ma, timeout_s, kept: self.kept, ..Self::new(self.serial, now) };
    }

    pub(super) fn read(&self, outlet: &Outlet, range: ReadRange) -> Result<Vec<u16>, Exception> {
        match (range.table, range.count) {
            (Table::Holding, 2) => self.block(outlet).read(range),
            (Table::Holding, _) => Err(Exception::IllegalAddress),
            (Table::Input, _) => Err(Exception::IllegalFunction),
        }
    }

    pub(super) fn write(
        &mut self,
        now: Instant,
        way: Way,
        address: u16,
        values: &[u16],
    ) -> Result<(), Exception> {
        let (Way::Single, &[value]) = (way, values) else { return Err(Exception::IllegalFunction) };
        let amps = (6000..=63_000).contains(&value);
        match address {
            SET_CURRENT if amps => self.current_ma = Some(value),
            ENABLE if value <= 1 => self.enabled = value == 1,
            FAILSAFE_CURRENT if amps || value == 0 => self.failsafe_ma = value,
            FAILSAFE_TIMEOUT if value == 0 || (10..=600).contains(&value) => self.timeout_s = value,
            FAILSAFE_PERSIST if value == 1 => self.kept = Some((self.failsafe_ma, self.timeout_s)),
            SET_CURRENT | ENABLE | FAILSAFE_CURRENT | FAILSAFE_TIMEOUT | FAILSAFE_PERSIST => {
                return Err(Exception::IllegalValue);
            }
            _ => return Err(Exception::IllegalAddress),
        }
        self.watch(now);
        self.written = now;
        self.rewritten(address);
        Ok(())
    }

    fn rewritten(&mut self, address: u16) {
        let Some(since) = &mut self.bitten else { return };
        since.current |= address == SET_CURRENT;
        since.enable |= address == ENABLE;
        if since.current && since.enable {
            self.bitten = None;
        }
    }

    fn block(&self, outlet: &Outlet) -> Block {
        let measured = outlet.measured();
        let mut block = Block::default();
        block.whole(STATE, self.state(outlet));
        block.whole(CABLE, if outlet.car().is_some() { 7.0 } else { 1.0 });
        block.whole(ERROR, 0.0);
        for own in 0..3 {
            block.whole(CURRENT[own], measured.amps[own] * 1000.0);
            block.whole(VOLTAGE[own], measured.volts[own]);
        }
        block.put(SERIAL, &whole(self.serial.into()));
        block.whole(PRODUCT, 324_104.0);
        // 3.10.57 in bytes.
        block.put(FIRMWARE, &[0x030A, 0x3900]);
        block.whole(POWER, measured.watts * 1000.0);
        block.whole(ENERGY, measured.register_wh * 10.0);
        block.whole(POWER_FACTOR, outlet.car().map_or(0.0, |car| car.model().power_factor * 1000.0));
        block.whole(OFFERED, outlet.offered() * 1000.0);
        block.whole(RATING, outlet.plate().max * 1000.0);
        block.whole(FAILSAFE_CURRENT_READ, self.failsafe_ma.into());
        block.whole(FAILSAFE_TIMEOUT_READ, self.timeout_s.into());
        block
    }

    /// 1 not ready, 2 ready and waiting for the car, 3 charging, 5 interrupted.
    fn state(&self, outlet: &Outlet) -> f64 {
        if outlet.car().is_none() {
            1.0
        } else if outlet.drawing() {
            3.0
        } else if self.limit(outlet.plate().max) < outlet.plate().min {
            5.0
        } else {
            2.0
        }
    }
}
