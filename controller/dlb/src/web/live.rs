//! The latest picture of the site, for whoever looks: one writer that never waits, many readers that
//! take the newest and skip what they missed. The JSON is made once per picture, by the first reader.

use crate::view::SiteView;
use arc_swap::ArcSwapOption;
use event_listener::{Event, EventListener};
use hyper::body::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Where the site's thread hangs its pictures.
#[derive(Debug, Default)]
pub struct Live {
    picture: ArcSwapOption<Picture>,
    published: AtomicU64,
    changed: Event,
}

/// One picture, numbered from 1.
#[derive(Debug)]
pub struct Picture {
    pub number: u64,
    pub site: Arc<SiteView>,
    at: Instant,
    json: OnceLock<Bytes>,
    frame: OnceLock<Bytes>,
}

impl Live {
    /// Hangs up a new picture; costs the caller a pointer swap and a wake-up.
    ///
    /// There is one writer: two at once could number their pictures out of order.
    pub fn publish(&self, site: Arc<SiteView>) {
        let number = self.published.fetch_add(1, Ordering::Relaxed) + 1;
        let picture =
            Picture { number, site, at: Instant::now(), json: OnceLock::new(), frame: OnceLock::new() };
        self.picture.store(Some(Arc::new(picture)));
        self.changed.notify(usize::MAX);
    }

    #[must_use]
    pub fn latest(&self) -> Option<Arc<Picture>> {
        self.picture.load_full()
    }

    /// Resolves at the next [`Live::publish`] after this call.
    #[must_use]
    pub fn changed(&self) -> EventListener {
        self.changed.listen()
    }

    /// Is somebody still publishing?
    #[must_use]
    pub fn fresh(&self, within: Duration) -> bool {
        self.latest().is_some_and(|picture| picture.at.elapsed() <= within)
    }
}

impl Picture {
    /// `GET /api/v1/site`.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.json.get_or_init(|| to_json(&self.site).into()).clone()
    }

    /// One server-sent event.
    #[must_use]
    pub fn frame(&self) -> Bytes {
        let make = || {
            let mut frame = format!("event: site\nid: {}\ndata: ", self.number).into_bytes();
            frame.extend_from_slice(&self.json());
            frame.extend_from_slice(b"\n\n");
            frame.into()
        };
        self.frame.get_or_init(make).clone()
    }
}

fn to_json(site: &SiteView) -> Vec<u8> {
    serde_json::to_vec(site).expect("a view has string keys and plain values only")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> Arc<SiteView> {
        Arc::new(SiteView {
            time_ms: None,
            name: name.into(),
            strategy: "equal",
            mode: "dynamic",
            circuits: Vec::new(),
            meters: Vec::new(),
            chargers: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            waiting: Vec::new(),
            alerts: Vec::new(),
        })
    }

    #[test]
    fn a_slow_reader_gets_the_newest_picture_only() {
        let live = Live::default();
        let changed = live.changed();
        live.publish(site("first"));
        live.publish(site("second"));
        smol::block_on(changed);
        let picture = live.latest().unwrap();
        assert_eq!((picture.number, picture.site.name.as_str()), (2, "second"));
    }

    #[test]
    fn a_frame_is_one_event_on_one_data_line() {
        let live = Live::default();
        live.publish(site("two\nlines"));
        let frame = String::from_utf8(live.latest().unwrap().frame().to_vec()).unwrap();
        assert!(frame.starts_with("event: site\nid: 1\ndata: {"), "{frame}");
        assert_eq!(frame.matches('\n').count(), 4, "{frame}");
    }

    #[test]
    fn nothing_published_is_not_fresh() {
        assert!(!Live::default().fresh(Duration::MAX));
    }
}
