//! The store: order, pages, files, migrations, and concurrent writers.
#![allow(clippy::unwrap_used, clippy::panic)] // In a test it is the failure.

use std::collections::HashSet;
use std::sync::Arc;

use crate::databases::{Database, on_both};
use customers::{CustomerId, Customers, Error, NewCustomer, Page, Store};
use tempfile::TempDir;

use crate::lookups;

fn new(n: usize) -> NewCustomer {
    NewCustomer {
        name: format!("Customer {n} ☃ 'quoted\""),
        email: format!("c{n}@example.com"),
        postcode: "SW1A 1AA".into(),
        address_lines: vec![format!("{n} High Street"), "Zürich \\ \"flat\"".into()],
        ..NewCustomer::default()
    }
}

async fn open(url: &str) -> Customers {
    Customers::new(Store::open(url).await.unwrap(), Arc::new(lookups::country()))
}

fn file(dir: &TempDir) -> String {
    format!("sqlite://{}", dir.path().join("customers.db").display())
}

async fn all(customers: &Customers, limit: usize) -> Vec<CustomerId> {
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let page = customers.list(limit, from).await.unwrap();
        assert!(page.items.len() <= limit);
        ids.extend(page.items.iter().map(|customer| customer.id));
        match page.next {
            // The text form of a cursor works like the cursor.
            Some(next) => from = Some(next.to_string().parse().unwrap()),
            None => return ids,
        }
    }
}

async fn pages_hold_each_account_once_in_the_order_of_creation(database: Database) {
    let customers = open(&database.url()).await;
    assert_eq!(customers.list(10, None).await.unwrap().items, []);
    let mut ids = Vec::new();
    for n in 0..25 {
        ids.push(customers.create(new(n)).await.unwrap().id);
    }
    for limit in [1, 5, 7, 24, 25, 26, Page::MAX] {
        assert_eq!(all(&customers, limit).await, ids, "{limit}");
    }
    assert!(ids.is_sorted(), "ids begin with the time");
    for limit in [0, Page::MAX + 1, usize::MAX] {
        let error = customers.list(limit, None).await.unwrap_err();
        assert!(error.to_string().contains("give 1 to 1000"), "{error}");
    }
}

async fn what_is_made_changed_and_deleted_between_pages_moves_nothing(database: Database) {
    let customers = open(&database.url()).await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(customers.create(new(n)).await.unwrap().id);
    }
    let first = customers.list(3, None).await.unwrap();
    // The account at the cursor is deleted, one after it changes, and one is new.
    customers.delete(ids[2]).await.unwrap();
    customers.replace(ids[4], new(99)).await.unwrap();
    let newest = customers.create(new(6)).await.unwrap().id;
    let second = customers.list(3, first.next).await.unwrap();
    let third = customers.list(3, second.next).await.unwrap();
    let seen: Vec<_> = [second.items, third.items].concat().iter().map(|customer| customer.id).collect();
    assert_eq!(seen, [ids[3], ids[4], ids[5], newest]);

    // The last account's place is not given out again.
    customers.delete(newest).await.unwrap();
    let later = customers.create(new(7)).await.unwrap().id;
    assert_eq!(all(&customers, 2).await.last(), Some(&later));
}

async fn a_store_that_is_opened_again_holds_what_it_held(database: Database) {
    let customers = open(&database.url()).await;
    let kept = customers.create(new(1)).await.unwrap();
    drop(customers);
    // Open it again, also while it is still open: the schema is updated once.
    let again = open(&database.url()).await;
    assert_eq!(again.get(kept.id).await.unwrap(), kept);
    let third = Store::open(&database.url()).await.unwrap();
    let other = again.create(new(2)).await.unwrap();
    let third = Customers::new(third, Arc::new(lookups::country()));
    assert_eq!(all(&third, 10).await, [kept.id, other.id]);
}

