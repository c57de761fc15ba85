//! The thread that hashes passwords: one for all, so that the memory which a hash takes on purpose is
//! taken once, and neither the web thread nor the questions to other rooms wait for it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Hashes that may wait their turn.
const WAITING: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
pub(crate) struct Hashing {
    jobs: async_channel::Sender<Job>,
}

impl Hashing {
    /// The thread ends when this is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, queue) = async_channel::bounded::<Job>(WAITING);
        std::thread::Builder::new().name("password".into()).spawn(move || work(&queue))?;
        Ok(Self { jobs })
    }

    /// `None`: too many are waiting already.
    pub(crate) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (done, result) = async_channel::bounded(1);
        let job = move || {
            // Nobody may be waiting for the result any more.
            let _ = done.try_send(job());
        };
        self.jobs.try_send(Box::new(job)).ok()?;
        result.recv().await.ok()
    }
}

fn work(queue: &async_channel::Receiver<Job>) {
    while let Ok(job) = queue.recv_blocking() {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("hashing a password panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hashing;

    #[test]
    fn a_job_that_panics_takes_nobody_with_it() {
        let hashing = Hashing::start().unwrap();
        smol::block_on(async {
            assert_eq!(hashing.run(|| -> u8 { panic!("on purpose") }).await, None);
            assert_eq!(hashing.run(|| 7).await, Some(7));
        });
    }
}
