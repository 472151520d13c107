//! Tests the client against a server that answers like postcodes.io: without status, edition and
//! codes.

use postcode_core::{Answer, ErrorKind, Location, Nearest, PostcodeLookup, Record, Region, Within};

use crate::remote::fake::{Fake, Kind, Script, postcode, postcodes, terminated};

#[tokio::test]
async fn what_bulk_leaves_open_is_asked_for_once_each() {
    let fake = Fake::new(Kind::PostcodesIo);
    let asked = postcodes(&["AB10 1AB", "AB1 0AA", "AB10 9ZZ", "BT1 5GS", "AB1 0AA", "M1 1AD"]);
    let answers = fake.remote().lookup(&asked).await.unwrap();
    // For a terminated postcode it says only the date and the location.
    let mut known = Record::terminated(postcode("AB1 0AA"));
    (known.terminated, known.location) = (terminated().terminated, terminated().location);
    let once = Answer::Terminated(known);
    assert_eq!(answers[0].record().unwrap().admin_district(), Some("Aberdeen City"));
    assert!(answers[0].is_live() && answers[5].is_live());
    assert_eq!(answers[1..5], [once.clone(), Answer::Unknown, Answer::Unknown, once]);
    let mut requests = fake.requests();
    requests[1..].sort();
    assert_eq!(
        requests,
        [
            "POST /postcodes?extended=true",
            "GET /postcodes/AB109ZZ?extended=true",
            "GET /postcodes/AB10AA?extended=true",
            "GET /postcodes/BT15GS?extended=true",
        ]
    );
}

