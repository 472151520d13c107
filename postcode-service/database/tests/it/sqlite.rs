//! An SQLite file that can't grow, at every page of a workload.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use postcode_database::{Cause, Transaction, begin, make_private, replace_broken};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Error, Result, Sqlite, SqlitePool};
use tempfile::TempDir;

/// Returns options for a database with at most that many pages.
fn options(path: &Path, pages: u32) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("max_page_count", pages.to_string())
}

async fn open(path: &Path, pages: u32, pool: PoolOptions<Sqlite>) -> SqlitePool {
    pool.max_connections(1).connect_with(options(path, pages)).await.unwrap()
}

const ROOM: u32 = 1_000_000;
const TABLE: &str = "CREATE TABLE t (n INTEGER PRIMARY KEY, filler TEXT NOT NULL) STRICT";

async fn insert(transaction: &mut Transaction<Sqlite>, n: i64) -> Result<()> {
    let statement = sqlx::query("INSERT INTO t (n, filler) VALUES ($1, $2)").bind(n);
    statement.bind("x".repeat(3_000)).execute(&mut **transaction).await.map(drop)
}

/// Three rows together.
async fn insert_three(pool: &SqlitePool, first: i64) -> Result<()> {
    let mut transaction = begin(pool).await?;
    for n in first..first + 3 {
        insert(&mut transaction, n).await?;
    }
    transaction.commit().await
}

async fn rows(pool: &SqlitePool) -> Vec<i64> {
    sqlx::query_scalar("SELECT n FROM t ORDER BY n").fetch_all(pool).await.unwrap()
}

async fn integrity(pool: &SqlitePool) -> String {
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_write_that_fails_at_any_page_loses_nothing_and_the_next_one_works() {
    let dir = TempDir::new().unwrap();
    let mut failures = 0;
    for pages in 2.. {
        let path = dir.path().join(format!("{pages}.db"));
        let pool = open(&path, ROOM, SqlitePoolOptions::new()).await;
        sqlx::query(TABLE).execute(&pool).await.unwrap();
        pool.close().await;

        let pool = open(&path, pages, replace_broken(SqlitePoolOptions::new())).await;
        let mut stored = Vec::new();
        let mut failed = false;
        for first in (0..60).step_by(3) {
            match insert_three(&pool, first).await {
                Ok(()) => stored.extend(first..first + 3),
                Err(error) => {
                    assert_eq!(Cause::of(&error), Cause::NoRoom, "{error}");
                    failed = true;
                }
            }
            assert_eq!(rows(&pool).await, stored, "what is full can be read");
        }
        // Only the connections that come now have more room.
        pool.set_connect_options(options(&path, ROOM));
        if failed {
            failures += 1;
            // The connection that is open now may fail once more, with the room that it knows of.
            if insert_three(&pool, 100).await.is_err() {
                insert_three(&pool, 100).await.unwrap();
            }
            stored.extend(100..103);
        }
        pool.close().await;
        let pool = open(&path, ROOM, SqlitePoolOptions::new()).await;
        assert_eq!((integrity(&pool).await.as_str(), rows(&pool).await), ("ok", stored));
        if !failed {
            break;
        }
    }
    assert!(failures > 40, "{failures}: a page a row, at least");
}

/// Shows the defect that [`begin`] works around. If this test fails, the driver has been fixed and
/// the workaround can go.
#[tokio::test]
async fn without_replacement_a_connection_of_the_driver_never_begins_again() {
    let dir = TempDir::new().unwrap();
    let (plain, guarded) = (SqlitePoolOptions::new(), replace_broken(SqlitePoolOptions::new()));
    for (name, pool, works) in [("plain.db", plain, false), ("guarded.db", guarded, true)] {
        let path = dir.path().join(name);
        let pool = open(&path, 4, pool).await;
        sqlx::query(TABLE).execute(&pool).await.unwrap();
        // Begin as a library does, without our `begin`.
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let fill = "INSERT INTO t (n, filler) VALUES (1, hex(zeroblob(100000)))";
        let error = sqlx::query(fill).execute(&mut *transaction).await.unwrap_err();
        assert_eq!(Cause::of(&error), Cause::NoRoom, "{error}");
        drop(transaction);
        pool.set_connect_options(options(&path, ROOM));
        match pool.begin_with("BEGIN IMMEDIATE").await {
            Ok(_) => assert!(works, "the driver is mended: {name}"),
            Err(error) => assert!(!works && matches!(error, Error::InvalidSavePointStatement), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_or_rolled_back_leaves_its_connection_usable() {
    let dir = TempDir::new().unwrap();
    let pool = open(&dir.path().join("t.db"), ROOM, replace_broken(SqlitePoolOptions::new())).await;
    sqlx::query(TABLE).execute(&pool).await.unwrap();
    // A temporary table is gone with its connection.
    sqlx::query("CREATE TEMP TABLE same (n)").execute(&pool).await.unwrap();
    let mut transaction = begin(&pool).await.unwrap();
    insert(&mut transaction, 1).await.unwrap();
    assert_eq!(insert(&mut transaction, 1).await.map_err(|error| Cause::of(&error)), Err(Cause::Other));
    drop(transaction);
    let mut transaction = begin(&pool).await.unwrap();
    insert(&mut transaction, 2).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(rows(&pool).await.is_empty());
    sqlx::query("SELECT * FROM same").fetch_all(&pool).await.unwrap();
}

#[tokio::test]
async fn a_commit_or_begin_that_is_cancelled_blocks_nobody() {
    let dir = TempDir::new().unwrap();
    let pool = open(&dir.path().join("t.db"), ROOM, replace_broken(SqlitePoolOptions::new())).await;
    sqlx::query(TABLE).execute(&pool).await.unwrap();
    for n in 0..200 {
        let mut transaction = begin(&pool).await.unwrap();
        insert(&mut transaction, n).await.unwrap();
        // Polled a few times, and dropped wherever it is then.
        let mut commit = Box::pin(transaction.commit());
        for _ in 0..n % 5 {
            let _ =
                std::future::poll_fn(|cx| std::task::Poll::Ready(commit.as_mut().poll(cx).is_ready())).await;
            tokio::task::yield_now().await;
        }
        drop(commit);
        let mut begun = Box::pin(begin(&pool));
        let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(begun.as_mut().poll(cx).is_ready())).await;
        drop(begun);
    }
    insert_three(&pool, 1_000).await.unwrap();
    assert_eq!(integrity(&pool).await, "ok");
    assert!(rows(&pool).await.ends_with(&[1_000, 1_001, 1_002]));
}

#[tokio::test]
async fn a_private_file_and_what_sqlite_puts_next_to_it_are_for_the_owner_only() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("t.db");
    make_private(&path).unwrap();
    make_private(&path).unwrap();
    let pool = open(&path, ROOM, SqlitePoolOptions::new()).await;
    sqlx::query(TABLE).execute(&pool).await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        files += 1;
    }
    assert_eq!(files, 3, "the database, -wal and -shm");
    assert!(make_private(&dir.path().join("no/folder.db")).is_err());
}
