//! Runs a converter by its data-ready line and knows what was lost.
//!
//! Three things are watched: the count of edges (somebody was late), their times (the converter skipped a
//! conversion or its clock is off), and what the converter says of itself. After a fault that leaves it in
//! doubt the converter is started anew; the first frame after that says how many were lost.

use super::{CHANNELS_MAX, Codes, Converter, Edge, Fault, NotReady, ReadyLine};
use dlb_engine::time::{Duration, Instant};

/// A frame, and the conversions that were lost just before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub codes: Codes,
    pub lost: u32,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub frames: u64,
    /// Conversions that were never read.
    pub lost: u64,
    pub checksums: u64,
    pub repeated: u64,
    pub starts: u64,
    pub timeouts: u64,
    /// Times at which conversions and their edges did not keep step.
    pub slips: u64,
}

/// A converter with its data-ready line.
#[derive(Debug)]
pub struct Sampler<C, R> {
    converter: C,
    ready: R,
    period: Duration,
    up: bool,
    /// The last edge, and the last frame that was handed out.
    edge: Option<Edge>,
    given: Option<Instant>,
    pace: Option<Pace>,
    lost: u32,
    queued: Option<Codes>,
    bad_checksums: u32,
    pub counts: Counts,
}

/// After this many wrong checksums in a row the converter is started anew.
const CHECKSUMS_IN_A_ROW: u32 = 8;
/// Lost frames that nobody has counted: more than any reader bridges.
const MANY: u32 = 1000;
/// Longest wait for an edge, in sampling periods.
const PATIENCE: u32 = 40;

impl<C: Converter, R: ReadyLine> Sampler<C, R> {
    /// # Panics
    /// If the rate is not above zero.
    pub fn new(converter: C, ready: R, sample_rate_hz: f64) -> Self {
        assert!(sample_rate_hz > 0.0, "a sampler samples");
        Self {
            converter,
            ready,
            period: Duration::from_secs_f64(1.0 / sample_rate_hz),
            up: false,
            edge: None,
            given: None,
            pace: None,
            lost: 0,
            queued: None,
            bad_checksums: 0,
            counts: Counts::default(),
        }
    }

    /// The next frame. `None`: a conversion was lost, which the next frame will tell.
    ///
    /// # Errors
    /// The converter does not work; the next call starts it anew. Who calls waits a while before.
    pub fn next_sample(&mut self) -> Result<Option<Sample>, Fault> {
        if let Some(codes) = self.queued.take() {
            return Ok(Some(self.give(codes)));
        }
        if !self.up {
            self.start()?;
        }
        let edge = self.ready.wait(self.period * PATIENCE).map_err(|reason| self.silent(reason))?;
        let fresh = self.edge.map_or(1, |last| edge.sequence.saturating_sub(last.sequence));
        let slipped = self.pace.get_or_insert(Pace::new(edge, self.period)).slipped(edge);
        self.edge = Some(edge);
        if slipped {
            self.began_anew();
        }
        self.take(u32::try_from(fresh).unwrap_or(MANY))
    }

    /// Conversions are out of step with those before.
    fn began_anew(&mut self) {
        self.counts.slips += 1;
        self.pace = None;
        self.lost = self.lost.saturating_add(MANY);
    }

    fn start(&mut self) -> Result<(), Fault> {
        self.counts.starts += 1;
        self.converter.start()?;
        self.up = true;
        self.edge = None;
        self.pace = None;
        self.bad_checksums = 0;
        // Edges of the time before have nothing to do with what is read from now on.
        let edge = self.ready.wait(self.period * PATIENCE).map_err(|reason| self.silent(reason))?;
        self.edge = Some(edge);
        let read = if C::KEEPS > 0 { self.converter.read().map(drop) } else { Ok(()) };
        if self.given.is_some() || self.counts.starts > 1 {
            self.lost = MANY;
        }
        match read {
            Ok(()) | Err(Fault::Repeated | Fault::Resynchronised | Fault::Checksum) => Ok(()),
            Err(fault) => Err(self.down(fault)),
        }
    }

    fn silent(&mut self, reason: NotReady) -> Fault {
        self.counts.timeouts += 1;
        self.down(Fault::NotReady(reason))
    }

