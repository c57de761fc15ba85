//! The live stream: pictures as they come, a sign of life between them, an end with the login.

use crate::support::client::Client;
use crate::support::rooms::site;
use crate::support::{Box, error_code};
use dlb::web::Settings;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(client: &Client) -> Self {
        let mut socket = client.open();
        socket.write_all(client.text("GET", "/api/v1/live", "", None).as_bytes()).unwrap();
        Self(BufReader::new(socket))
    }

    /// The next line that starts so; `None` if the stream ends before.
    fn line(&mut self, start: &str) -> Option<String> {
        let mut line = String::new();
        while self.0.read_line(&mut line).unwrap() > 0 {
            if line.starts_with(start) {
                return Some(line.trim_end().to_owned());
            }
            line.clear();
        }
        None
    }

    fn site_name(&mut self) -> Option<String> {
        let data = self.line("data: ")?;
        let site: serde_json::Value = serde_json::from_str(&data["data: ".len()..]).unwrap();
        site["name"].as_str().map(str::to_owned)
    }
}

#[test]
fn a_change_on_the_site_is_on_the_page_at_once() {
    let it = Box::set_up(Settings::default());
    let mut stream = Stream::open(&it.operator());
    assert_eq!(stream.line("content-type"), Some("content-type: text/event-stream".into()));
    assert_eq!(stream.site_name(), Some("Office".into()));
    std::thread::sleep(Settings::default().stream_step);
    let changed = Instant::now();
    it.live.publish(Arc::new(site("Depot")));
    assert_eq!(stream.site_name(), Some("Depot".into()));
    let took = changed.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_thousand_changes_in_a_moment_are_a_few_pictures_and_the_last_is_right() {
    let it = Box::set_up(Settings::default());
    let mut stream = Stream::open(&it.operator());
    assert_eq!(stream.site_name(), Some("Office".into()));
    for number in 0..1000 {
        it.live.publish(Arc::new(site(&format!("site {number}"))));
    }
    let mut pictures = 0;
    while stream.site_name().unwrap() != "site 999" {
        pictures += 1;
    }
    assert!(pictures < 5, "{pictures} pictures before the last one");
}

#[test]
fn a_silent_site_still_shows_that_the_stream_is_alive() {
    let settings = Settings { stream_heartbeat: Duration::from_millis(50), ..Settings::default() };
    let it = Box::set_up(settings);
    let mut stream = Stream::open(&it.operator());
    assert!(stream.site_name().is_some());
    for _ in 0..3 {
        assert_eq!(stream.line(":"), Some(": still here".into()));
    }
}

#[test]
fn the_stream_ends_with_its_login() {
    let it = Box::set_up(Settings::default());
    let client = it.operator();
    let mut stream = Stream::open(&client);
    assert!(stream.site_name().is_some());
    assert_eq!(client.post("/api/v1/logout", "").status, 200);
    it.live.publish(Arc::new(site("after the logout")));
    it.live.publish(Arc::new(site("and again")));
    let mut more = 0;
    while stream.site_name().is_some() {
        more += 1;
        it.live.publish(Arc::new(site("and again")));
    }
    assert!(more <= 1, "{more} pictures after the logout");
}

#[test]
fn streams_are_bounded_and_a_closed_one_makes_room() {
    let settings =
        Settings { streams: 2, stream_heartbeat: Duration::from_millis(50), ..Settings::default() };
    let it = Box::set_up(settings);
    let client = it.operator();
    let mut open: Vec<_> = (0..2).map(|_| Stream::open(&client)).collect();
    assert!(open.iter_mut().all(|stream| stream.site_name().is_some()));
    let refused = client.get("/api/v1/live");
    assert_eq!((refused.status, error_code(&refused)), (503, "busy".into()));
    drop(open.pop());
    let until = Instant::now() + Duration::from_secs(10);
    let again = loop {
        let mut stream = Stream::open(&client);
        if stream.line("HTTP/1.1 ").is_some_and(|line| line.contains("200")) {
            break Some(stream);
        }
        if Instant::now() > until {
            break None;
        }
    };
    assert!(again.is_some());
}

#[test]
fn a_server_that_ends_closes_its_streams() {
    let it = Box::set_up(Settings::default());
    let mut stream = Stream::open(&it.operator());
    assert!(stream.site_name().is_some());
    it.server.shutdown();
    let mut rest = String::new();
    let ended = stream.0.read_line(&mut rest);
    assert!(matches!(ended, Ok(0) | Err(_)) || rest.trim().is_empty(), "{rest}");
}
