//! Devices of bytes on loopback and on pseudo-terminals: late, half, wrong, gone.

use super::serial::SerialLine;
use super::{Answer, carry_out, run_port};
use crate::config::PortLine;
use async_channel::{Receiver, Sender, bounded};
use dlb_links::modbus::{Fault, Function, Request};
use serial2::SerialPort;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const READ: Function = Function::ReadInput { address: 6, count: 2 };

/// A port that is served on a thread of its own.
struct Served {
    requests: Sender<Request>,
    answers: Receiver<Answer>,
}

impl Served {
    fn tcp(port: u16) -> Self {
        let (requests, orders) = bounded(1);
        let (results, answers) = bounded(1);
        let line = PortLine::Tcp { host: "127.0.0.1".into(), port };
        thread::spawn(move || smol::block_on(run_port(line, orders, results)));
        Self { requests, answers }
    }

    fn serial(port: SerialPort) -> Self {
        let (requests, orders) = bounded(1);
        let (results, answers) = bounded(1);
        thread::spawn(move || smol::block_on(carry_out(SerialLine::opened(port, 115_200), orders, results)));
        Self { requests, answers }
    }

    fn ask(&self, unit: u8, function: Function) -> Answer {
        self.requests.send_blocking(Request { unit, function }).unwrap();
        let answer = self.answers.recv_blocking().unwrap();
        assert!(self.answers.is_empty(), "one answer for one request");
        answer
    }
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads one request frame: transaction, unit and PDU.
fn frame(stream: &mut TcpStream) -> Option<([u8; 2], u8, Vec<u8>)> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).ok()?;
    let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
    stream.read_exact(&mut pdu).ok()?;
    Some(([head[0], head[1]], head[6], pdu))
}

fn reply(stream: &mut TcpStream, transaction: [u8; 2], unit: u8, pdu: &[u8]) {
    let mut out = vec![transaction[0], transaction[1], 0, 0, 0, pdu.len() as u8 + 1, unit];
    out.extend(pdu);
    // The other end may have hung up: that is what some of these tests are about.
    let _ = stream.write_all(&out);
}

const fn two_registers(first: u16) -> [u8; 6] {
    let [high, low] = first.to_be_bytes();
    [4, 4, high, low, 0, 1]
}

#[test]
fn a_request_goes_out_in_the_bytes_of_the_standard_and_its_registers_come_back() {
    let (listener, port) = listen();
    let device = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while let Some((transaction, unit, pdu)) = frame(&mut stream) {
            let answer: &[u8] = match pdu[0] {
                4 => &two_registers(7),
                6 => &pdu,
                16 => &pdu[..5],
                _ => &[pdu[0] | 0x80, 2],
            };
            reply(&mut stream, transaction, unit, answer);
            asked.push((unit, pdu));
        }
        asked
    });
    let served = Served::tcp(port);
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    assert_eq!(served.ask(255, Function::WriteSingle { address: 5004, value: 16_000 }), Ok(vec![]));
    let many = Function::WriteMultiple { address: 0x4100, values: vec![0, 6000] };
    assert_eq!(served.ask(1, many), Ok(vec![]));
    let refused = served.ask(1, Function::ReadHolding { address: 9, count: 1 });
    assert_eq!(refused, Err(Fault::Exception(2)));
    drop(served);
    let expected = [
        (1, vec![4, 0, 6, 0, 2]),
        (255, vec![6, 0x13, 0x8C, 0x3E, 0x80]),
        (1, vec![16, 0x41, 0, 0, 2, 4, 0, 0, 0x17, 0x70]),
        (1, vec![3, 0, 9, 0, 1]),
    ];
    assert_eq!(device.join().unwrap(), expected);
}

#[test]
fn a_late_answer_is_left_on_the_old_connection() {
    let (listener, port) = listen();
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let (transaction, unit, _) = frame(&mut first).unwrap();
        let late = thread::spawn(move || {
            thread::sleep(Duration::from_millis(1_200));
            reply(&mut first, transaction, unit, &two_registers(666));
        });
        let (mut second, _) = listener.accept().unwrap();
        while let Some((transaction, unit, _)) = frame(&mut second) {
            thread::sleep(Duration::from_millis(300));
            reply(&mut second, transaction, unit, &two_registers(7));
        }
        late.join().unwrap();
    });
    let served = Served::tcp(port);
    assert_eq!(served.ask(1, READ), Err(Fault::Timeout));
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
}

#[test]
fn an_answer_to_another_request_or_of_another_length_is_garbled() {
    let (listener, port) = listen();
    thread::spawn(move || {
        for attempt in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            while let Some((mut transaction, unit, _)) = frame(&mut stream) {
                match attempt {
                    0 => transaction[1] ^= 0x55,
                    1 => reply(&mut stream, transaction, unit, &[4, 2, 0, 1]),
                    2 => reply(&mut stream, transaction, unit + 1, &two_registers(1)),
                    _ => {}
                }
                reply(&mut stream, transaction, unit, &two_registers(7));
            }
        }
    });
    let served = Served::tcp(port);
    for _ in 0..3 {
        assert_eq!(served.ask(1, READ), Err(Fault::Garbled));
    }
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
}

