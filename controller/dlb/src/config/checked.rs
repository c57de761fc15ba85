//! The checked configuration: what the whole program runs on. Past this nothing is checked again.

use super::file::SiteFile;
use crate::gpio::Plan;
use dlb_wiring::settings::Settings;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A site that may be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The controller's part.
    pub settings: Settings,
    pub server: Server,
    /// Modbus connections; `PortIx` counts these.
    pub ports: Vec<Port>,
    pub mqtt: Option<Mqtt>,
    pub hawkbit: Option<Hawkbit>,
    /// Board file of the box's own CT clamps. A relative path starts at the configuration file.
    pub board: Option<PathBuf>,
    /// What is watched on the box's GPIO lines.
    pub contacts: Plan,
    /// In the order of the site's chargers.
    pub conversions: Vec<Conversion>,
    /// What all of this was made from.
    pub file: SiteFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    pub page: SocketAddr,
    pub ocpp: SocketAddr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub id: String,
    pub line: PortLine,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortLine {
    Tcp { host: String, port: u16 },
    Serial { device: PathBuf, baud: u32, parity: Parity, stop_bits: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    None,
    Even,
    Odd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// Certificates by which the broker is known; `None`: those given on the page, else the system's.
    pub ca_file: Option<PathBuf>,
    pub username: Option<String>,
    pub prefix: String,
    /// `None`: no Home Assistant discovery.
    pub discovery_prefix: Option<String>,
    pub read_only: bool,
}

/// An update server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hawkbit {
    /// Scheme, host and port, without a slash at the end.
    pub url: String,
    pub tenant: String,
    /// `None`: the box's identifier.
    pub name: Option<String>,
    pub wait_for_cars: bool,
}

/// What one ampere of a charger's limit, on each line that it loads, means in watts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    /// Watts at the charger's rating plate: AC input of an AC charger, DC output of a DC charger.
    pub watts_per_ampere: f64,
    pub dc: bool,
}
