//! Does a request that changes something come from our own page, or from a program that meant it?
//!
//! Browsers name the page that makes a request (`Origin`, `Sec-Fetch-Site`); a foreign page cannot lie
//! about it, nor send JSON without being asked first. Programs send neither and are let through.

use super::answer::Refusal;
use super::call::Call;
use hyper::StatusCode;
use hyper::header::{HOST, HeaderName, ORIGIN};
use std::net::IpAddr;

/// # Errors
/// The request comes from a foreign page, or is not JSON.
pub(crate) fn check(call: &Call) -> Result<(), Refusal> {
    if !call.is_json() && !call.is_piece() {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "Requests that change something must be JSON.",
            "Send Content-Type: application/json.",
        ));
    }
    if from_foreign_page(call) { Err(foreign()) } else { Ok(()) }
}

/// For the one order that needs no password: choosing it. A page of the internet can give its own name
/// our address (DNS rebinding), and then is of the same origin; but it has a name of the internet.
///
/// # Errors
/// The box was not called by an address or a local name.
pub(crate) fn check_local_name(call: &Call) -> Result<(), Refusal> {
    if host(call).is_some_and(is_local_name) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "not-local",
        "The first password can only be chosen under the box's own address or local name.",
        "Open the page by the box's IP address, for example http://192.168.1.20:8080.",
    ))
}

fn host(call: &Call) -> Option<&str> {
    call.header(&HOST)
}

fn from_foreign_page(call: &Call) -> bool {
    if call.headers.contains_key(ORIGIN) {
        let origin = call.header(&ORIGIN).unwrap_or_default();
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let ours = authority.zip(host(call)).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host));
        return !ours;
    }
    let site = call.headers.get(HeaderName::from_static("sec-fetch-site"));
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn foreign() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "foreign-page",
        "The request comes from another page.",
        "Use the box's own page.",
    )
}

/// An address, a name without dots, or a name that the public DNS does not give away.
fn is_local_name(host: &str) -> bool {
    const LOCAL: [&str; 7] =
        [".local", ".lan", ".home", ".home.arpa", ".internal", ".localhost", ".fritz.box"];
    let name = without_port(host);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    address || (!name.is_empty() && !name.contains('.')) || LOCAL.iter().any(|ending| name.ends_with(ending))
}

fn without_port(host: &str) -> &str {
    let port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match host.rsplit_once(':') {
        Some((name, digits)) if port(digits) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::is_local_name;

    #[test]
    fn addresses_and_local_names_are_local() {
        for host in
            ["192.168.1.20", "10.0.0.7:8080", "[fe80::1]:80", "[::1]", "dlb", "DLB.local:8080", "box.lan."]
        {
            assert!(is_local_name(host), "{host}");
        }
    }

    #[test]
    fn names_of_the_internet_are_not() {
        for host in ["", "evil.example", "evil.example:8080", "192.168.1.20.evil.example", "local.example"] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
