//! A small HTTP/1.1 client for one server: JSON both ways, bounded in size and time. The token goes to that server and
//! to nobody else, wherever its links lead.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Uri};
use serde_json::Value;
use smol_hyper::rt::FuturesIo;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    /// Scheme and authority of the server.
    home: Option<(String, String)>,
    token: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("its address {0} is not one")]
    Address(String),
    #[error("it has a link to another server, {0}")]
    Elsewhere(String),
    #[error("connecting to {0}")]
    Connecting(String, #[source] std::io::Error),
    #[error("talking to it")]
    Talking(#[from] hyper::Error),
    #[error("it takes too long to answer")]
    TooLong,
    #[error("its answer is not JSON, or larger than 256 kB")]
    NotJson,
    #[error("it does not know this box, or not its token (status {0})")]
    NotLetIn(u16),
    #[error("it answers with status {0}")]
    Status(u16),
}

impl Client {
    pub(super) fn new(server: &str) -> Self {
        Self { home: server.parse().ok().as_ref().and_then(origin), token: None }
    }

    /// Shows this token from here on.
    pub(super) fn show(&mut self, token: Option<String>) {
        self.token = token;
    }

    pub(super) async fn get(&self, link: &str) -> Result<Value, Fault> {
        self.ask(Method::GET, link, None).await
    }

    pub(super) async fn put(&self, link: &str, body: &Value) -> Result<Value, Fault> {
        self.ask(Method::PUT, link, Some(body)).await
    }

    pub(super) async fn post(&self, link: &str, body: &Value) -> Result<Value, Fault> {
        self.ask(Method::POST, link, Some(body)).await
    }

    /// What RAUC shall send along when it fetches from there: only the server itself learns the token.
    pub(super) fn headers_for(&self, place: &str) -> Vec<String> {
        let same = place.parse().ok().as_ref().and_then(origin) == self.home;
        let token = self.token.as_ref().filter(|_| same);
        token.map(|token| format!("Authorization: TargetToken {token}")).into_iter().collect()
    }

    async fn ask(&self, method: Method, link: &str, body: Option<&Value>) -> Result<Value, Fault> {
        let address = || Fault::Address(link.chars().take(100).collect());
        let uri: Uri = link.parse().map_err(|_| address())?;
        let (scheme, authority) = origin(&uri).ok_or_else(address)?;
        if self.home.as_ref() != Some(&(scheme.clone(), authority.clone())) {
            return Err(Fault::Elsewhere(authority));
        }
        let request = self.request(method, &uri, &authority, body).ok_or_else(address)?;
        let exchange = async {
            let stream = connect(&uri).await?;
            if scheme == "https" {
                let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
                let name = ServerName::try_from(host).map_err(|_| address())?;
                let connecting = |cause| Fault::Connecting(authority.clone(), cause);
                let stream = connector().connect(name, stream).await.map_err(connecting)?;
                send(request, stream).await
            } else {
                send(request, stream).await
            }
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| Fault::TooLong)?
    }

    fn request(
        &self,
        method: Method,
        uri: &Uri,
        authority: &str,
        body: Option<&Value>,
    ) -> Option<Request<Full<Bytes>>> {
        let path = uri.path_and_query()?.as_str();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, authority)
            .header(ACCEPT, "application/hal+json, application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("TargetToken {token}"));
        }
        let bytes = body.map(|body| Bytes::from(body.to_string()));
        if bytes.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(bytes.unwrap_or_default())).ok()
    }
}

/// Scheme and authority with its port.
fn origin(uri: &Uri) -> Option<(String, String)> {
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    Some((scheme.to_owned(), format!("{}:{}", uri.host()?, port(uri))))
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

async fn connect(uri: &Uri) -> Result<TcpStream, Fault> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let connecting = |cause| Fault::Connecting(host.to_owned(), cause);
    TcpStream::connect((host, port(uri))).await.map_err(connecting)
}

async fn send<S>(request: Request<Full<Bytes>>, stream: S) -> Result<Value, Fault>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(FuturesIo::new(stream.compat())).await?;
    let exchange = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|_| Fault::NotJson)?;
        match status {
            200..=299 => Ok(body.to_bytes()),
            401 | 403 => Err(Fault::NotLetIn(status)),
            status => Err(Fault::Status(status)),
        }
    };
    let carrying = async {
        connection.await?;
        // It is over when the answer has been read.
        std::future::pending().await
    };
    let bytes = futures_lite::future::or(exchange, carrying).await?;
    if bytes.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_slice(&bytes).map_err(|_| Fault::NotJson)
    }
}

/// Trusts whom the system trusts.
fn connector() -> TlsConnector {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    });
    TlsConnector::from(Arc::clone(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_server_and_to_nobody_else() {
        let mut client = Client::new("https://updates.example.com");
        client.show(Some("hush".into()));
        let to = |place: &str| client.headers_for(place);
        assert_eq!(to("https://updates.example.com:443/dlb.raucb"), ["Authorization: TargetToken hush"]);
        for elsewhere in [
            "https://cdn.example.com/a",
            "http://updates.example.com/a",
            "https://updates.example.com:8443/a",
            "nonsense",
        ] {
            assert!(to(elsewhere).is_empty(), "{elsewhere}");
        }
    }
}
