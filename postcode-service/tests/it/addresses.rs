//! Addresses over HTTP: the house routes, those of Ideal Postcodes, and the client of both.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use postcode_addresses::elements::Elements;
use postcode_addresses::file::{AddressFile, AddressWriter, Metadata};
use postcode_addresses::lookup::conformance::{self, suite};
use postcode_addresses::{Address as PostalAddress, AddressLookup, Dataset, connect_addresses};
use postcode_core::{ErrorKind, Local};
use postcode_service::api::Api;
use postcode_service::server::{Address, Frontend, Listener, Options, run};
use serde_json::{Value, json};

use crate::common::{api_over, get, post, program, send, small};
use crate::program::{Server, dataset};

async fn api() -> Api {
    let api = api_over(Local::new(conformance::postcodes().unwrap())).await;
    api.serve_addresses(conformance::file().unwrap());
    api
}

#[tokio::test(flavor = "multi_thread")]
async fn client_and_server_together_keep_the_contract() {
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).await.unwrap();
    let url = format!("{}?timeout=60s&deadline=60s", listener.url().unwrap());
    tokio::spawn(run(
        listener,
        Arc::new(Frontend::new(api().await, &options)),
        options,
        std::future::pending(),
    ));
    let remote = connect_addresses(&url, None).unwrap();
    assert_eq!(suite(&*remote).await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_addresses_says_that_it_has_none() {
    let options = Options::default();
    let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).await.unwrap();
    let url = listener.url().unwrap();
    let api = api_over(small()).await;
    let answer = get(&api, "/postcodes/ZE99AA/addresses").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (501, &json!("not_supported")));
    tokio::spawn(run(listener, Arc::new(Frontend::new(api, &options)), options, std::future::pending()));
    let remote = connect_addresses(&url, None).unwrap();
    let error = remote.addresses(&["ZE9 9AA".parse().unwrap()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert_eq!(remote.address_coverage().await.unwrap_err().kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn addresses_without_tokens_are_for_pages_of_listed_origins_only() {
    let asked = async |api: &Api, path: &str, origin: &str| {
        let request = Request::get(path).header("origin", origin).body(Body::empty()).unwrap();
        let answer = send(api, request).await;
        let header = |name: &str| answer.header(name).to_owned();
        (header("access-control-allow-origin"), header("vary").contains("Origin"))
    };
    let open = api().await;
    let (shop, any) = (api().await, api().await);
    shop.let_pages_read_addresses(vec!["https://shop.example".parse().unwrap()]);
    any.let_pages_read_addresses(vec!["*".parse().unwrap()]);
    for path in ["/postcodes/ZE99AA/addresses", "/addresses/info", "/v1/postcodes/ZE99AA", "/addresses/x/1"] {
        assert_eq!(asked(&open, path, "https://shop.example").await, (String::new(), true), "{path}");
        assert_eq!(asked(&shop, path, "https://evil.example").await, (String::new(), true), "{path}");
        let allowed = ("https://shop.example".to_owned(), true);
        assert_eq!(asked(&shop, path, "https://shop.example").await, allowed, "{path}");
        assert_eq!(asked(&any, path, "https://evil.example").await.0, "*", "{path}");
    }
    // Postcodes are open data.
    assert_eq!(asked(&open, "/postcodes/ZE99AA", "https://evil.example").await.0, "*");
}

#[tokio::test]
async fn bulk_lookup_of_addresses_pauses_after_each_postcode() {
    let api = api().await;
    let body = json!({ "postcodes": vec!["ZE9 9AA"; 100] }).to_string();
    let request = Request::post("/addresses").header("content-type", "application/json");
    let mut answer = std::pin::pin!(api.call(request.body(Body::from(body)).unwrap()));
    let mut polls = 0;
    let answer = std::future::poll_fn(|cx| {
        polls += 1;
        answer.as_mut().poll(cx)
    })
    .await;
    assert_eq!(answer.status().as_u16(), 200);
    assert!(polls > 200, "{polls}: once for looking up and once for writing");
}

#[tokio::test]
async fn addresses_of_a_postcode_come_with_attribution_and_are_not_kept() {
    let api = api().await;
    let answer = get(&api, "/postcodes/ze99aa/addresses?limit=2&skip=6").await;
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!((&body["result"]["status"], &body["result"]["total"]), (&json!("found"), &json!(12)));
    assert_eq!(body["attribution"], "Invented by the tests");
    let first = &body["result"]["addresses"][0];
    assert_eq!((&first["udprn"], &first["organisation_name"]), (&json!(1007), &json!("Example Bakery Ltd")));
    assert_eq!(first["lines"], json!(["Example Bakery Ltd", "7 Ash Road"]));
    assert_eq!(body["result"]["addresses"].as_array().unwrap().len(), 2);
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("private, no-store", ""));
    assert_eq!(answer.header("postcode-edition").len(), 32);
    for (path, status, code) in [
        ("/postcodes/ZE9%209ZZ/addresses", 404, "postcode_not_found"),
        ("/postcodes/AB1%200AA/addresses", 404, "not_covered"),
        ("/postcodes/nonsense/addresses", 404, "invalid_postcode"),
        ("/postcodes/ZE99AA/addresses?limit=0", 400, "invalid_input"),
        ("/postcodes/ZE99AA/addresses?limit=101", 400, "invalid_input"),
        ("/addresses/udprn/999", 404, "address_not_found"),
        ("/addresses/udprn/123456789", 400, "invalid_input"),
        ("/addresses/other/1", 400, "invalid_input"),
        ("/addresses/nearest", 400, "invalid_input"),
        ("/addresses/nearest?lon=1&lat=51&radius=2001", 400, "invalid_input"),
        ("/addresses/within?outcode=AB99", 404, "area_not_found"),
        ("/addresses/within?outcode=ZE9&sector=ZE9%209", 400, "invalid_input"),
    ] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)), "{path}");
    }
    let bare = get(&api, "/postcodes/ZE99AE/addresses").await.json();
    assert_eq!(
        (&bare["result"]["status"], &bare["result"]["addresses"]),
        (&json!("no_addresses"), &json!([]))
    );
}

