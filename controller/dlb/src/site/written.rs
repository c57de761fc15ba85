//! A receipt: this has been written down for good.

use std::time::Duration;

/// Waits for the store's acknowledgement of one record.
#[derive(Clone, Debug)]
pub struct Written(async_channel::Receiver<()>);

/// A store that is full or broken must not keep a charger waiting for ever.
const PATIENCE: Duration = Duration::from_secs(5);

impl Written {
    /// The receipt, and what the store holds until the record is safe; dropping it counts as done.
    #[must_use]
    pub fn receipt() -> (async_channel::Sender<()>, Self) {
        let (done, wait) = async_channel::bounded(1);
        (done, Self(wait))
    }

    pub async fn wait(self) {
        use futures_lite::FutureExt;
        let written = async {
            let _ = self.0.recv().await;
        };
        let late = async {
            smol::Timer::after(PATIENCE).await;
            tracing::warn!("the store took too long; a charger is answered before its record is safe");
        };
        written.or(late).await;
    }
}