/// Retries while the database is busy, and returns the answer.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    call: impl Fn(Customers) -> F,
    of: &Customers,
) -> T {
    loop {
        match call(of.clone()).await {
            Err(Error::Store(error)) if error.is_busy() => tokio::task::yield_now().await,
            answer => return answer.unwrap(),
        }
    }
}

async fn writers_at_once_in_one_process_and_in_two_lose_nothing(database: Database) {
    let (one, two) = (open(&database.url()).await, open(&database.url()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let customers = if n % 2 == 0 { one.clone() } else { two.clone() };
        tasks.spawn(async move {
            let create = |customers: Customers| async move { customers.create(new(n)).await };
            let customer = patiently(create, &customers).await;
            let id = customer.id;
            let read =
                patiently(|customers: Customers| async move { customers.get(id).await }, &customers).await;
            assert_eq!(read, customer, "read your own write");
            customer.id
        });
    }
    let made: HashSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!(made.len(), 200);
    let listed = all(&one, 33).await;
    assert_eq!(listed.len(), 200);
    assert_eq!(listed.into_iter().collect::<HashSet<_>>(), made);
}

on_both! { crate::databases::Database::file();
    pages_hold_each_account_once_in_the_order_of_creation,
    what_is_made_changed_and_deleted_between_pages_moves_nothing,
    a_store_that_is_opened_again_holds_what_it_held,
    writers_at_once_in_one_process_and_in_two_lose_nothing,
}

#[tokio::test]
async fn urls_and_files_that_are_none_of_ours_are_refused_with_the_reason() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("text.db"), "no database, but long enough to have a header to look at: ".repeat(100))
        .unwrap();
    let refused = [
        ("mysql://user:secret@localhost/db".to_owned(), "\"mysql\" is not supported"),
        // Nothing listens there.
        ("postgres://user:secret@127.0.0.1:1/db".to_owned(), "postgres at 127.0.0.1:1"),
        ("postgres://user:secret@127.0.0.1:port/db".to_owned(), "the database URL is wrong"),
        ("customers.db".to_owned(), "give sqlite://FILE"),
        (String::new(), "give sqlite://FILE"),
        ("sqlite:".to_owned(), "does not name a file"),
        ("sqlite://x.db?mode=odd".to_owned(), "odd"),
        (format!("sqlite://{}", path("no/such/folder.db")), "unable to open"),
        (format!("sqlite://{}", dir.path().display()), "unable to open"),
        (format!("sqlite://{}", path("text.db")), "not a database"),
    ];
    for (url, reason) in refused {
        let error = Store::open(&url).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{url}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let dir = TempDir::new().unwrap();
    drop(open(&file(&dir)).await);
    let pool = sqlx::SqlitePool::connect(&file(&dir)).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'newer', TRUE, X'00', 0)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    let error = Store::open(&file(&dir)).await.unwrap_err().to_string();
    assert!(error.contains("another version of this program"), "{error}");
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_refused() {
    let dir = TempDir::new().unwrap();
    open(&file(&dir)).await.create(new(1)).await.unwrap();
    let error = Store::open(&format!("{}?mode=ro", file(&dir))).await.unwrap_err().to_string();
    assert!(error.contains("readonly") && error.contains("customers.db"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_deleted_or_replaced_is_not_ready() {
    let dir = TempDir::new().unwrap();
    let customers = open(&file(&dir)).await;
    customers.ready().await.unwrap();
    let (path, aside) = (dir.path().join("customers.db"), dir.path().join("aside"));
    std::fs::rename(&path, &aside).unwrap();
    assert!(customers.ready().await.unwrap_err().to_string().contains("went away"));
    assert!(customers.create(new(1)).await.is_err(), "nobody would find it again");
    std::fs::write(&path, "").unwrap();
    assert!(customers.ready().await.unwrap_err().to_string().contains("was replaced"));
    std::fs::rename(&aside, &path).unwrap();
    customers.ready().await.unwrap();
}
