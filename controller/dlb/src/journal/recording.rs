//! The journal of the real thing. The site's thread never waits for a disk: lines go to a thread of
//! their own through a bounded channel, and where that is full, the recording ends and says so.

use super::{EventLine, Line, SiteText, to_text};
use crate::config::Checked;
use dlb_engine::time::Instant;
use dlb_wiring::event::{Effect, Event};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// A handle on the recording.
#[derive(Debug)]
pub struct Recording {
    lines: Option<SyncSender<String>>,
    site: SiteText,
}

/// Seconds of a busy site.
const QUEUE: usize = 4_096;
const FLUSH_EVERY: Duration = Duration::from_secs(1);

impl Recording {
    /// Starts with a program that starts.
    ///
    /// # Errors
    /// Where the file or the thread cannot be made.
    pub fn start(
        path: &Path,
        now: Instant,
        checked: &Checked,
        memories: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let file = File::create(path)?;
        let (send, lines) = sync_channel(QUEUE);
        std::thread::Builder::new().name("recording".to_owned()).spawn(move || keep(file, &lines))?;
        let mut this = Self { lines: Some(send), site: text_of(checked) };
        let site = this.site.clone();
        this.put(&Line::Start { at_us: now.0, site, memories: memories.clone() });
        Ok(this)
    }

    /// The configuration that the next event is about.
    pub fn configured(&mut self, checked: &Checked) {
        self.site = text_of(checked);
    }

    /// Takes an event down before the controller has it.
    #[must_use]
    pub fn event(&self, event: &Event) -> EventLine {
        EventLine::new(event, &self.site)
    }

    /// And what was done about it.
    pub fn effects(&mut self, now: Instant, event: EventLine, effects: &[Effect]) {
        let effects = effects.iter().map(|effect| format!("{effect:?}")).collect();
        self.put(&Line::Event { at_us: now.0, event, effects });
    }

    fn put(&mut self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        if lines.try_send(to_text(line)).is_err() {
            tracing::warn!("the recording cannot keep up and ends");
            self.lines = None;
        }
    }
}

fn text_of(checked: &Checked) -> SiteText {
    SiteText::Configuration(toml::to_string(&checked.file).expect("a site's file has a form in TOML"))
}

fn keep(file: File, lines: &Receiver<String>) {
    let mut out = BufWriter::new(file);
    loop {
        let written = match lines.recv_timeout(FLUSH_EVERY) {
            Ok(line) => writeln!(out, "{line}"),
            Err(RecvTimeoutError::Timeout) => out.flush(),
            Err(RecvTimeoutError::Disconnected) => {
                let _ = out.flush();
                return;
            }
        };
        if let Err(error) = written {
            tracing::warn!("the recording ends: {error}");
            return;
        }
    }
}
