//! Places, Scotland and outcodes around something, over HTTP.
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use std::sync::Arc;

use crate::common::{api_over, get, small};
use postcode_core::conformance::{Fixture, check};
use postcode_core::{ErrorKind, Local, PostcodeLookup, connect};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::server::{Address, Frontend, Listener, Options, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_client_and_the_server_together_keep_the_contract() {
    let fixture = Fixture::small();
    let lookup = Arc::new(Local::new(fixture.dataset().unwrap()));
    let options = Options::default();
    let api = Api::new(Edition::of(lookup).await.unwrap(), Limits::default());
    let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).await.unwrap();
    let url = format!("{}?timeout=60s&deadline=60s", listener.url().unwrap());
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    let remote = connect(&url).await.unwrap();
    check(&remote, &fixture).await.assert_complete();
}

#[tokio::test]
async fn places_by_name_and_by_code() {
    let api = api_over(Local::new(Fixture::small().dataset().unwrap())).await;
    let names = async |path: &str| -> Vec<String> {
        let found = get(&api, path).await.json();
        let name = |place: &serde_json::Value| place["name_1"].as_str().unwrap().to_owned();
        found["result"].as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!(names("/places?q=newport&limit=2").await, ["Newport", "Newport"]);
    assert_eq!(names("/places?q=newport&l=1").await, ["Newport"]);
    assert_eq!(names("/PLACES/?q=goch").await, Vec::<String>::new());
    assert_eq!(names("/places?q=newport&query=dre+goch").await, ["Dre-gôch"]);
    assert_eq!(names(&format!("/places?q={}", "x".repeat(300))).await, Vec::<String>::new());
    let place = get(&api, "/places/OSGB1006").await;
    assert_eq!((place.status.as_u16(), place.json()["result"]["outcode"].as_str()), (200, Some("LL16")));
    assert!(!place.header("etag").is_empty());
    let random = get(&api, "/random/places").await;
    assert!(random.json()["result"]["code"].is_string() && random.header("etag").is_empty());
    let missing = get(&api, &format!("/places/{}", "x".repeat(300))).await.json();
    assert_eq!(
        (missing["error"].as_str(), missing["code"].as_str()),
        (Some("Place not found"), Some("place_not_found"))
    );
    let wrapped = get(&api, "/places/osgb1006?callback=f").await;
    assert!(String::from_utf8_lossy(&wrapped.body).starts_with("/**/ typeof f === 'function' && f({"));
}

#[tokio::test]
async fn places_by_what_is_typed_and_their_postcodes() {
    let api = api_over(Local::new(Fixture::small().dataset().unwrap())).await;
    let found = async |path: &str| -> Vec<String> {
        let found = get(&api, path).await.json();
        let of = |found: &serde_json::Value| {
            format!(
                "{} {} {}",
                found["match"].as_str().unwrap(),
                found["edits"],
                found["name"].as_str().unwrap()
            )
        };
        found["result"].as_array().unwrap_or_else(|| panic!("{found}")).iter().map(of).collect()
    };
    assert_eq!(found("/find/places?q=newport+p").await, ["beginning 0 Newport Pagnell"]);
    assert_eq!(found("/FIND/Places/?q=carnarvn&limit=1").await, ["similar 1 Carnarvon"]);
    assert_eq!(found("/find/places?q=drego").await, ["beginning 0 Dre-gôch"]);
    assert_eq!(
        found("/find/places?q=or&within=great+britain&type=unitary+authority").await,
        ["beginning 0 Orkney"]
    );
    assert_eq!(found("/find/places?q=newport&within=nowhere").await, Vec::<String>::new());
    assert_eq!(found("/find/places?q=%25").await, Vec::<String>::new());
    let place = get(&api, "/find/places?q=stron").await;
    assert_eq!(place.json()["result"][0]["place"]["local_type"], "Island");
    assert!(!place.header("etag").is_empty());
    // The compatible routes know nothing of islands and areas.
    assert_eq!(get(&api, "/places/osgb2002").await.status.as_u16(), 404);
    assert_eq!(get(&api, "/places?q=stronsay").await.json()["result"], serde_json::json!([]));

    let page = get(&api, "/places/OSGB1014/postcodes?limit=3&after=ls90bb").await.json();
    assert_eq!(
        page["result"],
        serde_json::json!({"total": 76, "outcodes": ["LS9"], "postcodes": ["LS9 0BD", "LS9 0BE", "LS9 0BF"]})
    );
    let missing = get(&api, "/places/osgb9/postcodes").await;
    assert_eq!((missing.status.as_u16(), missing.json()["code"].as_str()), (404, Some("place_not_found")));
    assert_eq!(get(&api, "/places/osgb2001/postcodes").await.status.as_u16(), 501, "an area has no box");
    for (path, said) in [
        ("/find/places", "No text to look for"),
        ("/find/places?q=x&limit=x", "limit=x: give a number"),
        ("/find/places?q=x&limit=0", "a limit of 0: give 1 to 100"),
        ("/find/places?q=x&limit=-1", "limit=-1: give a number"),
        ("/places/osgb1014/postcodes?limit=101", "a limit of 101"),
        ("/places/osgb1014/postcodes?after=x", "after=x: "),
        (&format!("/find/places?q={}", "x".repeat(257)), "a text of 257 bytes"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (400, &"invalid_input".into()),
            "{path}"
        );
        assert!(answer.json()["error"].as_str().unwrap().starts_with(said), "{path}: {}", answer.json());
    }
    let without = api_over(small()).await;
    for path in ["/find/places?q=x", "/places/osgb1/postcodes"] {
        assert_eq!(get(&without, path).await.status.as_u16(), 501, "{path}");
    }
}

#[tokio::test]
async fn data_without_places_says_what_to_do() {
    let api = api_over(small()).await;
    for path in ["/places?q=x", "/places/osgb1", "/random/places", "/scotland/postcodes/AB101AB"] {
        let answer = get(&api, path).await;
        assert_eq!(answer.status.as_u16(), 501, "{path}");
        let body = answer.json();
        assert_eq!(body["code"], "not_supported");
        assert!(body["error"].as_str().unwrap().contains("import"), "{body}");
    }
    // Bad input and unknown codes have different errors.
    assert_eq!(get(&api, "/places").await.status.as_u16(), 400);
    assert_eq!(get(&api, "/scotland/postcodes/x").await.status.as_u16(), 404);
    let lookup: &dyn PostcodeLookup = &small();
    assert_eq!(lookup.random_place().await.unwrap_err().kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn a_postcode_outside_of_scotland_is_told_from_none() {
    let api = api_over(Local::new(Fixture::small().dataset().unwrap())).await;
    for (postcode, error, code) in [
        ("M11AD", "Postcode exists in ONSPD but not in SPD", "not_scottish"),
        ("ZE10AA", "Postcode not found", "postcode_not_found"),
        ("AB10AA", "Postcode not found", "postcode_not_found"),
        ("BT11AA", "Postcode not found", "not_covered"),
        ("AB1", "Invalid postcode", "invalid_postcode"),
    ] {
        let answer = get(&api, &format!("/scotland/postcodes/{postcode}")).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), body["error"].as_str()), (404, Some(error)), "{postcode}");
        assert_eq!(body["code"], code, "{postcode}");
    }
    let answer = get(&api, "/scotland/postcodes/g2%208ae").await.json();
    assert_eq!(answer["result"]["codes"]["scottish_parliamentary_constituency"], serde_json::Value::Null);
    // The row of the directory only for those who ask for more than postcodes.io has.
    let constituency = serde_json::json!({"scottish_parliamentary_constituency": "S16990002"});
    let answer = get(&api, "/scotland/postcodes/EH13AA").await.json();
    assert_eq!((answer["result"].as_object().unwrap().len(), &answer["result"]["codes"]), (3, &constituency));
    let answer = get(&api, "/scotland/postcodes/EH13AA?extended=true").await.json();
    assert_eq!(answer["result"]["data_zone_2011"], "Calton Hill - 01");
    assert_eq!(answer["result"]["codes"]["scottish_parliamentary_region"], "S17990001");
    assert_eq!(answer["result"]["scottish_index_of_multiple_deprivation"], 4_972);
    assert_eq!(answer["result"].get("island"), None);
}

#[tokio::test]
async fn outcodes_around_an_outcode_or_a_point() {
    let api = api_over(Local::new(Fixture::small().dataset().unwrap())).await;
    let outcodes = async |path: &str| -> Option<Vec<String>> {
        let found = get(&api, path).await.json();
        let text = |outcode: &serde_json::Value| outcode["outcode"].as_str().unwrap().to_owned();
        found["result"].as_array().map(|found| found.iter().map(text).collect())
    };
    assert_eq!(outcodes("/outcodes/m1/nearest?limit=2").await.unwrap()[0], "M1");
    assert_eq!(outcodes("/outcodes?lon=-1.519&lat=53.8").await.unwrap(), ["LS9"]);
    assert_eq!(outcodes("/outcodes?lon=0&lat=0").await, None);
    let status = async |path: &str| get(&api, path).await.status.as_u16();
    assert_eq!(status("/outcodes/JE2/nearest").await, 400);
    assert_eq!(status("/outcodes/ZZ1/nearest").await, 404);
    assert_eq!(status("/outcodes").await, 400);
}
