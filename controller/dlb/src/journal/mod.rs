//! Journals: what passed the controller's door, event by event, with what the controller did about it.
//!
//! One JSON object a line. Made by `dlb run --record FILE` and `dlb simulate --record FILE`, played again
//! by `dlb replay FILE`: the controller is a machine without a clock, so the same events at the same
//! times have the same effects, to the byte. What a journal leaves out is what the world did in between.

mod event;
mod recorder;
mod recording;
pub mod replay;

pub use event::EventLine;
pub use recorder::Recorder;
pub use recording::Recording;

use dlb_sim::closed_loop::Changes;
use dlb_sim::scenario::{Scenario, Tables};
use dlb_wiring::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// The program started.
    Start { at_us: u64, site: SiteText, memories: BTreeMap<String, String> },
    /// Something happened, and this was done about it.
    Event { at_us: u64, event: EventLine, effects: Vec<String> },
    /// The recording could not keep up and ends here.
    Ended { why: String },
}

/// A configuration in the words that it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteText {
    /// A site's file.
    Configuration(String),
    /// A scenario's file, and what was changed in it since.
    Scenario { text: String, removed: Vec<usize>, tightened: Vec<(usize, u16)> },
}

impl SiteText {
    /// What the controller was given.
    ///
    /// # Errors
    /// What is wrong with the text, for people.
    pub fn settings(&self) -> Result<Settings, String> {
        match self {
            Self::Configuration(text) => match crate::config::check(text) {
                Ok((checked, _)) => Ok(checked.settings),
                Err(_) => Err("the journal's configuration does not pass today's check".to_owned()),
            },
            Self::Scenario { text, removed, tightened } => {
                let mut scenario = Scenario::parse(text).map_err(|error| error.to_string())?;
                scenario.sessions = None;
                let staged =
                    scenario.stage(&Tables::default()).map_err(|mistakes| format!("{mistakes:?}"))?;
                let changes = Changes {
                    removed: removed.iter().copied().collect(),
                    tightened: tightened.iter().copied().collect(),
                };
                changes.apply(&staged.rig.settings).ok_or_else(|| "its changes fit no site".to_owned())
            }
        }
    }
}

fn to_text(line: &Line) -> String {
    serde_json::to_string(line).expect("a line is plain data")
}
