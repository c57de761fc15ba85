//! The other rooms of the program, made of memory.

use dlb::adoption::ProposalView;
use dlb::config::{Maps, SiteFile, check_json};
use dlb::view::{
    AlertView, ChargerView, CircuitView, GuardView, MeterView, SessionView, SiteView, WaitingView,
};
use dlb::web::doors::{
    BrokerDoor, ConfigDoor, ConfigRefusal, DoorFault, HistoryDoor, SecretRefusal, Span, SystemDoor, Wanted,
};
use dlb::web::wire::{
    BrokerStateName, BrokerView, CertificateView, CheckView, ConfigView, EventView, HistoryView,
    KeptVersionView, MapView, MapsView, SeriesView, SessionRecordView, SystemView, TroubleView,
};
use serde_json::{Value, json};
use std::sync::Mutex;

/// Versions of a configuration, the first at index 0 with number 1.
pub(crate) struct Shelf(Mutex<Vec<Value>>);

impl Default for Shelf {
    fn default() -> Self {
        let config = json!({
            "version": 1,
            "name": "Office",
            "circuit": [{"id": "grid", "limit_a": 63, "supply": {"system": "star", "volts": 230}}],
            "charger": [{"id": "bay-1", "circuit": "grid", "ocpp": "CP-1", "rotation": "L1L2L3", "max_a": 32}],
        });
        Self(Mutex::new(vec![config]))
    }
}

impl Shelf {
    pub(crate) fn current(&self) -> Value {
        self.0.lock().unwrap().last().cloned().unwrap()
    }
}

impl ConfigDoor for Shelf {
    fn get(&self) -> Result<ConfigView, DoorFault> {
        let versions = self.0.lock().unwrap();
        Ok(ConfigView { version: versions.len() as u64, config: versions.last().cloned().unwrap() })
    }

    fn check(&self, config: &Value) -> CheckView {
        match check_json(config, &Maps::default()) {
            Ok((_, warnings)) => CheckView { problems: Vec::new(), warnings },
            Err(problems) => CheckView { problems, warnings: Vec::new() },
        }
    }

    fn put(&self, expected: u64, config: &Value) -> Result<u64, ConfigRefusal> {
        let mut versions = self.0.lock().unwrap();
        let current = versions.len() as u64;
        if expected != current {
            return Err(ConfigRefusal::Conflict { current });
        }
        let (checked, _) = check_json(config, &Maps::default()).map_err(ConfigRefusal::Problems)?;
        let file: SiteFile = checked.file;
        versions.push(serde_json::to_value(file).unwrap());
        Ok(current + 1)
    }

    fn versions(&self) -> Result<Vec<KeptVersionView>, DoorFault> {
        let count = self.0.lock().unwrap().len() as u64;
        let view = |version| KeptVersionView { version, written_ms: None, current: version == count };
        Ok((1..=count).rev().map(view).collect())
    }

    fn version(&self, version: u64) -> Result<Option<ConfigView>, DoorFault> {
        let versions = self.0.lock().unwrap();
        let index = usize::try_from(version).unwrap().checked_sub(1);
        let config = index.and_then(|index| versions.get(index)).cloned();
        Ok(config.map(|config| ConfigView { version, config }))
    }

    fn restore(&self, version: u64) -> Result<u64, ConfigRefusal> {
        let old = self.version(version)?.ok_or(ConfigRefusal::NoSuchVersion)?;
        let current = self.get()?.version;
        self.put(current, &old.config)
    }

    fn is_in_force(&self) -> bool {
        true
    }

    fn maps(&self) -> MapsView {
        let meter = MapView { name: "eastron-sdm630".into(), title: "Eastron SDM630".into() };
        MapsView { meters: vec![meter], chargers: Vec::new() }
    }
}

/// Answers every question about the past with an echo of it.
pub(crate) struct Recorder;

impl HistoryDoor for Recorder {
    fn series(&self, span: Span, step_s: u32) -> Result<HistoryView, DoorFault> {
        let steps = (span.to_ms - span.from_ms) / (i64::from(step_s) * 1000);
        let count = usize::try_from(steps).unwrap();
        let series = SeriesView {
            kind: "circuit".into(),
            id: "grid".into(),
            quantity: "current".into(),
            line: Some("L1".into()),
            unit: "A".into(),
            mean: vec![Some(12.5); count],
            max: vec![None; count],
        };
        // An answer of some megabytes for whoever asks for every second.
        let circuits = if step_s == 1 { 400 } else { 2 };
        Ok(HistoryView { from_ms: span.from_ms, step_s, series: vec![series; circuits] })
    }

    fn sessions(&self, wanted: &Wanted) -> Result<Vec<SessionRecordView>, DoorFault> {
        if wanted.about.as_deref() == Some("broken") {
            return Err(DoorFault::new("reading sessions", "the disk is gone"));
        }
        Ok(vec![SessionRecordView {
            charger: wanted.about.clone().unwrap_or_else(|| "bay-1".into()),
            session: wanted.limit as u64,
            tag: "card".into(),
            started_ms: Some(wanted.span.from_ms),
            ended_ms: Some(wanted.span.to_ms).filter(|to| *to < i64::MAX),
            energy_wh: Some(7_400),
            why: Some("EVDisconnected".into()),
        }])
    }

