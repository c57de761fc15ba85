//! Requests that lie about their length, or are too large to be one.

use crate::support::client::exchange;
use crate::support::{Box, resident};
use dlb::web::Settings;
use std::io::{Read, Write};
use std::time::Instant;

const LOGIN: &str = "POST /api/v1/login HTTP/1.1\r\nHost: dlb\r\nContent-Type: application/json\r\n";

/// Sends it, and expects this status and the end of the connection.
fn refused(it: &Box, request: &str) -> u16 {
    let started = Instant::now();
    let reply = exchange(it.address(), request.as_bytes());
    assert!(started.elapsed() < Settings::default().header_within, "waited for {request:.60}");
    assert_eq!(it.client().get("/api/v1/health").status, 200, "after {request:.60}");
    reply.status
}

#[test]
fn a_hundred_gigabytes_are_announced_and_nothing_is_kept_ready_for_them() {
    let it = Box::set_up(Settings::default());
    let before = resident();
    for path in ["/api/v1/login", "/api/v1/setup", "/api/v1/config", "/"] {
        for announced in ["100000000000", "18446744073709551613"] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: dlb\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n{{"
            );
            assert_eq!(refused(&it, &request), 413, "{path} {announced}");
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
}

#[test]
fn a_length_that_is_no_length_is_a_bad_request() {
    let it = Box::set_up(Settings::default());
    for length in ["18446744073709551615", "18446744073709551616", "-1", "+5", "5, 5", "0x10", "", "5 5"] {
        let status = refused(&it, &format!("{LOGIN}Content-Length: {length}\r\n\r\nhello"));
        assert!(matches!(status, 400 | 413 | 431), "{length:?}: {status}");
    }
}

#[test]
fn a_request_with_contradictory_lengths_is_refused_and_nothing_behind_it_is_read() {
    let it = Box::set_up(Settings::default());
    let behind = "GET /api/v1/health HTTP/1.1\r\nHost: dlb\r\n\r\n";
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n",
    ] {
        let request = format!("{LOGIN}{lengths}\r\n0\r\n\r\n{behind}{behind}");
        let reply = exchange(it.address(), request.as_bytes());
        assert!(matches!(reply.status, 400 | 411), "{lengths}: {reply:?}");
        assert!(!reply.text().contains("HTTP/1.1 "), "a second answer after {lengths}: {reply:?}");
    }
}

#[test]
fn headers_are_bounded_in_number_and_size() {
    let it = Box::set_up(Settings::default());
    let many = "X: y\r\n".repeat(65);
    assert_eq!(refused(&it, &format!("GET / HTTP/1.1\r\nHost: dlb\r\n{many}\r\n")), 431);
    let large = "y".repeat(20_000);
    assert_eq!(refused(&it, &format!("GET / HTTP/1.1\r\nHost: dlb\r\nX: {large}\r\n\r\n")), 431);
    let long = refused(&it, &format!("GET /{large} HTTP/1.1\r\nHost: dlb\r\n\r\n"));
    assert!(matches!(long, 414 | 431), "{long}");
}

#[test]
fn a_request_without_a_host_or_with_two_is_refused() {
    let it = Box::set_up(Settings::default());
    assert_eq!(refused(&it, "GET / HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(refused(&it, "GET / HTTP/1.1\r\nHost: dlb\r\nHost: evil.example\r\n\r\n"), 400);
}

#[test]
fn what_is_not_http_is_not_answered_as_if_it_were() {
    let it = Box::set_up(Settings::default());
    for bytes in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let status = refused(&it, bytes);
        assert!(matches!(status, 0 | 400), "{bytes:?}: {status}");
    }
    assert!(matches!(refused(&it, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0 | 400));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let it = Box::set_up(Settings::default());
    let mut stream = it.client().open();
    let one = "GET /api/v1/health HTTP/1.1\r\nHost: dlb\r\n\r\n";
    let last = "GET /api/v1/setup HTTP/1.1\r\nHost: dlb\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{}{last}", one.repeat(50)).as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 51);
    assert!(answers.ends_with('}') && answers.rfind("needs_password") > answers.rfind("balancing"));
}
