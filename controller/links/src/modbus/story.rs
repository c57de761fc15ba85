//! Test equipment: devices as register tables behind a port, and a clock that is moved by hand.

use super::wire::{Fault, Function, Request};
use super::{Port, PortNotice};
use dlb_engine::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// A device that answers from its registers, whatever the table.
#[derive(Debug, Default)]
pub(super) struct Device {
    pub(super) registers: BTreeMap<u16, u16>,
    /// Unplugged, switched off.
    pub(super) absent: bool,
    /// Addresses that answer "no such register".
    pub(super) refuses: BTreeSet<u16>,
    /// Writes that are mirrored elsewhere: written address to the address that shows it, as two words.
    pub(super) shows: BTreeMap<u16, u16>,
    pub(super) written: Vec<(Instant, u16, Vec<u16>)>,
}

/// A port, what is on it and the time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) port: Port,
    pub(super) now: Instant,
    pub(super) devices: BTreeMap<u8, Device>,
    pub(super) down: bool,
    pub(super) asked: Vec<(Instant, Request)>,
    pub(super) notices: Vec<(Instant, PortNotice)>,
    /// How long an answer takes, and how long one waits for none.
    pub(super) answer_takes: Duration,
    pub(super) timeout: Duration,
}

impl Device {
    pub(super) fn set(&mut self, address: u16, words: &[u16]) {
        for (nth, word) in (0..).zip(words) {
            self.registers.insert(address + nth, *word);
        }
    }

    pub(super) fn set_u32(&mut self, address: u16, value: u32) {
        self.set(address, &[(value >> 16) as u16, value as u16]);
    }

    pub(super) fn set_f32(&mut self, address: u16, value: f32) {
        self.set_u32(address, value.to_bits());
    }

    fn answer(&mut self, now: Instant, function: &Function) -> Result<Vec<u16>, Fault> {
        if self.absent {
            return Err(Fault::Timeout);
        }
        match function {
            Function::ReadHolding { address, count } | Function::ReadInput { address, count } => {
                self.read(*address, *count)
            }
            Function::WriteSingle { address, value } => self.write(now, *address, &[*value]),
            Function::WriteMultiple { address, values } => self.write(now, *address, values),
        }
    }

    fn read(&self, address: u16, count: u16) -> Result<Vec<u16>, Fault> {
        let range = address..=address.saturating_add(count - 1);
        if range.clone().any(|it| self.refuses.contains(&it)) {
            return Err(Fault::Exception(2));
        }
        Ok(range.map(|it| self.registers.get(&it).copied().unwrap_or(0)).collect())
    }

    fn write(&mut self, now: Instant, address: u16, words: &[u16]) -> Result<Vec<u16>, Fault> {
        if self.refuses.contains(&address) {
            return Err(Fault::Exception(2));
        }
        self.written.push((now, address, words.to_vec()));
        self.set(address, words);
        if let (Some(shown), [value]) = (self.shows.get(&address).copied(), words) {
            self.set_u32(shown, u32::from(*value));
        }
        Ok(Vec::new())
    }
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            port: Port::new(),
            now: Instant::from_millis(1_000),
            devices: BTreeMap::new(),
            down: false,
            asked: Vec::new(),
            notices: Vec::new(),
            answer_takes: Duration::from_millis(20),
            timeout: Duration::from_millis(500),
        }
    }

    /// Lets time pass; the port is served as the program would serve it.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.collect();
            if let Some(request) = self.port.next_request() {
                self.serve(request);
            } else {
                match self.port.deadline() {
                    Some(at) if at <= end => self.now = at.max(self.now + Duration::from_micros(1)),
                    _ => break,
                }
                self.port.handle_timeout(self.now);
            }
            if self.now >= end {
                break;
            }
        }
        self.collect();
        self.now = self.now.max(end);
        self.port.handle_timeout(self.now);
    }

    pub(super) fn run_s(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Lets time pass until there is a request, and leaves it unanswered.
    pub(super) fn next_request(&mut self) -> Request {
        for _ in 0..1000 {
            if let Some(request) = self.port.next_request() {
                return request;
            }
            self.now = self.port.deadline().expect("a port with devices has a deadline").max(self.now);
            self.port.handle_timeout(self.now);
        }
        panic!("the port asks for nothing");
    }

    pub(super) fn serve(&mut self, request: Request) {
        self.asked.push((self.now, request.clone()));
        let answer = match self.devices.get_mut(&request.unit) {
            _ if self.down => Err(Fault::Disconnected),
            Some(device) => device.answer(self.now, &request.function),
            None => Err(Fault::Timeout),
        };
        let takes = if answer == Err(Fault::Timeout) { self.timeout } else { self.answer_takes };
        self.now = self.now + takes;
        self.port.answered(self.now, answer);
        self.collect();
    }

    /// The notices so far, which are then forgotten.
    pub(super) fn told(&mut self) -> Vec<PortNotice> {
        self.notices.drain(..).map(|(_, notice)| notice).collect()
    }

    fn collect(&mut self) {
        while let Some(notice) = self.port.next_notice() {
            self.notices.push((self.now, notice));
        }
    }
}
