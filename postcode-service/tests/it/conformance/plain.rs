//! The client against a server that answers exactly as postcodes.io does. It is this server's
//! compatible answers, which the recordings prove equal, without the additions: error bodies
//! without `code`, no edition, none of our parameters and routes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use postcode_core::conformance::{Fixture, Verdict, check};
use postcode_core::remote::Transport;
use postcode_core::wire::{EXTENDED, ORDER, RecordBody, RecordView, Shape};
use postcode_core::{
    Answer, AreaKind, Areas, ErrorKind, Local, Location, Nearest, NearestOutcodes, OwnedArea, PlaceLookup,
    PlaceQuery, Postcode, PostcodeLookup, Record, Region, Remote, Result, ScottishLookup, ScottishPostcode,
    Status, Within,
};
use serde_json::Value;

use crate::conformance::implementations::memory;
use crate::conformance::in_memory::{Duplex, remote};

/// Postcodes that it takes for none.
const NO_POSTCODES: [&str; 2] = ["GIR 0AA", "NPT 1AA"];

/// The answer that a server of postcodes.io would give.
#[derive(Debug)]
struct Plain(Duplex);

/// Returns whether postcodes.io has such a route.
fn is_route(method: &str, path: &str) -> bool {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    matches!(
        (method, segments.as_slice()),
        ("POST", ["postcodes"])
            | ("GET", ["postcodes" | "outcodes" | "places" | "ping" | "ready"])
            | ("GET", ["postcodes" | "outcodes" | "places" | "terminated_postcodes", _])
            | ("GET", ["random", "postcodes" | "places"] | ["scotland", "postcodes", _])
            | ("GET", ["postcodes", _, "nearest" | "validate" | "autocomplete"] | ["outcodes", _, "nearest"])
    )
}

