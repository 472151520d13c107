//! Tests places, Scotland and nearest outcodes, with both kinds of server.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use postcode_core::{ErrorKind, Location, MAX_RADIUS, NearestOutcodes, PostcodeLookup, Remote};
use serde_json::{Value, json};

use crate::remote::fake::{Script, postcode};

/// Returns a client of a server that always gives this answer, and the requests that it received.
fn server(status: u16, body: Value) -> (Remote, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let script = Script::new(move |_, request: Request<Bytes>| {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        seen.lock().unwrap().push(target.strip_prefix("/prefix").unwrap_or(&target).to_owned());
        let response = Response::builder().status(status).header("content-type", "application/json");
        std::future::ready(Ok(response.body(Bytes::from(body.to_string())).unwrap()))
    });
    (script.remote(), asked)
}

fn missing(error: &str) -> Value {
    json!({"status": 404, "error": error})
}

fn coded(error: &str, code: &str) -> Value {
    json!({"status": 404, "error": error, "code": code, "retryable": false})
}

fn place(code: &str) -> Value {
    json!({
        "code": code, "name_1": "Hoy", "name_1_lang": null, "name_2": null, "name_2_lang": null,
        "local_type": "Other Settlement", "outcode": "KW16", "county_unitary": "Orkney Islands",
        "county_unitary_type": "UnitaryAuthority", "district_borough": null, "district_borough_type": null,
        "region": "Scotland", "country": "Scotland", "longitude": -3.3333780047377455,
        "latitude": 58.91439529256908, "eastings": 323305, "northings": 1003776, "min_eastings": 321446,
        "min_northings": 1002774, "max_eastings": 324430, "max_northings": 1005279, "new_in_21": true,
    })
}

fn found(result: Value) -> Value {
    json!({"status": 200, "result": result})
}

