//! Checks the box's own contacts: what each asks for, and that no line is taken twice.

use super::chargers::Outfit;
use super::circuits::{Tree, per_line};
use super::defaults::{DEBOUNCE_MS, GPIO_CHIP, HOLD_S, INPUT_LIMIT_A, INPUT_LIMIT_KW, SIMULTANEITY};
use super::file::SiteFile;
use super::gpio_file::{ActiveWord, BiasWord, ButtonPart, InputEntry, LostWord};
use super::problem::Problems;
use super::section::short;
use super::words::{Names, check_id};
use crate::gpio::{Bias, Button, Plan, Wiring};
use dlb_engine::site::CircuitIx;
use dlb_engine::time::Duration;
use dlb_engine::units::Watts;
use dlb_wiring::inputs::minimum_power_14a;
use dlb_wiring::settings::{InputRule, InputSetting};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// GZF of BK6-22-300, for 2, 3, … 9 controllable devices; what network operators publish may differ.
const SIMULTANEITY_USUAL: [f64; 8] = [0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50, 0.45];
/// Devices above this are controllable ones in the sense of § 14a EnWG.
const CONTROLLABLE_ABOVE_W: f64 = 4200.0;

/// The contacts as the controller knows them, and what is to be watched.
pub(super) fn inputs(
    file: &SiteFile,
    tree: &Tree,
    outfits: &[Outfit],
    problems: &mut Problems,
) -> (Vec<InputSetting>, Plan) {
    let (mut names, mut lines) = (Names::default(), BTreeMap::new());
    let mut both = (Vec::new(), Plan::default());
    both.1.button = file.button.as_ref().map(|part| button(part, problems));
    if let Some(button) = &both.1.button {
        lines.insert((button.wiring.chip.clone(), button.wiring.line), "button".to_owned());
    }
    for (at, entry) in file.input.iter().enumerate() {
        let path = format!("input[{at}]");
        check_id(&path, &entry.id, problems);
        names.add(&path, &entry.id, problems);
        check_name(&path, entry, file, problems);
        let wiring = wiring(&entry.id, entry.chip.as_deref(), entry.line, entry.active, entry.bias);
        if let Some(first) = lines.insert((wiring.chip.clone(), wiring.line), path.clone()) {
            let what = format!("is the line of {first} already");
            problems.error(&format!("{path}.line"), what, "give each contact a line of its own");
        }
        both.0.push(setting(&path, entry, tree, outfits, problems));
        both.1.contacts.push(wiring);
    }
    both
}

/// What is said of a contact must not be taken for something else's.
fn check_name(path: &str, entry: &InputEntry, file: &SiteFile, problems: &mut Problems) {
    let others = file.circuit.iter().map(|it| (&it.id, "circuit"));
    let others = others.chain(file.meter.iter().map(|it| (&it.id, "meter")));
    let mut others = others.chain(file.charger.iter().map(|it| (&it.id, "charger")));
    if let Some((_, kind)) = others.find(|(id, _)| **id == entry.id && !entry.id.is_empty()) {
        let what = format!("\"{}\" is the id of a {kind} already", short(&entry.id));
        problems.error(&format!("{path}.id"), what, "give the contact a name of its own");
    }
}

fn wiring(
    id: &str,
    chip: Option<&str>,
    line: u32,
    active: Option<ActiveWord>,
    bias: Option<BiasWord>,
) -> Wiring {
    let active_low = active.unwrap_or_default() == ActiveWord::Low;
    let bias = match bias {
        Some(BiasWord::None) => Bias::None,
        Some(BiasWord::PullUp) => Bias::PullUp,
        Some(BiasWord::PullDown) => Bias::PullDown,
        None if active_low => Bias::PullUp,
        None => Bias::PullDown,
    };
    Wiring { id: id.to_owned(), chip: PathBuf::from(chip.unwrap_or(GPIO_CHIP)), line, active_low, bias }
}

fn button(part: &ButtonPart, problems: &mut Problems) -> Button {
    check_chip("button", part.chip.as_deref(), problems);
    let hold_s = part.hold_s.unwrap_or(10.0);
    problems.check_range("button.hold_s", hold_s, &HOLD_S);
    Button {
        wiring: wiring("button", part.chip.as_deref(), part.line, part.active, part.bias),
        held_for: Duration::try_from_secs_f64(hold_s).unwrap_or_default(),
    }
}

