//! The file's own types: what `site.toml` says, key by key, and what the API sends as JSON. Nothing in
//! here has been checked against anything else; [`super::Checked`] is what the program runs on.
//!
//! A key that is missing has the default of [`super::defaults`] and is not written back, so that a
//! file stays as short as its installer left it.

use super::gpio_file::{ButtonPart, InputEntry, OutputEntry};
use serde::Serialize;
use utoipa::ToSchema;

/// A whole site, as its file says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// Version of the file format: 1.
    #[schema(required = false)]
    pub version: u32,
    #[schema(required = false)]
    pub name: String,
    #[schema(required = false)]
    pub server: ServerPart,
    #[schema(required = false)]
    pub policy: PolicyPart,
    #[schema(required = false)]
    pub adoption: AdoptionPart,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<MqttPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hawkbit: Option<HawkbitPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clamps: Option<ClampsPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub circuit: Vec<CircuitEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub port: Vec<PortEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub meter: Vec<MeterEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub charger: Vec<ChargerEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub input: Vec<InputEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub output: Vec<OutputEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<ButtonPart>,
}

/// Where the box listens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerPart {
    /// Address and port of the web page and the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Address and port that chargers connect to: `ws://<box>:9000/<their name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<String>,
}

/// How dlb behaves; every value has a default that suits most sites.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyWord>,
    /// A raised limit must have been possible for this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise_after_s: Option<f64>,
    /// A limit ends by itself after this, unless renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_lifetime_s: Option<f64>,
    /// Wanted interval of the chargers' own measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter_values_every_s: Option<f64>,
    /// A charger whose measurement is older counts as drawing all that it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn_valid_for_s: Option<f64>,
    /// Hours of the day in which DC chargers go before all others, like `07:00-19:00`, in the box's own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dc_first: Option<String>,
}

/// What happens to a charger that connects and is not in the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptionPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<AdoptionWord>,
    /// Where an automatically adopted charger joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
}

/// The broker that gets readings, limits and events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttPart {
    /// `mqtt://host:1883` or, with TLS, `mqtts://host:8883`.
    pub broker: String,
    /// PEM file of the authority (CA) that issued the broker's certificate, or of that certificate itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Its password lives in the data directory, never in this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// First element of every topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Where Home Assistant looks; empty switches its discovery off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery_prefix: Option<String>,
    /// No commands are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

/// The Eclipse hawkBit server that updates come from. Its token lives in the data directory, never in this file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HawkbitPart {
    /// `https://host`, without a path.
    pub server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What this box is called there; its identifier, unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The restart waits until no car charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_for_cars: Option<bool>,
}

/// The box's own CT clamps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClampsPart {
    /// The board file: converter, channels, ratios.
    pub board: String,
}

/// A protected part of the installation. One of them has no parent: the grid connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitEntry {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// One number for all lines, or one for each. Left out: its parent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<Amperes>,
    /// A limit on total power beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_kw: Option<f64>,
    /// A limit on total apparent power. Cars count at power factor 1, so the smaller one of both binds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_kva: Option<f64>,
    /// What the neutral may carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_neutral_a: Option<f64>,
    /// By how much one line may carry more than another. VDE-AR-N 4100: 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_unbalance_a: Option<f64>,
    /// Left out: its parent's, behind a transformer a star of its secondary voltage; at the grid connection
    /// 230 V star.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply: Option<SupplyPart>,
    /// Between this circuit and its parent, whose amperes are then those of the primary side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transformer: Option<TransformerPart>,
    /// The device that protects it. Left out: `limit_a` is taken for the rating of the most sensitive kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<ProtectionPart>,
    /// A utility's rule on how long an excess may last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileWord>,
}

/// A protective device: its kind and its rated current.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectionPart {
    pub kind: DeviceWord,
    pub rated_a: f64,
}

/// A three-phase transformer: its vector group (IEC 60076-1) and its primary line-to-line voltage over its
/// secondary one.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformerPart {
    pub group: GroupWord,
    pub ratio: f64,
}

/// The supply system and the voltage that names it: line to neutral, on delta line to line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplyPart {
    pub system: SystemWord,
    /// Left out on star and single: 230.
    #[schema(required = false)]
    pub volts: f64,
}

