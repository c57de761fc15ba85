//! Whom the box believes to be its broker.
//!
//! With a file of certificates that was given, those only: an authority (CA) that issued the broker's
//! certificate, or that very certificate (a pin), in which case neither its name nor its dates count.
//! Without one, the authorities of the system. There is no way to believe everybody.

use crate::config::Mqtt;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Larger than any chain of authorities that somebody would give.
pub(crate) const MAX_PEM_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustFault {
    #[error("reading the broker's certificate authority from {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Pem(#[from] PemFault),
    #[error("this system knows no certificate authorities; give the broker's own in its settings")]
    NoSystemAuthorities,
    #[error("preparing TLS")]
    Tls(#[from] Error),
}

/// Whose word counts for the broker's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    System,
    Given(PathBuf),
}

/// What the configuration names counts before what was given on the page.
#[must_use]
pub(crate) fn authority(mqtt: Option<&Mqtt>, data: &Path, beside: &Path) -> Authority {
    let named = mqtt.and_then(|mqtt| mqtt.ca_file.as_ref()).map(|path| beside.join(path));
    let on_page = || Some(authority_file(data)).filter(|path| path.exists());
    named.or_else(on_page).map_or(Authority::System, Authority::Given)
}

/// Where the certificates lie that were given on the page.
#[must_use]
pub(crate) fn authority_file(data: &Path) -> PathBuf {
    data.join("broker-ca.pem")
}

/// Why a text holds no certificate that could be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PemFault {
    #[error("it is longer than 64 kB")]
    TooLong,
    #[error("there is no certificate in it; it must be PEM, with a line -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("a certificate in it cannot be read")]
    Garbled,
}

/// The certificates of a PEM file, in its order.
///
/// # Errors
/// No certificate, or one that cannot be read.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(PemFault::TooLong);
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = read.map_err(|_| PemFault::Garbled)?;
    if found.is_empty() {
        return Err(PemFault::NoCertificate);
    }
    let mut roots = RootCertStore::empty();
    let all = found.iter().all(|certificate| roots.add(certificate.clone()).is_ok());
    if all { Ok(found) } else { Err(PemFault::Garbled) }
}

/// SHA-256 of a certificate as tools show it: `AB:CD:…`.
#[must_use]
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// How to speak TLS with the broker.
pub(super) fn client_config(authority: &Authority) -> Result<ClientConfig, TrustFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (roots, pins) = match authority {
        Authority::Given(path) => given_authorities(path)?,
        Authority::System => (system_authorities()?, Vec::new()),
    };
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let verifier = Arc::new(Trust { pins, authorities });
    Ok(plain_config(provider)?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn plain_config(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn given_authorities(path: &Path) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), TrustFault> {
    let pem = std::fs::read(path).map_err(|source| TrustFault::Read { path: path.to_owned(), source })?;
    let pins = certificates(&pem)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(pins.iter().cloned());
    Ok((roots, pins))
}

fn system_authorities() -> Result<RootCertStore, TrustFault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustFault::NoSystemAuthorities) } else { Ok(roots) }
}

/// Believes the certificates that were given, and what the authorities have issued.
#[derive(Debug)]
struct Trust {
    pins: Vec<CertificateDer<'static>>,
    authorities: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pins.iter().any(|pin| pin == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
