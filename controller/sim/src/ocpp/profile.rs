//! One charging profile, and the limit that it means at an instant.

use super::fields::{Fields, one_of};
use super::frame::Violation;
use super::habits::RelativeTo;
use super::shelf::Asked;
use dlb_engine::time::Instant;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    StationMaximum,
    TxDefault,
    Tx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Amps,
    Watts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Absolute,
    Daily,
    Weekly,
    Relative,
}

/// As it was set, with when it came in. Calendar times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Profile {
    pub(super) connector: i64,
    pub(super) id: i64,
    pub(super) stack_level: i64,
    pub(super) purpose: Purpose,
    pub(super) transaction: Option<i64>,
    pub(super) unit: Unit,
    kind: Kind,
    received: Instant,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    start: Option<i64>,
    duration_s: Option<i64>,
    /// Start in seconds, limit; the first starts at 0.
    periods: Vec<(i64, f64)>,
    /// Of its first period; nobody here sets several.
    pub(super) phases: Option<u8>,
}

pub(super) const PURPOSES: &[(&str, Purpose)] = &[
    ("ChargePointMaxProfile", Purpose::StationMaximum),
    ("TxDefaultProfile", Purpose::TxDefault),
    ("TxProfile", Purpose::Tx),
];
const UNITS: &[(&str, Unit)] = &[("A", Unit::Amps), ("W", Unit::Watts)];
const PERIODS_MAX: usize = 48;

impl Profile {
    /// Reads `csChargingProfiles` for a connector.
    pub(super) fn read(connector: i64, value: &Value, received: Instant) -> Result<Self, Violation> {
        let known = [
            "chargingProfileId",
            "transactionId",
            "stackLevel",
            "chargingProfilePurpose",
            "chargingProfileKind",
            "recurrencyKind",
            "validFrom",
            "validTo",
            "chargingSchedule",
        ];
        let fields = Fields::of(value, &known)?;
        let schedule = fields.any("chargingSchedule")?;
        let known =
            ["duration", "startSchedule", "chargingRateUnit", "chargingSchedulePeriod", "minChargingRate"];
        let schedule = Fields::of(schedule, &known)?;
        Ok(Self {
            connector,
            id: fields.whole("chargingProfileId")?,
            stack_level: at_least_zero("stackLevel", fields.whole("stackLevel")?)?,
            purpose: one_of("chargingProfilePurpose", fields.text("chargingProfilePurpose")?, PURPOSES)?,
            transaction: fields.maybe_whole("transactionId")?,
            unit: one_of("chargingRateUnit", schedule.text("chargingRateUnit")?, UNITS)?,
            kind: kind(&fields)?,
            received,
            valid_from: fields.maybe_time("validFrom")?,
            valid_to: fields.maybe_time("validTo")?,
            start: schedule.maybe_time("startSchedule")?,
            duration_s: schedule.maybe_whole("duration")?,
            periods: periods(schedule.list("chargingSchedulePeriod")?)?,
            phases: phases(schedule.list("chargingSchedulePeriod")?),
        })
    }

    /// What it allows at the asked instant. `None`: it does not speak for now.
    pub(super) fn limit_at(&self, asked: &Asked) -> Option<f64> {
        let at = asked.at;
        let early = self.valid_from.is_some_and(|from| at < from);
        let late = self.valid_to.is_some_and(|to| at >= to);
        let into_s = (at - self.begins(asked)).div_euclid(1000);
        let over = self.duration_s.is_some_and(|duration| into_s >= duration);
        if early || late || over || into_s < 0 {
            return None;
        }
        self.periods.iter().rev().find(|(start, _)| *start <= into_s).map(|(_, limit)| *limit)
    }

