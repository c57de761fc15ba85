//! `dlb allocate`: the engine's allocation as a filter. One snapshot per line on standard input, one
//! allocation per line on standard output, flushed per line.
//!
//! What was answered is remembered from line to line: whose turn it is, and which limits may still be in
//! force. A bad line is answered on standard error, with its number and what is wrong,
//! and changes nothing; the rest goes on. Exit status 2 at the end if there was one.

mod answer;
mod convert;
mod file;
mod memory;
mod outlet;

pub use answer::{AllocationView, ChargerLimitView, CircuitUseView};
pub use file::{ChargerFile, CircuitFile, SnapshotFile, SupplyFile, SystemName};

use crate::schema::of_door;
use convert::Picture;
use memory::{Decision, Memory};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// The longest line that is read: some two hundred thousand chargers.
const LINE_MAX: u64 = 64 << 20;

/// Shares current among chargers: snapshots in, allocations out, one JSON object per line.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Forget everything after each line: no turns, no minimum times, every limit holds at once.
    #[arg(long)]
    stateless: bool,
    /// Print the JSON schema of a snapshot and of an allocation.
    #[arg(long)]
    schema: bool,
}

/// What is wrong with a line: where, and what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct LineFault {
    key: String,
    what: String,
}

impl LineFault {
    fn new(key: impl ToString, what: impl Into<String>) -> Self {
        Self { key: key.to_string(), what: what.into() }
    }
}

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let (stdin, stdout, stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    let outcome = if arguments.schema {
        let mut stdout = stdout;
        writeln!(stdout, "{:#}", schema()).map(|()| true)
    } else {
        filter(stdin, stdout, stderr, arguments.stateless)
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        // A reader that has gone away (`| head`) is no reason to complain.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reading snapshots and writing allocations: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers every line. Were all of them good?
///
/// # Errors
/// If reading or writing fails; never because of what a line says.
pub fn filter(
    mut input: impl BufRead,
    mut output: impl Write,
    mut complaints: impl Write,
    stateless: bool,
) -> io::Result<bool> {
    let (mut memory, mut good) = ((!stateless).then(Memory::default), true);
    let mut line = Vec::new();
    for number in 1.. {
        let complete = read_line(&mut input, &mut line)?;
        if line.is_empty() {
            break;
        }
        let answer = match complete {
            true if line.trim_ascii().is_empty() => continue,
            true => answer_line(memory.as_mut(), &line),
            false => Err(LineFault::new("line", format!("is longer than {LINE_MAX} bytes"))),
        };
        match answer {
            Ok(text) => {
                writeln!(output, "{text}")?;
                output.flush()?;
            }
            Err(fault) => {
                good = false;
                writeln!(complaints, "line {number}: {fault}")?;
            }
        }
    }
    Ok(good)
}

/// Reads one line, its end included; nothing at the end of the input. `false`: the line was too long
/// and has been skipped.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    io::Read::take(&mut *input, LINE_MAX).read_until(b'\n', line)?;
    let complete = (line.len() as u64) < LINE_MAX || line.ends_with(b"\n");
    if !complete {
        input.skip_until(b'\n')?;
    }
    Ok(complete)
}

fn answer_line(memory: Option<&mut Memory>, line: &[u8]) -> Result<String, LineFault> {
    let file = parse(line)?;
    let mut picture = Picture::new(&file)?;
    let decision = match memory {
        Some(memory) => memory.decide(&mut picture),
        None => Decision::without_memory(&picture),
    };
    let view = AllocationView::new(&file, &picture, &decision);
    Ok(serde_json::to_string(&view).expect("an allocation is plain data"))
}

fn parse(line: &[u8]) -> Result<SnapshotFile, LineFault> {
    // The parser would take a list for the fields in their order.
    if line.trim_ascii_start().starts_with(b"[") {
        return Err(LineFault::new("snapshot", "is a list, an object is needed: {\"now_s\":0,…}"));
    }
    // To know where in the line the parser is costs as much as parsing; only a bad line is asked.
    if let Ok(file) = serde_json::from_slice(line) {
        return Ok(file);
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    let file: SnapshotFile = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let key = match error.path().to_string().as_str() {
            "." | "?" => "snapshot".to_owned(),
            key => key.to_owned(),
        };
        LineFault::new(key, in_words(&error.into_inner()))
    })?;
    json.end().map_err(|error| LineFault::new("snapshot", in_words(&error)))?;
    Ok(file)
}

/// The parser counts lines as well, and knows only this one.
fn in_words(error: &serde_json::Error) -> String {
    error.to_string().replace(&format!(" at line {} column", error.line()), " at column")
}

fn schema() -> serde_json::Value {
    of_door::<SnapshotFile, AllocationView>(
        "One line into `dlb allocate`; one line out of it is AllocationView",
    )
}
