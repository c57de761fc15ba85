//! Why the program ends.

use crate::update::Updates;
use async_signal::{Signal, Signals};
use futures_lite::{FutureExt as _, StreamExt as _};

/// Whatever came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Interrupt,
    Terminate,
    /// An update has been written, and the machine shall start anew.
    RestartMachine,
    /// Everything shall be forgotten.
    FactoryReset,
}

impl End {
    /// Waits for a signal, for an update that wants a restart, or for the order to forget everything.
    pub(super) async fn told(updates: &Updates, reset: &async_channel::Receiver<()>) -> Self {
        let restart = async {
            updates.restart_wanted().await;
            Self::RestartMachine
        };
        let reset = async {
            match reset.recv().await {
                Ok(()) => Self::FactoryReset,
                Err(_) => std::future::pending().await,
            }
        };
        Self::signalled().or(restart).or(reset).await
    }

    async fn signalled() -> Self {
        let Ok(mut signals) = Signals::new([Signal::Term, Signal::Int]) else {
            return std::future::pending().await;
        };
        match signals.next().await {
            Some(Ok(Signal::Int)) => Self::Interrupt,
            _ => Self::Terminate,
        }
    }
}
