//! Ten thousand broken commands, from what a broker delivers to the site's controller: none may bring the
//! program down or lift a limit above the configured one, each refusal is one sentence that names its topic.
//!
//! Seeded, so that a failure can be repeated: `DLB_SEED=… cargo test -p dlb broken_commands`.

use super::desk::Desk;
use super::link::Up;
use crate::config;
use crate::services::{Mailbox, Rooms, Slots};
use crate::site::ocpp_server::Incoming;
use crate::update::Updates;
use crate::view::SiteView;
use dlb_engine::time::{Duration, Instant};
use dlb_wiring::controller::Controller;
use futures_lite::future::block_on;
use rumqttc::{AsyncClient, MqttOptions, Publish, QoS};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

const COMMANDS: usize = 10_000;
const OFFICE: &str = include_str!("../../../../../tests/sites/office.toml");
const GOOD: [(&str, &str); 7] = [
    ("set/strategy", "first-come"),
    ("set/site_limit", r#"{"limit_a": [40, 41.5, 42], "lasts_s": 900}"#),
    ("set/site_limit", r#"{"limit_a": 1e3}"#),
    ("set/site_limit", r#"{"limit_a": null}"#),
    ("charger/bay-1/set/limit", "13.5"),
    ("charger/bay-1/set/limit", "null"),
    ("charger/nobody/set/limit", "6"),
];
const TOKENS: [&[u8]; 16] = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xf0\x9f\x98\x80",
    b"-",
    b"e999",
    b"NaN",
    b"inf",
    b"\"",
    b"{\"a\":",
    b"[[[[[[[[[[[[",
    b"null",
    b"99999999999999999999",
    b"-0.0001",
    b"/",
    b"bay-1/set/limit",
];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides.max(1) as u64).unwrap()
    }
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = dice.roll(bytes.len() + 1);
    match dice.roll(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
        1 => bytes.truncate(at),
        2 => drop(bytes.splice(at..at, TOKENS[dice.roll(TOKENS.len())].iter().copied())),
        3 if at < bytes.len() => drop(bytes.remove(at)),
        4 => *bytes = bytes.repeat(1 + dice.roll(200)),
        _ => {
            let end = at.max(dice.roll(bytes.len() + 1));
            let part = bytes[at..end].to_vec();
            bytes.extend(part);
        }
    }
}

/// As the broker would deliver it: a topic is text, whatever else it is.
fn broken_command(dice: &mut Dice) -> Publish {
    let (topic, payload) = GOOD[dice.roll(GOOD.len())];
    let (mut topic, mut payload) = (topic.as_bytes().to_vec(), payload.as_bytes().to_vec());
    for _ in 0..dice.roll(4) {
        mutate(dice, &mut payload);
    }
    if dice.roll(4) == 0 {
        mutate(dice, &mut topic);
    }
    let topic = format!("dlb/1a2b3c4d/{}", String::from_utf8_lossy(&topic));
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
    publish.retain = dice.roll(20) == 0;
    publish
}

#[test]
fn ten_thousand_broken_commands_break_nothing_and_lift_no_limit() {
    let seed = std::env::var("DLB_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_127);
    let mut dice = Dice(seed);
    let (checked, _) = config::check(OFFICE).unwrap();
    let mut now = Instant::from_millis(1_000);
    let configured = checked.settings.site.circuits()[0].limit;
    let mut controller = Controller::new(checked.settings.clone(), BTreeMap::new(), now);
    let (site, orders) = async_channel::bounded(4);
    let data = tempfile::tempdir().unwrap();
    let rooms = Rooms {
        mailbox: Arc::new(Mailbox::default()),
        slots: Arc::new(Slots::default()),
        site,
        updates: Arc::new(Updates::open(data.path())),
        live: Arc::default(),
        standing: Arc::default(),
        data: data.path().into(),
        beside: "nowhere".into(),
        box_id: "1a2b3c4d".into(),
    };
    rooms.mailbox.want(true);
    let status = controller.status(now);
    rooms.mailbox.show(&status, &Arc::new(SiteView::new(&status)));
    let mqtt = config::Mqtt { prefix: "dlb".into(), ..checked.mqtt.unwrap() };
    let (client, _events) = AsyncClient::new(MqttOptions::new("dlb", "localhost", 1883), 4);
    let (_up, up) = watch::channel(Up::default());
    let mut desk = Desk::new(&rooms, &mqtt, client, up);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..COMMANDS {
        let publish = broken_command(&mut dice);
        block_on(desk.arrived(&publish)).unwrap();
        while let Ok(Incoming::Event(order)) = orders.try_recv() {
            taken += 1;
            now = now + Duration::from_millis(10);
            controller.handle(now, order);
            let limit = controller.status(now).circuits[0].limit;
            let lower = limit.0.iter().zip(configured.0).all(|(limit, most)| *limit <= most);
            assert!(lower, "DLB_SEED={seed}: {publish:?} lifted {configured:?} to {limit:?}");
        }
        while let Some(error) = rooms.mailbox.try_event() {
            refused += 1;
            let sentence = error.payload;
            let good = sentence.len() < 400 && sentence.ends_with('.') && sentence.contains(": ");
            assert!(error.topic == "error" && good, "DLB_SEED={seed}: {sentence}");
        }
    }
    println!("DLB_SEED={seed}: {taken} taken, {refused} refused");
    assert!(taken > COMMANDS / 5 && refused > COMMANDS / 3, "{taken} taken, {refused} refused");
}
