//! The machine below, for the page.

use crate::reset::ResetDesk;
use crate::services::Slots;
use crate::web::doors::{DoorFault, SystemDoor};
use crate::web::wire::SystemView;
use std::net::SocketAddr;
use std::sync::Arc;

const NO_APPLIANCE: &str =
    "This is not an appliance: there is no RAUC service, and updates come the way that the program came.";

#[derive(Debug)]
pub(super) struct SystemDesk {
    pub(super) slots: Arc<Slots>,
    pub(super) reset: ResetDesk,
    /// Where chargers are listened for.
    pub(super) ocpp: SocketAddr,
}

impl SystemDoor for SystemDesk {
    fn view(&self) -> SystemView {
        let slots = self.slots.latest();
        SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: crate::clock::now().0 / 1_000_000,
            time_ms: crate::clock::wall().map(|wall| wall.0),
            appliance: slots.is_some(),
            note: slots.is_none().then(|| NO_APPLIANCE.to_owned()),
            ocpp: self.ocpp.to_string(),
            slots: slots.map(|slots| slots.to_vec()).unwrap_or_default(),
        }
    }

    fn factory_reset(&self) -> Result<(), DoorFault> {
        self.reset.order("the page").map_err(|fault| DoorFault::new("resetting the box", fault))
    }
}