fn check_chip(path: &str, chip: Option<&str>, problems: &mut Problems) {
    if chip.is_some_and(|chip| !chip.starts_with('/') || chip.contains('\0')) {
        problems.error(&format!("{path}.chip"), "is no device", "write it like /dev/gpiochip0");
    }
}

fn setting(
    path: &str,
    entry: &InputEntry,
    tree: &Tree,
    outfits: &[Outfit],
    problems: &mut Problems,
) -> InputSetting {
    let key = |name: &str| format!("{path}.{name}");
    check_chip(path, entry.chip.as_deref(), problems);
    let debounce_ms = entry.debounce_ms.unwrap_or(50.0);
    problems.check_range(&key("debounce_ms"), debounce_ms, &DEBOUNCE_MS);
    let circuit = tree.look_up(&key("circuit"), &entry.circuit, problems).unwrap_or(CircuitIx(0));
    InputSetting {
        id: entry.id.clone(),
        circuit,
        debounce: Duration::try_from_secs_f64(debounce_ms / 1000.0).unwrap_or_default(),
        lost_is_active: entry.lost.unwrap_or_default() == LostWord::Active,
        rule: rule(path, entry, (tree, circuit), outfits, problems),
    }
}

fn rule(
    path: &str,
    entry: &InputEntry,
    (tree, circuit): (&Tree, CircuitIx),
    outfits: &[Outfit],
    problems: &mut Problems,
) -> InputRule {
    let key = |name: &str| format!("{path}.{name}");
    let asked = [
        ("limit_a", entry.limit_a.is_some()),
        ("limit_kw", entry.limit_kw.is_some()),
        ("charging_kw", entry.charging_kw.is_some()),
        ("paragraph_14a", entry.paragraph_14a == Some(true)),
        ("inhibit", entry.inhibit == Some(true)),
    ];
    let asked: Vec<&str> = asked.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    if let [_, second, ..] = asked[..] {
        problems.error(
            &key(second),
            "stands beside another rule",
            "give a contact one rule; add a second contact",
        );
    }
    if asked.is_empty() && !problems.refused(path) {
        let remedy = "add limit_a, limit_kw, charging_kw, paragraph_14a = true or inhibit = true";
        problems.error(path, "asks for nothing", remedy);
    }
    let factors = simultaneity(path, entry, problems);
    if let (Some(amperes), Some(at)) = (&entry.limit_a, tree.circuits.get(circuit.0)) {
        return InputRule::Current(per_line(&key("limit_a"), amperes, at.supply, &INPUT_LIMIT_A, problems));
    }
    for (name, kilowatts) in [("limit_kw", entry.limit_kw), ("charging_kw", entry.charging_kw)] {
        let Some(kilowatts) = kilowatts else { continue };
        problems.check_range(&key(name), kilowatts, &INPUT_LIMIT_KW);
        let watts = Watts::from_kw_f64(kilowatts);
        return if name == "limit_kw" { InputRule::Power(watts) } else { InputRule::Charging(watts) };
    }
    match entry.paragraph_14a {
        Some(true) => InputRule::Charging(minimum_power_14a(controllable(tree, circuit, outfits), &factors)),
        _ => InputRule::Inhibit,
    }
}

fn simultaneity(path: &str, entry: &InputEntry, problems: &mut Problems) -> Vec<f64> {
    let Some(factors) = &entry.simultaneity else { return SIMULTANEITY_USUAL.to_vec() };
    let key = format!("{path}.simultaneity");
    if entry.paragraph_14a != Some(true) {
        problems.error(&key, "is for paragraph_14a only", "remove it");
    }
    if factors.is_empty() || factors.len() > 100 {
        let what = format!("has {} factors", factors.len());
        problems.error(&key, what, "give one for 2, 3, … charge points; the last one holds for more");
    }
    factors.iter().for_each(|factor| _ = problems.check_range(&key, *factor, &SIMULTANEITY));
    factors.clone()
}

