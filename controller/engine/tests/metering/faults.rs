//! What goes wrong on a board, and what the meter says of it.

use crate::wave::{ADS131M08, MCP3208, Noise, Rig, Wave};
use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, Cycle, Interval, Kind, Meter};
use dlb_engine::reading::{Doubt, Quality};

fn clamps_only() -> Board {
    let mut board = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) }.board();
    board.channels.truncate(1);
    board
}

fn run(
    board: Board,
    samples: usize,
    mut codes: impl FnMut(usize) -> Vec<i32>,
) -> (Vec<Cycle>, Vec<Interval>) {
    let mut meter = Meter::new(board).unwrap();
    let steps = (0..samples).map(|n| meter.push(&codes(n))).collect::<Vec<_>>();
    (
        steps.iter().filter_map(|step| step.cycle).collect(),
        steps.iter().filter_map(|step| step.interval).collect(),
    )
}

#[test]
fn a_site_without_voltage_taps_is_measured_and_says_what_is_lost() {
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(17.0, 0.0).with(5.0, 3.0, 0.2));
    let mut noise = Noise(5);
    let (_, intervals) = run(clamps_only(), 8000, |n| rig.codes(50.3, &u, &i, n, &mut noise)[..1].to_vec());
    assert!(intervals.len() >= 8);
    for interval in intervals {
        let line = interval.lines[Line::L1];
        assert_eq!(interval.quality, Quality::Doubtful(Doubt::NoVoltage));
        assert!((line.current_a.unwrap() / i.rms() - 1.0).abs() < 0.0005, "{line:?}");
        assert!((interval.frequency_hz.unwrap() - 50.3).abs() < 0.005);
        assert_eq!((line.power_w, line.power_factor, interval.power_w()), (None, None, None));
    }
}

#[test]
fn an_idle_site_without_voltage_taps_reads_nothing_and_goes_on_reading() {
    let rig = Rig::new(ADS131M08, 63.0);
    let mut noise = Noise(6);
    let none = Wave::sine(0.0, 0.0);
    let (cycles, intervals) =
        run(clamps_only(), 8000, |n| rig.codes(50.0, &none, &none, n, &mut noise)[..1].to_vec());
    assert!((8..=10).contains(&intervals.len()), "{}", intervals.len());
    assert!(intervals.iter().all(|interval| interval.lines[Line::L1].current_a.unwrap() < 0.002));
    assert!(cycles.len() > 150);
}

#[test]
fn an_overload_shows_within_two_cycles_of_its_beginning() {
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let u = Wave::sine(230.0, 0.0);
    let (calm, over) = (Wave::sine(60.0, 0.0), Wave::sine(78.0, 0.0));
    for start in 4000..4080 {
        let mut noise = Noise(7);
        let (cycles, _) = run(rig.board(), 4400, |n| {
            rig.codes(50.0, &u, if n < start { &calm } else { &over }, n, &mut noise).to_vec()
        });
        let seen = cycles.iter().find(|cycle| cycle.current_a[Line::L1].unwrap() > 70.0).unwrap();
        let latency = seen.ended_s - start as f64 / 4000.0;
        assert!((0.0..0.030).contains(&latency), "{latency}");
    }
}

#[test]
fn a_clipped_input_makes_the_reading_bad_and_flags_the_cycle() {
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(63.0 * 3.0, 0.0));
    let mut noise = Noise(8);
    let (cycles, intervals) = run(rig.board(), 4000, |n| rig.codes(50.0, &u, &i, n, &mut noise).to_vec());
    assert!(intervals.iter().all(|interval| interval.quality == Quality::Bad(Doubt::Saturated)));
    assert!(cycles.iter().skip(1).all(|cycle| cycle.clipped));
}

#[test]
fn a_converter_that_repeats_itself_for_ever_is_called_frozen() {
    let (_, intervals) = run(Rig::new(ADS131M08, 63.0).board(), 8000, |_| vec![1234, -555]);
    assert!(intervals.len() >= 8);
    assert!(
        intervals.iter().all(|interval| interval.quality == Quality::Bad(Doubt::Frozen)),
        "{intervals:?}"
    );
}

#[test]
fn a_blown_voltage_fuse_keeps_the_current_and_drops_the_power() {
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let (u, none, i) = (Wave::sine(230.0, 0.0), Wave::sine(0.0, 0.0), Wave::sine(20.0, 0.0));
    let mut noise = Noise(9);
    let (_, intervals) = run(rig.board(), 12_000, |n| {
        rig.codes(50.0, if n < 4000 { &u } else { &none }, &i, n, &mut noise).to_vec()
    });
    let last = intervals.last().unwrap();
    assert_eq!(last.quality, Quality::Doubtful(Doubt::NoVoltage));
    assert_eq!(last.lines[Line::L1].power_w, None);
    assert!((last.lines[Line::L1].current_a.unwrap() - 20.0).abs() < 0.02);
}

