//! The waveform at the clamps of a whole site, with a step at a known instant.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

/// What flows in every line, in amperes RMS; shared with whoever moves it.
#[derive(Debug)]
pub(crate) struct Mains {
    began: Instant,
    base: Cell,
    /// What each charger draws.
    cars: [Cell; 2],
    step: Cell,
    /// In the time of samples; infinite: never.
    step_at: Cell,
    /// What flowed in the last sample before the step, and in the first one with it.
    before: Cell,
    stepped_to: Cell,
    now_s: Cell,
    /// Microseconds by which the wall is ahead of the samples' time, at least.
    ahead_us: AtomicI64,
}

/// A number that two threads share.
#[derive(Debug)]
struct Cell(AtomicU64);

impl Cell {
    const fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::SeqCst))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::SeqCst);
    }
}

impl Mains {
    pub(crate) fn new(base_a: f64) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            base: Cell::new(base_a),
            cars: [Cell::new(0.0), Cell::new(0.0)],
            step: Cell::new(0.0),
            step_at: Cell::new(f64::INFINITY),
            before: Cell::new(0.0),
            stepped_to: Cell::new(f64::NAN),
            now_s: Cell::new(0.0),
            ahead_us: AtomicI64::new(i64::MAX),
        })
    }

    /// Volts at the inputs of the example board: three clamps that lead by 0.9°, three taps.
    pub(crate) fn wave(self: &Arc<Self>) -> impl Fn(usize, f64) -> f64 + Send + 'static {
        use std::f64::consts::{SQRT_2, TAU};
        let mains = Arc::clone(self);
        move |channel, t| {
            if channel == 0 {
                mains.tick(t);
            }
            let angle = TAU * 50.0 * t - TAU / 3.0 * (channel % 3) as f64;
            match channel {
                0..3 => mains.amps(t) * SQRT_2 * (angle + 0.9_f64.to_radians()).sin() / 2000.0 * 5.1,
                _ => 230.0 * SQRT_2 * angle.sin() / 700.0,
            }
        }
    }

    fn tick(&self, t: f64) {
        self.now_s.set(t);
        if t < self.step_at.get() {
            self.before.set(self.amps(t));
        } else if self.stepped_to.get().is_nan() {
            self.stepped_to.set(self.amps(t));
        }
        let ahead = self.began.elapsed().as_micros() as i64 - (t * 1e6) as i64;
        // A machine that slept for half a second begins its time anew.
        if ahead > self.ahead_us.load(Ordering::SeqCst).saturating_add(450_000) {
            self.ahead_us.store(ahead, Ordering::SeqCst);
        }
        self.ahead_us.fetch_min(ahead, Ordering::SeqCst);
    }

    fn amps(&self, t: f64) -> f64 {
        let stepped = if t >= self.step_at.get() { self.step.get() } else { 0.0 };
        self.base.get() + stepped + self.cars[0].get() + self.cars[1].get()
    }

    pub(crate) fn amps_now(&self) -> f64 {
        self.amps(self.now_s.get())
    }

    pub(crate) fn draws(&self, charger: usize, amps: f64) {
        self.cars[charger].set(amps);
    }

    /// Another load of so much switches on, so long from now; answers when that is on the wall.
    pub(crate) fn step_in(&self, seconds: f64, amps: f64) -> Instant {
        let at = self.now_s.get() + seconds;
        self.step.set(amps);
        self.stepped_to.set(f64::NAN);
        self.step_at.set(at);
        let micros = (at * 1e6) as i64 + self.ahead_us.load(Ordering::SeqCst);
        self.began + std::time::Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    /// What flowed just before the last step, and just after it; not a number: it has not come yet.
    pub(crate) fn around_step(&self) -> (f64, f64) {
        (self.before.get(), self.stepped_to.get())
    }

    /// And off again.
    pub(crate) fn step_off(&self) {
        self.step_at.set(f64::INFINITY);
    }
}
