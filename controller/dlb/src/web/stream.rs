//! The live stream: server-sent events, one picture at a time. A reader that is slow, or a site that
//! changes often, skips pictures; nothing is queued. The stream ends with its login.

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::desk::{Desk, within};
use super::logins::Token;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use smol::Timer;
use smol::lock::SemaphoreGuardArc;
use smol::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

/// One reader of the live stream.
struct Reader {
    desk: Arc<Desk>,
    token: Token,
    seen: u64,
    started: bool,
    _place: SemaphoreGuardArc,
}

pub(crate) fn open(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let full = || Refusal::busy("Too many live streams are open.");
    let token = call.login.ok_or_else(full)?;
    let place = desk.streams.try_acquire_arc().ok_or_else(full)?;
    let reader = Reader { desk: desk.clone(), token, seen: 0, started: false, _place: place };
    let frames = stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), reader))
    });
    Ok(events(frames))
}

/// The clamps' stream: a picture as long as somebody takes it, none in store. It ends with its login, and
/// with the clamps.
pub(crate) fn open_clamps(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    let full = || Refusal::busy("Too many look at the clamps.");
    let token = call.login.ok_or_else(full)?;
    let place = desk.clamp_streams.try_acquire_arc().ok_or_else(full)?;
    let reader = (desk.clone(), place, true);
    let frames = stream::unfold(reader, move |(desk, place, first)| async move {
        if !first {
            Timer::after(desk.settings.clamp_step).await;
        }
        if !desk.logins.still_valid(&token, Instant::now()) {
            return None;
        }
        let view = serde_json::to_string(&desk.doors.clamps.view()?).ok()?;
        let bytes = Bytes::from(format!("event: clamps\ndata: {view}\n\n"));
        Some((Ok::<_, Infallible>(Frame::data(bytes)), (desk, place, false)))
    });
    Ok(events(frames))
}

fn events(frames: impl stream::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static) -> Answer {
    let mut answer = Response::new(StreamBody::new(frames).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

impl Reader {
    /// The next bytes; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let settings = self.desk.settings;
        if !self.desk.logins.still_valid(&self.token, Instant::now()) {
            return None;
        }
        if !self.started {
            self.started = true;
            // Tells the browser to come back soon, and shows that the stream is open.
            return Some(Bytes::from_static(b"retry: 2000\n\n"));
        }
        if self.seen > 0 {
            Timer::after(settings.stream_step).await;
        }
        let frame = within(settings.stream_heartbeat, self.newer_picture()).await;
        Some(frame.unwrap_or(Bytes::from_static(b": still here\n\n")))
    }

    async fn newer_picture(&mut self) -> Bytes {
        loop {
            let changed = self.desk.doors.live.changed();
            if let Some(picture) = self.desk.doors.live.latest().filter(|picture| picture.number > self.seen)
            {
                self.seen = picture.number;
                return picture.frame();
            }
            changed.await;
        }
    }
}
