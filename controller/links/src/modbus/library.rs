//! The map files that come with dlb, by name. A map that does not parse is found by the tests of this
//! room, not in the field.

use super::charger_map::ChargerMap;
use super::meter_map::MeterMap;
use std::collections::BTreeMap;
use std::sync::LazyLock;

macro_rules! embedded {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../maps/", $folder, "/", $name, ".toml")))),*]
    };
}

const METERS: &[(&str, &str)] = embedded!("meters":
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
);

const CHARGERS: &[(&str, &str)] = embedded!("chargers":
    "abb-terra-ac",
    "alfen-eve-ng9xx",
    "go-e",
    "heidelberg-energy-control",
    "keba-p30",
    "keba-p40",
    "vestel-evc04",
);

static METER_MAPS: LazyLock<BTreeMap<&str, MeterMap>> = LazyLock::new(|| {
    METERS.iter().filter_map(|(name, text)| Some((*name, MeterMap::parse(text).ok()?))).collect()
});

static CHARGER_MAPS: LazyLock<BTreeMap<&str, ChargerMap>> = LazyLock::new(|| {
    CHARGERS.iter().filter_map(|(name, text)| Some((*name, ChargerMap::parse(text).ok()?))).collect()
});

/// The meter map of this name (`eastron-sdm630`).
#[must_use]
pub fn meter_map(name: &str) -> Option<&'static MeterMap> {
    METER_MAPS.get(name)
}

/// The charger map of this name (`keba-p30`).
#[must_use]
pub fn charger_map(name: &str) -> Option<&'static ChargerMap> {
    CHARGER_MAPS.get(name)
}

pub fn meter_map_names() -> impl Iterator<Item = &'static str> {
    METERS.iter().map(|(name, _)| *name)
}

pub fn charger_map_names() -> impl Iterator<Item = &'static str> {
    CHARGERS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_that_comes_with_dlb_is_right() {
        for (name, text) in METERS {
            let map = MeterMap::parse(text).unwrap_or_else(|wrong| panic!("meters/{name}: {wrong}"));
            assert!(!map.source.is_empty(), "{name} names no source");
        }
        for (name, text) in CHARGERS {
            let map = ChargerMap::parse(text).unwrap_or_else(|wrong| panic!("chargers/{name}: {wrong}"));
            assert!(!map.source.is_empty(), "{name} names no source");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test compares with what lies in the folder")]
    #[test]
    fn every_map_file_is_embedded() {
        for (folder, known) in [("meters", METERS), ("chargers", CHARGERS)] {
            let path = format!("{}/maps/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(path)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let mut names: Vec<String> = known.iter().map(|(name, _)| format!("{name}.toml")).collect();
            names.sort();
            assert_eq!(files, names);
        }
    }
}
