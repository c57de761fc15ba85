//! The OCPP listener: WebSockets in, frames and connection events out. It understands no frame.
//!
//! A charger connects to `ws://<box>:<port>/<its name>`, with or without a path before the name or a
//! slash after it. Everything is bounded: connections, handshake time, message size, outgoing frames. A
//! connection whose peer has gone without a word is found by ping within [`SILENCE`].

use crate::store::Ack;
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use async_tungstenite::tungstenite::{Bytes, Message};
use dlb_wiring::event::{ConnectionId, Event};
use futures_lite::{FutureExt, StreamExt};
use smol::net::{TcpListener, TcpStream};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// What goes to one charger.
#[derive(Debug)]
pub enum Outgoing {
    Frame(String),
    /// Later frames wait until this has been written down for good.
    After(Ack),
    Close(String),
}

/// What the listener tells the site.
#[derive(Debug)]
pub enum Incoming {
    /// A new connection, and the way to answer it.
    Opened {
        connection: ConnectionId,
        identity: String,
        outgoing: async_channel::Sender<Outgoing>,
    },
    Event(Event),
    /// A new configuration, already checked.
    Configured(Box<crate::config::Checked>),
}

/// Enough for a site of hundreds of chargers that all reconnect while their old connections linger.
const MOST_CONNECTIONS: usize = 2_000;
const HANDSHAKE: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(20);
/// No frame, not even a pong, for this long: the peer is gone.
const SILENCE: Duration = Duration::from_secs(50);
/// The longest message of OCPP 1.6 is a list of meter values; real ones stay below 20 kB.
const LARGEST_MESSAGE: usize = 128 * 1024;
const STORE_PATIENCE: Duration = Duration::from_secs(5);
const OUTGOING_QUEUE: usize = 64;

/// Accepts chargers until the site goes away.
pub async fn listen(
    executor: Rc<smol::LocalExecutor<'static>>,
    listener: TcpListener,
    incoming: async_channel::Sender<Incoming>,
) {
    let open = Rc::new(Cell::new(0usize));
    let mut last = 0;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if open.get() < MOST_CONNECTIONS => {
                last += 1;
                let incoming = incoming.clone();
                let guard = Counted::new(&open);
                executor
                    .spawn(async move {
                        let _guard = guard;
                        serve(stream, peer, ConnectionId(last), incoming).await;
                    })
                    .detach();
            }
            Ok((_, peer)) => tracing::warn!(%peer, "too many connections, a charger was turned away"),
            Err(error) => {
                // Out of file descriptors, mostly: the connections that exist must not suffer.
                tracing::warn!(%error, "accepting a charger's connection");
                smol::Timer::after(Duration::from_millis(500)).await;
            }
        }
    }
}

struct Counted(Rc<Cell<usize>>);

impl Counted {
    fn new(open: &Rc<Cell<usize>>) -> Self {
        open.set(open.get() + 1);
        Self(Rc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    connection: ConnectionId,
    incoming: async_channel::Sender<Incoming>,
) {
    // A limit is a few hundred bytes that must not wait for more.
    let _ = stream.set_nodelay(true);
    let Some((socket, identity)) = handshake(stream, peer).await else { return };
    tracing::info!(%peer, charger = %identity, "connected");
    let (outgoing, frames) = async_channel::bounded(OUTGOING_QUEUE);
    let opened = Incoming::Opened { connection, identity: identity.clone(), outgoing };
    if incoming.send(opened).await.is_err() {
        return;
    }
    let why = converse(socket, connection, &incoming, frames).await;
    tracing::info!(%peer, charger = %identity, why, "disconnected");
    let _ = incoming.send(Incoming::Event(Event::OcppClosed { connection })).await;
}

async fn handshake(stream: TcpStream, peer: SocketAddr) -> Option<(WebSocketStream<TcpStream>, String)> {
    let mut identity = None;
    #[expect(clippy::result_large_err, reason = "the type is the library's")]
    let inspect = |request: &Request, response: Response| inspect(request, response, &mut identity);
    // Small buffers: with the defaults, five hundred chargers would take 80 MB.
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * LARGEST_MESSAGE)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    let accepted =
        async { Some(async_tungstenite::accept_hdr_async_with_config(stream, inspect, Some(config)).await) };
    let timeout = async {
        smol::Timer::after(HANDSHAKE).await;
        None
    };
    match accepted.or(timeout).await {
        Some(Ok(socket)) => Some((socket, identity?)),
        Some(Err(error)) => {
            tracing::warn!(%peer, %error, "WebSocket handshake");
            None
        }
        None => {
            tracing::warn!(%peer, "WebSocket handshake took too long");
            None
        }
    }
}

/// Finds the charger's name and agrees on the subprotocol.
#[expect(clippy::result_large_err, reason = "the type is the library's")]
fn inspect(
    request: &Request,
    mut response: Response,
    identity: &mut Option<String>,
) -> Result<Response, ErrorResponse> {
    let Some(name) = identity_of(request.uri().path()) else {
        return Err(refusal(
            "the URL must end in the charger's name: ws://<box>:<port>/<name>, 1 to 48 characters",
        ));
    };
    let offered = request.headers().get_all("Sec-WebSocket-Protocol");
    let offered: Vec<_> = offered
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect();
    match offered.iter().find(|name| name.eq_ignore_ascii_case("ocpp1.6")) {
        Some(chosen) => {
            let chosen = chosen.parse().map_err(|_| refusal("the subprotocol is not a header value"))?;
            response.headers_mut().insert("Sec-WebSocket-Protocol", chosen);
        }
        // Some chargers name no subprotocol and speak 1.6 all the same.
        None if offered.is_empty() => {}
        None => return Err(refusal("set the charger to OCPP 1.6J (subprotocol ocpp1.6)")),
    }
    *identity = Some(name);
    Ok(response)
}

fn refusal(why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(why.to_owned()));
    *response.status_mut() = async_tungstenite::tungstenite::http::StatusCode::BAD_REQUEST;
    response
}

