//! A site in a box: building, sun, cars, chargers, meters, waveforms and fuses, seeded and deterministic.
//!
//! What stands on the other side of the real drivers and protocols: charge points that speak OCPP in
//! text frames ([`ocpp`]), chargers and meters that are a file of Modbus registers ([`modbus`]), the
//! voltage at an ADC input ([`waveform`]). Sockets, threads and clocks belong to whoever runs it.
//!
//! Two times run side by side. What is electrical or protocol (dead times, ramps, watchdogs, intervals)
//! runs in `now`. What is scenario (time of day, sun, appliances, batteries filling, arrivals) may run
//! faster by a factor, so that a working day can be shown in minutes without a charger that reacts
//! sooner than it could. [`step::Step`] carries both.
//!
//! Same seed and same steps, same site, to the last bit ([`digest`]).

pub mod adc;
pub mod bay;
pub mod breath;
pub mod building;
pub mod car;
pub mod circuit;
pub mod closed_loop;
pub mod digest;
pub mod fleet;
pub mod garage;
pub mod judge;
pub mod modbus;
pub mod ocpp;
pub mod outlet;
pub mod phasor;
pub mod pickup;
pub mod protection;
pub mod recording;
pub mod rng;
pub mod scenario;
pub mod step;
pub mod story;
pub mod sun;
pub mod truth;
pub mod waveform;
pub mod world;
