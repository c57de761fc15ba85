//! The door `dlb demo`: a whole simulated site on loopback, seen through the real protocols.
//!
//! The program is the one that `dlb run` starts, with a configuration as an installer would have written
//! it; the site beside it ([`world`]) knows nothing of the program but addresses. Nothing is left behind.

mod account;
pub mod site_file;
pub mod world;

use crate::run::{Converter, End, Launch, LaunchError, Running, SignalEar, chain, logging};
use crate::sampling::{BoardFault, BoardFile, simulated};
use crate::web::password::{PasswordFault, PasswordStore};
use account::Account;
use clap::Args;
use futures_lite::FutureExt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use tempfile::TempDir;
use world::{Prepared, RunningWorld, WorldFault};

/// Shows a simulated site with chargers, cars, sun and a building, live on the page.
///
/// Example: dlb demo --chargers 24 --speed 30
#[derive(Args, Debug)]
pub struct Arguments {
    /// Port of the page on loopback; 0 lets the system choose.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// How many chargers there are.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(0..=500))]
    chargers: u16,
    /// How much faster than life the day goes: the sun's way, batteries, arrivals. Appliances switch, clouds pass,
    /// chargers and cars react as in life, whatever the speed.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
    /// Another number, another day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, thiserror::Error)]
enum DemoFault {
    #[error("making a temporary directory")]
    Directory(#[source] io::Error),
    #[error("writing {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("writing the site's configuration as TOML")]
    Configuration(#[from] toml::ser::Error),
    #[error("choosing a password")]
    Random(#[from] getrandom::Error),
    #[error("setting the password")]
    Password(#[from] PasswordFault),
    #[error("the simulated site")]
    World(#[from] WorldFault),
    #[error("starting the program")]
    Launch(#[from] LaunchError),
    #[error("the board of the demonstration")]
    Board(#[from] BoardFault),
    #[error("starting to measure: {0}")]
    Measure(String),
}

#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    logging::start(logging::Format::Text, "error");
    let shown = show(arguments);
    logging::end();
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("dlb demo: {}", chain(&fault));
            ExitCode::FAILURE
        }
    }
}

fn show(arguments: &Arguments) -> Result<(), DemoFault> {
    let directory = tempfile::Builder::new().prefix("dlb-demo-").tempdir().map_err(DemoFault::Directory)?;
    let (running, world, password) = start(arguments, &directory)?;
    let account = Account::new(arguments.chargers, arguments.speed);
    account.greet(running.page, &password);
    let mut signals = SignalEar::open();
    let told = async {
        // It stays where it is, whatever is saved on its page.
        while running.until_told(&mut signals).await == End::Moved {}
    };
    smol::block_on(told.or(account.tell(&world)));
    account.say_goodbye();
    // The site outlives the program, so that chargers hear their safe limits.
    running.stop();
    drop(world);
    Ok(())
}

fn start(arguments: &Arguments, directory: &TempDir) -> Result<(Running, RunningWorld, String), DemoFault> {
    let speed = NonZeroU32::new(arguments.speed).unwrap_or(NonZeroU32::MIN);
    let prepared = Prepared::new(arguments.chargers.into(), arguments.seed, speed)?;
    let page = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let (config, board) = (directory.path().join("site.toml"), directory.path().join("board.toml"));
    let data = directory.path().join("data");
    write(&board, &site_file::board())?;
    write(&config, &toml::to_string_pretty(&site_file::site(&prepared, page, &board))?)?;
    std::fs::create_dir(&data).map_err(|source| DemoFault::Write { path: data.clone(), source })?;
    let password = invent_password()?;
    PasswordStore::open(&data)?.set_first(&password)?;
    let mut running = Launch { config, data, converter: Converter::Brought, record: None }.start()?;
    let board = BoardFile::read(&board)?;
    let source = simulated(&board, prepared.pins(site_file::inputs()), arguments.seed)?;
    running.measure(&board, source, false).map_err(DemoFault::Measure)?;
    let world = prepared.start(running.ocpp)?;
    Ok((running, world, password))
}

fn write(path: &PathBuf, text: &str) -> Result<(), DemoFault> {
    std::fs::write(path, text).map_err(|source| DemoFault::Write { path: path.clone(), source })
}

/// Easy to read aloud and to type on a phone: no letter that looks like another.
fn invent_password() -> Result<String, DemoFault> {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = [0; 12];
    getrandom::fill(&mut random)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    let groups: Vec<String> = random.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invented_password_is_accepted_and_never_the_same() {
        let (one, other) = (invent_password().unwrap(), invent_password().unwrap());
        crate::web::password::acceptable(&one).unwrap();
        assert_eq!(one.len(), 14);
        assert_ne!(one, other);
    }
}
