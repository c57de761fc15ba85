use super::*;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::site::{Balance, Supply, Transformer, VectorGroup};
use dlb_engine::surplus::{Mode, Setting};
use dlb_engine::units::{Milliamps, Watts};
use dlb_wiring::settings::{LinkSetting, MeterSource, PortIx};

const OFFICE: &str = include_str!("../../../../tests/sites/office.toml");

fn office() -> Checked {
    check(OFFICE).expect("the sample is right").0
}

fn mistakes(text: &str) -> Vec<Problem> {
    check(text).expect_err("the file is wrong")
}

#[test]
fn the_office_is_read_as_it_is_written() {
    let office = office();
    let site = &office.settings.site;
    assert_eq!(site.circuits().len(), 2);
    assert_eq!(site.circuits()[1].limit, PerLine::all(Milliamps::from_amps(50)));
    assert_eq!(site.chargers()[1].wiring, Wiring::Three(Line::L2, Line::L3, Line::L1));
    assert_eq!(site.chargers()[1].max, Milliamps::from_amps(16));
    let LinkSetting::Modbus { port, unit, map } = &office.settings.links[1] else {
        panic!("bay-2 is on Modbus")
    };
    assert_eq!((port, unit, map.as_str()), (&PortIx(1), &2, "keba-p30"));
    assert!(matches!(
        &office.settings.meters[0].source,
        MeterSource::Modbus { port: PortIx(0), unit: 1, .. }
    ));
    assert_eq!(office.mqtt.as_ref().unwrap().host, "127.0.0.1");
}

#[test]
fn the_new_box_asks_before_it_gives() {
    let new = new_box();
    assert_eq!(new.settings.adoption, dlb_wiring::settings::Adoption::Ask);
    assert!(new.settings.site.chargers().is_empty());
}

#[test]
fn twelve_mistakes_are_named_at_once() {
    let text = include_str!("../../../../tests/sites/twelve-mistakes.toml");
    let mistakes = mistakes(text);
    assert_eq!(mistakes.len(), 12, "{mistakes:#?}");
    let verdict = door::VerdictView { good: false, mistakes, warnings: Vec::new() };
    insta::assert_snapshot!(door::for_people("twelve-mistakes.toml", &verdict, ""));
}

#[test]
fn a_dc_charger_draws_more_than_it_gives() {
    let office = office();
    let fast = &office.settings.site.chargers()[2];
    // 30 kW / (3 × 230 V × 0.94), rounded up.
    assert_eq!(fast.max, Milliamps(46_254));
    assert_eq!(fast.min, Milliamps(7_709));
    assert!((office.conversions[2].watts_per_ampere - 648.6).abs() < 1e-9);
    assert_eq!(fast.wiring, Wiring::Three(Line::L1, Line::L2, Line::L3));
}

#[test]
fn automatic_fallbacks_together_fit_what_is_left_when_nothing_is_heard() {
    let twelve = |assumed: &str| {
        let mut text = format!(
            "[[circuit]]\nid = \"grid\"\nlimit_a = 63\n[clamps]\nboard = \"b\"\n\
             [[meter]]\nid = \"m\"\ncircuit = \"grid\"\nsource = \"clamps\"\n{assumed}\n"
        );
        for at in 0..12 {
            text +=
                &format!("[[charger]]\nid = \"c{at}\"\ncircuit = \"grid\"\nocpp = \"c{at}\"\nmax_a = 16\n");
        }
        let (checked, _) = check(&text).unwrap();
        checked.settings.site.chargers().iter().filter(|charger| charger.fallback > Milliamps::ZERO).count()
    };
    assert_eq!(twelve("assumed_load_a = 30"), 5);
    assert_eq!(twelve("assumed_load_a = 0"), 10);
    assert_eq!(twelve(""), 0);
}

#[test]
fn a_fallback_that_does_not_fit_is_refused() {
    let text = OFFICE.replace("fallback_a = \"auto\"", "fallback_a = 32").replace("[30, 30, 30]", "40");
    let mistakes = mistakes(&text);
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert_eq!(mistakes[0].key, "charger[0].fallback_a");
}

