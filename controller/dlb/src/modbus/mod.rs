//! Carries out Modbus requests, over TCP or an RS-485 line. What to ask, when and what it means is
//! decided elsewhere; here every request is answered exactly once, and an answer that comes too late is
//! never taken for the next one's.
//!
//! tokio-modbus codes and decodes; the bytes go through smol, so no second runtime is needed.

mod call;
mod serial;
mod tcp;
#[cfg(test)]
mod tests;

use crate::config::PortLine;
use async_channel::{Receiver, Sender};
use dlb_links::modbus::{Fault, Request};
use futures_lite::FutureExt;
use serial::SerialLine;
use std::time::Duration;
use tcp::TcpLine;

/// What a request brought: the registers that were read, or none for a write.
pub type Answer = Result<Vec<u16>, Fault>;

/// Serves one port until either channel is closed.
pub async fn run_port(line: PortLine, requests: Receiver<Request>, answers: Sender<Answer>) {
    match line {
        PortLine::Tcp { host, port } => carry_out(TcpLine::new(host, port), requests, answers).await,
        PortLine::Serial { device, baud, parity, stop_bits } => {
            carry_out(SerialLine::new(device, baud, parity, stop_bits), requests, answers).await;
        }
    }
}

/// Something that requests can be sent over, one after the other.
trait Line {
    fn ask(&mut self, request: &Request) -> impl Future<Output = Answer> + Send;
}

async fn carry_out(mut line: impl Line, requests: Receiver<Request>, answers: Sender<Answer>) {
    while let Ok(request) = requests.recv().await {
        let answer = line.ask(&request).await;
        if answers.send(answer).await.is_err() {
            return;
        }
    }
}

/// `None`: it took longer.
async fn within<T>(span: Duration, work: impl Future<Output = T>) -> Option<T> {
    let late = async {
        smol::Timer::after(span).await;
        None
    };
    async { Some(work.await) }.or(late).await
}
