//! `dlb replay JOURNAL`: a recorded run again. Every event goes to a fresh controller at its time; what
//! the controller does must be what the journal says, to the byte.
//!
//! Exit status 0: it went the same way; 1: it differs, with the first line that does; 2: no journal.

use super::Line;
use dlb_engine::time::Instant;
use dlb_wiring::controller::Controller;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Plays a recorded run again, and says where it first goes another way.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Made by `dlb run --record` or `dlb simulate --record`.
    journal: PathBuf,
}

/// How a replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Same { events: usize, effects: usize },
    Differs { line: usize, at_us: u64, recorded: Option<String>, now: Option<String> },
}

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    match replay(&arguments.journal) {
        Ok(Outcome::Same { events, effects }) => {
            println!("{events} events, {effects} effects: the same to the byte");
            ExitCode::SUCCESS
        }
        Ok(Outcome::Differs { line, at_us, recorded, now }) => {
            let or_nothing = |effect: Option<String>| effect.unwrap_or_else(|| "nothing".to_owned());
            println!("line {line}, at {:.6} s: differs first", at_us as f64 / 1e6);
            println!("  recorded: {}", or_nothing(recorded));
            println!("  now:      {}", or_nothing(now));
            ExitCode::FAILURE
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

/// # Errors
/// Where the file is no journal, with the line that is none.
pub fn replay(journal: &Path) -> Result<Outcome, String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", journal.display());
    let file = File::open(journal).map_err(|error| named(&error))?;
    let mut controller = None;
    let (mut events, mut count) = (0, 0);
    for (at, text) in BufReader::new(file).lines().enumerate() {
        let wrong = |what: &dyn std::fmt::Display| named(&format!("line {}: {what}", at + 1));
        let text = text.map_err(|error| wrong(&error))?;
        match serde_json::from_str(&text).map_err(|error| wrong(&error))? {
            Line::Start { at_us, site, memories } => {
                let settings = site.settings().map_err(|what| wrong(&what))?;
                controller = Some(Controller::new(settings, memories, Instant(at_us)));
            }
            Line::Event { at_us, event, effects } => {
                let controller = controller.as_mut().ok_or_else(|| wrong(&"no start before it"))?;
                let event = event.event().map_err(|what| wrong(&what))?;
                let done = controller.handle(Instant(at_us), event);
                let done: Vec<String> = done.iter().map(|effect| format!("{effect:?}")).collect();
                if let Some(differs) = first_difference(&effects, &done) {
                    let (recorded, now) = differs;
                    return Ok(Outcome::Differs { line: at + 1, at_us, recorded, now });
                }
                events += 1;
                count += done.len();
            }
            Line::Ended { why } => return Err(wrong(&format!("the recording ended early: {why}"))),
        }
    }
    match controller {
        Some(_) => Ok(Outcome::Same { events, effects: count }),
        None => Err(named(&"is empty")),
    }
}

fn first_difference(recorded: &[String], now: &[String]) -> Option<(Option<String>, Option<String>)> {
    let longer = recorded.len().max(now.len());
    let at = (0..longer).find(|at| recorded.get(*at) != now.get(*at))?;
    Some((recorded.get(at).cloned(), now.get(at).cloned()))
}
