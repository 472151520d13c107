//! PostgreSQL: a connection in a failed transaction never goes back to the pool.

use postcode_database::{Cause, begin, replace_broken};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

const SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// Creates a pool of one connection.
async fn pool() -> Option<PgPool> {
    match replace_broken(PgPoolOptions::new()).max_connections(1).connect(SERVER).await {
        Ok(pool) => Some(pool),
        Err(error) => {
            postcode_testing::skip(format_args!("no PostgreSQL at {SERVER}: {error}"));
            None
        }
    }
}

async fn backend(pool: &PgPool) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_statement_that_fails_leaves_a_connection_that_is_rolled_back() {
    let Some(pool) = pool().await else { return };
    let before = backend(&pool).await;
    for _ in 0..3 {
        let mut transaction = begin(&pool).await.unwrap();
        let failed = sqlx::query("SELECT 1 / 0").execute(&mut *transaction).await.unwrap_err();
        assert_eq!(Cause::of(&failed), Cause::Other);
        drop(transaction);
        let mut transaction = begin(&pool).await.unwrap();
        sqlx::query("SELECT 1").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!(backend(&pool).await, before, "the rollback worked, so it is the same connection");
}

#[tokio::test]
async fn a_commit_that_fails_replaces_the_connection() {
    let Some(pool) = pool().await else { return };
    let before = backend(&pool).await;
    let mut transaction = begin(&pool).await.unwrap();
    for statement in [
        "CREATE TEMP TABLE t (n INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP",
        "INSERT INTO t VALUES (1), (1)",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap_err();
    let mut transaction = begin(&pool).await.unwrap();
    sqlx::query("SELECT 1").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_ne!(backend(&pool).await, before);
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    let (Some(pool), Some(other)) = (pool().await, pool().await) else { return };
    for commits in [true, false] {
        let before = backend(&pool).await;
        let mut transaction = begin(&pool).await.unwrap();
        sqlx::query("SELECT 1").execute(&mut *transaction).await.unwrap();
        let end = AssertSqlSafe(format!("SELECT pg_terminate_backend({before}, 30000)"));
        assert!(sqlx::query_scalar::<_, bool>(end).fetch_one(&other).await.unwrap());
        if commits {
            let error = transaction.commit().await.unwrap_err();
            assert_eq!(Cause::of(&error), Cause::Unavailable, "{error}");
        } else {
            drop(transaction);
        }
        let transaction = begin(&pool).await.unwrap();
        transaction.commit().await.unwrap();
        assert_ne!(backend(&pool).await, before);
    }
}

#[tokio::test]
async fn a_transaction_of_the_driver_that_was_left_open_is_not_given_to_the_next_caller() {
    let Some(pool) = pool().await else { return };
    let before = backend(&pool).await;
    assert_eq!(backend(&pool).await, before, "a sound connection stays");
    for failed in [false, true] {
        let before = backend(&pool).await;
        let mut connection = pool.acquire().await.unwrap();
        // As the driver leaves it when a `begin` is cancelled: it does not know of the transaction.
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
        if failed {
            sqlx::raw_sql("SELECT 1 / 0").execute(&mut *connection).await.unwrap_err();
        }
        drop(connection);
        assert_ne!(backend(&pool).await, before);
    }
}
