//! Shared code of the tests: small data, requests, the shared recordings.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, which clippy takes for production")]

use std::process::Command;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::{AreaKind, GridReference, GridSystem, Local, Location, Lookups, YearMonth};
use postcode_service::api::{Api, Edition, Limits};
use serde_json::Value;
use tokio::sync::OnceCell;

/// A few postcodes: some live, one terminated, one without a location; BT is not covered.
pub fn small() -> Local {
    let mut metadata = Metadata::new("made by hand");
    metadata.not_covered = vec!["BT".to_owned()];
    metadata.not_covered_advice = Some("load ONSPD".to_owned());
    let mut builder = DatasetBuilder::new(metadata);
    let district = builder.area(AreaKind::AdminDistrict, "S12000033").unwrap();
    builder.name_area(AreaKind::AdminDistrict, "S12000033", Some("Aberdeen City"), None).unwrap();
    for (postcode, latitude, longitude) in [
        ("AB10 1AB", 57.14959, -2.096923),
        ("AB10 1AF", 57.14959, -2.096923),
        ("M1 1AD", 53.483784, -2.244866),
    ] {
        let mut row = Row::live(postcode.parse().unwrap());
        row.quality = Some(1);
        row.grid = Some(GridReference { eastings: 394_235, northings: 806_529, system: GridSystem::Osgb });
        row.location = Some(Location::new(latitude, longitude).unwrap());
        row.areas.set(district);
        builder.push(&row).unwrap();
    }
    builder.push(&Row::live("JE2 4WD".parse().unwrap())).unwrap();
    let mut row = Row::terminated("AB1 0AA".parse().unwrap());
    row.terminated = Some(YearMonth::new(1996, 6).unwrap());
    row.location = Some(Location::new(57.101459, -2.242858).unwrap());
    builder.push(&row).unwrap();
    Local::new(builder.build().unwrap())
}

pub async fn api_over(lookup: impl Lookups) -> Api {
    Api::new(Edition::of(Arc::new(lookup)).await.unwrap(), Limits::default())
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request, and checks that the description of the API lists the status of the answer.
pub async fn send(api: &Api, request: Request<Body>) -> Answer {
    static DOCUMENT: OnceCell<Value> = OnceCell::const_new();
    let document = DOCUMENT.get_or_init(async || {
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        let body = to_bytes(api.call(request).await.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    });
    let (document, method, path) =
        (document.await, request.method().to_string(), request.uri().path().to_owned());
    let (parts, body) = api.call(request).await.into_parts();
    postcode_testing::check_described(document, &method, &path, parts.status.as_u16());
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub async fn get(api: &Api, path: &str) -> Answer {
    send(api, Request::get(path).body(Body::empty()).unwrap()).await
}

pub async fn post(api: &Api, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path).header("content-type", content_type);
    send(api, request.body(body.into()).unwrap()).await
}

/// Returns a command for the program, in a clean environment.
pub fn program() -> Command {
    postcode_testing::command(env!("CARGO_BIN_EXE_postcode-service"))
}

/// Returns the routes that the sources of the API register, by their names in the one table of routes.
pub(crate) fn routes_in_sources() -> std::collections::BTreeSet<String> {
    fn visit(folder: &std::path::Path, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                visit(&entry, names);
                continue;
            }
            let source: String = std::fs::read_to_string(&entry).unwrap().split_whitespace().collect();
            let registered = source.split(".route(path::").skip(1);
            names.extend(registered.map(|rest| rest.split(',').next().unwrap().to_owned()));
        }
    }
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(package.join("../postcode-core/src/wire/path.rs")).unwrap();
    let path_of = |name: &str| {
        let line = table.lines().find_map(|line| line.trim().strip_prefix(&format!("{name} \"")));
        line.unwrap_or_else(|| panic!("{name} is not in the table of routes"))
            .trim_end_matches("\",")
            .to_owned()
    };
    // These are registered by a separate function.
    let mut names = ["DATASET", "DATASET_INFO", "DATASET_SIGNATURE"].map(str::to_owned).to_vec();
    visit(&package.join("src/api"), &mut names);
    names.iter().map(|name| path_of(name)).collect()
}
