//! Standing orders: what people and other systems asked for, until it ends.

use crate::controller::Controller;
use crate::energy_wish::EnergyWish;
use crate::event::{Effect, Order};
use crate::outlet::OutletRecord;
use dlb_engine::lines::PerLine;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;

/// A lower limit for the whole site, with its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SiteLimit {
    pub(crate) limit: PerLine<Milliamps>,
    pub(crate) until: Instant,
}

/// Nobody may bind a site for longer than this without saying it again.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl SiteLimit {
    /// Downwards only: what is asked for above the site's own limit changes nothing.
    pub(crate) fn new(now: Instant, limit: PerLine<Milliamps>, lasts: Duration) -> Self {
        let limit = limit.map(|current| current.max(Milliamps::ZERO));
        Self { limit, until: now + lasts.min(LONGEST) }
    }

    pub(crate) fn apply(self, own: PerLine<Milliamps>) -> PerLine<Milliamps> {
        own.zip_with(self.limit, Milliamps::min)
    }
}

impl Controller {
    pub(crate) fn ordered(&mut self, now: Instant, order: Order) {
        match order {
            Order::Strategy(strategy) => self.strategy = strategy,
            Order::SiteLimit { limit: None, .. } => self.site_limit = None,
            Order::SiteLimit { limit: Some(limit), lasts } => {
                self.site_limit = Some(SiteLimit::new(now, limit, lasts));
            }
            Order::ChargerLimit { charger, limit } => {
                if let Some(outlet) = self.outlet_of(&charger) {
                    outlet.held = limit.map(|limit| limit.max(Milliamps::ZERO));
                }
            }
            Order::Departure { charger, at, energy } => {
                if let Some(outlet) = self.outlet_of(&charger) {
                    outlet.departs = at;
                    outlet.wish = energy.map(|asked| EnergyWish::new(asked, outlet.register));
                }
            }
            Order::CloseContactor { output } => {
                if let Some(ix) = self.settings.outputs.iter().position(|known| known.id == output) {
                    self.outputs.close_again(ix, now);
                    self.drive_all();
                }
            }
            Order::ResetLockout { circuit } => self.reset_lockout(now, &circuit),
            Order::Dismiss { identity } => {
                if let Some(connection) = self.central.dismiss(&identity) {
                    self.effects.push(Effect::OcppClose { connection, why: "dismissed".into() });
                }
            }
            Order::Service { charger, service } => self.serve(now, &charger, service),
        }
        self.decide_within(now, Duration::ZERO);
    }

    fn outlet_of(&mut self, charger: &str) -> Option<&mut OutletRecord> {
        let ix = self.settings.site.find_charger(charger)?;
        self.outlets.get_mut(ix.0)
    }
}