#[tokio::test]
async fn a_place_or_none() {
    let (remote, asked) = server(200, found(place("osgb7")));
    let hoy = remote.place("OSGB7").await.unwrap().unwrap();
    assert_eq!((hoy.name_1.as_str(), hoy.max_northings), ("Hoy", Some(1_005_279)));
    assert_eq!(*asked.lock().unwrap(), ["/places/osgb7"]);
    // An invalid code is not sent, and can't lead to another route.
    for text in ["", "..", "a/b", "?q=1", "osgb 7", &"x".repeat(33)] {
        assert_eq!(remote.place(text).await.unwrap(), None, "{text}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert_eq!(remote.place(&"x".repeat(257)).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(
        remote.place("osgb8").await.unwrap_err().kind(),
        ErrorKind::Protocol,
        "the answer is another place"
    );
    for body in [missing("Place not found"), coded("Place not found", "place_not_found")] {
        assert_eq!(server(404, body).0.place("osgb7").await.unwrap(), None);
    }
    let elsewhere = server(404, missing("Resource not found")).0;
    assert_eq!(elsewhere.place("osgb7").await.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn places_in_the_order_of_the_server() {
    let (remote, asked) = server(200, found(json!([place("osgb9"), place("osgb7")])));
    let codes: Vec<_> = remote.places("hoy & more?", 2).await.unwrap().into_iter().map(|p| p.code).collect();
    assert_eq!(codes, ["osgb9", "osgb7"]);
    assert_eq!(asked.lock().unwrap().pop().as_deref(), Some("/places?q=hoy+%26+more%3F&limit=2"));
    assert_eq!(remote.places("hoy", 1).await.unwrap_err().kind(), ErrorKind::Protocol, "more than asked for");
    assert_eq!(remote.places("hoy", 0).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let (remote, asked) = server(200, found(json!([])));
    assert_eq!(remote.places("", 10).await.unwrap(), []);
    // An empty text would be refused.
    assert_eq!(*asked.lock().unwrap(), ["/places?q=+&limit=10"]);
}

#[tokio::test]
async fn a_random_place() {
    let (remote, asked) = server(200, found(place("osgb7")));
    assert_eq!(remote.random_place().await.unwrap().unwrap().code, "osgb7");
    assert_eq!(*asked.lock().unwrap(), ["/random/places"]);
    assert_eq!(server(200, found(Value::Null)).0.random_place().await.unwrap(), None);
}

#[tokio::test]
async fn a_server_without_places_does_not_support_them() {
    let body = json!({"status": 501, "error": "no places: import them", "code": "not_supported"});
    let remote = server(501, body).0;
    for error in [
        remote.place("osgb7").await.unwrap_err(),
        remote.places("hoy", 1).await.unwrap_err(),
        remote.random_place().await.unwrap_err(),
        remote.scottish_postcode(postcode("G2 8AE")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(!error.is_transient() && error.to_string().contains("import them"), "{error}");
    }
}

#[tokio::test]
async fn a_scottish_postcode_or_none() {
    let entry = json!({
        "postcode": "G13 3AE",
        "scottish_parliamentary_constituency": "Glasgow Anniesland",
        "codes": {"scottish_parliamentary_constituency": "S16000115"},
    });
    let (remote, asked) = server(200, found(entry));
    let entry = remote.scottish_postcode(postcode("G13 3AE")).await.unwrap().unwrap();
    assert_eq!(entry.scottish_parliamentary_constituency.as_deref(), Some("Glasgow Anniesland"));
    assert_eq!(*asked.lock().unwrap(), ["/scotland/postcodes/G133AE?extended=true"]);
    let other = remote.scottish_postcode(postcode("G2 8AE")).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Protocol);
    for body in [
        missing("Postcode not found"),
        missing("Postcode exists in ONSPD but not in SPD"),
        missing("Invalid postcode"),
        coded("Postcode not found", "postcode_not_found"),
        coded("Postcode not found", "not_covered"),
        coded("Postcode exists in ONSPD but not in SPD", "not_scottish"),
    ] {
        let remote = server(404, body.clone()).0;
        assert_eq!(remote.scottish_postcode(postcode("GIR 0AA")).await.unwrap(), None, "{body}");
    }
}

#[tokio::test]
async fn outcodes_around_an_outcode_or_a_point() {
    let summary = |outcode: &str| {
        json!({
            "outcode": outcode, "longitude": -2.1, "latitude": 57.1, "northings": 804_933, "eastings": 392_815,
            "admin_district": ["Aberdeen City"], "parish": [], "admin_county": [], "admin_ward": [],
            "country": ["Scotland"], "parliamentary_constituency": [],
        })
    };
    let (remote, asked) = server(200, found(json!([summary("AB10"), summary("AB11")])));
    let query = NearestOutcodes::to("AB10".parse::<postcode_core::Outcode>().unwrap());
    let outcodes = remote.nearest_outcodes(&query).await.unwrap().unwrap();
    assert_eq!(outcodes.iter().map(|it| it.outcode.to_string()).collect::<Vec<_>>(), ["AB10", "AB11"]);
    let near = NearestOutcodes::to(Location::new(57.15, -2.1).unwrap()).limit(2).radius(25_000.0);
    assert_eq!(remote.nearest_outcodes(&near).await.unwrap().unwrap().len(), 2);
    assert_eq!(
        *asked.lock().unwrap(),
        ["/outcodes/AB10/nearest?limit=10&radius=5000", "/outcodes?lon=-2.1&lat=57.15&limit=2&radius=25000"]
    );
    let refused = remote.nearest_outcodes(&near.radius(MAX_RADIUS * 1.01)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    // A server that does not send its edition is a postcodes.io server, which silently searches at
    // most 25 km.
    let refused = remote.nearest_outcodes(&near.radius(25_001.0).limit(3)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported);
    let error = remote.nearest_outcodes(&near.limit(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "more than asked for");

    let nothing = server(200, found(Value::Null)).0;
    assert_eq!(nothing.nearest_outcodes(&near).await.unwrap(), Some(vec![]));
    let no_location = json!({"status": 400, "error": "Invalid longitude/latitude submitted"});
    for (status, body) in [
        (404, missing("Outcode not found")),
        (404, coded("Outcode not found", "outcode_not_found")),
        (404, coded("Outcode not found", "not_covered")),
        (400, no_location.clone()),
        (400, json!({"status": 400, "error": "…", "code": "no_location"})),
    ] {
        let remote = server(status, body.clone()).0;
        assert_eq!(remote.nearest_outcodes(&query).await.unwrap(), None, "{body}");
    }
    // For a point the same message is a refusal.
    let refused = server(400, no_location).0.nearest_outcodes(&near).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}
