//! The steps of an update, and who may take which. The driver reports what RAUC said; nothing in here asks it.

use super::bundle::{self, Bundle, Source, UpdateProblem};
use super::diary::{Ending, Found, Pending, Report, UpdateOutcome, UpdateRecord};
use super::{Job, Machine, State, Updates, WaitForCars};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    Inspecting,
    Ready { source: Source, bundle: Bundle },
    Installing { bundle: Bundle, percent: u8, step: String },
    AwaitsRestart { until: Until },
    Restarting,
    OnTrial,
}

/// How long a written update awaits its restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Now,
    NoCarCharges,
    /// It was asked for once, and the machine did not restart: a person must look.
    SomebodyAsks,
}

impl Until {
    const fn of(wait_for_cars: WaitForCars) -> Self {
        if wait_for_cars { Self::NoCarCharges } else { Self::Now }
    }
}

impl Phase {
    /// May another bundle take this one's place?
    pub(super) const fn is_free(&self) -> bool {
        matches!(self, Self::Idle | Self::Ready { .. })
    }
}

impl Updates {
    /// What RAUC says of the machine, again and again; `None`: there is no RAUC.
    pub(crate) fn machine(&self, machine: Option<Machine>) -> Option<UpdateRecord> {
        let mut state = self.state();
        let first = state.machine.is_none();
        state.machine = machine;
        let machine = state.machine.clone()?;
        let found = state.diary.pending.as_ref()?.found(&machine.booted, &machine.boot);
        match found {
            Found::OnTrial if machine.proved => state.ended_well(),
            Found::OnTrial => {
                if first {
                    state.diary.change(|pending| pending.starts += 1);
                }
                state.phase = Phase::OnTrial;
                None
            }
            _ if !first => None,
            Found::AwaitsRestart => {
                state.awaits_restart();
                None
            }
            Found::Ended(ending) => state.ended(ending),
        }
    }

    /// What RAUC said of a bundle. `Ok` answers what to install now.
    pub(crate) fn inspected(
        &self,
        source: Source,
        outcome: Result<Bundle, String>,
        then_install: Option<WaitForCars>,
    ) -> Result<(), UpdateProblem> {
        let mut state = self.state();
        let machine = state.machine.clone().ok_or_else(no_appliance);
        let refused = |said: String| bundle::refused_by_rauc(&said, source.is_an_address());
        let checked = outcome.map_err(refused).and_then(|bundle| {
            let machine = machine?;
            bundle.check(&machine.compatible, &machine.version).map(|()| bundle)
        });
        match checked {
            Ok(bundle) => state.phase = Phase::Ready { source, bundle },
            Err(problem) => {
                state.refuse(problem.clone());
                return Err(problem);
            }
        }
        drop(state);
        then_install.map_or(Ok(()), |wait_for_cars| self.install(wait_for_cars))
    }

    /// Installs the bundle that is ready.
    ///
    /// # Errors
    /// None is ready, or the note of it cannot be written.
    pub fn install(&self, wait_for_cars: bool) -> Result<(), UpdateProblem> {
        let mut state = self.state();
        let Phase::Ready { source, bundle } = state.phase.clone() else { return Err(state.not_now()) };
        let machine = state.machine.clone().ok_or_else(no_appliance)?;
        let pending = Pending {
            bundle: bundle.clone(),
            action: source.action.clone(),
            from_version: machine.version,
            from_slot: machine.booted,
            boot: machine.boot,
            written: false,
            wait_for_cars,
            asked: false,
            starts: 0,
        };
        state.diary.begin(pending).map_err(|error| {
            let text = format!("The data partition does not take a note of the update ({error}). Try again.");
            UpdateProblem::new("disk", text)
        })?;
        state.problem = None;
        let step = String::new();
        state.phase = Phase::Installing { bundle: bundle.clone(), percent: 0, step };
        self.hand_over(Job::Install { source, bundle })
    }

    pub(crate) fn progress(&self, told: i32, said: &str) {
        if let Phase::Installing { percent, step, .. } = &mut self.state().phase {
            *percent = u8::try_from(told.clamp(0, 100)).unwrap_or(0);
            said.clone_into(step);
        }
    }

    /// RAUC has ended writing.
    pub(crate) fn installed(&self, outcome: Result<(), String>) -> Option<UpdateRecord> {
        let mut state = self.state();
        state.shelf.discard();
        match outcome {
            Ok(()) => {
                state.diary.change(|pending| pending.written = true);
                state.awaits_restart();
                None
            }
            Err(said) => {
                let problem = bundle::refused_by_rauc(&said, false);
                let ending = Ending::new(UpdateOutcome::Failed, &problem.code, problem.text.clone());
                let ended = state.ended(ending);
                state.problem = Some(problem);
                ended
            }
        }
    }

