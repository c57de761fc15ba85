//! Standing orders: what people and other systems asked for, until it ends.

use dlb_engine::lines::PerLine;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;

/// A lower limit for the whole site, with its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SiteLimit {
    pub(crate) limit: PerLine<Milliamps>,
    pub(crate) until: Instant,
}

/// Nobody may bind a site for longer than this without saying it again.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl SiteLimit {
    /// Downwards only: what is asked for above the site's own limit changes nothing.
    pub(crate) fn new(now: Instant, limit: PerLine<Milliamps>, lasts: Duration) -> Self {
        let limit = limit.map(|current| current.max(Milliamps::ZERO));
        Self { limit, until: now + lasts.min(LONGEST) }
    }

    pub(crate) fn apply(self, own: PerLine<Milliamps>) -> PerLine<Milliamps> {
        own.zip_with(self.limit, Milliamps::min)
    }
}
