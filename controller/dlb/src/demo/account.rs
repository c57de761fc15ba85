//! What the demonstration says on the terminal: where the page is, and now and then what happens.

use super::world::RunningWorld;
use dlb_sim::garage::GRID_A;
use futures_lite::FutureExt;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) struct Account {
    chargers: u16,
    speed: u32,
}

/// Between two sentences; what happens meanwhile is on the page.
const CALM: Duration = Duration::from_secs(6);
/// How often the currents are told when nothing else is.
const CURRENTS_EVERY: Duration = Duration::from_secs(30);

impl Account {
    pub(super) const fn new(chargers: u16, speed: u32) -> Self {
        Self { chargers, speed }
    }

    pub(super) fn greet(&self, page: SocketAddr, password: &str) {
        let pace =
            if self.speed == 1 { String::new() } else { format!(", {} times as fast as life", self.speed) };
        say(&format!(
            "\n  An office with a garage of {} chargers behind {GRID_A:.0} A{pace}.\n\n  \
             Page      http://{page}/\n  Password  {password}\n\n  Ctrl-C ends it; nothing is left behind.\n",
            self.chargers
        ));
    }

    pub(super) fn say_goodbye(&self) {
        say("Ending: the chargers go to their safe limits.");
    }

    /// Tells the story until somebody ends it.
    pub(super) async fn tell(&self, world: &RunningWorld) {
        loop {
            let heard = async { world.story().recv().await.ok() };
            let quiet = async {
                smol::Timer::after(CURRENTS_EVERY).await;
                Some(currents(world))
            };
            let Some(sentence) = heard.or(quiet).await else { break };
            say(&sentence);
            smol::Timer::after(CALM).await;
            while world.story().try_recv().is_ok() {}
        }
        // The world ended by itself; the page stays until the signal comes.
        std::future::pending::<()>().await;
    }
}

fn currents(world: &RunningWorld) -> String {
    let amps = world.electrical().rms().0.map(|amps| format!("{amps:.0}"));
    format!("       The connection carries {} A of {GRID_A:.0}.", amps.join(", "))
}

/// A terminal that is gone is no reason to stop.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
