//! The page's files, from inside the program. Built and put there by `build.rs`.

use super::answer::{Answer, full};
use super::call::Call;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use hyper::{Response, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/page"]
struct Page;

const START: &str = "index.html";

/// Whatever is not a file is a place inside the page, which the page itself knows how to show.
pub(crate) fn answer(call: &Call) -> Answer {
    let path = call.path.trim_start_matches('/');
    let name = if path.is_empty() { START } else { path };
    if let Some(answer) = file(call, name) {
        return answer;
    }
    let place = !name.rsplit('/').next().unwrap_or_default().contains('.');
    let start = if place { file(call, START) } else { None };
    start.unwrap_or_else(not_found)
}

fn file(call: &Call, name: &str) -> Option<Answer> {
    let plain = Page::get(name).filter(|_| !is_packed(name))?;
    let packed = accepts_gzip(call).then(|| Page::get(&format!("{name}.gz"))).flatten();
    let encoded = packed.is_some();
    let etag = etag(&plain, encoded);
    let known = call.headers.get(IF_NONE_MATCH).is_some_and(|known| *known == etag);
    let mut answer = if known {
        Response::new(full(Bytes::new()))
    } else {
        Response::new(full(bytes(packed.unwrap_or(plain))))
    };
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keeping(name)));
    headers.insert(ETAG, etag);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if encoded && !known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(answer)
}

/// The packed files stand behind the plain ones and are nobody's page.
fn is_packed(name: &str) -> bool {
    name.ends_with(".gz") || name.ends_with(".br")
}

fn accepts_gzip(call: &Call) -> bool {
    let accepted = call.header(&ACCEPT_ENCODING).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        gzip && !parts.any(|quality| matches!(quality, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn etag(file: &EmbeddedFile, encoded: bool) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let suffix = if encoded { "-gz" } else { "" };
    HeaderValue::from_str(&format!("\"{digits}{suffix}\"")).expect("hexadecimal digits in quotes")
}

fn bytes(file: EmbeddedFile) -> Bytes {
    match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// Files below `assets/` have their content's hash in their name.
fn keeping(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn not_found() -> Answer {
    let mut answer = Response::new(full("There is nothing here.\n"));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
