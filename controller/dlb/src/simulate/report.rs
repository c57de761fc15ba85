//! What came of a run, for people and for programs.

use dlb_sim::judge::{Session, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

/// The result of a run. SI units; what is meant differently says so in its name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// Protocol and electrical time that was played. Equals `scenario_s` at speed 1.
    pub simulated_s: f64,
    /// The same on the scenario's clock: arrivals, batteries, appliances, sun.
    pub scenario_s: f64,
    /// How long the machine took.
    pub wall_s: f64,
    /// At the cables.
    pub energy_kwh: f64,
    pub energy_requested_kwh: f64,
    /// The linear program's bound: what a plan with perfect foresight could have delivered at the most.
    pub energy_optimal_kwh: f64,
    /// Highest power at the grid connection.
    pub peak_kw: f64,
    /// Highest mean power of five minutes if every car took all that it can from the moment it comes.
    pub peak_uncontrolled_kw: f64,
    /// Ampere-seconds above the limit, all circuits and lines.
    pub over_limit_a_s: f64,
    /// Longest time without a break for which any line was more than 1 % above its limit.
    pub longest_over_limit_s: f64,
    pub protective_device_trips: u32,
    /// Cars that could charge and did not get a turn when it was theirs.
    pub starved_sessions: usize,
    /// Jain's index of the shares of their wishes that sessions got.
    pub jain_fairness: f64,
    pub setpoints_sent: u64,
    /// While somebody waited for more: the share of what the tree and the chargers' steps allowed that was
    /// offered to cars which could use it.
    pub handed_out: f64,
    pub contactor_starts: u32,
    /// Promises of "Always true" that were broken, in words.
    pub breaches: Vec<String>,
    pub sessions: Vec<SessionView>,
    pub seed: u64,
    /// Fingerprint of all that flowed and all that was said: same scenario and seed, same digest.
    pub digest: String,
}

/// One visit.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Position of the charger in the scenario.
    pub charger: usize,
    /// The scenario's seconds from the start.
    pub arrived_s: f64,
    pub left_s: f64,
    pub wanted_kwh: f64,
    pub charged_kwh: f64,
}

impl ReportView {
    pub(super) fn new(verdict: &Verdict, wall_s: f64) -> Self {
        let speed = if verdict.simulated_s > 0.0 { verdict.scenario_s / verdict.simulated_s } else { 1.0 };
        let session = |session: &Session| SessionView {
            charger: session.bay,
            arrived_s: session.arrived_s * speed,
            left_s: session.left_s * speed,
            wanted_kwh: session.stay.wanted_kwh,
            charged_kwh: session.stay.charged_kwh,
        };
        let breach = |breach: &dlb_sim::judge::Breach| {
            format!("at {:.0} s {:?}: {}", breach.at_s, breach.broken, breach.seen)
        };
        Self {
            simulated_s: verdict.simulated_s,
            scenario_s: verdict.scenario_s,
            wall_s,
            energy_kwh: verdict.energy_kwh,
            energy_requested_kwh: verdict.energy_requested_kwh,
            energy_optimal_kwh: verdict.energy_optimal_kwh,
            peak_kw: verdict.peak_kw,
            peak_uncontrolled_kw: verdict.peak_uncontrolled_kw,
            over_limit_a_s: verdict.over_limit_a_s,
            longest_over_limit_s: verdict.longest_over_limit_s,
            protective_device_trips: verdict.protective_device_trips,
            starved_sessions: verdict.starved_sessions,
            jain_fairness: verdict.jain_fairness(),
            setpoints_sent: verdict.setpoints_sent,
            handed_out: verdict.handed.share(),
            contactor_starts: verdict.contactor_starts,
            breaches: verdict.breaches.iter().map(breach).collect(),
            sessions: verdict.sessions.iter().map(session).collect(),
            seed: verdict.seed,
            digest: format!("{:016x}", verdict.digest),
        }
    }

    pub(super) fn sound(&self) -> bool {
        self.breaches.is_empty()
    }

    pub(super) fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string(self).expect("a report is plain data"));
        } else {
            print!("{self}");
        }
    }
}

impl std::fmt::Display for ReportView {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |of: f64| if of > 0.0 { 100.0 * self.energy_kwh / of } else { 100.0 };
        writeln!(
            out,
            "{:.1} h of the scenario in {:.2} s ({:.0} times faster than protocol time)",
            self.scenario_s / 3600.0,
            self.wall_s,
            self.simulated_s / self.wall_s.max(1e-9)
        )?;
        writeln!(
            out,
            "delivered     {:.1} kWh: {:.1} % of {:.1} asked for, {:.1} % of {:.1} possible",
            self.energy_kwh,
            percent(self.energy_requested_kwh),
            self.energy_requested_kwh,
            percent(self.energy_optimal_kwh),
            self.energy_optimal_kwh
        )?;
        writeln!(
            out,
            "peak          {:.1} kW, uncontrolled {:.1} kW",
            self.peak_kw, self.peak_uncontrolled_kw
        )?;
        writeln!(
            out,
            "over limit    {:.0} A·s, {:.1} s at a time; trips: {}",
            self.over_limit_a_s, self.longest_over_limit_s, self.protective_device_trips
        )?;
        writeln!(
            out,
            "sessions      {}, starved: {}, Jain's index {:.3}",
            self.sessions.len(),
            self.starved_sessions,
            self.jain_fairness
        )?;
        writeln!(
            out,
            "handed out    {:.1} % of what could be, while somebody waited; {} limits sent, {} contactor starts",
            100.0 * self.handed_out,
            self.setpoints_sent,
            self.contactor_starts
        )?;
        for breach in &self.breaches {
            writeln!(out, "BROKEN        {breach}")?;
        }
        writeln!(out, "seed {}, digest {}", self.seed, self.digest)
    }
}
