//! Drives updates over RAUC's D-Bus interface: asks what the machine is, has bundles looked at and written,
//! follows the progress, and says when the box may restart. Where there is no RAUC, it asks now and then
//! and says nothing.

use super::Rooms;
use super::slots;
use crate::clock;
use crate::site::ocpp_server::Incoming;
use crate::update::{
    Bundle, Job, Machine, NO_SIGNATURE, Source, UpdateOutcome, UpdateRecord, WaitForCars, has_a_signature,
};
use crate::web::wire::SlotView;
use dlb_wiring::event::{Alert, Event, Severity};
use futures_lite::{FutureExt as _, StreamExt as _};
use rauc::{InspectBundleArgs, InstallBundleArgs, InstallationResult, InstallerProxy, Operation};
use std::time::Duration;

/// Slots change by an update or a restart only.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// While something is about to change.
const ASK_SOON: Duration = Duration::from_secs(3);
/// A service that does not answer within this is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fetching what a bundle says of itself may take a slow line a while.
const PATIENCE_LOOKING: Duration = Duration::from_secs(120);
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// RAUC has neither progressed nor ended for this long.
const STUCK: Duration = Duration::from_secs(1_800);

enum Turn {
    Job(Job),
    Timer,
}

/// Drives for ever.
pub(super) async fn drive(rooms: &Rooms) {
    loop {
        let machine = tokio::time::timeout(PATIENCE, ask(rooms)).await.ok().flatten();
        if let Some(ended) = rooms.updates.machine(machine) {
            tell(rooms, &ended);
        }
        rooms.updates.restart_if_due(cars_charge(rooms));
        let pause = if rooms.updates.is_restless() { ASK_SOON } else { ASK_EVERY };
        let job = async { Turn::Job(rooms.updates.job().await) };
        let timer = async {
            tokio::time::sleep(pause).await;
            Turn::Timer
        };
        if let Turn::Job(job) = job.or(timer).await {
            carry_out(rooms, job).await;
        }
    }
}

async fn carry_out(rooms: &Rooms, job: Job) {
    match job {
        Job::Inspect { source, then_install } => inspect(rooms, source, then_install).await,
        Job::Install { source, bundle } => {
            let outcome = install(rooms, &source, &bundle).await;
            if let Some(ended) = rooms.updates.installed(outcome) {
                tell(rooms, &ended);
            }
        }
    }
}

/// Asks for the slots, for the page, and what this machine is.
async fn ask(rooms: &Rooms) -> Option<Machine> {
    let told = async {
        let proxy = proxy().await?;
        let slots = slots::ask(&proxy).await?;
        // The system bus lives as long as the system: its name tells one start of the machine from another.
        let bus = zbus::fdo::DBusProxy::new(proxy.inner().connection()).await?;
        let boot = bus.get_id().await?.to_string();
        let complete = boot_is_complete(&proxy).await;
        Ok::<_, zbus::Error>((proxy.compatible().await?, boot, complete, slots))
    };
    match told.await {
        Ok((compatible, boot, complete, slots)) => {
            let machine = machine(compatible, boot, complete, &slots);
            rooms.slots.store(Some(slots));
            machine
        }
        Err(error) => {
            tracing::debug!(%error, "asking RAUC for its slots");
            rooms.slots.store(None);
            None
        }
    }
}

/// A machine that did not come up from a slot (a recovery stick) is not updated.
fn machine(compatible: String, boot: String, complete: Option<bool>, slots: &[SlotView]) -> Option<Machine> {
    let booted = slots.iter().find(|slot| slot.booted)?;
    let version = booted.version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    let proved = complete.unwrap_or(booted.status == "good");
    Some(Machine { compatible, booted: booted.name.clone(), version, proved, boot })
}

/// Whether the health check has passed in this start of the machine, as systemd tells. RAUC cannot: to it, a
/// slot that has tries left is good. `None` where there is no systemd.
async fn boot_is_complete(rauc: &InstallerProxy<'_>) -> Option<bool> {
    const UNIT: &str = "/org/freedesktop/systemd1/unit/boot_2dcomplete_2etarget";
    let bus = rauc.inner().connection();
    let unit = zbus::Proxy::new(bus, "org.freedesktop.systemd1", UNIT, "org.freedesktop.systemd1.Unit");
    let state: String = unit.await.ok()?.get_property("ActiveState").await.ok()?;
    Some(state == "active")
}

async fn proxy() -> Result<InstallerProxy<'static>, zbus::Error> {
    let bus = zbus::Connection::system().await?;
    InstallerProxy::builder(&bus).cache_properties(zbus::proxy::CacheProperties::No).build().await
}

async fn inspect(rooms: &Rooms, source: Source, then_install: Option<WaitForCars>) {
    let looked = tokio::time::timeout(PATIENCE_LOOKING, look(&source)).await;
    let outcome = looked.unwrap_or_else(|_| Err("timeout while looking at the bundle".to_owned()));
    match rooms.updates.inspected(source, outcome, then_install) {
        Ok(()) => tracing::info!("a bundle may be installed"),
        Err(problem) => tracing::warn!(code = problem.code, "a bundle is refused: {}", problem.text),
    }
}

