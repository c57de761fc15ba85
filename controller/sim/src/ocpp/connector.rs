//! One connector: its outlet, its transaction, the state that it reports.

use crate::outlet::Outlet;
use dlb_engine::time::Instant;

/// `ChargePointStatus`, as far as this charge point knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Available,
    Preparing,
    Charging,
    SuspendedEv,
    SuspendedEvse,
    Finishing,
    Unavailable,
}

impl Status {
    /// As OCPP spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Preparing => "Preparing",
            Self::Charging => "Charging",
            Self::SuspendedEv => "SuspendedEV",
            Self::SuspendedEvse => "SuspendedEVSE",
            Self::Finishing => "Finishing",
            Self::Unavailable => "Unavailable",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) local: u64,
    /// The central system's number, once it has answered.
    pub(super) number: Option<i64>,
    pub(super) tag: String,
    pub(super) since: Instant,
    pub(super) next_sample: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) outlet: Outlet,
    pub(super) transaction: Option<Transaction>,
    /// Somebody may charge once a car is there: the tag, and until when that holds.
    pub(super) admitted: Option<(String, Instant)>,
    /// The last transaction ended while this car stayed.
    pub(super) finished: bool,
    pub(super) operative: bool,
    pub(super) told: Option<Status>,
}

impl Connector {
    pub(super) const fn new(outlet: Outlet) -> Self {
        Self { outlet, transaction: None, admitted: None, finished: false, operative: true, told: None }
    }

    pub(super) fn status(&self, now: Instant) -> Status {
        let plugged = self.outlet.car().is_some();
        match (&self.transaction, plugged) {
            _ if !self.operative => Status::Unavailable,
            (None, true) if self.finished => Status::Finishing,
            (None, true) => Status::Preparing,
            (None, false) if self.admitted.is_some() => Status::Preparing,
            (None, false) => Status::Available,
            (Some(_), _) => self.charging_status(now),
        }
    }

    fn charging_status(&self, now: Instant) -> Status {
        let full = self.outlet.car().is_some_and(crate::car::Car::is_full);
        if self.outlet.drawing() {
            Status::Charging
        } else if self.outlet.offered() <= 0.0 {
            Status::SuspendedEvse
        } else if full || self.outlet.car_holds_back(now) {
            Status::SuspendedEv
        } else {
            // The car is about to begin.
            Status::Charging
        }
    }
}
