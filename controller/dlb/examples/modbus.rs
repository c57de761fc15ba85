//! Talks to one Modbus meter or charger through the very machines and sockets that `dlb run` uses, and
//! prints what it learns, one line for each notice. For trying out a map or a device:
//!
//! ```text
//! cargo run -p dlb --example modbus -- 192.168.1.20:502 --meter eastron-sdm630 --unit 1
//! cargo run -p dlb --example modbus -- 192.168.1.30:502 --charger keba-p30 --unit 255 --limit-a 10
//! cargo run -p dlb --example modbus -- /dev/ttyUSB0 --baud 9600 --meter eastron-sdm72d-m-v2
//! ```

use async_channel::{Receiver, Sender, bounded};
use clap::Parser;
use dlb::clock;
use dlb::config::{Parity, PortLine};
use dlb::modbus::{Answer, run_port};
use dlb_engine::time::Duration;
use dlb_engine::units::Milliamps;
use dlb_links::modbus::{ChargerSettings, Fault, Port, Request, charger_map, meter_map};
use futures_lite::FutureExt;

/// Reads a meter, or holds a charger at a limit.
#[derive(Parser, Debug)]
struct CommandLine {
    /// `host:port`, or a serial device.
    line: String,
    #[arg(long, default_value_t = 9600)]
    baud: u32,
    #[arg(long, default_value_t = 1)]
    unit: u8,
    #[arg(long)]
    meter: Option<String>,
    #[arg(long)]
    charger: Option<String>,
    /// Ordered as soon as the charger has been found.
    #[arg(long)]
    limit_a: Option<f64>,
    #[arg(long, default_value_t = 6.0)]
    fallback_a: f64,
    #[arg(long, default_value_t = 120)]
    lifetime_s: u64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Leave without putting the charger on its fallback, as a power cut would.
    #[arg(long)]
    vanish: bool,
}

fn main() -> Result<(), String> {
    let wanted = CommandLine::parse();
    let mut port = Port::new();
    if let Some(name) = &wanted.meter {
        let map = meter_map(name).ok_or_else(|| format!("there is no meter map {name}"))?;
        port.add_meter(0, wanted.unit, map, Duration::from_secs(1), clock::now());
    }
    if let Some(name) = &wanted.charger {
        let map = charger_map(name).ok_or_else(|| format!("there is no charger map {name}"))?;
        let settings = ChargerSettings {
            fallback: Milliamps::from_amps_f64(wanted.fallback_a),
            limit_lifetime: Duration::from_secs(wanted.lifetime_s),
            ..ChargerSettings::default()
        };
        port.add_charger(0, wanted.unit, map, settings, clock::now());
    }
    let line = line(&wanted)?;
    let (requests, orders) = bounded(1);
    let (results, answers) = bounded(1);
    let program = serve(port, &wanted, requests, answers);
    smol::block_on(program.or(run_port(line, orders, results)));
    Ok(())
}

fn line(wanted: &CommandLine) -> Result<PortLine, String> {
    if wanted.line.starts_with('/') {
        let (device, baud) = (wanted.line.clone().into(), wanted.baud);
        return Ok(PortLine::Serial { device, baud, parity: Parity::None, stop_bits: 1 });
    }
    let (host, port) = wanted.line.rsplit_once(':').ok_or("a line is host:port or a device")?;
    let port = port.parse().map_err(|wrong| format!("{port}: {wrong}"))?;
    Ok(PortLine::Tcp { host: host.into(), port })
}

async fn serve(
    mut port: Port,
    wanted: &CommandLine,
    requests: Sender<Request>,
    answers: Receiver<Result<Vec<u16>, Fault>>,
) {
    let began = clock::now();
    let end = began + Duration::from_secs(wanted.seconds);
    if let Some(amps) = wanted.limit_a {
        port.set_limit(began, 0, Milliamps::from_amps_f64(amps));
    }
    let mut stopping = false;
    while !port.stopped() {
        let now = clock::now();
        if now >= end && wanted.vanish {
            return;
        }
        if now >= end && !core::mem::replace(&mut stopping, true) {
            port.stop(now);
        }
        while let Some(notice) = port.next_notice() {
            println!("{:8.3} {notice:?}", now.since(began).as_secs_f64());
        }
        if let Some(request) = port.next_request()
            && requests.send(request).await.is_err()
        {
            return;
        }
        let next = port.deadline().unwrap_or(end);
        let next = if stopping { next } else { next.min(end) };
        match answer_before(&answers, next.since(now)).await {
            Some(answer) => port.answered(clock::now(), answer),
            None => port.handle_timeout(clock::now()),
        }
    }
}

async fn answer_before(answers: &Receiver<Answer>, span: Duration) -> Option<Answer> {
    let late = async {
        smol::Timer::after(span).await;
        None
    };
    async { answers.recv().await.ok() }.or(late).await
}
