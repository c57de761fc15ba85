//! What a plan with perfect foresight could have delivered at the most, and what no control at all would
//! have drawn.
//!
//! The bound is the linear program "deliver as much energy as possible within every circuit, every car's
//! stay, its wish and its maximum", slot by slot, solved exactly as a maximum flow (Dinic) from cars over
//! the slots of their stay and up the tree of circuits. One thing is relaxed where a circuit feeds cars on
//! fewer than three phases: its three lines are then one capacity, their sum. So the true optimum is never
//! above the figure, and equals it where all cars charge on three phases.

use super::Session;
use super::profile::Profile;
use dlb_engine::lines::PerLine;

/// What the bound must know of the site.
#[derive(Clone, Debug)]
pub struct Grid {
    pub parents: Vec<Option<usize>>,
    pub limits: Vec<PerLine<f64>>,
    /// The circuit of each bay.
    pub bays: Vec<usize>,
    pub volts: f64,
    pub speed: f64,
}

/// The most energy that anybody could have delivered, kWh at the cables.
#[must_use]
pub fn energy_kwh(grid: &Grid, sessions: &[Session], profile: &Profile) -> f64 {
    let hours = profile.slot_s / 3600.0;
    let mut flow = Flow::new(2 + sessions.len() + profile.slots.len() * grid.parents.len());
    let node = |slot: usize, circuit: usize| 2 + sessions.len() + slot * grid.parents.len() + circuit;
    for (at, session) in sessions.iter().enumerate() {
        flow.edge(0, 2 + at, watt_hours(session.stay.wanted_kwh));
        for (slot, share) in slots_of(session, grid.speed, profile) {
            let most = watt_hours(session.max_kw * hours * share);
            flow.edge(2 + at, node(slot, grid.bays[session.bay]), most);
        }
    }
    for (slot, load) in profile.slots.iter().enumerate() {
        for circuit in 0..grid.parents.len() {
            let amps = capacity(grid, sessions, circuit, load.others.get(circuit).copied());
            let kwh = amps * grid.volts * hours / 1000.0;
            let above = grid.parents[circuit].map_or(1, |parent| node(slot, parent));
            flow.edge(node(slot, circuit), above, watt_hours(kwh));
        }
    }
    flow.maximum() as f64 / 1000.0
}

/// Highest mean power of a slot if every car took all that it can from the moment it comes, kW.
#[must_use]
pub fn uncontrolled_peak_kw(grid: &Grid, sessions: &[Session], profile: &Profile) -> f64 {
    let mut power: Vec<f64> = profile.slots.iter().map(|slot| slot.others_kw).collect();
    let hours = profile.slot_s / 3600.0;
    for session in sessions {
        let mut left = session.stay.wanted_kwh;
        for (slot, share) in slots_of(session, grid.speed, profile) {
            let kwh = (session.max_kw * hours * share).min(left);
            left -= kwh;
            power[slot] += kwh / hours;
        }
    }
    power.into_iter().fold(0.0, f64::max)
}

/// Slots of a stay, each with the share of it in which the car is there.
fn slots_of(session: &Session, speed: f64, profile: &Profile) -> Vec<(usize, f64)> {
    let (from, to) = (session.arrived_s * speed, session.left_s * speed);
    let first = (from / profile.slot_s) as usize;
    let there = |slot: usize| {
        let (begin, end) = (slot as f64 * profile.slot_s, (slot + 1) as f64 * profile.slot_s);
        (to.min(end) - from.max(begin)) / profile.slot_s
    };
    (first..profile.slots.len())
        .map(|slot| (slot, there(slot)))
        .take_while(|(_, share)| *share > 0.0)
        .collect()
}

/// Amperes on all lines together.
fn capacity(grid: &Grid, sessions: &[Session], circuit: usize, others: Option<PerLine<f64>>) -> f64 {
    let others = others.unwrap_or_default();
    let free = (grid.limits[circuit] - others).map(|amps| amps.max(0.0)).0;
    let fed = |bay: usize| {
        core::iter::successors(Some(grid.bays[bay]), |at| grid.parents[*at]).any(|at| at == circuit)
    };
    let even = sessions.iter().filter(|session| fed(session.bay)).all(|it| it.phases == 3 || it.phases == 0);
    if even { 3.0 * free.into_iter().fold(f64::INFINITY, f64::min) } else { free.iter().sum() }
}

fn watt_hours(kwh: f64) -> i64 {
    (kwh.clamp(0.0, 1e12) * 1000.0).round() as i64
}

