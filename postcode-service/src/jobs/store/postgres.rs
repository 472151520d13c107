//! PostgreSQL: for several servers and workers.

use std::time::Duration;

use apalis::prelude::Task;
use apalis_postgres::{Config, PostgresStorage};
use postcode_database::replace_broken;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{Error, Turn};

#[path = "on/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "the same statements for the other database")]
mod on;

pub(super) type Db = sqlx::Postgres;
pub(super) type Pool = sqlx::PgPool;
pub(super) type Tx = postcode_database::Transaction<Db>;
pub(super) type Storage<T> = PostgresStorage<T>;

const CONNECTIONS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) mod sql {
    pub(in super::super) const SET_BACK: &str = "UPDATE apalis.jobs SET priority = CASE WHEN priority > $1::bigint - $2::bigint \
        THEN $1::bigint ELSE priority + $2::bigint END WHERE job_type = $3 AND status <> 'Done'";
    pub(in super::super) const LOST: &str = "SELECT p.job, p.number, COALESCE(p.task, ''), j.tenant, j.priority FROM job_parts p \
        JOIN postcode_jobs j ON j.id = p.job WHERE j.state IN ('queued', 'running') AND j.touched_at < $1 \
        AND p.number < j.next_part AND p.output IS NULL AND NOT EXISTS (SELECT 1 FROM apalis.jobs t WHERE t.id = p.task \
        AND (t.status IN ('Pending', 'Queued', 'Running') OR (t.status = 'Failed' AND t.attempts < t.max_attempts))) \
        LIMIT 100";
    pub(in super::super) const CLEAR_TASKS: &str = "DELETE FROM apalis.jobs WHERE job_type IN ($1, $2) \
        AND done_at < to_timestamp($3::bigint) \
        AND (status IN ('Done', 'Killed') OR (status = 'Failed' AND attempts >= max_attempts))";
    pub(in super::super) const CLEAR_WORKERS: &str = "DELETE FROM apalis.workers w WHERE worker_type IN ($1, $2) \
        AND last_seen < to_timestamp($3::bigint) AND NOT EXISTS (SELECT 1 FROM apalis.jobs t WHERE t.lock_by = w.id)";
    pub(in super::super) const SHRINK: Option<&str> = None;
}

pub(super) async fn open(url: &str) -> Result<on::Database, Error> {
    let options: PgConnectOptions = url.parse()?;
    let options =
        options.options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")]);
    let pool = replace_broken(PgPoolOptions::new())
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await?;
    migrate(PostgresStorage::migrations(), &pool).await?;
    let mut own = sqlx::migrate!("migrations/postgres");
    own.dangerous_set_table_name(on::MIGRATIONS);
    migrate(own, &pool).await?;
    Ok(on::Database::new(pool))
}

async fn migrate(migrator: sqlx::migrate::Migrator, pool: &Pool) -> Result<(), Error> {
    Ok(migrator.run(pool).await?)
}

pub(super) async fn push(tx: &mut Tx, queue: &str, task: Task<Vec<u8>>) -> Result<(), Error> {
    let pushed = apalis_postgres::queries::push_tasks(&mut **tx, queue, vec![task]).await;
    pushed.map_err(|e| match e {
        apalis_postgres::Error::Database(e) => Error::Database(e),
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
    PostgresStorage::new(pool).with_config(config)
}

/// Converts milliseconds to a time of the queue's tables.
pub(super) fn queue_time(millis: i64) -> i64 {
    millis / 1_000
}
