//! Clients that take their time: each way of being slow has its own bound.

use crate::support::Box;
use crate::support::client::{Reply, read_reply};
use dlb::web::Settings;
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(400);
const SOON: Duration = Duration::from_secs(5);

fn impatient() -> Settings {
    Settings { header_within: SHORT, body_within: SHORT, write_stalled: SHORT, ..Settings::default() }
}

/// Sends one byte after the other until the server has had enough.
fn crawl(stream: &mut TcpStream, bytes: impl Iterator<Item = u8>) -> (Reply, Duration) {
    let started = Instant::now();
    for byte in bytes {
        if stream.write_all(&[byte]).is_err() || started.elapsed() > SOON {
            break;
        }
        std::thread::sleep(SHORT / 10);
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        if !matches!(stream.peek(&mut [0]), Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock) {
            break;
        }
    }
    stream.set_read_timeout(Some(SOON)).unwrap();
    (read_reply(stream), started.elapsed())
}

#[test]
fn headers_that_crawl_in_end_the_connection() {
    let it = Box::set_up(impatient());
    let mut stream = it.client().open();
    let (_, took) =
        crawl(&mut stream, b"GET / HTTP/1.1\r\nX: ".iter().copied().chain(std::iter::repeat(b'x')));
    assert!((SHORT..SOON).contains(&took), "{took:?}");
}

#[test]
fn a_body_that_crawls_in_is_refused() {
    let it = Box::set_up(impatient());
    let mut stream = it.client().open();
    let head = "POST /api/v1/login HTTP/1.1\r\nHost: dlb\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let (reply, took) = crawl(&mut stream, std::iter::repeat(b' '));
    assert_eq!(reply.status, 408, "{reply:?}");
    assert!((SHORT..SOON).contains(&took), "{took:?}");
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let it = Box::set_up(impatient());
    let started = Instant::now();
    let nothing = it.client().open().read(&mut [0]);
    assert!(matches!(nothing, Ok(0) | Err(_)));
    assert!((SHORT..SOON).contains(&started.elapsed()), "{:?}", started.elapsed());
}

#[test]
fn a_kept_connection_serves_again_and_is_closed_when_it_idles() {
    let it = Box::set_up(impatient());
    let mut stream = it.client().open();
    let request = b"GET /api/v1/health HTTP/1.1\r\nHost: dlb\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(request).unwrap();
        let mut answer = [0; 2048];
        let count = stream.read(&mut answer).unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
    }
    let idle = Instant::now();
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    assert!(idle.elapsed() < SOON, "{:?}", idle.elapsed());
}

#[test]
fn a_client_that_stops_reading_loses_its_connection() {
    let it = Box::set_up(impatient());
    let operator = it.operator();
    // Far more than the sockets' own buffers hold.
    let path = "/api/v1/history?from_ms=0&to_ms=2500000&step_s=1";
    let whole = operator.get(path).body.len();
    assert!(whole > 8 << 20, "{whole} bytes");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.connect(&it.address().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(operator.text("GET", path, "", None).as_bytes()).unwrap();
    stream.set_read_timeout(Some(SOON * 4)).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    std::thread::sleep(SHORT * 4);
    let mut got = Vec::new();
    let _ = stream.read_to_end(&mut got);
    assert!(got.len() < whole, "{} of {whole} bytes although nobody read", got.len());
    assert_eq!(operator.get("/api/v1/site").status, 200);
}