    /// Instants from the asked one up to `to` at which its word may change.
    pub(super) fn turns(&self, asked: &Asked, to: i64) -> Vec<i64> {
        let begins = self.begins(asked);
        let inside = self.periods.iter().map(|(start, _)| begins + start * 1000);
        let end = self.duration_s.map(|duration| begins + duration * 1000);
        let edges = [self.valid_from, self.valid_to, end, self.next_round(begins)];
        inside.chain(edges.into_iter().flatten()).filter(|turn| (asked.at..to).contains(turn)).collect()
    }

    fn begins(&self, asked: &Asked) -> i64 {
        let Asked { at, since, .. } = *asked;
        match (self.kind, self.start, asked.relative_to) {
            (Kind::Relative, _, RelativeTo::Receipt) => asked.clock + (self.received.0 / 1000).cast_signed(),
            (Kind::Relative, ..) | (_, None, _) => since,
            (Kind::Absolute, Some(start), _) => start,
            (Kind::Daily, Some(start), _) => start + (at - start).div_euclid(DAY_MS) * DAY_MS,
            (Kind::Weekly, Some(start), _) => start + (at - start).div_euclid(7 * DAY_MS) * 7 * DAY_MS,
        }
    }

    const fn next_round(&self, begins: i64) -> Option<i64> {
        match self.kind {
            Kind::Daily => Some(begins + DAY_MS),
            Kind::Weekly => Some(begins + 7 * DAY_MS),
            Kind::Absolute | Kind::Relative => None,
        }
    }
}

const DAY_MS: i64 = 86_400_000;

fn kind(fields: &Fields<'_>) -> Result<Kind, Violation> {
    let kinds = [("Absolute", Kind::Absolute), ("Recurring", Kind::Daily), ("Relative", Kind::Relative)];
    let rounds = [("Daily", Kind::Daily), ("Weekly", Kind::Weekly)];
    let kind = one_of("chargingProfileKind", fields.text("chargingProfileKind")?, &kinds)?;
    let round = fields.maybe_text("recurrencyKind")?;
    match (kind, round) {
        (Kind::Daily, Some(word)) => one_of("recurrencyKind", word, &rounds),
        (Kind::Daily, None) => {
            Err(Violation::new("OccurenceConstraintViolation", "recurrencyKind is missing"))
        }
        (kind, _) => Ok(kind),
    }
}

fn periods(list: &[Value]) -> Result<Vec<(i64, f64)>, Violation> {
    if list.is_empty() || list.len() > PERIODS_MAX {
        return Err(Violation::new(
            "OccurenceConstraintViolation",
            "chargingSchedulePeriod: 1 to 48 of them",
        ));
    }
    let periods = list.iter().map(period).collect::<Result<Vec<_>, _>>()?;
    let rising = periods.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if periods[0].0 != 0 || !rising {
        return Err(Violation::new("PropertyConstraintViolation", "startPeriod must begin at 0 and rise"));
    }
    Ok(periods)
}

fn phases(list: &[Value]) -> Option<u8> {
    list.first().and_then(|first| first["numberPhases"].as_u64()).and_then(|phases| u8::try_from(phases).ok())
}

fn period(value: &Value) -> Result<(i64, f64), Violation> {
    let fields = Fields::of(value, &["startPeriod", "limit", "numberPhases"])?;
    let phases = fields.maybe_whole("numberPhases")?;
    if phases.is_some_and(|phases| !(1..=3).contains(&phases)) {
        return Err(Violation::new("PropertyConstraintViolation", "numberPhases must be 1 to 3"));
    }
    let limit = fields.number("limit")?;
    let tenths = limit * 10.0;
    if limit < 0.0 || (tenths - tenths.round()).abs() > 1e-6 {
        return Err(Violation::new(
            "PropertyConstraintViolation",
            "limit must be positive, one decimal at most",
        ));
    }
    Ok((fields.whole("startPeriod")?, limit))
}

fn at_least_zero(name: &str, value: i64) -> Result<i64, Violation> {
    let wrong = || Violation::new("PropertyConstraintViolation", format!("{name} must not be negative"));
    (value >= 0).then_some(value).ok_or_else(wrong)
}