/// Maximum flow from node 0 to node 1 (Dinic).
struct Flow {
    edges: Vec<(usize, i64)>,
    from: Vec<Vec<usize>>,
    level: Vec<usize>,
    next: Vec<usize>,
}

const NOWHERE: usize = usize::MAX;

impl Flow {
    fn new(nodes: usize) -> Self {
        Self {
            edges: Vec::new(),
            from: vec![Vec::new(); nodes],
            level: vec![NOWHERE; nodes],
            next: vec![0; nodes],
        }
    }

    fn edge(&mut self, from: usize, to: usize, capacity: i64) {
        self.from[from].push(self.edges.len());
        self.edges.push((to, capacity));
        self.from[to].push(self.edges.len());
        self.edges.push((from, 0));
    }

    fn maximum(&mut self) -> i64 {
        let mut total = 0;
        while self.levels() {
            self.next.fill(0);
            loop {
                let pushed = self.push(0, i64::MAX);
                if pushed == 0 {
                    break;
                }
                total += pushed;
            }
        }
        total
    }

    fn levels(&mut self) -> bool {
        self.level.fill(NOWHERE);
        self.level[0] = 0;
        let mut queue = std::collections::VecDeque::from([0]);
        while let Some(node) = queue.pop_front() {
            for &edge in &self.from[node] {
                let (to, left) = self.edges[edge];
                if left > 0 && self.level[to] == NOWHERE {
                    self.level[to] = self.level[node] + 1;
                    queue.push_back(to);
                }
            }
        }
        self.level[1] != NOWHERE
    }

    /// Paths are as short as the tree is deep, and twice that: no deeper than its own recursion.
    fn push(&mut self, node: usize, most: i64) -> i64 {
        if node == 1 {
            return most;
        }
        while let Some(&edge) = self.from[node].get(self.next[node]) {
            let (to, left) = self.edges[edge];
            if left > 0 && self.level[to] == self.level[node] + 1 {
                let pushed = self.push(to, most.min(left));
                if pushed > 0 {
                    self.edges[edge].1 -= pushed;
                    self.edges[edge ^ 1].1 += pushed;
                    return pushed;
                }
            }
            self.next[node] += 1;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bay::Stay;
    use crate::judge::profile::Slot;

    fn car(bay: usize, hours: (f64, f64), kwh: f64, max_kw: f64) -> Session {
        Session {
            bay,
            arrived_s: hours.0 * 3600.0,
            left_s: hours.1 * 3600.0,
            stay: Stay { wanted_kwh: kwh, ..Stay::default() },
            max_kw,
            max_a: 16.0,
            phases: 3,
        }
    }

    /// Others draw at the connection only; the small circuit has nothing but chargers.
    fn night(slots: usize, others: f64) -> Profile {
        let slot = Slot { others: vec![PerLine::all(others), PerLine::all(0.0)], others_kw: 0.69 * others };
        let mut profile = Profile::new(3600.0);
        profile.slots = vec![slot; slots];
        profile
    }

    fn grid() -> Grid {
        Grid {
            parents: vec![None, Some(0)],
            limits: vec![PerLine::all(32.0), PerLine::all(16.0)],
            bays: vec![0, 1, 1],
            volts: 230.0,
            speed: 1.0,
        }
    }

    #[test]
    fn two_cars_behind_a_small_circuit_get_what_it_carries() {
        let cars = [car(1, (0.0, 2.0), 50.0, 11.0), car(2, (0.0, 2.0), 50.0, 11.0)];
        let kwh = energy_kwh(&grid(), &cars, &night(2, 0.0));
        assert!((kwh - 2.0 * 16.0 * 0.69).abs() < 0.01, "{kwh}");
    }

    #[test]
    fn what_others_draw_and_what_a_car_wants_bound_it() {
        let cars = [car(0, (0.0, 1.0), 50.0, 11.0), car(1, (0.5, 2.0), 3.0, 11.0)];
        let kwh = energy_kwh(&grid(), &cars, &night(2, 20.0));
        assert!((kwh - (12.0 * 0.69 + 3.0)).abs() < 0.01, "{kwh}");
    }

    #[test]
    fn without_control_all_cars_charge_at_once() {
        let cars = [car(0, (0.0, 2.0), 11.0, 11.0), car(1, (0.0, 2.0), 22.0, 11.0)];
        let peak = uncontrolled_peak_kw(&grid(), &cars, &night(2, 10.0));
        assert!((peak - (22.0 + 6.9)).abs() < 0.01, "{peak}");
    }
}
