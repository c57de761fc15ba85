//! Damaged frames: nothing breaks, nothing grows, calls that can still be read are answered.

use super::bench::*;
use dlb_engine::time::Duration;
use serde_json::Value;

const VALID: [&str; 12] = [
    r#"[2,"1","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One","firmwareVersion":"1.0"}]"#,
    r#"[2,"2","Heartbeat",{}]"#,
    r#"[2,"3","Authorize",{"idTag":"TAG"}]"#,
    r#"[2,"4","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging","timestamp":"2026-03-04T12:00:00Z"}]"#,
    r#"[2,"5","StartTransaction",{"connectorId":1,"idTag":"TAG","meterStart":1000,"timestamp":"2026-03-04T12:00:00Z"}]"#,
    r#"[2,"6","StopTransaction",{"transactionId":172625601,"meterStop":2000,"timestamp":"2026-03-04T12:10:00Z","reason":"Local"}]"#,
    r#"[2,"7","MeterValues",{"connectorId":1,"transactionId":172625601,"meterValue":[{"timestamp":"2026-03-04T12:01:00Z","sampledValue":[{"value":"16.1","measurand":"Current.Import","phase":"L1","unit":"A"},{"value":"3.7","measurand":"Power.Active.Import","unit":"kW"}]}]}]"#,
    r#"[2,"8","DataTransfer",{"vendorId":"x","data":"y"}]"#,
    r#"[2,"9","FirmwareStatusNotification",{"status":"Idle"}]"#,
    r#"[3,"1",{"status":"Accepted"}]"#,
    r#"[3,"2",{"configurationKey":[{"key":"ChargeProfileMaxStackLevel","readonly":true,"value":"8"}]}]"#,
    r#"[4,"3","InternalError","",{}]"#,
];

/// xorshift64*: enough to damage text with.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn damage(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len().max(1));
            match self.roll(6) {
                0 if !bytes.is_empty() => bytes[at] = self.roll(256) as u8,
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"0123456789eE-+.,:{}[]\"\\ntf"[self.roll(26)]),
                3 => bytes.truncate(at),
                4 => {
                    let piece = bytes[at..(at + self.roll(20)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let odd: [&[u8]; 6] = [b"null", b"-1", b"1e308", b"99999999999999999999", b"[]", b"\"\""];
                    bytes.splice(at..at, odd[self.roll(6)].iter().copied());
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A call that is whole as an envelope must be answered, with its own identifier.
fn must_be_answered(text: &str) -> Option<Value> {
    let frame: Vec<Value> = serde_json::from_str(text).ok()?;
    let usable = frame.first()?.as_i64() == Some(2) && frame.get(2)?.is_string();
    frame.get(1).filter(|id| usable && id.as_str().is_some_and(|id| id.len() < 64)).cloned()
}

#[test]
fn ten_thousand_damaged_frames_break_nothing() {
    let mut dice = Dice(20_260_304);
    let mut bench = Bench::new(adopted());
    bench.session.opened(bench.now);
    for round in 0..10_000 {
        let valid = VALID[dice.roll(VALID.len())];
        let text = dice.damage(valid);
        bench.hears(&text);
        let sent: Vec<Value> = std::iter::from_fn(|| bench.session.next_frame())
            .map(|frame| serde_json::from_str(&frame).expect("we send JSON"))
            .collect();
        if let Some(id) = must_be_answered(&text) {
            let answers = sent.iter().filter(|frame| frame[0] != 2 && frame[1] == id);
            assert_eq!(answers.count(), 1, "round {round}: {text}");
        }
        assert!(sent.len() <= 3, "round {round}: {text}");
        if dice.roll(20) == 0 {
            bench.limit(dice.roll(33) as i32);
        }
        if dice.roll(50) == 0 {
            bench.wait(Duration::from_secs(dice.roll(40) as u64));
        }
        if dice.roll(2000) == 0 {
            bench.session.closed(bench.now);
            bench.session.opened(bench.now);
        }
    }
    assert!(bench.session.memory().len() < 8192, "{}", bench.session.memory());
    let waiting = std::iter::from_fn(|| bench.session.next_notice()).count();
    assert!(waiting <= 1024, "{waiting}");
    // It still works.
    bench.session.closed(bench.now);
    bench.session.opened(bench.now);
    bench.boots("Acme", "One", "1.0");
    bench.obeys(30);
}

#[test]
fn very_long_and_very_deep_frames_are_passed_over() {
    let mut bench = Bench::ready(adopted());
    for text in [
        format!("[2,\"1\",\"Heartbeat\",{{\"x\":\"{}\"}}]", "y".repeat(300_000)),
        "[".repeat(100_000),
        format!("[2,\"1\",\"Heartbeat\",{}1{}]", "{\"a\":".repeat(10_000), "}".repeat(10_000)),
    ] {
        bench.hears(&text);
        bench.silent();
    }
}
