//! SQLite: one file, for one machine.

use std::path::Path;
use std::time::Duration;

use apalis::prelude::Task;
use apalis_sqlite::{Config, SqliteStorage};
use postcode_database::{make_private, replace_broken};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Error, Turn};

#[path = "on/mod.rs"]
mod on;

pub(super) type Db = sqlx::Sqlite;
pub(super) type Pool = sqlx::SqlitePool;
pub(super) type Tx = postcode_database::Transaction<Db>;
pub(super) type Storage<T> = SqliteStorage<T>;

/// How long a connection waits for another that writes.
const BUSY: Duration = Duration::from_secs(30);
const CONNECTIONS: u32 = 8;

pub(super) mod sql {
    pub(in super::super) const SET_BACK: &str = "UPDATE Jobs SET priority = CASE WHEN priority > $1 - $2 \
        THEN $1 ELSE priority + $2 END WHERE job_type = $3 AND status <> 'Done'";
    pub(in super::super) const LOST: &str = "SELECT p.job, p.number, COALESCE(p.task, ''), j.tenant, j.priority FROM job_parts p \
        JOIN postcode_jobs j ON j.id = p.job WHERE j.state IN ('queued', 'running') AND j.touched_at < $1 \
        AND p.number < j.next_part AND p.output IS NULL AND NOT EXISTS (SELECT 1 FROM Jobs t WHERE t.id = p.task \
        AND (t.status IN ('Pending', 'Queued', 'Running') OR (t.status = 'Failed' AND t.attempts < t.max_attempts))) \
        LIMIT 100";
    pub(in super::super) const CLEAR_TASKS: &str = "DELETE FROM Jobs WHERE job_type IN ($1, $2) AND done_at < $3 \
        AND (status IN ('Done', 'Killed') OR (status = 'Failed' AND attempts >= max_attempts))";
    pub(in super::super) const CLEAR_WORKERS: &str = "DELETE FROM Workers WHERE worker_type IN ($1, $2) \
        AND last_seen < $3 AND NOT EXISTS (SELECT 1 FROM Jobs t WHERE t.lock_by = Workers.id)";
    /// Returns the space of deleted rows to the disk, some at a time.
    pub(in super::super) const SHRINK: Option<&str> = Some("PRAGMA incremental_vacuum(4096)");
}

pub(super) async fn open(path: &Path) -> Result<on::Database, Error> {
    make_private(path).map_err(|e| Error::Database(e.into()))?;
    // FULL: an acknowledged commit survives a crash of the machine.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let pool = replace_broken(SqlitePoolOptions::new())
        .max_connections(CONNECTIONS)
        .acquire_timeout(BUSY)
        .connect_with(options)
        .await?;
    // Not its `setup`, which would take the durability away.
    migrate(SqliteStorage::migrations(), &pool).await?;
    let mut own = sqlx::migrate!("migrations/sqlite");
    own.dangerous_set_table_name(on::MIGRATIONS);
    migrate(own, &pool).await?;
    Ok(on::Database::new(pool))
}

async fn migrate(migrator: sqlx::migrate::Migrator, pool: &Pool) -> Result<(), Error> {
    // SQLite has no lock for migrations: another process may be updating the same file, and the
    // second of the two finds the version already applied. Each version is one transaction, so the
    // second can continue from there.
    for _ in 0..5 {
        if migrator.run(pool).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    Ok(migrator.run(pool).await?)
}

pub(super) async fn push(tx: &mut Tx, queue: &str, task: Task<Vec<u8>>) -> Result<(), Error> {
    let pushed = apalis_sqlite::queries::push_tasks(&mut **tx, queue, &[task]).await;
    pushed.map_err(|e| match e {
        apalis_sqlite::Error::Database(e) => Error::Database(e),
        other => Error::Queue(other.to_string()),
    })
}

pub(super) fn storage<T>(pool: &Pool, queue: &str, turn: &Turn) -> Storage<T> {
    let config = Config::default()
        .queue(queue)
        .batch_size(1)
        .lock_tasks(false)
        .heartbeat_interval(on::heartbeat(turn))
        .missed_heartbeats(on::MISSED);
    SqliteStorage::new(pool).with_config(config)
}

/// Converts milliseconds to a time of the queue's tables.
pub(super) fn queue_time(millis: i64) -> i64 {
    millis / 1_000
}
