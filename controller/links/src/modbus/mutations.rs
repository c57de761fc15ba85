//! Whatever comes back, nobody panics and nothing impossible becomes a reading.

use super::story::Line;
use super::wire::Fault;
use super::{ChargerSettings, PortNotice, charger_map, charger_map_names, meter_map, meter_map_names};
use crate::charger::Notice;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;

const CASES: u64 = 10_000;

/// A small generator of our own: the same numbers for the same seed, for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn word(&mut self) -> u16 {
        const CORNERS: [u16; 8] = [0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7F80, 0x5375, 0x6E53];
        if self.below(3) == 0 { CORNERS[self.below(8) as usize] } else { self.roll() as u16 }
    }

    fn answer(&mut self, words: usize) -> Result<Vec<u16>, Fault> {
        let length = if self.below(5) == 0 { self.below(130) as usize } else { words };
        match self.below(8) {
            0 => Err(Fault::Timeout),
            1 => Err(Fault::Exception(self.roll() as u8)),
            2 => Err(if self.below(2) == 0 { Fault::Garbled } else { Fault::Disconnected }),
            _ => Ok((0..length).map(|_| self.word()).collect()),
        }
    }
}

#[test]
fn ten_thousand_mutated_answers_make_no_panic_and_no_impossible_reading() {
    let meters: Vec<_> = meter_map_names().collect();
    let chargers: Vec<_> = charger_map_names().collect();
    let mut dice = Dice(20_261_123);
    let mut answered = 0;
    for seed in 0u64.. {
        let mut line = Line::new();
        for (key, name) in meters.iter().enumerate() {
            line.port.add_meter(
                key,
                key as u8,
                meter_map(name).unwrap(),
                Duration::from_millis(200),
                line.now,
            );
        }
        for (key, name) in chargers.iter().enumerate() {
            let map = charger_map(name).unwrap();
            line.port.add_charger(key, 100 + key as u8, map, ChargerSettings::default(), line.now);
        }
        for _ in 0..500 {
            if dice.below(20) == 0 {
                let limit = Milliamps(dice.roll() as i32);
                line.port.set_limit(line.now, dice.below(chargers.len() as u64) as usize, limit);
            }
            let request = line.next_request();
            let answer = dice.answer(request.function.answer_words());
            line.now = line.now + Duration::from_millis(dice.below(900));
            line.port.answered(line.now, answer);
            answered += 1;
            collect(&mut line, seed);
        }
        if answered >= CASES {
            break;
        }
    }
}

fn collect(line: &mut Line, seed: u64) {
    while let Some(notice) = line.port.next_notice() {
        match notice {
            PortNotice::Meter(_, Ok(reading)) => {
                let amps = reading.current.0.into_iter().flatten();
                assert!(amps.into_iter().all(|it| it.0.abs() <= 10_000_000), "seed {seed}: {reading:?}");
                assert!(reading.voltage.0.into_iter().flatten().all(|it| (0..=1_000_000).contains(&it.0)));
            }
            PortNotice::Charger(_, Notice::Drawn(drawn)) => {
                assert!(drawn.current.into_iter().flatten().all(|it| it.0.abs() <= 1_000_000), "seed {seed}");
            }
            _ => {}
        }
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let mut line = Line::new();
    line.port.answered(Instant::from_millis(1), Ok(vec![1; 200]));
    assert_eq!(line.port.next_notice(), None);
    assert_eq!(line.port.deadline(), None);
}
