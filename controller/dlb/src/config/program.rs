//! Checks the program's own part: addresses, broker, board file, Modbus connections.

use super::checked::{Hawkbit, Mqtt, Parity, Port, PortLine, Server};
use super::defaults::{
    BAUD, BAUD_RANGE, DISCOVERY_PREFIX, MODBUS_TCP_PORT, MQTT_PORT, MQTT_PREFIX, MQTT_TLS_PORT, OCPP, PAGE,
    STOP_BITS, STOP_BITS_RANGE,
};
use super::file::{ClampsPart, HawkbitPart, MqttPart, ParityWord, PortEntry, ServerPart};
use super::problem::Problems;
use super::section::short;
use super::words::{Names, check_id, host_and_port};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub(super) fn server(part: &ServerPart, problems: &mut Problems) -> Server {
    let page = address("server.page", part.page.as_deref().unwrap_or(PAGE), problems);
    let ocpp = address("server.ocpp", part.ocpp.as_deref().unwrap_or(OCPP), problems);
    if page == ocpp && page.port() != 0 {
        let what = format!("is {ocpp}, where the page is already");
        problems.error("server.ocpp", what, "choose another port, like 0.0.0.0:9000");
    }
    Server { page, ocpp }
}

fn address(key: &str, text: &str, problems: &mut Problems) -> SocketAddr {
    text.parse().unwrap_or_else(|_| {
        let what = format!("is \"{}\", it must be an IP address and a port", short(text));
        problems.error(
            key,
            what,
            "write 0.0.0.0:8080 to listen everywhere, 127.0.0.1:8080 for this box only",
        );
        (Ipv4Addr::LOCALHOST, 0).into()
    })
}

pub(super) fn mqtt(part: &MqttPart, problems: &mut Problems) -> Mqtt {
    let (host, port, tls) = broker(&part.broker, problems);
    let prefix = part.prefix.as_deref().unwrap_or(MQTT_PREFIX);
    let discovery = part.discovery_prefix.as_deref().unwrap_or(DISCOVERY_PREFIX);
    check_topic("mqtt.prefix", prefix, problems);
    if !discovery.is_empty() {
        check_topic("mqtt.discovery_prefix", discovery, problems);
    }
    let ca_file = part.ca_file.as_ref().map(PathBuf::from);
    if ca_file.is_some() && !tls && !problems.refused("mqtt.broker") {
        let what = "is for a broker with TLS, and mqtt:// has none";
        problems.error("mqtt.ca_file", what, "write mqtts:// or remove it");
    } else if part.ca_file.as_deref() == Some("") {
        problems.error("mqtt.ca_file", "is empty", "give the path of a PEM file, or remove it");
    }
    Mqtt {
        host,
        ca_file,
        port,
        tls,
        username: part.username.clone().filter(|name| !name.is_empty()),
        prefix: prefix.to_owned(),
        discovery_prefix: (!discovery.is_empty()).then(|| discovery.to_owned()),
        read_only: part.read_only.unwrap_or(false),
    }
}

fn broker(text: &str, problems: &mut Problems) -> (String, u16, bool) {
    let (tls, rest) = match text.split_once("://") {
        Some(("mqtt", rest)) => (false, Some(rest)),
        Some(("mqtts", rest)) => (true, Some(rest)),
        _ => (false, None),
    };
    let rest = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    if rest.is_some_and(|rest| rest.contains('@')) {
        let what = "has a user name or a password in it";
        problems.error("mqtt.broker", what, "put the name into username; set the password on the page");
    } else if let Some((host, port)) =
        rest.and_then(|rest| host_and_port(rest, if tls { MQTT_TLS_PORT } else { MQTT_PORT }))
    {
        return (host, port, tls);
    } else if !problems.refused("mqtt.broker") {
        let what = format!("is \"{}\", it must be the address of a broker", short(text));
        problems.error("mqtt.broker", what, "write mqtt://host:1883 or, with TLS, mqtts://host:8883");
    }
    (String::new(), MQTT_PORT, tls)
}

/// The update server's address and what this box is called there.
pub(super) fn hawkbit(part: &HawkbitPart, problems: &mut Problems) -> Hawkbit {
    let url = part.server.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let good = host.is_some_and(|host| host_and_port(host, 443).is_some() && !host.contains(['@', '/', '?']));
    if !good && !problems.refused("hawkbit.server") {
        let what =
            format!("is \"{}\", it must be the address of a server, without a path", short(&part.server));
        problems.error("hawkbit.server", what, "write it like https://updates.example.com");
    }
    let tenant = part.tenant.as_deref().unwrap_or("DEFAULT");
    check_part_of_address("hawkbit.tenant", tenant, problems);
    let name = part.name.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = name {
        check_part_of_address("hawkbit.name", name, problems);
    }
    Hawkbit {
        url: url.to_owned(),
        tenant: tenant.to_owned(),
        name: name.map(str::to_owned),
        wait_for_cars: part.wait_for_cars.unwrap_or(true),
    }
}

