//! From a frame on the bus to a reading nothing is allocated: proven by counting.
//!
//! What the simulated chip says is recorded first, since the chip itself allocates; then the recording is
//! played to driver, sampler and meter while an allocator counts.

#![expect(clippy::unwrap_used, reason = "a test that finds no frame must fail")]

use dlb_engine::lines::Line;
use dlb_engine::measure::{Board, Channel, ClampWatch, Filter, Kind, Meter};
use dlb_engine::time::{Duration, Instant};
use dlb_links::adc::ads131m::{Ads131m, Model, Settings};
use dlb_links::adc::sampler::Sampler;
use dlb_links::adc::{Edge, NotReady, ReadyLine};
use dlb_sim::adc::ads131m::Chip;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};
use std::alloc::{GlobalAlloc, Layout, System};
use std::convert::Infallible;
use std::f64::consts::TAU;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

struct Counting;

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNTED: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator can only be replaced so; it adds a count to the system's own")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            COUNTED.fetch_add(1, Ordering::Relaxed);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if COUNTING.load(Ordering::Relaxed) {
            COUNTED.fetch_add(1, Ordering::Relaxed);
        }
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CLOCK_HZ: u32 = 8_192_000;

fn wave(channel: usize, t: f64) -> f64 {
    let angle = TAU * 50.0 * t - TAU / 3.0 * (channel % 3) as f64;
    if channel < 3 { 0.1 * (angle - 0.4).sin() } else { 0.4 * angle.sin() }
}

fn board() -> Board {
    let channel = |at: usize| Channel {
        kind: if at < 3 { Kind::Current } else { Kind::Voltage },
        line: Line::ALL[at % 3],
        scale: 1e-4,
        lead: 0.01,
        delay_s: 0.0,
        noise: 1400.0,
    };
    Board {
        sample_rate_hz: 4000.0,
        code_min: -0x80_0000,
        code_max: 0x7F_FFFF,
        nominal_hz: 50.0,
        filter: Filter::Sinc3,
        channels: (0..6).map(channel).collect(),
    }
}

/// Writes down what a bus answers.
struct Tap<S>(S, Vec<u8>);

impl<S: SpiDevice> ErrorType for Tap<S> {
    type Error = S::Error;
}

impl<S: SpiDevice> SpiDevice for Tap<S> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), S::Error> {
        self.0.transaction(operations)?;
        for operation in operations {
            if let Operation::Transfer(received, _) = operation {
                self.1.extend_from_slice(received);
            }
        }
        Ok(())
    }
}

/// Plays it again.
struct Tape(Vec<u8>, usize);

impl ErrorType for Tape {
    type Error = Infallible;
}

impl SpiDevice for Tape {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        for operation in operations {
            if let Operation::Transfer(received, _) = operation {
                let end = self.1 + received.len();
                received.copy_from_slice(&self.0[self.1..end]);
                self.1 = end;
            }
        }
        Ok(())
    }
}

struct Clock(u64);

impl ReadyLine for Clock {
    fn wait(&mut self, _: Duration) -> Result<Edge, NotReady> {
        self.0 += 1;
        Ok(Edge { sequence: self.0, at: Instant(self.0 * 250) })
    }
}

fn settings() -> Settings {
    Settings::new(Model::M08, CLOCK_HZ, 4000, [1; 8]).unwrap()
}

fn recording(frames: usize) -> Vec<u8> {
    let (bus, ready, _) = Chip::new(Model::M08, CLOCK_HZ, wave, 37.0, 1).wired();
    let mut tap = Tap(bus, Vec::new());
    let mut sampler = Sampler::new(Ads131m::new(&mut tap, settings()), ready, 4000.0);
    for _ in 0..frames {
        sampler.next_sample().unwrap().unwrap();
    }
    drop(sampler);
    tap.1
}

#[test]
fn a_second_of_sampling_and_measuring_allocates_nothing() {
    let tape = Tape(recording(5000), 0);
    let mut sampler = Sampler::new(Ads131m::new(tape, settings()), Clock(0), 4000.0);
    let mut meter = Meter::new(board()).unwrap();
    let mut clamps = ClampWatch::new(meter.board());
    let (mut intervals, mut cycles) = (0, 0);
    for n in 0..4900_u32 {
        COUNTING.store(n >= 100, Ordering::Relaxed);
        let sample = sampler.next_sample().unwrap().unwrap();
        // A lost sample now and then, and one long gap.
        let lost = if n == 3000 { 40 } else { u32::from(n.is_multiple_of(777)) };
        let step = meter.push_after_loss(lost, &sample.codes);
        cycles += u32::from(step.cycle.is_some());
        if let Some(mut interval) = step.interval {
            clamps.judge(&mut interval);
            intervals += 1;
        }
    }
    COUNTING.store(false, Ordering::Relaxed);
    assert!(intervals >= 5 && cycles > 80, "{intervals} intervals, {cycles} cycles");
    assert_eq!(COUNTED.load(Ordering::Relaxed), 0, "allocations, and releases, between two frames");
    // The counter does count.
    COUNTING.store(true, Ordering::Relaxed);
    drop(std::hint::black_box(Box::new(1_u64)));
    COUNTING.store(false, Ordering::Relaxed);
    assert_eq!(COUNTED.load(Ordering::Relaxed), 2);
}
