//! `/openapi.json`: the routes, with the schemas and examples of `answers.json`.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use http::Method;
use postcode_core::wire::compact::MEDIA_TYPE;
use postcode_core::wire::{EDITION_HEADER, IF_EDITION_HEADER, path};
use postcode_edge::Need;
use serde_json::{Map, Value, json};

use super::super::App;
use super::super::failure::{Failure, Outcome};
use super::super::reply::written;
use super::{EVERYWHERE, JSONP, PARAMETERS, ROUTES, Route, Tag, postcode};

pub(in super::super) fn routes() -> Router<App> {
    Router::new().route(path::OPENAPI, get(openapi))
}

async fn openapi() -> Outcome {
    match document() {
        Some(document) => written(document),
        None => Err(Failure::internal("the description could not be made")),
    }
}

/// Returns the OpenAPI 3.1 document.
pub(in super::super) fn document() -> Option<&'static Value> {
    static DOCUMENT: LazyLock<Option<Value>> = LazyLock::new(|| {
        let answers: Answers = serde_json::from_str(include_str!("answers.json")).ok()?;
        Some(made(&answers))
    });
    DOCUMENT.as_ref()
}

/// Holds the schemas and the operations of `answers.json`.
#[derive(Debug, serde::Deserialize)]
struct Answers {
    schemas: Map<String, Value>,
    operations: Map<String, Value>,
}

/// The routes whose answers can be in the compact encoding.
const COMPACT: &[&str] = &[
    path::POSTCODES,
    path::POSTCODE_NEAREST,
    path::TERMINATED_NEAREST,
    path::LON_LAT,
    path::LAT_LON,
    path::WITHIN,
    path::AREA_POSTCODES,
    path::OUTCODE_POSTCODES,
    path::SECTOR_POSTCODES,
];

/// Every status of an error, with its meaning.
const ERRORS: &[(u16, &str)] = &[
    (400, "A parameter or the body is invalid"),
    (401, "The request needs a valid token"),
    (403, "The token does not have the scope of the route"),
    (404, "Not found. The code says what was not found"),
    (408, "The body arrived too slowly"),
    (409, "The job or callback is not in a state that allows this, or the plan has changed"),
    (412, "The data is not of the edition that if-edition names"),
    (413, "The body is too large"),
    (415, "The Content-Type or Content-Encoding is not supported"),
    (416, "The range is outside the file"),
    (421, "The server does not answer to the name in Host"),
    (422, "The rows or the plan can't be read, or the Idempotency-Key belongs to another body"),
    (429, "Too many requests. Retry-After says when to try again"),
    (500, "Server error"),
    (501, "This server does not have the data or the feature"),
    (502, "The service that this server asks gave an answer that is not one"),
    (503, "The server is busy or shutting down. Retry-After says when to try again"),
    (504, "The answer took longer than the time limit"),
    (507, "There is no room for the rows or the plan"),
];
/// The errors that any route may answer.
const ANYWHERE: &[u16] = &[400, 421, 429, 500, 503, 504];
/// The errors that any route about the data may answer in addition: the lookup may be another service.
const OF_DATA: &[u16] = &[412, 501, 502];

fn made(answers: &Answers) -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        operations[route.method.as_str().to_ascii_lowercase()] =
            operation(route, answers.operations.get(route.id).unwrap_or(&Value::Null));
    }
    let error = json!({ "$ref": "#/components/schemas/Error" });
    let responses: Map<String, Value> = ERRORS
        .iter()
        .map(|(status, meaning)| {
            let mut response =
                json!({ "description": meaning, "content": { "application/json": { "schema": error.clone() } } });
            if [429, 503].contains(status) {
                response["headers"] = json!({ "Retry-After": {
                    "description": "Seconds to wait", "schema": { "type": "integer" } } });
            }
            (status.to_string(), response)
        })
        .collect();
    let mut schemas: Map<String, Value> =
        postcode::schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    schemas.extend(answers.schemas.clone());
    let tags: Vec<Value> =
        Tag::ALL.iter().map(|(_, name, meaning)| json!({ "name": name, "description": meaning })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "UK postcodes",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of postcodes.io 18, with extensions. Long answers are compressed with zstd, br or gzip if Accept-Encoding allows it, except streams and files. Request bodies may have a Content-Encoding of gzip, deflate, br or zstd.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "Needed if the operator has set up tokens" },
            },
            "responses": responses,
            "schemas": schemas,
        },
    })
}

