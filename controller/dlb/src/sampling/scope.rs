//! The oscilloscope: the newest stretch of every channel and the newest measuring interval, for whoever
//! looks.
//!
//! The sampling thread writes and never waits: codes go into a ring of atomics, intervals into a bounded
//! queue that loses its oldest. Whoever reads copies and then makes sure that the ring has not come round
//! meanwhile; a reader that was overtaken gets nothing and tries again. No lock is shared with the writer.

use concurrent_queue::ConcurrentQueue;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::measure::{Board, CHANNELS_MAX, Finding, Findings, Interval, Kind, finding};
use dlb_engine::reading::{Doubt, Quality};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering, fence};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Frames in the ring: half a second at 4 kHz.
const FRAMES: usize = 2048;
/// The most that one look may take, so that the ring has not come round before it is copied.
const LOOK_MAX: usize = FRAMES / 2;
/// Intervals that wait for a reader; without one the oldest are dropped.
const INTERVALS: usize = 8;
/// A frame that was lost. No converter of ours has this code.
const LOST: i32 = i32::MIN;

/// Between one sampling thread and its readers.
#[derive(Debug)]
pub struct Scope {
    codes: Box<[AtomicI32]>,
    written: AtomicU64,
    intervals: ConcurrentQueue<Seen>,
    /// Readers only.
    newest: Mutex<Newest>,
}

/// An interval, and which clamps have been silent for long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) interval: Interval,
    pub(super) silent: PerLine<bool>,
}

/// What the readers know.
#[derive(Debug, Default)]
struct Newest {
    number: u64,
    at: Option<(Instant, Interval)>,
    findings: Findings,
}

/// The newest interval. Numbers grow with every interval that was seen.
#[derive(Clone, Copy, Debug)]
pub struct Latest {
    pub number: u64,
    pub seen_at: Instant,
    pub interval: Interval,
    pub findings: PerLine<Finding>,
}

/// Successive frames, oldest first; `None` where one was lost.
pub type Stretch = Vec<Option<[i32; CHANNELS_MAX]>>;

impl Default for Scope {
    fn default() -> Self {
        Self {
            codes: (0..FRAMES * CHANNELS_MAX).map(|_| AtomicI32::new(LOST)).collect(),
            written: AtomicU64::new(0),
            intervals: ConcurrentQueue::bounded(INTERVALS),
            newest: Mutex::default(),
        }
    }
}

impl Scope {
    /// Writes a frame that came after `lost` ones which never did. For the sampling thread alone.
    pub(crate) fn frame(&self, lost: u32, codes: &[i32]) {
        for _ in 0..lost.min(FRAMES as u32) {
            self.write(|_| LOST);
        }
        self.write(|at| codes.get(at).copied().unwrap_or(0));
    }

    fn write(&self, code: impl Fn(usize) -> i32) {
        let number = self.written.load(Ordering::Relaxed);
        // Whoever sees one of these codes also sees that all before them are written.
        fence(Ordering::Release);
        let start = number as usize % FRAMES * CHANNELS_MAX;
        for (at, kept) in self.codes[start..start + CHANNELS_MAX].iter().enumerate() {
            kept.store(code(at), Ordering::Relaxed);
        }
        self.written.store(number + 1, Ordering::Release);
    }

    /// Hands an interval to whoever looks.
    pub(super) fn interval(&self, seen: Seen) {
        // The queue is never closed.
        let _ = self.intervals.force_push(seen);
    }

    /// The newest `frames` frames. `None`: there are not so many yet, or the writer came round.
    #[must_use]
    pub fn stretch(&self, frames: usize) -> Option<Stretch> {
        let wanted = frames.min(LOOK_MAX) as u64;
        let end = self.written.load(Ordering::Acquire);
        let start = end.checked_sub(wanted)?;
        let stretch = (start..end).map(|number| self.read(number)).collect();
        fence(Ordering::Acquire);
        let overtaken = self.written.load(Ordering::Relaxed) >= start + FRAMES as u64;
        (!overtaken).then_some(stretch)
    }

    fn read(&self, number: u64) -> Option<[i32; CHANNELS_MAX]> {
        let start = number as usize % FRAMES * CHANNELS_MAX;
        let frame = core::array::from_fn(|at| self.codes[start + at].load(Ordering::Relaxed));
        (frame[0] != LOST).then_some(frame)
    }

    /// The newest interval, judged with those before it. `None`: none was seen yet.
    #[must_use]
    pub fn latest(&self, board: &Board) -> Option<Latest> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(seen) = self.intervals.pop() {
            let clipped = self.clipped(board, &seen.interval);
            newest.take(board, &seen, clipped);
        }
        let (seen_at, interval) = newest.at?;
        let findings = PerLine(Line::ALL.map(|line| newest.findings.said(line)));
        Some(Latest { number: newest.number, seen_at, interval, findings })
    }

    /// Which lines' currents were at the end of their range lately.
    fn clipped(&self, board: &Board, interval: &Interval) -> PerLine<bool> {
        let mut clipped = PerLine::all(false);
        if interval.quality != Quality::Bad(Doubt::Saturated) {
            return clipped;
        }
        for frame in self.stretch(LOOK_MAX).into_iter().flatten().flatten() {
            for (channel, code) in board.channels.iter().zip(frame) {
                let at_end = code <= board.code_min || code >= board.code_max;
                clipped[channel.line] |= at_end && channel.kind == Kind::Current;
            }
        }
        clipped
    }
}

impl Newest {
    fn take(&mut self, board: &Board, seen: &Seen, clipped: PerLine<bool>) {
        self.number += 1;
        self.at = Some((Instant::now(), seen.interval));
        for line in Line::ALL {
            let found = finding(&seen.interval, board, line, seen.silent[line], clipped[line]);
            self.findings.saw(line, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_reader_gets_the_newest_frames_in_order_and_sees_what_was_lost() {
        let scope = Scope::default();
        assert!(scope.stretch(3).is_none(), "nothing was written yet");
        (0..3000).for_each(|number| scope.frame(0, &[number, -number]));
        scope.frame(2, &[3000, -3000]);
        let codes = |frame: Option<[i32; CHANNELS_MAX]>| frame.map(|codes| (codes[0], codes[1], codes[2]));
        let seen: Vec<_> = scope.stretch(4).unwrap().into_iter().map(codes).collect();
        assert_eq!(seen, [Some((2999, -2999, 0)), None, None, Some((3000, -3000, 0))]);
    }

    #[test]
    fn a_reader_that_races_the_sampling_never_sees_a_mixture() {
        let (scope, stop) = (Arc::new(Scope::default()), Arc::new(AtomicBool::new(false)));
        let (writing, until) = (Arc::clone(&scope), Arc::clone(&stop));
        let writer = std::thread::spawn(move || {
            let mut number = 0;
            while !until.load(Ordering::Relaxed) {
                writing.frame(0, &[number; CHANNELS_MAX]);
                number = number.wrapping_add(1) & 0x7FFF_FFFF;
            }
        });
        let mut whole = 0;
        while whole < 200 {
            let Some(stretch) = scope.stretch(64) else { continue };
            let codes: Vec<_> = stretch.into_iter().map(Option::unwrap).collect();
            assert!(codes.iter().all(|frame| frame.iter().all(|code| *code == frame[0])));
            assert!(codes.windows(2).all(|pair| pair[1][0] == (pair[0][0] + 1) & 0x7FFF_FFFF));
            whole += 1;
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    }
}
