//! The machine below, for the page.

use crate::web::doors::SystemDoor;
use crate::web::wire::SystemView;
use std::sync::{Arc, Mutex};

/// What is known of an appliance's slots; written by whoever asks RAUC.
pub type Slots = Arc<Mutex<Option<crate::services::slots::SlotReport>>>;

pub(super) struct SystemDesk {
    pub(super) slots: Slots,
}

impl SystemDoor for SystemDesk {
    fn view(&self) -> SystemView {
        let report = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: crate::clock::now().0 / 1_000_000,
            time_ms: crate::clock::wall().map(|wall| wall.0),
            appliance: report.is_some(),
            note: report
                .is_none()
                .then(|| "This is not an appliance: there is no RAUC service, and updates come the way that the program came.".to_owned()),
            slots: report.map(|report| report.slots).unwrap_or_default(),
        }
    }
}