/// `{"status":200,"result":…}`, and what a body has in addition.
fn envelope(status: u16, result: &Value, more: &Value) -> Value {
    let mut properties = Map::new();
    properties.insert("status".to_owned(), json!({ "const": status, "description": "The HTTP status" }));
    properties.insert("result".to_owned(), result.clone());
    properties
        .extend(more.as_object().into_iter().flatten().map(|(key, schema)| (key.clone(), schema.clone())));
    json!({ "type": "object", "required": ["status", "result"], "properties": properties })
}

/// The answer of an operation by its media types.
fn content(route: &Route, answer: &Value, status: u16) -> Value {
    let file = match answer["type"].as_str() {
        Some("application/octet-stream") => json!({ "schema": { "type": "string", "format": "binary" } }),
        _ => json!({ "schema": { "type": "string" } }),
    };
    let mut content = Map::new();
    match answer["type"].as_str() {
        Some(kind) if kind.ends_with("json") => {
            content.insert(kind.to_owned(), json!({ "schema": { "type": "object" } }));
        }
        Some(kind) => {
            content.insert(kind.to_owned(), file);
        }
        None => {
            let schema = match answer.get("body_schema") {
                Some(schema) => schema.clone(),
                None => envelope(status, &answer["result"], &answer["more"]),
            };
            content.insert("application/json".to_owned(), json!({ "schema": schema }));
        }
    }
    let first = content.values_mut().next();
    if let (Some(media), Some(example)) = (first, answer.get("example")) {
        media["example"] = example.clone();
    }
    for kind in answer["types"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let schema =
            if kind == "application/json" { json!({ "type": "array" }) } else { json!({ "type": "string" }) };
        content.insert(kind.to_owned(), json!({ "schema": schema }));
    }
    if route.params.contains(&"cursor") && answer["more"].get("advice").is_some() {
        let lines = json!({ "schema": { "type": "string" } });
        content.insert("application/x-ndjson".to_owned(), lines);
    }
    if COMPACT.contains(&route.path) {
        let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
        content.insert(MEDIA_TYPE.to_owned(), bytes);
    }
    if route.jsonp {
        content.insert("text/javascript".to_owned(), json!({ "schema": { "type": "string" } }));
    }
    Value::Object(content)
}

fn operation(route: &Route, answer: &Value) -> Value {
    let accepted = answer["accepted"] == true;
    let status = if accepted { 202 } else { 200 };
    let meaning = if accepted { "Accepted" } else { "The answer" };
    let mut responses = Map::new();
    let mut good = json!({ "description": meaning, "content": content(route, answer, status) });
    if route.of_data() {
        good["headers"] = json!({ EDITION_HEADER: {
            "description": "The fingerprint of the data that answered", "schema": { "type": "string" } } });
    }
    responses.insert(status.to_string(), good);
    if answer["ranges"] == true {
        let part = json!({ "description": "The requested range", "content": content(route, answer, 206) });
        responses.insert("206".to_owned(), part);
    }
    if route.path == path::JOB_EVENTS {
        let meaning = "The job has ended, and the client has seen its last event: don't connect again";
        responses.insert("204".to_owned(), json!({ "description": meaning }));
    }
    if route.method == Method::GET {
        responses.insert(
            "304".to_owned(),
            json!({ "description": "Not modified: If-None-Match has the current ETag" }),
        );
    }
    let mut statuses: Vec<u16> = ANYWHERE.iter().chain(route.fails).copied().collect();
    if !matches!(route.need, Need::Nothing) || route.path == path::HOME {
        statuses.extend([401, 403]);
    }
    if route.of_data() {
        statuses.extend(OF_DATA);
    }
    if answer["ranges"] == true {
        statuses.push(416);
    }
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let mut response = json!({ "$ref": format!("#/components/responses/{status}") });
        if route.tag == Tag::Ideal && [400, 404].contains(&status) {
            response = json!({ "description": "An error", "content": { "application/json": { "schema": { "anyOf": [
                { "$ref": "#/components/schemas/IdealError" }, { "$ref": "#/components/schemas/Error" },
            ] } } } });
        }
        if route.path == path::HOME {
            response = json!({ "description": "The page, which says why", "content": { "text/html": {}, "application/json": {} } });
        }
        responses.insert(status.to_string(), response);
    }
    let mut operation = json!({
        "operationId": route.id,
        "tags": [route.tag.name()],
        "summary": route.summary,
        "parameters": parameters(route, answer),
        "responses": responses,
        "security": match route.need {
            Need::Nothing => json!([{}]),
            Need::Scope(scope) => json!([{}, { "token": [scope.name()] }]),
        },
    });
    if let Some(body) = route.body {
        operation["requestBody"] = request(body, answer);
    }
    operation
}

