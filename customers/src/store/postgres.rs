//! Accounts in PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use postcode_database::Readiness;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};

use super::database::Pool;
use super::failure::{migration, reason};
use super::{Scans, Store};
use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a first connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The time limit for updating the schema, including the wait for another process that does it.
const MIGRATE: Duration = Duration::from_secs(600);
/// How long to wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// The server's time limit for one statement and for an idle transaction, unless the URL sets
/// another.
const STATEMENT: &str = "30s";
/// The most connections: few enough for many processes to share a server with a hundred.
const CONNECTIONS: u32 = 6;
/// Extra connections for reads that may scan many rows.
const SCANS: u32 = 3;

pub(super) async fn open(url: &str, read_limit: Duration) -> Result<Store, StoreError> {
    // Keep the URL and the options out of every message: they may contain a password.
    let mut options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::new(format!("the database URL is wrong: {}", reason(&error))))?;
    if !url.contains("application_name") {
        options = options.application_name("customers");
    }
    let place = format!("postgres at {}:{}", options.get_host(), options.get_port());
    migrate(&options, &place).await?;
    for limit in ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"] {
        if !url.contains(limit) {
            options = options.options([(limit, STATEMENT)]);
        }
    }
    let pool = |connections: u32, options: PgConnectOptions| {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            // A connection that the server has closed is replaced, not used.
            .test_before_acquire(true)
            .connect_lazy_with(options);
        Pool::Postgres(pool)
    };
    let mut scanning = options.clone();
    if !url.contains("statement_timeout") {
        scanning = scanning.options([("statement_timeout", format!("{}ms", read_limit.as_millis().max(1)))]);
    }
    let scans = Scans { pool: pool(SCANS, scanning), limit: read_limit, own: true };
    let pool = pool(CONNECTIONS, options);
    Ok(Store {
        writer: pool.clone(),
        readers: pool,
        scans,
        file: None,
        readiness: Readiness::default(),
        _keeper: None,
    })
}

/// Uses a separate connection: it fails at once with the cause, where a pool would retry, and has
/// more time.
async fn migrate(options: &PgConnectOptions, place: &str) -> Result<(), StoreError> {
    let cannot =
        |reason: String| StoreError::unavailable(format!("the database ({place}) can't be opened: {reason}"));
    let mut connection = match tokio::time::timeout(CONNECT, PgConnection::connect_with(options)).await {
        Ok(connection) => connection.map_err(|error| cannot(reason(&error)))?,
        Err(_) => return Err(cannot(format!("it does not answer within {CONNECT:?}"))),
    };
    match tokio::time::timeout(MIGRATE, MIGRATIONS.run(&mut connection)).await {
        Ok(done) => done.map_err(|error| migration(place, error))?,
        Err(_) => return Err(cannot(format!("its schema was not brought up to date within {MIGRATE:?}"))),
    }
    // The work is done, so an error on closing does not matter.
    let _ = tokio::time::timeout(CONNECT, connection.close()).await;
    Ok(())
}