#[test]
fn a_device_that_hangs_up_and_comes_back_is_found_again() {
    let (listener, port) = listen();
    let served = Served::tcp(port);
    let device = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        frame(&mut stream).unwrap();
    });
    assert_eq!(served.ask(1, READ), Err(Fault::Disconnected), "hung up before answering");
    device.join().unwrap();
    let began = Instant::now();
    for _ in 0..1000 {
        assert_eq!(served.ask(1, READ), Err(Fault::Disconnected), "nobody listens");
    }
    assert!(began.elapsed() < Duration::from_secs(2), "no attempt for each request");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while let Some((transaction, unit, _)) = frame(&mut stream) {
            reply(&mut stream, transaction, unit, &two_registers(7));
        }
    });
    let patience = Instant::now() + Duration::from_secs(10);
    while served.ask(1, READ) != Ok(vec![7, 1]) {
        assert!(Instant::now() < patience, "not found again");
        thread::sleep(Duration::from_millis(20));
    }
}

/// CRC-16/MODBUS, bit by bit.
fn checked(body: &[u8]) -> Vec<u8> {
    let mut crc = 0xFFFFu16;
    for byte in body {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
        }
    }
    [body, &crc.to_le_bytes()].concat()
}

fn read_rtu(port: &SerialPort) -> Option<Vec<u8>> {
    let mut request = [0; 8];
    port.read_exact(&mut request).ok()?;
    Some(request.to_vec())
}

fn rtu_line() -> (Served, SerialPort) {
    let (ours, mut theirs) = SerialPort::pair().unwrap();
    theirs.set_read_timeout(Duration::from_secs(5)).unwrap();
    (Served::serial(ours), theirs)
}

#[test]
fn a_request_on_a_serial_line_ends_with_its_checksum() {
    let (served, device) = rtu_line();
    let device = thread::spawn(move || {
        let asked = read_rtu(&device).unwrap();
        device.write_all(&checked(&[&[1][..], &two_registers(7)].concat())).unwrap();
        let written = read_rtu(&device).unwrap();
        device.write_all(&written).unwrap();
        (asked, written, device)
    });
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    assert_eq!(served.ask(2, Function::WriteSingle { address: 261, value: 160 }), Ok(vec![]));
    let (asked, written, _) = device.join().unwrap();
    assert_eq!(asked, checked(&[1, 4, 0, 6, 0, 2]));
    assert_eq!(written, checked(&[2, 6, 1, 5, 0, 160]));
}

#[test]
fn a_late_answer_on_a_serial_line_is_thrown_away() {
    let (served, device) = rtu_line();
    let device = thread::spawn(move || {
        read_rtu(&device).unwrap();
        thread::sleep(Duration::from_millis(650));
        device.write_all(&checked(&[&[1][..], &two_registers(666)].concat())).unwrap();
        read_rtu(&device).unwrap();
        device.write_all(&checked(&[&[1][..], &two_registers(7)].concat())).unwrap();
        device
    });
    assert_eq!(served.ask(1, READ), Err(Fault::Timeout));
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    drop(device.join().unwrap());
}

#[test]
fn noise_before_an_answer_does_not_spoil_it_and_noise_alone_is_no_answer() {
    let (served, device) = rtu_line();
    let device = thread::spawn(move || {
        read_rtu(&device).unwrap();
        let answer = checked(&[&[1][..], &two_registers(7)].concat());
        device.write_all(&[&[0xFF, 0x00][..], &answer].concat()).unwrap();
        read_rtu(&device).unwrap();
        device.write_all(&[0xAA; 40]).unwrap();
        read_rtu(&device).unwrap();
        device.write_all(&answer).unwrap();
        device
    });
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    assert!(served.ask(1, READ).is_err(), "garbled, or no answer: as the bytes happen to arrive");
    assert_eq!(served.ask(1, READ), Ok(vec![7, 1]));
    drop(device.join().unwrap());
}

#[test]
fn a_line_that_does_not_exist_answers_at_once() {
    let (requests, orders) = bounded(1);
    let (results, answers) = bounded(1);
    let device = "/dev/dlb-no-such-line".into();
    let line = PortLine::Serial { device, baud: 9600, parity: crate::config::Parity::None, stop_bits: 1 };
    let served = thread::spawn(move || smol::block_on(run_port(line, orders, results)));
    for _ in 0..3 {
        requests.send_blocking(Request { unit: 1, function: READ }).unwrap();
        assert_eq!(answers.recv_blocking(), Ok(Err(Fault::Disconnected)));
    }
    drop(requests);
    served.join().unwrap();
}
