//! The hash of all answers, and the way from it to those that differ.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use http::Request;
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::layers::Around;
use postcode_core::layers::call::{Call, LookupCall};
use postcode_core::wire::Digest;
use postcode_core::{Local, Lookups, Place, Postcode, PostcodeLookup, Result};
use postcode_service::api::{Api, Edition, Limits};
use postcode_service::proof::{Source, Tree, compare};
use sha2::{Digest as _, Sha256};

use crate::common::{self, get, post};
use crate::conformance::in_memory::Duplex;
use crate::wrong::Wrong;

/// The most requests until every difference is named.
const MOST: usize = 8;

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for outcode in ["AB10", "M1", "M11", "SW1A"] {
        for sector in 0..4 {
            for unit in ["AA", "AB", "AD", "BA", "BB", "ZZ"] {
                rows.push(Row::live(format!("{outcode} {sector}{unit}").parse().unwrap()));
            }
        }
    }
    rows.push(Row::terminated("AB1 0AA".parse().unwrap()));
    rows
}

fn data(rows: &[Row], places: &[&str]) -> Local {
    let mut builder = DatasetBuilder::new(Metadata::new("made by hand"));
    rows.iter().try_for_each(|row| builder.push(row)).unwrap();
    for code in places {
        builder.push_place(&Place::new(*code, "Somewhere", "Village")).unwrap();
    }
    Local::new(builder.build().unwrap())
}

async fn tree(local: Local) -> Source {
    let dataset = local.dataset();
    Source::Tree(Arc::new(Tree::build(Arc::new(local), dataset, 2).await.unwrap()))
}

async fn service(lookup: Arc<dyn Lookups>, data: &Local) -> Source {
    let edition = Edition::of(lookup).await.unwrap().listing(data.dataset());
    Source::Service(Duplex::serving(edition).remote())
}

#[tokio::test]
async fn service_over_the_same_data_has_the_same_root() {
    let places = ["osgb4000000074558", "osgb4000000074559"];
    let local = data(&rows(), &places);
    let service = service(Arc::new(data(&rows(), &places)), &local).await;
    let seen = compare(&tree(local).await, &service, MOST).await.unwrap();
    assert_eq!(seen.roots[0], seen.roots[1]);
    assert_eq!((seen.different.len(), seen.requests, seen.is_complete), (0, 1, true));
}

#[tokio::test]
async fn service_whose_code_is_wrong_about_one_postcode_is_found_by_the_root_and_it_is_named() {
    let about: Postcode = "M1 2BB".parse().unwrap();
    let local = data(&rows(), &[]);
    let wrong = Arc::new(Wrong { inner: data(&rows(), &[]), about });
    assert_eq!(wrong.info().await.unwrap(), local.info().await.unwrap(), "the file is the same");
    let service = service(wrong, &local).await;
    let seen = compare(&tree(local).await, &service, MOST).await.unwrap();
    assert_ne!(seen.roots[0], seen.roots[1]);
    assert_eq!(seen.different, ["M1 2BB"]);
    assert!(seen.requests <= MOST && seen.is_complete, "{seen:?}");
}

#[tokio::test]
async fn everything_that_only_one_has_is_named() {
    let mut other = rows();
    let gone = other.remove(30).postcode.to_string();
    other.push(Row::live("ZE1 0AA".parse().unwrap()));
    other.retain(|row| row.postcode.outcode().to_string() != "AB1");
    let one = tree(data(&rows(), &["osgb4000000074558", "osgb4000000074559"])).await;
    let other = tree(data(&other, &["osgb4000000074559"])).await;
    let seen = compare(&one, &other, MOST).await.unwrap();
    assert!(seen.is_complete);
    for name in [&gone, "ZE1", "ZE1 0AA", "AB1 0AA", "osgb4000000074558"] {
        assert!(seen.different.iter().any(|other| other == name), "{name}: {:?}", seen.different);
    }
    let few = compare(&one, &other, 2).await.unwrap();
    assert!(!few.is_complete && few.requests == 2);
}

/// Counts what is asked for.
#[derive(Debug)]
struct Counted {
    inner: Local,
    calls: AtomicUsize,
    most_calls: AtomicUsize,
    most_postcodes: AtomicUsize,
}

impl Around for Counted {
    type Inner = Local;

    async fn around<C: Call<Local>>(&self, call: C) -> Result<C::Reply> {
        call.on(&self.inner).await
    }

    async fn around_lookup<C: LookupCall<Local>>(&self, call: C) -> Result<C::Reply> {
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        self.most_calls.fetch_max(calls, Relaxed);
        self.most_postcodes.fetch_max(call.postcodes().len(), Relaxed);
        // Lets the others begin, if there are any.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        let reply = call.on(&self.inner).await;
        self.calls.fetch_sub(1, Relaxed);
        reply
    }
}

postcode_core::layer!([] Counted);

