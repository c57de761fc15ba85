//! An energy register that two threads share: one counts it, another keeps it on the disk.
//!
//! What is *told* is what the disk has. A power cut costs the energy since the last time it was kept, half a
//! minute of it; but no reader ever sees the register run backwards.

use dlb_engine::measure::Energy;
use std::sync::atomic::{AtomicU64, Ordering};

/// Millijoules imported and exported.
#[derive(Debug, Default)]
pub struct EnergyRegister {
    counted: [AtomicU64; 2],
    kept: [AtomicU64; 2],
}

impl EnergyRegister {
    /// Goes on where it was left.
    #[must_use]
    pub fn resumed(imported_mj: u64, exported_mj: u64) -> Self {
        let both = || [AtomicU64::new(imported_mj), AtomicU64::new(exported_mj)];
        Self { counted: both(), kept: both() }
    }

    pub fn count(&self, energy: &Energy) {
        let (imported, exported) = energy.millijoules();
        write(&self.counted, (imported, exported));
    }

    #[must_use]
    pub fn counted(&self) -> (u64, u64) {
        read(&self.counted)
    }

    /// These are on the disk.
    pub fn keep(&self, millijoules: (u64, u64)) {
        write(&self.kept, millijoules);
    }

    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        read(&self.kept)
    }

    /// As readings tell it.
    #[must_use]
    pub fn told(&self) -> Energy {
        let (imported, exported) = self.kept();
        Energy::resumed(imported, exported)
    }
}

// Import and export are read one after the other: either may be an interval newer, neither is ever wrong.
fn read(pair: &[AtomicU64; 2]) -> (u64, u64) {
    (pair[0].load(Ordering::Acquire), pair[1].load(Ordering::Acquire))
}

fn write(pair: &[AtomicU64; 2], (imported, exported): (u64, u64)) {
    pair[0].store(imported, Ordering::Release);
    pair[1].store(exported, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_is_told_once_it_is_kept() {
        let register = EnergyRegister::resumed(3_600_000, 0);
        register.count(&Energy::resumed(7_200_000, 3_600_000));
        assert_eq!((register.told().imported().0, register.told().exported().0), (1, 0));
        register.keep(register.counted());
        assert_eq!((register.told().imported().0, register.told().exported().0), (2, 1));
    }
}
