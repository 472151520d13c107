//! The fuzz targets of postcode-service: functions of bytes that must not panic, whatever the bytes
//! are.
//!
//! `cargo fuzz` runs them with a nightly toolchain. `tests/it/fuzz_corpora.rs` runs them on stable
//! over the corpora and over mutations of them, so this file may only use what both have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a panic is how a fuzz target reports"
)]

use std::sync::{Arc, OnceLock};

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::{Request, StatusCode};
use postcode_core::Local;
use postcode_core::conformance::Fixture;
use postcode_core::dataset::Dataset;
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::enrich::{Column, Format, Plan, enrich};
use postcode_service::import::{Import, Stop};
use postcode_service::jobs::callback::Manner;
use postcode_service::jobs::{self, Callbacks, Jobs, Url};
use tokio::runtime::Runtime;

/// Paths that take a query or a last segment from the input.
const PATHS: [&str; 24] = [
    "/postcodes?",
    "/postcodes?q=",
    "/postcodes?lon=-2.1&lat=57.1&",
    "/postcodes/",
    "/postcodes/AB101AB/nearest?",
    "/postcodes/AB101AB/validate?",
    "/postcodes/AB101AB?filter=",
    "/postcodes/AB10/autocomplete?",
    "/outcodes?",
    "/outcodes/",
    "/outcodes/AB10/nearest?",
    "/outcodes/AB10/postcodes?",
    "/sectors/",
    "/areas/S12000033/postcodes?",
    "/terminated_postcodes/",
    "/places?",
    "/places?q=",
    "/find/places?",
    "/scotland/postcodes/",
    "/random/postcodes?",
    "/within?",
    "/within?cursor=",
    "/within?polygon=",
    "/",
];

/// Paths, query strings and cursors: the first byte chooses a route, the second whether it is asked
/// strictly.
pub fn query_strings(data: &[u8]) {
    let [path, shape, rest @ ..] = data else { return };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let more = match (shape % 3, path.contains('?')) {
        (1, true) => "&extended=true",
        (2, true) => "&strict=true",
        _ => "",
    };
    let uri = format!("{path}{}{more}", String::from_utf8_lossy(rest));
    let Ok(uri) = uri.parse::<http::Uri>() else { return };
    ask(Request::get(uri), Body::empty());
}

/// JSON bodies of bulk requests.
pub fn json_bodies(data: &[u8]) {
    let Some((path, body)) = data.split_first() else { return };
    let path = [
        "/postcodes",
        "/postcodes?extended=true&limit=3&radius=500",
        "/postcodes?filter=postcode,codes",
        "/x",
    ][usize::from(path % 4)];
    post(path, "application/json", body);
}

/// Sends forms of bulk requests.
pub fn forms(data: &[u8]) {
    post("/postcodes", "application/x-www-form-urlencoded", data);
}

/// Sends bodies of `POST /jobs`: the first byte chooses the query. Few jobs stay open, so what is stored does not grow, but every
/// body is read to its end.
pub fn job_bodies(data: &[u8]) {
    thread_local! {
        // Removed when the thread of the test ends.
        static JOBS: (Api, tempfile::TempDir) = {
            let folder = tempfile::tempdir().expect("a folder");
            let url = Url::Sqlite(folder.path().join("jobs.db"));
            let limits = jobs::Limits { open_jobs: 8, min_free: 0, ..jobs::Limits::default() };
            (api(Jobs::new(url, false, limits, None)), folder)
        };
    }
    let Some((query, body)) = data.split_first() else { return };
    let query = ["", "?extended=true", "?filter=postcode,codes", "?priority=1"][usize::from(query % 4)];
    let request = Request::post(format!("/jobs{query}")).header("content-type", "application/json");
    JOBS.with(|(api, _)| ask_of(api, request, Body::from(body.to_vec())));
}

/// Sends polygons as bodies, of our own shape and of GeoJSON.
pub fn polygons(data: &[u8]) {
    post("/within", "application/json", data);
}

/// Enriches rows of CSV, in pieces whose size is in the first byte. The pieces must not change the
/// output.
pub fn enrich_csv(data: &[u8]) {
    enriched(Format::Csv, data);
}

/// Enriches lines of JSON, also in pieces.
pub fn enrich_ndjson(data: &[u8]) {
    enriched(Format::Ndjson, data);
}

