//! The broker's secrets: written, never read back. What can be read is whether they are there, and how the
//! connection stands.

use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::doors::SecretRefusal;
use crate::web::wire::{BrokerAuthorityOrder, BrokerPasswordOrder, BrokerView, DoneView, RefusalView};
use std::sync::Arc;

/// Of a password or a chain of certificates, with JSON's escapes.
const BODY_BYTES: usize = 160 * 1024;

/// How the connection to the broker stands, and which secrets there are.
#[utoipa::path(get, path = "/api/v1/broker", tag = "configuration", operation_id = "broker",
    responses((status = 200, body = BrokerView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn broker(desk: &Arc<Desk>) -> Result<Answer, Refusal> {
    let view = desk.ask(|doors| doors.broker.view()).await?;
    Ok(ok(&view))
}

/// Sets the password of the broker's user, or forgets it with null.
#[utoipa::path(put, path = "/api/v1/broker/password", tag = "configuration", operation_id = "setBrokerPassword",
    request_body = BrokerPasswordOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn set_password(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: BrokerPasswordOrder = call.json(BODY_BYTES).await?;
    let set = move |doors: &crate::web::doors::Doors| doors.broker.set_password(order.password.as_deref());
    desk.ask(set).await?.map_err(|refusal| refused(refusal, "password"))?;
    Ok(ok(&DoneView { done: true }))
}

/// Sets the certificates by which the box knows its broker, or forgets them with null.
#[utoipa::path(put, path = "/api/v1/broker/authority", tag = "configuration", operation_id = "setBrokerAuthority",
    request_body = BrokerAuthorityOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn set_authority(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: BrokerAuthorityOrder = call.json(BODY_BYTES).await?;
    let set = move |doors: &crate::web::doors::Doors| doors.broker.set_authority(order.pem.as_deref());
    desk.ask(set).await?.map_err(|refusal| refused(refusal, "pem"))?;
    Ok(ok(&DoneView { done: true }))
}

fn refused(refusal: SecretRefusal, field: &str) -> Refusal {
    match refusal {
        SecretRefusal::Wrong { why, remedy } => Refusal::bad_field(field, why, remedy),
        SecretRefusal::Fault(fault) => fault.into(),
    }
}
