//! Customers over a lookup that answers, fails, or is silent.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::databases::{Database, on_both};
use crate::lookups::{Mode, Switch};
use customers::{AddressStatus, CustomerPatch, Customers, Error, NewCustomer, ResolveError};
use postcode_core::ErrorKind;

/// Creates a valid customer with a unique email address.
fn new(postcode: &str) -> NewCustomer {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let n = MADE.fetch_add(1, Ordering::Relaxed);
    NewCustomer {
        name: "Ada".into(),
        email: format!("ada{n}@example.com"),
        postcode: postcode.into(),
        address_lines: vec!["1 High Street".into()],
        ..NewCustomer::default()
    }
}

async fn customers(database: &Database, mode: Mode) -> (Customers, Arc<Switch>) {
    let lookup = Arc::new(Switch::new(mode));
    // The test is not about how long a busy machine takes.
    let customers = Customers::new(database.open().await, lookup.clone());
    (customers.with_lookup_timeout(Duration::from_secs(60)), lookup)
}

async fn a_live_postcode_is_verified_and_its_place_filled_in(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let customer = customers.create(new("sw1a 1aa")).await.unwrap();
    assert_eq!(customer.postcode.to_string(), "SW1A 1AA");
    assert_eq!(customer.check.status, AddressStatus::Verified);
    assert_eq!(customer.check.admin_district.as_deref(), Some("Westminster"));
    assert_eq!(customer.check.region.as_deref(), Some("London"));
    assert_eq!(customer.check.country.as_deref(), Some("England"));
    assert_eq!((customer.check.latitude, customer.check.longitude), (Some(51.501009), Some(-0.141588)));
    assert_eq!(customers.get(customer.id).await.unwrap(), customer);

    let jersey = customers.create(new("JE2 3AB")).await.unwrap();
    assert_eq!((jersey.check.status, jersey.check.latitude), (AddressStatus::Verified, None));
}

async fn a_terminated_postcode_keeps_its_place(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let customer = customers.create(new("DN55 1PT")).await.unwrap();
    assert_eq!(customer.check.status, AddressStatus::Terminated);
    assert_eq!(customer.check.admin_district.as_deref(), Some("Doncaster"));
}

async fn an_unknown_postcode_is_accepted_as_unknown(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let customer = customers.create(new("SW1A 9ZZ")).await.unwrap();
    assert_eq!(customer.check.status, AddressStatus::Unknown);
    assert_eq!(customer.check.admin_district, None);
}

async fn a_postcode_that_the_data_leaves_out_is_not_covered_until_other_data_knows_it(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Answers).await;
    let customer = customers.create(new("BT1 5GS")).await.unwrap();
    assert_eq!(customer.check.status, AddressStatus::NotCovered);
    let asked = lookup.calls();
    assert_eq!(customers.resolve_pending().await.unwrap(), 0);
    assert_eq!(lookup.calls(), asked, "the same data is not asked again at once");

    lookup.set(Mode::KnowsAll);
    // As a new process does.
    let resolver = tokio::spawn({
        let customers = customers.clone();
        async move { customers.keep_resolving(Duration::from_secs(3600)).await }
    });
    while customers.get(customer.id).await.unwrap().check.status == AddressStatus::NotCovered {
        tokio::task::yield_now().await;
    }
    resolver.abort();
    let resolved = customers.get(customer.id).await.unwrap();
    assert_eq!(resolved.check.status, AddressStatus::Verified);
    assert_eq!(resolved.revision, customer.revision + 1);
}

async fn whatever_the_lookups_error_the_account_is_accepted_as_pending(database: Database) {
    use ErrorKind::*;
    for kind in [InvalidInput, NotSupported, Dataset, Unavailable, Timeout, Overloaded, Protocol, Internal] {
        let (customers, _) = customers(&database, Mode::Fails(kind)).await;
        let customer = customers.create(new("SW1A 1AA")).await.unwrap();
        assert_eq!(customer.check.status, AddressStatus::Pending, "{kind:?}");
        assert_eq!(customers.get(customer.id).await.unwrap(), customer);
    }
    let (customers, _) = customers(&database, Mode::Truncates).await;
    assert_eq!(customers.create(new("SW1A 1AA")).await.unwrap().check.status, AddressStatus::Pending);
}

/// Keeps paused time from advancing by itself: the database works on threads that tokio does not
/// see.
fn only_advanced_by_hand() -> std::sync::mpsc::Sender<()> {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || ended.recv());
    end
}

