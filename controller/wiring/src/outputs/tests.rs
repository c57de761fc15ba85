//! Stories of a relay: what a meter shows, second by second, and when it switches.

use super::*;
use crate::event::{Event, Order};
use crate::settings::{Adoption, MeterSetting, MeterSource, Policy};
use dlb_engine::guard::{self, Device, Profile, Protection};
use dlb_engine::lines::PerLine;
use dlb_engine::reading::Reading;
use dlb_engine::site::{Circuit, Site, Supply};
use dlb_engine::time::Duration;
use dlb_engine::units::Millivolts;
use std::collections::BTreeMap;

fn watch() -> Watch {
    Watch {
        circuit: CircuitIx(0),
        after: Duration::from_secs(5),
        margin: Milliamps(3_000),
        on_at_least: Duration::from_secs(60),
        off_at_least: Duration::from_secs(30),
    }
}

/// Seconds at which it switched.
fn switched(loads: &[(u64, Load)], until: u64) -> Vec<(u64, Drive)> {
    let mut state = OutputState::default();
    let mut load = Load::Below;
    let mut changes = Vec::new();
    for second in 0..=until {
        load = loads.iter().find(|(at, _)| *at == second).map_or(load, |(_, load)| *load);
        if state.judge(Instant::from_millis(second * 1000), watch(), load) {
            changes.push((second, state.drive));
        }
    }
    changes
}

#[test]
fn an_overload_that_lasts_sheds_load_and_gives_it_back_when_there_is_room_again() {
    let loads = [(10, Load::Over), (20, Load::Near), (90, Load::Below)];
    assert_eq!(switched(&loads, 200), [(15, Drive::On), (90, Drive::Off)]);
}

#[test]
fn a_short_overload_sheds_nothing_and_an_unknown_one_does_not_count() {
    let loads = [
        (10, Load::Over),
        (14, Load::Near),
        (15, Load::Over),
        (18, Load::Unknown),
        (19, Load::Over),
        (23, Load::Below),
    ];
    assert_eq!(switched(&loads, 100), []);
}

#[test]
fn a_relay_does_not_chatter() {
    let loads: Vec<_> =
        (0..60).map(|at| (10 * at, if at % 2 == 0 { Load::Over } else { Load::Below })).collect();
    let changes = switched(&loads, 600);
    assert!(changes.len() > 4, "{changes:?}");
    for pair in changes.windows(2) {
        let least = if pair[0].1 == Drive::On { 60 } else { 30 };
        assert!(pair[1].0 - pair[0].0 >= least, "{changes:?}");
    }
}

/// A metered 63 A connection whose chargers hang behind a contactor; no charger would obey.
fn behind_a_contactor(profile: Profile) -> Settings {
    let grid = Circuit::new("grid", PerLine::all(Milliamps(63_000)), Supply::Star(Millivolts(230_000)));
    let fuse = Protection { device: Device::Gg, rated: Milliamps(63_000) };
    Settings {
        name: "Site".into(),
        site: Site::new(vec![grid], Vec::new()).expect("a sound site"),
        guards: vec![guard::Setting { protection: Some(fuse), profile }],
        meters: vec![MeterSetting {
            id: "main".into(),
            circuit: CircuitIx(0),
            source: MeterSource::Clamps,
            lost_after: Duration::from_secs(10),
            assumed_load: PerLine::all(Milliamps(10_000)),
        }],
        links: Vec::new(),
        policy: Policy::default(),
        adoption: Adoption::Ask,
        inputs: Vec::new(),
        outputs: vec![OutputSetting { id: "contactor".into(), rule: OutputRule::Trip(CircuitIx(0)) }],
    }
}

/// The site with its contactor, second by second, with so many amperes in L2.
struct Evening {
    controller: Controller,
    now: Instant,
}

impl Evening {
    fn begin(profile: Profile) -> Self {
        let now = Instant::from_millis(1_000);
        let mut evening =
            Self { controller: Controller::new(behind_a_contactor(profile), BTreeMap::new(), now), now };
        evening.tell(Event::Tick);
        evening
    }

    /// What relays are told now.
    fn tell(&mut self, event: Event) -> Vec<Drive> {
        let effects = self.controller.handle(self.now, event);
        let drives = effects.into_iter().filter_map(|effect| match effect {
            Effect::Drive { drive, .. } => Some(drive),
            _ => None,
        });
        drives.collect()
    }

    /// So many amperes for so long; when after their begin the contactor opened, in milliseconds.
    fn flows(&mut self, amps: i32, seconds: u64) -> Option<u64> {
        let begun = self.now;
        let mut opened = None;
        for second in 0..seconds {
            let next = begun + Duration::from_secs(second);
            while let Some(due) = self.controller.deadline(self.now).filter(|due| *due < next) {
                self.now = due.max(self.now + Duration::from_millis(1));
                let drives = self.tell(Event::Tick);
                self.note(&drives, begun, &mut opened);
            }
            self.now = next;
            let current = PerLine([Milliamps(5_000), Milliamps::from_amps(amps), Milliamps(6_000)]).map(Some);
            let reading = Reading { current, ..Reading::empty(next) };
            let drives = self.tell(Event::Clamps { meter: "main".into(), outcome: Ok(reading) });
            self.note(&drives, begun, &mut opened);
        }
        opened
    }

    fn note(&self, drives: &[Drive], begun: Instant, opened: &mut Option<u64>) {
        if drives.contains(&Drive::On) {
            opened.get_or_insert(self.now.since(begun).as_millis() as u64);
        }
    }

    fn is_open(&self) -> bool {
        self.controller.status(self.now).outputs[0].drive == Drive::On
    }
}

#[test]
fn a_contactor_opens_at_four_fifths_of_what_the_fuse_has_left_and_not_before() {
    let mut evening = Evening::begin(Profile::Plain);
    assert_eq!(evening.flows(60, 20), None);
    // Gate of a 63 A fuse: 160 A for ten seconds.
    let opened = evening.flows(160, 12).expect("nobody obeyed");
    assert!((7_000..=8_100).contains(&opened), "{opened} ms");
}

#[test]
fn a_fuse_that_holds_for_ever_opens_no_contactor() {
    let mut evening = Evening::begin(Profile::Plain);
    assert_eq!(evening.flows(75, 1_200), None, "1.19 times its rated current");
}

#[test]
fn where_a_utility_counts_a_contactor_opens_before_the_lockout() {
    let mut evening = Evening::begin(Profile::G100);
    evening.flows(60, 5);
    let opened = evening.flows(70, 70).expect("nobody obeyed");
    assert!((54_000..=55_100).contains(&opened), "{opened} ms");
}

#[test]
fn a_contactor_that_was_opened_stays_open_until_a_person_closes_it() {
    let mut evening = Evening::begin(Profile::Plain);
    evening.flows(160, 12);
    evening.flows(30, 1_000);
    let mut changed = behind_a_contactor(Profile::Plain);
    changed.name = "Another name".into();
    evening.tell(Event::Configured(Box::new(changed)));
    assert!(evening.is_open(), "though nothing has flowed for long");
    let closed = evening.tell(Event::Order(Order::CloseContactor { output: "contactor".into() }));
    assert_eq!(closed, [Drive::Off]);
    assert!(!evening.is_open());
}

#[test]
fn an_overload_that_was_not_seen_to_end_still_lasts() {
    let mut evening = Evening::begin(Profile::Plain);
    evening.flows(60, 5);
    evening.flows(160, 2);
    evening.now = evening.now + Duration::from_secs(7);
    assert_eq!(evening.tell(Event::Tick), [Drive::On], "the meter has been silent for seven seconds");
}
