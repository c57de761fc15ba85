//! Charging profiles: how a limit in amperes is written down so that it ends by itself.
//!
//! A limit that starts at a wall time (`Absolute`) ends by its `duration`: a charger whose clock is
//! wrong then ignores it and stays on its fallback, which is safe. A `Relative` one counts from the
//! start of the transaction on some chargers and from its arrival on others, so it ends by `validTo`.

use crate::ocpp16::calendar::write_time;
use crate::ocpp16::call::without_nulls;
use dlb_engine::time::{Duration, WallTime};
use dlb_engine::units::{Milliamps, Millivolts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    #[serde(rename = "TxProfile")]
    Tx,
    #[serde(rename = "TxDefaultProfile")]
    TxDefault,
    #[serde(rename = "ChargePointMaxProfile")]
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateUnit {
    A,
    W,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Absolute,
    Relative,
}

/// How a limit is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// `duration` for absolute, `validTo` for relative profiles.
    Standard,
    /// `duration` counted from the arrival, for chargers known to count so.
    FromArrival,
    /// A second period with the fallback.
    Period,
    /// This charger keeps a limit for good.
    Never,
}

/// A limit in tenths of the unit; written with one decimal, whole numbers without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenths(pub i64);

impl Tenths {
    fn payload(self) -> Value {
        if self.0 % 10 == 0 { json!(self.0 / 10) } else { json!(self.0 as f64 / 10.0) }
    }
}

/// What amperes mean on this charger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    pub step: Milliamps,
    pub volts: Millivolts,
    /// Phases of the charger.
    pub wired: u8,
    /// Phases that the car was seen to use, or that a DC charger loads.
    pub used: Option<u8>,
    /// What the charger itself lets a phase draw.
    pub rating: Milliamps,
    pub efficiency: f64,
}

/// The least that starts a car, on each phase.
const FLOOR: Milliamps = Milliamps(6000);

impl Conversion {
    /// Never more than `limit`: rounded down to the step, and to the decimal or watt.
    ///
    /// Watts say nothing about phases: a car on one phase draws on it what was meant for three. Until it has
    /// been seen, it gets what one phase may carry. To start on all of them it must be allowed that many times
    /// the floor on each ([`Abilities::spread`](crate::charger::Abilities::spread)), or all that the charger has.
    #[must_use]
    pub fn tenths(&self, unit: RateUnit, limit: Milliamps) -> Tenths {
        let limit = limit.max(Milliamps::ZERO);
        match (unit, self.used) {
            (RateUnit::A, _) => Tenths(i64::from(limit.round_down_to(self.step).0) / 100),
            (RateUnit::W, Some(used)) => self.watts(limit, used),
            (RateUnit::W, None) if limit >= self.rating => {
                self.watts(limit, 1).max(self.watts(limit.min(FLOOR), self.wired))
            }
            (RateUnit::W, None) => self.watts(limit, 1),
        }
    }

    /// As above, and safe on every phase whatever the car is.
    #[must_use]
    pub fn safest(&self, unit: RateUnit, limit: Milliamps, even: bool) -> Tenths {
        let used = if even { self.wired } else { 1 };
        Self { used: Some(used), ..*self }.tenths(unit, limit)
    }