#[tokio::test]
async fn many_postcodes_and_numbers_are_answered_in_their_order() {
    let api = api().await;
    let ask = async |body: Value| post(&api, "/addresses", "application/json", body.to_string()).await;
    let body = ask(json!({ "postcodes": ["ZE9 9AE", "rubbish", "ZE9 9AA"], "limit": 1 })).await.json();
    let statuses: Vec<&Value> =
        body["result"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert_eq!(statuses, ["no_addresses", "invalid", "found"]);
    assert_eq!(body["result"][2]["addresses"].as_array().unwrap().len(), 1);
    assert_eq!(body["result"][2]["total"], 12);
    let body = ask(json!({ "numbers": ["udprn:1003", "uprn:1", "UMPRN:60000001"] })).await.json();
    assert_eq!(body["result"][0]["addresses"][0]["building_number"], "3");
    assert_eq!(body["result"][1]["addresses"], json!([]));
    assert_eq!(body["result"][2]["addresses"][0]["sub_building_name"], "Room 1");
    for wrong in [
        json!({}),
        json!({ "postcodes": "ZE9 9AA" }),
        json!({ "postcodes": [1] }),
        json!({ "postcodes": vec!["ZE9 9AA"; 101] }),
        json!({ "postcodes": ["ZE9 9AA"], "numbers": ["udprn:1"] }),
        json!({ "numbers": ["1003"] }),
        json!({ "postcodes": ["ZE9 9AA", "ZE9 9AD"], "skip": 1 }),
    ] {
        assert_eq!(ask(wrong.clone()).await.status.as_u16(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn addresses_of_a_region_come_in_pages_of_postcodes() {
    let api = api().await;
    let mut path = "/addresses/within?outcode=ZE9&limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let body = get(&api, &path).await.json();
        for item in body["result"].as_array().unwrap() {
            seen.push((item["query"].as_str().unwrap().to_owned(), item["total"].as_u64().unwrap()));
        }
        let Some(next) = body["next"].as_str() else { break };
        path = format!("/addresses/within?outcode=ZE9&limit=1&cursor={}", next.replace(' ', "%20"));
    }
    let seen: Vec<(&str, u64)> = seen.iter().map(|(query, total)| (&**query, *total)).collect();
    assert_eq!(seen, [("ZE9 9AA", 12), ("ZE9 9AD", 151), ("ZE9 9AE", 0)]);
    let streets = get(&api, "/outcodes/ze9/streets?limit=2&skip=1").await.json();
    assert_eq!((&streets["result"]["status"], &streets["result"]["total"]), (&json!("found"), &json!(3)));
    assert_eq!(streets["result"]["addresses"][1]["thoroughfare"], "Oak Road");
    assert_eq!(streets["result"]["addresses"][1]["dataset"], "open-roads");
    let none = get(&api, "/outcodes/AB1/streets").await.json();
    assert_eq!(
        (&none["result"]["status"], &none["result"]["addresses"]),
        (&json!("not_covered"), &json!([]))
    );
    assert_eq!(get(&api, "/outcodes/nonsense/streets").await.status, 404);
    let near = get(&api, "/addresses/nearest?lon=-1.2&lat=60.1&limit=3").await.json();
    assert_eq!(near["result"].as_array().unwrap().len(), 3);
}

/// Elements that Ideal Postcodes takes from the address file, and those that are made of them.
const OF_THE_FILE: &[&str] = &[
    "postcode",
    "postcode_inward",
    "postcode_outward",
    "post_town",
    "dependant_locality",
    "double_dependant_locality",
    "thoroughfare",
    "dependant_thoroughfare",
    "building_number",
    "building_name",
    "sub_building_name",
    "po_box",
    "department_name",
    "organisation_name",
    "udprn",
    "umprn",
    "uprn",
    "postcode_type",
    "su_organisation_indicator",
    "delivery_point_suffix",
    "line_1",
    "line_2",
    "line_3",
    "premise",
];

fn imported(records: &[Value]) -> AddressFile {
    let mut writer = AddressWriter::new(Cursor::new(Vec::new()), Metadata::new("recorded")).unwrap();
    for record in records {
        let elements: Elements = serde_json::from_value(record.clone()).unwrap();
        let mut address = PostalAddress::try_from(elements).unwrap();
        if address.umprn.is_some() {
            address.dataset = Dataset::MultipleResidence;
        }
        writer.push(&address).unwrap();
    }
    AddressFile::from_bytes(writer.finish().unwrap().0.into_inner()).unwrap()
}

fn trimmed(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| text.trim().into())
}

fn compare(ours: &Value, recorded: &Value) {
    for (key, value) in recorded.as_object().unwrap() {
        let found = ours.get(key).unwrap_or_else(|| panic!("{key} is missing"));
        if OF_THE_FILE.contains(&key.as_str()) {
            assert_eq!(trimmed(found), trimmed(value), "{key} of {}", recorded["postcode"]);
        } else {
            // Places are those of the day of the recording, and of more data than ours.
            assert!(found.is_string() || found.is_number(), "{key}: {found}");
        }
    }
    for key in ["id", "dataset", "language", "country_iso", "country_iso_2", "county_code", "uprn"] {
        assert!(ours[key].is_string(), "{key}");
    }
}

#[tokio::test]
async fn routes_of_ideal_postcodes_answer_as_recorded() {
    let mut compared = 0;
    for name in [
        "2000-postcodes",
        "2000-postcodes-mr",
        "2000-umprn",
        "england",
        "scotland",
        "wales",
        "northern_ireland",
        "guernsey",
        "isle_of_man",
    ] {
        let path = format!("cases/addresses/api/{name}.json");
        let Some(path) = postcode_testing::shared(&path) else { return };
        let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let body = &recorded["body"];
        let records: Vec<Value> = match &body["result"] {
            Value::Array(records) => records.clone(),
            Value::Object(_) => vec![body["result"].clone()],
            _ => vec![body.clone()],
        };
        let api = api_over(small()).await;
        api.serve_addresses(imported(&records));
        let postcode = records[0]["postcode"].as_str().unwrap().replace(' ', "");
        let url = match recorded["request"]["url"].as_str() {
            Some(url) => format!("{url}?api_key=ak_test"),
            None => format!("/v1/postcodes/{postcode}"),
        };
        let answer = get(&api, &url).await;
        let ours = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &ours["code"], &ours["message"]),
            (200, &json!(2000), &json!("Success"))
        );
        let results = match &ours["result"] {
            Value::Array(results) => results.clone(),
            one => vec![one.clone()],
        };
        assert_eq!(results.len(), records.len(), "{name}");
        for (ours, recorded) in results.iter().zip(&records) {
            compare(ours, recorded);
            compared += 1;
        }
        if body["result"].is_array() {
            assert_eq!((&ours["page"], &ours["limit"]), (&body["page"], &body["limit"]));
            assert_eq!(ours["total"], records.len());
        }
    }
    assert_eq!(compared, 1 + 100 + 1 + 6);
}

#[tokio::test]
async fn premise_and_lines_of_ideal_postcodes_are_of_one_style() {
    for (elements, line_1, premise) in [
        (json!({"po_box": "7A"}), "PO Box 7A", "PO Box 7A"),
        (json!({"po_box": "7", "building_number": 12, "thoroughfare": "Ash Road"}), "PO Box 7", "PO Box 7"),
        (json!({"building_name": "Ash Court B", "thoroughfare": "Ash Road"}), "Ash Court", "Ash Court, B"),
    ] {
        let mut elements = elements;
        elements["postcode"] = "ZE2 9FD".into();
        elements["post_town"] = "LERWICK".into();
        elements["udprn"] = 1.into();
        let api = api_over(small()).await;
        api.serve_addresses(imported(&[elements]));
        let address = &get(&api, "/v1/udprn/1").await.json()["result"];
        assert_eq!((&address["line_1"], &address["premise"]), (&json!(line_1), &json!(premise)));
    }
}

#[tokio::test]
async fn what_ideal_postcodes_does_not_find_has_its_codes() {
    let api = api().await;
    let answer = get(&api, "/v1/postcodes/FOO").await;
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["code"]), (404, &json!(4040)));
    assert_eq!((&body["message"], &body["suggestions"]), (&json!("Postcode Not Found"), &json!([])));
    let near = get(&api, "/v1/postcodes/ZE99AB").await.json();
    assert_eq!(near["suggestions"], json!(["ZE9 9AA", "ZE9 9AD"]));
    for (path, code, message) in [
        ("/v1/udprn/1", 4044, "No UDPRN found"),
        ("/v1/udprn/60000001", 4044, "No UDPRN found"),
        ("/v1/udprn/x", 4044, "No UDPRN found"),
        ("/v1/umprn/1", 4046, "No UMPRN found"),
    ] {
        let answer = get(&api, path).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), &body["code"]), (404, &json!(code)), "{path}");
        assert_eq!(body["message"], message, "{path}");
    }
    let key = get(&api, "/v1/keys/ak_test").await.json();
    assert_eq!((&key["result"]["available"], &key["result"]["context"]), (&json!(true), &json!("GBR")));
    let second = get(&api, "/v1/postcodes/ze9%209ad?page=1&filter=line_1,udprn,nothing").await.json();
    assert_eq!((&second["total"], &second["page"]), (&json!(151), &json!(1)));
    assert_eq!(second["result"].as_array().unwrap().len(), 51);
    assert_eq!(second["result"][0].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn addresses_that_are_being_typed_are_suggested_by_their_postcode() {
    let api = api().await;
    let hits = async |query: &str| {
        let path = format!("/v1/autocomplete/addresses?api_key=ak_test&{query}");
        let answer = get(&api, &path).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "private, no-store"));
        answer.json()["result"]["hits"].as_array().unwrap().clone()
    };
    let found = hits("query=ze9%209aa%20bakery").await;
    let expected = json!([{
        "id": "paf_1007",
        "suggestion": "Example Bakery Ltd, 7 Ash Road, Exampleton, ZE9",
        "udprn": 1007,
        "urls": { "udprn": "/v1/udprn/1007" }
    }]);
    assert_eq!(json!(found), expected);
    assert_eq!(hits("query=7%20Ash%20Rd,%20ZE9%209AA").await, found);
    assert_eq!(hits("query=ZE99AA").await.len(), 10);
    assert_eq!(hits("query=ZE99AA&limit=100").await.len(), 12);
    // More than a page of one postcode, and the beginning of a postcode.
    assert_eq!(hits("query=ZE99AD&limit=100").await.len(), 100);
    assert_eq!(hits("query=bakery%20ze9%209").await, found);
    for nothing in
        ["query=", "query=ash%20road", "query=zebra%20ZE99AA", "query=ZE99AA&context=USA", "query=ZE99ZZ"]
    {
        assert!(hits(nothing).await.is_empty(), "{nothing}");
    }
    for wrong in ["query=ZE99AA&limit=0", &format!("query={}", "a".repeat(151))] {
        let answer = get(&api, &format!("/v1/autocomplete/addresses?{wrong}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!(4000)), "{wrong}");
    }
    let chosen = get(&api, "/v1/autocomplete/addresses/paf_1007/gbr?api_key=ak_test").await.json();
    assert_eq!(chosen["result"], get(&api, "/v1/udprn/1007").await.json()["result"]);
    for unknown in ["paf_1", "mr_1007", "nonsense", "paf_x"] {
        let answer = get(&api, &format!("/v1/autocomplete/addresses/{unknown}/gbr")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!(4040)), "{unknown}");
    }
}

