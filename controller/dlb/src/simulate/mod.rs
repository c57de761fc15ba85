//! `dlb simulate`: an evening in seconds. The controller that `dlb run` runs, on a made-up site, in
//! made-up time, as fast as the machine goes; at the end what came of it.
//!
//! Exit status 0: it ran; 1: it ran, and a protective device would have tripped or a promise was broken;
//! 2: the scenario, or a table that it names, is wrong.

mod random;
mod report;
mod tables;

pub use report::ReportView;

use crate::journal::Recorder;
use crate::schema::of_door;
use dlb_sim::judge::judge;
use dlb_sim::scenario::Scenario;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Plays a scenario: what would this site do?
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The scenario file; see tests/scenarios for examples and --schema for every key.
    #[arg(required_unless_present_any = ["schema", "random"], conflicts_with = "random")]
    scenario: Option<PathBuf>,
    /// Throw the dice with this number instead of the scenario's own.
    #[arg(long)]
    seed: Option<u64>,
    /// Play so many of the scenario's hours instead of all.
    #[arg(long)]
    hours: Option<f64>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Print the JSON schema of a scenario and of a result.
    #[arg(long)]
    schema: bool,
    /// Write what passes the controller's door to a journal, for `dlb replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Play this many random site-days under random faults instead, from the seed on.
    #[arg(long, value_name = "COUNT")]
    random: Option<u64>,
    /// With --random: without faults.
    #[arg(long, requires = "random")]
    faultless: bool,
    /// With --random: on so many threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// With --random: write the smallest scenario that still fails of each failing day into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    shrink: Option<PathBuf>,
}

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.schema {
        println!("{:#}", schema());
        return ExitCode::SUCCESS;
    }
    if let Some(count) = arguments.random {
        return random::run(arguments, count);
    }
    match play(arguments) {
        Ok(report) => {
            report.print(arguments.json);
            if report.sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(wrong) => {
            for line in wrong {
                eprintln!("{line}");
            }
            ExitCode::from(2)
        }
    }
}

fn play(arguments: &Arguments) -> Result<ReportView, Vec<String>> {
    let path = arguments.scenario.as_deref().unwrap_or_else(|| std::path::Path::new(""));
    let named = |what: &dyn std::fmt::Display| vec![format!("{}: {what}", path.display())];
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    let mut scenario = Scenario::parse(&text).map_err(|error| named(&error.to_string().trim_end()))?;
    scenario.seed = arguments.seed.unwrap_or(scenario.seed);
    scenario.hours = arguments.hours.unwrap_or(scenario.hours);
    let tables = tables::read(&scenario, path)?;
    let recorder = arguments.record.as_deref().map(|file| Recorder::create(file, scenario.to_text()));
    let recorder = recorder.transpose().map_err(|error| vec![error])?;
    let witness = recorder.map(|recorder| Box::new(recorder) as _);
    let began = Instant::now();
    let verdict = judge(&scenario, &tables, witness).map_err(|mistakes| {
        mistakes.iter().map(|mistake| format!("{}: {mistake}", path.display())).collect::<Vec<_>>()
    })?;
    Ok(ReportView::new(&verdict, began.elapsed().as_secs_f64()))
}

fn schema() -> serde_json::Value {
    of_door::<Scenario, ReportView>(
        "A scenario for `dlb simulate` (TOML); with --json its result is ReportView",
    )
}
