//! Opens a database from its URL and updates its schema.

use std::time::Duration;

use postcode_database::FILLERS;

use super::database::{Pool, sql};
use super::file::DatabaseFile;
use super::{Store, postgres, sqlite};
use crate::error::StoreError;

impl Store {
    /// The default time limit for the read of one listing, history or report, see
    /// [`open_within`](Self::open_within).
    pub const READ_LIMIT: Duration = Duration::from_secs(10);

    /// Opens the database that a URL names, and updates its schema.
    ///
    /// - `sqlite://customers.db`, `sqlite:///var/lib/customers.db`: a file with a relative or
    ///   absolute path, created if missing
    /// - `sqlite::memory:`: a database in memory, gone when the last clone of the store is dropped
    /// - `postgres://user:password@host:5432/database`: PostgreSQL 12 or newer;
    ///   `?sslmode=verify-full` for TLS, for which this crate needs its feature `postgres-tls`
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use customers::Store;
    ///
    /// assert!(Store::open("sqlite::memory:").await.is_ok());
    /// let error = Store::open("customers.db").await.unwrap_err();
    /// assert!(error.to_string().contains("give sqlite://FILE"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the URL is not of these forms, the file can't be opened or is not a database, the
    /// server can't be reached or refuses the user, or a newer version of this program has changed
    /// its schema.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_within(url, Self::READ_LIMIT).await
    }

    /// Opens a database with another time limit for the read of one listing, history or report. A
    /// database in memory has no such limit.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use customers::Store;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let url = format!("sqlite://{}", folder.path().join("customers.db").display());
    /// assert_eq!(Store::READ_LIMIT, Duration::from_secs(10)); // that of `open`
    /// assert!(Store::open_within(&url, Duration::from_secs(60)).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_within(url: &str, read_limit: Duration) -> Result<Self, StoreError> {
        // Only the part before a password may appear in a message.
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => sqlite::open(url, read_limit).await?,
            Some("postgres" | "postgresql") => postgres::open(url, read_limit).await?,
            scheme => {
                return Err(StoreError::new(format!(
                    "the database URL's scheme {:?} is not supported: give sqlite://FILE, such as sqlite://customers.db, or \
                 postgres://USER@HOST/DATABASE",
                    scheme.unwrap_or_default()
                )));
            }
        };
        store.fold_names().await?;
        Ok(store)
    }

    /// Waits for all work to finish, and closes the database for all clones. Nothing is lost if you do not
    /// call it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # let lookup = postcode_core::MockPostcodeLookup::new();
    /// use customers::{Customers, Store};
    ///
    /// let store = Store::open("sqlite::memory:").await?;
    /// let customers = Customers::new(store.clone(), Arc::new(lookup));
    /// store.close().await;
    /// assert!(customers.ready().await.is_err()); // a clone is the same store
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        self.scans.pool.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Returns the pool for writes. Fails if the file has been deleted or replaced, where writes
    /// would be lost.
    pub(super) fn writer(&self) -> Result<&Pool, StoreError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::check)?;
        Ok(&self.writer)
    }

    /// Reads and writes like a change does: a read-only database is not ready.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        const WRITE: &str = "UPDATE readiness SET filler = CASE WHEN filler = $1 THEN $2 ELSE $1 END";
        // Get the writer first: its error is the most exact.
        let writer = self.writer()?;
        self.readers.fetch(sql("SELECT seq FROM customers LIMIT 1")).await?;
        let [one, other] = FILLERS;
        let write = sql(WRITE).bind(one).bind(other);
        self.readiness.check(async { writer.execute(write).await.map(drop) }).await
    }
}
