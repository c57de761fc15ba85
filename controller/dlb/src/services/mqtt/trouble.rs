//! Why the broker is not to be had, in sentences that say what to do.

use super::trust::{Authority, TrustFault};
use crate::config::Mqtt;
use rumqttc::{ConnectReturnCode, ConnectionError};
use rustls::{AlertDescription, CertificateError, Error};
use std::io;

/// What stands between the box and its broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Waiting may help. What waiting cannot cure is told at once.
    pub(super) may_pass: bool,
    pub(super) code: &'static str,
    pub(super) text: String,
}

impl Trouble {
    fn lasting(code: &'static str, text: String) -> Self {
        Self { may_pass: false, code, text }
    }

    pub(super) fn of_trust(fault: &TrustFault) -> Self {
        let why = crate::run::chain(fault);
        Self::lasting("broker-tls", format!("The broker cannot be told from a stranger: {why}."))
    }
}

/// What the client says of a connection that failed without any trouble of TLS.
pub(super) fn of_client(mqtt: &Mqtt, error: &ConnectionError) -> Trouble {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => Trouble::lasting("broker-login", refused_login(mqtt)),
        error => unreachable(mqtt, &crate::run::chain(error)),
    }
}

fn refused_login(mqtt: &Mqtt) -> String {
    let broker = place(mqtt);
    match &mqtt.username {
        Some(user) => format!(
            "The broker {broker} refuses the user {user} or the password. Set both in the broker's settings as \
             the broker knows them."
        ),
        None => format!(
            "The broker {broker} lets nobody in without a login. Set user name and password in the broker's \
             settings."
        ),
    }
}

pub(super) fn unreachable(mqtt: &Mqtt, why: &str) -> Trouble {
    let broker = place(mqtt);
    let hint = if mqtt.tls { "" } else { " If that port wants TLS, write mqtts://." };
    let text = format!(
        "The MQTT broker {broker} cannot be reached ({why}). Check that it runs and that the address is right.{hint} \
         Balancing goes on."
    );
    Trouble { may_pass: true, code: "broker-away", text }
}

/// A connection that stood and broke. What a broker dislikes about the handshake it may say after it.
pub(super) fn broken(mqtt: &Mqtt, authority: &Authority, error: &io::Error) -> Trouble {
    match tls_error(error) {
        Some(Error::AlertReceived(_)) => handshake_trouble(mqtt, authority, error),
        _ => unreachable(mqtt, &error.to_string()),
    }
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

/// What went wrong between the connection and the first byte of MQTT.
pub(super) fn handshake_trouble(mqtt: &Mqtt, authority: &Authority, error: &io::Error) -> Trouble {
    let broker = place(mqtt);
    match tls_error(error) {
        Some(Error::InvalidCertificate(why)) => certificate_trouble(mqtt, authority, why),
        Some(Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::CertificateUnknown
            | AlertDescription::BadCertificate,
        )) => Trouble::lasting(
            "broker-wants-certificate",
            format!(
                "The broker {broker} wants a certificate from the box, which has none. Let it ask for user and \
                 password instead."
            ),
        ),
        Some(Error::InvalidMessage(_)) => no_tls(mqtt),
        // A broker that is just starting does the same.
        None if is_cut(error) => Trouble { may_pass: true, ..no_tls(mqtt) },
        Some(other) => {
            let text = format!("TLS with the broker {broker} failed ({other}). Let it offer TLS 1.2 or 1.3.");
            Trouble::lasting("broker-tls", text)
        }
        None => unreachable(mqtt, &error.to_string()),
    }
}

fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn no_tls(mqtt: &Mqtt) -> Trouble {
    let text = format!(
        "{} does not speak TLS. Give the broker's TLS port, mostly 8883; only inside a network that you trust \
         write mqtt:// instead of mqtts://.",
        place(mqtt)
    );
    Trouble::lasting("broker-no-tls", text)
}

fn certificate_trouble(mqtt: &Mqtt, authority: &Authority, why: &CertificateError) -> Trouble {
    let the_certificate = format!("The certificate of the broker {}", place(mqtt));
    let (code, what) = match why {
        CertificateError::UnknownIssuer if *authority == Authority::System => (
            "broker-unknown-issuer",
            "was issued by an authority (CA) that this box does not know. Give that authority's certificate in \
             the broker's settings."
                .to_owned(),
        ),
        CertificateError::UnknownIssuer => (
            "broker-other-issuer",
            "was not issued by the authority (CA) that was given for it. Give the one that issued it, or the \
             broker's own certificate, in the broker's settings."
                .to_owned(),
        ),
        CertificateError::NotValidForName => ("broker-wrong-name", wrong_name(&mqtt.host, &[])),
        CertificateError::NotValidForNameContext { presented, .. } => {
            ("broker-wrong-name", wrong_name(&mqtt.host, presented))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "broker-expired",
            "has expired. Renew it at the broker; if it is still good, the clock of this box is wrong.".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "broker-not-yet-valid",
            "is not valid yet. The clock of this box or of whoever made it is wrong.".to_owned(),
        ),
        other => (
            "broker-tls",
            format!(
                "cannot be accepted ({other}). Give that very certificate in the broker's settings, or let it be \
                 made anew."
            ),
        ),
    };
    Trouble::lasting(code, format!("{the_certificate} {what}"))
}

fn wrong_name(host: &str, presented: &[String]) -> String {
    // The library writes them as it holds them: DnsName("broker.example").
    let plain = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    let names: Vec<String> = presented.iter().take(4).map(plain).collect();
    let names = if names.is_empty() { "another name".to_owned() } else { names.join(", ") };
    format!(
        "is made out for {names}, not for {host}. Give the broker's address by a name that is in its certificate, \
         or that very certificate in the broker's settings."
    )
}

fn place(mqtt: &Mqtt) -> String {
    format!("{}:{}", mqtt.host, mqtt.port)
}