async fn a_silent_lookup_is_waited_for_no_longer_than_the_limit(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Hangs).await;
    let customers = customers.with_lookup_timeout(Duration::from_secs(2));
    let _by_hand = only_advanced_by_hand();
    tokio::time::pause();

    let create = tokio::spawn({
        let customers = customers.clone();
        async move { customers.create(new("SW1A 1AA")).await }
    });
    lookup.called.notified().await;
    // Others are not held up by it.
    assert_eq!(customers.list(10, None).await.unwrap().items.len(), 0);
    tokio::time::advance(Duration::from_millis(1990)).await;
    assert!(!create.is_finished());
    tokio::time::advance(Duration::from_millis(20)).await;
    let customer = create.await.unwrap().unwrap();
    assert_eq!(customer.check.status, AddressStatus::Pending);

    lookup.set(Mode::Answers);
    assert_eq!(customers.resolve_pending().await.unwrap(), 1);
    assert_eq!(customers.get(customer.id).await.unwrap().check.status, AddressStatus::Verified);
}

async fn no_postcode_is_no_customer(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Answers).await;
    let Err(Error::Invalid(invalid)) = customers.create(new("hello")).await else { panic!("accepted") };
    assert_eq!(invalid.errors[0].field, "postcode");
    assert_eq!(customers.list(10, None).await.unwrap().items, []);
    assert_eq!(lookup.calls(), 0);
}

async fn a_change_asks_again_only_if_the_postcode_changed_or_is_pending(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Answers).await;
    let customer = customers.create(new("SW1A 1AA")).await.unwrap();
    let mut renamed = new("SW1A1AA");
    renamed.name = "Ada Lovelace".into();
    lookup.set(Mode::Fails(ErrorKind::Unavailable));
    let same = customers.replace(customer.id, renamed).await.unwrap();
    assert_eq!(lookup.calls(), 1);
    assert_eq!((same.name.as_str(), &same.check), ("Ada Lovelace", &customer.check));
    assert_eq!((same.id, same.created_at), (customer.id, customer.created_at));
    assert!(same.updated_at >= customer.updated_at);

    // The old place is not the new postcode's.
    let moved = customers.replace(customer.id, new("M1 1AE")).await.unwrap();
    assert_eq!(moved.check.status, AddressStatus::Pending);
    assert_eq!((moved.check.admin_district, moved.check.latitude), (None, None));

    lookup.set(Mode::Answers);
    let patch = CustomerPatch { email: Some("ada@example.org".into()), ..CustomerPatch::default() };
    let patched = customers.patch(customer.id, patch).await.unwrap();
    assert_eq!(patched.check.admin_district.as_deref(), Some("Manchester"));
    assert_eq!(patched.email, "ada@example.org");
    assert_eq!(patched.address_lines, ["1 High Street"]);
}

async fn who_is_not_there_is_not_found(database: Database) {
    let (customers, _) = customers(&database, Mode::Answers).await;
    let id = customers.create(new("SW1A 1AA")).await.unwrap().id;
    customers.delete(id).await.unwrap();
    assert!(matches!(customers.get(id).await, Err(Error::NotFound(gone)) if gone == id));
    assert!(matches!(customers.replace(id, new("M1 1AE")).await, Err(Error::NotFound(_))));
    assert!(matches!(customers.delete(id).await, Err(Error::NotFound(_))));
}

async fn all_pending_addresses_are_resolved_in_batches_when_the_lookup_is_back(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    for n in 0..501 {
        let postcode = ["SW1A 1AA", "M1 1AE", "DN55 1PT", "SW1A 9ZZ", "BT1 5GS"][n % 5];
        customers.create(new(postcode)).await.unwrap();
    }
    let Err(ResolveError::Lookup(error)) = customers.resolve_pending().await else { panic!("resolved") };
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    lookup.set(Mode::Answers);
    let before = lookup.calls();
    assert_eq!(customers.resolve_pending().await.unwrap(), 501);
    assert_eq!(lookup.calls() - before, 2);
    assert_eq!(customers.resolve_pending().await.unwrap(), 0);
    let still = customers.list(1000, None).await.unwrap().items;
    assert!(still.iter().all(|customer| customer.check.status != AddressStatus::Pending));
    let not_covered = still.iter().filter(|customer| customer.check.status == AddressStatus::NotCovered);
    assert!(
        not_covered.clone().count() > 0 && not_covered.clone().all(|c| c.postcode.to_string() == "BT1 5GS")
    );
}

