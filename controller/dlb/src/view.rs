//! What page, broker and API clients see of a [`Status`]: SI units, names instead of indexes, a
//! sentence for every reason. The shape of `GET /api/v1/site` and of every live update.

use crate::adoption::{ProposalView, likely_circuit};
use dlb_engine::allocation::Reason;
use dlb_engine::guard::Rule;
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{NoReading, Quality, Reading};
use dlb_engine::site::CircuitIx;
use dlb_engine::snapshot::{Reservation, Strategy};
use dlb_engine::time::Instant;
use dlb_engine::units::Milliamps;
use dlb_links::charger::OutletState;
use dlb_wiring::event::{Alert, Severity};
use dlb_wiring::inputs::Level;
use dlb_wiring::outputs::Drive;
use dlb_wiring::settings::OutputRule;
use dlb_wiring::status::{
    ChargerStatus, CircuitStatus, GuardStatus, InputStatus, MeterStatus, Mode, OutputStatus, Status,
    WaitingCharger,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Amperes on L1, L2, L3: always three. (Fields spell it out: the API description names types by their path.)
pub type Amps = Vec<f64>;

/// The site at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SiteView {
    /// Milliseconds since 1970, or null while the clock is unknown.
    pub time_ms: Option<i64>,
    pub name: String,
    /// `equal`, `first-come`, `priority` or `departure`.
    pub strategy: &'static str,
    /// `dynamic`: by measurement. `static`: a meter is lost.
    pub mode: &'static str,
    pub circuits: Vec<CircuitView>,
    pub meters: Vec<MeterView>,
    pub chargers: Vec<ChargerView>,
    pub inputs: Vec<InputView>,
    pub outputs: Vec<OutputView>,
    pub waiting: Vec<WaitingView>,
    pub alerts: Vec<AlertView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CircuitView {
    pub id: String,
    pub parent: Option<String>,
    pub limit_a: Vec<f64>,
    /// A lower limit that somebody set, with the seconds that it still lasts.
    pub lowered: Option<LoweredView>,
    pub measured_a: Option<Vec<f64>>,
    pub other_load_a: Vec<f64>,
    /// The most that may flow by all limits possibly in force.
    pub worst_case_a: Vec<f64>,
    pub guard: GuardView,
}

/// How the guard sees a circuit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct GuardView {
    /// The line that has been above its limit for longest, and for how long; null: none is.
    pub over_line: Option<&'static str>,
    pub over_s: Option<f64>,
    /// The share of the protective device's time that is spent: at 1 the first one would trip.
    pub spent: f64,
    /// In so many seconds chargers must be off, by a relay if they do not obey; null: nothing is on its way.
    pub off_in_s: Option<f64>,
    /// What chargers must leave free on each line; zero: nothing is held back.
    pub held_a: Vec<f64>,
    /// Locked out by the timers of a utility's rule, until it is reset.
    pub locked_out: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LoweredView {
    pub limit_a: Vec<f64>,
    pub lasts_s: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MeterView {
    pub id: String,
    pub circuit: String,
    /// `good`, `doubtful`, `bad` or `missing`.
    pub quality: &'static str,
    pub age_s: Option<f64>,
    pub current_a: Vec<Option<f64>>,
    pub voltage_v: Vec<Option<f64>>,
    pub power_w: Option<i64>,
    /// Energy registers; neither ever runs backwards. Null where the meter has none.
    pub imported_wh: Option<i64>,
    pub exported_wh: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChargerView {
    pub id: String,
    pub circuit: String,
    pub online: bool,
    /// It can be restarted, unlocked and taken out of service from here (OCPP).
    pub serviceable: bool,
    pub vendor: String,
    pub model: String,
    pub firmware: String,
    /// OCPP 1.6 `ChargePointStatus`, or `Unknown`.
    pub state: &'static str,
    /// The limit that was last sent; null before the first one.
    pub limit_a: Option<f64>,
    /// The charger has been seen to follow the limit.
    pub confirmed: bool,
    /// For people, in English; code, circuit and line let a page say it in another language.
    pub reason: String,
    pub reason_code: &'static str,
    pub reason_circuit: Option<String>,
    pub reason_line: Option<&'static str>,
    /// The contact of the box behind it.
    pub reason_input: Option<String>,
    /// On the site's lines; null if unknown.
    pub drawn_a: Option<Vec<f64>>,
    pub power_w: Option<i64>,
    pub session: Option<SessionView>,
    pub max_a: f64,
    pub fallback_a: f64,
    pub fallback_armed: bool,
    /// How long until a limit has its effect there.
    pub settle_s: f64,
    /// That was seen of chargers of its model; false: it is what is said of them.
    pub settle_learnt: bool,
    /// Somebody holds it at no more than this; zero: paused by hand.
    pub held_a: Option<f64>,
    /// The driver's wish, in milliseconds since 1970.
    pub departs_ms: Option<i64>,
    pub energy_needed_kwh: Option<f64>,
}

/// A relay or lamp of the box.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OutputView {
    pub id: String,
    /// `shed`, `trip` or `lamp`.
    pub does: &'static str,
    /// `off`, `on`, `slow-blink` or `fast-blink`.
    pub state: &'static str,
}

/// A contact of the box.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InputView {
    pub id: String,
    pub circuit: String,
    /// What it asks for: "the chargers of grid may draw 7.56 kW".
    pub asks: String,
    /// `active`, `inactive`, `lost`, or `unknown` until it has been read.
    pub level: &'static str,
    /// Its limit is in force.
    pub in_force: bool,
    /// Since its limit came or ended.
    pub since_s: u64,
    /// How long it took until all that may flow had come down to the limit.
    pub met_after_s: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionView {
    pub session: u64,
    pub tag: String,
    pub started_ms: Option<i64>,
    pub energy_wh: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WaitingView {
    pub name: String,
    pub outlets: u8,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    /// What is assumed of it where the order to adopt it says nothing else.
    pub proposal: ProposalView,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AlertView {
    /// `note`, `warning` or `alarm`.
    pub severity: &'static str,
    pub about: String,
    pub code: &'static str,
    pub text: String,
    pub age_s: u64,
}

impl SiteView {
    #[must_use]
    pub fn new(status: &Status) -> Self {
        let name = |ix: CircuitIx| status.circuits.get(ix.0).map_or("?", |circuit| circuit.id.as_str());
        let circuits: Vec<_> =
            status.circuits.iter().map(|circuit| circuit_view(circuit, status.at)).collect();
        let chargers: Vec<_> =
            status.chargers.iter().map(|charger| charger_view(charger, &name, &status.inputs)).collect();
        let waiting =
            status.waiting.iter().map(|waiting| waiting_view(waiting, &circuits, &chargers)).collect();
        Self {
            time_ms: status.wall.map(|wall| wall.0),
            name: status.name.clone(),
            strategy: strategy_name(status.strategy),
            mode: match status.mode {
                Mode::Dynamic => "dynamic",
                Mode::Static => "static",
            },
            circuits,
            meters: status.meters.iter().map(|meter| meter_view(meter, status.at)).collect(),
            chargers,
            inputs: status.inputs.iter().map(|input| input_view(input, status.at)).collect(),
            outputs: status.outputs.iter().map(output_view).collect(),
            waiting,
            alerts: status.alerts.iter().map(|alert| alert_view(alert, status.at)).collect(),
        }
    }
}

#[must_use]
pub const fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Equal => "equal",
        Strategy::FirstCome => "first-come",
        Strategy::Priority => "priority",
        Strategy::Departure => "departure",
    }
}

/// A short sentence for people and a stable word for programs.
pub fn explain<'a>(reason: Reason, circuit: &impl Fn(CircuitIx) -> &'a str) -> (String, &'static str) {
    match reason {
        Reason::NoCar => ("no car".into(), "no-car"),
        Reason::Undecided => ("goes on as before until all chargers are heard".into(), "undecided"),
        Reason::WantsNoMore => ("wants no more".into(), "wants-no-more"),
        Reason::TakesNothing => {
            ("the car takes nothing, and is asked again now and then".into(), "takes-nothing")
        }
        Reason::ChargerMaximum => ("charger's own maximum".into(), "charger-maximum"),
        Reason::LineFull { circuit: at, line } => {
            (format!("{} of {} is full", line.name(), circuit(at)), "line-full")
        }
        Reason::PowerFull { circuit: at } => {
            (format!("power limit of {} reached", circuit(at)), "power-full")
        }
        Reason::NeutralFull { circuit: at } => {
            (format!("neutral of {} is full", circuit(at)), "neutral-full")
        }
        Reason::KeptForArrival { circuit: at, line } => {
            let rest =
                format!("the rest of {} of {} is kept for a car that may come", line.name(), circuit(at));
            (rest, "kept-for-arrival")
        }
        Reason::Unbalanced { circuit: at, line } => {
            (format!("{} of {} would be too far above the others", line.name(), circuit(at)), "unbalanced")
        }
        Reason::WaitsForTurn { circuit: at, line } => {
            (format!("waits for its turn on {} of {}", line.name(), circuit(at)), "waits-for-turn")
        }
        Reason::Rests => ("rests after being switched off".into(), "rests"),
        Reason::NothingLeft { circuit: at, line } => {
            (format!("nothing left on {} of {}", line.name(), circuit(at)), "nothing-left")
        }
        Reason::LimitedByInput { circuit: at, .. } => {
            (format!("a contact limits {}", circuit(at)), "limited-by-input")
        }
        Reason::Guarded { circuit: at, line, rule } => {
            let (line, at) = (line.name(), circuit(at));
            match rule {
                Rule::Breach => (format!("{line} of {at} was overloaded, given back in steps"), "overload"),
                Rule::Outlasts => (format!("{line} of {at} stayed overloaded"), "overload-outlasts"),
                Rule::DeviceTime => {
                    (format!("{line} of {at}: its protective device is close to tripping"), "overload-device")
                }
                Rule::Lockout => (format!("{at} is locked out until it is reset"), "lockout"),
            }
        }
        Reason::HeldByOrder => ("held by order".into(), "held-by-order"),
        Reason::FollowsSun => ("follows the sun".into(), "follows-sun"),
        Reason::Reserved(why) => match why {
            Reservation::OutOfReach => ("out of reach, worst case set aside".into(), "out-of-reach"),
            Reservation::Disobeys => ("draws more than allowed, set aside".into(), "disobeys"),
            Reservation::Uncontrollable => ("cannot be limited, rating set aside".into(), "uncontrollable"),
        },
    }
}

/// The circuit and the line that a reason speaks of.
fn place_of(reason: Reason) -> (Option<CircuitIx>, Option<&'static str>) {
    match reason {
        Reason::LineFull { circuit, line }
        | Reason::Unbalanced { circuit, line }
        | Reason::KeptForArrival { circuit, line }
        | Reason::WaitsForTurn { circuit, line }
        | Reason::NothingLeft { circuit, line }
        | Reason::Guarded { circuit, line, .. } => (Some(circuit), Some(line.name())),
        Reason::PowerFull { circuit }
        | Reason::NeutralFull { circuit }
        | Reason::LimitedByInput { circuit, .. } => (Some(circuit), None),
        Reason::NoCar
        | Reason::Undecided
        | Reason::WantsNoMore
        | Reason::TakesNothing
        | Reason::ChargerMaximum
        | Reason::Rests
        | Reason::HeldByOrder
        | Reason::FollowsSun
        | Reason::Reserved(_) => (None, None),
    }
}

/// OCPP 1.6 name of an outlet's state.
#[must_use]
pub const fn state_name(state: OutletState) -> &'static str {
    match state {
        OutletState::Unknown => "Unknown",
        OutletState::Available => "Available",
        OutletState::Preparing => "Preparing",
        OutletState::Charging => "Charging",
        OutletState::SuspendedEv => "SuspendedEV",
        OutletState::SuspendedEvse => "SuspendedEVSE",
        OutletState::Finishing => "Finishing",
        OutletState::Reserved => "Reserved",
        OutletState::Unavailable => "Unavailable",
        OutletState::Faulted => "Faulted",
    }
}

