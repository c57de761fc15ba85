//! A site in a box: cars, chargers, meters and waveforms, seeded and deterministic.

pub mod waveform;
