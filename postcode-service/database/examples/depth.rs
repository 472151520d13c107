use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    let path = std::env::temp_dir().join("depth.db");
    let _ = std::fs::remove_file(&path);
    // At most four pages: SQLITE_FULL without a full disk.
    let options =
        SqliteConnectOptions::new().filename(&path).create_if_missing(true).pragma("max_page_count", "4");
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query("CREATE TABLE t (x)").execute(&pool).await?;

    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let full = sqlx::query("INSERT INTO t VALUES (zeroblob(100000))").execute(&mut *tx).await;
    println!("insert:     {}", full.unwrap_err());
    println!("rollback:   {}", tx.rollback().await.unwrap_err());
    // There is room again.
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&pool).await?;
    println!("autocommit: {:?}", sqlx::query("INSERT INTO t VALUES (1)").execute(&pool).await.map(drop));
    println!("begin_with: {}", pool.begin_with("BEGIN IMMEDIATE").await.unwrap_err());

    // The same connection with plain `begin`: the rollback is to a savepoint, and the transaction stays open.
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO t VALUES (2)").execute(&mut *tx).await?;
    tx.rollback().await?;
    let other = SqliteConnectOptions::new().filename(&path).busy_timeout(std::time::Duration::from_secs(1));
    let other = SqlitePoolOptions::new().connect_with(other).await?;
    println!("another:    {}", sqlx::query("INSERT INTO t VALUES (3)").execute(&other).await.unwrap_err());
    Ok(())
}
