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
    /// A saved configuration has the program listen somewhere else.
    Moved,
}

/// Hears signals for as long as it is there. There is one for the whole program: what came while nobody listened,
/// between one run and the next, would be lost.
#[derive(Debug)]
pub struct SignalEar(Option<Signals>);

impl SignalEar {
    #[must_use]
    pub fn open() -> Self {
        let opened = Signals::new([Signal::Term, Signal::Int]);
        Self(opened.inspect_err(|error| tracing::error!(%error, "listening for signals")).ok())
    }

    async fn heard(&mut self) -> End {
        let Some(signals) = &mut self.0 else { return std::future::pending().await };
        match signals.next().await {
            Some(Ok(Signal::Int)) => End::Interrupt,
            _ => End::Terminate,
        }
    }
}

impl End {
    /// The program goes on under the same supervisor.
    pub(super) const fn begins_anew(self) -> bool {
        matches!(self, Self::FactoryReset | Self::Moved)
    }

    /// Waits for a signal, for an update that wants a restart, for the order to forget everything, or for a move.
    pub(super) async fn told(
        signals: &mut SignalEar,
        updates: &Updates,
        reset: &async_channel::Receiver<()>,
        moved: &async_channel::Receiver<()>,
    ) -> Self {
        let restart = async {
            updates.restart_wanted().await;
            Self::RestartMachine
        };
        let reset = Self::heard(reset, Self::FactoryReset);
        signals.heard().or(restart).or(reset).or(Self::heard(moved, Self::Moved)).await
    }

    async fn heard(told: &async_channel::Receiver<()>, end: Self) -> Self {
        match told.recv().await {
            Ok(()) => end,
            Err(_) => std::future::pending().await,
        }
    }
}