#[tokio::test]
async fn suggestions_are_written_as_ideal_postcodes_wrote_them() {
    let Some(path) = postcode_testing::shared("cases/addresses/api/2000-autocomplete-mr.json") else {
        return;
    };
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let recorded = recorded["body"]["result"]["hits"].as_array().unwrap();
    let room = |hit: &Value| {
        let room = hit["suggestion"].as_str().unwrap().split(',').next().unwrap().to_owned();
        json!({
            "postcode": "CV4 7AL", "post_town": "COVENTRY", "thoroughfare": "Gibbet Hill Road", "building_name": "Heronbank",
            "sub_building_name": room, "udprn": hit["udprn"], "umprn": hit["umprn"],
        })
    };
    let api = api_over(small()).await;
    api.serve_addresses(imported(&recorded.iter().map(room).collect::<Vec<_>>()));
    let answer = get(&api, "/v1/autocomplete/addresses?query=10%20cv4%207al&limit=100").await.json();
    let ours = answer["result"]["hits"].as_array().unwrap();
    assert_eq!(ours.len(), recorded.len());
    for due in recorded {
        let same =
            |hit: &&Value| ["suggestion", "udprn", "umprn", "urls"].iter().all(|key| hit[key] == due[key]);
        assert_eq!(ours.iter().filter(same).count(), 1, "{due}");
    }
}