fn amps(values: PerLine<Milliamps>) -> Amps {
    values.map(Milliamps::as_amps).0.to_vec()
}

fn circuit_view(circuit: &CircuitStatus, now: Instant) -> CircuitView {
    CircuitView {
        id: circuit.id.clone(),
        parent: circuit.parent.clone(),
        limit_a: amps(circuit.limit),
        lowered: circuit
            .lowered
            .map(|(limit, until)| LoweredView { limit_a: amps(limit), lasts_s: until.since(now).as_secs() }),
        measured_a: circuit.measured.map(amps),
        other_load_a: amps(circuit.other_load),
        worst_case_a: amps(circuit.worst_case),
        guard: guard_view(&circuit.guard, now),
    }
}

fn guard_view(guard: &GuardStatus, now: Instant) -> GuardView {
    GuardView {
        over_line: guard.over_since.map(|(line, _)| line.name()),
        over_s: guard.over_since.map(|(_, since)| now.since(since).as_secs_f64()),
        spent: guard.spent,
        off_in_s: guard.cut_off_by.map(|by| by.since(now).as_secs_f64()),
        held_a: amps(guard.held),
        locked_out: guard.locked_out,
    }
}

fn meter_view(meter: &MeterStatus, now: Instant) -> MeterView {
    let quality = match &meter.reading {
        Ok(reading) => match reading.quality {
            Quality::Good => "good",
            Quality::Doubtful(_) => "doubtful",
            Quality::Bad(_) => "bad",
        },
        Err(NoReading::NotYet | NoReading::Timeout | NoReading::Disconnected) => "missing",
        Err(NoReading::Garbled | NoReading::Refused) => "bad",
    };
    let reading = meter.reading.unwrap_or(Reading::empty(now));
    MeterView {
        id: meter.id.clone(),
        circuit: meter.circuit.clone(),
        quality,
        age_s: meter.reading.ok().map(|reading| now.since(reading.at).as_secs_f64()),
        current_a: reading.current.map(|value| value.map(Milliamps::as_amps)).0.to_vec(),
        voltage_v: reading.voltage.map(|value| value.map(dlb_engine::units::Millivolts::as_volts)).0.to_vec(),
        power_w: reading.power_total.map(|watts| watts.0),
        imported_wh: reading.imported.map(|energy| energy.0),
        exported_wh: reading.exported.map(|energy| energy.0),
    }
}

