//! Sockets, connections and the thread that serves them.
//!
//! One thread, one task per connection. A connection ends when its client is too slow, sends nonsense,
//! stops reading, or its place is needed; a panic in a handler ends its connection and nothing else.

use super::answer::{Answer, Refusal, guard};
use super::call::{Call, too_large};
use super::desk::{Desk, Settings};
use super::doors::Doors;
use super::guests::{Guest, Serving, Standing};
use super::stalling::Stalling;
use super::{api, page};
use event_listener::Event;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use smol::future::FutureExt;
use smol::{Async, LocalExecutor, Timer};
use smol_hyper::rt::{FuturesIo, SmolTimer};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use thiserror::Error;

/// The server while it runs. Dropping it ends it.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    ending: Arc<Ending>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Ending {
    told: AtomicBool,
    event: Event,
    /// Requests that are being answered.
    answering: AtomicUsize,
}

/// A request that is being answered; streams are none once they have begun.
struct Answering<'a>(&'a Ending);

#[derive(Debug, Error)]
pub enum WebFault {
    #[error("listening on {address} for the page")]
    Listening { address: SocketAddr, source: io::Error },
    #[error("starting the web server's thread")]
    Starting { source: io::Error },
}

/// How long the accept loop rests after it failed, for example for want of file descriptors.
const REST: Duration = Duration::from_millis(100);
/// The same after somebody was asked to leave: that is done within moments.
const SHORT_REST: Duration = Duration::from_millis(5);

/// How long requests get to be answered when the server ends, how often that is looked at, and how long their last
/// bytes take. Somebody who moves the page by a new configuration must learn that it was taken.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LAST_BYTES: Duration = Duration::from_millis(50);

/// Listens on `address` and serves until the result is dropped.
///
/// # Errors
/// The address cannot be listened on, or no thread can be started.
pub fn serve(address: SocketAddr, doors: Doors, settings: Settings) -> Result<WebServer, WebFault> {
    let listening = |source| WebFault::Listening { address, source };
    let listener = TcpListener::bind(address).and_then(Async::new).map_err(listening)?;
    let address = listener.get_ref().local_addr().map_err(listening)?;
    let starting = |source| WebFault::Starting { source };
    let desk = Arc::new(Desk::new(doors, settings).map_err(starting)?);
    let ending = Arc::<Ending>::default();
    let until = ending.clone();
    let thread = std::thread::Builder::new()
        .name("web".into())
        .spawn(move || run(&listener, &desk, &until))
        .map_err(starting)?;
    Ok(WebServer { address, ending, thread: Some(thread) })
}

impl WebServer {
    /// Where it listens; tells the port if port 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and waits for the thread.
    pub fn shutdown(self) {}
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.ending.told.store(true, Ordering::Release);
        self.ending.event.notify(usize::MAX);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the web server's thread had panicked");
        }
    }
}

impl Ending {
    async fn wait(&self) {
        let told = self.event.listen();
        if !self.told.load(Ordering::Acquire) {
            told.await;
        }
        for _ in 0..LAST_ANSWERS.as_millis() / LOOK_EVERY.as_millis() {
            if self.answering.load(Ordering::Acquire) == 0 {
                break;
            }
            Timer::after(LOOK_EVERY).await;
        }
        Timer::after(LAST_BYTES).await;
    }
}

impl<'a> Answering<'a> {
    fn begin(ending: &'a Ending) -> Self {
        ending.answering.fetch_add(1, Ordering::AcqRel);
        Self(ending)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

fn run(listener: &Async<TcpListener>, desk: &Arc<Desk>, ending: &Arc<Ending>) {
    let executor = Rc::new(LocalExecutor::new());
    let accepting = accept(listener, desk, ending, &executor);
    smol::block_on(executor.run(accepting.or(ending.wait())));
}

async fn accept<'a>(
    listener: &Async<TcpListener>,
    desk: &'a Arc<Desk>,
    ending: &'a Arc<Ending>,
    executor: &Rc<LocalExecutor<'a>>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(guest) = desk.guests.admit(peer.ip()) {
                    executor.spawn(attend(desk.clone(), ending.clone(), stream, peer.ip(), guest)).detach();
                }
            }
            Err(cause) => {
                let spared = desk.guests.spare_one();
                if !spared {
                    tracing::warn!(%cause, "a connection could not be accepted");
                }
                Timer::after(if spared { SHORT_REST } else { REST }).await;
            }
        }
    }
}

