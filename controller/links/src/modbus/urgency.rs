//! Who goes first on a port.

use dlb_engine::time::{Duration, Instant};

/// Nobody waits longer than this behind others of a better class.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A watchdog is about to run out.
    Starving,
    Lower,
    KeepAlive,
    /// Something less urgent that has waited too long.
    Waited,
    Commission,
    Raise,
    MeterPoll,
    ChargerPoll,
    /// Looking for a device that does not answer.
    Absent,
}

/// Something that a device would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer<T> {
    pub(super) urgency: Urgency,
    pub(super) due: Instant,
    pub(super) task: T,
}

impl<T> Offer<T> {
    pub(super) fn urgency_at(&self, now: Instant) -> Urgency {
        let waited = now.since(self.due);
        match self.urgency {
            Urgency::KeepAlive if waited >= Duration::from_secs(1) => Urgency::Starving,
            urgency if urgency > Urgency::Waited && waited >= PATIENCE => Urgency::Waited,
            urgency => urgency,
        }
    }
}
