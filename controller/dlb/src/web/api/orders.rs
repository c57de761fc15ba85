//! What a person asks of the site: put into words of the engine, handed to the site's thread, answered
//! when it was taken. Range checks happen here; whether it is possible is decided there.

use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::{Desk, within};
use crate::web::doors::Ordered;
use crate::web::wire::{
    ChargerLimitOrder, CloseContactorOrder, DepartureOrder, DoneView, LinesOrAll, RefusalView, ServiceName,
    ServiceOrder, SiteLimitOrder, StrategyName, StrategyOrder, VendorMessage,
};
use dlb_engine::lines::PerLine;
use dlb_engine::snapshot::Strategy;
use dlb_engine::time::{Duration, WallTime};
use dlb_engine::units::{Milliamps, WattHours};
use dlb_wiring::event::{Order, Service};
use hyper::StatusCode;
use std::sync::Arc;

const BODY_BYTES: usize = 8 * 1024;
const MAX_AMPS: f64 = 10_000.0;
const MAX_KWH: f64 = 10_000.0;
const MAX_LASTS_S: u64 = 7 * 86_400;

/// Who goes first from now on.
#[utoipa::path(post, path = "/api/v1/order/strategy", tag = "orders", operation_id = "orderStrategy",
    request_body = StrategyOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn strategy(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: StrategyOrder = call.json(BODY_BYTES).await?;
    carry_out(desk, Order::Strategy(order.strategy.into())).await
}

/// Lowers the limit of the whole site for a while.
#[utoipa::path(post, path = "/api/v1/order/site-limit", tag = "orders", operation_id = "orderSiteLimit",
    request_body = SiteLimitOrder,
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn site_limit(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: SiteLimitOrder = call.json(BODY_BYTES).await?;
    let limit = order.limit_a.map(per_line).transpose()?;
    let lasts = match (limit, order.lasts_s) {
        (None, _) => Duration::ZERO,
        (Some(_), Some(seconds @ 1..=MAX_LASTS_S)) => Duration::from_secs(seconds),
        (Some(_), _) => {
            let message = format!("lasts_s must be between 1 and {MAX_LASTS_S} seconds.");
            return Err(Refusal::bad_field("lasts_s", message, "Say how long the limit shall hold."));
        }
    };
    carry_out(desk, Order::SiteLimit { limit, lasts }).await
}

