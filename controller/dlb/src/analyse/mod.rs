//! The door `dlb analyse`: raw converter codes in, readings out, by the same arithmetic as on the box.
//!
//! For checking a board and its calibration against a reference, and for support: codes that somebody
//! recorded become readings again. A row that cannot be read ends the run: what comes after it would be
//! measured across a gap that nobody knows the length of.

mod rows;
mod view;

use crate::sampling::BoardFile;
use clap::Args;
use dlb_engine::measure::Meter;
use rows::Rows;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use view::{IntervalView, Summing};

/// Turns raw converter codes on standard input (CSV) into readings, one JSON object a line.
///
/// The input's header names the channels of the board file, in any order; then comes one row of codes a
/// sampling instant. Example: dlb analyse --board tests/boards/three-phase.toml < codes.csv
#[derive(Args, Debug)]
pub struct Arguments {
    /// The board file: converter, channels, ratios.
    #[arg(long, value_name = "FILE", required_unless_present = "schema")]
    board: Option<PathBuf>,
    /// Print the JSON schema of the output's lines.
    #[arg(long)]
    schema: bool,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("line {line}: {what}")]
    Row { line: u64, what: String },
    #[error("line {line}: reading standard input: {source}")]
    Input { line: u64, source: std::io::Error },
    #[error("writing to standard output: {0}")]
    Output(std::io::Error),
}

const SCHEMA: &str = include_str!("schema.json");
/// Exit status for input that cannot be understood.
const BAD_INPUT: u8 = 2;

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut out = std::io::stdout().lock();
    if arguments.schema {
        // A reader that has gone away is no reason to complain.
        let _ = out.write_all(SCHEMA.as_bytes());
        return ExitCode::SUCCESS;
    }
    let path = arguments.board.clone().unwrap_or_default();
    let board = match BoardFile::read(&path) {
        Ok(board) => board,
        Err(fault) => return refuse(&fault),
    };
    match analyse(&board, std::io::stdin().lock(), &mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Fault::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(fault) => refuse(&fault),
    }
}

fn refuse(fault: &dyn std::error::Error) -> ExitCode {
    let cause = fault.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    eprintln!("{fault}{cause}");
    ExitCode::from(BAD_INPUT)
}

/// Reads codes from `input` until its end and writes readings to `out`.
///
/// # Errors
/// The first row that cannot be read, or an output that cannot be written to.
///
/// # Panics
/// Never: a board file that was read is a board.
pub fn analyse(file: &BoardFile, input: impl BufRead, out: &mut impl Write) -> Result<(), Fault> {
    let board = file.board().expect("checked when the file was read");
    let names = file.channels.iter().map(|channel| channel.name.as_str()).collect();
    let codes = board.code_min..=board.code_max;
    let mut rows = Rows::new(input, names, codes)?;
    let mut meter = Meter::new(board).expect("checked when the file was read");
    let mut summing = Summing::new(meter.board());
    while let Some(codes) = rows.next()? {
        let Some(interval) = meter.push(&codes).interval else { continue };
        summing.add(&interval);
        write_line(out, &IntervalView::new(meter.board(), &interval))?;
    }
    write_line(out, &summing.view())
}

fn write_line(out: &mut impl Write, line: &impl serde::Serialize) -> Result<(), Fault> {
    let mut text = serde_json::to_string(line).expect("views are plain data");
    text.push('\n');
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::Output)
}

#[cfg(test)]
mod tests;
