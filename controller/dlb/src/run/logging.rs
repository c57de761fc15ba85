//! The log: text for people, JSON for collectors; to standard error, which systemd takes to the journal.
//! `RUST_LOG` overrides what is logged. The end of it is kept in memory, for the diagnostics bundle.
//!
//! A thread of its own writes it: whoever reads it may stop reading (a terminal on Ctrl-S, a journal on a full disk),
//! and nobody who balances waits for that. Lines that find [`WAITING`] others before them are lost to the reader.

use clap::ValueEnum;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// How many lines wait for their reader.
const WAITING: usize = 4096;

static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Starts logging, once in a process; panics are logged, too.
pub fn start(format: Format, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let (lines, writer) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING).thread_name("log").finish(io::stderr());
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    std::panic::set_hook(Box::new(tell_panic));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    let log = log.with_writer(move || Kept(lines.clone()));
    // Colours only where a person looks, and has not said no (NO_COLOR).
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = log.with_ansi(coloured);
    // Somebody else may have set a subscriber already (a test); its log is as good.
    let _ = match format {
        Format::Text => log.try_init(),
        Format::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Writes what is waiting, as far as somebody takes it within a second, and ends the log.
pub fn end() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// The hook of the standard library would write to standard error itself, and wait for its reader.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        tracing::error!("{panic}\n{trace}");
    } else {
        tracing::error!("{panic}");
    }
}

/// How much of the log is kept in memory.
const KEPT: usize = 256 * 1024;

static TAIL: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

/// The end of the log, from the beginning of a line.
pub(crate) fn tail() -> Vec<u8> {
    let tail = TAIL.lock().unwrap_or_else(PoisonError::into_inner);
    let cut = tail.len() >= KEPT;
    let start = if cut { tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) } else { 0 };
    tail.iter().skip(start).copied().collect()
}

/// The way to standard error, and what is kept of it.
struct Kept(NonBlocking);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        keep(bytes);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn keep(bytes: &[u8]) {
    let mut tail = TAIL.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
    let surplus = (tail.len() + bytes.len()).saturating_sub(KEPT);
    tail.drain(..surplus);
    tail.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_log_is_kept_from_a_whole_line_on() {
        for line in 0..20_000 {
            keep(format!("{line}: something happened\n").as_bytes());
        }
        let tail = String::from_utf8(tail()).unwrap();
        assert!(tail.len() <= KEPT && tail.ends_with("19999: something happened\n"));
        let first = tail.lines().next().unwrap();
        assert!(first.split(':').next().unwrap().parse::<u32>().is_ok(), "{first}");
    }
}
