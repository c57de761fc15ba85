//! `dlb check FILE`: a verdict on a configuration, for people or, with `--json`, for programs.
//! Exit status 0: it may be run. 1: it may not, or it cannot be read.

use super::{Maps, Problem, SiteFile, check_with};
use crate::schema::of_door;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use utoipa::ToSchema;

/// Says what is wrong with a configuration: everything at once, each with its key and the remedy.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The configuration.
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// One JSON object on standard output instead of text.
    #[arg(long)]
    json: bool,
    /// Print the JSON schema of a configuration and of the verdict.
    #[arg(long)]
    schema: bool,
}

/// What `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VerdictView {
    /// The configuration may be run.
    pub good: bool,
    /// What must be corrected.
    pub mistakes: Vec<Problem>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.schema {
        return say(&format!("{:#}\n", schema()), true);
    }
    let path = arguments.file.clone().unwrap_or_default();
    let text = match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            eprintln!("reading {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    let (verdict, summary) = judge(&text);
    let answer = if arguments.json {
        serde_json::to_string(&verdict).expect("a verdict is plain data") + "\n"
    } else {
        for_people(&path.display().to_string(), &verdict, &summary)
    };
    say(&answer, verdict.good)
}

/// A reader that has gone away (`| head`) is no reason to complain.
fn say(answer: &str, good: bool) -> ExitCode {
    let _ = std::io::stdout().write_all(answer.as_bytes());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn judge(text: &str) -> (VerdictView, String) {
    match check_with(text, &Maps::default()) {
        Ok((checked, warnings)) => {
            let site = &checked.settings.site;
            let summary = format!(
                "{}, {}, {}",
                counted(site.circuits().len(), "circuit"),
                counted(checked.settings.meters.len(), "meter"),
                counted(site.chargers().len(), "charger")
            );
            (VerdictView { good: true, mistakes: Vec::new(), warnings }, summary)
        }
        Err(mistakes) => (VerdictView { good: false, mistakes, warnings: Vec::new() }, String::new()),
    }
}

/// The text of a verdict.
#[must_use]
pub fn for_people(file: &str, verdict: &VerdictView, summary: &str) -> String {
    let mut out = match verdict.mistakes.len() {
        0 => format!("{file} may be run: {summary}.\n"),
        count => format!("{file} may not be run: {}.\n", counted(count, "mistake")),
    };
    for problem in &verdict.mistakes {
        out.push_str(&paragraph(problem, ""));
    }
    for problem in &verdict.warnings {
        out.push_str(&paragraph(problem, "warning: "));
    }
    out
}

fn paragraph(problem: &Problem, kind: &str) -> String {
    let mut head = String::new();
    if let Some(line) = problem.line {
        let _ = write!(head, "line {line}: ");
    }
    let name = if problem.key.is_empty() { "the file" } else { &problem.key };
    let id = problem.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("\n{head}{kind}{name}{id} {}\n    {}\n", problem.what, problem.remedy)
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn schema() -> serde_json::Value {
    of_door::<SiteFile, VerdictView>(
        "Configuration of a dlb site; the verdict of `dlb check --json` is VerdictView",
    )
}
