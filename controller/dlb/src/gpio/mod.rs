//! The box's own contacts on the GPIO character device: levels in, one thread, no rule.
//!
//! What a level means is decided elsewhere ([`dlb_wiring::inputs`]); here a line is asked for, watched and
//! told. A line that cannot be had, or goes away, is told as lost and asked for again. Debouncing is not left
//! to the kernel: not every driver does it, and the rule wants to see every edge.

mod button;
mod device;
mod relay;

pub use device::CharacterDevice;
pub use relay::Drives;

use crate::clock;
use crate::site::ocpp_server::Incoming;
use button::Hold;
use dlb_wiring::event::Event;
use dlb_wiring::inputs::Level;
use futures_lite::FutureExt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Where a contact is wired to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    pub id: String,
    pub chip: PathBuf,
    pub line: u32,
    pub active_low: bool,
    pub bias: Bias,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    None,
    PullUp,
    PullDown,
}

/// A line was refused or lost, in words.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of {chip}")]
pub struct LineFault {
    pub chip: PathBuf,
    pub line: u32,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Whoever has lines: the kernel, or a test.
pub(crate) trait Chips: Clone + 'static {
    type Input: InputLine;
    type Output: OutputLine;

    fn input(&self, wiring: &Wiring) -> Result<Self::Input, LineFault>;

    /// A line that is ours to drive; inactive at first.
    fn output(&self, wiring: &Wiring) -> Result<Self::Output, LineFault>;
}

/// A line that is ours to drive.
pub(crate) trait OutputLine {
    fn set(&mut self, active: bool) -> Result<(), LineFault>;
}

/// A line that is ours to read.
pub(crate) trait InputLine {
    /// Is it at its active level?
    fn is_active(&self) -> Result<bool, LineFault>;

    /// Resolves once it may have changed.
    fn edge(&mut self) -> impl Future<Output = Result<(), LineFault>>;
}

/// A lost line is asked for this often.
const RETRY: Duration = Duration::from_secs(2);
/// Without an edge a line is read this often: an edge may have been missed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// New wirings wait here while old ones are let go.
const PLANS: usize = 4;

/// All that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub contacts: Vec<Wiring>,
    pub button: Option<Button>,
    pub relays: Vec<Wiring>,
}

/// The button that resets the box when it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub wiring: Wiring,
    pub held_for: dlb_engine::time::Duration,
}

/// What happens when the button was held.
pub(crate) type Held = Rc<dyn Fn()>;

/// The thread that watches the contacts. It ends when this is dropped.
#[derive(Debug)]
pub struct Contacts {
    plans: async_channel::Sender<Plan>,
    drives: Arc<Drives>,
    thread: Option<JoinHandle<()>>,
}

impl Contacts {
    /// # Errors
    /// There are no more threads.
    pub(crate) fn start<C: Chips + Send>(
        chips: C,
        plan: Plan,
        site: async_channel::Sender<Incoming>,
        held: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let (plans, changes) = async_channel::bounded(PLANS);
        let drives = Arc::new(Drives::default());
        let driven = Arc::clone(&drives);
        let work = move || {
            let executor = Rc::new(smol::LocalExecutor::new());
            let watcher =
                Watcher { executor: Rc::clone(&executor), chips, site, drives: driven, held: Rc::new(held) };
            smol::block_on(executor.run(watcher.serve(plan, changes)));
        };
        let thread = std::thread::Builder::new().name("gpio".into()).spawn(work)?;
        Ok(Self { plans, drives, thread: Some(thread) })
    }

    /// Where to say what relays are to do.
    #[must_use]
    pub fn drives(&self) -> Arc<Drives> {
        Arc::clone(&self.drives)
    }

    /// How to hand over another plan. What is watched and still planned is asked for anew.
    #[must_use]
    pub fn plans(&self) -> async_channel::Sender<Plan> {
        self.plans.clone()
    }
}

impl Drop for Contacts {
    fn drop(&mut self) {
        self.plans.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the contacts had panicked");
        }
    }
}

struct Watcher<C> {
    executor: Rc<smol::LocalExecutor<'static>>,
    chips: C,
    site: async_channel::Sender<Incoming>,
    drives: Arc<Drives>,
    held: Held,
}

impl<C: Chips> Watcher<C> {
    async fn serve(self, mut plan: Plan, changes: async_channel::Receiver<Plan>) {
        loop {
            let watched = self.watch_all(plan);
            let next = changes.recv().await;
            // Relays are switched off as their tasks end.
            for task in watched {
                task.cancel().await;
            }
            let Ok(next) = next else { return };
            plan = next;
        }
    }

    fn watch_all(&self, plan: Plan) -> Vec<smol::Task<()>> {
        let contact = |wiring: Wiring| {
            let (site, id) = (self.site.clone(), wiring.id.clone());
            // A full queue is no loss: the level is told again.
            let tell = move |level| {
                _ = site.try_send(Incoming::Event(Event::Input { input: id.clone(), level }));
            };
            self.executor.spawn(watch(self.chips.clone(), wiring, tell))
        };
        let mut tasks: Vec<_> = plan.contacts.into_iter().map(contact).collect();
        if let Some(Button { wiring, held_for }) = plan.button {
            let (mut hold, held) = (Hold::new(held_for), Rc::clone(&self.held));
            let tell = move |level| {
                if hold.saw(clock::now(), level) {
                    held();
                }
            };
            tasks.push(self.executor.spawn(watch(self.chips.clone(), wiring, tell)));
        }
        for wiring in plan.relays {
            let work = relay::work(self.chips.clone(), wiring, Arc::clone(&self.drives));
            tasks.push(self.executor.spawn(work));
        }
        tasks
    }
}

/// Asks for a line and tells its level, for good.
async fn watch<C: Chips>(chips: C, wiring: Wiring, mut tell: impl FnMut(Level)) {
    let mut told_lost = false;
    loop {
        let fault = match chips.input(&wiring) {
            Ok(line) => {
                told_lost = false;
                follow(line, &mut tell).await
            }
            Err(fault) => fault,
        };
        if !std::mem::replace(&mut told_lost, true) {
            tracing::warn!(contact = wiring.id, "a contact cannot be read: {}", crate::run::chain(&fault));
        }
        tell(Level::Lost);
        smol::Timer::after(RETRY).await;
    }
}

async fn follow(mut line: impl InputLine, tell: &mut impl FnMut(Level)) -> LineFault {
    loop {
        let active = match line.is_active() {
            Ok(active) => active,
            Err(fault) => return fault,
        };
        tell(if active { Level::Active } else { Level::Inactive });
        let look = async {
            smol::Timer::after(LOOK_EVERY).await;
            Ok(())
        };
        if let Err(fault) = line.edge().or(look).await {
            return fault;
        }
    }
}

#[cfg(test)]
mod tests;
