//! The site against a tiny central system and a plain Modbus client, on loopback.

use super::*;
use async_tungstenite::accept_hdr_async;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::handshake::server::{Request, Response};
use dlb_engine::lines::Line;
use futures_lite::{FutureExt, StreamExt};
use serde_json::Value;
use std::io::{Read, Write};
use std::time::Duration;

fn prepared() -> Prepared {
    Prepared::new(12, 1, NonZeroU32::new(10).expect("not zero")).expect("loopback has ports")
}

/// Accepts one charge point and says yes to everything; answers the URL's path and the actions heard.
#[expect(clippy::result_large_err, reason = "the type is the library's")]
async fn accept_one(listener: &smol::net::TcpListener, until: &[&str]) -> (String, Vec<String>) {
    let (stream, _) = listener.accept().await.expect("a charge point connects");
    let mut path = String::new();
    let agree = |request: &Request, mut response: Response| {
        path = request.uri().path().to_owned();
        let protocol = request.headers().get("Sec-WebSocket-Protocol").expect("a subprotocol").clone();
        response.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, agree).await.expect("a WebSocket");
    let mut heard = Vec::new();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let frame: Value = serde_json::from_str(text.as_str()).expect("JSON");
        let action = frame[2].as_str().expect("a call").to_owned();
        let enough = until.contains(&action.as_str());
        heard.push(action);
        if enough {
            break;
        }
        let yes = serde_json::json!({
            "status": "Accepted", "interval": 60, "currentTime": "2026-03-02T08:00:00Z",
            "transactionId": 7, "idTagInfo": {"status": "Accepted"},
        });
        let answer = serde_json::json!([3, frame[1], yes]).to_string();
        socket.send(Message::text(answer)).await.expect("the charge point listens");
    }
    (path, heard)
}

fn within<T>(seconds: u64, what: impl Future<Output = T>) -> T {
    let late = async {
        smol::Timer::after(Duration::from_secs(seconds)).await;
        panic!("nothing happened for {seconds} s")
    };
    smol::block_on(what.or(late))
}

#[test]
fn charge_points_connect_under_their_names_and_come_back_when_cut() {
    let prepared = prepared();
    let (first, again) = within(20, async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let world = prepared.start(listener.local_addr().expect("bound")).expect("a thread");
        let first = accept_one(&listener, &["StatusNotification"]).await;
        let mut again = Vec::new();
        for _ in 0..10 {
            again.push(accept_one(&listener, &["BootNotification", "StatusNotification"]).await.0);
        }
        drop(world);
        (first, again)
    });
    assert_eq!(first, ("/CP-01".to_owned(), vec!["BootNotification".into(), "StatusNotification".into()]));
    assert!(again.contains(&"/DC-12".to_owned()) && again.contains(&"/CP-01".to_owned()), "{again:?}");
}

#[test]
fn modbus_devices_answer_where_the_plan_says() {
    let prepared = prepared();
    let listening: Vec<usize> = (0..12).filter(|bay| prepared.modbus(*bay).is_some()).collect();
    assert_eq!(listening, [4, 9]);
    let keba = prepared.modbus(4).expect("it listens");
    let world = prepared.start(([127, 0, 0, 1], 1).into()).expect("a thread");
    let mut client = std::net::TcpStream::connect(keba).expect("it listens");
    client.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    client.write_all(&[0, 9, 0, 0, 0, 6, 255, 3, 0x06, 0x42, 0, 2]).expect("it reads");
    let mut answer = [0; 13];
    client.read_exact(&mut answer).expect("it answers");
    assert_eq!(answer, [0, 9, 0, 0, 0, 7, 255, 3, 4, 0, 0, 0, 0], "no failsafe timeout is set");
    drop(world);
}

#[test]
fn the_pins_carry_the_sites_currents() {
    let prepared = prepared();
    let pins = prepared.pins(vec![
        Input::Clamp { line: Line::L2, ratio: 2000.0, burden_ohm: 5.1, lead_deg: 0.0 },
        Input::Tap { line: Line::L2, ratio: 700.0 },
    ]);
    let world = prepared.start(([127, 0, 0, 1], 1).into()).expect("a thread");
    std::thread::sleep(Duration::from_millis(300));
    let site = world.electrical();
    assert!(site.currents[Line::L2].size() > 0.5);
    let peak = |channel: usize| {
        (0..800).map(|at| pins.sample(channel, f64::from(at) / 40_000.0)).fold(0.0, f64::max)
    };
    assert!((peak(1) - site.volts[Line::L2] * 2f64.sqrt() / 700.0).abs() < 0.02);
    let amps = peak(0) / 5.1 * 2000.0;
    assert!((amps / site.currents[Line::L2].size() / 2f64.sqrt() - 1.0).abs() < 0.3, "{amps}");
    assert_eq!(pins.sample(7, 0.1), 0.0, "nothing is connected there");
}

#[test]
fn a_world_that_is_dropped_ends() {
    let world = prepared().start(([127, 0, 0, 1], 1).into()).expect("a thread");
    let story = world.story().clone();
    drop(world);
    within(5, async { while story.recv().await.is_ok() {} });
}
