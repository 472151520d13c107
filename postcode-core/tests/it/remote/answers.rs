//! Tests every operation against a server that answers like ours.

use postcode_core::{
    Answer, ErrorKind, Location, MAX_BATCH, MAX_LIMIT, MAX_QUERY, MAX_RADIUS, Nearest, PostcodeLookup,
    PostcodeLookupExt,
};

use crate::remote::fake::{Fake, Kind, postcode, postcodes, terminated};

#[tokio::test]
async fn four_answers_are_told_apart() {
    let fake = Fake::new(Kind::PostcodeService);
    let asked = postcodes(&["AB10 1AB", "AB1 0AA", "AB10 9ZZ", "BT1 5GS", "AB10 1AB"]);
    let answers = fake.remote().lookup(&asked).await.unwrap();
    let live = Answer::Live(fake.record("AB10 1AB"));
    let terminated = Answer::Terminated(terminated());
    assert_eq!(answers, [live.clone(), terminated, Answer::Unknown, Answer::NotCovered, live]);
    assert_eq!(fake.requests(), ["POST /postcodes?extended=true"]);
}

#[tokio::test]
async fn an_empty_batch_asks_nothing() {
    let fake = Fake::new(Kind::PostcodeService);
    assert_eq!(fake.remote().lookup(&[]).await.unwrap(), []);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn outcodes_random_and_info() {
    let fake = Fake::new(Kind::PostcodeService);
    let remote = fake.remote();
    let summary = remote.outcode("AB10".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(summary.admin_district, ["Aberdeen City"]);
    assert_eq!(remote.outcode("AB99".parse().unwrap()).await.unwrap(), None);
    let record = remote.random(Some("M11".parse().unwrap())).await.unwrap().unwrap();
    assert_eq!(record, fake.record("M11 1AA"));
    assert_eq!(remote.random(Some("AB99".parse().unwrap())).await.unwrap(), None);
    assert!(remote.random(None).await.unwrap().is_some());
    assert_eq!(remote.info().await.unwrap().edition, "one");
}

#[tokio::test]
async fn autocomplete_asks_for_true_prefixes_once() {
    let fake = Fake::new(Kind::PostcodeService);
    let remote = fake.remote();
    let found = remote.autocomplete(" m1 ", 10).await.unwrap();
    assert_eq!(found, postcodes(&["M1 1AD", "M11 1AA"]));
    assert_eq!(fake.requests(), ["GET /postcodes/M1/autocomplete?limit=10&order=prefix"]);
    assert_eq!(remote.autocomplete("", 1).await.unwrap(), postcodes(&["AB10 1AB"]));
    assert_eq!(remote.autocomplete("Q", 10).await.unwrap(), []);
    let asked = fake.requests().len();
    for nothing in ["AB10 1ABC", "../..", "%", "AB10/1", "é", "\0", "AB-10"] {
        assert_eq!(remote.autocomplete(nothing, 10).await.unwrap(), [], "{nothing:?}");
    }
    assert_eq!(fake.requests().len(), asked, "no postcode begins with these");
}

#[tokio::test]
async fn search_finds_records() {
    let fake = Fake::new(Kind::PostcodeService);
    let remote = fake.remote();
    let found = remote.search("AB10", 10).await.unwrap();
    assert_eq!(found, [fake.record("AB10 1AB"), fake.record("AB10 1AF")]);
    assert_eq!(remote.search("a+b&c=d %/é\0", 10).await.unwrap(), []);
    assert_eq!(fake.requests()[1], "GET /postcodes?q=a%2Bb%26c%3Dd+%25%2F%C3%A9%00&limit=10&extended=true");
    let first: Vec<_> = remote.search(" \t", 2).await.unwrap().into_iter().map(|r| r.postcode).collect();
    assert_eq!(first, postcodes(&["AB10 1AB", "AB10 1AF"]));
}

#[tokio::test]
async fn nearest_to_a_point_and_to_a_postcode() {
    let fake = Fake::new(Kind::PostcodeService);
    let remote = fake.remote();
    let found = async |query: Nearest| {
        let found = remote.nearest(&query).await.unwrap();
        found.map(|found| found.into_iter().map(|n| n.record.postcode.to_string()).collect::<Vec<_>>())
    };
    let point = Location::new(57.0, -2.0).unwrap();
    assert_eq!(found(Nearest::to(point).radius(150.0)).await.unwrap(), ["AB10 1AB", "AB10 1AF"]);
    assert_eq!(found(Nearest::to(point).radius(150.0).limit(1)).await.unwrap(), ["AB10 1AB"]);
    assert!(found(Nearest::to(Location::new(0.0, 0.0).unwrap())).await.unwrap().is_empty());
    assert_eq!(found(Nearest::to(postcode("AB11 5BE"))).await.unwrap(), ["AB11 5BE"]);
    assert_eq!(found(Nearest::to(postcode("AB1 0AA"))).await.unwrap(), ["AB10 1AF"]);
    for none in ["AB10 9ZZ", "JE2 4WD", "BT1 5GS"] {
        assert_eq!(found(Nearest::to(postcode(none))).await, None, "{none}");
    }
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_asked() {
    let fake = Fake::new(Kind::PostcodeService);
    let remote = fake.remote();
    let point = Location::new(57.0, -2.0).unwrap();
    let long = "A".repeat(MAX_QUERY + 1);
    let many = vec![postcode("AB10 1AB"); MAX_BATCH + 1];
    let errors = [
        remote.lookup(&many).await.unwrap_err(),
        remote.autocomplete("A", 0).await.unwrap_err(),
        remote.autocomplete(&long, 1).await.unwrap_err(),
        remote.search("A", MAX_LIMIT + 1).await.unwrap_err(),
        remote.search(&long, 1).await.unwrap_err(),
        remote.nearest(&Nearest::to(point).limit(0)).await.unwrap_err(),
        remote.nearest(&Nearest::to(point).radius(MAX_RADIUS * 1.01)).await.unwrap_err(),
        remote.nearest(&Nearest::to(point).radius(f64::NAN)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn the_convenient_calls_work_on_it() {
    let remote = Fake::new(Kind::PostcodeService).remote();
    assert!(remote.validate("ab101ab").await.unwrap());
    assert!(!remote.validate("AB1 0AA").await.unwrap());
    assert_eq!(remote.terminated(postcode("AB1 0AA")).await.unwrap(), Some(terminated()));
}
