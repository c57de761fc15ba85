//! Ten thousand broken requests. A program of its own, since it looks at its own memory and panics.
//! `DLB_SEED=N` repeats a run: `DLB_SEED=7 cargo test -p dlb --test web_mutations`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../web/support/mod.rs"]
mod support;

use dlb::web::Settings;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::client::{Client, parse};
use support::{Box, resident};

const REQUESTS: u64 = 10_000;
const WORKERS: u64 = 16;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn ten_thousand_broken_requests_break_nothing() {
    let seed = std::env::var("DLB_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    println!("DLB_SEED={seed}");
    count_panics_of_the_server();
    let short = Duration::from_millis(60);
    let settings = Settings { header_within: short, body_within: short, ..Settings::default() };
    let it = Arc::new(Box::set_up(settings));
    let operator = it.operator();
    let seeds: Arc<Vec<Vec<u8>>> = Arc::new(valid_requests(&operator));
    let site = answer_orders(&it);
    let before = resident();
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (it, seeds) = (it.clone(), seeds.clone());
            std::thread::spawn(move || attack(&it, &seeds, Dice(seed ^ (worker << 32))))
        })
        .collect();
    let answered: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    println!("{answered} of {REQUESTS} were answered");
    assert!(answered > 3000, "only {answered} requests were answered");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "the server panicked");
    let served = (0..100).any(|_| it.client().get("/api/v1/health").status == 200);
    assert!(served, "an honest client is not served any more");
    let grown = resident().saturating_sub(before);
    println!("{} KiB more", grown >> 10);
    assert!(grown < 64 << 20, "{grown} bytes more");
    it.orders.close();
    site.join().unwrap();
}

/// Threads of the server have these names; a test that fails is no panic of the server.
fn count_panics_of_the_server() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(std::boxed::Box::new(move |info| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        if name == "web" || name == "password" || name.starts_with("blocking") {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        usual(info);
    }));
}

/// Stands in for the site's thread.
fn answer_orders(it: &Box) -> std::thread::JoinHandle<()> {
    let orders = it.orders.clone();
    std::thread::spawn(move || {
        while let Ok(ordered) = orders.recv_blocking() {
            let _ = ordered.reply.try_send(Ok(()));
        }
    })
}

fn valid_requests(operator: &Client) -> Vec<Vec<u8>> {
    let json = "Content-Type: application/json\r\n";
    let matched = "Content-Type: application/json\r\nIf-Match: \"1\"\r\n";
    let gets = [
        "/",
        "/assets/index.js",
        "/api/v1/health",
        "/api/v1/site",
        "/api/v1/live",
        "/api/v1/config",
        "/api/v1/config/versions/1",
        "/api/v1/maps",
        "/api/v1/broker",
        "/api/v1/history?from_ms=0&to_ms=86400000&step_s=900",
        "/api/v1/sessions?from_ms=0&to_ms=1&charger=bay-1&limit=5",
        "/api/v1/sessions.csv",
        "/api/v1/events?about=main",
        "/api/v1/system",
        "/api/v1/metrics",
    ];
    let posts = [
        ("/api/v1/setup", r#"{"password":"correct horse"}"#),
        ("/api/v1/login", r#"{"password":"correct horse"}"#),
        ("/api/v1/order/strategy", r#"{"strategy":"first-come"}"#),
        ("/api/v1/order/site-limit", r#"{"limit_a":[40,32.5,0],"lasts_s":900}"#),
        ("/api/v1/order/charger-limit", r#"{"charger":"bay-1","limit_a":10.5}"#),
        (
            "/api/v1/order/departure",
            r#"{"charger":"bay-1","departs_ms":1795000000000,"energy_needed_kwh":12.5}"#,
        ),
        ("/api/v1/waiting/CP-9/adopt", r#"{"id":"bay-2","circuit":"grid","rotation":"unknown","max_a":16}"#),
        ("/api/v1/waiting/CP%209%2F%C3%BC/dismiss", ""),
        (
            "/api/v1/config/check",
            r#"{"version":1,"name":"Office","circuit":[{"id":"grid","limit_a":[63,63,63]}]}"#,
        ),
        ("/api/v1/config/versions/1/restore", ""),
    ];
    let put = r#"{"version":1,"name":"Office","circuit":[{"id":"grid","limit_a":63,"supply":{"system":"star","volts":230}}]}"#;
    let secrets = [
        ("/api/v1/broker/password", r#"{"password":"three brave otters"}"#),
        (
            "/api/v1/broker/authority",
            r#"{"pem":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}"#,
        ),
    ];
    let secrets = secrets.iter().map(|(path, body)| operator.text("PUT", path, json, Some(body)));
    let gets = gets.iter().map(|path| operator.text("GET", path, "Accept-Encoding: gzip\r\n", None));
    let posts = posts.iter().map(|(path, body)| operator.text("POST", path, json, Some(body)));
    let put = operator.text("PUT", "/api/v1/config", matched, Some(put));
    gets.chain(posts).chain(secrets).chain([put]).map(String::into_bytes).collect()
}

/// How many were answered.
fn attack(it: &Box, seeds: &[Vec<u8>], mut dice: Dice) -> usize {
    let mut answered = 0;
    for _ in 0..REQUESTS / WORKERS {
        let mut request = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(4) {
            mutate(&mut request, seeds, &mut dice);
        }
        answered += usize::from(send(it, &request));
    }
    answered
}

fn send(it: &Box, request: &[u8]) -> bool {
    let mut stream = TcpStream::connect(it.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let _ = stream.write_all(request);
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer).unwrap_or_default();
    if count == 0 {
        return false;
    }
    let reply = parse(&answer[..count]);
    let expected = matches!(reply.status, 100 | 200 | 304 | 400..=499 | 503);
    assert!(expected, "{reply:?}\nto {:?}", String::from_utf8_lossy(request));
    true
}

const WORDS: [&[u8]; 16] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: evil.example\r\n",
    b"Origin: http://evil.example\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"%00%ff%",
    b"\xff\xfe\xc3",
    b"9223372036854775808",
    b"-1e999",
    b"null",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"\\ud800\":",
];

fn mutate(request: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(request.len().max(1));
    match dice.below(8) {
        0 if !request.is_empty() => request[at] ^= 1 << dice.below(8),
        1 if !request.is_empty() => drop(request.remove(at)),
        2 => request.truncate(at),
        3 => drop(request.splice(at..at, WORDS[dice.below(WORDS.len())].iter().copied())),
        4 => drop(request.splice(at..at, vec![b'A'; dice.below(40_000)])),
        5 => {
            let end = (at + dice.below(200)).min(request.len());
            let part = request[at.min(end)..end].to_vec();
            drop(request.splice(at.min(end)..at.min(end), part));
        }
        6 => {
            let other = &seeds[dice.below(seeds.len())];
            request.truncate(at);
            request.extend_from_slice(&other[dice.below(other.len())..]);
        }
        _ => request.extend_from_slice(&seeds[dice.below(seeds.len())]),
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }
}
