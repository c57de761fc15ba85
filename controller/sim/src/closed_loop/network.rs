//! What is on its way between the box and the devices, and what happens to it there.

use crate::rng::Rng;
use dlb_engine::time::{Duration, Instant};
use dlb_wiring::event::{ConnectionId, Event};
use std::collections::BTreeMap;

/// How a bay's link treats what is sent over it, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// Shares of what is sent.
    pub lost: f64,
    pub doubled: f64,
    pub overtaken: f64,
    /// Beyond the usual time on the wire.
    pub delay: Duration,
}

/// Something on its way.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    ToBox(Event),
    ToPoint { bay: usize, connection: ConnectionId, text: String },
}

#[derive(Clone, Debug)]
pub(super) struct Network {
    on_the_way: BTreeMap<(Instant, u64), Parcel>,
    sent: u64,
    rng: Rng,
    weather: Vec<Weather>,
    /// Until when nothing of a bay arrives earlier: frames of a socket keep their order.
    in_order: Vec<[Instant; 2]>,
}

/// What overtakes others is late by no more than this.
const OVERTAKEN_S: f64 = 3.0;

impl Network {
    pub(super) fn new(bays: usize, seed: u64) -> Self {
        Self {
            on_the_way: BTreeMap::new(),
            sent: 0,
            rng: Rng::part(seed, "network", 0),
            weather: vec![Weather::default(); bays],
            in_order: vec![[Instant(0); 2]; bays],
        }
    }

    pub(super) fn weather_mut(&mut self, bay: usize) -> &mut Weather {
        &mut self.weather[bay]
    }

    /// To be there at an instant, whatever the weather.
    pub(super) fn deliver(&mut self, at: Instant, parcel: Parcel) {
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), parcel);
    }

    /// A frame of a bay's socket; `outward`: away from the box.
    pub(super) fn send(&mut self, now: Instant, bay: usize, outward: bool, parcel: Parcel) {
        let weather = self.weather[bay];
        if weather == Weather::default() {
            let at = self.after_the_last(bay, outward, now);
            return self.deliver(at, parcel);
        }
        if self.rng.chance(weather.lost) {
            return;
        }
        if self.rng.chance(weather.doubled) {
            let at = now + weather.delay;
            self.deliver(at, parcel.clone());
        }
        if self.rng.chance(weather.overtaken) {
            let late = Duration::from_secs_f64(self.rng.between(0.0, OVERTAKEN_S));
            return self.deliver(now + weather.delay + late, parcel);
        }
        let at = self.after_the_last(bay, outward, now + weather.delay);
        self.deliver(at, parcel);
    }

    fn after_the_last(&mut self, bay: usize, outward: bool, at: Instant) -> Instant {
        let last = &mut self.in_order[bay][usize::from(outward)];
        *last = at.max(*last);
        *last
    }

    /// Is this answer lost?
    pub(super) fn loses(&mut self, bay: usize) -> bool {
        let lost = self.weather[bay].lost;
        lost > 0.0 && self.rng.chance(lost)
    }

    pub(super) fn is_dead(&self, bay: usize) -> bool {
        self.weather[bay].lost >= 1.0
    }

    pub(super) fn delay(&self, bay: usize) -> Duration {
        self.weather[bay].delay
    }

    /// The next thing that has arrived by now.
    pub(super) fn arrived(&mut self, now: Instant) -> Option<Parcel> {
        let (&(at, _), _) = self.on_the_way.first_key_value()?;
        (at <= now).then(|| self.on_the_way.pop_first()).flatten().map(|(_, parcel)| parcel)
    }

    /// The box is off: nothing of what was on its way finds it again.
    pub(super) fn forget(&mut self) {
        self.on_the_way.clear();
    }
}
