//! From meters to circuits: what flows there that is not ours, and what to assume when a meter is lost.

use crate::liveliness::Liveliness;
use crate::settings::{MeterSetting, Settings};
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::load::{OtherLoad, Span, from_any_side};
use dlb_engine::polarity::Polarity;
use dlb_engine::reading::{Doubt, NoReading, Quality, Reading};
use dlb_engine::time::{Instant, earliest};
use dlb_engine::units::Milliamps;
use std::collections::BTreeMap;

/// All meters of a site, in the order of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metering {
    meters: Vec<MeterState>,
}

#[derive(Clone, Debug)]
pub(crate) struct MeterState {
    pub(crate) latest: Result<Reading, NoReading>,
    /// The last usable reading; what the decision stands on until it is too old.
    good: Option<Reading>,
    load: OtherLoad,
    /// Does it count the right way round?
    polarity: Polarity,
    /// Silence is counted from here while nothing good was heard yet.
    since: Instant,
    liveliness: Liveliness,
}

impl Metering {
    /// `memories`: what was learnt of meters before the last start, among others.
    pub(crate) fn new(settings: &Settings, memories: &BTreeMap<String, String>, now: Instant) -> Self {
        let state = |meter: &MeterSetting| MeterState {
            latest: Err(NoReading::NotYet),
            good: None,
            load: OtherLoad::new(settings.policy.raise_after),
            polarity: Polarity::default(),
            since: now,
            liveliness: Liveliness::new(meter, memories),
        };
        Self { meters: settings.meters.iter().map(state).collect() }
    }

    /// Keeps the meters that are still configured, known by their identity.
    pub(crate) fn reconfigured(self, old: &Settings, new: &Settings, now: Instant) -> Self {
        let mut fresh = Self::new(new, &BTreeMap::new(), now);
        for (ix, state) in self.meters.into_iter().enumerate() {
            let id = &old.meters[ix].id;
            if let Some(place) = new.meters.iter().position(|meter| meter.id == *id) {
                fresh.meters[place] = state;
            }
        }
        fresh
    }

    /// Takes what meter `ix` said; `ours` is what our chargers in its circuit may draw and how old the
    /// oldest of their reports is, `limit` what it may carry. True: it may be decided upon.
    pub(crate) fn saw(
        &mut self,
        now: Instant,
        ix: usize,
        outcome: Result<Reading, NoReading>,
        (ours, heard): (PerLine<Span>, Option<Instant>),
        limit: PerLine<Milliamps>,
    ) -> bool {
        let Some(meter) = self.meters.get_mut(ix) else { return false };
        meter.latest = outcome;
        let Ok(reading) = outcome else { return false };
        if !reading.usable() || reading.current.0.iter().all(Option::is_none) {
            return false;
        }
        if let Some(since) = meter.liveliness.saw(now, &reading, meter.good.as_ref()) {
            meter.latest = Ok(Reading { quality: Quality::Bad(Doubt::Frozen), ..reading });
            meter.good = meter.good.map(|good| Reading { at: since, ..good });
            return false;
        }
        meter.good = Some(Reading { at: now, ..reading });
        let metered = reading.current.map(Option::unwrap_or_default);
        meter.polarity.saw(now, metered, ours);
        meter.load.saw(now, metered, ours, heard, limit);
        true
    }

    /// What must be remembered of meter `ix` from now on: a name and an opaque text for [`Metering::new`].
    pub(crate) fn lesson(&mut self, ix: usize, setting: &MeterSetting) -> Option<(String, String)> {
        self.meters.get_mut(ix)?.liveliness.lesson(setting)
    }

    /// Forgets what was taken for the load of others.
    pub(crate) fn measure_anew(&mut self, settings: &Settings) {
        for meter in &mut self.meters {
            meter.load = OtherLoad::new(settings.policy.raise_after);
        }
    }

    /// Every meter has shown what others draw.
    pub(crate) fn all_measured(&self, now: Instant) -> bool {
        self.meters.iter().all(|meter| meter.load.upper(now).is_some())
    }