fn check_part_of_address(key: &str, text: &str, problems: &mut Problems) {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !plain || text.is_empty() || text.len() > 64 || text.starts_with('.') {
        let what = format!("is \"{}\", which cannot stand in an address", short(text));
        problems.error(key, what, "use letters, digits, -, _ and dots, at most 64");
    }
}

/// The first levels of a topic: no wildcards, no empty level, nothing that a broker keeps for itself.
fn check_topic(key: &str, topic: &str, problems: &mut Problems) {
    let bad_char = topic.chars().any(|char| matches!(char, '+' | '#') || char.is_control() || char == ' ');
    let bad_level = topic.split('/').any(str::is_empty) || topic.starts_with('$');
    if bad_char || bad_level || topic.len() > 100 {
        let what = format!("is \"{}\", which cannot begin a topic", short(topic));
        problems.error(key, what, "use letters, digits, - and _, levels divided by one /");
    }
}

pub(super) fn board(part: &ClampsPart, problems: &mut Problems) -> PathBuf {
    if part.board.is_empty() && !problems.refused("clamps.board") {
        problems.error("clamps.board", "is empty", "give the path of the board file");
    }
    PathBuf::from(&part.board)
}

pub(super) fn ports(entries: &[PortEntry], problems: &mut Problems) -> (Vec<Port>, Names) {
    let mut names = Names::default();
    let mut ends = BTreeMap::new();
    let mut ports = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let path = format!("port[{at}]");
        check_id(&path, &entry.id, problems);
        names.add(&path, &entry.id, problems);
        let line = port_line(&path, entry, problems);
        let end = entry.tcp.clone().or_else(|| entry.serial.clone()).unwrap_or_default();
        if let Some(first) = ends.insert(end.clone(), path.clone()).filter(|_| !end.is_empty()) {
            let what = format!("is the same connection as {first}");
            problems.error(&path, what, "use that one for both: only one request may be under way at a time");
        }
        ports.push(Port { id: entry.id.clone(), line });
    }
    (ports, names)
}

fn port_line(path: &str, entry: &PortEntry, problems: &mut Problems) -> PortLine {
    let key = |name: &str| format!("{path}.{name}");
    match (&entry.tcp, &entry.serial) {
        (Some(tcp), None) => {
            for (name, set) in [
                ("baud", entry.baud.is_some()),
                ("parity", entry.parity.is_some()),
                ("stop_bits", entry.stop_bits.is_some()),
            ] {
                if set {
                    problems.error(&key(name), "is for serial lines only", "remove it from this TCP port");
                }
            }
            let (host, port) = host_and_port(tcp, MODBUS_TCP_PORT).unwrap_or_else(|| {
                let what = format!("is \"{}\", it must be host and port", short(tcp));
                problems.error(&key("tcp"), what, "write it like 192.168.1.20:502");
                (String::new(), 0)
            });
            PortLine::Tcp { host, port }
        }
        (None, Some(device)) => serial(path, device, entry, problems),
        (None, None) => {
            if !problems.refused(&key("tcp")) && !problems.refused(&key("serial")) {
                let remedy = "add tcp = \"192.168.1.20:502\" or serial = \"/dev/ttyAMA1\"";
                problems.error(path, "has neither tcp nor serial", remedy);
            }
            PortLine::Tcp { host: String::new(), port: 0 }
        }
        (Some(_), Some(_)) => {
            problems.error(&key("serial"), "stands beside tcp", "keep one of the two");
            PortLine::Tcp { host: String::new(), port: 0 }
        }
    }
}

fn serial(path: &str, device: &str, entry: &PortEntry, problems: &mut Problems) -> PortLine {
    let key = |name: &str| format!("{path}.{name}");
    if !device.starts_with('/') || device.contains('\0') {
        let what = format!("is \"{}\", it must be a device", short(device));
        problems.error(&key("serial"), what, "write it like /dev/ttyAMA1");
    }
    let baud = entry.baud.unwrap_or(BAUD);
    problems.check_range(&key("baud"), f64::from(baud), &BAUD_RANGE);
    let stop_bits = entry.stop_bits.unwrap_or(u32::from(STOP_BITS));
    problems.check_range(&key("stop_bits"), f64::from(stop_bits), &STOP_BITS_RANGE);
    let parity = match entry.parity.unwrap_or_default() {
        ParityWord::None => Parity::None,
        ParityWord::Even => Parity::Even,
        ParityWord::Odd => Parity::Odd,
    };
    let stop_bits = u8::try_from(stop_bits).unwrap_or(STOP_BITS);
    PortLine::Serial { device: PathBuf::from(device), baud, parity, stop_bits }
}
