//! The judge: plays a scenario with the very controller, looks at what really flows, and says what came
//! of it and which of the promises of `ARCHITECTURE.md` were broken.
//!
//! It knows the truth (the world's own currents, what every outlet offers) and asks the controller only
//! what it shows on its page.

mod breach;
mod handed;
pub mod optimum;
mod patience;
mod profile;
pub mod shrink;

pub use breach::{Breach, Broken};
pub use handed::Handed;

use crate::bay::{Stay, Visit};
use crate::closed_loop::{ClosedLoop, Witness};
use crate::scenario::{Scenario, Staged, Tables};
use breach::Watch;
use dlb_engine::time::{Duration, Instant};
use optimum::Grid;
use patience::Patience;
pub use profile::{Profile, Slot};

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Electrical and protocol time, and the scenario's.
    pub simulated_s: f64,
    pub scenario_s: f64,
    /// At the cables.
    pub energy_kwh: f64,
    pub energy_requested_kwh: f64,
    /// The most that anybody could have delivered ([`optimum`]).
    pub energy_optimal_kwh: f64,
    /// Highest mean power of five minutes if nobody had controlled anything, kW.
    pub peak_uncontrolled_kw: f64,
    /// Highest power at the grid connection, kW.
    pub peak_kw: f64,
    /// Over all circuits and lines.
    pub over_limit_a_s: f64,
    pub longest_over_limit_s: f64,
    pub protective_device_trips: u32,
    pub starved_sessions: usize,
    pub setpoints_sent: u64,
    pub contactor_starts: u32,
    /// How much of what could be handed out was, while somebody waited.
    pub handed: Handed,
    pub sessions: Vec<Session>,
    pub breaches: Vec<Breach>,
    pub seed: u64,
    pub digest: u64,
}

/// One visit, as it really was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    pub bay: usize,
    /// Electrical seconds from the start.
    pub arrived_s: f64,
    pub left_s: f64,
    pub stay: Stay,
    /// The most that the car can take, kW at the cable, and the phases that it uses (0: DC).
    pub max_kw: f64,
    pub max_a: f64,
    pub phases: u8,
}

/// A run under the judge's eyes.
#[derive(Debug)]
pub struct Trial {
    site: ClosedLoop,
    started: Instant,
    lasts: Duration,
    speed: u32,
    seed: u64,
    watch: Watch,
    patience: Patience,
    handed: Handed,
    profile: Profile,
    grid: Grid,
    sessions: Vec<Session>,
    /// Car at each bay: since when, and what it can take.
    here: Vec<Option<Session>>,
}

/// What others draw is noted in slots of this length, in the scenario's time.
const SLOT_S: f64 = 300.0;

fn grid_of(staged: &Staged) -> Grid {
    let world = &staged.world;
    let circuits = staged.rig.settings.site.circuits();
    Grid {
        parents: circuits.iter().map(|circuit| circuit.parent.map(|parent| parent.0)).collect(),
        limits: (0..world.circuit_count()).map(|at| world.truth_of(at).limit()).collect(),
        bays: world.bays().iter().map(|bay| bay.circuit).collect(),
        volts: world.electrical().volts.0[0],
        speed: f64::from(staged.speed),
    }
}

/// Plays a scenario to its end.
///
/// # Errors
/// What is wrong with the scenario.
pub fn judge(
    scenario: &Scenario,
    tables: &Tables,
    witness: Option<Box<dyn Witness>>,
) -> Result<Verdict, Vec<crate::scenario::Mistake>> {
    let mut trial = Trial::new(scenario.stage(tables)?, scenario, witness);
    while trial.step() {}
    Ok(trial.verdict())
}

impl Trial {
    #[must_use]
    pub fn new(staged: Staged, scenario: &Scenario, witness: Option<Box<dyn Witness>>) -> Self {
        let (started, lasts, speed) = (staged.now, staged.lasts, staged.speed);
        let watch = Watch::new(&staged, scenario);
        let bays = staged.world.bays().len();
        let grid = grid_of(&staged);
        Self {
            patience: Patience::new(&staged, scenario),
            site: staged.play(witness),
            started,
            lasts,
            speed,
            seed: scenario.seed,
            watch,
            handed: Handed::default(),
            profile: Profile::new(SLOT_S),
            grid,
            sessions: Vec::new(),
            here: vec![None; bays],
        }
    }

