//! The checked configuration of a site. Made at the door from the file's types; nothing here is
//! checked again.

use crate::dc_first::Hours;
use dlb_engine::guard;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{ChargerIx, CircuitIx, Site};
use dlb_engine::snapshot::Strategy;
use dlb_engine::surplus;
use dlb_engine::time::Duration;
use dlb_engine::units::{Milliamps, Watts};
use dlb_links::charger::Outlet;
use std::collections::BTreeMap;

/// Everything that the controller must know of a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub name: String,
    pub site: Site,
    /// In the order of the site's circuits; those that are missing are the default.
    pub guards: Vec<guard::Setting>,
    pub meters: Vec<MeterSetting>,
    /// In the order of the site's chargers.
    pub links: Vec<LinkSetting>,
    pub policy: Policy,
    pub adoption: Adoption,
    pub inputs: Vec<InputSetting>,
    pub outputs: Vec<OutputSetting>,
}

/// A meter and the circuit that it measures.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterSetting {
    pub id: String,
    pub circuit: CircuitIx,
    pub source: MeterSource,
    /// No reading for this long: the meter counts as lost.
    pub lost_after: Duration,
    /// What the rest of the site is taken to draw on each line while the meter is lost.
    pub assumed_load: PerLine<Milliamps>,
}

/// A contact of the box, and what it asks for while it is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSetting {
    pub id: String,
    pub circuit: CircuitIx,
    /// A level counts once it has lasted this long.
    pub debounce: Duration,
    /// What a contact that cannot be read counts as.
    pub lost_is_active: bool,
    pub rule: InputRule,
}

/// What a contact asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InputRule {
    /// The circuit carries no more than this.
    Current(PerLine<Milliamps>),
    Power(Watts),
    /// The chargers of the circuit draw no more than this together.
    Charging(Watts),
    /// No charging.
    Inhibit,
}

/// A relay or lamp of the box.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSetting {
    pub id: String,
    pub rule: OutputRule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutputRule {
    /// Closed while the circuit is over its limit.
    Shed(Watch),
    /// Closed, for good, by the guard's deadline for this circuit: opens the chargers' contactor.
    Trip(CircuitIx),
    /// Shows how the site is.
    Lamp,
}

impl OutputSetting {
    /// The same relay for the same job; what it watches, and how, may have changed.
    pub(crate) fn is_still(&self, later: &Self) -> bool {
        self.id == later.id && core::mem::discriminant(&self.rule) == core::mem::discriminant(&later.rule)
    }
}

/// When a relay sheds load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// A circuit with a meter of its own.
    pub circuit: CircuitIx,
    /// For how long it must be over its limit.
    pub after: Duration,
    /// How far below the limit it must be before load is given back.
    pub margin: Milliamps,
    pub on_at_least: Duration,
    pub off_at_least: Duration,
}

/// Where readings come from.
#[derive(Clone, Debug, PartialEq)]
pub enum MeterSource {
    /// The box's own CT clamps; the channels belong to the board file.
    Clamps,
    Modbus {
        port: PortIx,
        unit: u8,
        map: String,
        every: Duration,
    },
}

/// Position of a Modbus connection in the program's list of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortIx(pub usize);

/// How a charger is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkSetting {
    /// The last element of the URL under which the charger connects, and its outlet. An `efficiency`
    /// (DC power over AC power) makes it a DC charger, which is told watts.
    Ocpp {
        identity: String,
        outlet: Outlet,
        efficiency: Option<f64>,
    },
    Modbus {
        port: PortIx,
        unit: u8,
        map: String,
    },
}

/// How dlb behaves; each value has a default that suits most sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub strategy: Strategy,
    /// A raised limit must have been possible for this long before it is given.
    pub raise_after: Duration,
    /// How long a limit handed to a charger lasts without being renewed.
    pub limit_lifetime: Duration,
    /// Wanted interval of the chargers' own measurements.
    pub meter_values_every: Duration,
    /// A charger whose measurement is older than this counts as drawing all that it may.
    pub drawn_valid_for: Duration,
    /// When DC chargers go before all others.
    pub dc_first: Option<Hours>,
    /// Chargers that follow the sun, by identity.
    pub sun: BTreeMap<String, surplus::Setting>,
}

/// What happens to a charger that connects and is not in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// It waits, at its fallback, until somebody adopts it.
    Ask,
    /// It joins this circuit at once, with its rotation unknown.
    Automatic { circuit: CircuitIx },
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            strategy: Strategy::Equal,
            raise_after: Duration::from_secs(10),
            limit_lifetime: Duration::from_secs(120),
            meter_values_every: Duration::from_secs(10),
            drawn_valid_for: Duration::from_secs(45),
            dc_first: None,
            sun: BTreeMap::new(),
        }
    }
}

impl Settings {
    #[must_use]
    pub fn ocpp_charger(&self, identity: &str, outlet: Outlet) -> Option<ChargerIx> {
        let wanted = |link: &LinkSetting| matches!(link, LinkSetting::Ocpp { identity: known, outlet: at, .. } if known == identity && *at == outlet);
        self.links.iter().position(wanted).map(ChargerIx)
    }
}
