//! The cars that visit: kinds, not brands, with the figures that matter to a load balancer.

use crate::car::{CarModel, Inlet};
use dlb_engine::time::Duration;

/// Three phases at 16 A: the common case.
pub const HATCHBACK: CarModel = CarModel {
    name: "hatchback",
    inlet: Inlet::Ac { phases: 3 },
    max: 16.0,
    min: 6.0,
    battery_kwh: 58.0,
    reaction: Duration::from_millis(1500),
    ramp_up: 2.0,
    ramp_down: 20.0,
    power_factor: 0.99,
    efficiency: 0.92,
    taper_from: 0.95,
    wake_after: Duration::from_secs(4),
    wakes_after_pause: true,
};

/// Twice that, and in a hurry.
pub const VAN: CarModel = CarModel {
    name: "van",
    max: 32.0,
    battery_kwh: 75.0,
    reaction: Duration::from_millis(2500),
    ramp_up: 3.0,
    wake_after: Duration::from_secs(6),
    ..HATCHBACK
};

/// One phase, all that a single line gives.
pub const CITY_CAR: CarModel = CarModel {
    name: "city car",
    inlet: Inlet::Ac { phases: 1 },
    max: 32.0,
    battery_kwh: 36.0,
    reaction: Duration::from_millis(900),
    power_factor: 0.98,
    ..HATCHBACK
};

/// One phase and soon full.
pub const PLUG_IN_HYBRID: CarModel = CarModel {
    name: "plug-in hybrid",
    max: 16.0,
    battery_kwh: 12.0,
    reaction: Duration::from_millis(3500),
    taper_from: 0.9,
    ..CITY_CAR
};

/// Two phases.
pub const SALOON: CarModel = CarModel {
    name: "saloon",
    inlet: Inlet::Ac { phases: 2 },
    max: 16.0,
    battery_kwh: 82.0,
    reaction: Duration::from_millis(1200),
    ..HATCHBACK
};

/// Needs 8 A on three phases, and does not come back from a pause.
pub const OLD_HATCHBACK: CarModel = CarModel {
    name: "old hatchback",
    max: 32.0,
    min: 8.0,
    battery_kwh: 41.0,
    reaction: Duration::from_millis(3800),
    power_factor: 0.95,
    wakes_after_pause: false,
    ..HATCHBACK
};

/// On a DC charger: watts.
pub const LONG_DISTANCE: CarModel = CarModel {
    name: "long-distance car",
    inlet: Inlet::Dc,
    max: 120_000.0,
    min: 2_000.0,
    battery_kwh: 77.0,
    reaction: Duration::from_millis(1000),
    ramp_up: 4_000.0,
    ramp_down: 40_000.0,
    power_factor: 0.98,
    efficiency: 0.97,
    taper_from: 0.65,
    wake_after: Duration::from_secs(8),
    wakes_after_pause: true,
};

/// Cars for AC outlets.
pub const AC: &[CarModel] = &[HATCHBACK, VAN, CITY_CAR, PLUG_IN_HYBRID, SALOON, OLD_HATCHBACK];
