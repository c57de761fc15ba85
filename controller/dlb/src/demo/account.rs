//! What the demonstration says on the terminal: where the page is, and now and then what happens.

use super::world::RunningWorld;
use dlb_sim::garage::GRID_A;
use dlb_sim::story::Sentence;
use futures_lite::FutureExt;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) struct Account {
    chargers: u16,
    speed: u32,
}

/// Between two looks at what happened: time to read.
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
            let heard = async { world.story().recv().await.ok().map(Heard::Story) };
            let quiet = async {
                smol::Timer::after(CURRENTS_EVERY).await;
                Some(Heard::Nothing)
            };
            match heard.or(quiet).await {
                Some(Heard::Story(first)) => {
                    let more = std::iter::from_fn(|| world.story().try_recv().ok());
                    newest(std::iter::once(first).chain(more).collect()).iter().for_each(|text| say(text));
                }
                Some(Heard::Nothing) => say(&currents(world)),
                None => break,
            }
            smol::Timer::after(CALM).await;
        }
        // The world ended by itself; the page stays until the signal comes.
        std::future::pending::<()>().await;
    }
}

enum Heard {
    Story(Sentence),
    Nothing,
}

/// What is worth telling of it: of what has changed more than once only how it stands now, and everybody who came or
/// went.
fn newest(story: Vec<Sentence>) -> Vec<String> {
    let stale = |at: usize| {
        let subject = &story[at].subject;
        subject.is_some() && story[at + 1..].iter().any(|later| later.subject == *subject)
    };
    let fresh = (0..story.len()).filter(|at| !stale(*at)).collect::<Vec<_>>();
    fresh.into_iter().map(|at| story[at].text.clone()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oven_that_starts_and_stops_is_told_once_and_every_car_that_comes_or_goes() {
        let about = |subject: Option<&'static str>, text: &str| Sentence {
            subject: subject.map(Into::into),
            text: text.to_owned(),
        };
        let story = vec![
            about(Some("oven"), "The oven starts."),
            about(None, "bay-1: a van arrives."),
            about(Some("sky"), "A cloud comes."),
            about(Some("oven"), "The oven stops."),
            about(None, "bay-1: a van leaves."),
            about(None, "bay-1: a van arrives."),
        ];
        assert_eq!(
            newest(story),
            [
                "bay-1: a van arrives.",
                "A cloud comes.",
                "The oven stops.",
                "bay-1: a van leaves.",
                "bay-1: a van arrives."
            ]
        );
    }
}