/// One connection, from its first byte to its last.
async fn attend(desk: Arc<Desk>, ending: Arc<Ending>, stream: Async<TcpStream>, peer: IpAddr, guest: Guest) {
    let settings = desk.settings;
    tune(&stream, settings.write_stalled);
    let place_needed = guest.must_leave();
    let guest = Arc::new(guest);
    let io = FuturesIo::new(Stalling::new(stream, settings.write_stalled));
    let service = service_fn(|request| {
        let answering = Answering::begin(&ending);
        let (desk, guest) = (&desk, &guest);
        async move {
            let _answering = answering;
            serve_one(desk, request, peer, guest).await
        }
    });
    let connection = http1::Builder::new()
        .timer(SmolTimer::new())
        .header_read_timeout(settings.header_within)
        .max_buf_size(settings.header_bytes)
        .max_headers(settings.header_count)
        .serve_connection(io, service);
    let talk = async {
        if let Err(cause) = connection.await {
            tracing::debug!(%cause, %peer, "a connection ended early");
        }
    };
    if AssertUnwindSafe(talk.or(place_needed)).catch_unwind().await.is_err() {
        tracing::error!(%peer, "answering a request panicked; its connection was closed");
    }
}

/// Answers go out at once, and a client whose cable was pulled is noticed as soon as one that does not read.
fn tune(stream: &Async<TcpStream>, patience: Duration) {
    let socket = socket2::SockRef::from(stream.get_ref());
    let tuned = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_user_timeout(Some(patience)));
    if let Err(cause) = tuned {
        tracing::debug!(%cause, "a connection keeps the system's own timeouts");
    }
}

async fn serve_one(
    desk: &Arc<Desk>,
    request: Request<Incoming>,
    peer: IpAddr,
    guest: &Arc<Guest>,
) -> Result<Response<Serving>, Infallible> {
    guest.stands(Standing::Stranger);
    let acceptable = acceptable(&request, desk.settings.body_bytes);
    let mut call = Call::new(request, peer, desk.settings.body_within);
    let answer = match acceptable {
        Ok(()) => room(desk, &mut call, guest).await,
        Err(refusal) => Err(refusal),
    };
    let mut answer = answer.unwrap_or_else(Refusal::into_answer);
    guard(answer.headers_mut());
    Ok(answer.map(|body| Serving::new(body, guest.clone())))
}

async fn room(desk: &Arc<Desk>, call: &mut Call, guest: &Guest) -> Result<Answer, Refusal> {
    if call.path.starts_with("/api/") {
        return api::answer(desk, call, guest).await;
    }
    if matches!(call.method, Method::GET | Method::HEAD) {
        return Ok(page::answer(call));
    }
    let message = format!("The page cannot be asked to {}.", call.method);
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Err(Refusal::new(status, "method-not-allowed", message, "The API is below /api/v1/.").closing())
}

/// One host, and one length of the body that is known beforehand: so there is nothing to disagree about
/// with whoever stands in between, and no body is waited for that will not be taken.
fn acceptable(request: &Request<Incoming>, body_bytes: usize) -> Result<(), Refusal> {
    let headers = request.headers();
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        let message = "A request names one host.";
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, "bad-host", message, "Send Host once.");
        return Err(refusal.about("Host").closing());
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "length-required",
            "Bodies of unknown length are not taken.",
            "Send Content-Length instead of Transfer-Encoding.",
        )
        .closing());
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.map_or(Some(0), |text| text.parse::<u64>().ok());
    let fits = length.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length <= body_bytes));
    if fits { Ok(()) } else { Err(too_large(body_bytes)) }
}
