//! What is known beforehand of a make and model: data in `maps/quirks`, looked up by what the charger
//! calls itself.
//!
//! Each entry has patterns (`*` stands for anything, case does not matter), what is different, and the
//! `source` of that knowledge. All entries that match apply, later ones over earlier ones.

use crate::charger::Identity;
use crate::ocpp16::profile::{Expiry, Kind, Purpose, RateUnit};
use serde::Deserialize;

/// Every quirk file, embedded.
const FILES: &[(&str, &str)] = &[
    ("abb.toml", include_str!("../../maps/quirks/abb.toml")),
    ("autel.toml", include_str!("../../maps/quirks/autel.toml")),
    ("bender.toml", include_str!("../../maps/quirks/bender.toml")),
    ("beny.toml", include_str!("../../maps/quirks/beny.toml")),
    ("charge-control-c.toml", include_str!("../../maps/quirks/charge-control-c.toml")),
    ("easee.toml", include_str!("../../maps/quirks/easee.toml")),
    ("en-plus.toml", include_str!("../../maps/quirks/en-plus.toml")),
    ("garo.toml", include_str!("../../maps/quirks/garo.toml")),
    ("go-e.toml", include_str!("../../maps/quirks/go-e.toml")),
    ("growatt.toml", include_str!("../../maps/quirks/growatt.toml")),
    ("huawei.toml", include_str!("../../maps/quirks/huawei.toml")),
    ("starcharge.toml", include_str!("../../maps/quirks/starcharge.toml")),
    ("timxon.toml", include_str!("../../maps/quirks/timxon.toml")),
    ("wallbox.toml", include_str!("../../maps/quirks/wallbox.toml")),
    ("zaptec.toml", include_str!("../../maps/quirks/zaptec.toml")),
];

/// What differs from a charger that does everything by the book. `None`: nothing known.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// Rungs of the ladder worth trying, in this order.
    pub purposes: Option<Vec<Purpose>>,
    pub unit: Option<RateUnit>,
    pub kind: Option<Kind>,
    pub stack_level: Option<u8>,
    pub expiry: Option<Expiry>,
    pub pause: Option<Pause>,
    /// Smallest difference of limits that the charger can tell apart, in amperes.
    pub step_a: Option<f64>,
    /// How long a limit takes to have its effect.
    pub settle_s: Option<u64>,
    /// Its meter values tell no current: its word must do.
    pub unmetered: Option<bool>,
    /// Measurands to ask for as they are; empty: do not touch the charger's own choice.
    pub measurands: Option<String>,
    /// It does not bear being asked to send a message again.
    pub no_trigger: Option<bool>,
    /// A session must be started by us; a plugged-in car alone starts nothing.
    pub remote_start: Option<bool>,
    /// A profile must say on how many phases to charge, where those are fewer than three.
    pub number_phases: Option<bool>,
    /// The charger refuses to be asked for named configuration keys: ask for all.
    pub ask_all_keys: Option<bool>,
}

/// How a charger is held at no current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// A limit of 0 A.
    ZeroLimit,
    /// End the transaction, start a new one later.
    RemoteStop,
    /// Not at all: 6 A is the least.
    #[serde(rename = "floor6")]
    Floor6,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quirk: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    vendor: String,
    #[serde(default = "anything")]
    model: String,
    #[serde(default = "anything")]
    firmware: String,
    /// The public thread or manual in which this was told.
    source: String,
    #[serde(flatten)]
    quirk: toml::Table,
}

fn anything() -> String {
    "*".to_owned()
}

/// What is wrong with a quirk file.
#[derive(Debug, thiserror::Error)]
pub enum QuirkFault {
    #[error("reading quirk file {file}")]
    Syntax { file: String, source: toml::de::Error },
    #[error("quirk file {file}, entry for {vendor}: {what}")]
    Entry { file: String, vendor: String, what: String },
}

/// All that is known of this charger.
#[must_use]
pub fn look_up(identity: &Identity) -> Quirk {
    let mut found = toml::Table::new();
    for (name, text) in FILES {
        for entry in read(name, text).unwrap_or_default() {
            if entry.matches(identity) {
                found.extend(entry.quirk);
            }
        }
    }
    found.try_into().unwrap_or_default()
}

