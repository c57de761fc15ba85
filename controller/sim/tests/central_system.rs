//! dlb's central system and the simulated charge point, which were written apart: a strict charger, and
//! what its car draws after every kind of dialogue. No frame is refused.

use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use dlb_links::charger::{Notice, Outlet as OutletNumber};
use dlb_links::ocpp16::{Session, SessionSettings};
use dlb_sim::car::Car;
use dlb_sim::fleet;
use dlb_sim::ocpp::{ChargePoint, Habits, Nameplate, RelativeTo, Units};
use dlb_sim::outlet::{Kind, Outlet, Plate, Temper};
use dlb_sim::rng::Rng;
use dlb_sim::step::Step;

const ONE: OutletNumber = OutletNumber(1);
/// 2026-03-02T08:00:00Z
const EIGHT: i64 = 1_772_438_400_000;
const PLATE: Plate = Plate {
    kind: Kind::Ac,
    wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
    between: 1.732,
    max: 32.0,
    min: 6.0,
    step: 1.0,
    dead_time: Duration::from_secs(1),
    meter_error: 0.0,
    temper: Temper::Obeys,
};

struct Street {
    point: ChargePoint,
    session: Session,
    connected: bool,
    now: Instant,
    notices: Vec<Notice>,
}

fn settings() -> SessionSettings {
    SessionSettings {
        identity: "CP-1".to_owned(),
        outlets: vec![(ONE, Milliamps(6000), Milliamps(32_000), 3)],
        adopted: true,
        ..SessionSettings::default()
    }
}

impl Street {
    fn new(habits: Habits) -> Self {
        Self::with(PLATE, habits, settings())
    }

    fn with(plate: Plate, habits: Habits, settings: SessionSettings) -> Self {
        let now = Instant::from_millis(10_000);
        let nameplate =
            Nameplate { identity: "CP-1".to_owned(), vendor: "Sim".to_owned(), ..Nameplate::default() };
        let habits = Habits { free_vend: Some("FREE".to_owned()), ..habits };
        let outlets = vec![Outlet::new(plate, 1000.0)];
        let point = ChargePoint::new(nameplate, habits, outlets, now, WallTime(EIGHT), Rng::new(7));
        let session = Session::new(settings, None, now);
        let mut street = Self { point, session, connected: false, now, notices: Vec::new() };
        street.connect();
        street
    }

    /// Connected, and a van at the outlet that would take 16 A on three phases.
    fn with_van(habits: Habits) -> Self {
        let mut street = Self::new(habits);
        street.pass(60);
        street.point.plug(street.now, 1, Car::new(fleet::VAN, 0.1, 1.0));
        street.pass(60);
        street
    }

    fn wall(&self) -> WallTime {
        WallTime(EIGHT + (self.now.0 / 1000) as i64 - 10_000)
    }

    fn connect(&mut self) {
        self.point.link_up(self.now);
        self.session.opened(self.now);
        self.connected = true;
    }

    fn disconnect(&mut self) {
        self.point.link_down(self.now);
        self.session.closed(self.now);
        self.connected = false;
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            let volts = PerLine::all(230.0);
            self.point.advance(&Step { now: self.now, seconds: 0.1, scenario_seconds: 0.1, volts });
            if self.session.deadline().is_some_and(|at| at <= self.now) {
                let wall = self.wall();
                self.session.handle_timeout(self.now, Some(wall));
            }
            self.exchange();
        }
    }

    fn exchange(&mut self) {
        while self.connected {
            let up = self.point.next_frame(self.now);
            if let Some(frame) = &up {
                assert!(!frame.starts_with("[4"), "the charger refuses: {frame}");
                let wall = self.wall();
                self.session.receive(self.now, Some(wall), frame);
            }
            let down = self.session.next_frame();
            if let Some(frame) = &down {
                assert!(!frame.starts_with("[4"), "we refuse: {frame}");
                self.point.receive(self.now, frame);
            }
            if up.is_none() && down.is_none() {
                break;
            }
        }
        while let Some((_, notice)) = self.session.next_notice() {
            self.notices.push(notice);
        }
    }

    fn limit(&mut self, amps: i32) {
        self.session.set_limit(self.now, ONE, Milliamps::from_amps(amps));
    }

    fn drawn(&self) -> i32 {
        self.point.outlet(1).currents()[Line::L1].size().round() as i32
    }

    fn accepted(&self, amps: i32) -> bool {
        self.notices.contains(&Notice::LimitAccepted(Milliamps::from_amps(amps)))
    }

    /// What the session last heard of the first phase.
    fn metered(&self) -> Option<i32> {
        let mut newest = self.notices.iter().rev();
        newest.find_map(|notice| match notice {
            Notice::Drawn(drawn) => drawn.current[0].map(|amps| amps.as_amps().round() as i32),
            _ => None,
        })
    }
}