fn output_view(output: &OutputStatus) -> OutputView {
    OutputView {
        id: output.id.clone(),
        does: match output.rule {
            OutputRule::Shed(_) => "shed",
            OutputRule::Trip(_) => "trip",
            OutputRule::Lamp => "lamp",
        },
        state: match output.drive {
            Drive::Off => "off",
            Drive::On => "on",
            Drive::SlowBlink => "slow-blink",
            Drive::FastBlink => "fast-blink",
        },
    }
}

fn input_view(input: &InputStatus, now: Instant) -> InputView {
    InputView {
        id: input.id.clone(),
        circuit: input.circuit.clone(),
        asks: input.asks.clone(),
        level: match input.said {
            Some(Level::Active) => "active",
            Some(Level::Inactive) => "inactive",
            Some(Level::Lost) => "lost",
            None => "unknown",
        },
        in_force: input.in_force,
        since_s: now.since(input.since).as_secs(),
        met_after_s: input.met.map(|met| met.since(input.since).as_secs_f64()),
    }
}

fn charger_view<'a>(
    charger: &ChargerStatus,
    circuit: &impl Fn(CircuitIx) -> &'a str,
    inputs: &[InputStatus],
) -> ChargerView {
    let (mut reason, reason_code) = explain(charger.reason, circuit);
    let input = match charger.reason {
        Reason::LimitedByInput { input, .. } => inputs.get(input.0),
        _ => None,
    };
    if let Some(input) = input {
        reason = format!("contact {}: {}", input.id, input.asks);
    }
    let (reason_circuit, reason_line) = place_of(charger.reason);
    ChargerView {
        id: charger.id.clone(),
        circuit: charger.circuit.clone(),
        online: charger.online,
        serviceable: charger.serviceable,
        vendor: charger.identity.vendor.clone(),
        model: charger.identity.model.clone(),
        firmware: charger.identity.firmware.clone(),
        state: state_name(charger.state),
        limit_a: charger.limit.map(Milliamps::as_amps),
        confirmed: charger.confirmed,
        reason,
        reason_code,
        reason_circuit: reason_circuit.map(|ix| circuit(ix).to_owned()),
        reason_line,
        reason_input: input.map(|input| input.id.clone()),
        drawn_a: charger.drawn.map(amps),
        power_w: charger.power.map(|watts| watts.0),
        session: charger.session.as_ref().map(|session| SessionView {
            session: session.session,
            tag: session.tag.clone(),
            started_ms: session.started.map(|wall| wall.0),
            energy_wh: session.energy.map(|energy| energy.0),
        }),
        max_a: charger.max.as_amps(),
        fallback_a: charger.fallback.as_amps(),
        fallback_armed: charger.fallback_armed,
        settle_s: charger.settle.as_secs_f64(),
        settle_learnt: charger.settle_learnt,
        held_a: charger.held.map(Milliamps::as_amps),
        departs_ms: charger.departs.map(|wall| wall.0),
        energy_needed_kwh: charger.energy_needed.map(|energy| energy.0 as f64 / 1000.0),
    }
}

fn waiting_view(waiting: &WaitingCharger, circuits: &[CircuitView], chargers: &[ChargerView]) -> WaitingView {
    let taken: Vec<&str> = chargers.iter().map(|charger| charger.id.as_str()).collect();
    let circuit = likely_circuit(circuits, chargers);
    WaitingView {
        proposal: ProposalView::new(&waiting.name, waiting.outlets, circuit, &taken),
        name: waiting.name.clone(),
        outlets: waiting.outlets,
        vendor: waiting.identity.vendor.clone(),
        model: waiting.identity.model.clone(),
        serial: waiting.identity.serial.clone(),
    }
}

fn alert_view(alert: &Alert, now: Instant) -> AlertView {
    AlertView {
        severity: match alert.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Alarm => "alarm",
        },
        about: alert.about.clone(),
        code: alert.code,
        text: alert.text.clone(),
        age_s: now.since(alert.at).as_secs(),
    }
}
