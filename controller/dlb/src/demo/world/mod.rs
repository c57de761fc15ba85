//! The simulated site, alive: it connects to the box's OCPP port, listens for its Modbus requests, and
//! lets the sampling thread see its currents. A thread and an executor of its own; what it shares with
//! the box are sockets on loopback and the shape of a wave, as in a real switch room.

mod charge_point;
mod mbap;
mod stage;

use crate::clock;
use arc_swap::ArcSwap;
use dlb_engine::time::WallTime;
use dlb_sim::garage::{self, BayPlan, Reach};
use dlb_sim::pickup::{Electrical, Input};
use dlb_sim::story::Sentence;
use dlb_sim::waveform::Waveform;
use stage::Stage;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

/// A site whose Modbus devices listen already, so that a configuration can name them.
#[derive(Debug)]
pub struct Prepared {
    bays: Vec<BayPlan>,
    /// In the order of the bays; `None` where a bay speaks OCPP.
    modbus: Vec<Option<(TcpListener, SocketAddr)>>,
    seed: u64,
    speed: NonZeroU32,
    electrical: Arc<ArcSwap<Electrical>>,
}

/// A running site. It ends when this is dropped.
#[derive(Debug)]
pub struct RunningWorld {
    electrical: Arc<ArcSwap<Electrical>>,
    story: async_channel::Receiver<Sentence>,
    stop: async_channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// The pins of the box's converter, wired to this site.
#[derive(Clone, Debug)]
pub struct Pins {
    electrical: Arc<ArcSwap<Electrical>>,
    inputs: Vec<Input>,
}

#[derive(Debug, thiserror::Error)]
pub enum WorldFault {
    #[error("listening on loopback for the Modbus charger {bay}")]
    Listen { bay: String, source: io::Error },
    #[error("starting the thread of the simulated site")]
    Thread(#[source] io::Error),
}

/// Sentences that nobody reads are lost; the terminal reads every few seconds.
const STORY_QUEUE: usize = 1_024;
/// Used where the machine's clock is unset: 2026-01-01.
const SOME_DAY: WallTime = WallTime(1_767_225_600_000);

impl Prepared {
    /// # Errors
    /// Where loopback has no free port.
    pub fn new(chargers: usize, seed: u64, speed: NonZeroU32) -> Result<Self, WorldFault> {
        let bays = garage::bays(chargers);
        let modbus = bays.iter().map(listen).collect::<Result<_, _>>()?;
        let electrical = Arc::new(ArcSwap::from_pointee(Electrical::quiet()));
        Ok(Self { bays, modbus, seed, speed, electrical })
    }

    #[must_use]
    pub fn bays(&self) -> &[BayPlan] {
        &self.bays
    }

    /// Where the Modbus device of a bay listens.
    #[must_use]
    pub fn modbus(&self, bay: usize) -> Option<SocketAddr> {
        self.modbus.get(bay)?.as_ref().map(|(_, address)| *address)
    }

    /// What the box's clamps and taps see, channel by channel; quiet until the site lives.
    #[must_use]
    pub fn pins(&self, inputs: Vec<Input>) -> Pins {
        Pins { electrical: Arc::clone(&self.electrical), inputs }
    }

    /// Brings the site to life; its charge points look for their central system at `ocpp`.
    ///
    /// # Errors
    /// Where there are no more threads.
    pub fn start(self, ocpp: SocketAddr) -> Result<RunningWorld, WorldFault> {
        let wall = clock::wall().unwrap_or(SOME_DAY);
        let world = garage::build(&self.bays, self.seed, self.speed, clock::now(), wall);
        let (tell, story) = async_channel::bounded(STORY_QUEUE);
        let (stop, stopped) = async_channel::bounded(1);
        let shared = Arc::clone(&self.electrical);
        let modbus = self.modbus.into_iter().map(|bay| bay.map(|(listener, _)| listener)).collect();
        let run = move || {
            let executor = Rc::new(smol::LocalExecutor::new());
            let stage = Rc::new(Stage::new(world, shared, tell));
            smol::block_on(executor.run(stage::play(Rc::clone(&executor), stage, ocpp, modbus, stopped)));
        };
        let thread =
            std::thread::Builder::new().name("world".into()).spawn(run).map_err(WorldFault::Thread)?;
        Ok(RunningWorld { electrical: self.electrical, story, stop, thread: Some(thread) })
    }
}

fn listen(bay: &BayPlan) -> Result<Option<(TcpListener, SocketAddr)>, WorldFault> {
    if matches!(bay.reach, Reach::Ocpp { .. }) {
        return Ok(None);
    }
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let bound = bound.and_then(|listener| listener.local_addr().map(|address| (listener, address)));
    bound.map(Some).map_err(|source| WorldFault::Listen { bay: bay.id.clone(), source })
}

impl RunningWorld {
    /// The electrical truth of this moment.
    #[must_use]
    pub fn electrical(&self) -> Electrical {
        **self.electrical.load()
    }

    /// What happens, in sentences.
    #[must_use]
    pub const fn story(&self) -> &async_channel::Receiver<Sentence> {
        &self.story
    }
}

impl Drop for RunningWorld {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the simulated site had panicked");
        }
    }
}

impl Waveform for Pins {
    fn sample(&self, channel: usize, t_seconds: f64) -> f64 {
        let input = self.inputs.get(channel).copied().unwrap_or(Input::Open);
        input.volts(&self.electrical.load(), t_seconds)
    }
}

#[cfg(test)]
mod tests;