/// Holds one charger at no more than this; zero pauses it.
#[utoipa::path(post, path = "/api/v1/order/charger-limit", tag = "orders", operation_id = "orderChargerLimit",
    request_body = ChargerLimitOrder,
    responses((status = 200, body = DoneView), (status = 404, description = "No such charger.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn charger_limit(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: ChargerLimitOrder = call.json(BODY_BYTES).await?;
    let limit = order.limit_a.map(milliamps).transpose()?;
    known_charger(desk, &order.charger)?;
    carry_out(desk, Order::ChargerLimit { charger: order.charger, limit }).await
}

/// When a driver leaves, and what the car needs until then.
#[utoipa::path(post, path = "/api/v1/order/departure", tag = "orders", operation_id = "orderDeparture",
    request_body = DepartureOrder,
    responses((status = 200, body = DoneView), (status = 404, description = "No such charger.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn departure(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: DepartureOrder = call.json(BODY_BYTES).await?;
    let energy = order.energy_needed_kwh.map(watt_hours).transpose()?;
    known_charger(desk, &order.charger)?;
    let at = order.departs_ms.map(WallTime);
    carry_out(desk, Order::Departure { charger: order.charger, at, energy }).await
}

/// Closes a contactor again that a relay of the box has opened.
#[utoipa::path(post, path = "/api/v1/order/close-contactor", tag = "orders", operation_id = "orderCloseContactor",
    request_body = CloseContactorOrder,
    responses((status = 200, body = DoneView), (status = 404, description = "No such relay.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn close_contactor(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let CloseContactorOrder { output } = call.json(BODY_BYTES).await?;
    let picture = desk.doors.live.latest();
    let picture = picture.ok_or_else(|| Refusal::busy("The site's loop has not started yet."))?;
    if !picture.site.outputs.iter().any(|known| known.id == output && known.does == "trip") {
        let message = format!("There is no relay {output:?} that opens a contactor.");
        let remedy = "See outputs in /api/v1/site.";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no-such-output", message, remedy).about("output"));
    }
    carry_out(desk, Order::CloseContactor { output }).await
}

/// Asks a charger to restart, to free a plug, to go out of service and the like.
#[utoipa::path(post, path = "/api/v1/order/service", tag = "orders", operation_id = "orderService",
    request_body = ServiceOrder,
    responses((status = 200, description = "It is on its way; the charger's answer becomes an event.", body = DoneView),
        (status = 404, description = "No such charger.", body = RefusalView),
        (status = 409, description = "Not connected, or no OCPP charger.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn service(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let ServiceOrder { charger, ask } = call.json(BODY_BYTES).await?;
    known_charger(desk, &charger)?;
    in_reach(desk, &charger)?;
    carry_out(desk, Order::Service { charger, service: understood(ask)? }).await
}

fn in_reach(desk: &Desk, id: &str) -> Result<(), Refusal> {
    let picture = desk.doors.live.latest();
    let charger = picture.iter().flat_map(|picture| &picture.site.chargers).find(|charger| charger.id == id);
    let conflict = |code, message: String, remedy| {
        Err(Refusal::new(StatusCode::CONFLICT, code, message, remedy).about("charger"))
    };
    match charger {
        Some(charger) if !charger.serviceable => {
            let message = format!("{id} is driven by Modbus, which knows no such order.");
            conflict("no-ocpp-charger", message, "Use the charger's own page or app.")
        }
        Some(charger) if !charger.online => {
            let message = format!("{id} is not connected.");
            conflict("charger-offline", message, "Wait until it is back, or switch its supply off and on.")
        }
        _ => Ok(()),
    }
}

fn understood(ask: ServiceName) -> Result<Service, Refusal> {
    let VendorMessage { vendor, message, data } = match ask {
        ServiceName::Restart => return Ok(Service::Restart { hard: false }),
        ServiceName::RestartHard => return Ok(Service::Restart { hard: true }),
        ServiceName::Unlock => return Ok(Service::Unlock),
        ServiceName::OutOfService => return Ok(Service::InService(false)),
        ServiceName::InService => return Ok(Service::InService(true)),
        ServiceName::ClearCache => return Ok(Service::ClearCache),
        ServiceName::Schedule => return Ok(Service::Schedule),
        ServiceName::Vendor(words) => words,
    };
    let long = |text: &str, most| text.chars().count() > most;
    if vendor.is_empty() || long(&vendor, 255) || message.as_deref().is_some_and(|text| long(text, 50)) {
        let text = "vendor must have 1 to 255 characters, message at most 50.";
        return Err(Refusal::bad_field("ask.vendor", text, "Shorten it."));
    }
    Ok(Service::Vendor { vendor, message, data })
}

/// Hands an order to the site's thread and waits for its word.
pub(crate) async fn carry_out(desk: &Desk, order: Order) -> Result<Answer, Refusal> {
    let (reply, answer) = async_channel::bounded(1);
    if desk.doors.orders.try_send(Ordered { order, reply }).is_err() {
        return Err(Refusal::busy("The site's loop has more orders than it can take."));
    }
    match within(desk.settings.answer_within, answer.recv()).await {
        Some(Ok(Ok(()))) => Ok(ok(&DoneView { done: true })),
        Some(Ok(Err(declined))) => {
            let status = StatusCode::CONFLICT;
            Err(Refusal::new(status, declined.code, declined.message, &declined.remedy))
        }
        Some(Err(_)) | None => Err(Refusal::busy("The site's loop did not answer in time.")),
    }
}

fn known_charger(desk: &Desk, id: &str) -> Result<(), Refusal> {
    let picture = desk.doors.live.latest();
    let picture = picture.ok_or_else(|| Refusal::busy("The site's loop has not started yet."))?;
    if picture.site.chargers.iter().any(|charger| charger.id == id) {
        return Ok(());
    }
    let message = format!("There is no charger {id:?}.");
    Err(Refusal::new(StatusCode::NOT_FOUND, "no-such-charger", message, "See /api/v1/site for their names.")
        .about("charger"))
}

fn per_line(limit: LinesOrAll) -> Result<PerLine<Milliamps>, Refusal> {
    let [one, two, three] = match limit {
        LinesOrAll::All(amps) => [amps; 3],
        LinesOrAll::Each(amps) => amps,
    };
    Ok(PerLine([milliamps(one)?, milliamps(two)?, milliamps(three)?]))
}

fn milliamps(amps: f64) -> Result<Milliamps, Refusal> {
    if (0.0..=MAX_AMPS).contains(&amps) {
        return Ok(Milliamps::from_amps_f64(amps));
    }
    let message = format!("limit_a must be between 0 and {MAX_AMPS} A.");
    Err(Refusal::bad_field("limit_a", message, "Send amperes per line."))
}

fn watt_hours(kwh: f64) -> Result<WattHours, Refusal> {
    if (0.0..=MAX_KWH).contains(&kwh) {
        return Ok(WattHours((kwh * 1000.0).round() as i64));
    }
    let message = format!("energy_needed_kwh must be between 0 and {MAX_KWH} kWh.");
    Err(Refusal::bad_field("energy_needed_kwh", message, "Send kilowatt hours."))
}

impl From<StrategyName> for Strategy {
    fn from(name: StrategyName) -> Self {
        match name {
            StrategyName::Equal => Self::Equal,
            StrategyName::FirstCome => Self::FirstCome,
            StrategyName::Priority => Self::Priority,
            StrategyName::Departure => Self::Departure,
        }
    }
}
