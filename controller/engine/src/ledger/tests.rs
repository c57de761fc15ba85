use super::*;
use crate::allocation::{Grant, Reason};
use crate::lines::{Line, PerLine, Wiring};
use crate::site::{Balance, Charger, Circuit, CircuitIx, Supply};
use crate::snapshot::{ChargerState, CircuitState, Strategy};
use crate::units::Millivolts;

const A: ChargerIx = ChargerIx(0);
const B: ChargerIx = ChargerIx(1);

fn amps(amps: i32) -> Milliamps {
    Milliamps::from_amps(amps)
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn garage() -> Site {
    let circuit = Circuit {
        id: "grid".into(),
        parent: None,
        limit: PerLine::all(amps(32)),
        limit_power: None,
        balance: Balance::default(),
        transformer: None,
        supply: Supply::Star(Millivolts(230_000)),
    };
    let bay = |id: &str| Charger {
        id: id.into(),
        circuit: CircuitIx(0),
        wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
        min: amps(6),
        max: amps(32),
        step: amps(1),
        fallback: amps(6),
        priority: 0,
        weight: 1.0,
    };
    Site::new(vec![circuit], vec![bay("a"), bay("b")]).unwrap()
}

fn snapshot(other: i32, demands: [Demand; 2]) -> Snapshot {
    let charger = |demand| ChargerState {
        demand,
        car_phases: None,
        least: Milliamps::ZERO,
        drawn: None,
        arrived: None,
        departs: None,
        energy_needed: None,
    };
    Snapshot {
        now: at(0),
        strategy: Strategy::Equal,
        circuits: vec![CircuitState {
            limit: PerLine::all(amps(32)),
            limit_power: None,
            other_load: PerLine::all(amps(other)),
        }],
        chargers: demands.map(charger).into(),
    }
}

fn allocation(limits: [i32; 2]) -> Allocation {
    let grant = |limit| Grant { limit: amps(limit), reason: Reason::WantsNoMore };
    Allocation { grants: limits.map(grant).into(), used: Vec::new() }
}

fn both_want() -> [Demand; 2] {
    [Demand::Wants(amps(32)); 2]
}

fn proof() -> Proof {
    Proof { metered: true, settle: Duration::from_secs(5) }
}

/// Both in reach, charging at 16 A each, confirmed.
fn both_at_sixteen(site: &Site) -> Ledger {
    let mut ledger = Ledger::new(site, at(0));
    for charger in [A, B] {
        ledger.online(charger, site, proof());
        ledger.fallback(charger, Some(Fallback { current: amps(6), after: Duration::from_secs(60) }));
    }
    ledger.plan(at(0), site, &snapshot(0, both_want()), &allocation([16, 16]));
    for charger in [A, B] {
        ledger.accepted(at(1), charger, amps(16));
        ledger.drawn(at(7), charger, amps(16));
    }
    ledger
}

#[test]
fn the_oven_starts_and_both_cars_are_lowered_at_once() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    let setpoints = ledger.plan(at(8), &site, &snapshot(12, both_want()), &allocation([10, 10]));
    assert_eq!(
        setpoints,
        [Setpoint { charger: A, limit: amps(10) }, Setpoint { charger: B, limit: amps(10) }]
    );
}

#[test]
fn a_raise_waits_for_the_decrease_that_pays_for_it() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    let shift = allocation([10, 22]);
    let setpoints = ledger.plan(at(8), &site, &snapshot(0, both_want()), &shift);
    assert_eq!(setpoints, [Setpoint { charger: A, limit: amps(10) }], "B must wait");

    ledger.accepted(at(9), A, amps(10));
    assert_eq!(ledger.plan(at(9), &site, &snapshot(0, both_want()), &shift), [], "accepted is not obeyed");

    ledger.drawn(at(10), A, amps(10));
    let setpoints = ledger.plan(at(10), &site, &snapshot(0, both_want()), &shift);
    assert_eq!(setpoints, [Setpoint { charger: B, limit: amps(22) }]);
}

