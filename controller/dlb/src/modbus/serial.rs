//! Modbus RTU on an RS-485 line. A frame carries nothing that tells a late answer from the one that is
//! wanted. So before each request the line is left silent for 3.5 characters, after a missing answer for
//! much longer, and whatever was received until then is thrown away.

use super::call::{call, settled};
use super::{Answer, Line, within};
use crate::config::Parity;
use dlb_links::modbus::{Fault, Function, Request};
use serial2::{CharSize, SerialPort, Settings, StopBits};
use smol::Async;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_modbus::client::rtu;
use tokio_modbus::slave::Slave;
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// How long a device may think.
const ANSWER: Duration = Duration::from_millis(500);
/// After a missing answer it may still come for this long.
const LATE: Duration = Duration::from_millis(300);
const REOPEN: Duration = Duration::from_secs(1);
/// Start, eight data bits, parity or second stop, stop.
const BITS_PER_CHARACTER: u32 = 11;
/// Above 19200 baud the gap is no longer 3.5 characters.
const GAP_MIN: Duration = Duration::from_micros(1750);

pub(super) struct SerialLine {
    device: PathBuf,
    baud: u32,
    parity: Parity,
    stop_bits: u8,
    port: Option<SerialPort>,
    /// The line is to be silent until then.
    silent_until: Instant,
    failed: bool,
}

impl SerialLine {
    pub(super) fn new(device: PathBuf, baud: u32, parity: Parity, stop_bits: u8) -> Self {
        let now = Instant::now();
        Self { device, baud: baud.max(1), parity, stop_bits, port: None, silent_until: now, failed: false }
    }

    /// A line that is already open; its name is only for the log.
    #[cfg(test)]
    pub(super) fn opened(port: SerialPort, baud: u32) -> Self {
        Self { port: Some(port), ..Self::new("test".into(), baud, Parity::None, 1) }
    }

    fn open(&mut self) -> Result<SerialPort, Fault> {
        let (baud, parity, stop_bits) = (self.baud, self.parity, self.stop_bits);
        let opened = SerialPort::open(&self.device, |mut settings: Settings| {
            settings.set_raw();
            settings.set_baud_rate(baud)?;
            settings.set_char_size(CharSize::Bits8);
            settings.set_parity(match parity {
                Parity::None => serial2::Parity::None,
                Parity::Even => serial2::Parity::Even,
                Parity::Odd => serial2::Parity::Odd,
            });
            settings.set_stop_bits(if stop_bits == 2 { StopBits::Two } else { StopBits::One });
            Ok(settings)
        });
        match opened {
            Ok(port) => {
                tracing::info!(device = %self.device.display(), baud, "Modbus line opened");
                self.failed = false;
                Ok(port)
            }
            Err(error) => {
                self.note_failed(&error);
                Err(Fault::Disconnected)
            }
        }
    }

    fn note_failed(&mut self, error: &io::Error) {
        if !core::mem::replace(&mut self.failed, true) {
            tracing::warn!(device = %self.device.display(), %error, "opening a Modbus line");
        }
        self.silent_until = Instant::now() + REOPEN;
    }

    async fn exchange(&self, port: &SerialPort, request: &Request) -> io::Result<Answer> {
        port.discard_input_buffer()?;
        // A client of its own for each request: nothing is left over from the one before.
        let stream = Async::new(File::from(port.as_fd().try_clone_to_owned()?))?;
        let mut client = rtu::attach_slave(stream.compat(), Slave(request.unit));
        let span = ANSWER + self.on_the_wire(&request.function);
        let answer = within(span, call(&mut client, &request.function)).await;
        Ok(answer.unwrap_or(Err(Fault::Timeout)))
    }

    fn characters(&self, count: u32) -> Duration {
        Duration::from_secs(1) * (BITS_PER_CHARACTER * count) / self.baud
    }

    fn gap(&self) -> Duration {
        if self.baud > 19_200 { GAP_MIN } else { self.characters(7) / 2 }
    }

    /// How long request and answer take to pass.
    fn on_the_wire(&self, function: &Function) -> Duration {
        let sent = match function {
            Function::WriteMultiple { values, .. } => 9 + 2 * values.len(),
            _ => 8,
        };
        let frames = sent + 8 + 2 * function.answer_words();
        self.characters(u32::try_from(frames).unwrap_or(512))
    }
}

impl Line for SerialLine {
    async fn ask(&mut self, request: &Request) -> Answer {
        if self.port.is_none() && Instant::now() < self.silent_until {
            return Err(Fault::Disconnected);
        }
        let port = match self.port.take() {
            Some(port) => port,
            None => self.open()?,
        };
        smol::Timer::at(self.silent_until).await;
        let answer = self.exchange(&port, request).await.unwrap_or(Err(Fault::Disconnected));
        self.silent_until = Instant::now() + if settled(&answer) { self.gap() } else { LATE };
        if answer == Err(Fault::Disconnected) {
            self.silent_until = Instant::now() + REOPEN;
        } else {
            self.port = Some(port);
        }
        answer
    }
}