    /// Takes one mains cycle between two readings of meter `ix`.
    pub(crate) fn saw_cycle(
        &mut self,
        now: Instant,
        ix: usize,
        current: PerLine<Option<Milliamps>>,
        (ours, heard): (PerLine<Span>, Option<Instant>),
        limit: PerLine<Milliamps>,
    ) {
        if let Some(meter) = self.meters.get_mut(ix) {
            meter.load.saw(now, current.map(Option::unwrap_or_default), ours, heard, limit);
        }
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

    /// The lines that it measures the wrong way round.
    pub(crate) fn reversed(&self, ix: usize) -> Vec<Line> {
        let reversed = self.meters[ix].polarity.reversed();
        Line::ALL.into_iter().filter(|&line| reversed[line]).collect()
    }

    /// Upper bound of the load in the meter's circuit that is not ours.
    pub(crate) fn other_load(&self, ix: usize, setting: &MeterSetting, now: Instant) -> PerLine<Milliamps> {
        self.measured_load(ix, setting, now).zip_with(setting.assumed_load, Option::unwrap_or)
    }

    /// The same load in the circuit above, where there are other chargers. `ours`: what the meter's own chargers
    /// between lines may draw.
    pub(crate) fn load_above(
        &self,
        ix: usize,
        setting: &MeterSetting,
        now: Instant,
        ours: PerLine<Milliamps>,
    ) -> PerLine<Milliamps> {
        let measured = self.measured_load(ix, setting, now);
        let seen = measured.zip_with(ours, |load, ours| load.map(|load| from_any_side(load, ours)));
        seen.zip_with(setting.assumed_load, Option::unwrap_or)
    }

    fn measured_load(&self, ix: usize, setting: &MeterSetting, now: Instant) -> PerLine<Option<Milliamps>> {
        let meter = &self.meters[ix];
        let bound = if self.lost(ix, setting, now) { None } else { meter.load.upper(now) };
        let (Some(bound), Some(good)) = (bound, meter.good) else { return PerLine::all(None) };
        // A line that this meter does not measure, or perhaps the wrong way round, is as good as lost.
        let measured =
            PerLine(Line::ALL.map(|line| good.current[line].is_some() && meter.polarity.trusts(line)));
        bound.zip_with(measured, |bound, measured| measured.then_some(bound))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Adoption, MeterSource, Policy};
    use dlb_engine::site::{Circuit, CircuitIx, Site, Supply};
    use dlb_engine::time::Duration;
    use dlb_engine::units::{Millivolts, Watts};

    fn settings() -> Settings {
        let grid = Circuit::new("grid", PerLine::all(Milliamps(63_000)), Supply::Star(Millivolts(230_000)));
        let meter = MeterSetting {
            id: "main".into(),
            circuit: CircuitIx(0),
            source: MeterSource::Clamps,
            lost_after: Duration::from_secs(10),
            assumed_load: PerLine::all(Milliamps(40_000)),
        };
        Settings {
            name: "Site".into(),
            site: Site::new(vec![grid], Vec::new()).expect("a sound site"),
            guards: Vec::new(),
            meters: vec![meter],
            links: Vec::new(),
            policy: Policy::default(),
            adoption: Adoption::Ask,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn shown(millivolts: i32) -> Reading {
        Reading {
            current: PerLine::all(Some(Milliamps(20_000))),
            voltage: PerLine::all(Some(Millivolts(millivolts))),
            power: PerLine::all(Some(Watts(4_600))),
            ..Reading::empty(Instant(0))
        }
    }

    struct Watched {
        settings: Settings,
        metering: Metering,
        memories: BTreeMap<String, String>,
        second: u64,
    }

    impl Watched {
        fn new() -> Self {
            Self::knowing(BTreeMap::new())
        }

        fn knowing(memories: BTreeMap<String, String>) -> Self {
            let settings = settings();
            let metering = Metering::new(&settings, &memories, Instant(0));
            Self { settings, metering, memories, second: 0 }
        }

        /// One reading a second, up to and with the last one.
        fn until(mut self, last: u64, shown: impl Fn(u64) -> Reading) -> Self {
            for second in self.second..=last {
                let ours = (PerLine::all(Span::default()), None);
                let limit = PerLine::all(Milliamps(63_000));
                self.metering.saw(Instant::from_millis(second * 1000), 0, Ok(shown(second)), ours, limit);
                self.memories.extend(self.metering.lesson(0, &self.settings.meters[0]));
            }
            self.second = last + 1;
            self
        }

        fn lost(&self) -> bool {
            let last = Instant::from_millis((self.second - 1) * 1000);
            self.metering.lost(0, &self.settings.meters[0], last)
        }
    }

    fn lost_after(seconds: u64, shown: impl Fn(u64) -> Reading) -> bool {
        Watched::new().until(seconds, shown).lost()
    }

    /// Alive up to a second, and then for ever the same.
    fn stuck_at(stuck: u64) -> impl Fn(u64) -> Reading {
        move |second| shown(230_000 + second.min(stuck) as i32)
    }

    #[test]
    fn a_lively_meter_that_stands_still_counts_as_lost() {
        assert!(!lost_after(69, stuck_at(60)));
        assert!(lost_after(70, stuck_at(60)));
    }

    /// Of each line current, voltage and power move.
    fn rich(second: u64) -> Reading {
        let moves = second as i32;
        Reading {
            current: PerLine::all(Some(Milliamps(20_000 + moves))),
            power: PerLine::all(Some(Watts(4_600 + i64::from(moves)))),
            ..shown(230_000 + moves)
        }
    }

    #[test]
    fn the_more_of_a_meter_moves_the_sooner_it_is_known_to_be_alive() {
        assert!(lost_after(18, |second| rich(second.min(8))), "nine values a second");
        assert!(!lost_after(600, |second| rich(second.min(6))));
    }

    #[test]
    fn a_coarse_meter_may_show_the_same_for_as_long_as_it_likes() {
        assert!(!lost_after(600, stuck_at(5)), "it was hardly ever new");
        assert!(
            !lost_after(600, |second| shown(230_000 + (second as i32 / 3))),
            "every third reading is new"
        );
    }

    #[test]
    fn a_site_that_draws_nothing_may_stand_still() {
        let nothing =
            |second| Reading { current: PerLine::all(Some(Milliamps::ZERO)), ..stuck_at(60)(second) };
        assert!(!lost_after(600, nothing));
    }
    #[test]
    fn a_meter_known_to_be_lively_is_doubted_right_after_a_restart_of_the_box() {
        let before = Watched::new().until(610, stuck_at(610));
        let after = |memories| Watched::knowing(memories).until(20, stuck_at(3)).lost();
        assert!(after(before.memories));
        let hardly_known = Watched::new().until(590, stuck_at(600));
        assert!(!after(hardly_known.memories));
    }

    #[test]
    fn a_coarse_meter_in_the_place_of_a_lively_one_is_doubted_once() {
        let known = Watched::new().until(610, stuck_at(610)).memories;
        let coarse = |second: u64| shown(230_000 + (second as i32 / 15));
        let once = Watched::knowing(known).until(14, coarse);
        assert!(once.lost());
        let again = once.until(15, coarse);
        assert!(!again.lost());
        let memories = again.until(600, coarse).memories;
        assert!(!Watched::knowing(memories).until(14, coarse).lost());
    }
}
