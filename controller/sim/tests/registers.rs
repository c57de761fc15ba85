//! Chargers and meters through their registers, as bytes on the wire and over time.

use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant};
use dlb_sim::car::Car;
use dlb_sim::fleet;
use dlb_sim::modbus::{AlfenEve, EastronSdm630, KebaP30, Make, ModbusCharger, Shown, answer};
use dlb_sim::outlet::{Kind, Outlet, Plate, Temper};
use dlb_sim::step::Step;

const START: Instant = Instant::from_millis(60_000);
const PLATE: Plate = Plate {
    kind: Kind::Ac,
    wiring: Wiring::Three(Line::L3, Line::L1, Line::L2),
    between: 1.732,
    max: 32.0,
    min: 6.0,
    step: 0.0,
    dead_time: Duration::from_millis(500),
    meter_error: 0.0,
    temper: Temper::Obeys,
};

struct Bench {
    charger: ModbusCharger,
    now: Instant,
    unit: u8,
}

impl Bench {
    fn new(make: Make, unit: u8) -> Self {
        let mut charger = ModbusCharger::new(Outlet::new(PLATE, 5000.0), make);
        charger.plug(Car::new(fleet::VAN, 0.2, 0.9));
        Self { charger, now: START, unit }
    }

    fn keba() -> Self {
        Self::new(Make::Keba(KebaP30::new(17_061_234, START)), 255)
    }

    fn alfen() -> Self {
        Self::new(Make::Alfen(AlfenEve::new("ACE0123456", 8.0, Duration::from_secs(60))), 1)
    }

    fn seconds(&mut self, seconds: u32) -> f64 {
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            let volts = PerLine::all(230.0);
            self.charger.advance(&Step { now: self.now, seconds: 0.1, scenario_seconds: 0.1, volts });
        }
        self.charger.outlet().currents()[Line::L1].size()
    }

    fn ask(&mut self, body: &[u8]) -> Vec<u8> {
        answer(&mut self.charger, self.now, self.unit, body).expect("the unit listens")
    }

    fn write(&mut self, address: u16, value: u16) -> Vec<u8> {
        let [a, b] = address.to_be_bytes();
        let [c, d] = value.to_be_bytes();
        self.ask(&[6, a, b, c, d])
    }

    /// Two registers as one number.
    fn whole(&mut self, address: u16) -> u32 {
        let [a, b] = address.to_be_bytes();
        let told = self.ask(&[3, a, b, 0, 2]);
        assert_eq!(told[..2], [3, 4], "{address}: {told:?}");
        u32::from_be_bytes([told[2], told[3], told[4], told[5]])
    }

    fn float(&mut self, address: u16) -> f32 {
        f32::from_bits(self.whole(address))
    }

    fn set_alfen(&mut self, amps: f32) -> Vec<u8> {
        let mut body = vec![16, 0x04, 0xBA, 0, 2, 4];
        body.extend(amps.to_be_bytes());
        self.ask(&body)
    }
}

#[test]
fn keba_answers_in_the_published_bytes() {
    let mut bench = Bench::keba();
    assert_eq!(bench.ask(&[3, 0x03, 0xE8, 0, 2]), [3, 4, 0, 0, 0, 2]);
    assert_eq!(bench.ask(&[6, 0x13, 0x8C, 0x2E, 0xE0]), [6, 0x13, 0x8C, 0x2E, 0xE0], "12 A");
    assert_eq!(bench.ask(&[3, 0x03, 0xE8, 0, 4]), [0x83, 2], "one value a read");
    assert_eq!(bench.ask(&[4, 0x03, 0xE8, 0, 2]), [0x84, 1]);
    assert_eq!(bench.write(5004, 5999), [0x86, 3]);
    assert_eq!(bench.write(5999, 1), [0x86, 2]);
    assert_eq!(answer(&mut bench.charger, bench.now, 1, &[3, 0x03, 0xE8, 0, 2]), None);
}

#[test]
fn keba_follows_its_registers_and_shows_what_it_draws() {
    let mut bench = Bench::keba();
    bench.write(5004, 12_000);
    assert!((bench.seconds(30) - 12.0).abs() < 1e-9);
    assert_eq!(bench.whole(1000), 3, "charging");
    assert_eq!(bench.whole(1004), 7, "plugged");
    assert_eq!(bench.whole(1010), 12_000);
    assert_eq!(bench.whole(1020), (12.0 * 690.0 * fleet::VAN.power_factor * 1000.0) as u32);
    bench.write(5014, 0);
    assert_eq!(bench.seconds(30), 0.0);
    assert_eq!(bench.whole(1000), 5, "interrupted");
    bench.write(5014, 1);
    assert!((bench.seconds(30) - 12.0).abs() < 1e-9, "the current was remembered");
}

