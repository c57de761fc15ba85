//! The watching of contacts over lines that a test holds.

use super::*;
use dlb_wiring::outputs::Drive;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Lines by number; a line that is not there cannot be had.
#[derive(Clone, Debug, Default)]
struct Board {
    levels: Arc<Mutex<BTreeMap<u32, bool>>>,
    edges: Arc<Mutex<Vec<async_channel::Sender<()>>>>,
    driven: Arc<Mutex<Vec<bool>>>,
}

/// What was driven, in order.
struct TestRelay(Board, Wiring);

struct TestLine(Board, Wiring, async_channel::Receiver<()>);

impl Board {
    fn set(&self, line: u32, level: Option<bool>) {
        let mut levels = self.levels.lock().unwrap();
        match level {
            Some(level) => _ = levels.insert(line, level),
            None => _ = levels.remove(&line),
        }
        self.edges.lock().unwrap().retain(|edge| edge.try_send(()).is_ok() || !edge.is_closed());
    }
}

fn gone(wiring: &Wiring) -> LineFault {
    LineFault { chip: wiring.chip.clone(), line: wiring.line, source: "no such line".into() }
}

impl OutputLine for TestRelay {
    fn set(&mut self, active: bool) -> Result<(), LineFault> {
        self.0
            .levels
            .lock()
            .unwrap()
            .contains_key(&self.1.line)
            .then_some(())
            .ok_or_else(|| gone(&self.1))?;
        self.0.driven.lock().unwrap().push(active);
        Ok(())
    }
}

impl Chips for Board {
    type Input = TestLine;
    type Output = TestRelay;

    fn output(&self, wiring: &Wiring) -> Result<TestRelay, LineFault> {
        Ok(TestRelay(self.clone(), wiring.clone()))
    }

    fn input(&self, wiring: &Wiring) -> Result<TestLine, LineFault> {
        let (send, edges) = async_channel::bounded(8);
        self.edges.lock().unwrap().push(send);
        let line = TestLine(self.clone(), wiring.clone(), edges);
        line.is_active().map(|_| line)
    }
}

impl InputLine for TestLine {
    fn is_active(&self) -> Result<bool, LineFault> {
        self.0.levels.lock().unwrap().get(&self.1.line).copied().ok_or_else(|| gone(&self.1))
    }

    async fn edge(&mut self) -> Result<(), LineFault> {
        self.2.recv().await.map_err(|_| gone(&self.1))
    }
}

fn wiring(id: &str, line: u32) -> Wiring {
    Wiring { id: id.into(), chip: "/dev/gpiochip0".into(), line, active_low: true, bias: Bias::PullUp }
}

/// Waits until this contact says this.
fn heard(site: &async_channel::Receiver<Incoming>, contact: &str, wanted: Level) {
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while std::time::Instant::now() < end {
        match site.try_recv() {
            Ok(Incoming::Event(Event::Input { input, level })) if input == contact && level == wanted => {
                return;
            }
            Ok(_) => {}
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("{contact} never said {wanted:?}");
}

fn contacts(wirings: &[(&str, u32)]) -> Plan {
    Plan { contacts: wirings.iter().map(|(id, line)| wiring(id, *line)).collect(), ..Plan::default() }
}

#[test]
fn a_contact_is_followed_lost_found_again_and_rewired() {
    let board = Board::default();
    board.set(17, Some(false));
    let (send, site) = async_channel::bounded(64);
    let watching = Contacts::start(board.clone(), contacts(&[("ripple", 17)]), send, || {}).unwrap();
    heard(&site, "ripple", Level::Inactive);
    board.set(17, Some(true));
    heard(&site, "ripple", Level::Active);
    board.set(17, None);
    heard(&site, "ripple", Level::Lost);
    board.set(17, Some(true));
    heard(&site, "ripple", Level::Active);

    board.set(18, Some(true));
    watching.plans().send_blocking(contacts(&[("key", 18)])).unwrap();
    heard(&site, "key", Level::Active);
    drop(watching);
    assert!(board.edges.lock().unwrap().iter().all(async_channel::Sender::is_closed), "lines are let go");
}

#[test]
fn a_button_that_is_held_resets_once() {
    let board = Board::default();
    board.set(4, Some(false));
    let (send, _site) = async_channel::bounded(64);
    let (told, held) = std::sync::mpsc::channel();
    let button =
        Button { wiring: wiring("button", 4), held_for: dlb_engine::time::Duration::from_millis(300) };
    let plan = Plan { button: Some(button), ..Plan::default() };
    let _watching = Contacts::start(board.clone(), plan, send, move || told.send(()).unwrap()).unwrap();
    // Seen open before it is pressed.
    std::thread::sleep(Duration::from_millis(1500));
    board.set(4, Some(true));
    held.recv_timeout(Duration::from_secs(30)).expect("it was held");
    assert!(held.recv_timeout(Duration::from_millis(2500)).is_err(), "once");
}

#[test]
fn a_relay_is_off_at_the_start_driven_again_after_a_loss_and_off_at_the_end() {
    let board = Board::default();
    board.set(22, Some(false));
    let (send, _site) = async_channel::bounded(64);
    let plan = Plan { relays: vec![wiring("boiler", 22)], ..Plan::default() };
    let watching = Contacts::start(board.clone(), plan, send, || {}).unwrap();
    let waits = |wanted: &[bool]| {
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while *board.driven.lock().unwrap() != wanted {
            assert!(std::time::Instant::now() < end, "{:?}", board.driven.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    waits(&[false]);
    watching.drives().set("boiler", Drive::On);
    waits(&[false, true]);
    drop(watching);
    waits(&[false, true, false]);
}
