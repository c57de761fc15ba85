//! The converter on the box: spidev, and its ready line on the GPIO character device. A multiplexed
//! converter has no ready line; a timer stands for it. An ADS131M's SYNC/RESET pin is a line of the same device.

use super::Source;
use super::board::{Adc, BoardFault, BoardFile, PinPart};
use dlb_engine::time::Instant;
use dlb_links::adc::ads131m::Ads131m;
use dlb_links::adc::mcp3xxx::Mcp3xxx;
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Edge, NotReady, ReadyLine, SyncPin};
use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, Value};
use linux_embedded_hal::SpidevDevice;
use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
use rustix::thread::{ClockId, clock_nanosleep_absolute};
use rustix::time::{Timespec, clock_gettime};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the converter cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error(transparent)]
    Board(#[from] BoardFault),
    #[error("the board file names no {0}")]
    Missing(&'static str),
    #[error("opening the SPI device {path}")]
    Spi { path: PathBuf, source: std::io::Error },
    #[error("taking line {line} of {chip} as the {what} line")]
    Pin { what: &'static str, chip: PathBuf, line: u32, source: gpiocdev::Error },
}

/// Below the 25 MHz that the ADS131M takes; and 20 clocks a conversion for the MCP3208.
const ADS131M_HZ: u32 = 8_192_000;
const MCP3XXX_HZ: u32 = 1_000_000;
/// Edges that the kernel keeps while we are late.
const EDGES_KEPT: u32 = 64;

/// Opens what the board file names.
///
/// # Errors
/// A device that is not there, or not ours to use.
pub fn on_box(file: &BoardFile) -> Result<Box<dyn Source>, Unreachable> {
    let path = file.spi.as_deref().ok_or(Unreachable::Missing("spi device"))?;
    let rate = file.sample_rate_hz;
    Ok(match file.adc()? {
        Adc::Ads131m(model) => {
            let part = file.ready.as_ref().ok_or(Unreachable::Missing("ready line"))?;
            let ready = GpioReady::open(part)?;
            let bus = spi(path, file.spi_hz.unwrap_or(ADS131M_HZ), SpiModeFlags::SPI_MODE_1)?;
            let mut driver = Ads131m::new(bus, file.ads131m_settings(model)?);
            if let Some(part) = &file.sync {
                driver = driver.synchronised(Box::new(GpioSync::open(part)?));
            }
            Box::new(Sampler::new(driver, ready, rate))
        }
        Adc::Mcp3xxx(model) => {
            let bus = spi(path, file.spi_hz.unwrap_or(MCP3XXX_HZ), SpiModeFlags::SPI_MODE_0)?;
            Box::new(Sampler::new(Mcp3xxx::new(bus, model, file.channels.len()), Timer::new(rate), rate))
        }
    })
}

fn spi(path: &Path, hz: u32, mode: SpiModeFlags) -> Result<SpidevDevice, Unreachable> {
    let fault = |source: std::io::Error| Unreachable::Spi { path: path.to_owned(), source };
    let mut device = SpidevDevice::open(path).map_err(|error| fault(std::io::Error::other(error)))?;
    let options = SpidevOptions::new().bits_per_word(8).max_speed_hz(hz).mode(mode).build();
    device.0.configure(&options).map_err(fault)?;
    Ok(device)
}

/// The ADS131M's DRDY pin: falls when a conversion is done. The kernel stamps and counts the edges.
#[derive(Debug)]
struct GpioReady {
    request: Request,
    events: Vec<u64>,
    sequence: u64,
    last: Option<u32>,
}

impl GpioReady {
    fn open(part: &PinPart) -> Result<Self, Unreachable> {
        let request = Request::builder()
            .on_chip(&part.chip)
            .with_line(part.line)
            .with_edge_detection(EdgeDetection::FallingEdge)
            .with_kernel_event_buffer_size(EDGES_KEPT)
            .with_consumer("dlb: data ready")
            .request()
            .map_err(|source| refused("ready", part, source))?;
        let events = vec![0; request.edge_event_u64_size() * EDGES_KEPT as usize];
        Ok(Self { request, events, sequence: 0, last: None })
    }

    fn newest(&mut self) -> gpiocdev::Result<Option<Edge>> {
        let words = self.request.read_edge_events_into_slice(&mut self.events)?;
        let size = self.request.edge_event_u64_size();
        let mut newest = None;
        for event in self.events[..words].chunks_exact(size) {
            let event = self.request.edge_event_from_slice(event)?;
            // The kernel counts on while it drops what nobody reads.
            let fresh = self.last.map_or(1, |last| event.line_seqno.wrapping_sub(last));
            self.last = Some(event.line_seqno);
            self.sequence += u64::from(fresh);
            newest = Some(Edge { sequence: self.sequence, at: Instant(event.timestamp_ns / 1000) });
        }
        Ok(newest)
    }
}

impl ReadyLine for GpioReady {
    fn wait(&mut self, at_most: Duration) -> Result<Edge, NotReady> {
        let broken = |error: gpiocdev::Error| NotReady::Broken(error.to_string());
        if !self.request.wait_edge_event(at_most).map_err(broken)? {
            return Err(NotReady::Timeout);
        }
        self.newest().map_err(broken)?.ok_or(NotReady::Timeout)
    }
}

fn refused(what: &'static str, part: &PinPart, source: gpiocdev::Error) -> Unreachable {
    Unreachable::Pin { what, chip: part.chip.clone(), line: part.line, source }
}

/// The ADS131M's SYNC/RESET pin. Two calls of the kernel make its shortest pulse: a few microseconds, of the 250 that
/// would reset it. Where they lie further apart, the driver sees the reset and starts it again.
#[derive(Debug)]
struct GpioSync {
    request: Request,
    line: u32,
}

impl GpioSync {
    fn open(part: &PinPart) -> Result<Self, Unreachable> {
        let request = Request::builder()
            .on_chip(&part.chip)
            .with_line(part.line)
            .as_active_low()
            .as_output(Value::Inactive)
            .with_consumer("dlb: sync")
            .request()
            .map_err(|source| refused("sync", part, source))?;
        Ok(Self { request, line: part.line })
    }
}

impl SyncPin for GpioSync {
    fn pull(&mut self, at_least: Duration) -> Result<(), String> {
        let set =
            |value| self.request.set_value(self.line, value).map(drop).map_err(|error| error.to_string());
        set(Value::Active)?;
        if !at_least.is_zero() {
            std::thread::sleep(at_least);
        }
        set(Value::Inactive)
    }
}

/// Ticks at the sampling rate, counted even while nobody waits.
#[derive(Debug)]
struct Timer {
    period_ns: f64,
    began_ns: u64,
    tick: u64,
}

impl Timer {
    fn new(rate_hz: f64) -> Self {
        Self { period_ns: 1e9 / rate_hz, began_ns: monotonic_ns(), tick: 0 }
    }

    fn due_ns(&self, tick: u64) -> u64 {
        self.began_ns + (tick as f64 * self.period_ns) as u64
    }
}

impl ReadyLine for Timer {
    fn wait(&mut self, _at_most: Duration) -> Result<Edge, NotReady> {
        let late = ((monotonic_ns() - self.began_ns) as f64 / self.period_ns) as u64;
        self.tick = (self.tick + 1).max(late);
        let due = self.due_ns(self.tick);
        let at = Timespec { tv_sec: (due / 1_000_000_000) as i64, tv_nsec: (due % 1_000_000_000) as _ };
        // Interrupted by a signal: the conversion is made a little early, once.
        let _ = clock_nanosleep_absolute(ClockId::Monotonic, &at);
        Ok(Edge { sequence: self.tick, at: Instant(due / 1000) })
    }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_counts_the_ticks_that_nobody_waited_for() {
        let mut timer = Timer::new(2000.0);
        let first = timer.wait(Duration::ZERO).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let next = timer.wait(Duration::ZERO).unwrap();
        assert!(next.sequence >= first.sequence + 39, "{first:?} {next:?}");
        assert_eq!(next.at.since(first.at).as_micros() as u64, 500 * (next.sequence - first.sequence));
    }

    #[test]
    fn a_box_without_a_converter_is_told_which_device_is_missing() {
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        let text = text.replace("/dev/gpiochip0", "/nowhere/gpiochip9");
        let file = BoardFile::parse(&text, Path::new("board.toml")).unwrap();
        let said = on_box(&file).err().unwrap().to_string();
        assert_eq!(said, "taking line 25 of /nowhere/gpiochip9 as the ready line");
    }
}
