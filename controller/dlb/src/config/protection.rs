//! Checks what protects a circuit: the device must bear the limit, and the rule must be one that we keep.

use super::circuits::Tree;
use super::defaults::PROTECTION_A;
use super::file::{CircuitEntry, DeviceWord, ProfileWord, ProtectionPart};
use super::problem::Problems;
use dlb_engine::guard::{Device, Profile, Protection, Setting};
use dlb_engine::lines::PerLine;
use dlb_engine::site::Circuit;
use dlb_engine::units::Milliamps;

/// What guards each circuit, in the engine's order.
pub(super) fn guards(entries: &[CircuitEntry], tree: &Tree, problems: &mut Problems) -> Vec<Setting> {
    let each = tree.circuits.iter().zip(&tree.entries);
    each.map(|(circuit, &at)| guard(&entries[at], at, circuit, problems)).collect()
}

fn guard(entry: &CircuitEntry, at: usize, circuit: &Circuit, problems: &mut Problems) -> Setting {
    let profile = match entry.profile.unwrap_or_default() {
        ProfileWord::Plain => Profile::Plain,
        ProfileWord::G100 => Profile::G100,
    };
    let key = format!("circuit[{at}].protection");
    let protection = entry.protection.as_ref().map(|part| protection(&key, part, circuit.limit, problems));
    Setting { protection, profile }
}

fn protection(
    key: &str,
    part: &ProtectionPart,
    limit: PerLine<Milliamps>,
    problems: &mut Problems,
) -> Protection {
    let rated = Milliamps::from_amps_f64(part.rated_a);
    let key = format!("{key}.rated_a");
    if !problems.refused(&key) && problems.check_range(&key, part.rated_a, &PROTECTION_A) {
        let highest = limit.0.into_iter().max().unwrap_or_default();
        if highest > rated {
            let what = format!("is {} A, below the limit of {} A", part.rated_a, highest.as_amps());
            let remedy = format!("lower limit_a to {} or correct rated_a", part.rated_a);
            problems.error(&key, what, remedy);
        }
    }
    Protection { device: device(part.kind), rated }
}

const fn device(word: DeviceWord) -> Device {
    match word {
        DeviceWord::Gg => Device::Gg,
        DeviceWord::McbB => Device::McbB,
        DeviceWord::McbC => Device::McbC,
        DeviceWord::McbD => Device::McbD,
        DeviceWord::Mccb => Device::Mccb,
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use dlb_engine::guard::{Device, Profile, Protection};
    use dlb_engine::units::Milliamps;

    fn with(lines: &str) -> String {
        format!("version = 1\n[[circuit]]\nid = \"grid\"\nlimit_a = 63\n{lines}\n")
    }

    fn mistake(lines: &str) -> (String, String) {
        let problems = check(&with(lines)).expect_err("a mistake");
        (problems[0].key.clone(), format!("{}; {}", problems[0].what, problems[0].remedy))
    }

    #[test]
    fn a_fuse_and_a_utilitys_rule_reach_the_guard() {
        let text = with("protection = { kind = \"gG\", rated_a = 80 }\nprofile = \"g100\"");
        let (checked, _) = check(&text).expect("sound");
        let guard = checked.settings.guards[0];
        assert_eq!(guard.protection, Some(Protection { device: Device::Gg, rated: Milliamps(80_000) }));
        assert_eq!(guard.profile, Profile::G100);
        let written = toml::to_string(&checked.file).expect("it can be written");
        assert!(written.contains("kind = \"gG\"") && written.contains("profile = \"g100\""), "{written}");
    }

    #[test]
    fn a_device_that_does_not_bear_the_limit_is_refused() {
        let (key, said) = mistake("protection = { kind = \"mcb-c\", rated_a = 50 }");
        assert_eq!(key, "circuit[0].protection.rated_a");
        assert_eq!(said, "is 50 A, below the limit of 63 A; lower limit_a to 50 or correct rated_a");
    }

    #[test]
    fn a_device_that_there_is_not_is_answered_with_those_that_there_are() {
        let (key, said) = mistake("protection = { kind = \"mcb-e\", rated_a = 63 }");
        assert_eq!(key, "circuit[0].protection.kind");
        assert!(said.contains("mcb-"), "{said}");
        let (key, _) = mistake("protection = { kind = \"gG\" }");
        assert_eq!(key, "circuit[0].protection.rated_a");
        let (key, said) = mistake("protection = { kind = \"gG\", rated_a = 0.5 }");
        assert_eq!(key, "circuit[0].protection.rated_a");
        assert!(said.contains("6300"), "{said}");
        let (key, _) = mistake("profile = \"g99\"");
        assert_eq!(key, "circuit[0].profile");
    }
}
