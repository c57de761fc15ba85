//! What the box remembers: charging sessions, events, what chargers taught, load curves, the month's
//! peak. On a thread of its own, behind a bounded channel: a slow, full or broken disk never holds up
//! balancing.
//!
//! Two files of [redb](https://docs.rs/redb) in the data directory:
//! - `journal.redb`: what must survive a power cut. Committed and synced before it is acknowledged.
//! - `history.redb`: load curves, committed every 30 seconds to spare the flash; a power cut costs at
//!   most the last 30 seconds of curve.
//!
//! A file that cannot be read is moved aside (`history-corrupt-1.redb`) and a new one begun. A disk
//! that is full or read-only is tried again every ten seconds; until then records wait in memory, up
//! to a bound. Either raises an alert.
//!
//! Records stand in the order in which they arrived, each with its wall time if that was known: a
//! clock that steps cannot reorder or overwrite them. Load curves are keyed by wall time; what was
//! measured before the clock was known is dated when it becomes known. Retention counts rows and
//! bytes, never the age by a clock that may be wrong.
//!
//! What a day writes to the flash is in `controller/decisions/0002-redb-instead-of-sled.md`.

mod door;
mod figures;
mod history;
mod journal;
mod read;
mod record;
mod rollup;
mod row;
mod sample;
mod thread;
mod trouble;
mod vault;

pub use record::{Peak, Remembered, SessionRecord};
pub use thread::StoreThread;

use crate::register::EnergyRegister;
use arc_swap::ArcSwapOption;
use dlb_wiring::event::{Alert, Record};
use dlb_wiring::status::Status;
use redb::Database;
use sample::Sample;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

/// Commands under way to the thread. Beyond it telemetry is dropped and records are refused.
const QUEUE: usize = 1024;

/// How large the files may become. The defaults suit a box with 8 GB of flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What `history.redb` may take of the disk. Its length may be up to twice that: it has holes.
    pub history_bytes: u64,
    /// Rows of 10 seconds: a week of them.
    pub fine_rows: u64,
    /// Rows of 5 minutes: three years of them.
    pub coarse_rows: u64,
    /// Ended sessions. With the events and what is learnt they stay below 64 MB.
    pub sessions: u64,
    pub events: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            history_bytes: 448 << 20,
            fine_rows: 7 * 24 * 360,
            coarse_rows: 3 * 365 * 24 * 12,
            sessions: 150_000,
            events: 30_000,
        }
    }
}

/// Everything that opening a store gives.
#[derive(Debug)]
pub struct Opened {
    pub handle: StoreHandle,
    pub thread: StoreThread,
    /// What was remembered from before.
    pub remembered: Remembered,
    /// Troubles of the store and their end, as alerts.
    pub troubles: async_channel::Receiver<Alert>,
}

/// For whoever has something to remember, and whoever wants to know it. Cheap to clone.
#[derive(Clone)]
pub struct StoreHandle {
    commands: SyncSender<Command>,
    shared: Arc<Shared>,
}

/// A promise that something has been written for good.
#[derive(Debug)]
#[must_use = "a record is safe once this says so"]
pub struct Ack(async_channel::Receiver<Result<(), NotSafe>>);

/// A record is not on the disk. It is kept in memory and tried again, unless `TooMany`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSafe {
    #[error("writing the record: more are waiting than the store takes")]
    TooMany,
    #[error("writing the record: the disk does not take it now")]
    Disk,
    #[error("writing the record: the store has ended")]
    Ended,
}

/// What was lost or could not be done, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that found the queue full.
    pub samples_dropped: u64,
    /// Rows given up because the clock stayed unknown or the disk away for too long.
    pub rows_dropped: u64,
    /// Records that were never written.
    pub records_dropped: u64,
}

enum Command {
    Record(Record, async_channel::Sender<Result<(), NotSafe>>),
    Sample(Sample),
    /// Write everything now.
    Flush(async_channel::Sender<Result<(), NotSafe>>),
    /// A reader found this file broken.
    Broken(Which),
    /// From now on this register of this meter is kept.
    Keep(String, Arc<EnergyRegister>),
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Journal,
    History,
}

/// What readers see without asking the thread.
#[derive(Debug, Default)]
struct Shared {
    journal: Arc<ArcSwapOption<Database>>,
    history: Arc<ArcSwapOption<Database>>,
    samples_dropped: AtomicU64,
    rows_dropped: AtomicU64,
    records_dropped: AtomicU64,
}

/// Opens the store in a data directory, with the default bounds.
#[must_use]
pub fn open(data: &Path) -> Opened {
    open_bounded(data, Bounds::default())
}

/// Opens the store. Never fails: what cannot be opened is reported as a trouble and tried again.
#[must_use]
pub fn open_bounded(data: &Path, bounds: Bounds) -> Opened {
    let (commands, queue) = std::sync::mpsc::sync_channel(QUEUE);
    let shared = Arc::new(Shared::default());
    let (thread, remembered, troubles) =
        StoreThread::start(data, bounds, queue, commands.clone(), shared.clone());
    Opened { handle: StoreHandle { commands, shared }, thread, remembered, troubles }
}

/// Where the two files are.
fn file(data: &Path, which: Which) -> PathBuf {
    data.join(match which {
        Which::Journal => "journal.redb",
        Which::History => "history.redb",
    })
}

impl StoreHandle {
    /// Hands over a record at once; the answer says when it is safe. Never blocks.
    pub fn record(&self, record: Record) -> Ack {
        self.ask(|reply| Command::Record(record, reply))
    }

    /// Takes what the load curves need of a picture. Never blocks; drops it when the queue is full.
    pub fn telemetry(&self, status: &Status) {
        if self.commands.try_send(Command::Sample(Sample::of(status))).is_err() {
            self.shared.samples_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps a meter's energy register from now on, every half minute and at the end.
    pub fn keep(&self, meter: &str, register: Arc<EnergyRegister>) {
        // At the start the queue is empty; a store that has ended keeps nothing, and says so elsewhere.
        let _ = self.commands.try_send(Command::Keep(meter.to_owned(), register));
    }

    /// Has everything written now.
    pub fn flush(&self) -> Ack {
        self.ask(Command::Flush)
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            samples_dropped: load(&self.shared.samples_dropped),
            rows_dropped: load(&self.shared.rows_dropped),
            records_dropped: load(&self.shared.records_dropped),
        }
    }

    fn ask(&self, command: impl FnOnce(async_channel::Sender<Result<(), NotSafe>>) -> Command) -> Ack {
        let (reply, answer) = async_channel::bounded(1);
        if let Err(error) = self.commands.try_send(command(reply.clone())) {
            let why = match error {
                TrySendError::Full(_) => NotSafe::TooMany,
                TrySendError::Disconnected(_) => NotSafe::Ended,
            };
            self.shared.records_dropped.fetch_add(1, Ordering::Relaxed);
            let _ = reply.try_send(Err(why));
        }
        Ack(answer)
    }
}

impl Ack {
    /// Waits until the record is on the disk.
    ///
    /// # Errors
    /// See [`NotSafe`].
    pub async fn safe(self) -> Result<(), NotSafe> {
        self.0.recv().await.unwrap_or(Err(NotSafe::Ended))
    }

    /// As [`Ack::safe`], for threads that may block.
    ///
    /// # Errors
    /// See [`NotSafe`].
    pub fn wait(self) -> Result<(), NotSafe> {
        self.0.recv_blocking().unwrap_or(Err(NotSafe::Ended))
    }
}

impl core::fmt::Debug for StoreHandle {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("StoreHandle").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
