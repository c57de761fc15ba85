//! Answers and refusals: every refusal is JSON with a code for programs, a sentence for people and what
//! to do about it.

use super::wire::{ErrorView, RefusalView};
use crate::config::Problem;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
pub(crate) type Answer = Response<Body>;

/// Something that is not done, and why.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Details>);

#[derive(Debug)]
struct Details {
    status: StatusCode,
    view: RefusalView,
    retry_after: Option<Duration>,
    allow: Option<String>,
    close: bool,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>, remedy: &str) -> Self {
        let error =
            ErrorView { code: code.into(), message: message.into(), remedy: remedy.into(), field: None };
        let view = RefusalView { error, problems: Vec::new(), version: None };
        Self(Box::new(Details { status, view, retry_after: None, allow: None, close: false }))
    }

    /// Names the field at fault.
    pub(crate) fn about(mut self, field: impl Into<String>) -> Self {
        self.0.view.error.field = Some(field.into());
        self
    }

    pub(crate) fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.0.view.problems = problems;
        self
    }

    pub(crate) fn with_version(mut self, version: u64) -> Self {
        self.0.view.version = Some(version);
        self
    }

    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The connection cannot be trusted, or is not worth, to be read any further.
    pub(crate) fn closing(mut self) -> Self {
        self.0.close = true;
        self
    }

    pub(crate) fn bad_field(field: impl Into<String>, message: impl Into<String>, remedy: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-field", message, remedy).about(field)
    }

    /// RFC 9110 wants the methods in a header; the remedy says them too.
    pub(crate) fn wrong_method(method: &str, path: &str, allow: &str) -> Self {
        let message = format!("{path} does not take {method}.");
        let mut refusal =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", message, &format!("Use {allow}."));
        refusal.0.allow = Some(allow.to_owned());
        refusal
    }

    pub(crate) fn busy(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message, "Try again in a few seconds.")
            .retry_after(Duration::from_secs(2))
    }

    pub(crate) fn into_answer(self) -> Answer {
        let mut answer = json_answer(self.0.status, &self.0.view);
        let headers = answer.headers_mut();
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.0.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.0.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

pub(crate) fn json_answer(status: StatusCode, value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).expect("wire types have string keys and plain values only");
    with_type(status, "application/json", bytes)
}

pub(crate) fn ok(value: &impl Serialize) -> Answer {
    json_answer(StatusCode::OK, value)
}

/// An answer that no cache may keep.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, bytes: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(full(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What a browser must keep to, whatever the answer is.
pub(crate) fn guard(headers: &mut HeaderMap) {
    const GUARDS: [(&str, &str); 6] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in GUARDS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