/// A Modbus connection: `tcp` or `serial`, not both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PortEntry {
    pub id: String,
    /// Host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// A device: `/dev/ttyAMA1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baud: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parity: Option<ParityWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_bits: Option<u32>,
}

/// A meter and the circuit that it measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterEntry {
    pub id: String,
    pub circuit: String,
    /// `clamps` for the box's own inputs; left out where `port` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// The register map of its make and model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_after_s: Option<f64>,
    /// The most that everything but chargers may draw here while this meter is lost. Left out: the
    /// whole limit of the circuit, so that chargers get nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed_load_a: Option<Amperes>,
}

/// One outlet that can be limited: `ocpp`, or `port` with `unit` and `map`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargerEntry {
    pub id: String,
    pub circuit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindWord>,
    /// The name under which it connects: the last element of its URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<String>,
    /// Which outlet of the station, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlet: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// The lines behind its own L1, L2, L3: `L1L2L3`, `L2L3L1` …, `L2` single-phase, `L1-L2` between
    /// two lines, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_a: Option<f64>,
    /// What charger, cable and its own protective device allow. AC chargers must have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_a: Option<f64>,
    /// DC power; only where `kind` is `dc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_kw: Option<f64>,
    /// DC power. DC chargers must have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_kw: Option<f64>,
    /// DC power divided by AC power.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// What it falls back to when it hears nothing: 0, at least `min_a`, or `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_a: Option<Fallback>,
    /// It follows the sun: on what the site would feed in alone, or at its minimum at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sun: Option<SunWord>,
    /// It charges on one phase or on all of them, as it is told (OCPP `numberPhases`): one while the sun is not enough
    /// for three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches_phases: Option<bool>,
    /// Smaller is served first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Share against others of the same priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// One number for all lines, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Amperes {
    All(f64),
    Each(Vec<f64>),
}

/// A current that a charger falls back to, or `auto`: as much as is safe.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Fallback {
    Amperes(f64),
    Auto(AutoWord),
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$default:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$default])* $variant),*
        }

        impl $name {
            /// Every word that the file may use here.
            pub const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];
        }
    };
}

pub(super) use words;

words!(
    /// Who goes first.
    StrategyWord {
        #[default] Equal = "equal",
        FirstCome = "first-come",
        Priority = "priority",
        Departure = "departure",
    }
);
words!(
    /// Whether a new charger waits for a click.
    AdoptionWord {
        #[default] Ask = "ask",
        Automatic = "automatic",
    }
);
words!(
    /// Star: three lines and neutral. Delta: three lines. Split: two lines at 180° and neutral.
    SystemWord {
        #[default] Star = "star",
        Delta = "delta",
        Split = "split",
        Single = "single",
    }
);
words!(
    /// Dyn: delta and star with neutral (Dyn11). Yyn: two stars, the neutral connected on both sides (YNyn0).
    GroupWord {
        #[default] #[serde(rename = "Dyn")] Dyn = "Dyn",
        #[serde(rename = "Yyn")] Yyn = "Yyn",
    }
);
words!(
    /// Fuse gG of IEC 60269, breakers B, C, D of IEC 60898-1, breaker of IEC 60947-2.
    DeviceWord {
        #[default] #[serde(rename = "gG")] Gg = "gG",
        McbB = "mcb-b",
        McbC = "mcb-c",
        McbD = "mcb-d",
        Mccb = "mccb",
    }
);
words!(
    /// `g100`: EREC G100, Great Britain.
    ProfileWord {
        #[default] Plain = "plain",
        G100 = "g100",
    }
);
words!(
    ParityWord {
        #[default] None = "none",
        Even = "even",
        Odd = "odd",
    }
);
words!(
    SourceWord {
        #[default] Clamps = "clamps",
        Modbus = "modbus",
    }
);
words!(
    KindWord {
        #[default] Ac = "ac",
        Dc = "dc",
    }
);
words!(
    SunWord {
        #[default] Surplus = "surplus",
        Minimum = "minimum",
    }
);
words!(
    AutoWord {
        #[default] Auto = "auto",
    }
);
