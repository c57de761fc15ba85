//! How the connection to the broker stands: told by the link, read by the page. Whoever changes address or
//! password wants to see at once whether it was right.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// No broker is wanted.
    #[default]
    Off,
    Trying,
    Up,
    /// Why, in one or two sentences with the remedy, and the stable word for it.
    Away {
        code: &'static str,
        text: String,
    },
}

/// Where the standing is written down.
#[derive(Debug, Default)]
pub struct StandingBoard(Mutex<Standing>);

impl StandingBoard {
    #[must_use]
    pub fn read(&self) -> Standing {
        self.lock().clone()
    }

    pub(super) fn write(&self, standing: Standing) {
        *self.lock() = standing;
    }

    /// Whoever died with the lock in hand left a whole value.
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
