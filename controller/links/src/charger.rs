//! The words that every kind of charger link shares, whatever it speaks on the wire.
//!
//! A link reports in [`Notice`]s and is told one thing: the limit of an outlet. Currents are in the
//! charger's own phase order; which of the site's lines they are is the engine's business.

use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, WattHours, Watts};

/// Number of an outlet as OCPP 1.6 counts them: 1 is the first, 0 would be the whole station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outlet(pub u8);

/// Who the charger says it is; what quirks are looked up by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub firmware: String,
}

/// State of an outlet, in the words of OCPP 1.6 `ChargePointStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutletState {
    /// Nothing was heard yet.
    #[default]
    Unknown,
    Available,
    Preparing,
    Charging,
    SuspendedEv,
    SuspendedEvse,
    Finishing,
    Reserved,
    Unavailable,
    Faulted,
}

impl OutletState {
    /// Is a car plugged in?
    #[must_use]
    pub const fn occupied(self) -> bool {
        matches!(
            self,
            Self::Preparing | Self::Charging | Self::SuspendedEv | Self::SuspendedEvse | Self::Finishing
        )
    }
}

/// A measurement taken by the charger itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// When it was taken, as well as that is known: its arrival, unless the charger's own time can be trusted.
    pub at: Instant,
    /// Per phase of the charger. `None`: not told.
    pub current: [Option<Milliamps>; 3],
    pub power: Option<Watts>,
}

/// Something that a link learnt about one outlet.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The link is up and the charger has answered.
    Online,
    /// The link is down, or the charger has been silent for too long.
    Offline {
        why: String,
    },
    Identified(Identity),
    State(OutletState),
    Drawn(Drawn),
    /// Energy register of the outlet's meter.
    Register(WattHours),
    /// A transaction began, or was found running after a restart of either side.
    SessionStarted {
        transaction: i64,
        tag: String,
        register: Option<WattHours>,
        at: Option<WallTime>,
    },
    SessionStopped {
        transaction: i64,
        register: Option<WattHours>,
        at: Option<WallTime>,
        why: String,
    },
    /// The charger has taken this limit. That it has an effect is for the meter to show.
    LimitAccepted(Milliamps),
    LimitRefused {
        limit: Milliamps,
        why: String,
    },
    /// The charger will fall back to this current by itself after so much silence.
    FallbackArmed {
        current: Milliamps,
        after: Duration,
    },
    /// The charger cannot be made to fall back; its rating counts when it is out of reach.
    FallbackMissing {
        why: String,
    },
    /// The number of phases in use, where the charger tells.
    CarPhases(u8),
    /// The charger's own clock has been wrong for minutes: so many seconds behind, or ahead where negative.
    /// `None`: it is right again.
    Clock {
        behind_s: Option<i64>,
    },
    /// Something that a person should know, in one sentence that says what to do.
    Trouble(String),
}

/// How a lowered limit is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The charger meters each phase: its current must fall to the limit.
    Metered,
    /// The charger meters nothing: its word counts once `settle` has passed.
    Word,
}

/// What a charger of this make can do; from the quirk and map files, refined by probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Limits are rounded down to multiples of this before they are sent.
    pub step: Milliamps,
    /// How long until a limit has its effect, at the 95th percentile.
    pub settle: Duration,
    pub confirmation: Confirmation,
    /// On how many phases a limit is meant that a car of which nothing is known yet could draw on one: 1 where
    /// limits are amperes, or the car was seen to charge.
    pub spread: u8,
    /// Can it be held at 0 A without losing the car? If not, a pause is not offered to it.
    pub pauses: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            step: Milliamps(1000),
            settle: Duration::from_secs(10),
            confirmation: Confirmation::Metered,
            spread: 1,
            pauses: true,
        }
    }
}
