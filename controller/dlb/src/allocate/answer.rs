//! An allocation as it stands on a line: in the order and by the names of the snapshot.

use super::convert::Picture;
use super::file::{CircuitFile, SnapshotFile};
use super::memory::Decision;
use crate::view::explain;
use dlb_engine::allocation::Reason;
use dlb_engine::lines::PerLine;
use dlb_engine::units::Milliamps;
use serde::Serialize;
use utoipa::ToSchema;

/// The answer to one snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AllocationView {
    pub now_s: f64,
    pub chargers: Vec<ChargerLimitView>,
    pub circuits: Vec<CircuitUseView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChargerLimitView {
    pub id: String,
    /// Amperes on each of its lines, on the grid's side; 0 or at least its minimum.
    pub limit_a: f64,
    /// DC: the same as power to the car.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_kw: Option<f64>,
    /// What stands in the way of more, for people.
    pub reason: String,
    /// The same for programs; these words stay.
    pub reason_code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CircuitUseView {
    pub id: String,
    /// The worst case that this allocation permits, other load included.
    pub used_a: Vec<f64>,
    /// The worst case until lowered limits hold, where that is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possible_a: Option<Vec<f64>>,
    /// As given; null where only power is limited.
    pub limit_a: Option<Vec<f64>>,
}

impl AllocationView {
    pub(super) fn new(file: &SnapshotFile, picture: &Picture, decision: &Decision) -> Self {
        let name = |ix: dlb_engine::site::CircuitIx| picture.site.circuit(ix).id.as_str();
        let charger = |ix: usize| {
            let (grant, limit) = (decision.allocation.grants[ix], decision.limits[ix]);
            let waits = limit < grant.limit && !matches!(grant.reason, Reason::Reserved(_));
            let (reason, reason_code) = match waits {
                true => ("waits until others have come down".to_owned(), "others-come-down"),
                false => explain(grant.reason, &name),
            };
            let limit_a = limit.as_amps();
            let limit_kw = picture.kilowatts[ix].map(|each| (limit_a * each * 1000.0).round() / 1000.0);
            ChargerLimitView { id: file.chargers[ix].id.clone(), limit_a, limit_kw, reason, reason_code }
        };
        let circuit = |(circuit, place): (&CircuitFile, &dlb_engine::site::CircuitIx)| CircuitUseView {
            id: circuit.id.clone(),
            used_a: as_many(decision.used[place.0], circuit.limit_a.as_deref()),
            possible_a: (decision.possible[place.0] != decision.used[place.0])
                .then(|| as_many(decision.possible[place.0], circuit.limit_a.as_deref())),
            limit_a: circuit.limit_a.clone(),
        };
        Self {
            now_s: file.now_s,
            chargers: (0..file.chargers.len()).map(charger).collect(),
            circuits: file.circuits.iter().zip(&picture.places).map(circuit).collect(),
        }
    }
}

/// As many lines as the limit names.
fn as_many(used: PerLine<Milliamps>, limit: Option<&[f64]>) -> Vec<f64> {
    let lines = limit.map_or(3, <[f64]>::len);
    used.0.into_iter().take(lines).map(Milliamps::as_amps).collect()
}
