//! The bell between the sampling thread and the site: a mains cycle above a limit rings it.
//!
//! On the sampling thread a breach costs a few atomic operations and, now and then, one write of eight bytes to an
//! event file descriptor: no allocation, no lock, no wait. What rings is not a queue: the largest currents since the
//! last look are kept, so nothing is ever full and nothing is lost. A breach that persists rings ten times a second,
//! sooner only where it grows.

use dlb_engine::lines::{Line, PerLine};
use dlb_engine::measure::Cycle;
use dlb_engine::units::Milliamps;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// A breach that goes on rings again after this, in the time of samples.
const AGAIN_AFTER_S: f64 = 0.1;
/// One that has grown by this share of the limit rings at once.
const GROWN_BY: f64 = 0.05;
const NOTHING: i32 = i32::MIN;
const NO_LIMIT: i32 = i32::MAX;

/// What has happened at the bell.
#[derive(Debug, Default)]
pub struct Rung {
    /// Mains cycles above a limit.
    pub cycles: AtomicU64,
    /// Times that the site was woken.
    pub rings: AtomicU64,
}

#[derive(Debug)]
struct Bell {
    limits: [AtomicI32; 3],
    peaks: [AtomicI32; 3],
    /// Rung and not yet listened to.
    pending: AtomicBool,
    rung: Rung,
    fd: OwnedFd,
}

/// The site's end.
#[derive(Debug)]
pub struct Alarm {
    bell: smol::Async<Shared>,
}

/// The sampling thread's end.
#[derive(Debug)]
pub struct Ringer {
    bell: Arc<Bell>,
    last: Option<(f64, f64)>,
}

#[derive(Clone, Debug)]
struct Shared(Arc<Bell>);

impl AsFd for Shared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

impl Alarm {
    /// # Errors
    /// The system has no more file descriptors.
    pub fn new() -> io::Result<Self> {
        let bell = Bell {
            limits: [NO_LIMIT; 3].map(AtomicI32::new),
            peaks: [NOTHING; 3].map(AtomicI32::new),
            pending: AtomicBool::new(false),
            rung: Rung::default(),
            fd: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
        };
        Ok(Self { bell: smol::Async::new_nonblocking(Shared(Arc::new(bell)))? })
    }

    #[must_use]
    pub fn ringer(&self) -> Ringer {
        Ringer { bell: Arc::clone(&self.bell.get_ref().0), last: None }
    }

    /// From the next cycle on these count. A line with a limit of zero is not there.
    pub fn watch(&self, limits: PerLine<Milliamps>) {
        for (kept, limit) in self.bell().limits.iter().zip(limits.0) {
            let limit = if limit > Milliamps::ZERO { limit.0 } else { NO_LIMIT };
            kept.store(limit, Ordering::Relaxed);
        }
    }

    /// Waits for a breach: the largest currents since the last one.
    pub async fn rung(&self) -> PerLine<Option<Milliamps>> {
        loop {
            if self.bell.readable().await.is_err() {
                // Without a bell the readings remain.
                return std::future::pending().await;
            }
            if let Some(peaks) = self.bell().take() {
                return peaks;
            }
        }
    }

    #[must_use]
    pub fn counts(&self) -> &Rung {
        &self.bell().rung
    }

    fn bell(&self) -> &Bell {
        &self.bell.get_ref().0
    }
}

impl Bell {
    fn take(&self) -> Option<PerLine<Option<Milliamps>>> {
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
        // Whoever rings from here on is heard again, with what the peaks then are.
        self.pending.store(false, Ordering::SeqCst);
        let peak = |peak: &AtomicI32| match peak.swap(NOTHING, Ordering::SeqCst) {
            NOTHING => None,
            milliamps => Some(Milliamps(milliamps)),
        };
        let peaks = PerLine(core::array::from_fn(|at| peak(&self.peaks[at])));
        peaks.0.iter().any(Option::is_some).then_some(peaks)
    }
}

impl Ringer {
    /// Takes every cycle; rings where one is above a limit.
    pub fn saw(&mut self, cycle: &Cycle) {
        let excess = self.excess(cycle);
        if excess <= 0.0 {
            return;
        }
        self.bell.rung.cycles.fetch_add(1, Ordering::Relaxed);
        for (line, amps) in cycle.current_a.iter() {
            if let Some(amps) = amps {
                self.bell.peaks[line.index()].fetch_max(Milliamps::from_amps_f64(amps).0, Ordering::SeqCst);
            }
        }
        let due = self.last.is_none_or(|(told_s, told)| {
            cycle.ended_s - told_s >= AGAIN_AFTER_S || excess >= told + GROWN_BY || cycle.ended_s < told_s
        });
        if due {
            self.last = Some((cycle.ended_s, excess));
            self.ring();
        }
    }

