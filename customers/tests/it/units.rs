//! Lookups that belong together are answered by one side of a promotion, so from one edition.

use std::collections::HashMap;
use std::sync::Arc;

use customers::{AddressStatus, Customers, NewCustomer};
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::layers::{Promotion, PromotionConfig, Stage};
use postcode_core::{Local, Location, Lookups, Postcode};

use crate::databases::Database;

const SHARES: [f64; 4] = [0.1, 0.3, 0.5, 0.9];
const POSTCODE: &str = "M1 1AE";
const OTHER: &str = "M1 1AD";

/// Returns one edition of two postcodes, both live or both terminated, which lie next to a third.
fn edition(name: &str, live: bool) -> Arc<dyn Lookups> {
    let mut metadata = Metadata::new(name);
    name.clone_into(&mut metadata.attribution);
    let mut builder = DatasetBuilder::new(metadata);
    for text in [POSTCODE, OTHER, "M1 1AF"] {
        let postcode: Postcode = text.parse().unwrap();
        let mut row = if live || text == "M1 1AF" { Row::live(postcode) } else { Row::terminated(postcode) };
        row.location = Some(Location::new(53.48, -2.24).unwrap());
        builder.push(&row).unwrap();
    }
    Arc::new(Local::new(builder.build().unwrap()))
}

/// Creates customers over a promotion between two editions that differ in every answer. A guard
/// would notice and end the canary, so it is switched off.
async fn customers() -> (Customers, Promotion) {
    let mut config = PromotionConfig::default();
    config.guard = None;
    let promotion = Promotion::with(edition("old", true), edition("new", false), config);
    let store = Database::Memory.open().await;
    let customers = Customers::new(store, Arc::new(promotion.clone()));
    // The test is not about how long a busy machine takes.
    (customers.with_lookup_timeout(std::time::Duration::from_secs(60)), promotion)
}

fn new_customer(n: usize) -> NewCustomer {
    NewCustomer {
        name: "Ada".into(),
        email: format!("ada{n}@example.com"),
        postcode: POSTCODE.into(),
        address_lines: vec!["1 High Street".into()],
        ..NewCustomer::default()
    }
}

#[tokio::test]
async fn recheck_in_a_canary_moves_to_the_new_edition_at_most_once() {
    let (customers, promotion) = customers().await;
    let ada = customers.create(new_customer(0)).await.unwrap();
    assert_eq!(customers.recheck().await.unwrap(), 0);
    let mut changed = 0;
    for share in SHARES {
        promotion.set(Stage::Canary, Some(share)).unwrap();
        for _ in 0..100 {
            changed += customers.recheck().await.unwrap();
        }
    }
    assert!(changed <= 1, "the address changed {changed} times");

    promotion.set(Stage::Remote, None).unwrap();
    customers.recheck().await.unwrap();
    assert_eq!(customers.get(ada.id).await.unwrap().check.status, AddressStatus::Terminated);
    promotion.set(Stage::Local, None).unwrap();
    customers.recheck().await.unwrap();
    assert_eq!(customers.get(ada.id).await.unwrap().check.status, AddressStatus::Verified);
}

#[tokio::test]
async fn map_in_a_canary_comes_from_one_edition_and_repeated_views_agree() {
    let (customers, promotion) = customers().await;
    let postcode: Postcode = POSTCODE.parse().unwrap();
    for share in SHARES {
        promotion.set(Stage::Canary, Some(share)).unwrap();
        let mut editions = HashMap::new();
        for _ in 0..100 {
            let map = customers.map(postcode, 500.0).await.unwrap().unwrap();
            let live = map.check.status == AddressStatus::Verified;
            let edition = if live { "old" } else { "new" };
            assert_eq!((map.attribution.as_str(), map.around.len()), (edition, if live { 3 } else { 1 }));
            assert_eq!(customers.look_up(postcode).await.unwrap().status, map.check.status);
            *editions.entry(map.attribution).or_insert(0) += 1;
        }
        assert_eq!(editions.len(), 1, "{share}: {editions:?}");
    }
}

#[tokio::test]
async fn changes_of_one_customer_in_a_canary_are_checked_by_one_side() {
    let (customers, promotion) = customers().await;
    let mut sides = HashMap::new();
    for n in 0..40 {
        let made = customers.create(new_customer(n)).await.unwrap();
        promotion.set(Stage::Canary, Some(0.5)).unwrap();
        let mut statuses = Vec::new();
        for turn in 0..6 {
            let postcode = if turn % 2 == 0 { OTHER } else { POSTCODE };
            let mut changed = new_customer(n);
            changed.postcode = postcode.into();
            statuses.push(customers.replace(made.id, changed).await.unwrap().check.status);
        }
        statuses.dedup();
        assert_eq!(statuses.len(), 1, "{statuses:?}");
        *sides.entry(statuses[0]).or_insert(0) += 1;
        promotion.set(Stage::Local, None).unwrap();
    }
    assert_eq!(sides.len(), 2, "half of the customers are on each side: {sides:?}");
}
