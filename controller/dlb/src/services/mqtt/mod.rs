//! The mirror on an MQTT broker, and the commands that come from there. `topics.md` beside this file
//! describes every topic.
//!
//! A broker that is away costs nobody anything: the newest picture and the last events wait in the
//! [`crate::services::Mailbox`], and a new connection starts with a complete set of retained topics.

mod command;
mod desk;
mod discovery;
mod link;
mod mirror;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
mod topics;
mod trouble;
pub(super) mod trust;
mod tunnel;
mod update;

pub(crate) use trust::authority_file;
pub(super) use trust::{Authority, authority};

use super::{Rooms, Standing, Wanted};
use crate::clock;
use crate::config::Mqtt;
use crate::site::ocpp_server::Incoming;
use desk::Desk;
use dlb_wiring::event::{Alert, Event, Severity};
use tokio::sync::watch;

/// Why a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The program ends, or the same topics go on with other settings.
    Pause,
    /// The topics will not be served from here any more.
    Moved,
}

/// Serves whichever broker is wanted, until the program ends.
pub(super) async fn host(rooms: &Rooms, mut wanted: watch::Receiver<Wanted>) {
    loop {
        let now = wanted.borrow_and_update().clone();
        // An error means that nobody is left who could stop or change this.
        if now.stop || wanted.has_changed().is_err() {
            return;
        }
        match now.mqtt {
            Some(mqtt) if mqtt.tls => match tunnel::Tunnel::open() {
                Ok(tunnel) => serve(rooms, &mqtt, Some(&tunnel), &mut wanted).await,
                Err(error) => wait_without_tunnel(rooms, &error, &mut wanted).await,
            },
            Some(mqtt) => serve(rooms, &mqtt, None, &mut wanted).await,
            None => {
                rooms.standing.write(Standing::Off);
                if wanted.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn serve(
    rooms: &Rooms,
    mqtt: &Mqtt,
    tunnel: Option<&tunnel::Tunnel>,
    wanted: &mut watch::Receiver<Wanted>,
) {
    rooms.mailbox.want(true);
    let (mut link, client, heard) = link::Link::new(rooms, mqtt, tunnel);
    let (up, inbox) = heard;
    let ending = async {
        if wanted.changed().await.is_err() {
            return Ending::Pause;
        }
        let next = wanted.borrow();
        let place =
            |mqtt: &Mqtt| (mqtt.host.clone(), mqtt.port, mqtt.prefix.clone(), mqtt.discovery_prefix.clone());
        let stays = next.stop || next.mqtt.as_ref().map(place) == Some(place(mqtt));
        if stays { Ending::Pause } else { Ending::Moved }
    };
    let mut desk = Desk::new(rooms, mqtt, client, up);
    let publishing = async {
        let ending = futures_lite::future::or(ending, desk.run(inbox)).await;
        // A broker that hangs is left without a word.
        let _ = tokio::time::timeout(super::FAREWELL, desk.farewell(ending)).await;
    };
    // The link carries what the desk says, until the desk has said all.
    futures_lite::future::or(publishing, link.run()).await;
    link.untell();
    rooms.mailbox.want(false);
}

/// No password goes over the line in the clear where somebody asked for TLS.
async fn wait_without_tunnel(rooms: &Rooms, error: &std::io::Error, wanted: &mut watch::Receiver<Wanted>) {
    let text = format!(
        "The broker cannot be reached: there is no place for temporary files ({error}). Free some space, then \
         restart the box."
    );
    rooms.standing.write(Standing::Away { code: "broker-tls", text: text.clone() });
    tell(rooms, "broker-tls", text.clone(), false);
    let _ = wanted.changed().await;
    tell(rooms, "broker-tls", text, true);
}

fn tell(rooms: &Rooms, code: &'static str, text: String, cleared: bool) {
    let alert =
        Alert { at: clock::now(), severity: Severity::Warning, about: "site".into(), code, text, cleared };
    // A full queue costs the page this sentence; the log has its own.
    let _ = rooms.site.try_send(Incoming::Event(Event::Trouble(alert)));
}
