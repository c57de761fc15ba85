//! Stories of one outlet and the cars that visit it.

use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant};
use dlb_sim::car::{Car, CarModel};
use dlb_sim::fleet;
use dlb_sim::outlet::{Kind, Outlet, Plate, Temper};
use dlb_sim::step::Step;

const AC: Plate = Plate {
    kind: Kind::Ac,
    wiring: Wiring::Three(Line::L2, Line::L3, Line::L1),
    between: 1.732,
    max: 32.0,
    min: 6.0,
    step: 1.0,
    dead_time: Duration::from_secs(2),
    meter_error: 0.0,
    temper: Temper::Obeys,
};

struct Bay {
    outlet: Outlet,
    now: Instant,
}

impl Bay {
    fn with(plate: Plate, model: CarModel) -> Self {
        let mut outlet = Outlet::new(plate, 1000.0);
        outlet.plug(Car::new(model, 0.3, 1.0));
        Self { outlet, now: Instant::from_millis(5000) }
    }

    fn limit(&mut self, limit: f64, seconds: u32) -> PerLine<f64> {
        self.outlet.set_limit(self.now, limit);
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            self.outlet.advance(&Step {
                now: self.now,
                seconds: 0.1,
                scenario_seconds: 0.1,
                volts: PerLine::all(230.0),
            });
        }
        self.outlet.currents().map(dlb_sim::phasor::Phasor::size)
    }
}

#[test]
fn a_one_phase_car_on_a_rotated_outlet_loads_l2_only() {
    let mut bay = Bay::with(AC, fleet::CITY_CAR);
    let drawn = bay.limit(20.0, 60);
    assert!((drawn[Line::L2] - 20.0).abs() < 1e-9);
    assert_eq!((drawn[Line::L1], drawn[Line::L3]), (0.0, 0.0));
    assert_eq!(bay.outlet.measured().amps, [20.0, 0.0, 0.0]);
}

#[test]
fn a_limit_takes_its_dead_time_and_is_rounded_down() {
    let mut bay = Bay::with(AC, fleet::VAN);
    bay.limit(24.0, 60);
    bay.limit(12.9, 1);
    assert_eq!(bay.outlet.offered(), 24.0, "the order is still on its way");
    bay.limit(12.9, 2);
    assert_eq!(bay.outlet.offered(), 12.0);
    let drawn = bay.limit(12.9, 5);
    assert!((drawn[Line::L1] - 12.0).abs() < 1e-9);
}

#[test]
fn less_than_six_amperes_is_a_pause_and_opens_the_contactor() {
    let mut bay = Bay::with(AC, fleet::HATCHBACK);
    bay.limit(16.0, 60);
    assert_eq!(bay.outlet.contactor_starts(), 1);
    assert_eq!(bay.limit(5.9, 15), PerLine::all(0.0));
    bay.limit(16.0, 60);
    assert_eq!(bay.outlet.contactor_starts(), 2);
}

#[test]
fn a_lying_charger_draws_more_than_it_was_allowed() {
    let mut bay = Bay::with(Plate { temper: Temper::Overdraws(4.0), ..AC }, fleet::VAN);
    assert!((bay.limit(10.0, 60)[Line::L1] - 14.0).abs() < 1e-9);
    let mut bay = Bay::with(Plate { temper: Temper::Deaf, ..AC }, fleet::VAN);
    assert!((bay.limit(6.0, 60)[Line::L1] - 32.0).abs() < 1e-9);
}

#[test]
fn a_charger_without_supply_draws_nothing_at_once() {
    let mut bay = Bay::with(AC, fleet::VAN);
    bay.limit(32.0, 60);
    bay.outlet.power_down();
    assert_eq!(bay.outlet.watts(), 0.0);
    assert_eq!(bay.limit(0.0, 5), PerLine::all(0.0));
}

#[test]
fn the_register_counts_what_flowed_with_the_meters_own_error() {
    let mut bay = Bay::with(Plate { meter_error: 0.01, ..AC }, fleet::HATCHBACK);
    bay.limit(16.0, 60);
    let before = bay.outlet.measured().register_wh;
    bay.limit(16.0, 360);
    let truth = bay.outlet.watts() * 0.1;
    let counted = bay.outlet.measured().register_wh - before;
    assert!((counted / truth - 1.01).abs() < 1e-6);
}

#[test]
fn a_dc_outlet_of_thirty_kilowatts_loads_all_three_lines() {
    let plate = Plate {
        kind: Kind::Dc { efficiency: 0.94 },
        wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
        between: 1.732,
        max: 30_000.0,
        min: 2_000.0,
        step: 100.0,
        ..AC
    };
    let mut bay = Bay::with(plate, fleet::LONG_DISTANCE);
    let drawn = bay.limit(30_000.0, 60);
    let expected = 30_000.0 / 0.94 / 0.98 / 690.0;
    for (_, amps) in drawn.iter() {
        assert!((amps - expected).abs() < 1e-6);
    }
}
