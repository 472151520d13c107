//! Rechecks of known addresses when the postcodes have a new edition.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;
use std::time::Duration;

use crate::databases::{Database, on_both};
use crate::lookups::{Mode, Switch};
use customers::{AddressStatus, Customer, CustomerPatch, Customers, Filter, NewCustomer};
use postcode_core::ErrorKind;

async fn three(database: &Database) -> (Customers, Arc<Switch>, Vec<Customer>) {
    let lookup = Arc::new(Switch::new(Mode::Answers));
    let customers = Customers::new(database.open().await, lookup.clone());
    // The test is not about how long a busy machine takes.
    let customers = customers.with_lookup_timeout(Duration::from_secs(60));
    let mut made = Vec::new();
    for (n, postcode) in ["SW1A 1AA", "M1 1AE", "SW1A 9ZZ"].into_iter().enumerate() {
        let new = NewCustomer {
            name: "Ada".into(),
            email: format!("ada{n}@example.com"),
            postcode: postcode.into(),
            address_lines: vec!["1 High Street".into()],
            ..NewCustomer::default()
        };
        made.push(customers.create(new).await.unwrap());
    }
    // The edition that these were checked against.
    assert_eq!(customers.recheck().await.unwrap(), 0);
    (customers, lookup, made)
}

async fn listed(customers: &Customers, status: AddressStatus) -> Vec<Customer> {
    let filter = Filter { status: Some(status), ..Filter::default() };
    customers.search(&filter, 10, None).await.unwrap().items
}

async fn a_postcode_that_is_terminated_since_is_found_and_reported(database: Database) {
    let (customers, lookup, made) = three(&database).await;
    lookup.set(Mode::Terminates);
    let asked = lookup.calls();
    assert_eq!(customers.recheck().await.unwrap(), 0, "the same edition is not asked again");
    assert_eq!(lookup.calls(), asked);

    lookup.publish("second");
    assert_eq!(customers.recheck().await.unwrap(), 1);
    let terminated = listed(&customers, AddressStatus::Terminated).await;
    assert_eq!(terminated.iter().map(|customer| customer.id).collect::<Vec<_>>(), [made[0].id]);
    assert_eq!(terminated[0].revision, 2);
    for unchanged in &made[1..] {
        assert_eq!(customers.get(unchanged.id).await.unwrap(), *unchanged);
    }
    let history = customers.history(made[0].id, 10, None).await.unwrap().items;
    let last = history.last().unwrap();
    assert_eq!((last.action.as_str(), &last.actor), ("rechecked", &None));
    assert_eq!(last.changes["addresses/1/address_status"]["to"], "terminated");
    assert_eq!(last.changes["addresses/1/admin_district"]["from"], "Westminster");
    let asked = lookup.calls();
    assert_eq!(customers.recheck().await.unwrap(), 0);
    assert_eq!(lookup.calls(), asked);
}

async fn what_broke_off_goes_on_and_what_is_deleted_is_checked_for_its_return(database: Database) {
    let (customers, lookup, made) = three(&database).await;
    customers.delete(made[0].id).await.unwrap();
    lookup.publish("second");
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    customers.recheck().await.unwrap_err();
    // Another process, the lookup is back.
    lookup.set(Mode::Terminates);
    assert_eq!(customers.recheck().await.unwrap(), 1);
    let restored = customers.restore(made[0].id).await.unwrap();
    assert_eq!(restored.check.status, AddressStatus::Terminated);

    // One postcode that the lookup stumbles over is left as it was.
    lookup.publish("third");
    lookup.set(Mode::Stumbles);
    assert_eq!(customers.recheck().await.unwrap(), 1);
    assert_eq!(customers.get(made[0].id).await.unwrap().check, made[0].check);
    assert_eq!(customers.get(made[1].id).await.unwrap(), made[1]);

    // An address that the edition does not cover says so: other data may know it.
    lookup.publish("fourth");
    lookup.set(Mode::CoversNothing);
    assert_eq!(customers.recheck().await.unwrap(), 3);
    assert_eq!(listed(&customers, AddressStatus::NotCovered).await.len(), 3);
}

/// Checks against a new edition in which terminated postcodes are live, and runs something while
/// the lookup is asked.
async fn meanwhile(
    customers: &Customers,
    lookup: &Switch,
    doing: impl AsyncFnOnce(),
) -> Result<usize, customers::ResolveError> {
    lookup.publish("second");
    lookup.set(Mode::Terminates);
    assert_eq!(customers.recheck().await.unwrap(), 1);
    lookup.publish("third");
    lookup.set(Mode::Waits);
    // That of the calls until now.
    lookup.called.notified().await;
    let doing = async {
        lookup.called.notified().await;
        doing().await;
        lookup.set(Mode::Answers);
        lookup.release.notify_one();
    };
    tokio::join!(customers.recheck(), doing).0
}

async fn who_is_changed_meanwhile_is_asked_for_again(database: Database) {
    let (customers, lookup, made) = three(&database).await;
    let rename = async || {
        let patch = CustomerPatch { name: Some("Grace".into()), ..CustomerPatch::default() };
        customers.patch(made[0].id, patch).await.unwrap();
    };
    assert_eq!(meanwhile(&customers, &lookup, rename).await.unwrap(), 1);
    let now = customers.get(made[0].id).await.unwrap();
    assert_eq!((now.name.as_str(), &now.check), ("Grace", &made[0].check));
}

async fn answers_of_another_edition_are_not_stored(database: Database) {
    let (customers, lookup, made) = three(&database).await;
    let publish = async || lookup.publish("fourth");
    assert_eq!(meanwhile(&customers, &lookup, publish).await.unwrap(), 0);
    assert_eq!(customers.get(made[0].id).await.unwrap().check.status, AddressStatus::Terminated);
    assert_eq!(customers.recheck().await.unwrap(), 1);
    assert_eq!(customers.get(made[0].id).await.unwrap().check, made[0].check);
}

async fn it_is_done_by_itself(database: Database) {
    let (customers, lookup, made) = three(&database).await;
    let checker = tokio::spawn({
        let customers = customers.clone();
        async move { customers.keep_rechecking(Duration::from_millis(5)).await }
    });
    lookup.set(Mode::Terminates);
    lookup.publish("second");
    while customers.get(made[0].id).await.unwrap().check.status != AddressStatus::Terminated {
        tokio::task::yield_now().await;
    }
    checker.abort();
}

on_both! { crate::databases::Database::Memory;
    a_postcode_that_is_terminated_since_is_found_and_reported,
    what_broke_off_goes_on_and_what_is_deleted_is_checked_for_its_return,
    who_is_changed_meanwhile_is_asked_for_again,
    answers_of_another_edition_are_not_stored,
    it_is_done_by_itself,
}
