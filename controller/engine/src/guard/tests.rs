//! Stories of one circuit behind a 63 A fuse.

use super::*;

const GRID: CircuitIx = CircuitIx(0);
const FUSE: Setting = Setting {
    protection: Some(Protection { device: Device::Gg, rated: Milliamps(63_000) }),
    profile: Profile::Plain,
};

struct Site {
    guard: Guard,
    now: u64,
}

impl Site {
    fn new(setting: Setting) -> Self {
        Self { guard: Guard::new(&[setting], 1, Duration::from_secs(10)), now: 0 }
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// So many seconds with this current on L2, of which `other` is not ours; a reading every 200 ms.
    fn carries(&mut self, seconds: u64, amps: i32, other: i32) {
        self.carries_milliamps(seconds, 1000 * amps, 1000 * other);
    }

    fn carries_milliamps(&mut self, seconds: u64, amps: i32, other: i32) {
        for _ in 0..seconds * 5 {
            self.now += 200;
            let on_l2 = |amps| PerLine([0, amps, 0].map(Milliamps));
            let limit = PerLine::all(Milliamps::from_amps(63));
            let seen = Seen { current: on_l2(amps).map(Some), limit, agreed: limit, other: on_l2(other) };
            self.guard.saw(self.at(), None, GRID, &seen);
        }
    }

    fn held(&self) -> Option<(i32, Rule)> {
        self.guard.holds(GRID)[Line::L2].map(|hold| (hold.current.0 / 1000, hold.rule))
    }
}

#[test]
fn below_the_limit_nothing_is_held() {
    let mut site = Site::new(FUSE);
    site.carries(60, 63, 20);
    assert_eq!(site.held(), None);
    assert_eq!(site.guard.deadline(), None);
    assert_eq!(site.guard.cut_off_by(GRID), None);
}

#[test]
fn what_is_not_ours_is_held_from_the_first_reading_on() {
    let mut site = Site::new(FUSE);
    site.carries(1, 75, 45);
    assert_eq!(site.held(), Some((45, Rule::Breach)));
    assert_eq!(site.guard.holds(GRID)[Line::L1], None, "the other lines are as they were");
    assert_eq!(site.guard.over_since(GRID), Some((Line::L2, Instant::from_millis(200))));
}

#[test]
fn a_hair_above_the_limit_is_held_back_and_no_overload_to_tell_of() {
    let seen = |milliamps| {
        let mut site = Site::new(FUSE);
        site.carries(1, 63, 20);
        site.carries_milliamps(20, milliamps, 20_000);
        let now = site.guard.overload(GRID).is_some();
        let held = site.held().is_some();
        site.carries(3, 60, 20);
        let spells = site.guard.take_spells();
        (held, now, spells.iter().map(Spell::is_beyond_error).collect::<Vec<_>>())
    };
    assert_eq!(seen(63_600), (true, false, vec![false]));
    assert_eq!(seen(63_700), (true, true, vec![true]));
}

#[test]
fn an_overload_that_pauses_for_a_moment_goes_on() {
    let mut site = Site::new(FUSE);
    for _ in 0..5 {
        site.carries(1, 66, 20);
        site.carries_milliamps(1, 62_900, 20_000);
        assert_eq!(site.guard.overload(GRID), Some((Line::L2, Instant::from_millis(200))));
    }
}

#[test]
fn an_excess_that_outlasts_the_cars_is_held_too() {
    let mut site = Site::new(FUSE);
    site.carries(10, 70, 35);
    assert_eq!(site.held(), Some((35, Rule::Breach)));
    site.carries(1, 70, 35);
    assert_eq!(site.held(), Some((42, Rule::Outlasts)));
    site.carries(10, 70, 35);
    assert_eq!(site.held(), Some((49, Rule::Outlasts)));
}

#[test]
fn a_fuse_that_has_little_time_gives_cars_little_time() {
    let mut site = Site::new(FUSE);
    site.carries(2, 150, 40);
    assert_eq!(site.held(), Some((40, Rule::Breach)));
    site.carries(2, 150, 40);
    assert_eq!(site.held(), Some((63, Rule::Outlasts)), "a quarter of 17 s at 150 A has passed");
}

#[test]
fn when_half_of_the_fuses_time_is_spent_chargers_get_nothing() {
    let mut site = Site::new(FUSE);
    // 101 A is 1.6 In: the earliest fuse melts after 463 s.
    site.carries(9, 101, 0);
    assert_eq!(site.held(), Some((0, Rule::Breach)));
    site.carries(2, 64, 0);
    let by = site.guard.cut_off_by(GRID);
    assert_eq!(by, None, "64 A hold for ever");
    site.carries(240, 101, 0);
    assert_eq!(site.held().map(|(amps, _)| amps), Some(63));
    let (by, half) = (site.guard.cut_off_by(GRID), site.guard.spent(site.at(), GRID));
    assert!((0.5..0.6).contains(&half), "{half}");
    assert!(by.is_some_and(|by| by > site.at() && by < site.at() + Duration::from_secs(200)), "{by:?}");
}

#[test]
fn a_relay_has_to_open_before_the_device_does() {
    let mut site = Site::new(FUSE);
    site.carries(1, 160, 160);
    let (by, began) = (site.guard.cut_off_by(GRID), Instant::from_millis(200));
    assert_eq!(by, Some(began + Duration::from_secs(8)));
}

#[test]
fn it_is_given_back_late_and_in_steps() {
    let mut site = Site::new(FUSE);
    site.carries(1, 75, 45);
    site.carries(10, 50, 20);
    assert_eq!(site.held(), Some((45, Rule::Breach)));
    let mut steps = Vec::new();
    for _ in 0..20 {
        site.carries(1, 50, 20);
        steps.extend(site.held().map(|(amps, _)| amps));
    }
    steps.dedup();
    assert_eq!(steps, [37, 29, 21], "an eighth of the limit every five seconds");
    assert_eq!(site.held(), None);
}

#[test]
fn a_line_that_goes_over_again_loses_what_it_had_got_back() {
    let mut site = Site::new(FUSE);
    site.carries(1, 75, 45);
    site.carries(12, 50, 45);
    site.carries(1, 75, 50);
    assert_eq!(site.held(), Some((50, Rule::Breach)));
    site.carries(9, 50, 20);
    assert_eq!(site.held(), Some((50, Rule::Breach)), "and waits anew");
}

#[test]
fn an_overload_has_its_record() {
    let mut site = Site::new(FUSE);
    site.carries(10, 50, 20);
    site.carries(1, 75, 45);
    site.guard.answered(site.at());
    site.carries(2, 80, 45);
    site.carries(1, 60, 45);
    assert_eq!(site.guard.take_spells(), [], "it may flicker");
    site.carries(1, 60, 45);
    let spells = site.guard.take_spells();
    let [spell] = spells[..] else { panic!("one overload: {spells:?}") };
    assert_eq!((spell.line, spell.began), (Line::L2, Instant::from_millis(10_200)));
    assert_eq!((spell.peak, spell.limit), (Milliamps(80_000), Milliamps(63_000)));
    assert_eq!(spell.lasted, Duration::from_secs(3));
    assert_eq!(spell.answered, Some(Duration::from_millis(800)));
    assert!(spell.spent > 0.0 && spell.spent < 0.01, "{}", spell.spent);
}

#[test]
fn a_line_that_flickers_about_its_limit_has_one_overload() {
    let mut site = Site::new(FUSE);
    for _ in 0..100 {
        site.now += 100;
        site.carries(0, 0, 0);
        let amps = if (site.now / 100).is_multiple_of(2) { 62 } else { 64 };
        let limit = PerLine::all(Milliamps::from_amps(63));
        let current = PerLine::all(Some(Milliamps::from_amps(amps)));
        let other = PerLine::all(Milliamps::from_amps(30));
        site.guard.saw(site.at(), None, GRID, &Seen { current, limit, agreed: limit, other });
    }
    site.carries(3, 50, 20);
    assert_eq!(site.guard.take_spells().iter().filter(|spell| spell.line == Line::L2).count(), 1);
}

#[test]
fn g100_locks_out_after_a_minute_until_it_is_reset() {
    let mut site = Site::new(Setting { profile: Profile::G100, ..FUSE });
    site.carries(30, 64, 20);
    assert_eq!(site.guard.cut_off_by(GRID), Some(Instant::from_millis(55_200)));
    site.carries(31, 64, 20);
    assert!(site.guard.locked_out(GRID));
    assert!(site.guard.cut_off_by(GRID).is_some_and(|by| by <= site.at()));
    site.carries(600, 10, 10);
    let hold = site.guard.holds(GRID)[Line::L1];
    assert_eq!(hold.map(|hold| hold.rule), Some(Rule::Lockout), "on every line, for as long as it takes");
    let memories = site.guard.memories();
    assert!(memories[0].1.locked_out);

    let mut restarted = Site::new(Setting { profile: Profile::G100, ..FUSE });
    restarted.guard.remember(restarted.at(), GRID, &memories[0].1);
    assert!(restarted.guard.locked_out(GRID));
    restarted.guard.reset(GRID);
    assert!(!restarted.guard.locked_out(GRID));
}

#[test]
fn a_limit_that_a_person_lowered_is_no_excursion_of_g100() {
    let mut site = Site::new(Setting { profile: Profile::G100, ..FUSE });
    let (current, other) = (PerLine::all(Some(Milliamps(40_000))), PerLine::all(Milliamps(40_000)));
    let (limit, agreed) = (PerLine::all(Milliamps(10_000)), PerLine::all(Milliamps(63_000)));
    for second in 0..120 {
        let seen = Seen { current, limit, agreed, other };
        site.guard.saw(Instant::from_millis(second * 1000), None, GRID, &seen);
    }
    assert!(!site.guard.locked_out(GRID));
    assert!(site.guard.over_since(GRID).is_some());
}

#[test]
fn a_new_configuration_does_not_cool_a_fuse() {
    let mut site = Site::new(FUSE);
    site.carries(4, 160, 160);
    let before = site.guard.spent(site.at(), GRID);
    let mut new = Guard::new(&[Setting::default(), FUSE], 2, Duration::from_secs(10));
    new.carry(site.guard.clone(), |at| (at == 1).then_some(0));
    assert!((new.spent(site.at(), CircuitIx(1)) - before).abs() < 1e-9 && before > 0.3);
    assert_eq!(new.spent(site.at(), GRID), 0.0);
}
