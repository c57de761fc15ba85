//! Energy registers: what came in, what went out. Neither ever runs backwards.
//!
//! The lines are summed with their signs before an interval counts as import or export, as the utility's
//! own meter does it. Registers count whole millijoules (an `i64` lasts 290 million years at 1 kW) and
//! carry the rest, so that nothing is lost to rounding. They are handed to whoever keeps them over a restart.

use crate::units::WattHours;

const MILLIJOULES_PER_WATT_HOUR: u64 = 3_600_000;

/// Energy through a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    imported: Register,
    exported: Register,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Register {
    millijoules: u64,
    rest: f64,
}

impl Register {
    fn add(&mut self, millijoules: f64) {
        let sum = self.rest + millijoules;
        let whole = sum.floor();
        self.millijoules = self.millijoules.saturating_add(whole as u64);
        self.rest = sum - whole;
    }

    fn watt_hours(self) -> WattHours {
        WattHours(i64::try_from(self.millijoules / MILLIJOULES_PER_WATT_HOUR).unwrap_or(i64::MAX))
    }
}

impl Energy {
    /// Goes on where a register was left: millijoules imported and exported.
    #[must_use]
    pub const fn resumed(imported: u64, exported: u64) -> Self {
        Self {
            imported: Register { millijoules: imported, rest: 0.0 },
            exported: Register { millijoules: exported, rest: 0.0 },
        }
    }

    /// Counts `watts` over `seconds`. What is not a number counts nothing.
    pub fn count(&mut self, watts: f64, seconds: f64) {
        let millijoules = watts * seconds * 1000.0;
        if millijoules > 0.0 {
            self.imported.add(millijoules);
        } else if millijoules < 0.0 {
            self.exported.add(-millijoules);
        }
    }

    /// Whole millijoules imported and exported, to be kept.
    #[must_use]
    pub const fn millijoules(&self) -> (u64, u64) {
        (self.imported.millijoules, self.exported.millijoules)
    }

    #[must_use]
    pub fn imported(&self) -> WattHours {
        self.imported.watt_hours()
    }

    #[must_use]
    pub fn exported(&self) -> WattHours {
        self.exported.watt_hours()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sunny_noon_fills_the_export_register_and_leaves_the_import_register_alone() {
        let mut energy = Energy::default();
        (0..18_000).for_each(|_| energy.count(1000.0, 0.2));
        (0..9_000).for_each(|_| energy.count(-4000.0, 0.2));
        assert_eq!((energy.imported(), energy.exported()), (WattHours(1000), WattHours(2000)));
    }

    #[test]
    fn a_tenth_of_a_milliwatt_is_counted_in_the_end() {
        let mut energy = Energy::default();
        (0..100_000).for_each(|_| energy.count(0.000_1, 1.0));
        let (imported, exported) = energy.millijoules();
        assert!((9_999..=10_000).contains(&imported), "{imported}");
        assert_eq!(exported, 0);
    }

    #[test]
    fn a_register_goes_on_after_a_restart_and_ignores_what_is_no_number() {
        let mut energy = Energy::resumed(3_600_000_000, 5);
        energy.count(f64::NAN, 1.0);
        energy.count(f64::INFINITY, 0.0);
        assert_eq!(energy.imported(), WattHours(1000));
        energy.count(3600.0, 1.0);
        assert_eq!(energy.imported(), WattHours(1001));
    }
}
