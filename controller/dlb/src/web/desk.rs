//! What every handler may use: the doors of the program, who is logged in, and the bounds.

use super::answer::Refusal;
use super::attempts::{AttemptRule, Attempts};
use super::doors::{DoorFault, Doors};
use super::guests::{GuestRule, Guests};
use super::hashing::Hashing;
use super::login_file::{LoginFile, Moment};
use super::logins::{LoginRule, Logins};
use super::password::PasswordStore;
use hyper::StatusCode;
use smol::Timer;
use smol::future::FutureExt;
use smol::lock::Semaphore;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The bounds of the server. The defaults suit a box on a local network; tests shorten the times.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub guests: GuestRule,
    pub logins: LoginRule,
    pub attempts: AttemptRule,
    /// From the first byte that may come to the end of the headers; also the longest idle time of a
    /// connection between two requests.
    pub header_within: Duration,
    pub header_bytes: usize,
    pub header_count: usize,
    pub body_within: Duration,
    pub body_bytes: usize,
    /// A client that takes no byte for this long is gone.
    pub write_stalled: Duration,
    /// The longest that a handler waits for another room of the program.
    pub answer_within: Duration,
    /// Live streams at once.
    pub streams: usize,
    /// Shortest time between two pictures of a live stream.
    pub stream_step: Duration,
    /// Streams of the clamps at once; each costs a little arithmetic for every picture.
    pub clamp_streams: usize,
    /// Time between two pictures of the clamps.
    pub clamp_step: Duration,
    /// A comment that keeps an otherwise silent live stream alive.
    pub stream_heartbeat: Duration,
    /// Without a new picture of the site for this long, the site does not count as balanced.
    pub picture_fresh: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            guests: GuestRule::default(),
            logins: LoginRule::default(),
            attempts: AttemptRule::default(),
            header_within: Duration::from_secs(5),
            header_bytes: 16 * 1024,
            header_count: 64,
            body_within: Duration::from_secs(10),
            body_bytes: 1024 * 1024,
            write_stalled: Duration::from_secs(20),
            answer_within: Duration::from_secs(10),
            streams: 50,
            stream_step: Duration::from_millis(200),
            clamp_streams: 4,
            clamp_step: Duration::from_millis(250),
            stream_heartbeat: Duration::from_secs(15),
            picture_fresh: Duration::from_secs(15),
        }
    }
}

/// Questions to slow rooms under way at once.
const QUESTIONS: usize = 4;

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) doors: Doors,
    pub(crate) settings: Settings,
    pub(crate) logins: Logins,
    login_file: LoginFile,
    pub(crate) attempts: Attempts,
    pub(crate) guests: Guests,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) clamp_streams: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    hashing: Hashing,
}

impl Desk {
    pub(crate) fn new(doors: Doors, settings: Settings) -> io::Result<Self> {
        let here = Moment::here();
        let login_file = LoginFile::new(&doors.data, here.now);
        Ok(Self {
            logins: Logins::new(settings.logins, login_file.read(&doors.password, here)),
            login_file,
            doors,
            settings,
            attempts: Attempts::new(settings.attempts),
            guests: Guests::new(settings.guests),
            streams: Arc::new(Semaphore::new(settings.streams)),
            clamp_streams: Arc::new(Semaphore::new(settings.clamp_streams)),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            hashing: Hashing::start()?,
        })
    }

    /// Asks a room that may take its time, on the blocking pool.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Doors) -> T + Send + 'static,
    {
        let answer = async {
            let place = self.questions.acquire_arc().await;
            let doors = self.doors.clone();
            // The place goes along: it stays taken while the question runs, even if nobody waits any more.
            smol::unblock(move || {
                let _place = place;
                question(&doors)
            })
            .await
        };
        within(self.settings.answer_within, answer).await.ok_or_else(too_slow)
    }

    /// As [`Desk::ask`], for what has to do with the password.
    pub(crate) async fn hash<T, F>(&self, question: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&PasswordStore) -> T + Send + 'static,
    {
        let password = self.doors.password.clone();
        let answer = self.hashing.run(move || question(&password));
        within(self.settings.answer_within, answer).await.flatten().ok_or_else(too_slow)
    }
}

impl Desk {
    /// Writes down who is logged in, for the time after a restart. A disk that refuses spoils no answer.
    pub(crate) async fn keep_logins(self: &Arc<Self>) {
        let desk = Arc::clone(self);
        let kept =
            self.ask(move |doors| desk.login_file.keep(&desk.logins, &doors.password, Moment::here())).await;
        if let Ok(Err(error)) = kept {
            tracing::error!(%error, "who is logged in cannot be written down");
        }
    }

    /// A login was used: that is written down now and then.
    pub(crate) async fn login_used(self: &Arc<Self>) {
        if self.login_file.is_due(Instant::now()) {
            self.keep_logins().await;
        }
    }
}

fn too_slow() -> Refusal {
    Refusal::busy("The box is busy and did not answer in time.")
}

/// `None`: it took longer.
pub(crate) async fn within<T>(span: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = async { Some(work.await) };
    let late = async {
        Timer::after(span).await;
        None
    };
    work.or(late).await
}

impl From<DoorFault> for Refusal {
    fn from(fault: DoorFault) -> Self {
        tracing::error!(error = &fault as &dyn std::error::Error, "a request could not be answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            format!("{fault} failed."),
            "Try again; if it stays, the box's log tells more.",
        )
    }
}