    #[must_use]
    pub const fn site(&self) -> &ClosedLoop {
        &self.site
    }

    /// False: it is over.
    pub fn step(&mut self) -> bool {
        self.site.step();
        self.note_visits();
        let seconds = self.watch.step_s();
        self.watch.look(&self.site);
        self.patience.look(&self.site);
        self.handed.look(&self.site, seconds);
        let scenario_s = self.site.now().since(self.started).as_secs_f64() * f64::from(self.speed);
        self.profile.look(&self.site, scenario_s, seconds);
        self.site.now().since(self.started) < self.lasts
    }

    fn note_visits(&mut self) {
        let now_s = self.site.now().since(self.started).as_secs_f64();
        while let Some((bay, visit)) = self.site.world_mut().next_visit() {
            match visit {
                Visit::Arrived { .. } => self.here[bay] = self.arrival(bay, now_s),
                Visit::Left { session, .. } => {
                    if let Some(arrival) = self.here[bay].take() {
                        self.sessions.push(Session { left_s: now_s, stay: session, ..arrival });
                    }
                }
            }
        }
    }

    fn arrival(&self, bay: usize, now_s: f64) -> Option<Session> {
        let outlet = self.site.world().bays()[bay].outlet();
        let car = outlet.car()?;
        let (phases, plate) = (car.phases(), outlet.plate());
        let max = car.model().max.min(plate.max);
        let used = f64::from(phases.min(outlet.phases()).max(1));
        let kw = if phases == 0 { max / 1000.0 } else { max * used * 0.23 };
        Some(Session {
            bay,
            arrived_s: now_s,
            left_s: now_s,
            stay: Stay::default(),
            max_kw: kw,
            max_a: max,
            phases,
        })
    }

    /// What has come of it so far.
    #[must_use]
    pub fn verdict(mut self) -> Verdict {
        let now = self.site.now();
        let simulated_s = now.since(self.started).as_secs_f64();
        for (bay, arrival) in self.here.iter().enumerate() {
            let stay = self.site.world().bays()[bay].stay(now);
            if let (Some(arrival), Some(stay)) = (arrival, stay) {
                self.sessions.push(Session { left_s: simulated_s, stay, ..*arrival });
            }
        }
        self.profile.close();
        let starved = self.patience.starved();
        let mut breaches = self.watch.breaches();
        breaches.extend(self.patience.breaches());
        let world = self.site.world();
        let truths = || (0..world.circuit_count()).map(|at| world.truth_of(at));
        Verdict {
            simulated_s,
            scenario_s: simulated_s * f64::from(self.speed),
            energy_kwh: self.sessions.iter().map(|session| session.stay.charged_kwh).sum(),
            energy_requested_kwh: self.sessions.iter().map(|session| session.stay.wanted_kwh).sum(),
            energy_optimal_kwh: optimum::energy_kwh(&self.grid, &self.sessions, &self.profile),
            peak_uncontrolled_kw: optimum::uncontrolled_peak_kw(&self.grid, &self.sessions, &self.profile),
            peak_kw: world.truth().peak_kw,
            over_limit_a_s: truths().map(|truth| truth.over_as.0.iter().sum::<f64>()).sum(),
            longest_over_limit_s: truths().map(|truth| truth.longest_over_s).fold(0.0, f64::max),
            protective_device_trips: truths().map(|truth| truth.trips).sum(),
            starved_sessions: starved,
            setpoints_sent: self.site.setpoints_sent,
            contactor_starts: world.bays().iter().map(|bay| bay.outlet().contactor_starts()).sum(),
            handed: self.handed,
            sessions: self.sessions,
            breaches,
            seed: self.seed,
            digest: self.site.digest(),
        }
    }
}

impl Verdict {
    /// Jain's index of the shares of their wishes that sessions got: 1 if all got the same share.
    #[must_use]
    pub fn jain_fairness(&self) -> f64 {
        let wanted = self.sessions.iter().filter(|session| session.stay.wanted_kwh > 0.01);
        let shares: Vec<f64> = wanted
            .map(|session| (session.stay.charged_kwh / session.stay.wanted_kwh).clamp(0.0, 1.0))
            .collect();
        let (sum, squares) =
            shares.iter().fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
        if squares > 0.0 { sum * sum / (shares.len() as f64 * squares) } else { 1.0 }
    }
}
