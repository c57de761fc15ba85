//! Checks the box's relays and lamps: what each watches, and that it can be watched at all.

use super::circuits::Tree;
use super::defaults::{GPIO_CHIP, OUTPUT_AFTER_S, OUTPUT_AT_LEAST_S, OUTPUT_MARGIN_A, Range};
use super::file::SiteFile;
use super::gpio_file::{ActiveWord, OutputEntry, OutputWord};
use super::problem::Problems;
use super::words::{Names, check_id};
use crate::gpio::{Bias, Plan, Wiring};
use dlb_engine::site::CircuitIx;
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use dlb_wiring::settings::{OutputRule, OutputSetting, Watch};
use std::path::PathBuf;

pub(super) fn outputs(
    file: &SiteFile,
    tree: &Tree,
    plan: &mut Plan,
    problems: &mut Problems,
) -> Vec<OutputSetting> {
    let mut names = Names::default();
    let mut settings = Vec::new();
    for (at, entry) in file.output.iter().enumerate() {
        let path = format!("output[{at}]");
        check_id(&path, &entry.id, problems);
        names.add(&path, &entry.id, problems);
        let wiring = Wiring {
            id: entry.id.clone(),
            chip: PathBuf::from(entry.chip.as_deref().unwrap_or(GPIO_CHIP)),
            line: entry.line,
            active_low: entry.active == Some(ActiveWord::Low),
            bias: Bias::None,
        };
        let taken =
            plan.contacts.iter().chain(plan.button.iter().map(|button| &button.wiring)).chain(&plan.relays);
        if taken.into_iter().any(|other| (&other.chip, other.line) == (&wiring.chip, wiring.line)) {
            let remedy = "give each contact and each relay a line of its own";
            problems.error(&format!("{path}.line"), "is taken already", remedy);
        }
        plan.relays.push(wiring);
        let rule = rule(&path, entry, file, tree, problems);
        settings.push(OutputSetting { id: entry.id.clone(), rule });
    }
    settings
}

fn rule(
    path: &str,
    entry: &OutputEntry,
    file: &SiteFile,
    tree: &Tree,
    problems: &mut Problems,
) -> OutputRule {
    let key = |name: &str| format!("{path}.{name}");
    if entry.does != OutputWord::Shed {
        check_pace(&key, entry, problems);
    }
    match entry.does {
        OutputWord::Lamp => return OutputRule::Lamp,
        OutputWord::Trip => return OutputRule::Trip(watched(path, entry, file, tree, problems)),
        OutputWord::Shed => {}
    }
    let mut number = |name: &str, value: Option<f64>, range: &Range, usual: f64| {
        let value = value.unwrap_or(usual);
        problems.check_range(&key(name), value, range);
        value
    };
    let after = number("after_s", entry.after_s, &OUTPUT_AFTER_S, 5.0);
    let margin = number("margin_a", entry.margin_a, &OUTPUT_MARGIN_A, 3.0);
    let on = number("on_at_least_s", entry.on_at_least_s, &OUTPUT_AT_LEAST_S, 60.0);
    let off = number("off_at_least_s", entry.off_at_least_s, &OUTPUT_AT_LEAST_S, 30.0);
    let circuit = watched(path, entry, file, tree, problems);
    let span = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    OutputRule::Shed(Watch {
        circuit,
        after: span(after),
        margin: Milliamps::from_amps_f64(margin),
        on_at_least: span(on),
        off_at_least: span(off),
    })
}

/// When a contactor opens is said by the guard, from the circuit's protective device; a lamp waits for nothing.
fn check_pace(key: &impl Fn(&str) -> String, entry: &OutputEntry, problems: &mut Problems) {
    let paces = [
        ("after_s", entry.after_s),
        ("margin_a", entry.margin_a),
        ("on_at_least_s", entry.on_at_least_s),
        ("off_at_least_s", entry.off_at_least_s),
    ];
    for (name, _) in paces.into_iter().filter(|(_, value)| value.is_some()) {
        let remedy = "remove it; a contactor opens when the circuit's protection and profile say so";
        problems.error(&key(name), "is for does = \"shed\" only", remedy);
    }
}

fn watched(
    path: &str,
    entry: &OutputEntry,
    file: &SiteFile,
    tree: &Tree,
    problems: &mut Problems,
) -> CircuitIx {
    let key = format!("{path}.circuit");
    let Some(id) = entry.circuit.as_deref() else {
        problems.error(&key, "is missing", "name the circuit that it watches, like circuit = \"grid\"");
        return CircuitIx(0);
    };
    let found = tree.look_up(&key, id, problems);
    if found.is_some() && !file.meter.iter().any(|meter| meter.circuit == id) {
        problems.error(
            &key,
            "has no meter",
            "name a circuit with a meter: a relay judges by what is measured",
        );
    }
    found.unwrap_or(CircuitIx(0))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    fn site(output: &str) -> String {
        format!(
            "version = 1\n[clamps]\nboard = \"board.toml\"\n[[circuit]]\nid = \"grid\"\nlimit_a = 63\n\
             [[circuit]]\nid = \"garage\"\nparent = \"grid\"\nlimit_a = 50\n[[meter]]\nid = \"main\"\ncircuit = \"grid\"\n\
             source = \"clamps\"\n[[output]]\nid = \"boiler\"\nline = 22\n{output}"
        )
    }

    #[test]
    fn a_relay_watches_a_measured_circuit() {
        let rule = |output: &str| {
            let checked = check(&site(output)).map_err(|problems| format!("{problems:?}")).unwrap().0;
            checked.settings.outputs[0].rule
        };
        let OutputRule::Shed(watch) = rule("does = \"shed\"\ncircuit = \"grid\"\nmargin_a = 5") else {
            panic!("it sheds")
        };
        assert_eq!((watch.after, watch.margin), (Duration::from_secs(5), Milliamps(5000)));
        assert_eq!(rule("does = \"lamp\""), OutputRule::Lamp);
        assert_eq!(rule("does = \"trip\"\ncircuit = \"grid\""), OutputRule::Trip(CircuitIx(0)));
        for (output, key, says) in [
            ("does = \"trip\"", "output[0].circuit", "missing"),
            ("does = \"trip\"\ncircuit = \"garage\"", "output[0].circuit", "no meter"),
            ("does = \"trip\"\ncircuit = \"roof\"", "output[0].circuit", "roof"),
            ("does = \"shed\"\ncircuit = \"grid\"\nafter_s = 0", "output[0].after_s", "outside"),
            ("does = \"trip\"\ncircuit = \"grid\"\nafter_s = 20", "output[0].after_s", "shed"),
            ("does = \"dance\"", "output[0].does", "shed, trip or lamp"),
            ("does = \"lamp\"\n[button]\nline = 22", "output[0].line", "taken"),
        ] {
            let problems = check(&site(output)).unwrap_err();
            assert!(
                problems.iter().any(|it| it.key == key && it.what.contains(says)),
                "{output}: {problems:?}"
            );
        }
    }
}
