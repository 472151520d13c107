//! Compares the client's answers with recordings of a live postcodes.io server.
//!
//! The recordings are not part of the repository. They are next to it, or in `POSTCODE_SHARED`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use postcode_core::wire::{NeighbourView, RecordView, Shape};
use postcode_core::{
    Answer, Location, Nearest, NearestOutcodes, Neighbour, Outcode, Postcode, PostcodeLookup, Record, Remote,
};
use postcode_testing::shared;
use serde_json::{Value, json};
use url::Url;

use crate::remote::fake::Script;

type Parameters = BTreeMap<String, String>;

/// A recorded `GET`: its path, percent-decoded, its parameters, its status and body.
struct Recorded {
    path: String,
    parameters: Parameters,
    status: u16,
    body: Value,
}

/// Returns the path and parameters without those that our client adds or that have the default
/// value.
fn key(path_and_query: &str) -> (String, Parameters) {
    let url = Url::parse("http://recorded").unwrap().join(path_and_query).unwrap();
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().to_uppercase();
    let mut parameters: Parameters = url.query_pairs().into_owned().collect();
    parameters.retain(|name, value| match name.as_str() {
        "extended" | "order" => false,
        "limit" => value != "10",
        "radius" => value != if path.starts_with("/OUTCODES") { "5000" } else { "100" },
        _ => true,
    });
    (path.replace(' ', ""), parameters)
}

fn recordings() -> Option<Arc<Vec<Recorded>>> {
    let text = std::fs::read_to_string(shared("cases/postcodes-io/recorded.jsonl")?).unwrap();
    let recorded = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let recorded =
        recorded.filter(|one| one["method"] == "GET" && one["path"].as_str().unwrap().len() < 1000);
    let recorded = recorded.map(|one| {
        let (path, parameters) = key(one["path"].as_str().unwrap());
        let status = one["status"].as_u64().unwrap() as u16;
        Recorded { path, parameters, status, body: one["body"].clone() }
    });
    Some(Arc::new(recorded.collect()))
}

/// Returns a client that gets the recorded answers. Anything else is "Resource not found". Bulk
/// answers are assembled from single ones, like those of postcodes.io.
fn remote(recorded: &Arc<Vec<Recorded>>) -> Remote {
    let recorded = Arc::clone(recorded);
    let find = move |path: &str| {
        let (path, parameters) = key(path);
        let found = recorded.iter().find(|one| one.path == path && one.parameters == parameters);
        found.map(|one| (one.status, one.body.clone()))
    };
    Script::new(move |_, request: Request<Bytes>| {
        let (status, body) = if request.method() == "POST" {
            let asked: Value = serde_json::from_slice(request.body()).unwrap();
            let items = asked["postcodes"].as_array().unwrap().iter().map(|query| {
                let single = find(&format!("/postcodes/{}", query.as_str().unwrap()));
                let live = single.filter(|(status, _)| *status == 200);
                json!({"query": query, "result": live.map(|(_, body)| body["result"].clone())})
            });
            (200, json!({"status": 200, "result": items.collect::<Vec<_>>()}))
        } else {
            let target = request.uri().path_and_query().unwrap().as_str();
            let target = target.strip_prefix("/prefix").unwrap();
            find(target).unwrap_or((404, json!({"status": 404, "error": "Resource not found"})))
        };
        let response = Response::builder().status(status).header("content-type", "application/json");
        std::future::ready(Ok(response.body(Bytes::from(body.to_string())).unwrap()))
    })
    .remote_with("?deadline=10m&timeout=10m")
}

fn as_json(record: &Record) -> Value {
    serde_json::to_value(RecordView::new(record, Shape::Compatible)).unwrap()
}

fn as_json_near(neighbour: &Neighbour) -> Value {
    serde_json::to_value(NeighbourView::new(neighbour, Shape::Compatible)).unwrap()
}

