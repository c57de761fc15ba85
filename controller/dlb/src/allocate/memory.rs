//! What is remembered from line to line, by the chargers' identities: whose turn it is, who was switched on
//! or off when, and which limits may still be in force.
//!
//! A line's answer is taken to reach its charger at once; that it *holds* is believed when `drawn_a` shows it,
//! or after [`SETTLE`] where a charger's current is never given. Until then the higher limit counts, and
//! nobody else gets those amperes. A charger that a line does not name, or that stands without a car, is
//! forgotten; one that comes anew counts at what it draws.

use super::convert::Picture;
use dlb_engine::allocate::Allocator;
use dlb_engine::allocation::Allocation;
use dlb_engine::ledger::{Ledger, Obedience, Proof};
use dlb_engine::lines::PerLine;
use dlb_engine::site::{ChargerIx, Site};
use dlb_engine::snapshot::{Demand, Reservation, Snapshot};
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;

/// As long as `dlb run` waits for a charger that it knows nothing of.
pub(super) const SETTLE: Duration = Duration::from_secs(10);

/// A decision, and what may be answered of it now.
pub(super) struct Decision {
    pub(super) allocation: Allocation,
    /// Limits to set now; below what was allocated while others may still draw those amperes.
    pub(super) limits: Vec<Milliamps>,
    /// What these limits permit in each circuit.
    pub(super) used: Vec<PerLine<Milliamps>>,
    /// What may flow there until the lowered ones hold.
    pub(super) possible: Vec<PerLine<Milliamps>>,
}

/// Nothing, before the first line.
#[derive(Debug, Default)]
pub(super) struct Memory {
    allocator: Allocator,
    promised: Option<(Site, Ledger)>,
}

impl Memory {
    pub(super) fn decide(&mut self, picture: &mut Picture) -> Decision {
        let Picture { site, snapshot, .. } = picture;
        let mut ledger = match self.promised.take() {
            Some((before, ledger)) => ledger.reconfigured(&before, site, snapshot.now),
            None => Ledger::new(site, snapshot.now).without_calm(),
        };
        for charger in site.charger_indexes() {
            observe(&mut ledger, charger, site, snapshot);
        }
        let allocation = self.allocator.allocate(site, snapshot);
        for setpoint in ledger.plan(snapshot.now, site, snapshot, &allocation) {
            ledger.accepted(snapshot.now, setpoint.charger, setpoint.limit);
        }
        let limit = |charger| limit(&ledger, charger, snapshot, &allocation);
        let limits = site.charger_indexes().map(limit).collect();
        let used = Ledger::flows(site, snapshot, |charger| match snapshot.chargers[charger.0].demand {
            Demand::Reserved(current, _) => current,
            _ => limit(charger),
        });
        let possible = Ledger::flows(site, snapshot, |charger| ledger.worst(snapshot.now, charger, site));
        let decision = Decision { limits, used, possible, allocation };
        self.promised = Some((site.clone(), ledger));
        decision
    }
}

impl Decision {
    /// Without a memory everybody obeys at once.
    pub(super) fn without_memory(picture: &Picture) -> Self {
        let allocation = Allocator::new().allocate(&picture.site, &picture.snapshot);
        let limits = allocation.grants.iter().map(|grant| grant.limit).collect();
        Self { limits, used: allocation.used.clone(), possible: allocation.used.clone(), allocation }
    }
}

/// What a line tells of a charger: that it has come, that it has gone, what it draws.
fn observe(ledger: &mut Ledger, charger: ChargerIx, site: &Site, snapshot: &mut Snapshot) {
    let (now, state) = (snapshot.now, &mut snapshot.chargers[charger.0]);
    let drawn = state.drawn.map(|drawn| drawn.0.into_iter().fold(Milliamps::ZERO, Milliamps::max));
    match state.demand {
        Demand::Absent => ledger.offline(now, charger),
        Demand::Reserved(current, _) => ledger.found_drawing(now, charger, current),
        Demand::Idle | Demand::Wants(_) if !ledger.is_online(charger) => {
            ledger.found_drawing(now, charger, drawn.unwrap_or_default());
        }
        Demand::Idle | Demand::Wants(_) => {
            ledger.judged_by(charger, Proof { metered: drawn.is_some(), settle: SETTLE });
            if let Some(drawn) = drawn {
                ledger.drawn(now, charger, drawn);
            }
            if ledger.obedience(charger) == Obedience::Disobeys {
                let worst = ledger.worst(now, charger, site);
                state.demand = Demand::Reserved(worst, Reservation::Disobeys);
            }
        }
    }
}

/// What the charger is told. One that cannot be told keeps what is set aside for it; one that disobeys, what it was
/// told last.
fn limit(ledger: &Ledger, charger: ChargerIx, snapshot: &Snapshot, allocation: &Allocation) -> Milliamps {
    let told = match snapshot.chargers[charger.0].demand {
        Demand::Absent | Demand::Reserved(_, Reservation::Uncontrollable | Reservation::OutOfReach) => None,
        Demand::Idle | Demand::Wants(_) | Demand::Reserved(_, Reservation::Disobeys) => ledger.limit(charger),
    };
    told.unwrap_or(allocation.grants[charger.0].limit)
}
