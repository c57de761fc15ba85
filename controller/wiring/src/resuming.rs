//! After a start of this program, cars go on by the limits that they had before it.
//!
//! Those limits fitted together when they were sent, and they end by themselves. Chargers come back one after the
//! other, and what is not heard yet counts at its rating; deciding at once would switch the first ones off to make
//! room for limits that nobody has. So nothing is said for a while, until all have been heard, unless there is a
//! reason to lower: a circuit above its limit, or somebody's lower limit in force.

use crate::controller::Controller;
use crate::settings::LinkSetting;
use dlb_engine::lines::Line;
use dlb_engine::site::{ChargerIx, CircuitIx};
use dlb_engine::time::{Duration, Instant};
use dlb_links::charger::OutletState;

/// Chargers that have not come back by then count as out of reach. Well below the life of a limit.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far the return has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Return {
    #[default]
    HearingChargers,
    /// What cars draw is known; what else flows is measured anew, since before it was counted with the cars.
    MeasuringOthers,
    Done,
}

impl Controller {
    /// Is it too early to decide?
    pub(crate) fn resumes(&mut self, now: Instant) -> bool {
        if now.since(self.started) >= PATIENCE || !self.cars_were_charging() || self.must_lower() {
            self.resuming = Return::Done;
        }
        match self.resuming {
            Return::HearingChargers if self.all_are_heard() => {
                self.metering.measure_anew(&self.settings);
                self.resuming = Return::MeasuringOthers;
            }
            Return::MeasuringOthers if self.metering.all_measured(now) => self.resuming = Return::Done,
            _ => {}
        }
        self.resuming != Return::Done
    }

    fn all_are_heard(&self) -> bool {
        self.settings.site.charger_indexes().all(|ix| self.is_heard(ix))
    }

    fn cars_were_charging(&self) -> bool {
        let was = |link: &LinkSetting| match link {
            LinkSetting::Ocpp { identity, .. } => self.central.remembers_cars(identity),
            LinkSetting::Modbus { .. } => false,
        };
        self.settings.links.iter().any(was)
    }

    fn is_heard(&self, ix: ChargerIx) -> bool {
        let outlet = &self.outlets[ix.0];
        let measured = outlet.session.is_none() || outlet.drawn.is_some();
        outlet.online && outlet.state != OutletState::Unknown && measured
    }

    fn must_lower(&self) -> bool {
        let circuits = self.settings.site.circuits();
        let lowered = (0..circuits.len()).any(|ix| self.limit_of(CircuitIx(ix)) != circuits[ix].limit);
        let over = self.settings.meters.iter().enumerate().any(|(ix, meter)| {
            let limit = self.limit_of(meter.circuit);
            let shown = self.metering.get(ix).measured();
            shown.is_some_and(|shown| Line::ALL.into_iter().any(|line| shown[line] > limit[line]))
        });
        lowered || over
    }
}
