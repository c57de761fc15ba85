//! Setting a charger up: what it is asked after a boot, a reconnect, an adoption. One step at a time,
//! with pauses, because some chargers do not bear a burst; nothing in here may delay a limit.

use super::{Errand, Session};
use crate::charger::{Identity, Notice, Outlet, OutletState};
use crate::ocpp16::call::{Call, Trigger};
use crate::ocpp16::desk::Armed;
use crate::ocpp16::fields::Fields;
use crate::ocpp16::profile::RateUnit;
use crate::ocpp16::session::serving::HEARTBEAT;
use dlb_engine::time::{Duration, Instant};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};

/// How long a charger may take to introduce itself before we begin.
const BOOT_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_OF_TRIGGERS: Duration = Duration::from_secs(2);
const PAUSE_OF_MEASURANDS: Duration = Duration::from_secs(10);
/// A charger that boots again so soon is in a loop: it gets its fallback and nothing else.
const BOOT_LOOP: Duration = Duration::from_secs(60);
const PING: Duration = Duration::from_secs(30);

/// Configuration keys that matter here.
const KEYS: [&str; 12] = [
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "HeartbeatInterval",
    "MaxChargingProfilesInstalled",
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength",
    "NumberOfConnectors",
    "SupportedFeatureProfiles",
    "WebSocketPingInterval",
];

/// Lists of measurands, the longest first; a charger gets the first that it takes.
pub(super) const MEASURANDS: [&str; 5] = [
    "Current.Import,Energy.Active.Import.Register,Power.Active.Import,Voltage",
    "Current.Import,Energy.Active.Import.Register,Power.Active.Import",
    "Current.Import,Energy.Active.Import.Register",
    "Energy.Active.Import.Register,Power.Active.Import",
    "Energy.Active.Import.Register",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Boot,
    Status(Outlet),
    Values(Outlet),
    /// All keys, or those of [`KEYS`].
    Configuration {
        all: bool,
    },
    Clear,
    Heartbeat,
    SampleInterval,
    PingInterval,
    Measurands(Option<usize>),
}

#[derive(Debug, Default)]
pub(super) struct Setup {
    steps: VecDeque<Step>,
    next_at: Instant,
    boot_until: Option<Instant>,
    booted_at: Option<Instant>,
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug)]
struct Key {
    value: String,
    readonly: bool,
}

impl Setup {
    pub(super) fn wait_for_boot(&mut self, now: Instant) {
        self.forget();
        self.boot_until = Some(now + BOOT_WITHIN);
    }

    /// The connection is gone. When it last booted stays known: a loop reconnects each time.
    pub(super) fn forget(&mut self) {
        *self = Self { booted_at: self.booted_at, ..Self::default() };
    }

    pub(super) const fn waits_for_boot(&self) -> bool {
        self.boot_until.is_some()
    }

    /// Foreign profiles go first, or the fallback would go with them.
    pub(super) fn clears_first(&self) -> bool {
        self.steps.contains(&Step::Clear)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.boot_until.or_else(|| self.steps.front().map(|_| self.next_at))
    }

    pub(super) fn boot_is_overdue(&self, now: Instant) -> bool {
        self.boot_until.is_some_and(|until| until <= now)
    }
}

impl Session {
    pub(super) fn begin_setup(&mut self, now: Instant, booted: bool) {
        let looping = booted && self.setup.booted_at.is_some_and(|at| now.since(at) < BOOT_LOOP);
        let keys = std::mem::take(&mut self.setup.keys);
        let booted_at = if booted { Some(now) } else { self.setup.booted_at };
        self.setup = Setup { next_at: now, booted_at, keys, ..Setup::default() };
        let triggers = !booted && self.takes_triggers();
        if triggers && self.identity == Identity::default() {
            self.setup.steps.push_back(Step::Boot);
        }
        if !self.settings.adopted {
            return;
        }
        for desk in self.desks.values_mut() {
            desk.armed = Armed::Wanted;
        }
        if triggers {
            self.ask_for_states();
        }
        if !self.memory.cleared {
            self.setup
                .steps
                .extend([Step::Configuration { all: self.quirk.ask_all_keys == Some(true) }, Step::Clear]);
        } else if !looping {
            self.setup.steps.push_back(Step::Configuration { all: self.quirk.ask_all_keys == Some(true) });
        }
        if !looping {
            self.setup.steps.extend([
                Step::Heartbeat,
                Step::SampleInterval,
                Step::PingInterval,
                Step::Measurands(None),
            ]);
        }
    }

    pub(super) fn takes_triggers(&self) -> bool {
        self.quirk.no_trigger != Some(true) && !self.memory.lessons.no_trigger
    }

