//! Names and addresses: what an `id` may look like, that no two are the same, `host:port`.

use super::problem::Problems;
use super::section::short;
use std::collections::BTreeMap;

/// The names of one kind of entry.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes a name in; the second of the same name is a mistake.
    pub(super) fn add(&mut self, path: &str, id: &str, problems: &mut Problems) {
        if id.is_empty() {
            return;
        }
        if let Some(first) = self.0.get(id) {
            let what = format!("\"{}\" is the id of {first} already", short(id));
            problems.error(&format!("{path}.id"), what, "give each its own");
        } else {
            self.0.insert(id.to_owned(), path.to_owned());
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn all(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// An `id` goes into topics, addresses of the API and file names as it is.
pub(super) fn check_id(path: &str, id: &str, problems: &mut Problems) {
    let key = format!("{path}.id");
    if problems.refused(&key) {
        return;
    }
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if id.is_empty() || id.len() > 40 || !id.chars().all(plain) {
        let what = format!("\"{}\" cannot be used in topics and addresses", short(id));
        problems.error(&key, what, "use 1 to 40 of a-z, A-Z, 0-9, - and _");
    }
}

/// Splits `host:port`; brackets round an IPv6 address are taken off.
pub(super) fn host_and_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => (host, port.parse().ok()?),
        None => (text, default_port),
        Some(_) => return None,
    };
    let bare = host.strip_prefix('[').map_or(Some(host), |rest| rest.strip_suffix(']'))?;
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | ':' | '%');
    let good = !bare.is_empty() && bare.len() <= 253 && bare.chars().all(plain) && port != 0;
    good.then(|| (bare.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_be_a_name_an_ipv4_or_a_bracketed_ipv6_address() {
        assert_eq!(host_and_port("192.168.1.20:502", 1), Some(("192.168.1.20".into(), 502)));
        assert_eq!(host_and_port("meter.local", 502), Some(("meter.local".into(), 502)));
        assert_eq!(host_and_port("[fe80::1%eth0]:502", 1), Some(("fe80::1%eth0".into(), 502)));
        for wrong in ["", ":502", "host:", "host:70000", "fe80::1:502", "a b:1", "host:0", "[::1:5"] {
            assert_eq!(host_and_port(wrong, 502), None, "{wrong}");
        }
    }
}
