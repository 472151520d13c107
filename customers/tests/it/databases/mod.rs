//! The databases that a test is run on: one body, both of them.
#![allow(dead_code, unused_macros, unused_imports, unreachable_pub)] // Each test program uses what it needs.

use customers::Store;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// The address of PostgreSQL, if there is one, as in CI.
pub const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A database of one test's own; gone with it.
pub enum Database {
    Memory,
    File(TempDir),
    /// The name of the schema.
    Postgres(String),
}

impl Database {
    pub fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    /// Creates a schema in PostgreSQL; `None` without PostgreSQL, which fails in CI only.
    pub async fn postgres() -> Option<Self> {
        let mut connection = match PgConnection::connect(POSTGRES).await {
            Ok(connection) => connection,
            Err(error) => {
                postcode_testing::skip(format_args!("no PostgreSQL at {POSTGRES}: {error}"));
                return None;
            }
        };
        let name = format!("customers_{}", uuid::Uuid::now_v7().simple());
        execute(&mut connection, format!("CREATE SCHEMA {name}")).await;
        connection.close().await.unwrap();
        Some(Self::Postgres(name))
    }

    /// Returns the URL: the same database each time, except in memory.
    pub fn url(&self) -> String {
        match self {
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::File(dir) => format!("sqlite://{}", dir.path().join("customers.db").display()),
            // Test data does not have to survive a power cut.
            Self::Postgres(schema) => {
                format!(
                    "{POSTGRES}?options[search_path]={schema}&options[synchronous_commit]=off&application_name={schema}"
                )
            }
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }
}

async fn execute(connection: &mut PgConnection, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

impl Drop for Database {
    /// Drops the database on a separate thread and runtime, because a failed test drops it too,
    /// inside its runtime.
    fn drop(&mut self) {
        let Self::Postgres(schema) = self else { return };
        let schema = std::mem::take(schema);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(POSTGRES).await.map_err(std::io::Error::other)?;
                // An open transaction of the test would block this.
                let statement = format!(
                    "SET lock_timeout = '30s'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE application_name = '{schema}'; DROP SCHEMA {schema} CASCADE"
                );
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await;
                done.map(drop).map_err(std::io::Error::other)
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            println!("the schema was not dropped: {error}");
        }
    }
}

/// Makes two tests of each of these functions, which take a [`Database`].
macro_rules! on_both {
    ($sqlite:expr; $($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(database) = crate::databases::Database::postgres().await {
                    super::$test(database).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;
