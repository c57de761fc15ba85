//! The door `dlb run`: the real thing, until it is told to end.

mod end;
mod fatal;
pub mod launch;
mod listening;
pub mod logging;
mod system_desk;

pub use end::{End, SignalEar};
pub use launch::{Converter, Launch, LaunchError, Running};

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// With this exit status the program asks its supervisor to restart the machine, not only the program. Chargers
/// are on their safe limits then.
pub const RESTART_MACHINE: u8 = 75;

/// Runs a site.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The site's configuration. Where there is none yet, the page leads through the set-up.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where history, password and previous configurations are kept.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/dlb")]
    data: PathBuf,
    /// How the log is written.
    #[arg(long, value_enum, default_value_t = logging::Format::Text)]
    log: logging::Format,
    /// Write everything that passes the controller's door to a journal, for `dlb replay`. It grows by
    /// megabytes an hour: for finding out what happened, not for good.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    logging::start(arguments.log, "info");
    let status = serve(arguments);
    logging::end();
    status
}

fn serve(arguments: Arguments) -> ExitCode {
    let launch = Launch {
        config: arguments.config,
        data: arguments.data,
        converter: Converter::OnTheBox,
        record: arguments.record,
    };
    let mut signals = SignalEar::open();
    loop {
        let running = match launch.clone().start() {
            Ok(running) => running,
            Err(error) => {
                tracing::error!("{}", chain(&error));
                return ExitCode::FAILURE;
            }
        };
        tracing::info!(page = %running.page, ocpp = %running.ocpp, "balancing");
        listening::tell(running.page, running.ocpp);
        let end = smol::block_on(running.until_told(&mut signals));
        tracing::info!(?end, "ending: chargers go to their safe limits");
        if !end.begins_anew() {
            crate::supervisor::stopping();
        }
        running.stop();
        match end {
            // Begins anew: on its first day, or where the configuration says now.
            End::FactoryReset | End::Moved => {}
            End::RestartMachine => return ExitCode::from(RESTART_MACHINE),
            End::Interrupt | End::Terminate => return ExitCode::SUCCESS,
        }
    }
}

/// An error and all that caused it, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
