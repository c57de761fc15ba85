//! The charge point against byte constants and a hand-moved clock.

use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_sim::car::Car;
use dlb_sim::fleet;
use dlb_sim::ocpp::{ChargePoint, Habits, Nameplate, RelativeTo, Status, Units};
use dlb_sim::outlet::{Kind, Outlet, Plate, Temper};
use dlb_sim::rng::Rng;
use dlb_sim::step::Step;

const PLATE: Plate = Plate {
    kind: Kind::Ac,
    wiring: Wiring::Three(Line::L1, Line::L2, Line::L3),
    between: 1.732,
    max: 32.0,
    min: 6.0,
    step: 1.0,
    dead_time: Duration::from_secs(1),
    meter_error: 0.0,
    temper: Temper::Obeys,
};
/// 2026-03-02T08:00:00Z
const EIGHT: i64 = 1_772_438_400_000;

struct Bench {
    point: ChargePoint,
    now: Instant,
}

impl Bench {
    fn new(habits: Habits) -> Self {
        Self::with(PLATE, habits)
    }

    fn with(plate: Plate, habits: Habits) -> Self {
        let nameplate = Nameplate {
            identity: "CP-1".into(),
            vendor: "Volt & Sons".into(),
            model: "Post 22".into(),
            serial: "A-17".into(),
            firmware: "1.4.2".into(),
        };
        let now = Instant::from_millis(10_000);
        let outlets = vec![Outlet::new(plate, 1234.0)];
        let point = ChargePoint::new(nameplate, habits, outlets, now, WallTime(EIGHT), Rng::new(1));
        Self { point, now }
    }

    fn seconds(&mut self, seconds: u64) -> Vec<String> {
        let mut sent = Vec::new();
        for _ in 0..seconds * 10 {
            self.now = self.now + Duration::from_millis(100);
            self.point.advance(&Step {
                now: self.now,
                seconds: 0.1,
                scenario_seconds: 0.1,
                volts: PerLine::all(230.0),
            });
            sent.extend(std::iter::from_fn(|| self.point.next_frame(self.now)));
        }
        sent
    }

    /// Hands over a frame and returns the next one that is not about something else.
    fn ask(&mut self, text: &str) -> String {
        self.point.receive(self.now, text);
        let unique = text.split('"').nth(1).expect("a call has an id").to_owned();
        let of_call = |frame: &String| frame.starts_with("[3") && frame.contains(&format!("\"{unique}\""));
        let refusal = |frame: &String| frame.starts_with("[4") && frame.contains(&format!("\"{unique}\""));
        self.seconds(1).into_iter().find(|frame| of_call(frame) || refusal(frame)).expect("no answer")
    }

