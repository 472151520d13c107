//! Transactions that leave no broken connection behind.
//!
//! sqlx's own don't work here: after SQLite has rolled a transaction back by itself (a full disk,
//! an I/O error, no memory), sqlx 0.9.0 still counts it, and its connection can never begin
//! another. The report is in `docs/reports/sqlx-sqlite-transaction-depth.md`.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Database, Error, Pool, Postgres, Result, Row, Sqlite};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long a rollback or a test may take before its connection is closed instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database with transactions, SQLite or PostgreSQL.
pub trait Transactional: Database {
    /// Starts a transaction that will write.
    const BEGIN: &'static str;

    /// Runs a statement without values and results.
    fn run(
        connection: &mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Returns whether a connection is outside of any transaction, when all that was sent on it has
    /// ended.
    fn is_idle(connection: &mut Self::Connection) -> impl Future<Output = Result<bool>> + Send;
}

impl Transactional for Sqlite {
    /// Takes the lock at once, and waits for it. A transaction that begins with a read would fail
    /// if another process has written in between.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    async fn run(connection: &mut Self::Connection, statement: &'static str) -> Result<()> {
        sqlx::raw_sql(statement).execute(connection).await.map(drop)
    }

    async fn is_idle(connection: &mut Self::Connection) -> Result<bool> {
        // The rollback of a dropped transaction is still in the driver's queue. This waits for it.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    }
}

impl Transactional for Postgres {
    const BEGIN: &'static str = "BEGIN";

    async fn run(connection: &mut Self::Connection, statement: &'static str) -> Result<()> {
        sqlx::raw_sql(statement).execute(connection).await.map(drop)
    }

    async fn is_idle(connection: &mut Self::Connection) -> Result<bool> {
        // The driver does not count a transaction whose `BEGIN` was cancelled, so the server is
        // asked. Within a transaction the first time is that of its beginning, and in a failed one
        // this is an error.
        let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(connection).await?;
        row.try_get(0)
    }
}

/// Statements that take effect together, or not at all if it is dropped before the commit.
///
/// The connection goes back to the pool only after a `COMMIT` or `ROLLBACK` that succeeded. In all
/// other cases the connection is closed, and the pool opens another one: an error, a panic, a
/// future that was dropped.
#[derive(Debug)]
pub struct Transaction<DB: Transactional> {
    /// `None` only while the transaction ends.
    open: Option<Unsettled<DB>>,
}

/// A connection in an unknown state of transaction. It is closed when dropped.
#[derive(Debug)]
struct Unsettled<DB: Transactional>(Option<PoolConnection<DB>>);

impl<DB: Transactional> Unsettled<DB> {
    async fn run(&mut self, statement: &'static str) -> Result<()> {
        match &mut self.0 {
            Some(connection) => DB::run(connection, statement).await,
            None => Err(Error::WorkerCrashed),
        }
    }

    /// Gives the connection back to the pool.
    fn settled(mut self) {
        drop(self.0.take());
    }
}

impl<DB: Transactional> Drop for Unsettled<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        if Handle::try_current().is_ok() {
            connection.close_on_drop();
        } else {
            // The runtime has ended, so nothing can be waited for.
            drop(connection.detach());
        }
    }
}

/// Begins a transaction that writes.
///
/// # Errors
/// If the pool has no connection in time, or the database does not begin.
pub async fn begin<DB: Transactional>(pool: &Pool<DB>) -> Result<Transaction<DB>> {
    let mut connection = Unsettled(Some(pool.acquire().await?));
    connection.run(DB::BEGIN).await?;
    Ok(Transaction { open: Some(connection) })
}

impl<DB: Transactional> Transaction<DB> {
    /// Makes everything permanent.
    ///
    /// # Errors
    /// If nothing was stored. After an error of the network or of the disk it may have been stored
    /// all the same.
    pub async fn commit(self) -> Result<()> {
        self.end("COMMIT").await
    }

    /// Undoes everything. Dropping does the same later, and reports no error.
    ///
    /// # Errors
    /// If the database does not answer. Nothing is stored then either.
    pub async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<()> {
        let Some(mut connection) = self.open.take() else { return Err(Error::WorkerCrashed) };
        connection.run(statement).await?;
        connection.settled();
        Ok(())
    }
}

impl<DB: Transactional> Drop for Transaction<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.open.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Ok(Ok(())) = timeout(PATIENCE, connection.run("ROLLBACK")).await {
                connection.settled();
            }
        });
    }
}

#[expect(clippy::expect_used, reason = "it is None only within `end` and `drop`, which take it by value")]
impl<DB: Transactional> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.open.as_ref().and_then(|open| open.0.as_deref()).expect("a transaction that has not ended")
    }
}

#[expect(clippy::expect_used, reason = "it is None only within `end` and `drop`, which take it by value")]
impl<DB: Transactional> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.open.as_mut().and_then(|open| open.0.as_deref_mut()).expect("a transaction that has not ended")
    }
}

/// Makes a pool close each connection that comes back in a transaction, instead of giving it to the
/// next caller.
///
/// For transactions that others begin on the pool, such as the library of the job queue and the
/// migrations.
pub fn replace_broken<DB: Transactional>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.after_release(|connection, _| {
        Box::pin(async move {
            // `false` and not the error: after an error the driver closes without a farewell, and over
            // TLS that waits for the server to write something (docs/reports). The pool would be short
            // of this place for as long as the server is quiet.
            Ok(matches!(timeout(PATIENCE, DB::is_idle(connection)).await, Ok(Ok(true))))
        })
    })
}
