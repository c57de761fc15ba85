//! What the file's words mean for the machines on the stage: outlets, habits, nameplates, loads.

use super::cars::{self, VisitsPart};
use super::chargers::{ChargerPart, KindWord, ReachWord, TemperWord, UnitsWord};
use super::check::wiring;
use super::circuits::{CircuitPart, SystemWord};
use crate::building::{Appliance, BuildingPlan};
use crate::ocpp::{Habits, Nameplate, Units};
use crate::outlet::{Kind, Plate, Temper};
use dlb_engine::lines::{Line, PerLine, Wiring};
use dlb_engine::time::Duration;
use dlb_links::charger;
use dlb_wiring::settings::{LinkSetting, PortIx};

const LINE: Wiring = Wiring::Three(Line::L1, Line::L2, Line::L3);

pub(super) fn models(part: &ChargerPart, visits: &VisitsPart) -> Vec<crate::car::CarModel> {
    let named: Vec<_> = visits.models.iter().filter_map(|name| cars::model(name)).collect();
    let suitable = match part.kind.unwrap_or_default() {
        KindWord::Dc => vec![crate::fleet::LONG_DISTANCE],
        KindWord::Ac => crate::fleet::AC.to_vec(),
    };
    let models = if named.is_empty() { suitable } else { named };
    models.into_iter().map(|model| cars::slower(model, visits.reaction_s)).collect()
}

pub(super) fn building(part: &CircuitPart) -> BuildingPlan {
    let appliance = |appliance: &super::AppliancePart| Appliance {
        name: appliance.name.clone().into(),
        amps: PerLine(appliance.amps.each()),
        power_factor: appliance.power_factor.unwrap_or(1.0),
        on_s: appliance.on_s,
        off_s: appliance.off_s,
    };
    BuildingPlan {
        base: PerLine(part.base_a.unwrap_or_default().each()),
        breathing: part.breathing_a.unwrap_or(0.0),
        power_factor: part.power_factor.unwrap_or(1.0),
        follows_day: part.follows_day,
        appliances: part.appliance.iter().map(appliance).collect(),
    }
}

fn kind(part: &ChargerPart) -> Kind {
    match part.kind.unwrap_or_default() {
        KindWord::Ac => Kind::Ac,
        KindWord::Dc => Kind::Dc { efficiency: part.efficiency.unwrap_or(0.94) },
    }
}

pub(super) fn plate(part: &ChargerPart, system: SystemWord) -> Plate {
    let kind = kind(part);
    let watts = |kw: Option<f64>, default: f64| kw.map_or(default, |kw| kw * 1000.0);
    let (max, min, step) = match kind {
        Kind::Ac => (part.max_a.unwrap_or(32.0), part.min_a.unwrap_or(6.0), part.step_a.unwrap_or(0.1)),
        Kind::Dc { .. } => (watts(part.max_kw, 20_000.0), watts(part.min_kw, 3_000.0), 100.0),
    };
    Plate {
        kind,
        wiring: part.rotation.as_deref().and_then(wiring).unwrap_or(LINE),
        between: if matches!(system, SystemWord::Split | SystemWord::Single) { 2.0 } else { 3f64.sqrt() },
        max,
        min,
        step,
        dead_time: Duration::from_secs_f64(part.dead_time_s.unwrap_or(0.5)),
        meter_error: part.meter_error.unwrap_or(0.0),
        temper: match part.temper.unwrap_or_default() {
            TemperWord::Obeys => Temper::Obeys,
            TemperWord::Overdraws => Temper::Overdraws(part.overdraws_a.unwrap_or(4.0)),
            TemperWord::Deaf => Temper::Deaf,
        },
    }
}

pub(super) fn nameplate(part: &ChargerPart, at: usize) -> Nameplate {
    let model = part.model.clone().unwrap_or_else(|| "Simulated".to_owned());
    Nameplate {
        identity: identity(part),
        vendor: "dlb".to_owned(),
        serial: format!("S-{:05}", 4200 + 37 * at),
        model,
        firmware: "1.0".to_owned(),
    }
}

pub(super) fn identity(part: &ChargerPart) -> String {
    format!("CP-{}", part.id)
}

pub(super) fn habits(part: &ChargerPart) -> Habits {
    let dc = part.kind == Some(KindWord::Dc);
    let default = Habits::default();
    let seconds = |value: Option<f64>, default| value.map_or(default, Duration::from_secs_f64);
    Habits {
        units: match part.units {
            None if dc => Units::Watts,
            None | Some(UnitsWord::Amps) => Units::Amps,
            Some(UnitsWord::Watts) => Units::Watts,
            Some(UnitsWord::Both) => Units::Both,
        },
        takes_tx_profile: !part.refuses_tx_profiles,
        takes_profiles: !part.refuses_profiles,
        keeps_profiles: !part.forgets_profiles,
        free_vend: (!part.needs_card).then(|| "FREE".to_owned()),
        answers_after: seconds(part.answers_after_s, Duration::from_millis(50)),
        loss: part.loss.unwrap_or(0.0),
        boot_takes: seconds(part.boot_s, default.boot_takes),
        ..default
    }
}

pub(super) fn link(part: &ChargerPart, port: impl FnOnce() -> PortIx) -> LinkSetting {
    match part.reach.unwrap_or_default() {
        ReachWord::Keba => LinkSetting::Modbus { port: port(), unit: 255, map: "keba-p30".to_owned() },
        ReachWord::Alfen => LinkSetting::Modbus { port: port(), unit: 1, map: "alfen-eve-ng9xx".to_owned() },
        ReachWord::Ocpp => LinkSetting::Ocpp {
            identity: identity(part),
            outlet: charger::Outlet(1),
            efficiency: match kind(part) {
                Kind::Ac => None,
                Kind::Dc { efficiency } => Some(efficiency),
            },
        },
    }
}
