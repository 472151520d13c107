//! From a URL to an open database with the schema of today.

use std::time::Duration;

use postcode_database::FILLERS;

use super::database::{Pool, sql};
use super::file::DatabaseFile;
use super::{Store, postgres, sqlite};
use crate::error::StoreError;

impl Store {
    /// How long one listing, history or report may take to read, unless [said otherwise](Self::open_within).
    pub const READ_LIMIT: Duration = Duration::from_secs(10);

    /// Opens the database that a URL names, and brings its schema up to date.
    ///
    /// - `sqlite://customers.db`, `sqlite:///var/lib/customers.db`: a file, relative or absolute, made if it is missing
    /// - `sqlite::memory:`: none; gone when the last clone of the store is
    /// - `postgres://user:password@host:5432/database`: PostgreSQL 12 or newer; `?sslmode=verify-full` for TLS, for which
    ///   this crate needs its feature `postgres-tls`
    ///
    /// # Errors
    /// When the URL is none of these, the file can't be opened or is no database, the server can't be reached or refuses
    /// the user, or a newer version of this program has changed its schema.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_within(url, Self::READ_LIMIT).await
    }

    /// The same with another limit to how long one listing, history or report may take to read. A database in memory has
    /// none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_within(url: &str, read_limit: Duration) -> Result<Self, StoreError> {
        // What stands before the password of a database with one is all that a message may show.
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => sqlite::open(url, read_limit).await,
            Some("postgres" | "postgresql") => postgres::open(url, read_limit).await,
            scheme => Err(StoreError::new(format!(
                "the database URL's scheme {:?} is not supported: give sqlite://FILE, such as sqlite://customers.db, or \
                 postgres://USER@HOST/DATABASE",
                scheme.unwrap_or_default()
            ))),
        }
    }

    /// Lets all work finish and closes the database. Not calling it loses nothing.
    pub async fn close(&self) {
        self.scans.pool.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// What writes. Not to a file that has gone, where nobody would ever find it.
    pub(super) fn writer(&self) -> Result<&Pool, StoreError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::check)?;
        Ok(&self.writer)
    }

    /// Reads, and writes as every change does: what can be read only is not ready.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        const WRITE: &str = "UPDATE readiness SET filler = CASE WHEN filler = $1 THEN $2 ELSE $1 END";
        // Asked for first: it knows best what is wrong.
        let writer = self.writer()?;
        self.readers.fetch(sql("SELECT seq FROM customers LIMIT 1")).await?;
        let [one, other] = FILLERS;
        let write = sql(WRITE).bind(one).bind(other);
        self.readiness.check(async { writer.execute(write).await.map(drop) }).await
    }
}
