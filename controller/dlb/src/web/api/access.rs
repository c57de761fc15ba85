//! First password, login, logout. Tries are counted before the password is looked at.

use crate::web::answer::{Answer, Refusal, ok};
use crate::web::call::Call;
use crate::web::desk::Desk;
use crate::web::guests::neighbourhood;
use crate::web::logins::{COOKIE, to_hex};
use crate::web::origin;
use crate::web::password::{MIN_CHARACTERS, PasswordFault, PasswordStore, acceptable};
use crate::web::wire::{DoneView, NewPasswordOrder, PasswordOrder, RefusalView, SetupView};
use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// No password is as long as this, quotes and escapes included.
const BODY_BYTES: usize = 8 * 1024;

/// What must be asked for first.
#[utoipa::path(get, path = "/api/v1/setup", tag = "access", operation_id = "setup", security(()),
    responses((status = 200, body = SetupView)))]
pub(crate) fn setup(desk: &Desk, call: &Call) -> Answer {
    let token = call.cookie_token();
    ok(&SetupView {
        needs_password: !desk.doors.password.is_set(),
        logged_in: token.is_some_and(|token| desk.logins.admit(&token, Instant::now())),
        version: env!("CARGO_PKG_VERSION").into(),
        password_min_characters: MIN_CHARACTERS,
    })
}

/// Chooses the first password, once, and logs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "access", operation_id = "choosePassword", security(()),
    request_body = PasswordOrder,
    responses((status = 200, body = DoneView), (status = 409, description = "There is a password already.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn choose_password(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    origin::check_local_name(call)?;
    let order: PasswordOrder = call.json(BODY_BYTES).await?;
    acceptable(&order.password).map_err(|fault| refused(&fault, "password"))?;
    count_try(desk, call)?;
    desk.hash(move |store| store.set_first(&order.password))
        .await?
        .map_err(|fault| refused(&fault, "password"))?;
    welcome(desk, call).await
}

/// Logs in; the answer sets the cookie.
#[utoipa::path(post, path = "/api/v1/login", tag = "access", operation_id = "login", security(()),
    request_body = PasswordOrder,
    responses((status = 200, body = DoneView), (status = 401, description = "Wrong password.", body = RefusalView),
        (status = 429, description = "Too many tries.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn login(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: PasswordOrder = call.json(BODY_BYTES).await?;
    if !desk.doors.password.is_set() {
        let message = "Nobody has chosen a password yet.";
        let remedy = "Choose one with POST /api/v1/setup.";
        return Err(Refusal::new(StatusCode::CONFLICT, "no-password", message, remedy));
    }
    count_try(desk, call)?;
    let right = desk.hash(move |store| store.verify(&order.password)).await?;
    if right { welcome(desk, call).await } else { Err(wrong("password")) }
}

/// Ends the login that the request came with.
#[utoipa::path(post, path = "/api/v1/logout", tag = "access", operation_id = "logout",
    responses((status = 200, body = DoneView), (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn logout(desk: &Arc<Desk>, call: &Call) -> Answer {
    if let Some(token) = &call.login {
        desk.logins.close(token);
        desk.keep_logins().await;
    }
    with_cookie("", Duration::ZERO)
}

/// Replaces the password and ends all other logins.
#[utoipa::path(post, path = "/api/v1/password", tag = "access", operation_id = "changePassword",
    request_body = NewPasswordOrder,
    responses((status = 200, body = DoneView), (status = 401, description = "Wrong old password.", body = RefusalView),
        (status = "default", description = "Refused.", body = RefusalView)))]
pub(crate) async fn change_password(desk: &Arc<Desk>, call: &mut Call) -> Result<Answer, Refusal> {
    let order: NewPasswordOrder = call.json(BODY_BYTES).await?;
    acceptable(&order.new_password).map_err(|fault| refused(&fault, "new_password"))?;
    count_try(desk, call)?;
    let change = move |store: &PasswordStore| {
        store.verify(&order.old_password).then(|| store.set(&order.new_password))
    };
    let changed = desk.hash(change).await?.ok_or_else(|| wrong("old_password"))?;
    changed.map_err(|fault| refused(&fault, "new_password"))?;
    desk.attempts.forgive(neighbourhood(call.peer));
    end_other_logins(desk, call).await;
    Ok(ok(&DoneView { done: true }))
}

/// Another password is in force: whoever came in by the old one is out.
pub(super) async fn end_other_logins(desk: &Arc<Desk>, call: &Call) {
    if let Some(token) = &call.login {
        desk.logins.close_others(token);
    }
    desk.keep_logins().await;
}

pub(super) fn count_try(desk: &Desk, call: &Call) -> Result<(), Refusal> {
    desk.attempts.take(neighbourhood(call.peer), Instant::now()).map_err(|wait| {
        let message = format!("Too many tries; the next is possible in {} s.", wait.as_secs() + 1);
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", message, "Wait, then try again.")
            .retry_after(wait + Duration::from_secs(1))
    })
}

async fn welcome(desk: &Arc<Desk>, call: &Call) -> Result<Answer, Refusal> {
    desk.attempts.forgive(neighbourhood(call.peer));
    let token = desk.logins.open(Instant::now()).map_err(|cause| {
        tracing::error!(%cause, "no random numbers for a login");
        Refusal::busy("The box has no random numbers yet.")
    })?;
    desk.keep_logins().await;
    Ok(with_cookie(&to_hex(&token), desk.settings.logins.altogether))
}

/// `HttpOnly`: no script can read it. `SameSite=Strict`: no other page can use it.
fn with_cookie(value: &str, lasts: Duration) -> Answer {
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", lasts.as_secs());
    let mut answer = ok(&DoneView { done: true });
    let cookie = HeaderValue::from_str(&cookie).expect("hexadecimal digits and numbers");
    answer.headers_mut().insert(SET_COOKIE, cookie);
    answer
}

pub(super) fn wrong(field: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "wrong-password", "That is not the password.", "Try again.")
        .about(field)
}

fn refused(fault: &PasswordFault, field: &str) -> Refusal {
    match fault {
        PasswordFault::TooShort | PasswordFault::TooLong | PasswordFault::TooPlain => {
            Refusal::bad_field(field, format!("{fault}."), "Choose another one.")
        }
        PasswordFault::AlreadySet => {
            Refusal::new(StatusCode::CONFLICT, "password-set", format!("{fault}."), "Log in with it.")
        }
        fault => {
            tracing::error!(error = fault as &dyn std::error::Error, "the password could not be kept");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Refusal::new(status, "fault", format!("{fault} failed."), "Check the box's storage.")
        }
    }
}