fn follows_limits(habits: Habits) {
    let told = format!("{habits:?}");
    let watts = habits.units == Units::Watts;
    let mut street = Street::with_van(habits);
    // Watts say nothing about phases, so until a car has been seen it is told what one phase may carry. The fallback
    // is too little for this van; three times the floor starts it.
    assert_eq!(street.drawn(), if watts { 0 } else { 6 }, "the fallback, {told}");
    if watts {
        street.limit(18);
        street.pass(40);
    }
    for amps in [16, 10, 13, 7] {
        street.limit(amps);
        street.pass(40);
        assert!(street.accepted(amps), "{amps} A, {told}");
        assert_eq!((street.drawn(), street.metered()), (amps, Some(amps)), "{told}");
    }
    // It holds for longer than one lifetime.
    street.pass(600);
    assert_eq!(street.drawn(), 7, "{told}");
}

#[test]
fn an_obedient_charger_follows_every_limit() {
    follows_limits(Habits::default());
}

#[test]
fn a_charger_that_counts_in_watts_follows_every_limit() {
    follows_limits(Habits { units: Units::Watts, ..Habits::default() });
}

#[test]
fn a_charger_without_tx_profiles_follows_every_limit() {
    follows_limits(Habits { takes_tx_profile: false, ..Habits::default() });
}

#[test]
fn a_charger_without_tx_profiles_and_with_one_level_follows_every_limit() {
    follows_limits(Habits { takes_tx_profile: false, max_stack_level: 0, ..Habits::default() });
}

#[test]
fn a_charger_that_takes_four_seconds_for_an_answer_follows_every_limit() {
    follows_limits(Habits { answers_after: Duration::from_secs(4), ..Habits::default() });
}

#[test]
fn a_charger_that_does_not_introduce_itself_follows_every_limit() {
    follows_limits(Habits { announces_boot: false, ..Habits::default() });
}

#[test]
fn a_charger_whose_clock_was_wrong_follows_every_limit() {
    follows_limits(Habits { clock_error_s: -7200, ..Habits::default() });
}

#[test]
fn a_dc_chargers_limit_holds_on_its_mains_side() {
    let plate =
        Plate { kind: Kind::Dc { efficiency: 0.92 }, max: 30_000.0, min: 2_000.0, step: 100.0, ..PLATE };
    let settings = SessionSettings { direct_current: Some(0.92), ..settings() };
    let mut street = Street::with(plate, Habits { units: Units::Watts, ..Habits::default() }, settings);
    street.pass(60);
    street.point.plug(street.now, 1, Car::new(fleet::LONG_DISTANCE, 0.1, 1.0));
    street.pass(60);
    for amps in [30, 12] {
        street.limit(amps);
        street.pass(60);
        assert!(street.accepted(amps), "{amps} A");
        assert!((amps - 2..=amps).contains(&street.drawn()), "{} of {amps} A", street.drawn());
        let metered = street.metered().expect("it meters");
        assert!((metered - street.drawn()).abs() <= 1, "{metered} metered, {} drawn", street.drawn());
    }
}

/// Relative profiles mean different things to different makes, and some take only the default ones.
#[test]
fn limits_end_by_themselves_when_the_box_is_dead() {
    for relative_to in [RelativeTo::TransactionStart, RelativeTo::Receipt] {
        for takes_tx_profile in [true, false] {
            for max_stack_level in [0, 10] {
                let habits = Habits { relative_to, takes_tx_profile, max_stack_level, ..Habits::default() };
                let told = format!("{habits:?}");
                let mut street = Street::with_van(habits);
                street.limit(16);
                street.pass(300);
                assert_eq!(street.drawn(), 16, "{told}");
                street.disconnect();
                street.pass(60);
                assert_eq!(street.drawn(), 16, "{told}");
                street.pass(100);
                assert_eq!(street.drawn(), 6, "{told}");
            }
        }
    }
}

#[test]
fn after_the_box_restarts_the_transaction_is_found_and_limited() {
    let mut street = Street::with_van(Habits::default());
    street.limit(16);
    street.pass(60);
    let transaction = street.point.transaction(1);
    assert!(transaction.is_some());
    let memory = street.session.memory();
    street.disconnect();
    for remembered in [Some(memory.as_str()), None] {
        street.pass(5);
        street.session = Session::new(settings(), remembered, street.now);
        street.notices.clear();
        street.connect();
        street.limit(10);
        street.pass(30);
        assert_eq!(street.drawn(), 10, "memory: {remembered:?}");
        let found = street.notices.iter().find_map(|notice| match notice {
            Notice::SessionStarted { transaction, .. } => Some(*transaction),
            _ => None,
        });
        assert_eq!(found, transaction, "memory: {remembered:?}");
        street.disconnect();
    }
}

#[test]
fn after_the_charger_restarts_its_car_is_limited_again() {
    let mut street = Street::with_van(Habits { keeps_profiles: false, ..Habits::default() });
    street.limit(10);
    street.pass(30);
    street.disconnect();
    street.point.restart(street.now);
    street.pass(60);
    street.connect();
    street.pass(60);
    assert!(street.drawn() <= 10, "{}", street.drawn());
    assert!(street.accepted(10));
}

#[test]
fn a_pause_of_zero_amperes_holds_and_ends() {
    let mut street = Street::with_van(Habits::default());
    street.limit(16);
    street.pass(60);
    street.limit(0);
    street.pass(30);
    assert_eq!(street.drawn(), 0);
    street.pass(600);
    assert_eq!(street.drawn(), 0);
    street.limit(8);
    street.pass(120);
    assert_eq!(street.drawn(), 8);
}