#[test]
fn a_few_lost_samples_are_bridged_and_many_make_the_interval_bad() {
    let rig = Rig { lead: 0.0, ..Rig::new(ADS131M08, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(20.0, -1.0));
    for lost in 1..60_usize {
        let mut meter = Meter::new(rig.board()).unwrap();
        let mut noise = Noise(lost as u64);
        let mut intervals = Vec::new();
        let mut n = 0;
        while n < 8000 {
            let skipped = if n == 3000 + 7 * lost { lost } else { 0 };
            n += skipped;
            let codes = rig.codes(50.0, &u, &i, n, &mut noise);
            intervals.extend(meter.push_after_loss(skipped as u32, &codes).interval);
            n += 1;
        }
        let marked = intervals.iter().filter(|interval| interval.quality != Quality::Good).count();
        assert_eq!(marked, 1, "{lost} lost");
        for good in intervals.iter().filter(|interval| !matches!(interval.quality, Quality::Bad(_))) {
            let amps = good.lines[Line::L1].current_a.unwrap();
            assert!((amps - 20.0).abs() < 0.01, "{lost} lost: {amps} A, {:?}", good.quality);
        }
    }
}

#[test]
fn a_wild_sample_from_a_bus_without_a_checksum_is_mended_and_told() {
    let rig = Rig { lead: 0.0, ..Rig::new(MCP3208, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(20.0, -1.0));
    for (bit, at) in [(11, 3011), (11, 3020), (10, 3043), (9, 3077), (8, 3100)] {
        let mut noise = Noise(7);
        let (_, intervals) = run(rig.board(), 6000, |n| {
            let mut codes = rig.codes(50.0, &u, &i, n, &mut noise);
            codes[0] ^= if n == at { 1 << bit } else { 0 };
            codes.to_vec()
        });
        assert_eq!(intervals.iter().filter(|interval| interval.bridged == 1).count(), 1, "bit {bit}");
        for interval in intervals {
            let amps = interval.lines[Line::L1].current_a.unwrap();
            assert!((amps - 20.0).abs() < 0.06, "bit {bit}: {amps} A");
        }
    }
}

#[test]
fn a_voltage_that_was_clipped_is_not_trusted_until_the_zero_crossings_have_settled() {
    let rig = Rig { lead: 0.0, ..Rig::new(MCP3208, 63.0) };
    let (u, i) = (Wave::sine(230.0, 0.0), Wave::sine(20.0, -1.0));
    for held in [1, 40, 1000] {
        let mut noise = Noise(7);
        let (_, intervals) = run(rig.board(), 8000, |n| match n {
            n if (2950..2950 + held).contains(&n) => vec![0, 0],
            n => rig.codes(50.0, &u, &i, n, &mut noise).to_vec(),
        });
        assert!(intervals.iter().any(|interval| interval.quality == Quality::Bad(Doubt::Saturated)));
        assert_eq!(intervals.last().unwrap().quality, Quality::Good);
        for interval in intervals.iter().filter(|interval| interval.quality == Quality::Good) {
            assert!((interval.frequency_hz.unwrap() - 50.0).abs() < 0.005, "{held}: {interval:?}");
            assert!((interval.lines[Line::L1].current_a.unwrap() - 20.0).abs() < 0.06, "{held}");
        }
    }
}

#[test]
fn what_noise_makes_of_an_idle_line_stays_below_the_floor_that_is_told() {
    for converter in [ADS131M08, MCP3208] {
        let rig = Rig { lead: 0.0, ..Rig::new(converter, 63.0) };
        let floor = rig.board().noise_floor_a(Line::L1).unwrap();
        let (u, none) = (Wave::sine(230.0, 0.0), Wave::sine(0.0, 0.0));
        let mut noise = Noise(3);
        let (_, intervals) = run(rig.board(), 20_000, |n| rig.codes(50.0, &u, &none, n, &mut noise).to_vec());
        let highest = intervals.iter().filter_map(|i| i.lines[Line::L1].current_a).fold(0.0, f64::max);
        assert!(highest < floor && floor < 0.02 * 63.0, "{}: {highest} A, {floor} A", converter.name);
    }
}

#[test]
fn two_channels_for_one_thing_are_refused() {
    let mut board = Rig::new(ADS131M08, 63.0).board();
    board.channels.push(Channel { kind: Kind::Voltage, ..board.channels[0] });
    assert!(Meter::new(board).is_err());
}
