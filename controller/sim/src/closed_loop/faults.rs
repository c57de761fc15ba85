//! What goes wrong, and when: every fault begins at its time and ends at its time.

use super::{ClosedLoop, MeterFault};
use crate::bay::Charger;
use crate::rng::Rng;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{CircuitIx, Site};
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, WattHours};
use dlb_wiring::event::{Event, Order};
use dlb_wiring::settings::Settings;
use std::collections::{BTreeMap, BTreeSet};

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// From the start of the run.
    pub from: Duration,
    pub lasts: Duration,
    pub trouble: Trouble,
}

/// What is wrong while it lasts. Bays, meters and circuits by their position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Share of a bay's frames and requests that vanish, each way. 1: the link is dead, and nobody is told.
    Loss {
        bay: usize,
        share: f64,
    },
    /// What is sent takes so much longer.
    Delay {
        bay: usize,
        by: Duration,
    },
    /// Share of frames that arrive twice.
    Duplicates {
        bay: usize,
        share: f64,
    },
    /// Share of frames that later ones overtake.
    Reorder {
        bay: usize,
        share: f64,
    },
    /// The network cable of a bay is pulled, and both ends notice.
    Cable {
        bay: usize,
    },
    /// A charger restarts; the time that it lasts is the charger's own.
    Reboot {
        bay: usize,
    },
    MeterSilent {
        meter: usize,
    },
    MeterStuck {
        meter: usize,
    },
    MeterReversed {
        meter: usize,
    },
    /// The box has no power, and then starts anew.
    PowerCut,
    /// The box's calendar jumps, and does not jump back.
    ClockJump {
        seconds: i64,
    },
    /// A broker sends orders of every kind, so many a second.
    Flood {
        per_second: f64,
    },
    /// Somebody holds a charger at no more than this.
    Hold {
        bay: usize,
        limit: Milliamps,
    },
    /// Somebody lowers the site's limit.
    SiteLimit {
        limit: Milliamps,
    },
    /// A charger is taken out of the configuration, and put back later. It stays where it is.
    Removed {
        bay: usize,
    },
    /// The configuration gives a circuit a smaller limit, in thousandths of its own.
    Tightened {
        circuit: usize,
        share: u16,
    },
}

/// What has been changed in a configuration while it was in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Chargers that were taken out of it, by their position.
    pub removed: BTreeSet<usize>,
    /// Circuits with a smaller limit, in thousandths of their own.
    pub tightened: BTreeMap<usize, u16>,
}

#[derive(Clone, Debug)]
pub(super) struct Faults {
    faults: Vec<(Fault, State)>,
    start: Instant,
    rng: Rng,
    /// The configuration without what faults do to it, and what they do.
    base: Option<Settings>,
    pub(super) changes: Changes,
    flood_due: Instant,
}

impl Changes {
    /// The configuration with these changes.
    #[must_use]
    pub fn apply(&self, base: &Settings) -> Option<Settings> {
        let mut settings = base.clone();
        let mut circuits = settings.site.circuits().to_vec();
        for (&circuit, &share) in &self.tightened {
            let limit = &mut circuits.get_mut(circuit)?.limit;
            *limit = limit.map(|own| Milliamps((i64::from(own.0) * i64::from(share) / 1000) as i32));
        }
        let kept = |at: &usize| !self.removed.contains(at);
        let chargers = settings.site.chargers().iter().enumerate();
        let chargers = chargers.filter(|(at, _)| kept(at)).map(|(_, charger)| charger.clone()).collect();
        settings.site = Site::new(circuits, chargers).ok()?;
        let links = settings.links.iter().enumerate();
        settings.links = links.filter(|(at, _)| kept(at)).map(|(_, link)| link.clone()).collect();
        Some(settings)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ahead,
    AtWork,
    Over,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>, seed: u64, start: Instant) -> Self {
        Self {
            faults: faults.into_iter().map(|fault| (fault, State::Ahead)).collect(),
            start,
            rng: Rng::part(seed, "faults", 0),
            base: None,
            changes: Changes::default(),
            flood_due: start,
        }
    }

