//! What the program's configuration of the demonstration's garage comes to.

use super::GRID_METER;
use crate::garage::{self, BayPlan, Reach};
use crate::outlet::Kind;
use dlb_engine::lines::PerLine;
use dlb_engine::site::{self, Circuit, CircuitIx, Site, SiteFault, Supply};
use dlb_engine::time::Duration;
use dlb_engine::units::{Milliamps, Millivolts};
use dlb_links::charger::Outlet;
use dlb_wiring::settings::{Adoption, LinkSetting, MeterSetting, MeterSource, Policy, PortIx, Settings};

/// What the program's configuration of this garage comes to.
///
/// # Errors
/// Where the bays contradict themselves.
pub fn settings(bays: &[BayPlan]) -> Result<Settings, Vec<SiteFault>> {
    let supply = Supply::Star(Millivolts(230_000));
    let circuit = |id: &str, parent, amps| Circuit {
        parent,
        ..Circuit::new(id, PerLine::all(Milliamps::from_amps_f64(amps)), supply)
    };
    let grid = circuit("grid", None, garage::GRID_A);
    let board = circuit("garage", Some(CircuitIx(0)), garage::GARAGE_A);
    let site = Site::new(vec![grid, board], bays.iter().map(charger).collect())?;
    let mut ports = 0;
    let links = bays.iter().map(|bay| link(bay, &mut ports)).collect();
    let meter = MeterSetting {
        id: GRID_METER.to_owned(),
        circuit: CircuitIx(0),
        source: MeterSource::Clamps,
        lost_after: Duration::from_secs(10),
        assumed_load: PerLine::all(Milliamps::from_amps(40)),
    };
    Ok(Settings {
        name: "Garage".to_owned(),
        site,
        guards: Vec::new(),
        meters: vec![meter],
        links,
        policy: Policy::default(),
        adoption: Adoption::Ask,
        inputs: Vec::new(),
        outputs: Vec::new(),
    })
}

fn charger(bay: &BayPlan) -> site::Charger {
    let to_amps = match bay.plate.kind {
        Kind::Ac => 1.0,
        Kind::Dc { efficiency } => 1.0 / efficiency / 690.0,
    };
    // The installer of the Alfen has set its safe current; the others pause.
    let fallback = if bay.reach == Reach::Alfen { Milliamps::from_amps(6) } else { Milliamps::ZERO };
    site::Charger {
        id: bay.id.clone(),
        circuit: CircuitIx(usize::from(bay.in_garage)),
        wiring: bay.plate.wiring,
        min: Milliamps::from_amps_f64(bay.plate.min * to_amps),
        max: Milliamps::from_amps_f64(bay.plate.max * to_amps),
        step: Milliamps::from_amps_f64((bay.plate.step * to_amps).max(0.1)),
        fallback,
        priority: 0,
        weight: 1.0,
    }
}

fn link(bay: &BayPlan, ports: &mut usize) -> LinkSetting {
    let mut modbus = |unit, map: &str| {
        *ports += 1;
        LinkSetting::Modbus { port: PortIx(*ports - 1), unit, map: map.to_owned() }
    };
    match &bay.reach {
        Reach::Keba => modbus(255, "keba-p30"),
        Reach::Alfen => modbus(1, "alfen-eve-ng9xx"),
        Reach::Ocpp { identity } => LinkSetting::Ocpp {
            identity: identity.clone(),
            outlet: Outlet(1),
            efficiency: match bay.plate.kind {
                Kind::Ac => None,
                Kind::Dc { efficiency } => Some(efficiency),
            },
        },
    }
}
