//! Registers as each meter would show them, coded here by hand, and the reading that must come of them.
//! L1 imports 10 A, L2 exports 5 A, L3 has nothing.

use super::meter_map::MeterMap;
use super::register::{Table, Words};
use super::{meter_map, meter_map_names};
use dlb_engine::lines::PerLine;
use dlb_engine::reading::{NoReading, Reading};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Millivolts, WattHours, Watts};

const AT: Instant = Instant::from_millis(5_000);

/// 230.0 V, 231.0 V, 229.0 V; 10 A, 5 A, 0 A; 2300 W, −1155 W, 0 W; 1145 W; 1234.5 kWh, 67.8 kWh as f32.
const F32_VOLTS: [u16; 6] = [0x4366, 0, 0x4367, 0, 0x4365, 0];
const F32_AMPS: [u16; 6] = [0x4120, 0, 0x40A0, 0, 0, 0];
const F32_WATTS: [u16; 6] = [0x450F, 0xC000, 0xC490, 0x6000, 0, 0];
const F32_TOTAL: [u16; 2] = [0x448F, 0x2000];
const F32_KWH: [u16; 4] = [0x449A, 0x5000, 0x4287, 0x999A];
const F32_HERTZ: [u16; 2] = [0x4248, 0x147B]; // 50.02

fn reading(name: &str, table: Table, blocks: &[(u16, &[u16])]) -> Result<Reading, NoReading> {
    read_map(meter_map(name).unwrap(), 0, table, blocks)
}

fn read_map(map: &MeterMap, base: u16, table: Table, blocks: &[(u16, &[u16])]) -> Result<Reading, NoReading> {
    let mut words = Words::new();
    for (address, values) in blocks {
        words.extend((*address..).zip(*values).map(|(at, word)| ((table, at), *word)));
    }
    map.reading(&words, base, AT)
}

fn is_the_usual(reading: Result<Reading, NoReading>, hertz: Option<u32>, energies: Option<(i64, i64)>) {
    let reading = reading.unwrap();
    assert_eq!(reading.at, AT);
    assert_eq!(reading.current, PerLine([10_000, -5_000, 0].map(|it| Some(Milliamps(it)))));
    assert_eq!(reading.voltage, PerLine([230_000, 231_000, 229_000].map(|it| Some(Millivolts(it)))));
    assert_eq!(reading.power, PerLine([2300, -1155, 0].map(|it| Some(Watts(it)))));
    assert_eq!(reading.power_total, Some(Watts(1145)));
    assert_eq!(reading.frequency_mhz, hertz);
    assert_eq!(reading.imported, energies.map(|it| WattHours(it.0)));
    assert_eq!(reading.exported, energies.map(|it| WattHours(it.1)));
}

#[test]
fn eastron_shows_floats_in_input_registers() {
    for name in ["eastron-sdm630", "eastron-sdm72d-m-v2"] {
        let blocks: [(u16, &[u16]); 6] = [
            (0x00, &F32_VOLTS),
            (0x06, &F32_AMPS),
            (0x0C, &F32_WATTS),
            (0x34, &F32_TOTAL),
            (0x46, &F32_HERTZ),
            (0x48, &F32_KWH),
        ];
        is_the_usual(reading(name, Table::Input, &blocks), Some(50_020), Some((1_234_500, 67_800)));
    }
}

#[test]
fn carlo_gavazzi_shows_the_low_word_first() {
    let common: [(u16, &[u16]); 4] = [
        (0x00, &[2300, 0, 2310, 0, 2290, 0]),
        (0x0C, &[10_000, 0, 5_000, 0, 0, 0]),
        (0x12, &[23_000, 0, 0xD2E2, 0xFFFF, 0, 0]),
        (0x28, &[11_450, 0]),
    ];
    let places = [("carlo-gavazzi-em24", 0x37, 0x42, 0x5C), ("carlo-gavazzi-em340", 0x33, 0x34, 0x4E)];
    for (name, hertz, imported, exported) in places {
        let mut blocks = common.to_vec();
        blocks.extend([(hertz, &[500][..]), (imported, &[12_345, 0]), (exported, &[678, 0])]);
        is_the_usual(reading(name, Table::Input, &blocks), Some(50_000), Some((1_234_500, 67_800)));
    }
}

#[test]
fn abb_shows_hundredths_in_holding_registers() {
    let blocks: [(u16, &[u16]); 6] = [
        (0x5B00, &[0, 2300, 0, 2310, 0, 2290]),
        (0x5B0C, &[0, 1000, 0, 500, 0, 0]),
        (0x5B14, &[0x0001, 0xBF44]),                       // 114 500
        (0x5B16, &[0x0003, 0x8270, 0xFFFE, 0x3CD4, 0, 0]), // 230 000, −115 500
        (0x5B2C, &[5002]),
        (0x5000, &[0, 0, 0x0001, 0xE23A, 0, 0, 0, 6780]), // 123 450
    ];
    is_the_usual(reading("abb-b23", Table::Holding, &blocks), Some(50_020), Some((1_234_500, 67_800)));
}

