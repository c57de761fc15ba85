//! One request as the handlers see it: path taken apart, query checked, body read only on demand and
//! never beyond a bound.

use super::answer::Refusal;
use super::logins::{self, Token};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, IF_MATCH};
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use smol::Timer;
use smol::future::FutureExt;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes: usize,
    pub(crate) within: Duration,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) peer: IpAddr,
    pub(crate) headers: HeaderMap,
    /// Present once the login has been checked.
    pub(crate) login: Option<Token>,
    query: Option<String>,
    body: Option<Incoming>,
    body_within: Duration,
}

impl Call {
    pub(crate) fn new(request: Request<Incoming>, peer: IpAddr, body_within: Duration) -> Self {
        let (head, body) = request.into_parts();
        Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            peer,
            headers: head.headers,
            login: None,
            query: head.uri.query().map(str::to_owned),
            body: Some(body),
            body_within,
        }
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// May it change something?
    pub(crate) fn is_unsafe(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_kind("application/json")
    }

    /// A piece of a file. As with JSON, no foreign page can send it without being asked first.
    pub(crate) fn is_piece(&self) -> bool {
        self.method == Method::PUT && self.is_kind("application/octet-stream")
    }

    fn is_kind(&self, wanted: &str) -> bool {
        let kind = self.header(&CONTENT_TYPE).unwrap_or_default();
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
    }

    pub(crate) fn cookie_token(&self) -> Option<Token> {
        let cookies = self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == logins::COOKIE).and_then(|(_, value)| logins::from_hex(value))
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(&AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The version in `If-Match`, with or without quotes.
    pub(crate) fn if_match(&self) -> Result<u64, Refusal> {
        const REMEDY: &str = "Read the configuration first and send its version in If-Match.";
        let Some(value) = self.header(&IF_MATCH) else {
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Refusal::new(status, "version-missing", "The header If-Match is missing.", REMEDY));
        };
        value
            .trim()
            .trim_matches('"')
            .parse()
            .map_err(|_| Refusal::bad_field("If-Match", "If-Match is not a version number.", REMEDY))
    }

    /// The query, with none but the allowed names, each at most once.
    pub(crate) fn query(&self, allowed: &[&str]) -> Result<BTreeMap<String, String>, Refusal> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes()) {
            if !allowed.contains(&name.as_ref()) {
                let remedy = format!("Known parameters: {}.", allowed.join(", "));
                return Err(Refusal::bad_field(&*name, format!("Unknown parameter {name:?}."), &remedy));
            }
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                let message = format!("The parameter {name:?} is there twice.");
                return Err(Refusal::bad_field(&*name, message, "Send it once."));
            }
        }
        Ok(values)
    }

    /// The body as JSON. Errors name the field.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self, at_most: usize) -> Result<T, Refusal> {
        let bytes = self.bytes(at_most).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|cause| bad_json(&cause))?;
        json.end().map_err(|_| {
            Refusal::new(StatusCode::BAD_REQUEST, "bad-json", "Something follows the JSON value.", SEND_JSON)
        })?;
        Ok(value)
    }

    /// The body as it is.
    pub(crate) async fn bytes(&mut self, at_most: usize) -> Result<Bytes, Refusal> {
        let Some(body) = self.body.take() else { return Ok(Bytes::new()) };
        let limit = BodyLimit { bytes: at_most, within: self.body_within };
        read(body, limit).await
    }
}

const SEND_JSON: &str = "Send one JSON object as described in /api/v1/openapi.json.";

/// Path segments, percent-decoded.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Refusal> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8().map(|text| text.into_owned());
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect::<Result<_, _>>().map_err(
        |_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "bad-path",
                "The path is not UTF-8.",
                "Percent-encode it as UTF-8.",
            )
        },
    )
}

async fn read(body: Incoming, limit: BodyLimit) -> Result<Bytes, Refusal> {
    let all = async { Some(Limited::new(body, limit.bytes).collect().await) };
    let late = async {
        Timer::after(limit.within).await;
        None
    };
    match all.or(late).await {
        Some(Ok(whole)) => Ok(whole.to_bytes()),
        Some(Err(cause)) if cause.is::<LengthLimitError>() => Err(too_large(limit.bytes)),
        Some(Err(_)) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "bad-body",
            "The body did not arrive whole.",
            "Send it again.",
        )
        .closing()),
        None => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow-body",
            "The body took too long to arrive.",
            "Send it again.",
        )
        .closing()),
    }
}

pub(crate) fn too_large(at_most: usize) -> Refusal {
    let message = format!("The body is larger than {at_most} bytes.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message, "Send less at once.").closing()
}

fn bad_json(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let (path, cause) = (error.path().to_string(), error.inner());
    let refusal = |code, message: String| Refusal::new(StatusCode::BAD_REQUEST, code, message, SEND_JSON);
    if cause.is_data() {
        let field = named_field(&cause.to_string()).unwrap_or(path);
        let refusal = refusal("bad-field", format!("{cause}."));
        return if field == "." { refusal } else { refusal.about(field) };
    }
    refusal("bad-json", format!("The body is not JSON: {cause}."))
}

/// A missing or unknown field has no path of its own; serde names it in back quotes.
fn named_field(message: &str) -> Option<String> {
    let rest = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("unknown field `"))?;
    rest.split_once('`').map(|(name, _)| name.to_owned())
}