    /// Whether the box is to be restarted now, and it is from here on.
    pub(crate) fn restart_if_due(&self, cars_charge: bool) -> bool {
        let mut state = self.state();
        let due = match state.phase {
            Phase::AwaitsRestart { until: Until::Now } => true,
            Phase::AwaitsRestart { until: Until::NoCarCharges } => !cars_charge,
            _ => false,
        };
        if due {
            state.diary.change(|pending| pending.asked = true);
            state.phase = Phase::Restarting;
            let _ = self.restart.try_send(());
        }
        due
    }

    /// Does not wait for cars any more.
    ///
    /// # Errors
    /// There is nothing that awaits a restart.
    pub fn restart_now(&self) -> Result<(), UpdateProblem> {
        let mut state = self.state();
        let Phase::AwaitsRestart { until } = &mut state.phase else { return Err(state.not_now()) };
        *until = Until::Now;
        state.problem = None;
        state.diary.change(|pending| pending.wait_for_cars = false);
        Ok(())
    }

    /// Something changes soon: RAUC should be asked more often.
    pub(crate) fn is_restless(&self) -> bool {
        let state = self.state();
        state.machine.is_none() || !matches!(state.phase, Phase::Idle | Phase::Ready { .. })
    }

    /// Is this action of a server in hand, or its end not told yet?
    pub(crate) fn is_about(&self, action: &str) -> bool {
        let state = self.state();
        let pending = state.diary.pending.as_ref().and_then(|pending| pending.action.as_deref());
        let told = state.diary.report.as_ref().map(|report| report.action.as_str());
        [state.offer.as_deref(), pending, told].contains(&Some(action))
    }

    /// What a server is to be told.
    pub(crate) fn report(&self) -> Option<Report> {
        self.state().diary.report.clone()
    }

    pub(crate) fn reported(&self) {
        self.state().diary.reported();
    }

    /// An action that cannot be carried out at all.
    pub(crate) fn refuse_action(&self, action: &str, why: &str) {
        self.state().diary.report(action.to_owned(), false, why);
    }

    pub(super) fn hand_over(&self, job: Job) -> Result<(), UpdateProblem> {
        self.jobs
            .try_send(job)
            .map_err(|_| UpdateProblem::new("busy", "Another update is under way. Try again in a minute."))
    }
}

impl State {
    pub(super) fn refuse(&mut self, problem: UpdateProblem) {
        self.phase = Phase::Idle;
        self.shelf.discard();
        if let Some(action) = self.offer.take() {
            self.diary.report(action, false, &problem.text);
        }
        self.problem = Some(problem);
    }

    /// Somebody here wants something else than what the server offered.
    pub(super) fn decline_offer(&mut self) {
        if let Some(action) = self.offer.take() {
            self.diary.report(action, false, "Somebody at the box decided otherwise.");
        }
    }

    fn awaits_restart(&mut self) {
        let Some(pending) = &self.diary.pending else { return };
        let until = if pending.asked { Until::SomebodyAsks } else { Until::of(pending.wait_for_cars) };
        if until == Until::SomebodyAsks {
            let text = "The box was to restart into the new version and did not. Switch it off and on again.";
            self.problem = Some(UpdateProblem::new("not-restarted", text));
        }
        self.phase = Phase::AwaitsRestart { until };
    }

    fn ended_well(&mut self) -> Option<UpdateRecord> {
        let ending = self.diary.pending.as_ref()?.done();
        self.ended(ending)
    }

    fn ended(&mut self, ending: Ending) -> Option<UpdateRecord> {
        self.phase = Phase::Idle;
        self.offer = None;
        self.diary.end(ending)
    }

    pub(super) fn not_now(&self) -> UpdateProblem {
        if self.machine.is_none() {
            return no_appliance();
        }
        let text = match self.phase {
            Phase::Idle => "There is no bundle to go on with. Upload one first.",
            Phase::Inspecting => "The bundle is still being looked at. Wait a moment.",
            Phase::Ready { .. } => "The bundle has not been installed yet. Install it first.",
            Phase::Installing { .. } => "An update is being written. Wait until it is done.",
            Phase::AwaitsRestart { .. } => "An update awaits its restart. Restart the box first.",
            Phase::Restarting => "The box is about to restart. Wait until it is back.",
            Phase::OnTrial => "A new version is on trial. Wait until it has proved itself.",
        };
        UpdateProblem::new("not-now", text)
    }
}

pub(super) fn no_appliance() -> UpdateProblem {
    let text =
        "This is not an appliance: there is no RAUC service, and updates come the way that the program came.";
    UpdateProblem::new("no-appliance", text)
}
