//! The thread itself.

use super::exchange::Exchange;
use super::scope::{Scope, Seen};
use super::{Source, priority};
use crate::clock;
use crate::register::EnergyRegister;
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::measure::{Board, BoardError, ClampWatch, Cycle, Energy, Interval, Meter};
use dlb_engine::reading::{NoReading, Reading};
use dlb_links::adc::{Fault, NotReady};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A measurement that failed is tried again after this, and told about this often.
const PAUSE: Duration = Duration::from_millis(100);
/// How often losses are told about in the log.
const LOSSES_EVERY: u64 = 50;

/// What may differ from one use to the next.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ask for real-time priority: for the box, not for a simulation.
    pub real_time: bool,
    /// Where it is told what has happened.
    pub tally: Arc<Tally>,
    /// Where energy is counted on, and kept by whoever else holds it.
    pub register: Arc<EnergyRegister>,
}

/// What has happened, for whoever looks after the thread.
#[derive(Debug, Default)]
pub struct Tally {
    pub frames: AtomicU64,
    /// Conversions that were never read.
    pub lost: AtomicU64,
    pub starts: AtomicU64,
    /// Readings that the site had no room for.
    pub dropped: AtomicU64,
    pub real_time: AtomicBool,
}

/// A running sampling thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Sampling {
    tally: Arc<Tally>,
    probe: Probe,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What commissioning needs of the thread.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    pub scope: Arc<Scope>,
    pub tally: Arc<Tally>,
    exchange: Arc<Exchange>,
}