#[test]
fn an_abb_without_a_value_says_so_and_it_stays_missing() {
    let blocks: [(u16, &[u16]); 3] =
        [(0x5B0C, &[0, 1000, 0xFFFF, 0xFFFF, 0, 0]), (0x5B14, &[0x7FFF, 0xFFFF]), (0x5000, &[0xFFFF; 8])];
    let reading = reading("abb-b23", Table::Holding, &blocks).unwrap();
    assert_eq!(reading.current, PerLine([Some(Milliamps(10_000)), None, Some(Milliamps(0))]));
    assert_eq!((reading.power_total, reading.imported), (None, None));
}

#[test]
fn schneider_shows_kilowatts_and_long_energies() {
    let kilowatts = [0x4013, 0x3333, 0xBF93, 0xD70A, 0, 0, 0x3F92, 0x8F5C]; // 2.3, −1.155, 0, 1.145
    let blocks: [(u16, &[u16]); 5] = [
        (0x0BB7, &F32_AMPS),
        (0x0BD3, &F32_VOLTS),
        (0x0BED, &kilowatts),
        (0x0C25, &F32_HERTZ),
        (0x0C83, &[0, 0, 0x0012, 0xD644, 0, 0, 0x0001, 0x08D8]), // 1 234 500 Wh, 67 800 Wh
    ];
    is_the_usual(
        reading("schneider-iem3000", Table::Holding, &blocks),
        Some(50_020),
        Some((1_234_500, 67_800)),
    );
}

#[test]
fn siemens_shows_energies_as_doubles() {
    let blocks: [(u16, &[u16]); 6] = [
        (1, &F32_VOLTS),
        (13, &F32_AMPS),
        (25, &F32_WATTS),
        (65, &F32_TOTAL),
        (801, &[0x4132, 0xD644, 0, 0]), // 1 234 500.0
        (809, &[0x40F0, 0x8D80, 0, 0]), // 67 800.0
    ];
    is_the_usual(reading("siemens-pac2200", Table::Input, &blocks), None, Some((1_234_500, 67_800)));
}

#[test]
fn janitza_shows_watt_hours_as_floats() {
    let blocks: [(u16, &[u16]); 7] = [
        (19_000, &F32_VOLTS),
        (19_012, &F32_AMPS),
        (19_020, &F32_WATTS),
        (19_026, &F32_TOTAL),
        (19_050, &F32_HERTZ),
        (19_068, &[0x4996, 0xB220]), // 1 234 500
        (19_076, &[0x4784, 0x6C00]), // 67 800
    ];
    is_the_usual(
        reading("janitza-umg96rm-e", Table::Holding, &blocks),
        Some(50_020),
        Some((1_234_500, 67_800)),
    );
}

#[test]
fn sunspec_applies_its_scale_factors() {
    let tenth = (-1i16) as u16;
    let blocks: [(u16, &[u16]); 5] = [
        (100, &[203, 105, 150, 100, 50, 0, tenth]),
        (108, &[2300, 2310, 2290, 0, 0, 0, 0, tenth, 5002, (-2i16) as u16]),
        (118, &[1145, 2300, (-1155i16) as u16, 0, 0]),
        (138, &[0, 678, 0, 0, 0, 0, 0, 0, 0, 12_345]),
        (154, &[2]),
    ];
    let map = meter_map("sunspec-203").unwrap();
    is_the_usual(read_map(map, 100, Table::Holding, &blocks), Some(50_020), Some((1_234_500, 67_800)));
}

#[test]
fn sunspec_floats_need_no_scale_factor() {
    let blocks: [(u16, &[u16]); 6] = [
        (104, &F32_AMPS),
        (112, &F32_VOLTS),
        (126, &[0x4248, 0x147B, 0x448F, 0x2000]),
        (130, &F32_WATTS),
        (160, &[0x4784, 0x6C00]),
        (168, &[0x4996, 0xB220]),
    ];
    let map = meter_map("sunspec-213").unwrap();
    is_the_usual(read_map(map, 100, Table::Holding, &blocks), Some(50_020), Some((1_234_500, 67_800)));
}

#[test]
fn a_value_that_no_site_has_makes_the_answer_garbled() {
    let infinite = [0x7F80, 0, 0, 0, 0, 0];
    let far = [0x461C, 0x4400, 0, 0, 0, 0]; // 10 001 A
    for amps in [infinite, far] {
        assert_eq!(reading("eastron-sdm630", Table::Input, &[(6, &amps)]), Err(NoReading::Garbled));
    }
    let below = [0xC366, 0]; // −230 V
    let blocks: [(u16, &[u16]); 2] = [(0, &below), (6, &F32_AMPS)];
    assert_eq!(reading("eastron-sdm630", Table::Input, &blocks), Err(NoReading::Garbled));
    assert_eq!(reading("eastron-sdm630", Table::Input, &[]), Err(NoReading::Garbled), "nothing at all");
}

#[test]
fn every_meter_map_has_a_reading_here() {
    let tested = [
        "abb-b23",
        "carlo-gavazzi-em24",
        "carlo-gavazzi-em340",
        "eastron-sdm630",
        "eastron-sdm72d-m-v2",
        "janitza-umg96rm-e",
        "schneider-iem3000",
        "siemens-pac2200",
        "sunspec-203",
        "sunspec-213",
    ];
    assert!(meter_map_names().eq(tested));
}
