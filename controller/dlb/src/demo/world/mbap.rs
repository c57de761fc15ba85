//! Modbus TCP, the server's side: a seven-byte header, then the body that the device answers.

use super::stage::Stage;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;
use std::io;
use std::net::TcpListener;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// The largest body that Modbus knows, with its unit.
const LENGTH_MAX: usize = 254;

/// Serves the device of a bay to everybody who connects.
pub(super) async fn serve(
    executor: Weak<smol::LocalExecutor<'static>>,
    stage: Rc<Stage>,
    bay: usize,
    listener: TcpListener,
) {
    let listener = match smol::Async::new(listener) {
        Ok(listener) => smol::net::TcpListener::from(listener),
        Err(error) => {
            tracing::error!(%error, "listening as a Modbus device");
            return;
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let stage = Rc::clone(&stage);
                let talk = async move {
                    if let Err(error) = converse(&stage, bay, stream).await {
                        tracing::debug!(%error, bay, "a Modbus connection ended");
                    }
                };
                // Weak, because the executor owns this task: together they would outlive the site.
                let Some(executor) = executor.upgrade() else { return };
                executor.spawn(talk).detach();
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a Modbus connection");
                smol::Timer::after(Duration::from_millis(500)).await;
            }
        }
    }
}

/// Answers requests until the peer hangs up or talks nonsense.
async fn converse(stage: &Stage, bay: usize, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut header = [0; 7];
        stream.read_exact(&mut header).await?;
        let [transaction_high, transaction_low, 0, 0, length_high, length_low, unit] = header else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the protocol is not Modbus"));
        };
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        if !(2..=LENGTH_MAX).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the length is not one of Modbus"));
        }
        let mut body = vec![0; length - 1];
        stream.read_exact(&mut body).await?;
        // A unit that is not here stays silent, as behind a gateway.
        let Some(answer) = stage.answer(bay, unit, &body) else { continue };
        let [high, low] = u16::try_from(answer.len() + 1).unwrap_or_default().to_be_bytes();
        let mut frame = vec![transaction_high, transaction_low, 0, 0, high, low, unit];
        frame.extend(answer);
        stream.write_all(&frame).await?;
    }
}