    /// Acknowledges calls until none is under way.
    fn settle(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..20 {
            let sent = self.seconds(1);
            for frame in &sent {
                let unique = frame.split('"').nth(1).expect("a call has an id");
                let answer = match frame.split('"').nth(3) {
                    Some("BootNotification") => {
                        r#"{"status":"Accepted","interval":600,"currentTime":"2026-03-02T08:00:10Z"}"#
                    }
                    Some("StartTransaction") => r#"{"transactionId":77,"idTagInfo":{"status":"Accepted"}}"#,
                    Some("Authorize") => r#"{"idTagInfo":{"status":"Accepted"}}"#,
                    Some("Heartbeat") => r#"{"currentTime":"2026-03-02T08:00:10Z"}"#,
                    _ => "{}",
                };
                if frame.starts_with("[2") {
                    self.point.receive(self.now, &format!(r#"[3,"{unique}",{answer}]"#));
                }
            }
            all.extend(sent);
        }
        all
    }

    /// Linked, booted, a van plugged in and charging.
    fn charging(habits: Habits) -> Self {
        let mut bench = Self::new(Habits { free_vend: Some("FREE".into()), ..habits });
        bench.point.link_up(bench.now);
        bench.settle();
        bench.point.plug(bench.now, 1, Car::new(fleet::VAN, 0.2, 0.9));
        bench.settle();
        assert_eq!(bench.point.transaction(1), Some(77));
        bench
    }

    fn drawn(&self) -> f64 {
        self.point.outlet(1).currents()[Line::L1].size().round()
    }

    fn set(&mut self, profile: &str) -> String {
        self.ask(&format!(
            r#"[2,"p","SetChargingProfile",{{"connectorId":1,"csChargingProfiles":{profile}}}]"#
        ))
    }
}

fn default_profile(amps: f64) -> String {
    format!(
        r#"{{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":{{"chargingRateUnit":"A","chargingSchedulePeriod":[{{"startPeriod":0,"limit":{amps}}}]}}}}"#
    )
}

fn tx_profile(amps: f64, more: &str, schedule: &str) -> String {
    format!(
        r#"{{"chargingProfileId":2,"transactionId":77,"stackLevel":1,"chargingProfilePurpose":"TxProfile",{more}"chargingSchedule":{{{schedule}"chargingRateUnit":"A","chargingSchedulePeriod":[{{"startPeriod":0,"limit":{amps}}}]}}}}"#
    )
}

#[test]
fn it_introduces_itself_and_then_tells_its_state() {
    let mut bench = Bench::new(Habits::default());
    bench.point.link_up(bench.now);
    let boot = r#"[2,"1","BootNotification",{"chargePointModel":"Post 22","chargePointSerialNumber":"A-17","chargePointVendor":"Volt & Sons","firmwareVersion":"1.4.2"}]"#;
    assert_eq!(bench.seconds(1), [boot]);
    bench.point.receive(
        bench.now,
        r#"[3,"1",{"status":"Accepted","interval":300,"currentTime":"2026-03-02T09:30:00Z"}]"#,
    );
    let state = r#"[2,"2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-03-02T09:30:00.000Z"}]"#;
    assert_eq!(bench.point.next_frame(bench.now).as_deref(), Some(state));
}

#[test]
fn pending_registration_keeps_it_silent_until_it_may_ask_again() {
    let mut bench = Bench::new(Habits::default());
    bench.point.link_up(bench.now);
    bench.seconds(1);
    bench.point.receive(
        bench.now,
        r#"[3,"1",{"status":"Pending","interval":20,"currentTime":"2026-03-02T08:00:00Z"}]"#,
    );
    assert_eq!(bench.seconds(19), Vec::<String>::new());
    assert!(bench.seconds(2)[0].contains("BootNotification"));
}

#[test]
fn a_card_starts_a_transaction_and_pulling_the_plug_ends_it() {
    let mut bench = Bench::new(Habits::default());
    bench.point.link_up(bench.now);
    bench.settle();
    bench.point.plug(bench.now, 1, Car::new(fleet::VAN, 0.2, 0.9));
    bench.point.present_card(bench.now, 1, "TAG-9");
    let sent = bench.settle();
    let of = |action: &str| sent.iter().find(|frame| frame.contains(action)).expect("not sent").clone();
    assert!(of("\"Authorize\"").contains(r#"{"idTag":"TAG-9"}"#));
    assert!(of("StartTransaction").contains(r#""idTag":"TAG-9","meterStart":1234,"#));
    assert!(bench.drawn() > 0.0);
    bench.point.unplug(bench.now, 1);
    let sent = bench.settle();
    let stop = sent.iter().find(|frame| frame.contains("StopTransaction")).expect("not sent");
    assert!(
        stop.contains(r#""reason":"EVDisconnected""#) && stop.contains(r#""transactionId":77"#),
        "{stop}"
    );
    assert_eq!(bench.point.status(1), Status::Available);
}

#[test]
fn an_expired_tx_profile_falls_back_to_the_default_by_itself() {
    for (more, schedule) in [
        (r#""chargingProfileKind":"Relative","validTo":"2026-03-02T08:01:50Z","#, ""),
        (r#""chargingProfileKind":"Absolute","#, r#""startSchedule":"2026-03-02T08:00:10Z","duration":100,"#),
    ] {
        let mut bench = Bench::charging(Habits::default());
        assert!(bench.set(&default_profile(6.0)).contains("Accepted"));
        assert!(bench.set(&tx_profile(20.0, more, schedule)).contains("Accepted"));
        bench.seconds(20);
        assert_eq!(bench.drawn(), 20.0);
        bench.seconds(70);
        assert_eq!(bench.drawn(), 6.0, "nobody spoke, and still the limit ended");
    }
}

#[test]
fn makes_disagree_on_where_a_relative_schedule_begins() {
    let profile = tx_profile(20.0, r#""chargingProfileKind":"Relative","#, r#""duration":30,"#);
    for (relative_to, expected) in [(RelativeTo::TransactionStart, 6.0), (RelativeTo::Receipt, 20.0)] {
        let mut bench = Bench::charging(Habits { relative_to, ..Habits::default() });
        bench.set(&default_profile(6.0));
        bench.seconds(60);
        bench.set(&profile);
        bench.seconds(15);
        assert_eq!(bench.drawn(), expected);
    }
}

#[test]
fn a_higher_stack_level_outranks_a_newer_limit() {
    let mut bench = Bench::charging(Habits::default());
    let high = default_profile(8.0).replace(r#""stackLevel":0"#, r#""stackLevel":9"#);
    bench.set(&high.replace(r#""chargingProfileId":1"#, r#""chargingProfileId":50"#));
    bench.set(&default_profile(24.0));
    bench.seconds(20);
    assert_eq!(bench.drawn(), 8.0);
    let clear = r#"[2,"c","ClearChargingProfile",{"id":50}]"#;
    assert_eq!(bench.ask(clear), r#"[3,"c",{"status":"Accepted"}]"#);
    bench.seconds(30);
    assert_eq!(bench.drawn(), 24.0);
    assert_eq!(bench.ask(clear), r#"[3,"c",{"status":"Unknown"}]"#);
}

#[test]
fn the_stations_maximum_caps_every_transaction() {
    let mut bench = Bench::charging(Habits::default());
    let cap = default_profile(10.0).replace("TxDefaultProfile", "ChargePointMaxProfile");
    let order = format!(r#"[2,"m","SetChargingProfile",{{"connectorId":0,"csChargingProfiles":{cap}}}]"#);
    assert!(bench.ask(&order).contains("Accepted"));
    let more = r#""chargingProfileKind":"Relative","#;
    bench.set(&tx_profile(25.0, more, "").replace(r#""chargingProfileId":2"#, r#""chargingProfileId":9"#));
    bench.seconds(20);
    assert_eq!(bench.drawn(), 10.0);
}

#[test]
fn a_tx_profile_needs_its_own_running_transaction() {
    let mut bench = Bench::charging(Habits::default());
    let profile = tx_profile(10.0, r#""chargingProfileKind":"Relative","#, "");
    assert!(bench.set(&profile.replace("77", "78")).contains("Rejected"));
    assert!(bench.set(&profile).contains("Accepted"));
    bench.point.unplug(bench.now, 1);
    bench.settle();
    assert!(bench.set(&profile).contains("Rejected"));
}

#[test]
fn habits_decide_what_is_refused() {
    let profile = tx_profile(10.0, r#""chargingProfileKind":"Relative","#, "");
    let mut stubborn = Bench::charging(Habits { takes_tx_profile: false, ..Habits::default() });
    assert!(stubborn.set(&profile).contains("Rejected"));
    let mut watts_only = Bench::charging(Habits { units: Units::Watts, ..Habits::default() });
    assert!(watts_only.set(&default_profile(10.0)).contains("Rejected"));
    let watts = default_profile(6900.0).replace(r#""A""#, r#""W""#);
    assert!(watts_only.set(&watts).contains("Accepted"));
    watts_only.seconds(20);
    assert_eq!(watts_only.drawn(), 10.0);
    let mut flat = Bench::charging(Habits { max_stack_level: 0, ..Habits::default() });
    assert!(flat.set(&profile).contains("Rejected"));
}

#[test]
fn the_composite_schedule_shows_the_limit_and_its_end() {
    let mut bench = Bench::charging(Habits::default());
    bench.set(&default_profile(6.0));
    let more = r#""chargingProfileKind":"Relative","validTo":"2026-03-02T08:02:00Z","#;
    bench.set(&tx_profile(16.0, more, ""));
    let told = bench.ask(r#"[2,"g","GetCompositeSchedule",{"connectorId":1,"duration":600}]"#);
    let periods = told.split("chargingSchedulePeriod").nth(1).expect("no periods");
    assert!(periods.contains(r#"{"limit":16.0,"startPeriod":0}"#), "{told}");
    assert!(periods.contains(r#"{"limit":6.0,"startPeriod":"#), "{told}");
}

#[test]
fn sloppy_orders_are_refused_with_the_protocols_own_codes() {
    let mut bench = Bench::charging(Habits::default());
    for (order, code) in [
        (r#"[2,"e","SetChargingProfile",{"connectorId":1}]"#, "OccurenceConstraintViolation"),
        (r#"[2,"e","RemoteStopTransaction",{"transactionId":"77"}]"#, "TypeConstraintViolation"),
        (r#"[2,"e","Reset",{"type":"Gentle"}]"#, "PropertyConstraintViolation"),
        (r#"[2,"e","UnlockConnector",{"connectorId":1,"evseId":1}]"#, "FormationViolation"),
        (r#"[2,"e","GetVariables",{}]"#, "NotImplemented"),
    ] {
        assert!(bench.ask(order).contains(code), "{order}");
    }
    let fine = default_profile(10.25);
    assert!(bench.set(&fine).contains("PropertyConstraintViolation"), "one decimal at most");
}

#[test]
fn samples_come_at_the_configured_interval_and_on_demand() {
    let mut bench = Bench::charging(Habits::default());
    let change = |key: &str, value: &str| {
        format!(r#"[2,"k","ChangeConfiguration",{{"key":"{key}","value":"{value}"}}]"#)
    };
    let measurands = "Current.Import,Voltage,Power.Active.Import,Energy.Active.Import.Register";
    assert!(bench.ask(&change("MeterValuesSampledData", measurands)).contains("Accepted"));
    assert!(bench.ask(&change("MeterValuesSampledData", "Current.Import,Weather")).contains("Rejected"));
    assert!(bench.ask(&change("MeterValueSampleInterval", "5")).contains("Accepted"));
    assert!(bench.ask(&change("NumberOfConnectors", "5")).contains("Rejected"));
    assert!(bench.ask(&change("Colour", "red")).contains("NotSupported"));
    let sent = bench.settle();
    let samples: Vec<&String> = sent.iter().filter(|frame| frame.contains("MeterValues")).collect();
    assert!((3..=4).contains(&samples.len()), "{}", samples.len());
    assert!(samples[0].contains(
        r#"{"context":"Sample.Periodic","location":"Outlet","measurand":"Current.Import","phase":"L3","unit":"A","value":"32.0"}"#
    ));
    let trigger = r#"[2,"t","TriggerMessage",{"requestedMessage":"MeterValues","connectorId":1}]"#;
    bench.point.receive(bench.now, trigger);
    let sent = bench.settle();
    assert!(sent.contains(&r#"[3,"t",{"status":"Accepted"}]"#.to_owned()));
    assert!(sent.iter().any(|frame| frame.contains(r#""context":"Trigger""#)));
}

#[test]
fn a_transaction_that_began_offline_is_told_later_and_in_order() {
    let mut bench = Bench::new(Habits { free_vend: Some("FREE".into()), ..Habits::default() });
    bench.point.link_up(bench.now);
    bench.settle();
    bench.point.link_down(bench.now);
    bench.point.plug(bench.now, 1, Car::new(fleet::VAN, 0.2, 0.9));
    assert_eq!(bench.seconds(130), Vec::<String>::new());
    assert!(bench.drawn() > 0.0, "it charges while offline");
    bench.point.unplug(bench.now, 1);
    bench.point.link_up(bench.now);
    let sent = bench.settle();
    let actions: Vec<&str> = sent
        .iter()
        .filter_map(|frame| frame.split('"').nth(3))
        .filter(|it| *it != "StatusNotification")
        .collect();
    assert_eq!(actions, ["StartTransaction", "MeterValues", "MeterValues", "StopTransaction"]);
    assert!(sent.iter().filter(|frame| frame.contains("StopTr")).all(|frame| frame.contains(":77")));
}

#[test]
fn a_refused_tag_ends_the_transaction() {
    let mut bench = Bench::new(Habits { free_vend: Some("FREE".into()), ..Habits::default() });
    bench.point.link_up(bench.now);
    bench.settle();
    bench.point.plug(bench.now, 1, Car::new(fleet::VAN, 0.2, 0.9));
    let start = bench.seconds(1).into_iter().find(|frame| frame.contains("StartTr")).expect("not sent");
    let unique = start.split('"').nth(1).expect("an id");
    let refusal = format!(r#"[3,"{unique}",{{"transactionId":5,"idTagInfo":{{"status":"Blocked"}}}}]"#);
    bench.point.receive(bench.now, &refusal);
    let sent = bench.settle();
    assert!(sent.iter().any(|frame| frame.contains("DeAuthorized")));
    assert_eq!(bench.point.status(1), Status::Finishing);
}

#[test]
fn a_reset_ends_the_transaction_and_the_charger_introduces_itself_anew() {
    let mut bench = Bench::charging(Habits::default());
    bench.set(&default_profile(6.0));
    bench.seconds(20);
    assert_eq!(bench.ask(r#"[2,"r","Reset",{"type":"Soft"}]"#), r#"[3,"r",{"status":"Accepted"}]"#);
    bench.seconds(5);
    assert!(!bench.point.wants_link());
    assert_eq!(bench.drawn(), 0.0);
    bench.seconds(30);
    assert!(bench.point.wants_link());
    bench.point.link_up(bench.now);
    let sent = bench.settle();
    assert!(sent[0].contains("BootNotification"));
    assert!(sent.iter().any(|frame| frame.contains("SoftReset")));
    bench.seconds(20);
    assert_eq!(bench.drawn(), 6.0, "the default profile survived");
}

#[test]
fn remote_stop_and_start_let_a_sleeping_car_look_again() {
    let mut bench = Bench::charging(Habits::default());
    bench.point.unplug(bench.now, 1);
    bench.settle();
    bench.point.plug(bench.now, 1, Car::new(fleet::OLD_HATCHBACK, 0.2, 0.9));
    bench.settle();
    bench.set(&default_profile(0.0));
    bench.seconds(60);
    bench.set(&default_profile(16.0));
    bench.seconds(60);
    assert_eq!((bench.drawn(), bench.point.status(1)), (0.0, Status::SuspendedEv));
    let stop = r#"[2,"s","RemoteStopTransaction",{"transactionId":77}]"#;
    assert!(bench.ask(stop).contains("Accepted"));
    let start = r#"[2,"a","RemoteStartTransaction",{"idTag":"DLB","connectorId":1}]"#;
    assert!(bench.ask(start).contains("Accepted"));
    bench.settle();
    bench.seconds(20);
    assert_eq!((bench.drawn(), bench.point.status(1)), (16.0, Status::Charging));
}

#[test]
fn a_dc_station_takes_watts() {
    let plate =
        Plate { kind: Kind::Dc { efficiency: 0.94 }, max: 30_000.0, min: 2_000.0, step: 100.0, ..PLATE };
    let habits = Habits { units: Units::Watts, free_vend: Some("FREE".into()), ..Habits::default() };
    let mut bench = Bench::with(plate, habits);
    bench.point.link_up(bench.now);
    bench.settle();
    bench.point.plug(bench.now, 1, Car::new(fleet::LONG_DISTANCE, 0.2, 0.9));
    bench.settle();
    assert!((bench.point.outlet(1).watts() - 30_000.0).abs() < 1.0);
    let watts = default_profile(12_000.0).replace(r#""A""#, r#""W""#);
    assert!(bench.set(&watts).contains("Accepted"));
    bench.seconds(10);
    assert!((bench.point.outlet(1).watts() - 12_000.0).abs() < 1.0);
}

#[test]
fn a_charge_point_that_loses_frames_still_gets_its_transaction_through() {
    let habits = Habits { loss: 0.4, free_vend: Some("FREE".into()), ..Habits::default() };
    let mut bench = Bench::new(habits);
    bench.point.link_up(bench.now);
    bench.point.plug(bench.now, 1, Car::new(fleet::VAN, 0.2, 0.9));
    for _ in 0..30 {
        bench.settle();
    }
    assert_eq!(bench.point.transaction(1), Some(77));
}