    /// At work now or within the span before.
    pub(super) fn at_work(&self, now: Instant, within: Duration) -> impl Iterator<Item = &Fault> {
        let begun = self.faults.iter().filter(|(_, state)| *state != State::Ahead);
        let start = self.start;
        begun
            .filter(move |(fault, state)| {
                *state == State::AtWork || now <= start + fault.from + fault.lasts + within
            })
            .map(|(fault, _)| fault)
    }

    /// Faults that begin (`true`) or end by now. Who wants to edit the configuration waits until the box has power.
    fn due(&mut self, now: Instant, powered: bool) -> Vec<(Trouble, bool)> {
        let mut due = Vec::new();
        let possible = |fault: &Fault| powered || !fault.trouble.is_an_edit();
        for (fault, state) in self.faults.iter_mut().filter(|(fault, _)| possible(fault)) {
            let (begin, end) = (self.start + fault.from, self.start + fault.from + fault.lasts);
            if *state == State::Ahead && begin <= now {
                *state = State::AtWork;
                due.push((fault.trouble, true));
            }
            if *state == State::AtWork && end <= now {
                *state = State::Over;
                due.push((fault.trouble, false));
            }
        }
        due
    }

    fn flood(&self) -> Option<f64> {
        let at_work = self.faults.iter().filter(|(_, state)| *state == State::AtWork);
        at_work
            .filter_map(|(fault, _)| match fault.trouble {
                Trouble::Flood { per_second } => Some(per_second),
                _ => None,
            })
            .reduce(f64::max)
    }

    /// Something that a broker might ask for.
    fn order(&mut self, site: &Site, wall: dlb_engine::time::WallTime) -> Order {
        let charger = || site.chargers().first().map(|charger| charger.id.clone()).unwrap_or_default();
        let which = self.rng.below(site.chargers().len().max(1));
        let charger = site.chargers().get(which).map_or_else(charger, |charger| charger.id.clone());
        match self.rng.below(5) {
            0 => Order::Strategy(Strategy::FirstCome),
            1 => Order::Strategy(Strategy::Equal),
            2 => {
                let limit = Milliamps::from_amps(self.rng.below(40) as i32);
                let lasts = Duration::from_secs(1 + self.rng.below(60) as u64);
                Order::SiteLimit { limit: Some(PerLine::all(limit)), lasts }
            }
            3 => {
                let limit = self.rng.chance(0.5).then(|| Milliamps::from_amps(self.rng.below(33) as i32));
                Order::ChargerLimit { charger, limit }
            }
            _ => {
                let at = Some(wall + Duration::from_secs(self.rng.below(36_000) as u64));
                Order::Departure { charger, at, energy: Some(WattHours(self.rng.below(40_000) as i64)) }
            }
        }
    }
}

impl ClosedLoop {
    /// Lets faults begin and end.
    pub(super) fn strike(&mut self) {
        for (trouble, begins) in self.faults.due(self.now, self.controller.is_some()) {
            self.trouble(trouble, begins);
        }
        if let Some(per_second) = self.faults.flood()
            && self.faults.flood_due <= self.now
        {
            self.faults.flood_due = self.now + Duration::from_secs(1);
            self.pour(per_second.max(0.0) as usize);
        }
    }

    fn pour(&mut self, orders: usize) {
        let (then, wall) = self.wall;
        let wall = wall + self.now.since(then);
        for _ in 0..orders {
            let order = self.faults.order(&self.settings.site, wall);
            self.tell(Event::Order(order));
        }
    }

