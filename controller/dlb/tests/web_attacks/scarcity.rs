//! No file descriptors left. The server runs in a process of its own, which may have only a few.

use crate::support::client::Client;
use crate::support::{Box, PASSWORD};
use dlb::web::Settings;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const IS_SERVER: &str = "DLB_TEST_SERVER";
const NAME: &str = "scarcity::a_server_without_file_descriptors_recovers";

#[test]
fn a_server_without_file_descriptors_recovers() {
    if std::env::var_os(IS_SERVER).is_some() {
        return serve_until_told();
    }
    let command = format!("ulimit -n 40; exec \"$0\" --exact {NAME} --nocapture");
    let mut server = Command::new("sh")
        .args(["-c", &command])
        .arg(std::env::current_exe().unwrap())
        .env(IS_SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address = told_address(server.stdout.take().unwrap());
    for _ in 0..3 {
        let crowd: Vec<TcpStream> = (0..100).filter_map(|_| TcpStream::connect(address).ok()).collect();
        assert_eq!(crowd.len(), 100);
        std::thread::sleep(Duration::from_millis(200));
        let started = Instant::now();
        assert_eq!(Client::new(address).get("/api/v1/health").status, 200);
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    assert_eq!(Client::new(address).get("/api/v1/health").status, 200);
    server.stdin.take().unwrap().write_all(b"end\n").unwrap();
    assert!(server.wait().unwrap().success());
}

fn serve_until_told() {
    let it = Box::set_up(Settings::default());
    assert!(it.password.verify(PASSWORD));
    println!("listening on {}", it.address());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

fn told_address(stdout: impl Read + Send + 'static) -> SocketAddr {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let address =
        lines.by_ref().find_map(|line| line.split_once("listening on ").map(|(_, text)| text.parse()));
    // What else it says must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    address.expect("the server says where it listens").unwrap()
}
