//! Stories of sites, an evening or a minute long.

use crate::town::*;
use dlb_engine::allocate::{Allocator, KNOCK_AFTER, KNOCK_FOR, MIN_OFF, MIN_ON};
use dlb_engine::allocation::Reason;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{CircuitIx, Site};
use dlb_engine::snapshot::{ChargerState, Demand, Reservation, Snapshot, Strategy};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, WattHours, Watts};

const GRID: CircuitIx = CircuitIx(0);

#[test]
fn three_cars_share_a_63_ampere_connection() {
    let site = row_of(3, 63.0);
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [21.0, 21.0, 21.0]);
    assert_eq!(allocation.grants[0].reason, Reason::LineFull { circuit: GRID, line: Line::L1 });
    assert_eq!(allocation.used, [PerLine::all(amps(63.0))]);
}

#[test]
fn oven_starts_while_three_cars_charge() {
    let site = row_of(3, 63.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    allocator.allocate(&site, &snapshot);
    snapshot.circuits[0].other_load[Line::L2] = amps(15.0);
    let allocation = allocator.allocate(&site, &snapshot);
    assert_eq!(given(&allocation), [16.0, 16.0, 16.0]);
    assert_eq!(allocation.grants[1].reason, Reason::LineFull { circuit: GRID, line: Line::L2 });
    assert_eq!(allocation.used, [PerLine([48.0, 63.0, 48.0].map(amps))]);
}

#[test]
fn a_full_car_leaves_its_share_to_the_others() {
    let site = row_of(3, 63.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[1] = wants(Demand::Wants(amps(8.0)));
    let allocation = decide(&site, &snapshot);
    // One ampere over: the first in the order of names gets it.
    assert_eq!(given(&allocation), [28.0, 8.0, 27.0]);
    assert_eq!(allocation.grants[1].reason, Reason::WantsNoMore);
}

#[test]
fn a_small_charger_is_at_its_own_maximum() {
    let mut chargers = row_of(2, 63.0).chargers().to_vec();
    chargers[0].max = amps(16.0);
    let site = Site::new(vec![circuit("grid", None, 63.0)], chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [16.0, 32.0]);
    assert_eq!(allocation.grants[0].reason, Reason::ChargerMaximum);
    assert_eq!(allocation.grants[1].reason, Reason::WantsNoMore);
}

#[test]
fn twice_the_weight_is_twice_the_current() {
    let mut chargers = row_of(2, 30.0).chargers().to_vec();
    chargers[1].weight = 2.0;
    let site = Site::new(vec![circuit("grid", None, 30.0)], chargers).unwrap();
    assert_eq!(given(&decide(&site, &everybody_wants(&site))), [10.0, 20.0]);
}

#[test]
fn one_phase_cars_on_another_line_get_what_the_full_line_cannot_use() {
    let chargers = vec![
        charger("a", 0, Wiring::One(Line::L1)),
        charger("b", 0, Wiring::One(Line::L1)),
        charger("c", 0, Wiring::One(Line::L3)),
    ];
    let site = Site::new(vec![circuit("grid", None, 32.0)], chargers).unwrap();
    assert_eq!(given(&decide(&site, &everybody_wants(&site))), [16.0, 16.0, 32.0]);
}

#[test]
fn a_charger_of_unknown_rotation_counts_on_every_line() {
    let chargers = vec![charger("a", 0, Wiring::Unknown), charger("b", 0, Wiring::One(Line::L3))];
    let site = Site::new(vec![circuit("grid", None, 40.0)], chargers).unwrap();
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[0].car_phases = Some(1);
    let allocation = decide(&site, &snapshot);
    assert_eq!(given(&allocation), [20.0, 20.0]);
    assert_eq!(allocation.used, [PerLine([20.0, 20.0, 40.0].map(amps))]);
}

#[test]
fn the_sub_board_binds_before_the_connection() {
    let circuits = vec![circuit("grid", None, 100.0), circuit("garage", Some(0), 20.0)];
    let chargers = vec![charger("a", 1, THREE), charger("b", 1, THREE), charger("c", 0, THREE)];
    let site = Site::new(circuits, chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [10.0, 10.0, 32.0]);
    let garage = Reason::LineFull { circuit: CircuitIx(1), line: Line::L1 };
    assert_eq!(allocation.grants[0].reason, garage);
    assert_eq!(allocation.used, [PerLine::all(amps(52.0)), PerLine::all(amps(20.0))]);
}

#[test]
fn a_power_limit_binds_beside_the_fuses() {
    let mut grid = circuit("grid", None, 63.0);
    grid.limit_power = Some(Watts(13_800));
    let site = Site::new(vec![grid], row_of(2, 63.0).chargers().to_vec()).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [10.0, 10.0]);
    assert_eq!(allocation.grants[0].reason, Reason::PowerFull { circuit: GRID });
}

#[test]
fn steps_of_six_amperes_leave_the_rest_to_the_charger_with_fine_steps() {
    let mut chargers = row_of(2, 31.0).chargers().to_vec();
    chargers[0].step = amps(6.0);
    chargers[1].step = amps(0.1);
    let site = Site::new(vec![circuit("grid", None, 31.0)], chargers).unwrap();
    assert_eq!(given(&decide(&site, &everybody_wants(&site))), [12.0, 19.0]);
}

#[test]
fn a_charger_whose_steps_miss_its_range_cannot_be_used() {
    let mut chargers = row_of(1, 63.0).chargers().to_vec();
    (chargers[0].step, chargers[0].max) = (amps(20.0), amps(16.0));
    let site = Site::new(vec![circuit("grid", None, 63.0)], chargers).unwrap();
    let allocation = decide(&site, &everybody_wants(&site));
    assert_eq!(given(&allocation), [0.0]);
    assert_eq!(allocation.grants[0].reason, Reason::ChargerMaximum);
}

#[test]
fn what_is_out_of_reach_is_set_aside_first() {
    let site = row_of(3, 40.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[2] = wants(Demand::Reserved(amps(16.0), Reservation::OutOfReach));
    let allocation = decide(&site, &snapshot);
    assert_eq!(given(&allocation), [12.0, 12.0, 16.0]);
    assert_eq!(allocation.grants[2].reason, Reason::Reserved(Reservation::OutOfReach));
}

#[test]
fn a_house_over_its_limit_gives_the_cars_nothing() {
    let site = row_of(2, 40.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.circuits[0].other_load[Line::L3] = amps(45.0);
    let allocation = decide(&site, &snapshot);
    assert_eq!(given(&allocation), [0.0, 0.0]);
    assert_eq!(allocation.grants[0].reason, Reason::NothingLeft { circuit: GRID, line: Line::L3 });
    assert_eq!(allocation.used, [PerLine([0.0, 0.0, 45.0].map(amps))]);
}

#[test]
fn a_full_car_keeps_its_minimum_only_where_nobody_else_can_use_it() {
    let site = row_of(3, 63.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[2] = wants(Demand::Idle);
    assert_eq!(given(&decide(&site, &snapshot)), [32.0, 31.0, 0.0]);
    snapshot.chargers[1] = wants(Demand::Wants(amps(20.0)));
    assert_eq!(given(&decide(&site, &snapshot)), [32.0, 20.0, 6.0]);
}

#[test]
fn a_sleeping_car_without_standby_is_knocked_at() {
    let site = row_of(2, 8.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[1] = wants(Demand::Idle);
    assert_eq!(given(&allocator.allocate(&site, &snapshot)), [8.0, 0.0]);
    let mut knocked = Duration::ZERO;
    for _ in 0..240 {
        snapshot.now = snapshot.now + Duration::from_secs(15);
        if given(&allocator.allocate(&site, &snapshot))[1] > 0.0 {
            knocked += Duration::from_secs(15);
        }
    }
    assert!(knocked >= KNOCK_FOR && knocked <= KNOCK_FOR * 2, "{knocked:?} of an hour");
    assert!(KNOCK_AFTER < Duration::from_secs(3600));
}

#[test]
fn the_first_class_is_served_to_its_last_wish_under_priority() {
    let mut chargers = row_of(3, 40.0).chargers().to_vec();
    chargers[2].priority = 0;
    (chargers[0].priority, chargers[1].priority) = (1, 1);
    let site = Site::new(vec![circuit("grid", None, 40.0)], chargers).unwrap();
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::Priority;
    assert_eq!(given(&decide(&site, &snapshot)), [8.0, 0.0, 32.0]);
    // Equal: first the minimum for all, then the better class.
    snapshot.strategy = Strategy::Equal;
    assert_eq!(given(&decide(&site, &snapshot)), [6.0, 6.0, 28.0]);
}

#[test]
fn who_came_first_has_all_that_it_wants() {
    let site = row_of(3, 40.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::FirstCome;
    for (state, arrived) in snapshot.chargers.iter_mut().zip([300, 100, 200]) {
        state.arrived = Some(Instant::from_millis(arrived));
    }
    let allocation = decide(&site, &snapshot);
    assert_eq!(given(&allocation), [0.0, 32.0, 8.0]);
    assert_eq!(allocation.grants[0].reason, Reason::WaitsForTurn { circuit: GRID, line: Line::L1 });
}

#[test]
fn the_van_that_leaves_at_eight_is_ahead_of_the_one_that_leaves_at_noon() {
    let site = row_of(3, 40.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::Departure;
    let hours = |hours: u64| Some(snapshot.now + Duration::from_secs(hours * 3600));
    let (noon, eight) = (hours(5), hours(1));
    for (state, departs) in snapshot.chargers.iter_mut().zip([noon, eight, None]) {
        state.departs = departs;
        state.energy_needed = Some(WattHours(20_000));
    }
    // The one in a hurry; of the third nobody knows how long it can wait.
    assert_eq!(given(&decide(&site, &snapshot)), [0.0, 32.0, 8.0]);
    snapshot.circuits[0].limit = PerLine::all(amps(6.0));
    assert_eq!(given(&decide(&site, &snapshot)), [0.0, 6.0, 0.0]);
}

/// The garage's board carries 10 A and needs all of them for four hours; the other car could wait for its 32 A, but
/// by time to spare it would go first, and the board would never catch up.
#[test]
fn a_board_that_is_short_all_evening_is_not_kept_waiting_by_a_car_with_less_time_to_spare() {
    let circuits = vec![circuit("grid", None, 32.0), circuit("garage", Some(0), 10.0)];
    let chargers = vec![charger("behind", 1, THREE), charger("beside", 0, THREE)];
    let site = Site::new(circuits, chargers).unwrap();
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::Departure;
    let mut left = [40.0, 86.0];
    let leaves = snapshot.now + Duration::from_secs(4 * 3600);
    let mut allocator = Allocator::new();
    while snapshot.now < leaves {
        for (state, amp_hours) in snapshot.chargers.iter_mut().zip(left) {
            state.departs = Some(leaves);
            state.energy_needed = Some(WattHours((amp_hours * 3.0 * 230.0) as i64));
        }
        let given = given(&allocator.allocate(&site, &snapshot));
        for (left, amps) in left.iter_mut().zip(given) {
            *left = f64::max(*left - amps / 12.0, 0.0);
        }
        snapshot.now = snapshot.now + Duration::from_secs(300);
    }
    assert!(left.iter().all(|&amp_hours| amp_hours < 0.5), "{left:?}");
}

#[test]
fn a_car_that_leaves_soon_gets_part_of_its_need_before_another_gets_all() {
    let site = row_of(2, 16.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::Departure;
    let leaves = [4, 1].map(|hours: u64| snapshot.now + Duration::from_secs(hours * 3600));
    // The first is hopelessly late for its 100 kWh; the second can have most of its 12 kWh within the hour.
    let (mut left, mut allocator) = ([100_000.0, 12_000.0], Allocator::new());
    while snapshot.now < leaves[1] {
        for (ix, state) in snapshot.chargers.iter_mut().enumerate() {
            (state.departs, state.energy_needed) = (Some(leaves[ix]), Some(WattHours(left[ix] as i64)));
        }
        let given = given(&allocator.allocate(&site, &snapshot));
        for (left, amps) in left.iter_mut().zip(given) {
            *left = f64::max(*left - amps * 3.0 * 230.0 / 60.0, 0.0);
        }
        snapshot.now = snapshot.now + Duration::from_secs(60);
    }
    assert!(left[1] < 0.6 * 12_000.0, "{left:?}");
}

/// Three lines carry 336 A between them while the pairs are in balance, and hardly two thirds of that for two pairs.
#[test]
fn a_garage_between_lines_stays_in_balance_while_cars_come_and_none_is_switched_off_for_another() {
    let pairs = [(Line::L1, Line::L2), (Line::L2, Line::L3), (Line::L3, Line::L1)];
    let chargers: Vec<_> = (0..36)
        .map(|ix| {
            let (from, to) = pairs[ix % 3];
            charger(&format!("c{ix:02}"), 0, Wiring::Between(from, to))
        })
        .collect();
    let site = Site::new(vec![circuit("grid", None, 194.0)], chargers).unwrap();
    let mut snapshot = everybody_wants(&site);
    snapshot.strategy = Strategy::Departure;
    let begins = snapshot.now;
    let minutes = |minutes: usize| begins + Duration::from_secs(minutes as u64 * 60);
    let mut left: Vec<f64> = (0..36).map(|ix| (20 + ix * 29 % 60) as f64).collect();
    let (mut allocator, mut on, mut starts) = (Allocator::new(), [false; 36], [0; 36]);
    let (mut least, mut changes, mut had): (f64, u32, Vec<f64>) = (336.0, 0, vec![0.0; 36]);
    for minute in 0..360 {
        snapshot.now = minutes(minute);
        for (ix, state) in snapshot.chargers.iter_mut().enumerate() {
            let departs = minutes(240 + ix * 37 % 180);
            let here = minute >= ix * 4 && snapshot.now < departs;
            let demand = match left[ix] {
                _ if !here => Demand::Absent,
                left if left > 0.0 => Demand::Wants(amps(32.0)),
                _ => Demand::Idle,
            };
            *state = wants(demand);
            state.departs = Some(departs);
            state.energy_needed = Some(WattHours((left[ix] * 3f64.sqrt() * 230.0) as i64));
        }
        let wanting = |state: &ChargerState| matches!(state.demand, Demand::Wants(_));
        let enough = (0..3).all(|pair| {
            snapshot.chargers.iter().skip(pair).step_by(3).filter(|state| wanting(state)).count() >= 5
        });
        let given = given(&allocator.allocate(&site, &snapshot));
        for ix in 0..36 {
            let charges = given[ix] > 0.0 && left[ix] > 0.0;
            changes += u32::from(charges && on[ix] && given[ix] != had[ix]);
            starts[ix] += u32::from(charges && !on[ix]);
            on[ix] = charges;
            left[ix] -= given[ix] / 60.0;
        }
        if enough {
            least = least.min(given.iter().sum());
        }
        had = given;
    }
    assert!(least > 0.89 * 336.0, "{least} A");
    assert_eq!(starts, [1; 36]);
    // Two cars with the same time to spare do not change over every minute.
    assert!(changes < 500, "{changes} limits of cars that charged were changed");
}

/// Runs a site for hours in steps of a minute; ampere-hours and starts of each charger.
fn run(site: &Site, snapshot: &mut Snapshot, hours: u64) -> (Vec<f64>, Vec<u32>) {
    let mut allocator = Allocator::new();
    let count = site.chargers().len();
    let (mut charge, mut starts, mut on) = (vec![0.0; count], vec![0; count], vec![false; count]);
    for _ in 0..hours * 60 {
        let allocation = allocator.allocate(site, snapshot);
        for (ix, amps) in given(&allocation).into_iter().enumerate() {
            charge[ix] += amps / 60.0;
            starts[ix] += u32::from(amps > 0.0 && !on[ix]);
            on[ix] = amps > 0.0;
        }
        snapshot.now = snapshot.now + Duration::from_secs(60);
    }
    (charge, starts)
}

#[test]
fn ten_cars_on_two_places_all_get_their_turn() {
    let site = row_of(10, 13.0);
    let (charge, starts) = run(&site, &mut everybody_wants(&site), 10);
    let (least, most) =
        (charge.iter().copied().fold(f64::MAX, f64::min), charge.iter().copied().fold(0.0, f64::max));
    assert!(least > 0.7 * most, "{charge:?}");
    assert!(charge.iter().sum::<f64>() > 0.99 * 130.0, "{charge:?}");
    assert!(starts.iter().all(|&starts| starts <= 8), "{starts:?}");
}

#[test]
fn a_three_phase_car_is_not_starved_by_one_phase_cars() {
    let mut chargers: Vec<_> = [Line::L1, Line::L1, Line::L2, Line::L2, Line::L3, Line::L3]
        .into_iter()
        .enumerate()
        .map(|(ix, line)| charger(&format!("one{ix}"), 0, Wiring::One(line)))
        .collect();
    chargers.push(charger("three", 0, THREE));
    let site = Site::new(vec![circuit("grid", None, 7.0)], chargers).unwrap();
    let (charge, _) = run(&site, &mut everybody_wants(&site), 12);
    let mean = charge.iter().sum::<f64>() / charge.len() as f64;
    assert!(charge[6] > 0.6 * mean, "{charge:?}");
    assert!(charge.iter().all(|&amp_hours| amp_hours > 0.5 * mean), "{charge:?}");
}

/// A taxi rank: on each line a car charges for eleven minutes, a minute later the next one is plugged in,
/// four minutes after the line before. At no time are all three lines free.
#[test]
fn a_three_phase_car_gets_in_between_cars_that_come_and_go() {
    let mut chargers: Vec<_> =
        Line::ALL.into_iter().map(|line| charger(line.name(), 0, Wiring::One(line))).collect();
    chargers.push(charger("three", 0, THREE));
    let site = Site::new(vec![circuit("grid", None, 6.5)], chargers).unwrap();
    let (mut allocator, mut snapshot) = (Allocator::new(), everybody_wants(&site));
    let begin = snapshot.now;
    let (mut waited, mut longest) = (0, 0);
    for minute in 0..4 * 60 {
        snapshot.now = begin + Duration::from_secs(minute * 60);
        for line in 0..3 {
            let changes = (minute + line as u64 * 4).is_multiple_of(12);
            let demand = if changes { Demand::Absent } else { Demand::Wants(amps(32.0)) };
            snapshot.chargers[line] = wants(demand);
        }
        let three = given(&allocator.allocate(&site, &snapshot))[3];
        waited = if three > 0.0 { 0 } else { waited + 1 };
        longest = longest.max(waited);
    }
    assert!(longest <= 30, "waited {longest} minutes");
}

#[test]
fn turns_come_by_weight() {
    let mut chargers = row_of(3, 7.0).chargers().to_vec();
    chargers[0].weight = 2.0;
    let site = Site::new(vec![circuit("grid", None, 7.0)], chargers).unwrap();
    let (charge, _) = run(&site, &mut everybody_wants(&site), 24);
    let ratio = charge[0] / (charge[1] + charge[2]) * 2.0;
    assert!((1.6..2.4).contains(&ratio), "{charge:?}");
}

#[test]
fn a_newcomer_does_not_push_out_a_car_that_has_just_begun() {
    let site = row_of(2, 8.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[0] = wants(Demand::Absent);
    assert_eq!(given(&allocator.allocate(&site, &snapshot)), [0.0, 8.0]);
    let began = snapshot.now;
    snapshot.chargers[0] = wants(Demand::Wants(amps(32.0)));
    while snapshot.now < began + MIN_ON {
        let allocation = allocator.allocate(&site, &snapshot);
        assert_eq!(given(&allocation), [0.0, 8.0]);
        snapshot.now = snapshot.now + Duration::from_secs(30);
    }
}

#[test]
fn a_cycling_oven_does_not_make_the_contactor_chatter() {
    let site = row_of(1, 20.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    let mut starts = 0;
    let mut on = false;
    for half_minute in 0..60 {
        snapshot.circuits[0].other_load[Line::L1] = amps(if half_minute % 2 == 0 { 0.0 } else { 16.0 });
        let allocation = allocator.allocate(&site, &snapshot);
        let now_on = allocation.grants[0].limit > Milliamps::ZERO;
        starts += u32::from(now_on && !on);
        on = now_on;
        snapshot.now = snapshot.now + Duration::from_secs(30);
    }
    // Half an hour; without the rest it would be thirty starts.
    assert!(starts <= 8, "{starts}");
    assert!(MIN_OFF >= Duration::from_secs(120));
}

#[test]
fn a_car_that_was_unplugged_and_comes_back_need_not_rest() {
    let site = row_of(1, 20.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    allocator.allocate(&site, &snapshot);
    snapshot.now = snapshot.now + Duration::from_secs(60);
    snapshot.circuits[0].other_load[Line::L1] = amps(16.0);
    allocator.allocate(&site, &snapshot);
    snapshot.circuits[0].other_load[Line::L1] = Milliamps::ZERO;
    let resting = allocator.allocate(&site, &snapshot);
    assert_eq!((given(&resting), resting.grants[0].reason), (vec![0.0], Reason::Rests));
    snapshot.chargers[0] = wants(Demand::Absent);
    allocator.allocate(&site, &snapshot);
    snapshot.chargers[0] = wants(Demand::Wants(amps(32.0)));
    assert_eq!(given(&allocator.allocate(&site, &snapshot)), [20.0]);
}

/// It drew before it could be told anything, which looked like an oven for a moment.
#[test]
fn a_first_offer_that_is_taken_back_before_the_car_has_followed_is_no_switching_off() {
    let site = row_of(1, 20.0);
    let mut allocator = Allocator::new();
    let mut snapshot = everybody_wants(&site);
    let mut offered = |other: f64| {
        snapshot.circuits[0].other_load[Line::L1] = amps(other);
        let allocation = allocator.allocate(&site, &snapshot);
        snapshot.now = snapshot.now + Duration::from_secs(1);
        (given(&allocation)[0], allocation.grants[0].reason)
    };
    assert_eq!(offered(0.0).0, 20.0);
    assert_eq!(offered(16.0).0, 0.0);
    assert_eq!(offered(0.0).0, 20.0, "nothing was switched on, nothing has to rest");
    // Once: an oven that does this all the time makes no contactor chatter.
    assert_eq!(offered(16.0).0, 0.0);
    assert_eq!(offered(0.0), (0.0, Reason::Rests));
}

#[test]
fn a_charger_added_while_running_does_not_make_the_box_forget_whose_turn_it_is() {
    let site = row_of(3, 8.0);
    let mut allocator = Allocator::new();
    let snapshot = everybody_wants(&site);
    let before = given(&allocator.allocate(&site, &snapshot));
    let mut chargers = vec![charger("aa", 0, THREE)];
    chargers.extend(site.chargers().iter().cloned());
    let larger = Site::new(site.circuits().to_vec(), chargers).unwrap();
    let mut snapshot = everybody_wants(&larger);
    snapshot.now = snapshot.now + Duration::from_secs(60);
    let after = given(&allocator.allocate(&larger, &snapshot));
    assert_eq!(after[1..], before[..]);
}

#[test]
fn a_car_found_charging_after_a_restart_keeps_its_place_among_equals() {
    let site = row_of(2, 8.0);
    let mut snapshot = everybody_wants(&site);
    snapshot.chargers[1].drawn = Some(PerLine::all(amps(7.5)));
    assert_eq!(given(&decide(&site, &snapshot)), [0.0, 8.0]);
}