    /// Without a boot nobody tells what the outlets are doing.
    fn ask_for_states(&mut self) {
        for outlet in self.placed() {
            let desk = &self.desks[&outlet];
            let in_doubt = desk.state == OutletState::Unknown || desk.transaction.is_some();
            self.setup.steps.push_back(Step::Status(outlet));
            if in_doubt {
                self.setup.steps.push_back(Step::Values(outlet));
            }
        }
    }

    /// The next step that needs a call; steps without one are passed over.
    pub(super) fn next_step(&mut self, now: Instant) -> Option<(Call, Errand)> {
        if self.setup.waits_for_boot() || self.setup.next_at > now {
            return None;
        }
        while let Some(step) = self.setup.steps.pop_front() {
            if let Some(call) = self.step_call(&step) {
                return Some((call, Errand::Step(step)));
            }
        }
        None
    }

    fn step_call(&self, step: &Step) -> Option<Call> {
        let trigger =
            |message, outlet: Option<Outlet>| Call::TriggerMessage { message, outlet: outlet.map(|o| o.0) };
        let named = || KEYS.iter().map(|key| (*key).to_owned()).collect();
        Some(match step {
            Step::Boot => trigger(Trigger::BootNotification, None),
            Step::Status(outlet) => trigger(Trigger::StatusNotification, Some(*outlet)),
            Step::Values(outlet) => trigger(Trigger::MeterValues, Some(*outlet)),
            Step::Configuration { all } => {
                Call::GetConfiguration { keys: if *all { Vec::new() } else { named() } }
            }
            Step::Clear => Call::ClearChargingProfile { id: None, outlet: None, purpose: None, stack: None },
            Step::Heartbeat => {
                self.change_unless("HeartbeatInterval", HEARTBEAT, |told| told <= HEARTBEAT)?
            }
            Step::SampleInterval => {
                let wanted = self.settings.meter_values_every;
                self.change_unless("MeterValueSampleInterval", wanted, |told| told == wanted)?
            }
            Step::PingInterval => self.change_unless("WebSocketPingInterval", PING, |told| {
                told > Duration::ZERO && told <= PING * 2
            })?,
            Step::Measurands(attempt) => Call::ChangeConfiguration {
                key: "MeterValuesSampledData".to_owned(),
                value: self.measurands(*attempt)?,
            },
        })
    }

    /// Sets an interval, unless the charger has said that it is fine as it is or cannot be changed.
    fn change_unless(&self, key: &str, wanted: Duration, fine: impl Fn(Duration) -> bool) -> Option<Call> {
        if let Some(known) = self.setup.keys.get(key) {
            let told = known.value.trim().parse().ok().map(Duration::from_secs);
            if known.readonly || told.is_some_and(fine) {
                return None;
            }
        }
        Some(Call::ChangeConfiguration { key: key.to_owned(), value: wanted.as_secs().max(1).to_string() })
    }

    /// The list to ask for. `None`: leave it as it is.
    fn measurands(&self, attempt: Option<usize>) -> Option<String> {
        let known = self.setup.keys.get("MeterValuesSampledData");
        if known.is_some_and(|key| key.readonly) {
            return None;
        }
        let settled = self.quirk.measurands.as_ref().or(self.memory.lessons.measurands.as_ref());
        let list = match settled {
            Some(list) if attempt.is_none() => list.as_str(),
            Some(_) => return None,
            None => self.measurands_that_fit(attempt.unwrap_or(0))?,
        };
        let the_same = known.is_some_and(|key| same_list(&key.value, list));
        (!list.is_empty() && !the_same).then(|| list.to_owned())
    }

