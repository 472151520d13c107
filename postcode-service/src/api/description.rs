//! The list of all routes with their parameters. Strict mode checks against it, and `/openapi.json`
//! is made from it.

mod document;
mod postcode;

use http::Method;
use postcode_core::wire::path;
use postcode_edge::{Need, Scope};

pub(super) use document::{document, routes};

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The name of the operation, for generated clients. Never changes.
    id: &'static str,
    tag: Tag,
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
    /// The statuses of errors, in addition to those that every route may answer.
    fails: &'static [u16],
}

const LOOKUP: Need = Need::Scope(Scope::Lookup);

impl Route {
    /// Creates an operation without parameters and without a body.
    const fn new(
        method: Method,
        id: &'static str,
        tag: Tag,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        let (params, fails): (&[&str], &[u16]) = (&[], &[]);
        Self { id, tag, method, path, summary, params, body: None, jsonp: false, need: LOOKUP, fails }
    }

    const fn get(
        id: &'static str,
        tag: Tag,
        path: &'static str,
        summary: &'static str,
        params: &'static [&'static str],
    ) -> Self {
        let mut route = Self::new(Method::GET, id, tag, path, summary);
        route.params = params;
        route
    }

    const fn post(
        id: &'static str,
        tag: Tag,
        path: &'static str,
        summary: &'static str,
        params: &'static [&'static str],
        body: &'static str,
    ) -> Self {
        let mut route = Self::new(Method::POST, id, tag, path, summary);
        (route.params, route.body) = (params, Some(body));
        route
    }

    const fn put(
        id: &'static str,
        tag: Tag,
        path: &'static str,
        summary: &'static str,
        body: &'static str,
    ) -> Self {
        let mut route = Self::new(Method::PUT, id, tag, path, summary);
        route.body = Some(body);
        route
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
        self.path != path::MCP
            && !matches!(
                self.need,
                Need::Nothing | Need::Scope(Scope::Jobs | Scope::Metrics | Scope::Fleet | Scope::Admin)
            )
    }

    /// Needs another scope.
    const fn needs(mut self, scope: Scope) -> Self {
        self.need = Need::Scope(scope);
        self
    }

    /// Adds statuses of errors.
    const fn fails(mut self, statuses: &'static [u16]) -> Self {
        self.fails = statuses;
        self
    }

    /// Needs no token.
    const fn open(mut self) -> Self {
        self.need = Need::Nothing;
        self
    }
}

/// The group of an operation in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Postcodes,
    Around,
    Outcodes,
    Regions,
    Many,
    Jobs,
    Places,
    Addresses,
    Ideal,
    Data,
    Promotion,
    Service,
}
use Tag::{
    Addresses, Around, Data, Ideal, Jobs, Many, Outcodes, Places, Postcodes, Promotion, Regions, Service,
};

impl Tag {
    /// Name and meaning, in the order of the reference.
    const ALL: [(Self, &'static str, &'static str); 12] = [
        (Postcodes, "Postcodes", "One postcode: look it up, check it, complete it"),
        (Around, "Around a point", "The nearest postcodes, and distances"),
        (Outcodes, "Outcodes", "The first half of a postcode, such as SW1A"),
        (Regions, "Regions", "The postcodes of an area or a shape, in pages or as lines"),
        (Many, "Many at once", "Lists of postcodes, and tables with a postcode column"),
        (Jobs, "Jobs", "Long lists, answered in the background"),
        (Places, "Places", "Towns, villages and other names, if the data has them"),
        (Addresses, "Addresses", "Postal addresses, if the operator has licensed them"),
        (Ideal, "As Ideal Postcodes", "Routes for clients of Ideal Postcodes, if there are addresses"),
        (Data, "Data", "The data: edition, counts, and the file itself"),
        (Promotion, "Promotion", "The plan of many processes that move from the library to a service"),
        (Service, "Service", "Pages, health and descriptions"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(tag, ..)| *tag == self).map_or("", |(_, name, _)| name)
    }
}