impl Probe {
    /// Goes on with other corrections from the next interval on. Energy is counted on.
    ///
    /// # Errors
    /// A board that cannot be measured with.
    pub fn remeasure(&self, board: Board) -> Result<(), BoardError> {
        self.exchange.offer(board)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SamplingFault {
    #[error("the board cannot be measured with: {0}")]
    Board(BoardError),
    #[error("starting the sampling thread")]
    Thread(#[from] std::io::Error),
}

/// Takes a reading to the site. `false`: there was no room.
pub type HandOver = Box<dyn FnMut(Result<Reading, NoReading>) -> bool + Send>;
/// Sees every half cycle the last whole one; must be quick.
pub type Watch = Box<dyn FnMut(&Cycle) + Send>;

/// Starts sampling. `hand_over` gets a reading every 200 ms, or the reason why there is none; `watch` a
/// cycle every 10 ms.
///
/// # Errors
/// A board that makes no sense, or no more threads.
pub fn start(
    source: Box<dyn Source>,
    board: Board,
    options: Options,
    hand_over: HandOver,
    watch: Watch,
) -> Result<Sampling, SamplingFault> {
    let meter = Meter::new(board).map_err(SamplingFault::Board)?;
    let tally = options.tally;
    let probe = Probe { scope: Arc::default(), exchange: Arc::default(), tally: Arc::clone(&tally) };
    let stop = Arc::new(AtomicBool::new(false));
    let mut running = Running {
        source,
        clamps: ClampWatch::new(meter.board()),
        meter,
        energy: resumed(&options.register),
        register: options.register,
        hand_over,
        watch,
        tally: Arc::clone(&tally),
        probe: probe.clone(),
        intervals: 0,
        told_lost: 0,
        trouble: None,
    };
    running.count();
    let until = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("sampling".into()).spawn(move || {
        if options.real_time {
            running.ask_for_priority();
        }
        while !until.load(Ordering::Relaxed) {
            running.step();
        }
    })?;
    Ok(Sampling { tally, probe, stop, thread: Some(thread) })
}

struct Running {
    source: Box<dyn Source>,
    meter: Meter,
    clamps: ClampWatch,
    energy: Energy,
    register: Arc<EnergyRegister>,
    hand_over: HandOver,
    watch: Watch,
    tally: Arc<Tally>,
    probe: Probe,
    intervals: u64,
    told_lost: u64,
    trouble: Option<Fault>,
}

impl Running {
    fn ask_for_priority(&self) {
        match priority::real_time() {
            Ok(()) => self.tally.real_time.store(true, Ordering::Relaxed),
            Err(why) => tracing::warn!(
                why,
                "no real-time priority for the sampling thread; a busy machine may lose samples. \
                 Allow it with LimitRTPRIO=50 or CAP_SYS_NICE"
            ),
        }
    }

    fn step(&mut self) {
        match self.source.next_sample() {
            Ok(None) => {}
            Ok(Some(sample)) => {
                self.probe.scope.frame(sample.lost, &sample.codes);
                let step = self.meter.push_after_loss(sample.lost, &sample.codes);
                if let Some(cycle) = step.cycle {
                    (self.watch)(&cycle);
                }
                if let Some(mut interval) = step.interval {
                    self.clamps.judge(&mut interval);
                    self.interval(&interval);
                    self.show(&interval);
                }
            }
            Err(fault) => self.failed(fault),
        }
    }

    fn interval(&mut self, interval: &Interval) {
        if let Some(fault) = self.trouble.take() {
            tracing::info!(was = %fault, "the converter works again");
        }
        let reads = interval.power_w();
        if let Some(watts) = reads
            && !matches!(interval.quality, dlb_engine::reading::Quality::Bad(_))
        {
            self.energy.count(watts, interval.lasted_s);
        }
        let energy = self.meter.board().has_voltage().then(|| self.register.told());
        let reading = interval.reading(clock::now(), energy.as_ref());
        self.intervals += 1;
        self.register.count(&self.energy);
        self.count();
        self.hand_over(Ok(reading));
    }

    /// To whoever commissions the site; and what they changed is taken up.
    fn show(&mut self, interval: &Interval) {
        let silent = PerLine(Line::ALL.map(|line| self.clamps.is_silent(line)));
        self.probe.scope.interval(Seen { interval: *interval, silent });
        if self.probe.exchange.take(&mut self.meter) {
            self.clamps = ClampWatch::new(self.meter.board());
        }
    }

    fn failed(&mut self, fault: Fault) {
        let _ = self.meter.broken(0);
        self.hand_over(Err(no_reading(&fault)));
        self.count();
        if self.trouble.as_ref() != Some(&fault) {
            tracing::warn!(%fault, "the converter does not work; trying again");
            self.trouble = Some(fault);
        }
        std::thread::sleep(PAUSE);
    }

    fn hand_over(&mut self, outcome: Result<Reading, NoReading>) {
        if !(self.hand_over)(outcome) {
            self.tally.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(&mut self) {
        let counts = self.source.counts();
        for (kept, value) in [
            (&self.tally.frames, counts.frames),
            (&self.tally.lost, counts.lost),
            (&self.tally.starts, counts.starts),
        ] {
            kept.store(value, Ordering::Relaxed);
        }
        if self.intervals.is_multiple_of(LOSSES_EVERY) && counts.lost > self.told_lost {
            tracing::warn!(
                lost = counts.lost - self.told_lost,
                frames = counts.frames,
                "samples were lost: the machine is too slow or the converter was away"
            );
            self.told_lost = counts.lost;
        }
    }
}

fn resumed(register: &EnergyRegister) -> Energy {
    let (imported, exported) = register.counted();
    Energy::resumed(imported, exported)
}

/// In the words that the site knows.
fn no_reading(fault: &Fault) -> NoReading {
    match fault {
        Fault::NotReady(NotReady::Timeout) => NoReading::Timeout,
        Fault::Bus(_) | Fault::Pin(_) | Fault::Absent { .. } | Fault::NotReady(NotReady::Broken(_)) => {
            NoReading::Disconnected
        }
        Fault::Settings(_) => NoReading::Refused,
        Fault::Register { .. }
        | Fault::Checksum
        | Fault::Repeated
        | Fault::Reset
        | Fault::Unsettled(_)
        | Fault::Resynchronised => NoReading::Garbled,
    }
}

impl Sampling {
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    #[must_use]
    pub fn probe(&self) -> &Probe {
        &self.probe
    }
}

impl Drop for Sampling {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sampling thread had panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BoardFile, simulated};
    use super::*;
    use dlb_engine::lines::Line;
    use dlb_engine::reading::Quality;
    use std::f64::consts::{SQRT_2, TAU};
    use std::path::Path;
    use std::sync::mpsc::{Receiver, sync_channel};

    /// 16 A on every line of the example board, which knows of clamps that lead by 0.9°.
    fn wave(channel: usize, t: f64) -> f64 {
        let angle = TAU * 50.0 * t - TAU / 3.0 * (channel % 3) as f64;
        match channel {
            0..3 => 16.0 * SQRT_2 * (angle + 0.9_f64.to_radians()).sin() / 2000.0 * 5.1,
            _ => 230.0 * SQRT_2 * angle.sin() / 700.0,
        }
    }

    fn run(room: usize) -> (Sampling, Receiver<Result<Reading, NoReading>>) {
        let (sampling, _, readings) = run_counting(room);
        (sampling, readings)
    }

    fn run_counting(room: usize) -> (Sampling, Arc<EnergyRegister>, Receiver<Result<Reading, NoReading>>) {
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        let file = BoardFile::parse(text, Path::new("board.toml")).unwrap().sampled();
        let (send, receive) = sync_channel(room);
        let register = Arc::new(EnergyRegister::resumed(3_600_000_000, 0));
        let options = Options { register: Arc::clone(&register), ..Options::default() };
        let source = simulated(&file, wave, 1).unwrap();
        let hand_over = Box::new(move |outcome| send.try_send(outcome).is_ok());
        let sampling = start(source, file.board().unwrap(), options, hand_over, Box::new(|_| {}));
        (sampling.unwrap(), register, receive)
    }

    #[test]
    fn readings_arrive_at_the_pace_of_the_world_and_energy_goes_on() {
        let (_sampling, register, readings) = run_counting(16);
        let began = std::time::Instant::now();
        let taken: Vec<Reading> =
            (0..4).map(|_| readings.recv_timeout(Duration::from_secs(10)).unwrap().unwrap()).collect();
        assert!(began.elapsed() > Duration::from_millis(800));
        for reading in &taken {
            assert_eq!(reading.quality, Quality::Good);
            assert!((reading.current[Line::L2].unwrap().0 - 16_000).abs() < 20, "{reading:?}");
            assert!((reading.power_total.unwrap().0 - 3 * 16 * 230).abs() < 10, "{reading:?}");
            assert_eq!(reading.imported.unwrap().0, 1000, "nothing newer has been kept");
        }
        let (energy, _) = register.counted();
        assert!(energy >= 3_600_000_000 + 4 * 2_207_000, "{energy}");
    }

    #[test]
    fn a_correction_is_taken_up_while_measuring_goes_on() {
        let (sampling, readings) = run(64);
        let amps = || {
            let reading = readings.recv_timeout(Duration::from_secs(10)).unwrap().unwrap();
            reading.current[Line::L1].unwrap().0
        };
        assert!((amps() - 16_000).abs() < 30);
        let text = include_str!("../../../../tests/boards/three-phase.toml");
        let mut file = BoardFile::parse(text, Path::new("board.toml")).unwrap().sampled();
        file.channels[0].gain_correction = 1.25;
        sampling.probe().remeasure(file.board().unwrap()).unwrap();
        let taken_up = (0..50).any(|_| (amps() - 20_000).abs() < 30);
        assert!(taken_up);
        let frames = sampling.probe().scope.stretch(80).unwrap();
        assert!(frames.iter().flatten().any(|codes| codes[3] > 1_000_000), "the wave of a voltage");
        let board = file.board().unwrap();
        // The reading is handed over just before the scope has its interval.
        let shown = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            let latest = sampling.probe().scope.latest(&board).unwrap();
            (latest.interval.lines[Line::L1].current_a.unwrap() - 20.0).abs() < 0.03
        });
        assert!(shown);
    }

    #[test]
    fn a_site_that_takes_nothing_does_not_hold_up_the_sampling() {
        let (sampling, readings) = run(1);
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while sampling.tally().dropped.load(Ordering::Relaxed) < 2 {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(readings.recv().unwrap().is_ok());
    }
}