async fn one_postcode_that_the_lookup_stumbles_over_does_not_hold_up_the_others(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    for n in 0..40 {
        customers.create(new(if n == 7 { "M1 1AE" } else { "SW1A 1AA" })).await.unwrap();
    }
    lookup.set(Mode::Stumbles);
    customers.resolve_pending().await.unwrap_err();
    customers.resolve_pending().await.unwrap();
    for (n, customer) in customers.list(100, None).await.unwrap().items.iter().enumerate() {
        assert_eq!(customer.check.status == AddressStatus::Pending, n == 7, "{n}");
    }
}

async fn an_address_that_changes_while_it_is_resolved_keeps_the_change(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    let customer = customers.create(new("SW1A 1AA")).await.unwrap();
    lookup.called.notified().await;
    lookup.set(Mode::Waits);
    let resolve = tokio::spawn({
        let customers = customers.clone();
        async move { customers.resolve_pending().await }
    });
    lookup.called.notified().await;
    lookup.set(Mode::Answers);
    let moved = customers.replace(customer.id, new("M1 1AE")).await.unwrap();
    lookup.release.notify_one();
    assert_eq!(resolve.await.unwrap().unwrap(), 0);
    assert_eq!(customers.get(customer.id).await.unwrap(), moved);
}

async fn many_who_change_and_resolve_at_once_lose_nothing(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    let id = customers.create(new("SW1A 1AA")).await.unwrap().id;
    lookup.set(Mode::Answers);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8 {
        let customers = customers.clone();
        tasks.spawn(async move {
            let _ = customers.resolve_pending().await;
            let mut to = new(if n % 2 == 0 { "M1 1AE" } else { "SW1A 1AA" });
            to.name = format!("Ada {n}");
            customers.replace(id, to).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let customer = customers.get(id).await.unwrap();
    let district = if customer.postcode.to_string() == "M1 1AE" { "Manchester" } else { "Westminster" };
    assert_eq!(customer.check.admin_district.as_deref(), Some(district));
    // Created, eight times changed, and resolved once at most before the first change.
    assert!((9..=10).contains(&customer.revision), "{}", customer.revision);
}

async fn the_resolver_goes_on_through_failures_until_the_lookup_is_back(database: Database) {
    let (customers, lookup) = customers(&database, Mode::Fails(ErrorKind::Unavailable)).await;
    let customer = customers.create(new("SW1A 1AA")).await.unwrap();
    let resolver = tokio::spawn({
        let customers = customers.clone();
        async move { customers.keep_resolving(Duration::from_millis(5)).await }
    });
    while lookup.calls() < 5 {
        lookup.called.notified().await;
    }
    assert_eq!(customers.get(customer.id).await.unwrap(), customer);
    lookup.set(Mode::Answers);
    while customers.get(customer.id).await.unwrap().check.status == AddressStatus::Pending {
        tokio::task::yield_now().await;
    }
    // One that comes while all is well is resolved at once, not only when the time is round.
    lookup.set(Mode::Fails(ErrorKind::Timeout));
    let another = customers.create(new("M1 1AE")).await.unwrap();
    lookup.set(Mode::Answers);
    while customers.get(another.id).await.unwrap().check.status == AddressStatus::Pending {
        tokio::task::yield_now().await;
    }
    resolver.abort();
}

on_both! { crate::databases::Database::Memory;
    a_live_postcode_is_verified_and_its_place_filled_in,
    a_terminated_postcode_keeps_its_place,
    an_unknown_postcode_is_accepted_as_unknown,
    a_postcode_that_the_data_leaves_out_is_not_covered_until_other_data_knows_it,
    whatever_the_lookups_error_the_account_is_accepted_as_pending,
    a_silent_lookup_is_waited_for_no_longer_than_the_limit,
    no_postcode_is_no_customer,
    a_change_asks_again_only_if_the_postcode_changed_or_is_pending,
    who_is_not_there_is_not_found,
    all_pending_addresses_are_resolved_in_batches_when_the_lookup_is_back,
    one_postcode_that_the_lookup_stumbles_over_does_not_hold_up_the_others,
    an_address_that_changes_while_it_is_resolved_keeps_the_change,
    many_who_change_and_resolve_at_once_lose_nothing,
    the_resolver_goes_on_through_failures_until_the_lookup_is_back,
}
