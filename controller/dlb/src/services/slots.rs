//! The two systems of an appliance, as RAUC tells over D-Bus. Where there is no RAUC service (a laptop, a
//! container), nothing is told and nothing is logged.

use crate::web::wire::SlotView;
use arc_swap::ArcSwapOption;
use rauc::{GetSlotStatusInfo, InstallerProxy, SlotBootStatus, SlotState};
use std::sync::Arc;

/// What RAUC said last; empty where there is no RAUC.
#[derive(Debug, Default)]
pub struct Slots(ArcSwapOption<Vec<SlotView>>);

impl Slots {
    /// `None`: this is not an appliance, or RAUC has not answered yet.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Vec<SlotView>>> {
        self.0.load_full()
    }

    pub(super) fn store(&self, slots: Option<Vec<SlotView>>) {
        self.0.store(slots.map(Arc::new));
    }
}

pub(super) async fn ask(installer: &InstallerProxy<'_>) -> Result<Vec<SlotView>, zbus::Error> {
    let slots = installer.get_slot_status().await?;
    Ok(slots.into_iter().map(|(name, slot)| view(name, &slot)).collect())
}

fn view(name: String, slot: &GetSlotStatusInfo) -> SlotView {
    let status = match slot.boot_status {
        Some(SlotBootStatus::Good) => "good",
        Some(SlotBootStatus::Bad) => "bad",
        Some(SlotBootStatus::Unknown) | None => "unknown",
    };
    let installed = slot.installed_timestamp.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    SlotView {
        name,
        booted: slot.state == Some(SlotState::Booted),
        version: slot.bundle_version.clone(),
        status: status.to_owned(),
        installed_ms: installed.map(jiff::Timestamp::as_millisecond),
    }
}
