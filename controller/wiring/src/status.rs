//! The picture that the loop publishes: what page, broker and history read. Nobody asks the loop.

use crate::event::Alert;
use crate::inputs::Level;
use crate::outputs::Drive;
use crate::settings::OutputRule;
use dlb_engine::allocation::Reason;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, WattHours, Watts};
use dlb_links::charger::{Identity, OutletState};

/// The whole site at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub at: Instant,
    pub wall: Option<WallTime>,
    pub name: String,
    pub strategy: Strategy,
    /// Balancing by measurement, or on static limits because a meter is lost.
    pub mode: Mode,
    pub circuits: Vec<CircuitStatus>,
    pub meters: Vec<MeterStatus>,
    pub chargers: Vec<ChargerStatus>,
    pub inputs: Vec<InputStatus>,
    pub outputs: Vec<OutputStatus>,
    /// Connected, not configured, waiting for a click.
    pub waiting: Vec<WaitingCharger>,
    /// Troubles that are not over.
    pub alerts: Vec<Alert>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Dynamic,
    Static,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CircuitStatus {
    pub id: String,
    pub parent: Option<String>,
    pub limit: PerLine<Milliamps>,
    /// The lower limit that somebody set for a while, and when it ends.
    pub lowered: Option<(PerLine<Milliamps>, Instant)>,
    /// What a meter shows in this circuit.
    pub measured: Option<PerLine<Milliamps>>,
    /// Upper bound of the load that is not ours.
    pub other_load: PerLine<Milliamps>,
    /// The most that may flow by all limits possibly in force.
    pub worst_case: PerLine<Milliamps>,
    pub guard: GuardStatus,
}

/// How the guard sees a circuit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuardStatus {
    /// Since when a line is above its limit.
    pub over_since: Option<(Line, Instant)>,
    /// The share of the protective device's time that is spent: at 1 the first one would trip.
    pub spent: f64,
    /// By when chargers must be off, by a relay if they do not obey.
    pub cut_off_by: Option<Instant>,
    /// What chargers must leave free on each line; zero where nothing is held.
    pub held: PerLine<Milliamps>,
    /// Locked out by the timers of a utility's rule, until it is reset.
    pub locked_out: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MeterStatus {
    pub id: String,
    pub circuit: String,
    pub reading: Result<Reading, NoReading>,
}

/// A contact of the box.
#[derive(Clone, Debug, PartialEq)]
pub struct InputStatus {
    pub id: String,
    pub circuit: String,
    /// What it asks for, in words.
    pub asks: String,
    /// `None`: it has said nothing yet.
    pub said: Option<Level>,
    pub in_force: bool,
    /// When its limit came or ended.
    pub since: Instant,
    /// When all that may flow had come down to its limit.
    pub met: Option<Instant>,
}

/// A relay or lamp of the box.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputStatus {
    pub id: String,
    pub rule: OutputRule,
    pub drive: Drive,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChargerStatus {
    pub id: String,
    pub circuit: String,
    pub online: bool,
    /// It takes orders of [`Service`](crate::event::Service): OCPP.
    pub serviceable: bool,
    pub identity: Identity,
    pub state: OutletState,
    /// The limit that was last sent.
    pub limit: Option<Milliamps>,
    /// Its effect has been seen.
    pub confirmed: bool,
    pub reason: Reason,
    /// What it draws on the site's lines.
    pub drawn: Option<PerLine<Milliamps>>,
    pub power: Option<Watts>,
    pub session: Option<SessionStatus>,
    pub max: Milliamps,
    pub fallback: Milliamps,
    pub fallback_armed: bool,
    /// How long until a limit has its effect there.
    pub settle: Duration,
    /// That was seen on this site; otherwise it is what is said of its model.
    pub settle_learnt: bool,
    /// Held at no more than this by an order; zero: paused.
    pub held: Option<Milliamps>,
    /// The driver's wish.
    pub departs: Option<WallTime>,
    pub energy_needed: Option<WattHours>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionStatus {
    pub session: u64,
    pub tag: String,
    pub started: Option<WallTime>,
    pub energy: Option<WattHours>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WaitingCharger {
    /// What it called itself in its URL.
    pub name: String,
    pub outlets: u8,
    pub identity: Identity,
    pub since: Instant,
}
