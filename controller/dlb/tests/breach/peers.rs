//! A charge point and a Modbus charger behind real sockets, which note when a lowered limit reaches them.

use super::wave::Mains;
use async_tungstenite::tungstenite::client::IntoClientRequest;
use async_tungstenite::tungstenite::http::HeaderValue;
use async_tungstenite::tungstenite::{Error, Message, client};
use dlb::clock;
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time;
use dlb_sim::car::{Car, CarModel};
use dlb_sim::fleet;
use dlb_sim::modbus::{KebaP30, Make, ModbusCharger, answer};
use dlb_sim::ocpp::{ChargePoint, Habits, Nameplate};
use dlb_sim::outlet::{Kind, Outlet, Plate, Temper};
use dlb_sim::rng::Rng;
use dlb_sim::step::Step;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a peer looks after its car while nobody speaks.
const TURN: Duration = Duration::from_millis(20);

/// Cars come when chargers are set up: one that is switched off at once would rest for minutes.
const SETTING_UP: Duration = Duration::from_secs(8);

/// What has reached the two chargers.
#[derive(Debug, Default)]
pub(crate) struct Mailbag {
    /// Of each charger its last limit in amperes, and when a lower one first came since it was emptied.
    pub(crate) chargers: [Mutex<(Option<f64>, Option<Instant>)>; 2],
    pub(crate) over: AtomicBool,
}

impl Mailbag {
    fn came(&self, charger: usize, at: Instant, limit: f64) {
        let mut note = self.chargers[charger].lock().unwrap();
        if note.0.is_some_and(|before| limit < before - 0.05) {
            note.1.get_or_insert(at);
        }
        note.0 = Some(limit);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// A lively one, but for its ramp: what rises by more than three amperes a second may be an oven.
const CAR: CarModel =
    CarModel { reaction: Duration::from_millis(200), ramp_up: 3.0, ramp_down: 40.0, ..fleet::VAN };

const PLATE: Plate = Plate {
    kind: Kind::Ac,
    wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
    between: 1.732,
    max: 32.0,
    min: 6.0,
    step: 0.1,
    dead_time: Duration::from_millis(200),
    meter_error: 0.0,
    temper: Temper::Obeys,
};

fn car() -> Car {
    Car::new(CAR, 0.1, 0.9)
}

/// Time passes for a car; its battery does not fill.
struct Pace(time::Instant);

impl Pace {
    fn step(&mut self) -> Step {
        let now = clock::now();
        let seconds = now.since(self.0).as_secs_f64();
        self.0 = now;
        Step { now, seconds, scenario_seconds: 0.0, volts: PerLine::all(230.0) }
    }
}

fn drawn(outlet: &Outlet) -> f64 {
    outlet.currents()[Line::L1].size()
}

fn point() -> ChargePoint {
    let nameplate = Nameplate {
        identity: "CP-1".into(),
        vendor: "Voltwerk".into(),
        model: "Wall 22".into(),
        serial: "A-17".into(),
        firmware: "2.4.1".into(),
    };
    let habits = Habits { free_vend: Some("FREE".into()), ..Habits::default() };
    let wall = clock::wall().unwrap_or_default();
    ChargePoint::new(nameplate, habits, vec![Outlet::new(PLATE, 1.0e6)], clock::now(), wall, Rng::new(1))
}

/// Lives until the bag is closed.
pub(crate) fn charge_point(ocpp: SocketAddr, mains: &Mains, bag: &Mailbag) {
    let stream = TcpStream::connect(ocpp).expect("the program listens for chargers");
    stream.set_nodelay(true).expect("TCP");
    let mut request = format!("ws://{ocpp}/CP-1").into_client_request().expect("a URL");
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("ocpp1.6"));
    let (mut socket, _) = client(request, stream).expect("a handshake");
    socket.get_ref().set_read_timeout(Some(TURN)).expect("TCP");
    let (mut point, mut pace) = (point(), Pace(clock::now()));
    point.link_up(clock::now());
    let begun = Instant::now();
    let mut plugged = false;
    while !bag.is_over() {
        match socket.read() {
            Ok(Message::Text(text)) => {
                let at = Instant::now();
                if let Some(limit) = limit_in(text.as_str()) {
                    bag.came(0, at, limit);
                }
                point.receive(clock::now(), text.as_str());
            }
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(_) => {}
            Err(error) => panic!("the program hung up: {error}"),
        }
        let step = pace.step();
        if !plugged && begun.elapsed() > SETTING_UP {
            point.plug(step.now, 1, car());
            plugged = true;
        }
        point.advance(&step);
        mains.draws(0, drawn(point.outlet(1)));
        while let Some(frame) = point.next_frame(clock::now()) {
            socket.send(Message::text(frame)).expect("the program reads");
        }
    }
}

/// The limit of a transaction, in amperes.
fn limit_in(frame: &str) -> Option<f64> {
    let frame: serde_json::Value = serde_json::from_str(frame).ok()?;
    if frame.get(2)? != "SetChargingProfile" {
        return None;
    }
    let profile = frame.get(3)?.get("csChargingProfiles")?;
    if profile.get("chargingProfilePurpose")? != "TxProfile" {
        return None;
    }
    profile.get("chargingSchedule")?.get("chargingSchedulePeriod")?.get(0)?.get("limit")?.as_f64()
}

/// Answers whoever connects, until the bag is closed.
pub(crate) fn modbus_charger(listener: &TcpListener, mains: &Mains, bag: &Mailbag) {
    let mut charger =
        ModbusCharger::new(Outlet::new(PLATE, 5.0e5), Make::Keba(KebaP30::new(17_061_234, clock::now())));
    let begun = Instant::now();
    let mut pace = Pace(clock::now());
    listener.set_nonblocking(true).expect("a listener");
    let mut streams: Vec<TcpStream> = Vec::new();
    while !bag.is_over() {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).expect("TCP");
            stream.set_nodelay(true).expect("TCP");
            stream.set_read_timeout(Some(TURN)).expect("TCP");
            streams = vec![stream];
        }
        match streams.first_mut().map(|stream| exchange(stream, &mut charger, bag)) {
            Some(Ok(())) => {}
            Some(Err(())) => streams.clear(),
            None => std::thread::sleep(TURN),
        }
        if charger.outlet().car().is_none() && begun.elapsed() > SETTING_UP {
            charger.plug(car());
        }
        charger.advance(&pace.step());
        mains.draws(1, drawn(charger.outlet()));
    }
}