#[async_trait]
impl Transport for Plain {
    async fn send(&self, mut request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>> {
        let uri = request.uri().clone();
        let ours = |name: &str| name == EXTENDED || name == ORDER;
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query = query.filter(|(name, _)| !ours(name));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let path =
            if is_route(request.method().as_str(), uri.path()) { uri.path() } else { "/no/such/route" };
        *request.uri_mut() = format!("http://{}{path}?{query}", uri.authority().unwrap()).parse().unwrap();
        let ids: Vec<_> =
            ["x-request-id", "postcode-deadline-ms", "traceparent", "postcode-purpose", "accept-encoding"]
                .into();
        ids.into_iter().for_each(|name| drop(request.headers_mut().remove(name)));
        let mut response = self.0.send(request, limit).await?;
        let kept = ["content-type", "access-control-allow-origin", "etag"];
        let headers = std::mem::take(response.headers_mut());
        response.headers_mut().extend(
            headers
                .into_iter()
                .filter(|(name, _)| name.as_ref().is_some_and(|name| kept.contains(&name.as_str()))),
        );
        let mut body: Value = serde_json::from_slice(response.body()).unwrap();
        if response.status().is_client_error() {
            body.as_object_mut()
                .unwrap()
                .retain(|key, _| ["status", "error", "terminated"].contains(&key.as_str()));
        }
        *response.body_mut() = serde_json::to_vec(&body).unwrap().into();
        Ok(response)
    }
}

async fn plain() -> Remote {
    remote(Plain(Duplex::over(Arc::new(memory())).await))
}

fn postcode(text: &str) -> Postcode {
    text.parse().unwrap()
}

/// Returns the JSON of postcodes.io for a live postcode.
fn view(record: &Record) -> Value {
    serde_json::to_value(RecordView::new(record, Shape::Compatible)).unwrap()
}

fn views<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Value> {
    records.into_iter().map(view).collect()
}

#[tokio::test]
async fn lookups_are_answered_as_far_as_it_knows() {
    let (plain, local, fixture) = (plain().await, memory(), Fixture::small());
    let mut asked: Vec<Postcode> = fixture.records().map(|record| record.postcode).collect();
    asked.extend(["ZE1 0AA", "BT1 1AA", "M1 1AD"].map(postcode));
    let (theirs, ours) = (plain.lookup(&asked).await.unwrap(), local.lookup(&asked).await.unwrap());
    assert_eq!(theirs.len(), asked.len());
    for ((postcode, theirs), ours) in asked.iter().zip(&theirs).zip(&ours) {
        match (theirs, ours) {
            (Answer::Live(theirs), Answer::Live(ours)) => assert_eq!(view(theirs), view(ours)),
            // Only its end and its location.
            (Answer::Terminated(theirs), Answer::Terminated(ours)) => {
                let mut known = Record::terminated(ours.postcode);
                (known.terminated, known.location) = (ours.terminated, ours.location);
                assert_eq!(*theirs, known);
            }
            // It takes these for no postcodes at all.
            (Answer::Unknown, Answer::Terminated(_)) => {
                assert!(NO_POSTCODES.contains(&postcode.to_string().as_str()))
            }
            (Answer::Unknown, Answer::Unknown | Answer::NotCovered) => {}
            other => panic!("{postcode}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_it_has_is_answered_as_in_this_process() {
    let (plain, local) = (plain().await, memory());
    for outcode in ["M1", "SW1A", "JE2", "NPT", "BT1"].map(|text| text.parse().unwrap()) {
        assert_eq!(plain.outcode(outcode).await.unwrap(), local.outcode(outcode).await.unwrap());
        let query = NearestOutcodes::to(outcode).limit(3);
        assert_eq!(
            plain.nearest_outcodes(&query).await.unwrap(),
            local.nearest_outcodes(&query).await.unwrap()
        );
        let random = plain.random(Some(outcode)).await.unwrap();
        assert_eq!(random.is_some(), local.random(Some(outcode)).await.unwrap().is_some());
        if let Some(record) = random {
            assert_eq!(record.postcode.outcode(), outcode);
        }
    }
    let point = Location::new(53.48, -2.2).unwrap();
    let query = NearestOutcodes::to(point).radius(25_000.0);
    assert_eq!(plain.nearest_outcodes(&query).await.unwrap(), local.nearest_outcodes(&query).await.unwrap());
    for (text, limit) in [("m1", 5), ("M", 1), ("ls9 0", 100), ("", 2), ("ZZ", 5), ("%/\0é", 5), ("1", 5)] {
        assert_eq!(
            plain.autocomplete(text, limit).await.unwrap(),
            local.autocomplete(text, limit).await.unwrap(),
            "{text:?}"
        );
        let (theirs, ours) =
            (plain.search(text, limit).await.unwrap(), local.search(text, limit).await.unwrap());
        assert_eq!(views(&theirs), views(&ours), "{text:?}");
    }
    let around = |text: &str| Nearest::to(postcode(text)).limit(4).radius(2_000.0);
    let queries = ["EH1 1AA", "EH1 1AD", "AB1 0AA", "ZE1 0AA", "BT1 1AA", "JE2 3AB", "M1 1AD"].map(around);
    let points = [Nearest::to(point).limit(3).radius(2_000.0), Nearest::to(Location::new(0.0, 0.0).unwrap())];
    for query in queries.into_iter().chain(points) {
        let (theirs, ours) = (plain.nearest(&query).await.unwrap(), local.nearest(&query).await.unwrap());
        assert_eq!(theirs.is_some(), ours.is_some(), "{query:?}");
        let (theirs, ours) = (theirs.unwrap_or_default(), ours.unwrap_or_default());
        assert_eq!(
            views(theirs.iter().map(|it| &it.record)),
            views(ours.iter().map(|it| &it.record)),
            "{query:?}"
        );
        let metres =
            |found: &[postcode_core::Neighbour]| found.iter().map(|it| it.distance).collect::<Vec<_>>();
        assert_eq!(metres(&theirs), metres(&ours), "{query:?}");
    }
    for code in ["osgb1001", "OSGB1010", "osgb9999", "osgb2002", "../x"] {
        assert_eq!(plain.place(code).await.unwrap(), local.place(code).await.unwrap(), "{code}");
    }
    for text in ["newport", "dre goch", "kilb", "", "%\0", "'"] {
        assert_eq!(plain.places(text, 5).await.unwrap(), local.places(text, 5).await.unwrap(), "{text:?}");
    }
    assert!(plain.random_place().await.unwrap().is_some() && plain.random(None).await.unwrap().is_some());
    for text in ["EH1 1AA", "EH1 1AD", "M1 1AD", "ZE1 0AA", "BT1 1AA", "GIR 0AA"].map(postcode) {
        assert_eq!(
            plain.scottish_postcode(text).await.unwrap(),
            local.scottish_postcode(text).await.unwrap(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_it_has_not_is_said_to_be_not_supported() {
    let plain = plain().await;
    let far = Nearest::to(Location::new(53.48, -2.2).unwrap()).radius(20_000.0).limit(100);
    let errors = [
        plain.info().await.map(drop).unwrap_err(),
        plain.find_places(&PlaceQuery::new("newport")).await.map(drop).unwrap_err(),
        plain.place_postcodes("osgb1001", None, 10).await.map(drop).unwrap_err(),
        plain.nearest(&far).await.map(drop).unwrap_err(),
        plain.outcodes("M", 10).await.map(drop).unwrap_err(),
        plain.within(&Within::of(Region::area("E08990001"))).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(!error.is_transient() && error.to_string().contains("not a postcode-service"), "{error}");
    }
}

/// Returns the fixture reduced to what postcodes.io can answer: the records of live postcodes, the
/// end and location of terminated ones, and nothing about areas that are not covered.
fn told() -> Fixture {
    let whole = Fixture::small();
    let records = whole.records().filter(|it| !NO_POSTCODES.contains(&it.postcode.to_string().as_str()));
    let records = records.map(|record| {
        if record.status == Status::Live {
            let body: RecordBody = serde_json::from_value(view(record)).unwrap();
            let mut told = body.into_record(Status::Live).unwrap();
            // A dataset has no areas without codes, as countries and regions are to it.
            let coded = AreaKind::ALL.into_iter().filter_map(|kind| {
                let area = told.area(kind)?;
                let (code, name) = (area.code?.into(), area.name.map(Into::into));
                Some((kind, OwnedArea { code: Some(code), name, alias: None }))
            });
            told.areas = Areas::owned(coded.collect::<Vec<_>>());
            return told;
        }
        let mut told = Record::terminated(record.postcode);
        (told.terminated, told.location) = (record.terminated, record.location);
        told
    });
    let mut info = whole.info().clone();
    (info.not_covered, info.not_covered_advice) = (Vec::new(), None);
    Fixture::new(info, records)
        .with(whole.places().cloned(), whole.scottish().map(ScottishPostcode::compatible))
        .with_wider(whole.wider_places().cloned())
}

/// Runs the whole contract suite. All cases hold except those named here.
#[tokio::test]
async fn of_the_contract_it_keeps_all_that_postcodes_io_can() {
    let fixture = told();
    let server = Duplex::over(Arc::new(Local::new(fixture.dataset().unwrap()))).await;
    let report = check(&remote(Plain(server)), &fixture).await;
    let of = |wanted: fn(&Verdict) -> bool| -> Vec<&str> {
        report.outcomes.iter().filter(|it| wanted(&it.verdict)).map(|it| it.case).collect()
    };
    let not_supported = of(|verdict| matches!(verdict, Verdict::NotSupported(_)));
    let failed = of(|verdict| matches!(verdict, Verdict::Fail(_)));
    assert_eq!(
        not_supported,
        // Those of nearest ask farther than 2 km, and 25 km for outcodes.
        [
            "around_points",
            "nothing_there",
            "nearest_outcodes",
            "find",
            "find_filtered",
            "postcodes",
            "shapes",
            "areas",
            "outcodes_and_sectors",
            "unknown_names",
            "pages",
            "outcodes",
            "info",
        ],
        "{report}"
    );
    assert_eq!(failed, [""; 0], "{report}");
}
