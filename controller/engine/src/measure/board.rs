//! What the arithmetic must know of a board: which channel carries what, and how much a code is worth.

use super::droop::{Droop, Filter};
use crate::lines::Line;

/// The most channels that a converter of ours has.
pub const CHANNELS_MAX: usize = 8;

/// A measuring interval at 50 Hz.
const TEN_CYCLES_S: f64 = 0.2;

/// A converter with what hangs on its channels. [`Board::check`] before use.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    pub sample_rate_hz: f64,
    /// Codes at the ends of the range; a sample there is taken as clipped.
    pub code_min: i32,
    pub code_max: i32,
    /// What the mains are expected to be until they have been measured.
    pub nominal_hz: f64,
    /// What takes of high frequencies before they are sampled, to be given back.
    pub filter: Filter,
    /// In the order of the codes of a frame.
    pub channels: Vec<Channel>,
}

/// One channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    pub kind: Kind,
    pub line: Line,
    /// Primary amperes or volts per code. Negative turns a clamp round that is on backwards.
    pub scale: f64,
    /// By how much the transformer's output leads, in radians at the fundamental.
    pub lead: f64,
    /// When this channel is sampled, in seconds after the first one of the frame.
    pub delay_s: f64,
    /// Variance of noise and quantisation, in codes².
    pub noise: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Current,
    Voltage,
    /// In the neutral conductor. Such a channel's line says nothing.
    NeutralCurrent,
    /// Of the neutral conductor against earth.
    NeutralVoltage,
}

impl Kind {
    #[must_use]
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Current | Self::NeutralCurrent)
    }

    #[must_use]
    pub const fn is_neutral(self) -> bool {
        matches!(self, Self::NeutralCurrent | Self::NeutralVoltage)
    }
}

impl Channel {
    /// The name of what it measures: a line's, or `N`.
    #[must_use]
    pub const fn conductor(&self) -> &'static str {
        if self.kind.is_neutral() { "N" } else { self.line.name() }
    }
}

/// Why a board cannot be measured with. The number is the channel's, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoardError {
    NoChannels,
    TooManyChannels(usize),
    /// Fewer than 16 samples in a cycle of 65 Hz.
    SampleRateTooLow(f64),
    /// Two channels measure the same thing.
    Twice(usize),
    /// A scale of zero, or a value that is not a number.
    NotANumber(usize),
    /// A filter whose corner is no frequency.
    Corner(f64),
    /// Sampled a whole sampling period or more after the first channel.
    DelayTooLong(usize),
}

impl Board {
    /// Lowest usable sampling rate: 16 samples in a cycle of 65 Hz.
    pub const SAMPLE_RATE_MIN_HZ: f64 = 1040.0;

    /// A filter below this takes so much that giving it back would be guessing.
    pub const CORNER_MIN_HZ: f64 = 500.0;

    /// # Errors
    /// The first thing that makes measuring impossible.
    pub fn check(&self) -> Result<(), BoardError> {
        if self.channels.is_empty() {
            return Err(BoardError::NoChannels);
        }
        if self.channels.len() > CHANNELS_MAX {
            return Err(BoardError::TooManyChannels(self.channels.len()));
        }
        if !(self.sample_rate_hz >= Self::SAMPLE_RATE_MIN_HZ && self.sample_rate_hz.is_finite()) {
            return Err(BoardError::SampleRateTooLow(self.sample_rate_hz));
        }
        if let Filter::Rc(corner) = self.filter
            && !(corner >= Self::CORNER_MIN_HZ && corner.is_finite())
        {
            return Err(BoardError::Corner(corner));
        }
        self.channels.iter().enumerate().try_for_each(|(at, channel)| self.check_channel(at, channel))
    }

    fn check_channel(&self, at: usize, channel: &Channel) -> Result<(), BoardError> {
        let numbers = [channel.scale, channel.lead, channel.delay_s, channel.noise];
        if channel.scale == 0.0 || numbers.iter().any(|number| !number.is_finite()) {
            return Err(BoardError::NotANumber(at));
        }
        if channel.delay_s < 0.0 || channel.delay_s * self.sample_rate_hz >= 1.0 {
            return Err(BoardError::DelayTooLong(at));
        }
        let same = |other: &Channel| other.kind == channel.kind && other.conductor() == channel.conductor();
        if self.channels[..at].iter().any(same) {
            return Err(BoardError::Twice(at));
        }
        Ok(())
    }

    /// Position of the channel that measures this.
    #[must_use]
    pub fn channel(&self, kind: Kind, line: Line) -> Option<usize> {
        self.channels.iter().position(|channel| channel.kind == kind && channel.line == line)
    }

    /// Below this many amperes a reading over ten cycles cannot be told from the noise: what is left of
    /// it once its mean square has been subtracted scatters by `σ²·√(2/N)`; three times that, as a current.
    #[must_use]
    pub fn noise_floor_a(&self, line: Line) -> Option<f64> {
        Some(self.floor(&self.channels[self.channel(Kind::Current, line)?]))
    }

    /// The same for any channel, in its own unit.
    #[must_use]
    pub fn floor(&self, channel: &Channel) -> f64 {
        let samples = TEN_CYCLES_S * self.sample_rate_hz;
        let noise = channel.noise * self.droop().noise_gain();
        let square = 3.0 * noise * (2.0 / samples).sqrt();
        square.sqrt() * channel.scale.abs()
    }

    pub(super) fn droop(&self) -> Droop {
        Droop::new(self.filter, self.sample_rate_hz)
    }

    #[must_use]
    pub fn has_voltage(&self) -> bool {
        self.channels.iter().any(|channel| channel.kind == Kind::Voltage)
    }
}

impl core::fmt::Display for BoardError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoChannels => write!(out, "the board has no channels"),
            Self::TooManyChannels(count) => {
                write!(out, "{count} channels; at most {CHANNELS_MAX} are possible")
            }
            Self::SampleRateTooLow(rate) => {
                write!(out, "sample_rate_hz {rate} is below {}", Board::SAMPLE_RATE_MIN_HZ)
            }
            Self::Corner(corner) => {
                write!(out, "a filter's corner at {corner} Hz is below {} Hz", Board::CORNER_MIN_HZ)
            }
            Self::Twice(at) => write!(out, "channel {at} measures what another one measures already"),
            Self::NotANumber(at) => write!(out, "channel {at} has a factor that is zero or not a number"),
            Self::DelayTooLong(at) => {
                write!(out, "channel {at} is sampled a whole sampling period after the first one, or more")
            }
        }
    }
}

impl core::error::Error for BoardError {}
