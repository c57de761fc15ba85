//! One request, one connection, nothing hidden.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    address: SocketAddr,
    pub(crate) cookie: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookie: None }
    }

    /// The box has started anew somewhere else.
    pub(crate) fn moves_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, "", None)
    }

    pub(crate) fn post(&self, path: &str, json: &str) -> Reply {
        self.request("POST", path, "Content-Type: application/json\r\n", Some(json))
    }

    /// `headers`: whole lines.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: Option<&str>) -> Reply {
        let mut stream = self.open();
        stream.write_all(self.text(method, path, headers, body).as_bytes()).unwrap();
        read_reply(&mut stream)
    }

    pub(crate) fn text(&self, method: &str, path: &str, headers: &str, body: Option<&str>) -> String {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let length = body.map(|body| format!("Content-Length: {}\r\n", body.len())).unwrap_or_default();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}{headers}{length}\r\n{}",
            self.address,
            body.unwrap_or_default()
        )
    }

    pub(crate) fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn keep_cookie(&mut self, reply: &Reply) {
        let cookie = reply.header("set-cookie").expect("a login sets a cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// Sends bytes as they are and takes what comes until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = Client::new(address).open();
    // The server may well close before it has taken everything.
    let _ = stream.write_all(bytes);
    read_reply(&mut stream)
}

/// Reads until the server closes; a reset counts as closing.
pub(crate) fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => (),
        Err(cause) if cause.kind() == ErrorKind::ConnectionReset => (),
        Err(cause) => panic!("{cause}, after {:?}", String::from_utf8_lossy(&bytes)),
    }
    parse(&bytes)
}

/// The first reply in `bytes`; status 0 if there is none.
pub(crate) fn parse(bytes: &[u8]) -> Reply {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Reply::default() };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default();
    Reply { status, head, body: bytes[end + 4..].to_vec() }
}
