//! The sampling thread: reads the converter, measures, hands readings over. Nothing else.
//!
//! It runs with real-time priority on the box where that is allowed, and says so when it is not. Between
//! two readings it allocates nothing and takes no lock of ours; a reading that the site has no room for is
//! dropped and counted, never waited for. A mains cycle above a limit rings an [`alarm`].

pub mod alarm;
pub mod board;
mod exchange;
mod lateness;
mod on_box;
mod paced;
mod priority;
mod scope;
mod thread;

pub use board::{BoardFault, BoardFile};
pub(crate) use lateness::{Lateness, Told};
pub use on_box::{Unreachable, on_box};
pub use paced::{simulated, simulated_closely};
pub use scope::{Latest, Scope, Stretch};
pub use thread::{HandOver, Options, Probe, Sampling, SamplingFault, Tally, Watch, start};

use dlb_links::adc::sampler::{Counts, Sample, Sampler};
use dlb_links::adc::{Converter, Fault, ReadyLine};

/// Any converter with any ready line.
pub trait Source: Send {
    /// The next frame; see [`Sampler::next_sample`].
    ///
    /// # Errors
    /// The converter does not work.
    fn next_sample(&mut self) -> Result<Option<Sample>, Fault>;

    fn counts(&self) -> Counts;
}

impl<C: Converter + Send, R: ReadyLine + Send> Source for Sampler<C, R> {
    fn next_sample(&mut self) -> Result<Option<Sample>, Fault> {
        Self::next_sample(self)
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}
