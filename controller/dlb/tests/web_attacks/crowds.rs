//! Too many at once.

use crate::support::client::Client;
use crate::support::{Box, resident};
use dlb::web::{GuestRule, Settings};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const SLOW: Duration = Duration::from_secs(1);

/// A connection from another address of this machine, half a request on it.
fn half_open(to: SocketAddr, from: [u8; 4]) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: d");
    stream
}

fn served_in_time(client: &Client, path: &str) {
    let started = Instant::now();
    let reply = client.get(path);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    assert!(started.elapsed() < SLOW, "{path} took {:?}", started.elapsed());
}

#[test]
fn three_hundred_half_open_connections_do_not_keep_an_honest_client_out() {
    let it = Box::set_up(Settings::default());
    let operator = it.operator();
    let before = resident();
    let mut crowd = Vec::new();
    for number in 0..300 {
        // From many addresses, and every tenth from the honest client's own.
        let last = if number % 10 == 0 { 1 } else { u8::try_from(number % 250).unwrap() + 2 };
        crowd.push(half_open(it.address(), [127, 0, 0, last]));
        if number % 50 == 49 {
            served_in_time(&operator, "/api/v1/site");
            served_in_time(&it.client(), "/");
        }
    }
    served_in_time(&operator, "/api/v1/site");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
}

#[test]
fn three_hundred_connections_of_one_address_do_not_keep_it_out_either() {
    let it = Box::set_up(Settings::default());
    let operator = it.operator();
    let crowd: Vec<_> = (0..300).map(|_| half_open(it.address(), [127, 0, 0, 1])).collect();
    served_in_time(&operator, "/api/v1/site");
    let text = operator.get("/api/v1/metrics").text();
    let open = text.lines().find_map(|line| line.strip_prefix("dlb_web_connections ")).unwrap();
    let open: usize = open.parse().unwrap();
    assert!(open <= GuestRule::default().per_address, "{open} of {} connections are kept", crowd.len());
}

#[test]
fn strangers_who_fetch_an_answer_slowly_make_room_for_the_operator() {
    let guests = GuestRule { at_most: 8, per_address: 8 };
    let it = Box::set_up(Settings { guests, ..Settings::default() });
    let operator = it.operator();
    let crowd: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = it.client().open();
            let head = "POST /api/v1/login HTTP/1.1\r\nHost: dlb\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    served_in_time(&operator, "/api/v1/site");
    drop(crowd);
}