    fn watts(&self, limit: Milliamps, phases: u8) -> Tenths {
        let volt_amps = i64::from(limit.0) * i64::from(self.volts.0) * i64::from(phases);
        Tenths((volt_amps as f64 / 1e6 * self.efficiency + 1e-6).floor() as i64 * 10)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargingProfile {
    pub id: i32,
    pub transaction: Option<i64>,
    pub stack: u8,
    pub purpose: Purpose,
    pub kind: Kind,
    pub valid_to: Option<WallTime>,
    pub start: Option<WallTime>,
    pub duration: Option<Duration>,
    pub unit: RateUnit,
    /// Start in seconds, limit.
    pub periods: Vec<(u64, Tenths)>,
    pub number_phases: Option<u8>,
}

impl ChargingProfile {
    #[must_use]
    pub fn payload(&self) -> Value {
        let mut schedule = json!({
            "chargingRateUnit": self.unit,
            "chargingSchedulePeriod": self.periods.iter().map(|period| self.period(*period)).collect::<Vec<_>>(),
            "startSchedule": self.start.map(write_time),
            "duration": self.duration.map(|duration| duration.as_secs()),
        });
        without_nulls(&mut schedule);
        let mut payload = json!({
            "chargingProfileId": self.id,
            "transactionId": self.transaction,
            "stackLevel": self.stack,
            "chargingProfilePurpose": self.purpose,
            "chargingProfileKind": self.kind,
            "validTo": self.valid_to.map(write_time),
            "chargingSchedule": schedule,
        });
        without_nulls(&mut payload);
        payload
    }

    fn period(&self, (start, limit): (u64, Tenths)) -> Value {
        let mut period =
            json!({"startPeriod": start, "limit": limit.payload(), "numberPhases": self.number_phases});
        without_nulls(&mut period);
        period
    }
}

/// A charger's clock may lag by this and the limit still starts at once.
pub const START_MARGIN: Duration = Duration::from_secs(30);

/// What decides how a limit ends.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    pub lasts: Duration,
    /// Since the transaction began.
    pub elapsed: Duration,
    pub wall: Option<WallTime>,
    pub expiry: Expiry,
    /// Follows the limit where it cannot simply end.
    pub fallback: Tenths,
}

impl ChargingProfile {
    /// The same profile, ending by itself.
    #[must_use]
    pub fn ending(mut self, life: &Lifetime) -> Self {
        let Some(wall) = life.wall.filter(|_| self.kind == Kind::Absolute) else {
            self.kind = Kind::Relative;
            return self.ending_relative(life);
        };
        self.start = Some(WallTime(wall.0 - START_MARGIN.as_millis() as i64));
        let until = START_MARGIN + life.lasts;
        match life.expiry {
            Expiry::Standard | Expiry::FromArrival => self.duration = Some(until),
            Expiry::Period => self.periods.push((until.as_secs(), life.fallback)),
            Expiry::Never => {}
        }
        self
    }

    fn ending_relative(mut self, life: &Lifetime) -> Self {
        match (life.expiry, life.wall) {
            (Expiry::Standard, Some(wall)) => self.valid_to = Some(wall + life.lasts),
            (Expiry::FromArrival, _) => self.duration = Some(life.lasts),
            (Expiry::Standard, None) => self.duration = Some(life.elapsed + life.lasts),
            (Expiry::Period, _) => self.periods.push(((life.elapsed + life.lasts).as_secs(), life.fallback)),
            (Expiry::Never, _) => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_PHASES: Conversion = Conversion {
        step: Milliamps(100),
        volts: Millivolts(230_000),
        wired: 3,
        used: Some(3),
        rating: Milliamps(32_000),
        efficiency: 1.0,
    };

    #[test]
    fn limits_are_rounded_down_never_up() {
        assert_eq!(THREE_PHASES.tenths(RateUnit::A, Milliamps(13_799)), Tenths(137));
        assert_eq!(THREE_PHASES.tenths(RateUnit::W, Milliamps(16_000)), Tenths(110_400));
        assert_eq!(THREE_PHASES.tenths(RateUnit::W, Milliamps(6_001)), Tenths(41_400));
        let whole = Conversion { step: Milliamps(1000), ..THREE_PHASES };
        assert_eq!(whole.tenths(RateUnit::A, Milliamps(13_999)), Tenths(130));
        assert_eq!(whole.tenths(RateUnit::A, Milliamps(-1)), Tenths(0));
    }

    #[test]
    fn watts_for_a_car_that_was_not_seen_yet_start_it_and_do_not_overload_a_phase() {
        let unseen = Conversion { used: None, ..THREE_PHASES };
        assert_eq!(unseen.tenths(RateUnit::W, Milliamps(32_000)), Tenths(73_600));
        assert_eq!(unseen.tenths(RateUnit::W, Milliamps(18_000)), Tenths(41_400));
        assert_eq!(
            unseen.tenths(RateUnit::W, Milliamps(10_000)),
            Tenths(23_000),
            "one phase may carry no more"
        );
        assert_eq!(unseen.tenths(RateUnit::W, Milliamps::ZERO), Tenths(0));
        let small = Conversion { rating: Milliamps(16_000), ..unseen };
        assert_eq!(
            small.tenths(RateUnit::W, Milliamps(16_000)),
            Tenths(41_400),
            "all that it has starts any car"
        );
        assert_eq!(small.tenths(RateUnit::W, Milliamps(15_000)), Tenths(34_500));
        assert_eq!(unseen.safest(RateUnit::W, Milliamps(6000), false), Tenths(13_800));
    }

    #[test]
    fn whole_amperes_are_written_without_a_decimal() {
        assert_eq!(Tenths(130).payload().to_string(), "13");
        assert_eq!(Tenths(137).payload().to_string(), "13.7");
    }
}
