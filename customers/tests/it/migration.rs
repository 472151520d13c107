//! A database with an earlier schema is updated with its data.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::sync::Arc;

use customers::{AddressKind, AddressStatus, Customers, Filter, Store};
use sqlx::migrate::Migrator;
use tempfile::TempDir;

use crate::databases::{Database, on_both};
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

/// The schema of the version before the newest migration, with accounts in it.
async fn accounts_of_the_version_before_are_there_and_sorted(database: Database) {
    const NEWEST: &str = "0060";
    let dir = TempDir::new().unwrap();
    let url = database.url();
    let kind = if url.starts_with("postgres") { "postgres" } else { "sqlite" };
    for entry in std::fs::read_dir(format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let file = entry.unwrap();
        if file.file_name().to_str().unwrap() < NEWEST {
            std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
    }
    let rows = r#"
        UPDATE places SET last = 3;
        INSERT INTO customers (seq, id, name, name_key, email, email_key, phone, notes, external_references,
                               next_address, revision, created_at, updated_at, deleted_at) VALUES
        (1, '018f0000-0000-7000-8000-000000000001', 'Zo\u{eb}', 'zoe', 'Z@example.com', 'z@example.com', '+442079460018',
         'Rings.', '[{"system":"crm","id":"7"}]', 3, 4, 1000, 9000, NULL),
        (2, '018f0000-0000-7000-8000-000000000002', 'Ada B', 'ada b', 'a@example.com', 'a@example.com', NULL, NULL,
         '[]', 2, 1, 2000, 2000, NULL),
        (3, '018f0000-0000-7000-8000-000000000003', 'Ada-A', 'ada-a', 'gone@example.com', 'gone@example.com', NULL,
         NULL, '[]', 2, 2, 3000, 4000, 4000);
        INSERT INTO addresses (customer, number, kind, postcode, postcode_key, outcode, address_lines, valid_from,
                               address_status, check_after, address_id, address_id_status) VALUES
        (1, 1, 'main', 'M1 1AE', 'M11AE', 'M1', '["1 High Street"]', NULL, 'unknown', NULL, 'udprn:7', 'listed'),
        (1, 2, 'billing', 'BT1 5GS', 'BT15GS', 'BT1', '["2 High Street"]', '2025-12-01', 'not_covered', 5, NULL, NULL),
        (2, 1, 'main', 'EH1 1YZ', 'EH11YZ', 'EH1', '["3 High Street"]', NULL, 'pending', 5, NULL, NULL),
        (3, 1, 'main', 'M1 1AE', 'M11AE', 'M1', '["4 High Street"]', NULL, 'unknown', NULL, NULL, NULL);
    "#
    .replace("\\u{eb}", "\u{eb}");
    let migrator = Migrator::new(dir.path().to_owned()).await.unwrap();
    if kind == "postgres" {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        migrator.run(&pool).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();
        pool.close().await;
    } else {
        let pool = sqlx::SqlitePool::connect(&format!("{url}?mode=rwc")).await.unwrap();
        migrator.run(&pool).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();
        pool.close().await;
    }

    let customers = Customers::new(database.open().await, Arc::new(lookups::country()));
    let names = async |sort: &str, deleted: bool| {
        let filter = Filter { sort: sort.parse().unwrap(), deleted, ..Filter::default() };
        let page = customers.search(&filter, 10, None).await.unwrap();
        assert_eq!(customers.count(&filter).await.unwrap().count, page.items.len());
        page.items.into_iter().map(|customer| customer.name).collect::<Vec<_>>()
    };
    assert_eq!(names("created", false).await, ["Zo\u{eb}", "Ada B"]);
    assert_eq!(names("name", false).await, ["Ada B", "Zo\u{eb}"]);
    assert_eq!(names("-email", false).await, ["Zo\u{eb}", "Ada B"]);
    assert_eq!(names("postcode", false).await, ["Ada B", "Zo\u{eb}"]);
    assert_eq!(names("-updated", true).await, ["Ada-A"]);
    let zoe = customers.list(1, None).await.unwrap().items.remove(0);
    assert_eq!(
        (zoe.revision, zoe.phone.as_deref(), zoe.notes.as_deref()),
        (4, Some("+442079460018"), Some("Rings."))
    );
    assert_eq!((zoe.references[0].id.as_str(), zoe.addresses.len()), ("7", 2));
    assert_eq!(zoe.addresses[1].check.status, AddressStatus::NotCovered);
    assert_eq!(zoe.link.unwrap().id.to_string(), "udprn:7");
    // The email of an account that exists is still taken, in any case.
    let rename = customers::CustomerPatch { email: Some("A@EXAMPLE.com".into()), ..Default::default() };
    assert!(customers.patch(zoe.id, rename).await.unwrap_err().to_string().contains("email"));
}

on_both! { crate::databases::Database::file();
    accounts_of_the_version_before_are_there_and_sorted,
}