#[tokio::test]
async fn reload_hashes_only_the_answers_of_sectors_that_have_changed() {
    let built = async |local: Local| {
        let dataset = local.dataset();
        Tree::build(Arc::new(local), dataset, 2).await.unwrap()
    };
    let places = ["osgb4000000074558"];
    let first = Arc::new(built(data(&rows(), &places)).await);
    assert_eq!(first.hashed(), rows().len() as u64);
    let kept_up = async |local: Local| {
        let dataset = local.dataset();
        Tree::build_after(&first, Arc::new(local), dataset, 2).await.unwrap()
    };
    let same = kept_up(data(&rows(), &places)).await;
    assert_eq!((same.root(), same.hashed()), (first.root(), 0));

    // One postcode is terminated, one is gone, one is new, and a sector is new.
    let mut next = rows();
    let at = |rows: &[Row], text: &str| rows.iter().position(|row| row.postcode.to_string() == text).unwrap();
    let terminated = at(&next, "AB10 0AA");
    next[terminated] = Row::terminated(next[terminated].postcode);
    next.remove(at(&next, "M1 1AA"));
    next.push(Row::live("SW1A 2QQ".parse().unwrap()));
    next.push(Row::live("ZE1 0AA".parse().unwrap()));
    next.sort_by_key(|row| row.postcode);
    let local = || data(&next, &["osgb4000000074559"]);
    let changed = kept_up(local()).await;
    assert_eq!(changed.root(), built(local()).await.root());
    assert_eq!(changed.hashed(), 6 + 5 + 7 + 1);

    // Code that answers otherwise is seen, also if the data are the same.
    let about = "M1 2BB".parse().unwrap();
    let wrong = Arc::new(Wrong { inner: data(&rows(), &places), about });
    let dataset = wrong.inner.dataset();
    let seen = Tree::build_after(&first, wrong.clone(), dataset.clone(), 2).await.unwrap();
    assert_eq!(seen.hashed(), 6);
    assert_eq!(seen.root(), Tree::build(wrong, dataset, 2).await.unwrap().root());
    assert_ne!(seen.root(), first.root());
}

#[tokio::test]
async fn tree_holds_the_answers_of_few_sectors_at_a_time() {
    let counted = |rows: &[Row]| {
        let (calls, most_calls, most_postcodes) = Default::default();
        Arc::new(Counted { inner: data(rows, &[]), calls, most_calls, most_postcodes })
    };
    let (first, next) = (counted(&rows()), counted(&rows()[1..]));
    let tree = Arc::new(Tree::build(first.clone(), first.inner.dataset(), 2).await.unwrap());
    Tree::build_after(&tree, next.clone(), next.inner.dataset(), 2).await.unwrap();
    for counted in [first, next] {
        assert_eq!(counted.most_calls.load(Relaxed), 2, "as many sectors as work at once");
        assert_eq!(counted.most_postcodes.load(Relaxed), 6, "and never more than a sector");
    }
}

#[tokio::test]
async fn leaf_is_the_hash_of_what_the_service_answers() {
    let local = data(&rows(), &[]);
    let edition = Edition::of_local(data(&rows(), &[])).await.unwrap();
    let api = Api::new(edition, Limits::default());
    let body = r#"{"postcodes":["M1 2BB"]}"#;
    let answer = post(&api, "/postcodes?extended=true", "application/json", body).await;
    let text = String::from_utf8(answer.body).unwrap();
    let item = text.strip_prefix(r#"{"status":200,"result":["#).unwrap().strip_suffix("]}").unwrap();
    let leaf = Digest(Sha256::digest([b"\0", item.as_bytes()].concat()).into());

    let Source::Tree(tree) = tree(local).await else { panic!("a tree") };
    let nodes =
        tree.proof(&["sector M1 2".to_owned(), "sector M1 9".to_owned(), "x".to_owned()]).await.unwrap();
    let found = nodes.nodes[0].children.iter().find(|(name, _)| name == "M1 2BB").unwrap();
    assert_eq!(found.1, leaf);
    assert!(nodes.nodes[1].children.is_empty() && nodes.nodes[2].children.is_empty());
}

#[tokio::test]
async fn route_is_bounded_and_says_when_it_has_no_answer_yet() {
    let api = Api::new(Edition::of_local(data(&rows(), &[])).await.unwrap(), Limits::default());
    let first = get(&api, "/proof").await;
    assert_eq!((first.status.as_u16(), &first.json()["retryable"]), (503, &true.into()));
    let until = async || loop {
        let answer = get(&api, "/proof").await;
        if answer.status == 200 {
            return answer.json()["result"]["root"].clone();
        }
        tokio::task::yield_now().await;
    };
    let root = until().await;
    let many = vec!["root"; 65].join(",");
    assert_eq!(get(&api, &format!("/proof?of={many}")).await.status, 400);
    assert_eq!(get(&api, &format!("/proof?of={}", "x".repeat(33))).await.status, 400);
    let moved = Request::get("/proof").header("if-edition", "another").body(Body::empty()).unwrap();
    assert_eq!(common::send(&api, moved).await.status, 412);

    // After a reload it is computed without being asked for.
    api.replace(Edition::of_local(data(&rows()[1..], &[])).await.unwrap());
    assert_ne!(until().await, root);

    // A lookup that lists nothing has none.
    let api = common::api_over(data(&rows(), &[])).await;
    assert_eq!(get(&api, "/proof").await.json()["code"], "not_supported");
}
