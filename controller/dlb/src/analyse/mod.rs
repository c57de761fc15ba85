//! The door `dlb analyse`: raw converter codes in, readings out, by the same arithmetic as on the box.
//!
//! For checking a board and its calibration against a reference, and for support: codes that somebody
//! recorded become readings again. A row that cannot be read is told with its number and counts as one lost
//! sample: a few are bridged, more make their interval bad. Without its header nothing can be read.

mod rows;
mod view;

use crate::sampling::BoardFile;
use clap::Args;
use dlb_engine::measure::{ClampWatch, Meter};
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
    /// Add root mean squares of the harmonics to every phase, to the 20th where the sampling rate allows.
    #[arg(long)]
    harmonics: bool,
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
    let how = How { harmonics: arguments.harmonics };
    match analyse(&board, how, std::io::stdin().lock(), &mut out, &mut std::io::stderr().lock()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(BAD_INPUT),
        Err(Fault::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(fault) => refuse(&fault),
    }
}

fn refuse(fault: &dyn std::error::Error) -> ExitCode {
    let cause = fault.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    eprintln!("{fault}{cause}");
    ExitCode::from(BAD_INPUT)
}

/// What is wanted besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    pub harmonics: bool,
}

/// Reads codes from `input` until its end, writes readings to `out` and a line for each bad row to
/// `complaints`. How many bad rows there were.
///
/// # Errors
/// A header that cannot be read, or an output that cannot be written to.
///
/// # Panics
/// Never: a board file that was read is a board.
pub fn analyse(
    file: &BoardFile,
    how: How,
    input: impl BufRead,
    out: &mut impl Write,
    complaints: &mut impl Write,
) -> Result<u64, Fault> {
    let board = file.board().expect("checked when the file was read");
    let names = file.channels.iter().map(|channel| channel.name.as_str()).collect();
    let mut rows = Rows::new(input, names, board.code_min..=board.code_max)?;
    let mut meter = Meter::new(board).expect("checked when the file was read");
    let mut clamps = ClampWatch::new(meter.board());
    let mut summing = Summing::new(meter.board());
    let (mut bad_rows, mut lost) = (0, 0);
    loop {
        let codes = match rows.next() {
            Ok(Some(codes)) => codes,
            Ok(None) => break,
            Err(fault @ Fault::Row { .. }) => {
                writeln!(complaints, "{fault}").map_err(Fault::Output)?;
                bad_rows += 1;
                lost += 1;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let step = meter.push_after_loss(core::mem::take(&mut lost), &codes);
        let Some(mut interval) = step.interval else { continue };
        clamps.judge(&mut interval);
        summing.add(&interval, &clamps);
        write_line(out, &IntervalView::new(meter.board(), &interval, how))?;
    }
    write_line(out, &summing.view())?;
    Ok(bad_rows)
}

fn write_line(out: &mut impl Write, line: &impl serde::Serialize) -> Result<(), Fault> {
    let mut text = serde_json::to_string(line).expect("views are plain data");
    text.push('\n');
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::Output)
}

#[cfg(test)]
mod tests;