/// The last element of the path, percent-decoded; OCPP-J allows 48 characters.
fn identity_of(path: &str) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let mut bytes = Vec::with_capacity(last.len());
    let mut rest = last.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    let plain = name.chars().all(|character| !character.is_control());
    (!name.is_empty() && name.chars().count() <= 48 && plain).then_some(name)
}

/// What ends the wait of a conversation.
enum Turn {
    Heard(Option<Result<Message, async_tungstenite::tungstenite::Error>>),
    Say(Option<Outgoing>),
    Ping,
}

/// A store that is full or broken must not keep a charger waiting for ever.
async fn wait_for(ack: Ack) {
    let safe = async { Some(ack.safe().await) };
    let late = async {
        smol::Timer::after(STORE_PATIENCE).await;
        None
    };
    match safe.or(late).await {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::error!(%error, "a charger is answered before its record is safe"),
        None => tracing::error!("the store takes long; a charger is answered before its record is safe"),
    }
}

/// Carries frames both ways until one side ends it; answers why it ended.
async fn converse(
    mut socket: WebSocketStream<TcpStream>,
    connection: ConnectionId,
    incoming: &async_channel::Sender<Incoming>,
    frames: async_channel::Receiver<Outgoing>,
) -> &'static str {
    let mut heard = std::time::Instant::now();
    let mut ping = smol::Timer::interval(PING_EVERY);
    loop {
        let say = async { Turn::Say(frames.recv().await.ok()) };
        let hear = async { Turn::Heard(socket.next().await) };
        let wait = async {
            ping.next().await;
            Turn::Ping
        };
        // What must be said comes first: it may be a lowered limit.
        match say.or(hear).or(wait).await {
            Turn::Say(Some(Outgoing::Frame(text))) => {
                tracing::trace!(connection = connection.0, "sent {text}");
                if socket.send(Message::text(text)).await.is_err() {
                    return "sending failed";
                }
            }
            Turn::Say(Some(Outgoing::After(ack))) => wait_for(ack).await,
            Turn::Say(Some(Outgoing::Close(why))) => {
                let frame = CloseFrame { code: CloseCode::Policy, reason: why.into() };
                let _ = socket.close(Some(frame)).await;
                return "closed by the box";
            }
            Turn::Say(None) => {
                let frame = CloseFrame { code: CloseCode::Away, reason: "the box ends".into() };
                let _ = socket.close(Some(frame)).await;
                return "the box ends";
            }
            Turn::Heard(Some(Ok(message))) => {
                heard = std::time::Instant::now();
                if let Message::Text(text) = message {
                    let text = text.as_str().to_owned();
                    tracing::trace!(connection = connection.0, "got {text}");
                    let frame = Incoming::Event(Event::OcppFrame { connection, text });
                    if incoming.send(frame).await.is_err() {
                        return "the box ends";
                    }
                }
            }
            Turn::Heard(_) => return "closed by the charger",
            Turn::Ping if heard.elapsed() > SILENCE => return "silent, not even a pong",
            Turn::Ping => {
                if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return "sending failed";
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::identity_of;

    #[test]
    fn a_chargers_name_is_the_last_element_of_its_url() {
        assert_eq!(identity_of("/CP-1").as_deref(), Some("CP-1"));
        assert_eq!(identity_of("/ocpp/CP-1/").as_deref(), Some("CP-1"));
        assert_eq!(identity_of("/Bay%201").as_deref(), Some("Bay 1"));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for path in ["/", "", "/%", "/%zz", "/%00", "/%ff"] {
            assert_eq!(identity_of(path), None, "{path}");
        }
        assert_eq!(identity_of(&format!("/{}", "x".repeat(49))), None);
    }
}
