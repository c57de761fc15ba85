//! A line goes over its limit: how long until lowered limits are on the wire? Through the whole program, from the
//! waveform at the clamps to the bytes at the chargers' sockets. The distribution over a thousand breaches is made by
//! `tests/bench/run breach`; this is its short form, with a bound for a machine that does other things beside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod peers;
mod rig;
mod wave;

use std::time::Duration;

/// Far above what it takes (see `tests/bench/RESULTS.md`), far below what a fuse or a utility would notice.
const GENEROUS: Duration = Duration::from_secs(2);

#[test]
fn eight_breaches_are_answered_on_both_wires() {
    std::thread::scope(|sites| {
        for seed in 1..=4 {
            sites.spawn(move || two(seed));
        }
    });
}

fn two(seed: u64) {
    let mut rig = rig::Rig::start(seed, false);
    assert_eq!(rig.lull(), 0, "a charger is lowered though nothing happens");
    for breach in 1..=2 {
        let answer = rig.breach().unwrap_or_else(|| panic!("breach {breach}: a charger was never lowered"));
        assert!(answer.ocpp < GENEROUS && answer.modbus < GENEROUS, "breach {breach}: {answer:?}");
    }
}
