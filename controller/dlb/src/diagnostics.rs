//! The diagnostics bundle: what support needs to see, in a tar archive of readable files. No secret is in it:
//! passwords and keys lie in files that are not read here, drivers' tags are taken out, and the log never
//! had any.

use crate::run::logging;
use crate::web::doors::{DoorFault, Doors, Span, Wanted};
use serde::Serialize;
use serde_json::Value;
use std::io;

const README: &str = "Diagnostics of a dlb box: no passwords, no keys, no drivers' tags.\n\n\
    system.json   version, uptime, the two systems of the appliance\n\
    update.json   the update under way, and how earlier ones ended\n\
    config.json   the configuration in force\n\
    site.json     the latest picture: circuits, meters, chargers, limits and their reasons\n\
    events.json   the last events\n\
    log.txt       the end of the program's log\n";
const EVENTS: usize = 500;

/// Collects everything; a part that cannot be read is there as the sentence why.
pub(crate) fn collect(doors: &Doors) -> Result<Vec<u8>, DoorFault> {
    let events = Wanted { span: Span { from_ms: i64::MIN, to_ms: i64::MAX }, about: None, limit: EVENTS };
    let picture = doors.live.latest().and_then(|picture| serde_json::from_slice(&picture.json()).ok());
    let files = [
        ("README.txt", README.as_bytes().to_vec()),
        ("system.json", pretty(&doors.system.view())),
        ("update.json", pretty(&doors.updates.view())),
        ("config.json", told(doors.config.get())),
        ("site.json", pretty(&picture.map(without_tags))),
        ("events.json", told(doors.history.events(&events))),
        ("log.txt", logging::tail()),
    ];
    archive(&files).map_err(|error| DoorFault::new("making the archive", error))
}

fn told<T: Serialize>(answer: Result<T, DoorFault>) -> Vec<u8> {
    answer.map_or_else(|fault| crate::run::chain(&fault).into_bytes(), |view| pretty(&view))
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_else(|error| error.to_string().into_bytes())
}

/// Who charged is nobody's business at a support desk.
fn without_tags(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields {
                *field = if name == "tag" { "(removed)".into() } else { without_tags(field.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_tags(item.take())),
        _ => {}
    }
    value
}

fn archive(files: &[(&str, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let seconds = crate::clock::wall().and_then(|wall| u64::try_from(wall.0 / 1000).ok()).unwrap_or(0);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(seconds);
        archive.append_data(&mut header, format!("dlb-diagnostics/{name}"), content.as_slice())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn drivers_tags_are_taken_out_wherever_they_stand() {
        let site = json!({"chargers": [{"session": {"tag": "04A2B3", "session": 7}}, {"session": null}]});
        let shown = without_tags(site).to_string();
        assert!(!shown.contains("04A2B3") && shown.contains("\"session\":7"), "{shown}");
    }
}
