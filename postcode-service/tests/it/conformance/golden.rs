//! The wire of every released version, as it was: see `tests/golden/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use postcode_core::conformance::{AnyCall, Fixture};
use postcode_core::remote::Transport;
use postcode_core::wire::compact::{MEDIA_TYPE, is_compact};
use postcode_core::{
    Local, Location, Nearest, NearestOutcodes, Outcode, OutcodeOrigin, PlaceQuery, Region, Result, Within,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::conformance::in_memory::{Duplex, Exchange, Recorder, remote, remote_in_json};

/// A request and its answer, as a file keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    request: KeptRequest,
    response: KeptResponse,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct KeptRequest {
    method: String,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptResponse {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// The folder of answers in the compact encoding.
const COMPACT: &str = "compact";

/// The headers that clients go by.
const HEADERS: [&str; 3] = ["content-type", "postcode-edition", "retry-after"];

impl KeptRequest {
    fn of(request: &Request<Bytes>) -> Self {
        let content_type = request.headers().get("content-type");
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        Self {
            method: request.method().to_string(),
            target: request.uri().path_and_query().unwrap().to_string(),
            content_type: content_type.map(|value| value.to_str().unwrap().to_owned()),
            body: (!body.is_empty()).then_some(body),
        }
    }

    /// `kind` is the folder, which says what the client accepts.
    fn to_http(&self, kind: &str) -> Request<Bytes> {
        let mut request =
            Request::builder().method(&*self.method).uri(format!("http://golden{}", self.target));
        if kind == COMPACT {
            request = request.header("accept", MEDIA_TYPE);
        }
        if let Some(content_type) = &self.content_type {
            request = request.header("content-type", content_type);
        }
        request.body(self.body.clone().unwrap_or_default().into()).unwrap()
    }
}

impl KeptResponse {
    fn of(response: &Response<Bytes>) -> Self {
        let value = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        let headers = HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect();
        let mut body: Value = match value("content-type") {
            Some(kind) if is_compact(&kind) => hex(response.body()).into(),
            _ => serde_json::from_slice(response.body()).unwrap(),
        };
        if let Some(id) = body.get_mut("request_id") {
            *id = "made up for each request".into();
        }
        Self { status: response.status().as_u16(), headers, body }
    }

    fn to_http(&self) -> Response<Bytes> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let body = match (self.headers.get("content-type"), &self.body) {
            (Some(kind), Value::String(hex)) if is_compact(kind) => unhex(hex),
            (_, json) => json.to_string().into_bytes(),
        };
        response.body(body.into()).unwrap()
    }

    /// Returns whether today's answer contains everything in this one. It may contain more, because
    /// clients ignore unknown fields.
    fn is_kept_by(&self, today: &Self) -> bool {
        self.status == today.status && self.headers == today.headers && kept_by(&self.body, &today.body)
    }
}

/// A compact answer is kept as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn kept_by(then: &Value, today: &Value) -> bool {
    match (then, today) {
        (Value::Object(then), Value::Object(today)) => {
            then.iter().all(|(key, value)| today.get(key).is_some_and(|today| kept_by(value, today)))
        }
        (Value::Array(then), Value::Array(today)) => {
            then.len() == today.len() && then.iter().zip(today).all(|(then, today)| kept_by(then, today))
        }
        (then, today) => then == today,
    }
}

/// Returns the calls of our client, for each of which it makes requests.
fn calls() -> Vec<(&'static str, AnyCall)> {
    let postcodes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let outcode = |text: &str| AnyCall::Outcode(text.parse().unwrap());
    let near = |latitude, longitude| Nearest::to(Location::new(latitude, longitude).unwrap());
    let around = |text: &str| Nearest::to(postcodes(&[text])[0]);
    let outcodes = |origin: OutcodeOrigin| AnyCall::NearestOutcodes(NearestOutcodes::to(origin).limit(3));
    let within = |region: Region| AnyCall::Within(Within::of(region).limit(3));
    let corner = |latitude, longitude| Location::new(latitude, longitude).unwrap();
    let boxed = Region::Box { south_west: corner(51.0, -1.0), north_east: corner(52.0, 0.0) };
    let polygon = Region::Polygon(vec![corner(53.4, -2.3), corner(53.6, -2.3), corner(53.5, -2.1)]);
    let every_answer = ["M1 1AD", "M1 1AF", "ZE1 0AA", "BT1 1AA", "M1 1AD", "JE2 3AB", "AB1 0AB", "GIR 0AA"];
    vec![
        ("info", AnyCall::Info),
        ("lookup-live", AnyCall::Lookup(postcodes(&["SW1A 1AA"]))),
        ("lookup-terminated", AnyCall::Lookup(postcodes(&["AB1 0AA"]))),
        ("lookup-unknown", AnyCall::Lookup(postcodes(&["ZE1 0AA"]))),
        ("lookup-not-covered", AnyCall::Lookup(postcodes(&["BT1 1AA"]))),
        ("lookup-batch", AnyCall::Lookup(postcodes(&every_answer))),
        ("outcode", outcode("M1")),
        ("outcode-without-location", outcode("JE2")),
        ("outcode-without-live", outcode("NPT")),
        ("autocomplete", AnyCall::Autocomplete("m1".to_owned(), 5)),
        ("autocomplete-nothing", AnyCall::Autocomplete("ZZ".to_owned(), 5)),
        ("autocomplete-everything", AnyCall::Autocomplete(String::new(), 2)),
        ("search", AnyCall::Search("M1 1".to_owned(), 3)),
        ("search-nothing", AnyCall::Search("%/\0é".to_owned(), 3)),
        ("nearest-point", AnyCall::Nearest(near(53.479, -2.235).limit(3).radius(1_000.0))),
        ("nearest-nothing", AnyCall::Nearest(near(0.0, 0.0))),
        ("nearest-live", AnyCall::Nearest(around("EH1 1AA").limit(4))),
        ("nearest-terminated", AnyCall::Nearest(around("EH1 1AD").limit(4))),
        ("nearest-unknown", AnyCall::Nearest(around("ZE1 0AA"))),
        ("nearest-not-covered", AnyCall::Nearest(around("BT1 1AA"))),
        ("nearest-without-location", AnyCall::Nearest(around("JE2 3AB"))),
        ("nearest-outcodes-point", outcodes(Location::new(53.48, -2.2).unwrap().into())),
        ("nearest-outcodes-outcode", outcodes("M1".parse::<Outcode>().unwrap().into())),
        ("nearest-outcodes-without-live", outcodes("NPT".parse::<Outcode>().unwrap().into())),
        ("place", AnyCall::Place("osgb1010".to_owned())),
        ("place-unknown", AnyCall::Place("osgb9999".to_owned())),
        ("places", AnyCall::Places("newport".to_owned(), 3)),
        ("places-nothing", AnyCall::Places("%/\0é".to_owned(), 3)),
        ("find-places", AnyCall::FindPlaces(PlaceQuery::new("newp").limit(3).within("Telford"))),
        ("find-places-similar", AnyCall::FindPlaces(PlaceQuery::new("carnarvn").local_type("Town"))),
        ("find-places-nothing", AnyCall::FindPlaces(PlaceQuery::new("%/\0é"))),
        ("place-postcodes", AnyCall::PlacePostcodes("osgb1014".to_owned(), None, 3)),
        (
            "place-postcodes-after",
            AnyCall::PlacePostcodes("osgb1014".to_owned(), Some(postcodes(&["LS9 0BB"])[0]), 3),
        ),
        ("place-postcodes-unknown", AnyCall::PlacePostcodes("osgb9999".to_owned(), None, 3)),
        ("place-postcodes-area", AnyCall::PlacePostcodes("osgb2001".to_owned(), None, 3)),
        ("scottish", AnyCall::Scottish(postcodes(&["EH1 1AA"])[0])),
        ("scottish-unknown", AnyCall::Scottish(postcodes(&["M1 1AD"])[0])),
        ("within-circle", within(Region::circle(Location::new(53.48, -2.235).unwrap(), 500.0))),
        ("within-box", within(boxed)),
        ("within-polygon", within(polygon)),
        ("within-area", within(Region::area("E08990001"))),
        ("within-area-unknown", within(Region::area("E08999999"))),
        ("within-outcode", within(Region::Outcode("LS9".parse().unwrap()))),
        ("within-sector", within(Region::Sector("M1 1".parse().unwrap()))),
        ("within-not-covered", within(Region::Outcode("BT1".parse().unwrap()))),
        ("outcodes", AnyCall::Outcodes("m".to_owned(), 3)),
        ("outcodes-nothing", AnyCall::Outcodes("ZZ".to_owned(), 3)),
    ]
}

/// Returns requests that clients of postcodes.io make.
fn plain() -> Vec<(&'static str, KeptRequest)> {
    let get = |target: &str| KeptRequest {
        method: "GET".to_owned(),
        target: target.to_owned(),
        content_type: None,
        body: None,
    };
    let post = |body: &str| KeptRequest {
        method: "POST".to_owned(),
        content_type: Some("application/json".to_owned()),
        body: Some(body.to_owned()),
        ..get("/postcodes")
    };
    vec![
        ("live", get("/postcodes/SW1A1AA")),
        ("terminated", get("/postcodes/AB1%200AA")),
        ("unknown", get("/postcodes/ZE10AA")),
        ("not-covered", get("/postcodes/BT11AA")),
        ("invalid", get("/postcodes/nonsense")),
        ("validate", get("/postcodes/sw1a1aa/validate")),
        ("autocomplete", get("/postcodes/M1/autocomplete?limit=3")),
        ("query", get("/postcodes?q=LS9%200&limit=2")),
        ("nearest", get("/postcodes/M11AD/nearest?radius=500&limit=3")),
        ("reverse", get("/postcodes?lon=-2.235&lat=53.479&radius=500")),
        ("bad-limit", get("/postcodes?lon=-2.235&lat=53.479&limit=x")),
        ("bulk", post(r#"{"postcodes":["M1 1AD","AB1 0AA","x"]}"#)),
        ("bulk-reverse", post(r#"{"geolocations":[{"longitude":-2.235,"latitude":53.479,"limit":2}]}"#)),
        ("bulk-nothing", post("{}")),
        ("outcode", get("/outcodes/SW1A")),
        ("outcode-unknown", get("/outcodes/NPT")),
        ("terminated-postcode", get("/terminated_postcodes/NPT1AA")),
        ("terminated-postcode-unknown", get("/terminated_postcodes/SW1A1AA")),
        ("outcode-nearest", get("/outcodes/M1/nearest?limit=2")),
        ("outcode-reverse", get("/outcodes?lon=-2.2&lat=53.48&limit=2")),
        ("place", get("/places/osgb1001")),
        ("place-unknown", get("/places/osgb9999")),
        ("places", get("/places?q=newport&limit=2")),
        ("scottish", get("/scotland/postcodes/EH11AA")),
        ("scottish-unknown", get("/scotland/postcodes/M11AD")),
        ("no-route", get("/no/such/route")),
        ("ping", get("/ping")),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Returns the recorded versions.
fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut versions: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    versions.sort();
    assert!(!versions.is_empty(), "no version is recorded");
    versions
}

/// Returns the data that was served when they were recorded.
fn data(version: &Path) -> Arc<Local> {
    let local = Local::open(version.join("fixture.dataset")).unwrap();
    local.dataset().verify().unwrap();
    Arc::new(local)
}

fn files(version: &Path, kind: &str) -> BTreeMap<String, Vec<Kept>> {
    assert!(version.join(kind).is_dir() || kind == COMPACT, "{}: no {kind}", version.display());
    let entries =
        std::fs::read_dir(version.join(kind)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    };
    entries.map(read).collect()
}

fn content_type(response: &Response<Bytes>) -> &str {
    response.headers().get("content-type").map_or("", |value| value.to_str().unwrap())
}

fn write(version: &Path, kind: &str, name: &str, exchanges: &[Exchange]) {
    let kept: Vec<Kept> = exchanges
        .iter()
        .map(|(request, response)| Kept {
            request: KeptRequest::of(request),
            response: KeptResponse::of(response),
        })
        .collect();
    std::fs::create_dir_all(version.join(kind)).unwrap();
    let text = serde_json::to_string_pretty(&kept).unwrap() + "\n";
    std::fs::write(version.join(kind).join(format!("{name}.json")), text).unwrap();
}

/// `GOLDEN=compact`: records the compact answers of version 1, which come after those of 0.1.0 in JSON.
#[tokio::test]
async fn record_compact_answers_if_told_to() {
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "compact") {
        record_compact(&folder().join(env!("CARGO_PKG_VERSION"))).await;
    }
}

async fn record_compact(version: &Path) {
    let duplex = Duplex::over(data(version)).await;
    for (name, call) in calls() {
        let recorder = Recorder::new(duplex.clone());
        let kept = recorder.kept.clone();
        call.answer(&remote(recorder)).await;
        let kept = kept.lock().unwrap();
        if kept.iter().any(|(_, response)| is_compact(content_type(response))) {
            write(version, COMPACT, name, &kept);
        }
    }
    let located = KeptRequest {
        method: "POST".to_owned(),
        target: "/postcodes?extended=true".to_owned(),
        content_type: Some("application/json".to_owned()),
        body: Some(
            r#"{"geolocations":[{"longitude":-2.235,"latitude":53.479,"limit":2},{"longitude":0,"latitude":0}]}"#
                .to_owned(),
        ),
    };
    let recorder = Recorder::new(duplex);
    recorder.send(located.to_http(COMPACT), usize::MAX).await.unwrap();
    write(version, COMPACT, "bulk-reverse", &recorder.kept.lock().unwrap());
}

/// `GOLDEN=write`: records this version.
#[tokio::test]
async fn record_this_version_if_told_to() {
    if std::env::var_os("GOLDEN").is_none_or(|value| value != "write") {
        return;
    }
    let version = folder().join(env!("CARGO_PKG_VERSION"));
    std::fs::create_dir_all(&version).unwrap();
    let dataset = Fixture::small().dataset().unwrap();
    std::fs::write(version.join("fixture.dataset"), dataset.as_bytes()).unwrap();
    let duplex = Duplex::over(data(&version)).await;
    for (name, call) in calls() {
        let recorder = Recorder::new(duplex.clone());
        let kept = recorder.kept.clone();
        call.answer(&remote_in_json(recorder)).await;
        write(&version, "client", name, &kept.lock().unwrap());
    }
    record_compact(&version).await;
    for (name, request) in plain() {
        let recorder = Recorder::new(duplex.clone());
        recorder.send(request.to_http("plain"), usize::MAX).await.unwrap();
        write(&version, "plain", name, &recorder.kept.lock().unwrap());
    }
}

/// Checks an old client with a new server: today's server gives the same answers to old requests.
#[tokio::test]
async fn todays_server_answers_old_clients() {
    for version in versions() {
        let duplex = Duplex::over(data(&version)).await;
        for kind in ["client", COMPACT, "plain"] {
            for (name, exchanges) in files(&version, kind) {
                for Kept { request, response: then } in exchanges {
                    let today = duplex.send(request.to_http(kind), usize::MAX).await.unwrap();
                    let today = KeptResponse::of(&today);
                    assert!(
                        then.is_kept_by(&today),
                        "{}/{kind}/{name}: {} {}:\n then: {}\ntoday: {}",
                        version.display(),
                        request.method,
                        request.target,
                        serde_json::to_string(&then).unwrap(),
                        serde_json::to_string(&today).unwrap(),
                    );
                }
            }
        }
    }
}

/// A server that knows nothing but its recorded answers.
#[derive(Debug)]
struct Old(BTreeMap<KeptRequest, KeptResponse>);

#[async_trait]
impl Transport for Old {
    async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>> {
        let request = KeptRequest::of(&request);
        match self.0.get(&request) {
            Some(response) => Ok(response.to_http()),
            None => panic!("today's client asks what the old server was not asked: {request:?}"),
        }
    }
}

/// Checks a new client with an old server: today's client reads the old data from old answers.
#[tokio::test]
async fn todays_client_understands_old_servers() {
    for version in versions() {
        let local = data(&version);
        let calls: BTreeMap<_, _> = calls().into_iter().collect();
        for (kind, name, kept) in ["client", COMPACT]
            .into_iter()
            .flat_map(|kind| files(&version, kind).into_iter().map(move |(name, kept)| (kind, name, kept)))
        {
            let answers = kept.iter().cloned().map(|kept| (kept.request, kept.response));
            let old = remote(Old(answers.collect()));
            if (kind, name.as_str()) == (COMPACT, "bulk-reverse") {
                // Our client has no such call.
                continue;
            }
            let Some(call) = calls.get(name.as_str()) else { panic!("{name}: no call is of that name") };
            let (one, other) = (call.answer(&*local).await, call.answer(&old).await);
            let refused = kept.iter().any(|kept| kept.response.status >= 500);
            assert!(refused || !other.starts_with("error"), "{}/{kind}/{name}: {other}", version.display());
            // Servers before 0.2 do not say which columns their data has.
            let one = if other.contains("columns: []") { without_columns(&one) } else { one };
            assert_eq!(other, one, "{}/{kind}/{name}", version.display());
        }
    }
}

/// Returns a description of a dataset as one that does not know its columns.
fn without_columns(info: &str) -> String {
    let Some((before, rest)) = info.split_once("columns: [") else { return info.to_owned() };
    let after = rest.split_once(']').map_or("", |(_, after)| after);
    format!("{before}columns: []{after}")
}
