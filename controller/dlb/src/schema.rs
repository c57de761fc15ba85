//! The JSON schema that a command-line door prints with `--schema`.

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// The schema of `In`, what goes into a door. Its parts and `Out`, what comes out, stand under `components`, as in the
/// API's description.
pub(crate) fn of_door<In: ToSchema, Out: ToSchema>(title: &str) -> serde_json::Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    In::schemas(&mut parts);
    Out::schemas(&mut parts);
    parts.push((In::name().into(), In::schema()));
    parts.push((Out::name().into(), Out::schema()));
    let parts: serde_json::Map<String, serde_json::Value> = parts
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).expect("a schema is plain data")))
        .collect();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": format!("#/components/schemas/{}", In::name()),
        "components": { "schemas": parts },
    })
}
