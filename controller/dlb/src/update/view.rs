//! The update as the API and the broker tell of it.

use super::bundle::UpdateProblem;
use super::diary::UpdateRecord;
use serde::Serialize;
use utoipa::ToSchema;

/// `GET /api/v1/update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UpdateView {
    /// False: there is no RAUC here, and nothing of this can be used.
    pub available: bool,
    /// What kind of machine bundles must be made for.
    pub compatible: Option<String>,
    pub running_version: String,
    pub phase: UpdatePhase,
    /// The version of the bundle that is looked at, written, awaits its restart or is on trial.
    pub version: Option<String>,
    pub description: Option<String>,
    /// Of the writing, 0 to 100.
    pub percent: Option<u8>,
    /// What RAUC is doing, in its own words.
    pub step: Option<String>,
    /// With `awaits-restart`: until no car charges.
    pub waits_for_cars: bool,
    pub upload: Option<UploadView>,
    /// Why the last step did not go on.
    pub problem: Option<UpdateProblem>,
    /// How updates ended, newest first.
    pub history: Vec<UpdateRecord>,
}

/// An upload that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UploadView {
    pub name: String,
    pub size: u64,
    /// Where the next piece begins.
    pub received: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdatePhase {
    Idle,
    /// RAUC checks its signature and what it is for.
    Inspecting,
    /// May be installed.
    Ready,
    /// Being written into the other system; balancing goes on.
    Installing,
    /// Written; the next start runs it.
    AwaitsRestart,
    /// Chargers go to their safe limits, then the machine starts anew.
    Restarting,
    /// Runs and must prove itself.
    OnTrial,
}
