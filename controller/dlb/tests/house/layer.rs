//! What the Yocto layer says of this repository: every crate of the lock file, the version, and a compiler that the
//! release has. `UPDATE_GOLDEN=1 cargo test -p dlb --test house` writes the list of crates anew.

use super::{read, root};
use std::fmt::Write as _;

/// The compiler of the release that `yocto/dlb.yml` names (wrynose, 6.0 LTS).
const RUST_OF_THE_RELEASE: (u32, u32) = (1, 94);
const CRATES: &str = "meta-dlb/recipes-dlb/dlb/dlb-crates.inc";

fn manifest() -> toml::Table {
    read(&root().join("Cargo.toml")).parse().unwrap()
}

/// The list as it must be. All crates of the lock file are in it, those of tests and other systems too: Cargo wants
/// to see each of them before it decides what it needs.
fn crates() -> String {
    let lock: toml::Table = read(&root().join("Cargo.lock")).parse().unwrap();
    let mut sources = String::new();
    let mut sums = String::new();
    for package in lock["package"].as_array().unwrap() {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        let (Some(sum), Some(name), Some(version)) = (text("checksum"), text("name"), text("version")) else {
            continue;
        };
        writeln!(sources, "    crate://crates.io/{name}/{version} \\").unwrap();
        writeln!(sums, "SRC_URI[{name}-{version}.sha256sum] = \"{sum}\"").unwrap();
    }
    format!(
        "# Every crate of Cargo.lock, made by: UPDATE_GOLDEN=1 cargo test -p dlb --test house\n\n\
         SRC_URI += \"\\\n{sources}\"\n\n{sums}"
    )
}

#[test]
fn the_layer_names_every_crate_of_the_lock_file() {
    let path = root().join(CRATES);
    let wanted = crates();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert!(
        read(&path) == wanted,
        "{CRATES} does not name what Cargo.lock does: run UPDATE_GOLDEN=1 cargo test -p dlb --test house, and commit it"
    );
}

#[test]
fn the_layer_has_the_version_of_the_program_and_a_compiler_for_it() {
    let manifest = manifest();
    let package = &manifest["workspace"]["package"];
    let version = package["version"].as_str().unwrap();
    let distro = read(&root().join("meta-dlb/conf/distro/dlb-os.conf"));
    assert!(
        distro.contains(&format!("DISTRO_VERSION = \"{version}\"")),
        "meta-dlb/conf/distro/dlb-os.conf must say {version}"
    );
    let recipe = format!("meta-dlb/recipes-dlb/dlb/dlb_{version}.bb");
    assert!(root().join(&recipe).exists(), "the recipe must be named {recipe}");
    let needed = package["rust-version"].as_str().unwrap();
    let (major, minor) = needed.split_once('.').unwrap();
    let needed: (u32, u32) = (major.parse().unwrap(), minor.split('.').next().unwrap().parse().unwrap());
    assert!(needed <= RUST_OF_THE_RELEASE, "the release's compiler is older than rust-version");
}
