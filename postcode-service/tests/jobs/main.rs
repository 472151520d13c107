//! Jobs: what comes in, goes out, and in which order, on either database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which clippy takes for production"
)]

#[path = "../common/mod.rs"]
mod common;

/// A test for each database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = crate::database::Database::file() {
                    super::$name(database).await;
                }
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = crate::database::Database::server() {
                    super::$name(database).await;
                }
            })*
        }
    };
}

mod callbacks;
mod database;
mod fairness;
mod receiver;
mod requests;
mod results;
mod upkeep;