    fn events(&self, wanted: &Wanted) -> Result<Vec<EventView>, DoorFault> {
        Ok(vec![EventView {
            time_ms: Some(wanted.span.from_ms),
            severity: "warning".into(),
            about: wanted.about.clone().unwrap_or_else(|| "main".into()),
            code: "meter-lost".into(),
            text: "The meter does not answer.".into(),
            cleared: false,
        }])
    }
}

/// Keeps secrets in memory.
#[derive(Default)]
pub(crate) struct Broker(Mutex<[Option<String>; 2]>);

impl Broker {
    pub(crate) fn secrets(&self) -> [Option<String>; 2] {
        self.0.lock().unwrap().clone()
    }
}

impl BrokerDoor for Broker {
    fn view(&self) -> BrokerView {
        let [password, authority] = self.secrets();
        let certificate = CertificateView { sha256: "AB:CD".into() };
        BrokerView {
            state: BrokerStateName::Away,
            trouble: Some(TroubleView { code: "broker-away", text: "Nobody is there.".into() }),
            password_set: password.is_some(),
            authorities: authority.map(|_| certificate).into_iter().collect(),
        }
    }

    fn set_password(&self, password: Option<&str>) -> Result<(), SecretRefusal> {
        self.0.lock().unwrap()[0] = password.map(Into::into);
        Ok(())
    }

    fn set_authority(&self, pem: Option<&str>) -> Result<(), SecretRefusal> {
        if pem.is_some_and(|pem| !pem.contains("BEGIN CERTIFICATE")) {
            return Err(SecretRefusal::Wrong { why: "No.".into(), remedy: "Give another one." });
        }
        self.0.lock().unwrap()[1] = pem.map(Into::into);
        Ok(())
    }
}

/// Says whether a reset was ordered.
#[derive(Debug, Default)]
pub(crate) struct Machine(pub(crate) std::sync::atomic::AtomicBool);

impl SystemDoor for Machine {
    fn view(&self) -> SystemView {
        SystemView {
            version: "0.1.0".into(),
            uptime_s: 60,
            time_ms: None,
            appliance: false,
            note: Some("This is not an appliance.".into()),
            ocpp: "0.0.0.0:9000".into(),
            slots: Vec::new(),
        }
    }

    fn factory_reset(&self) -> Result<(), DoorFault> {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}

/// A site with one of everything.
pub(crate) fn site(name: &str) -> SiteView {
    SiteView {
        time_ms: Some(1_795_000_000_000),
        name: name.into(),
        strategy: "equal",
        mode: "dynamic",
        circuits: vec![CircuitView {
            id: "grid".into(),
            parent: None,
            limit_a: vec![63.0; 3],
            lowered: None,
            measured_a: Some(vec![10.0, 20.5, 30.0]),
            other_load_a: vec![10.0, 4.5, 14.0],
            worst_case_a: vec![42.0, 36.5, 46.0],
            guard: GuardView { held_a: vec![0.0; 3], ..GuardView::default() },
        }],
        meters: vec![MeterView {
            id: "main".into(),
            circuit: "grid".into(),
            quality: "good",
            age_s: Some(0.4),
            current_a: vec![Some(10.0), Some(20.5), None],
            voltage_v: vec![None; 3],
            power_w: None,
            imported_wh: Some(4_711_000),
            exported_wh: Some(12),
        }],
        chargers: vec![charger()],
        inputs: Vec::new(),
        outputs: Vec::new(),
        waiting: vec![waiting("CP-9", 2), waiting("CP 9/ü", 1)],
        alerts: vec![AlertView {
            severity: "warning",
            about: "main".into(),
            code: "meter-lost",
            text: "The meter does not answer.".into(),
            age_s: 5,
        }],
    }
}

fn waiting(name: &str, outlets: u8) -> WaitingView {
    WaitingView {
        name: name.into(),
        outlets,
        vendor: "Acme".into(),
        model: "One".into(),
        serial: "9".into(),
        proposal: ProposalView::new(name, outlets, "grid", &["bay-1"]),
    }
}

fn charger() -> ChargerView {
    ChargerView {
        id: "bay-1".into(),
        circuit: "grid".into(),
        online: true,
        serviceable: true,
        vendor: "Acme \"Pro\"".into(),
        model: "One".into(),
        firmware: "1.0".into(),
        state: "Charging",
        limit_a: Some(16.0),
        confirmed: true,
        reason: "wants no more".into(),
        reason_code: "wants-no-more",
        reason_circuit: None,
        reason_line: None,
        reason_input: None,
        drawn_a: Some(vec![16.0; 3]),
        power_w: Some(11_040),
        session: Some(SessionView {
            session: 7,
            tag: "card".into(),
            started_ms: None,
            energy_wh: Some(1_000),
        }),
        max_a: 32.0,
        fallback_a: 6.0,
        fallback_armed: true,
        settle_s: 10.0,
        settle_learnt: false,
        held_a: None,
        departs_ms: None,
        energy_needed_kwh: None,
    }
}