    fn measurands_that_fit(&self, attempt: usize) -> Option<&'static str> {
        let most = self
            .setup
            .keys
            .get("MeterValuesSampledDataMaxLength")
            .and_then(|key| key.value.trim().parse().ok());
        let fits = |list: &&&str| most.is_none_or(|most: usize| list.split(',').count() <= most.max(1));
        MEASURANDS.iter().filter(fits).nth(attempt).copied()
    }

    pub(super) fn step_answered(
        &mut self,
        now: Instant,
        step: &Step,
        answer: Result<&Map<String, Value>, &str>,
    ) {
        self.setup.next_at = now + pause_after(step);
        match (step, answer) {
            (Step::Configuration { .. }, Ok(payload)) => self.learn_configuration(Fields(payload)),
            (Step::Configuration { all: false }, Err(_)) => {
                self.setup.steps.push_front(Step::Configuration { all: true })
            }
            (Step::Clear, _) => self.profiles_cleared(),
            (Step::Boot | Step::Status(_) | Step::Values(_), Err("NotImplemented" | "NotSupported")) => {
                self.memory_changed |= !std::mem::replace(&mut self.memory.lessons.no_trigger, true);
                self.setup
                    .steps
                    .retain(|step| !matches!(step, Step::Boot | Step::Status(_) | Step::Values(_)));
            }
            (Step::Measurands(attempt), answer) => {
                let status = answer.map(status);
                self.measurands_answered(now, *attempt, status);
            }
            (Step::SampleInterval, Ok(payload)) if status(payload) == "rebootrequired" => {
                let name = &self.settings.identity;
                let text =
                    format!("{name} must be restarted once before it sends measurements often enough.");
                self.notice_all(&Notice::Trouble(text));
            }
            _ => {}
        }
    }

    fn profiles_cleared(&mut self) {
        self.memory.cleared = true;
        self.memory_changed = true;
        for desk in self.desks.values_mut() {
            desk.doubt_limit();
        }
    }

    fn measurands_answered(&mut self, now: Instant, attempt: Option<usize>, status: Result<String, &str>) {
        let pinned = self.quirk.measurands.is_some();
        let asked = self.memory.lessons.measurands.is_none();
        if pinned || !asked {
            return;
        }
        let attempt = attempt.unwrap_or(0);
        let taken = matches!(status.as_deref(), Ok("accepted" | "rebootrequired"));
        let hopeless = matches!(status.as_deref(), Ok("notsupported"));
        let next = self.measurands_that_fit(attempt + 1).filter(|_| !hopeless);
        if taken {
            self.memory.lessons.measurands = self.measurands_that_fit(attempt).map(str::to_owned);
        } else if next.is_some() {
            self.setup.steps.push_front(Step::Measurands(Some(attempt + 1)));
            self.setup.next_at = now + PAUSE_OF_MEASURANDS;
            return;
        } else {
            self.memory.lessons.measurands = Some(String::new());
        }
        self.memory_changed = true;
    }

    fn learn_configuration(&mut self, payload: Fields<'_>) {
        for item in payload.list("configurationKey").ok().flatten().unwrap_or_default() {
            let (Ok(Some(name)), Ok(value)) = (item.text("key"), item.text("value")) else { continue };
            let Some(key) = KEYS.iter().find(|key| key.eq_ignore_ascii_case(&name)) else { continue };
            let readonly =
                item.text("readonly").ok().flatten().is_some_and(|text| text.eq_ignore_ascii_case("true"));
            self.setup.keys.insert((*key).to_owned(), Key { value: value.unwrap_or_default(), readonly });
        }
        let number =
            |name: &str| self.setup.keys.get(name).and_then(|key| key.value.trim().parse::<u8>().ok());
        let mut lessons = self.memory.lessons.clone();
        lessons.max_stack = number("ChargeProfileMaxStackLevel").or(lessons.max_stack);
        lessons.outlets = number("NumberOfConnectors").or(lessons.outlets);
        let units = self.setup.keys.get("ChargingScheduleAllowedChargingRateUnit");
        lessons.unit = units.and_then(|key| read_unit(&key.value)).or(lessons.unit);
        if lessons != self.memory.lessons {
            self.memory.lessons = lessons;
            self.memory_changed = true;
        }
    }
}

const fn pause_after(step: &Step) -> Duration {
    match step {
        Step::Boot | Step::Status(_) | Step::Values(_) => PAUSE_OF_TRIGGERS,
        _ => PAUSE,
    }
}

/// The `status` of an answer, in lower case; empty if there is none.
pub(super) fn status(payload: &Map<String, Value>) -> String {
    Fields(payload).text("status").ok().flatten().unwrap_or_default().to_ascii_lowercase()
}

/// `Current,Power`, `A`, `[W]` …; amperes where both are allowed.
fn read_unit(text: &str) -> Option<RateUnit> {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    if words.clone().any(|word| matches!(word, "a" | "current" | "amp" | "amps" | "ampere")) {
        return Some(RateUnit::A);
    }
    words.any(|word| matches!(word, "w" | "power" | "watt" | "watts")).then_some(RateUnit::W)
}

fn same_list(one: &str, other: &str) -> bool {
    let sorted = |list: &str| {
        let mut items: Vec<String> = list.split(',').map(|item| item.trim().to_ascii_lowercase()).collect();
        items.sort();
        items
    };
    sorted(one) == sorted(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_units_are_read_as_chargers_write_them() {
        assert_eq!(read_unit("Current"), Some(RateUnit::A));
        assert_eq!(read_unit("Power"), Some(RateUnit::W));
        assert_eq!(read_unit("[A, W]"), Some(RateUnit::A));
        assert_eq!(read_unit("W"), Some(RateUnit::W));
        assert_eq!(read_unit(""), None);
    }
}