#[tokio::test]
async fn a_batch_of_several_requests_is_taken_to_be_of_one_edition() {
    let fake = Fake::new(Kind::PostcodesIo);
    let asked = vec![postcode("AB10 1AB"); 250];
    let answers = fake.remote().lookup(&asked).await.unwrap();
    assert_eq!(answers, vec![Answer::Live(answers[0].record().unwrap().clone()); 250]);
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn autocomplete_takes_the_best_of_its_longest_answer() {
    let fake = Fake::new(Kind::PostcodesIo);
    let remote = fake.remote();
    // In its order M11 1AA comes before M1 1AD, and a window of one contains nothing else.
    assert_eq!(remote.autocomplete("M", 1).await.unwrap(), postcodes(&["M1 1AD"]));
    assert_eq!(remote.autocomplete("M", 2).await.unwrap(), postcodes(&["M1 1AD", "M11 1AA"]));
    // It contains the text, but does not begin with it.
    assert_eq!(remote.autocomplete("1", 10).await.unwrap(), []);
    assert_eq!(remote.autocomplete("", 2).await.unwrap(), postcodes(&["AB10 1AB", "AB10 1AF"]));
}

#[tokio::test]
async fn nearest_to_a_terminated_postcode_goes_by_its_location() {
    let fake = Fake::new(Kind::PostcodesIo);
    let remote = fake.remote();
    let found = remote.nearest(&Nearest::to(postcode("AB1 0AA"))).await.unwrap().unwrap();
    assert_eq!(found[0].record.postcode, postcode("AB10 1AF"));
    for none in ["AB10 9ZZ", "JE2 4WD", "BT1 5GS"] {
        assert_eq!(remote.nearest(&Nearest::to(postcode(none))).await.unwrap(), None, "{none}");
    }
    let nowhere = Nearest::to(Location::new(0.0, 0.0).unwrap());
    assert_eq!(remote.nearest(&nowhere).await.unwrap(), Some(vec![]));
}

#[tokio::test]
async fn outcodes_search_and_random() {
    let fake = Fake::new(Kind::PostcodesIo);
    let remote = fake.remote();
    assert!(remote.outcode("AB10".parse().unwrap()).await.unwrap().is_some());
    assert_eq!(remote.outcode("AB99".parse().unwrap()).await.unwrap(), None);
    assert_eq!(remote.search("AB10", 10).await.unwrap().len(), 2);
    assert_eq!(remote.search("QQ", 10).await.unwrap(), []);
    assert_eq!(remote.search("", 2).await.unwrap().len(), 2);
    assert_eq!(remote.random(Some("AB99".parse().unwrap())).await.unwrap(), None);
}

#[tokio::test]
async fn it_has_no_dataset_information() {
    let error = Fake::new(Kind::PostcodesIo).remote().info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("it is not a postcode-service"), "{error}");
    // An HTML page of some other server is a different error.
    let page = Script::always(404, &[("content-type", "text/html")], "<h1>Not Found</h1>");
    assert_eq!(page.remote().info().await.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn what_it_does_not_take_for_a_postcode_is_unknown_to_it() {
    let script = Script::new(|n, _| {
        let (status, body) = match n {
            0 => (200, r#"{"status":200,"result":[{"query":"GIR 0AA","result":null}]}"#),
            _ => (404, r#"{"status":404,"error":"Invalid postcode"}"#),
        };
        let response = http::Response::builder().status(status).header("content-type", "application/json");
        std::future::ready(Ok(response.body(bytes::Bytes::from(body)).unwrap()))
    });
    let answers = script.remote().lookup(&[postcode("GIR 0AA")]).await.unwrap();
    assert_eq!(answers, [Answer::Unknown]);
}

#[tokio::test]
async fn it_has_no_regions_and_no_outcodes_by_their_beginning() {
    let missing = || {
        let headers = [("content-type", "application/json")];
        Script::always(404, &headers, r#"{"status":404,"error":"Resource not found"}"#).remote()
    };
    let at = |latitude, longitude| Location::new(latitude, longitude).unwrap();
    for region in [
        Region::circle(at(57.1, -2.1), 500.0),
        Region::Box { south_west: at(57.0, -2.2), north_east: at(57.2, -2.0) },
        Region::Polygon(vec![at(57.0, -2.2), at(57.2, -2.2), at(57.1, -2.0)]),
        Region::area("S12000033"),
        Region::Outcode("AB10".parse().unwrap()),
        Region::Sector("AB10 1".parse().unwrap()),
    ] {
        let error = missing().within(&Within::of(region)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("is not a postcode-service"), "{error}");
    }
    assert_eq!(missing().outcodes("AB", 10).await.unwrap_err().kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn what_it_cuts_off_is_not_taken_for_all() {
    // It returns a hundred at most, within two kilometres, whatever the request says.
    let remote = Fake::new(Kind::PostcodesIo).remote();
    let point = Location::new(57.149606, -2.096916).unwrap();
    let error = remote.nearest(&Nearest::to(point).radius(30_000.0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    let one = r#"{"postcode":"AB10 1AB","distance":1.0}"#;
    let body = format!(r#"{{"status":200,"result":[{}]}}"#, vec![one; 100].join(","));
    let remote = Script::always(200, &[("content-type", "application/json")], &body).remote();
    let error = remote.nearest(&Nearest::to(point).limit(101)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    assert_eq!(remote.nearest(&Nearest::to(point).limit(100)).await.unwrap().unwrap().len(), 100);
}

#[tokio::test]
async fn pages_that_go_backwards_are_no_pages() {
    let page = |body: &str| Script::always(200, &[("content-type", "application/json")], body).remote();
    let outcode = Region::Outcode("AB10".parse().unwrap());
    let query = Within::of(outcode).after(postcode("AB10 1AB"));
    for (body, kind) in [
        (r#"{"status":200,"result":[{"postcode":"AB10 1AF"}],"next":null}"#, None),
        (r#"{"status":200,"result":[{"postcode":"AB10 1AB"}],"next":null}"#, Some(ErrorKind::Protocol)),
        (r#"{"status":200,"result":[{"postcode":"AB10 1AF"}],"next":"AB10 1AB"}"#, Some(ErrorKind::Protocol)),
        (r#"{"status":200,"result":[],"next":"AB10 1AF"}"#, Some(ErrorKind::Protocol)),
        (r#"{"status":200,"result":null,"next":null}"#, Some(ErrorKind::Protocol)),
    ] {
        assert_eq!(page(body).within(&query).await.err().map(|error| error.kind()), kind, "{body}");
    }
}
