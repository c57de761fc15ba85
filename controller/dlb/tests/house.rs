//! The rules of the house that no compiler keeps: who may know whom, in which order the rooms of the
//! engine stand, and what may lie at the top.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the house must fail")]

#[path = "house/layer.rs"]
mod layer;
#[path = "house/licences.rs"]
mod licences;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// Dependencies of one of our crates, without those of its tests.
fn dependencies(room: &str) -> BTreeSet<String> {
    let manifest: toml::Table =
        read(&root().join("controller").join(room).join("Cargo.toml")).parse().unwrap();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    dependencies.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn the_engine_depends_on_nothing() {
    assert_eq!(dependencies("engine"), BTreeSet::new());
}

#[test]
fn data_takes_one_road_through_the_crates_and_pure_rooms_know_only_what_is_named_here() {
    const PURE: [&str; 5] = ["jiff", "serde", "serde_json", "thiserror", "toml"];
    let may_know: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("links", &["dlb-engine", "embedded-hal"][..]),
        ("wiring", &["dlb-engine", "dlb-links"][..]),
        // Schemas of scenarios are printed by the program.
        ("sim", &["dlb-engine", "dlb-links", "dlb-wiring", "embedded-hal", "utoipa"][..]),
    ]);
    for (room, allowed) in may_know {
        for name in dependencies(room) {
            let known = allowed.contains(&name.as_str()) || PURE.contains(&name.as_str());
            assert!(known, "{room} may not know {name}: see ARCHITECTURE.md");
        }
    }
}

#[test]
fn pure_rooms_share_one_set_of_lints_against_clocks_files_and_the_network() {
    let lints = |room: &str| read(&root().join("controller").join(room).join("clippy.toml"));
    let first = lints("engine");
    for word in ["Instant::now", "SystemTime::now", "std::fs::read", "std::net::TcpStream", "std::env::var"] {
        assert!(first.contains(word), "the lints do not forbid {word}");
    }
    for room in ["links", "wiring", "sim"] {
        assert!(lints(room) == first, "{room}/clippy.toml differs from the engine's");
    }
}

/// The table in the engine's `lib.rs` is the order; a room may use those above it.
#[test]
fn rooms_of_the_engine_stand_in_the_order_of_their_table() {
    let source = root().join("controller/engine/src");
    let lib = read(&source.join("lib.rs"));
    let mut order: Vec<String> = Vec::new();
    for row in lib.lines().filter(|line| line.starts_with("//! | [`")) {
        let first_cell = row.split('|').nth(1).unwrap();
        order.extend(first_cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let modules: BTreeSet<_> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    assert_eq!(
        modules,
        order.iter().cloned().collect(),
        "every room of the engine stands in the table of lib.rs"
    );
    for (place, room) in order.iter().enumerate() {
        for file in files_of(&source, room) {
            let text = read(&file);
            let code = text.split("#[cfg(test)]").next().unwrap();
            for later in &order[place + 1..] {
                assert!(
                    !code.contains(&format!("crate::{later}::")),
                    "{} uses {later}, which stands below {room} in the table of lib.rs",
                    file.display()
                );
            }
        }
    }
}

fn files_of(source: &Path, room: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        [source.join(format!("{room}.rs"))].into_iter().filter(|f| f.exists()).collect();
    let tests =
        |path: &Path| path.ends_with("tests.rs") || path.file_name().is_some_and(|name| name == "stories.rs");
    if let Ok(entries) = fs::read_dir(source.join(room)) {
        let inside = entries.map(|entry| entry.unwrap().path());
        files.extend(inside.filter(|path| path.extension().is_some_and(|e| e == "rs") && !tests(path)));
    }
    files
}

#[test]
fn the_top_of_the_house_is_tidy() {
    let allowed = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "controller",
        "deny.toml",
        "meta-dlb",
        "rootfs-overlay",
        "rustfmt.toml",
        "target",
        "tests",
        "webui",
        "yocto",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} does not belong at the top"
        );
    }
}