#[test]
fn a_circuit_above_its_parent_is_only_worth_a_warning() {
    let (_, warnings) = check(&OFFICE.replace("limit_a = 50", "limit_a = 80")).unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0].key, "circuit[1].limit_a");
}

#[test]
fn circuits_may_stand_in_any_order_and_must_not_form_a_ring() {
    let (head, grid) = OFFICE.split_once("[[circuit]]").unwrap();
    let (grid, garage) = grid.split_once("[[circuit]]").unwrap();
    let (garage, rest) = garage.split_once("[[port]]").unwrap();
    let swapped = format!("{head}[[circuit]]{garage}[[circuit]]{grid}[[port]]{rest}");
    assert_eq!(check(&swapped).unwrap().0.settings.site, office().settings.site);
    let ring = OFFICE.replace("id = \"grid\"\n", "id = \"grid\"\nparent = \"garage\"\n");
    assert!(mistakes(&ring).iter().any(|mistake| mistake.key == "circuit"));
}

#[test]
fn what_is_no_toml_is_named_by_its_line() {
    let mistakes = mistakes(&OFFICE.replace("outlet = 1", "outlet = = 1"));
    let line = OFFICE.lines().position(|line| line.starts_with("outlet")).unwrap() + 1;
    assert_eq!(mistakes[0].line, Some(u32::try_from(line).unwrap()));
}

#[test]
fn the_api_and_the_file_mean_the_same() {
    let office = office();
    let json = serde_json::to_value(&office.file).unwrap();
    assert_eq!(check_json(&json, &Maps::default()).unwrap().0, office);
    let written = toml::to_string_pretty(&office.file).unwrap();
    assert_eq!(check(&written).unwrap().0, office);
}

#[test]
fn a_map_that_there_is_not_is_refused_with_the_nearest_one() {
    let maps = Maps { meters: vec!["eastron-sdm72".into()], ..Maps::default() };
    let mistakes = check_with(OFFICE, &maps).unwrap_err();
    assert_eq!(mistakes[0].key, "meter[0].map");
    assert_eq!(mistakes[0].remedy, "did you mean \"eastron-sdm72\"?");
}

const GARAGE: &str = r#"
[[circuit]]
id = "grid"
limit_a = 100
supply = { system = "delta", volts = 480 }

[[circuit]]
id = "garage"
parent = "grid"
transformer = { group = "Dyn", ratio = 2.309 }
limit_a = 200
limit_kva = 75
limit_neutral_a = 100
limit_unbalance_a = 40

[[charger]]
id = "bay-1"
circuit = "garage"
ocpp = "bay-1"
rotation = "L1-L2"
max_a = 32
fallback_a = 32
"#;

#[test]
fn a_garage_behind_a_transformer_is_a_star_of_its_secondary_voltage() {
    let (checked, warnings) = check(GARAGE).expect("the garage is right");
    let about_limits = warnings.iter().filter(|warning| warning.key.contains("limit")).count();
    assert_eq!(about_limits, 0, "it carries more amperes than the primary side: {warnings:#?}");
    let garage = &checked.settings.site.circuits()[1];
    let Supply::Star(volts) = garage.supply else { panic!("{:?}", garage.supply) };
    assert!((volts.as_volts() - 120.0).abs() < 0.1, "{volts:?}");
    assert_eq!(garage.transformer, Some(Transformer { group: VectorGroup::Dyn, ratio: 2.309 }));
    assert_eq!(garage.limit_power, Some(Watts(75_000)));
    let balance =
        Balance { neutral: Some(Milliamps::from_amps(100)), unbalance: Some(Milliamps::from_amps(40)) };
    assert_eq!(garage.balance, balance);
    // 208 V times 1 A.
    assert!((checked.conversions[0].watts_per_ampere - 207.9).abs() < 0.1);
}

#[test]
fn the_smaller_one_of_kilowatts_and_kilovolt_amperes_binds() {
    let both = GARAGE.replace("limit_kva = 75", "limit_kva = 75\nlimit_kw = 60");
    assert_eq!(check(&both).unwrap().0.settings.site.circuits()[1].limit_power, Some(Watts(60_000)));
}