/// All operations. A test calls each.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    Route::get("page", Service, path::HOME, "A page to look up a postcode, a place or a point", &["q", "r"]).open(),
    Route::get("reference", Service, path::DOCS, "This reference, as a page", &[]).open(),
    Route::get("guide", Service, path::GUIDE, "A guide, as a page", &[]).fails(&[404]).open(),
    Route::get("lookupPostcode", Postcodes, path::POSTCODE, "Look up a live postcode", &["filter"]).theirs().fails(&[404]),
    Route::get("searchPostcodes", Postcodes, path::POSTCODES, "Search by text, or the postcodes around a point", &["q", "query", "limit", "lon", "lat", "longitude", "latitude", "radius", "widesearch", "wideSearch", "filter"]).theirs(),
    Route::post("lookupPostcodes", Many, path::POSTCODES, "Look up many postcodes, or the postcodes around many points", &["filter", "limit", "radius", "widesearch"], "{\"postcodes\":[\"SW1A 1AA\"]} or {\"geolocations\":[{\"longitude\":-0.14,\"latitude\":51.5}]}").theirs().fails(&[408, 413, 415]),
    Route::get("validatePostcode", Postcodes, path::POSTCODE_VALIDATE, "Check whether a text is a live postcode. With extended=true the answer has its status or the reason", &[]).theirs(),
    Route::get("nearestPostcodes", Around, path::POSTCODE_NEAREST, "The postcodes around a postcode", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs().fails(&[404]),
    Route::get("autocompletePostcodes", Postcodes, path::POSTCODE_AUTOCOMPLETE, "Postcodes for the beginning of one", &["limit", "order"]).theirs(),
    Route::get("distance", Around, path::DISTANCE, "The distance of two postcodes, live or terminated, in metres. Needs extended=true", &[]).fails(&[404]),
    Route::get("postcodesAtLonLat", Around, path::LON_LAT, "The postcodes around a point", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs().fails(&[404]),
    Route::get("postcodesAtLatLon", Around, path::LAT_LON, "The postcodes around a point", &["limit", "radius", "widesearch", "wideSearch", "filter"]).theirs().fails(&[404]),
    Route::get("randomPostcode", Postcodes, path::RANDOM, "A random live postcode", &["outcode", "filter"]).theirs(),
    Route::get("outcodesAround", Outcodes, path::OUTCODES, "The outcodes around a point", &["lon", "lat", "longitude", "latitude", "limit", "radius"]).theirs(),
    Route::get("lookupOutcode", Outcodes, path::OUTCODE, "A summary of an outcode over its live postcodes", &[]).theirs().fails(&[404]),
    Route::get("nearestOutcodes", Outcodes, path::OUTCODE_NEAREST, "The outcodes around an outcode", &["limit", "radius"]).theirs().fails(&[404]),
    Route::get("autocompleteOutcodes", Outcodes, path::OUTCODE_AUTOCOMPLETE, "Outcodes for the beginning of one. Needs extended=true", &["limit"]).fails(&[404]),
    Route::get("validateOutcode", Outcodes, path::OUTCODE_VALIDATE, "Check whether a text is an outcode with live postcodes. Needs extended=true", &[]).fails(&[404]),
    Route::get("postcodesOfOutcode", Regions, path::OUTCODE_POSTCODES, "The postcodes of an outcode, in pages or as lines. Needs extended=true", &["limit", "cursor", "filter"]).fails(&[404]),
    Route::get("postcodesOfSector", Regions, path::SECTOR_POSTCODES, "The postcodes of a sector, in pages or as lines", &["limit", "cursor", "filter"]).fails(&[404]),
    Route::get("postcodesOfArea", Regions, path::AREA_POSTCODES, "The postcodes of an area by its ONS code, in pages or as lines", &["kind", "limit", "cursor", "filter"]).fails(&[404]),
    Route::get("postcodesWithin", Regions, path::WITHIN, "The postcodes in a circle, a box or a polygon, in pages or as lines", &["lon", "lat", "longitude", "latitude", "radius", "bbox", "polygon", "limit", "cursor", "filter"]),
    Route::post("postcodesWithinPolygon", Regions, path::WITHIN, "The postcodes in a polygon, in pages or as lines", &["limit", "cursor", "filter"], "{\"polygon\":[[-0.2,51.5],[-0.1,51.5],[-0.1,51.6]]} or GeoJSON: a Polygon or MultiPolygon, or a Feature or FeatureCollection of these, with at most 1,000 corners").fails(&[408, 413, 415]),
    Route::post("enrich", Many, path::ENRICH, "Add columns to the rows of a table by their postcodes. The answer begins while rows are still being sent. An error after the first rows closes the connection before the last chunk, which HTTP clients report as an incomplete body", &["columns", "allow_empty", "postcode_column", "prefix", "delimiter", "quote", "header", "encoding", "repair", "find", "sheet"], "text/csv, application/x-ndjson, application/json with an array of objects, or a workbook. Content-Encoding may be gzip, deflate, br or zstd").fails(&[408, 413, 415, 422, 507]),
    Route::post("submitJob", Jobs, path::JOBS, "Look up many rows or postcodes in the background", &["columns", "allow_empty", "postcode_column", "prefix", "delimiter", "quote", "header", "encoding", "repair", "find", "sheet", "filter", "priority", "run_at", "callback_url"], "{\"postcodes\":[\"SW1A 1AA\"]} or rows, as text/csv or application/x-ndjson").needs(Scope::Jobs).fails(&[408, 409, 413, 415, 422, 501, 507]),
    Route::get("job", Jobs, path::JOB, "The progress of a job. With wait the answer comes at its end", &["wait"]).needs(Scope::Jobs).fails(&[404, 501, 507]),
    Route::new(Method::DELETE, "cancelJob", Jobs, path::JOB, "Cancel a job").needs(Scope::Jobs).fails(&[404, 409, 501, 507]),
    Route::get("jobEvents", Jobs, path::JOB_EVENTS, "The progress of a job as server-sent events", &[]).needs(Scope::Jobs).fails(&[404, 501, 507]),
    Route::get("jobResult", Jobs, path::JOB_RESULT, "The result of a job, whole or by Range", &[]).needs(Scope::Jobs).fails(&[404, 409, 501, 507]),
    Route::get("callbacks", Jobs, path::CALLBACKS, "The callbacks of jobs", &["state", "cursor", "limit"]).needs(Scope::Jobs).fails(&[501, 507]),
    Route::new(Method::POST, "retryCallback", Jobs, path::CALLBACK_RETRY, "Retry a dead callback").needs(Scope::Jobs).fails(&[404, 409, 501, 507]),
    Route::get("lookupTerminatedPostcode", Postcodes, path::TERMINATED, "Look up a terminated postcode. With extended=true the answer has all its data", &["filter"]).theirs().fails(&[404]),
    Route::get("nearestToTerminatedPostcode", Around, path::TERMINATED_NEAREST, "The live postcodes around a terminated one. Needs extended=true", &["limit", "radius", "widesearch", "wideSearch", "filter"]).fails(&[404]),
    Route::post("validatePostcodes", Many, path::BULK_VALIDATE, "Validate many texts", &[], "{\"postcodes\":[\"SW1A 1AA\"]}").fails(&[408, 413, 415]),
    Route::post("lookupTerminatedPostcodes", Many, path::BULK_TERMINATED, "Look up many terminated postcodes", &["filter"], "{\"postcodes\":[\"AB1 0AA\"]}").fails(&[408, 413, 415]),
    Route::post("lookupOutcodes", Many, path::BULK_OUTCODES, "Summarise many outcodes", &[], "{\"outcodes\":[\"SW1A\"]}").fails(&[408, 413, 415]),
    Route::get("searchPlaces", Places, path::PLACES, "Populated places by name", &["q", "query", "limit", "l"]).theirs().fails(&[501]),
    Route::get("lookupPlace", Places, path::PLACE, "A populated place by its code", &[]).theirs().fails(&[404, 501]),
    Route::get("postcodesOfPlace", Places, path::PLACE_POSTCODES, "The postcodes in the box around a place", &["after", "limit"]).fails(&[404, 501]),
    Route::get("findPlaces", Places, path::FIND_PLACES, "Find places by typed text, including islands, counties and districts", &["q", "limit", "within", "type"]).fails(&[501]),
    Route::get("randomPlace", Places, path::RANDOM_PLACES, "A random populated place", &[]).theirs().fails(&[501]),
    Route::get("lookupScottishPostcode", Postcodes, path::SCOTTISH_POSTCODE, "Look up a postcode in the Scottish Postcode Directory. With extended=true the answer has all areas that are kept", &[]).theirs().fails(&[404, 501]),
    Route::get("datasetInfo", Data, path::DATASET_INFO, "Edition, source, attribution, fingerprint, counts and columns of the data", &[]),
    Route::get("datasetFile", Data, path::DATASET, "The dataset file, whole or by Range", &[]).needs(Scope::Dataset).fails(&[501]),
    Route::get("datasetSignature", Data, path::DATASET_SIGNATURE, "The signature of the dataset file, as minisign writes it", &[]).needs(Scope::Dataset).fails(&[404, 501]),
    Route::get("addressesOfPostcode", Addresses, path::POSTCODE_ADDRESSES, "The addresses of a postcode, in pages; needs --addresses", &["limit", "skip"]).needs(Scope::Addresses).fails(&[404, 501]),
    Route::post("lookupAddresses", Addresses, path::ADDRESSES, "The addresses of many postcodes, or those with many numbers; needs --addresses", &[], "{\"postcodes\":[\"SW1A 1AA\"]} or {\"numbers\":[\"udprn:12345678\"]}").needs(Scope::Addresses).fails(&[408, 413, 415, 501]),
    Route::get("addressesInfo", Addresses, path::ADDRESSES_INFO, "Edition, licence, attribution and areas of the address data", &[]).needs(Scope::Addresses).fails(&[501]),
    Route::get("streetsOfOutcode", Addresses, path::OUTCODE_STREETS, "The streets of an outcode from open data, marked approximate, in pages; needs --addresses", &["limit", "skip"]).needs(Scope::Addresses).fails(&[404, 501]),
    Route::get("addressesProof", Addresses, path::ADDRESSES_PROOF, "The hash of the addresses of all postcodes. With of, also nodes of the tree below it", &["of"]).needs(Scope::Addresses).fails(&[501]),
    Route::get("nearestAddresses", Addresses, path::ADDRESSES_NEAREST, "The addresses around a point or a postcode", &["lon", "lat", "postcode", "limit", "radius"]).needs(Scope::Addresses).fails(&[404, 501]),
    Route::get("addressesWithin", Addresses, path::ADDRESSES_WITHIN, "The addresses of the postcodes of a region, in pages of postcodes", &["outcode", "sector", "area", "kind", "lon", "lat", "radius", "bbox", "polygon", "limit", "cursor"]).needs(Scope::Addresses).fails(&[404, 501]),
    Route::get("addressByNumber", Addresses, path::ADDRESS, "The address with a UDPRN, UMPRN or UPRN", &[]).needs(Scope::Addresses).fails(&[404, 501]),
    Route::get("idealPostcode", Ideal, path::IDEAL_POSTCODE, "The addresses of a postcode, as Ideal Postcodes writes them", &["page", "filter", "tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("idealUdprn", Ideal, path::IDEAL_UDPRN, "The address with a UDPRN, as Ideal Postcodes writes it", &["filter", "tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("idealUmprn", Ideal, path::IDEAL_UMPRN, "The address with a UMPRN, as Ideal Postcodes writes it", &["filter", "tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("idealKey", Ideal, path::IDEAL_KEY, "Whether a key may be used: always", &["tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("idealSuggest", Ideal, path::IDEAL_SUGGEST, "Suggestions for an address that is being typed, by the postcode in it or the beginning of one, as Ideal Postcodes writes them", &["query", "limit", "context", "tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("idealResolve", Ideal, path::IDEAL_RESOLVE, "The address of a suggestion, as Ideal Postcodes writes it", &["filter", "tags", "api_key"]).needs(Scope::Addresses).fails(&[404]),
    Route::get("proof", Data, path::PROOF, "The hash of all answers. With of, also nodes of the tree below it", &["of"]).fails(&[501]),
    Route::get("fleetPlan", Promotion, path::PROMOTION_PLAN, "The plan of a fleet of promotions. With newer_than and wait the answer comes with the next plan. Needs --fleet", &["newer_than", "wait"]).needs(Scope::Fleet).fails(&[501]),
    Route::put("setFleetPlan", Promotion, path::PROMOTION_PLAN, "Change the plan, for all processes", "{\"plan\":\"canary:10%\"}, with if_revision the revision that must be the current one").needs(Scope::Admin).fails(&[408, 409, 413, 415, 422, 501, 507]),
    Route::get("fleet", Promotion, path::PROMOTION_FLEET, "The processes of the fleet: the revision that each follows, and the sums of their observations", &[]).needs(Scope::Fleet).fails(&[501]),
    Route::post("reportToFleet", Promotion, path::PROMOTION_FLEET, "Report the observations of a process", &[], "{\"process\":\"orders-1\",\"revision\":3,\"plan\":\"canary:0.1\",\"rows\":[]}").needs(Scope::Fleet).fails(&[408, 413, 415, 422, 501]),
    Route::post("tools", Service, path::MCP, "Tools for assistants: one message of the Model Context Protocol; needs --mcp", &[], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}").fails(&[408, 413, 415, 501]),
    Route::get("openapi", Service, path::OPENAPI, "This description", &[]).open(),
    Route::get("catalog", Service, path::CATALOG, "Links for programs (RFC 9727)", &[]).open(),
    Route::get("ping", Service, path::PING, "Whether the process answers", &[]).theirs().open(),
    // Answered before the routes, so that an overloaded server can be watched.
    Route::get("metrics", Service, path::METRICS, "Counts and times in the text format of OpenMetrics", &[]).needs(Scope::Metrics),
    Route::get("ready", Service, path::READY, "Whether the server accepts work", &[]).theirs().open(),
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

/// Name, type, meaning and an example of every parameter, in the query or in the path.
#[rustfmt::skip]
const PARAMETERS: &[(&str, &str, &str, &str)] = &[
    ("_", "string", "Ignored", ""),
    ("after", "string", "The last postcode of the previous page", "SW1A 1AA"),
    ("api_key", "string", "Ignored. Clients of Ideal Postcodes send it", ""),
    ("area", "string", "The ONS code of an area", "E09000033"),
    ("bbox", "string", "West, south, east, north in degrees (WGS84)", "-0.15,51.49,-0.12,51.51"),
    ("callback", "string", "The function that a JSONP answer calls. Only on routes of postcodes.io", ""),
    ("callback_url", "string", "The URL that gets a signed message when the job has ended", ""),
    ("code", "string", "The ONS code of an area, or the OS code of a place", "E09000033"),
    ("allow_empty", "boolean", "true: a column that the data does not have is added empty instead of being an error", "true"),
    ("columns", "string", "Columns to add, separated by commas: keys of the postcode object, codes.KEY for codes, status, error. A column that the data does not have is answered 422 column_not_in_data; /dataset/info lists what it has. The default is status, admin_district, region, country, latitude and longitude, as far as the data has them", "admin_district,status"),
    ("context", "string", "For clients of Ideal Postcodes: a country. Only GBR has addresses", "GBR"),
    ("cursor", "string", "next of the previous page", ""),
    ("delimiter", "string", "The delimiter of CSV: one character, or tab. Detected from the first rows by default", ";"),
    ("encoding", "string", "utf-8, utf-16le, utf-16be or windows-1252. Detected from the first bytes by default", "utf-8"),
    ("extended", "boolean", "true: answers have all fields, and the operator's limits apply instead of those of postcodes.io", "true"),
    ("filter", "string", "Keys of the postcode object to answer, separated by commas. A GET route of postcodes.io needs extended=true for it", "postcode,longitude,latitude"),
    ("find", "boolean", "true: find the postcode in a cell that holds more, such as an address", ""),
    ("guide", "string", "The name of a guide, such as curl", "curl"),
    ("header", "string", "none: the first line of CSV is a row, columns are called 1, 2, 3, …, and the answer has no line of names either; first, which is usual: it has the names of the columns", "none"),
    ("id", "string", "The id of the job or callback", "0190a5a0-0000-7000-8000-000000000000"),
    ("key", "string", "Ignored. Clients of Ideal Postcodes send it", "mine"),
    ("kind", "string", "The kind of area, such as admin_district", "admin_district"),
    ("l", "integer", "Another name of limit", ""),
    ("lat", "number", "Degrees north (WGS84)", "51.501"),
    ("latitude", "number", "Degrees north (WGS84)", "51.501"),
    ("limit", "integer", "The largest number of results", "10"),
    ("lon", "number", "Degrees east (WGS84)", "-0.1416"),
    ("longitude", "number", "Degrees east (WGS84)", "-0.1416"),
    ("newer_than", "integer", "Wait for a plan with a revision above this one", "0"),
    ("number", "string", "The digits of the number", "12345678"),
    ("number_kind", "string", "udprn, umprn or uprn", "udprn"),
    ("of", "string", "Nodes, separated by commas: root, area SW, outcode SW1A, sector SW1A 1, places", "outcode SW1A"),
    ("order", "string", "prefix: postcodes that begin with the text, in order", "prefix"),
    ("other", "string", "Another postcode", "M1 1AE"),
    ("outcode", "string", "The first half of a postcode", "SW1A"),
    ("page", "integer", "The page, from 0", "0"),
    ("polygon", "string", "lon,lat of each corner in degrees (WGS84), separated by ;", "-0.15,51.49;-0.12,51.49;-0.12,51.51"),
    ("postcode", "string", "A postcode in any case and spacing", "SW1A 1AA"),
    ("postcode_column", "string", "The column or key that holds the postcode. Detected by default", ""),
    ("prefix", "string", "A prefix for the names of the added columns", ""),
    ("priority", "integer", "0 to 9, 5 by default. Each priority gets twice the share of the one below", ""),
    ("q", "string", "The text to search for", "SW1A"),
    ("query", "string", "The text to search for. On routes of postcodes.io another name of q", "SW1A"),
    ("quote", "string", "How CSV writes a quote within a quoted cell: double or backslash. With none, quotes are ordinary characters. Detected from the first rows by default", "none"),
    ("r", "integer", "Metres around a postcode that the map of the page shows: 200, 500, 1000, 2000 or 5000", "500"),
    ("radius", "number", "The largest distance in metres", "500"),
    ("repair", "boolean", "true: repair a text if exactly one postcode in use can be meant. Adds the column postcode_clean", ""),
    ("run_at", "string", "The earliest time to start, such as 2026-01-31T06:00:00Z", "2026-01-31T06:00:00Z"),
    ("sector", "string", "An outcode and the digit after it", "SW1A 1"),
    ("sheet", "string", "The sheet of a workbook. The default is the first visible one that is not empty", ""),
    ("skip", "integer", "How many addresses to skip", ""),
    ("state", "string", "pending, delivered or dead", "dead"),
    ("strict", "boolean", "true: refuse unknown parameters", ""),
    ("suggestion", "string", "The id of a suggestion", "paf_41410804"),
    ("tags", "string", "Ignored. Clients of Ideal Postcodes send it", ""),
    ("type", "string", "The kind of place, such as Town", "Town"),
    ("udprn", "string", "A UDPRN", "12345678"),
    ("umprn", "string", "A UMPRN", "12345678"),
    ("wait", "string", "How long to wait for the end of the job or for a newer plan, at most 60s", "10s"),
    ("wideSearch", "boolean", "Another name of widesearch", ""),
    ("widesearch", "boolean", "true: search within 20 km, for the ten nearest", ""),
    ("within", "string", "The name of an area: only places in it", "Stirling"),
];

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