#[test]
fn a_car_that_drew_less_all_along_proves_nothing_before_the_settle_time() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.drawn(at(8), A, amps(4));
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([10, 22]));
    ledger.accepted(at(9), A, amps(10));
    ledger.drawn(at(10), A, amps(4));
    assert_eq!(ledger.worst(at(10), A, &site), amps(16));
    ledger.drawn(at(14), A, amps(4));
    assert_eq!(ledger.worst(at(14), A, &site), amps(10));
}

#[test]
fn a_charger_that_obeyed_while_its_car_slept_is_found_out_when_the_car_draws_more() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.drawn(at(20), A, Milliamps::ZERO);
    ledger.drawn(at(30), A, amps(17));
    assert_eq!(ledger.worst(at(30), A, &site), amps(16), "a meter's error, and a sagging voltage");
    ledger.drawn(at(40), A, amps(30));
    assert_eq!(ledger.worst(at(40), A, &site), amps(30), "what it draws counts at once");
    let told = ledger.plan(at(40), &site, &snapshot(0, both_want()), &allocation([16, 16]));
    assert_eq!(told, [Setpoint { charger: A, limit: amps(16) }]);
    ledger.accepted(at(41), A, amps(16));
    ledger.drawn(at(51), A, amps(30));
    ledger.plan(at(51), &site, &snapshot(0, both_want()), &allocation([16, 16]));
    assert_eq!(ledger.obedience(A), Obedience::Disobeys);
    ledger.drawn(at(60), A, amps(16));
    assert_eq!((ledger.obedience(A), ledger.worst(at(60), A, &site)), (Obedience::Obeys, amps(16)));
}

#[test]
fn what_is_drawn_counts_at_once_also_where_a_lower_limit_was_never_seen_to_hold() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(20), &site, &snapshot(0, both_want()), &allocation([10, 16]));
    ledger.accepted(at(20), A, amps(10));
    ledger.drawn(at(40), A, amps(25));
    assert_eq!(ledger.worst(at(40), A, &site), amps(25));
    ledger.drawn(at(50), A, amps(10));
    assert_eq!(ledger.worst(at(50), A, &site), amps(10));
}

#[test]
fn a_car_that_sleeps_below_its_limit_is_not_taken_for_one_that_draws_a_higher_one() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.drawn(at(12), A, Milliamps::ZERO);
    let mut span = |second: u64, limit: i32| {
        ledger.plan(at(second), &site, &snapshot(0, both_want()), &allocation([limit, 6]));
        ledger.accepted(at(second), A, amps(limit));
        ledger.drawn(at(second + 3), A, Milliamps::ZERO);
        ledger.span(at(second + 4), A, &site, Some(Milliamps::ZERO))
    };
    for (second, limit) in [(20, 18), (28, 20), (36, 19), (44, 22)] {
        assert_eq!(span(second, limit), Span::exactly(Milliamps::ZERO), "told {limit} A");
    }
}

#[test]
fn a_car_that_sleeps_is_known_to_sleep_although_its_limit_changes_every_other_second() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([0, 6]));
    ledger.arrived(A, &site);
    for second in (20..50).step_by(3) {
        ledger.plan(at(second), &site, &snapshot(0, both_want()), &allocation([12 + second as i32 % 2, 6]));
        ledger.accepted(at(second), A, amps(12 + second as i32 % 2));
        ledger.drawn(at(second + 1), A, Milliamps::ZERO);
    }
    assert_eq!(ledger.span(at(49), A, &site, Some(Milliamps::ZERO)), Span::exactly(Milliamps::ZERO));
}

#[test]
fn a_car_that_used_all_of_its_limit_may_be_on_its_way_to_the_next_one() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(20), &site, &snapshot(0, both_want()), &allocation([20, 6]));
    ledger.accepted(at(20), B, amps(6));
    ledger.drawn(at(21), B, amps(6));
    ledger.plan(at(22), &site, &snapshot(0, both_want()), &allocation([20, 6]));
    assert_eq!(ledger.span(at(30), A, &site, Some(amps(16))), Span::towards(amps(16), amps(20)));
}

