//! The one door: what happens on a site, and what dlb does about it.

use crate::inputs::Level;
use crate::outputs::Drive;
use crate::settings::{PortIx, Settings};
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, WattHours};
use dlb_links::modbus;

/// One WebSocket of a charger; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A deadline passed.
    Tick,
    /// The wall clock became known or was set.
    WallClock(WallTime),
    /// What the clock on the wall shows, since midnight: the site's own time, summer time included.
    Daytime(Duration),
    /// From the sampling thread, or its silence.
    Clamps {
        meter: String,
        outcome: Result<Reading, NoReading>,
    },
    /// The level of a contact of the box; may be told again and again.
    Input {
        input: String,
        level: Level,
    },
    /// A single mains cycle above a limit, from the sampling thread: the largest currents since it was last
    /// listened to. Readings go on coming beside it.
    Breach {
        meter: String,
        current: PerLine<Option<Milliamps>>,
    },
    /// The answer to the [`Effect::Modbus`] of this number.
    ModbusAnswer {
        exchange: u64,
        answer: Result<Vec<u16>, modbus::Fault>,
    },
    OcppOpened {
        connection: ConnectionId,
        identity: String,
    },
    OcppFrame {
        connection: ConnectionId,
        text: String,
    },
    OcppClosed {
        connection: ConnectionId,
    },
    /// Somebody asks for something: a person on the page, a broker, an input.
    Order(Order),
    /// A new configuration, already checked. What is running and still configured goes on.
    Configured(Box<Settings>),
    /// Something is wrong, or well again, in a part of the program that the controller does not see.
    Trouble(Alert),
    /// The program is about to end: put chargers on safe limits.
    Stopping,
}

/// Something that people or other systems may ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Strategy(Strategy),
    /// A lower limit for the whole site; ends by itself. `None` takes it back.
    SiteLimit {
        limit: Option<PerLine<Milliamps>>,
        lasts: Duration,
    },
    /// Hold a charger at no more than this; `None` takes it back, zero pauses it.
    ChargerLimit {
        charger: String,
        limit: Option<Milliamps>,
    },
    /// A driver's wish.
    Departure {
        charger: String,
        at: Option<WallTime>,
        energy: Option<WattHours>,
    },
    /// Close a contactor again that a relay of the box has opened.
    CloseContactor {
        output: String,
    },
    /// End a lockout by the timers of a utility's rule.
    ResetLockout {
        circuit: String,
    },
    /// Forget a charger that waits to be adopted.
    Dismiss {
        identity: String,
    },
    /// Something that a technician asks of a charger; its answer becomes an event.
    Service {
        charger: String,
        service: Service,
    },
}

/// What can be asked of an OCPP charger beside its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Reset. Hard: at once; otherwise it ends its transactions first.
    Restart { hard: bool },
    /// UnlockConnector: frees a plug that is stuck; ends the transaction.
    Unlock,
    /// ChangeAvailability: out of service it takes no car.
    InService(bool),
    /// ClearCache: forgets which cards it has let in.
    ClearCache,
    /// GetCompositeSchedule: which limits it believes to be in force.
    Schedule,
    /// DataTransfer: what only its manufacturer knows.
    Vendor { vendor: String, message: Option<String>, data: Option<String> },
}

/// Something to be done by the program, without a choice left in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    OcppSend {
        connection: ConnectionId,
        text: String,
    },
    OcppClose {
        connection: ConnectionId,
        why: String,
    },
    /// One request; it must be answered, once, by an [`Event::ModbusAnswer`] of the same number.
    Modbus {
        port: PortIx,
        exchange: u64,
        request: modbus::Request,
    },
    /// To be written down for good before anything else is told about it.
    Record(Record),
    /// An unknown charger joins by the set rule: write it into the configuration.
    Adopt {
        identity: String,
        outlets: u8,
        circuit: String,
    },
    /// What a relay or lamp of the box is to do from now on.
    Drive {
        output: String,
        drive: Drive,
    },
    /// The picture changed; see [`crate::status::Status`].
    Publish,
}

/// What is kept for good.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    SessionStarted {
        charger: String,
        session: u64,
        tag: String,
        at: Option<WallTime>,
        register: Option<WattHours>,
    },
    SessionEnded {
        charger: String,
        session: u64,
        at: Option<WallTime>,
        energy: Option<WattHours>,
        why: String,
    },
    /// What was learnt of a charger, a model or a meter, as an opaque text that is read back after a restart.
    Learnt {
        identity: String,
        memory: String,
    },
    /// What the guard of a circuit must know after a restart, as an opaque text that it can read back.
    Guarded {
        circuit: String,
        memory: String,
    },
    Alert(Alert),
}

/// Something that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub at: Instant,
    pub severity: Severity,
    /// What it is about: a charger, a meter, a circuit or `site`.
    pub about: String,
    /// Stable, for programs: `meter-lost`, `charger-disobeys`, …
    pub code: &'static str,
    /// What happened and what to do, in one or two sentences.
    pub text: String,
    /// The trouble is over.
    pub cleared: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Alarm,
}
