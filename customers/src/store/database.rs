//! A common interface to SQLite and PostgreSQL: SQL that both understand, with `$1` for the first
//! value.
//!
//! sqlx's `Any` does not work here: it (0.9.0) sends a missing double as a `float4`, and PostgreSQL
//! then refuses the next double in the same prepared statement. Nor can it set options such as
//! SQLite's journal mode.

use std::future::Future;
use std::time::Duration;

use postcode_database::begin;
use sqlx::postgres::{PgPool, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, SqlStr, Type};

use super::failure::failed;
use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// The time limit of one answer from PostgreSQL, in case the network loses it. The server gives up
/// earlier.
const ANSWER: Duration = Duration::from_secs(45);

/// A pool of connections to a database.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction. Dropping it without a commit rolls it back.
pub(super) enum Transaction {
    Sqlite(postcode_database::Transaction<Sqlite>),
    Postgres(postcode_database::Transaction<Postgres>),
}

/// One row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A value for a placeholder such as `$1`.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Real(Option<f64>),
}

/// A statement and its values.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: SqlStr,
    pub(super) values: Vec<Value>,
}

/// Creates a statement from a constant text.
pub(super) fn sql(text: &'static str) -> Statement {
    Statement { sql: SqlStr::from_static(text), values: Vec::new() }
}

impl Statement {
    /// Creates a statement from texts of this program. Data from callers must be among the values.
    pub(super) fn composed(text: String, values: Vec<Value>) -> Self {
        Self { sql: sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text)), values }
    }

    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(Some(number))
    }
}

impl From<Option<f64>> for Value {
    fn from(number: Option<f64>) -> Self {
        Self::Real(number)
    }
}

/// Builds the driver's query for a statement, for either driver.
macro_rules! query {
    ($statement:expr) => {{
        let Statement { sql, values } = $statement;
        values.into_iter().fold(sqlx::query(sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
        })
    }};
}
pub(super) use query;

/// Awaits SQLite, which runs on this machine and has a separate time limit.
async fn in_time<T>(answer: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    waited(answer).await?.map_err(failed)
}

/// Awaits PostgreSQL within the time limit.
pub(super) async fn waited<T>(answer: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(ANSWER, answer)
        .await
        .map_err(|_| StoreError::unavailable(format!("PostgreSQL gave no answer within {ANSWER:?}")))
}

impl Pool {
    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite(pool) => {
                let rows = query!(statement).fetch_all(pool).await.map_err(failed)?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                let rows = in_time(query!(statement).fetch_all(pool)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs one statement in a transaction and returns how many rows it changed.
    pub(super) async fn execute(&self, statement: Statement) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let changed = transaction.execute(statement).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    pub(super) async fn begin(&self) -> Result<Transaction> {
        Ok(match self {
            Self::Sqlite(pool) => Transaction::Sqlite(begin(pool).await.map_err(failed)?),
            Self::Postgres(pool) => Transaction::Postgres(in_time(begin(pool)).await?),
        })
    }

    /// Returns the number of open connections.
    #[cfg(test)]
    pub(super) fn size(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.size(),
            Self::Postgres(pool) => pool.size(),
        }
    }

    /// Returns the number of idle connections.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        match self {
            Self::Sqlite(pool) => pool.num_idle(),
            Self::Postgres(pool) => pool.num_idle(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    pub(super) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let rows = query!(statement).fetch_all(&mut **transaction).await.map_err(failed)?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let rows = in_time(query!(statement).fetch_all(&mut **transaction)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs one statement and returns how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                query!(statement).execute(&mut **transaction).await.map_err(failed)?.rows_affected()
            }
            Self::Postgres(transaction) => {
                in_time(query!(statement).execute(&mut **transaction)).await?.rows_affected()
            }
        })
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await.map_err(failed),
            Self::Postgres(transaction) => in_time(transaction.commit()).await,
        }
    }
}

impl Row {
    pub(super) fn get<T>(&self, column: &str) -> Result<T>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => sqlx::Row::try_get(row, column).map_err(failed),
            Self::Postgres(row) => sqlx::Row::try_get(row, column).map_err(failed),
        }
    }
}
