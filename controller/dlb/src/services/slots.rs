//! The two systems of an appliance, as RAUC tells over D-Bus. Where there is no RAUC service (a laptop, a
//! container), nothing is told and nothing is logged.

use crate::web::wire::SlotView;
use arc_swap::ArcSwapOption;
use rauc::{GetSlotStatusInfo, InstallerProxy, SlotBootStatus, SlotState};
use std::sync::Arc;
use std::time::Duration;

/// Slots change by an update or a reboot only.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// A service that does not answer within this is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// What RAUC said last; empty where there is no RAUC.
#[derive(Debug, Default)]
pub struct Slots(ArcSwapOption<Vec<SlotView>>);

impl Slots {
    /// `None`: this is not an appliance, or RAUC has not answered yet.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Vec<SlotView>>> {
        self.0.load_full()
    }
}

/// Asks for ever.
pub(super) async fn watch(slots: &Slots) {
    loop {
        let told = tokio::time::timeout(PATIENCE, ask()).await;
        match told {
            Ok(Ok(told)) => slots.0.store(Some(Arc::new(told))),
            Ok(Err(error)) => {
                tracing::debug!(%error, "asking RAUC for its slots");
                slots.0.store(None);
            }
            Err(_) => slots.0.store(None),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn ask() -> Result<Vec<SlotView>, zbus::Error> {
    let bus = zbus::Connection::system().await?;
    let installer = InstallerProxy::new(&bus).await?;
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
