//! The thread that writes. Records at once, as many as are waiting in one commit; curves every half
//! minute.

use super::history::{self, Curves};
use super::record::{Remembered, month_of};
use super::rollup::{Dated, Rollup};
use super::sample::{Kind, Owner};
use super::trouble::{HISTORY, JOURNAL};
use super::vault::Vault;
use super::{Bounds, Command, NotSafe, Shared, Which, file, journal};
use crate::clock;
use crate::register::EnergyRegister;
use dlb_engine::time::{Duration, Instant};
use dlb_wiring::event::{Alert, Record};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};

/// A power cut costs no more of the curves than this.
const CURVES_EVERY: Duration = Duration::from_secs(30);
/// Records in one commit.
const TOGETHER: usize = 256;
/// Records that wait in memory for a disk that is away.
const BACKLOG: usize = 2_000;
/// Rows that wait likewise: an hour of them.
const ROWS_WAITING: usize = 360;
/// Alerts that nobody has fetched yet.
const ALERTS: usize = 64;

type Reply = async_channel::Sender<Result<(), NotSafe>>;

/// The running thread. Dropping it leaves the thread alone; [`StoreThread::stop`] ends it.
#[derive(Debug)]
pub struct StoreThread {
    commands: SyncSender<Command>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl StoreThread {
    pub(super) fn start(
        data: &Path,
        bounds: Bounds,
        queue: Receiver<Command>,
        commands: SyncSender<Command>,
        shared: Arc<Shared>,
    ) -> (Self, Remembered, async_channel::Receiver<Alert>) {
        let (told, troubles) = async_channel::bounded(ALERTS);
        let mut writer = Writer {
            journal: Vault::new(file(data, Which::Journal), true, JOURNAL, shared.journal.clone()),
            history: Vault::new(file(data, Which::History), false, HISTORY, shared.history.clone()),
            shared,
            bounds,
            told,
            backlog: VecDeque::new(),
            asked: Vec::new(),
            rollup: Rollup::default(),
            rows: Vec::new(),
            curves: Curves::default(),
            root: None,
            registers: Vec::new(),
            curves_due: clock::now() + CURVES_EVERY,
        };
        let remembered = writer.remember();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || writer.run(&queue));
        if let Err(error) = &thread {
            tracing::error!(%error, "starting the store's thread");
        }
        (Self { commands, thread: thread.ok() }, remembered, troubles)
    }

    /// Writes what is waiting and ends the thread.
    pub fn stop(mut self) {
        if let Some(thread) = self.thread.take() {
            // The queue may be full: the thread is emptying it, so this waits for no more than a commit.
            let _ = self.commands.send(Command::Stop);
            if thread.join().is_err() {
                tracing::error!("the store's thread has died");
            }
        }
    }
}

struct Writer {
    journal: Vault,
    history: Vault,
    shared: Arc<Shared>,
    bounds: Bounds,
    told: async_channel::Sender<Alert>,
    /// Not written yet, oldest first, with whoever still waits for it.
    backlog: VecDeque<(Record, Option<Reply>)>,
    /// Who asked for everything to be written.
    asked: Vec<Reply>,
    rollup: Rollup,
    rows: Vec<Dated>,
    curves: Curves,
    /// The circuit whose power makes the month's peak.
    root: Option<Owner>,
    registers: Vec<(String, Arc<EnergyRegister>)>,
    curves_due: Instant,
}

impl Writer {
    fn remember(&mut self) -> Remembered {
        let now = clock::now();
        let first = self.journal.run(now, journal::remember);
        // Broken: moved aside by now, and the second attempt makes an empty one.
        let remembered = first.or_else(|_| self.journal.run(now, journal::remember));
        remembered.unwrap_or_default()
    }

