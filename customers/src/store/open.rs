//! From a URL to an open database with the schema of today.

use std::str::FromStr;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::Store;
use super::failure::{failed, migration, reason};
use super::file::DatabaseFile;
use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that read. The pages they want are mostly in memory: a few suffice.
const READERS: u32 = 4;

impl Store {
    /// Opens the database that a URL names, makes it if it is missing, and brings its schema up to date.
    ///
    /// - `sqlite://customers.db`, `sqlite:///var/lib/customers.db`: a file, relative or absolute
    /// - `sqlite::memory:`: none; gone when the last clone of the store is
    ///
    /// # Errors
    /// When the URL is none of these, the file can't be opened or is no database, or a newer version of
    /// this program has changed its schema.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        let path = options.get_filename().to_owned();
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let cannot = |error: sqlx::Error| {
            StoreError::new(format!("the database {url} can't be opened: {}", reason(&error)))
        };
        // A database in memory ends with its last connection.
        let keep = |pool: SqlitePoolOptions| {
            if in_memory { pool.min_connections(1).idle_timeout(None).max_lifetime(None) } else { pool }
        };
        let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
        let writer = keep(pool()).max_connections(1).connect_with(options.clone()).await.map_err(cannot)?;
        MIGRATIONS.run(&writer).await.map_err(|error| migration(url, error))?;
        writable(&writer).await.map_err(cannot)?;
        let readers = if in_memory {
            writer.clone()
        } else {
            pool().max_connections(READERS).connect_with(options.read_only(true)).await.map_err(cannot)?
        };
        let file = if in_memory { None } else { Some(DatabaseFile::of(&path)?) };
        Ok(Self { writer, readers, file })
    }

    /// Lets all work finish and closes the database. Not calling it loses nothing.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// What writes. Not to a file that has gone, where nobody would ever find it.
    pub(super) fn writer(&self) -> Result<&SqlitePool, StoreError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::check)?;
        Ok(&self.writer)
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        // Asked for first: it knows best what is wrong.
        let writer = self.writer()?;
        sqlx::query("SELECT 1 FROM customers LIMIT 1").fetch_optional(&self.readers).await.map_err(failed)?;
        writable(writer).await.map_err(failed)
    }
}

/// A write that changes nothing. Only beginning one would not do: SQLite begins to read instead, if it may not write.
async fn writable(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM customers WHERE 0").execute(writer).await.map(drop)
}

fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    // What stands before the password of a database with one is all that a message may show.
    let scheme = url.split(':').next().unwrap_or_default();
    if scheme != "sqlite" || scheme.len() == url.len() {
        return Err(StoreError::new(format!(
            "the database URL's scheme {scheme:?} is not supported: give sqlite://FILE, such as sqlite://customers.db"
        )));
    }
    if matches!(url, "sqlite:" | "sqlite://") {
        return Err(StoreError::new(format!(
            "{url:?} names no file: give one such as sqlite://customers.db"
        )));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::new(format!("the database URL {url:?} is wrong: {}", reason(&error))))?;
    Ok(options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered for outlives the process and the machine.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT))
}
