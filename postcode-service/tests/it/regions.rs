//! The postcodes of a region over HTTP: shapes, areas, pages, lines, and errors.
#![allow(clippy::unwrap_used)] // In a test it is the failure.

use crate::common::{api_over, get, post, send};
use axum::body::Body;
use http::Request;
use postcode_core::conformance::Fixture;
use postcode_core::{Local, Lookups, PostcodeLookupExt, Region};
use postcode_service::api::{Api, Edition, Limits};
use serde_json::{Value, json};

fn local() -> Local {
    Local::new(Fixture::small().dataset().unwrap())
}

/// Returns the postcodes in an answer.
fn postcodes(body: &Value) -> Vec<String> {
    let list = body["result"].as_array().unwrap();
    list.iter().map(|item| item["postcode"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn circles_boxes_and_polygons_say_the_same_of_one_place() {
    let api = api_over(local()).await;
    let due = ["M1 1AD", "M1 1AE", "M1 2AB"];
    for path in [
        "/within?lon=-2.232&lat=53.48&radius=320",
        "/within?latitude=53.48&longitude=-2.232&radius=320",
        "/within?bbox=-2.235,53.479,-2.2289,53.4817",
        "/within?polygon=-2.235,53.479;-2.2289,53.479;-2.2289,53.4817;-2.235,53.4817",
    ] {
        let answer = get(&api, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(postcodes(&answer.json()), due, "{path}");
        assert_eq!(answer.json()["next"], json!(null));
        assert!(answer.header("etag").starts_with("W/"));
    }
    let ring = json!([[-2.235, 53.479], [-2.2289, 53.479], [-2.2289, 53.4817], [-2.235, 53.4817]]);
    for body in [json!({ "polygon": ring }), json!({ "type": "Polygon", "coordinates": [ring] })] {
        let answer = post(&api, "/within?filter=postcode", "application/json", body.to_string()).await;
        assert_eq!(answer.json()["result"], json!(due.map(|postcode| json!({ "postcode": postcode }))));
        assert_eq!(answer.header("etag"), "");
    }
}

#[tokio::test]
async fn areas_outcodes_and_sectors_are_found_by_name() {
    let api = api_over(local()).await;
    let manchester = ["M1 1AD", "M1 1AE", "M1 2AB", "M11 1AA", "M11 2AB", "M1A 1AA", "M2 1AA"];
    let mut sorted = manchester;
    sorted.sort_unstable();
    for (path, due) in [
        ("/areas/E08990001/postcodes", sorted.as_slice()),
        ("/areas/e08990001/postcodes?kind=admin_district", sorted.as_slice()),
        ("/AREAS/E05990002/Postcodes/", &["M11 1AA", "M11 2AB"]),
        ("/outcodes/m1/postcodes?extended=true", &["M1 1AD", "M1 1AE", "M1 2AB"]),
        ("/sectors/m1%201/postcodes", &["M1 1AD", "M1 1AE"]),
        ("/sectors/M11/postcodes", &["M1 1AD", "M1 1AE"]),
    ] {
        let mut found = postcodes(&get(&api, path).await.json());
        assert!(found.iter().all(|it| due.contains(&it.as_str())), "{path}: {found:?}");
        found.sort_unstable();
        assert_eq!(found, due, "{path}");
    }
    for (path, status, code) in [
        ("/areas/E08999999/postcodes", 404, "area_not_found"),
        ("/areas/E08990001/postcodes?kind=admin_ward", 404, "area_not_found"),
        ("/areas/W06990001/postcodes", 404, "area_not_found"),
        ("/areas/E08990001/postcodes?kind=district", 400, "invalid_input"),
        ("/outcodes/ZE1/postcodes?extended=true", 404, "outcode_not_found"),
        ("/outcodes/1/postcodes?extended=true", 404, "outcode_not_found"),
        ("/outcodes/BT1/postcodes?extended=true", 404, "not_covered"),
        ("/sectors/M19/postcodes", 404, "sector_not_found"),
        ("/sectors/BT11/postcodes", 404, "not_covered"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let api = api_over(local()).await;
    let mut all = Vec::new();
    let mut path = "/outcodes/LS9/postcodes?extended=true&limit=40&filter=postcode".to_owned();
    let mut pages = 0;
    loop {
        let answer = get(&api, &path).await.json();
        all.extend(postcodes(&answer));
        pages += 1;
        let Some(next) = answer["next"].as_str() else { break };
        let cursor = next.replace(' ', "%20");
        path = format!("/outcodes/LS9/postcodes?extended=true&limit=40&filter=postcode&cursor={cursor}");
    }
    assert_eq!((pages, all.len()), (4, 130));
    assert!(all.is_sorted());
    // Beyond the end is nothing, and no error.
    let end = get(&api, "/outcodes/LS9/postcodes?extended=true&cursor=ZE10AA").await;
    assert_eq!((end.status.as_u16(), end.json()), (200, json!({"status": 200, "result": [], "next": null})));
}

#[tokio::test]
async fn lines_are_the_whole_region() {
    let api = api_over(local()).await;
    let lines = async |path: &str, accept: &str| {
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        send(&api, request).await
    };
    let accept = "application/json;q=0.5, application/x-ndjson";
    let answer = lines("/areas/E92000001/postcodes?extended=true", accept).await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("vary"), "accept");
    let records: Vec<Value> = answer
        .body
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let local = local();
    let mut due = Vec::new();
    let mut pages = local.pages(Region::area("E92000001"));
    while let Some(records) = pages.next().await.unwrap() {
        due.extend(records.into_iter().map(|record| record.postcode.to_string()));
    }
    assert_eq!(records.iter().map(|it| it["postcode"].as_str().unwrap()).collect::<Vec<_>>(), due);
    assert_eq!(records[0]["status"], "live");
    assert_eq!(
        lines("/areas/E92000001/postcodes?limit=3", accept)
            .await
            .body
            .iter()
            .filter(|b| **b == b'\n')
            .count(),
        3
    );
    assert_eq!(lines("/areas/E92999999/postcodes", accept).await.status, 404);
    assert_eq!(lines("/within?lon=0&lat=0&radius=10", accept).await.body, b"");
    assert_eq!(
        lines("/areas/E92000001/postcodes", "application/json").await.header("content-type"),
        "application/json; charset=utf-8"
    );

    let lookup: std::sync::Arc<dyn Lookups> = std::sync::Arc::new(local);
    let none = Api::new(Edition::of(lookup).await.unwrap(), Limits { max_downloads: 0, ..Limits::default() });
    let request = Request::get("/outcodes/LS9/postcodes?extended=true")
        .header("accept", accept)
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(&none, request).await.status, 503);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_does() {
    let api = api_over(local()).await;
    for (path, word) in [
        ("/within", "either lon, lat and radius"),
        ("/within?lon=-2.2&lat=53.4", "radius"),
        ("/within?lon=-2.2&lat=53.4&radius=x", "radius"),
        ("/within?lon=-2.2&lat=53.4&radius=NaN", "radius"),
        ("/within?lon=-2.2&lat=53.4&radius=-5", "radius"),
        ("/within?lon=-2.2&lat=53.4&radius=3000000", "2000000 m far"),
        ("/within?lon=west&lat=53.4&radius=5", "lon"),
        ("/within?lon=-2.2&lat=93.4&radius=5", "latitude 93.4"),
        ("/within?lon=-2.2&lat=53.4&radius=5&bbox=1,2,3,4", "either"),
        ("/within?bbox=1,2,3", "west,south,east,north"),
        ("/within?bbox=1,52,0,51", "south before the north"),
        ("/within?polygon=1,2;3", "lon,lat of each corner"),
        ("/within?polygon=1,2;3,4", "2 corners"),
        ("/outcodes/M1/postcodes?extended=true&limit=0", "1 to 1000"),
        ("/outcodes/M1/postcodes?extended=true&limit=1001", "1 to 1000"),
        ("/outcodes/M1/postcodes?extended=true&cursor=here", "cursor"),
        ("/areas/E0899000100000000000000000000000000000000/postcodes", "at most 32"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!(answer.status, 400, "{path}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(word), "{path}: {error}");
    }
    let corners: Vec<[f64; 2]> = (0..1_001).map(|n| [f64::from(n) / 100.0, 50.0]).collect();
    for (body, word) in [
        (json!({}), "polygon"),
        (json!({"polygon": [[0, 51], [1, 52]]}), "2 corners"),
        (json!({"polygon": [[0, 51], [1, 52], [1]]}), "polygon"),
        (json!({"polygon": [[0, 51], [1, 52], ["1", "51"]]}), "polygon"),
        (json!({"polygon": [[0, 51], [1, 52], [1, 152]]}), "corner 3 of the polygon: latitude 152"),
        (json!({"polygon": corners}), "1001 corners"),
        (json!({"type": "Polygon", "coordinates": [[[0, 51], [1, 52], [1, 51]], []]}), "ring of 0 corners"),
        (json!({"type": "Polygon", "coordinates": []}), "no ring"),
        (json!({"type": "MultiPolygon", "coordinates": []}), "no polygon"),
        (
            json!({"type": "MultiPolygon", "coordinates": [[&corners[..501]], [&corners[..501]]]}),
            "1002 corners",
        ),
        (json!({"type": "Point", "coordinates": [0, 51]}), "this is \"Point\""),
        (json!({"type": "Feature", "geometry": null}), "this is \"no type\""),
        (json!({"type": "FeatureCollection", "features": []}), "no polygon"),
        (
            json!({"type": "Feature", "geometry": {"type": "Feature", "geometry": {"type": "Feature", "geometry":
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}}}}}),
            "nested too deeply",
        ),
    ] {
        let answer = post(&api, "/within", "application/json", body.to_string()).await;
        assert_eq!(answer.status, 400);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn geojson_of_each_kind_is_read() {
    let api = api_over(local()).await;
    let ask = async |kind: &str, body: &Value| {
        let answer = post(&api, "/within?limit=1000", kind, body.to_string()).await;
        assert_eq!(answer.status, 200, "{body}");
        let mut found = postcodes(&answer.json());
        found.sort_unstable();
        found
    };
    let all = json!([[-2.3, 53.4], [-2.1, 53.4], [-2.1, 53.6], [-2.3, 53.6], [-2.3, 53.4]]);
    let polygon = json!({"type": "Polygon", "coordinates": [all]});
    let due = ask("application/json", &json!({ "polygon": all })).await;
    assert!(due.len() > 3, "{due:?}");
    let high: Vec<Value> =
        all.as_array().unwrap().iter().map(|corner| json!([corner[0], corner[1], 12.5])).collect();
    let leeds =
        json!({"type": "Polygon", "coordinates": [[[-1.6, 53.7], [-1.4, 53.7], [-1.4, 53.9], [-1.6, 53.9]]]});
    for body in [
        polygon.clone(),
        json!({"type": "Polygon", "coordinates": [high]}),
        json!({"type": "MultiPolygon", "coordinates": [[all]]}),
        json!({"type": "Feature", "properties": {"name": "Manchester"}, "geometry": polygon}),
        json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": null, "geometry": polygon}]}),
        json!({"type": "GeometryCollection", "geometries": [polygon]}),
        // Overlapping polygons count once.
        json!({"type": "MultiPolygon", "coordinates": [[all], [all]]}),
    ] {
        assert_eq!(ask("application/geo+json", &body).await, due, "{body}");
    }
    // Both of two polygons, and nothing of a hole.
    let both = json!({"type": "MultiPolygon", "coordinates": [polygon["coordinates"], leeds["coordinates"]]});
    let in_leeds = ask("application/json", &leeds).await;
    assert!(!in_leeds.is_empty());
    assert_eq!(ask("application/geo+json; charset=utf-8", &both).await.len(), due.len() + in_leeds.len());
    let hole = json!({"type": "Polygon", "coordinates": [all, all]});
    assert!(ask("application/json", &hole).await.len() < due.len());
    let outside = json!([[-3.0, 53.0], [-1.0, 53.0], [-1.0, 54.0], [-3.0, 54.0]]);
    let without = ask("application/json", &json!({"type": "Polygon", "coordinates": [outside, all]})).await;
    assert!(without.iter().all(|found| !due.contains(found)) && !without.is_empty());
    // The media type of GeoJSON is for regions only.
    let texts = json!({"postcodes": ["M1 1AE"]}).to_string();
    assert_eq!(post(&api, "/postcodes", "application/geo+json", texts).await.status, 415);
}

#[tokio::test]
async fn exchanged_axes_get_advice() {
    let api = api_over(local()).await;
    let body = json!({"polygon": [[53.4, -2.3], [53.6, -2.3], [53.5, -2.1]]}).to_string();
    let posted = post(&api, "/within", "application/json", body).await.json();
    for answer in [posted, get(&api, "/within?bbox=51.49,-0.15,51.51,-0.12").await.json()] {
        assert_eq!((&answer["status"], &answer["result"]), (&json!(200), &json!([])));
        assert!(answer["advice"].as_str().unwrap().contains("exchanged"), "{answer}");
    }
    for path in ["/within?bbox=-0.15,51.49,-0.12,51.51", "/within?bbox=0,0,1,1"] {
        assert!(get(&api, path).await.json().get("advice").is_none());
    }
}

#[tokio::test]
async fn the_operator_sets_the_limits() {
    let limits = Limits { max_radius: 5_000.0, max_nearest: 20, max_page: 10, ..Limits::default() };
    let lookup: std::sync::Arc<dyn Lookups> = std::sync::Arc::new(local());
    let small = Api::new(Edition::of(lookup).await.unwrap(), limits);
    let large = api_over(local()).await;
    let near = "/postcodes/LS90AA/nearest?extended=true&filter=postcode";
    for (api, query, due) in [
        (&large, "limit=130&radius=2000000", Ok(130)),
        (&large, "limit=1001", Err("1000 at most")),
        (&large, "radius=2000001", Err("2000000 m")),
        (&small, "limit=20&radius=5000", Ok(20)),
        (&small, "limit=21", Err("20 at most")),
        (&small, "radius=5001", Err("5000 m")),
        (&small, "radius=Infinity", Err("5000 m")),
    ] {
        let answer = get(api, &format!("{near}&{query}")).await;
        match due {
            Ok(count) => assert_eq!(answer.json()["result"].as_array().unwrap().len(), count, "{query}"),
            Err(word) => {
                assert_eq!(answer.status, 400, "{query}");
                assert!(answer.json()["error"].as_str().unwrap().contains(word), "{query}");
            }
        }
    }
    // As at postcodes.io: at most a hundred, without an error.
    let answer = get(&large, "/postcodes/LS90AA/nearest?limit=130&radius=2000").await;
    assert_eq!(answer.json()["result"].as_array().unwrap().len(), 100);
    assert_eq!(get(&small, "/within?lon=-1.5&lat=53.8&radius=5001").await.status, 400);
    assert_eq!(
        get(&small, "/outcodes/LS9/postcodes?extended=true").await.json()["result"].as_array().unwrap().len(),
        10
    );
    let far = get(&large, "/outcodes/M1/nearest?radius=60000&extended=true&limit=100").await.json();
    let near = get(&large, "/outcodes/M1/nearest?radius=60000&limit=100").await.json();
    let has_leeds = |body: &Value| body["result"].as_array().unwrap().iter().any(|it| it["outcode"] == "LS9");
    assert!(has_leeds(&far) && !has_leeds(&near));
}
