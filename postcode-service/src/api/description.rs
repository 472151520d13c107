//! The list of all routes with their parameters. Strict mode checks against it, and `/openapi.json`
//! is made from it.

use axum::Router;
use axum::routing::get;
use http::Method;
use postcode_core::wire::{IF_EDITION_HEADER, path};
use postcode_edge::{Need, Scope};
use serde_json::{Map, Value, json};

use super::App;
use super::reply::{Outcome, written};

pub(super) fn routes() -> Router<App> {
    Router::new().route(path::OPENAPI, get(openapi))
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    summary: &'static str,
    /// Beside those [`EVERYWHERE`].
    pub(super) params: &'static [&'static str],
    /// An example of the body.
    body: Option<&'static str>,
    /// Whether postcodes.io has it, and so answers as JSONP where that is asked for.
    jsonp: bool,
    /// The scope that a caller needs if there are tokens.
    need: Need,
}

const LOOKUP: Need = Need::Scope(Scope::Lookup);

impl Route {
    const fn get(path: &'static str, summary: &'static str, params: &'static [&'static str]) -> Self {
        Self { method: Method::GET, path, summary, params, body: None, jsonp: false, need: LOOKUP }
    }

    const fn post(
        path: &'static str,
        summary: &'static str,
        params: &'static [&'static str],
        body: &'static str,
    ) -> Self {
        Self { method: Method::POST, path, summary, params, body: Some(body), jsonp: false, need: LOOKUP }
    }

    /// Creates an operation with another method and without a body.
    const fn by(method: Method, path: &'static str, summary: &'static str) -> Self {
        Self { method, path, summary, params: &[], body: None, jsonp: false, need: LOOKUP }
    }

    /// Marks a route of postcodes.io.
    const fn theirs(mut self) -> Self {
        self.jsonp = true;
        self
    }

    /// Returns all parameters of the operation.
    pub(super) fn all_params(&self) -> impl Iterator<Item = &'static str> {
        let jsonp: &[&str] = if self.jsonp { &[JSONP] } else { &[] };
        self.params.iter().chain(EVERYWHERE).chain(jsonp).copied()
    }

    /// Returns whether its answers come from one edition of the data, which a client may demand.
    fn of_data(&self) -> bool {
        !matches!(self.need, Need::Nothing | Need::Scope(Scope::Jobs))
    }

    /// Needs another scope.
    const fn needs(mut self, scope: Scope) -> Self {
        self.need = Need::Scope(scope);
        self
    }

    /// Needs no token.
    const fn open(mut self) -> Self {
        self.need = Need::Nothing;
        self
    }
}