#[test]
fn program_lists_addresses_and_logs_no_query() {
    let folder = tempfile::tempdir().unwrap();
    let postcodes = dataset(&folder.path().join("uk.postcodes"), "made by hand");
    let file = folder.path().join("uk.addresses");
    std::fs::write(&file, conformance::file().unwrap().as_bytes()).unwrap();
    let url = format!("file:{}", file.display());
    let run = |addresses: &str, arguments: &[&str]| {
        let mut command = program();
        command.arg("addresses").args(["--addresses", addresses, "--source", &postcodes]).args(arguments);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(&url, &["ze99aa", "--json"]);
    let line: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    assert_eq!((code, &line["query"], &line["status"]), (Some(0), &json!("ze99aa"), &json!("found")));
    assert_eq!(line["addresses"][6]["lines"], json!(["Example Bakery Ltd", "7 Ash Road"]));
    let (code, out, _) = run(&url, &["ze9"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("ze9  3 streets, approximate\n  Ash Road, Exampleton\n"), "{out}");
    let (code, out, err) = run(&url, &["ZE9 9AD", "AB1 0AA", "x"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(
        out.contains("ZE9 9AD  151 addresses")
            && out.contains("Room 150, Oak Hall, Elm Lane, EXAMPLETON, ZE9 9AD")
    );
    assert!(
        out.contains("AB1 0AA  not covered")
            && out.contains("x  invalid")
            && err.contains("Invented by the tests")
    );

    let server = Server::start(&[
        "--listen",
        "127.0.0.1:0",
        "--jobs",
        "none",
        "--data",
        &postcodes,
        "--addresses",
        &url,
        "--log",
        "debug",
    ]);
    let (code, remote, _) = run(&server.address, &["--json", "ze99aa", "ZE9 9AD", "ZE9"]);
    assert_eq!((code, remote), (Some(0), run(&url, &["--json", "ze99aa", "ZE9 9AD", "ZE9"]).1));
    let (code, ..) = run(&server.address, &["--json", "AB1 0AA"]);
    assert_eq!(code, Some(1));
    for path in ["postcodes/ZE99AA/addresses", "v1/postcodes/ZE99AA", "addresses/udprn/1003"] {
        let mut curl = std::net::TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
        write!(curl, "GET /{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        curl.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let log = server.end_with_log("TERM");
    assert!(
        log.contains("/postcodes/{postcode}/addresses")
            && !log.contains("ZE99AA")
            && !log.contains("udprn/1003"),
        "{log}"
    );
}
