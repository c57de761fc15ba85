//! Says what changed and answers commands. Retained topics are sent without a receipt, because a lost
//! connection sends them all again; events are sent one at a time and kept until the broker has them.

use super::discovery::{self, Announced, Announcer, EXPIRES_S};
use super::link::Up;
use super::mirror::{self, Pace, Topics};
use super::topics::Base;
use super::{Ending, command, update};
use crate::config::Mqtt;
use crate::services::Rooms;
use crate::services::mailbox::{EventMessage, Picture};
use crate::site::ocpp_server::Incoming;
use dlb_wiring::event::{Event, Order};
use futures_lite::FutureExt as _;
use rumqttc::{AsyncClient, ClientError, Publish, QoS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Measurements are told this often.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// Changes of state are gathered for a moment: a decision changes many at once.
const GATHER: Duration = Duration::from_millis(100);
/// Even what did not change is told again this often, so that Home Assistant sees the box alive.
const REPEAT_EVERY: Duration = Duration::from_secs(EXPIRES_S / 3);
/// A broker shows what earlier runs left on it for at least this long, and until our own mark behind it
/// has come back; one that never returns the mark is not waited for any longer than the second time.
const LOOK_BACK: Duration = Duration::from_secs(2);
const LOOK_BACK_AT_MOST: Duration = Duration::from_secs(30);

pub(super) struct Desk<'a> {
    rooms: &'a Rooms,
    mqtt: &'a Mqtt,
    client: AsyncClient,
    up: watch::Receiver<Up>,
    base: Base,
    connection: u64,
    /// What the broker has, by topic.
    shown: BTreeMap<String, String>,
    announced: Announced,
    /// What the announcements were made from.
    shape: Option<Vec<String>>,
    /// What earlier runs left behind; looked at once a connection.
    left: BTreeSet<String>,
    looking: Option<LookingBack>,
    measured_at: Option<Instant>,
    repeated_at: Instant,
    /// The event that waits for its receipt, and the count of receipts that proves it.
    in_hand: Option<(EventMessage, u64)>,
}

/// A look at what earlier runs left behind.
#[derive(Clone, Copy, Debug)]
struct LookingBack {
    since: Instant,
    /// The mark that was sent after the subscriptions has come back: what they show came before it.
    marked: bool,
}

impl LookingBack {
    fn is_over(self, now: Instant) -> bool {
        let took = now.duration_since(self.since);
        took >= LOOK_BACK_AT_MOST || self.marked && took >= LOOK_BACK
    }
}

