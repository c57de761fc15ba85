//! The service manager: readiness, signs of life, status. Silent where there is none.
//!
//! systemd reads `READY=1`, `WATCHDOG=1` and `STATUS=` from the socket named in `NOTIFY_SOCKET`.

use sd_notify::NotifyState;
use std::time::Duration;

/// Often enough for every supervisor, where it says nothing else.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// How often to be [`alive`]: three times within what the supervisor allows, so that two may be late.
#[must_use]
pub fn alive_every() -> Duration {
    sd_notify::watchdog_enabled().map_or(ALIVE_EVERY, |allowed| ALIVE_EVERY.min(allowed / 3))
}

/// Balancing has begun and the page answers.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("balancing")]);
}

/// The site's loop turns.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Chargers are being put on safe limits.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "telling the service manager");
    }
}
