//! `dlb demo` as a person starts it: the page answers, the chargers are there, the clamps measure, and
//! nothing is left behind.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Demo {
    child: Child,
    page: String,
    password: String,
    temporary: tempfile::TempDir,
}

impl Demo {
    fn start(more: impl FnOnce(&mut Command)) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dlb"));
        command.args(["demo", "--port", "0"]).env("TMPDIR", temporary.path()).stdout(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut after = |word: &str| loop {
            let line = lines.next().expect("the greeting goes on").expect("text");
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        };
        let page = after("http://").trim_end_matches('/').to_owned();
        let password = after("Password");
        // Somebody has to read the story.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, page, password, temporary }
    }

    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.page).expect("the page listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.page
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn log_in(&self) -> String {
        let body = format!(r#"{{"password":"{}"}}"#, self.password);
        let (head, _) = self.ask("POST", "/api/v1/login", "", &body);
        let cookie = head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:"));
        let cookie = cookie.expect("the password opens the page");
        cookie[11..].split(';').next().unwrap_or_default().trim().to_owned()
    }

    fn site(&self, cookie: &str) -> Value {
        let (_, body) = self.ask("GET", "/api/v1/site", cookie, "");
        let json = &body[body.find('{').unwrap_or(0)..=body.rfind('}').unwrap_or(body.len() - 1)];
        serde_json::from_str(json).unwrap_or(Value::Null)
    }

    /// Its exit status; `None`: it does not end.
    fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
        let end = Instant::now() + Duration::from_secs(15);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chargers(site: &Value) -> &[Value] {
    site["chargers"].as_array().map_or(&[], Vec::as_slice)
}

fn inside(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("it exists");
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Online, under control, and with a car that draws.
fn busy(site: &Value) -> (usize, usize, usize) {
    let all = chargers(site);
    let online = all.iter().filter(|charger| charger["online"] == true).count();
    let armed = all.iter().filter(|charger| charger["fallback_armed"] == true).count();
    let flows = |charger: &&Value| {
        let drawn = charger["drawn_a"].as_array().into_iter().flatten();
        drawn.filter_map(Value::as_f64).any(|amps| amps > 4.0)
    };
    (online, armed, all.iter().filter(flows).count())
}

/// Waits until all chargers are under control and some charge.
fn balancing(demo: &Demo) -> Value {
    let cookie = demo.log_in();
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let site = demo.site(&cookie);
        let seen = busy(&site);
        if seen.0 == 12 && seen.1 == 12 && seen.2 >= 3 {
            return site;
        }
        assert!(Instant::now() < end, "{seen:?}: {site}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn the_page_shows_a_busy_site_and_ctrl_c_leaves_nothing_behind() {
    let mut demo = Demo::start(|_| ());
    let (_, health) = demo.ask("GET", "/api/v1/health", "", "");
    assert!(health.contains(r#""status":"ok""#), "{health}");
    let site = balancing(&demo);
    assert_eq!(site["meters"][0]["quality"], "good", "the clamps measure: {}", site["meters"]);
    let volts = site["meters"][0]["voltage_v"][0].as_f64().unwrap_or_default();
    assert!((215.0..245.0).contains(&volts), "{volts} V");
    assert_eq!(inside(demo.temporary.path()).len(), 1);
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(inside(demo.temporary.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let mut demo = Demo::start(|command| {
        // A pipe is full after 64 KiB, long before the first charger is under control.
        command.env("RUST_LOG", "trace").stderr(Stdio::piped());
    });
    balancing(&demo);
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let output =
        Command::new(env!("CARGO_BIN_EXE_dlb")).args(["demo", "--port", &port]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&port), "{said}");
}
