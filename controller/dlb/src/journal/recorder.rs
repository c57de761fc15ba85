//! The journal of a simulated run.

use super::{EventLine, Line, SiteText, to_text};
use dlb_engine::time::Instant;
use dlb_sim::closed_loop::{Changes, Witness};
use dlb_wiring::event::{Effect, Event};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes down what passes the controller's door.
#[derive(Debug)]
pub struct Recorder {
    out: BufWriter<File>,
    scenario: String,
    changes: Changes,
    pending: Option<(Instant, EventLine)>,
    failed: bool,
}

impl Recorder {
    /// `scenario`: the text of the scenario that is played.
    ///
    /// # Errors
    /// Where the file cannot be made, in words.
    pub fn create(path: &Path, scenario: String) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let changes = Changes::default();
        Ok(Self { out: BufWriter::new(file), scenario, changes, pending: None, failed: false })
    }

    fn site(&self) -> SiteText {
        SiteText::Scenario {
            text: self.scenario.clone(),
            removed: self.changes.removed.iter().copied().collect(),
            tightened: self.changes.tightened.iter().map(|(at, share)| (*at, *share)).collect(),
        }
    }

    fn write(&mut self, line: &Line) {
        if !self.failed && writeln!(self.out, "{}", to_text(line)).is_err() {
            self.failed = true;
            eprintln!("the journal cannot be written any further");
        }
    }
}

impl Witness for Recorder {
    fn changed(&mut self, changes: &Changes) {
        self.changes = changes.clone();
    }

    fn started(&mut self, now: Instant, memories: &BTreeMap<String, String>) {
        let line = Line::Start { at_us: now.0, site: self.site(), memories: memories.clone() };
        self.write(&line);
    }

    fn event(&mut self, now: Instant, event: &Event) {
        self.pending = Some((now, EventLine::new(event, &self.site())));
    }

    fn effects(&mut self, effects: &[Effect]) {
        let Some((at, event)) = self.pending.take() else { return };
        let effects = effects.iter().map(|effect| format!("{effect:?}")).collect();
        self.write(&Line::Event { at_us: at.0, event, effects });
    }
}
