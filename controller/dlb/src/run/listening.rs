//! Where the program listens: told to the system around it, and moved when a saved configuration says so.
//!
//! What it refuses: an address that cannot be listened on, before anything is saved. A page that moved there
//! could never be reached again, and on an appliance nobody could mend that.

use crate::config::{Obstacles, Problem, Server, atomic};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// systemd names the unit's directory here (`RuntimeDirectory=`).
const DIRECTORY: &str = "RUNTIME_DIRECTORY";
const FILE: &str = "listening";

/// Leaves a note for whoever opens ports and looks after the page: a line `page ADDRESS`, a line `ocpp ADDRESS`.
pub(super) fn tell(page: SocketAddr, ocpp: SocketAddr) {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let path = std::path::Path::new(&directory).join(FILE);
    if let Err(error) = atomic::replace(&path, format!("page {page}\nocpp {ocpp}\n").as_bytes()) {
        tracing::warn!(%error, path = %path.display(), "telling where the program listens");
    }
}

/// Watches over the addresses that saved configurations name.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    present: Server,
    tell: async_channel::Sender<()>,
}

impl Moves {
    /// `present`: what the configuration in force names. The other end hears when a saved one names something else.
    pub(super) fn new(present: Server) -> (Self, async_channel::Receiver<()>) {
        let (tell, told) = async_channel::bounded(1);
        (Self { present, tell }, told)
    }

    /// For whoever saves.
    pub(super) fn into_obstacles(self) -> Obstacles {
        Box::new(move |checked| self.obstacles(&checked.server))
    }

    /// What cannot be listened on.
    fn obstacles(&self, wanted: &Server) -> Vec<Problem> {
        let named = [("server.page", wanted.page), ("server.ocpp", wanted.ocpp)];
        named.into_iter().filter_map(|(key, address)| self.obstacle(key, address)).collect()
    }

    fn obstacle(&self, key: &str, address: SocketAddr) -> Option<Problem> {
        let ours = [self.present.page, self.present.ocpp];
        if ours.contains(&address) {
            return None;
        }
        // A port of our own is free as soon as we move; the address beside it may still be wrong.
        let own_port = ours.iter().any(|present| present.port() == address.port());
        let tried = if own_port { SocketAddr::new(address.ip(), 0) } else { address };
        let error = TcpListener::bind(tried).err()?;
        Some(Problem {
            key: key.to_owned(),
            id: None,
            line: None,
            what: format!("is {address}, where this box cannot listen ({error})"),
            remedy: remedy(&error).to_owned(),
        })
    }

    /// A configuration is in force now.
    pub(super) fn saved(&self, server: &Server) {
        if *server != self.present {
            // Full: it was told before.
            let _ = self.tell.try_send(());
        }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "choose another port: a program uses this one",
        io::ErrorKind::PermissionDenied => "choose a port from 1024 to 65535",
        _ => "write 0.0.0.0 and a port, like 0.0.0.0:8080, to listen on every address of this box",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(page: &str, ocpp: &str) -> Server {
        Server { page: page.parse().unwrap(), ocpp: ocpp.parse().unwrap() }
    }

    #[test]
    fn an_address_that_is_taken_or_not_ours_is_refused_with_its_key() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = occupied.local_addr().unwrap();
        let (moves, _) = Moves::new(server(&taken.to_string(), "127.0.0.1:1"));
        let keys = |wanted: Server| {
            moves
                .obstacles(&wanted)
                .into_iter()
                .map(|problem| (problem.key, problem.remedy))
                .collect::<Vec<_>>()
        };
        let found = keys(Server { page: there, ocpp: "203.0.113.9:9000".parse().unwrap() });
        assert_eq!(found[0].0, "server.page");
        assert!(found[0].1.contains("another port"), "{found:?}");
        assert!(found[1].0 == "server.ocpp" && found[1].1.contains("0.0.0.0"), "{found:?}");
        // What we have ourselves, on another address or for the other purpose.
        let swapped = Server { page: "127.0.0.1:1".parse().unwrap(), ocpp: taken };
        assert_eq!(keys(swapped), []);
        let wider = Server { page: SocketAddr::new([0, 0, 0, 0].into(), taken.port()), ocpp: taken };
        assert_eq!(keys(wider), []);
    }

    #[test]
    fn only_another_address_is_a_move() {
        let present = server("127.0.0.1:8080", "127.0.0.1:9000");
        let (moves, told) = Moves::new(present);
        moves.saved(&present);
        assert!(told.try_recv().is_err());
        moves.saved(&server("127.0.0.1:8081", "127.0.0.1:9000"));
        moves.saved(&server("127.0.0.1:8082", "127.0.0.1:9000"));
        assert!(told.try_recv().is_ok() && told.try_recv().is_err());
    }
}