#[test]
fn a_quick_car_is_not_taken_for_an_oven_although_its_charger_has_just_reported() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(20), &site, &snapshot(0, both_want()), &allocation([26, 6]));
    ledger.accepted(at(20), B, amps(6));
    ledger.drawn(at(21), B, amps(6));
    ledger.drawn(at(21), A, amps(16));
    ledger.plan(at(21), &site, &snapshot(0, both_want()), &allocation([26, 6]));
    assert_eq!(ledger.span(at(22), A, &site, Some(amps(16))), Span::towards(amps(16), amps(26)));
}

#[test]
fn a_charger_out_of_reach_counts_at_its_limit_and_later_at_its_fallback() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.offline(at(10), A);
    assert_eq!(ledger.worst(at(11), A, &site), amps(16));
    assert_eq!(ledger.worst(at(70), A, &site), amps(6));
}

#[test]
fn a_charger_without_a_fallback_counts_at_its_rating_when_out_of_reach() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.fallback(A, None);
    ledger.offline(at(10), A);
    assert_eq!(ledger.worst(at(3600), A, &site), amps(32));
}

#[test]
fn a_charger_that_draws_too_much_is_told_again_and_then_fenced_off() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    let lower = allocation([8, 16]);
    ledger.plan(at(10), &site, &snapshot(0, both_want()), &lower);
    ledger.accepted(at(11), A, amps(8));
    ledger.drawn(at(15), A, amps(16));
    let again = ledger.plan(at(21), &site, &snapshot(0, both_want()), &lower);
    assert_eq!(again, [Setpoint { charger: A, limit: amps(8) }]);
    ledger.drawn(at(25), A, amps(16));
    ledger.plan(at(32), &site, &snapshot(0, both_want()), &lower);
    assert_eq!(ledger.obedience(A), Obedience::Disobeys);
    assert_eq!(ledger.worst(at(32), A, &site), amps(16));

    ledger.drawn(at(40), A, amps(8));
    assert_eq!(ledger.obedience(A), Obedience::Obeys, "it has come to its senses");
}

#[test]
fn a_charger_that_draws_too_much_is_found_out_although_it_is_told_a_little_more_meanwhile() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.drawn(at(20), A, Milliamps::ZERO);
    for second in 21..45 {
        // One ampere above, which a car that slept till now could also be.
        ledger.drawn(at(second), A, Milliamps(16_900 + 20 * (second as i32 - 21)));
        let limit = Milliamps(16_000 + 20 * (second as i32 - 21));
        ledger.entries[A.0].send(at(second), limit);
        ledger.accepted(at(second), A, limit);
        ledger.plan(at(second), &site, &snapshot(0, both_want()), &allocation([16, 16]));
    }
    assert_eq!(ledger.obedience(A), Obedience::Disobeys);
}

#[test]
fn a_rebooted_charger_counts_at_its_rating_until_it_obeys_again() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.offline(at(10), A);
    ledger.online(A, &site, proof());
    assert_eq!(ledger.worst(at(11), A, &site), amps(32));
    let setpoints = ledger.plan(at(11), &site, &snapshot(0, both_want()), &allocation([16, 16]));
    assert_eq!(setpoints, [Setpoint { charger: A, limit: amps(16) },]);
}

#[test]
fn an_increase_is_given_as_far_as_there_is_room() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    let wants = [Demand::Wants(amps(32)), Demand::Absent];
    let setpoints = ledger.plan(at(8), &site, &snapshot(5, wants), &allocation([32, 0]));
    assert_eq!(setpoints[0], Setpoint { charger: B, limit: amps(0) });
    assert_eq!(setpoints[1], Setpoint { charger: A, limit: amps(27) });
}