    fn trouble(&mut self, trouble: Trouble, begins: bool) {
        let part = |share: f64| if begins { share } else { 0.0 };
        match trouble {
            Trouble::Loss { bay, share } => self.weather_mut(bay).lost = part(share),
            Trouble::Delay { bay, by } => {
                self.weather_mut(bay).delay = if begins { by } else { Duration::ZERO };
            }
            Trouble::Duplicates { bay, share } => self.weather_mut(bay).doubled = part(share),
            Trouble::Reorder { bay, share } => self.weather_mut(bay).overtaken = part(share),
            Trouble::Cable { bay } => self.cable(bay, !begins),
            Trouble::Reboot { bay } if begins => self.reboot(bay),
            Trouble::Reboot { .. } => {}
            Trouble::MeterSilent { meter } => self.meter_trouble(meter, MeterFault::Silent, begins),
            Trouble::MeterStuck { meter } => self.meter_trouble(meter, MeterFault::Stuck, begins),
            Trouble::MeterReversed { meter } => self.meter_trouble(meter, MeterFault::Reversed, begins),
            Trouble::PowerCut if begins => self.power_down(),
            Trouble::PowerCut => self.power_up(),
            Trouble::ClockJump { seconds } if begins => self.jump(seconds),
            Trouble::ClockJump { .. } | Trouble::Flood { .. } => {}
            Trouble::Hold { bay, limit } => self.hold(bay, begins.then_some(limit)),
            Trouble::SiteLimit { limit } => {
                let limit = begins.then(|| PerLine::all(limit));
                self.tell(Event::Order(Order::SiteLimit { limit, lasts: Duration::from_secs(86_400) }));
            }
            Trouble::Removed { bay } => {
                self.reconfigure(|changes| {
                    if begins {
                        changes.removed.insert(bay)
                    } else {
                        changes.removed.remove(&bay)
                    };
                });
            }
            Trouble::Tightened { circuit, share } => self.reconfigure(|changes| {
                changes.tightened.remove(&circuit);
                if begins {
                    changes.tightened.insert(circuit, share);
                }
            }),
        }
    }

    fn reconfigure(&mut self, change: impl FnOnce(&mut Changes)) {
        let base = self.faults.base.get_or_insert_with(|| self.settings.clone());
        change(&mut self.faults.changes);
        if let Some(settings) = self.faults.changes.apply(base) {
            self.configure(settings);
        }
    }

    fn meter_trouble(&mut self, meter: usize, fault: MeterFault, begins: bool) {
        if meter < self.meters.count() {
            self.meter(meter, if begins { fault } else { MeterFault::None });
        }
    }

    fn reboot(&mut self, bay: usize) {
        let now = self.now;
        match self.world.bays_mut().get_mut(bay).map(crate::bay::Bay::charger_mut) {
            Some(Charger::Ocpp(point)) => point.restart(now),
            Some(Charger::Modbus(charger)) => charger.restart(now),
            None => {}
        }
    }

    fn hold(&mut self, bay: usize, limit: Option<Milliamps>) {
        let Some(bay) = self.world.bays().get(bay) else { return };
        self.tell(Event::Order(Order::ChargerLimit { charger: bay.name.clone(), limit }));
    }

    fn jump(&mut self, seconds: i64) {
        let (then, wall) = self.wall;
        let shown = wall + self.now.since(then);
        self.wall = (self.now, dlb_engine::time::WallTime(shown.0.saturating_add(seconds * 1000)));
        self.tell(Event::WallClock(self.wall.1));
        self.tell(Event::Daytime(super::time_of_day(self.wall.1)));
    }
}

impl Trouble {
    /// The bay that it befalls.
    #[must_use]
    pub const fn bay(self) -> Option<usize> {
        match self {
            Self::Loss { bay, .. }
            | Self::Delay { bay, .. }
            | Self::Duplicates { bay, .. }
            | Self::Reorder { bay, .. }
            | Self::Cable { bay }
            | Self::Reboot { bay }
            | Self::Hold { bay, .. }
            | Self::Removed { bay } => Some(bay),
            _ => None,
        }
    }

    /// Made on the page, or in the file that the page writes.
    const fn is_an_edit(self) -> bool {
        matches!(self, Self::Removed { .. } | Self::Tightened { .. })
    }

    /// The circuit whose configuration it changes.
    #[must_use]
    pub const fn circuit(self) -> Option<CircuitIx> {
        match self {
            Self::Tightened { circuit, .. } => Some(CircuitIx(circuit)),
            _ => None,
        }
    }
}
