//! The Modbus ports of a site: one task for each connection or RS-485 line. Every request that is
//! handed in is answered exactly once, also when its port goes away.

use super::ocpp_server::Incoming;
use crate::config::Port;
use crate::modbus::run_port;
use dlb_links::modbus::{Fault, Request};
use dlb_wiring::event::Event;
use dlb_wiring::settings::PortIx;
use std::rc::Rc;

/// The controller has one request under way on a port; the second place is for the moment between two
/// configurations.
const QUEUE: usize = 2;

pub struct PortPool {
    executor: Rc<smol::LocalExecutor<'static>>,
    incoming: async_channel::Sender<Incoming>,
    ports: Vec<OpenPort>,
}

struct OpenPort {
    setting: Port,
    requests: async_channel::Sender<Asked>,
    _task: smol::Task<()>,
}

/// A request and the debt of its answer.
struct Asked {
    request: Request,
    debt: Debt,
}

/// Pays with [`Fault::Disconnected`] when nothing better comes.
struct Debt {
    exchange: u64,
    incoming: async_channel::Sender<Incoming>,
    paid: bool,
}

impl PortPool {
    #[must_use]
    pub fn new(
        executor: Rc<smol::LocalExecutor<'static>>,
        incoming: async_channel::Sender<Incoming>,
        ports: &[Port],
    ) -> Self {
        let mut pool = Self { executor, incoming, ports: Vec::new() };
        pool.configure(ports);
        pool
    }

    /// Keeps the ports that are as they were, and opens the others anew.
    pub fn configure(&mut self, settings: &[Port]) {
        let mut old = std::mem::take(&mut self.ports);
        for setting in settings {
            let kept = old.iter().position(|port| port.setting.line == setting.line);
            let port = kept.map_or_else(|| self.open(setting), |place| old.swap_remove(place));
            self.ports.push(port);
        }
    }

    pub fn ask(&self, port: PortIx, exchange: u64, request: Request) {
        let debt = Debt { exchange, incoming: self.incoming.clone(), paid: false };
        if let Some(port) = self.ports.get(port.0) {
            // A refused request comes back with its debt, which is paid as it is dropped.
            let _ = port.requests.try_send(Asked { request, debt });
        }
    }

    fn open(&self, setting: &Port) -> OpenPort {
        let (requests, asked) = async_channel::bounded(QUEUE);
        let task = self.executor.spawn(serve(setting.clone(), asked));
        OpenPort { setting: setting.clone(), requests, _task: task }
    }
}

/// Runs one port: hands each request on and pays its debt with the answer.
async fn serve(setting: Port, asked: async_channel::Receiver<Asked>) {
    let (requests, wire_requests) = async_channel::bounded(1);
    let (wire_answers, answers) = async_channel::bounded(1);
    let exchange = async {
        while let Ok(Asked { request, debt }) = asked.recv().await {
            if requests.send(request).await.is_err() {
                return;
            }
            let answer = answers.recv().await.unwrap_or(Err(Fault::Disconnected));
            debt.pay(answer).await;
        }
    };
    futures_lite::future::or(exchange, run_port(setting.line, wire_requests, wire_answers)).await;
}

impl Debt {
    async fn pay(mut self, answer: Result<Vec<u16>, Fault>) {
        self.paid = true;
        let event = Event::ModbusAnswer { exchange: self.exchange, answer };
        let _ = self.incoming.send(Incoming::Event(event)).await;
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        if !self.paid {
            let event = Event::ModbusAnswer { exchange: self.exchange, answer: Err(Fault::Disconnected) };
            // A full queue loses it: the controller then finds the port silent and its devices lost.
            let _ = self.incoming.try_send(Incoming::Event(event));
        }
    }
}

impl std::fmt::Debug for PortPool {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("PortPool").field("ports", &self.ports.len()).finish_non_exhaustive()
    }
}
