//! The API over a small dataset, in cases that the recordings do not have.

use crate::common::{api_over, get, post, send, small};

use axum::body::Body;
use http::Request;
use postcode_core::{Nearest, Postcode, PostcodeLookup};
use postcode_service::api::{Api, Edition, Limits};
use serde_json::json;

#[tokio::test]
async fn four_answers_are_told_apart() {
    let api = api_over(small()).await;
    let live = get(&api, "/postcodes/ab101ab").await;
    assert_eq!(live.status, 200);
    assert_eq!(live.json()["result"]["admin_district"], "Aberdeen City");
    assert_eq!(live.json()["result"].as_object().unwrap().len(), 42);

    let terminated = get(&api, "/postcodes/AB10AA").await;
    assert_eq!(terminated.status, 404);
    assert_eq!(terminated.json()["terminated"]["year_terminated"], 1996);
    assert_eq!(terminated.json()["code"], "postcode_not_found");
    assert_eq!(terminated.json()["retryable"], false);

    let unknown = get(&api, "/postcodes/ZZ11ZZ").await.json();
    assert_eq!((&unknown["error"], &unknown["terminated"]), (&json!("Postcode not found"), &json!(null)));

    let left_out = get(&api, "/postcodes/BT15GS").await;
    assert_eq!(left_out.status, 404);
    assert_eq!(left_out.json()["error"], "Postcode not found");
    assert_eq!(left_out.json()["code"], "not_covered");
    assert_eq!(left_out.json()["advice"], "load ONSPD");

    let invalid = get(&api, "/postcodes/GIR0AA").await.json();
    assert_eq!(
        (&invalid["error"], &invalid["code"]),
        (&json!("Invalid postcode"), &json!("invalid_postcode"))
    );
}