fn enriched(format: Format, data: &[u8]) {
    let Some((size, rows)) = data.split_first() else { return };
    let plan =
        || Plan::new(format, Column::list("status,admin_district,latitude,codes.region").expect("columns"));
    let run = |size: usize| {
        let chunks: Vec<_> = rows.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let parts = enrich(futures::stream::iter(chunks), Arc::new(fixture()), plan());
        futures::executor::block_on(async {
            let parts: Vec<_> = parts.try_collect().await.ok()?;
            let (mut out, mut read) = (Vec::new(), 0);
            for part in parts {
                out.extend_from_slice(&part.bytes);
                read = part.read;
            }
            Some((out, read))
        })
    };
    let (cut, whole) = (run(usize::from(*size) + 1), run(rows.len().max(1)));
    assert_eq!(cut, whole, "the pieces in which rows come make a difference");
    if let Some((_, read)) = whole {
        assert_eq!(read, if rows.is_empty() { 0 } else { rows.len() as u64 });
    }
}

/// The separator between the files of one import.
const NEXT_FILE: u8 = 0x1c;

/// Imports files in any of the publishers' formats and packings, separated by [`NEXT_FILE`].
pub fn import(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["in/ONSPD_NOV_2025_UK.csv", "in/names.csv", "in/SmallUser.csv", "in/geonames/JE.txt"];
    std::fs::create_dir_all(folder.path().join("in/geonames")).expect("the folder takes folders");
    for (name, file) in names.iter().zip(data.split(|byte| *byte == NEXT_FILE)) {
        std::fs::write(folder.path().join(name), file).expect("the folder takes a file");
    }
    let out = folder.path().join("out.postcodes");
    let mut import = Import::new(folder.path().join("in"), &out);
    (import.quiet, import.max_errors) = (true, u64::MAX);
    if import.run(&Stop::default()).is_ok() {
        let written = Dataset::open(&out).and_then(|dataset| dataset.verify());
        written.expect("what is published is sound");
    }
}

/// Checks callback URLs: an accepted one must not be an address of this machine or a private
/// network.
pub fn callback_urls(data: &[u8]) {
    static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let callbacks = CALLBACKS.get_or_init(|| {
        let _entered = runtime().enter();
        Callbacks::new(secret, Manner::default()).expect("a right secret")
    });
    let text = String::from_utf8_lossy(data);
    if callbacks.check(&text).is_err() {
        return;
    }
    let url = url::Url::parse(&text).expect("what is taken is a URL");
    assert!(
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    );
    match url.host() {
        Some(url::Host::Ipv4(address)) => assert!(is_elsewhere(address), "{text}"),
        Some(url::Host::Ipv6(address)) => {
            let plain = address.to_ipv4_mapped();
            assert!(
                plain.map_or(!address.is_loopback() && !address.is_unspecified(), is_elsewhere),
                "{text}"
            );
            assert!(
                !address.is_unique_local() && !address.is_unicast_link_local() && !address.is_multicast(),
                "{text}"
            );
        }
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            assert!(name != "localhost" && !name.ends_with(".localhost"), "{text}");
        }
        None => panic!("{text}: no host"),
    }
}

fn is_elsewhere(address: std::net::Ipv4Addr) -> bool {
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_unspecified()
        || address.is_documentation())
}

fn fixture() -> Local {
    static FIXTURE: OnceLock<Dataset> = OnceLock::new();
    let dataset = FIXTURE.get_or_init(|| Fixture::small().dataset().expect("the fixture is a dataset"));
    Local::new(dataset.clone())
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    })
}

fn post(path: &str, kind: &str, body: &[u8]) {
    ask(Request::post(path).header("content-type", kind), Body::from(body.to_vec()));
}

/// Sends a request. Panics if the answer is a server error, or says it is JSON and is not.
fn ask(request: http::request::Builder, body: Body) {
    static API: OnceLock<Api> = OnceLock::new();
    ask_of(API.get_or_init(|| api(Jobs::off())), request, body);
}

fn api(jobs: Jobs) -> Api {
    let edition = runtime().block_on(Edition::of(Arc::new(fixture()))).expect("an edition");
    Api::with_jobs(edition, Limits::default(), jobs)
}

fn ask_of(api: &Api, request: http::request::Builder, body: Body) {
    let request = request.header("host", "localhost").body(body).expect("a request");
    let (head, body) = runtime().block_on(async {
        let (head, body) = api.call(request).await.into_parts();
        (head, to_bytes(body, usize::MAX).await.expect("the answer is whole"))
    });
    assert_ne!(head.status, StatusCode::INTERNAL_SERVER_ERROR, "{body:?}");
    let kind = head.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") && !body.is_empty() {
        serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
    }
}