fn exchange(stream: &mut TcpStream, charger: &mut ModbusCharger, bag: &Mailbag) -> Result<(), ()> {
    let mut header = [0; 7];
    match stream.read_exact(&mut header) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(()),
        Err(_) => return Err(()),
        Ok(()) => {}
    }
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let mut body = vec![0; length - 1];
    stream.read_exact(&mut body).map_err(drop)?;
    let at = Instant::now();
    // Register 5004: the limit in milliamperes; 5014: may it charge at all.
    match body[..] {
        [6, 0x13, 0x8C, high, low] => bag.came(1, at, f64::from(u16::from_be_bytes([high, low])) / 1000.0),
        [6, 0x13, 0x96, 0, 0] => bag.came(1, at, 0.0),
        _ => {}
    }
    let Some(told) = answer(charger, clock::now(), header[6], &body) else { return Ok(()) };
    let [high, low] = u16::try_from(told.len() + 1).unwrap_or_default().to_be_bytes();
    let mut frame = vec![header[0], header[1], 0, 0, high, low, header[6]];
    frame.extend(told);
    stream.write_all(&frame).map_err(drop)
}

/// Both of them, on threads of their own.
pub(crate) fn start(
    ocpp: SocketAddr,
    modbus: TcpListener,
    mains: &Arc<Mains>,
    bag: &Arc<Mailbag>,
) -> Vec<std::thread::JoinHandle<()>> {
    let (m, b) = (Arc::clone(mains), Arc::clone(bag));
    let point = std::thread::spawn(move || charge_point(ocpp, &m, &b));
    let (m, b) = (Arc::clone(mains), Arc::clone(bag));
    let charger = std::thread::spawn(move || modbus_charger(&modbus, &m, &b));
    vec![point, charger]
}