/// Reads one file and checks every entry of it.
fn read(name: &str, text: &str) -> Result<Vec<Entry>, QuirkFault> {
    let syntax = |source| QuirkFault::Syntax { file: name.to_owned(), source };
    let file: File = toml::from_str(text).map_err(syntax)?;
    for entry in &file.quirk {
        let fault =
            |what: String| QuirkFault::Entry { file: name.to_owned(), vendor: entry.vendor.clone(), what };
        if entry.source.trim().is_empty() {
            return Err(fault("source is empty".to_owned()));
        }
        if entry.quirk.is_empty() {
            return Err(fault("nothing is different".to_owned()));
        }
        Quirk::deserialize(entry.quirk.clone()).map_err(|cause| fault(cause.to_string()))?;
    }
    Ok(file.quirk)
}

impl Entry {
    fn matches(&self, identity: &Identity) -> bool {
        matches(&self.vendor, &identity.vendor)
            && matches(&self.model, &identity.model)
            && matches(&self.firmware, &identity.firmware)
    }
}

/// `*` stands for anything, also for nothing.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.trim().to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else { return false };
    let mut tail = pattern.find('*').map(|_| "");
    for part in parts {
        tail = Some(part);
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    match tail {
        None => rest.is_empty(),
        Some(tail) => text.ends_with(tail),
    }
}

impl Quirk {
    #[must_use]
    pub fn purposes(&self) -> Vec<Purpose> {
        self.purposes.clone().unwrap_or_else(|| vec![Purpose::Tx, Purpose::TxDefault, Purpose::Max])
    }

    #[must_use]
    pub fn pause(&self) -> Pause {
        self.pause.unwrap_or(Pause::ZeroLimit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test compares with what lies in the folder")]
    #[test]
    fn every_quirk_file_is_embedded_and_reads_without_fault() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/maps/quirks");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, FILES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        for (name, text) in FILES {
            read(name, text).unwrap();
        }
    }

    #[test]
    fn quirks_of_a_firmware_come_on_top_of_those_of_the_make() {
        let wallbox = |firmware: &str| {
            let (vendor, model) = ("Wall Box Chargers".to_owned(), "PLP1-0-2-4".to_owned());
            look_up(&Identity { vendor, model, firmware: firmware.to_owned(), serial: String::new() })
        };
        let (old, new) = (wallbox("5.17.87"), wallbox("6.7.38"));
        assert_eq!((old.kind, old.stack_level), (Some(Kind::Relative), Some(0)));
        assert_eq!((new.kind, new.stack_level), (Some(Kind::Relative), None));
    }

    #[test]
    fn makes_with_a_controller_of_benders_take_amperes_under_any_name() {
        let unit = |vendor: &str, model: &str| {
            let (vendor, model) = (vendor.to_owned(), model.to_owned());
            look_up(&Identity { vendor, model, ..Identity::default() }).unit
        };
        for (vendor, model) in
            [("Bender GmbH", "CC613"), ("MENNEKES", "AMTRON"), ("Webasto", "Webasto_AC_Live")]
        {
            assert_eq!(unit(vendor, model), Some(RateUnit::A), "{vendor} {model}");
        }
        assert_eq!(unit("Webasto", "Next"), None);
    }

    #[test]
    fn a_charger_without_a_name_is_recognised_by_its_model_only() {
        let model = "ACChargePoint".to_owned();
        assert_eq!(look_up(&Identity { model, ..Identity::default() }).unit, Some(RateUnit::W));
        assert_eq!(look_up(&Identity::default()), Quirk::default());
    }

    #[test]
    fn a_mistake_in_a_quirk_file_is_named() {
        let fault = |text| read("x.toml", text).unwrap_err().to_string();
        let text = "[[quirk]]\nvendor = \"A\"\nsource = \"s\"\nstack = 0\n";
        assert!(fault(text).contains("stack"), "{}", fault(text));
        assert!(fault("[[quirk]]\nvendor = \"A\"\nsource = \" \"\nunit = \"W\"\n").contains("source"));
    }

    #[test]
    fn patterns_match_as_people_expect() {
        assert!(matches("abb*", "ABB"));
        assert!(matches("*terra*ac*", "Terra AC W22"));
        assert!(matches("1.8.*", "1.8.21"));
        assert!(!matches("1.8.*", "1.80"));
        assert!(!matches("abb", "abbott"));
        assert!(matches("a*a", "aa"));
        assert!(!matches("ab*ba", "aba"));
    }
}
