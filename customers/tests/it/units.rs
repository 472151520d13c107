//! Lookups that belong together are answered by one side of a promotion, so from one edition.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};

use customers::{AddressStatus, Customers, NewCustomer};
use postcode_core::dataset::{DatasetBuilder, Metadata, Row};
use postcode_core::layers::call::{Call, Info, LookupCall};
use postcode_core::layers::{Around, Promotion, PromotionConfig, Stage};
use postcode_core::{DatasetInfo, Local, Location, Lookups, Postcode, Result, layer};

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

/// Creates a promotion between two editions that differ in every answer. A guard would notice and end
/// the canary, so it is switched off.
fn promotion() -> Promotion {
    let mut config = PromotionConfig::default();
    config.guard = None;
    Promotion::with(edition("old", true), edition("new", false), config)
}

/// Stops tokio's clock until this is dropped. A paused clock runs on while the runtime waits for the
/// database's thread, but not while a blocking task runs.
struct StoppedClock {
    _end: mpsc::Sender<()>,
}

impl StoppedClock {
    fn stop() -> Self {
        let (_end, ended) = mpsc::channel::<()>();
        tokio::time::pause();
        tokio::task::spawn_blocking(move || ended.recv());
        Self { _end }
    }
}

async fn customers() -> (Customers, Promotion) {
    let promotion = promotion();
    let store = Database::Memory.open().await;
    (Customers::new(store, Arc::new(promotion.clone())), promotion)
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
    let _stopped = StoppedClock::stop();
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

/// Passes calls to a promotion and notes which edition was told and which one answered.
#[derive(Debug)]
struct Watched {
    promotion: Promotion,
    /// Whether a call stays in the unit of its caller.
    keeps_units: bool,
    seen: Mutex<Vec<(&'static str, bool)>>,
}

impl Watched {
    async fn ask<C: Call<Promotion>>(&self, call: C) -> Result<C::Reply> {
        if self.keeps_units {
            return call.on(&self.promotion).await;
        }
        // A spawned task is outside of every unit.
        let (call, promotion) = (call.into_owned(), self.promotion.clone());
        tokio::spawn(async move { call.on(&promotion).await }).await.unwrap()
    }

    fn saw(&self, what: &'static str, old: bool) {
        self.seen.lock().unwrap().push((what, old));
    }
}

impl Around for Watched {
    type Inner = Promotion;

    async fn around<C: Call<Promotion>>(&self, call: C) -> Result<C::Reply> {
        self.ask(call).await
    }

    async fn around_lookup<C: LookupCall<Promotion>>(&self, call: C) -> Result<C::Reply> {
        let answer = self.ask(call).await?;
        // The old edition has the postcode as live, and the new one as terminated.
        self.saw("answer", format!("{answer:?}").contains("Live("));
        Ok(answer)
    }

    async fn around_info(&self, call: Info<'_>) -> Result<DatasetInfo> {
        let info = self.ask(call).await?;
        self.saw("info", info.edition == "old");
        Ok(info)
    }
}

layer!([] Watched);

/// Rechecks new customers in a canary. Returns how many answers a recheck had, and how many of these
/// it took for answers of the other edition.
async fn rechecked(keeps_units: bool) -> (usize, usize) {
    let (mut answers, mut mixed) = (0, 0);
    for share in SHARES {
        let promotion = promotion();
        // Whichever edition the addresses were checked against, the canary may bring the other one.
        for (n, start) in (0..10).flat_map(|n| [(n, Stage::Local), (n, Stage::Remote)]) {
            let seen = Mutex::default();
            let watched = Arc::new(Watched { promotion: promotion.clone(), keeps_units, seen });
            let customers = Customers::new(Database::Memory.open().await, watched.clone());
            promotion.set(start, None).unwrap();
            customers.create(new_customer(n)).await.unwrap();
            assert_eq!(customers.recheck().await.unwrap(), 0);
            watched.seen.lock().unwrap().clear();
            promotion.set(Stage::Canary, Some(share)).unwrap();
            customers.recheck().await.unwrap();
            let seen = watched.seen.lock().unwrap();
            answers += seen.iter().filter(|(what, _)| *what == "answer").count();
            let is_mixed = |window: &&[(&str, bool)]| matches!(window, [("info", before), ("answer", by), ("info", after)] if before == after && by != before);
            mixed += seen.windows(3).filter(is_mixed).count();
        }
    }
    (answers, mixed)
}

#[tokio::test]
async fn recheck_in_a_canary_never_takes_an_answer_for_one_of_the_other_edition() {
    let _stopped = StoppedClock::stop();
    assert_eq!(rechecked(true).await, (40, 0));
    // The test can fail: without units, the promotion answers each call of a recheck by itself.
    let (answers, mixed) = rechecked(false).await;
    assert!(answers == 40 && mixed >= 8, "{mixed} of {answers}");
}

#[tokio::test]
async fn map_in_a_canary_comes_from_one_edition_and_repeated_views_agree() {
    let _stopped = StoppedClock::stop();
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
    let _stopped = StoppedClock::stop();
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