    fn run(mut self, queue: &Receiver<Command>) {
        // Questions about yesterday come before the first curves of today are written.
        let _ = self.history.run(clock::now(), |_| Ok(()));
        self.tell();
        loop {
            let mut going = match queue.recv_timeout(self.patience()) {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            // What arrived meanwhile goes into the same commit.
            while going && self.backlog.len() < TOGETHER {
                let Ok(command) = queue.try_recv() else { break };
                going = self.take(command);
            }
            self.write_records();
            if !going || !self.asked.is_empty() {
                self.rows.extend(self.rollup.close());
            }
            if !going || !self.asked.is_empty() || clock::now() >= self.curves_due {
                self.write_curves();
                self.write_registers();
            }
            self.answer_asked();
            self.tell();
            if !going {
                break;
            }
        }
        // Handles may live on; the files are free for the next start.
        self.shared.journal.store(None);
        self.shared.history.store(None);
    }

    fn patience(&self) -> Duration {
        let until = self.curves_due.since(clock::now());
        let retry = if self.backlog.is_empty() { until } else { Duration::from_secs(1) };
        until.min(retry).max(Duration::from_millis(1))
    }

    /// Says whether to go on.
    fn take(&mut self, command: Command) -> bool {
        match command {
            Command::Record(record, reply) => self.queue(record, Some(reply)),
            Command::Sample(sample) => {
                self.root = sample
                    .values
                    .first()
                    .map(|(owner, _)| owner.clone())
                    .filter(|owner| owner.kind == Kind::Circuit);
                self.rows.extend(self.rollup.add(sample));
            }
            Command::Flush(reply) => self.asked.push(reply),
            Command::Broken(Which::Journal) => self.journal.reported_broken(clock::now(), "a reader failed"),
            Command::Broken(Which::History) => {
                self.history.reported_broken(clock::now(), "a reader failed");
                self.curves.forget();
            }
            Command::Keep(meter, register) => {
                self.registers.retain(|(other, _)| *other != meter);
                self.registers.push((meter, register));
            }
            Command::Stop => return false,
        }
        true
    }

    fn queue(&mut self, record: Record, reply: Option<Reply>) {
        if self.backlog.len() >= BACKLOG {
            // Sessions are worth more than events.
            let least =
                self.backlog.iter().position(|(record, _)| matches!(record, Record::Alert(_))).unwrap_or(0);
            self.backlog.remove(least);
            self.shared.records_dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.backlog.push_back((record, reply));
    }

    fn write_records(&mut self) {
        while !self.backlog.is_empty() {
            let count = self.backlog.len().min(TOGETHER);
            let batch = || self.backlog.iter().take(count).map(|(record, _)| record);
            let bounds = self.bounds;
            if self.journal.run(clock::now(), |database| journal::write(database, batch(), &bounds)).is_err()
            {
                return self.refuse_waiting();
            }
            for (_, reply) in self.backlog.drain(..count) {
                if let Some(reply) = reply {
                    let _ = reply.try_send(Ok(()));
                }
            }
        }
    }

    /// The records stay, those who wait for them are told that they are not safe.
    fn refuse_waiting(&mut self) {
        for (_, reply) in &mut self.backlog {
            if let Some(reply) = reply.take() {
                let _ = reply.try_send(Err(NotSafe::Disk));
            }
        }
    }

    fn write_curves(&mut self) {
        let now = clock::now();
        self.curves_due = now + CURVES_EVERY;
        let mut dropped = self.rollup.take_dropped();
        if !self.rows.is_empty() {
            let (curves, rows, bounds) = (&mut self.curves, &self.rows, self.bounds);
            match self.history.run(now, |database| curves.write(database, rows, &bounds)) {
                Ok(quarters) => {
                    self.rows.clear();
                    for end in quarters {
                        self.write_peak(now, end);
                    }
                }
                Err(_) => self.curves.forget(),
            }
            let surplus = self.rows.len().saturating_sub(ROWS_WAITING);
            self.rows.drain(..surplus);
            dropped += surplus as u64;
        }
        self.shared.rows_dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    fn write_registers(&mut self) {
        let counted = self.registers.iter().map(|(meter, register)| (meter.as_str(), register.counted()));
        let moved =
            |(at, (_, counted)): (usize, &(&str, (u64, u64)))| self.registers[at].1.kept() != *counted;
        let counted: Vec<_> = counted.collect();
        if !counted.iter().enumerate().any(moved) {
            return;
        }
        // What is not kept now is tried again in half a minute.
        if self.journal.run(clock::now(), |database| journal::write_registers(database, &counted)).is_ok() {
            for ((_, register), (_, counted)) in self.registers.iter().zip(&counted) {
                register.keep(*counted);
            }
        }
    }

    fn write_peak(&mut self, now: Instant, end: i64) {
        let Some(root) = self.root.clone() else { return };
        let peak = self.history.run(now, |database| history::quarter(database, end, &root));
        if peak.is_err() {
            self.curves.forget();
        }
        if let Ok(Some(peak)) = peak
            && let Some(month) = month_of(peak.at_ms)
        {
            // A peak that is not kept now is made again by the next quarter that is higher.
            let _ = self.journal.run(now, |database| journal::write_peak(database, month, peak));
        }
    }

    fn answer_asked(&mut self) {
        let outcome =
            if self.backlog.is_empty() && self.rows.is_empty() { Ok(()) } else { Err(NotSafe::Disk) };
        for reply in self.asked.drain(..) {
            let _ = reply.try_send(outcome);
        }
    }

    fn tell(&mut self) {
        for alert in self.journal.trouble.take().into_iter().chain(self.history.trouble.take()) {
            let _ = self.told.try_send(alert);
        }
    }
}
