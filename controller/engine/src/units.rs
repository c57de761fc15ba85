//! Quantities, each with its own type, in integers that add without surprise.
//!
//! Currents are RMS. Powers and energies are signed where a direction exists: positive is import,
//! from the grid into the site.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Current in thousandths of an ampere (RMS). Signed: export through a metered line is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milliamps(pub i32);

/// Active power in watts; positive is import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watts(pub i64);

/// Energy in watt-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WattHours(pub i64);

/// Voltage in thousandths of a volt (RMS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millivolts(pub i32);

impl Milliamps {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i32::MAX);

    /// Whole amperes: `Milliamps::from_amps(63)` is 63 A.
    #[must_use]
    pub const fn from_amps(amps: i32) -> Self {
        Self(amps * 1000)
    }

    /// Nearest thousandth; not-a-number becomes zero and the ends saturate, as `as` defines.
    #[must_use]
    pub fn from_amps_f64(amps: f64) -> Self {
        Self((amps * 1000.0).round() as i32)
    }

    #[must_use]
    pub fn as_amps(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// The largest multiple of `step` that is not above `self`. A step of zero leaves it as it is.
    #[must_use]
    pub const fn round_down_to(self, step: Self) -> Self {
        if step.0 <= 0 {
            return self;
        }
        Self(self.0 - self.0.rem_euclid(step.0))
    }

    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Watts {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub fn from_kw_f64(kw: f64) -> Self {
        Self((kw * 1000.0).round() as i64)
    }

    #[must_use]
    pub fn as_kw(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Millivolts {
    #[must_use]
    pub fn from_volts_f64(volts: f64) -> Self {
        Self((volts * 1000.0).round() as i32)
    }

    #[must_use]
    pub fn as_volts(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// Apparent power of one line: `U · I`, with the power factor taken as 1 (the worst case for a limit).
#[must_use]
pub fn power(volts: Millivolts, current: Milliamps) -> Watts {
    Watts(i64::from(volts.0) * i64::from(current.0) / 1_000_000)
}

macro_rules! additive {
    ($($unit:ident),*) => {$(
        impl Add for $unit {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $unit {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl AddAssign for $unit {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $unit {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Neg for $unit {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl core::iter::Sum for $unit {
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                values.fold(Self::default(), Add::add)
            }
        }
    )*};
}

additive!(Milliamps, Watts, WattHours, Millivolts);

impl fmt::Display for Milliamps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.1} A", self.as_amps())
    }
}

impl fmt::Display for Watts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.2} kW", self.as_kw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_down_to_the_chargers_step() {
        let step = Milliamps::from_amps(1);
        assert_eq!(Milliamps(15_999).round_down_to(step), Milliamps(15_000));
        assert_eq!(Milliamps(16_000).round_down_to(step), Milliamps(16_000));
        assert_eq!(Milliamps(15_999).round_down_to(Milliamps::ZERO), Milliamps(15_999));
    }

    #[test]
    fn sixteen_amperes_at_230_volts_are_3680_watts() {
        assert_eq!(power(Millivolts(230_000), Milliamps(16_000)), Watts(3680));
    }
}