/// All operations. A test calls each.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    Route::get(path::HOME, "A page to look a postcode, a place or a point up", &["q", "r"]).open(),
    Route::get(path::POSTCODE, "Look up a live postcode", &["filter"]).theirs(),
    Route::get(path::POSTCODES, "Search by text, or the postcodes around a point", &["q", "query", "limit", "lon", "lat", "longitude", "latitude", "radius", "widesearch", "wideSearch", "filter"]).theirs(),
    Route::post(path::POSTCODES, "Look up many postcodes, or the postcodes around many points", &["filter", "limit", "radius", "widesearch"], "{\"postcodes\":[\"SW1A 1AA\"]} or {\"geolocations\":[{\"longitude\":-0.14,\"latitude\":51.5}]}").theirs(),
    Route::get(path::POSTCODE_VALIDATE, "Check whether a text is a live postcode; extended, with its status or the reason", &[]).theirs(),
    Route::get(path::POSTCODE_NEAREST, "The postcodes around a postcode", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs(),
    Route::get(path::POSTCODE_AUTOCOMPLETE, "Postcodes for the beginning of one", &["limit", "order"]).theirs(),
    Route::get(path::DISTANCE, "Metres between two postcodes, live or terminated; with extended=true only", &[]),
    Route::get(path::LON_LAT, "The postcodes around a point", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs(),
    Route::get(path::LAT_LON, "The postcodes around a point", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs(),
    Route::get(path::RANDOM, "A random live postcode", &["outcode", "filter"]).theirs(),
    Route::get(path::OUTCODES, "The outcodes around a point", &["lon", "lat", "longitude", "latitude", "limit", "radius"]).theirs(),
    Route::get(path::OUTCODE, "A summary of an outcode over its live postcodes", &[]).theirs(),
    Route::get(path::OUTCODE_NEAREST, "The outcodes around an outcode", &["limit", "radius"]).theirs(),
    Route::get(path::OUTCODE_AUTOCOMPLETE, "Outcodes for the beginning of one; with extended=true only", &["limit"]),
    Route::get(path::OUTCODE_VALIDATE, "Check whether a text is an outcode with live postcodes; with extended=true only", &[]),
    Route::get(path::OUTCODE_POSTCODES, "The postcodes of an outcode, in pages or as lines; with extended=true only", &["limit", "cursor", "filter"]),
    Route::get(path::SECTOR_POSTCODES, "The postcodes of a sector, in pages or as lines", &["limit", "cursor", "filter"]),
    Route::get(path::AREA_POSTCODES, "The postcodes of an area by its ONS code, in pages or as lines", &["kind", "limit", "cursor", "filter"]),
    Route::get(path::WITHIN, "The postcodes in a circle, a box or a polygon, in pages or as lines", &["lon", "lat", "longitude", "latitude", "radius", "bbox", "polygon", "limit", "cursor", "filter"]),
    Route::post(path::WITHIN, "The postcodes in a polygon, in pages or as lines", &["limit", "cursor", "filter"], "{\"polygon\":[[-0.2,51.5],[-0.1,51.5],[-0.1,51.6]]} or GeoJSON: a Polygon or MultiPolygon, or a Feature or FeatureCollection of these, with at most 1,000 corners"),
    Route::post(path::ENRICH, "Rows with columns added by their postcodes, while they come. An error after the first rows can have no status any more: the connection is closed without the end of the chunked body (no last chunk, no trailer), which HTTP clients report as an incomplete answer", &["columns", "allow_empty", "postcode_column", "prefix", "delimiter", "encoding", "repair", "find", "sheet"], "text/csv with a header, application/x-ndjson, application/json with an array of objects, or a workbook; with Content-Encoding gzip, deflate or zstd if you like"),
    Route::post(path::JOBS, "Many rows, or postcodes, looked up in the background", &["columns", "allow_empty", "postcode_column", "prefix", "delimiter", "encoding", "repair", "find", "sheet", "filter", "priority", "run_at", "callback_url"], "{\"postcodes\":[\"SW1A 1AA\"]} or rows, as text/csv with a header or application/x-ndjson").needs(Scope::Jobs),
    Route::get(path::JOB, "The progress of a job; with wait, at its end", &["wait"]).needs(Scope::Jobs),
    Route::by(Method::DELETE, path::JOB, "Cancel a job").needs(Scope::Jobs),
    Route::get(path::JOB_EVENTS, "The progress of a job as server-sent events", &[]).needs(Scope::Jobs),
    Route::get(path::JOB_RESULT, "The result of a job, whole or by Range", &[]).needs(Scope::Jobs),
    Route::get(path::CALLBACKS, "The callbacks of jobs", &["state", "cursor", "limit"]).needs(Scope::Jobs),
    Route::by(Method::POST, path::CALLBACK_RETRY, "Retry a dead callback").needs(Scope::Jobs),
    Route::get(path::TERMINATED, "Look up a terminated postcode; extended, with all its data", &["filter"]).theirs(),
    Route::get(path::TERMINATED_NEAREST, "The live postcodes around a terminated one; with extended=true only", &["limit", "radius", "widesearch", "wideSearch", "filter"]),
    Route::post(path::BULK_VALIDATE, "Validate many texts", &[], "{\"postcodes\":[\"SW1A 1AA\"]}"),
    Route::post(path::BULK_TERMINATED, "Look up many terminated postcodes", &["filter"], "{\"postcodes\":[\"AB1 0AA\"]}"),
    Route::post(path::BULK_OUTCODES, "Summarise many outcodes", &[], "{\"outcodes\":[\"SW1A\"]}"),
    Route::get(path::PLACES, "Populated places by name", &["q", "query", "limit", "l"]).theirs(),
    Route::get(path::PLACE, "A populated place by its code", &[]).theirs(),
    Route::get(path::PLACE_POSTCODES, "The postcodes in the box around a place", &["after", "limit"]),
    Route::get(path::FIND_PLACES, "Find places by typed text, including islands, counties and districts", &["q", "limit", "within", "type"]),
    Route::get(path::RANDOM_PLACES, "A random populated place", &[]).theirs(),
    Route::get(path::SCOTTISH_POSTCODE, "Look a postcode up in the Scottish Postcode Directory; extended, with all areas that are kept", &[]).theirs(),
    Route::get(path::DATASET_INFO, "Edition, source, attribution, fingerprint, counts and columns of the data", &[]),
    Route::get(path::DATASET, "The dataset file, whole or by Range", &[]).needs(Scope::Dataset),
    Route::get(path::DATASET_SIGNATURE, "The signature of the dataset file, as minisign writes it", &[]).needs(Scope::Dataset),
    Route::get(path::POSTCODE_ADDRESSES, "The addresses of a postcode, in pages; needs --addresses", &["limit", "skip"]).needs(Scope::Addresses),
    Route::post(path::ADDRESSES, "The addresses of many postcodes, or those with many numbers; needs --addresses", &[], "{\"postcodes\":[\"SW1A 1AA\"]} or {\"numbers\":[\"udprn:12345678\"]}").needs(Scope::Addresses),
    Route::get(path::ADDRESSES_INFO, "Edition, licence, attribution and areas of the address data", &[]).needs(Scope::Addresses),
    Route::get(path::ADDRESSES_NEAREST, "The addresses around a point or a postcode", &["lon", "lat", "postcode", "limit", "radius"]).needs(Scope::Addresses),
    Route::get(path::ADDRESSES_WITHIN, "The addresses of the postcodes of a region, in pages of postcodes", &["outcode", "sector", "area", "kind", "lon", "lat", "radius", "bbox", "polygon", "limit", "cursor"]).needs(Scope::Addresses),
    Route::get(path::ADDRESS, "The address with a UDPRN, UMPRN or UPRN", &[]).needs(Scope::Addresses),
    Route::get(path::IDEAL_POSTCODE, "The addresses of a postcode, as Ideal Postcodes writes them", &["page", "filter", "tags", "api_key"]).needs(Scope::Addresses),
    Route::get(path::IDEAL_UDPRN, "The address with a UDPRN, as Ideal Postcodes writes it", &["filter", "tags", "api_key"]).needs(Scope::Addresses),
    Route::get(path::IDEAL_UMPRN, "The address with a UMPRN, as Ideal Postcodes writes it", &["filter", "tags", "api_key"]).needs(Scope::Addresses),
    Route::get(path::IDEAL_KEY, "Whether a key may be used: always", &["tags", "api_key"]).needs(Scope::Addresses),
    Route::get(path::PROOF, "The hash of all answers, and with of the children of nodes of the tree below it", &["of"]),
    Route::get(path::OPENAPI, "This description", &[]).open(),
    Route::get(path::CATALOG, "Links for programs (RFC 9727)", &[]).open(),
    Route::get(path::PING, "Whether the process answers", &[]).theirs().open(),
    Route::get(path::READY, "Whether the server accepts work", &[]).theirs().open(),
];

/// Returns the scope that a caller needs for a route, by the router's name for it. A route that is
/// missing here is denied.
pub(super) fn need(path: &str, method: &Method) -> Option<Need> {
    let by = |route: &&Route| route.path == path && (route.method == *method || *method == Method::HEAD);
    ROUTES.iter().find(by).map(|route| route.need)
}

/// Parameters that every route takes. `_` is what browsers' libraries add to get past caches.
const EVERYWHERE: &[&str] = &["extended", "strict", "_"];
/// The parameter of routes of postcodes.io that names a function to call with the answer.
const JSONP: &str = "callback";

/// Returns whether a route answers as JSONP: only those of postcodes.io, which any origin may read.
pub(super) fn has_jsonp(path: &str, method: &Method) -> bool {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().any(|route| route.jsonp && route.path == path && route.method == *method)
}

/// Name, type and meaning of every parameter, in the query or in the path.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("after", "string", "The last postcode of the previous page"),
    ("api_key", "string", "For clients of Ideal Postcodes; passed over"),
    ("area", "string", "The ONS code of an area"),
    ("bbox", "string", "West, south, east, north in degrees (WGS84)"),
    ("callback", "string", "The function of a JSONP answer; only on routes of postcodes.io"),
    ("callback_url", "string", "Where to send a signed message when the job has ended"),
    ("code", "string", "The ONS code of an area, or the OS code of a place"),
    (
        "columns",
        "string",
        "Columns to add, with commas: keys of the postcode object, codes.KEY for codes, status, error. A column that the data does not have (see columns in /dataset/info) is 422 column_not_in_data. If not given: those of status, admin_district, region, country, latitude and longitude that the data has",
    ),
    (
        "allow_empty",
        "boolean",
        "true: columns that the data does not have are added all the same, empty in every row",
    ),
    ("cursor", "string", "The value of next from the previous page"),
    ("extended", "boolean", "true: answers have all data, and limits are those of the operator"),
    (
        "filter",
        "string",
        "Keys of the postcode object, with commas; on routes of postcodes.io by GET with extended=true only",
    ),
    ("id", "string", "The id of the job or callback"),
    ("key", "string", "For clients of Ideal Postcodes; passed over"),
    ("kind", "string", "What kind of area the code is of, such as admin_district"),
    ("l", "integer", "Another name of limit"),
    ("lat", "number", "Degrees north (WGS84)"),
    ("latitude", "number", "Degrees north (WGS84)"),
    ("limit", "integer", "How many at most"),
    ("lon", "number", "Degrees east (WGS84)"),
    ("longitude", "number", "Degrees east (WGS84)"),
    ("number", "string", "The digits of the number"),
    ("number_kind", "string", "udprn, umprn or uprn"),
    ("of", "string", "Nodes, with commas: root, area SW, outcode SW1A, sector SW1A 1, places"),
    ("order", "string", "prefix: postcodes that begin with the text, in order"),
    ("other", "string", "Another postcode"),
    ("outcode", "string", "The first half of a postcode"),
    ("page", "integer", "The page, from 0"),
    ("polygon", "string", "lon,lat of each corner in degrees (WGS84), with ; between them"),
    ("postcode", "string", "A postcode in any case and spacing"),
    ("postcode_column", "string", "The column or key that holds the postcode, if its name does not say so"),
    (
        "delimiter",
        "string",
        "What stands between two cells of CSV: one character, or tab; found by the first rows if not given",
    ),
    (
        "encoding",
        "string",
        "utf-8, utf-16le, utf-16be or windows-1252; found by the first bytes if not given",
    ),
    (
        "repair",
        "boolean",
        "true: a text that is not a postcode is repaired where exactly one postcode may be meant and it is in use; adds the column postcode_clean",
    ),
    ("find", "boolean", "true: a postcode is taken out of a cell that holds more, such as an address"),
    ("sheet", "string", "The sheet of a workbook; the first with anything in it if not given"),
    ("prefix", "string", "What to put before the names of the columns that are added"),
    ("priority", "integer", "From 0 to 9, each with twice the share of the one below; 5 if not given"),
    ("q", "string", "What to search for"),
    ("query", "string", "Another name of q"),
    ("r", "integer", "Metres around a postcode that the map of the page shows: 200, 500, 1000, 2000 or 5000"),
    ("radius", "number", "How far at most, in metres"),
    ("run_at", "string", "Not before that time, such as 2026-01-31T06:00:00Z"),
    ("sector", "string", "An outcode and the digit after it"),
    ("skip", "integer", "How many addresses to pass over"),
    ("state", "string", "pending, delivered or dead"),
    ("strict", "boolean", "true: refuse parameters that the route has not"),
    ("tags", "string", "For clients of Ideal Postcodes; passed over"),
    ("type", "string", "What kind of place, such as Town"),
    ("udprn", "string", "A UDPRN"),
    ("umprn", "string", "A UMPRN"),
    ("wait", "string", "How long to wait for the end, up to 60s"),
    ("wideSearch", "boolean", "Another name of widesearch"),
    ("widesearch", "boolean", "The ten nearest within 20 km"),
    ("within", "string", "The name of an area that the places are in"),
    ("_", "string", "Passed over"),
];

async fn openapi() -> Outcome {
    written(&document())
}

/// Builds the OpenAPI 3.1 document.
fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        operations[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "postcode-service",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "UK postcodes: the API of postcodes.io 18, with extensions. Long answers are compressed with zstd, br or gzip if Accept-Encoding asks for it, except streams and files; bodies may have a Content-Encoding of gzip, deflate or zstd",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": { "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer", "description": "Where the operator has given out tokens" },
        }, "schemas": {
            "Success": {
                "type": "object",
                "required": ["status", "result"],
                "properties": { "status": { "enum": [200, 202] }, "result": {}, "next": { "type": ["string", "null"] } },
            },
            "Error": {
                "type": "object",
                "required": ["status", "error"],
                "properties": {
                    "status": { "type": "integer" },
                    "error": { "type": "string" },
                    "code": { "type": "string" },
                    "request_id": { "type": "string" },
                    "retryable": { "type": "boolean" },
                    "advice": { "type": "string" },
                },
            },
        } },
    })
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| parameter(name, "path"));
    let in_query = route.all_params().map(|name| parameter(name, "query"));
    let in_header = route.of_data().then(|| {
        json!({
            "name": IF_EDITION_HEADER,
            "in": "header",
            "required": false,
            "description": "The fingerprint that the data must have; if it has another one, 412 edition_moved",
            "schema": { "type": "string" },
        })
    });
    let answer = |description: &str, schema: &str| {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        json!({ "description": description, "content": { "application/json": { "schema": schema } } })
    };
    let mut operation = json!({
        "summary": route.summary,
        "parameters": in_path.chain(in_query).chain(in_header).collect::<Vec<_>>(),
        "responses": { "200": answer("The answer", "Success"), "default": answer("An error", "Error") },
    });
    if route.of_data() {
        operation["responses"]["412"] =
            answer("The data has another edition than if-edition demands", "Error");
    }
    operation["security"] = match route.need {
        Need::Nothing => json!([]),
        Need::Scope(scope) => json!([{}, { "token": [scope.name()] }]),
    };
    let plain = match route.path {
        "/" => Some("text/html"),
        path::CATALOG => Some("application/linkset+json"),
        path::DATASET => Some("application/octet-stream"),
        path::DATASET_SIGNATURE => Some("text/plain"),
        path::ENRICH | path::JOB_RESULT => Some("text/csv"),
        path::JOB_EVENTS => Some("text/event-stream"),
        _ => None,
    };
    if let Some(content_type) = plain {
        operation["responses"]["200"] = json!({ "description": "The file", "content": { content_type: {} } });
    }
    if route.params.contains(&"cursor") && route.path != path::CALLBACKS {
        operation["responses"]["200"]["content"]["application/x-ndjson"] = json!({});
    }
    if route.path.starts_with(path::JOBS) && route.method == Method::POST {
        operation["responses"] =
            json!({ "202": answer("Accepted", "Success"), "default": answer("An error", "Error") });
    }
    if let Some(example) = route.body {
        operation["requestBody"] = json!({
            "required": true,
            "description": example,
            "content": match route.path {
                path::ENRICH => json!({
                    "text/csv": {},
                    "application/x-ndjson": {},
                    "application/json": {},
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {},
                }),
                path::JOBS => json!({
                    "application/json": { "schema": { "type": "object" } },
                    "text/csv": {},
                    "application/x-ndjson": {},
                }),
                path::WITHIN => json!({
                    "application/json": { "schema": { "type": "object" } },
                    "application/geo+json": { "schema": { "type": "object" } },
                }),
                _ => json!({ "application/json": { "schema": { "type": "object" } } }),
            },
        });
    }
    operation
}

fn parameter(name: &str, place: &str) -> Value {
    let known = PARAMETERS.iter().find(|(other, ..)| *other == name);
    let (kind, description) = known.map_or(("string", ""), |(_, kind, description)| (*kind, *description));
    json!({
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": { "type": kind },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_explained_and_none_for_nothing() {
        let in_path = |route: &'static Route| {
            route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        };
        let mut used: Vec<&str> = Vec::new();
        for route in ROUTES {
            used.extend(in_path(route).chain(route.all_params()));
        }
        used.sort_unstable();
        used.dedup();
        let mut explained: Vec<&str> = PARAMETERS.iter().map(|(name, ..)| *name).collect();
        explained.sort_unstable();
        assert_eq!(used, explained);
    }
}
