//! What crosses the wire of the API, beside [`crate::view`]: requests as they are read, answers as they
//! are written. Unknown fields are refused; units are in the names; a missing value is null, never zero.

use crate::config::{Problem, SiteFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use utoipa::ToSchema;

/// `GET /api/v1/health`: for probes, needs no login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthView {
    /// `ok`: the program answers.
    pub status: String,
    pub version: String,
    /// The loop has published a picture of the site within the last seconds.
    pub balancing: bool,
    /// The configuration on the disk is in force. False: this version cannot use it, and runs on an earlier one or
    /// on none.
    pub config_in_force: bool,
}

/// `GET /api/v1/setup`: what the page must ask for first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SetupView {
    /// Nobody has chosen a password yet.
    pub needs_password: bool,
    /// This request came with a valid login.
    pub logged_in: bool,
    pub version: String,
    pub password_min_characters: usize,
}

/// `POST /api/v1/setup` and `POST /api/v1/login`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordOrder {
    pub password: String,
}

/// `POST /api/v1/password`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasswordOrder {
    pub old_password: String,
    pub new_password: String,
}

/// `PUT /api/v1/broker/password`. Null: forget it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokerPasswordOrder {
    pub password: Option<String>,
}

/// `PUT /api/v1/broker/authority`. Null: forget them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokerAuthorityOrder {
    /// One or more certificates as PEM.
    pub pem: Option<String>,
}

/// `GET /api/v1/broker`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BrokerView {
    pub state: BrokerStateName,
    /// Why it is away.
    pub trouble: Option<TroubleView>,
    pub password_set: bool,
    /// The certificates that were given for the broker; empty: the system's authorities count.
    pub authorities: Vec<CertificateView>,
}

/// How the connection to the broker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BrokerStateName {
    /// No broker is configured.
    Off,
    Trying,
    Up,
    Away,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TroubleView {
    /// As in alerts.
    pub code: &'static str,
    /// What is wrong and what to do, in English.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateView {
    /// Its fingerprint, as tools show it: `AB:CD:…`.
    pub sha256: String,
}

/// The answer to an order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DoneView {
    pub done: bool,
}

/// `POST /api/v1/update/upload`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadOrder {
    /// The file's name; with the same name and size an upload goes on where it broke off.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// `POST /api/v1/update/fetch`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchOrder {
    /// `https://…` or `http://…`; the signature is checked either way.
    pub url: String,
}

/// `POST /api/v1/update/server-token`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTokenOrder {
    /// Null forgets it.
    pub token: Option<String>,
}

/// `POST /api/v1/update/install`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallOrder {
    /// The restart waits until no car charges.
    pub wait_for_cars: bool,
}

/// `POST /api/v1/backup`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupOrder {
    /// At least 10 characters. Without it the backup is of no use to anybody.
    pub passphrase: String,
}

/// `POST /api/v1/backup/restore`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreOrder {
    pub passphrase: String,
    pub backup: crate::backup::BackupFile,
}

/// `POST /api/v1/order/strategy`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyOrder {
    pub strategy: StrategyName,
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    Equal,
    FirstCome,
    Priority,
    Departure,
}

/// `POST /api/v1/order/site-limit`: a lower limit for the whole site, for a while.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteLimitOrder {
    /// Null takes the limit back.
    pub limit_a: Option<LinesOrAll>,
    /// How long the limit holds; needed with a limit.
    #[schema(minimum = 1, maximum = 604_800)]
    pub lasts_s: Option<u64>,
}

/// One number for all lines, or one for each of L1, L2, L3.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a number, three numbers or null")]
pub enum LinesOrAll {
    All(f64),
    Each([f64; 3]),
}

/// `POST /api/v1/order/charger-limit`: hold a charger at no more than this.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargerLimitOrder {
    pub charger: String,
    /// Zero pauses the charger, null takes the limit back.
    pub limit_a: Option<f64>,
}

/// `POST /api/v1/order/close-contactor`: close a contactor again that a relay of the box has opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseContactorOrder {
    pub output: String,
}

/// `POST /api/v1/order/service`: something that a technician asks of an OCPP charger.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceOrder {
    pub charger: String,
    pub ask: ServiceName,
}

/// The charger's answer becomes an event about it: `service-done` or `service-refused`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ServiceName {
    /// Ends its sessions, then restarts.
    Restart,
    /// Restarts at once.
    RestartHard,
    /// Frees a plug that is stuck.
    Unlock,
    OutOfService,
    InService,
    /// Forgets which cards it has let in.
    ClearCache,
    /// Says which limits it believes to be in force over the next day.
    Schedule,
    /// Passes something on that only its manufacturer knows.
    Vendor(VendorMessage),
}

/// OCPP's DataTransfer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorMessage {
    #[schema(max_length = 255)]
    pub vendor: String,
    #[serde(default)]
    #[schema(max_length = 50)]
    pub message: Option<String>,
    #[serde(default)]
    pub data: Option<String>,
}

/// `POST /api/v1/order/departure`: a driver's wish. Null: unknown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartureOrder {
    pub charger: String,
    /// Milliseconds since 1970.
    pub departs_ms: Option<i64>,
    pub energy_needed_kwh: Option<f64>,
}

