//! Accounts in an SQLite file.

use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postcode_database::{Readiness, make_private, replace_broken};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::database::{Pool, sql};
use super::failure::{migration, reason};
use super::file::DatabaseFile;
use super::{Scans, Store};
use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long to wait for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections for reads by index. A few are enough, because the pages are mostly in memory.
const READERS: u32 = 2;
/// Connections that may scan many rows.
pub(super) const SCANS: u32 = 3;
/// Rows that such a connection reads ahead: handing over single rows costs more than reading them.
const READ_AHEAD: usize = 1_000;

pub(super) async fn open(url: &str, read_limit: Duration) -> Result<Store, StoreError> {
    let options = options(url)?;
    let path = options.get_filename().to_owned();
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let cannot = |error: sqlx::Error| {
        StoreError::new(format!("the database {url} can't be opened: {}", reason(&error)))
    };
    if !in_memory && !url.contains("mode=ro") {
        make_private(&path).map_err(|error| {
            StoreError::new(format!("the database {url} can't be opened: unable to open the file: {error}"))
        })?;
    }
    // A database in memory ends with its last connection. This one is never used, so never
    // replaced.
    let keeper = if in_memory { Some(options.connect().await.map_err(cannot)?) } else { None };
    let keeper = keeper.map(|connection| Arc::new(Mutex::new(connection)));
    let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
    // One connection: SQLite has one writer at a time, and the pool's queue is fair.
    let writer: SqlitePool =
        replace_broken(pool().max_connections(1)).connect_with(options.clone()).await.map_err(cannot)?;
    MIGRATIONS.run(&writer).await.map_err(|error| migration(url, error))?;
    let (readers, scans) = if in_memory {
        (writer.clone(), writer.clone())
    } else {
        let options = options.read_only(true);
        let readers = pool().max_connections(READERS).connect_with(options.clone()).await.map_err(cannot)?;
        (readers, pool().max_connections(SCANS).connect_lazy_with(options.row_buffer_size(READ_AHEAD)))
    };
    let scans = Scans { pool: Pool::Sqlite(scans), limit: read_limit, own: !in_memory };
    let writer = Pool::Sqlite(writer);
    writer
        .execute(sql("DELETE FROM customers WHERE 1 = 0"))
        .await
        .map_err(|error| StoreError::new(format!("the database {url} can't be written: {error}")))?;
    let file = if in_memory { None } else { Some(DatabaseFile::of(&path)?) };
    Ok(Store {
        writer,
        readers: Pool::Sqlite(readers),
        scans,
        file,
        readiness: Readiness::default(),
        _keeper: keeper,
    })
}

fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    if matches!(url, "sqlite:" | "sqlite://") {
        return Err(StoreError::new(format!(
            "{url:?} does not name a file: give one such as sqlite://customers.db"
        )));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::new(format!("the database URL {url:?} is wrong: {}", reason(&error))))?;
    Ok(options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged commit survives a crash of the process and of the machine.
        .synchronous(SqliteSynchronous::Full)
        // Overwrite erased data, not only unlink it.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT))
}
