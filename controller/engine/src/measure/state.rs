//! What an interval has seen, and what that makes of it.

use crate::reading::{Doubt, Quality};

/// Bridged samples of an interval, as a share, above which it is not to be used.
const BRIDGED_SHARE_MAX: f64 = 0.01;

/// What has been seen since the interval began.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) halves: u32,
    pub(super) locked: bool,
    pub(super) bridged: u32,
    pub(super) clipped: bool,
    pub(super) clipped_halves: [bool; 2],
    pub(super) changed: bool,
    /// Half cycles since an interval was given out, restarts included.
    pub(super) waited: u32,
}

impl State {
    pub(super) const fn new() -> Self {
        Self {
            halves: 0,
            locked: true,
            bridged: 0,
            clipped: false,
            clipped_halves: [false; 2],
            changed: false,
            waited: 0,
        }
    }

    /// `length`: of the interval, in samples.
    pub(super) fn quality(&self, without_voltage: bool, length: f64) -> Quality {
        if f64::from(self.bridged) > BRIDGED_SHARE_MAX * length {
            Quality::Bad(Doubt::Gaps)
        } else if self.clipped {
            Quality::Bad(Doubt::Saturated)
        } else if !self.changed {
            Quality::Bad(Doubt::Frozen)
        } else if without_voltage {
            Quality::Doubtful(Doubt::NoVoltage)
        } else if self.bridged > 0 {
            Quality::Doubtful(Doubt::Gaps)
        } else {
            Quality::Good
        }
    }
}