/// Compares values, numbers by value: JavaScript writes 0, we write 0.0.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => ours == theirs,
    }
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn or_empty(result: &Value) -> Value {
    if result.is_null() { json!([]) } else { result.clone() }
}

#[tokio::test]
async fn postcodes_live_terminated_and_unknown() {
    let Some(recorded) = recordings() else { return };
    let mut expected: HashMap<Postcode, &Recorded> = HashMap::new();
    for one in recorded.iter() {
        if let Some(text) = one.path.strip_prefix("/POSTCODES/")
            && let Ok(postcode) = text.parse::<Postcode>()
            && one.parameters.is_empty()
            && one.path.ends_with(postcode.compact().as_str())
        {
            expected.insert(postcode, one);
        }
    }
    let asked: Vec<Postcode> = expected.keys().copied().collect();
    let answers = remote(&recorded).lookup(&asked).await.unwrap();
    let mut counts = [0; 3];
    for (postcode, answer) in asked.iter().zip(answers) {
        let one = expected[postcode];
        match answer {
            Answer::Live(record) => {
                assert!(same(&as_json(&record), &one.body["result"]), "{postcode}");
                counts[0] += 1;
            }
            Answer::Terminated(record) => {
                let body = &one.body["terminated"];
                assert_eq!(one.status, 404);
                assert_eq!(body["postcode"], postcode.to_string());
                let month = record.terminated.unwrap();
                assert_eq!(
                    (body["year_terminated"].as_u64(), body["month_terminated"].as_u64()),
                    (Some(month.year().into()), Some(month.month().into()))
                );
                assert_eq!(body["latitude"].as_f64(), record.location.map(Location::latitude));
                assert_eq!(body["longitude"].as_f64(), record.location.map(Location::longitude));
                counts[1] += 1;
            }
            Answer::Unknown => {
                assert_eq!((one.status, one.body.get("terminated")), (404, None), "{postcode}");
                counts[2] += 1;
            }
            Answer::NotCovered => panic!("{postcode}: postcodes.io never says so"),
        }
    }
    assert!(counts.iter().all(|count| *count > 5), "live, terminated, unknown: {counts:?}");
}

