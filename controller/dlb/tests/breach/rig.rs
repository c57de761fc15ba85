//! A whole program with its two chargers, and breaches of its limit, one after the other.
//!
//! The program is the one that `dlb run` starts. Its converter is simulated below the real driver, at the pace of the
//! real world and never ahead of it; its chargers are behind real sockets. A load pushes each line
//! from just below its limit of 76 A to 1.3 times its limit; then it goes, and the cars get back what they had.
//!
//! That the breach is one, is seen in the samples themselves; that it is what lowers the chargers, by a look of the
//! same kind at which nothing happens ([`Rig::lull`]).

use super::peers::{self, Mailbag};
use super::wave::Mains;
use dlb::run::{Converter, Launch, Running};
use dlb::sampling::{BoardFile, simulated_closely};
use dlb_sim::rng::Rng;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) struct Rig {
    mains: Arc<Mains>,
    bag: Arc<Mailbag>,
    program: Option<Running>,
    peers: Vec<JoinHandle<()>>,
    rng: Rng,
    _directory: tempfile::TempDir,
}

/// How long each charger had to wait, from the breach's true start to the bytes at its socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) ocpp: Duration,
    pub(crate) modbus: Duration,
}

const BASE_A: f64 = 11.5;
const STEP_A: f64 = 23.3;
const LIMIT_A: f64 = 76.0;
/// How far above its limit a line is taken.
const BREACH: f64 = 1.3;
/// The load goes after this.
const LASTS: Duration = Duration::from_millis(300);
/// Samples are taken in bursts of this: less than a fifth of what the electronics would add.
const BURST: Duration = Duration::from_millis(1);

impl Rig {
    /// `real_time`: ask for the priority that the sampling thread has on the box.
    pub(crate) fn start(seed: u64, real_time: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let modbus = TcpListener::bind("127.0.0.1:0").unwrap();
        let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/boards/three-phase.toml");
        let config = directory.path().join("site.toml");
        std::fs::write(&config, site(&board, modbus.local_addr().unwrap().port())).unwrap();
        let data = directory.path().join("data");
        let mut program =
            Launch { config, data, converter: Converter::Brought, record: None }.start().unwrap();
        let (mains, bag) = (Mains::new(BASE_A), Arc::new(Mailbag::default()));
        let file = BoardFile::read(&board).unwrap();
        let source = simulated_closely(&file, mains.wave(), seed, BURST).unwrap();
        program.measure(&file, source, real_time).unwrap();
        let peers = peers::start(program.ocpp, modbus, &mains, &bag);
        let rng = Rng::new(seed);
        Self { mains, bag, program: Some(program), peers, rng, _directory: directory }
    }

    /// One breach. `None`: a charger was not told within five seconds.
    pub(crate) fn breach(&mut self) -> Option<Answer> {
        self.make_ready();
        let (began, answer) = self.answer_to(STEP_A, Duration::from_secs(5));
        std::thread::sleep(LASTS);
        let (before, after) = self.mains.around_step();
        self.mains.step_off();
        assert!(before <= LIMIT_A, "there was no breach to begin: {before} A");
        assert!((after / LIMIT_A - BREACH).abs() < 0.02, "a breach of {after} A");
        let since = |at: Instant| at.saturating_duration_since(began);
        match answer {
            [Some(ocpp), Some(modbus)] => Some(Answer { ocpp: since(ocpp), modbus: since(modbus) }),
            _ => None,
        }
    }

    /// As a breach, but nothing steps: how many chargers are lowered within half a second for some other reason.
    pub(crate) fn lull(&mut self) -> usize {
        self.make_ready();
        let (_, answer) = self.answer_to(0.0, Duration::from_millis(500));
        self.mains.step_off();
        answer.iter().flatten().count()
    }

    /// When the load came, and when each charger was told less after that.
    fn answer_to(&mut self, step: f64, within: Duration) -> (Instant, [Option<Instant>; 2]) {
        self.bag.chargers.iter().for_each(|note| note.lock().unwrap().1 = None);
        let began = self.mains.step_in(self.rng.between(0.03, 0.05), step);
        // What comes down by itself in the moment before is no answer.
        let told = |charger: usize| {
            let mut note = self.bag.chargers[charger].lock().unwrap();
            note.1 = note.1.filter(|at| *at >= began);
            note.1
        };
        let late = began + within;
        let mut answer = [None; 2];
        while answer.contains(&None) && Instant::now() < late {
            std::thread::sleep(Duration::from_millis(5));
            answer = [told(0), told(1)];
        }
        (began, answer)
    }

    /// Waits until both cars charge with so much that a breach must lower both.
    fn make_ready(&mut self) {
        let end = Instant::now() + Duration::from_secs(300);
        let mut calm_since = Instant::now();
        let calm = Duration::from_secs_f64(self.rng.between(0.3, 0.6));
        while calm_since.elapsed() < calm {
            let limits = [0, 1].map(|charger| self.bag.chargers[charger].lock().unwrap().0.unwrap_or(0.0));
            let ready = limits.iter().all(|limit| *limit >= 31.5) && self.is_steady(limits);
            if !ready {
                calm_since = Instant::now();
            }
            assert!(Instant::now() < end, "the cars do not charge: {limits:?}, {} A", self.mains.amps_now());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_steady(&self, limits: [f64; 2]) -> bool {
        let amps = self.mains.amps_now();
        amps <= LIMIT_A && amps >= BASE_A + limits[0] + limits[1] - 1.0
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // First the peers: the program's hanging up would be a fault to them.
        self.bag.over.store(true, Ordering::Relaxed);
        for peer in self.peers.drain(..) {
            let _ = peer.join();
        }
        if let Some(program) = self.program.take() {
            program.stop();
        }
    }
}

fn site(board: &Path, modbus: u16) -> String {
    format!(
        r#"version = 1
name = "Breaches"

[server]
page = "127.0.0.1:0"
ocpp = "127.0.0.1:0"

[policy]
raise_after_s = 1
meter_values_every_s = 1

[clamps]
board = "{}"

[[circuit]]
id = "grid"
limit_a = {LIMIT_A}
protection = {{ kind = "gG", rated_a = 80 }}

[[port]]
id = "garage"
tcp = "127.0.0.1:{modbus}"

[[meter]]
id = "main"
circuit = "grid"
source = "clamps"
assumed_load_a = 10

[[charger]]
id = "bay-1"
circuit = "grid"
ocpp = "CP-1"
rotation = "L1L2L3"
max_a = 32
step_a = 0.1

[[charger]]
id = "bay-2"
circuit = "grid"
port = "garage"
unit = 255
map = "keba-p30"
rotation = "L1L2L3"
max_a = 32
step_a = 0.1
"#,
        board.display()
    )
}
