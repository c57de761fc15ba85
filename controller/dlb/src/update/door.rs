//! What the page and the broker may ask of updates. These may touch the disk: not for the site's thread.

use super::bundle::{Source, UpdateProblem};
use super::shelf::Upload;
use super::state::{Phase, Until};
use super::{Job, State, UpdatePhase, UpdateView, Updates, UploadView, WaitForCars};

const LONGEST_ADDRESS: usize = 1_000;

impl Updates {
    #[must_use]
    pub fn view(&self) -> UpdateView {
        self.state().view()
    }

    /// Begins an upload, or goes on with one that broke off.
    ///
    /// # Errors
    /// Not now, too large, or no room.
    pub fn begin_upload(&self, name: &str, size: u64) -> Result<UploadView, UpdateProblem> {
        let mut state = self.state();
        state.must_be_free()?;
        state.decline_offer();
        state.phase = Phase::Idle;
        state.problem = None;
        state.shelf.begin(name, size).map(upload_view)
    }

    /// Takes a piece; after the last one the bundle is looked at.
    ///
    /// # Errors
    /// The piece does not belong here, or the disk does not take it.
    pub fn append(&self, offset: u64, bytes: &[u8]) -> Result<UploadView, UpdateProblem> {
        let mut state = self.state();
        state.must_be_free()?;
        let upload = state.shelf.append(offset, bytes).map(upload_view)?;
        if state.shelf.is_complete() {
            let place = state.shelf.path().display().to_string();
            state.phase = Phase::Inspecting;
            let source = Source { place, headers: Vec::new(), action: None };
            self.hand_over(Job::Inspect { source, then_install: None })?;
        }
        Ok(upload)
    }

    /// Looks at a bundle on a server; RAUC fetches from there what it needs.
    ///
    /// # Errors
    /// Not now, or no address.
    pub fn fetch(&self, address: &str) -> Result<(), UpdateProblem> {
        let address = address.trim();
        let web = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let plain = !address.contains(|char: char| char.is_whitespace() || char.is_control());
        if web.is_none_or(str::is_empty) || !plain || address.len() > LONGEST_ADDRESS {
            let text = "This is not the address of a bundle. Write it like https://example.com/dlb.raucb.";
            return Err(UpdateProblem::new("bad-address", text));
        }
        let source = Source { place: address.to_owned(), headers: Vec::new(), action: None };
        self.look_at(source, None)
    }

    /// Has a bundle looked at and, if it may be, installed.
    pub(crate) fn look_at(
        &self,
        source: Source,
        then_install: Option<WaitForCars>,
    ) -> Result<(), UpdateProblem> {
        let mut state = self.state();
        state.must_be_free()?;
        state.decline_offer();
        state.offer = source.action.clone();
        state.phase = Phase::Inspecting;
        state.problem = None;
        self.hand_over(Job::Inspect { source, then_install })
    }

    /// Forgets a bundle that is not being installed.
    ///
    /// # Errors
    /// Not now.
    pub fn discard(&self) -> Result<(), UpdateProblem> {
        let mut state = self.state();
        state.must_be_free()?;
        state.decline_offer();
        state.phase = Phase::Idle;
        state.problem = None;
        state.shelf.discard();
        Ok(())
    }
}

impl State {
    fn must_be_free(&self) -> Result<(), UpdateProblem> {
        if self.machine.is_some() && self.phase.is_free() { Ok(()) } else { Err(self.not_now()) }
    }

    fn view(&self) -> UpdateView {
        let pending = self.diary.pending.as_ref().map(|pending| &pending.bundle);
        let bundle = match &self.phase {
            Phase::Idle | Phase::Inspecting => None,
            Phase::Ready { bundle, .. } | Phase::Installing { bundle, .. } => Some(bundle),
            Phase::AwaitsRestart { .. } | Phase::Restarting | Phase::OnTrial => pending,
        };
        let (percent, step) = match &self.phase {
            Phase::Installing { percent, step, .. } => (Some(*percent), Some(step.clone())),
            _ => (None, None),
        };
        let running = self.machine.as_ref().map(|machine| machine.version.clone());
        UpdateView {
            available: self.machine.is_some(),
            compatible: self.machine.as_ref().map(|machine| machine.compatible.clone()),
            running_version: running.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
            phase: self.phase.told(),
            version: bundle.map(|bundle| bundle.version.clone()),
            description: bundle.map(|bundle| bundle.description.clone()).filter(|text| !text.is_empty()),
            percent,
            step,
            waits_for_cars: matches!(self.phase, Phase::AwaitsRestart { until: Until::NoCarCharges }),
            upload: self.shelf.upload().map(upload_view),
            problem: self.problem.clone(),
            history: self.diary.history.clone(),
        }
    }
}

impl Phase {
    const fn told(&self) -> UpdatePhase {
        match self {
            Self::Idle => UpdatePhase::Idle,
            Self::Inspecting => UpdatePhase::Inspecting,
            Self::Ready { .. } => UpdatePhase::Ready,
            Self::Installing { .. } => UpdatePhase::Installing,
            Self::AwaitsRestart { .. } => UpdatePhase::AwaitsRestart,
            Self::Restarting => UpdatePhase::Restarting,
            Self::OnTrial => UpdatePhase::OnTrial,
        }
    }
}

fn upload_view(upload: &Upload) -> UploadView {
    UploadView { name: upload.name.clone(), size: upload.size, received: upload.received }
}
