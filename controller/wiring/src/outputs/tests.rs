//! Stories of a relay: what a meter shows, second by second, and when it switches.

use super::*;
use dlb_engine::site::CircuitIx;
use dlb_engine::time::Duration;

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
fn switched(rule: OutputRule, loads: &[(u64, Load)], until: u64) -> Vec<(u64, Drive)> {
    let mut state = OutputState::default();
    let mut load = Load::Below;
    let mut changes = Vec::new();
    for second in 0..=until {
        load = loads.iter().find(|(at, _)| *at == second).map_or(load, |(_, load)| *load);
        if state.judge(Instant::from_millis(second * 1000), rule, load) {
            changes.push((second, state.drive));
        }
    }
    changes
}

#[test]
fn an_overload_that_lasts_sheds_load_and_gives_it_back_when_there_is_room_again() {
    let loads = [(10, Load::Over), (20, Load::Near), (90, Load::Below)];
    assert_eq!(switched(OutputRule::Shed(watch()), &loads, 200), [(15, Drive::On), (90, Drive::Off)]);
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
    assert_eq!(switched(OutputRule::Shed(watch()), &loads, 100), []);
}

#[test]
fn a_relay_does_not_chatter() {
    let loads: Vec<_> =
        (0..60).map(|at| (10 * at, if at % 2 == 0 { Load::Over } else { Load::Below })).collect();
    let changes = switched(OutputRule::Shed(watch()), &loads, 600);
    assert!(changes.len() > 4, "{changes:?}");
    for pair in changes.windows(2) {
        let least = if pair[0].1 == Drive::On { 60 } else { 30 };
        assert!(pair[1].0 - pair[0].0 >= least, "{changes:?}");
    }
}

#[test]
fn a_contactor_that_was_opened_stays_open_until_a_person_closes_it() {
    let rule = OutputRule::Trip(watch());
    assert_eq!(switched(rule, &[(10, Load::Over), (16, Load::Below)], 5000), [(15, Drive::On)]);
}
