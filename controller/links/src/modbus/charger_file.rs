//! The file format of charger maps, and the check that makes a [`ChargerMap`] of it.

use super::charger_map::{ChargerMap, Coded, Failsafe, Identity, KeepAlive, Limit, Pause, Values};
use super::label::{Label, LabelKind};
use super::register::{Register, Table};
use super::register_file::{MapError, ReadFile, RegisterFile, Unit};
use super::wire::Function;
use crate::charger::OutletState;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargerFile {
    make: String,
    model: String,
    source: String,
    read: ReadFile,
    #[serde(default = "five")]
    poll_s: f64,
    #[serde(default)]
    forgets_on_reconnect: bool,
    limit: LimitFile,
    failsafe: FailsafeFile,
    #[serde(default)]
    keep_alive: KeepAliveFile,
    #[serde(default)]
    start: Vec<CommandFile>,
    state: StateFile,
    plug: Option<PlugFile>,
    #[serde(default)]
    values: ValuesFile,
    #[serde(default)]
    identity: IdentityFile,
}

const fn five() -> f64 {
    5.0
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitFile {
    write: RegisterFile,
    readback: Option<RegisterFile>,
    step_a: f64,
    min_a: f64,
    max_a: f64,
    settle_s: f64,
    /// Absent: a limit of zero pauses.
    enable: Option<EnableFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnableFile {
    address: u16,
    on: u16,
    off: u16,
    #[serde(default)]
    multiple: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandFile {
    address: u16,
    value: u16,
    #[serde(default)]
    multiple: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailsafeFile {
    current: Option<RegisterFile>,
    current_readback: Option<RegisterFile>,
    timeout: Option<RegisterFile>,
    timeout_readback: Option<RegisterFile>,
    timeout_range_s: Option<[f64; 2]>,
    timeout_fixed_s: Option<f64>,
    persist: Option<CommandFile>,
    #[serde(default)]
    zero: bool,
    none: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepAliveFile {
    every_s: Option<f64>,
    #[serde(default)]
    write: Vec<PulseFile>,
    #[serde(default)]
    rewrite_limit: bool,
    #[serde(default)]
    rewrite_timeout: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PulseFile {
    address: u16,
    /// Written one after the other.
    values: Vec<u16>,
    #[serde(default)]
    multiple: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    address: u16,
    #[serde(rename = "type")]
    kind: LabelKind,
    words: Option<u16>,
    mask: Option<u32>,
    table: Option<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    register: LabelFile,
    meaning: BTreeMap<String, StateName>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum StateName {
    Available,
    Preparing,
    Charging,
    #[serde(rename = "SuspendedEV")]
    SuspendedEv,
    #[serde(rename = "SuspendedEVSE")]
    SuspendedEvse,
    Finishing,
    Reserved,
    Unavailable,
    Faulted,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlugFile {
    register: LabelFile,
    meaning: BTreeMap<String, bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValuesFile {
    current: Option<RegisterFile<Vec<u16>>>,
    power: Option<RegisterFile>,
    energy: Option<RegisterFile>,
    #[serde(default)]
    energy_of_session: bool,
    phases: Option<PhasesFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhasesFile {
    register: LabelFile,
    meaning: BTreeMap<String, u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityFile {
    serial: Option<LabelFile>,
    model: Option<LabelFile>,
    firmware: Option<LabelFile>,
}

pub(super) fn parse(text: &str) -> Result<ChargerMap, MapError> {
    let file: ChargerFile = toml::from_str(text)?;
    let read = &file.read;
    let map = ChargerMap {
        rule: read.rule()?,
        limit: limit(&file.limit, read)?,
        failsafe: failsafe(&file.failsafe, read)?,
        keep_alive: keep_alive(&file.keep_alive)?,
        start: file.start.iter().map(|it| command(it.address, it.value, it.multiple)).collect(),
        state: Coded {
            label: label("state", file.state.register, read)?,
            meaning: file.state.meaning.iter().map(|(code, name)| (code.clone(), (*name).into())).collect(),
        },
        plug: coded("plug", file.plug.map(|it| (it.register, it.meaning)), read)?,
        values: values(file.values, read)?,
        identity: identity(&file.identity, read)?,
        poll_every: seconds("poll_s", file.poll_s)?,
        forgets: file.forgets_on_reconnect,
        make: file.make,
        model: file.model,
        source: file.source,
    };
    watched(&map)?;
    Ok(map)
}

/// A charger that falls back must be fed, and one that is never fed must not be said to fall back.
fn watched(map: &ChargerMap) -> Result<(), MapError> {
    let keep = &map.keep_alive;
    let feeds = keep.rewrite_limit || keep.rewrite_timeout || !keep.writes.is_empty();
    if keep.every.is_some() != feeds {
        return Err(MapError::wrong("keep_alive", "every_s and something to write belong together"));
    }
    let safe = &map.failsafe;
    let armed =
        safe.current_readback.is_some() && (safe.timeout_readback.is_some() || safe.timeout_fixed.is_some());
    match (&safe.none, armed) {
        (None, false) => Err(MapError::wrong(
            "failsafe",
            "needs current_readback with timeout_readback or timeout_fixed_s; or none = \"why\"",
        )),
        (None, true) if !feeds => Err(MapError::wrong("keep_alive", "a charger that falls back must be fed")),
        _ => Ok(()),
    }
}

fn limit(file: &LimitFile, read: &ReadFile) -> Result<Limit, MapError> {
    if !(file.min_a > 0.0 && file.min_a <= file.max_a && file.max_a <= 1000.0 && file.step_a > 0.0) {
        return Err(MapError::wrong("limit", "needs 0 < min_a <= max_a <= 1000 and step_a > 0"));
    }
    let pause = file.enable.as_ref().map_or(Pause::Zero, |it| Pause::Enable {
        on: command(it.address, it.on, it.multiple),
        off: command(it.address, it.off, it.multiple),
    });
    Ok(Limit {
        write: file.write.check_write("limit.write", Unit::A, read)?,
        readback: register("limit.readback", file.readback.as_ref(), Unit::A, read)?,
        step: Milliamps::from_amps_f64(file.step_a),
        min: Milliamps::from_amps_f64(file.min_a),
        max: Milliamps::from_amps_f64(file.max_a),
        settle: seconds("limit.settle_s", file.settle_s)?,
        pause,
    })
}

fn failsafe(file: &FailsafeFile, read: &ReadFile) -> Result<Failsafe, MapError> {
    let [min, max] = file.timeout_range_s.unwrap_or([1.0, 3600.0]);
    let current = file.current.as_ref().map(|it| it.check_write("failsafe.current", Unit::A, read));
    let timeout = file.timeout.as_ref().map(|it| it.check_write("failsafe.timeout", Unit::S, read));
    let (shown, shown_timeout) = (file.current_readback.as_ref(), file.timeout_readback.as_ref());
    Ok(Failsafe {
        current: current.transpose()?,
        current_readback: register("failsafe.current_readback", shown, Unit::A, read)?,
        timeout: timeout.transpose()?,
        timeout_readback: register("failsafe.timeout_readback", shown_timeout, Unit::S, read)?,
        timeout_min: seconds("failsafe.timeout_range_s", min)?,
        timeout_max: seconds("failsafe.timeout_range_s", max.max(min))?,
        timeout_fixed: file.timeout_fixed_s.map(|it| seconds("failsafe.timeout_fixed_s", it)).transpose()?,
        persist: file.persist.as_ref().map(|it| command(it.address, it.value, it.multiple)),
        zero: file.zero,
        none: file.none.clone(),
    })
}

fn keep_alive(file: &KeepAliveFile) -> Result<KeepAlive, MapError> {
    if file.write.iter().any(|it| it.values.is_empty()) {
        return Err(MapError::wrong("keep_alive.write.values", "needs at least one value"));
    }
    let pulse =
        |it: &PulseFile| it.values.iter().map(|value| command(it.address, *value, it.multiple)).collect();
    Ok(KeepAlive {
        every: file.every_s.map(|it| seconds("keep_alive.every_s", it)).transpose()?,
        writes: file.write.iter().map(pulse).collect(),
        rewrite_limit: file.rewrite_limit,
        rewrite_timeout: file.rewrite_timeout,
    })
}

fn values(file: ValuesFile, read: &ReadFile) -> Result<Values, MapError> {
    let current = file.current.as_ref().map(|it| it.check("values.current", Unit::A, read));
    Ok(Values {
        current: current.transpose()?.unwrap_or_default(),
        power: register("values.power", file.power.as_ref(), Unit::W, read)?,
        energy: register("values.energy", file.energy.as_ref(), Unit::Wh, read)?,
        energy_of_session: file.energy_of_session,
        phases: coded("values.phases", file.phases.map(|it| (it.register, it.meaning)), read)?,
    })
}

fn identity(file: &IdentityFile, read: &ReadFile) -> Result<Identity, MapError> {
    let text = |key: &str, it: Option<LabelFile>| it.map(|it| label(key, it, read)).transpose();
    Ok(Identity {
        serial: text("identity.serial", file.serial)?,
        model: text("identity.model", file.model)?,
        firmware: text("identity.firmware", file.firmware)?,
    })
}

fn register(
    key: &str,
    file: Option<&RegisterFile>,
    unit: Unit,
    read: &ReadFile,
) -> Result<Option<Register>, MapError> {
    file.map(|it| it.check(key, unit, read)).transpose()
}

fn coded<T>(
    key: &str,
    file: Option<(LabelFile, BTreeMap<String, T>)>,
    read: &ReadFile,
) -> Result<Option<Coded<T>>, MapError> {
    file.map(|(register, meaning)| Ok(Coded { label: label(key, register, read)?, meaning })).transpose()
}

fn label(key: &str, file: LabelFile, read: &ReadFile) -> Result<Label, MapError> {
    let count = match (file.kind, file.words) {
        (LabelKind::U16, None) => 1,
        (LabelKind::U32, None) => 2,
        (LabelKind::U16 | LabelKind::U32, Some(_)) => {
            return Err(MapError::wrong(key, "words is for texts; a number's length is its type's"));
        }
        (_, Some(words)) if (1..=60).contains(&words) => words,
        _ => return Err(MapError::wrong(key, "a text needs words, 1 to 60")),
    };
    let mask = file.mask.unwrap_or(u32::MAX);
    if mask == 0 || u32::from(file.address) + u32::from(count) > 0x1_0000 {
        return Err(MapError::wrong(key, "mask and address must leave something to read"));
    }
    let table = file.table.unwrap_or(read.table());
    Ok(Label { table, address: file.address, kind: file.kind, count, mask })
}

fn command(address: u16, value: u16, multiple: bool) -> Function {
    if multiple {
        Function::WriteMultiple { address, values: vec![value] }
    } else {
        Function::WriteSingle { address, value }
    }
}

fn seconds(key: &str, value: f64) -> Result<Duration, MapError> {
    if (0.05..=86_400.0).contains(&value) {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(MapError::wrong(key, "must be 0.05 s to a day"))
    }
}

impl From<StateName> for OutletState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Available => Self::Available,
            StateName::Preparing => Self::Preparing,
            StateName::Charging => Self::Charging,
            StateName::SuspendedEv => Self::SuspendedEv,
            StateName::SuspendedEvse => Self::SuspendedEvse,
            StateName::Finishing => Self::Finishing,
            StateName::Reserved => Self::Reserved,
            StateName::Unavailable => Self::Unavailable,
            StateName::Faulted => Self::Faulted,
        }
    }
}