/// `POST /api/v1/waiting/{name}/adopt`: keys of a `[[charger]]` in the configuration. What is left out is taken
/// from the charger's `proposal`, so that `{}` adopts it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptOrder {
    /// The name that people will call it by.
    pub id: Option<String>,
    pub circuit: Option<String>,
    /// The lines behind its own L1, L2, L3: `L1L2L3`, `L2`, …, or `unknown`.
    pub rotation: Option<String>,
    /// Every outlet if omitted.
    #[schema(minimum = 1, maximum = 16)]
    pub outlet: Option<u8>,
    pub min_a: Option<f64>,
    pub max_a: Option<f64>,
    pub priority: Option<u8>,
    pub weight: Option<f64>,
}

/// `GET /api/v1/config`: the configuration file's content as JSON, same keys.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConfigView {
    /// Goes into `If-Match` of the next `PUT`.
    pub version: u64,
    #[schema(value_type = SiteFile)]
    pub config: Value,
}

/// A configuration was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionView {
    pub version: u64,
}

/// One of the kept versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeptVersionView {
    pub version: u64,
    /// Milliseconds since 1970; null if the clock was unknown.
    pub written_ms: Option<i64>,
    /// It is the one in force.
    pub current: bool,
}

/// `POST /api/v1/config/check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckView {
    /// What must be corrected; empty if the configuration would be taken.
    pub problems: Vec<Problem>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

/// `GET /api/v1/maps`: register maps by name, for the settings page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapsView {
    pub meters: Vec<MapView>,
    pub chargers: Vec<MapView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapView {
    /// What goes into the configuration, for example `eastron-sdm630`.
    pub name: String,
    /// What people call it, for example `Eastron SDM630`.
    pub title: String,
}

/// `GET /api/v1/history`: load curves, one value per step, null where nothing was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HistoryView {
    /// Start of the first step, milliseconds since 1970.
    pub from_ms: i64,
    /// May be longer than asked for, where only longer steps are kept.
    pub step_s: u32,
    pub series: Vec<SeriesView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SeriesView {
    /// `circuit` or `charger`.
    pub kind: String,
    pub id: String,
    /// `current`, `limit` or `power`.
    pub quantity: String,
    /// `L1`, `L2`, `L3`, or null for all together.
    pub line: Option<String>,
    /// `A` or `W`.
    pub unit: String,
    pub mean: Vec<Option<f64>>,
    pub max: Vec<Option<f64>>,
}

/// `GET /api/v1/sessions`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionsView {
    pub sessions: Vec<SessionRecordView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionRecordView {
    pub charger: String,
    pub session: u64,
    pub tag: String,
    pub started_ms: Option<i64>,
    /// Null while it runs, or if the clock was unknown.
    pub ended_ms: Option<i64>,
    pub energy_wh: Option<i64>,
    /// Why it ended; null while it runs.
    pub why: Option<String>,
}

/// `GET /api/v1/events`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventsView {
    pub events: Vec<EventView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventView {
    pub time_ms: Option<i64>,
    /// `note`, `warning` or `alarm`.
    pub severity: String,
    pub about: String,
    pub code: String,
    pub text: String,
    /// The trouble is over.
    pub cleared: bool,
}

/// `GET /api/v1/system`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SystemView {
    pub version: String,
    pub uptime_s: u64,
    /// Milliseconds since 1970, or null while the clock is unknown.
    pub time_ms: Option<i64>,
    /// This program runs as the appliance that updates itself.
    pub appliance: bool,
    /// A sentence for people, where there is something to say about the appliance's state.
    pub note: Option<String>,
    /// Where OCPP chargers are listened for, like `0.0.0.0:9000`; `0.0.0.0` and `[::]`: at every address of the box.
    pub ocpp: String,
    /// The two systems of an appliance; empty elsewhere.
    pub slots: Vec<SlotView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlotView {
    pub name: String,
    /// This one runs now.
    pub booted: bool,
    pub version: Option<String>,
    /// `good`, `bad` or `unknown`.
    pub status: String,
    pub installed_ms: Option<i64>,
}

/// `GET /api/v1/metrics-token`: lets a collector read the metrics without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MetricsTokenView {
    /// Sent as `Authorization: Bearer …`.
    pub token: String,
}

/// A password is in no log.
impl fmt::Debug for PasswordOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordOrder").finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerTokenOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTokenOrder").finish_non_exhaustive()
    }
}

impl fmt::Debug for BackupOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupOrder").finish_non_exhaustive()
    }
}

impl fmt::Debug for RestoreOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreOrder").finish_non_exhaustive()
    }
}

impl fmt::Debug for BrokerPasswordOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerPasswordOrder").finish_non_exhaustive()
    }
}

impl fmt::Debug for NewPasswordOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPasswordOrder").finish_non_exhaustive()
    }
}

/// Every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusalView {
    pub error: ErrorView,
    /// With 422: everything that is wrong with the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub problems: Vec<Problem>,
    /// With 409: the version that is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorView {
    /// Stable, for programs.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The field or parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
