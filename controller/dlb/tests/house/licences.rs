//! What `deny.toml` lets in: the licences and the source of every crate that a build for Linux takes. Advisories
//! change by the day and need the network: `cargo deny check advisories`, by hand.

use super::{read, root};
use serde_json::Value;
use spdx::{Expression, ParseMode};
use std::collections::BTreeSet;
use std::process::Command;

fn allowed() -> Vec<String> {
    let deny: toml::Table = read(&root().join("deny.toml")).parse().unwrap();
    let allowed = deny["licenses"]["allow"].as_array().unwrap();
    allowed.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn packages() -> Vec<Value> {
    let arguments =
        ["metadata", "--locked", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"];
    let told = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let mut metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let Value::Array(packages) = metadata["packages"].take() else {
        panic!("cargo metadata lists no packages")
    };
    packages
}

/// Sums of licences are allowed where every part is, choices where one is.
#[test]
fn every_crate_has_a_licence_that_is_allowed_and_none_is_allowed_for_nobody() {
    let allowed = allowed();
    let mut used = BTreeSet::new();
    for package in packages() {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or_default());
        let expression = Expression::parse_mode(licence, ParseMode::LAX)
            .unwrap_or_else(|error| panic!("{name} has no licence that can be read: {error}"));
        let granted = expression.evaluate(|asked| allowed.contains(&asked.to_string()));
        assert!(granted, "{name}: {licence} is not among the licences of deny.toml");
        used.extend(expression.requirements().map(|asked| asked.req.to_string()));
    }
    let unused: Vec<_> = allowed.iter().filter(|one| !used.contains(*one)).collect();
    assert!(unused.is_empty(), "no crate needs {unused:?}: take it out of deny.toml");
}

#[test]
fn every_crate_comes_from_crates_io_by_name() {
    for package in packages() {
        let source = package["source"].as_str();
        let known =
            source.is_none_or(|source| source == "registry+https://github.com/rust-lang/crates.io-index");
        assert!(known, "{} comes from {source:?}", package["name"]);
        let ours = source.is_none();
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|_| ours) {
            let anything = dependency["req"] == "*" && dependency["path"].is_null();
            assert!(!anything, "{} takes any version of {}", package["name"], dependency["name"]);
        }
    }
}
