//! The accuracy table: `cargo test -p dlb-engine --test metering table -- --nocapture` prints it.

use crate::accuracy::{LOADS, dirty, worst};
use crate::wave::{ADS131M08, Converter, MCP3208, Rig};

const SHARES: [f64; 7] = [0.001, 0.002, 0.01, 0.05, 0.2, 1.0, 1.2];

/// Worst errors of current and power, of reading, over frequencies and power factors.
fn row(converter: Converter, rated: f64, share: f64) -> (f64, f64) {
    let mut errors = (0.0_f64, 0.0_f64);
    for hz in [45.0, 50.0, 52.3, 60.0, 65.0] {
        for (_, angle) in LOADS {
            let (u, i) = dirty(230.0, rated * share, angle);
            let found = worst(&Rig::new(converter, rated).run(hz, &u, &i, 2.1, 7), hz, &u, &i);
            errors = (errors.0.max(found.current), errors.1.max(found.power));
        }
    }
    errors
}

#[test]
fn the_table_of_errors_keeps_its_promises() {
    println!("worst error of reading over 10 cycles, with harmonics, noise and quantisation");
    // Current and power at 1 %, and from 5 %.
    for (name, converter, aims) in [
        ("ADS131M08", ADS131M08, [(0.002, 0.002), (0.0005, 0.0005)]),
        ("MCP3208", MCP3208, [(0.01, 0.02), (0.003, 0.003)]),
    ] {
        for rated in [63.0, 200.0, 600.0] {
            for share in SHARES {
                let (current, power) = row(converter, rated, share);
                println!(
                    "{name:9} {rated:5} A clamp {:6.1} %: current {:8.4} %, power {:8.4} %",
                    share * 100.0,
                    current * 100.0,
                    power * 100.0
                );
                let aim = aims[usize::from(share >= 0.05)];
                assert!(share < 0.01 || current < aim.0 && power < aim.1, "{name} {rated} A {share}");
            }
        }
    }
}
