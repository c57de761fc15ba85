//! The API's description and its committed copy, from which the page's types are made.
//!
//! After a change of the API: `UPDATE_GOLDEN=1 cargo test -p dlb --test web description`.

use std::path::Path;

#[test]
fn the_committed_description_is_the_one_that_the_handlers_give() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../webui/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&copy, dlb::web::openapi_json()).unwrap();
    }
    let committed = std::fs::read_to_string(&copy).unwrap_or_default();
    assert!(
        committed == dlb::web::openapi_json(),
        "webui/openapi.json is not up to date; run: UPDATE_GOLDEN=1 cargo test -p dlb --test web description"
    );
}
