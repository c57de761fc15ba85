//! The board file: what converter there is, how it is reached and what hangs on its channels.
//!
//! `tests/boards/three-phase.toml` has every key with its meaning. Parsed and checked here, once; the
//! arithmetic gets a `measure::Board`, the drivers their settings.

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, BoardError, CHANNELS_MAX, Channel, Filter, Kind};
use dlb_links::adc::{Fault, ads131m, mcp3xxx};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardFile {
    pub adc: String,
    pub sample_rate_hz: f64,
    pub full_scale_v: f64,
    #[serde(default = "fifty")]
    pub nominal_hz: f64,
    /// What the converter's own filter takes from harmonics, to be given back. Left out: what the converter has where
    /// our driver reads it ([`BoardFile::sampled`]), none where codes come from a file.
    pub filter: Option<FilterWord>,
    /// Corner of the resistor and the capacitor before every input of a multiplexed converter, to be given back, too.
    pub input_corner_hz: Option<f64>,
    /// Time between two channels of a multiplexed converter.
    #[serde(default)]
    pub channel_delay_s: f64,
    pub spi: Option<PathBuf>,
    pub spi_hz: Option<u32>,
    #[serde(default = "usual_clock")]
    pub clock_hz: u32,
    pub ready: Option<PinPart>,
    /// An ADS131M's SYNC/RESET pin. Converters on one line convert at the same instants.
    pub sync: Option<PinPart>,
    #[serde(rename = "channel")]
    pub channels: Vec<ChannelPart>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinPart {
    pub chip: PathBuf,
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPart {
    pub name: String,
    pub kind: KindWord,
    pub phase: PhaseWord,
    pub ratio: f64,
    pub burden_ohm: Option<f64>,
    #[serde(default = "one")]
    pub gain_correction: f64,
    #[serde(default)]
    pub phase_error_deg: f64,
    #[serde(default)]
    pub reversed: bool,
    #[serde(default = "unity")]
    pub gain: u8,
    /// RMS noise of this channel, where it is known better than from the data sheet.
    pub noise_codes: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum KindWord {
    Current,
    Voltage,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub enum PhaseWord {
    L1,
    L2,
    L3,
    /// The neutral conductor: its current, or its voltage against earth.
    N,
}

impl PhaseWord {
    /// Of the neutral conductor any.
    const fn line(self) -> Line {
        match self {
            Self::L1 | Self::N => Line::L1,
            Self::L2 => Line::L2,
            Self::L3 => Line::L3,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FilterWord {
    /// Codes are the waveform at one instant.
    None,
    /// They come out of the sinc³ filter of a sigma-delta converter.
    Sinc3,
}

/// The converter that a file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adc {
    Ads131m(ads131m::Model),
    Mcp3xxx(mcp3xxx::Model),
}

#[derive(Debug, thiserror::Error)]
pub enum BoardFault {
    #[error("reading the board file {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the board file {path}, line {line}: {what}")]
    Syntax { path: PathBuf, line: usize, what: String },
    #[error("adc \"{0}\" is not known; there are ads131m04, ads131m06, ads131m08, mcp3204, mcp3208, mcp3008")]
    Adc(String),
    #[error("{adc} has {possible} channels, {named} are named")]
    TooMany { adc: String, possible: usize, named: usize },
    #[error("channel \"{0}\" is named twice")]
    Name(String),
    #[error("channel \"{name}\": {key} {what}")]
    Channel { name: String, key: &'static str, what: &'static str },
    #[error("{key} {what}")]
    Value { key: &'static str, what: &'static str },
    #[error("the channels do not fit together: {0}")]
    Board(BoardError),
    #[error("the converter's settings: {0}")]
    Settings(Fault),
}

const fn fifty() -> f64 {
    50.0
}
const fn one() -> f64 {
    1.0
}
const fn unity() -> u8 {
    1
}
const fn usual_clock() -> u32 {
    8_192_000
}

/// Noise of the ADS131M08 at its input, by oversampling 128 to 16384 (rows) and gain 1 to 128, in
/// microvolts RMS; data sheet SBAS950B, table 7-1.
const NOISE_UV: [[f64; 8]; 8] = [
    [21.31, 15.26, 13.52, 7.89, 5.21, 3.41, 3.42, 3.42],
    [10.68, 9.56, 9.09, 5.42, 3.63, 2.39, 2.39, 2.40],
    [7.56, 6.62, 6.37, 3.82, 2.55, 1.69, 1.69, 1.69],
    [5.35, 4.68, 4.52, 2.70, 1.82, 1.20, 1.20, 1.20],
    [4.25, 3.91, 3.79, 2.27, 1.52, 1.00, 1.00, 1.00],
    [3.38, 2.99, 2.88, 1.74, 1.17, 0.77, 0.77, 0.77],
    [2.39, 2.13, 2.13, 1.29, 0.86, 0.57, 0.57, 0.57],
    [1.90, 1.69, 1.56, 0.95, 0.64, 0.42, 0.42, 0.42],
];

impl BoardFile {
    /// # Errors
    /// The file cannot be read, or says something that cannot be.
    pub fn read(path: &Path) -> Result<Self, BoardFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| BoardFault::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// # Errors
    /// As [`Self::read`]; `path` is named in them.
    pub fn parse(text: &str, path: &Path) -> Result<Self, BoardFault> {
        let file: Self = toml::from_str(text).map_err(|error| BoardFault::Syntax {
            path: path.to_owned(),
            line: 1 + text[..error.span().map_or(0, |span| span.start)].matches('\n').count(),
            what: error.message().replace('\n', ", "),
        })?;
        file.board()?;
        Ok(file)
    }

    /// # Errors
    /// The name is none of a converter.
    pub fn adc(&self) -> Result<Adc, BoardFault> {
        let ads = ads131m::Model::named(&self.adc).map(Adc::Ads131m);
        let mcp = || mcp3xxx::Model::named(&self.adc).map(Adc::Mcp3xxx);
        ads.or_else(mcp).ok_or_else(|| BoardFault::Adc(self.adc.clone()))
    }

    /// As our own drivers sample it: a sigma-delta converter never comes without its filter.
    #[must_use]
    pub fn sampled(mut self) -> Self {
        if matches!(self.adc(), Ok(Adc::Ads131m(_))) {
            self.filter.get_or_insert(FilterWord::Sinc3);
        }
        self
    }

    fn filter(&self) -> Filter {
        match (self.filter, self.input_corner_hz) {
            (Some(FilterWord::Sinc3), _) => Filter::Sinc3,
            (_, Some(corner)) => Filter::Rc(corner),
            _ => Filter::None,
        }
    }

    /// How an ADS131M is to convert.
    ///
    /// # Errors
    /// What it cannot do.
    pub fn ads131m_settings(&self, model: ads131m::Model) -> Result<ads131m::Settings, BoardFault> {
        let mut gains = [1; CHANNELS_MAX];
        gains.iter_mut().zip(&self.channels).for_each(|(gain, channel)| *gain = channel.gain);
        ads131m::Settings::new(model, self.clock_hz, self.sample_rate_hz as u32, gains)
            .map_err(BoardFault::Settings)
    }

    /// What the arithmetic needs.
    ///
    /// # Errors
    /// Values that cannot be, with their keys.
    pub fn board(&self) -> Result<Board, BoardFault> {
        let adc = self.adc()?;
        self.check(adc)?;
        let (code_min, code_max) = match adc {
            Adc::Ads131m(_) => (-0x80_0000, 0x7F_FFFF),
            Adc::Mcp3xxx(model) => (0, (1 << model.bits()) - 1),
        };
        let channels = self.channels.iter().enumerate().map(|(at, part)| self.channel(adc, at, part));
        let board = Board {
            sample_rate_hz: self.sample_rate_hz,
            code_min,
            code_max,
            nominal_hz: self.nominal_hz,
            filter: self.filter(),
            channels: channels.collect::<Result<_, _>>()?,
        };
        board.check().map_err(BoardFault::Board)?;
        Ok(board)
    }

    fn check(&self, adc: Adc) -> Result<(), BoardFault> {
        let positive = |key, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(BoardFault::Value { key, what: "must be above zero" }),
        };
        positive("sample_rate_hz", self.sample_rate_hz)?;
        positive("full_scale_v", self.full_scale_v)?;
        if !(45.0..=65.0).contains(&self.nominal_hz) {
            return Err(BoardFault::Value { key: "nominal_hz", what: "must be from 45 to 65" });
        }
        let possible = match adc {
            Adc::Ads131m(model) => model.channels(),
            Adc::Mcp3xxx(model) => model.channels(),
        };
        if self.channels.len() > possible {
            return Err(BoardFault::TooMany { adc: self.adc.clone(), possible, named: self.channels.len() });
        }
        for (at, channel) in self.channels.iter().enumerate() {
            if self.channels[..at].iter().any(|other| other.name == channel.name) {
                return Err(BoardFault::Name(channel.name.clone()));
            }
        }
        if matches!(adc, Adc::Ads131m(_)) && self.channel_delay_s != 0.0 {
            return Err(BoardFault::Value { key: "channel_delay_s", what: "is for multiplexed converters" });
        }
        if matches!(adc, Adc::Mcp3xxx(_)) && self.sync.is_some() {
            return Err(BoardFault::Value {
                key: "sync",
                what: "is a pin that this converter does not have",
            });
        }
        if matches!(adc, Adc::Mcp3xxx(_)) && self.filter == Some(FilterWord::Sinc3) {
            return Err(BoardFault::Value { key: "filter", what: "is none in this converter" });
        }
        if matches!(adc, Adc::Ads131m(_)) && self.input_corner_hz.is_some() {
            return Err(BoardFault::Value { key: "input_corner_hz", what: "is for multiplexed converters" });
        }
        Ok(())
    }

    fn channel(&self, adc: Adc, at: usize, part: &ChannelPart) -> Result<Channel, BoardFault> {
        let wrong = |key, what| BoardFault::Channel { name: part.name.clone(), key, what };
        for (key, value) in [("ratio", part.ratio), ("gain_correction", part.gain_correction)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(wrong(key, "must be above zero"));
            }
        }
        if !(-30.0..=30.0).contains(&part.phase_error_deg) {
            return Err(wrong("phase_error_deg", "must be within 30 degrees"));
        }
        if !part.gain.is_power_of_two() || matches!(adc, Adc::Mcp3xxx(_)) && part.gain != 1 {
            return Err(wrong("gain", "is not one that the converter has"));
        }
        if part.noise_codes.is_some_and(|codes| !(0.0..=1e6).contains(&codes)) {
            return Err(wrong("noise_codes", "must be zero or more"));
        }
        let (volts_per_code, noise_codes) = self.resolution(adc, part.gain);
        let primary = match (part.kind, part.burden_ohm) {
            (KindWord::Current, Some(ohm)) if ohm.is_finite() && ohm > 0.0 => part.ratio / ohm,
            (KindWord::Current, _) => return Err(wrong("burden_ohm", "must be given, above zero")),
            (KindWord::Voltage, None) => part.ratio,
            (KindWord::Voltage, Some(_)) => return Err(wrong("burden_ohm", "is for currents")),
        };
        let noise_codes = part.noise_codes.unwrap_or(noise_codes);
        let sign = if part.reversed { -1.0 } else { 1.0 };
        Ok(Channel {
            kind: match (part.kind, part.phase) {
                (KindWord::Current, PhaseWord::N) => Kind::NeutralCurrent,
                (KindWord::Voltage, PhaseWord::N) => Kind::NeutralVoltage,
                (KindWord::Current, _) => Kind::Current,
                (KindWord::Voltage, _) => Kind::Voltage,
            },
            line: part.phase.line(),
            scale: sign * volts_per_code * primary * part.gain_correction,
            lead: part.phase_error_deg.to_radians(),
            delay_s: at as f64 * self.channel_delay_s,
            noise: noise_codes * noise_codes + 1.0 / 12.0,
        })
    }

    /// Volts per code, and the converter's own noise in codes.
    fn resolution(&self, adc: Adc, gain: u8) -> (f64, f64) {
        match adc {
            Adc::Ads131m(_) => {
                let volts = self.full_scale_v / f64::from(gain) / 8_388_608.0;
                let modulations = f64::from(self.clock_hz) / 2.0 / self.sample_rate_hz;
                let row = (modulations / 128.0).log2().round().clamp(0.0, 7.0) as usize;
                (volts, NOISE_UV[row][gain.trailing_zeros() as usize % 8] * 1e-6 / volts)
            }
            Adc::Mcp3xxx(model) => (self.full_scale_v / f64::from(1_u32 << model.bits()), 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../tests/boards/three-phase.toml");

    fn parse(text: &str) -> Result<BoardFile, String> {
        BoardFile::parse(text, Path::new("board.toml")).map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_example_is_a_board_whose_full_scale_is_332_amperes() {
        let board = parse(EXAMPLE).unwrap().board().unwrap();
        assert_eq!(board.channels.len(), 6);
        let full = board.channels[0].scale * 8_388_608.0;
        assert!((full - 1.2 / 5.1 * 2000.0).abs() < 1e-9);
        assert!((board.channels[0].noise.sqrt() - 37.4).abs() < 0.1);
        assert!((board.channels[3].scale * 8_388_608.0 - 840.0).abs() < 1e-9);
    }

    #[test]
    fn a_mistake_is_named_with_its_key() {
        for (from, to, says) in [
            ("full_scale_v = 1.2", "full_scale = 1.2", "full_scale"),
            ("\"ads131m08\" ", "\"ads1115\" ", "ads1115"),
            ("\"ads131m08\" ", "\"ads131m04\" ", "has 4 channels, 6 are named"),
            ("\"i2\"", "\"i1\"", "named twice"),
            ("burden_ohm = 5.1\ngain", "burden_ohm = 0\ngain", "\"i1\": burden_ohm"),
            ("ratio = 700.0     ", "ratio = -700.0     ", "\"u1\": ratio"),
            ("phase = \"L2\"\nratio = 2000", "phase = \"L1\"\nratio = 2000", "measures what another one"),
            ("phase = \"L2\"", "phase = \"L4\"", "L4"),
            (
                "phase = \"L2\"\nratio = 700",
                "phase = \"N\"\nburden_ohm = 1\nratio = 700",
                "burden_ohm is for currents",
            ),
            ("sample_rate_hz = 4000", "sample_rate_hz = 500", "sample_rate_hz 500"),
            ("gain = 1 ", "gain = 3 ", "gain"),
            ("sync = { chip", "sync = { pin", "pin"),
            ("\"ads131m08\" ", "\"mcp3208\" ", "sync is a pin that this converter does not have"),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let said = parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
            assert!(said.contains(says), "{to}: {said}");
        }
    }
}