#[tokio::test]
async fn searches() {
    let Some(recorded) = recordings() else { return };
    let remote = remote(&recorded);
    let mut compared = 0;
    for one in recorded.iter().filter(|one| one.path == "/POSTCODES" && one.status == 200) {
        let Some(query) = one.parameters.get("q").filter(|q| !q.trim().is_empty()) else { continue };
        let limit = one.parameters.get("limit").map_or(Ok(10), |limit| limit.parse());
        let Ok(limit @ 1..=100) = limit else { continue };
        if one.parameters.keys().any(|name| name != "q" && name != "limit") {
            continue;
        }
        let found: Value = remote.search(query, limit).await.unwrap().iter().map(as_json).collect();
        assert!(same(&found, &or_empty(&one.body["result"])), "{query:?}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

#[tokio::test]
async fn nearest_to_points() {
    let Some(recorded) = recordings() else { return };
    let remote = remote(&recorded);
    let mut compared = 0;
    for one in recorded.iter().filter(|one| one.path == "/POSTCODES" && one.status == 200) {
        let number = |name: &str, unset: f64| one.parameters.get(name).map_or(Ok(unset), |text| text.parse());
        let (Ok(lon), Ok(lat)) = (number("lon", f64::NAN), number("lat", f64::NAN)) else { continue };
        let (Ok(limit), Ok(radius)) = (number("limit", 10.0), number("radius", 100.0)) else { continue };
        let known = ["lon", "lat", "limit", "radius"];
        let Ok(location) = Location::new(lat, lon) else { continue };
        let valid =
            (1.0..=100.0).contains(&limit) && limit.fract() == 0.0 && (0.0..=2000.0).contains(&radius);
        // Written as we write them, so that the recording is found.
        let written = one.parameters.get("lon") == Some(&lon.to_string())
            && one.parameters.get("lat") == Some(&lat.to_string());
        if !valid || !written || one.parameters.keys().any(|name| !known.contains(&name.as_str())) {
            continue;
        }
        let query = Nearest::to(location).limit(limit as usize).radius(radius);
        let found = remote.nearest(&query).await.unwrap().unwrap();
        let found: Value = found.iter().map(as_json_near).collect();
        assert!(same(&found, &or_empty(&one.body["result"])), "{:?}", one.parameters);
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}

#[tokio::test]
async fn nearest_to_postcodes_and_outcodes() {
    let Some(recorded) = recordings() else { return };
    let remote = remote(&recorded);
    let (mut near, mut outcodes) = (0, 0);
    for one in recorded.iter().filter(|one| one.parameters.is_empty()) {
        let mut segments = one.path.split('/').skip(1);
        match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("POSTCODES"), Some(text), Some("NEAREST"), None) if one.status == 200 => {
                let Ok(postcode) = text.parse::<Postcode>() else { continue };
                let found = remote.nearest(&Nearest::to(postcode)).await.unwrap().unwrap();
                let found: Value = found.iter().map(as_json_near).collect();
                assert!(same(&found, &or_empty(&one.body["result"])), "{postcode}");
                near += 1;
            }
            (Some("OUTCODES"), Some(text), None, None) => {
                let Ok(outcode) = text.parse() else { continue };
                let found = remote.outcode(outcode).await.unwrap();
                let expected = if one.status == 200 { one.body["result"].clone() } else { Value::Null };
                assert!(same(&serde_json::to_value(found).unwrap(), &expected), "{outcode}");
                outcodes += 1;
            }
            _ => {}
        }
    }
    assert!(near > 2 && outcodes > 5, "{near} {outcodes}");
}

#[tokio::test]
async fn places_scotland_and_outcodes_around_something() {
    let Some(recorded) = recordings() else { return };
    let remote = remote(&recorded);
    let equal = |ours: Value, one: &Recorded| {
        let expected = if one.status == 200 { one.body["result"].clone() } else { Value::Null };
        assert!(same(&ours, &expected), "{} {:?}: {ours} {expected}", one.path, one.parameters);
    };
    let (mut places, mut searches, mut scottish, mut outcodes) = (0, 0, 0, 0);
    // If two differ only in spaces, which we ignore, the first is answered.
    let first = |one: &&Recorded| {
        let same = |other: &&Recorded| other.path == one.path && other.parameters == one.parameters;
        recorded.iter().find(same).is_some_and(|other| std::ptr::eq(other, *one))
    };
    for one in recorded.iter().filter(|one| one.status < 500).filter(first) {
        let segments: Vec<&str> = one.path.split('/').skip(1).collect();
        let parameters: Vec<(&str, &str)> =
            one.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match (&segments[..], &parameters[..]) {
            (["PLACES", code], []) if code.starts_with("OSGB") => {
                equal(json_of(&remote.place(code).await.unwrap()), one);
                places += 1;
            }
            (["PLACES"], [("q", text)] | [("limit", "100"), ("q", text)]) if !text.trim().is_empty() => {
                let limit = if one.parameters.len() == 2 { 100 } else { 10 };
                equal(json_of(&remote.places(text, limit).await.unwrap()), one);
                searches += 1;
            }
            (["SCOTLAND", "POSTCODES", text], []) => {
                let Ok(postcode) = text.parse::<Postcode>() else { continue };
                equal(json_of(&remote.scottish_postcode(postcode).await.unwrap()), one);
                scottish += 1;
            }
            (["OUTCODES", text, "NEAREST"], []) => {
                let Ok(outcode) = text.parse::<Outcode>() else { continue };
                let found = remote.nearest_outcodes(&NearestOutcodes::to(outcode)).await.unwrap();
                equal(json_of(&found), one);
                outcodes += 1;
            }
            _ => {}
        }
    }
    let counts = [places, searches, scottish, outcodes];
    assert!(places > 10 && searches > 20 && scottish > 10 && outcodes > 4, "{counts:?}");
}
