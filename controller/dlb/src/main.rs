//! `dlb`: see `dlb --help`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Balances electric-car chargers on one grid connection.
#[derive(Parser, Debug)]
#[command(name = "dlb", version, about)]
struct CommandLine {
    #[command(subcommand)]
    door: Door,
}

/// Each door is a room of its own; this file only opens them.
#[derive(Subcommand, Debug)]
enum Door {
    Allocate(dlb::allocate::Arguments),
    Analyse(dlb::analyse::Arguments),
    Run(dlb::run::Arguments),
    Check(dlb::config::door::Arguments),
    Demo(dlb::demo::Arguments),
    FactoryReset(dlb::reset::door::Arguments),
    Simulate(dlb::simulate::Arguments),
    Replay(dlb::journal::replay::Arguments),
}

fn main() -> ExitCode {
    match CommandLine::parse().door {
        Door::Allocate(arguments) => dlb::allocate::run(&arguments),
        Door::Analyse(arguments) => dlb::analyse::run(&arguments),
        Door::Run(arguments) => dlb::run::run(arguments),
        Door::Check(arguments) => dlb::config::door::run(&arguments),
        Door::Demo(arguments) => dlb::demo::run(&arguments),
        Door::FactoryReset(arguments) => dlb::reset::door::run(&arguments),
        Door::Simulate(arguments) => dlb::simulate::run(&arguments),
        Door::Replay(arguments) => dlb::journal::replay::run(&arguments),
    }
}
