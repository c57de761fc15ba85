//! Updates from an Eclipse hawkBit server, by its Direct Device Integration API: asks in the rhythm that the server
//! sets, has the bundle that it names looked at and installed, and reports what became of it. The bundle itself is
//! fetched by RAUC. A server that is away costs nothing; balancing never waits for it.

mod http;
mod messages;

use super::Rooms;
use crate::config::Hawkbit;
use crate::config::secrets::{HAWKBIT_TOKEN, Secrets};
use crate::update::{Source, UpdatePhase};
use http::{Client, Fault};
use messages::{Base, Deployment};
use serde_json::Value;
use std::time::Duration;

/// Until there is something to update, and before the server has said how often to ask.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// A server that is away is asked less and less often, down to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// While an update is under way, its server hears of it.
const BUSY_PAUSE: Duration = Duration::from_secs(10);

/// Serves whichever server is wanted, for ever.
pub(super) async fn host(rooms: &Rooms) {
    let mut wanted = rooms.updates.server();
    loop {
        let server = wanted.borrow_and_update().clone();
        let changed = async {
            // An error means that nobody is left who could change it.
            if wanted.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let serve = async {
            match server {
                Some(server) => Talk::new(rooms, &server).run().await,
                None => std::future::pending().await,
            }
        };
        futures_lite::future::or(changed, serve).await;
    }
}

/// The talk with one server.
struct Talk<'a> {
    rooms: &'a Rooms,
    server: &'a Hawkbit,
    client: Client,
    /// The deployment that is under way here, and what of it was told last.
    under_way: Option<(String, String)>,
    /// The pause after the next failure.
    pause: Duration,
    away: bool,
}

impl<'a> Talk<'a> {
    fn new(rooms: &'a Rooms, server: &'a Hawkbit) -> Self {
        Self {
            rooms,
            server,
            client: Client::new(&server.url),
            under_way: None,
            pause: FIRST_PAUSE,
            away: false,
        }
    }

    async fn run(&mut self) {
        loop {
            let pause = match self.turn().await {
                Ok(pause) => {
                    self.heard();
                    pause
                }
                Err(fault) => self.missed(&fault),
            };
            let busy = self.under_way.is_some() && !self.away;
            tokio::time::sleep(if busy { BUSY_PAUSE } else { pause }).await;
        }
    }

    /// One question, and what follows from its answer. Answers when to ask again.
    async fn turn(&mut self) -> Result<Duration, Fault> {
        if !self.rooms.updates.view().available {
            return Ok(FIRST_PAUSE);
        }
        // The token may have been set since the last time.
        let (secrets, _) = Secrets::open(&self.rooms.data);
        self.client.show(secrets.get(HAWKBIT_TOKEN).map(str::to_owned));
        self.report().await?;
        let name = self.server.name.as_deref().unwrap_or(&self.rooms.box_id);
        let base = format!("{}/{}/controller/v1/{name}", self.server.url, self.server.tenant);
        let told = Base::read(&self.client.get(&base).await?);
        if let Some(link) = &told.config_data {
            let view = self.rooms.updates.view();
            self.client.put(link, &messages::attributes(&view)).await?;
        }
        if let Some(link) = &told.cancel {
            self.cancel(link).await?;
        } else if let Some(link) = &told.deployment {
            self.deploy(link).await?;
        }
        Ok(told.sleep.unwrap_or(FIRST_PAUSE))
    }

    /// Tells how an update ended, before anything new is asked for; it is remembered until the server has it.
    async fn report(&mut self) -> Result<(), Fault> {
        let Some(report) = self.rooms.updates.report() else { return Ok(()) };
        let link = self.feedback_link("deploymentBase", &report.action);
        self.client.post(&link, &messages::closed(&report)).await?;
        self.rooms.updates.reported();
        self.under_way = None;
        Ok(())
    }

    async fn deploy(&mut self, link: &str) -> Result<(), Fault> {
        let told = self.client.get(link).await?;
        let Some(deployment) = Deployment::read(&told) else {
            tracing::warn!("the update server's deployment is not understood");
            return Ok(());
        };
        if self.rooms.updates.is_about(&deployment.action) {
            return self.proceeding(&deployment.action).await;
        }
        let Some(place) = deployment.bundle else {
            self.rooms
                .updates
                .refuse_action(&deployment.action, "The deployment has no bundle (.raucb) in it.");
            return self.report().await;
        };
        let source = Source {
            headers: self.client.headers_for(&place),
            place,
            action: Some(deployment.action.clone()),
        };
        let then_install = deployment.forced.then_some(self.server.wait_for_cars);
        // Busy with another one: the server asks again.
        if self.rooms.updates.look_at(source, then_install).is_ok() {
            self.under_way = Some((deployment.action.clone(), String::new()));
            self.proceeding(&deployment.action).await?;
        }
        Ok(())
    }

    /// Tells how far it is, if that changed.
    async fn proceeding(&mut self, action: &str) -> Result<(), Fault> {
        let view = self.rooms.updates.view();
        let step = messages::step(&view);
        let told = self.under_way.as_ref().is_some_and(|(of, told)| of == action && *told == step);
        if !told {
            let link = self.feedback_link("deploymentBase", action);
            self.client.post(&link, &messages::proceeding(action, &step)).await?;
            self.under_way = Some((action.to_owned(), step));
        }
        Ok(())
    }

    /// What is not yet being written is dropped; what is cannot be stopped.
    async fn cancel(&mut self, link: &str) -> Result<(), Fault> {
        let told = self.client.get(link).await?;
        let (Some(cancel), Some(stop)) = (messages::id(&told), messages::stop_id(&told)) else {
            return Ok(());
        };
        let ours = self.rooms.updates.is_about(&stop);
        let free = matches!(self.rooms.updates.view().phase, UpdatePhase::Idle | UpdatePhase::Ready);
        let dropped = !ours || (free && self.rooms.updates.discard().is_ok());
        let link = self.feedback_link("cancelAction", &cancel);
        self.client.post(&link, &messages::cancelled(&cancel, dropped)).await?;
        if dropped {
            self.under_way = None;
        }
        Ok(())
    }

    fn feedback_link(&self, kind: &str, action: &str) -> String {
        let name = self.server.name.as_deref().unwrap_or(&self.rooms.box_id);
        let (url, tenant) = (&self.server.url, &self.server.tenant);
        format!("{url}/{tenant}/controller/v1/{name}/{kind}/{action}/feedback")
    }

    fn heard(&mut self) {
        self.pause = FIRST_PAUSE;
        if std::mem::take(&mut self.away) {
            super::updater::tell_server(self.rooms, "The update server answers again.".into(), true);
        }
    }

    /// Answers when to try again.
    fn missed(&mut self, fault: &Fault) -> Duration {
        tracing::debug!(error = fault as &dyn std::error::Error, "asking the update server");
        if !std::mem::replace(&mut self.away, true) {
            let text = format!(
                "The update server {} cannot be used: {}. Balancing goes on without it.",
                self.server.url,
                crate::run::chain(fault)
            );
            super::updater::tell_server(self.rooms, text, false);
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// The text of a field, or nothing.
fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}