#[test]
fn keba_falls_back_when_nobody_writes_and_stays_there_until_both_are_written() {
    let mut bench = Bench::keba();
    bench.write(5016, 6000);
    bench.write(5018, 30);
    bench.write(5004, 20_000);
    assert_eq!((bench.whole(1600), bench.whole(1602)), (6000, 30));
    assert_eq!(bench.seconds(29), 20.0);
    assert_eq!(bench.seconds(10), 6.0, "30 s of silence");
    bench.write(5004, 20_000);
    assert_eq!(bench.seconds(10), 6.0, "enable is missing");
    bench.write(5014, 1);
    assert_eq!(bench.seconds(15), 20.0);
    for _ in 0..20 {
        bench.write(5004, 20_000);
        assert_eq!(bench.seconds(10), 20.0, "fed in time");
    }
}

#[test]
fn reading_does_not_feed_kebas_watchdog() {
    let mut bench = Bench::keba();
    bench.write(5016, 0);
    bench.write(5018, 10);
    for _ in 0..8 {
        bench.whole(1000);
        bench.seconds(5);
    }
    assert_eq!(bench.seconds(1), 0.0);
}

#[test]
fn a_restarted_keba_keeps_only_what_was_made_to_last() {
    let mut bench = Bench::keba();
    bench.write(5016, 8000);
    bench.write(5018, 60);
    bench.charger.restart(bench.now);
    assert_eq!(bench.whole(1602), 0);
    bench.write(5016, 8000);
    bench.write(5018, 60);
    bench.write(5020, 1);
    bench.charger.restart(bench.now);
    assert_eq!((bench.whole(1600), bench.whole(1602)), (8000, 60));
    assert_eq!(bench.seconds(30), 32.0, "and the current is the rating again");
}

#[test]
fn an_alfen_setpoint_is_valid_for_a_minute() {
    let mut bench = Bench::alfen();
    assert_eq!(bench.set_alfen(16.0), [16, 0x04, 0xBA, 0, 2]);
    assert_eq!(bench.seconds(30), 16.0);
    assert_eq!(bench.whole(1208), 30);
    assert_eq!((bench.float(1206), bench.float(1210), bench.float(1212)), (16.0, 16.0, 8.0));
    assert_eq!(bench.seconds(40), 8.0, "the safe current of the installer");
    assert_eq!(bench.whole(1208), 0);
    bench.set_alfen(5.0);
    assert_eq!(bench.seconds(20), 0.0, "below 6 A is a pause");
}

#[test]
fn an_alfen_tells_its_state_in_letters() {
    let mut bench = Bench::alfen();
    bench.set_alfen(16.0);
    bench.seconds(20);
    assert_eq!(bench.ask(&[3, 0x04, 0xB1, 0, 5])[..4], [3, 10, b'C', b'2']);
    bench.unit = 200;
    assert_eq!(bench.ask(&[3, 0, 117, 0, 5])[2..10], *b"Alfen NV");
    bench.unit = 1;
    assert_eq!(bench.ask(&[3, 0, 117, 0, 5]), [0x83, 2], "that is the station's");
    let cable = bench.charger.outlet().watts();
    assert!((f64::from(bench.float(344)) - cable).abs() < 0.1);
}

#[test]
fn a_meter_shows_feed_in_with_unsigned_currents() {
    let mut meter = EastronSdm630::new(7);
    let shown = Shown {
        volts: [230.0, 231.0, 229.0],
        amps: [10.0, 4.0, 1.0],
        watts: [2300.0, -924.0, 0.0],
        hertz: 50.0,
    };
    meter.show(shown, 3600.0);
    assert_eq!(answer(&mut meter, START, 1, &[4, 0, 6, 0, 2]), None);
    let currents = answer(&mut meter, START, 7, &[4, 0, 6, 0, 6]).expect("the unit listens");
    assert_eq!(currents, [4, 12, 0x41, 0x20, 0, 0, 0x40, 0x80, 0, 0, 0x3F, 0x80, 0, 0]);
    let power = answer(&mut meter, START, 7, &[4, 0, 0x0E, 0, 2]).expect("the unit listens");
    assert_eq!(power[2..], (-924.0_f32).to_be_bytes());
    let import = answer(&mut meter, START, 7, &[4, 0, 0x48, 0, 2]).expect("the unit listens");
    assert_eq!(import[2..], 1.376_f32.to_be_bytes());
}

#[test]
fn noise_on_the_line_is_refused_and_never_a_panic() {
    let mut rng = dlb_sim::rng::Rng::new(5);
    let mut bench = Bench::keba();
    for _ in 0..20_000 {
        let body: Vec<u8> = (0..rng.below(20)).map(|_| rng.draw() as u8).collect();
        let told = answer(&mut bench.charger, bench.now, 255, &body);
        assert_eq!(told.is_none(), body.is_empty());
    }
}
