//! A relay or lamp: does what it is told, blinks, and is switched off when its task ends.
//!
//! A line that is lost is asked for again and driven to what it is told by then. When the program crashes the
//! kernel frees the line; see [`super::device`] for what that means.

use super::{Chips, LineFault, OutputLine, RETRY, Wiring};
use dlb_wiring::outputs::Drive;
use event_listener::Event;
use futures_lite::FutureExt;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SLOW: Duration = Duration::from_millis(800);
const FAST: Duration = Duration::from_millis(150);
/// A lost line is noticed this soon, even if nothing is to be changed.
const AGAIN: Duration = Duration::from_secs(5);

/// What each relay is to do, by its name: the newest word counts, older ones are forgotten.
#[derive(Debug, Default)]
pub struct Drives {
    said: Mutex<BTreeMap<String, Drive>>,
    changed: Event,
}

impl Drives {
    /// Says what a relay is to do from now on. Waits for nobody.
    pub fn set(&self, relay: &str, drive: Drive) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(relay.to_owned(), drive);
        self.changed.notify(usize::MAX);
    }

    fn get(&self, relay: &str) -> Drive {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(relay).copied().unwrap_or_default()
    }
}

/// A line that is switched off when it is let go.
struct Safe<L: OutputLine> {
    line: L,
    active: bool,
}

impl<L: OutputLine> Safe<L> {
    fn set(&mut self, active: bool) -> Result<(), LineFault> {
        self.line.set(active)?;
        self.active = active;
        Ok(())
    }
}

impl<L: OutputLine> Drop for Safe<L> {
    fn drop(&mut self) {
        if self.active
            && let Err(fault) = self.line.set(false)
        {
            tracing::warn!("a relay could not be switched off: {}", crate::run::chain(&fault));
        }
    }
}

pub(super) async fn work<C: Chips>(chips: C, wiring: Wiring, drives: std::sync::Arc<Drives>) {
    let mut told = false;
    loop {
        let fault = match chips.output(&wiring) {
            Ok(line) => {
                told = false;
                drive(Safe { line, active: false }, &wiring, &drives).await
            }
            Err(fault) => fault,
        };
        if !std::mem::replace(&mut told, true) {
            tracing::error!(relay = wiring.id, "a relay cannot be driven: {}", crate::run::chain(&fault));
        }
        smol::Timer::after(RETRY).await;
    }
}

async fn drive<L: OutputLine>(mut line: Safe<L>, wiring: &Wiring, drives: &Drives) -> LineFault {
    if let Err(fault) = line.set(false) {
        return fault;
    }
    loop {
        let changed = drives.changed.listen();
        let (active, rest) = match drives.get(&wiring.id) {
            Drive::Off => (false, AGAIN),
            Drive::On => (true, AGAIN),
            Drive::SlowBlink => (!line.active, SLOW),
            Drive::FastBlink => (!line.active, FAST),
        };
        if active != line.active
            && let Err(fault) = line.set(active)
        {
            return fault;
        }
        let pause = async {
            smol::Timer::after(rest).await;
        };
        changed.or(pause).await;
    }
}
