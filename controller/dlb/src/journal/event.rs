//! Events as they stand in a journal, and back.

use super::SiteText;
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{Doubt, NoReading, Quality, Reading};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};
use dlb_links::modbus::Fault;
use dlb_wiring::event::{Alert, ConnectionId, Event, Order, Service, Severity};
use dlb_wiring::inputs::Level;
use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventLine {
    Tick,
    WallClock(i64),
    /// Seconds since midnight.
    Daytime(u64),
    Clamps {
        meter: String,
        outcome: Result<Box<ReadingLine>, NoReadingLine>,
    },
    /// The level of a contact: is it active? `None`: it cannot be read.
    Input {
        input: String,
        active: Option<bool>,
    },
    ModbusAnswer {
        exchange: u64,
        answer: Result<Vec<u16>, FaultLine>,
    },
    OcppOpened {
        connection: u64,
        identity: String,
    },
    OcppFrame {
        connection: u64,
        text: String,
    },
    OcppClosed {
        connection: u64,
    },
    Strategy(StrategyLine),
    SiteLimit {
        limit: Option<[i32; 3]>,
        lasts_us: u64,
    },
    ChargerLimit {
        charger: String,
        limit: Option<i32>,
    },
    Departure {
        charger: String,
        at: Option<i64>,
        energy: Option<i64>,
    },
    Dismiss {
        identity: String,
    },
    CloseContactor {
        output: String,
    },
    ResetLockout {
        circuit: String,
    },
    Service {
        charger: String,
        service: ServiceLine,
    },
    Breach {
        meter: String,
        current: [Option<i32>; 3],
    },
    Configured(SiteText),
    Trouble {
        at_us: u64,
        severity: u8,
        about: String,
        code: String,
        text: String,
        cleared: bool,
    },
    Stopping,
    /// An event of a kind that journals do not know yet: nothing after it can be trusted.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceLine {
    Restart { hard: bool },
    Unlock,
    InService(bool),
    ClearCache,
    Schedule,
    Vendor { vendor: String, message: Option<String>, data: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingLine {
    at_us: u64,
    current: [Option<i32>; 3],
    voltage: [Option<i32>; 3],
    power: [Option<i64>; 3],
    power_total: Option<i64>,
    imported: Option<i64>,
    exported: Option<i64>,
    frequency_mhz: Option<u32>,
    /// 0 good, 1 doubtful, 2 bad; with what is wrong.
    quality: (u8, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoReadingLine {
    NotYet,
    Timeout,
    Disconnected,
    Garbled,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultLine {
    Timeout,
    Disconnected,
    Exception(u8),
    Garbled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyLine {
    Equal,
    FirstCome,
    Priority,
    Departure,
}

const DOUBTS: [Doubt; 6] =
    [Doubt::NoVoltage, Doubt::Saturated, Doubt::OpenClamp, Doubt::Gaps, Doubt::Implausible, Doubt::Frozen];
const SEVERITIES: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Alarm];
const NO_READINGS: [(NoReading, NoReadingLine); 5] = [
    (NoReading::NotYet, NoReadingLine::NotYet),
    (NoReading::Timeout, NoReadingLine::Timeout),
    (NoReading::Disconnected, NoReadingLine::Disconnected),
    (NoReading::Garbled, NoReadingLine::Garbled),
    (NoReading::Refused, NoReadingLine::Refused),
];
const STRATEGIES: [(Strategy, StrategyLine); 4] = [
    (Strategy::Equal, StrategyLine::Equal),
    (Strategy::FirstCome, StrategyLine::FirstCome),
    (Strategy::Priority, StrategyLine::Priority),
    (Strategy::Departure, StrategyLine::Departure),
];

fn place<T: PartialEq>(list: &[T], value: &T) -> u8 {
    list.iter().position(|known| known == value).unwrap_or(list.len()) as u8
}

impl EventLine {
    /// `site`: the configuration that a new one was made from.
    #[must_use]
    pub fn new(event: &Event, site: &SiteText) -> Self {
        match event {
            Event::Tick => Self::Tick,
            Event::WallClock(wall) => Self::WallClock(wall.0),
            Event::Daytime(time) => Self::Daytime(time.as_secs()),
            Event::Clamps { meter, outcome } => {
                let outcome = outcome.map(|reading| Box::new(ReadingLine::new(&reading)));
                let words = |why| NO_READINGS.iter().find(|(known, _)| *known == why).map(|(_, word)| *word);
                let outcome = outcome.map_err(|why| words(why).unwrap_or(NoReadingLine::NotYet));
                Self::Clamps { meter: meter.clone(), outcome }
            }
            Event::Breach { meter, current } => Self::Breach {
                meter: meter.clone(),
                current: current.0.map(|current| current.map(|current| current.0)),
            },
            Event::Input { input, level } => Self::Input {
                input: input.clone(),
                active: match level {
                    Level::Active => Some(true),
                    Level::Inactive => Some(false),
                    Level::Lost => None,
                },
            },
            Event::ModbusAnswer { exchange, answer } => {
                let answer = answer.clone().map_err(|fault| match fault {
                    Fault::Timeout => FaultLine::Timeout,
                    Fault::Disconnected => FaultLine::Disconnected,
                    Fault::Exception(code) => FaultLine::Exception(code),
                    Fault::Garbled => FaultLine::Garbled,
                });
                Self::ModbusAnswer { exchange: *exchange, answer }
            }
            Event::OcppOpened { connection, identity } => {
                Self::OcppOpened { connection: connection.0, identity: identity.clone() }
            }
            Event::OcppFrame { connection, text } => {
                Self::OcppFrame { connection: connection.0, text: text.clone() }
            }
            Event::OcppClosed { connection } => Self::OcppClosed { connection: connection.0 },
            Event::Order(order) => Self::of_order(order),
            Event::Configured(_) => Self::Configured(site.clone()),
            Event::Trouble(alert) => Self::Trouble {
                at_us: alert.at.0,
                severity: place(&SEVERITIES, &alert.severity),
                about: alert.about.clone(),
                code: alert.code.to_owned(),
                text: alert.text.clone(),
                cleared: alert.cleared,
            },
            Event::Stopping => Self::Stopping,
        }
    }

    fn of_order(order: &Order) -> Self {
        match order {
            Order::Strategy(strategy) => {
                let word = STRATEGIES.iter().find(|(known, _)| known == strategy).map(|(_, word)| *word);
                word.map_or_else(|| Self::Unknown(format!("{strategy:?}")), Self::Strategy)
            }
            Order::SiteLimit { limit, lasts } => Self::SiteLimit {
                limit: limit.map(|limit| limit.0.map(|current| current.0)),
                lasts_us: u64::try_from(lasts.as_micros()).unwrap_or(u64::MAX),
            },
            Order::ChargerLimit { charger, limit } => {
                Self::ChargerLimit { charger: charger.clone(), limit: limit.map(|limit| limit.0) }
            }
            Order::Departure { charger, at, energy } => Self::Departure {
                charger: charger.clone(),
                at: at.map(|at| at.0),
                energy: energy.map(|energy| energy.0),
            },
            Order::Dismiss { identity } => Self::Dismiss { identity: identity.clone() },
            Order::CloseContactor { output } => Self::CloseContactor { output: output.clone() },
            Order::ResetLockout { circuit } => Self::ResetLockout { circuit: circuit.clone() },
            Order::Service { charger, service } => {
                Self::Service { charger: charger.clone(), service: service.clone().into() }
            }
        }
    }

    /// The event again.
    ///
    /// # Errors
    /// Where it cannot be made again, in words.
    pub fn event(&self) -> Result<Event, String> {
        Ok(match self.clone() {
            Self::Tick => Event::Tick,
            Self::WallClock(wall) => Event::WallClock(WallTime(wall)),
            Self::Daytime(seconds) => Event::Daytime(Duration::from_secs(seconds)),
            Self::Clamps { meter, outcome } => {
                let why = |word| NO_READINGS.iter().find(|(_, known)| *known == word).map(|(why, _)| *why);
                let outcome = outcome.map(|reading| reading.reading());
                Event::Clamps {
                    meter,
                    outcome: outcome.map_err(|word| why(word).unwrap_or(NoReading::NotYet)),
                }
            }
            Self::Breach { meter, current } => {
                Event::Breach { meter, current: PerLine(current.map(|current| current.map(Milliamps))) }
            }
            Self::Input { input, active } => {
                let level =
                    active.map_or(Level::Lost, |active| if active { Level::Active } else { Level::Inactive });
                Event::Input { input, level }
            }
            Self::ModbusAnswer { exchange, answer } => {
                let answer = answer.map_err(|fault| match fault {
                    FaultLine::Timeout => Fault::Timeout,
                    FaultLine::Disconnected => Fault::Disconnected,
                    FaultLine::Exception(code) => Fault::Exception(code),
                    FaultLine::Garbled => Fault::Garbled,
                });
                Event::ModbusAnswer { exchange, answer }
            }
            Self::OcppOpened { connection, identity } => {
                Event::OcppOpened { connection: ConnectionId(connection), identity }
            }
            Self::OcppFrame { connection, text } => {
                Event::OcppFrame { connection: ConnectionId(connection), text }
            }
            Self::OcppClosed { connection } => Event::OcppClosed { connection: ConnectionId(connection) },
            Self::Configured(site) => Event::Configured(Box::new(site.settings()?)),
            Self::Trouble { at_us, severity, about, code, text, cleared } => Event::Trouble(Alert {
                at: Instant(at_us),
                severity: SEVERITIES.get(usize::from(severity)).copied().unwrap_or(Severity::Alarm),
                about,
                // Codes are words of the program; the handful in a journal live as long as the replay.
                code: Box::leak(code.into_boxed_str()),
                text,
                cleared,
            }),
            Self::Stopping => Event::Stopping,
            Self::Unknown(what) => return Err(format!("the journal could not take down this event: {what}")),
            order => Event::Order(order.order()?),
        })
    }

    fn order(self) -> Result<Order, String> {
        Ok(match self {
            Self::Strategy(word) => {
                let known = STRATEGIES.iter().find(|(_, known)| *known == word);
                Order::Strategy(known.map(|(strategy, _)| *strategy).unwrap_or_default())
            }
            Self::SiteLimit { limit, lasts_us } => Order::SiteLimit {
                limit: limit.map(|limit| PerLine(limit.map(Milliamps))),
                lasts: Duration::from_micros(lasts_us),
            },
            Self::ChargerLimit { charger, limit } => {
                Order::ChargerLimit { charger, limit: limit.map(Milliamps) }
            }
            Self::Departure { charger, at, energy } => {
                Order::Departure { charger, at: at.map(WallTime), energy: energy.map(WattHours) }
            }
            Self::Dismiss { identity } => Order::Dismiss { identity },
            Self::CloseContactor { output } => Order::CloseContactor { output },
            Self::ResetLockout { circuit } => Order::ResetLockout { circuit },
            Self::Service { charger, service } => Order::Service { charger, service: service.into() },
            other => return Err(format!("not an order: {other:?}")),
        })
    }
}

impl From<Service> for ServiceLine {
    fn from(service: Service) -> Self {
        match service {
            Service::Restart { hard } => Self::Restart { hard },
            Service::Unlock => Self::Unlock,
            Service::InService(operative) => Self::InService(operative),
            Service::ClearCache => Self::ClearCache,
            Service::Schedule => Self::Schedule,
            Service::Vendor { vendor, message, data } => Self::Vendor { vendor, message, data },
        }
    }
}

impl From<ServiceLine> for Service {
    fn from(line: ServiceLine) -> Self {
        match line {
            ServiceLine::Restart { hard } => Self::Restart { hard },
            ServiceLine::Unlock => Self::Unlock,
            ServiceLine::InService(operative) => Self::InService(operative),
            ServiceLine::ClearCache => Self::ClearCache,
            ServiceLine::Schedule => Self::Schedule,
            ServiceLine::Vendor { vendor, message, data } => Self::Vendor { vendor, message, data },
        }
    }
}

impl ReadingLine {
    fn new(reading: &Reading) -> Self {
        Self {
            at_us: reading.at.0,
            current: reading.current.map(|value| value.map(|it| it.0)).0,
            voltage: reading.voltage.map(|value| value.map(|it| it.0)).0,
            power: reading.power.map(|value| value.map(|it| it.0)).0,
            power_total: reading.power_total.map(|it| it.0),
            imported: reading.imported.map(|it| it.0),
            exported: reading.exported.map(|it| it.0),
            frequency_mhz: reading.frequency_mhz,
            quality: match reading.quality {
                Quality::Good => (0, 0),
                Quality::Doubtful(doubt) => (1, place(&DOUBTS, &doubt)),
                Quality::Bad(doubt) => (2, place(&DOUBTS, &doubt)),
            },
        }
    }

    fn reading(&self) -> Reading {
        let doubt = DOUBTS.get(usize::from(self.quality.1)).copied().unwrap_or(Doubt::Implausible);
        Reading {
            current: PerLine(self.current).map(|value| value.map(Milliamps)),
            voltage: PerLine(self.voltage).map(|value| value.map(Millivolts)),
            power: PerLine(self.power).map(|value| value.map(Watts)),
            power_total: self.power_total.map(Watts),
            imported: self.imported.map(WattHours),
            exported: self.exported.map(WattHours),
            frequency_mhz: self.frequency_mhz,
            quality: match self.quality.0 {
                0 => Quality::Good,
                1 => Quality::Doubtful(doubt),
                _ => Quality::Bad(doubt),
            },
            ..Reading::empty(Instant(self.at_us))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_person_orders_stands_in_the_journal_and_comes_out_of_it_again() {
        let service = |service| Order::Service { charger: "bay-1".into(), service };
        let vendor = Service::Vendor { vendor: "acme".into(), message: None, data: Some("x".into()) };
        let orders = [
            Order::Strategy(Strategy::Priority),
            Order::SiteLimit { limit: Some(PerLine([Milliamps(1); 3])), lasts: Duration::from_secs(9) },
            Order::ChargerLimit { charger: "bay-1".into(), limit: None },
            Order::Departure { charger: "bay-1".into(), at: Some(WallTime(7)), energy: Some(WattHours(8)) },
            Order::CloseContactor { output: "contactor".into() },
            Order::ResetLockout { circuit: "grid".into() },
            Order::Dismiss { identity: "CP-1".into() },
            service(Service::Restart { hard: true }),
            service(Service::Unlock),
            service(Service::InService(false)),
            service(Service::ClearCache),
            service(Service::Schedule),
            service(vendor),
        ];
        for order in orders {
            let line = serde_json::to_string(&EventLine::of_order(&order)).unwrap();
            let again: EventLine = serde_json::from_str(&line).unwrap();
            assert_eq!(again.event().unwrap(), Event::Order(order), "{line}");
        }
    }
}
