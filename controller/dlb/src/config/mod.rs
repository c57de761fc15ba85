//! The site's configuration: from a file that an installer can mail to support to the checked values
//! that the program runs on.
//!
//! The way: text → [`node`] (a tree of values with their lines) → [`file`] (key names and types) →
//! [`Checked`] (everything against everything). All mistakes are reported at once as [`Problem`]s; a
//! warning is allowed and probably not meant. Only [`door`], [`ConfigFile`] and [`secrets`] touch a disk.

pub(crate) mod atomic;
mod bus;
mod chargers;
mod checked;
mod circuits;
pub mod defaults;
mod desk;
pub mod door;
mod fallback;
pub mod file;
mod gpio;
pub mod gpio_file;
mod keep;
mod meters;
mod node;
mod policy;
mod problem;
mod program;
mod protection;
mod read;
mod relays;
mod rotation;
pub mod secrets;
mod section;
mod supply;
mod versions;
mod words;

pub use bus::Maps;
pub use checked::{Checked, Conversion, Hawkbit, Mqtt, Parity, Port, PortLine, Server};
pub use desk::{Apply, ConfigDesk, Obstacles};
pub use file::SiteFile;
pub use keep::{ConfigFile, Opened, SaveError, Saved};
pub use problem::Problem;
pub use versions::KeptVersion;

use dlb_engine::site::Site;
use dlb_wiring::settings::Settings;
use problem::Problems;

/// A site that may be run with its warnings, or its mistakes.
pub type Verdict = Result<(Checked, Vec<Problem>), Vec<Problem>>;

/// Checks the text of a configuration file.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn check(text: &str) -> Verdict {
    check_with(text, &Maps::default())
}

/// As [`check`], with the register maps that there are.
///
/// # Errors
/// Every mistake, in the order of the file.
pub fn check_with(text: &str, maps: &Maps) -> Verdict {
    if text.len() > defaults::MAX_FILE_BYTES {
        let mut problems = Problems::default();
        problems.error("", format!("has {} bytes", text.len()), "a configuration is at most 1 MiB long");
        return Err(problems.finish().0);
    }
    check_table(&node::from_toml(text)?, maps)
}

/// Checks a configuration that came over the API: a [`SiteFile`] as JSON.
///
/// # Errors
/// Every mistake, by key.
pub fn check_json(value: &serde_json::Value, maps: &Maps) -> Verdict {
    check_table(&node::from_json(value), maps)
}

/// The site of a box that nobody has set up: it asks about every charger and gives out nothing.
#[must_use]
pub fn new_box() -> Checked {
    let (checked, _) = check(include_str!("new-box.toml")).expect("a test checks this file");
    checked
}

fn check_table(table: &node::Table, maps: &Maps) -> Verdict {
    let mut problems = Problems::default();
    let file = read::site(table, &mut problems);
    let checked = check_file(file, maps, &mut problems);
    let (errors, warnings) = problems.finish();
    match checked {
        Some(checked) if errors.is_empty() => Ok((checked, warnings)),
        _ => Err(errors),
    }
}

fn check_file(file: SiteFile, maps: &Maps, problems: &mut Problems) -> Option<Checked> {
    if file.version != defaults::VERSION && !problems.refused("version") {
        let what = format!("is {}, this program knows version {}", file.version, defaults::VERSION);
        problems.error("version", what, "write version = 1, or update the box first");
    }
    if file.name.trim().is_empty() || file.name.chars().count() > 100 || file.name.contains(char::is_control)
    {
        problems.error("name", "is no name", "write what people call this site, at most 100 characters");
    }
    let server = program::server(&file.server, problems);
    let mqtt = file.mqtt.as_ref().map(|part| program::mqtt(part, problems));
    let hawkbit = file.hawkbit.as_ref().map(|part| program::hawkbit(part, problems));
    let board = file.clamps.as_ref().map(|part| program::board(part, problems));
    let (ports, port_names) = program::ports(&file.port, problems);
    let tree = circuits::Tree::check(&file.circuit, problems);
    let guards = protection::guards(&file.circuit, &tree, problems);
    let mut buses = bus::Buses::new(&ports, &port_names);
    let meters = meters::meters(&file, &tree, &mut buses, maps, problems);
    let outfits = chargers::chargers(&file, &tree, &mut buses, maps, problems);
    let chargers = fallback::settle(&tree.circuits, &meters, &outfits, problems);
    let (inputs, mut contacts) = gpio::inputs(&file, &tree, &outfits, problems);
    let outputs = relays::outputs(&file, &tree, &mut contacts, problems);
    let mut policy = policy::policy(&file.policy, problems);
    policy.sun = policy::sun(&file, &tree, &meters, problems);
    let adoption = policy::adoption(&file.adoption, &tree, problems);

    let conversions = outfits.iter().map(|outfit| outfit.conversion).collect();
    let links = outfits.into_iter().map(|outfit| outfit.link).collect();
    let site = build_site(tree.circuits, chargers, problems)?;
    let settings =
        Settings { name: file.name.clone(), site, guards, meters, links, policy, adoption, inputs, outputs };
    Some(Checked { settings, server, ports, mqtt, hawkbit, board, contacts, conversions, file })
}

/// The engine checks once more what it relies on; a fault that nothing above has named is named here.
fn build_site(
    circuits: Vec<dlb_engine::site::Circuit>,
    chargers: Vec<dlb_engine::site::Charger>,
    problems: &mut Problems,
) -> Option<Site> {
    if !problems.errors.is_empty() {
        return None;
    }
    match Site::new(circuits, chargers) {
        Ok(site) => Some(site),
        Err(faults) => {
            for fault in faults {
                problems.error(
                    "",
                    format!("contradicts itself: {fault:?}"),
                    "tell us: no check has named this",
                );
            }
            None
        }
    }
}

#[cfg(test)]
mod mutation;
#[cfg(test)]
mod tests;
