//! From meters to circuits: what flows there that is not ours, and what to assume when a meter is lost.

use crate::settings::{MeterSetting, Settings};
use dlb_engine::lines::PerLine;
use dlb_engine::load::{OtherLoad, Span};
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::time::{Instant, earliest};
use dlb_engine::units::Milliamps;

/// All meters of a site, in the order of the settings.
#[derive(Clone, Debug)]
pub(crate) struct Metering {
    meters: Vec<MeterState>,
}

#[derive(Clone, Debug)]
pub(crate) struct MeterState {
    pub(crate) latest: Result<Reading, NoReading>,
    /// The last usable reading; what the decision stands on until it is too old.
    good: Option<Reading>,
    load: OtherLoad,
    /// Silence is counted from here while nothing good was heard yet.
    since: Instant,
}

impl Metering {
    pub(crate) fn new(settings: &Settings, now: Instant) -> Self {
        let state = |_: &MeterSetting| MeterState {
            latest: Err(NoReading::NotYet),
            good: None,
            load: OtherLoad::new(settings.policy.raise_after),
            since: now,
        };
        Self { meters: settings.meters.iter().map(state).collect() }
    }

    /// Keeps the meters that are still configured, known by their identity.
    pub(crate) fn reconfigured(self, old: &Settings, new: &Settings, now: Instant) -> Self {
        let mut fresh = Self::new(new, now);
        for (ix, state) in self.meters.into_iter().enumerate() {
            let id = &old.meters[ix].id;
            if let Some(place) = new.meters.iter().position(|meter| meter.id == *id) {
                fresh.meters[place] = state;
            }
        }
        fresh
    }

    /// Takes what meter `ix` said; `ours` is what our chargers in its circuit may draw,
    /// `limit` what it may carry.
    pub(crate) fn saw(
        &mut self,
        now: Instant,
        ix: usize,
        outcome: Result<Reading, NoReading>,
        ours: PerLine<Span>,
        limit: PerLine<Milliamps>,
    ) {
        let Some(meter) = self.meters.get_mut(ix) else { return };
        meter.latest = outcome;
        let Ok(reading) = outcome else { return };
        if !reading.usable() || reading.current.0.iter().all(Option::is_none) {
            return;
        }
        meter.good = Some(Reading { at: now, ..reading });
        let metered = reading.current.map(Option::unwrap_or_default);
        meter.load.saw(now, metered, ours, limit);
    }

    pub(crate) fn get(&self, ix: usize) -> &MeterState {
        &self.meters[ix]
    }

    pub(crate) fn find(settings: &Settings, id: &str) -> Option<usize> {
        settings.meters.iter().position(|meter| meter.id == id)
    }

    pub(crate) fn lost(&self, ix: usize, setting: &MeterSetting, now: Instant) -> bool {
        now >= self.meters[ix].lost_at(setting)
    }

    /// Upper bound of the load in the meter's circuit that is not ours.
    pub(crate) fn other_load(&self, ix: usize, setting: &MeterSetting, now: Instant) -> PerLine<Milliamps> {
        let meter = &self.meters[ix];
        let bound = if self.lost(ix, setting, now) { None } else { meter.load.upper(now) };
        let (Some(bound), Some(good)) = (bound, meter.good) else { return setting.assumed_load };
        // A line that this meter does not measure is as good as lost.
        let measured = good.current.map(|current| current.is_some());
        let either = bound.zip_with(measured, |bound, measured| measured.then_some(bound));
        either.zip_with(setting.assumed_load, Option::unwrap_or)
    }

    /// When a meter will count as lost, or a lower load will be believed.
    pub(crate) fn deadline(&self, settings: &Settings, now: Instant) -> Option<Instant> {
        let each = self.meters.iter().zip(&settings.meters).map(|(meter, setting)| {
            let lost_at = Some(meter.lost_at(setting)).filter(|&at| at > now);
            earliest(lost_at, meter.load.falls_at(now))
        });
        each.fold(None, earliest)
    }
}

impl MeterState {
    fn lost_at(&self, setting: &MeterSetting) -> Instant {
        self.good.map_or(self.since, |good| good.at) + setting.lost_after
    }

    /// What it measures now, where it measures.
    pub(crate) fn measured(&self) -> Option<PerLine<Milliamps>> {
        self.latest.ok().map(|reading| reading.current.map(Option::unwrap_or_default))
    }
}
