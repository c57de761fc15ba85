//! A charge point's WebSocket: connects to the box, carries frames, comes back when it was cut.

use super::stage::Stage;
use async_tungstenite::client_async;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::client::IntoClientRequest;
use async_tungstenite::tungstenite::http::HeaderValue;
use futures_lite::{FutureExt, StreamExt};
use smol::net::TcpStream;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

type Socket = async_tungstenite::WebSocketStream<TcpStream>;

/// A charge point that does not get through tries again after so long; neighbours at other times.
const AGAIN_AFTER: Duration = Duration::from_millis(1_500);
const APART: Duration = Duration::from_millis(70);
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often it looks whether it has restarted.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Keeps the charge point of a bay connected for as long as the world turns.
pub(super) async fn live(stage: Rc<Stage>, bay: usize, ocpp: SocketAddr) {
    let apart = APART * u32::try_from(bay % 40).unwrap_or_default();
    smol::Timer::after(apart).await;
    loop {
        while !wants_link(&stage, bay) {
            smol::Timer::after(LOOK_EVERY).await;
        }
        let Some(identity) = stage.point(bay, |point| point.nameplate().identity.clone()) else { return };
        match connect(ocpp, &identity).or(too_late()).await {
            Ok(socket) => converse(&stage, bay, socket).await,
            Err(error) => tracing::debug!(identity, "a charge point does not get through: {error}"),
        }
        smol::Timer::after(AGAIN_AFTER + apart).await;
    }
}

fn wants_link(stage: &Stage, bay: usize) -> bool {
    stage.point(bay, |point| point.wants_link()).unwrap_or_default()
}

#[derive(Debug, thiserror::Error)]
enum LinkFault {
    #[error("connecting")]
    Connect(#[from] std::io::Error),
    #[error("the WebSocket handshake")]
    Handshake(#[from] Box<async_tungstenite::tungstenite::Error>),
    #[error("nobody answers the handshake")]
    TooLate,
}

async fn connect(ocpp: SocketAddr, identity: &str) -> Result<Socket, LinkFault> {
    let stream = TcpStream::connect(ocpp).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://{ocpp}/{identity}");
    let mut request = url.into_client_request().map_err(Box::new)?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("ocpp1.6"));
    let (socket, _) = client_async(request, stream).await.map_err(Box::new)?;
    Ok(socket)
}

async fn too_late() -> Result<Socket, LinkFault> {
    smol::Timer::after(HANDSHAKE).await;
    Err(LinkFault::TooLate)
}

/// What ends the wait.
enum Turn {
    Say(Option<String>),
    Heard(Option<Message>),
    Look,
}

async fn converse(stage: &Stage, bay: usize, mut socket: Socket) {
    let frames = stage.link_up(bay);
    loop {
        let say = async { Turn::Say(frames.recv().await.ok()) };
        let hear = async { Turn::Heard(socket.next().await.and_then(Result::ok)) };
        let look = async {
            smol::Timer::after(LOOK_EVERY).await;
            Turn::Look
        };
        match say.or(hear).or(look).await {
            Turn::Say(Some(text)) => {
                if socket.send(Message::text(text)).await.is_err() {
                    break;
                }
            }
            Turn::Heard(Some(Message::Text(text))) => stage.receive(bay, text.as_str()),
            Turn::Heard(Some(Message::Close(_)) | None) | Turn::Say(None) => break,
            Turn::Heard(Some(_)) => {}
            Turn::Look if !wants_link(stage, bay) => break,
            Turn::Look => {}
        }
    }
    stage.link_down(bay);
}