#[test]
fn fallbacks_are_held_against_the_primary_side_of_a_transformer() {
    // 32 A between two lines are 8 A, 16 A and 8 A on the primary side.
    let small = GARAGE.replacen("limit_a = 100", "limit_a = 15", 1);
    let mistakes = mistakes(&small);
    assert_eq!(mistakes[0].key, "charger[0].fallback_a", "{mistakes:#?}");
    assert!(mistakes[0].what.contains("grid is 1.0 A over on L2"), "{mistakes:#?}");
}

#[test]
fn a_transformer_must_fit_where_it_stands() {
    let key = |from: &str, to: &str| {
        let mistakes = mistakes(&GARAGE.replace(from, to));
        mistakes[0].key.clone()
    };
    let at_root = "limit_a = 100\ntransformer = { group = \"Yyn\", ratio = 1 }";
    assert_eq!(key("limit_a = 100", at_root), "circuit[0].transformer");
    assert_eq!(key("ratio = 2.309", "ratio = 0"), "circuit[1].transformer.ratio");
    assert_eq!(key("\"Dyn\"", "\"Dzn\""), "circuit[1].transformer.group");
    let wrong = "limit_a = 200\nsupply = { system = \"star\", volts = 230 }";
    assert_eq!(key("limit_a = 200", wrong), "circuit[1].supply");
    assert_eq!(key("limit_a = 200\n", ""), "circuit[1].limit_a");
    assert_eq!(key("limit_a = 100", "limit_a = 100\nlimit_neutral_a = 10"), "circuit[0].limit_neutral_a");
}

const SUNNY: &str = "version = 1\nname = \"Farm\"\n[[circuit]]\nid = \"grid\"\nlimit_a = 63\n[clamps]\nboard = \"b.toml\"\n\
    [[meter]]\nid = \"main\"\ncircuit = \"grid\"\nsource = \"clamps\"\nassumed_load_a = 20\n\
    [[charger]]\nid = \"barn\"\ncircuit = \"grid\"\nocpp = \"CP\"\nmax_a = 16\nrotation = \"L1L2L3\"\nsun = \"surplus\"\n";

#[test]
fn a_charger_may_follow_the_sun_where_the_grid_connection_is_measured() {
    let sun = check(SUNNY).expect("a sound file").0.settings.policy.sun;
    assert_eq!(
        sun.into_iter().collect::<Vec<_>>(),
        [("barn".to_owned(), Setting { mode: Mode::Surplus, switches: false })]
    );
    let switches = SUNNY.replace("sun = ", "switches_phases = true\nsun = ");
    assert!(check(&switches).expect("a sound file").0.settings.policy.sun["barn"].switches);
    for (from, to) in [("L1L2L3", "L2"), ("sun = \"surplus\"\n", ""), ("ocpp = \"CP\"", "map = \"keba-p30\"")]
    {
        let wrong = switches.replace(from, to);
        let named = |mistake: &Problem| mistake.key == "charger[0].switches_phases";
        assert!(mistakes(&wrong).iter().any(named), "{to}");
    }
    let meter = "[[meter]]\nid = \"main\"\ncircuit = \"grid\"\nsource = \"clamps\"\nassumed_load_a = 20\n";
    let blind = SUNNY.replace(meter, "");
    assert!(mistakes(&blind).iter().any(|mistake| mistake.key == "charger[0].sun"));
    let wrong = SUNNY.replace("\"surplus\"", "\"moon\"");
    assert!(mistakes(&wrong).iter().any(|mistake| mistake.key == "charger[0].sun"));
}

#[test]
fn the_hours_of_dc_chargers_are_two_times_of_the_day() {
    let with =
        |hours: &str| SUNNY.replace("[[circuit]]", &format!("[policy]\ndc_first = \"{hours}\"\n[[circuit]]"));
    let hours =
        check(&with("07:00-19:30")).expect("a sound file").0.settings.policy.dc_first.expect("is set");
    assert_eq!((hours.from.as_secs(), hours.to.as_secs()), (7 * 3600, 19 * 3600 + 1800));
    for wrong in ["7-19", "07:00", "07:00-25:00", "07:70-08:00", "07:00-07:00"] {
        assert!(mistakes(&with(wrong)).iter().any(|mistake| mistake.key == "policy.dc_first"), "{wrong}");
    }
}
