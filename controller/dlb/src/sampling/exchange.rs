//! A meter with other corrections on its way into the running thread, and the old one on its way out:
//! made and thrown away by whoever calibrates, so that the thread neither allocates nor frees.

use concurrent_queue::ConcurrentQueue;
use dlb_engine::measure::{Board, BoardError, Meter};

#[derive(Debug)]
pub(super) struct Exchange {
    fresh: ConcurrentQueue<Box<Meter>>,
    spent: ConcurrentQueue<Box<Meter>>,
}

impl Default for Exchange {
    fn default() -> Self {
        Self { fresh: ConcurrentQueue::bounded(1), spent: ConcurrentQueue::bounded(2) }
    }
}

impl Exchange {
    /// Has the thread go on with this board; one that it has not taken yet is replaced.
    ///
    /// # Errors
    /// A board that cannot be measured with.
    pub(super) fn offer(&self, board: Board) -> Result<(), BoardError> {
        let meter = Box::new(Meter::new(board)?);
        // Neither queue is ever closed.
        let _ = self.spent.pop();
        let _ = self.fresh.force_push(meter);
        Ok(())
    }

    /// For the thread, between two intervals. True: `meter` is a new one, which knows nothing yet.
    pub(super) fn take(&self, meter: &mut Meter) -> bool {
        let Ok(mut fresh) = self.fresh.pop() else { return false };
        core::mem::swap(meter, &mut fresh);
        let _ = self.spent.push(fresh);
        true
    }
}
