//! How much of what could be handed out was handed out, while somebody waited for more.
//!
//! Judged from outside, by what outlets really offer: a car waits if it could take at least a step (or
//! where it has nothing, its minimum) more than it is offered. What could still be given to those who
//! wait, in the order of their bays, within every circuit and beside the load that really flows, is what
//! was held back. A current that is offered to a car which cannot use it counts as held back, too.

use super::breach::{in_amps, offered};
use crate::closed_loop::ClosedLoop;
use crate::outlet::{Outlet, Temper};
use dlb_engine::lines::{Line, PerLine};

/// Ampere-seconds on lines, over all of the time in which somebody waited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Handed {
    pub waiting_s: f64,
    pub given_as: f64,
    pub held_back_as: f64,
}

impl Handed {
    /// 1: nothing was held back.
    #[must_use]
    pub fn share(&self) -> f64 {
        let all = self.given_as + self.held_back_as;
        if all > 0.0 { self.given_as / all } else { 1.0 }
    }

    pub(super) fn look(&mut self, site: &ClosedLoop, seconds: f64) {
        let world = site.world();
        let waits: Vec<usize> =
            (0..world.bays().len()).filter(|at| wanted(world.bays()[*at].outlet()) > 0.0).collect();
        if waits.is_empty() {
            return;
        }
        let used = |outlet: &Outlet| {
            let own = outlet.car().map_or(0.0, |car| car.takes());
            let offer = outlet.offered();
            if offer > 0.0 {
                offered(outlet).map(|amps| amps * (own / offer).min(1.0))
            } else {
                PerLine::all(0.0)
            }
        };
        let swell = world.electrical().swell();
        let mut room: Vec<PerLine<f64>> = (0..world.circuit_count())
            .map(|at| {
                let (flows, chargers) = world.flows(at);
                let other = (flows - chargers).map(|current| current.size() * swell);
                world.truth_of(at).limit() - other
            })
            .collect();
        let mut given = 0.0;
        for bay in world.bays().iter().filter(|bay| bay.outlet().car().is_some()) {
            let used = used(bay.outlet());
            given += used.0.iter().sum::<f64>();
            for circuit in world.path(bay.circuit) {
                room[circuit] = room[circuit] - used;
            }
        }
        let mut held_back = 0.0;
        for at in waits {
            let bay = &world.bays()[at];
            held_back += still_possible(site, bay.circuit, bay.outlet(), &mut room);
        }
        if held_back > 0.0 || given > 0.0 {
            self.waiting_s += seconds;
            self.given_as += given * seconds;
            self.held_back_as += held_back * seconds;
        }
    }
}

/// What a car could take beyond what it is offered, in amperes; 0: it does not wait.
fn wanted(outlet: &Outlet) -> f64 {
    let plate = outlet.plate();
    let Some(car) = outlet.car().filter(|car| !car.is_full() && !car.is_asleep()) else { return 0.0 };
    if plate.temper != Temper::Obeys {
        return 0.0;
    }
    let takes = car.takes().min(plate.max);
    let more = takes - outlet.offered();
    let least = if outlet.offered() > 0.0 { plate.step.max(0.1) } else { plate.min.max(car.model().min) };
    if takes >= plate.min.max(car.model().min) && more >= least { in_amps(outlet, more) } else { 0.0 }
}

fn still_possible(site: &ClosedLoop, circuit: usize, outlet: &Outlet, room: &mut [PerLine<f64>]) -> f64 {
    let world = site.world();
    let lines = lines_of(outlet);
    let free = world
        .path(circuit)
        .flat_map(|at| Line::ALL.into_iter().filter(|line| lines[*line]).map(move |line| (at, line)))
        .map(|(at, line)| room[at][line])
        .fold(f64::INFINITY, f64::min);
    let step = in_amps(outlet, outlet.plate().step).max(0.1);
    let extra = (wanted(outlet).min(free) / step).floor() * step;
    let least = if outlet.offered() > 0.0 { step } else { in_amps(outlet, outlet.plate().min) };
    if extra < least {
        return 0.0;
    }
    let circuits: Vec<usize> = world.path(circuit).collect();
    for at in circuits {
        for line in Line::ALL.into_iter().filter(|line| lines[*line]) {
            room[at][line] -= extra;
        }
    }
    extra * lines.0.iter().filter(|loaded| **loaded).count() as f64
}

fn lines_of(outlet: &Outlet) -> PerLine<bool> {
    let mut lines = PerLine::all(false);
    let phases = outlet.car().map_or(3, |car| usize::from(car.phases()));
    let between = matches!(outlet.plate().wiring, dlb_engine::lines::Wiring::Between(..));
    let used = if phases == 0 || between { 3 } else { phases };
    for line in outlet.plate().wiring.lines().into_iter().flatten().take(used) {
        lines[line] = true;
    }
    lines
}