/// What ends a wait.
enum Turn {
    Up,
    Arrived(Publish),
    Picture,
    Happened(EventMessage),
    Timer,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        rooms: &'a Rooms,
        mqtt: &'a Mqtt,
        client: AsyncClient,
        up: watch::Receiver<Up>,
    ) -> Self {
        Self {
            rooms,
            mqtt,
            client,
            up,
            base: Base::new(&mqtt.prefix, &rooms.box_id),
            connection: 0,
            shown: BTreeMap::new(),
            announced: Announced::new(),
            shape: None,
            left: BTreeSet::new(),
            looking: None,
            measured_at: None,
            repeated_at: Instant::now(),
            in_hand: None,
        }
    }

    /// Serves the broker; ends only with the thread.
    pub(super) async fn run(&mut self, mut inbox: mpsc::Receiver<Publish>) -> Ending {
        loop {
            // The error is that the outbox is closed: the thread ends.
            let done = match self.turn(&mut inbox).await {
                Turn::Up => self.link_changed().await,
                Turn::Arrived(publish) => self.arrived(&publish).await,
                Turn::Happened(event) => self.happened(event).await,
                Turn::Picture => {
                    tokio::time::sleep(GATHER).await;
                    self.tell().await
                }
                Turn::Timer => self.tell().await,
            };
            if let Err(error) = done {
                tracing::debug!(%error, "the client of the broker has ended");
                return std::future::pending().await;
            }
        }
    }

    async fn turn(&mut self, inbox: &mut mpsc::Receiver<Publish>) -> Turn {
        let (online, idle) = (self.up.borrow().up, self.in_hand.is_none());
        let mailbox = &self.rooms.mailbox;
        let up = async {
            match self.up.changed().await {
                Ok(()) => Turn::Up,
                Err(_) => std::future::pending().await,
            }
        };
        let arrived = async {
            match inbox.recv().await {
                Some(publish) => Turn::Arrived(publish),
                None => std::future::pending().await,
            }
        };
        let picture = async {
            mailbox.changed().await;
            Turn::Picture
        };
        let event = async {
            if !online || !idle {
                return std::future::pending().await;
            }
            Turn::Happened(mailbox.event().await)
        };
        let timer = async {
            tokio::time::sleep(MEASURE_EVERY).await;
            Turn::Timer
        };
        up.or(arrived).or(event).or(picture).or(timer).await
    }

    async fn link_changed(&mut self) -> Result<(), ClientError> {
        let up = *self.up.borrow_and_update();
        if self.in_hand.as_ref().is_some_and(|&(_, receipt)| up.receipts >= receipt) {
            self.in_hand = None;
        }
        if !up.up || up.connection == self.connection {
            return Ok(());
        }
        self.connection = up.connection;
        self.greet().await?;
        // What was not acknowledged on the old connection is said again on this one.
        if let Some((event, _)) = self.in_hand.take() {
            self.happened(event).await?;
        }
        Ok(())
    }

    /// A new connection: the broker may know nothing.
    async fn greet(&mut self) -> Result<(), ClientError> {
        self.shown.clear();
        self.shape = None;
        self.left.clear();
        self.looking = Some(LookingBack { since: Instant::now(), marked: false });
        for topic in self.base.remains() {
            self.client.subscribe(topic, QoS::AtMostOnce).await?;
        }
        self.client.publish(self.base.mark(), QoS::AtMostOnce, false, "").await?;
        if !self.mqtt.read_only {
            for topic in self.base.commands() {
                self.client.subscribe(topic, QoS::AtLeastOnce).await?;
            }
        }
        if let Some(topic) = self.home_assistant() {
            self.client.subscribe(topic, QoS::AtMostOnce).await?;
        }
        self.retain(self.base.status(), "online".into()).await?;
        self.tell().await
    }

    fn home_assistant(&self) -> Option<String> {
        self.mqtt.discovery_prefix.as_ref().map(|prefix| format!("{prefix}/status"))
    }

    pub(super) async fn arrived(&mut self, publish: &Publish) -> Result<(), ClientError> {
        if Some(&publish.topic) == self.home_assistant().as_ref() {
            if publish.payload.as_ref() == b"online" {
                self.shown.clear();
                self.shape = None;
            }
            return Ok(());
        }
        let Some(rest) = self.base.rest(&publish.topic).map(str::to_owned) else { return Ok(()) };
        if rest.starts_with("set/") || rest.contains("/set/") {
            self.command(&rest, publish);
        } else if let Some(looking) = &mut self.looking {
            looking.marked |= publish.topic == self.base.mark();
            if publish.retain {
                self.left_behind(publish);
            }
        }
        Ok(())
    }

    fn left_behind(&mut self, publish: &Publish) {
        if publish.topic == self.base.announced() {
            let before: Announced = serde_json::from_slice(&publish.payload).unwrap_or_default();
            for (topic, entities) in before {
                self.announced.entry(topic).or_default().extend(entities);
            }
        } else if self.left.len() < 20_000 {
            self.left.insert(publish.topic.clone());
        }
    }

    fn command(&self, rest: &str, publish: &Publish) {
        if publish.payload.is_empty() && publish.retain {
            return;
        }
        let picture = self.rooms.mailbox.latest();
        let known = |id: &str| {
            picture.as_ref().is_some_and(|picture| picture.site.chargers.iter().any(|one| one.id == id))
        };
        let name = command::short(rest);
        let outcome = if publish.retain {
            Err(format!(
                "{name}: a retained command would come again with every connection; send it without retain."
            ))
        } else if rest == "set/update" {
            update::command(&self.rooms.updates, &publish.payload)
        } else {
            command::order(rest, &publish.payload, known).and_then(|order| self.order(rest, order))
        };
        match outcome {
            Ok(()) => tracing::info!(command = name, "an order from the broker"),
            Err(sentence) => {
                tracing::debug!("refused: {sentence}");
                self.rooms.mailbox.push(EventMessage { topic: "error", payload: sentence });
            }
        }
    }

    fn order(&self, rest: &str, order: Order) -> Result<(), String> {
        let name = command::short(rest);
        let full =
            |_| format!("{name}: the site has more orders than it can take; send it again in a while.");
        self.rooms.site.try_send(Incoming::Event(Event::Order(order))).map_err(full)
    }

    /// Sends an event and remembers which receipt proves that the broker has it.
    async fn happened(&mut self, event: EventMessage) -> Result<(), ClientError> {
        let receipt = self.up.borrow().receipts + 1;
        self.client
            .publish(self.base.topic(event.topic), QoS::AtLeastOnce, false, event.payload.clone())
            .await?;
        self.in_hand = Some((event, receipt));
        Ok(())
    }

    /// Says what changed since it was last said.
    async fn tell(&mut self) -> Result<(), ClientError> {
        if !self.up.borrow().up {
            return Ok(());
        }
        let Some(picture) = self.rooms.mailbox.latest() else { return Ok(()) };
        let now = Instant::now();
        let measure = self.measured_at.is_none_or(|at| now.duration_since(at) >= MEASURE_EVERY);
        if now.duration_since(self.repeated_at) >= REPEAT_EVERY {
            self.repeated_at = now;
            self.shown.retain(|topic, _| !topic.ends_with("/json"));
        }
        let mut topics = mirror::topics(&self.base, &picture, self.rooms.mailbox.lost());
        let update = self.rooms.updates.view();
        update::topics(&self.base, &update, &mut topics);
        self.tell_topics(&topics, measure).await?;
        if measure {
            self.measured_at = Some(now);
            self.tidy(&topics, now).await?;
        }
        if self.looking.is_none() { self.announce(&picture, update.available).await } else { Ok(()) }
    }

    async fn tell_topics(&mut self, topics: &Topics, measure: bool) -> Result<(), ClientError> {
        for (topic, told) in topics {
            let known = self.shown.get(topic);
            let due = measure || told.pace == Pace::State || known.is_none();
            if due && known != Some(&told.payload) {
                self.retain(topic.clone(), told.payload.clone()).await?;
            }
        }
        Ok(())
    }

    /// Takes back topics of parts that are gone, of this run and of earlier ones.
    async fn tidy(&mut self, topics: &Topics, now: Instant) -> Result<(), ClientError> {
        let mut gone: Vec<String> = self
            .shown
            .keys()
            .filter(|topic| self.is_of_a_part(topic) && !topics.contains_key(*topic))
            .cloned()
            .collect();
        if self.looking.is_some_and(|looking| looking.is_over(now)) {
            self.looking = None;
            for topic in self.base.remains() {
                self.client.unsubscribe(topic).await?;
            }
            gone.extend(
                std::mem::take(&mut self.left).into_iter().filter(|topic| !topics.contains_key(topic)),
            );
        }
        for topic in gone {
            self.retain(topic.clone(), String::new()).await?;
            self.shown.remove(&topic);
        }
        Ok(())
    }

    fn is_of_a_part(&self, topic: &str) -> bool {
        let part = |rest: &str| ["circuit/", "meter/", "charger/"].iter().any(|kind| rest.starts_with(kind));
        self.base.rest(topic).is_some_and(part)
    }

    /// Announces the box and its chargers again when something about them changed.
    async fn announce(&mut self, picture: &Arc<Picture>, updates: bool) -> Result<(), ClientError> {
        let mut shape = shape(picture);
        shape.push(format!("updates: {updates}"));
        if self.shape.as_ref() == Some(&shape) {
            return Ok(());
        }
        let mut all = self.announcements(picture, updates);
        let present = discovery::announced(&all);
        for topic in discovery::forget(&self.announced, &mut all) {
            self.retain(topic, String::new()).await?;
        }
        for (topic, message) in all {
            self.retain(topic, message.to_string()).await?;
        }
        let listed = if present.is_empty() { String::new() } else { serde_json::json!(present).to_string() };
        self.retain(self.base.announced(), listed).await?;
        self.announced = present;
        self.shape = Some(shape);
        Ok(())
    }

    fn announcements(&self, picture: &Picture, updates: bool) -> discovery::Announcements {
        let Some(discovery_prefix) = &self.mqtt.discovery_prefix else { return BTreeMap::new() };
        let (base, box_id, read_only) = (&self.base, &self.rooms.box_id, self.mqtt.read_only);
        Announcer { base, box_id, discovery_prefix, read_only, updates }.all(picture)
    }

    async fn retain(&mut self, topic: String, payload: String) -> Result<(), ClientError> {
        self.client.publish(topic.clone(), QoS::AtMostOnce, true, payload.clone()).await?;
        self.shown.insert(topic, payload);
        Ok(())
    }

    /// Says "offline"; what moves elsewhere is taken back before.
    pub(super) async fn farewell(&mut self, ending: Ending) {
        if !self.up.borrow().up {
            return;
        }
        if ending == Ending::Moved {
            let mut shown = std::mem::take(&mut self.shown);
            shown.remove(&self.base.status());
            for topic in shown.into_keys().chain(std::mem::take(&mut self.announced).into_keys()) {
                let _ = self.client.publish(topic, QoS::AtMostOnce, true, "").await;
            }
        }
        let _ = self.client.publish(self.base.status(), QoS::AtLeastOnce, true, "offline").await;
        let _ = self.client.disconnect().await;
        // The broker closes the connection. If we did while an answer of its lies unread, the system would
        // reset it, and the broker would lose what it has not read yet.
        let _ = self.up.wait_for(|up| !up.up).await;
    }
}

/// What announcements depend on. Comparing this is cheaper than making them.
fn shape(picture: &Picture) -> Vec<String> {
    let site = &picture.site;
    let circuit = |one: &crate::view::CircuitView| format!("{}|{:?}|{:?}", one.id, one.parent, one.limit_a);
    let charger = |(at, one): (usize, &crate::view::ChargerView)| {
        let serial = picture.serials.get(at).map_or("", String::as_str);
        format!("{}|{}|{}|{}|{serial}|{}", one.id, one.vendor, one.model, one.firmware, one.max_a)
    };
    let mut shape = vec![site.name.clone()];
    shape.extend(site.circuits.iter().map(circuit));
    shape.extend(site.meters.iter().map(|one| one.id.clone()));
    shape.extend(site.chargers.iter().enumerate().map(charger));
    shape
}