async fn look(source: &Source) -> Result<Bundle, String> {
    if !source.is_an_address() {
        let mut file = std::fs::File::open(&source.place).map_err(|error| error.to_string())?;
        if !has_a_signature(&mut file).map_err(|error| error.to_string())? {
            return Err(NO_SIGNATURE.to_owned());
        }
    }
    let proxy = proxy().await.map_err(|error| words(&error))?;
    let headers = (!source.headers.is_empty()).then(|| source.headers.clone());
    let args = InspectBundleArgs { http_headers: headers, ..Default::default() };
    match proxy.inspect_bundle(&source.place, args).await {
        Ok(info) => Ok(Bundle {
            compatible: info.update.compatible,
            version: info.update.version.unwrap_or_default(),
            description: info.update.description.unwrap_or_default(),
            manifest_hash: Some(info.manifest_hash),
        }),
        Err(error) if is_unknown_method(&error) => look_the_old_way(&proxy, source).await,
        Err(error) => Err(words(&error)),
    }
}

/// RAUC before 1.10.
async fn look_the_old_way(proxy: &InstallerProxy<'_>, source: &Source) -> Result<Bundle, String> {
    let told: Result<(String, String), _> = proxy.inner().call("Info", &(source.place.as_str(),)).await;
    let (compatible, version) = told.map_err(|error| words(&error))?;
    Ok(Bundle { compatible, version, ..Default::default() })
}

fn is_unknown_method(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::MethodError(name, ..)
        if name.as_str() == "org.freedesktop.DBus.Error.UnknownMethod")
}

/// What RAUC said, without the name of the error.
fn words(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(_, Some(said), _) => said.clone(),
        other => other.to_string(),
    }
}

async fn install(rooms: &Rooms, source: &Source, bundle: &Bundle) -> Result<(), String> {
    tracing::info!(version = bundle.version, "writing an update");
    let proxy = proxy().await.map_err(|error| words(&error))?;
    let mut completed = proxy.receive_completed().await.map_err(|error| words(&error))?;
    let args = InstallBundleArgs {
        require_manifest_hash: bundle.manifest_hash.clone(),
        http_headers: (!source.headers.is_empty()).then(|| source.headers.clone()),
        ..Default::default()
    };
    proxy.install_bundle(&source.place, args).await.map_err(|error| words(&error))?;
    let done = async {
        let told = completed.next().await;
        Some(told.and_then(|signal| signal.args().ok().map(|args| *args.result())))
    };
    let result = done.or(follow(rooms, &proxy)).await.flatten();
    match result {
        Some(InstallationResult::Success) => Ok(()),
        _ => Err(last_error(&proxy).await),
    }
}

/// Shows the progress; ends only when RAUC is not there any more, or stuck.
async fn follow(rooms: &Rooms, proxy: &InstallerProxy<'_>) -> Option<Option<InstallationResult>> {
    let mut last = (0, String::new());
    let mut moved = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(PROGRESS_EVERY).await;
        if let Ok(progress) = proxy.progress().await {
            rooms.updates.progress(progress.percentage, &progress.message);
            let now = (progress.percentage, progress.message);
            if now != last {
                (last, moved) = (now, tokio::time::Instant::now());
            }
        }
        let alive = matches!(proxy.operation().await, Ok(Operation::Installing));
        // The signal may be on its way when RAUC already rests.
        let patience = if alive { STUCK } else { PATIENCE };
        if moved.elapsed() > patience {
            return None;
        }
    }
}

async fn last_error(proxy: &InstallerProxy<'_>) -> String {
    match proxy.last_error().await {
        Ok(said) if !said.is_empty() => said,
        Ok(_) => "it ended without a word".to_owned(),
        Err(error) => words(&error),
    }
}

/// As far as the last picture shows.
fn cars_charge(rooms: &Rooms) -> bool {
    let picture = rooms.live.latest();
    picture.is_some_and(|picture| picture.site.chargers.iter().any(|charger| charger.state == "Charging"))
}

/// How an update ended is an event of the site.
fn tell(rooms: &Rooms, ended: &UpdateRecord) {
    let (severity, code) = match ended.outcome {
        UpdateOutcome::Done => (Severity::Note, "update-done"),
        UpdateOutcome::RolledBack => (Severity::Warning, "update-rolled-back"),
        UpdateOutcome::Failed => (Severity::Warning, "update-failed"),
    };
    say(rooms, severity, code, ended.text.clone(), false);
}

/// Something about the update server.
pub(super) fn tell_server(rooms: &Rooms, text: String, cleared: bool) {
    say(rooms, Severity::Note, "update-server", text, cleared);
}

fn say(rooms: &Rooms, severity: Severity, code: &'static str, text: String, cleared: bool) {
    let alert = Alert { at: clock::now(), severity, about: "site".into(), code, text, cleared };
    // A full queue costs the page this sentence; the history of updates has its own.
    let _ = rooms.site.try_send(Incoming::Event(Event::Trouble(alert)));
}
