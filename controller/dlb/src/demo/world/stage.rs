//! Where the simulated site meets its sockets: one owner of the world, and a task for each device.

use super::{charge_point, mbap};
use crate::clock;
use arc_swap::ArcSwap;
use dlb_sim::modbus::answer;
use dlb_sim::ocpp::ChargePoint;
use dlb_sim::pickup::Electrical;
use dlb_sim::story::Sentence;
use dlb_sim::world::World;
use futures_lite::{FutureExt, StreamExt};
use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The world behind one lock that is never held over an `await`.
pub(super) struct Stage {
    world: RefCell<World>,
    /// The way to the WebSocket of each bay that has one.
    frames: RefCell<Vec<Option<async_channel::Sender<String>>>>,
    electrical: Arc<ArcSwap<Electrical>>,
    story: async_channel::Sender<Sentence>,
}

/// As often as the world has something to say.
const TICK: Duration = Duration::from_millis(50);
/// A central system that leaves more unread than this is not listening.
const FRAME_QUEUE: usize = 64;

impl Stage {
    pub(super) fn new(
        world: World,
        electrical: Arc<ArcSwap<Electrical>>,
        story: async_channel::Sender<Sentence>,
    ) -> Self {
        let frames = RefCell::new(vec![None; world.bays().len()]);
        Self { world: RefCell::new(world), frames, electrical, story }
    }

    /// The charge point of a bay, for a moment. `None`: there is none.
    pub(super) fn point<T>(&self, bay: usize, look: impl FnOnce(&mut ChargePoint) -> T) -> Option<T> {
        self.world.borrow_mut().point_mut(bay).map(look)
    }

    /// The WebSocket of this bay is open; frames for it come out of the returned end.
    pub(super) fn link_up(&self, bay: usize) -> async_channel::Receiver<String> {
        let (send, frames) = async_channel::bounded(FRAME_QUEUE);
        self.frames.borrow_mut()[bay] = Some(send);
        self.point(bay, |point| point.link_up(clock::now()));
        self.pump(bay);
        frames
    }

    pub(super) fn link_down(&self, bay: usize) {
        self.frames.borrow_mut()[bay] = None;
        self.point(bay, |point| point.link_down(clock::now()));
    }

    pub(super) fn receive(&self, bay: usize, text: &str) {
        self.point(bay, |point| point.receive(clock::now(), text));
        self.pump(bay);
    }

    /// A Modbus request to the device of this bay.
    pub(super) fn answer(&self, bay: usize, unit: u8, body: &[u8]) -> Option<Vec<u8>> {
        let mut world = self.world.borrow_mut();
        answer(world.registers_mut(bay)?, clock::now(), unit, body)
    }

    /// Hands what a charge point has to say to its socket; without room the link ends, as it would if
    /// the peer stopped reading.
    fn pump(&self, bay: usize) {
        let Some(frames) = self.frames.borrow()[bay].clone() else { return };
        while let Some(text) = self.point(bay, |point| point.next_frame(clock::now())).flatten() {
            if frames.try_send(text).is_err() {
                frames.close();
                return;
            }
        }
    }

    fn tick(&self) {
        {
            let mut world = self.world.borrow_mut();
            world.advance(clock::now());
            self.electrical.store(Arc::new(*world.electrical()));
            while let Some(mut sentence) = world.story_mut().next_sentence() {
                sentence.text = told_at(world.hour(), &sentence.text);
                // Nobody has to listen.
                let _ = self.story.try_send(sentence);
            }
        }
        for bay in 0..self.frames.borrow().len() {
            self.pump(bay);
        }
    }
}

/// With the scenario's time of day.
fn told_at(hour: f64, sentence: &str) -> String {
    format!("{:02}:{:02}  {sentence}", hour as u32, (hour.fract() * 60.0) as u32)
}

/// Runs the site until it is told to end.
pub(super) async fn play(
    executor: Rc<smol::LocalExecutor<'static>>,
    stage: Rc<Stage>,
    ocpp: SocketAddr,
    modbus: Vec<Option<TcpListener>>,
    stopped: async_channel::Receiver<()>,
) {
    for (bay, listener) in modbus.into_iter().enumerate() {
        match listener {
            Some(listener) => {
                let serve = mbap::serve(Rc::downgrade(&executor), Rc::clone(&stage), bay, listener);
                executor.spawn(serve).detach();
            }
            None => executor.spawn(charge_point::live(Rc::clone(&stage), bay, ocpp)).detach(),
        }
    }
    let ticks = async {
        let mut timer = smol::Timer::interval(TICK);
        while timer.next().await.is_some() {
            stage.tick();
        }
    };
    let end = async {
        let _ = stopped.recv().await;
    };
    ticks.or(end).await;
}
