//! Tests that must pass with any lookup over real data: compiled once, run against each.

use std::sync::Arc;

use customers::{AddressStatus, Customers, NewCustomer, Store};
use postcode_core::PostcodeLookup;

/// Postcodes that every dataset of the country agrees on.
const KNOWN: [(&str, AddressStatus, Option<&str>); 4] = [
    ("sw1a1aa", AddressStatus::Verified, Some("Westminster")),
    (" m1 1ae ", AddressStatus::Verified, Some("Manchester")),
    ("DN55 1PT", AddressStatus::Terminated, Some("Doncaster")),
    ("SW1A 9ZZ", AddressStatus::Unknown, None),
];

fn new(postcode: &str) -> NewCustomer {
    NewCustomer {
        name: "Ada".into(),
        // One email for each postcode, with or without its space.
        email: format!("{}@example.com", postcode.replace(' ', "")),
        postcode: postcode.into(),
        address_lines: vec!["1 High Street".into()],
        ..NewCustomer::default()
    }
}

/// Creates, reads, moves and lists customers whose postcodes this lookup checks.
pub(crate) async fn promises_hold(lookup: Arc<dyn PostcodeLookup>) {
    let customers = Customers::new(Store::open("sqlite::memory:").await.unwrap(), lookup);
    // A machine may be busier than any service's.
    let customers = customers.with_lookup_timeout(postcode_testing::GENEROUS);
    for (postcode, status, district) in KNOWN {
        let customer = customers.create(new(postcode)).await.unwrap();
        assert_eq!(customer.check.status, status, "{postcode}");
        assert_eq!(customer.check.admin_district.as_deref(), district, "{postcode}");
        assert_eq!(customer.check.country.as_deref(), district.map(|_| "England"), "{postcode}");
        assert_eq!(customer.check.latitude.is_some(), district.is_some(), "{postcode}");
        assert_eq!(customers.get(customer.id).await.unwrap(), customer);
    }

    let first = customers.list(1, None).await.unwrap();
    let moved = customers
        .replace(first.items[0].id, NewCustomer { email: "moved@example.com".into(), ..new("M1 1AE") })
        .await
        .unwrap();
    assert_eq!(moved.postcode.to_string(), "M1 1AE");
    assert_eq!(moved.check.admin_district.as_deref(), Some("Manchester"));
    assert_eq!(moved.check.region.as_deref(), Some("North West"));

    let rest = customers.list(10, first.next).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (KNOWN.len() - 1, None));

    customers.create(new("not a postcode")).await.unwrap_err();
    assert_eq!(customers.list(10, None).await.unwrap().items.len(), KNOWN.len());
}