    fn down(&mut self, fault: Fault) -> Fault {
        self.up = false;
        self.queued = None;
        self.lost = MANY;
        fault
    }

    /// Reads what is there after `fresh` edges.
    fn take(&mut self, fresh: u32) -> Result<Option<Sample>, Fault> {
        if C::KEEPS > 0 && fresh > C::KEEPS {
            return self.drain(fresh);
        }
        let Some(first) = self.read()? else { return Ok(None) };
        if C::KEEPS == 0 {
            // It converts when it is read: this is the newest, the others never were.
            self.lost = self.lost.saturating_add(fresh.saturating_sub(1));
        } else if fresh == 2 {
            let sample = self.give(first);
            self.queued = self.read()?;
            return Ok(Some(sample));
        }
        Ok(Some(self.give(first)))
    }

    /// The converter's buffer has run over, and which conversions are in it is not known.
    fn drain(&mut self, fresh: u32) -> Result<Option<Sample>, Fault> {
        for _ in 0..C::KEEPS {
            match self.converter.read() {
                Ok(_) | Err(Fault::Repeated | Fault::Checksum) => {}
                Err(Fault::Resynchronised) => self.began_anew(),
                Err(fault) => return Err(self.down(fault)),
            }
        }
        self.lost = self.lost.saturating_add(fresh);
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<Codes>, Fault> {
        match self.converter.read() {
            Ok(codes) => {
                self.bad_checksums = 0;
                Ok(Some(codes))
            }
            Err(Fault::Checksum) => {
                self.counts.checksums += 1;
                self.bad_checksums += 1;
                self.lost = self.lost.saturating_add(1);
                if self.bad_checksums >= CHECKSUMS_IN_A_ROW {
                    Err(self.down(Fault::Checksum))
                } else {
                    Ok(None)
                }
            }
            Err(Fault::Repeated) => {
                // An edge without a conversion: from here on the count is not to be trusted.
                self.counts.repeated += 1;
                self.lost = self.lost.saturating_add(MANY);
                Ok(None)
            }
            // Its settings are as they were: setting it up anew would pulse the pin, and disturb whoever shares it.
            Err(Fault::Resynchronised) => {
                self.began_anew();
                Ok(None)
            }
            Err(fault) => Err(self.down(fault)),
        }
    }

    fn give(&mut self, codes: Codes) -> Sample {
        let at = self.edge.map_or(Instant(0), |edge| edge.at);
        let lost = core::mem::take(&mut self.lost);
        // Uncounted losses are told by the time that has gone by.
        let lost = if lost >= MANY { self.away(at).max(CHANNELS_MAX as u32) } else { lost };
        self.given = Some(at);
        self.counts.frames += 1;
        self.counts.lost += u64::from(lost);
        Sample { codes, lost }
    }

    fn away(&self, at: Instant) -> u32 {
        let gone = self.given.map_or(Duration::ZERO, |given| at.since(given));
        u32::try_from(gone.as_micros() / self.period.as_micros().max(1)).unwrap_or(u32::MAX)
    }

    pub fn ready(&mut self) -> &mut R {
        &mut self.ready
    }
}

/// Follows the edges slowly and sees when they are off for good, which a late interrupt is not.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Edge,
    period_us: f64,
    /// Mean deviation from the expected time.
    offset_us: f64,
    off: u32,
}

/// Deviation that counts, in sampling periods, and for how many edges in a row.
const OFF_BY: f64 = 0.6;
const OFF_FOR: u32 = 6;
/// Share of a deviation that is believed at once: follows a crystal's error, not a lost period.
const FOLLOWS: f64 = 1.0 / 64.0;

impl Pace {
    fn new(first: Edge, period: Duration) -> Self {
        Self { first, period_us: period.as_secs_f64() * 1e6, offset_us: 0.0, off: 0 }
    }

    fn slipped(&mut self, edge: Edge) -> bool {
        let periods = edge.sequence.saturating_sub(self.first.sequence) as f64;
        let expected = periods * self.period_us + self.offset_us;
        let deviation = edge.at.since(self.first.at).as_micros() as f64 - expected;
        if deviation.abs() < OFF_BY * self.period_us {
            self.offset_us += deviation * FOLLOWS;
            self.off = 0;
            return false;
        }
        self.off += 1;
        self.off >= OFF_FOR
    }
}
