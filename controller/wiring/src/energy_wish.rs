//! The energy that a driver asked for, and what of it was delivered since: by the charger's register where it
//! has one, else by adding up the power that it reports.

use dlb_engine::time::Duration;
use dlb_engine::units::{WattHours, Watts};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EnergyWish {
    pub(crate) asked: WattHours,
    /// The register when it was asked for, or when it was first heard after that.
    pub(crate) since: Option<WattHours>,
    /// Added up from reports, in watt-microseconds.
    flowed: i128,
}

/// A report this long after the one before says nothing about the time in between.
const GAP: Duration = Duration::from_secs(120);
const MICROSECONDS_PER_HOUR: i128 = 3_600_000_000;

impl EnergyWish {
    pub(crate) const fn new(asked: WattHours, register: Option<WattHours>) -> Self {
        Self { asked, since: register, flowed: 0 }
    }

    /// The charger reported this power, so long after its last report.
    pub(crate) fn flowed(&mut self, power: Watts, lasted: Duration) {
        if lasted <= GAP {
            self.flowed += i128::from(power.0.max(0)) * i128::from(lasted.as_micros() as u64);
        }
    }

    /// What is still to be delivered. A register that was replaced, or ran backwards, takes nothing back.
    pub(crate) fn left(self, register: Option<WattHours>) -> WattHours {
        let by_register = self.since.zip(register).map(|(then, now)| now.0.saturating_sub(then.0).max(0));
        let by_power = i64::try_from(self.flowed / MICROSECONDS_PER_HOUR).unwrap_or(i64::MAX);
        WattHours(self.asked.0.saturating_sub(by_register.unwrap_or(by_power)).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_register_has_counted_since_is_needed_no_more() {
        let wish = EnergyWish::new(WattHours(20_000), Some(WattHours(1_000_000)));
        assert_eq!(wish.left(Some(WattHours(1_007_500))), WattHours(12_500));
        assert_eq!(wish.left(Some(WattHours(1_030_000))), WattHours(0));
        assert_eq!(wish.left(Some(WattHours(5))), WattHours(20_000), "the charger was replaced");
    }

    #[test]
    fn a_charger_without_a_register_is_counted_by_its_power() {
        let mut wish = EnergyWish::new(WattHours(10_000), None);
        for _ in 0..360 {
            wish.flowed(Watts(11_000), Duration::from_secs(10));
        }
        wish.flowed(Watts(11_000), Duration::from_secs(3600));
        assert_eq!(wish.left(None), WattHours(0), "11 kWh in an hour of reports");
        let mut half = EnergyWish::new(WattHours(10_000), None);
        half.flowed(Watts(3_600), Duration::from_secs(100));
        assert_eq!(half.left(None), WattHours(9_900));
    }
}