#[tokio::test]
async fn more_is_only_there_when_asked_for() {
    let api = api_over(small()).await;
    let record = get(&api, "/postcodes/AB101AB?extended=true").await.json();
    assert_eq!(record["result"]["status"], "live");
    let ended = get(&api, "/postcodes/AB10AA?extended=true").await.json();
    assert_eq!(ended["terminated"]["date_of_termination"], "199606");
    assert_eq!(ended["terminated"]["status"], "terminated");

    let body = r#"{"postcodes":["AB10 1AB","AB1 0AA","AB10 9ZZ","BT1 5GS","x"]}"#;
    let items = post(&api, "/postcodes?extended=true", "application/json", body).await.json();
    let statuses: Vec<_> = items["result"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert_eq!(statuses, ["live", "terminated", "unknown", "not_covered", "invalid"]);
    let items = post(&api, "/postcodes", "application/json", body).await.json();
    assert!(items["result"][1].get("status").is_none());
    assert_eq!(items["result"][1]["result"], json!(null));

    let nearest = get(&api, "/postcodes/AB10AA/nearest?extended=true&radius=20000").await.json();
    assert_eq!(nearest["result"][0]["postcode"], "AB10 1AB");
    assert_eq!(get(&api, "/postcodes/AB10AA/nearest?radius=20000").await.status, 404);
    let no_location = get(&api, "/postcodes/JE24WD/nearest").await;
    assert_eq!((no_location.status.as_u16(), &no_location.json()["code"]), (400, &json!("no_location")));

    let prefix = get(&api, "/postcodes/10/autocomplete?order=prefix").await.json();
    assert_eq!(prefix["result"], json!(null), "no postcode begins with 10");
    assert_eq!(get(&api, "/postcodes/10/autocomplete").await.json()["result"][0], "AB10 1AB");
}

#[tokio::test]
async fn records_and_answers_serialise_as_the_api_writes_them() {
    let (lookup, api) = (small(), api_over(small()).await);
    let text = |answer: crate::common::Answer| String::from_utf8(answer.body).unwrap();
    let queries = ["AB10 1AB", "AB1 0AA", "AB10 9ZZ", "BT1 5GS"];
    let postcodes: Vec<Postcode> = queries.iter().map(|query| query.parse().unwrap()).collect();
    let answers = lookup.lookup(&postcodes).await.unwrap();
    let record = serde_json::to_string(answers[0].record().unwrap()).unwrap();
    let one = text(get(&api, "/postcodes/AB101AB?extended=true").await);
    assert_eq!(one, format!(r#"{{"status":200,"result":{record}}}"#));

    let items: Vec<String> = std::iter::zip(queries, &answers)
        .map(|(query, answer)| {
            let answer = serde_json::to_string(answer).unwrap();
            format!(r#"{{"query":"{query}",{}"#, answer.strip_prefix('{').unwrap())
        })
        .collect();
    let body = json!({ "postcodes": queries }).to_string();
    let bulk = text(post(&api, "/postcodes?extended=true", "application/json", body).await);
    assert_eq!(bulk, format!(r#"{{"status":200,"result":[{}]}}"#, items.join(",")));

    let near = Nearest::to(postcodes[0]).radius(100.0);
    let neighbours = serde_json::to_string(&lookup.nearest(&near).await.unwrap()).unwrap();
    let nearest = text(get(&api, "/postcodes/AB101AB/nearest?extended=true&radius=100").await);
    assert_eq!(nearest, format!(r#"{{"status":200,"result":{neighbours}}}"#));
}

#[tokio::test]
async fn extended_answers_are_asked_for_in_any_spelling_and_take_no_units() {
    let api = api_over(small()).await;
    let due = get(&api, "/postcodes/AB101AB?extended=true").await.body;
    for spelling in ["True", "TRUE", "1", "yes"] {
        let answer = get(&api, &format!("/postcodes/AB101AB?extended={spelling}")).await;
        assert_eq!(answer.body, due, "{spelling}");
    }
    let near = |query: &str| format!("/postcodes/AB101AB/nearest?{query}");
    for query in ["radius=1km", "radius=0.5mi", "radius=1,500", "limit=5x", "limit=ten"] {
        assert_eq!(get(&api, &near(&format!("extended=true&{query}"))).await.status, 400, "{query}");
    }
    for query in ["radius=1000", "radius=1e3", "radius=%201000", "limit=5"] {
        assert_eq!(get(&api, &near(&format!("extended=true&{query}"))).await.status, 200, "{query}");
    }
    // postcodes.io reads the number in front.
    assert_eq!(get(&api, &near("radius=1km&limit=5x")).await.status, 200);
}

#[tokio::test]
async fn long_unknown_name_is_refused_without_a_suggestion() {
    let api = api_over(small()).await;
    let long = "admin_distric".repeat(1_000);
    for query in [format!("strict=true&{long}=1"), format!("strict=true&filter={long}")] {
        let refused = get(&api, &format!("/postcodes/AB101AB?{query}")).await;
        assert_eq!(refused.status, 400);
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(error.len() < 500 && !error.contains("did you mean"), "{error}");
    }
    let refused = get(&api, "/postcodes/AB101AB?strict=true&filter=admin_distric").await.json();
    assert!(refused["error"].as_str().unwrap().contains("did you mean \"admin_district\"?"), "{refused}");
}

#[tokio::test]
async fn extended_answer_about_a_postcode_of_no_area_says_what_may_be_meant() {
    let api = api_over(small()).await;
    let meant = "there is no postcode area C; did you mean CO1 1AA?";
    let answer = get(&api, "/postcodes/C011AA?extended=true").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["advice"]), (404, &json!(meant)));
    assert_eq!(get(&api, "/postcodes/C011AA").await.json().get("advice"), None);
    let verdict = get(&api, "/postcodes/C011AA/validate?extended=true").await.json();
    assert_eq!(
        verdict["result"],
        json!({ "valid": false, "status": "unknown", "postcode": "C01 1AA", "reason": meant })
    );
    assert_eq!(get(&api, "/postcodes/AB109ZZ?extended=true").await.json().get("advice"), None);
}

#[tokio::test]
async fn extended_description_of_the_data_has_the_coverage_and_source_of_each_field() {
    let api = Api::new(Edition::of_local(small()).await.unwrap(), Limits::default());
    assert_eq!(get(&api, "/dataset/info").await.json()["result"].get("fields"), None);
    let info = get(&api, "/dataset/info?extended=true").await.json();
    let fields = info["result"]["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|field| field["field"].as_str().unwrap()).collect();
    let columns: Vec<&str> =
        info["result"]["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, columns);
    let of = |name: &str| fields.iter().find(|field| field["field"] == name).unwrap();
    let sources = json!([{ "source": "made by hand", "date": null }]);
    let due = |field: &str, postcodes: u64, live: u64, share: f64| json!({ "field": field, "postcodes": postcodes, "live": live, "share_of_live": share, "sources": sources });
    assert_eq!(*of("status"), due("status", 5, 4, 1.0));
    assert_eq!(*of("eastings"), due("eastings", 3, 3, 0.75));
    assert_eq!(*of("latitude"), due("latitude", 4, 3, 0.75));
    assert_eq!(*of("date_of_termination"), due("date_of_termination", 1, 0, 0.0));
    assert_eq!(*of("codes.admin_district"), due("codes.admin_district", 3, 3, 0.75));
}

#[tokio::test]
async fn the_edition_is_the_etag() {
    let api = api_over(small()).await;
    let answer = get(&api, "/postcodes/AB101AB").await;
    let info = get(&api, "/dataset/info").await.json();
    assert_eq!(answer.header("postcode-edition"), info["result"]["fingerprint"]);
    let etag = answer.header("etag").to_owned();
    let conditional =
        |path: &str, tag: &str| Request::get(path).header("if-none-match", tag).body(Body::empty());
    let same = send(&api, conditional("/postcodes/AB101AB", &format!("\"x\", {etag}")).unwrap()).await;
    assert_eq!((same.status.as_u16(), same.body.len()), (304, 0));
    assert_eq!(send(&api, conditional("/postcodes/AB101AB", "\"x\"").unwrap()).await.status, 200);
    assert_eq!(send(&api, conditional("/postcodes/ZZ11ZZ", &etag).unwrap()).await.status, 404);
    assert_eq!(send(&api, conditional("/random/postcodes", "*").unwrap()).await.status, 200);
    assert_eq!(
        get(&api, "/postcodes/ZZ11ZZ").await.header("postcode-edition"),
        info["result"]["fingerprint"]
    );
}

#[tokio::test]
async fn request_that_demands_another_edition_is_412_and_says_which_there_is() {
    let api = api_over(small()).await;
    let edition = get(&api, "/dataset/info").await.header("postcode-edition").to_owned();
    let paths = ["/postcodes/AB101AB", "/postcodes/ZZ11ZZ", "/outcodes/AB10", "/dataset/info"];
    for path in paths {
        let demand =
            |edition: &str| Request::get(path).header("if-edition", edition).body(Body::empty()).unwrap();
        let plain = get(&api, path).await;
        assert_eq!(send(&api, demand(&edition)).await.status, plain.status, "{path}");
        let moved = send(&api, demand("another")).await;
        assert_eq!(moved.status, 412, "{path}");
        assert_eq!(moved.json()["code"], "edition_moved", "{path}");
        assert_eq!(moved.json()["retryable"], false, "{path}");
        assert_eq!(moved.header("postcode-edition"), edition, "{path}");
        assert!(moved.json().get("result").is_none());
    }
    let body = r#"{"postcodes":["AB10 1AB"]}"#;
    let bulk = Request::post("/postcodes").header("content-type", "application/json");
    let bulk = bulk.header("if-edition", "another").body(Body::from(body)).unwrap();
    assert_eq!(send(&api, bulk).await.status, 412);
    // Answers that don't depend on the data have no edition.
    for path in ["/ping", "/no/such/route"] {
        let demand = Request::get(path).header("if-edition", "another").body(Body::empty()).unwrap();
        assert_eq!(send(&api, demand).await.status, get(&api, path).await.status, "{path}");
    }
}

#[tokio::test]
async fn other_data_is_served_from_the_next_request_on() {
    let api = api_over(small()).await;
    let mut builder =
        postcode_core::dataset::DatasetBuilder::new(postcode_core::dataset::Metadata::new("other"));
    builder.push(&postcode_core::dataset::Row::live("ZE1 0AA".parse().unwrap())).unwrap();
    let other = postcode_core::Local::new(builder.build().unwrap());
    let before = get(&api, "/dataset/info").await.header("etag").to_owned();
    api.replace(postcode_service::api::Edition::of(std::sync::Arc::new(other)).await.unwrap());
    assert_eq!(get(&api, "/postcodes/ZE10AA").await.status, 200);
    assert_eq!(get(&api, "/postcodes/AB101AB").await.status, 404);
    assert_ne!(get(&api, "/dataset/info").await.header("etag"), before);
}

#[tokio::test]
async fn where_the_peer_answers_500_this_is_below() {
    let api = api_over(small()).await;
    for (path, status) in [
        ("/postcodes/%", 400),
        ("/postcodes/%FF", 400),
        ("/postcodes/AB101AB/nearest?limit=-1", 400),
        ("/postcodes?lon=Infinity&lat=0", 400),
        ("/postcodes?q=%00", 200),
        ("/postcodes?q=ZZ&filter=postcode", 200),
        ("/postcodes?lon=0&lat=0&filter=postcode&filter=quality", 200),
    ] {
        assert_eq!(get(&api, path).await.status, status, "{path}");
    }
    let body = r#"{"postcodes":["AB10 1AB"]}"#;
    for content_type in ["text/plain", "application/vnd.api+json", "application/json; charset=latin1"] {
        assert_eq!(post(&api, "/postcodes", content_type, body).await.status, 415, "{content_type}");
    }
    let large = format!(r#"{{"postcodes":[],"pad":"{}"}}"#, "x".repeat(102_400));
    let refused = post(&api, "/postcodes", "application/json", large).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (413, &json!("payload_too_large")));
    let filtered =
        post(&api, "/postcodes?filter=postcode&filter=quality", "application/json", body).await.json();
    assert_eq!(filtered["result"][0]["result"], json!({"postcode": "AB10 1AB", "quality": 1}));
}

#[tokio::test]
async fn a_batch_is_as_long_as_is_allowed() {
    let api = api_over(small()).await;
    let many = |n: usize| json!({ "postcodes": vec!["AB10 1AB"; n] }).to_string();
    let all = post(&api, "/postcodes", "application/json", many(100)).await.json();
    assert_eq!(all["result"].as_array().unwrap().len(), 100);
    let refused = post(&api, "/postcodes", "application/json", many(101)).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.json()["error"].as_str().unwrap().starts_with("Too many postcodes submitted. Up to 100 ")
    );
}

#[tokio::test]
async fn the_page_is_there_and_ready_can_be_taken_back() {
    let api = api_over(small()).await;
    let page = get(&api, "/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(String::from_utf8(page.body).unwrap().contains("UK postcode lookup"));
    assert_eq!(get(&api, "/READY/").await.json()["result"], "Ready");
    api.set_ready(false);
    assert_eq!(get(&api, "/ready").await.status, 503);
    assert_eq!(get(&api, "/ping").await.status, 200);
}
