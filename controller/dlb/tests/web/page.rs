//! The page's files as a browser gets them.

use crate::support::Box;
use std::path::Path;

#[test]
fn the_page_comes_without_a_login_and_under_a_strict_policy() {
    let it = Box::new();
    let reply = it.client().get("/");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(reply.text().to_lowercase().contains("<!doctype html>"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
}

#[test]
fn a_place_inside_the_page_is_the_page_and_a_missing_file_is_missing() {
    let it = Box::new();
    let client = it.client();
    assert_eq!(client.get("/chargers/bay-1").body, client.get("/").body);
    for path in ["/favicon.nope", "/%2e%2e/Cargo.toml", "/index.html.gz", "/assets/x.js"] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    assert_eq!(client.request("DELETE", "/", "", None).status, 405);
}

#[test]
fn a_browser_that_has_the_page_does_not_get_it_again() {
    let it = Box::new();
    let client = it.client();
    let etag = client.get("/").header("etag").unwrap().to_owned();
    let again = client.request("GET", "/", &format!("If-None-Match: {etag}\r\n"), None);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = client.request("HEAD", "/", "", None);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn whoever_takes_gzip_gets_gzip_where_the_build_made_it() {
    let it = Box::new();
    let client = it.client();
    let plain = client.get("/");
    let packed = client.request("GET", "/", "Accept-Encoding: br, gzip;q=0.8\r\n", None);
    let refused = client.request("GET", "/", "Accept-Encoding: gzip;q=0\r\n", None);
    assert_eq!(refused.body, plain.body);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../webui/package.json").exists();
    if built {
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert_eq!(&packed.body[..2], [0x1f, 0x8b]);
        assert_ne!(packed.header("etag"), plain.header("etag"));
    } else {
        assert_eq!((packed.header("content-encoding"), &packed.body), (None, &plain.body));
    }
}
