//! The name of a box on a broker: drawn once, kept in the data directory, the same for ever.

use crate::config::atomic;
use std::path::Path;

const FILE: &str = "box-id";
const LENGTH: usize = 8;

/// The name in the data directory; draws one if there is none. If the disk does not take it, the name
/// holds until the program ends: a broker that sees two names is no reason to stop.
#[must_use]
pub fn box_id(data: &Path) -> String {
    let path = data.join(FILE);
    if let Some(id) = std::fs::read_to_string(&path).ok().and_then(|text| valid(text.trim())) {
        return id;
    }
    let mut bytes = [0; LENGTH / 2];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "drawing a name for this box");
    }
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if let Err(error) = atomic::replace(&path, id.as_bytes()) {
        tracing::warn!(%error, path = %path.display(), "keeping the name of this box");
    }
    id
}

fn valid(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && (1..=32).contains(&text.len())).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_keeps_its_name_over_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let first = box_id(data.path());
        assert_eq!((first.len(), box_id(data.path())), (LENGTH, first));
    }

    #[test]
    fn a_name_that_cannot_stand_in_a_topic_is_drawn_anew() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(FILE), "a/#").unwrap();
        let drawn = box_id(data.path());
        assert!(valid(&drawn).is_some() && box_id(data.path()) == drawn);
    }
}
