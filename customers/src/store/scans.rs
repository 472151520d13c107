//! Reads that may scan many rows: listings, histories, reports.
//!
//! They use separate connections, so that reads of one account never wait for them, and have a time
//! limit. SQLite is interrupted when it passes or when the caller stops waiting. PostgreSQL has a
//! `statement_timeout`.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::sqlite::SqliteConnection;

use super::database::{Pool, Row, Statement, Value, query, waited};
use super::failure::failed;
use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// SQLite's operations between two checks whether to continue: some microseconds.
const OPERATIONS: i32 = 2_000;

/// A pool of connections for such reads.
#[derive(Clone, Debug)]
pub(super) struct Scans {
    pub(super) pool: Pool,
    pub(super) limit: Duration,
    /// Whether these connections are used for nothing else, so that their work can be interrupted.
    pub(super) own: bool,
}

impl Scans {
    /// Returns all rows.
    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let take = |row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        };
        self.each(statement, take).await?;
        Ok(rows)
    }

    /// Reads row by row until the caller has enough.
    pub(super) async fn each(
        &self,
        statement: Statement,
        mut take: impl FnMut(Row) -> Result<ControlFlow<()>> + Send,
    ) -> Result<()> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                let _interrupted_on_drop = match self.own {
                    true => Some(Interrupt::after(self.limit, &mut connection).await.map_err(failed)?),
                    false => None,
                };
                let mut rows = query!(statement).fetch(&mut *connection);
                while let Some(row) = rows.try_next().await.map_err(|error| self.failed(error))? {
                    if take(Row::Sqlite(row))?.is_break() {
                        break;
                    }
                }
            }
            Pool::Postgres(pool) => {
                let mut connection = waited(pool.acquire()).await?.map_err(failed)?;
                let mut rows = query!(statement).fetch(&mut *connection);
                while let Some(row) = waited(rows.try_next()).await?.map_err(|error| self.failed(error))? {
                    if take(Row::Postgres(row))?.is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn failed(&self, error: sqlx::Error) -> StoreError {
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            // SQLITE_INTERRUPT and PostgreSQL's query_canceled.
            Some("9" | "57014") => StoreError::timeout(format!("a read took longer than {:?}", self.limit)),
            _ => failed(error),
        }
    }
}

/// Interrupts a connection's work when dropped.
struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Also interrupts after that time. Replaces the limit of the previous read.
    async fn after(limit: Duration, connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let dropped = Arc::new(AtomicBool::new(false));
        let (seen, end) = (dropped.clone(), Instant::now() + limit);
        let goes_on = move || !seen.load(Ordering::Relaxed) && Instant::now() < end;
        connection.lock_handle().await?.set_progress_handler(OPERATIONS, goes_on);
        Ok(Self(dropped))
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::Poll;

    use tempfile::TempDir;

    use super::super::database::sql;
    use crate::{CustomerId, Store};

    /// A query that never ends.
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

    async fn open(limit: std::time::Duration) -> (Store, TempDir) {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("customers.db").display());
        (Store::open_within(&url, limit).await.unwrap(), dir)
    }

    #[tokio::test]
    async fn read_that_takes_too_long_is_a_timeout() {
        let (store, _dir) = open(std::time::Duration::from_millis(10)).await;
        let error = store.scans.fetch(sql(ENDLESS)).await.err().unwrap();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(store.scans.fetch(sql("SELECT 1")).await.unwrap().len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn dropped_read_is_interrupted_and_frees_its_connection() {
        let (store, _dir) = open(HOUR).await;
        for _ in 0..10 {
            let mut endless = pin!(store.scans.fetch(sql(ENDLESS)));
            // Poll until it has a connection, and a few times more, so that it begins.
            let mut polls = 0;
            while polls < 100 {
                let poll =
                    std::future::poll_fn(|context| Poll::Ready(endless.as_mut().poll(context).is_ready()));
                assert!(!poll.await);
                let busy = store.scans.pool.size() as usize > store.scans.pool.idle();
                polls += usize::from(busy);
                tokio::task::yield_now().await;
            }
        }
        // Ten reads have begun on three connections. A read waits ten seconds for one and then
        // fails.
        for _ in 0..4 {
            assert_eq!(store.scans.fetch(sql("SELECT 1")).await.unwrap().len(), 1);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn read_by_id_does_not_wait_for_reads_of_many_rows() {
        let (store, _dir) = open(HOUR).await;
        let mut endless = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            endless.spawn(async move { store.scans.fetch(sql(ENDLESS)).await.is_ok() });
        }
        // Three reads have a connection, and five wait for one in vain.
        while store.scans.pool.idle() > 0 || store.scans.pool.size() < super::super::sqlite::SCANS {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            assert_eq!(store.get(CustomerId::generate()).await.unwrap(), None);
        }
        endless.shutdown().await;
    }
}