/// The body of a request: its media types, each with a schema, and the example with the first.
fn request(description: &str, answer: &Value) -> Value {
    let mut content = Map::new();
    let kinds = answer["request"].as_object().into_iter().flatten();
    for (number, (kind, schema)) in kinds.enumerate() {
        let mut media = json!({ "schema": schema });
        if let (0, Some(example)) = (number, answer.get("body")) {
            media["example"] = example.clone();
        }
        content.insert(kind.clone(), media);
    }
    json!({ "required": true, "description": description, "content": content })
}

fn parameters(route: &Route, answer: &Value) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        let mut parameter = parameter(name, "path");
        let own = answer["path"].get(name);
        if let Some(example) = own.or(parameter["schema"]["examples"].get(0)).cloned() {
            parameter["example"] = example;
        }
        parameter
    });
    let in_query = route.all_params().map(|name| {
        let mut parameter = parameter(name, "query");
        if let Some(example) = answer["query"].get(name) {
            parameter["example"] = example.clone();
        }
        let shared = EVERYWHERE.contains(&name) && name != postcode_core::wire::EXTENDED;
        if shared || name == JSONP {
            parameter["x-shared"] = true.into();
        }
        parameter
    });
    let in_header = route.of_data().then(|| {
        json!({
            "name": IF_EDITION_HEADER,
            "in": "header",
            "required": false,
            "description": "The fingerprint that the data must have; if it has another one, 412 edition_moved",
            "schema": { "type": "string" },
            "x-shared": true,
        })
    });
    in_path.chain(in_query).chain(in_header).collect()
}

fn parameter(name: &str, place: &str) -> Value {
    let known = PARAMETERS.iter().find(|(other, ..)| *other == name);
    let (_, kind, description, example) = known.copied().unwrap_or((name, "string", "", ""));
    let mut schema = json!({ "type": kind });
    if !example.is_empty() {
        // Examples have the type of the parameter.
        let typed = serde_json::from_str(example).ok().filter(|_| kind != "string");
        schema["examples"] = json!([typed.unwrap_or_else(|| Value::from(example))]);
    }
    json!({
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": schema,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_answer_and_a_name_of_its_own() {
        let answers: Answers = serde_json::from_str(include_str!("answers.json")).unwrap();
        let mut described: Vec<&str> = answers.operations.keys().map(String::as_str).collect();
        let mut routed: Vec<&str> = ROUTES.iter().map(|route| route.id).collect();
        described.sort_unstable();
        routed.sort_unstable();
        assert_eq!(described, routed);
        for route in ROUTES {
            let answer = &answers.operations[route.id];
            assert_eq!(route.body.is_some(), answer.get("request").is_some(), "{}", route.id);
            let known = |name: &String| route.all_params().any(|known| known == name);
            let query = answer["query"].as_object();
            assert!(query.into_iter().flatten().all(|(name, _)| known(name)), "{}", route.id);
        }
    }

    /// Every reference leads somewhere, and every schema is used.
    #[test]
    fn references_and_schemas_match() {
        fn collect(value: &Value, found: &mut std::collections::BTreeSet<String>) {
            match value {
                Value::Object(entries) => {
                    found.extend(entries.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    entries.values().for_each(|value| collect(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
                _ => (),
            }
        }
        let document = document().unwrap();
        let mut found = std::collections::BTreeSet::new();
        collect(document, &mut found);
        for reference in &found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                assert!(found.contains(&format!("#/components/{kind}/{name}")), "{kind} {name} is not used");
            }
        }
    }
}
