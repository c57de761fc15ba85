//! Backup, restore, and the bundle for support.

use crate::backup::{self, BackupFault, RestoreError};
use crate::diagnostics;
use crate::web::answer::{Answer, Refusal, ok, with_type};
use crate::web::api::access;
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::password::acceptable;
use crate::web::wire::{BackupOrder, RefusalView, RestoreOrder, VersionView};
use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use std::sync::Arc;

/// The configuration and the secrets in one file, sealed under a passphrase.
#[utoipa::path(post, path = "/api/v1/backup", tag = "system", operation_id = "backup",
    request_body = BackupOrder,
    responses((status = 200, body = crate::backup::BackupFile), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn take(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: BackupOrder = call.json(desk.settings.body_bytes).await?;
    acceptable(&order.passphrase).map_err(|fault| {
        Refusal::bad_field("passphrase", format!("{fault}."), "Choose another one, and keep it.")
    })?;
    let doors = desk.doors.clone();
    let taken = desk.hash(move |_| backup::take(&doors, &order.passphrase)).await?;
    Ok(ok(&taken.map_err(refused)?))
}

/// Puts a backup in force: its configuration, its secrets and its password. Ends all other logins.
#[utoipa::path(post, path = "/api/v1/backup/restore", tag = "system", operation_id = "restoreBackup",
    request_body = RestoreOrder,
    responses((status = 200, body = VersionView), (status = 409, description = "It cannot be opened.", body = RefusalView),
        (status = 422, description = "Its configuration has mistakes; see `problems`.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn restore(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: RestoreOrder = call.json(desk.settings.body_bytes).await?;
    let doors = desk.doors.clone();
    let restored =
        desk.hash(move |password| backup::restore(&doors, password, &order.backup, &order.passphrase));
    let version = restored.await?.map_err(refused)?;
    access::end_other_logins(desk, call).await;
    Ok(ok(&VersionView { version }))
}

/// What support needs to see, without secrets: a tar archive of readable files.
#[utoipa::path(get, path = "/api/v1/diagnostics", tag = "system", operation_id = "diagnostics",
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn diagnostics(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let archive = desk.ask(diagnostics::collect).await??;
    let mut answer = with_type(StatusCode::OK, "application/x-tar", archive);
    let name = HeaderValue::from_static("attachment; filename=\"dlb-diagnostics.tar\"");
    answer.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(answer)
}

fn refused(error: RestoreError) -> Refusal {
    let sentence = error.to_string();
    let code = match error {
        RestoreError::Config(refusal) => return super::config::refused(refusal),
        RestoreError::Backup(BackupFault::WrongPassphrase) => "wrong-passphrase",
        RestoreError::Backup(_) => "no-backup",
        RestoreError::Secrets(_)
        | RestoreError::Authority(_)
        | RestoreError::Clamps(_)
        | RestoreError::Password(_) => "not-written",
    };
    Refusal::new(StatusCode::CONFLICT, code, sentence, "")
}
