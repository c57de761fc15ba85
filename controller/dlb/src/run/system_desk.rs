//! The machine below, for the page.

use crate::web::doors::SystemDoor;
use crate::web::wire::SystemView;

#[derive(Debug, Default)]
pub(super) struct SystemDesk;

impl SystemDoor for SystemDesk {
    fn view(&self) -> SystemView {
        SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: crate::clock::now().0 / 1_000_000,
            time_ms: crate::clock::wall().map(|wall| wall.0),
            appliance: false,
            note: Some("This is not an appliance: there is no RAUC service, and updates come the way that the program came.".to_owned()),
            slots: Vec::new(),
        }
    }
}
