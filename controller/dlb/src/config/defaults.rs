//! Every default of a configuration file, and every range, with its reason. Nowhere else is there one.

use core::ops::RangeInclusive;

/// What a value may be, and why.
#[derive(Clone, Debug)]
pub struct Range {
    pub allowed: RangeInclusive<f64>,
    pub unit: &'static str,
    pub why: &'static str,
}

impl Range {
    const fn new(low: f64, high: f64, unit: &'static str, why: &'static str) -> Self {
        Self { allowed: low..=high, unit, why }
    }
}

/// The version of the file format that this program writes.
pub const VERSION: u32 = 1;

pub const NAME: &str = "Site";
pub const PAGE: &str = "0.0.0.0:8080";
pub const OCPP: &str = "0.0.0.0:9000";
pub const MQTT_PORT: u16 = 1883;
pub const MQTT_TLS_PORT: u16 = 8883;
pub const MQTT_PREFIX: &str = "dlb";
pub const DISCOVERY_PREFIX: &str = "homeassistant";
pub const STAR_VOLTS: f64 = 230.0;
pub const MODBUS_TCP_PORT: u16 = 502;
pub const BAUD: u32 = 9600;
pub const STOP_BITS: u8 = 1;
pub const METER_EVERY_S: f64 = 1.0;
pub const LOST_AFTER_S: f64 = 10.0;
pub const OUTLET: u8 = 1;
/// IEC 61851-1 has no charging current below this.
pub const MIN_A: f64 = 6.0;
pub const STEP_A: f64 = 1.0;
pub const DC_MIN_KW: f64 = 5.0;
/// A DC charger is told watts, so its limit has no coarser step than this on the AC side.
pub const DC_STEP_A: f64 = 0.1;
/// Rating of a charger that joins before anybody has told it: what the smallest installation of a wall box
/// bears. The box cannot see the breaker and the cable of a charger, so it does not assume more.
pub const ADOPTED_MAX_A: f64 = 16.0;
pub const EFFICIENCY: f64 = 0.94;
pub const PRIORITY: u8 = 0;
pub const WEIGHT: f64 = 1.0;

/// Counts are bounded so that a hostile or mistaken file cannot fill the memory.
pub const MAX_CIRCUITS: usize = 500;
pub const MAX_PORTS: usize = 64;
pub const MAX_METERS: usize = 250;
pub const MAX_CHARGERS: usize = 1000;
pub const MAX_INPUTS: usize = 32;
pub const GPIO_CHIP: &str = "/dev/gpiochip0";
/// Depth of the tree of circuits.
pub const MAX_DEPTH: usize = 16;
/// A file longer than this is refused unread.
pub const MAX_FILE_BYTES: usize = 1 << 20;

pub const CIRCUIT_LIMIT_A: Range =
    Range::new(1.0, 6300.0, "A", "6300 A is the largest standard rating of a low-voltage breaker");
pub const PROTECTION_A: Range =
    Range::new(1.0, 6300.0, "A", "it is the rated current of a fuse or breaker, up to 6300 A");
pub const CIRCUIT_LIMIT_KW: Range = Range::new(0.1, 10_000.0, "kW", "no low-voltage connection carries more");
pub const CIRCUIT_LIMIT_KVA: Range =
    Range::new(0.1, 10_000.0, "kVA", "no low-voltage connection carries more");
pub const BALANCE_A: Range = Range::new(1.0, 6300.0, "A", "less leaves no car on one phase its minimum");
pub const TRANSFORMER_RATIO: Range =
    Range::new(0.01, 100.0, "", "it is the primary voltage over the secondary one, both line to line");
pub const INPUT_LIMIT_A: Range = Range::new(0.0, 6300.0, "A", "0 A switches all off that can be");
pub const INPUT_LIMIT_KW: Range = Range::new(0.0, 10_000.0, "kW", "0 kW switches all off that can be");
pub const DEBOUNCE_MS: Range = Range::new(
    0.0,
    10_000.0,
    "ms",
    "contacts bounce for some milliseconds; later, a limit would come too late",
);
pub const OUTPUT_AFTER_S: Range =
    Range::new(1.0, 600.0, "s", "sooner, every motor that starts would count; later, the fuse is quicker");
pub const OUTPUT_MARGIN_A: Range = Range::new(0.0, 1000.0, "A", "it is part of the circuit's limit");
pub const OUTPUT_AT_LEAST_S: Range = Range::new(0.0, 86_400.0, "s", "it spares what is switched");
pub const HOLD_S: Range = Range::new(2.0, 60.0, "s", "shorter would be a slip of the finger");
pub const SIMULTANEITY: Range = Range::new(0.0, 1.0, "", "a factor above 1 would be more than all devices");
pub const ASSUMED_LOAD_A: Range = Range::new(0.0, 6300.0, "A", "it is the most that other loads may draw");
pub const VOLTS: Range = Range::new(100.0, 690.0, "V", "mains supplies lie between 100 V and 690 V");
pub const METER_EVERY: Range =
    Range::new(0.1, 60.0, "s", "slower measurement cannot protect a fuse, faster is not answered");
pub const LOST_AFTER: Range =
    Range::new(1.0, 300.0, "s", "until then the site runs on the last reading, which a fuse must bear");
pub const MIN_CURRENT: Range =
    Range::new(6.0, 80.0, "A", "IEC 61851-1 has no charging current below 6 A or above 80 A");
pub const MAX_CURRENT: Range = MIN_CURRENT;
pub const STEP: Range =
    Range::new(0.01, 10.0, "A", "chargers round limits to between 0.1 A and a few amperes");
pub const DC_POWER: Range = Range::new(1.0, 1000.0, "kW", "DC chargers are built from a few kW to 1 MW");
pub const EFFICIENCY_RANGE: Range =
    Range::new(0.5, 1.0, "", "it is DC power divided by AC power, 0.94 is typical");
pub const PRIORITY_RANGE: Range = Range::new(0.0, 255.0, "", "0 is served first, 255 last");
pub const WEIGHT_RANGE: Range = Range::new(0.01, 100.0, "", "it is a share against others, 1 is ordinary");
pub const OUTLET_RANGE: Range = Range::new(1.0, 16.0, "", "outlets are counted from 1");
pub const UNIT_RANGE: Range = Range::new(1.0, 247.0, "", "Modbus units are 1 to 247");
pub const UNIT_TCP_RANGE: Range =
    Range::new(0.0, 255.0, "", "Modbus TCP units are 0 to 255, mostly 1 or 255");
pub const BAUD_RANGE: Range = Range::new(1200.0, 921_600.0, "baud", "meters use 9600 or 19200");
pub const STOP_BITS_RANGE: Range = Range::new(1.0, 2.0, "", "a serial line has 1 or 2 stop bits");
pub const RAISE_AFTER: Range = Range::new(
    1.0,
    3600.0,
    "s",
    "raising at once makes limits swing with every kettle, after an hour nobody charges",
);
pub const LIMIT_LIFETIME: Range = Range::new(
    20.0,
    3600.0,
    "s",
    "below 20 s a slow charger drops out between two renewals, and it is how long a dead box stays dangerous",
);
pub const METER_VALUES_EVERY: Range =
    Range::new(1.0, 900.0, "s", "faster floods the chargers, slower makes every charger count as full");
pub const DRAWN_VALID_FOR: Range =
    Range::new(2.0, 3600.0, "s", "it is how old a charger's own measurement may be");
