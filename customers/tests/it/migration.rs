//! A database with the first schema is updated with its data.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;

use customers::{AddressKind, AddressStatus, Customers, Store};
use sqlx::migrate::Migrator;
use tempfile::TempDir;

use crate::lookups;

/// The rows that the first version stored.
const ROWS: &str = r#"
    INSERT INTO customers (seq, id, name, email, postcode, address_lines, address_status, admin_district, region,
                           country, latitude, longitude, check_after, revision, created_at, updated_at)
    VALUES
    (1, '018f0000-0000-7000-8000-000000000001', 'Ada', 'Ada@example.com', 'SW1A 1AA', '["The Palace","London"]',
     'verified', 'Westminster', 'London', 'England', 51.501009, -0.141588, NULL, 3, 1000, 2000),
    (2, '018f0000-0000-7000-8000-000000000002', 'Grace', 'ada@EXAMPLE.com', 'M1 1AE', '["1 High Street"]',
     'pending', NULL, NULL, NULL, NULL, NULL, 5, 1, 3000, 3000),
    (9, '018f0000-0000-7000-8000-000000000009', 'Gone', 'gone@example.com', 'M1 1AE', '["1 High Street"]',
     'unknown', NULL, NULL, NULL, NULL, NULL, NULL, 1, 4000, 4000);
    DELETE FROM customers WHERE seq = 9;
"#;

#[tokio::test]
async fn accounts_of_the_first_schema_are_there_and_go_on() {
    let dir = TempDir::new().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("customers.db").display());
    let first = dir.path().join("migrations");
    std::fs::create_dir(&first).unwrap();
    let name = "0001_customers.sql";
    std::fs::copy(format!("{}/migrations/sqlite/{name}", env!("CARGO_MANIFEST_DIR")), first.join(name))
        .unwrap();
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    Migrator::new(first).await.unwrap().run(&pool).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    pool.close().await;

    let customers = Customers::new(Store::open(&url).await.unwrap(), Arc::new(lookups::country()));
    let page = customers.list(10, None).await.unwrap();
    let [ada, grace] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!((ada.name.as_str(), ada.email.as_str(), ada.revision), ("Ada", "Ada@example.com", 3));
    assert_eq!(ada.address_lines, ["The Palace", "London"]);
    assert_eq!((ada.check.status, ada.check.latitude), (AddressStatus::Verified, Some(51.501009)));
    assert_eq!((ada.created_at.as_microsecond(), ada.updated_at.as_microsecond()), (1000, 2000));
    assert_eq!((ada.addresses.len(), ada.addresses[0].id, ada.addresses[0].kind), (1, 1, AddressKind::Main));

    // The pending address is still resolved.
    assert_eq!(grace.check.status, AddressStatus::Pending);
    assert_eq!(customers.resolve_pending().await.unwrap(), 1);
    let grace = customers.get(grace.id).await.unwrap();
    assert_eq!(grace.check.admin_district.as_deref(), Some("Manchester"));

    // A duplicate email was allowed then. It stays until its second owner changes it.
    assert!(grace.email.eq_ignore_ascii_case(&ada.email));
    let renamed = customers::CustomerPatch { name: Some("G".into()), ..Default::default() };
    assert!(customers.patch(grace.id, renamed.clone()).await.unwrap_err().to_string().contains("email"));
    let moved = customers::CustomerPatch { email: Some("grace@example.com".into()), ..renamed };
    customers.patch(grace.id, moved).await.unwrap();

    // The place of an account that was deleted is not given out again.
    let new = customers::NewCustomer {
        name: "New".into(),
        email: "new@example.com".into(),
        postcode: "M1 1AE".into(),
        address_lines: vec!["1".into()],
        ..Default::default()
    };
    let cursor = "a9".parse().unwrap();
    let new = customers.create(new).await.unwrap();
    assert_eq!(customers.list(10, Some(cursor)).await.unwrap().items, [new]);
}
