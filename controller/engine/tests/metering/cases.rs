//! Loads that the accuracy of metering is told for, and the worst that came of them.

use crate::wave::{Converter, Rig, Wave};
use dlb_engine::lines::Line;
use dlb_engine::measure::Interval;
use dlb_engine::reading::Quality;
use std::f64::consts::PI;

/// Worst errors over the intervals of a run: of reading, reactive power of apparent, frequency in hertz.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Worst {
    pub(crate) current: f64,
    pub(crate) voltage: f64,
    pub(crate) power: f64,
    pub(crate) reactive: f64,
    pub(crate) frequency_hz: f64,
    /// Intervals that were marked bad, and have no part in the others.
    pub(crate) bad: usize,
}

impl Worst {
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            current: self.current.max(other.current),
            voltage: self.voltage.max(other.voltage),
            power: self.power.max(other.power),
            reactive: self.reactive.max(other.reactive),
            frequency_hz: self.frequency_hz.max(other.frequency_hz),
            bad: self.bad + other.bad,
        }
    }
}

pub(crate) fn worst(intervals: &[Interval], hz: f64, u: &Wave, i: &Wave) -> Worst {
    assert!(intervals.len() >= 3, "only {} intervals", intervals.len());
    let apparent = u.rms() * i.rms();
    intervals.iter().fold(Worst::default(), |so_far, interval| {
        let line = interval.lines[Line::L1];
        so_far.with(match interval.quality {
            Quality::Bad(_) => Worst { bad: 1, ..Worst::default() },
            _ => Worst {
                current: (line.current_a.unwrap() / i.rms() - 1.0).abs(),
                voltage: (line.voltage_v.unwrap() / u.rms() - 1.0).abs(),
                power: (line.power_w.unwrap() / u.power_with(i) - 1.0).abs(),
                reactive: ((line.reactive_var.unwrap() - u.reactive_with(i)) / apparent).abs(),
                frequency_hz: (interval.frequency_hz.unwrap() - hz).abs(),
                bad: 0,
            },
        })
    })
}

pub(crate) const CLAMPS: [f64; 3] = [63.0, 200.0, 600.0];
pub(crate) const FREQUENCIES: [f64; 5] = [45.0, 49.9, 50.0, 60.0, 65.0];
pub(crate) const LOADS: [(&str, f64); 3] =
    [("1", 0.0), ("0.5 lagging", -PI / 3.0), ("0.8 leading", 0.643_501_1)];

/// Mains with what is usual in a building.
pub(crate) fn dirty(u_rms: f64, i_rms: f64, angle: f64) -> (Wave, Wave) {
    let u = Wave::sine(u_rms, 0.3).with(3.0, u_rms * 0.01, 1.0).with(5.0, u_rms * 0.03, 2.0);
    let i = Wave::sine(i_rms, 0.3 + angle)
        .with(3.0, i_rms * 0.2, 0.5)
        .with(5.0, i_rms * 0.15, 2.5)
        .with(7.0, i_rms * 0.08, 1.0)
        .with(13.0, i_rms * 0.03, 4.0);
    (u, i)
}

/// The worst of all power factors and frequencies, clean and with harmonics, at a share of a clamp's rating.
pub(crate) fn everyday(converter: Converter, rated: f64, share: f64, seconds: f64) -> Worst {
    let rig = Rig::new(converter, rated);
    let mut worst_of_all = Worst::default();
    for (at, hz) in FREQUENCIES.into_iter().enumerate() {
        for (_, angle) in LOADS {
            let clean = (Wave::sine(230.0, 0.3), Wave::sine(rated * share, 0.3 + angle));
            for (u, i) in [clean, dirty(230.0, rated * share, angle)] {
                let seed = 99 + at as u64 + rated as u64;
                worst_of_all = worst_of_all.with(worst(&rig.run(hz, &u, &i, seconds, seed), hz, &u, &i));
            }
        }
    }
    worst_of_all
}