/// Charge points of a circuit and those below that are controllable in the sense of § 14a EnWG.
fn controllable(tree: &Tree, circuit: CircuitIx, outfits: &[Outfit]) -> usize {
    let inside = |at: CircuitIx| {
        let above = core::iter::successors(Some(at), |at| tree.circuits.get(at.0)?.parent);
        above.take(tree.circuits.len()).any(|at| at == circuit)
    };
    let large = |outfit: &&Outfit| {
        let watts = outfit.charger.max.as_amps() * outfit.conversion.watts_per_ampere;
        inside(outfit.charger.circuit) && watts > CONTROLLABLE_ABOVE_W
    };
    outfits.iter().filter(large).count()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use dlb_engine::lines::PerLine;
    use dlb_engine::units::{Milliamps, Watts};
    use dlb_wiring::settings::InputRule;

    fn site(chargers: usize, input: &str) -> String {
        let mut text = "version = 1\n[[circuit]]\nid = \"grid\"\nlimit_a = 63\n[[input]]\nid = \"contact\"\n\
             line = 17\ncircuit = \"grid\"\n"
            .to_owned();
        text += input;
        for number in 1..=chargers {
            text += &format!(
                "\n[[charger]]\nid = \"bay-{number}\"\ncircuit = \"grid\"\nocpp = \"CP-{number}\"\n\
                 rotation = \"L1L2L3\"\nmax_a = 16\n"
            );
        }
        text
    }

    fn rule(chargers: usize, input: &str) -> InputRule {
        check(&site(chargers, input)).map_err(|problems| format!("{problems:?}")).unwrap().0.settings.inputs
            [0]
        .rule
    }

    #[test]
    fn the_minimum_power_of_paragraph_14a_follows_the_number_of_charge_points() {
        let watts = |chargers| rule(chargers, "paragraph_14a = true");
        assert_eq!(watts(1), InputRule::Charging(Watts(4200)));
        assert_eq!(watts(2), InputRule::Charging(Watts(7560)), "4.2 + 1 · 0.80 · 4.2");
        assert_eq!(watts(3), InputRule::Charging(Watts(10_500)), "4.2 + 2 · 0.75 · 4.2");
        assert_eq!(watts(12), InputRule::Charging(Watts(24_990)), "4.2 + 11 · 0.45 · 4.2");
        let own = rule(3, "paragraph_14a = true\nsimultaneity = [0.9, 0.5]");
        assert_eq!(own, InputRule::Charging(Watts(8400)));
    }

    #[test]
    fn a_contact_asks_for_one_thing() {
        assert_eq!(rule(1, "limit_a = 0"), InputRule::Current(PerLine::all(Milliamps::ZERO)));
        assert_eq!(rule(1, "limit_kw = 11"), InputRule::Power(Watts(11_000)));
        assert_eq!(rule(1, "charging_kw = 4.2"), InputRule::Charging(Watts(4200)));
        assert_eq!(rule(1, "inhibit = true"), InputRule::Inhibit);
        for (input, key, says) in [
            ("", "input[0]", "asks for nothing"),
            ("inhibit = true\nlimit_kw = 4", "input[0].inhibit", "beside another rule"),
            ("inhibit = true\ndebounce_ms = 90000", "input[0].debounce_ms", "outside"),
            ("inhibit = true\nsimultaneity = [0.5]", "input[0].simultaneity", "paragraph_14a"),
            ("paragraph_14a = true\nsimultaneity = [1.5]", "input[0].simultaneity", "outside"),
            ("inhibit = true\nactive = \"closed\"", "input[0].active", "low or high"),
            ("inhibit = true\nchip = \"gpiochip0\"", "input[0].chip", "no device"),
            (
                "inhibit = true\n[[input]]\nid = \"b\"\nline = 17\ncircuit = \"grid\"\ninhibit = true",
                "input[1].line",
                "input[0]",
            ),
            ("inhibit = true\n[button]\nline = 17", "input[0].line", "line of button"),
            ("inhibit = true\n[button]\nline = 4\nhold_s = 0.1", "button.hold_s", "outside"),
            (
                "inhibit = true\n[[input]]\nid = \"bay-1\"\nline = 18\ncircuit = \"grid\"\ninhibit = true",
                "input[1].id",
                "charger",
            ),
        ] {
            let problems = check(&site(1, input)).unwrap_err();
            assert!(
                problems.iter().any(|it| it.key == key && it.what.contains(says)),
                "{input}: {problems:?}"
            );
        }
    }
}