    /// The largest share of its limit that a line is above it.
    fn excess(&self, cycle: &Cycle) -> f64 {
        let share = |line: Line| {
            let limit = self.bell.limits[line.index()].load(Ordering::Relaxed);
            let amps = cycle.current_a[line].filter(|_| limit != NO_LIMIT)?;
            Some(1000.0 * amps / f64::from(limit) - 1.0)
        };
        Line::ALL.into_iter().filter_map(share).fold(0.0, f64::max)
    }

    fn ring(&self) {
        if !self.bell.pending.swap(true, Ordering::SeqCst) {
            self.bell.rung.rings.fetch_add(1, Ordering::Relaxed);
            let _ = rustix::io::write(&self.bell.fd, &1_u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::FutureExt;

    fn cycle(ended_s: f64, amps: f64) -> Cycle {
        Cycle { ended_s, current_a: PerLine([Some(10.0), Some(amps), None]), clipped: false }
    }

    fn alarm() -> (Alarm, Ringer) {
        let alarm = Alarm::new().unwrap();
        alarm.watch(PerLine::all(Milliamps(63_000)));
        let ringer = alarm.ringer();
        (alarm, ringer)
    }

    fn heard(alarm: &Alarm) -> Option<PerLine<Option<Milliamps>>> {
        let late = async {
            smol::Timer::after(std::time::Duration::from_millis(200)).await;
            None
        };
        smol::block_on(async { Some(alarm.rung().await) }.or(late))
    }

    #[test]
    fn a_cycle_above_the_limit_wakes_the_site_with_what_flowed() {
        let (alarm, mut ringer) = alarm();
        let waiting = std::thread::spawn(move || heard(&alarm));
        ringer.saw(&cycle(1.0, 62.9));
        ringer.saw(&cycle(1.01, 82.0));
        let peaks = waiting.join().unwrap();
        assert_eq!(peaks, Some(PerLine([Some(Milliamps(10_000)), Some(Milliamps(82_000)), None])));
    }

    #[test]
    fn a_breach_that_persists_rings_ten_times_a_second_and_loses_no_peak() {
        let (alarm, mut ringer) = alarm();
        let (mut rings, mut told) = (0, false);
        for at in 0..1000 {
            ringer.saw(&cycle(f64::from(at) / 100.0, if at == 502 { 65.5 } else { 65.0 }));
            let rung = alarm.bell().pending.load(Ordering::SeqCst);
            rings += u32::from(rung);
            if rung {
                let peaks = heard(&alarm).unwrap();
                let first_since = at >= 502 && !told;
                told |= first_since;
                let most = if first_since { 65_500 } else { 65_000 };
                assert_eq!(peaks[Line::L2], Some(Milliamps(most)), "{at}");
            }
        }
        assert!((90..=110).contains(&rings), "{rings}");
        assert_eq!(alarm.counts().cycles.load(Ordering::Relaxed), 1000);
    }

    #[test]
    fn a_breach_that_grows_does_not_wait() {
        let (alarm, mut ringer) = alarm();
        ringer.saw(&cycle(1.00, 66.0));
        assert!(heard(&alarm).is_some());
        ringer.saw(&cycle(1.01, 67.0));
        assert!(heard(&alarm).is_none(), "a little more is no news");
        ringer.saw(&cycle(1.02, 80.0));
        assert_eq!(heard(&alarm).unwrap()[Line::L2], Some(Milliamps(80_000)));
    }

    #[test]
    fn a_site_that_does_not_listen_finds_one_ring_with_the_highest_peak() {
        let (alarm, mut ringer) = alarm();
        for at in 0..500 {
            ringer.saw(&cycle(f64::from(at) / 100.0, 64.0 + f64::from(at % 100)));
        }
        assert_eq!(heard(&alarm).unwrap()[Line::L2], Some(Milliamps(163_000)));
        assert_eq!(heard(&alarm), None);
        assert_eq!(alarm.counts().rings.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_line_without_a_limit_and_an_exporting_line_ring_nothing() {
        let (alarm, mut ringer) = alarm();
        alarm.watch(PerLine([Milliamps(63_000), Milliamps::ZERO, Milliamps::ZERO]));
        ringer.saw(&cycle(1.0, 900.0));
        alarm.watch(PerLine::all(Milliamps(63_000)));
        ringer.saw(&cycle(1.1, -90.0));
        assert_eq!(heard(&alarm), None);
    }
}
