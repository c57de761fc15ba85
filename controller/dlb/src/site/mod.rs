//! The site's thread: one loop that hands events to the controller and carries out its effects.
//!
//! Nothing in here may block: files, database, broker and browser have threads of their own and are
//! reached through bounded channels. What cannot be handed over at once is dropped, counted and told.

mod dispatch;
pub mod ocpp_server;
mod port_pool;

pub use dispatch::{Audience, Outlets, Witness};
pub use port_pool::PortPool;

use crate::clock;
use crate::config::Checked;
use crate::sampling::alarm::Alarm;
use dispatch::Dispatch;
use dlb_engine::time::Instant;
use dlb_wiring::controller::Controller;
use dlb_wiring::event::{ConnectionId, Effect, Event};
use futures_lite::FutureExt;
use ocpp_server::Incoming;
use std::time::Duration;

/// How long chargers get to take their safe limits before the program ends.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long connections get to send what they have and to close.
const HANG_UP: Duration = Duration::from_millis(250);
const SHORTEST_REST: Duration = Duration::from_millis(1);
/// How often the controller is told what the calendar says.
const CALENDAR_EVERY: Duration = Duration::from_secs(60);

/// The box's own clamps: the bell that a breach rings, and the meter that they are.
#[derive(Debug)]
pub struct Clamps {
    pub alarm: Alarm,
    pub meter: Option<String>,
}

/// Runs a site until `incoming` brings [`Event::Stopping`]. The supervisor hears of this loop, and of
/// nothing else: it is ready once the site was decided upon, and if it hangs the program is restarted.
pub async fn run(
    mut controller: Controller,
    incoming: async_channel::Receiver<Incoming>,
    clamps: Clamps,
    outlets: Outlets,
) {
    let mut dispatch = Dispatch::new(outlets);
    let alive_every = crate::supervisor::alive_every();
    tell_time(&mut controller, &mut dispatch);
    step(&mut controller, &mut dispatch, Event::Tick, None);
    crate::supervisor::ready();
    let mut alive_at = clock::now();
    let mut calendar_at = clock::now() + CALENDAR_EVERY;
    loop {
        let now = clock::now();
        if now >= calendar_at {
            calendar_at = now + CALENDAR_EVERY;
            tell_time(&mut controller, &mut dispatch);
        }
        if now >= alive_at {
            alive_at = now + alive_every;
            crate::supervisor::alive();
        }
        let wake = controller.deadline(now).map_or(alive_at, |at| at.min(alive_at)).min(calendar_at);
        clamps.watch(&controller);
        // The other tasks of this thread get their turn even if a deadline were stuck in the past.
        let turn = clamps.breach().or(next(&incoming, wake.max(now + SHORTEST_REST)));
        match turn.await {
            Turn::Event(Event::Stopping) => return farewell(controller, &incoming, dispatch).await,
            Turn::Event(event) => {
                let from = origin(&event);
                step(&mut controller, &mut dispatch, event, from);
            }
            Turn::Opened { connection, identity, outgoing } => {
                dispatch.opened(connection, outgoing);
                step(&mut controller, &mut dispatch, Event::OcppOpened { connection, identity }, None);
            }
            Turn::Configured(checked) => {
                dispatch.configure_ports(&checked.ports);
                if let Some(recording) = dispatch.recording() {
                    recording.configured(&checked);
                }
                let event = Event::Configured(Box::new(checked.settings));
                step(&mut controller, &mut dispatch, event, None);
            }
            Turn::Wake => step(&mut controller, &mut dispatch, Event::Tick, None),
            Turn::Over => return,
        }
    }
}

fn tell_time(controller: &mut Controller, dispatch: &mut Dispatch) {
    if let Some(wall) = clock::wall() {
        step(controller, dispatch, Event::WallClock(wall), None);
        step(controller, dispatch, Event::Daytime(clock::time_of_day()), None);
    }
}

impl Clamps {
    fn watch(&self, controller: &Controller) {
        let limit = self.meter.as_deref().and_then(|meter| controller.limit_at(meter));
        self.alarm.watch(limit.unwrap_or_default());
    }

    /// A breach goes before everything that waits in the queue.
    async fn breach(&self) -> Turn {
        let current = self.alarm.rung().await;
        match self.meter.clone() {
            Some(meter) => Turn::Event(Event::Breach { meter, current }),
            None => std::future::pending().await,
        }
    }
}

enum Turn {
    Event(Event),
    Opened {
        connection: ConnectionId,
        identity: String,
        outgoing: async_channel::Sender<ocpp_server::Outgoing>,
    },
    Configured(Box<Checked>),
    Wake,
    Over,
}

async fn next(incoming: &async_channel::Receiver<Incoming>, wake: Instant) -> Turn {
    let event = async {
        match incoming.recv().await {
            Ok(Incoming::Event(event)) => Turn::Event(event),
            Ok(Incoming::Opened { connection, identity, outgoing }) => {
                Turn::Opened { connection, identity, outgoing }
            }
            Ok(Incoming::Configured(checked)) => Turn::Configured(checked),
            Err(_) => Turn::Over,
        }
    };
    let timer = async {
        smol::Timer::after(wake.since(clock::now())).await;
        Turn::Wake
    };
    event.or(timer).await
}

fn step(controller: &mut Controller, dispatch: &mut Dispatch, event: Event, from: Option<ConnectionId>) {
    if let Event::OcppClosed { connection } = &event {
        dispatch.closed(*connection);
    }
    let now = clock::now();
    let noted = dispatch.recording().map(|recording| recording.event(&event));
    let effects = controller.handle(now, event);
    if let (Some(recording), Some(noted)) = (dispatch.recording(), noted) {
        recording.effects(now, noted, &effects);
    }
    let publish = effects.contains(&Effect::Publish);
    dispatch.carry_out(effects, from);
    if publish {
        dispatch.publish(&controller.status(now));
    }
}

fn origin(event: &Event) -> Option<ConnectionId> {
    match event {
        Event::OcppFrame { connection, .. } => Some(*connection),
        _ => None,
    }
}

/// Puts chargers on safe limits and lets them answer, for a short while; then hangs up.
async fn farewell(
    mut controller: Controller,
    incoming: &async_channel::Receiver<Incoming>,
    mut dispatch: Dispatch,
) {
    let end = clock::now() + FAREWELL;
    step(&mut controller, &mut dispatch, Event::Stopping, None);
    while clock::now() < end && !controller.stopped(clock::now()) {
        let now = clock::now();
        let wake = controller.deadline(now).map_or(end, |at| at.min(end)).max(now + SHORTEST_REST);
        match next(incoming, wake).await {
            Turn::Event(event) => {
                let from = origin(&event);
                step(&mut controller, &mut dispatch, event, from);
            }
            Turn::Wake => step(&mut controller, &mut dispatch, Event::Tick, None),
            Turn::Opened { .. } | Turn::Configured(_) => {}
            Turn::Over => return,
        }
    }
    hang_up(incoming, dispatch).await;
}

/// Every connection sends what it still has, and ends.
async fn hang_up(incoming: &async_channel::Receiver<Incoming>, mut dispatch: Dispatch) {
    let end = clock::now() + HANG_UP;
    let mut open = dispatch.end();
    while open > 0 {
        match next(incoming, end).await {
            Turn::Event(Event::OcppClosed { .. }) => open = open.saturating_sub(1),
            Turn::Wake | Turn::Over => return,
            _ => {}
        }
    }
}