#[test]
fn a_limit_that_nothing_confirms_does_not_keep_the_loop_awake() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(10), &site, &snapshot(0, both_want()), &allocation([8, 16]));
    ledger.accepted(at(11), A, amps(8));
    for second in 11..100 {
        ledger.plan(at(second), &site, &snapshot(0, both_want()), &allocation([8, 16]));
        let deadline = ledger.deadline(at(second));
        assert!(deadline.is_none_or(|due| due > at(second)), "second {second}: {deadline:?}");
    }
}

#[test]
fn limits_that_change_all_the_time_are_confirmed_all_the_same() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.offline(at(10), A);
    ledger.online(A, &site, proof());
    for second in (11..40).step_by(2) {
        let limit = if second % 4 == 3 { 7 } else { 8 };
        ledger.entries[A.0].send(at(second), amps(limit));
        ledger.accepted(at(second), A, amps(limit));
        ledger.drawn(at(second + 1), A, amps(6));
    }
    assert_eq!(ledger.worst(at(40), A, &site), amps(8));
}

#[test]
fn a_car_that_was_just_raised_is_believed_as_soon_as_it_is_seen_to_fall() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([6, 16]));
    ledger.accepted(at(8), A, amps(6));
    ledger.drawn(at(14), A, amps(6));
    ledger.plan(at(14), &site, &snapshot(0, both_want()), &allocation([16, 16]));
    ledger.accepted(at(14), A, amps(16));
    ledger.drawn(at(15), A, amps(16));
    ledger.plan(at(16), &site, &snapshot(22, both_want()), &allocation([6, 0]));
    ledger.accepted(at(16), A, amps(6));
    ledger.drawn(at(17), A, amps(6));
    assert_eq!(ledger.worst(at(17), A, &site), amps(6));
}

#[test]
fn a_car_that_waits_at_nothing_is_counted_at_nothing_once_its_charger_has_taken_that_for_it() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([0, 16]));
    ledger.accepted(at(8), A, amps(0));
    ledger.drawn(at(14), A, amps(0));
    ledger.arrived(A, &site);
    ledger.drawn(at(30), A, amps(0));
    assert_eq!(ledger.worst(at(30), A, &site), amps(6), "what it took was for another car");
    ledger.accepted(at(31), A, amps(0));
    ledger.drawn(at(37), A, amps(0));
    assert_eq!(ledger.worst(at(37), A, &site), amps(0));
}

#[test]
fn a_limit_that_only_fairness_wants_lower_is_left_alone_for_a_while() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([14, 16]));
    let soon = ledger.plan(at(9), &site, &snapshot(0, both_want()), &allocation([13, 16]));
    assert_eq!(soon, []);
    let later = ledger.plan(at(13), &site, &snapshot(0, both_want()), &allocation([13, 16]));
    assert_eq!(later, [Setpoint { charger: A, limit: amps(13) }]);
    let oven = ledger.plan(at(14), &site, &snapshot(10, both_want()), &allocation([9, 13]));
    assert_eq!(oven.len(), 2, "what a line needs does not wait");
}

#[test]
fn what_a_person_orders_lower_does_not_wait() {
    let site = garage();
    let mut ledger = both_at_sixteen(&site);
    ledger.plan(at(8), &site, &snapshot(0, both_want()), &allocation([14, 16]));
    let mut held = allocation([8, 16]);
    held.grants[A.0].reason = Reason::HeldByOrder;
    let soon = ledger.plan(at(9), &site, &snapshot(0, both_want()), &held);
    assert_eq!(soon, [Setpoint { charger: A, limit: amps(8) }]);
}

#[test]
fn a_charger_that_was_never_heard_of_hides_no_load_of_the_building() {
    let site = garage();
    let ledger = Ledger::new(&site, at(0));
    assert_eq!(ledger.span(at(1), A, &site, None), Span::exactly(Milliamps::ZERO));
    assert_eq!(ledger.worst(at(1), A, &site), amps(32));
}
