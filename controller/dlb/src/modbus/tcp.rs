//! Modbus TCP. After a timeout, or anything that does not make sense, the connection is closed: what
//! still comes over the old one is then heard by nobody.

use super::call::{call, settled};
use super::{Answer, Line, within};
use dlb_links::modbus::{Fault, Request};
use smol::net::TcpStream;
use std::io;
use std::time::{Duration, Instant};
use tokio_modbus::client::{Context, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};
use tokio_util::compat::FuturesAsyncReadCompatExt;

const ANSWER: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);

pub(super) struct TcpLine {
    host: String,
    port: u16,
    client: Option<Context>,
    /// Failed attempts in a row, and when the next may be made.
    refused: u32,
    not_before: Instant,
}

impl TcpLine {
    pub(super) fn new(host: String, port: u16) -> Self {
        Self { host, port, client: None, refused: 0, not_before: Instant::now() }
    }

    async fn connect(&mut self) -> Result<Context, Fault> {
        if Instant::now() < self.not_before {
            return Err(Fault::Disconnected);
        }
        let attempt = within(CONNECT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let attempt = attempt.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        match attempt.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => {
                tracing::info!(host = self.host, port = self.port, "Modbus connection made");
                self.refused = 0;
                Ok(tcp::attach(stream.compat()))
            }
            Err(error) => {
                self.note_refused(&error);
                Err(Fault::Disconnected)
            }
        }
    }

    fn note_refused(&mut self, error: &io::Error) {
        if self.refused == 0 {
            tracing::warn!(host = self.host, port = self.port, %error, "connecting to a Modbus device");
        }
        self.not_before = Instant::now() + (RETRY * (1 << self.refused.min(8))).min(RETRY_MAX);
        self.refused = self.refused.saturating_add(1);
    }
}

impl Line for TcpLine {
    async fn ask(&mut self, request: &Request) -> Answer {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self.connect().await?,
        };
        client.set_slave(Slave(request.unit));
        let answer = within(ANSWER, call(&mut client, &request.function)).await;
        let answer = answer.unwrap_or(Err(Fault::Timeout));
        if settled(&answer) {
            self.client = Some(client);
        } else {
            tracing::debug!(host = self.host, unit = request.unit, ?answer, "Modbus connection closed");
        }
        answer
    }
}
