//! Updates of an appliance: what is under way, what it waits for, and how it ended. RAUC writes and boots; this
//! room decides when, and says in sentences what happened.
//!
//! An update is **received** (a browser's pieces, an address, an update server), **looked at** (signature,
//! machine, version), **written** into the other system while balancing goes on, and then **awaits its
//! restart**: at once, or when no car charges. Before the restart chargers go to their safe limits, as on
//! every end of the program. The new system is **on trial** until its health check marks it good; a
//! box that comes up with the old one again says what became of the new one.
//!
//! [`Updates`] is the desk that the page, the broker and the driver share; `services::updater` drives it over D-Bus.

mod bundle;
mod diary;
mod door;
mod shelf;
mod state;
#[cfg(test)]
mod tests;
mod version;
mod view;

pub use bundle::{Bundle, Source, UpdateProblem};
pub use diary::{UpdateOutcome, UpdateRecord};
pub use view::{UpdatePhase, UpdateView, UploadView};

pub(crate) use bundle::{NO_SIGNATURE, has_a_signature};
pub(crate) use diary::Report;

use crate::config::Hawkbit;
use diary::Diary;
use shelf::Shelf;
use state::Phase;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Work for the driver. More than this are not under way: each waits for the one before.
const JOBS: usize = 4;

/// What the driver is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Look at a bundle, and install it if it may be.
    Inspect {
        source: Source,
        then_install: Option<WaitForCars>,
    },
    Install {
        source: Source,
        bundle: Bundle,
    },
}

/// Does the restart wait until no car charges?
pub(crate) type WaitForCars = bool;

/// The desk of updates.
#[derive(Debug)]
pub struct Updates {
    state: Mutex<State>,
    jobs: async_channel::Sender<Job>,
    waiting: async_channel::Receiver<Job>,
    server: watch::Sender<Option<Hawkbit>>,
    restart: async_channel::Sender<()>,
    restart_wanted: async_channel::Receiver<()>,
}

#[derive(Debug)]
struct State {
    /// RAUC answers, and says what this machine is.
    machine: Option<Machine>,
    phase: Phase,
    problem: Option<UpdateProblem>,
    /// The action of an update server that the bundle in hand came from.
    offer: Option<String>,
    shelf: Shelf,
    diary: Diary,
}

/// What RAUC says of the machine below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) compatible: String,
    /// The slot that runs.
    pub(crate) booted: String,
    pub(crate) version: String,
    /// The running slot has been marked good.
    pub(crate) proved: bool,
    /// Tells one start of the machine from another.
    pub(crate) boot: String,
}

impl Updates {
    /// Reads what earlier runs left in the data directory.
    #[must_use]
    pub fn open(data: &Path) -> Self {
        let directory = data.join("update");
        let (jobs, waiting) = async_channel::bounded(JOBS);
        let (restart, restart_wanted) = async_channel::bounded(1);
        let (server, _) = watch::channel(None);
        let state = State {
            machine: None,
            phase: Phase::Idle,
            problem: None,
            offer: None,
            shelf: Shelf::open(directory.clone()),
            diary: Diary::open(directory),
        };
        Self { state: Mutex::new(state), jobs, waiting, server, restart, restart_wanted }
    }

    /// Resolves when the box shall be restarted. Whoever hears it ends the program, which puts chargers
    /// on safe limits, and then has the machine restarted.
    pub async fn restart_wanted(&self) {
        if self.restart_wanted.recv().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Names the server that updates come from, for whoever saves the configuration.
    pub fn serve_from(&self, server: Option<Hawkbit>) {
        self.server.send_if_modified(|present| {
            let changed = *present != server;
            *present = server;
            changed
        });
    }

    pub(crate) fn server(&self) -> watch::Receiver<Option<Hawkbit>> {
        self.server.subscribe()
    }

    pub(crate) async fn job(&self) -> Job {
        match self.waiting.recv().await {
            Ok(job) => job,
            // The other end lives as long as this one.
            Err(_) => std::future::pending().await,
        }
    }

    /// Whoever died with the lock in hand left a phase that the driver corrects.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
